"""What was found in a data file: columns and their roles, series, span, calendar, values. As text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np

from rnncast.data.advice import warnings_of
from rnncast.data.calendars.wording import describe_rule
from rnncast.data.diagnosis import Diagnosis, diagnose
from rnncast.data.panel import Panel
from rnncast.data.season import detect_seasons, likely_lengths, name_lengths
from rnncast.data.summary import counted, format_stamp
from rnncast.records import dataclass
from rnncast.report.figures import SeriesFigures, jump_document
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

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """Figures of the series."""
        return diagnose(self.panel)

    @cached_property
    def seasons(self) -> tuple[int, ...]:
        """Season lengths, ascending."""
        return detect_seasons(self.panel)

    @property
    def unused(self) -> tuple[str, ...]:
        """Columns that have no role."""
        columns = self.panel.columns
        roles = {columns.time, columns.id, *(self.panel.ids if columns.wide else (columns.target,))}
        return tuple(name for name in self.names if name not in roles)

    def facts(self) -> list[tuple[str, str]]:
        """For a person: labels and texts, what there is."""
        panel, found = self.panel, self.diagnosis
        least, most = int(found.rows.min()), int(found.rows.max())
        spread = "" if len(panel.ids) == 1 else f", {least:,} to {most:,} rows each" if least < most else ""
        closures = panel.calendar.to_dict().get("closures")
        return [
            ("data", self.path),
            ("columns", ", ".join(self._columns())),
            ("unused", ", ".join(map(repr, self.unused)) or "none"),
            *_under("read", self.notes),
            ("series", f"{len(panel.ids):,}{spread}"),
            ("rows", f"{len(panel.times):,}, {' to '.join(self._span())}"),
            ("calendar", f"{panel.calendar.describe()} ({panel.calendar.freq})"),
            *([("closed", ", ".join(map(describe_rule, closures)))] if closures else []),
            ("gaps", self._gaps()),
            ("season", self._season()),
            ("values", self._values()),
            ("", f"{counted(int(found.zeros.sum()), 'zero')}, {counted(int(found.negatives.sum()), 'negative value')}"),
            ("", f"{self._repeated():.1%} of the rows repeat the value before"),
        ]

    def table(self, width: int | None = None) -> list[str]:
        """For a person: a line for each of the first series, to fit a terminal of `width` columns if there is one."""
        return SeriesFigures(self.panel, self.diagnosis).lines(width)

    def series_table(self) -> dict[str, np.ndarray[Any, Any]]:
        """For a program: the figures of every series as columns, a row for each."""
        rows = SeriesFigures(self.panel, self.diagnosis).document()
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        return {
            name: np.array(cells, dtype=object if name in ("id", "first", "last") else None)
            for name, cells in columns.items()
        }

    def warnings(self) -> list[tuple[str, str]]:
        """For a person: what may be a mistake, labelled as the facts are."""
        return _under("warnings", warnings_of(self.diagnosis, self.panel) or ("none",))

    def document(self) -> dict[str, Any]:
        """For a program: JSON values."""
        panel, target, found = self.panel, self.panel.target, self.diagnosis
        return {
            "kind": "data",
            "path": self.path,
            "columns": asdict(panel.columns),
            "unused_columns": list(self.unused),
            "series": len(panel.ids),
            "rows": len(panel.times),
            "rows_per_series": {"least": int(found.rows.min()), "most": int(found.rows.max())},
            "first": self._span()[0],
            "last": self._span()[1],
            "calendar": {**panel.calendar.to_dict(), "description": panel.calendar.describe()},
            "gaps": int(found.gaps.sum()),
            "season_length": (*self.seasons, 1)[0],
            "seasons": list(self.seasons),
            "seasons_tested": list(likely_lengths(panel)),
            "values": {
                "least": float(target.min()),
                "most": float(target.max()),
                "mean": _mean(panel),
                "zeros": int(found.zeros.sum()),
                "negatives": int(found.negatives.sum()),
                "repeated": self._repeated(),
            },
            "per_series": SeriesFigures(panel, found).document(),
            "jumps": [jump_document(jump, panel) for jump in found.jumps],
            "alike_ids": [list(group) for group in found.alike],
            "same_values": [list(group) for group in found.same],
            "notes": list(self.notes),
            "warnings": list(warnings_of(found, panel)),
            "train_command": self.command,
        }

    def _columns(self) -> list[str]:
        """Columns that have a role."""
        columns = self.panel.columns
        if columns.wide:
            return [f"time {columns.time!r}", "every column of numbers a series"]
        identified = [f"id {columns.id!r}"] if columns.id is not None else []
        return [*identified, f"time {columns.time!r}", f"target {columns.target!r}"]

    def _span(self) -> tuple[str, str]:
        """First and last stamp of all series."""
        times, zone = self.panel.times, self.panel.calendar.zone
        return format_stamp(times.min(), zone), format_stamp(times.max(), zone)

    def _gaps(self) -> str:
        gaps = self.diagnosis.gaps
        if not gaps.any() or self.panel.calendar.is_always_open:
            return _by_series(gaps)
        return f"{_by_series(gaps)}; holidays that the calendar does not know are among them"

    def _season(self) -> str:
        if self.seasons:
            return name_lengths(self.panel, self.seasons)
        tested = likely_lengths(self.panel)
        return f"none found; tested: {name_lengths(self.panel, tested)}" if tested else "none"

    def _values(self) -> str:
        found = self.diagnosis
        return (
            f"{number(float(found.least.min()))} to {number(float(found.most.max()))}, mean {number(_mean(self.panel))}"
        )

    def _repeated(self) -> float:
        """Share of all rows that repeat the value before."""
        found = self.diagnosis
        return float((found.repeated * found.rows).sum() / found.rows.sum())


def _mean(panel: Panel) -> float:
    """Mean of the target; by a division first, as the sum of large numbers may be beyond all numbers."""
    return float((panel.target / len(panel.target)).sum())


def _under(label: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    """Texts below one another, the label before the first."""
    return [(label if place == 0 else "", text) for place, text in enumerate(texts)]


def _by_series(counts: np.ndarray[Any, Any]) -> str:
    """A count over all series, and how many of them it concerns: ``31, in 2 series``."""
    total, series = int(counts.sum()), int((counts > 0).sum())
    if total == 0:
        return "none"
    return f"{total:,}" if len(counts) == 1 else f"{total:,}, in {series:,} series"
