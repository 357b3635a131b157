"""The wrapper of the kernels: validates, allocates, calls.

Letters: T steps, F features, B batch, O outputs, K targets, Q quantiles, P parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from rnncast.core.layout import (
    FORWARD,
    GRADIENT,
    LOSS,
    TOTAL,
    VJP,
    Shape,
    check_direct,
    check_shape,
    parameter_count,
    parameter_table,
    workspace_plan,
)
from rnncast.core.loss_table import MSE, QUANTILE, LossTable, point_table
from rnncast.core.recurrent import poison_if_not_finite, run_batch

Array = NDArray[Any]


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
        self._plans: dict[tuple[int, int, int], NDArray[np.int64]] = {}
        self._workspace = np.zeros(0, self.dtype)
        self._gradient = np.zeros(self.parameter_count, self.dtype)  # (P,)
        self._nothing = np.zeros(0, self.dtype)

    def forward(self, parameters: Array, inputs: Array) -> Array:
        """Outputs (O, B), or (T, O, B) with `every_step`, of inputs (T, F, B); a new array."""
        inputs = self._inputs(inputs)
        steps, _, batch = inputs.shape
        outputs = np.empty(self._output_shape(steps, batch), self.dtype)  # (O, B) or (T, O, B)
        self._run(FORWARD, parameters, inputs, self._nothing, np.zeros(0), self._nothing, outputs.reshape(-1))
        return outputs

    def loss(self, parameters: Array, inputs: Array, targets: Array, weights: ArrayLike | None = None) -> float:
        """Loss as `loss_and_gradient` gives it, without the gradient."""
        inputs = self._inputs(inputs)
        flat, factors = self._targets(targets, inputs), self._factors(weights, inputs)
        return self._run(LOSS, parameters, inputs, flat, factors, self._nothing, self._nothing)

    def loss_and_gradient(
        self, parameters: Array, inputs: Array, targets: Array, weights: ArrayLike | None = None
    ) -> tuple[float, Array]:
        """Loss and its gradient (P,), which is a buffer that the next call overwrites.

        Parameters
        ----------
        inputs
            (T, F, B).
        targets
            (K, B), or (T, K, B) with `every_step`.
        weights
            Weight of each window (B,); the loss is the weighted mean over windows, the mean over everything else.

        Notes
        -----
        A NaN in the inputs or targets makes the loss NaN; where the loss is not finite the whole gradient is NaN.
        """
        inputs = self._inputs(inputs)
        flat, factors = self._targets(targets, inputs), self._factors(weights, inputs)
        self._gradient.fill(0)
        value = self._run(GRADIENT, parameters, inputs, flat, factors, self._gradient, self._nothing)
        poison_if_not_finite(value, self._gradient)
        return value, self._gradient

    def vjp(self, parameters: Array, inputs: Array, doutputs: Array) -> tuple[Array, Array]:
        """Gradient (P,) and input gradient (T, F, B) of ``sum(doutputs * outputs)``; new arrays."""
        inputs = self._inputs(inputs)
        steps, _, batch = inputs.shape
        doutputs = self._array(doutputs, "doutputs", self._output_shape(steps, batch))
        gradient = np.zeros(self.parameter_count, self.dtype)  # (P,)
        dinputs = np.empty(inputs.shape, self.dtype)  # (T, F, B)
        self._run(VJP, parameters, inputs, doutputs, np.zeros(0), gradient, dinputs.reshape(-1))
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
    ) -> float:
        """Call the kernel; `filled` are the outputs of a FORWARD run, the input gradients of a VJP run."""
        parameters = self._array(parameters, "parameters", (self.parameter_count,))
        plan = self._plan(mode, inputs.shape[0], inputs.shape[2])
        table = self.loss_table
        return float(
            run_batch(
                plan, self._table, parameters, inputs.reshape(-1), targets.reshape(-1), factors, table.kind,
                table.huber_delta, self._levels, self._spread, self._base_gap, self._workspace, gradient, filled,
                filled,
            )
        )  # fmt: skip

    def _plan(self, mode: int, steps: int, batch: int) -> NDArray[np.int64]:
        """Plan of a run; the workspace grows to what it needs."""
        key = (mode, steps, batch)
        if key not in self._plans:
            self._plans[key] = workspace_plan(self.shape, steps, batch, mode, self.every_step)
        plan = self._plans[key]
        if plan[TOTAL] > self._workspace.size:
            self._workspace = np.zeros(0, self.dtype)  # the old one is let go before the new one is made
            self._workspace = _aligned_zeros(int(plan[TOTAL]), self.dtype)
        return plan

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

    def _factors(self, weights: ArrayLike | None, inputs: Array) -> NDArray[np.float64]:
        """Factor of each window (B,) that makes the sum over steps, targets and quantiles the weighted mean."""
        steps, _, batch = inputs.shape
        table = self.loss_table
        terms = table.outputs * (steps if self.every_step else 1)
        scale = (2.0 if table.kind == QUANTILE else 1.0) / terms
        if weights is None:
            return np.full(batch, scale / batch)
        given = np.array(weights, np.float64)
        if given.shape != (batch,) or (given < 0).any() or given.sum() == 0:
            raise ValueError(f"weights have shape ({batch},), are not negative and not all zero")
        return np.asarray(given * (scale / given.sum()))

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
