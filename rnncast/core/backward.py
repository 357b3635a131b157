"""The network backward through time: the output layer, then layer by layer one time loop for all cells.

Letters: T steps, F features, B batch, S lanes, H hidden units, L layers, R gate rows, O outputs.
The direct connection feeds K of the outputs, every Q-th one.
"""

from __future__ import annotations

from typing import Any

from rnncast.core.addresses import gates_at, input_at, output_slot, state_at
from rnncast.core.cells import cell_backward
from rnncast.core.jit import jit
from rnncast.core.lanes import scatter
from rnncast.core.layout import (
    AT_ABOVE,
    AT_CELLS,
    AT_DCELL,
    AT_DINPUT,
    AT_DOUTPUTS,
    AT_DSTATE,
    AT_INPUTS,
    AT_OUTPUTS,
    AT_STATES,
    AT_TRANSPOSED,
    BATCH,
    BIAS,
    CELL,
    DIRECT_STEPS,
    DIRECT_WEIGHT,
    FEATURES,
    GATE_ROWS,
    HIDDEN,
    INPUT_ROWS,
    INPUT_WEIGHT,
    LANES,
    LAYERS,
    MODE,
    OUTPUT_ACTIVATION,
    OUTPUT_GROUP,
    OUTPUTS,
    RECURRENT_ROW,
    RECURRENT_WEIGHT,
    SIGMOID,
    STEPS,
    TANH,
    UNIT,
    VJP,
)
from rnncast.core.matrix import (
    add_in_place,
    add_lane_products,
    add_product,
    add_row_sums,
    fill_zero,
    transpose,
)


@jit
def backward_output(plan: Any, table: Any, parameters: Any, w: Any, gradient: Any) -> None:
    """Gradients of the output layer: its weights, its bias, and the states of the top layer (left in `AT_ABOVE`).

    Those of the outputs' sums stay in `AT_DOUTPUTS`.
    """
    hidden = plan[HIDDEN]
    lanes = plan[LANES]
    rows = plan[OUTPUTS]
    last = plan[LAYERS] - 1
    weight = table[last + 1, INPUT_WEIGHT]
    for t in range(plan[STEPS]):
        slot = output_slot(plan, t)
        if slot >= 0:
            doutputs = plan[AT_DOUTPUTS] + slot * rows * lanes
            above = plan[AT_ABOVE] + t * hidden * lanes
            _output_activation_backward(
                w, plan[OUTPUT_ACTIVATION], plan[AT_OUTPUTS] + slot * rows * lanes, doutputs, rows * lanes
            )
            add_row_sums(w, doutputs, rows, lanes, gradient, table[last + 1, BIAS])
            transpose(w, state_at(plan, plan[AT_STATES], last, t), hidden, lanes, plan[AT_TRANSPOSED])
            add_product(
                w, doutputs, lanes, plan[UNIT],
                w, plan[AT_TRANSPOSED], hidden,
                gradient, weight, hidden, rows, lanes, hidden,
            )  # fmt: skip
            fill_zero(w, above, hidden * lanes)
            add_product(
                parameters, weight, plan[UNIT], hidden,
                w, doutputs, lanes,
                w, above, lanes, hidden, rows, lanes,
            )  # fmt: skip
            if plan[DIRECT_STEPS] > 0:
                _backward_direct(plan, table, w, gradient, doutputs)


@jit
def _backward_direct(plan: Any, table: Any, w: Any, gradient: Any, doutputs: int) -> None:
    """``dD += da x'`` with da the gradients (K, S) of the middle outputs' sums, x the inputs (T * F, S)."""
    lanes = plan[LANES]
    group = plan[OUTPUT_GROUP]
    add_lane_products(
        w, doutputs + group // 2 * lanes, group * lanes, plan[OUTPUTS] // group,
        w, plan[AT_INPUTS], plan[DIRECT_STEPS] * plan[FEATURES], lanes,
        gradient, table[plan[LAYERS], DIRECT_WEIGHT],
    )  # fmt: skip


@jit
def _output_activation_backward(w: Any, activation: int, outputs: int, doutputs: int, count: int) -> None:
    """``da = dy g'(a)`` in place of dy, from y = g(a)."""
    y = w[outputs : outputs + count]
    dy = w[doutputs : doutputs + count]
    one = w.dtype.type(1)
    if activation == SIGMOID:
        for n in range(count):
            dy[n] *= y[n] * (one - y[n])
    elif activation == TANH:
        for n in range(count):
            dy[n] *= one - y[n] * y[n]


