"""What was found in a data file: columns and their roles, series, span, calendar, values. As text and as JSON.

Dimension letters: `R` rows, `S` series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rnncast.data.panel import Panel
from rnncast.data.season import detect_season
from rnncast.data.summary import counted, format_stamp
from rnncast.report.tables import number


@dataclass(frozen=True)
class Detected:
    """An input as it was understood.

    Attributes
    ----------
    path : str
        The input as it was named.
    panel : Panel
        Its series.
    names : tuple of str
        All columns of the input.
    notes : tuple of str
        What was found, sorted and left out on reading, and the holes between rows.
    command : str
        The command that trains on it.
    """

    path: str
    panel: Panel
    names: tuple[str, ...]
    notes: tuple[str, ...]
    command: str

    @property
    def unused(self) -> tuple[str, ...]:
        """Columns that have no role."""
        roles = set(asdict(self.panel.columns).values())
        return tuple(name for name in self.names if name not in roles)

    def lines(self) -> list[tuple[str, str]]:
        """For a person: labels and texts."""
        panel, document = self.panel, self.document()
        values, rows = document["values"], document["rows_per_series"]
        columns = [f"time {panel.columns.time!r}", f"target {panel.columns.target!r}"]
        if panel.columns.id is not None:
            columns.insert(0, f"id {panel.columns.id!r}")
        spread = "" if len(panel.ids) == 1 else f", {rows['least']:,} to {rows['most']:,} rows each"
        season = document["season_length"]
        return [
            ("data", self.path),
            ("columns", ", ".join(columns)),
            ("unused", ", ".join(map(repr, self.unused)) or "none"),
            ("series", f"{len(panel.ids):,}{spread}" + (f": {_some(panel.ids)}" if panel.columns.id else "")),
            ("rows", f"{len(panel.times):,}, {document['first']} to {document['last']}"),
            ("calendar", f"{panel.calendar.describe()} ({panel.calendar.freq})"),
            ("season", f"{season} rows" if season > 1 else "none found"),
            ("values", f"{number(values['least'])} to {number(values['most'])}, mean {number(values['mean'])}"),
            ("", f"{counted(values['zeros'], 'zero')}, {counted(values['negatives'], 'negative value')}"),
            *((("notes" if place == 0 else ""), note) for place, note in enumerate(self.notes)),
            ("next", self.command),
        ]

    def document(self) -> dict[str, Any]:
        """For a program: JSON values."""
        panel, target = self.panel, self.panel.target
        return {
            "kind": "data",
            "path": self.path,
            "columns": asdict(panel.columns),
            "unused_columns": list(self.unused),
            "series": len(panel.ids),
            "rows": len(panel.times),
            "rows_per_series": {"least": int(panel.lengths.min()), "most": int(panel.lengths.max())},
            "first": format_stamp(panel.times.min()),
            "last": format_stamp(panel.times.max()),
            "calendar": {**panel.calendar.to_dict(), "description": panel.calendar.describe()},
            "season_length": detect_season(panel),
            "values": {
                "least": float(target.min()),
                "most": float(target.max()),
                "mean": float(target.mean()),
                "zeros": int((target == 0).sum()),
                "negatives": int((target < 0).sum()),
            },
            "notes": list(self.notes),
            "train_command": self.command,
        }


def _some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(map(repr, names[:5]))
    return f"{shown} and {len(names) - 5:,} more" if len(names) > 5 else shown
