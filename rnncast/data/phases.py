"""Where a stamp stands in the cycles of the wall clock: numbers that a network can tell a Saturday, or noon, by.

A cycle is a circle, and a stamp a point on it: sine and cosine of its angle. So midnight is as near to the hour before
as to the hour after.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendar import Calendar
from rnncast.data.calendars.frequency import DAY_US, WEEK_US
from rnncast.data.calendars.timeline import to_wall

YEAR_US = 31_556_952 * 1_000_000
"""Mean year of the Gregorian calendar."""

CYCLES = {"day": DAY_US, "week": WEEK_US, "year": YEAR_US}
"""Lengths in microseconds."""

PHASES = ("day sine", "day cosine", "week sine", "week cosine", "year sine", "year cosine")
"""Names of the phases: cycle, and coordinate on its circle."""

_MONDAY_US = 3 * DAY_US
"""From a Monday to 1970-01-01, a Thursday."""


def phases(times: NDArray[Any], calendar: Calendar, names: tuple[str, ...]) -> NDArray[np.float32]:
    """Phases (P, ...) of stamps (...) on the calendar's wall clock, by name, as networks read them."""
    out = np.empty((len(names), *np.shape(times)), dtype=np.float32)  # (P, ...)
    if names:
        wall = to_wall(times.astype("datetime64[us]").view(np.int64), calendar.zone) + _MONDAY_US  # (...)
    for place, name in enumerate(names):
        cycle, coordinate = name.split()
        angle = 2.0 * np.pi / CYCLES[cycle] * (wall % CYCLES[cycle])  # (...)
        out[place] = np.sin(angle) if coordinate == "sine" else np.cos(angle)
    return out
