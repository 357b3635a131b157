"""What runs of one network need beside their arguments: plans, workspaces, sums, and the threads that share them.

Letters: T steps, B batch, G groups of shards, P parameters.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.core.arguments import NO_SERIES, Batch, Head, Learning, Normalising, Series
from rnncast.core.control_words import new_control
from rnncast.core.layout import (
    BATCH,
    FORWARD,
    GROUPS,
    HIDDEN,
    LAYERS,
    MODE,
    STEPS,
    SUMS,
    TOTAL,
    parameter_table,
    workspace_plan,
)
from rnncast.core.loss_table import LossTable
from rnncast.core.recurrent import finish, run
from rnncast.core.shape import Shape
from rnncast.core.threads import Work, run_long, run_short
from rnncast.core.vector import BYTES

Array = NDArray[Any]

HEARD = 1e9
"""Multiplications of a run, about, from which on signals are heard while it goes on: some tenth of a second."""

WORTH_SHARING = 1e7
"""Multiplications of a run, about, from which on it is shared out: waking a thread takes as long as a tenth of them."""

NO_NORMALISING = Normalising(np.zeros(0, np.int64), 0, 1, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

_compiled: set[np.dtype[Any]] = set()


class Memory:
    """The buffers of one network, which belong to one run at a time and grow to what it needs.

    Parameters
    ----------
    threads
        Threads that share a run out, where it is large enough.
    """

    def __init__(self, shape: Shape, loss: LossTable, dtype: np.dtype[Any], every_step: bool, threads: int) -> None:
        self.shape, self.dtype, self.every_step, self.threads = shape, dtype, every_step, threads
        self.table = parameter_table(shape)
        self.width = BYTES // dtype.itemsize
        self.head = Head(
            loss.kind,
            loss.huber_delta,
            loss.levels.astype(dtype),  # (Q,)
            loss.spread.astype(dtype),  # (K,)
            loss.base_gap.astype(dtype).reshape(-1),  # (K*G,)
        )
        self.nothing = np.zeros(0, dtype)
        self._plans: dict[tuple[int, int, int, bool, bool], NDArray[np.int64]] = {}
        self._workspaces: list[Array] = []  # one a thread
        self._sums = self.nothing
        self._losses = np.zeros(0)

    def plan(self, mode: int, steps: int, batch: int, ragged: bool = False, carried: bool = False) -> NDArray[np.int64]:
        """The plan of a run, see `layout.workspace_plan`."""
        key = (mode, steps, batch, ragged, carried)
        if key not in self._plans:
            self._plans[key] = workspace_plan(
                self.shape, steps, batch, mode, self.every_step, ragged, carried, self.width
            )
        return self._plans[key]

    def work(
        self,
        plan: NDArray[np.int64],
        parameters: Array,
        batch: Batch,
        series: Series = NO_SERIES,
        normalising: Normalising = NO_NORMALISING,
        learning: Learning | None = None,
    ) -> Work:
        """The calls of a run, one for each thread."""
        groups = int(plan[GROUPS])
        shares = 1 if self._amount(plan) < WORTH_SHARING else min(self.threads, groups)
        needed = groups * int(plan[SUMS])
        if needed > self._sums.size:
            self._sums = _aligned_zeros(needed, self.dtype)
        if groups > self._losses.size:
            self._losses = np.zeros(groups)  # (G,)
        control = new_control()
        arguments = (control, plan, self.table, parameters, self.head, batch, series, normalising,
                     self._no_learning() if learning is None else learning)  # fmt: skip
        buffers = [(self.workspace(share, int(plan[TOTAL])), self._sums, self._losses) for share in range(shares)]
        self._compile(*arguments, *buffers[0])
        return Work([partial(run, share, shares, *arguments, *own) for share, own in enumerate(buffers)], control)

    def run(self, plan: NDArray[np.int64], parameters: Array, batch: Batch, gradient: Array) -> float:
        """One run over a batch: its loss, if it has one; `gradient` (P,), unless it is empty, is filled."""
        work = self.work(plan, parameters, batch)
        if self._amount(plan) < HEARD:
            run_short(work)
        else:
            run_long([work])
        return float(finish(plan, self.table, self._sums, self._losses, gradient))

    def workspace(self, share: int, size: int) -> Array:
        """The workspace of a thread, of at least `size` numbers."""
        self._workspaces += [self.nothing] * (share + 1 - len(self._workspaces))
        if size > self._workspaces[share].size:
            self._workspaces[share] = self.nothing  # the old one is let go before the new one is made
            self._workspaces[share] = _aligned_zeros(size, self.dtype)
        return self._workspaces[share]

    def _amount(self, plan: NDArray[np.int64]) -> float:
        """Multiplications of a pass over a batch, about."""
        return float(plan[STEPS] * plan[BATCH] * plan[LAYERS]) * 8.0 * float(plan[HIDDEN]) ** 2

    def _compile(self, control: Array, plan: NDArray[np.int64], *others: Any) -> None:
        """Compile the kernel, or load it, in this thread, where signals are heard: by a run of no groups."""
        if self.dtype not in _compiled:
            nothing = plan.copy()
            nothing[MODE], nothing[GROUPS] = FORWARD, 0
            run(0, 1, control, nothing, *others)
            _compiled.add(self.dtype)

    def _no_learning(self) -> Learning:
        none, empty = self.nothing, np.zeros(0)
        return Learning(none, none, none, none, none, empty, empty, 0, 0.0, 0.0, 0.0, 0.0, 0.0, empty, empty)


def _aligned_zeros(size: int, dtype: np.dtype[Any]) -> Array:
    """Zeros (size,) that begin at a multiple of 64 bytes, the width of the widest vector and of a cache line."""
    raw = np.zeros(size + 64 // dtype.itemsize, dtype)
    start = (-raw.ctypes.data % 64) // dtype.itemsize
    return raw[start : start + size]
