"""Training of one network, whatever it reads: AdamW, moving average, deadline. Knows nothing of ensembles.

Dimension letters: `P` parameters, `K` horizon steps, `N` windows.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnncast.core.loss_table import LossTable
from rnncast.core.optimiser import adamw_step
from rnncast.data.transform import WorkingSeries
from rnncast.data.windows import Windows
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.network import decay_mask, initial_parameters
from rnncast.training.schedule import average_decay, learning_rate

BETA1, BETA2, EPSILON = 0.9, 0.99, 1e-8
"""Moments of AdamW (Loshchilov and Hutter 2019); the second is shorter than usual because training is short."""


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
    parameters, average : float32 (P,)
        The weights, and their exponential moving average, which is what gets used.
    rng : Generator
        Of this network: its first numbers are its start.
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
    rng: np.random.Generator = field(init=False)
    updates: int = field(init=False, default=0)
    failed_at: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.parameters = initial_parameters(self.config.shape, self.rng)
        self.average = self.parameters.copy()
        self._moments = np.zeros((2, len(self.parameters)), dtype=np.float32)  # (2, P)
        self._decay = decay_mask(self.config.shape)  # (P,)

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
            loss = self._update(*self._gradient())
            deadline.start()
            if math.isfinite(loss):
                losses.append(loss)
        return float(np.mean(losses)) if losses else math.nan

    @abstractmethod
    def prepare(self, windows: Windows) -> P:
        """Windows to be scored."""

    @abstractmethod
    def loss(self, prepared: P, parameters: NDArray[np.float32] | None = None) -> float:
        """Mean loss over prepared windows, of the averaged weights or of other `parameters` (P,)."""

    @abstractmethod
    def correction(self, prepared: P, parameters: NDArray[np.float32]) -> NDArray[np.float64]:
        """What a network of `parameters` (P,) adds to the naive path of prepared windows, shape (K, N)."""

    @abstractmethod
    def _gradient(self) -> tuple[float, NDArray[np.float32]]:
        """Loss of the next batch and its gradient (P,)."""

    def _medians(self, raw: NDArray[np.float32]) -> NDArray[np.float64]:
        """Medians (K, N) of raw outputs (O, N)."""
        levels = len(self.config.quantile_levels)
        return np.asarray(self.head.spread[:, None] * raw[levels // 2 :: levels].astype(np.float64))

    def _update(self, loss: float, gradient: NDArray[np.float32]) -> float:
        """One step of AdamW; the loss, or NaN where nothing was altered because a number was not finite."""
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
