"""Between a batch and a shard: copies of some lanes of it into and out of the workspace.

Letters: B batch, S lanes of a shard.
"""

from __future__ import annotations

from typing import Any

from rnncast.core.addresses import state_at
from rnncast.core.jit import jit
from rnncast.core.layout import AT_CELLS, AT_STATES, BATCH, CARRIED, CELL, DEPTH, HIDDEN, LANES, LAYERS, STEPS
from rnncast.core.matrix import fill_zero
from rnncast.core.shape import LSTM


@jit
def gather(source: Any, start: int, batch: int, rows: int, w: Any, at: int, lanes: int, used: int) -> None:
    """Copy lanes `start` .. `start + used` of (rows, B) to (rows, S) of the workspace; zero in the lanes left over."""
    fill_zero(w, at, rows * lanes)
    for row in range(rows):
        target = w[at + row * lanes : at + row * lanes + used]
        given = source[row * batch + start : row * batch + start + used]
        for n in range(used):
            target[n] = given[n]


@jit
def scatter(w: Any, at: int, rows: int, lanes: int, target: Any, start: int, batch: int, used: int) -> None:
    """Copy (rows, S) of the workspace to lanes `start` .. `start + used` of (rows, B)."""
    for row in range(rows):
        given = w[at + row * lanes : at + row * lanes + used]
        place = target[row * batch + start : row * batch + start + used]
        for n in range(used):
            place[n] = given[n]


@jit
def take_states(plan: Any, states: Any, start: int, used: int, w: Any) -> None:
    """Put the initial states of a shard, given (parts, L, depth, H, B) or zero, in the places before the first step."""
    n = plan[DEPTH] * plan[HIDDEN] * plan[LANES]
    size = plan[DEPTH] * plan[HIDDEN] * plan[BATCH]
    layers = plan[LAYERS]
    for part in range(2 if plan[CELL] == LSTM else 1):
        for layer in range(layers):
            place = state_at(plan, plan[AT_CELLS] if part else plan[AT_STATES], layer, -plan[DEPTH])
            if plan[CARRIED]:
                given = states[(part * layers + layer) * size : (part * layers + layer + 1) * size]
                gather(given, start, plan[BATCH], plan[DEPTH] * plan[HIDDEN], w, place, plan[LANES], used)
            else:
                fill_zero(w, place, n)


@jit
def leave_states(plan: Any, left: Any, start: int, used: int, w: Any) -> None:
    """Copy the states of the last steps of a shard to `left` (parts, L, depth, H, B)."""
    size = plan[HIDDEN] * plan[BATCH]
    layers = plan[LAYERS]
    for part in range(2 if plan[CELL] == LSTM else 1):
        for layer in range(layers):
            for back in range(plan[DEPTH]):
                t = plan[STEPS] - plan[DEPTH] + back
                place = state_at(plan, plan[AT_CELLS] if part else plan[AT_STATES], layer, t)
                slot = (part * layers + layer) * plan[DEPTH] + back
                target = left[slot * size : (slot + 1) * size]
                scatter(w, place, plan[HIDDEN], plan[LANES], target, start, plan[BATCH], used)
