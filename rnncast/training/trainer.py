"""Training of one network: batches, gradient, AdamW, moving average, loss per epoch. Knows nothing of ensembles.

Dimension letters: `P` parameters, `N` windows, `B` windows of a batch, `T` input steps, `F` channels, `K` horizon.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rnncast.core.engine import Engine
from rnncast.core.loss_table import LossTable
from rnncast.core.optimiser import adamw_step
from rnncast.core.shape import middle_rows
from rnncast.data.transform import WorkingSeries
from rnncast.data.windows import Windows
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.inputs import in_parts, make_frame, network_inputs, normalised_targets
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
    def of_network(cls, training: TrainingConfig) -> Deadline:
        """End of one network's training: the limit is shared out evenly between the search and the members."""
        return cls(None if training.time_limit is None else training.time_limit / (training.members + 1))

    def start(self) -> None:
        """Let the time run, if it does not yet."""
        if self._seconds is not None and self._end is None:
            self._end = time.monotonic() + self._seconds

    @property
    def passed(self) -> bool:
        """Whether no further update may begin."""
        return self._end is not None and time.monotonic() >= self._end


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
    parameters, average : float32 (P,)
        The weights, and their exponential moving average, which is what gets used.
    updates : int
        Updates done.
    failed_at : int or None
        Number of the update whose loss or gradient was not finite; the weights are those before it.
    """

    config: NetworkConfig
    training: TrainingConfig
    head: LossTable
    working: WorkingSeries
    windows: Windows
    seed: int
    parameters: NDArray[np.float32] = field(init=False)
    average: NDArray[np.float32] = field(init=False)
    updates: int = field(init=False, default=0)
    failed_at: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        shape = self.config.shape
        self.parameters = initial_parameters(shape, rng)
        self.average = self.parameters.copy()
        self._moments = np.zeros((2, len(self.parameters)), dtype=np.float32)  # (2, P)
        self._decay = decay_mask(shape)
        self._batches: Iterator[NDArray[np.int64]] = batches(len(self.windows), self.training.batch_size, rng)
        largest = max(self.training.batch_size, VALIDATION_WINDOWS)
        self._engine = Engine(shape, self.config.input_size, largest, loss=self.head)

    def run(self, updates: int, deadline: Deadline) -> float:
        """Up to `updates` further updates; stops early at the deadline or at a value that is not finite.

        Returns
        -------
        float
            Mean training loss of the updates done, NaN if there was none.
        """
        losses = []
        for _ in range(updates):
            if deadline.passed or self.failed_at is not None:
                break
            loss = self._update(next(self._batches))
            deadline.start()
            if math.isfinite(loss):
                losses.append(loss)
        return float(np.mean(losses)) if losses else math.nan

    def loss(self, prepared: PreparedWindows, parameters: NDArray[np.float32] | None = None) -> float:
        """Mean loss over prepared windows, of the averaged weights or of other `parameters` (P,)."""
        return self._engine.loss(self.average if parameters is None else parameters, prepared.inputs, prepared.targets)

    def correction(self, prepared: PreparedWindows, parameters: NDArray[np.float32]) -> NDArray[np.float64]:
        """What a network of `parameters` (P,) adds to the naive path of prepared windows, shape (K, N)."""
        raw = self._engine.forward(parameters, prepared.inputs)[middle_rows(self.config.shape)]  # (K, N)
        return self.head.spread[:, None] * raw.astype(np.float64)

    def _update(self, index: NDArray[np.int64]) -> float:
        prepared = prepare(self.config, self.working, self.windows.take(index))
        loss, gradient = self._engine.loss_and_gradient(self.parameters, prepared.inputs, prepared.targets)
        number = self.updates + 1
        total = self.training.max_epochs * self.training.epoch_updates
        norm = math.nan
        if math.isfinite(loss):
            norm = adamw_step(
                self.parameters,
                gradient,
                self._moments[0],
                self._moments[1],
                self.average,
                self._decay,
                number,
                learning_rate(number, total, self.training.learning_rate),
                BETA1,
                BETA2,
                EPSILON,
                self.training.weight_decay,
                self.training.clip_norm,
                average_decay(number, self.training.average_decay),
            )
        if not math.isfinite(norm):
            self.failed_at = number
            return math.nan
        self.updates = number
        return loss


def average_decay(update: int, decay: float) -> float:
    """Decay of the weights' moving average; shorter at first, so that the random start is forgotten."""
    return min(decay, update / (update + 10.0))
