"""The network backward through time: the output layer, then layer by layer one time loop for all cells.

Gradients of weights are summed in `sums` over all steps and the shards of a group, in rows of whole vectors and lane
upon lane, and brought into the flat gradient once, at the end of the batch (see `update`).

Letters: T steps, F features, B batch, S lanes, H hidden units, L layers, R gate rows, O outputs.
The direct connection feeds K of the outputs, every Q-th one.
"""

from __future__ import annotations

from typing import Any

from rnncast.core.addresses import gates_at, handed_on_at, input_at, output_slot, state_at, window_at
from rnncast.core.cells import cell_backward, keeps_part
from rnncast.core.control import abandoned
from rnncast.core.jit import jit
from rnncast.core.lanes import scatter
from rnncast.core.layout import (
    AT_ABOVE,
    AT_BEGINS,
    AT_BIAS_SUMS,
    AT_CELLS,
    AT_DCELL,
    AT_DINPUT,
    AT_DIRECT_SUMS,
    AT_DOUTPUTS,
    AT_DSTATE,
    AT_INPUT_SUMS,
    AT_OUTPUT_BIAS_SUMS,
    AT_OUTPUT_SUMS,
    AT_OUTPUTS,
    AT_RECURRENT_SUMS,
    AT_STATES,
    AT_TRANSPOSED,
    AT_UPPER_SUMS,
    BATCH,
    BY_LANES,
    CARRIED,
    CELL,
    DILATION,
    DIRECT_FEATURES,
    DIRECT_STEPS,
    DIRECT_WEIGHT,
    EVERY_STEP,
    FEATURES,
    GATE_ROWS,
    HIDDEN,
    HIDDEN_PITCH,
    INPUT_PITCH,
    INPUT_ROWS,
    INPUT_WEIGHT,
    LANES,
    LAYERS,
    LEAD,
    MODE,
    OUTPUT_ACTIVATION,
    OUTPUT_GROUP,
    OUTPUTS,
    RECURRENT_ROW,
    RECURRENT_WEIGHT,
    RESIDUAL,
    STEPS,
    VECTOR,
    VJP,
    WINDOW_PITCH,
)
from rnncast.core.matrix import (
    KEEP,
    NONE,
    ONE,
    ZERO,
    add,
    add_lane_products,
    add_lane_sums,
    add_product,
    fill_zero,
    keep_begun,
    transpose,
)
from rnncast.core.shape import SIGMOID, TANH


@jit
def backward_output(plan: Any, table: Any, parameters: Any, w: Any, sums: Any) -> None:
    """Gradients of the output layer: its weights, its bias, and the states of the top layer (left in `AT_ABOVE`).

    Those of the outputs' sums stay in `AT_DOUTPUTS`.
    """
    hidden = plan[HIDDEN]
    lanes = plan[LANES]
    rows = plan[OUTPUTS]
    last = plan[LAYERS] - 1
    if plan[RESIDUAL] and not plan[EVERY_STEP]:
        fill_zero(w, plan[AT_ABOVE], plan[STEPS] * hidden * lanes)  # links add to what comes from above
    for t in range(plan[STEPS]):
        slot = output_slot(plan, t)
        if slot >= 0:
            doutputs = plan[AT_DOUTPUTS] + slot * rows * lanes
            _output_activation_backward(
                w, plan[OUTPUT_ACTIVATION], plan[AT_OUTPUTS] + slot * rows * lanes, doutputs, rows * lanes
            )
            add_lane_sums(w, doutputs, rows, lanes, sums, plan[AT_OUTPUT_BIAS_SUMS])
            state = handed_on_at(plan, last, t)
            _add_weight_gradient(
                plan, w, doutputs, lanes, rows, state, hidden, plan[HIDDEN_PITCH], sums, plan[AT_OUTPUT_SUMS]
            )
            add_product(
                ZERO, parameters, table[last + 1, INPUT_WEIGHT], ONE, hidden,
                w, doutputs, lanes,
                w, plan[AT_ABOVE] + t * hidden * lanes, lanes, hidden, rows, lanes,
            )  # fmt: skip
            if plan[DIRECT_STEPS] > 0:
                group = plan[OUTPUT_GROUP]
                _add_weight_gradient(
                    plan, w, doutputs + group // 2 * lanes, group * lanes, rows // group,
                    window_at(plan), plan[DIRECT_STEPS] * plan[DIRECT_FEATURES], plan[WINDOW_PITCH],
                    sums, plan[AT_DIRECT_SUMS],
                )  # fmt: skip


