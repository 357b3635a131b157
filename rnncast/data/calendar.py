"""The calendar: what is regular about the stamps of a panel, and which stamps come next.

A calendar is learnt from the rows that it is given and from nothing else, so that no row after a cutoff leaks into it.
Prices are modelled by observation: a closed day is no missing value, and no stamp of a forecast falls on one.

Shapes: `R` rows, `S` series, `K` horizon steps, `...` any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnncast.data.frequency import (
    DAY_US,
    EVERY_DAY,
    WORKING_WEEK,
    Frequency,
    advance_clock,
    advance_days,
    parse_frequency,
)
from rnncast.data.regularity import learn_frequency
from rnncast.errors import UsageError

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True)
class Calendar:
    """Step between rows and open days of the week.

    Attributes
    ----------
    freq
        Name of the step, as in pandas: ``B``, ``D``, ``W-FRI``, ``ME``, ``QS-JAN``, ``YE-DEC``, ``4h``, ``30min``; an
        integer step k is ``str(k)``. `rnncast.data.frequency` lists them all.
    weekmask
        Seven characters, Monday first; ``1`` for a day of the week that occurs. It matters for steps of the clock and
        for open days; otherwise it is ``1111111``.
    given
        True if the user named the step: the calendar is then kept and never learnt.
    """

    freq: str
    weekmask: str = EVERY_DAY
    given: bool = False

    def __post_init__(self) -> None:
        parse_frequency(self.freq)
        if len(self.weekmask) != 7 or set(self.weekmask) - {"0", "1"} or "1" not in self.weekmask:
            raise ValueError(f"weekmask {self.weekmask!r}: expected seven characters 0 or 1, at least one of them 1")

    @property
    def frequency(self) -> Frequency:
        """The step, taken apart."""
        return parse_frequency(self.freq)

    @property
    def is_dated(self) -> bool:
        """Whether the calendar steps over dates rather than integers."""
        return self.frequency.family != "step"

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
            Strictly increasing along K, all after `last`, on open days, at the clock time of `last`.
        """
        frequency = self.frequency
        ahead = np.arange(1, steps + 1)  # (K,)
        if frequency.family == "step":
            return np.asarray(last, dtype=np.int64)[..., None] + frequency.count * ahead
        stamps = np.asarray(last, dtype="datetime64[us]").astype(np.int64)  # (...)
        if frequency.family == "clock":
            future = advance_clock(frequency.count, stamps, ahead, self.weekmask)  # (..., K)
        else:
            days = advance_days(frequency, stamps // DAY_US, ahead, self.weekmask)  # (..., K)
            future = days * DAY_US + (stamps % DAY_US)[..., None]
        return future.astype("datetime64[us]")

    def season_candidates(self) -> tuple[int, ...]:
        """Season lengths, in rows, that this kind of calendar may have; whether the data have one is to be tested."""
        frequency = self.frequency
        lengths = {
            "clock": DAY_US / frequency.count,
            "day": 7 / frequency.count,
            "business": self.weekmask.count("1") / frequency.count,
            "month": 12 / frequency.count,
        }
        length = lengths.get(frequency.family, 1)
        return (int(length),) if length > 1 and length == int(length) else ()

    def describe(self) -> str:
        """In words: ``business days, Monday to Friday``."""
        frequency = self.frequency
        if frequency.family == "step":
            return "integer steps" if frequency.count == 1 else f"integer steps of {frequency.count}"
        if frequency.family == "business":
            every = "business days" if frequency.count == 1 else f"every {frequency.count} business days"
            return f"{every}, {describe_weekmask(self.weekmask)}"
        if frequency.family == "clock":
            open_days = "" if self.weekmask == EVERY_DAY else f", {describe_weekmask(self.weekmask)}"
            return f"every {self._clock_step()}{open_days}"
        if frequency.family == "day":
            return "every day" if frequency.count == 1 else f"every {frequency.count} days"
        if frequency.family == "week":
            every = "every week" if frequency.count == 1 else f"every {frequency.count} weeks"
            return f"{every}, on {DAY_NAMES[frequency.anchor]}"
        return self._describe_months()

    def _clock_step(self) -> str:
        names = {"h": "hour", "min": "minute", "s": "second", "ms": "millisecond", "us": "microsecond"}
        unit = self.freq.lstrip("0123456789")
        count = self.freq.removesuffix(unit)
        return f"{count} {names[unit]}s" if count else names[unit]

    def _describe_months(self) -> str:
        frequency = self.frequency
        count, unit = frequency.count // frequency.period, {1: "month", 3: "quarter", 12: "year"}[frequency.period]
        every = f"every {unit}" if count == 1 else f"every {count} {unit}s"
        if frequency.rule.isdigit():
            return f"{every}, on day {frequency.rule} or the month's last"
        edge = {"S": "first day", "E": "last day", "BS": "first business day", "BE": "last business day"}
        where = f"{every}, on the {edge[frequency.rule]}"
        if unit == "year":
            return f"{where} of {MONTH_NAMES[frequency.anchor]}"
        return where if unit == "month" else f"{where} ({self.freq.split('-')[1].title()})"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"freq": self.freq, "weekmask": self.weekmask, "given": self.given}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Calendar:
        """Inverse of `to_dict`; ValueError for values that are no calendar."""
        freq, weekmask, given = data.get("freq"), data.get("weekmask"), data.get("given")
        if not isinstance(freq, str) or not isinstance(weekmask, str) or not isinstance(given, bool):
            raise ValueError(f"no calendar: {dict(data)!r}")
        return cls(freq, weekmask, given)


def learn_calendar(times: NDArray[Any], indptr: NDArray[np.int64], ids: Sequence[str] | None = None) -> Calendar:
    """Learn the calendar that all series of a panel share, from the rows given and nothing else.

    Parameters
    ----------
    times : datetime64[us] (R,) or int64 (R,)
        Stamps or integer steps, strictly ascending in each series.
    indptr : int64 (S + 1,)
        Rows of series `s` are ``indptr[s]:indptr[s + 1]``.
    ids
        Names of the series, for messages; without them series are numbered from 1.

    Raises
    ------
    DataError
        There is no regular step, or a series does not keep the step of the others.
    """
    freq, weekmask = learn_frequency(times, indptr, ids)
    return Calendar(freq, weekmask)


def named_calendar(freq: str) -> Calendar:
    """Calendar that the user named (``--freq``).

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


def describe_weekmask(weekmask: str) -> str:
    """Open days in words: ``Monday to Friday``, ``Monday to Thursday and Sunday``."""
    runs: list[list[str]] = []
    for day, name in enumerate(DAY_NAMES):
        if weekmask[day] == "0":
            continue
        if day and weekmask[day - 1] == "1":
            runs[-1].append(name)
        else:
            runs.append([name])
    words = [f"{run[0]} to {run[-1]}" if len(run) > 2 else " and ".join(run) for run in runs]
    return " and ".join(words)
