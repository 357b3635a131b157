"""The recurrent network: one time loop forward and one backward, the same for all cells, stacks and dtypes.

Layout: batch innermost. A shard of S lanes runs forward, loss and backward before the next one begins, while its states
are in cache. All that a shard needs lies in one flat workspace at the offsets of the plan (see `layout`); nothing is
allocated in a step. Lanes without data have zero inputs and zero output gradients, so any batch works.

Letters: T steps, F features, B batch, S lanes, H hidden units, L layers, R gate rows, O outputs, K targets.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncast.core.activations import sigmoid_in_place, tanh_in_place
from rnncast.core.cells import cell_backward, cell_forward
from rnncast.core.jit import jit
from rnncast.core.layout import (
    AT_ABOVE,
    AT_CELLS,
    AT_DCELL,
    AT_DINPUT,
    AT_DOUTPUTS,
    AT_DSTATE,
    AT_GATES,
    AT_INPUTS,
    AT_OUTPUTS,
    AT_SCRATCH,
    AT_STATES,
    AT_TRANSPOSED,
    BATCH,
    BIAS,
    CELL,
    EVERY_STEP,
    FEATURES,
    FORWARD,
    GATE_ROWS,
    GATE_SLOTS,
    GRADIENT,
    HIDDEN,
    INPUT_ROWS,
    INPUT_WEIGHT,
    INPUTS,
    LANES,
    LAYERS,
    LSTM,
    MODE,
    OUTPUT_ACTIVATION,
    OUTPUTS,
    RECURRENT_ROW,
    RECURRENT_WEIGHT,
    SIGMOID,
    STATE_SLOTS,
    STEPS,
    TANH,
    VJP,
)
from rnncast.core.loss_table import QUANTILE
from rnncast.core.losses import point_loss, quantile_loss
from rnncast.core.matrix import (
    add_in_place,
    add_lane_products,
    add_product,
    add_row_sums,
    fill_rows,
    fill_zero,
    transpose,
)


@jit
def run_batch(
    plan: Any,
    table: Any,
    parameters: Any,
    inputs: Any,
    targets: Any,
    weights: Any,
    kind: int,
    delta: float,
    levels: Any,
    spread: Any,
    base_gap: Any,
    workspace: Any,
    gradient: Any,
    outputs: Any,
    dinputs: Any,
) -> float:
    """Run all shards of a batch in order; what is done depends on ``plan[MODE]``.

    FORWARD fills `outputs`; LOSS returns the loss; GRADIENT also adds its gradient to `gradient`; VJP takes the output
    gradients as `targets`, adds to `gradient` and fills `dinputs`. Arrays are flat: inputs (T F B), targets (T K B) or
    (K B), outputs (T O B) or (O B), weights (B) float64 with all constant factors, base_gap (K Q).
    """
    total = 0.0
    batch = plan[BATCH]
    lanes = plan[LANES]
    mode = plan[MODE]
    output_rows = (plan[STEPS] if plan[EVERY_STEP] else 1) * plan[OUTPUTS]
    for start in range(0, batch, lanes):
        used = min(lanes, batch - start)
        _gather(inputs, start, batch, plan[STEPS] * plan[FEATURES], workspace, plan[AT_INPUTS], lanes, used)
        _forward(plan, table, parameters, workspace)
        if mode == FORWARD:
            _scatter(workspace, plan[AT_OUTPUTS], output_rows, lanes, outputs, start, batch, used)
        elif mode == VJP:
            _gather(targets, start, batch, output_rows, workspace, plan[AT_DOUTPUTS], lanes, used)
        else:
            total += _shard_loss(
                plan,
                targets,
                start,
                used,
                weights[start : start + used],
                kind,
                delta,
                levels,
                spread,
                base_gap,
                workspace,
            )
        if mode == GRADIENT or mode == VJP:
            _backward_output(plan, table, parameters, workspace, gradient)
            for layer in range(plan[LAYERS] - 1, -1, -1):
                _backward_layer(plan, table, parameters, workspace, gradient, dinputs, layer, start, used)
    return total


@jit
def _gather(source: Any, start: int, batch: int, rows: int, w: Any, at: int, lanes: int, used: int) -> None:
    """Copy lanes `start` .. `start + used` of (rows, B) to (rows, S) of the workspace; zero in the lanes left over."""
    fill_zero(w, at, rows * lanes)
    for row in range(rows):
        target = w[at + row * lanes : at + row * lanes + used]
        given = source[row * batch + start : row * batch + start + used]
        for n in range(used):
            target[n] = given[n]


@jit
def _scatter(w: Any, at: int, rows: int, lanes: int, target: Any, start: int, batch: int, used: int) -> None:
    """Copy (rows, S) of the workspace to lanes `start` .. `start + used` of (rows, B)."""
    for row in range(rows):
        given = w[at + row * lanes : at + row * lanes + used]
        place = target[row * batch + start : row * batch + start + used]
        for n in range(used):
            place[n] = given[n]


@jit
def _state_at(plan: Any, start: int, layer: int, t: int) -> int:
    """Offset of h_t (or c_t) of a layer, (H, S); t = -1 is the initial state."""
    slots = plan[STATE_SLOTS]
    return start + (layer * slots + (t + 1) % slots) * plan[HIDDEN] * plan[LANES]  # type: ignore[no-any-return]


@jit
def _gates_at(plan: Any, layer: int, t: int) -> int:
    """Offset of the gates of a layer at step t, (R, S)."""
    slots = plan[GATE_SLOTS]
    return plan[AT_GATES] + (layer * slots + t % slots) * plan[GATE_ROWS] * plan[LANES]  # type: ignore[no-any-return]


@jit
def _input_at(plan: Any, layer: int, t: int) -> int:
    """Offset of what a layer takes at step t: the inputs (F, S), or the state of the layer below (H, S)."""
    if layer == 0:
        return plan[AT_INPUTS] + t * plan[FEATURES] * plan[LANES]  # type: ignore[no-any-return]
    return _state_at(plan, plan[AT_STATES], layer - 1, t)


@jit
def _output_slot(plan: Any, t: int) -> int:
    """Position of step t among the output steps; -1 if the network gives no output there."""
    if plan[EVERY_STEP]:
        return t
    return 0 if t == plan[STEPS] - 1 else -1


@jit
def _forward(plan: Any, table: Any, parameters: Any, w: Any) -> None:
    """The time loop: for each step, each layer's gates and cell; the output layer where outputs are asked for."""
    n = plan[HIDDEN] * plan[LANES]
    for layer in range(plan[LAYERS]):
        fill_zero(w, plan[AT_STATES] + layer * plan[STATE_SLOTS] * n, n)
        if plan[CELL] == LSTM:
            fill_zero(w, plan[AT_CELLS] + layer * plan[STATE_SLOTS] * n, n)
    for t in range(plan[STEPS]):
        for layer in range(plan[LAYERS]):
            _forward_layer(plan, table, parameters, w, layer, t)
        if _output_slot(plan, t) >= 0:
            _forward_output(plan, table, parameters, w, t)


