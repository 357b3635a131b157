"""Where things lie in the workspace: offsets by layer and step, from the plan of a run (see `layout`).

Letters: F features, S lanes, H hidden units, R gate rows.
"""

from __future__ import annotations

from typing import Any

from rnncast.core.jit import jit
from rnncast.core.layout import (
    AT_GATES,
    AT_INPUTS,
    AT_LINKED,
    AT_STATES,
    AT_WINDOW,
    DEPTH,
    DIRECT_FEATURES,
    EVERY_STEP,
    FEATURES,
    GATE_ROWS,
    GATE_SLOTS,
    HIDDEN,
    LANES,
    LEAD,
    RESIDUAL,
    STATE_SLOTS,
    STEPS,
)


@jit
def state_at(plan: Any, start: int, layer: int, t: int) -> int:
    """Offset of h_t (or c_t) of a layer, (H, S); t < 0, down to minus the depth, are the initial states."""
    slots = plan[STATE_SLOTS]
    return start + (layer * slots + (t + plan[DEPTH]) % slots) * plan[HIDDEN] * plan[LANES]  # type: ignore[no-any-return]


@jit
def gates_at(plan: Any, layer: int, t: int) -> int:
    """Offset of the gates of a layer at step t, (R, S)."""
    slots = plan[GATE_SLOTS]
    return plan[AT_GATES] + (layer * slots + t % slots) * plan[GATE_ROWS] * plan[LANES]  # type: ignore[no-any-return]


@jit
def input_at(plan: Any, layer: int, t: int) -> int:
    """Offset of what a layer takes at step t: the inputs (F, S), or what the layer below hands on (H, S)."""
    if layer == 0:
        return plan[AT_INPUTS] + (t + plan[LEAD]) * plan[FEATURES] * plan[LANES]  # type: ignore[no-any-return]
    return handed_on_at(plan, layer - 1, t)


@jit
def window_at(plan: Any) -> int:
    """Offset of what the direct connection takes (T, D, S): the inputs, or a copy of a part of them."""
    return plan[AT_INPUTS] if plan[DIRECT_FEATURES] == plan[FEATURES] else plan[AT_WINDOW]  # type: ignore[no-any-return]


@jit
def handed_on_at(plan: Any, layer: int, t: int) -> int:
    """Offset of what a layer hands on at step t, (H, S): its state, with a residual link the sum with what it took."""
    if layer > 0 and plan[RESIDUAL]:
        slots = plan[GATE_SLOTS]
        place = (layer - 1) * slots + t % slots
        return plan[AT_LINKED] + place * plan[HIDDEN] * plan[LANES]  # type: ignore[no-any-return]
    return state_at(plan, plan[AT_STATES], layer, t)


@jit
def output_slot(plan: Any, t: int) -> int:
    """Position of step t among the output steps; -1 if the network gives no output there."""
    if plan[EVERY_STEP]:
        return t
    return 0 if t == plan[STEPS] - 1 else -1
