"""The recurrent network on a batch: shard by shard, forward, loss and backward in one call.

Layout: batch innermost. A shard of S lanes runs forward, loss and backward before the next one begins, while its states
are in cache. All that a shard needs lies in one flat workspace at the offsets of the plan (see `layout`); nothing is
allocated in a step. Lanes without data have zero inputs and zero output gradients, so any batch works.

Letters: T steps, F features, B batch, S lanes, O outputs, K targets, Q quantiles.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncast.core.addresses import output_slot
from rnncast.core.backward import backward_layer, backward_output, collect
from rnncast.core.forward import forward_shard
from rnncast.core.jit import jit_entry, jit_inline
from rnncast.core.lanes import gather, scatter
from rnncast.core.layout import (
    AT_DOUTPUTS,
    AT_INPUTS,
    AT_OUTPUTS,
    AT_SCRATCH,
    AT_SUMS,
    BATCH,
    EVERY_STEP,
    FEATURES,
    FORWARD,
    GRADIENT,
    LANES,
    LAYERS,
    MODE,
    OUTPUTS,
    STEPS,
    TOTAL,
    VJP,
)
from rnncast.core.loss_table import QUANTILE
from rnncast.core.losses import point_loss, quantile_loss
from rnncast.core.matrix import fill_zero


@jit_entry
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
    if mode == GRADIENT or mode == VJP:
        fill_zero(workspace, plan[AT_SUMS], plan[TOTAL] - plan[AT_SUMS])
    for start in range(0, batch, lanes):
        used = min(lanes, batch - start)
        gather(inputs, start, batch, plan[STEPS] * plan[FEATURES], workspace, plan[AT_INPUTS], lanes, used)
        forward_shard(plan, table, parameters, workspace)
        if mode == FORWARD:
            scatter(workspace, plan[AT_OUTPUTS], output_rows, lanes, outputs, start, batch, used)
        elif mode == VJP:
            gather(targets, start, batch, output_rows, workspace, plan[AT_DOUTPUTS], lanes, used)
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
            backward_output(plan, table, parameters, workspace)
            for layer in range(plan[LAYERS] - 1, -1, -1):
                backward_layer(plan, table, parameters, workspace, dinputs, layer, start, used)
    if mode == GRADIENT or mode == VJP:
        collect(plan, table, workspace, gradient)
    return total


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


@jit_entry
def poison_if_not_finite(loss: float, gradient: Any) -> None:
    """Make the gradient NaN where the loss is not finite, so that no optimiser step can come of it."""
    if not np.isfinite(loss):
        for n in range(gradient.size):
            gradient[n] = np.nan
