"""Where every number lies: the flat parameter vector, the flat workspace, and the codes the kernels understand.

No Numba here, so that a forecast which runs on the NumPy twin can use it.

Letters: L layers, T steps, F input features, H hidden units, O outputs, B batch (windows), S lanes of a shard,
R rows of a layer's gates, Q outputs of a group (the quantiles of one horizon step), K = O / Q groups, P parameters.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Cells (gate rows of each: Elman [h]; GRU [n_x r z n_h]; LSTM [i f g o]).
RNN_TANH: Final = 0
RNN_SIGMOID: Final = 1
GRU: Final = 2
LSTM: Final = 3

# Activations of the output layer.
IDENTITY: Final = 0
SIGMOID: Final = 1
TANH: Final = 2

# What one run of the kernel does.
FORWARD: Final = 0
LOSS: Final = 1
GRADIENT: Final = 2
VJP: Final = 3

# Columns of the parameter table.
INPUT_WEIGHT: Final = 0
BIAS: Final = 1
RECURRENT_WEIGHT: Final = 2
DIRECT_WEIGHT: Final = 2  # in the last row: the output layer has no recurrent weight
INPUTS: Final = 3
DILATION: Final = 4

# Entries of the plan: the shape of one run, then the offsets of the parts of the workspace.
MODE: Final = 0
CELL: Final = 1
FEATURES: Final = 2
HIDDEN: Final = 3
LAYERS: Final = 4
OUTPUTS: Final = 5
OUTPUT_ACTIVATION: Final = 6
DIRECT_STEPS: Final = 7
OUTPUT_GROUP: Final = 8
RESIDUAL: Final = 9
STEPS: Final = 10
BATCH: Final = 11
LANES: Final = 12
EVERY_STEP: Final = 13
RAGGED: Final = 14
CARRIED: Final = 15
GATE_ROWS: Final = 16
INPUT_ROWS: Final = 17
RECURRENT_ROW: Final = 18
STATE_SLOTS: Final = 19
GATE_SLOTS: Final = 20
DEPTH: Final = 21
HIDDEN_PITCH: Final = 22
INPUT_PITCH: Final = 23
WINDOW_PITCH: Final = 24
BY_LANES: Final = 25
AT_BEGINS: Final = 26
AT_INPUTS: Final = 27
AT_GATES: Final = 28
AT_CELLS: Final = 29
AT_STATES: Final = 30
AT_ABOVE: Final = 31
AT_LINKED: Final = 32
AT_DSTATE: Final = 33
AT_DCELL: Final = 34
AT_DINPUT: Final = 35
AT_OUTPUTS: Final = 36
AT_DOUTPUTS: Final = 37
AT_SCRATCH: Final = 38
AT_TRANSPOSED: Final = 39
TOTAL: Final = 40
GROUPS: Final = 41
AT_BIAS_SUMS: Final = 42
AT_INPUT_SUMS: Final = 43
AT_UPPER_SUMS: Final = 44
AT_RECURRENT_SUMS: Final = 45
AT_OUTPUT_SUMS: Final = 46
AT_OUTPUT_BIAS_SUMS: Final = 47
AT_DIRECT_SUMS: Final = 48
SUMS: Final = 49

VECTOR: Final = 16
"""Numbers of the widest vector (float32 with AVX-512): lanes and padded widths are multiples of it."""

MOST_LANES: Final = (64, 32)
"""Lanes of a shard at most, for small and for large hidden layers: what a step works on shall stay in the cache."""

SMALL_HIDDEN: Final = 32
"""Hidden units up to which a hidden layer is small."""

MOST_GROUPS: Final = 16
"""Groups of shards, at most, whose gradients are summed apart, so that threads can share them out."""

FEW_FEATURES: Final = 8
"""Features up to which the gradient of the first layer's weights is summed lane by lane rather than as a product."""


