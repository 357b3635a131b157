"""Where every number lies in a run: the codes that the kernels understand, the plan, the flat workspace.

No Numba here.

Letters: L layers, T steps, F input features, H hidden units, O outputs, B batch (windows), S lanes of a shard,
R rows of a layer's gates, Q outputs of a group (those of one horizon step), K = O / Q groups.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnncast.core.shape import LSTM, Shape, gate_rows, parameter_layout

# What one run of the kernel does.
FORWARD: Final = 0
LOSS: Final = 1
GRADIENT: Final = 2
VJP: Final = 3
TRAIN: Final = 4
SCORE: Final = 5

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
LEAD: Final = 16
GATE_ROWS: Final = 17
INPUT_ROWS: Final = 18
RECURRENT_ROW: Final = 19
STATE_SLOTS: Final = 20
GATE_SLOTS: Final = 21
DEPTH: Final = 22
HIDDEN_PITCH: Final = 23
INPUT_PITCH: Final = 24
WINDOW_PITCH: Final = 25
DIRECT_FEATURES: Final = 26
BY_LANES: Final = 27
AT_BEGINS: Final = 28
AT_INPUTS: Final = 29
AT_WINDOW: Final = 30
AT_GATES: Final = 31
AT_CELLS: Final = 32
AT_STATES: Final = 33
AT_ABOVE: Final = 34
AT_LINKED: Final = 35
AT_DSTATE: Final = 36
AT_DCELL: Final = 37
AT_DINPUT: Final = 38
AT_OUTPUTS: Final = 39
AT_DOUTPUTS: Final = 40
AT_TARGETS: Final = 41
AT_SCRATCH: Final = 42
AT_TRANSPOSED: Final = 43
TOTAL: Final = 44
GROUPS: Final = 45
AT_BIAS_SUMS: Final = 46
AT_INPUT_SUMS: Final = 47
AT_UPPER_SUMS: Final = 48
AT_RECURRENT_SUMS: Final = 49
AT_OUTPUT_SUMS: Final = 50
AT_OUTPUT_BIAS_SUMS: Final = 51
AT_DIRECT_SUMS: Final = 52
SUMS: Final = 53

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


def lane_count(batch: int, hidden_size: int, width: int = VECTOR) -> int:
    """Lanes S of a shard for `batch` windows: equal shards of at most `MOST_LANES`, a multiple of `VECTOR`.

    Few windows take one vector, of `width` numbers. It depends on the batch, the network and the machine alone, so that
    results do not change with the number of threads.
    """
    if batch <= width:
        return width
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
    width: int = VECTOR,
) -> NDArray[np.int64]:
    """Shape of one run and the offsets of its parts in a thread's flat workspace, of `TOTAL` numbers.

    The sums that make the gradient have a place of their own, of `SUMS` numbers for each of the `GROUPS`: shards are
    shared out in groups that do not depend on the number of threads, and neither does the order of any sum.

    With `ragged` the windows begin at steps of their own; with `carried` states come from an earlier run and are left
    for a later one. The machine's vectors have `width` numbers.

    The gradient needs all T steps of states and gates; a run without it turns round in two slots of states and one
    of gates, and stays in cache.
    """
    rows, input_rows, recurrent_row = gate_rows(shape)
    hidden, lanes, layers = shape.hidden_size, lane_count(batch, shape.hidden_size, width), shape.layers
    keep = mode in (GRADIENT, VJP, TRAIN)
    depth, window = shape.depth, steps  # the window, of which the recurrent layers take the last steps
    steps = shape.recurrent(window)
    state_slots, gate_slots = (steps + depth, steps) if keep else (1 + depth, 1)
    output_steps = steps if every_step else 1
    by_lanes = shape.input_size <= FEW_FEATURES
    hidden_pitch, input_pitch = padded(hidden), padded(shape.input_size)
    window_pitch = padded(shape.direct_width)
    by_lane = {
        AT_BEGINS: 1,  # (S,) first step of each window
        AT_INPUTS: window * shape.input_size,  # (T, F, S)
        AT_WINDOW: shape.direct_width if shape.direct_part < shape.input_size else 0,  # (T, D, S)
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
        AT_TARGETS: shape.outputs,  # (K, S) of one step, K at most O
        AT_SCRATCH: shape.outputs,  # (O, S)
        AT_TRANSPOSED: max(hidden_pitch, input_pitch, window_pitch) if keep else 0,  # (S, padded H, F or T*D)
    }
    sums = {
        AT_BIAS_SUMS: layers * rows * VECTOR,  # (L, R, vector)
        AT_INPUT_SUMS: input_rows * (shape.input_size * VECTOR if by_lanes else input_pitch),  # (R_x, F, vector)
        AT_UPPER_SUMS: (layers - 1) * input_rows * hidden_pitch,  # (L - 1, R_x, padded H)
        AT_RECURRENT_SUMS: layers * input_rows * hidden_pitch,  # (L, R_h, padded H)
        AT_OUTPUT_SUMS: shape.outputs * hidden_pitch,  # (O, padded H)
        AT_OUTPUT_BIAS_SUMS: shape.outputs * VECTOR,  # (O, vector)
        AT_DIRECT_SUMS: shape.outputs // shape.output_group * window_pitch,  # (K, padded T*D)
    }
    plan = np.zeros(SUMS + 1, np.int64)
    plan[:GATE_ROWS] = (mode, *shape[:9], steps, batch, lanes, every_step, ragged, carried, window - steps)
    plan[GATE_ROWS], plan[INPUT_ROWS], plan[RECURRENT_ROW] = rows, input_rows, recurrent_row
    plan[STATE_SLOTS], plan[GATE_SLOTS], plan[BY_LANES] = state_slots, gate_slots, by_lanes
    plan[HIDDEN_PITCH], plan[INPUT_PITCH], plan[WINDOW_PITCH] = hidden_pitch, input_pitch, window_pitch
    plan[DEPTH], plan[DIRECT_FEATURES] = depth, shape.direct_part
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
