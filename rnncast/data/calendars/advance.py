"""The stamps that follow a row: steps of the clock, days, weeks and months, on open days and in open sessions.

Shapes: `K` horizon steps, `...` any.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.frequency import DAY_US, Frequency, advance_clock, advance_days
from rnncast.data.calendars.opendays import OpenDays
from rnncast.data.calendars.sessions import WeekTable, advance_slots
from rnncast.data.calendars.zone import to_local, to_utc


def stamps_after(
    last: NDArray[Any], steps: int, frequency: Frequency, days: OpenDays, week: WeekTable | None, zone: str | None
) -> NDArray[Any]:
    """Stamps datetime64[us] (..., K) that follow `last` (...); in UTC if there is a zone.

    Parameters
    ----------
    last, steps, frequency
        Last rows, number K of stamps, and their step, which is one of dates.
    days, week
        Open days, and the slots of a week where there are sessions.
    zone
        Zone of the wall clock on which days and sessions lie.
    """
    if frequency.family == "clock" and week is None and days.is_every_day:
        # An hour is an hour where the clock is changed, too: such days have 23 or 25 of them.
        return np.asarray(last[..., None] + np.arange(1, steps + 1) * np.timedelta64(frequency.count, "us"))
    if zone is None:
        return _wall_after(last.view(np.int64), steps, frequency, days, week).view("datetime64[us]")
    wall = to_local(last, zone).view(np.int64)  # (...)
    spare = 0
    while True:
        local = _wall_after(wall, steps + spare, frequency, days, week)  # (..., K and spare)
        times, skipped, _ = to_utc(local.reshape(-1), zone)
        times = times.reshape(local.shape)
        if skipped is None or frequency.family != "clock":  # a day is kept, at a time an hour later
            return times[..., :steps]
        absent = skipped.reshape(local.shape)  # there is no such slot on that day
        needed = int(absent.sum(axis=-1).max())
        if needed <= spare:
            order = np.argsort(absent, axis=-1, kind="stable")[..., :steps]
            return np.take_along_axis(times, order, axis=-1)
        spare = needed


def _wall_after(
    wall: NDArray[np.int64], steps: int, frequency: Frequency, days: OpenDays, week: WeekTable | None
) -> NDArray[np.int64]:
    """Wall times (..., K) that follow wall times (...), in microseconds."""
    ahead = np.arange(1, steps + 1)  # (K,)
    if week is not None:
        return advance_slots(week, wall, ahead, days.is_open)
    day = wall // DAY_US  # (...)
    open_days = days.over(day, _days_ahead(frequency, steps, days.weekmask))
    if frequency.family == "clock":
        return advance_clock(frequency.count, wall, ahead, open_days)
    if frequency == Frequency("day", 1) and not days.is_every_day:
        frequency = Frequency("business", 1)
    return advance_days(frequency, day, ahead, open_days) * DAY_US + (wall - day * DAY_US)[..., None]


def _days_ahead(frequency: Frequency, steps: int, weekmask: str) -> int:
    """Days within which so many steps lie, generously: closures have to be known over them."""
    days = {"clock": frequency.count / DAY_US, "week": 7.0 * frequency.count, "month": 31.0 * frequency.count}
    a_step = days.get(frequency.family, float(frequency.count))
    return int(2 * steps * a_step * 7 / weekmask.count("1")) + 60
