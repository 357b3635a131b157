"""How old the rows are: ``forecast --max-age``.

A row's age runs from its stamp to now; that of a row which stands for a day, by a date alone, from the end of that day.
So does "no older than 3 days" let the bar of Friday pass on Monday, and not on Tuesday.

Dimension letter: `S` series.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rnncast.cli.ledger import now
from rnncast.errors import StaleError, UsageError
from rnncast.records import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rnncast.cli.output import Output
    from rnncast.data.calendar import Calendar
    from rnncast.data.panel import Panel

UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "min": 60, "s": 1}
"""Seconds of each unit of an age."""

EAST_HOURS = 14
"""Hours by which a clock on a wall may be ahead of UTC: how far stamps without a zone may seem to lie ahead."""

NAMED = 3
"""Series that a warning names before it only counts."""

_AGE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(w|d|h|min|s)")


@dataclass(frozen=True)
class MaxAge:
    """The greatest age that is allowed, as it was typed and in seconds."""

    text: str
    seconds: float


def parse_max_age(text: str | None) -> MaxAge | None:
    """An age such as ``3d``; UsageError for what is none, and for a clock that cannot be read."""
    if text is None:
        return None
    found = _AGE.fullmatch(text.strip().lower())
    seconds = float(found[1]) * UNITS[found[2]] if found else 0.0
    if seconds <= 0:
        raise UsageError(
            f"--max-age must be a number above 0 and a unit, s, min, h, d or w, found {text!r}", hint="as --max-age 3d"
        )
    now()
    return MaxAge(text.strip(), seconds)


def check_age(panel: Panel, limit: MaxAge, source: str, out: Output) -> None:
    """StaleError for a panel whose newest row is too old; a warning of series that are, and of rows ahead of the clock.

    Parameters
    ----------
    panel, limit
        The rows, and their greatest age.
    source
        Where they come from, for messages.
    out
        Where warnings go.

    Raises
    ------
    UsageError
        The rows are counted in steps.
    """
    import numpy as np

    if not panel.is_dated:
        raise UsageError("--max-age needs dates, and these rows are counted in steps", hint="leave it out")
    last, zone, clock = panel.times[panel.indptr[1:] - 1], panel.calendar.zone, now()  # (S,)
    ahead = last > clock + np.timedelta64(0 if zone else EAST_HOURS, "h")  # (S,)
    if ahead.any():
        out.warn(f"{_newest_rows(panel, ahead)} later than the clock, which says {_stamp(clock, None)} UTC")
    if ahead.all():
        return
    known = _known_from(last, panel.calendar)  # (S,)
    ages = (clock - known).astype("timedelta64[us]").astype(np.int64) / 1e6  # (S,)
    newest = int(np.argmin(np.where(ahead, np.inf, ages)))
    if ages[newest] > limit.seconds:
        day = "a day that ended " if known[newest] > last[newest] else ""
        raise StaleError(
            f"the newest row is of {_stamp(last[newest], zone)}, {day}{describe_age(ages[newest])} ago; "
            f"--max-age allows {limit.text}",
            where=f"{source}, at {_stamp(clock, None)} UTC",
            hint="bring the rows up to date, or allow more",
        )
    old = (ages > limit.seconds) & ~ahead  # (S,)
    if old.any():
        out.warn(f"{_newest_rows(panel, old)} older than --max-age {limit.text}")


def describe_age(seconds: float) -> str:
    """An age in its two largest units, rounded down."""
    rest = int(seconds)
    parts: list[str] = []
    for unit in ("d", "h", "min", "s"):
        count, rest = divmod(rest, UNITS[unit])
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def _known_from(last: NDArray[Any], calendar: Calendar) -> NDArray[Any]:
    """From when on rows (S,) can be known: the end of the day where the stamp is a date, else the stamp."""
    import numpy as np

    from rnncast.data.calendars.zone import to_local, to_utc

    if calendar.frequency.family == "clock":
        return last
    local = to_local(last, calendar.zone) if calendar.zone else last
    days = local.astype("datetime64[D]")
    ends = (days + 1).astype("datetime64[us]")
    return np.where(local == days, to_utc(ends, calendar.zone)[0] if calendar.zone else ends, last)


def _newest_rows(panel: Panel, mask: NDArray[Any]) -> str:
    """The newest rows of the series in a mask (S,), the first of them named, as the subject of a sentence."""
    last = panel.times[panel.indptr[1:] - 1]  # (S,)
    places: list[int] = mask.nonzero()[0].tolist()
    stamps = [_stamp(last[s], panel.calendar.zone) for s in places[:NAMED]]
    if panel.columns.id is None:
        return f"the newest row, {stamps[0]}, is"
    named = ", ".join(f'"{panel.ids[s]}" ({stamp})' for s, stamp in zip(places, stamps, strict=False))
    more = f" and {len(places) - NAMED:,} more" if len(places) > NAMED else ""
    return f"the newest row{'s' if len(places) > 1 else ''} of {named}{more} {'are' if len(places) > 1 else 'is'}"


def _stamp(stamp: Any, zone: str | None) -> str:
    from rnncast.data.isotime import format_stamp

    return format_stamp(stamp, zone)
