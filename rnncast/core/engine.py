"""The wrapper of the kernels: validates, allocates, calls.

Letters: T steps, F features, B batch, O outputs, K targets, Q quantiles, G outputs of a target, P parameters.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from rnncast.core.arguments import Batch
from rnncast.core.layout import FORWARD, GRADIENT, LOSS, SCORE, STEPS, VJP, window_size
from rnncast.core.loss_table import MSE, LossTable, point_table
from rnncast.core.memory import Memory
from rnncast.core.shape import Shape, check_direct, check_shape, parameter_count, state_shape
from rnncast.core.threads import threads as default_threads
from rnncast.core.weighting import step_factors, window_factors

Array = NDArray[Any]


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
        self.state: Array | None = None
        self.threads = default_threads() if threads is None else threads
        self._memory = Memory(shape, self.loss_table, self.dtype, every_step, self.threads)
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

    def score(self, outputs: Array, targets: Array) -> float:
        """Loss of outputs that `forward` gave, or that were made of such."""
        given = np.shape(outputs)
        steps, batch = given[0] if self.every_step else 1, given[-1]
        outputs = self._array(outputs, "outputs", self._output_shape(steps, batch))
        inputs = np.zeros((steps, 0, batch), self.dtype)  # (T, 0, B)
        more = _Sequences(np.zeros(0, np.int64), self._nothing)
        flat, factors = self._targets(targets, inputs), self._factors(None, inputs, more)
        parameters = self._gradient  # none are read
        return self._run(SCORE, parameters, inputs, flat, factors, self._nothing, outputs.reshape(-1), more)

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
        steps, _, count = inputs.shape
        plan = self._memory.plan(mode, steps, count, more.lengths.size > 0, more.state.size > 0)
        left = np.empty_like(more.state)
        batch = Batch(
            inputs.reshape(-1), targets.reshape(-1), factors, more.lengths, more.state.reshape(-1), left.reshape(-1),
            filled, filled,
        )  # fmt: skip
        value = self._memory.run(plan, parameters, batch, gradient)
        self.state = left if left.size else None
        return value

    def _run_window(self, parameters: Array, inputs: Array, outputs: Array, more: _Sequences) -> None:
        """Outputs of a batch of one window."""
        from rnncast.core.window import run_window  # compiled only where there is one window

        parameters = self._array(parameters, "parameters", (self.parameter_count,))
        steps = len(inputs)
        plan = self._memory.plan(FORWARD, steps, 1, carried=more.state.size > 0)
        left = np.empty_like(more.state)
        first = max(int(plan[STEPS]) - int(more.lengths[0]), 0) if more.lengths.size else 0
        outputs[...] = 0
        run_window(
            plan, self._memory.table, parameters, inputs.reshape(-1), first,
            self._memory.workspace(0, window_size(self.shape)), outputs.reshape(-1),
            more.state.reshape(-1), left.reshape(-1),
        )  # fmt: skip
        self.state = left if left.size else None

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
