"""The wrapper of the kernels: validates, allocates, calls.

Letters: T steps, F features, B batch, O outputs, K targets, Q quantiles, P parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from rnncast.core.layout import (
    FORWARD,
    GRADIENT,
    GROUPS,
    LOSS,
    SUMS,
    TOTAL,
    VJP,
    parameter_table,
    window_size,
    workspace_plan,
)
from rnncast.core.loss_table import MSE, LossTable, point_table
from rnncast.core.recurrent import finish, run_groups
from rnncast.core.shape import Shape, check_direct, check_shape, parameter_count, state_shape
from rnncast.core.threads import side_by_side
from rnncast.core.threads import threads as default_threads
from rnncast.core.weighting import step_factors, window_factors

Array = NDArray[Any]

HEARD = 1e9
"""Multiplications of a call of the kernel, about, after which signals are heard: some tenth of a second."""

WORTH_SHARING = 1e7
"""Multiplications of a run, about, from which on it is shared out: waking a thread takes as long as a tenth of them."""


class _Sequences(NamedTuple):
    """What windows have beside their inputs: lengths (B,) int64 and initial state, each empty without it."""

    lengths: NDArray[np.int64]
    state: Array


class Engine:
    """A network of one shape, with the buffers it needs for batches of one size.

    Parameters
    ----------
    shape
        The network.
    steps, batch
        Largest T and B of a call; a call may have fewer of both. With a direct connection T is always `direct_steps`.
    dtype
        float32 or float64: of the parameters, the inputs and all that is computed.
    every_step
        Outputs (and loss) at every step instead of at the last one; not with a direct connection.
    loss
        Loss and head; the default is the mean squared error on the O outputs.
    threads
        Threads that share a batch out, where it is large enough; without it as `rnncast.core.threads.threads` says.
        Results are the same, to the last bit, for any number.

    Notes
    -----
    Inputs are (T, F, B), batch innermost. Arrays of another dtype or memory order are converted, at the cost of a copy.
    Buffers are reused: what a method returns is valid until the next call, except where it says otherwise. An engine
    belongs to one thread at a time.
    """

    def __init__(
        self,
        shape: Shape,
        steps: int,
        batch: int,
        dtype: DTypeLike = np.float32,
        *,
        every_step: bool = False,
        loss: LossTable | None = None,
        threads: int | None = None,
    ) -> None:
        check_shape(shape)
        if steps < 1 or batch < 1:
            raise ValueError(f"steps and batch are at least 1, got {steps} and {batch}")
        check_direct(shape, min(steps, shape.direct_steps), every_step)  # fewer steps would fit no call
        self.shape, self.steps, self.batch, self.every_step = shape, steps, batch, every_step
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
            raise ValueError(f"dtype is float32 or float64, got {self.dtype}")
        self.loss_table = loss if loss is not None else point_table(MSE, shape.outputs)
        if self.loss_table.outputs != shape.outputs:
            raise ValueError(f"the loss needs {self.loss_table.outputs} outputs, the network has {shape.outputs}")
        self.parameter_count = parameter_count(shape)
        self._table = parameter_table(shape)
        self._levels = self.loss_table.levels.astype(self.dtype)  # (Q,)
        self._spread = self.loss_table.spread.astype(self.dtype)  # (K,)
        self._base_gap = self.loss_table.base_gap.astype(self.dtype).reshape(-1)  # (K*Q,)
        self._plans: dict[tuple[int, int, int, bool, bool], NDArray[np.int64]] = {}
        self.state: Array | None = None
        self.threads = default_threads() if threads is None else threads
        self._workspaces: list[Array] = []  # one a thread
        self._sums = np.zeros(0, self.dtype)
        self._gradient = np.zeros(self.parameter_count, self.dtype)  # (P,)
        self._nothing = np.zeros(0, self.dtype)

    def forward(
        self, parameters: Array, inputs: Array, *, lengths: ArrayLike | None = None, state: Array | None = None
    ) -> Array:
        """Outputs (O, B), or (T, O, B) with `every_step`, of inputs (T, F, B); a new array.

        `lengths` and `state` as in `loss_and_gradient`.
        """
        inputs = self._inputs(inputs)
        steps, _, batch = inputs.shape
        outputs = np.empty(self._output_shape(steps, batch), self.dtype)  # (O, B) or (T, O, B)
        more = self._sequences(inputs, lengths, state)
        if batch == 1:
            self._run_window(parameters, inputs, outputs, more)
        else:
            self._run(FORWARD, parameters, inputs, self._nothing, np.zeros(0), self._nothing, outputs.reshape(-1), more)
        return outputs

    def loss(
        self,
        parameters: Array,
        inputs: Array,
        targets: Array,
        weights: ArrayLike | None = None,
        *,
        lengths: ArrayLike | None = None,
        state: Array | None = None,
    ) -> float:
        """Loss as `loss_and_gradient` gives it, without the gradient."""
        inputs = self._inputs(inputs)
        more = self._sequences(inputs, lengths, state)
        flat, factors = self._targets(targets, inputs), self._factors(weights, inputs, more)
        return self._run(LOSS, parameters, inputs, flat, factors, self._nothing, self._nothing, more)

    def loss_and_gradient(
        self,
        parameters: Array,
        inputs: Array,
        targets: Array,
        weights: ArrayLike | None = None,
        *,
        lengths: ArrayLike | None = None,
        state: Array | None = None,
    ) -> tuple[float, Array]:
        """Loss and its gradient (P,), which is a buffer that the next call overwrites.

        Parameters
        ----------
        inputs
            (T, F, B).
        targets
            (K, B), or (T, K, B) with `every_step`.
        weights
            Weight of each window (B,); the loss is the weighted mean over windows, the mean over everything else. With
            `every_step` also of each step of each window (T, B), without `lengths`; the mean is then over all of them.
        lengths
            Steps that each window has (B,), at least one, the last of the T; what stands before them has no effect, but
            must be finite. All T without it.
        state
            States that the windows begin with, of `state_shape` (1 or 2, L, depth, H, B), as an earlier call left them
            in `state`; the gradient takes them for constants (truncated backpropagation through time, Williams & Peng
            1990). Zero without it. Not together with `lengths`.

        Notes
        -----
        After a call with a state, `state` holds that of the last steps.

        A NaN in the inputs or targets makes the loss NaN; where the loss is not finite the whole gradient is NaN.
        """
        inputs = self._inputs(inputs)
        more = self._sequences(inputs, lengths, state)
        flat, factors = self._targets(targets, inputs), self._factors(weights, inputs, more)
        value = self._run(GRADIENT, parameters, inputs, flat, factors, self._gradient, self._nothing, more)
        return value, self._gradient

    def zero_state(self, batch: int) -> Array:
        """A state to begin with, for B windows."""
        return np.zeros(state_shape(self.shape, batch), self.dtype)

    def vjp(
        self,
        parameters: Array,
        inputs: Array,
        doutputs: Array,
        *,
        lengths: ArrayLike | None = None,
        state: Array | None = None,
    ) -> tuple[Array, Array]:
        """Gradient (P,) and input gradient (T, F, B) of ``sum(doutputs * outputs)``; new arrays."""
        inputs = self._inputs(inputs)
        steps, _, batch = inputs.shape
        doutputs = self._array(doutputs, "doutputs", self._output_shape(steps, batch))
        gradient = np.zeros(self.parameter_count, self.dtype)  # (P,)
        dinputs = np.empty(inputs.shape, self.dtype)  # (T, F, B)
        more = self._sequences(inputs, lengths, state)
        self._run(VJP, parameters, inputs, doutputs, np.zeros(0), gradient, dinputs.reshape(-1), more)
        return gradient, dinputs

    def _run(
        self,
        mode: int,
        parameters: Array,
        inputs: Array,
        targets: Array,
        factors: Array,
        gradient: Array,
        filled: Array,
        more: _Sequences,
    ) -> float:
        """Call the kernel; `filled` are the outputs of a FORWARD run, the input gradients of a VJP run."""
        parameters = self._array(parameters, "parameters", (self.parameter_count,))
        plan = self._plan(mode, inputs.shape[0], inputs.shape[2], more.lengths.size > 0, more.state.size > 0)
        left = np.empty_like(more.state)
        groups, table, losses = int(plan[GROUPS]), self.loss_table, np.empty(plan[GROUPS])  # (G,)
        shares = self._shares(inputs.shape[0], inputs.shape[2], groups)
        workspaces, sums = self._memory(plan, shares)
        data = (
            plan, self._table, parameters, inputs.reshape(-1), targets.reshape(-1), factors, table.kind,
            table.huber_delta, self._levels, self._spread, self._base_gap,
        )  # fmt: skip

        at_once = max(1, int(HEARD / (self._work(inputs.shape[0], inputs.shape[2]) / groups)))

        def run(share: int) -> Iterator[None]:
            for group in range(share * groups // shares, stop := (share + 1) * groups // shares, at_once):
                run_groups(
                    group, min(group + at_once, stop), *data, workspaces[share], sums, losses, filled, filled,
                    more.lengths, more.state.reshape(-1), left.reshape(-1),
                )  # fmt: skip
                yield

        side_by_side(run, shares)
        self.state = left if left.size else None
        return float(finish(plan, self._table, sums, losses, gradient))

    def _run_window(self, parameters: Array, inputs: Array, outputs: Array, more: _Sequences) -> None:
        """Outputs of a batch of one window."""
        from rnncast.core.window import run_window  # compiled only where there is one window

        parameters = self._array(parameters, "parameters", (self.parameter_count,))
        steps = len(inputs)
        plan = self._plan(FORWARD, steps, 1, False, more.state.size > 0)
        self._grow(0, window_size(self.shape))
        left = np.empty_like(more.state)
        first = steps - int(more.lengths[0]) if more.lengths.size else 0
        outputs[...] = 0
        run_window(
            plan, self._table, parameters, inputs.reshape(-1), first, self._workspaces[0], outputs.reshape(-1),
            more.state.reshape(-1), left.reshape(-1),
        )  # fmt: skip
        self.state = left if left.size else None

    def _shares(self, steps: int, batch: int, groups: int) -> int:
        """Threads that share out a batch of so many groups: one where the work is not worth waking others."""
        return 1 if self._work(steps, batch) < WORTH_SHARING else min(self.threads, groups)

    def _work(self, steps: int, batch: int) -> float:
        """Multiplications of a run, about."""
        return float(steps * batch * self.shape.layers) * 8.0 * self.shape.hidden_size**2

    def _plan(self, mode: int, steps: int, batch: int, ragged: bool, carried: bool) -> NDArray[np.int64]:
        key = (mode, steps, batch, ragged, carried)
        if key not in self._plans:
            self._plans[key] = workspace_plan(self.shape, steps, batch, mode, self.every_step, ragged, carried)
        return self._plans[key]

    def _memory(self, plan: NDArray[np.int64], shares: int) -> tuple[list[Array], Array]:
        """A workspace for each thread, and the sums of all groups; they grow to what a plan needs."""
        needed = int(plan[GROUPS] * plan[SUMS])
        if needed > self._sums.size:
            self._sums = _aligned_zeros(needed, self.dtype)
        for share in range(shares):
            self._grow(share, int(plan[TOTAL]))
        return self._workspaces, self._sums

    def _grow(self, share: int, size: int) -> None:
        """Let the workspace of a thread hold so many numbers."""
        self._workspaces += [self._nothing] * (share + 1 - len(self._workspaces))
        if size > self._workspaces[share].size:
            self._workspaces[share] = self._nothing  # the old one is let go before the new one is made
            self._workspaces[share] = _aligned_zeros(size, self.dtype)

    def _output_shape(self, steps: int, batch: int) -> tuple[int, ...]:
        return (steps, self.shape.outputs, batch) if self.every_step else (self.shape.outputs, batch)

    def _inputs(self, inputs: Array) -> Array:
        given = np.shape(inputs)
        fits = len(given) == 3 and given[1] == self.shape.input_size
        if not fits or not (1 <= given[0] <= self.steps and 1 <= given[2] <= self.batch):
            raise ValueError(
                f"inputs have shape (T, {self.shape.input_size}, B) with T of 1 to {self.steps} and B of 1 to "
                f"{self.batch}, got {given}"
            )
        check_direct(self.shape, given[0], self.every_step)
        return self._array(inputs, "inputs", given)

    def _targets(self, targets: Array, inputs: Array) -> Array:
        steps, _, batch = inputs.shape
        horizon = self.loss_table.horizon
        return self._array(targets, "targets", (steps, horizon, batch) if self.every_step else (horizon, batch))

    def _sequences(self, inputs: Array, lengths: ArrayLike | None, state: Array | None) -> _Sequences:
        """Lengths and state, checked; empty arrays where there are none."""
        steps, _, batch = inputs.shape
        if lengths is not None and state is not None:
            raise ValueError("lengths and state do not go together: a window that begins late begins with nothing")
        given = np.zeros(0, np.int64) if lengths is None else np.array(lengths, np.int64)
        if lengths is not None and (given.shape != (batch,) or given.min() < 1 or given.max() > steps):
            raise ValueError(f"lengths have shape ({batch},) and are 1 to {steps}")
        if state is None:
            return _Sequences(given, self._nothing)
        return _Sequences(given, self._array(state, "state", state_shape(self.shape, batch)))

    def _factors(self, weights: ArrayLike | None, inputs: Array, more: _Sequences) -> NDArray[np.float64]:
        """Factor of each window (B,), or of each step (T * B): given so, or as windows with lengths need them."""
        steps, _, batch = inputs.shape
        if np.ndim(weights) == 2 and (more.lengths.size or not self.every_step):  # type: ignore[arg-type]
            raise ValueError("weights of steps need outputs at every step, and windows without lengths")
        factors = window_factors(self.loss_table, batch, steps if self.every_step else 1, weights)
        ragged = more.lengths.size > 0 and self.every_step
        return step_factors(factors, steps, more.lengths) if ragged else factors

    def _array(self, array: Array, name: str, shape: tuple[int, ...]) -> Array:
        """`array` in the engine's dtype, contiguous and writeable (a read-only one would be compiled for anew)."""
        if np.shape(array) != shape:
            raise ValueError(f"{name} have shape {shape}, got {np.shape(array)}")
        return np.require(array, self.dtype, ["C", "A", "W"])


def _aligned_zeros(size: int, dtype: np.dtype[Any]) -> Array:
    """Zeros (size,) that begin at a multiple of 64 bytes, the width of the widest vector and of a cache line."""
    raw = np.zeros(size + 64 // dtype.itemsize, dtype)
    start = (-raw.ctypes.data % 64) // dtype.itemsize
    return raw[start : start + size]