@jit
def _add_weight_gradient(
    plan: Any, w: Any, da: int, da_pitch: int, rows: int, x: int, width: int, pitch: int, sums: Any, place: int
) -> None:
    """``dW += da x'`` for sums' gradients da (rows, S) and what the weights took, x (width, S)."""
    lanes = plan[LANES]
    transpose(w, x, width, lanes, plan[AT_TRANSPOSED], pitch)
    add_product(
        KEEP, w, da, da_pitch, ONE,
        w, plan[AT_TRANSPOSED], pitch,
        sums, place, pitch, rows, lanes, pitch,
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
    control: Any,
    plan: Any,
    table: Any,
    parameters: Any,
    w: Any,
    sums: Any,
    dinputs: Any,
    layer: int,
    start: int,
    used: int,
    begun: int,
) -> None:
    """The time loop backward, for one layer: each step's cell, then the gradients of its products.

    From step `begun` on all windows have begun; before it nothing comes back in the lanes of those that have not.

    The gradient from above at step t is read before the same place takes this layer's gradient for the layer below.
    """
    n = plan[HIDDEN] * plan[LANES]
    rows = plan[GATE_ROWS]
    dilation = table[layer, DILATION]
    fill_zero(w, plan[AT_DSTATE], dilation * n)
    fill_zero(w, plan[AT_DCELL], dilation * n)
    for t in range(plan[STEPS] - 1, -1, -1):
        if abandoned(control):
            return
        gates = gates_at(plan, layer, t)
        dstate = plan[AT_DSTATE] + t % dilation * n  # of this step and of those so many steps before
        if layer < plan[LAYERS] - 1 or output_slot(plan, t) >= 0:
            add(w, dstate, dstate, plan[AT_ABOVE] + t * n, n)
        if t < begun:
            keep_begun(w, dstate, plan[HIDDEN], plan[LANES], plan[AT_BEGINS], t)
            keep_begun(w, plan[AT_DCELL] + t % dilation * n, plan[HIDDEN], plan[LANES], plan[AT_BEGINS], t)
        cell_backward(
            w,
            plan[CELL],
            gates,
            state_at(plan, plan[AT_CELLS], layer, t),
            state_at(plan, plan[AT_CELLS], layer, t - dilation),
            state_at(plan, plan[AT_STATES], layer, t),
            state_at(plan, plan[AT_STATES], layer, t - dilation),
            dstate,
            plan[AT_DCELL] + t % dilation * n,
            n,
        )
        add_lane_sums(w, gates, rows, plan[LANES], sums, plan[AT_BIAS_SUMS] + layer * rows * VECTOR)
        if t >= dilation or plan[CARRIED]:
            _backward_recurrent(plan, table, parameters, w, sums, layer, t - dilation, gates, dstate)
        if layer > 0:
            _backward_below(plan, table, parameters, w, sums, layer, t, gates)
        else:
            _backward_inputs(plan, table, parameters, w, sums, dinputs, t, gates, start, used)


@jit
def _backward_recurrent(
    plan: Any, table: Any, parameters: Any, w: Any, sums: Any, layer: int, before: int, gates: int, dstate: int
) -> None:
    """``dh_{t-d} += W_h' da_t`` and ``dW_h += da_t h_{t-d}'``; `before` is t - d."""
    hidden = plan[HIDDEN]
    lanes = plan[LANES]
    rows = plan[INPUT_ROWS]
    pitch = plan[HIDDEN_PITCH]
    da = gates + plan[RECURRENT_ROW] * lanes
    add_product(
        KEEP if keeps_part(plan[CELL]) else ZERO, parameters, table[layer, RECURRENT_WEIGHT], ONE, hidden,
        w, da, lanes,
        w, dstate, lanes, hidden, rows, lanes,
    )  # fmt: skip
    state = state_at(plan, plan[AT_STATES], layer, before)
    _add_weight_gradient(
        plan, w, da, lanes, rows, state, hidden, pitch, sums, plan[AT_RECURRENT_SUMS] + layer * rows * pitch
    )


