"""Sessions: the slots of a week at which a market trades, and the arithmetic over open slots.

A slot is a place of the week that is a multiple of the step away from the others. Sessions are kept as runs: first and
last slot, in microseconds since Monday 00:00 of the wall clock.

Dimension letters: `K` horizon steps, `D` days, `M` slots of the day that has most; `...` any.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.frequency import DAY_US, WEEK_US, weekday
from rnncast.errors import DataError

Runs = tuple[tuple[int, int], ...]

MOST_SLOTS = 7 * 86_400
"""Slots of a week up to which sessions are kept: one a second."""

MOST_RUNS = 1_000
"""Runs of a week that a model file may hold."""

_MOST_WEEKS = 100_000  # two millennia

IsOpen = Callable[[NDArray[np.int64]], NDArray[np.bool_]]
"""Says of days (D,) since 1970-01-01 whether they are no closure; days of the week are left to the sessions."""


class WeekTable(NamedTuple):
    """Slots of each day of the week."""

    slots: NDArray[np.int64]  # (7, M) microseconds since midnight, ascending, then padded with a whole day
    counts: NDArray[np.int64]  # (7,)


def check_sessions(runs: object, step: int) -> None:
    """ValueError unless `runs` are ascending runs of a week with slots `step` microseconds apart."""
    if not isinstance(runs, tuple) or len(runs) > MOST_RUNS:
        raise ValueError(f"sessions: expected at most {MOST_RUNS} runs")
    before, slots = -1, 0
    for run in runs:
        if not isinstance(run, tuple) or len(run) != 2 or not all(type(edge) is int for edge in run):
            raise ValueError(f"sessions: {run!r} is no pair of integers")
        first, last = run
        if not before < first <= last < WEEK_US or (last - first) % step:
            raise ValueError(f"sessions: run {run} is out of place in a week of steps of {step} microseconds")
        before, slots = last, slots + (last - first) // step + 1
    if slots > MOST_SLOTS:
        raise ValueError(f"sessions: {slots} slots in a week, expected at most {MOST_SLOTS}")


@lru_cache(maxsize=16)
def week_table(runs: Runs, step: int) -> WeekTable:
    """Slots of the days of a week with these runs."""
    slots = np.concatenate([np.arange(first, last + 1, step, dtype=np.int64) for first, last in runs])
    day = slots // DAY_US
    counts = np.bincount(day, minlength=7)
    table = np.full((7, int(counts.max())), DAY_US, dtype=np.int64)  # (7, M)
    place = np.arange(len(slots)) - np.repeat(np.cumsum(counts) - counts, counts)
    table[day, place] = slots - day * DAY_US
    return WeekTable(table, counts)


def runs_of(slots: NDArray[np.bool_], step: int, phase: int) -> Runs:
    """Runs of the open slots of a week (slots,), the first of which lies `phase` microseconds after Monday 00:00."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], slots, [False])).astype(np.int8)))
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return tuple((first * step + phase, (end - 1) * step + phase) for first, end in pairs)


def advance_slots(
    table: WeekTable, wall: NDArray[np.int64], ahead: NDArray[np.int64], is_open: IsOpen
) -> NDArray[np.int64]:
    """Wall times (..., K) of the open slots number `ahead` (K,), from 1, after the wall times `wall` (...)."""
    day = wall // DAY_US  # (...)
    first = int(day.min())
    weeks = (int(day.max()) - first) // 7 + 2 + int(ahead[-1]) // int(table.counts.sum())
    while True:
        days = np.arange(first, first + 7 * weeks)  # (D,)
        counts = table.counts[weekday(days)] * is_open(days)  # (D,)
        before = np.concatenate(([0], np.cumsum(counts)))  # (D + 1,) open slots before each day
        position = (_slots_up_to(table, wall, first, counts) + before[day - first])[..., None] + ahead  # (..., K)
        if position.max() <= before[-1]:
            break
        weeks += weeks // 4 + 2  # closures took some
        if weeks > _MOST_WEEKS:
            raise DataError("the closures of the calendar leave no open slot", hint="train the model again")
    found = np.searchsorted(before, position, side="left") - 1  # (..., K) day of each slot
    slot = position - before[found] - 1
    return np.asarray((first + found) * DAY_US + table.slots[weekday(first + found), slot])


def slots_between(
    table: WeekTable, start: NDArray[np.int64], end: NDArray[np.int64], is_open: IsOpen
) -> NDArray[np.int64]:
    """Number of open slots after the wall times `start` (R,) and before the wall times `end` (R,)."""
    if not len(start):
        return np.zeros(0, dtype=np.int64)
    first = int(start.min()) // DAY_US
    days = np.arange(first, int(end.max()) // DAY_US + 1)  # (D,)
    counts = table.counts[weekday(days)] * is_open(days)  # (D,)
    before = np.concatenate(([0], np.cumsum(counts)))  # (D + 1,)
    ends = [before[wall // DAY_US - first] + _slots_up_to(table, wall, first, counts) for wall in (start, end - 1)]
    return np.asarray(ends[1] - ends[0])


def _slots_up_to(table: WeekTable, wall: NDArray[np.int64], first: int, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Open slots (...) of the day of each wall time (...) that are not after it; `counts` (D,) are those of days."""
    day = wall // DAY_US
    clock, name = wall - day * DAY_US, weekday(day)
    done = np.zeros(wall.shape, dtype=np.int64)
    for number in range(7):
        here = name == number
        if here.any():
            done[here] = np.searchsorted(table.slots[number], clock[here], side="right")
    return np.where(counts[day - first] > 0, done, 0)
