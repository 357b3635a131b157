"""Usual closures learnt from rows: the rules behind days on which no series has one.

Every form of rule that could have closed a day is put to the test. The best are taken first, and each must explain days
that those before it do not; what holes at random could have made is left out again.

Dimension letters: `C` rules, `D` days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from math import comb

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.closures import MOVES, easter_of, parse_rule, rule_days
from rnncast.data.calendars.frequency import WEEKDAYS, weekday
from rnncast.data.calendars.timeline import Timeline

RECENT_DAYS = 3652
"""Days at the end of the rows that closures are learnt from: ten years, because markets change theirs."""

FEWEST_TIMES = 3
"""Times that a rule must have closed a day."""

FALSE_RULES = 0.01
"""Rules that holes at random may be expected to make, at most."""

_EASTER_OFFSETS = (-48, -47, -46, -3, -2, -1, 0, 1, 39, 49, 50, 60)  # learnt: Carnival to Corpus Christi
_RULES = 1900  # forms times dates, weekdays and offsets: as many rules are put to the test
_CLOSED_SHARE = 0.01  # of the rows of the same day in the weeks around, below which a day counts as closed
_LONG_HOLE = 9  # days; what is longer is no closure, and says nothing about those within
_MOST_CLOSED = 0.2  # share of days beyond which rows are missing for other reasons


def learn_closures(line: Timeline, weekmask: str) -> tuple[str, ...]:
    """Rules of the days on which no series has a row, in the order of the year.

    A day counts as closed for all series together: where two series keep different holidays, only those that they have
    in common are closures. A few rows of a large panel on a holiday (a vendor's slip) do not open it.

    Parameters
    ----------
    line
        The rows.
    weekmask
        Open days of the week; the others are not asked.
    """
    first, last = line.span()
    first = max(first, last - RECENT_DAYS)
    if last - first < (FEWEST_TIMES - 1) * 365:
        return ()
    closed, asked = _closed_days(line.rows_by_day(first, last), first, weekmask)
    if not closed.any() or closed.sum() > _MOST_CLOSED * asked.sum():
        return ()
    chosen, unexplained = _explain(closed, asked, first)
    rate = unexplained.sum() / max(asked.sum(), 1)  # of holes that follow no rule
    kept = [rule for rule, (shut, opened) in chosen.items() if _false_rules(shut, opened, rate) <= FALSE_RULES]
    if not kept:
        return ()
    return tuple(kept[place] for place in np.argsort(rule_days(kept, np.array([2023]))[:, 0], kind="stable"))


def _false_rules(shut: int, opened: int, rate: float) -> float:
    """Rules expected to have this record by holes at random alone, of all that are put to the test."""
    return _RULES * comb(shut + opened, opened) * float(rate) ** shut


def _closed_days(rows: NDArray[np.int64], first: int, weekmask: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which days (D,) are closed, and which are asked at all: open weekdays, outside of long holes."""
    opened = np.array([day == "1" for day in weekmask])[weekday(first + np.arange(len(rows)))]  # (D,)
    around = np.zeros_like(rows)  # (D,) most rows on the same day of the week nearby
    for days in (7, 14):
        if len(rows) > days:
            around[days:] = np.maximum(around[days:], rows[:-days])
            around[:-days] = np.maximum(around[:-days], rows[days:])
    asked = opened & ((rows > 0) | (around > 0))
    present = np.flatnonzero(rows)
    for hole in np.flatnonzero(np.diff(present) > _LONG_HOLE):
        asked[present[hole] + 1 : present[hole + 1]] = False
    return asked & (rows < _CLOSED_SHARE * around), asked


def _explain(
    closed: NDArray[np.bool_], asked: NDArray[np.bool_], first: int
) -> tuple[dict[str, tuple[int, int]], NDArray[np.bool_]]:
    """Rules that explain the closed days (D,), the best first, with the times that each was closed and open.

    Each rule must explain days that those before it do not. Also returns the closed days (D,) left over.
    """
    hits = Counter(rule for day in np.flatnonzero(closed).tolist() for rule in _rules_of(first + day))
    rules = sorted((rule for rule, times in hits.items() if times >= FEWEST_TIMES), key=_preference)
    standing = _standing(rules, closed, asked, first)
    chosen: dict[str, tuple[int, int]] = {}
    left = closed.copy()
    if not standing:
        return chosen, left
    rules = list(standing)
    days = np.concatenate(list(standing.values()))
    starts = np.cumsum([0, *(len(found) for found in standing.values())])[:-1]
    shut = np.add.reduceat(closed[days], starts, dtype=np.int64)  # (C,)
    opened = np.add.reduceat(~closed[days], starts, dtype=np.int64)
    while True:
        # An open day counts twice: of the forms of a rule the one without exceptions is the true one.
        gains = np.add.reduceat(left[days], starts, dtype=np.int64) - 2 * opened
        best = int(gains.argmax())
        if gains[best] < FEWEST_TIMES:
            return _with_usual_moves(chosen, dict(zip(rules, zip(shut, opened, strict=True), strict=True))), left
        chosen[rules[best]] = int(shut[best]), int(opened[best])
        left[standing[rules[best]]] = False


def _with_usual_moves(
    chosen: dict[str, tuple[int, int]], records: dict[str, tuple[np.int64, np.int64]]
) -> dict[str, tuple[int, int]]:
    """Rules, where dates whose form the rows leave open are moved off weekends as most others are."""

    def forms(rule: str) -> list[str]:
        return [f"{rule[:5]}{move}" for move in MOVES if records.get(f"{rule[:5]}{move}") == records[rule]]

    dates = [rule for rule in chosen if parse_rule(rule).kind == "date"]
    moves = Counter(rule[5:] for rule in dates if len(forms(rule)) == 1)
    if not moves:
        return chosen
    usual = moves.most_common(1)[0][0]
    renamed = {rule: f"{rule[:5]}{usual}" for rule in dates if f"{rule[:5]}{usual}" in forms(rule)}
    return {renamed.get(rule, rule): record for rule, record in chosen.items()}


def _standing(
    rules: Sequence[str], closed: NDArray[np.bool_], asked: NDArray[np.bool_], first: int
) -> dict[str, NDArray[np.int64]]:
    """The rules that stand today, and the days of their last occurrences, as places in the days (D,).

    Rules come and go, so that the latest occurrences count: all of them must be closed, or all but one of six or more,
    since vendors fill days in and markets make exceptions.
    """
    ends = np.array([first, first + len(closed)]).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)
    found: dict[str, NDArray[np.int64]] = {}
    for rule, days in zip(rules, rule_days(rules, np.arange(ends[0] + 1969, ends[1] + 1972)) - first, strict=True):
        places = days[(days >= 0) & (days < len(closed))]
        places = places[asked[places]]
        spans = np.arange(1, len(places) + 1)
        opened = np.cumsum(~closed[places][::-1])
        stands = np.flatnonzero((spans >= FEWEST_TIMES) & (opened <= (spans >= 2 * FEWEST_TIMES)))
        if len(stands):
            found[rule] = places[-spans[stands[-1]] :]
    return found


