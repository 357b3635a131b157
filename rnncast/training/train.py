"""From a panel to a model: search for the number of updates on earlier rows, then refit on all of them.

Dimension letters: `M` members, `P` parameters, `N` windows, `K` horizon steps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.core.engine import Engine
from rnncast.core.loss_table import LossTable
from rnncast.data.panel import Panel
from rnncast.data.transform import WorkingSeries, working_series
from rnncast.data.windows import Windows
from rnncast.errors import TrainingError
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.model import History, Model
from rnncast.training.head import empirical_head
from rnncast.training.split import Split, split_windows
from rnncast.training.trainer import Deadline, PreparedWindows, Trainer, validation_sample

FALLBACK_SHARE = 0.25
"""Share of the budget that is trained where no series is long enough for a validation part."""

SEARCH_SHARE = 0.5
"""Share of a time limit that the search may take; the refit has the rest."""

HISTORY_WINDOWS = 2
"""Rows kept for each series, in multiples of what one forecast reads: enough to look back on, small in the file."""


@dataclass(frozen=True)
class EpochReport:
    """What one epoch of one member gave.

    Attributes
    ----------
    phase : {"search", "refit"}
    member, epoch : int
        Counted from 1.
    members, epochs : int
        How many there are at most.
    loss : float
        Mean training loss of the epoch; NaN if it made no update.
    validation_loss : float or None
        Mean loss over the validation windows; None in the refit.
    """

    phase: str
    member: int
    members: int
    epoch: int
    epochs: int
    loss: float
    validation_loss: float | None


OnEpoch = Callable[[EpochReport], None]


@dataclass(frozen=True)
class Search:
    """Outcome of the search.

    Attributes
    ----------
    epochs : int
        Epochs that the refit trains; 0 leaves the baseline.
    blend : float
        Share of the network's correction that served the validation part best, 0 to 1.
    record : dict
        Losses by epoch, and the validation error relative to the naive path's.
    warnings : tuple of str
        What went wrong on the way, for the user.
    """

    epochs: int
    blend: float
    record: dict[str, Any]
    warnings: tuple[str, ...] = ()


def train(
    panel: Panel,
    config: NetworkConfig,
    training: TrainingConfig,
    *,
    keep_history: bool = True,
    on_epoch: OnEpoch = lambda report: None,
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
    search = _search(config, training, working, split, on_epoch)
    head = empirical_head(config, working, split.everything)
    parameters, updates, warnings = _refit(config, training, working, split.everything, head, search, on_epoch)
    record = {
        "training": training.to_dict(),
        "windows": len(split.everything),
        "series": len(panel.ids),
        "rows": len(panel.times),
        "updates": updates,
        **search.record,
    }
    if training.time_limit is not None:  # else the same data and options would not give the same bytes
        record["seconds"] = round(time.perf_counter() - began, 3)
    model = Model(
        network=config,
        parameters=parameters,
        head=head,
        blend=search.blend,
        columns=panel.columns,
        calendar=panel.calendar,
        trained_until=str(panel.times.max()),
        history=_history(panel, config, working.logarithmic) if keep_history else None,
        record=record,
    )
    return model, search.warnings + warnings


def _history(panel: Panel, config: NetworkConfig, logarithmic: NDArray[np.bool_]) -> History:
    return History(panel=panel.tail(HISTORY_WINDOWS * config.history_rows), logarithmic=logarithmic)


def _search(
    config: NetworkConfig,
    training: TrainingConfig,
    working: WorkingSeries,
    split: Split,
    on_epoch: OnEpoch,
) -> Search:
    """How many epochs serve the validation part best, as a mean over the members; zero is allowed."""
    if len(split.validation) == 0:
        epochs = math.ceil(FALLBACK_SHARE * training.max_epochs)
        note = f"no series is long enough for a validation part: trained {epochs} epochs without early stopping"
        return Search(epochs, 1.0, {"validation": None, "best_epoch": epochs}, (note,))
    head = empirical_head(config, working, split.search)
    validation = validation_sample(config, working, split.validation)
    curves: list[list[float]] = []
    corrections: list[list[NDArray[np.float32]]] = []
    warnings: list[str] = []
    for member in range(training.members):
        trainer = Trainer(config, training, head, working, split.search, training.seed + member)
        curve, path = _member_curve(trainer, member, validation, on_epoch)
        curves.append(curve)
        corrections.append(path)
        warnings += _failure(trainer, member, "search")
    shared = min(len(curve) for curve in curves)
    mean = np.mean([curve[:shared] for curve in curves], axis=0)  # (epochs + 1,)
    best = int(np.argmin(mean))
    blend, relative = _blend(config, head, validation, [path[best] for path in corrections])
    record = {
        "best_epoch": best,
        "search_losses": [float(value) for value in mean],
        "validation": {"windows": int(validation.targets.shape[1]), "relative_mae": relative},
    }
    return Search(best if blend > 0 else 0, blend, record, tuple(warnings))


def _member_curve(
    trainer: Trainer, member: int, validation: PreparedWindows, on_epoch: OnEpoch
) -> tuple[list[float], list[NDArray[np.float32]]]:
    """Validation loss and averaged weights after 0, 1, 2 ... epochs, until `patience` epochs bring nothing better."""
    training = trainer.training
    deadline = _member_deadline(training, SEARCH_SHARE)
    curve = [trainer.loss(validation)]
    weights = [trainer.average.copy()]
    for epoch in range(1, training.max_epochs + 1):
        loss = trainer.run(training.epoch_updates, deadline)
        if math.isnan(loss):
            break
        score = trainer.loss(validation)
        curve.append(score if math.isfinite(score) else math.inf)
        weights.append(trainer.average.copy())
        on_epoch(EpochReport("search", member + 1, training.members, epoch, training.max_epochs, loss, score))
        if deadline.passed or trainer.failed_at is not None or epoch - int(np.argmin(curve)) >= training.patience:
            break
    return curve, weights


def _refit(
    config: NetworkConfig,
    training: TrainingConfig,
    working: WorkingSeries,
    windows: Windows,
    head: LossTable,
    search: Search,
    on_epoch: OnEpoch,
) -> tuple[NDArray[np.float32], list[int], tuple[str, ...]]:
    """Members trained on every window for the number of epochs found; returns parameters (M, P) and updates done."""
    parameters, updates, warnings = [], [], []
    for member in range(training.members):
        trainer = Trainer(config, training, head, working, windows, training.seed + member)
        deadline = _member_deadline(training, 1.0 - SEARCH_SHARE)
        for epoch in range(1, search.epochs + 1):
            loss = trainer.run(training.epoch_updates, deadline)
            if math.isnan(loss):
                break
            on_epoch(EpochReport("refit", member + 1, training.members, epoch, search.epochs, loss, None))
        if trainer.failed_at == 1:
            raise TrainingError(
                "the first update had no finite loss, so nothing was learnt",
                hint="look for extreme values with rnncast inspect, or give a smaller --learning-rate",
            )
        parameters.append(trainer.average)
        updates.append(trainer.updates)
        warnings += _failure(trainer, member, "refit")
    return np.stack(parameters), updates, tuple(warnings)


def _member_deadline(training: TrainingConfig, share: float) -> Deadline:
    """End of one member's part of a phase: an explicit limit is shared out evenly, so that each member is trained."""
    return Deadline(None if training.time_limit is None else training.time_limit * share / training.members)


def _failure(trainer: Trainer, member: int, phase: str) -> list[str]:
    if trainer.failed_at is None:
        return []
    return [
        f"{phase}, member {member + 1}: the loss of update {trainer.failed_at} was not finite; "
        f"training stopped there and kept the weights of update {trainer.updates} (try a smaller --learning-rate)"
    ]


def _blend(
    config: NetworkConfig, head: LossTable, validation: PreparedWindows, members: Sequence[NDArray[np.float32]]
) -> tuple[float, float]:
    """Share of the mean correction with the least absolute error on the validation part, and that relative error."""
    engine = Engine(config.shape, config.input_size, validation.targets.shape[1])
    raw = np.mean([engine.forward(member, validation.inputs) for member in members], axis=0)  # (O, N)
    levels = len(config.quantile_levels)
    correction = head.spread[:, None] * raw[levels // 2 :: levels]  # (K, N)
    shares = np.linspace(0.0, 1.0, 21)
    errors = [float(np.abs(validation.targets - share * correction).mean()) for share in shares]
    best = int(np.argmin(errors))
    return float(shares[best]), errors[best] / errors[0] if errors[0] > 0 else 1.0
