"""From a panel to a model: folds on earlier rows, then a refit on all of them, several seeds averaged.

Dimension letters: `M` members, `P` parameters, `S` series.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.core.loss_table import LossTable
from rnncast.core.threads import threads
from rnncast.data.panel import Panel
from rnncast.data.summary import format_stamp
from rnncast.data.transform import WorkingSeries, working_series
from rnncast.data.windows import Windows
from rnncast.errors import TrainingError
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.model import History, Model
from rnncast.model.network import with_share
from rnncast.training.checkpoint import NO_CHECKPOINT, Checkpoint, train_epochs
from rnncast.training.descent import Deadline, Descent
from rnncast.training.folds import Decisions, decide
from rnncast.training.head import empirical_head, unmoved_share
from rnncast.training.search import EpochReport, OnEpoch, failure_of
from rnncast.training.split import split_windows
from rnncast.training.stateful import final_states, new_trainer
from rnncast.training.versions import versions

LAST_EPOCHS, LAST_RATE = 4, 0.5
"""Most epochs that the network of the search goes on with all rows, and share of its highest learning rate there."""

GOING_ON, MEMBER = "going on", "member"
"""Names under which checkpoints hold a network that goes on from other weights, and one from its seed."""

MUCH_UNMOVED = 0.05
"""Share of steps in which series stand still, from which on a likelihood is the wrong thing to fit."""


def train(
    panel: Panel,
    config: NetworkConfig,
    training: TrainingConfig,
    *,
    keep_history: bool = True,
    on_epoch: OnEpoch = lambda report: None,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> tuple[Model, tuple[str, ...]]:
    """Train an ensemble on all rows of a panel.

    Parameters
    ----------
    panel
        Rows up to the cutoff, and none after it; each series long enough (`split.without_short_series`).
    config, training
        The network, and how it is trained.
    keep_history
        Whether the model keeps the last rows of each series.
    on_epoch
        Called after each epoch.
    checkpoint
        Where the networks stand; those that it holds go on from there, to the same bytes.

    Returns
    -------
    model, warnings for the user

    Raises
    ------
    TrainingError
        Not one update had a finite loss.
    """
    began = time.perf_counter()
    working = working_series(panel)
    split = split_windows(panel, config)
    if not training.fold_networks:
        split = split.trained_once()
    found = decide(panel, config, training, working, split, on_epoch, checkpoint)
    head, parameters, updates, warnings = _members(
        config, training, working, split.everything, found, on_epoch, checkpoint
    )
    parameters = np.stack([with_share(config, member, found.share) for member in parameters])
    record = {
        "training": training.to_dict(),
        "series": len(panel.ids),
        "rows": len(panel.times),
        "windows": len(split.everything),
        "updates": updates,
        **found.record,
        "data_fingerprint": panel.fingerprint(),
        "versions": versions(),
    }
    if training.time_limit is not None:  # without a limit the same data and options give the same bytes
        record["seconds"] = round(time.perf_counter() - began, 3)
    model = Model(
        network=config,
        parameters=parameters,
        head=head,
        gate=found.gate,
        calibration=found.calibration,
        columns=panel.columns,
        calendar=panel.calendar,
        trained_until=format_stamp(panel.times.max()),
        history=history_of(panel, config, working, parameters) if keep_history else None,
        record=record,
    )
    return model, _of_still_series(config, working, split.everything) + found.warnings + warnings


def _of_still_series(config: NetworkConfig, working: WorkingSeries, windows: Windows) -> tuple[str, ...]:
    """A warning where the likelihood of Student's t is drawn to a scale of zero."""
    share = unmoved_share(config, working, windows) if config.loss == "student-t" else 0.0
    if share < MUCH_UNMOVED:
        return ()
    return (
        f"the naive path is exactly right in {share:.0%} of the steps: the intervals of --loss student-t come out too "
        "narrow where series stand still, and too wide elsewhere; use --loss quantile",
    )