def _rules_of(day: int) -> list[str]:
    """All rules that can put a closure on a day since 1970-01-01."""
    on = date(1970, 1, 1) + timedelta(days=day)
    name, before, after = WEEKDAYS[on.weekday()], on - timedelta(days=1), on + timedelta(days=1)
    moves = list(MOVES) if on.weekday() < 5 else [""]
    dates = [(on, move) for move in moves]
    if name == "FRI":
        dates.append((after, "~"))
    if name == "MON":
        dates += [(before, "~"), (before, "+"), (before, "++"), (before - timedelta(days=1), "++")]
    rules = [f"{moved.month:02d}-{moved.day:02d}{move}" for moved, move in dates]
    if on.day <= 28:
        rules.append(f"{on.month:02d}-{name}-{(on.day + 6) // 7}")
    if (on + timedelta(days=7)).month != on.month:
        rules.append(f"{on.month:02d}-{name}-L")
    offset = day - easter_of(on.year)
    return [*rules, f"easter{offset:+d}"] if offset in _EASTER_OFFSETS else rules


def _preference(rule: str) -> tuple[bool, bool, int, str]:
    """Sorts first, of rules that explain the same days, the one that is more common elsewhere.

    Holidays on a last weekday are mostly Mondays, those on a fourth are not.
    """
    nth = rule[-1]
    return not rule.startswith("easter"), nth == "L" and "MON" not in rule or rule.endswith("MON-4"), len(rule), rule
