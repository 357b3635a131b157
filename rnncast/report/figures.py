"""Figures of every series of a panel, a line each with its shape, and as JSON values.

Dimension letter: `S` series.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnncast.data.diagnosis import Diagnosis
from rnncast.data.jumps import Jump
from rnncast.data.panel import Panel
from rnncast.data.summary import format_stamp
from rnncast.data.text import display_width, printable
from rnncast.records import dataclass
from rnncast.report.sparkline import sparkline
from rnncast.report.tables import TextTable, number

MOST_SERIES = 12
"""Series shown to a person; a program gets all of them."""

SHAPE = "shape"
"""Heading of the sparklines."""

_WIDEST_SHAPE, _NARROWEST_SHAPE = 32, 12
_WIDEST_NAME = 24  # on a terminal; elsewhere nothing is cut
_SPARED = ("median", "first", "last", "least", "last value")  # what goes first where the terminal is narrow
_INDENT = "  "


@dataclass(frozen=True)
class SeriesFigures:
    """Figures of a panel's series.

    Attributes
    ----------
    panel, diagnosis
        The series, and what was found in them.
    """

    panel: Panel
    diagnosis: Diagnosis

    def lines(self, width: int | None = None) -> list[str]:
        """A line for each of the first series, to fit a terminal `width` columns wide if there is one."""
        shown = min(len(self.panel.ids), MOST_SERIES)
        columns = self._columns(shown, cut=width is not None)
        room = _WIDEST_SHAPE
        if width is not None:
            for spared in (*_SPARED, ""):
                room = width - len(_INDENT) - sum(2 + max(map(display_width, cells)) for cells in columns.values())
                if room >= _NARROWEST_SHAPE or not spared:
                    break
                columns.pop(spared, None)
        shapes = [self._shape(series, max(min(room, _WIDEST_SHAPE), len(SHAPE))) for series in range(shown)]
        columns[SHAPE] = [SHAPE, *shapes]
        table = TextTable(
            header=tuple(cells[0] for cells in columns.values()),
            rows=tuple(zip(*(cells[1:] for cells in columns.values()), strict=True)),
            right_aligned=tuple(name not in ("series", "first", "last", SHAPE) for name in columns),
        )
        more = len(self.panel.ids) - shown
        return [_INDENT + line for line in (*table.lines(), *([f"and {more:,} more"] if more else []))]

    def _columns(self, shown: int, *, cut: bool) -> dict[str, list[str]]:
        """Cells of the table by column, the heading first; stamps that all series share are left out.

        Control characters of a name are escaped here, so that the columns still line up.
        """
        found, panel = self.diagnosis, self.panel
        columns: dict[str, list[str]] = {}
        if are_named(panel):
            names = [printable(name) for name in panel.ids[:shown]]
            columns["series"] = ["series", *(_cut(name) if cut else name for name in names)]
        columns["rows"] = ["rows", *(f"{rows:,}" for rows in found.rows[:shown])]
        for name, stamps in (("first", found.first), ("last", found.last)):
            if (stamps != stamps[0]).any():
                columns[name] = [name, *(format_stamp(stamp, panel.calendar.zone) for stamp in stamps[:shown])]
        ends = panel.indptr[1:] - 1
        columns["last value"] = ["last value", *(number(value) for value in panel.target[ends[:shown]])]
        columns["least"] = ["least", *(number(value) for value in found.least[:shown])]
        columns["median"] = ["median", *(number(self._median(series)) for series in range(shown))]
        columns["most"] = ["most", *(number(value) for value in found.most[:shown])]
        return columns

    def _shape(self, series: int, width: int) -> str:
        return sparkline(self.panel.target[self.panel.rows(series)], width)

    def _median(self, series: int) -> float:
        values = self.panel.target[self.panel.rows(series)]
        return float(2 * np.median(values * 0.5))  # halves: the mean of the two in the middle may be beyond all numbers

    def document(self) -> list[dict[str, Any]]:
        """All series, as JSON values."""
        found, panel = self.diagnosis, self.panel
        return [
            {
                "id": name if are_named(panel) else None,
                "rows": int(found.rows[s]),
                "first": format_stamp(found.first[s], panel.calendar.zone),
                "last": format_stamp(found.last[s], panel.calendar.zone),
                "first_value": float(panel.target[panel.indptr[s]]),
                "last_value": float(panel.target[panel.indptr[s + 1] - 1]),
                "least": float(found.least[s]),
                "median": self._median(s),
                "most": float(found.most[s]),
                "zeros": int(found.zeros[s]),
                "negatives": int(found.negatives[s]),
                "tiny": int(found.tiny[s]),
                "repeated": float(found.repeated[s]),
                "repeated_at_the_end": int(found.tail[s]),
                "constant": bool(found.constant[s]),
                "imprecise": bool(found.imprecise[s]),
                "gaps": int(found.gaps[s]),
                "rows_behind": int(found.behind[s]),
            }
            for s, name in enumerate(panel.ids)
        ]


def are_named(panel: Panel) -> bool:
    """Whether the names of the series come from the input: from an id column, or those of columns or files."""
    return panel.columns.id is not None or len(panel.ids) > 1


def jump_document(jump: Jump, panel: Panel) -> dict[str, Any]:
    """A suspicious jump as JSON values."""
    return {
        "kind": "values far off" if jump.rows else "level break",
        "series": panel.ids[jump.series] if are_named(panel) else None,
        "stamp": format_stamp(panel.times[jump.row], panel.calendar.zone),
        "rows": jump.rows,
        "before": jump.before,
        "value": jump.value,
        "after": None if math.isnan(jump.after) else jump.after,
        "ratio": jump.ratio if math.isfinite(jump.ratio) else None,
    }


def _cut(name: str) -> str:
    """A name that leaves room for the figures."""
    if display_width(name) <= _WIDEST_NAME:
        return name
    while display_width(name) >= _WIDEST_NAME:
        name = name[:-1]
    return name + "…"