def history_of(panel: Panel, config: NetworkConfig, working: WorkingSeries, parameters: NDArray[np.float32]) -> History:
    """Last rows, and of a stateful network the states (M, parts, L, depth, H, S) of the members (M, P) after them."""
    states = final_states(config, parameters, working) if config.stateful else None
    return History(panel.tail(config.context_rows), working.logarithmic, states)


def _members(
    config: NetworkConfig,
    training: TrainingConfig,
    working: WorkingSeries,
    windows: Windows,
    found: Decisions,
    on_epoch: OnEpoch,
    checkpoint: Checkpoint,
) -> tuple[LossTable, NDArray[np.float32], list[int], tuple[str, ...]]:
    """Members on every window: their head and parameters (M, P), updates that made them, and warnings.

    They are trained from their seeds for the epochs found. A single one, where the network of the search judges all, is
    that network, which goes on for a few epochs.
    """
    start = found.start
    if training.fold_networks or training.members > 1 or start is None:
        head = empirical_head(config, working, windows)
        return head, *refit(config, training, working, windows, head, found.epochs, on_epoch, checkpoint)
    epochs = min(LAST_EPOCHS, found.epochs)
    last = replace(training, max_epochs=epochs, learning_rate=LAST_RATE * training.learning_rate)
    parameters, updates, warnings = refit(
        config, last, working, windows, start.head, epochs, on_epoch, checkpoint, start.weights[None]
    )
    return start.head, parameters, [start.updates + own for own in updates], warnings


def refit(
    config: NetworkConfig,
    training: TrainingConfig,
    working: WorkingSeries,
    windows: Windows,
    head: LossTable,
    epochs: int,
    on_epoch: OnEpoch,
    checkpoint: Checkpoint,
    starts: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float32], list[int], tuple[str, ...]]:
    """Members trained on every window for a number of epochs; returns parameters (M, P), updates done, and warnings.

    `starts` (M, P) are weights that they start from, instead of those of their seeds. As many members as there are
    threads go side by side, since several networks share cores better than one does.
    """
    parameters: list[NDArray[np.float32]] = []
    updates: list[int] = []
    warnings: list[str] = []
    cores = threads()
    while len(parameters) < training.members:
        members = range(len(parameters), min(len(parameters) + cores, training.members))
        share = max(1, cores // len(members))
        wave = [
            new_trainer(config, training, head, working, windows, training.seed + m, share,
                        None if starts is None else starts[m])
            for m in members
        ]  # fmt: skip
        name = MEMBER if starts is None else GOING_ON
        _train_members(name, wave, members.start, training, epochs, on_epoch, checkpoint, warnings)
        parameters += [trainer.average for trainer in wave]
        updates += [trainer.updates for trainer in wave]
        del wave  # its buffers go before those of the next are made
    return np.stack(parameters), updates, tuple(warnings)


def _train_members(
    name: str,
    trainers: list[Descent[Any]],
    first: int,
    training: TrainingConfig,
    epochs: int,
    on_epoch: OnEpoch,
    checkpoint: Checkpoint,
    warnings: list[str],
) -> None:
    """Train members side by side, of which `first` is the number of the first; `warnings` are added to.

    By its `name` and number a checkpoint holds each.
    """
    deadline = Deadline.of_networks(training, len(trainers))
    standings = [checkpoint.begin(f"{name} {number}", trainer) for number, trainer in enumerate(trainers, first + 1)]
    for epoch, losses in train_epochs(standings, epochs, deadline, checkpoint):
        for member, loss in enumerate(losses, first + 1):
            if not math.isnan(loss):
                on_epoch(EpochReport("refit", member, training.members, epoch, epochs, loss, None))
    for member, trainer in enumerate(trainers, first + 1):
        if trainer.failed_at == 1 and name == MEMBER:  # what goes on has learnt before
            raise TrainingError(
                "the first update had no finite loss, so nothing was learnt",
                hint="look for extreme values with rnncast inspect, or give a smaller --learning-rate",
            )
        if trainer.failed_at is None and trainer.updates < epochs * training.epoch_updates:
            warnings.append(f"the time limit ended member {member} after {trainer.updates} updates")
        warnings += failure_of(trainer, "refit", member)
