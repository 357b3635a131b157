"""The one kernel: a batch forward, its loss, backward, or many updates of the parameters, in one call.

Layout: batch innermost. A shard of S lanes runs forward, loss and backward before the next one begins, while its states
are in cache. All that a shard needs lies in one flat workspace at the offsets of the plan (see `layout`); nothing is
allocated in a step. Groups of shards have sums of their own, so that threads can share them out and the result is the
same for any number of threads. Lanes without data have zero inputs and zero output gradients, so any batch works.

Letters: T steps, F features, B batch, S lanes, O outputs, K targets, G outputs of a target.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncast.core.addresses import output_slot
from rnncast.core.backward import backward_layer, backward_lead, backward_output
from rnncast.core.control import abandoned, meet, read
from rnncast.core.control_words import ENDED
from rnncast.core.forward import forward_shard
from rnncast.core.jit import jit, jit_entry
from rnncast.core.lanes import gather, leave_states, scatter, take_states
from rnncast.core.layout import (
    AT_BEGINS,
    AT_DOUTPUTS,
    AT_INPUTS,
    AT_OUTPUTS,
    AT_SCRATCH,
    AT_TARGETS,
    BATCH,
    CARRIED,
    EVERY_STEP,
    FEATURES,
    FORWARD,
    GROUPS,
    LANES,
    LAYERS,
    LEAD,
    LOSS,
    MODE,
    OUTPUTS,
    RAGGED,
    SCORE,
    STEPS,
    SUMS,
    TRAIN,
    VJP,
)
from rnncast.core.loss_table import QUANTILE, STUDENT_T
from rnncast.core.losses import point_loss, quantile_loss
from rnncast.core.matrix import NONE, ONE, fill_zero
from rnncast.core.panel_windows import take_windows
from rnncast.core.student_t_loss import student_t_loss
from rnncast.core.update import add_groups, decide, move, sum_up


@jit_entry
def run(
    share: int,
    shares: int,
    control: Any,
    plan: Any,
    table: Any,
    parameters: Any,
    head: Any,
    batch: Any,
    series: Any,
    normalising: Any,
    learning: Any,
    w: Any,
    sums: Any,
    losses: Any,
) -> None:
    """What `plan[MODE]` says, for the groups of shards that fall to thread `share` of `shares`.

    FORWARD fills `batch.outputs`; LOSS gives the loss of each group in `losses` (G,), float64, and SCORE that of
    outputs which are in `batch.outputs` already; GRADIENT also leaves the sums of its gradient in `sums` (G * SUMS),
    and VJP, which fills `batch.dinputs`, those of the output gradients that stand in the place of targets: see
    `finish`. TRAIN takes its windows from `series` and makes the updates that `learning` describes, at each of which
    all threads meet.

    With ``plan[RAGGED]`` windows have lengths, with ``plan[CARRIED]`` initial states. Each thread has a workspace `w`
    of its own; `control` holds the words of `rnncast.core.control`. The records are those of `rnncast.core.arguments`.
    """
    first, stop = share * plan[GROUPS] // shares, (share + 1) * plan[GROUPS] // shares
    if plan[MODE] != TRAIN:
        for group in range(first, stop):
            losses[group] = _run_group(control, plan, table, parameters, head, batch, series, normalising, w, sums,
                                       group, NONE)  # fmt: skip
        return
    for update in range(learning.rates.size):
        for group in range(first, stop):
            losses[group] = _run_group(control, plan, table, parameters, head, batch, series, normalising, w, sums,
                                       group, update * plan[BATCH])  # fmt: skip
        meet(control, shares)
        add_groups(plan, sums, share, shares)
        meet(control, shares)
        if share == 0:
            decide(control, plan, table, sums, losses, learning, update)
        meet(control, shares)
        if learning.losses[update] == learning.losses[update]:
            move(parameters, learning, update, share, shares)
        meet(control, shares)
        if read(control, ENDED):
            return


@jit
def _run_group(
    control: Any, plan: Any, table: Any, parameters: Any, head: Any, batch: Any, series: Any, normalising: Any,
    w: Any, sums: Any, group: int, before: int,
) -> float:  # fmt: skip
    """Run the shards of a group in order; `before` windows of `series` belong to earlier updates. Returns its loss."""
    count = plan[BATCH]
    lanes = plan[LANES]
    mode = plan[MODE]
    shards = (count + lanes - 1) // lanes
    output_rows = (plan[STEPS] if plan[EVERY_STEP] else 1) * plan[OUTPUTS]
    own = sums[group * plan[SUMS] : (group + 1) * plan[SUMS]]
    fill_zero(own, NONE, own.size)
    total = 0.0
    for shard in range(group * shards // plan[GROUPS], (group + 1) * shards // plan[GROUPS]):
        start = shard * lanes
        used = min(lanes, count - start)
        if mode == SCORE:
            gather(batch.outputs, start, count, output_rows, w, plan[AT_OUTPUTS], lanes, used)
            total += _shard_loss(plan, head, batch, start, used, w)
            continue
        if mode == TRAIN:
            take_windows(plan, series, normalising, head.spread.size, before + start, used, w)
        else:
            rows = (plan[LEAD] + plan[STEPS]) * plan[FEATURES]
            gather(batch.inputs, start, count, rows, w, plan[AT_INPUTS], lanes, used)
        begun = _set_begins(plan, batch.lengths, start, used, w)
        take_states(plan, batch.states, start, used, w)
        forward_shard(control, plan, table, parameters, w, begun)
        if plan[CARRIED]:
            leave_states(plan, batch.left, start, used, w)
        if mode == FORWARD:
            scatter(w, plan[AT_OUTPUTS], output_rows, lanes, batch.outputs, start, count, used)
        elif mode == VJP:
            gather(batch.targets, start, count, output_rows, w, plan[AT_DOUTPUTS], lanes, used)
        else:
            total += _shard_loss(plan, head, batch, start, used, w)
        if mode != FORWARD and mode != LOSS:
            backward_output(plan, table, parameters, w, own)
            for layer in range(plan[LAYERS] - 1, -1, -1):
                backward_layer(control, plan, table, parameters, w, own, batch.dinputs, layer, start, used, begun)
            backward_lead(plan, table, parameters, w, batch.dinputs, start, used)
        if abandoned(control):
            break
    return total


@jit_entry
def finish(plan: Any, table: Any, sums: Any, losses: Any, gradient: Any) -> float:
    """The loss of a batch and, unless `gradient` is empty, its gradient (P,), of what all threads left.

    Where the loss is not finite the whole gradient is NaN, so that no optimiser step can come of it.
    """
    if gradient.size:
        add_groups(plan, sums, NONE, ONE)
    total = sum_up(plan, table, sums, losses, gradient)
    if not np.isfinite(total):
        for n in range(gradient.size):
            gradient[n] = np.nan
    return total


@jit
def _set_begins(plan: Any, lengths: Any, start: int, used: int, w: Any) -> int:
    """Write the first step of each window of a shard, from 0; the step from which on all have begun."""
    begun = NONE
    if plan[RAGGED]:
        begins = w[plan[AT_BEGINS] : plan[AT_BEGINS] + plan[LANES]]
        for n in range(plan[LANES]):
            begin = max(plan[STEPS] - lengths[start + n], NONE) if n < used else NONE
            begins[n] = begin
            begun = max(begun, begin)
    return begun  # type: ignore[no-any-return]


@jit
def _shard_loss(plan: Any, head: Any, batch: Any, start: int, used: int, w: Any) -> float:
    """Loss of a shard over all output steps; the output gradients are left in the workspace.

    The targets of a step stand in the workspace, those of windows of a panel already.
    """
    total = 0.0
    lanes = plan[LANES]
    count = plan[BATCH]
    size = plan[OUTPUTS] * lanes
    rows = head.spread.size
    for t in range(plan[STEPS]):
        slot = output_slot(plan, t)
        if slot >= 0:
            outputs = plan[AT_OUTPUTS] + slot * size
            doutputs = plan[AT_DOUTPUTS] + slot * size
            if plan[MODE] != TRAIN:
                given = batch.targets[slot * rows * count : (slot + 1) * rows * count]
                gather(given, start, count, rows, w, plan[AT_TARGETS], lanes, used)
            factor = start + (slot * count if batch.weights.size > count else 0)
            factors = batch.weights[factor : factor + used]
            fill_zero(w, doutputs, size)
            if head.kind == QUANTILE:
                total += quantile_loss(
                    head.levels, head.spread, head.base_gap, w, plan[AT_TARGETS], lanes, factors, w, outputs, doutputs,
                    plan[AT_SCRATCH], lanes, used,
                )  # fmt: skip
            elif head.kind == STUDENT_T:
                total += student_t_loss(
                    head.spread, head.base_gap, w, plan[AT_TARGETS], lanes, factors, w, outputs, doutputs, lanes, used
                )
            else:
                total += point_loss(
                    head.kind, head.delta, head.spread, w, plan[AT_TARGETS], lanes, factors, w, outputs, doutputs,
                    lanes, used,
                )  # fmt: skip
    return total
