"""Sequences of any length run through a network from a state on, side by side.

Dimension letters: `S` sequences, `N` rows of all of them, `W` rows wanted, `T` steps run at once, `B` sequences that
are still running, `F` channels, `O` outputs, `M` members, `P` parameters, `L` layers, `H` hidden units. A state is
(parts, L, depth, H, S) as `rnncast.core.shape.state_shape` has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnncast.core import twin
from rnncast.core.shape import Shape, gate_rows, state_shape

TWIN_STEPS = 12_000
"""Steps of one sequence that NumPy does while the kernels would be loaded, by ``benchmarks/cold_start.py``."""

TWIN_VALUES = 5e7
"""Values of gates that it computes in that time, where many sequences share a step."""

AT_ONCE = 1 << 22
"""Most numbers of inputs and outputs that are held at once."""

MOST_STEPS = 512
"""Most steps run in one call."""

Forward = Callable[[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]], tuple[Any, Any]]
"""From parameters (P,), inputs (T, F, B) and a state to outputs and the state after the last step."""


def zero_states(shape: Shape, members: int, series: int) -> NDArray[np.float32]:
    """States (M, parts, L, depth, H, S) to begin with."""
    return np.zeros((members, *state_shape(shape, series)), dtype=np.float32)


class Work(NamedTuple):
    """How much a network, or several of one shape, runs through.

    `steps` come one after the other; `rows` are those of all sequences in all steps.
    """

    steps: int
    rows: int


def share_of_loading(shape: Shape, work: Work) -> float:
    """Time that NumPy takes for so much, in that of loading the kernels."""
    values = work.rows * gate_rows(shape)[1]
    return shape.layers * (work.steps / TWIN_STEPS + values / TWIN_VALUES)


def kernels_pay(shape: Shape, work: Work) -> bool:
    """Whether there is so much to do that loading the kernels is worth it."""
    return share_of_loading(shape, work) > 1.0


def run_states(
    shape: Shape,
    parameters: NDArray[np.float32],
    inputs: NDArray[np.float32],
    indptr: NDArray[np.int64],
    states: NDArray[np.float32],
    kernels: bool | None = None,
) -> NDArray[np.float32]:
    """States (M, parts, L, depth, H, S) of all members after the last row of each sequence.

    Parameters
    ----------
    parameters : (M, P)
        A network each.
    inputs : (N, F)
        Rows of the sequences, one after the other; one without rows keeps its state.
    indptr : (S + 1,)
        Rows of each sequence.
    states : (M, parts, L, depth, H, S)
        What they begin with.
    kernels
        Whether the kernels run them; None if it goes by the amount of work.
    """
    lengths = np.diff(indptr)  # (S,)
    if kernels is None:
        members = len(parameters)
        kernels = kernels_pay(shape, Work(members * int(lengths.max(initial=0)), members * len(inputs)))
    forward = forward_pass(shape, len(lengths), kernels=kernels)
    after = [
        run_through(shape, forward, member, inputs, indptr, state)[0]
        for member, state in zip(parameters, states, strict=True)
    ]  # M of (parts, L, depth, H, S)
    return np.stack(after)


def forward_pass(shape: Shape, sequences: int, *, kernels: bool, every_step: bool = False) -> Forward:
    """Forward pass from a state on, of NumPy or of the kernels; outputs (O, B), or (T, O, B) with `every_step`."""
    if not kernels:
        return lambda member, inputs, state: twin.forward_from(shape, member, inputs, every_step, state=state)
    from rnncast.core.engine import Engine

    engine = Engine(shape, MOST_STEPS, sequences, every_step=every_step)
    return lambda member, inputs, state: (engine.forward(member, inputs, state=state), engine.state)


def run_through(
    shape: Shape,
    forward: Forward,
    parameters: NDArray[np.float32],
    inputs: NDArray[np.float32],
    indptr: NDArray[np.int64],
    state: NDArray[np.float32],
    wanted: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """State after the last row of each sequence, and the outputs (O, W) at the rows `wanted` (N,), in their order.

    `forward` gives outputs at every step where some are wanted. The longest sequences come first, so that those that
    are still running are the first ones; the others keep the state of their last row.
    """
    lengths = np.diff(indptr)  # (S,)
    order = np.argsort(-lengths, kind="stable")  # (S,)
    left = np.array(state[..., order])
    found: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []  # rows (W',) and outputs (W', O) of a part
    numbers = shape.input_size + (0 if wanted is None else shape.outputs)
    for begin, end in _parts(lengths, numbers):
        running = order[: int((lengths >= end).sum())]  # (B,)
        rows = indptr[running] + np.arange(begin, end)[:, None]  # (T, B)
        x = np.ascontiguousarray(inputs[rows].transpose(0, 2, 1))  # (T, F, B)
        outputs, left[..., : len(running)] = forward(parameters, x, left[..., : len(running)])
        if wanted is not None and (chosen := wanted[rows]).any():
            found.append((rows[chosen], outputs.transpose(0, 2, 1)[chosen]))
    after = np.empty_like(left)
    after[..., order] = left
    return after, _in_order(found)


def state_outputs(shape: Shape, parameters: NDArray[np.float32], state: NDArray[np.float32]) -> NDArray[np.float32]:
    """Outputs (O, S) at the step that a state was left at, of a network without a direct connection."""
    last = state[0, :, -1]  # (L, H, S)
    h = last.sum(axis=0) if shape.residual else last[-1]  # (H, S)
    return twin.output_forward(shape, twin.unpack(shape, parameters), h, np.empty((0, 0, h.shape[1]), h.dtype))


def _parts(lengths: NDArray[np.int64], numbers: int) -> Iterator[tuple[int, int]]:
    """Steps from which and up to which the same sequences run, few enough for so many numbers at a step of each."""
    most = max(1, min(MOST_STEPS, AT_ONCE // (numbers * max(1, len(lengths)))))
    begin = 0
    for end in np.unique(lengths[lengths > 0]).tolist():
        while begin < end:
            yield begin, min(begin + most, end)
            begin = min(begin + most, end)


def _in_order(found: list[tuple[NDArray[np.int64], NDArray[np.float32]]]) -> NDArray[np.float32]:
    """Outputs (O, W) in the order of their rows."""
    if not found:
        return np.empty((0, 0), dtype=np.float32)
    rows = np.concatenate([part for part, _ in found])  # (W,)
    outputs = np.concatenate([part for _, part in found])  # (W, O)
    return np.ascontiguousarray(outputs[np.argsort(rows)].T)
