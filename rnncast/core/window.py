"""One window alone, forward: vectors run over the hidden units rather than over windows.

With one window all lanes of a shard but one would be idle. Here the weights are turned once, so that a step is a row
times a matrix whose rows are as long as all gates together: ``gates = bias + x' W_x' + h' W_h'``. Each gate begins at a
padded width of its own, so that the cells are those of `rnncast.core.cells`.

Letters: T steps, F features, H hidden units, L layers, G gates, O outputs, R = G padded H.
"""

from __future__ import annotations

from typing import Any

from rnncast.core.activations import sigmoid, tanh
from rnncast.core.addresses import output_slot
from rnncast.core.cells import cell_forward
from rnncast.core.jit import jit, jit_entry
from rnncast.core.layout import (
    BIAS,
    CARRIED,
    CELL,
    DEPTH,
    DILATION,
    DIRECT_FEATURES,
    DIRECT_STEPS,
    DIRECT_WEIGHT,
    FEATURES,
    GATE_ROWS,
    HIDDEN,
    HIDDEN_PITCH,
    INPUT_WEIGHT,
    INPUTS,
    LAYERS,
    LEAD,
    OUTPUT_ACTIVATION,
    OUTPUT_GROUP,
    OUTPUTS,
    RECURRENT_WEIGHT,
    RESIDUAL,
    STEPS,
)
from rnncast.core.matrix import KEEP, NONE, ONE, fill_zero, multiply
from rnncast.core.shape import GRU, LSTM, SIGMOID, TANH


@jit_entry
def run_window(
    plan: Any, table: Any, parameters: Any, inputs: Any, first: int, w: Any, outputs: Any, states: Any, left: Any
) -> None:
    """Outputs (O) or (T, O) of one window, inputs (T, F), with states as in `arguments.Batch`.

    The recurrent layers begin with their step `first`. The workspace holds `window_size` numbers.
    """
    gates = NONE
    handed_on = gates + 4 * plan[HIDDEN_PITCH]
    state = handed_on + plan[HIDDEN_PITCH]
    matrices = state + 2 * plan[LAYERS] * (plan[DEPTH] + 1) * plan[HIDDEN_PITCH]
    _take_state(plan, states, w, state)
    place = matrices
    for layer in range(plan[LAYERS]):
        _turn_layer(plan, table, parameters, layer, w, place)
        place += layer_size(plan, table, layer)
    for t in range(first, plan[STEPS]):
        place = matrices
        for layer in range(plan[LAYERS]):
            _step(plan, table, inputs, layer, t, w, gates, handed_on, state, place)
            place += layer_size(plan, table, layer)
        if output_slot(plan, t) >= 0:
            _outputs(plan, table, parameters, inputs, w, handed_on, outputs, output_slot(plan, t) * plan[OUTPUTS])
    _leave_state(plan, left, w, state)


@jit
def layer_size(plan: Any, table: Any, layer: int) -> int:
    """Numbers that a layer's turned weights and biases take."""
    rows = plan[GATE_ROWS] // plan[HIDDEN] * plan[HIDDEN_PITCH]
    return (1 + table[layer, INPUTS] + plan[HIDDEN]) * rows  # type: ignore[no-any-return]


@jit
def _slot(plan: Any, state: int, part: int, layer: int, t: int) -> int:
    """Offset of h_t (part 0) or c_t (part 1) of a layer; t < 0 are the initial states."""
    slots = plan[DEPTH] + 1
    return state + ((part * plan[LAYERS] + layer) * slots + (t + plan[DEPTH]) % slots) * plan[HIDDEN_PITCH]  # type: ignore[no-any-return]


@jit
def _take_state(plan: Any, states: Any, w: Any, state: int) -> None:
    hidden = plan[HIDDEN]
    fill_zero(w, state, 2 * plan[LAYERS] * (plan[DEPTH] + 1) * plan[HIDDEN_PITCH])
    if plan[CARRIED]:
        for part in range(2 if plan[CELL] == LSTM else 1):
            for layer in range(plan[LAYERS]):
                for back in range(plan[DEPTH]):
                    place = _slot(plan, state, part, layer, back - plan[DEPTH])
                    given = ((part * plan[LAYERS] + layer) * plan[DEPTH] + back) * hidden
                    for n in range(hidden):
                        w[place + n] = states[given + n]


