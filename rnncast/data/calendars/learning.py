"""What is closed: days of the week, slots of the week and days of the year, learnt from the rows given.

Dimension letters: `W` weeks, `M` slots of a day.
"""

from __future__ import annotations

from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.frequency import DAY_US, EVERY_DAY, WEEK_US, WORKING_WEEK, Frequency
from rnncast.data.calendars.recurring import learn_closures
from rnncast.data.calendars.regularity import learn_weekmask, usual_gap
from rnncast.data.calendars.sessions import MOST_SLOTS, Runs, runs_of
from rnncast.data.calendars.timeline import Timeline, pieces, to_wall

RECENT_WEEKS = 6
"""Weeks at the end of the rows that sessions are learnt from: markets change theirs, and UTC stamps of a market whose
clock is changed move by an hour."""

PHASE_SHARE = 0.9
"""Least share of recent rows that lie on one grid of slots; with fewer the series have hours of their own."""

TEAR_CHANCE = 0.01
"""Chance that trading as thin as it is leaves some slots of a week as empty as those, from which on they are open."""

MOST_RUNS_A_DAY = 4
"""Sessions of an open day, on average, beyond which it is thin trading that tears them: days are then open from their
first slot to their last."""


class Closed(NamedTuple):
    """Fields of a calendar that say what is closed."""

    weekmask: str = EVERY_DAY
    sessions: Runs = ()
    closures: tuple[str, ...] = ()


def learn_closed(line: Timeline, frequency: Frequency, weekmask: str | None) -> Closed:
    """Open days, sessions and closures of a step.

    Parameters
    ----------
    line
        The rows.
    frequency
        Their step, learnt or named.
    weekmask
        Open days where they are known from learning the step. They are not where the user named it, and what is learnt
        must fit the name: business days are Monday to Friday if the rows say nothing else, and a step of a day goes
        through the weekend.
    """
    fits = line.is_dated and 0 < usual_gap(line.stamps) <= 9 * DAY_US // 8
    if frequency.family == "clock":
        if not fits:
            return Closed()
        weekmask, sessions = learn_week(line, frequency.count)
        return Closed(weekmask, sessions, learn_closures(line, weekmask))
    if frequency.family == "business":
        if weekmask is None:
            weekmask = learn_weekmask(line.days) if fits else EVERY_DAY
            weekmask = WORKING_WEEK if weekmask == EVERY_DAY else weekmask
        return Closed(weekmask, (), learn_closures(line, weekmask) if fits else ())
    if frequency == Frequency("day", 1) and fits and (weekmask or learn_weekmask(line.days)) == EVERY_DAY:
        return Closed(closures=learn_closures(line, EVERY_DAY))
    return Closed()


# ---- slots of the week


def learn_week(line: Timeline, step: int) -> tuple[str, Runs]:
    """Open days and sessions of the recent weeks, for steps of `step` microseconds.

    A slot is open if it occurs in about half of the weeks that passed over it. Days without a row are left out of that
    count, since holidays say nothing about a session's hours. A day of the week that no row passes over counts as open,
    unless nights are closed: then it is a market's, and its weekend is closed too.
    """
    keeps_step = usual_gap(line.stamps) == step  # a user may name another step than that of the rows
    grid = _phase(line, step) if keeps_step else None
    whole = grid is None  # no grid of slots: days alone
    slot_us = DAY_US if grid is None else step
    seen, passed = _weeks_seen(line, slot_us, 0 if grid is None else grid)  # (W, 7, M)
    day_seen = np.asarray(seen.any(axis=2))  # (W, 7)
    opened, known = _open_weekdays(day_seen, np.asarray(passed.all(axis=2)))
    if whole:
        return _mask(opened), ()
    asked = passed & day_seen[..., None]  # (W, 7, M)
    share = _slot_shares(seen, asked)  # (7, M)
    slots = share >= 0.5 * _usual_share(share)
    if not np.all(slots[opened & known]):
        opened[5:] &= known[5:]
    slots &= opened[:, None]
    slots = _without_tears(slots, seen.sum(axis=0), asked.sum(axis=0))
    mask = _mask(np.asarray(slots.any(axis=1)))
    full = np.all(slots.all(axis=1) | ~slots.any(axis=1))
    return mask, () if full else runs_of(slots.ravel(), step, 0 if grid is None else grid)


