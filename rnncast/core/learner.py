"""Updates of the parameters, side by side for several networks; in one call of the kernel where windows are read.

Letters: P parameters, U updates, B windows of a batch, R rows of the panel, N windows of U batches.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnncast.core.arguments import NO_SERIES, Batch, Learning, Normalising, Series
from rnncast.core.control_words import ASKED, GO_ON, new_control
from rnncast.core.layout import TRAIN
from rnncast.core.loss_table import LossTable
from rnncast.core.memory import Memory
from rnncast.core.optimiser import adamw_step
from rnncast.core.shape import Shape, check_direct, check_shape, parameter_count
from rnncast.core.threads import Work, run_long
from rnncast.core.weighting import window_factors

Array = NDArray[Any]


class AdamW(NamedTuple):
    """Settings of the optimiser (Loshchilov & Hutter 2019); see `optimiser.adamw_step`."""

    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float
    clip: float


class Updates(NamedTuple):
    """U updates that are to be made.

    Attributes
    ----------
    rates, averaging : float64 (U,)
        Learning rate of each update, and decay of the moving average.
    series : Series
        The panel, and the U * B windows of the batches; nothing for a learner that reads no windows.
    """

    rates: NDArray[np.float64]
    averaging: NDArray[np.float64]
    series: Series = NO_SERIES


class Learner(ABC):
    """The parameters of one network, and what the optimiser knows of them.

    Parameters
    ----------
    parameters
        Where it starts (P,); float32 or float64, which is what is computed in.
    decay
        Share of the weight decay that applies to each parameter (P,).
    settings
        Of the optimiser.

    Attributes
    ----------
    parameters, average : (P,)
        Parameters after the last update, and their moving average.
    updates : int
        Updates made.
    """

    def __init__(self, parameters: Array, decay: Array, settings: AdamW) -> None:
        self.updates = 0
        self.parameters, self.average = parameters.copy(), parameters.copy()
        self.decay, self.settings = np.array(decay, parameters.dtype), settings
        self.moments = np.zeros((2, len(parameters)), parameters.dtype)  # (2, P)

    @abstractmethod
    def begin(self, updates: Updates) -> tuple[Work, NDArray[np.float64]]:
        """What threads have to do for these updates, and where they leave the loss of each (U,), NaN if not made."""


class WindowLearner(Learner):
    """Learns from windows of a panel, in one call of the kernel.

    Parameters
    ----------
    shape, loss
        The network, with an output at the last step alone, and what is minimised.
    steps, batch
        T and B of every batch.
    normalising
        How windows are brought to what the network reads.
    parameters, decay, settings
        See `Learner`.
    threads
        Threads that share a batch out, where it is large enough; results are the same for any number.
    """

    def __init__(
        self,
        shape: Shape,
        loss: LossTable,
        steps: int,
        batch: int,
        normalising: Normalising,
        parameters: Array,
        decay: Array,
        settings: AdamW,
        threads: int,
    ) -> None:
        check_shape(shape)
        check_direct(shape, steps, False)
        if parameters.shape != (parameter_count(shape),) or normalising.lags.shape != (shape.input_size,):
            raise ValueError("the parameters or the channels do not fit the network")
        super().__init__(parameters, decay, settings)
        self._memory = Memory(shape, loss, parameters.dtype, every_step=False, threads=threads)
        self._plan = self._memory.plan(TRAIN, steps, batch)
        self._normalising = normalising
        self._gradient = np.zeros(len(parameters), parameters.dtype)  # (P,)
        none = self._memory.nothing
        weights = window_factors(loss, batch, 1, None)  # (B,)
        self._batch = Batch(none, none, weights, np.zeros(0, np.int64), none, none, none, none)
        self._size = batch

    def begin(self, updates: Updates) -> tuple[Work, NDArray[np.float64]]:
        """See `Learner.begin`."""
        count = len(updates.rates)
        if len(updates.series.ends) != count * self._size:
            raise ValueError(f"{count} updates take {count * self._size} windows, got {len(updates.series.ends)}")
        if updates.series.phases.size < -min(int(self._normalising.lags.min()), 0) * len(updates.series.values):
            raise ValueError("a channel is a phase that the series do not tell")
        losses = np.full(count, np.nan)
        learning = Learning(
            self._gradient, self.moments[0], self.moments[1], self.average, self.decay, updates.rates,
            updates.averaging, self.updates, *self.settings, np.zeros(1), losses,
        )  # fmt: skip
        work = self._memory.work(self._plan, self.parameters, self._batch, updates.series, self._normalising, learning)
        return work, losses


class GradientLearner(Learner):
    """Learns from gradients that a function gives, one after the other.

    Parameters
    ----------
    parameters, decay, settings
        See `Learner`.
    gradient
        Gives the loss and the gradient (P,) of the next batch, with the parameters (P,) it is called with.
    """

    def __init__(
        self, parameters: Array, decay: Array, settings: AdamW, gradient: Callable[[Array], tuple[float, Array]]
    ) -> None:
        super().__init__(parameters, decay, settings)
        self._gradient = gradient

    def begin(self, updates: Updates) -> tuple[Work, NDArray[np.float64]]:
        """See `Learner.begin`."""
        losses, control = np.full(len(updates.rates), np.nan), new_control()
        return Work([partial(self._descend, updates, losses, control)], control), losses

    def _descend(self, updates: Updates, losses: NDArray[np.float64], control: NDArray[np.int64]) -> None:
        for number, (rate, averaging) in enumerate(zip(updates.rates, updates.averaging, strict=True)):
            if control[ASKED] != GO_ON:
                return
            loss, gradient = self._gradient(self.parameters)
            norm = math.nan
            if math.isfinite(loss):
                norm = adamw_step(
                    self.parameters, gradient, self.moments[0], self.moments[1], self.average, self.decay,
                    self.updates + number + 1, rate, *self.settings, averaging,
                )  # fmt: skip
            if not math.isfinite(norm):
                return
            losses[number] = loss


class Made(NamedTuple):
    """Updates that a learner has made: the loss of each; and whether the next one had none that was finite."""

    losses: NDArray[np.float64]
    failed: bool


def learn(learners: Sequence[Learner], updates: Sequence[Updates], seconds: float | None = None) -> list[Made]:
    """Let learners make their updates side by side; after `seconds` no further one begins.

    A loss or gradient that is not finite ends a learner's updates before it, with the parameters as they were.
    """
    begun = [learner.begin(one) for learner, one in zip(learners, updates, strict=True)]
    try:
        run_long([work for work, _ in begun], seconds)
    finally:
        made = []
        for learner, (work, losses) in zip(learners, begun, strict=True):
            done = losses[np.isfinite(losses)]
            learner.updates += len(done)
            made.append(Made(done, len(done) < len(losses) and work.control[ASKED] == GO_ON))
    return made
