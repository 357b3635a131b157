"""Training of networks, whatever they read: AdamW, moving average, deadline. Knows nothing of ensembles.

Dimension letters: `P` parameters, `K` horizon steps, `N` windows, `O` outputs, `U` updates.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnncast.core.learner import AdamW, Learner, Updates, learn
from rnncast.core.loss_table import LossTable
from rnncast.core.threads import threads as default_threads
from rnncast.data.transform import WorkingSeries
from rnncast.data.windows import Windows
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.network import initial_parameters
from rnncast.records import dataclass
from rnncast.training.schedule import average_decay, learning_rate

BETA1, BETA2, EPSILON = 0.9, 0.99, 1e-8
"""Moments of AdamW (Loshchilov and Hutter 2019); the second is shorter than usual because training is short."""


FOLDS = 3
"""Networks that are trained beside the members, to decide when to stop, what to trust, and how wide intervals are."""


class Deadline:
    """The end of an explicit time limit; without one it never passes and the clock is never looked at.

    It runs from the first update on: what comes before, compiling the kernels above all, is not training.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._end: float | None = None

    @classmethod
    def of_networks(cls, training: TrainingConfig, count: int = 1) -> Deadline:
        """End of training of `count` networks; the limit is shared out evenly between the folds and the members."""
        return cls(None if training.time_limit is None else training.time_limit * count / (training.members + FOLDS))

    def start(self) -> None:
        """Let the time run, if it does not yet."""
        if self._seconds is not None and self._end is None:
            self._end = time.monotonic() + self._seconds

    @property
    def is_running(self) -> bool:
        """Whether the time runs already, or there is no limit."""
        return self._seconds is None or self._end is not None

    @property
    def seconds_left(self) -> float | None:
        """Seconds until no further update may begin; None where that is not known."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether no further update may begin."""
        return self.seconds_left == 0.0


class Prepared(Protocol):
    """Windows gathered once, to be scored again and again."""

    @property
    def targets(self) -> NDArray[np.float32]:
        """What should come out, beyond the naive path (K, N)."""


P = TypeVar("P", bound=Prepared)


@dataclass
class Descent(ABC, Generic[P]):
    """One network under training; what a batch is, and how windows are scored, a subclass says.

    Attributes
    ----------
    windows : Windows
        What is trained on: the ends of windows whose targets are known.
    threads : int
        Threads that share its work out.
    start : float32 (P,) or None
        Weights that it starts from; None for those of its seed.
    rng : Generator
        Of this network: its first numbers are its start.
    learner : Learner
        Its parameters, and what moves them; a subclass makes it.
    failed_at : int or None
        Number of the update whose loss or gradient was not finite; the weights are those before it.
    """

    config: NetworkConfig
    training: TrainingConfig
    head: LossTable
    working: WorkingSeries
    windows: Windows
    seed: int
    threads: int = field(default_factory=default_threads)
    start: NDArray[np.float32] | None = None
    rng: np.random.Generator = field(init=False)
    learner: Learner = field(init=False)
    failed_at: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        if self.start is None:
            self.start = initial_parameters(self.config.shape, self.rng)

    @property
    def parameters(self) -> NDArray[np.float32]:
        """The weights (P,)."""
        return self.learner.parameters

    @property
    def average(self) -> NDArray[np.float32]:
        """Their exponential moving average (P,), which is what gets used."""
        return self.learner.average

    @property
    def updates(self) -> int:
        """Updates done."""
        return self.learner.updates

    @property
    def settings(self) -> AdamW:
        """Settings of the optimiser."""
        return AdamW(BETA1, BETA2, EPSILON, self.training.weight_decay, self.training.clip_norm)

    def run(self, updates: int, deadline: Deadline) -> float:
        """Up to `updates` further updates, see `run_side_by_side`; their mean loss."""
        return run_side_by_side([self], updates, deadline)[0]

    def loss(self, prepared: P, parameters: NDArray[np.float32] | None = None) -> float:
        """Mean loss over prepared windows, of the averaged weights or of other `parameters` (P,)."""
        return self._score(self.outputs(prepared, self.average if parameters is None else parameters), prepared)

    def next_updates(self, count: int) -> Updates:
        """The next `count` updates: the learning rate and the decay of the average at each."""
        training = self.training
        numbers = range(self.updates + 1, self.updates + count + 1)
        total = training.max_epochs * training.epoch_updates
        return Updates(
            rates=np.array([learning_rate(number, total, training.learning_rate) for number in numbers]),
            averaging=np.array([average_decay(number, training.average_decay) for number in numbers]),
        )

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
        """Where the network stands: JSON values, and arrays that are its own and will change."""
        learner = self.learner
        facts = {"updates": self.updates, "failed_at": self.failed_at}
        return facts, {"parameters": learner.parameters, "average": learner.average, "moments": learner.moments}

    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[np.float32]], epoch: int) -> None:
        """Bring a network that has just been made to where another one stood after an epoch, as `state` told it.

        Raises
        ------
        KeyError, TypeError, ValueError
            It is not the state of such a network.
        """
        for name, own in self.state()[1].items():
            if arrays[name].shape != own.shape:
                raise ValueError(f"{name} are {arrays[name].shape}, expected {own.shape}")
            own[...] = arrays[name]
        self.learner.updates = int(facts["updates"])
        if not 0 <= self.updates <= epoch * self.training.epoch_updates:
            raise ValueError(f"{self.updates} updates in {epoch} epochs")
        self.failed_at = None if facts["failed_at"] is None else int(facts["failed_at"])
        self._skip(facts)

    @abstractmethod
    def _skip(self, facts: Mapping[str, Any]) -> None:
        """Draw the batches that were had before, so that the next one is the next."""

    @abstractmethod
    def prepare(self, windows: Windows) -> P:
        """Windows to be scored."""

    @abstractmethod
    def outputs(self, prepared: P, parameters: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw outputs (O, N) of prepared windows; a new array."""

    @abstractmethod
    def _score(self, raw: NDArray[np.float32], prepared: P) -> float:
        """Mean loss of raw outputs (O, N)."""


def run_side_by_side(trainers: Sequence[Descent[Any]], updates: int, deadline: Deadline) -> list[float]:
    """Up to `updates` further updates of each network; they stop at the deadline or at a value that is not finite.

    Returns
    -------
    list of float
        Mean training loss of the updates done, NaN if there was none.
    """
    losses: list[list[float]] = [[] for _ in trainers]
    left = updates
    while left and not deadline.passed:
        count = left if deadline.is_running else 1  # the first update begins whatever the limit
        going = [number for number, trainer in enumerate(trainers) if trainer.failed_at is None]
        asked = [trainers[number].next_updates(count) for number in going]
        results = learn([trainers[number].learner for number in going], asked, deadline.seconds_left)
        for number, made in zip(going, results, strict=True):
            losses[number] += made.losses.tolist()
            if made.failed:
                trainers[number].failed_at = trainers[number].updates + 1
        deadline.start()
        left -= count
    return [float(np.mean(some)) if some else math.nan for some in losses]
