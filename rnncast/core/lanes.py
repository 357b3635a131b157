"""Between a batch and a shard: copies of some lanes of it into and out of the workspace.

Letters: B batch, S lanes of a shard.
"""

from __future__ import annotations

from typing import Any

from rnncast.core.jit import jit
from rnncast.core.matrix import fill_zero


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
