"""The calendar: what is regular about the stamps of a panel, and which stamps come next.

A calendar is learnt from the rows that it is given and from nothing else, so that no row after a cutoff leaks into it.
Prices are modelled by observation: a closed day is no missing value, and no stamp of a forecast falls on one.

Where the calendar has a zone, stamps are in UTC and days, weeks, months and sessions those of the zone's wall clock;
without one, stamps are taken as they are written.

Shapes: `R` rows, `S` series, `K` horizon steps, `...` any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnncast.data.calendars.advance import stamps_after
from rnncast.data.calendars.closures import check_rules
from rnncast.data.calendars.fields import calendar_fields
from rnncast.data.calendars.frequency import (
    DAY_US,
    EVERY_DAY,
    WORKING_WEEK,
    Frequency,
    parse_frequency,
)
from rnncast.data.calendars.learning import learn_closed
from rnncast.data.calendars.opendays import OpenDays, check_holidays
from rnncast.data.calendars.regularity import learn_frequency, median_frequency
from rnncast.data.calendars.sessions import Runs, WeekTable, check_sessions, week_table
from rnncast.data.calendars.timeline import Timeline
from rnncast.data.calendars.wording import describe_length, describe_sessions, describe_step, describe_weekmask
from rnncast.errors import UsageError
from rnncast.records import dataclass

__all__ = ["Calendar", "describe_weekmask", "learn_calendar", "named_calendar"]


@dataclass(frozen=True)
class Calendar:
    """Step between rows, open days and sessions.

    Attributes
    ----------
    freq
        Name of the step, as in pandas: ``B``, ``D``, ``W-FRI``, ``ME``, ``QS-JAN``, ``YE-DEC``, ``4h``, ``30min``; an
        integer step k is ``str(k)``. `rnncast.data.calendars.frequency` lists them all.
    weekmask
        Seven characters, Monday first; ``1`` for a day of the week that occurs. It matters for steps of the clock and
        for open days; otherwise it is ``1111111``.
    given
        True if the user named the step; days, sessions and closures are learnt nevertheless.
    zone
        Zone of the wall clock, as `rnncast.data.calendars.zone.check_zone` writes it; stamps are then in UTC.
    sessions
        Open runs of a week, for steps of the clock: first and last slot of each in microseconds since Monday 00:00 of
        the wall clock; slots of a run are a step apart. Empty for every slot of the open days.
    closures
        Usual closures by rule; `rnncast.data.calendars.closures` lists the forms.
    holidays
        Further closed days that the user named, ISO dates.
    irregular
        True if the rows keep no step and the user wants forecasts nevertheless: `freq` is the median gap.
    """

    freq: str
    weekmask: str = EVERY_DAY
    given: bool = False
    zone: str | None = None
    sessions: Runs = ()
    closures: tuple[str, ...] = ()
    holidays: tuple[str, ...] = ()
    irregular: bool = False

    def __post_init__(self) -> None:
        frequency = parse_frequency(self.freq)
        if len(self.weekmask) != 7 or set(self.weekmask) - {"0", "1"} or "1" not in self.weekmask:
            raise ValueError(f"weekmask {self.weekmask!r}: expected seven characters 0 or 1, at least one of them 1")
        if self.sessions and frequency.family != "clock":
            raise ValueError(f"sessions do not go with a step of {self.freq}")
        check_sessions(self.sessions, frequency.count)
        check_rules(self.closures)
        check_holidays(self.holidays)

    @property
    def frequency(self) -> Frequency:
        """The step, taken apart."""
        return parse_frequency(self.freq)

    @property
    def is_dated(self) -> bool:
        """Whether the calendar steps over dates rather than integers."""
        return self.frequency.family != "step"

    @property
    def is_always_open(self) -> bool:
        """Whether every slot of every day is open, so that a stamp without a row is missing."""
        return self.open_days.is_every_day and not self.sessions

    @property
    def open_days(self) -> OpenDays:
        """The days that are open; of a step of the first or last business days, Monday to Friday."""
        weekmask = WORKING_WEEK if self.frequency.rule.startswith("B") else self.weekmask
        return OpenDays(weekmask, self.closures, self.holidays)

    @property
    def week(self) -> WeekTable | None:
        """Slots of a week with sessions; None without."""
        return week_table(self.sessions, self.frequency.count) if self.sessions else None

    def future(self, last: ArrayLike, steps: int) -> NDArray[Any]:
        """Stamps that follow `last`.

        Parameters
        ----------
        last
            Stamp of the last row, or stamps of several series' last rows; any shape (...).
        steps
            Number K of stamps to give.

        Returns
        -------
        datetime64[us] or int64 (..., K)
            Strictly increasing along K, all after `last`, on open days and in open sessions, otherwise at the clock
            time of `last`.
        """
        frequency = self.frequency
        if frequency.family == "step":
            return np.asarray(last, dtype=np.int64)[..., None] + frequency.count * np.arange(1, steps + 1)
        stamps = np.asarray(last, dtype="datetime64[us]")  # (...)
        return stamps_after(stamps, steps, frequency, self.open_days, self.week, self.zone)

    def season_candidates(self) -> tuple[int, ...]:
        """Season lengths, in rows, that this kind of calendar may have; whether the data have one is to be tested."""
        frequency = self.frequency
        if self.irregular:
            return ()
        if self.week is not None:
            counts = self.week.counts[self.week.counts > 0]
            usual = int(np.bincount(counts).argmax())  # of the most common open day
            return tuple(sorted({length for length in (usual, int(counts.sum())) if length > 1}))
        open_days = self.weekmask.count("1")
        rows = {
            "clock": (DAY_US, open_days * DAY_US),
            "day": (7,),
            "business": (open_days,),
            "week": (52,),
            "month": (12,),
        }.get(frequency.family, ())
        lengths = {length // frequency.count for length in rows if length % frequency.count == 0}
        return tuple(sorted(length for length in lengths if length > 1))

    def describe(self) -> str:
        """In words: ``business days, Monday to Friday, with 9 usual closures``."""
        frequency = self.frequency
        if self.irregular:
            gap = describe_length(frequency)
            return f"no regular step; stamps of a forecast are estimates, a median gap apart ({gap}){self._in_zone()}"
        if self.sessions:
            step = f"every {describe_length(frequency)}, {describe_sessions(self.sessions, frequency.count)}"
        else:
            step = describe_step(frequency, self.weekmask)
        closed = [f"{len(self.closures)} usual closure{'s' * (len(self.closures) != 1)}"] if self.closures else []
        if self.holidays:
            closed.append(f"{len(self.holidays):,} holiday{'s' * (len(self.holidays) != 1)} named")
        return step + (f", with {' and '.join(closed)}" if closed else "") + self._in_zone()

    def _in_zone(self) -> str:
        return f", {self.zone}" if self.zone is not None else ""

    def relearn(self, times: NDArray[Any], indptr: NDArray[np.int64], ids: Sequence[str] | None = None) -> Calendar:
        """Calendar learnt from other rows, keeping what the user named: step, zone, holidays, irregularity."""
        return learn_calendar(
            times,
            indptr,
            ids,
            freq=self.freq if self.given else None,
            zone=self.zone,
            holidays=self.holidays,
            irregular=self.irregular,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        lists = {"closures": list(self.closures), "holidays": list(self.holidays)}
        return {**values, **lists, "sessions": [list(run) for run in self.sessions]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Calendar:
        """Inverse of `to_dict`; ValueError for values that are no calendar."""
        return cls(**calendar_fields(data))


def learn_calendar(
    times: NDArray[Any],
    indptr: NDArray[np.int64],
    ids: Sequence[str] | None = None,
    *,
    freq: str | None = None,
    zone: str | None = None,
    holidays: tuple[str, ...] = (),
    irregular: bool = False,
) -> Calendar:
    """Learn the calendar that all series of a panel share, from the rows given and nothing else.

    Parameters
    ----------
    times : datetime64[us] (R,) or int64 (R,)
        Stamps or integer steps, strictly ascending in each series; in UTC if there is a zone.
    indptr : int64 (S + 1,)
        Rows of series `s` are ``indptr[s]:indptr[s + 1]``.
    ids
        Names of the series, for messages; without them series are numbered from 1.
    freq
        Name of the step if the user gave one. Open days, sessions and closures are learnt where they fit it.
    zone
        Zone whose wall clock days and sessions follow.
    holidays
        Closed days that the user named, ISO dates.
    irregular
        Whether rows without a regular step are let in; a step that the user named makes that unnecessary.

    Raises
    ------
    DataError
        There is no regular step, or a series does not keep the step of the others.
    UsageError
        The name of the step is not understood.
    """
    if times.dtype.kind != "M":
        zone, holidays = None, ()  # integer steps know neither
    line, named = Timeline(times, indptr, ids, zone), freq is not None
    if freq is not None:
        freq, weekmask, irregular = named_calendar(freq).freq, None, False
    elif irregular:
        return Calendar(median_frequency(line), zone=zone, holidays=holidays, irregular=True)
    else:
        freq, weekmask = learn_frequency(line)
    closed = learn_closed(line, parse_frequency(freq), weekmask)
    return Calendar(freq, closed.weekmask, named, zone, closed.sessions, closed.closures, holidays)


def named_calendar(freq: str) -> Calendar:
    """Calendar that the user named (``--freq``), before any row is looked at.

    Raises
    ------
    UsageError
        The name is not understood; the message lists those that are.
    """
    try:
        frequency = parse_frequency(freq)
    except ValueError:
        raise UsageError(
            f"frequency {freq!r} is not understood",
            hint="use one of s min h D B W-FRI MS ME QS-JAN QE-DEC YS-JAN YE-DEC, with a count before it if you like "
            "(30min, 4h, 2W-FRI), or an integer for integer steps",
        ) from None
    return Calendar(frequency.alias, WORKING_WEEK if frequency.family == "business" else EVERY_DAY, given=True)
