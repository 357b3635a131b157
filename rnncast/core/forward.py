"""The network forward: one time loop for all cells, stacks and dtypes.

Letters: T steps, F features, B batch, S lanes, H hidden units, L layers, R gate rows, O outputs.
The direct connection feeds K of the outputs, every Q-th one.
"""

from __future__ import annotations

from typing import Any

from rnncast.core.activations import sigmoid_in_place, tanh_in_place
from rnncast.core.addresses import gates_at, handed_on_at, input_at, output_slot, state_at, window_at
from rnncast.core.cells import cell_forward
from rnncast.core.control import abandoned
from rnncast.core.jit import jit
from rnncast.core.layout import (
    AT_BEGINS,
    AT_CELLS,
    AT_INPUTS,
    AT_OUTPUTS,
    AT_STATES,
    AT_WINDOW,
    BIAS,
    CARRIED,
    CELL,
    DILATION,
    DIRECT_FEATURES,
    DIRECT_STEPS,
    DIRECT_WEIGHT,
    FEATURES,
    GATE_ROWS,
    HIDDEN,
    INPUT_WEIGHT,
    INPUTS,
    LANES,
    LAYERS,
    OUTPUT_ACTIVATION,
    OUTPUT_GROUP,
    OUTPUTS,
    RECURRENT_ROW,
    RECURRENT_WEIGHT,
    RESIDUAL,
    STEPS,
)
from rnncast.core.matrix import BIASED, KEEP, NONE, ONE, add, add_product, keep_begun, multiply
from rnncast.core.shape import GRU, LSTM, SIGMOID, TANH


@jit
def forward_shard(control: Any, plan: Any, table: Any, parameters: Any, w: Any, begun: int) -> None:
    """The time loop: for each step, each layer's gates and cell; the output layer where outputs are asked for.

    Initial states are in their places already. From step `begun` on all windows have begun.
    """
    for t in range(plan[STEPS]):
        if abandoned(control):
            return
        for layer in range(plan[LAYERS]):
            _forward_layer(plan, table, parameters, w, layer, t, begun)
        if output_slot(plan, t) >= 0:
            _forward_output(plan, table, parameters, w, t)


@jit
def _forward_layer(plan: Any, table: Any, parameters: Any, w: Any, layer: int, t: int, begun: int) -> None:
    """Gates of one layer at step t, ``bias + W_x x_t + W_h h_{t-d}``, then its cell, and what it hands on."""
    hidden = plan[HIDDEN]
    before = t - table[layer, DILATION]
    rows = plan[GATE_ROWS]
    gates = gates_at(plan, layer, t)
    if plan[CELL] == GRU:  # n_x takes the input alone, n_h the state alone
        _sums(plan, table, parameters, w, layer, t, gates, NONE, hidden, ONE, NONE)
        _sums(plan, table, parameters, w, layer, t, gates, hidden, 2 * hidden, ONE, ONE)
        _sums(plan, table, parameters, w, layer, t, gates, 3 * hidden, hidden, NONE, ONE)
    else:
        _sums(plan, table, parameters, w, layer, t, gates, NONE, rows, ONE, ONE)
    cell_forward(
        w,
        plan[CELL],
        gates,
        state_at(plan, plan[AT_CELLS], layer, t),
        state_at(plan, plan[AT_CELLS], layer, before),
        state_at(plan, plan[AT_STATES], layer, t),
        state_at(plan, plan[AT_STATES], layer, before),
        hidden * plan[LANES],
    )
    if t < begun:
        keep_begun(w, state_at(plan, plan[AT_STATES], layer, t), hidden, plan[LANES], plan[AT_BEGINS], t)
        if plan[CELL] == LSTM:
            keep_begun(w, state_at(plan, plan[AT_CELLS], layer, t), hidden, plan[LANES], plan[AT_BEGINS], t)
    if layer > 0 and plan[RESIDUAL]:
        add(
            w,
            handed_on_at(plan, layer, t),
            state_at(plan, plan[AT_STATES], layer, t),
            input_at(plan, layer, t),
            hidden * plan[LANES],
        )


