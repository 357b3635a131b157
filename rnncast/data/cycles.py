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
from rnncast.data.season import SUGGESTED, has_season, seasons_of

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
    if week == 0:
        return 0
    sample = _sample(panel)
    having = [week in seasons_of(panel.target[panel.rows(s)], (season_length, week), SUGGESTED) for s in sample]
    return week if SOME <= sum(having) / len(having) <= MOST else 0


def _week(panel: Panel, season_length: int) -> int:
    """Rows of a week, if the season may be that of a day; 0 if not, or if a week has no whole number of days."""
    if not panel.is_dated:
        return 7 * season_length if season_length >= FEWEST_DAY_ROWS else 0
    longer = [length for length in panel.calendar.season_candidates() if length > season_length]
    return longer[0] if len(longer) == 1 and longer[0] % season_length == 0 and season_length > 1 else 0


def has_yearly_cycle(panel: Panel) -> bool:
    """Whether the monthly means of more than half of the series have a season of twelve months."""
    shown = [_is_yearly(panel, panel.rows(series)) for series in _sample(panel)]
    return 2 * sum(shown) > len(shown)


def _sample(panel: Panel) -> list[int]:
    """Numbers of the series that are asked."""
    return [int(number) for number in np.unique(np.linspace(0, len(panel.ids) - 1, MOST_SERIES).astype(np.int64))]


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