@jit
def _leave_state(plan: Any, left: Any, w: Any, state: int) -> None:
    hidden = plan[HIDDEN]
    if plan[CARRIED]:
        for part in range(2 if plan[CELL] == LSTM else 1):
            for layer in range(plan[LAYERS]):
                for back in range(plan[DEPTH]):
                    place = _slot(plan, state, part, layer, plan[STEPS] - plan[DEPTH] + back)
                    wanted = ((part * plan[LAYERS] + layer) * plan[DEPTH] + back) * hidden
                    for n in range(hidden):
                        left[wanted + n] = w[place + n]


@jit
def _turn_layer(plan: Any, table: Any, parameters: Any, layer: int, w: Any, place: int) -> None:
    """Write a layer's biases (R) and its turned weights, (F or H, R) and (H, R), with zeros in the padding."""
    hidden = plan[HIDDEN]
    pitch = plan[HIDDEN_PITCH]
    gates = plan[GATE_ROWS] // hidden
    rows = gates * pitch
    width = table[layer, INPUTS]
    fill_zero(w, place, (1 + width + hidden) * rows)
    for gate in range(gates):
        takes_input = plan[CELL] != GRU or gate < 3  # of a GRU n_h takes the state alone, n_x the input alone
        takes_state = plan[CELL] != GRU or gate > 0
        recurrent = gate - 1 if plan[CELL] == GRU else gate
        for i in range(hidden):
            at = place + gate * pitch + i
            w[at] = parameters[table[layer, BIAS] + gate * hidden + i]
            if takes_input:
                source = table[layer, INPUT_WEIGHT] + (gate * hidden + i) * width
                for j in range(width):
                    w[at + (1 + j) * rows] = parameters[source + j]
            if takes_state:
                source = table[layer, RECURRENT_WEIGHT] + (recurrent * hidden + i) * hidden
                for j in range(hidden):
                    w[at + (1 + width + j) * rows] = parameters[source + j]


@jit
def _step(
    plan: Any, table: Any, inputs: Any, layer: int, t: int, w: Any, gates: int, handed_on: int, state: int, place: int
) -> None:
    """One layer at step t: gates, cell, and what it hands on, which takes the place of what it took."""
    hidden = plan[HIDDEN]
    pitch = plan[HIDDEN_PITCH]
    rows = plan[GATE_ROWS] // hidden * pitch
    width = table[layer, INPUTS]
    before = t - table[layer, DILATION]
    for n in range(rows):
        w[gates + n] = w[place + n]
    h = _slot(plan, state, NONE, layer, before)
    taken = inputs if layer == 0 else w
    taken_at = (t + plan[LEAD]) * width if layer == 0 else handed_on
    multiply(
        KEEP, w, NONE, taken, taken_at, NONE, ONE, w, place + rows, rows, width,
        w, h, NONE, ONE, w, place + (1 + width) * rows, rows, hidden,
        w, gates, rows, ONE, rows,
    )  # fmt: skip
    new = _slot(plan, state, NONE, layer, t)
    cells = _slot(plan, state, ONE, layer, t)
    cell_forward(w, plan[CELL], gates, cells, _slot(plan, state, ONE, layer, before), new, h, pitch)
    linked = layer > 0 and plan[RESIDUAL]
    for n in range(pitch):
        w[handed_on + n] = w[new + n] + w[handed_on + n] if linked else w[new + n]


@jit
def _outputs(plan: Any, table: Any, parameters: Any, x: Any, w: Any, h: int, outputs: Any, place: int) -> None:
    """``y = g(V h + D x + c)`` of what the top layer hands on."""
    hidden = plan[HIDDEN]
    last = plan[LAYERS]
    part = plan[DIRECT_FEATURES]
    window = plan[DIRECT_STEPS] * part
    group = plan[OUTPUT_GROUP]
    given = w[h : h + hidden]
    for o in range(plan[OUTPUTS]):
        value = parameters[table[last, BIAS] + o]
        start = table[last, INPUT_WEIGHT] + o * hidden
        weights = parameters[start : start + hidden]
        for n in range(hidden):
            value += weights[n] * given[n]
        if window > 0 and o % group == group // 2:
            start = table[last, DIRECT_WEIGHT] + o // group * window
            weights = parameters[start : start + window]
            for t in range(plan[DIRECT_STEPS]):
                for n in range(part):
                    value += weights[t * part + n] * x[t * plan[FEATURES] + n]
        if plan[OUTPUT_ACTIVATION] == SIGMOID:
            value = sigmoid(value)
        elif plan[OUTPUT_ACTIVATION] == TANH:
            value = tanh(value)
        outputs[place + o] = value
