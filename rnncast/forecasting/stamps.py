"""The stamps of a forecast: which calendar gives them, and in which unit they are written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from rnncast.data.calendar import Calendar
from rnncast.data.panel import Panel
from rnncast.model.model import Model


def as_written(times: NDArray[Any], calendar: Calendar) -> NDArray[Any]:
    """Stamps in the unit that says how to write them: seconds where rows have a time of day, else as they are."""
    return times.astype("datetime64[s]") if calendar.frequency.family == "clock" else times


def calendar_of(model: Model, panel: Panel) -> Calendar:
    """The calendar that gives the stamps: the model's, unless the step of the rows was named.

    Rows with a zone are in UTC, rows without one on some wall clock: the model's calendar follows them in that. Where
    both have a zone, sessions and days stay those of the model's. Holidays named for these rows are added.
    """
    own, trained = panel.calendar, model.calendar
    if own.given:
        return own
    zone = (trained.zone or own.zone) if own.zone is not None else None
    return replace(trained, zone=zone, holidays=tuple(sorted({*trained.holidays, *own.holidays})))
