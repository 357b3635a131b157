"""What later rows decide: when to stop, what to trust, how wide intervals are; each on a block of its own.

The first fold's network finds the number of epochs on the first block. The networks of the other folds are then trained
for that number, side by side, each on all rows before its block, unless the first is to serve for all. The gate comes
from the second block, the quantiles of the scores from the third. All of it is carried over to the members that are
trained on everything, of which a single one may be the first fold's network, gone on.

Dimension letters: `P` parameters.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnncast.core.loss_table import LossTable
from rnncast.core.threads import threads
from rnncast.data.panel import Panel
from rnncast.data.summary import format_stamp
from rnncast.data.transform import WorkingSeries
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.gate import Blend, Gate, same_for_all
from rnncast.model.intervals import Calibration, Volatility
from rnncast.model.network import with_share
from rnncast.records import dataclass
from rnncast.training.calibration import DECAYS, calibrate, choose_volatility, measured_coverage
from rnncast.training.checkpoint import NO_CHECKPOINT, Checkpoint, train_epochs
from rnncast.training.descent import Deadline, Descent
from rnncast.training.gate import find_gate, unjudged_baseline
from rnncast.training.head import empirical_head
from rnncast.training.outlook import Outlook, look, look_at_baseline
from rnncast.training.search import EpochReport, OnEpoch, Search, failure_of, search
from rnncast.training.split import CALIBRATION, GATE, STOPPING, Fold, Split
from rnncast.training.stateful import new_trainer

COVERAGE_NOTE = (
    "measured on the calibration block, each half with intervals that the other half calibrated; gate and intervals of "
    "the folds are carried over to the members, which are trained on all rows"
)


class Start(NamedTuple):
    """The network of the search after the epochs found: its head, averaged weights float32 (P,), and updates."""

    head: LossTable
    weights: NDArray[np.float32]
    updates: int


@dataclass(frozen=True)
class Decisions:
    """What the folds decide for the members.

    Attributes
    ----------
    epochs, share
        Epochs that they are trained, 0 leaving the baseline, and the share of their correction of the median.
    gate, calibration
        See `rnncast.model.gate` and `rnncast.model.intervals`.
    record : dict
        What was found, as JSON values.
    warnings : tuple of str
        What the user should know.
    start : Start or None
        What a single member may go on from; None without an epoch.
    """

    epochs: int
    share: float
    gate: Gate
    calibration: Calibration
    record: dict[str, Any]
    warnings: tuple[str, ...] = ()
    start: Start | None = None


def decide(
    panel: Panel,
    config: NetworkConfig,
    training: TrainingConfig,
    working: WorkingSeries,
    split: Split,
    on_epoch: OnEpoch,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> Decisions:
    """Train the folds and take the decisions; without a fold only a simple path is trusted."""
    if not split.folds:
        return _without_folds(panel, config, working, split)
    stopping = split.fold(STOPPING)
    found = search(config, training, working, stopping, on_epoch, checkpoint)
    networks = _networks(config, training, working, split, found, on_epoch, checkpoint)
    judged = networks[GATE].look(config, working, panel.is_dated)
    gate, groups = find_gate(config, judged)
    volatility = choose_volatility(config, gate, judged)
    last = networks[CALIBRATION]
    block, earlier = last.look(config, working, panel.is_dated), last.look_back(config, working, panel.is_dated)
    levels = [round(100.0 - 200.0 * level, 9) for level in config.quantile_levels if level < 0.5]
    record = {
        "best_epoch": found.epochs,
        **found.record,
        "folds": [fold_record(panel, fold) for fold in split.folds],
        "fallback": split.fallback,
        "gate": groups,
        "coverage": measured_coverage(config, gate, volatility, block, earlier, levels),
        "coverage_note": COVERAGE_NOTE,
    }
    calibration = calibrate(config, gate, volatility, block, earlier)
    warnings = (*found.warnings, *(w for n in dict.fromkeys(networks.values()) for w in n.warnings))
    updates = min(found.trainer.updates, found.epochs * training.epoch_updates)  # fewer at the end of the time limit
    start = Start(found.trainer.head, found.raw, updates) if found.epochs else None
    return Decisions(found.epochs, found.share, gate, calibration, record, warnings, start)


@dataclass(frozen=True, eq=False)
class _Network:
    """A fold's network, with its averaged weights (P,) after the epochs found."""

    fold: Fold
    trainer: Descent[Any]
    weights: NDArray[np.float32]
    warnings: tuple[str, ...] = ()

    def look(self, config: NetworkConfig, working: WorkingSeries, dated: bool) -> Outlook:
        """The windows of the fold's block."""
        return look(config, working, self.trainer, self.weights, self.fold.held_out, self.fold.clock, dated)

    def look_back(self, config: NetworkConfig, working: WorkingSeries, dated: bool) -> Outlook:
        """The windows before it."""
        clock = self.fold.training.ends // config.horizon
        return look(config, working, self.trainer, self.weights, self.fold.training, clock, dated)