@jit
def _backward_below(plan: Any, table: Any, parameters: Any, w: Any, sums: Any, layer: int, t: int, gates: int) -> None:
    """``dx_t = W_x' da_t`` for the layer below and ``dW_x += da_t x_t'``, x_t being what that layer hands on.

    A residual link adds the gradient of what this layer hands on, which stands in the place of dx_t.
    """
    hidden = plan[HIDDEN]
    lanes = plan[LANES]
    rows = plan[INPUT_ROWS]
    pitch = plan[HIDDEN_PITCH]
    add_product(
        KEEP if plan[RESIDUAL] else ZERO, parameters, table[layer, INPUT_WEIGHT], ONE, hidden,
        w, gates, lanes,
        w, plan[AT_ABOVE] + t * hidden * lanes, lanes, hidden, rows, lanes,
    )  # fmt: skip
    place = plan[AT_UPPER_SUMS] + (layer - 1) * rows * pitch
    _add_weight_gradient(plan, w, gates, lanes, rows, input_at(plan, layer, t), hidden, pitch, sums, place)


@jit
def _backward_inputs(
    plan: Any, table: Any, parameters: Any, w: Any, sums: Any, dinputs: Any, t: int, gates: int, start: int, used: int
) -> None:
    """``dW_x += da_t x_t'`` of the first layer and, if asked for, ``dx_t = W_x' da_t`` into `dinputs` (T, F, B).

    What the direct connection brings, ``D_t' da`` of the outputs, is added to dx_t.
    """
    features = plan[FEATURES]
    lanes = plan[LANES]
    rows = plan[INPUT_ROWS]
    x = input_at(plan, NONE, t)
    if plan[BY_LANES]:
        add_lane_products(w, gates, rows, lanes, x, features, sums, plan[AT_INPUT_SUMS])
    else:
        _add_weight_gradient(plan, w, gates, lanes, rows, x, features, plan[INPUT_PITCH], sums, plan[AT_INPUT_SUMS])
    if plan[MODE] == VJP:
        add_product(
            ZERO, parameters, table[0, INPUT_WEIGHT], ONE, features,
            w, gates, lanes,
            w, plan[AT_DINPUT], lanes, features, rows, lanes,
        )  # fmt: skip
        _leave_input_gradient(plan, table, parameters, w, dinputs, plan[LEAD] + t, start, used)


@jit
def backward_lead(plan: Any, table: Any, parameters: Any, w: Any, dinputs: Any, start: int, used: int) -> None:
    """Input gradients of the steps that the direct connection takes alone, if they are asked for."""
    if plan[MODE] == VJP:
        for step in range(plan[LEAD]):
            fill_zero(w, plan[AT_DINPUT], plan[FEATURES] * plan[LANES])
            _leave_input_gradient(plan, table, parameters, w, dinputs, step, start, used)


@jit
def _leave_input_gradient(
    plan: Any, table: Any, parameters: Any, w: Any, dinputs: Any, step: int, start: int, used: int
) -> None:
    """Add what the direct connection brings to the gradient of a step of the window, and leave it in `dinputs`."""
    features = plan[FEATURES]
    lanes = plan[LANES]
    batch = plan[BATCH]
    if plan[DIRECT_STEPS] > 0:
        group = plan[OUTPUT_GROUP]
        part = plan[DIRECT_FEATURES]
        add_product(
            KEEP, parameters, table[plan[LAYERS], DIRECT_WEIGHT] + step * part, ONE,
            plan[DIRECT_STEPS] * part,
            w, plan[AT_DOUTPUTS] + group // 2 * lanes, group * lanes,
            w, plan[AT_DINPUT], lanes, part, plan[OUTPUTS] // group, lanes,
        )  # fmt: skip
    scatter(w, plan[AT_DINPUT], features, lanes, dinputs, step * features * batch + start, batch, used)
