"""Zones: from the wall clock of a zone to UTC and back, for millions of stamps at once.

The rules are those of the zone database (`zoneinfo`). A zone's changes of offset over the years of the data are found
by asking it day by day, once; the stamps are then placed between them.

Shapes: `R` rows, `N` changes of offset, `...` any. Instants, wall times and offsets are handled as int64 microseconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnncast.errors import UsageError

_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
_DAY_SECONDS = 86_400
_YEARS = (2, 9998)  # years whose every day has a datetime in every zone
_CHUNK = 1 << 16  # rows handled at once; bounds what is allocated beside the result
_UTC_NAMES = {"utc", "z", "gmt", "zulu", "etc/utc", "etc/gmt", "etc/zulu"}
_FIXED = re.compile(r"(?:UTC|GMT)?([+-])([01]?[0-9]|2[0-3])(?::?([0-5][0-9]))?", re.IGNORECASE)

Wall = tuple[NDArray[Any], NDArray[np.bool_] | None, NDArray[np.bool_] | None]


class _Changes(NamedTuple):
    """Offsets of a zone over a span of years: that before the first change, and that from each change on."""

    instants: NDArray[np.int64]  # (N,) of the changes, in UTC
    offsets: NDArray[np.int64]  # (N + 1,)


def check_zone(name: str) -> str:
    """Canonical name of a zone: ``UTC``, a key of the zone database, or a fixed offset such as ``+01:00``.

    Raises
    ------
    UsageError
        There is no such zone, or no zone database.
    """
    asked = name.strip()
    if asked.lower() in _UTC_NAMES:
        return "UTC"
    if (fixed := _FIXED.fullmatch(asked)) is not None:
        hours, minutes = int(fixed[2]), int(fixed[3] or 0)
        return f"{fixed[1]}{hours:02d}:{minutes:02d}" if hours or minutes else "UTC"
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

    try:
        return str(ZoneInfo(asked).key)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of the database, such as "Europe"
        pass
    known = sorted(available_timezones())
    if not known:
        raise UsageError(
            f"zone {name!r} cannot be looked up: this machine has no zone database", hint="pip install tzdata"
        )
    by_lower = {key.lower(): key for key in known}
    if asked.lower().replace(" ", "_") in by_lower:
        return by_lower[asked.lower().replace(" ", "_")]
    raise UsageError(f"there is no zone {name!r}", hint=_nearest(asked, known))


def _nearest(asked: str, known: list[str]) -> str:
    from difflib import get_close_matches

    cities: dict[str, str] = {}
    for key in known:  # "London" alone is as close as "Europe/London"
        cities.setdefault(key.lower(), key)
        cities.setdefault(key.rpartition("/")[2].lower(), key)
    near = get_close_matches(asked.lower().replace(" ", "_"), cities, n=3)
    keys = list(dict.fromkeys(cities[name] for name in near))
    return f"did you mean {' or '.join(keys)}?" if keys else "use a name such as Europe/London, UTC, or +01:00"


def to_local(times: NDArray[Any], zone: str) -> NDArray[Any]:
    """Wall clock (...) of a zone at instants (...) in UTC, both datetime64[us]."""
    local = offsets(times, zone)
    local += np.asarray(times, dtype="datetime64[us]").view(np.int64)
    return local.view("datetime64[us]")


def offsets(times: NDArray[Any], zone: str) -> NDArray[np.int64]:
    """Microseconds east of UTC (...) that a zone's wall clock shows at instants (...) in UTC."""
    instants = np.asarray(times, dtype="datetime64[us]").view(np.int64)
    changes = _changes_over(instants, zone)
    if len(changes.instants) == 0:
        return np.full(instants.shape, changes.offsets[0])
    found = np.empty(instants.size, dtype=np.int64)  # (R,)
    flat = instants.reshape(-1)
    for start in range(0, len(flat), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        found[chunk] = changes.offsets[np.searchsorted(changes.instants, flat[chunk], side="right")]
    return found.reshape(instants.shape)


def to_utc(local: NDArray[Any], zone: str, again: NDArray[np.bool_] | None = None) -> Wall:
    """Instants of wall times.

    Parameters
    ----------
    local : datetime64[us] (R,)
        Wall times.
    zone
        Name of the zone.
    again : bool (R,)
        Which of the wall times that occur twice are meant the second time; without it none.

    Returns
    -------
    times : datetime64[us] (R,)
        In UTC. A wall time that was skipped is read by the offset before the change, and so lies after it.
    skipped, repeated : bool (R,) or None
        Wall times that do not exist, and those that occur twice; None if there are none.
    """
    wall = np.asarray(local, dtype="datetime64[us]").view(np.int64)  # (R,)
    changes = _changes_over(wall, zone)
    if len(changes.instants) == 0:
        return (wall - changes.offsets[0]).view("datetime64[us]"), None, None
    before, after = changes.offsets[:-1], changes.offsets[1:]  # (N,)
    # Clocks put back show the times from the new offset's to the old one's twice; put forward, they skip them.
    first = changes.instants + np.minimum(before, after)  # (N,) of the wall times in doubt
    last = changes.instants + np.maximum(before, after)  # (N,) from which on there is no doubt
    times = np.empty_like(wall)
    doubtful = np.zeros(len(wall), dtype=bool)
    backward = np.zeros(len(wall), dtype=bool)
    for start in range(0, len(wall), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        early = np.searchsorted(last, wall[chunk], side="right")  # changes certainly behind it
        late = np.searchsorted(first, wall[chunk], side="right")  # changes perhaps behind it
        doubtful[chunk] = late > early
        backward[chunk] = (late > early) & (after < before)[np.minimum(early, len(first) - 1)]
        offset = changes.offsets[early]
        if again is not None:
            offset = np.where(again[chunk], changes.offsets[late], offset)
        times[chunk] = wall[chunk] - offset
    skipped = doubtful & ~backward
    return times.view("datetime64[us]"), skipped if skipped.any() else None, backward if backward.any() else None


def _changes_over(stamps: NDArray[np.int64], zone: str) -> _Changes:
    """Changes of a zone over the years of some stamps."""
    if stamps.size == 0:
        return _Changes(np.empty(0, dtype=np.int64), np.zeros(1, dtype=np.int64))
    ends = np.array([stamps.min(), stamps.max()]).view("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
    first, last = np.clip(ends + (-1, 1), *_YEARS).tolist()  # a year more: the ends may be local or in UTC
    return _changes(zone, first, last)


@lru_cache(maxsize=64)
def _changes(zone: str, first: int, last: int) -> _Changes:
    """Changes of a zone in the years `first` to `last`, found by asking for every day, then halving the day."""
    name = check_zone(zone)
    if name == "UTC" or name[0] in "+-":
        return _Changes(np.empty(0, dtype=np.int64), np.array([_fixed_offset(name)]))
    from zoneinfo import ZoneInfo

    rules = ZoneInfo(name)
    days = range(_seconds(first), _seconds(last + 1), _DAY_SECONDS)
    daily = [_offset_at(rules, second) for second in days]
    instants, found = [], [daily[0]]
    for day in range(1, len(days)):
        if daily[day] != daily[day - 1]:
            instants.append(_change_between(rules, days[day - 1], days[day]) * _SECOND_US)
            found.append(daily[day])
    return _Changes(np.array(instants, dtype=np.int64), np.array(found, dtype=np.int64))


def _change_between(rules: tzinfo, low: int, high: int) -> int:
    """First second of the new offset between two seconds of different offsets."""
    before = _offset_at(rules, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_at(rules, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset_at(rules: tzinfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, rules).utcoffset()
    assert offset is not None
    return offset.days * _DAY_SECONDS * _SECOND_US + offset.seconds * _SECOND_US + offset.microseconds


def _seconds(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


def _fixed_offset(name: str) -> int:
    if name == "UTC":
        return 0
    hours, minutes = int(name[1:3]), int(name[4:6])
    return (1 if name[0] == "+" else -1) * (60 * hours + minutes) * _MINUTE_US
