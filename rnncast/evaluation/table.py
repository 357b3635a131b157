"""The long table of a backtest, made once in its full length and filled origin after origin.

Memory that grows with the number of origins is this table and nothing else.

Dimension letters: `N` rows (a pair and a step each), `P` pairs of an origin and a series, `K` horizon steps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.panel import Panel
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.issuing import Issued
from rnncast.evaluation.methods import Terms
from rnncast.evaluation.origins import Pairs

POINT, QUANTILES = "point:", "quantiles:"
"""What the name of a column begins with, before that of its method."""

OF_HISTORIES = ("scale_absolute", "scale_squared", "volatility")
"""Columns that say how a history has moved."""


class Table:
    """What is issued for pairs of an origin and a series: a row for each step that is scored.

    Parameters
    ----------
    pairs
        All pairs, origin after origin.
    terms
        What is asked of each forecast.

    Attributes
    ----------
    columns : dict of str to float64 (N, ...)
        What was issued, by name; NaN in rows that are not filled yet.
    """

    def __init__(self, pairs: Pairs, terms: Terms) -> None:
        self.pairs, self.terms = pairs, terms
        self.columns: dict[str, NDArray[np.float64]] = {}
        self._first = pairs.first_rows

    def __len__(self) -> int:
        return int(self._first[-1])

    def rows_before(self, origin: int) -> int:
        """Rows of the origins before one; they come first."""
        return int(self._first[np.searchsorted(self.pairs.origin, origin)])

    def fill(self, first: int, stop: int, issued: Issued) -> None:
        """Put in what was issued at the origins ``first`` to ``stop - 1``."""
        begin, end = np.searchsorted(self.pairs.origin, [first, stop])
        steps = self.pairs.steps[begin:end]  # (P',)
        for name in OF_HISTORIES:
            self._put(name, first, stop, np.repeat(getattr(issued, name), steps))
        for name, method in issued.methods.items():
            for kind, values in ((POINT, method.point), (QUANTILES, method.quantiles)):
                if values is not None:
                    scored = np.arange(values.shape[1]) < steps[:, None]  # (P', K)
                    self._put(kind + name, first, stop, values[scored])

    def restore(self, origins: int, columns: Mapping[str, NDArray[np.float64]]) -> None:
        """Put in what was issued at the first `origins` before.

        Raises
        ------
        ValueError
            The columns are not those of a table of so many origins.
        """
        rows = self.rows_before(origins)
        if rows and not {*OF_HISTORIES} < set(columns):
            raise ValueError(f"it has the columns {sorted(columns)}")
        for name, column in columns.items():
            quantiles = name.startswith(QUANTILES)
            if not (quantiles or name.startswith(POINT) or name in OF_HISTORIES):
                raise ValueError(f"there is no column {name}")
            expected = (rows, len(self.terms.levels)) if quantiles else (rows,)
            if column.shape != expected:
                raise ValueError(f"{name} has shape {column.shape}, expected {expected}")
            self._put(name, 0, origins, column)

    def digest(self, origin: int) -> str:
        """SHA-256 of all that was issued at an origin."""
        rows = slice(self.rows_before(origin), self.rows_before(origin + 1))
        digest = hashlib.sha256()
        for name in sorted(self.columns):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(self.columns[name][rows]).tobytes())
        return digest.hexdigest()

    def backtest(self, panel: Panel) -> Backtest:
        """The filled table, beside what came."""
        pairs, terms = self.pairs, self.terms

        def by_row(values: NDArray[Any]) -> NDArray[Any]:
            return np.repeat(values, pairs.steps)  # (N,)

        row = np.arange(len(self)) + by_row(pairs.ends + terms.gap - self._first[:-1])  # (N,)
        return Backtest(
            ids=panel.ids,
            series=by_row(pairs.series),
            origin=by_row(pairs.origin),
            cutoffs=by_row(panel.times[pairs.ends - 1]),
            times=panel.times[row],
            steps=row + 1 - by_row(pairs.ends),
            actual=panel.target[row],
            points=self._of(POINT),
            quantile_levels=np.array(terms.levels),
            quantiles=self._of(QUANTILES),
            scale_absolute=self.columns["scale_absolute"],
            scale_squared=self.columns["scale_squared"],
            season_length=terms.season_length,
            volatility=self.columns["volatility"],
            zone=panel.calendar.zone,
        )

    def _put(self, name: str, first: int, stop: int, values: NDArray[Any]) -> None:
        if name not in self.columns:
            self.columns[name] = np.full((len(self), *values.shape[1:]), np.nan)
        self.columns[name][self.rows_before(first) : self.rows_before(stop)] = values

    def _of(self, kind: str) -> dict[str, NDArray[np.float64]]:
        """Columns of one kind by method, in the order in which methods were issued."""
        return {name.removeprefix(kind): column for name, column in self.columns.items() if name.startswith(kind)}