@jit
def _forward_layer(plan: Any, table: Any, parameters: Any, w: Any, layer: int, t: int) -> None:
    """Gates of one layer at step t, ``bias + W_x x_t + W_h h_{t-1}``, then its cell."""
    hidden = plan[HIDDEN]
    lanes = plan[LANES]
    rows = plan[INPUT_ROWS]
    width = table[layer, INPUTS]
    one = plan[LANES] // lanes  # a literal would make Numba compile the product once more
    gates = _gates_at(plan, layer, t)
    before = _state_at(plan, plan[AT_STATES], layer, t - 1)
    fill_rows(w, gates, parameters, table[layer, BIAS], plan[GATE_ROWS], lanes)
    add_product(
        parameters,
        table[layer, INPUT_WEIGHT],
        width,
        one,
        w,
        _input_at(plan, layer, t),
        lanes,
        w,
        gates,
        lanes,
        rows,
        width,
        lanes,
    )
    if t > 0:
        add_product(
            parameters,
            table[layer, RECURRENT_WEIGHT],
            hidden,
            one,
            w,
            before,
            lanes,
            w,
            gates + plan[RECURRENT_ROW] * lanes,
            lanes,
            rows,
            hidden,
            lanes,
        )
    cell_forward(
        w,
        plan[CELL],
        gates,
        _state_at(plan, plan[AT_CELLS], layer, t),
        _state_at(plan, plan[AT_CELLS], layer, t - 1),
        _state_at(plan, plan[AT_STATES], layer, t),
        before,
        hidden * lanes,
    )


