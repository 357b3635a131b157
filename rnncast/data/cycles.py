"""Cycles that a panel shows beside its season: those whose phases a network is told, and a week that some series have.

Only the rows of the panel that is given are looked at.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.frequency import DAY_US
from rnncast.data.calendars.timeline import to_wall
from rnncast.data.panel import Panel
from rnncast.data.phases import CYCLES, PHASES
from rnncast.data.season import LEAST_SEASONS, SUGGESTED, has_season, seasons_of
from rnncast.data.windows import spread_evenly

FEWEST_CYCLES = 5
"""Cycles that a typical series must span: with fewer, what a phase seems to say is chance, or a trend."""

MOST_SERIES = 64
"""Series of a large panel that are asked for a cycle, evenly spread over it."""

SOME, MOST = 0.1, 0.9
"""Share of the series between which only some of them have a week beside the day."""

FEWEST_DAY_ROWS = 24
"""Rows of a season from which on it may be a day where rows are counted."""

_DAY_STEPS = {"clock": 1, "day": DAY_US, "business": DAY_US}
"""Microseconds of one unit of the steps that may be told a phase: those of a day or less."""


def phases_told(panel: Panel, season_length: int) -> tuple[str, ...]:
    """Names of the phases (see `rnncast.data.phases`) of the cycles that a panel shows, and spans often enough.

    Day and week go with any season that was found; a year has no season among those that networks work with, and is
    tested by itself.
    """
    frequency = panel.calendar.frequency
    if frequency.family not in _DAY_STEPS or panel.calendar.irregular:
        return ()
    first, last = panel.times[panel.indptr[:-1]], panel.times[panel.indptr[1:] - 1]  # (S,) each
    span = float(np.median((last - first).astype(np.int64)))  # microseconds
    shown = {"day": season_length > 1, "week": season_length > 1}
    told = [
        cycle
        for cycle, length in CYCLES.items()
        if 2 * frequency.count * _DAY_STEPS[frequency.family] <= length and span >= FEWEST_CYCLES * length
        if (shown[cycle] if cycle in shown else has_yearly_cycle(panel))
    ]
    return tuple(name for name in PHASES if name.split()[0] in told)


def long_season(panel: Panel, season_length: int) -> int:
    """Rows of a week where some series of a panel have one beside the season of a day, and others do not; else 0.

    What all series have in common a network learns; by which season one goes, its own rows must say.
    """
    week = _week(panel, season_length)
    sample = _sample(panel, LEAST_SEASONS * week) if week else []
    if not sample:
        return 0
    having = [week in seasons_of(panel.target[panel.rows(s)], (season_length, week), SUGGESTED) for s in sample]
    return week if SOME <= sum(having) / len(having) <= MOST else 0


def _week(panel: Panel, season_length: int) -> int:
    """Rows of a week, as many days as it has of them, if the season may be that of a day; else 0."""
    if not panel.is_dated:
        return 7 * season_length if season_length >= FEWEST_DAY_ROWS else 0
    lengths = panel.calendar.season_candidates()  # of a day and a week, for steps of the clock
    is_day = panel.calendar.frequency.family == "clock" and len(lengths) == 2 and season_length == lengths[0]
    return lengths[1] if is_day else 0


def has_yearly_cycle(panel: Panel) -> bool:
    """Whether the monthly means of more than half of the series have a season of twelve months."""
    span = (panel.times[panel.indptr[1:] - 1] - panel.times[panel.indptr[:-1]]).astype(np.int64)  # (S,)
    long_enough = np.flatnonzero(span >= FEWEST_CYCLES * CYCLES["year"])
    shown = [_is_yearly(panel, panel.rows(series)) for series in _spread(long_enough)]
    return 2 * sum(shown) > len(shown)


def _sample(panel: Panel, rows: int) -> list[int]:
    """Numbers of the series that are asked, of those with so many rows."""
    return _spread(np.flatnonzero(panel.lengths >= rows))


def _spread(series: NDArray[np.int64]) -> list[int]:
    """At most `MOST_SERIES` of some, evenly spread over them."""
    return [int(s) for s in series[spread_evenly(len(series), MOST_SERIES)]]


def _is_yearly(panel: Panel, rows: slice) -> bool:
    values = panel.target[rows]  # (T,)
    if (values > 0).all():
        values = np.log(values)
    wall = to_wall(panel.times[rows].astype("datetime64[us]").view(np.int64), panel.calendar.zone)
    return has_season(_means(values, wall.view("datetime64[us]").astype("datetime64[M]")), 12)


def _means(values: NDArray[np.float64], months: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Mean of the values (T,) of each month that has any, in the order of time."""
    _, place, count = np.unique(months, return_inverse=True, return_counts=True)
    return np.asarray(np.bincount(place, values) / count)
