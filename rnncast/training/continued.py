"""A trained model goes on with fresh rows: a few epochs from its weights, kept only if later fresh rows bear them out.

What the model has seen cannot judge it. So the fresh rows, those after its last training row, are divided in two: a
network is trained from the model's weights on everything before the second part, and judged on that part after each
epoch. If no epoch does better there than the weights as they are, these are kept; else the members are trained from
theirs for the number of epochs that was best, on all rows. Head, gate and calibration are carried over.

Dimension letters: `M` members, `P` parameters, `S` series, `R` rows of all series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.core.threads import threads
from rnncast.data.panel import Panel
from rnncast.data.summary import counted, format_stamp
from rnncast.data.transform import WorkingSeries, working_series
from rnncast.data.windows import spread_evenly
from rnncast.model.config import TrainingConfig
from rnncast.model.fingerprint import fingerprint
from rnncast.model.model import Model
from rnncast.records import dataclass
from rnncast.training.checkpoint import NO_CHECKPOINT, Checkpoint
from rnncast.training.folds import fold_record
from rnncast.training.search import Course, OnEpoch, failure_of, train_and_judge
from rnncast.training.split import Fold, all_windows, clock, last_fold
from rnncast.training.stateful import new_trainer
from rnncast.training.train import history_of, refit

EPOCHS = 5
"""Epochs of a continued training, at most."""

RATE_SHARE = 0.3
"""Highest learning rate of a continued training, as a share of the first one's."""

FRESH_HORIZONS = 3
"""Horizons of fresh rows that there must be, two of them to judge; with fewer the weights are kept."""


@dataclass(frozen=True)
class Continued:
    """What became of a model with fresh rows.

    Attributes
    ----------
    model : Model
        With the last rows of the panel; its weights are new if `accepted`.
    accepted : bool
        Whether the fresh rows bore out what was learnt.
    summary : str
        What was found, in a sentence.
    warnings : tuple of str
        What the user should know.
    """

    model: Model
    accepted: bool
    summary: str
    warnings: tuple[str, ...] = ()


SETTINGS = ("max_epochs", "learning_rate", "batch_size", "seed", "time_limit", "truncation")
"""Settings that a continued training may have other than the first one; the rest is a part of the model."""


def continued_settings(model: Model, named: Mapping[str, Any]) -> TrainingConfig:
    """How a model goes on: as it was trained, but for fewer epochs at a lower rate, and for what is `named`."""
    settings = TrainingConfig().to_dict()
    first = {name: value for name, value in model.record["training"].items() if name in settings}
    rate = RATE_SHARE * float(first["learning_rate"])
    fewer = {"max_epochs": EPOCHS, "learning_rate": rate, "members": len(model.parameters), "time_limit": None}
    return TrainingConfig(**{**first, **fewer, **named})