@jit
def _forward_output(plan: Any, table: Any, parameters: Any, w: Any, t: int) -> None:
    """``y_t = g(V h_t + c)`` with g the identity, the logistic function or the hyperbolic tangent."""
    hidden = plan[HIDDEN]
    lanes = plan[LANES]
    rows = plan[OUTPUTS]
    last = plan[LAYERS] - 1
    one = lanes // plan[LANES]
    outputs = plan[AT_OUTPUTS] + _output_slot(plan, t) * rows * lanes
    fill_rows(w, outputs, parameters, table[last + 1, BIAS], rows, lanes)
    add_product(
        parameters,
        table[last + 1, INPUT_WEIGHT],
        hidden,
        one,
        w,
        _state_at(plan, plan[AT_STATES], last, t),
        lanes,
        w,
        outputs,
        lanes,
        rows,
        hidden,
        lanes,
    )
    if plan[OUTPUT_ACTIVATION] == SIGMOID:
        sigmoid_in_place(w, outputs, rows * lanes)
    elif plan[OUTPUT_ACTIVATION] == TANH:
        tanh_in_place(w, outputs, rows * lanes)


@jit
def _shard_loss(
    plan: Any,
    targets: Any,
    start: int,
    used: int,
    weights: Any,
    kind: int,
    delta: float,
    levels: Any,
    spread: Any,
    base_gap: Any,
    w: Any,
) -> float:
    """Loss of a shard over all output steps; the output gradients are left in the workspace."""
    total = 0.0
    lanes = plan[LANES]
    batch = plan[BATCH]
    size = plan[OUTPUTS] * lanes
    for t in range(plan[STEPS]):
        slot = _output_slot(plan, t)
        if slot >= 0:
            outputs = plan[AT_OUTPUTS] + slot * size
            doutputs = plan[AT_DOUTPUTS] + slot * size
            target = slot * spread.size * batch + start
            fill_zero(w, doutputs, size)
            if kind == QUANTILE:
                total += quantile_loss(
                    levels,
                    spread,
                    base_gap,
                    targets,
                    target,
                    batch,
                    weights,
                    w,
                    outputs,
                    doutputs,
                    plan[AT_SCRATCH],
                    lanes,
                    used,
                )
            else:
                total += point_loss(
                    kind, delta, spread, targets, target, batch, weights, w, outputs, doutputs, lanes, used
                )
    return total


