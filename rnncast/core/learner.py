"""Training in the kernel: many updates in one call, windows taken from a panel as they are needed.

Letters: P parameters, U updates, B windows of a batch, R rows of the panel, N windows of U batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnncast.core.arguments import Batch, Learning, Normalising, Series
from rnncast.core.control_words import ASKED, GO_ON
from rnncast.core.layout import TRAIN
from rnncast.core.loss_table import LossTable
from rnncast.core.memory import Memory
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
    series : Series
        The panel, and the U * B windows of the batches.
    rates, averaging : float64 (U,)
        Learning rate of each update, and decay of the moving average.
    """

    series: Series
    rates: NDArray[np.float64]
    averaging: NDArray[np.float64]


class Learner:
    """The parameters of one network, what the optimiser knows of them, and the kernel that moves them.

    Parameters
    ----------
    shape, loss
        The network, with an output at the last step alone, and what is minimised.
    steps, batch
        T and B of every batch.
    normalising
        How windows are brought to what the network reads.
    parameters
        Where it starts (P,); float32 or float64, which is what is computed in.
    decay
        Share of the weight decay that applies to each parameter (P,).
    settings
        Of the optimiser.
    threads
        Threads that share a batch out, where it is large enough; results are the same for any number.

    Attributes
    ----------
    parameters, average : (P,)
        Parameters after the last update, and their moving average.
    updates : int
        Updates made.
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
        self.updates = 0
        self.parameters, self.average = parameters.copy(), parameters.copy()
        dtype = parameters.dtype
        self._memory = Memory(shape, loss, dtype, every_step=False, threads=threads)
        self._plan = self._memory.plan(TRAIN, steps, batch)
        self._normalising, self._decay, self._settings = normalising, np.array(decay, dtype), settings
        self._moments = np.zeros((2, len(parameters)), dtype)  # (2, P)
        self._gradient = np.zeros(len(parameters), dtype)  # (P,)
        none = self._memory.nothing
        weights = window_factors(loss, batch, 1, None)  # (B,)
        self._batch = Batch(none, none, weights, np.zeros(0, np.int64), none, none, none, none)
        self._amount = self._memory.amount(steps, batch)
        self._size = batch

    def begin(self, updates: Updates) -> tuple[Work, NDArray[np.float64]]:
        """What threads have to do for these updates, and where they leave the loss of each (U,), NaN if not made."""
        count = len(updates.rates)
        if len(updates.series.ends) != count * self._size:
            raise ValueError(f"{count} updates take {count * self._size} windows, got {len(updates.series.ends)}")
        losses = np.full(count, np.nan)
        learning = Learning(
            self._gradient, self._moments[0], self._moments[1], self.average, self._decay, updates.rates,
            updates.averaging, self.updates, *self._settings, np.zeros(1), losses,
        )  # fmt: skip
        work = self._memory.work(
            self._plan, self._amount, self.parameters, self._batch, updates.series, self._normalising, learning
        )
        return work, losses


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