def continue_training(
    model: Model,
    panel: Panel,
    training: TrainingConfig,
    *,
    keep_history: bool = True,
    on_epoch: OnEpoch = lambda report: None,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> Continued:
    """Go on with the training of a model.

    Parameters
    ----------
    model
        The model; it is left as it is.
    panel
        All rows up to the cutoff, also those that the model was trained on; each series long enough
        (`split.without_short_series`).
    training
        How it goes on, see `continued_settings`.
    keep_history, on_epoch, checkpoint
        As of `rnncast.training.train.train`.
    """
    working = working_series(panel)
    fold = _fresh_fold(model, panel)
    if fold is None:
        kept = _with_history(model, panel, working, keep_history)
        return Continued(kept, False, f"weights kept: {_too_few(model, panel)}")
    course, failed = _judge(model, training, working, fold, on_epoch, checkpoint)
    record: dict[str, Any] = {
        "from": fingerprint(model),
        "from_trained_until": model.trained_until,
        "training": training.to_dict(),
        "fold": fold_record(panel, fold),
        "losses": course.losses,
        "epochs": course.best,
    }
    warnings = (*course.warnings, *failed)
    losses = f"loss on the {len(fold.held_out):,} later fresh windows {course.losses[0]:.4f}"
    if course.best == 0:
        kept = _with_record(_with_history(model, panel, working, keep_history), record)
        return Continued(kept, False, f"weights kept: no epoch was better ({losses} before)", warnings)
    windows = all_windows(panel, model.network)
    parameters, updates, met = refit(
        model.network, training, working, windows, model.head, course.best, on_epoch, checkpoint, model.parameters
    )
    until: Any = max(model.last_trained, panel.times.max())  # other series may count fewer steps
    found = replace(model, parameters=parameters, trained_until=format_stamp(until))
    found = _with_record(_with_history(found, panel, working, keep_history), {**record, "updates": updates})
    data = {"series": len(panel.ids), "rows": len(panel.times), "data_fingerprint": panel.fingerprint()}
    found = replace(found, record={**found.record, **data})
    summary = f"{course.best} of {training.max_epochs} epochs taken ({losses} before, {min(course.losses):.4f} after)"
    return Continued(found, True, summary, (*warnings, *met))


def fresh_rows(model: Model, panel: Panel) -> NDArray[np.bool_]:
    """Whether each row of a panel (R,) is later than all that the model was trained on, whatever the series.

    Where series count steps of their own, a shorter one is so fresh only beyond the longest: what it really had is not
    kept.
    """
    until: Any = model.last_trained
    return np.asarray(panel.times > until)


def _fresh_fold(model: Model, panel: Panel) -> Fold | None:
    """The later part of the fresh rows, and all windows before it; None where there are too few."""
    fresh, horizon = _fresh_counts(model, panel), model.network.horizon
    block = np.where(fresh >= FRESH_HORIZONS * horizon, np.maximum(fresh // 2, 2 * horizon), 0)
    if not block.any():
        return None
    fold = last_fold(panel, model.network, block)
    return fold if len(fold.training) and len(fold.held_out) else None


def _fresh_counts(model: Model, panel: Panel) -> NDArray[np.int64]:
    """Fresh rows (1,) on the shared clock of a dated panel, else of each series (S,)."""
    if panel.is_dated:
        return np.array([int((clock(panel) > model.last_trained).sum())])
    return np.add.reduceat(fresh_rows(model, panel).astype(np.int64), panel.indptr[:-1])


def _too_few(model: Model, panel: Panel) -> str:
    most = counted(int(_fresh_counts(model, panel).max()), "fresh row")
    needed = FRESH_HORIZONS * model.network.horizon
    return f"{most} after {model.trained_until}, and {needed} are needed to judge what they teach"


def _judge(
    model: Model,
    training: TrainingConfig,
    working: WorkingSeries,
    fold: Fold,
    on_epoch: OnEpoch,
    checkpoint: Checkpoint,
) -> tuple[Course, list[str]]:
    """How the first member does on the fold's block as it goes on, and what went wrong."""
    trainer = new_trainer(
        model.network, training, model.head, working, fold.training, training.seed, threads(), model.parameters[0]
    )
    sample = spread_evenly(len(fold.held_out), training.validation_windows)
    validation = trainer.prepare(fold.held_out.take(sample))
    return train_and_judge(trainer, validation, on_epoch, checkpoint), failure_of(trainer, "search", 1)


def _with_history(model: Model, panel: Panel, working: WorkingSeries, keep: bool) -> Model:
    """The model with the last rows of the panel, its columns, and what its calendar has learnt since."""
    history = history_of(panel, model.network, working, model.parameters) if keep else None
    calendar = panel.calendar if panel.calendar.freq == model.calendar.freq else model.calendar
    return replace(model, history=history, columns=panel.columns, calendar=calendar)


def _with_record(model: Model, entry: dict[str, Any]) -> Model:
    """The model with one more entry of how it went on."""
    return replace(model, record={**model.record, "continued": [*model.record.get("continued", ()), entry]})