@jit
def _backward_output(plan: Any, table: Any, parameters: Any, w: Any, gradient: Any) -> None:
    """Gradients of the output layer: its weights, its bias, and the states of the top layer (left in `AT_ABOVE`)."""
    hidden = plan[HIDDEN]
    lanes = plan[LANES]
    rows = plan[OUTPUTS]
    last = plan[LAYERS] - 1
    one = lanes // plan[LANES]
    weight = table[last + 1, INPUT_WEIGHT]
    for t in range(plan[STEPS]):
        slot = _output_slot(plan, t)
        if slot >= 0:
            doutputs = plan[AT_DOUTPUTS] + slot * rows * lanes
            above = plan[AT_ABOVE] + t * hidden * lanes
            _output_activation_backward(
                w, plan[OUTPUT_ACTIVATION], plan[AT_OUTPUTS] + slot * rows * lanes, doutputs, rows * lanes
            )
            add_row_sums(w, doutputs, rows, lanes, gradient, table[last + 1, BIAS])
            transpose(w, _state_at(plan, plan[AT_STATES], last, t), hidden, lanes, plan[AT_TRANSPOSED])
            add_product(
                w, doutputs, lanes, one, w, plan[AT_TRANSPOSED], hidden, gradient, weight, hidden, rows, lanes, hidden
            )
            fill_zero(w, above, hidden * lanes)
            add_product(parameters, weight, one, hidden, w, doutputs, lanes, w, above, lanes, hidden, rows, lanes)


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
def _backward_layer(
    plan: Any, table: Any, parameters: Any, w: Any, gradient: Any, dinputs: Any, layer: int, start: int, used: int
) -> None:
    """The time loop backward, for one layer: each step's cell, then the gradients of its products.

    The gradient from above at step t is read before the same place takes this layer's gradient for the layer below.
    """
    n = plan[HIDDEN] * plan[LANES]
    fill_zero(w, plan[AT_DSTATE], n)
    fill_zero(w, plan[AT_DCELL], n)
    for t in range(plan[STEPS] - 1, -1, -1):
        gates = _gates_at(plan, layer, t)
        if layer < plan[LAYERS] - 1 or _output_slot(plan, t) >= 0:
            add_in_place(w, plan[AT_DSTATE], plan[AT_ABOVE] + t * n, n)
        cell_backward(
            w,
            plan[CELL],
            gates,
            _state_at(plan, plan[AT_CELLS], layer, t),
            _state_at(plan, plan[AT_CELLS], layer, t - 1),
            _state_at(plan, plan[AT_STATES], layer, t - 1),
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
    one = lanes // plan[LANES]
    weight = table[layer, RECURRENT_WEIGHT]
    da = gates + plan[RECURRENT_ROW] * lanes
    add_product(parameters, weight, one, hidden, w, da, lanes, w, plan[AT_DSTATE], lanes, hidden, rows, lanes)
    transpose(w, _state_at(plan, plan[AT_STATES], layer, t - 1), hidden, lanes, plan[AT_TRANSPOSED])
    add_product(w, da, lanes, one, w, plan[AT_TRANSPOSED], hidden, gradient, weight, hidden, rows, lanes, hidden)


@jit
def _backward_below(
    plan: Any, table: Any, parameters: Any, w: Any, gradient: Any, layer: int, t: int, gates: int
) -> None:
    """``dx_t = W_x' da_t`` for the layer below and ``dW_x += da_t x_t'``, x_t being that layer's state."""
    hidden = plan[HIDDEN]
    lanes = plan[LANES]
    rows = plan[INPUT_ROWS]
    one = lanes // plan[LANES]
    weight = table[layer, INPUT_WEIGHT]
    above = plan[AT_ABOVE] + t * hidden * lanes
    fill_zero(w, above, hidden * lanes)
    add_product(parameters, weight, one, hidden, w, gates, lanes, w, above, lanes, hidden, rows, lanes)
    transpose(w, _input_at(plan, layer, t), hidden, lanes, plan[AT_TRANSPOSED])
    add_product(w, gates, lanes, one, w, plan[AT_TRANSPOSED], hidden, gradient, weight, hidden, rows, lanes, hidden)


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
    """``dW_x += da_t x_t'`` of the first layer and, if asked for, ``dx_t = W_x' da_t`` into `dinputs` (T, F, B)."""
    features = plan[FEATURES]
    lanes = plan[LANES]
    rows = plan[INPUT_ROWS]
    weight = table[0, INPUT_WEIGHT]
    x = plan[AT_INPUTS] + t * features * lanes
    add_lane_products(w, gates, rows, w, x, features, lanes, gradient, weight)
    if plan[MODE] == VJP:
        one = lanes // plan[LANES]
        fill_zero(w, plan[AT_DINPUT], features * lanes)
        add_product(
            parameters, weight, one, features, w, gates, lanes, w, plan[AT_DINPUT], lanes, features, rows, lanes
        )
        batch = plan[BATCH]
        _scatter(w, plan[AT_DINPUT], features, lanes, dinputs, t * features * batch + start, batch, used)


@jit
def poison_if_not_finite(loss: float, gradient: Any) -> None:
    """Make the gradient NaN where the loss is not finite, so that no optimiser step can come of it."""
    if not np.isfinite(loss):
        for n in range(gradient.size):
            gradient[n] = np.nan
