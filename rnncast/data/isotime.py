"""Stamps as text: ISO 8601 for files, a shorter form for messages.

Where a zone is named stamps are in UTC, and given on the wall clock of the zone with its offset.

Dimension letter: `N` stamps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.zone import offsets


def format_times(times: NDArray[Any], zone: str | None = None) -> list[str]:
    """Stamps (N,) in ISO 8601: dates alone if all of them are midnight, else all to the second or as fine as needed.

    Stamps in seconds (datetime64[s]) are never cut to dates: a column of times keeps its form whatever rows are there.
    Nor are those of a zone: ``2018-10-28T01:00:00+01:00``, and an hour later ``2018-10-28T01:00:00+00:00``.
    """
    stamps: NDArray[Any] = times.astype("datetime64[us]")
    absent = np.isnat(stamps)
    known = stamps[~absent]
    if zone is None:
        units = ("s", "ms", "us") if times.dtype == np.dtype("datetime64[s]") else ("D", "s", "ms", "us")
        texts = _iso_texts(known, units)
    else:
        east = offsets(known, zone)
        names = {offset: offset_text(offset) for offset in set(east.tolist())}
        local = _iso_texts((known.view(np.int64) + east).view("datetime64[us]"), ("s", "ms", "us"))
        texts = [text + names[offset] for text, offset in zip(local, east.tolist(), strict=True)]
    if not absent.any():
        return texts
    rest = iter(texts)
    return ["" if is_absent else next(rest) for is_absent in absent.tolist()]


def format_stamp(stamp: Any, zone: str | None = None) -> str:
    """Stamp for a message: a date alone if it is midnight, a time to the minute if that is all; integers as they are.

    With a zone: a date alone if it is midnight there, else ``2018-10-28 01:00+01:00``.
    """
    if not isinstance(stamp, np.datetime64):
        return str(stamp)
    stamp = stamp.astype("datetime64[us]")
    east = 0 if zone is None else int(offsets(stamp, zone))
    text = str(stamp + np.timedelta64(east, "us")).replace("T", " ")
    text = text.removesuffix(".000000").removesuffix(":00").removesuffix(" 00:00")
    return text if zone is None or ":" not in text else text + offset_text(east)


def offset_text(offset: int) -> str:
    """Offset in microseconds as ISO 8601 has it; those from before there were zones have seconds."""
    minutes, rest = divmod(abs(offset), 60_000_000)
    seconds = f":{rest // 1_000_000:02d}" if rest else ""
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}{seconds}"


def _iso_texts(stamps: NDArray[Any], units: Sequence[Any]) -> list[str]:
    """Stamps in the first of the units that loses nothing."""
    unit: Any = next(unit for unit in units if np.all(stamps.astype(f"datetime64[{unit}]") == stamps))
    texts: list[str] = np.datetime_as_string(stamps, unit=unit).tolist()
    return texts
