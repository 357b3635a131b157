"""A panel in words, for the notes on stderr.

Dimension letter: `N` holes.
"""

from __future__ import annotations

import numpy as np

from rnncast.data.calendars.frequency import DAY_US
from rnncast.data.calendars.holes import find_holes
from rnncast.data.calendars.recurring import RECENT_DAYS
from rnncast.data.isotime import format_stamp
from rnncast.data.panel import Panel

__all__ = ["counted", "describe_constants", "describe_holes", "describe_panel", "format_stamp"]

_CLOSURE_US = 9 * DAY_US  # a closed week between two weekends
_MANY_HOLES = 0.05  # of the rows; the holidays of a stock exchange are less


def describe_panel(panel: Panel) -> str:
    """Series, rows, span, columns and calendar in one line."""
    count = len(panel.ids)
    columns = [f"time column {panel.columns.time!r}"]
    if panel.columns.id is not None:
        columns.append(f"id column {panel.columns.id!r}")
    columns.append(f"target {panel.columns.target!r}")
    extremes = panel.times[panel.indptr[:-1]].min(), panel.times[panel.indptr[1:] - 1].max()
    first, last = (format_stamp(stamp, panel.calendar.zone) for stamp in extremes)
    return (
        f"{count:,} series, {len(panel.times):,} rows, {first} to {last}; "
        f"{', '.join(columns)}; {panel.calendar.describe()}"
    )


def counted(count: int, what: str) -> str:
    """Number and noun, in the plural where it belongs: ``1 row``, ``2,000 rows``."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def identity_in_words(panel: Panel) -> str:
    """How many rows a panel has, and its fingerprint."""
    return f"{len(panel.times):,} rows in {len(panel.ids):,} series ({panel.fingerprint()})"


def describe_constants(panel: Panel) -> str | None:
    """The series that never change, counted; None if there are none."""
    starts, ends, values = panel.indptr[:-1], panel.indptr[1:], panel.target
    candidates = np.flatnonzero((values[starts] == values[ends - 1]) & (panel.lengths > 1)).tolist()
    constant = [series for series in candidates if np.ptp(values[starts[series] : ends[series]]) == 0]
    if not constant:
        return None
    if panel.columns.id is None:
        return f"the series is constant: {values[0]:g} in every row"
    more = f" and {len(constant) - 1} more" if len(constant) > 1 else ""
    return f'{len(constant):,} constant series: "{panel.ids[constant[0]]}"{more}'


def describe_holes(panel: Panel) -> str | None:
    """The open stamps missing between rows, counted, with the longest hole; None if there are none to speak of.

    A calendar with closed days may not know all of a market's holidays: from a short file they cannot be learnt, and
    those of a single year follow no rule. There it takes many holes, or one longer than nine days, to make a note; and
    since closures change, only those of the years that they are learnt from are counted, besides the long ones.
    """
    holes = find_holes(panel.times, panel.indptr, panel.calendar)  # (N,)
    if not len(holes):
        return None
    stamps = panel.times.view(np.int64)
    lengths = stamps[holes + 1] - stamps[holes]
    if panel.is_dated and not panel.calendar.is_always_open:
        is_long = lengths > _CLOSURE_US
        spoken_for = is_long | (stamps[holes] > stamps.max() - RECENT_DAYS * DAY_US)
        holes, lengths = holes[spoken_for], lengths[spoken_for]
        if not is_long.any() and len(holes) <= _MANY_HOLES * len(stamps):
            return None
    widest = int(holes[np.argmax(lengths)])
    zone = panel.calendar.zone
    owner = int(np.searchsorted(panel.indptr, widest, side="right")) - 1
    series = f" in series {panel.ids[owner]!r}" if len(panel.ids) > 1 else ""
    return (
        f"{counted(len(holes), 'hole')} between rows, the longest from "
        f"{format_stamp(panel.times[widest], zone)} to {format_stamp(panel.times[widest + 1], zone)}{series}; "
        "rows are modelled one after the other, as if there were none"
    )
