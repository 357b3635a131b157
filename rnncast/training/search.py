"""How long to train, and how far to trust the result: a first training on earlier rows, judged on later ones.

One network is trained on the windows before the validation part of each series. The epoch with the least validation
loss is kept; zero is allowed. Then a gate sets the share of the network's correction that is added to the naive path,
and asks for evidence: see `rnncast.training.gate`.

Dimension letters: `P` parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.core.threads import threads
from rnncast.data.transform import WorkingSeries
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.network import blended
from rnncast.training.descent import Deadline, Descent, P
from rnncast.training.gate import gate
from rnncast.training.head import empirical_head, spread_evenly
from rnncast.training.split import Split
from rnncast.training.stateful import new_trainer
from rnncast.training.trainer import VALIDATION_WINDOWS


@dataclass(frozen=True)
class EpochReport:
    """What one epoch of one network gave.

    Attributes
    ----------
    phase : {"search", "refit"}
    member, epoch : int
        Counted from 1.
    members, epochs : int
        How many there are at most.
    loss : float
        Mean training loss of the epoch.
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
        Share of the network's correction that is added to the naive path, 0 to 1.
    record : dict
        Losses by epoch and what the gate found, as JSON values.
    warnings : tuple of str
        What the user should know.
    """

    epochs: int
    blend: float
    record: dict[str, Any]
    warnings: tuple[str, ...] = ()


def search(
    config: NetworkConfig, training: TrainingConfig, working: WorkingSeries, split: Split, on_epoch: OnEpoch
) -> Search:
    """Find the number of epochs and the share of the correction; without a validation part both are zero.

    Where the gate leaves nothing of the correction, the epoch is the one whose intervals around the naive path are
    best: a price may be past forecasting and its volatility not.
    """
    if len(split.validation) == 0:
        note = "no series has the rows to hold the network against the naive path: it is left out of the forecast"
        return Search(0, 0.0, {"best_epoch": 0, "search_losses": [], "validation": None}, (note,))
    head = empirical_head(config, working, split.search)
    trainer = new_trainer(config, training, head, working, split.search, training.seed, threads())
    sample = spread_evenly(len(split.validation), VALIDATION_WINDOWS)
    windows = split.validation.take(sample)
    validation = trainer.prepare(windows)
    course = _train(trainer, validation, on_epoch)
    best = int(np.argmin(course.losses))
    correction = trainer.correction(validation, course.weights[best])
    found = gate(validation.targets, correction, head.spread, split.blocks[sample])
    blend = found.blend
    if trainer.loss(validation, blended(config, course.weights[best], blend)) >= course.losses[0]:
        blend = 0.0
    if blend == 0.0:
        best = int(np.argmin(course.interval_losses))
    record = {
        "best_epoch": best,
        "search_losses": course.losses,
        "search_interval_losses": course.interval_losses,
        "validation": {
            "windows": len(windows),
            "blocks": found.blocks,
            "relative_mae": found.relative_error if blend > 0 else 1.0,
            "network_relative_mae": found.network_error,
            "t_statistic": found.statistic,
        },
    }
    return Search(best, blend, record, (*course.warnings, *failure_of(trainer, "search", 1)))


def failure_of(trainer: Descent[Any], phase: str, member: int) -> list[str]:
    """A warning for a training that met a loss or gradient that is not finite; else nothing."""
    if trainer.failed_at is None:
        return []
    return [
        f"{phase}, member {member}: the loss of update {trainer.failed_at} was not finite; "
        f"training stopped there and kept the weights of update {trainer.updates} (try a smaller --learning-rate)"
    ]


@dataclass
class _Course:
    """Validation losses and averaged weights after 0, 1, 2 ... epochs.

    `interval_losses` are those of the intervals alone, around the naive path.
    """

    losses: list[float]
    interval_losses: list[float]
    weights: list[NDArray[np.float32]]
    warnings: tuple[str, ...] = ()

    @property
    def epochs_without_gain(self) -> int:
        """Epochs since either loss was at its lowest."""
        return len(self.losses) - 1 - max(int(np.argmin(self.losses)), int(np.argmin(self.interval_losses)))


def _train(trainer: Descent[P], validation: P, on_epoch: OnEpoch) -> _Course:
    """Train until `patience` epochs bring nothing better; the start, epoch 0, is the naive path with its intervals."""
    training = trainer.training
    deadline = Deadline.of_networks(training)
    start = trainer.loss(validation)
    course = _Course([start], [start], [trainer.average.copy()])
    for epoch in range(1, training.max_epochs + 1):
        loss = trainer.run(training.epoch_updates, deadline)
        score, interval_score = trainer.scores(validation)
        if not (math.isfinite(loss) and math.isfinite(score)):
            break
        course.losses.append(score)
        course.interval_losses.append(interval_score)
        course.weights.append(trainer.average.copy())
        on_epoch(EpochReport("search", 1, 1, epoch, training.max_epochs, loss, score))
        if deadline.passed:
            course.warnings = (f"the time limit ended the search after {trainer.updates} updates",)
            break
        if course.epochs_without_gain >= training.patience:
            break
    return course
