"""From the sums of all groups of shards to the gradient, and from there to the next parameters, within a kernel.

Threads take parts of the long vectors; every sum has one order, whatever their number.

Letters: G groups, P parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncast.core.control import read, write
from rnncast.core.control_words import ABANDON, ASKED, ENDED, GO_ON
from rnncast.core.jit import jit
from rnncast.core.layout import (
    AT_BIAS_SUMS,
    AT_DIRECT_SUMS,
    AT_INPUT_SUMS,
    AT_OUTPUT_BIAS_SUMS,
    AT_OUTPUT_SUMS,
    AT_RECURRENT_SUMS,
    AT_UPPER_SUMS,
    BIAS,
    BY_LANES,
    DIRECT_FEATURES,
    DIRECT_STEPS,
    DIRECT_WEIGHT,
    FEATURES,
    GATE_ROWS,
    GROUPS,
    HIDDEN,
    HIDDEN_PITCH,
    INPUT_PITCH,
    INPUT_ROWS,
    INPUT_WEIGHT,
    LAYERS,
    OUTPUT_GROUP,
    OUTPUTS,
    RECURRENT_WEIGHT,
    SUMS,
    VECTOR,
    WINDOW_PITCH,
)
from rnncast.core.matrix import ONE, add_rows, add_totals
from rnncast.core.optimiser import adamw, global_norm

BLOCK = 64
"""Parameters that one thread moves at least: a multiple of what a compiled loop takes at once."""


@jit
def add_groups(plan: Any, sums: Any, share: int, shares: int) -> None:
    """Add the sums of the other groups to those of the first, in their order, in this thread's part of them."""
    size = plan[SUMS]
    start, stop = share * size // shares, (share + 1) * size // shares
    target = sums[start:stop]
    for group in range(1, plan[GROUPS]):
        given = sums[group * size + start : group * size + stop]
        for n in range(target.size):
            target[n] += given[n]


@jit
def sum_up(plan: Any, table: Any, sums: Any, losses: Any, gradient: Any) -> float:
    """The loss of all groups, and the gradient (P,) unless it is empty."""
    total = 0.0
    for group in range(plan[GROUPS]):
        total += losses[group]
    if gradient.size:
        for n in range(gradient.size):
            gradient[n] = 0
        _collect(plan, table, sums, gradient)
    return total


@jit
def _collect(plan: Any, table: Any, sums: Any, gradient: Any) -> None:
    """Add the sums of the shards to the flat gradient (P,)."""
    hidden = plan[HIDDEN]
    rows = plan[INPUT_ROWS]
    pitch = plan[HIDDEN_PITCH]
    layers = plan[LAYERS]
    outputs = plan[OUTPUTS]
    for layer in range(layers):
        at = plan[AT_BIAS_SUMS] + layer * plan[GATE_ROWS] * VECTOR
        add_totals(sums, at, plan[GATE_ROWS], gradient, table[layer, BIAS])
        at = plan[AT_RECURRENT_SUMS] + layer * rows * pitch
        add_rows(sums, at, pitch, gradient, table[layer, RECURRENT_WEIGHT], rows, hidden)
        if layer > 0:
            at = plan[AT_UPPER_SUMS] + (layer - 1) * rows * pitch
            add_rows(sums, at, pitch, gradient, table[layer, INPUT_WEIGHT], rows, hidden)
    features = plan[FEATURES]
    if plan[BY_LANES]:
        add_totals(sums, plan[AT_INPUT_SUMS], rows * features, gradient, table[0, INPUT_WEIGHT])
    else:
        add_rows(sums, plan[AT_INPUT_SUMS], plan[INPUT_PITCH], gradient, table[0, INPUT_WEIGHT], rows, features)
    add_rows(sums, plan[AT_OUTPUT_SUMS], pitch, gradient, table[layers, INPUT_WEIGHT], outputs, hidden)
    add_totals(sums, plan[AT_OUTPUT_BIAS_SUMS], outputs, gradient, table[layers, BIAS])
    if plan[DIRECT_STEPS] > 0:
        window = plan[DIRECT_STEPS] * plan[DIRECT_FEATURES]
        count = outputs // plan[OUTPUT_GROUP]
        add_rows(sums, plan[AT_DIRECT_SUMS], plan[WINDOW_PITCH], gradient, table[layers, DIRECT_WEIGHT], count, window)


@jit
def decide(control: Any, plan: Any, table: Any, sums: Any, losses: Any, learning: Any, update: int) -> None:
    """Leave the loss of this update in `learning.losses`, NaN where it must not be made; say whether it is the last.

    It is not made if the loss or the norm of the gradient is not finite, or if what was computed was abandoned.
    """
    asked = read(control, ASKED)
    loss = sum_up(plan, table, sums, losses, learning.gradient)
    norm = global_norm(learning.gradient)
    if asked == ABANDON or not (np.isfinite(loss) and np.isfinite(norm)):
        loss = np.nan
    learning.norm[0] = norm
    learning.losses[update] = loss
    if asked != GO_ON or not np.isfinite(loss):
        write(control, ENDED, ONE)


@jit
def move(parameters: Any, learning: Any, update: int, share: int, shares: int) -> None:
    """The update, in this thread's part of the parameters.

    A part is made of whole blocks: what a compiled loop does in vectors and what is left over may round differently.
    """
    size = parameters.size
    blocks = (size + BLOCK - 1) // BLOCK
    start, stop = share * blocks // shares * BLOCK, min((share + 1) * blocks // shares * BLOCK, size)
    adamw(
        parameters[start:stop], learning.gradient[start:stop], learning.first[start:stop], learning.second[start:stop],
        learning.average[start:stop], learning.decay[start:stop], learning.norm[0], learning.before + update + 1,
        learning.rates[update], learning.beta1, learning.beta2, learning.epsilon, learning.weight_decay,
        learning.clip, learning.averaging[update],
    )  # fmt: skip
