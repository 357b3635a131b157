"""The fields of a calendar as they come out of a model file, which is not trusted: types first, then what they name.

Sizes, ranges and forms are checked where a calendar is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncast.data.calendars.zone import check_zone
from rnncast.errors import UsageError

_LATER: dict[str, Any] = {"zone": None, "sessions": [], "closures": [], "holidays": [], "irregular": False}
"""Fields that the first files do not have."""

_KINDS: dict[str, Any] = {
    "freq": str, "weekmask": str, "given": bool, "zone": str | None,
    "sessions": list, "closures": list, "holidays": list, "irregular": bool,
}  # fmt: skip


def calendar_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by name, lists as tuples; ValueError for values that are of another type, or name no zone."""
    values = {**_LATER, **data}
    for name, kind in _KINDS.items():
        if not isinstance(values.get(name), kind):
            raise ValueError(f"no calendar: {name} is {str(values.get(name))[:40]!r}")
    _check_known(values["zone"])
    fields = {name: tuple(values[name]) if kind is list else values[name] for name, kind in _KINDS.items()}
    fields["sessions"] = tuple(tuple(run) if isinstance(run, list) else run for run in values["sessions"])
    return fields


def _check_known(zone: str | None) -> None:
    try:
        known = zone is None or check_zone(zone) == zone
    except UsageError as error:
        raise ValueError(f"{error.message} ({error.hint})") from error
    if not known:
        raise ValueError(f"zone {zone!r} is not written as it should be")
