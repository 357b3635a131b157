"""What deserves a word before a forecast is made of a panel: at most one line a kind, with its remedy.

Dimension letter: `S` series.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from rnncast.data.diagnosis import LEAST_MOVE, Diagnosis
from rnncast.data.jumps import Jump
from rnncast.data.panel import Panel
from rnncast.data.summary import counted, format_stamp

LEAST_TAIL = 5
"""Equal values at the end of a series from which on the feed may have stopped."""

LEAST_BEHIND = 5
"""Rows that a series must lack at its end to be called one that ends early."""


def warnings_of(diagnosis: Diagnosis, panel: Panel) -> tuple[str, ...]:
    """The first place and a count of each kind of mistake that is likely, and what to do about it.

    Parameters
    ----------
    diagnosis, panel
        The figures, and the panel that they are of.
    """
    lines = (
        _standins(diagnosis, panel),
        _strangers(diagnosis, panel),
        _far_off(diagnosis, panel),
        _level_breaks(diagnosis, panel),
        _stopped(diagnosis, panel),
        _behind(diagnosis, panel),
        _alike(diagnosis),
        _same(diagnosis),
        _tiny(diagnosis, panel),
        _imprecise(diagnosis, panel),
    )
    return tuple(line for line in lines if line is not None)


def figure(value: float) -> str:
    """A value as it stands in the data, to ten digits."""
    return f"{value:,.10g}"


def _standins(diagnosis: Diagnosis, panel: Panel) -> str | None:
    if not diagnosis.standins:
        return None
    first = diagnosis.standins[0]
    many = f"{first.count:,} values are" if first.count > 1 else "one value is"
    since = format_stamp(panel.times[first.row], panel.calendar.zone)
    others = len({standin.series for standin in diagnosis.standins}) - 1
    more = f"; so it is in {counted(others, 'more series')[: -1 if others > 1 else None]}" if others else ""
    return (
        f"{many} {figure(first.value)}, far from all others, the first at {since}{_of_series(panel, first.series)}"
        f"{more}; if that stands for a missing value, leave those cells empty"
    )


def _strangers(diagnosis: Diagnosis, panel: Panel) -> str | None:
    if not diagnosis.strangers:
        return None
    first = diagnosis.strangers[0]
    row, neighbour = (format_stamp(panel.times[r], panel.calendar.zone) for r in (first.row, first.neighbour))
    which, side = ("last", "after") if first.row > first.neighbour else ("first", "before")
    more = f" ({counted(len(diagnosis.strangers) - 1, 'more such row')})" if len(diagnosis.strangers) > 1 else ""
    return (
        f"the {which} row{_of_series(panel, first.series)}, {row}, lies far {side} the one next to it, {neighbour}"
        f"{more}; if its date is a mistake, correct it"
    )


def _far_off(diagnosis: Diagnosis, panel: Panel) -> str | None:
    standins = {(standin.series, standin.value) for standin in diagnosis.standins}  # said already
    jumps = [jump for jump in diagnosis.jumps if jump.rows and (jump.series, jump.value) not in standins]
    if not jumps:
        return None
    first, single = jumps[0], len(jumps) == 1 and jumps[0].rows == 1
    rows = sum(jump.rows for jump in jumps)
    start = "one value far off its neighbours: " if single else f"{rows:,} values far off their neighbours, the first: "
    stands = f"between {figure(first.before)} and {figure(first.after)}"
    if np.isnan(first.after):
        stands = f"after {figure(first.before)}, at the end"
    remedy = "if it is a mistake, correct it or leave the row out"
    if not single:
        remedy = "if they are mistakes, correct them or leave the rows out"
    return f"{start}{figure(first.value)} {_place(first, panel)}, {stands}; {remedy}"


def _level_breaks(diagnosis: Diagnosis, panel: Panel) -> str | None:
    breaks = [jump for jump in diagnosis.jumps if not jump.rows]
    if not breaks:
        return None
    first = breaks[0]
    start = "one level break" if len(breaks) == 1 else f"{len(breaks):,} level breaks"
    ratio = Fraction(first.ratio).limit_denominator(1000)
    each = "it is a split or a change of unit" if len(breaks) == 1 else "they are splits or changes of unit"
    return (
        f"{start} by the ratio of a split{'' if len(breaks) == 1 else ', the first'}: from {figure(first.before)} to "
        f"{figure(first.value)} {_place(first, panel)}, times {ratio}; if {each}, multiply the rows before by {ratio}"
        f"{'' if len(breaks) == 1 else ', and so on'}, or use adjusted prices"
    )


def _stopped(diagnosis: Diagnosis, panel: Panel) -> str | None:
    usual = np.maximum(LEAST_TAIL, 2 * diagnosis.longest_run + 1)  # (S,)
    stopped = np.flatnonzero((diagnosis.tail >= usual) & ~diagnosis.constant)
    if not len(stopped):
        return None
    first = int(stopped[0])
    end, rows = int(panel.indptr[first + 1]), int(diagnosis.tail[first])
    since = format_stamp(panel.times[end - rows], panel.calendar.zone)
    remedy = "leave those rows out" if len(panel.ids) > 1 else f"leave them out: --until {since!r}"
    return (
        f"the last {rows:,} rows{_of_series(panel, first)} repeat one value, {figure(panel.target[end - 1])}, since "
        f"{since}{_more(stopped, 'series')}; if the feed stopped there, {remedy}"
    )


def _behind(diagnosis: Diagnosis, panel: Panel) -> str | None:
    early = np.flatnonzero(diagnosis.behind >= LEAST_BEHIND)
    if not len(early):
        return None
    first = int(early[np.argmax(diagnosis.behind[early])])
    rows, last = int(diagnosis.behind[first]), format_stamp(diagnosis.last[first], panel.calendar.zone)
    if len(early) == 1:
        return (
            f"series {panel.ids[first]!r} ends {rows:,} rows before the others, at {last}; its forecast starts there: "
            "leave the series out if it is over"
        )
    return (
        f"{len(early):,} of {len(panel.ids):,} series end before the others, {panel.ids[first]!r} {rows:,} rows, at "
        f"{last}; their forecasts start there: leave out the series that are over"
    )


def _alike(diagnosis: Diagnosis) -> str | None:
    if not diagnosis.alike:
        return None
    names = " and ".join(map(repr, diagnosis.alike[0][:3]))
    more = f" ({counted(len(diagnosis.alike) - 1, 'more such group')})" if len(diagnosis.alike) > 1 else ""
    return f"ids that hardly differ: {names}{more}; if they are one series, give them one name"


def _same(diagnosis: Diagnosis) -> str | None:
    if not diagnosis.same:
        return None
    names = " and ".join(map(repr, diagnosis.same[0][:3]))
    more = f" ({counted(len(diagnosis.same) - 1, 'more such group')})" if len(diagnosis.same) > 1 else ""
    return f"series with the same values: {names}{more}; leave out all but one, or they count twice"


def _tiny(diagnosis: Diagnosis, panel: Panel) -> str | None:
    series = np.flatnonzero(diagnosis.tiny)
    if not len(series):
        return None
    rows = int(diagnosis.tiny.sum())
    are = "value is" if rows == 1 else "values are"
    return (
        f"{rows:,} {are} below 2.2e-308, where digits are lost{_of_series(panel, int(series[0]))}"
        f"{_more(series, 'series')}; give the column in a smaller unit"
    )


def _imprecise(diagnosis: Diagnosis, panel: Panel) -> str | None:
    series = np.flatnonzero(diagnosis.imprecise)
    if not len(series):
        return None
    return (
        f"the moves{_of_series(panel, int(series[0]))} are below {LEAST_MOVE:g} of the level{_more(series, 'series')}, "
        "where rounding begins to tell; subtract the level first"
    )


def _place(jump: Jump, panel: Panel) -> str:
    series = f" (series {panel.ids[jump.series]!r})" if len(panel.ids) > 1 else ""
    return f"at {format_stamp(panel.times[jump.row], panel.calendar.zone)}{series}"


def _of_series(panel: Panel, series: int) -> str:
    return f" of series {panel.ids[series]!r}" if len(panel.ids) > 1 else ""


def _more(found: NDArray[np.int64], what: str) -> str:
    return f" ({len(found) - 1:,} more {what} like it)" if len(found) > 1 else ""