class Shape(NamedTuple):
    """Shape of a network: everything that decides how its parameters are laid out and used (all integers).

    The outputs are ``y = g(V h_T + D x + c)``: h_T the top layer's state at step T, x the inputs of the whole window,
    and D zero but for the middle one of each group of `output_group` = Q outputs (odd), the median of Q quantiles.
    `dilations` are the steps back, layer by layer, from which the state before is taken, h_{t - d} for h_{t - 1} (Chang
    et al. 2017); without them all are 1. With `residual` a layer above the first adds what it takes to its state, and
    hands on the sum (He et al. 2016); its recurrence goes on from the state alone.

    `direct_steps` is the window's length T; with 0 there is no D. The idea is that of the autoregressive part of LSTNet
    (Lai et al. 2018), what is linear beside what is not; here D takes all features, and each horizon step has its own.
    """

    cell: int
    input_size: int
    hidden_size: int
    layers: int
    outputs: int
    output_activation: int = IDENTITY
    direct_steps: int = 0
    output_group: int = 1
    residual: int = 0
    dilations: tuple[int, ...] = ()

    @property
    def depth(self) -> int:
        """Steps back that some layer takes a state from, at most."""
        return max(self.dilations, default=1)

    def dilation(self, layer: int) -> int:
        """Steps back from which a layer takes the state before."""
        return self.dilations[layer] if self.dilations else 1


def check_shape(shape: Shape) -> None:
    """Raise ValueError if a field of `shape` is out of its range."""
    if shape.cell not in (RNN_TANH, RNN_SIGMOID, GRU, LSTM):
        raise ValueError(f"cell is one of the codes 0 to 3, got {shape.cell}")
    if shape.output_activation not in (IDENTITY, SIGMOID, TANH):
        raise ValueError(f"output_activation is one of the codes 0 to 2, got {shape.output_activation}")
    for name in ("input_size", "hidden_size", "layers", "outputs"):
        if getattr(shape, name) < 1:
            raise ValueError(f"{name} is at least 1, got {getattr(shape, name)}")
    if shape.direct_steps < 0:
        raise ValueError(f"direct_steps is not negative, got {shape.direct_steps}")
    if shape.residual not in (0, 1):
        raise ValueError(f"residual is 0 or 1, got {shape.residual}")
    if len(shape.dilations) not in (0, shape.layers) or min(shape.dilations, default=1) < 1:
        raise ValueError(f"dilations are {shape.layers} numbers of at least 1, got {shape.dilations}")
    group = shape.output_group
    if group < 1 or group % 2 == 0 or shape.outputs % group != 0:
        raise ValueError(f"output_group is odd and divides the {shape.outputs} outputs, got {group}")


def check_direct(shape: Shape, steps: int, every_step: bool) -> None:
    """Raise ValueError if a direct connection of `shape` cannot be used with windows of `steps` and those outputs."""
    if shape.direct_steps and every_step:
        raise ValueError(f"direct_steps is 0 where every step gives outputs, got {shape.direct_steps}")
    if shape.direct_steps not in (0, steps):
        raise ValueError(f"inputs have T = {shape.direct_steps} steps, the direct_steps of the network, got {steps}")


