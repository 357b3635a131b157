"""How long to train: a first training on earlier rows, judged on the block of rows after them.

The epoch with the least loss on that block is kept; zero is allowed.

Dimension letters: `P` parameters, `K` horizon steps, `N` windows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.core.shape import middle_rows
from rnncast.core.threads import threads
from rnncast.data.transform import WorkingSeries
from rnncast.data.windows import spread_evenly
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.network import with_share
from rnncast.records import dataclass
from rnncast.training.checkpoint import NO_CHECKPOINT, Checkpoint, Standing
from rnncast.training.descent import Deadline, Descent, P
from rnncast.training.gate import FEWEST_STRETCHES, SHARES, gains_by_stretch, kept, t_statistic
from rnncast.training.head import empirical_head
from rnncast.training.split import Fold
from rnncast.training.stateful import new_trainer

FIRST_SHRINKAGE = 0.25
"""As `rnncast.training.gate.SHRINKAGE`, but milder: what is let through here has to pass the gate, on other rows."""


@dataclass(frozen=True)
class EpochReport:
    """What one epoch of one network gave.

    Attributes
    ----------
    phase : {"search", "folds", "refit"}
    member, epoch : int
        Counted from 1.
    members, epochs : int
        How many there are at most.
    loss : float
        Mean training loss of the epoch.
    validation_loss : float or None
        Mean loss over the windows that decide when to stop; None where there are none.
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
        Epochs with the least loss; 0 leaves the baseline.
    share : float
        Share of the network's correction of the median that the block bears out, 0 to 1.
    raw, weights : float32 (P,)
        Averaged weights after those epochs, and the same with that share.
    trainer : Descent
        The network, which knows how to read windows.
    record : dict
        Losses by epoch, as JSON values.
    warnings : tuple of str
        What the user should know.
    """

    epochs: int
    share: float
    raw: NDArray[np.float32]
    weights: NDArray[np.float32]
    trainer: Descent[Any]
    record: dict[str, Any]
    warnings: tuple[str, ...] = ()


def search(
    config: NetworkConfig,
    training: TrainingConfig,
    working: WorkingSeries,
    fold: Fold,
    on_epoch: OnEpoch,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> Search:
    """Find the number of epochs, and the share of the correction, on the first block that is held out.

    The loss counts intervals as well, and so an epoch may be the best whose medians are too bold.
    """
    head = empirical_head(config, working, fold.training)
    trainer = new_trainer(config, training, head, working, fold.training, training.seed, threads())
    sample = spread_evenly(len(fold.held_out), training.validation_windows)
    validation = trainer.prepare(fold.held_out.take(sample))
    course = train_and_judge(trainer, validation, on_epoch, checkpoint)
    share = best_share(trainer, validation, course.weights, fold.clock[sample])
    return Search(
        epochs=course.best,
        share=share,
        raw=course.weights,
        weights=with_share(config, course.weights, share),
        trainer=trainer,
        record={"search_losses": course.losses, "correction_share": share},
        warnings=(*course.warnings, *failure_of(trainer, "search", 1)),
    )


def best_share(trainer: Descent[P], validation: P, weights: NDArray[np.float32], clock: NDArray[np.int64]) -> float:
    """Share of the correction of the median with the least mean absolute error, each step counting alike.

    It is shrunk by how sure its gain is over stretches of time, numbered by `clock` (N,), as far as there are enough.
    """
    raw = trainer.outputs(validation, weights)[middle_rows(trainer.config.shape)]  # (K, N)
    targets = validation.targets / trainer.head.spread[:, None]  # (K, N) in units of the naive path's errors
    errors = [np.abs(targets - share * raw).mean(axis=0) for share in SHARES]  # of (N,)
    best = int(np.argmin([own.mean() for own in errors]))
    gains = gains_by_stretch(errors[0] - errors[best], clock)  # (J,)
    sure = kept(t_statistic(gains), len(gains), FIRST_SHRINKAGE) if len(gains) >= FEWEST_STRETCHES else 1.0
    return float(SHARES[best]) * sure


def failure_of(trainer: Descent[Any], phase: str, member: int) -> list[str]:
    """A warning for a training that met a loss or gradient that is not finite; else nothing."""
    if trainer.failed_at is None:
        return []
    return [
        f"{phase}, member {member}: the loss of update {trainer.failed_at} was not finite; "
        f"training stopped there and kept the weights of update {trainer.updates} (try a smaller --learning-rate)"
    ]


@dataclass
class Course:
    """Validation losses after 0, 1, 2 ... epochs, and the averaged weights (P,) after the best of them."""

    losses: list[float]
    weights: NDArray[np.float32]
    warnings: tuple[str, ...] = ()

    @property
    def best(self) -> int:
        """Epochs with the least loss."""
        return int(np.argmin(self.losses))

    @property
    def epochs_without_gain(self) -> int:
        """Epochs since the loss was at its lowest."""
        return len(self.losses) - 1 - self.best

    def is_over(self, training: TrainingConfig) -> bool:
        """Whether no further epoch is made: all are done, none was better for long, or the time limit came."""
        done = len(self.losses) - 1 >= training.max_epochs
        return done or self.epochs_without_gain >= training.patience or bool(self.warnings)

    def take_up(self, standing: Standing) -> None:
        """Go on where a checkpoint stands; KeyError or another for one that holds no course."""
        self.losses += [float(loss) for loss in standing.facts["losses"]]
        self.warnings = tuple(map(str, standing.facts["warnings"]))
        best = standing.arrays["best"]
        if best.shape != self.weights.shape or len(self.losses) != standing.epoch + 1:
            raise ValueError("losses and weights of other epochs")
        self.weights = best

    def add(self, loss: float, weights: NDArray[np.float32]) -> None:
        """Another epoch, with its loss and its averaged weights."""
        self.losses.append(loss)
        if self.epochs_without_gain == 0:
            self.weights = weights.copy()


def train_and_judge(trainer: Descent[P], validation: P, on_epoch: OnEpoch, checkpoint: Checkpoint) -> Course:
    """Train until `patience` epochs bring nothing better than what was best, of which the start, epoch 0, is one."""
    training = trainer.training
    deadline = Deadline.of_networks(training)
    course = Course([trainer.loss(validation)], trainer.average.copy())
    standing = checkpoint.begin("search", trainer)
    if standing.epoch:
        with checkpoint.reading():
            course.take_up(standing)
    while not course.is_over(training):
        loss = trainer.run(training.epoch_updates, deadline)
        score = trainer.loss(validation)
        if not (math.isfinite(loss) and math.isfinite(score)):
            break
        course.add(score, trainer.average)
        standing.epoch += 1
        if deadline.passed:
            course.warnings = (f"the time limit ended the search after {trainer.updates} updates",)
        standing.facts = {"losses": course.losses[1:], "warnings": course.warnings}
        standing.arrays = {"best": course.weights}
        checkpoint.keep([standing])
        on_epoch(EpochReport("search", 1, 1, standing.epoch, training.max_epochs, loss, score))
    return course
