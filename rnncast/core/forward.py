"""The network forward: one time loop for all cells, stacks and dtypes.

Letters: T steps, F features, B batch, S lanes, H hidden units, L layers, R gate rows, O outputs.
The direct connection feeds K of the outputs, every Q-th one.
"""

from __future__ import annotations

from typing import Any

from rnncast.core.activations import sigmoid_in_place, tanh_in_place
from rnncast.core.addresses import gates_at, input_at, output_slot, state_at
from rnncast.core.cells import cell_forward
from rnncast.core.jit import jit
from rnncast.core.layout import (
    AT_CELLS,
    AT_INPUTS,
    AT_OUTPUTS,
    AT_STATES,
    BIAS,
    CELL,
    DIRECT_STEPS,
    DIRECT_WEIGHT,
    FEATURES,
    GATE_ROWS,
    HIDDEN,
    INPUT_ROWS,
    INPUT_WEIGHT,
    INPUTS,
    LANES,
    LAYERS,
    LSTM,
    OUTPUT_ACTIVATION,
    OUTPUT_GROUP,
    OUTPUTS,
    RECURRENT_ROW,
    RECURRENT_WEIGHT,
    SIGMOID,
    STATE_SLOTS,
    STEPS,
    TANH,
    UNIT,
)
from rnncast.core.matrix import add_product, fill_rows, fill_zero


@jit
def forward_shard(plan: Any, table: Any, parameters: Any, w: Any) -> None:
    """The time loop: for each step, each layer's gates and cell; the output layer where outputs are asked for."""
    n = plan[HIDDEN] * plan[LANES]
    for layer in range(plan[LAYERS]):
        fill_zero(w, plan[AT_STATES] + layer * plan[STATE_SLOTS] * n, n)
        if plan[CELL] == LSTM:
            fill_zero(w, plan[AT_CELLS] + layer * plan[STATE_SLOTS] * n, n)
    for t in range(plan[STEPS]):
        for layer in range(plan[LAYERS]):
            _forward_layer(plan, table, parameters, w, layer, t)
        if output_slot(plan, t) >= 0:
            _forward_output(plan, table, parameters, w, t)


@jit
def _forward_layer(plan: Any, table: Any, parameters: Any, w: Any, layer: int, t: int) -> None:
    """Gates of one layer at step t, ``bias + W_x x_t + W_h h_{t-1}``, then its cell."""
    hidden = plan[HIDDEN]
    lanes = plan[LANES]
    rows = plan[INPUT_ROWS]
    width = table[layer, INPUTS]
    gates = gates_at(plan, layer, t)
    before = state_at(plan, plan[AT_STATES], layer, t - 1)
    fill_rows(w, gates, parameters, table[layer, BIAS], plan[GATE_ROWS], lanes)
    add_product(
        parameters, table[layer, INPUT_WEIGHT], width, plan[UNIT],
        w, input_at(plan, layer, t), lanes,
        w, gates, lanes, rows, width, lanes,
    )  # fmt: skip
    if t > 0:
        add_product(
            parameters, table[layer, RECURRENT_WEIGHT], hidden, plan[UNIT],
            w, before, lanes,
            w, gates + plan[RECURRENT_ROW] * lanes, lanes, rows, hidden, lanes,
        )  # fmt: skip
    cell_forward(
        w,
        plan[CELL],
        gates,
        state_at(plan, plan[AT_CELLS], layer, t),
        state_at(plan, plan[AT_CELLS], layer, t - 1),
        state_at(plan, plan[AT_STATES], layer, t),
        before,
        hidden * lanes,
    )


@jit
def _forward_output(plan: Any, table: Any, parameters: Any, w: Any, t: int) -> None:
    """``y_t = g(V h_t + D x + c)`` with g the identity, the logistic function or the hyperbolic tangent."""
    hidden = plan[HIDDEN]
    lanes = plan[LANES]
    rows = plan[OUTPUTS]
    last = plan[LAYERS] - 1
    outputs = plan[AT_OUTPUTS] + output_slot(plan, t) * rows * lanes
    fill_rows(w, outputs, parameters, table[last + 1, BIAS], rows, lanes)
    add_product(
        parameters, table[last + 1, INPUT_WEIGHT], hidden, plan[UNIT],
        w, state_at(plan, plan[AT_STATES], last, t), lanes,
        w, outputs, lanes, rows, hidden, lanes,
    )  # fmt: skip
    if plan[DIRECT_STEPS] > 0:
        _forward_direct(plan, table, parameters, w, outputs)
    if plan[OUTPUT_ACTIVATION] == SIGMOID:
        sigmoid_in_place(w, outputs, rows * lanes)
    elif plan[OUTPUT_ACTIVATION] == TANH:
        tanh_in_place(w, outputs, rows * lanes)


@jit
def _forward_direct(plan: Any, table: Any, parameters: Any, w: Any, outputs: int) -> None:
    """``D x`` into the middle output of each group, x the inputs (T * F, S) of the whole window (Lai et al. 2018)."""
    lanes = plan[LANES]
    group = plan[OUTPUT_GROUP]
    width = plan[DIRECT_STEPS] * plan[FEATURES]
    add_product(
        parameters, table[plan[LAYERS], DIRECT_WEIGHT], width, plan[UNIT],
        w, plan[AT_INPUTS], lanes,
        w, outputs + group // 2 * lanes, group * lanes, plan[OUTPUTS] // group, width, lanes,
    )  # fmt: skip
