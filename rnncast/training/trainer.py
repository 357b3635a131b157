"""Training of networks: batches, learning rates, moving average, loss per epoch. Knows nothing of ensembles.

Dimension letters: `P` parameters, `N` windows, `B` windows of a batch, `T` input steps, `F` channels, `K` horizon.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rnncast.core.arguments import Series
from rnncast.core.engine import Engine
from rnncast.core.learner import AdamW, Learner, Updates, learn
from rnncast.core.loss_table import LossTable
from rnncast.core.shape import middle_rows
from rnncast.core.threads import threads as default_threads
from rnncast.data.transform import WorkingSeries
from rnncast.data.windows import Windows
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.inputs import in_parts, make_frame, network_inputs, normalised_targets, normalising
from rnncast.model.network import decay_mask, initial_parameters
from rnncast.training.schedule import batches, learning_rate

BETA1, BETA2, EPSILON = 0.9, 0.99, 1e-8
"""Moments of AdamW (Loshchilov and Hutter 2019); the second is shorter than usual because training is short."""

VALIDATION_WINDOWS = 4096
"""Most validation windows that are scored after an epoch, evenly spread over all."""


class Deadline:
    """The end of an explicit time limit; without one it never passes and the clock is never looked at.

    It runs from the first update on: what comes before, compiling the kernels above all, is not training.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._end: float | None = None

    @classmethod
    def of_networks(cls, training: TrainingConfig, count: int = 1) -> Deadline:
        """End of training of `count` networks; the limit is shared out evenly between the search and the members."""
        return cls(None if training.time_limit is None else training.time_limit * count / (training.members + 1))

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


@dataclass(frozen=True)
class PreparedWindows:
    """Windows gathered once, for a loss that is computed again and again over the same ones.

    Attributes
    ----------
    inputs : float32 (T, F, N)
    targets : float32 (K, N)
    """

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]


def prepare(config: NetworkConfig, working: WorkingSeries, windows: Windows) -> PreparedWindows:
    """Gather windows and their targets, single precision, ready for the core."""
    count = len(windows)
    inputs = np.empty((config.input_size, len(config.channels), count), dtype=np.float32)  # (T, F, N)
    targets = np.empty((config.horizon, count), dtype=np.float32)  # (K, N)
    for part in in_parts(config, count):
        chosen = windows.take(np.arange(part.start, part.stop))
        frame = make_frame(config, working, chosen)
        inputs[:, :, part] = network_inputs(config, frame)
        targets[:, part] = normalised_targets(config, working, chosen, frame)
    return PreparedWindows(inputs=inputs, targets=targets)


@dataclass
class Trainer:
    """One network under training.

    Attributes
    ----------
    threads : int
        Threads that share its work out.
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
    failed_at: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        shape, size = self.config.shape, min(self.training.batch_size, len(self.windows))
        self._batches: Iterator[NDArray[np.int64]] = batches(len(self.windows), size, rng)
        training = self.training
        self.learner = Learner(
            shape,
            self.head,
            self.config.input_size,
            size,
            normalising(self.config),
            initial_parameters(shape, rng),
            decay_mask(shape),
            AdamW(BETA1, BETA2, EPSILON, training.weight_decay, training.clip_norm),
            self.threads,
        )
        self._engine = Engine(shape, self.config.input_size, VALIDATION_WINDOWS, loss=self.head, threads=self.threads)

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

    def run(self, updates: int, deadline: Deadline) -> float:
        """Up to `updates` further updates, see `run_side_by_side`; their mean loss."""
        return run_side_by_side([self], updates, deadline)[0]

    def loss(self, prepared: PreparedWindows, parameters: NDArray[np.float32] | None = None) -> float:
        """Mean loss over prepared windows, of the averaged weights or of other `parameters` (P,)."""
        return self._engine.loss(self.average if parameters is None else parameters, prepared.inputs, prepared.targets)

    def scores(self, prepared: PreparedWindows) -> tuple[float, float]:
        """Mean loss of the averaged weights over prepared windows; and of their intervals around the naive path."""
        raw = self._engine.forward(self.average, prepared.inputs)  # (O, N)
        loss = self._engine.score(raw, prepared.targets)
        raw[middle_rows(self.config.shape)] = 0.0
        return loss, self._engine.score(raw, prepared.targets)

    def correction(self, prepared: PreparedWindows, parameters: NDArray[np.float32]) -> NDArray[np.float64]:
        """What a network of `parameters` (P,) adds to the naive path of prepared windows, shape (K, N)."""
        raw = self._engine.forward(parameters, prepared.inputs)[middle_rows(self.config.shape)]  # (K, N)
        return self.head.spread[:, None] * raw.astype(np.float64)

    def next_updates(self, count: int) -> Updates:
        """The next `count` updates: their windows, and the learning rate and the decay of the average at each."""
        chosen = self.windows.take(np.concatenate([next(self._batches) for _ in range(count)]))  # (U * B,)
        series = Series(
            values=self.working.values,
            starts=self.working.indptr[chosen.series],
            ends=chosen.ends,
            logarithmic=self.working.logarithmic[chosen.series],
        )
        training = self.training
        numbers = range(self.updates + 1, self.updates + count + 1)
        total = training.max_epochs * training.epoch_updates
        return Updates(
            series=series,
            rates=np.array([learning_rate(number, total, training.learning_rate) for number in numbers]),
            averaging=np.array([average_decay(number, training.average_decay) for number in numbers]),
        )


def run_side_by_side(trainers: Sequence[Trainer], updates: int, deadline: Deadline) -> list[float]:
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
        for number, made in zip(
            going, learn([trainers[number].learner for number in going], asked, deadline.seconds_left), strict=True
        ):
            losses[number] += made.losses.tolist()
            if made.failed:
                trainers[number].failed_at = trainers[number].updates + 1
        deadline.start()
        left -= count
    return [float(np.mean(some)) if some else math.nan for some in losses]


def average_decay(update: int, decay: float) -> float:
    """Decay of the weights' moving average; shorter at first, so that the random start is forgotten."""
    return min(decay, update / (update + 10.0))