@jit
def _sums(
    plan: Any,
    table: Any,
    parameters: Any,
    w: Any,
    layer: int,
    t: int,
    gates: int,
    first: int,
    rows: int,
    takes_input: int,
    takes_state: int,
) -> None:
    """Sums of the gate rows ``first .. first + rows``, of the input, of the state before, or of both (0 or 1)."""
    hidden = plan[HIDDEN]
    lanes = plan[LANES]
    width = table[layer, INPUTS]
    earlier = t - table[layer, DILATION]
    before = hidden * takes_state if earlier >= 0 or plan[CARRIED] else NONE  # initial states are zero
    multiply(
        BIASED, parameters, table[layer, BIAS] + first,
        parameters, table[layer, INPUT_WEIGHT] + first * width, width, ONE,
        w, input_at(plan, layer, t), lanes, width * takes_input,
        parameters, table[layer, RECURRENT_WEIGHT] + (first - plan[RECURRENT_ROW]) * hidden, hidden, ONE,
        w, state_at(plan, plan[AT_STATES], layer, earlier), lanes, before,
        w, gates + first * lanes, lanes, rows, lanes,
    )  # fmt: skip


@jit
def _forward_output(plan: Any, table: Any, parameters: Any, w: Any, t: int) -> None:
    """``y_t = g(V h_t + D x + c)`` with g the identity, the logistic function or the hyperbolic tangent."""
    hidden = plan[HIDDEN]
    lanes = plan[LANES]
    rows = plan[OUTPUTS]
    last = plan[LAYERS] - 1
    outputs = plan[AT_OUTPUTS] + output_slot(plan, t) * rows * lanes
    multiply(
        BIASED, parameters, table[last + 1, BIAS],
        parameters, table[last + 1, INPUT_WEIGHT], hidden, ONE,
        w, handed_on_at(plan, last, t), lanes, hidden,
        parameters, NONE, NONE, NONE, w, NONE, NONE, NONE,
        w, outputs, lanes, rows, lanes,
    )  # fmt: skip
    if plan[DIRECT_STEPS] > 0:
        _forward_direct(plan, table, parameters, w, outputs)
    if plan[OUTPUT_ACTIVATION] == SIGMOID:
        sigmoid_in_place(w, outputs, rows * lanes)
    elif plan[OUTPUT_ACTIVATION] == TANH:
        tanh_in_place(w, outputs, rows * lanes)


@jit
def _forward_direct(plan: Any, table: Any, parameters: Any, w: Any, outputs: int) -> None:
    """``D x`` into the middle output of each group, x inputs (T * D, S) of the whole window (Lai et al. 2018)."""
    lanes = plan[LANES]
    group = plan[OUTPUT_GROUP]
    width = plan[DIRECT_STEPS] * plan[DIRECT_FEATURES]
    if plan[DIRECT_FEATURES] < plan[FEATURES]:
        _copy_window(plan, w)
    add_product(
        KEEP, parameters, table[plan[LAYERS], DIRECT_WEIGHT], width, ONE,
        w, window_at(plan), lanes,
        w, outputs + group // 2 * lanes, group * lanes, plan[OUTPUTS] // group, width, lanes,
    )  # fmt: skip


@jit
def _copy_window(plan: Any, w: Any) -> None:
    """The features of the inputs (T, F, S) that the direct connection takes, side by side (T, D, S)."""
    size = plan[DIRECT_FEATURES] * plan[LANES]
    step = plan[FEATURES] * plan[LANES]
    for t in range(plan[DIRECT_STEPS]):
        source = plan[AT_INPUTS] + t * step
        target = plan[AT_WINDOW] + t * size
        for n in range(size):
            w[target + n] = w[source + n]
