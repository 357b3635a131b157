"""A panel in words, for the notes on stderr.

Dimension letter: `R` rows of all series together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.frequency import DAY_US, EVERY_DAY, months_of
from rnncast.data.panel import Panel

_CLOSURE_US = 9 * DAY_US  # a closed week between two weekends is no hole


def describe_panel(panel: Panel) -> str:
    """Series, rows, span, columns and calendar in one line."""
    count = len(panel.ids)
    columns = [f"time column {panel.columns.time!r}"]
    if panel.columns.id is not None:
        columns.append(f"id column {panel.columns.id!r}")
    columns.append(f"target {panel.columns.target!r}")
    first, last = panel.times.min(), panel.times.max()
    return (
        f"{count:,} series, {len(panel.times):,} rows, {format_stamp(first)} to {format_stamp(last)}; "
        f"{', '.join(columns)}; {panel.calendar.describe()}"
    )


def counted(count: int, what: str) -> str:
    """Number and noun, in the plural where it belongs: ``1 row``, ``2,000 rows``."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def format_stamp(stamp: Any) -> str:
    """Stamp as text: a date alone if it is midnight, a time to the minute if that is all; integers as they are."""
    if not isinstance(stamp, np.datetime64):
        return str(stamp)
    text = str(stamp.astype("datetime64[us]")).replace("T", " ")
    return text.removesuffix(".000000").removesuffix(":00").removesuffix(" 00:00")


def describe_constants(panel: Panel) -> str | None:
    """The series that never change, counted; None if there are none."""
    lowest = np.minimum.reduceat(panel.target, panel.indptr[:-1])  # (S,)
    constant = np.flatnonzero((lowest == np.maximum.reduceat(panel.target, panel.indptr[:-1])) & (panel.lengths > 1))
    if len(constant) == 0:
        return None
    if panel.columns.id is None:
        return f"the series is constant: {lowest[0]:g} in every row"
    more = f" and {len(constant) - 1} more" if len(constant) > 1 else ""
    return f'{len(constant):,} constant series: "{panel.ids[constant[0]]}"{more}'


def describe_holes(panel: Panel) -> str | None:
    """The rows missing between others, counted, with the longest hole; None if there are none to speak of.

    Closed days cannot be told from missing rows where the calendar has a weekday mask, or sessions: there only a hole
    longer than nine days makes a note.
    """
    if len(panel.times) < 2:
        return None
    inside = np.ones(len(panel.times) - 1, dtype=bool)  # (R - 1,)
    inside[panel.indptr[1:-1] - 1] = False
    holes = np.flatnonzero(_is_hole(panel) & inside)
    if not len(holes):
        return None
    stamps = panel.times.view(np.int64)
    widest = int(holes[np.argmax(stamps[holes + 1] - stamps[holes])])
    owner = int(np.searchsorted(panel.indptr, widest, side="right")) - 1
    series = f" in series {panel.ids[owner]!r}" if len(panel.ids) > 1 else ""
    return (
        f"{counted(len(holes), 'hole')} between rows, the longest from "
        f"{format_stamp(panel.times[widest])} to {format_stamp(panel.times[widest + 1])}{series}; "
        "rows are modelled one after the other, as if there were none"
    )


def _is_hole(panel: Panel) -> NDArray[np.bool_]:
    """Whether more than a step, or a usual closure, lies between each row and the next; shape (R - 1,)."""
    frequency = panel.calendar.frequency
    stamps = panel.times.view(np.int64)
    if frequency.family == "month":
        return np.diff(months_of(stamps // DAY_US)) > frequency.count
    gaps = np.diff(stamps)
    if frequency.family == "step":
        return gaps > frequency.count
    if frequency.family == "week":
        return gaps > (7 * frequency.count + 3) * DAY_US
    if frequency.family == "day":
        return gaps // DAY_US > frequency.count
    if frequency.family == "clock" and panel.calendar.weekmask == EVERY_DAY:
        return gaps > max(DAY_US, 2 * frequency.count)
    return gaps > _CLOSURE_US
