"""The recurrent network on a batch: shard by shard, forward, loss and backward in one call.

Layout: batch innermost. A shard of S lanes runs forward, loss and backward before the next one begins, while its states
are in cache. All that a shard needs lies in one flat workspace at the offsets of the plan (see `layout`); nothing is
allocated in a step. Groups of shards have sums of their own, so that threads can share them out and the result is the
same for any number of threads. Lanes without data have zero inputs and zero output gradients, so any batch works.

Letters: T steps, F features, B batch, S lanes, O outputs, K targets, Q quantiles.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncast.core.addresses import output_slot
from rnncast.core.backward import backward_layer, backward_output, collect
from rnncast.core.forward import forward_shard
from rnncast.core.jit import jit_entry, jit_inline
from rnncast.core.lanes import gather, leave_states, scatter, take_states
from rnncast.core.layout import (
    AT_BEGINS,
    AT_DOUTPUTS,
    AT_INPUTS,
    AT_OUTPUTS,
    AT_SCRATCH,
    BATCH,
    CARRIED,
    EVERY_STEP,
    FEATURES,
    FORWARD,
    GRADIENT,
    GROUPS,
    LANES,
    LAYERS,
    MODE,
    OUTPUTS,
    RAGGED,
    STEPS,
    SUMS,
    VJP,
)
from rnncast.core.loss_table import QUANTILE
from rnncast.core.losses import point_loss, quantile_loss
from rnncast.core.matrix import NONE, fill_zero


@jit_entry
def run_groups(
    first: int,
    stop: int,
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
    sums: Any,
    losses: Any,
    outputs: Any,
    dinputs: Any,
    lengths: Any,
    states: Any,
    left: Any,
) -> None:
    """Run the groups ``first .. stop`` of a batch's shards, in order; what is done depends on ``plan[MODE]``.

    FORWARD fills `outputs`; LOSS gives the loss of each group in `losses` (G,), float64; GRADIENT also leaves the sums
    of its gradient in `sums` (G * SUMS); VJP takes the output gradients as `targets`, leaves sums and fills `dinputs`.
    Arrays are flat: inputs (T F B), targets (T K B) or (K B), outputs (T O B) or (O B), weights (B) float64 with all
    constant factors, or (T B) where each step has its own, base_gap (K Q). With ``plan[RAGGED]`` `lengths` (B), int64,
    says how many steps at the end each window has. With ``plan[CARRIED]`` `states` are the initial ones and `left`
    takes those of the last steps (see `shape.state_shape`). Threads may run groups of one batch at a time, each with a
    workspace of its own.
    """
    batch = plan[BATCH]
    lanes = plan[LANES]
    mode = plan[MODE]
    shards = (batch + lanes - 1) // lanes
    output_rows = (plan[STEPS] if plan[EVERY_STEP] else 1) * plan[OUTPUTS]
    for group in range(first, stop):
        own = sums[group * plan[SUMS] : (group + 1) * plan[SUMS]]
        fill_zero(own, NONE, own.size)
        total = 0.0
        for shard in range(group * shards // plan[GROUPS], (group + 1) * shards // plan[GROUPS]):
            start = shard * lanes
            used = min(lanes, batch - start)
            gather(inputs, start, batch, plan[STEPS] * plan[FEATURES], workspace, plan[AT_INPUTS], lanes, used)
            begun = _set_begins(plan, lengths, start, used, workspace)
            take_states(plan, states, start, used, workspace)
            forward_shard(plan, table, parameters, workspace, begun)
            if plan[CARRIED]:
                leave_states(plan, left, start, used, workspace)
            if mode == FORWARD:
                scatter(workspace, plan[AT_OUTPUTS], output_rows, lanes, outputs, start, batch, used)
            elif mode == VJP:
                gather(targets, start, batch, output_rows, workspace, plan[AT_DOUTPUTS], lanes, used)
            else:
                total += _shard_loss(
                    plan, targets, start, used, weights, kind, delta, levels, spread, base_gap, workspace
                )
            if mode == GRADIENT or mode == VJP:
                backward_output(plan, table, parameters, workspace, own)
                for layer in range(plan[LAYERS] - 1, -1, -1):
                    backward_layer(plan, table, parameters, workspace, own, dinputs, layer, start, used, begun)
        losses[group] = total


@jit_entry
def finish(plan: Any, table: Any, sums: Any, losses: Any, gradient: Any) -> float:
    """The loss of a batch; and its gradient (P,), the groups summed in their order.

    Where the loss is not finite the whole gradient is NaN, so that no optimiser step can come of it.
    """
    total = 0.0
    for n in range(gradient.size):
        gradient[n] = 0
    for group in range(plan[GROUPS]):
        total += losses[group]
        if gradient.size:
            collect(plan, table, sums[group * plan[SUMS] : (group + 1) * plan[SUMS]], gradient)
    if not np.isfinite(total):
        for n in range(gradient.size):
            gradient[n] = np.nan
    return total


@jit_inline
def _set_begins(plan: Any, lengths: Any, start: int, used: int, w: Any) -> int:
    """Write the first step of each window of a shard, from 0; the step from which on all have begun."""
    begun = NONE
    if plan[RAGGED]:
        begins = w[plan[AT_BEGINS] : plan[AT_BEGINS] + plan[LANES]]
        for n in range(plan[LANES]):
            begin = plan[STEPS] - lengths[start + n] if n < used else NONE
            begins[n] = begin
            begun = max(begun, begin)
    return begun  # type: ignore[no-any-return]


@jit_inline
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
        slot = output_slot(plan, t)
        if slot >= 0:
            outputs = plan[AT_OUTPUTS] + slot * size
            doutputs = plan[AT_DOUTPUTS] + slot * size
            target = slot * spread.size * batch + start
            factor = start + (slot * batch if weights.size > batch else 0)
            factors = weights[factor : factor + used]
            fill_zero(w, doutputs, size)
            if kind == QUANTILE:
                total += quantile_loss(
                    levels,
                    spread,
                    base_gap,
                    targets,
                    target,
                    batch,
                    factors,
                    w,
                    outputs,
                    doutputs,
                    plan[AT_SCRATCH],
                    lanes,
                    used,
                )
            else:
                total += point_loss(
                    kind, delta, spread, targets, target, batch, factors, w, outputs, doutputs, lanes, used
                )
    return total