def _without_folds(panel: Panel, config: NetworkConfig, working: WorkingSeries, split: Split) -> Decisions:
    """No network is trusted; intervals are those of the naive path's own few errors and of a random walk."""
    note = "no series has the rows to hold the network against the naive path: it is left out of the forecast"
    gate, spread = same_for_all(Blend(unjudged_baseline(config), 0.0)), np.ones(config.horizon)
    volatility = Volatility(DECAYS[0], 1.0, 0.0)
    earlier = look_at_baseline(config, working, split.everything, spread, panel.is_dated)
    calibration = calibrate(config, gate, volatility, None, earlier)
    record = {"best_epoch": 0, "search_losses": [], "folds": [], "fallback": split.fallback, "gate": []}
    return Decisions(0, 1.0, gate, calibration, record, (note,))


def _networks(
    config: NetworkConfig,
    training: TrainingConfig,
    working: WorkingSeries,
    split: Split,
    found: Search,
    on_epoch: OnEpoch,
    checkpoint: Checkpoint,
) -> dict[str, _Network]:
    """The network of each decision; what the search trained is not trained again."""
    first = split.fold(STOPPING).training
    networks = [_Network(fold, found.trainer, found.weights) for fold in split.folds if fold.training is first]
    others = [fold for fold in split.folds if fold.training is not first]
    share = max(1, threads() // max(1, len(others)))
    trainers = [
        new_trainer(config, training, empirical_head(config, working, fold.training), working, fold.training,
                    training.seed, share)
        for fold in others
    ]  # fmt: skip
    deadline = Deadline.of_networks(training, len(trainers))
    standings = [checkpoint.begin(f"fold {number}", trainer) for number, trainer in enumerate(trainers, 1)]
    for epoch, losses in train_epochs(standings, found.epochs, deadline, checkpoint):
        finite = [loss for loss in losses if not math.isnan(loss)]
        on_epoch(EpochReport("folds", 1, 1, epoch, found.epochs, sum(finite) / len(finite), None))
    for number, (fold, trainer) in enumerate(zip(others, trainers, strict=True), 1):
        weights = with_share(config, trainer.average, found.share)
        warnings = failure_of(trainer, "fold", number)
        if trainer.failed_at is None and trainer.updates < found.epochs * training.epoch_updates:
            warnings.append(f"the time limit ended fold {number} after {trainer.updates} updates")
        networks.append(_Network(fold, trainer, weights, tuple(warnings)))
    return {purpose: network for network in networks for purpose in network.fold.purposes}


def fold_record(panel: Panel, fold: Fold) -> dict[str, Any]:
    """A fold as JSON values; stamps are those of the shared clock, which counted rows do not have."""
    trained_until, begin, end = (format_stamp(stamp) for stamp in fold.span) if fold.span else (None, None, None)
    return {
        "purpose": ", ".join(fold.purposes),
        "trained_until": trained_until,
        "from": begin,
        "until": end,
        "windows": len(fold.held_out),
    }