def _phase(line: Timeline, step: int) -> int | None:
    """Place of the slots in a step, in microseconds; None where days have no slots in common, or far too many."""
    if DAY_US % step or WEEK_US // step > MOST_SLOTS:
        return None
    values = line.stamps.values
    latest = int(values.max())
    recent = values[:: len(values) // 20_000 + 1]
    recent = to_wall(recent[recent > latest - RECENT_WEEKS * WEEK_US], line.zone)
    if not len(recent):
        return None
    phases = np.sort(recent % step)
    usual = phases[len(phases) // 2]  # the median is the most common one if any makes up more than half
    return int(usual) if np.count_nonzero(phases == usual) >= PHASE_SHARE * len(phases) else None


def _weeks_seen(line: Timeline, step: int, phase: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which slots of the recent weeks have a row, and which lie between the first and the last row; both (W, 7, M)."""
    values = line.stamps.values
    latest = int(to_wall(values.max(keepdims=True), line.zone)[0])
    monday = _monday(latest) - RECENT_WEEKS * WEEK_US + phase
    seen = np.zeros((RECENT_WEEKS + 1) * (WEEK_US // step), dtype=bool)
    early = monday - 2 * DAY_US  # in UTC: no zone is as far from it
    if len(line.stamps.indptr) == 2:
        values = values[np.searchsorted(values, early) :]
    for piece in pieces(len(values)):
        recent = values[piece]
        recent = recent[recent >= early]
        if len(recent):
            wall = to_wall(recent, line.zone) - monday
            slot = wall // step
            seen[slot[(slot >= 0) & (wall == slot * step) | (step == DAY_US) & (slot >= 0)]] = True
    places = np.flatnonzero(seen)
    passed = np.zeros_like(seen)
    if len(places):
        passed[places[0] : places[-1] + 1] = True
    shape = (RECENT_WEEKS + 1, 7, DAY_US // step)
    return seen.reshape(shape), passed.reshape(shape)


def _monday(wall: int) -> int:
    """Monday 00:00 of the week of a wall time."""
    day = wall // DAY_US
    return (day - (day + 3) % 7) * DAY_US


def _open_weekdays(seen: NDArray[np.bool_], passed: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Days of the week (7,) that are open, and those of which anything is known, from the days of weeks (W, 7).

    A third of the weeks is enough: Christmas and New Year fall on the same day of the week.
    """
    asked = (passed | seen) & seen.any(axis=1, keepdims=True)  # (W, 7); weeks without any row are left out
    count = asked.sum(axis=0)
    return seen.sum(axis=0) * 3 >= count, count > 0


def _slot_shares(seen: NDArray[np.bool_], asked: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How often each slot of the week occurs, (7, M), of the times asked (W, 7, M).

    The same time on the other days counts as little more than one week of its own: it decides where the slot was
    never passed over, and makes up for a single hole, in the first weeks.
    """
    found, times = seen.sum(axis=0), asked.sum(axis=0)  # (7, M)
    of_day = times.sum(axis=0)  # (M,)
    usual = np.where(of_day > 0, found.sum(axis=0) / np.maximum(of_day, 1), 1.0)
    weight = np.where(times.max(initial=0) < 3, 1.25, np.where(times == 0, 1.0, 0.0))
    return np.asarray((found + weight * usual) / np.maximum(times + weight, 1e-9))


def _usual_share(share: NDArray[np.float64]) -> float:
    """How often a slot occurs that is open: less than always where trading is thin."""
    occurring = np.sort(share[share > 0])
    return float(occurring[3 * len(occurring) // 4]) if len(occurring) else 1.0


def _without_tears(slots: NDArray[np.bool_], found: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Slots of the week (7, M) without tears: breaks, or ends of a session, that thin trading may well have made.

    `found` and `times` (7, M) count how often each slot had a row, of the times asked. Days that are torn into many
    sessions nevertheless are open from their first slot to their last.
    """
    whole = slots.copy()
    density = min(found[slots].sum() / max(times[slots].sum(), 1), 0.99)
    on_most_days = 2 * slots.sum(axis=0) > np.count_nonzero(slots.any(axis=1))  # (M,)
    for day in np.flatnonzero(slots.any(axis=1)):
        for start, end in _runs(~slots[day] & (on_most_days | _inside(slots[day]))):
            rows, asked = int(found[day, start:end].sum()), int(times[day, start:end].sum())
            whole[day, start:end] = _chance_of_few(rows, asked, density) * slots.sum() > TEAR_CHANCE
    sessions = [len(_runs(day)) for day in whole if day.any()]
    if sum(sessions) <= MOST_RUNS_A_DAY * len(sessions):
        return whole
    return np.array([_inside(day) for day in whole])


def _chance_of_few(rows: int, asked: int, density: float) -> float:
    """Chance of at most so many rows in slots asked so many times, if each has one with probability `density`."""
    if asked > 200:  # few enough to be closed, of so many: no chance
        return 0.0
    return sum(comb(asked, k) * density**k * (1.0 - density) ** (asked - k) for k in range(rows + 1))


def _inside(day: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Slots of a day (M,) from the first open one to the last."""
    return np.logical_or.accumulate(day) & np.logical_or.accumulate(day[::-1])[::-1]


def _runs(day: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Starts and ends of the runs of true slots of a day (M,)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], day, [False])).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _mask(opened: NDArray[np.bool_]) -> str:
    return "".join("1" if day else "0" for day in opened)