@jit
def backward_layer(
    plan: Any, table: Any, parameters: Any, w: Any, gradient: Any, dinputs: Any, layer: int, start: int, used: int
) -> None:
    """The time loop backward, for one layer: each step's cell, then the gradients of its products.

    The gradient from above at step t is read before the same place takes this layer's gradient for the layer below.
    """
    n = plan[HIDDEN] * plan[LANES]
    fill_zero(w, plan[AT_DSTATE], n)
    fill_zero(w, plan[AT_DCELL], n)
    for t in range(plan[STEPS] - 1, -1, -1):
        gates = gates_at(plan, layer, t)
        if layer < plan[LAYERS] - 1 or output_slot(plan, t) >= 0:
            add_in_place(w, plan[AT_DSTATE], plan[AT_ABOVE] + t * n, n)
        cell_backward(
            w,
            plan[CELL],
            gates,
            state_at(plan, plan[AT_CELLS], layer, t),
            state_at(plan, plan[AT_CELLS], layer, t - 1),
            state_at(plan, plan[AT_STATES], layer, t - 1),
            plan[AT_DSTATE],
            plan[AT_DCELL],
            n,
        )
        add_row_sums(w, gates, plan[GATE_ROWS], plan[LANES], gradient, table[layer, BIAS])
        if t > 0:
            _backward_recurrent(plan, table, parameters, w, gradient, layer, t, gates)
        if layer > 0:
            _backward_below(plan, table, parameters, w, gradient, layer, t, gates)
        else:
            _backward_inputs(plan, table, parameters, w, gradient, dinputs, t, gates, start, used)


@jit
def _backward_recurrent(
    plan: Any, table: Any, parameters: Any, w: Any, gradient: Any, layer: int, t: int, gates: int
) -> None:
    """``dh_{t-1} += W_h' da_t`` and ``dW_h += da_t h_{t-1}'``."""
    hidden = plan[HIDDEN]
    lanes = plan[LANES]
    rows = plan[INPUT_ROWS]
    weight = table[layer, RECURRENT_WEIGHT]
    da = gates + plan[RECURRENT_ROW] * lanes
    add_product(
        parameters, weight, plan[UNIT], hidden,
        w, da, lanes,
        w, plan[AT_DSTATE], lanes, hidden, rows, lanes,
    )  # fmt: skip
    transpose(w, state_at(plan, plan[AT_STATES], layer, t - 1), hidden, lanes, plan[AT_TRANSPOSED])
    add_product(
        w, da, lanes, plan[UNIT],
        w, plan[AT_TRANSPOSED], hidden,
        gradient, weight, hidden, rows, lanes, hidden,
    )  # fmt: skip


@jit
def _backward_below(
    plan: Any, table: Any, parameters: Any, w: Any, gradient: Any, layer: int, t: int, gates: int
) -> None:
    """``dx_t = W_x' da_t`` for the layer below and ``dW_x += da_t x_t'``, x_t being that layer's state."""
    hidden = plan[HIDDEN]
    lanes = plan[LANES]
    rows = plan[INPUT_ROWS]
    weight = table[layer, INPUT_WEIGHT]
    above = plan[AT_ABOVE] + t * hidden * lanes
    fill_zero(w, above, hidden * lanes)
    add_product(
        parameters, weight, plan[UNIT], hidden,
        w, gates, lanes,
        w, above, lanes, hidden, rows, lanes,
    )  # fmt: skip
    transpose(w, input_at(plan, layer, t), hidden, lanes, plan[AT_TRANSPOSED])
    add_product(
        w, gates, lanes, plan[UNIT],
        w, plan[AT_TRANSPOSED], hidden,
        gradient, weight, hidden, rows, lanes, hidden,
    )  # fmt: skip


@jit
def _backward_inputs(
    plan: Any,
    table: Any,
    parameters: Any,
    w: Any,
    gradient: Any,
    dinputs: Any,
    t: int,
    gates: int,
    start: int,
    used: int,
) -> None:
    """``dW_x += da_t x_t'`` of the first layer and, if asked for, ``dx_t = W_x' da_t`` into `dinputs` (T, F, B).

    What the direct connection brings, ``D_t' da`` of the outputs, is added to dx_t.
    """
    features = plan[FEATURES]
    lanes = plan[LANES]
    rows = plan[INPUT_ROWS]
    weight = table[0, INPUT_WEIGHT]
    x = plan[AT_INPUTS] + t * features * lanes
    add_lane_products(w, gates, lanes, rows, w, x, features, lanes, gradient, weight)
    if plan[MODE] == VJP:
        fill_zero(w, plan[AT_DINPUT], features * lanes)
        add_product(
            parameters, weight, plan[UNIT], features,
            w, gates, lanes,
            w, plan[AT_DINPUT], lanes, features, rows, lanes,
        )  # fmt: skip
        if plan[DIRECT_STEPS] > 0:
            group = plan[OUTPUT_GROUP]
            add_product(
                parameters, table[plan[LAYERS], DIRECT_WEIGHT] + t * features, plan[UNIT],
                plan[DIRECT_STEPS] * features,
                w, plan[AT_DOUTPUTS] + group // 2 * lanes, group * lanes,
                w, plan[AT_DINPUT], lanes, features, plan[OUTPUTS] // group, lanes,
            )  # fmt: skip
        batch = plan[BATCH]
        scatter(w, plan[AT_DINPUT], features, lanes, dinputs, t * features * batch + start, batch, used)