def direct_rows(shape: Shape) -> slice:
    """Outputs that the direct connection feeds (K of them): the middle one of each group."""
    return slice(shape.output_group // 2, shape.outputs, shape.output_group)


def gate_rows(shape: Shape) -> tuple[int, int, int]:
    """Rows of the gates (R), rows that take the input (from row 0), first row that takes the previous state.

    The input rows and the recurrent rows are equally many; in a GRU they overlap only in r and z.
    """
    hidden = shape.hidden_size
    if shape.cell == GRU:
        return 4 * hidden, 3 * hidden, hidden
    if shape.cell == LSTM:
        return 4 * hidden, 4 * hidden, 0
    return hidden, hidden, 0


def parameter_layout(shape: Shape) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Name -> (offset, shape) of every parameter array in the one flat vector, in the order in which they lie.

    For a layer: ``input_weight`` (R_x, F or H), ``bias`` (R_x,), for a GRU ``recurrent_bias`` (H,), then
    ``recurrent_weight`` (R_h, H); after the layers ``output.weight`` (O, H) and ``output.bias`` (O,); with a direct
    connection at last ``direct.weight`` (K, T * F), whose column t * F + f takes feature f of step t.
    """
    _, rows, _ = gate_rows(shape)
    hidden = shape.hidden_size
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(shape.layers):
        shapes[f"layer{layer}.input_weight"] = (rows, shape.input_size if layer == 0 else hidden)
        shapes[f"layer{layer}.bias"] = (rows,)
        if shape.cell == GRU:
            shapes[f"layer{layer}.recurrent_bias"] = (hidden,)
        shapes[f"layer{layer}.recurrent_weight"] = (rows, hidden)
    shapes["output.weight"] = (shape.outputs, hidden)
    shapes["output.bias"] = (shape.outputs,)
    if shape.direct_steps:
        shapes["direct.weight"] = (shape.outputs // shape.output_group, shape.direct_steps * shape.input_size)
    layout, offset = {}, 0
    for name, dimensions in shapes.items():
        layout[name] = (offset, dimensions)
        offset += int(np.prod(dimensions))
    return layout


def parameter_count(shape: Shape) -> int:
    """Length P of the flat parameter vector."""
    return sum(int(np.prod(dimensions)) for _, dimensions in parameter_layout(shape).values())


def parameter_table(shape: Shape) -> NDArray[np.int64]:
    """Numbers for the kernels (L + 1, 5): offsets of input weight, bias and recurrent weight, inputs, dilation.

    A GRU's recurrent bias follows its bias, so that ``bias`` gives all R rows of the gates. The last row is that of the
    output layer; the weight of the direct connection, if there is one, stands in it for a recurrent weight.
    """
    layout = parameter_layout(shape)
    table = np.zeros((shape.layers + 1, 5), np.int64)  # (L+1, 5)
    for layer in range(shape.layers):
        for column, name in ((INPUT_WEIGHT, "input_weight"), (BIAS, "bias"), (RECURRENT_WEIGHT, "recurrent_weight")):
            table[layer, column] = layout[f"layer{layer}.{name}"][0]
        table[layer, DILATION] = shape.dilation(layer)
        table[layer, INPUTS] = layout[f"layer{layer}.input_weight"][1][1]
    direct = layout["direct.weight"][0] if shape.direct_steps else 0
    table[shape.layers, :DILATION] = layout["output.weight"][0], layout["output.bias"][0], direct, shape.hidden_size
    return table


def lane_count(batch: int, hidden_size: int) -> int:
    """Lanes S of a shard for `batch` windows: equal shards of at most `MOST_LANES`, a multiple of `VECTOR`.

    It depends on the batch and the network alone, so that results do not change with the number of threads.
    """
    most = MOST_LANES[hidden_size > SMALL_HIDDEN]
    shards = -(-batch // most)
    return padded(-(-batch // shards))


def window_size(shape: Shape) -> int:
    """Numbers that the workspace of one window alone takes; see `rnncast.core.window`."""
    rows, _, _ = gate_rows(shape)
    pitch = padded(shape.hidden_size)
    wide = rows // shape.hidden_size * pitch
    widths = [shape.input_size] + [shape.hidden_size] * (shape.layers - 1)
    states = 2 * shape.layers * (shape.depth + 1) * pitch
    return 5 * pitch + states + sum((1 + width + shape.hidden_size) * wide for width in widths)


def state_shape(shape: Shape, batch: int) -> tuple[int, ...]:
    """Shape (1 or 2, L, depth, H, B) of the states of the last steps: hidden ones and, of an LSTM, cell states."""
    return (2 if shape.cell == LSTM else 1, shape.layers, shape.depth, shape.hidden_size, batch)


def padded(count: int) -> int:
    """The next multiple of `VECTOR`."""
    return -(-count // VECTOR) * VECTOR


def workspace_plan(
    shape: Shape,
    steps: int,
    batch: int,
    mode: int,
    every_step: bool,
    ragged: bool = False,
    carried: bool = False,
) -> NDArray[np.int64]:
    """Shape of one run and the offsets of its parts in a thread's flat workspace, of `TOTAL` numbers.

    The sums that make the gradient have a place of their own, of `SUMS` numbers for each of the `GROUPS`: shards are
    shared out in groups that do not depend on the number of threads, and neither does the order of any sum.

    With `ragged` the windows begin at steps of their own; with `carried` states come from an earlier run and are left
    for a later one.

    The gradient needs all T steps of states and gates; a run without it turns round in two slots of states and one
    of gates, and stays in cache.
    """
    rows, input_rows, recurrent_row = gate_rows(shape)
    hidden, lanes, layers = shape.hidden_size, lane_count(batch, shape.hidden_size), shape.layers
    keep = mode in (GRADIENT, VJP)
    depth = shape.depth
    state_slots, gate_slots = (steps + depth, steps) if keep else (1 + depth, 1)
    output_steps = steps if every_step else 1
    by_lanes = shape.input_size <= FEW_FEATURES
    hidden_pitch, input_pitch = padded(hidden), padded(shape.input_size)
    window_pitch = padded(shape.direct_steps * shape.input_size)
    by_lane = {
        AT_BEGINS: 1,  # (S,) first step of each window
        AT_INPUTS: steps * shape.input_size,  # (T, F, S)
        AT_GATES: layers * gate_slots * rows,  # (L, slots, R, S)
        AT_CELLS: layers * state_slots * hidden if shape.cell == LSTM else 0,  # (L, slots, H, S)
        AT_STATES: layers * state_slots * hidden,  # (L, slots, H, S)
        AT_ABOVE: steps * hidden if keep else 0,  # (T, H, S) gradient that comes from the layer above
        AT_LINKED: (layers - 1) * gate_slots * hidden * shape.residual,  # (L - 1, slots, H, S) states plus inputs
        AT_DSTATE: depth * hidden,  # (d, H, S) for as many steps back as the layer goes
        AT_DCELL: depth * hidden,  # (d, H, S)
        AT_DINPUT: shape.input_size,  # (F, S)
        AT_OUTPUTS: output_steps * shape.outputs,  # (T or 1, O, S)
        AT_DOUTPUTS: output_steps * shape.outputs,  # (T or 1, O, S)
        AT_SCRATCH: shape.outputs,  # (O, S)
        AT_TRANSPOSED: max(hidden_pitch, input_pitch, window_pitch) if keep else 0,  # (S, padded H, F or T*F)
    }
    sums = {
        AT_BIAS_SUMS: layers * rows * VECTOR,  # (L, R, vector)
        AT_INPUT_SUMS: input_rows * (shape.input_size * VECTOR if by_lanes else input_pitch),  # (R_x, F, vector)
        AT_UPPER_SUMS: (layers - 1) * input_rows * hidden_pitch,  # (L - 1, R_x, padded H)
        AT_RECURRENT_SUMS: layers * input_rows * hidden_pitch,  # (L, R_h, padded H)
        AT_OUTPUT_SUMS: shape.outputs * hidden_pitch,  # (O, padded H)
        AT_OUTPUT_BIAS_SUMS: shape.outputs * VECTOR,  # (O, vector)
        AT_DIRECT_SUMS: shape.outputs // shape.output_group * window_pitch,  # (K, padded T*F)
    }
    plan = np.zeros(SUMS + 1, np.int64)
    plan[:GATE_ROWS] = (mode, *shape[:9], steps, batch, lanes, every_step, ragged, carried)
    plan[GATE_ROWS], plan[INPUT_ROWS], plan[RECURRENT_ROW] = rows, input_rows, recurrent_row
    plan[STATE_SLOTS], plan[GATE_SLOTS], plan[BY_LANES] = state_slots, gate_slots, by_lanes
    plan[HIDDEN_PITCH], plan[INPUT_PITCH], plan[WINDOW_PITCH] = hidden_pitch, input_pitch, window_pitch
    plan[DEPTH] = depth
    plan[GROUPS] = min(-(-batch // lanes), MOST_GROUPS)
    offset = 0
    for entry, size in by_lane.items():
        plan[entry] = offset
        offset += size * lanes
    plan[TOTAL] = offset + VECTOR * lanes  # a transpose reads whole vectors of rows, up to fifteen beyond the last
    offset = 0
    for entry, size in sums.items():
        plan[entry] = offset
        offset += size if keep else 0
    plan[SUMS] = offset
    return plan
