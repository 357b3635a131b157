"""What a backtest issued, and what came: the long table that scores, tests and verdicts are computed from.

Dimension letters: `N` rows, `Q` quantiles, `W` tasks (one forecast of one series from one cutoff).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.evaluation.significance import overlapping_origins
from rnncast.records import dataclass

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Backtest:
    """Forecasts of one or more methods and what came: one row for each series, cutoff and step.

    Attributes
    ----------
    ids : tuple of str
        Names of the series.
    series : int64 (N,)
        Position in `ids`.
    origin : int64 (N,)
        Number of the cutoff, ascending in time; series with the same number are taken as forecast together.
    cutoffs, times : datetime64[us] or int64 (N,)
        Stamp of the last row that the forecast had seen, and of the row forecast.
    steps : int64 (N,)
        1, 2, ... rows after the cutoff.
    actual : float64 (N,)
        What came; all finite.
    points : Mapping of str to float64 (N,)
        Point forecasts of those methods that have them.
    quantile_levels : float64 (Q,)
        Probabilities, ascending.
    quantiles : Mapping of str to float64 (N, Q)
        Quantiles of those methods that have them; a method has a point, quantiles or both.
    scale_absolute, scale_squared : float64 (N,)
        `metrics.absolute_scale` and `metrics.squared_scale` of each row's history up to its cutoff.
    season_length : int
        Lag of those scales.
    volatility : float64 (N,) or None
        `relative_volatility` of each row's history up to its cutoff; None where it is not known.
    zone : str or None
        Zone in which stamps are written; `cutoffs` and `times` are then in UTC.
    reach : int or None
        Later origins that lie before the end of a forecast, at most; None to count them in each series.
    """

    ids: tuple[str, ...]
    series: NDArray[np.int64]
    origin: NDArray[np.int64]
    cutoffs: NDArray[Any]
    times: NDArray[Any]
    steps: NDArray[np.int64]
    actual: Floats
    points: Mapping[str, Floats]
    quantile_levels: Floats
    quantiles: Mapping[str, Floats]
    scale_absolute: Floats
    scale_squared: Floats
    season_length: int = 1
    volatility: Floats | None = None
    zone: str | None = None
    reach: int | None = None

    def __post_init__(self) -> None:
        rows = len(self.actual)
        columns = ("series", "origin", "cutoffs", "times", "steps", "scale_absolute", "scale_squared")
        shapes: dict[str, tuple[Any, Any]] = {name: (getattr(self, name).shape, (rows,)) for name in columns}
        shapes |= {f"points[{name}]": (values.shape, (rows,)) for name, values in self.points.items()}
        if self.volatility is not None:
            shapes["volatility"] = (self.volatility.shape, (rows,))
        levels = len(self.quantile_levels)
        shapes |= {f"quantiles[{name}]": (values.shape, (rows, levels)) for name, values in self.quantiles.items()}
        for name, (got, expected) in shapes.items():
            if got != expected:
                raise ValueError(f"{name} has shape {got}, expected {expected}")
        if rows == 0 or not self.points or not np.all(np.isfinite(self.actual)):
            raise ValueError(f"{rows} rows, {len(self.points)} methods: expected some, and finite actual values")
        origins, steps = int(self.origin.max()) + 1, int(self.steps.max()) + 1
        key = self.series * origins  # (N,) a number for each series, origin and step; made in place: it may be long
        key += self.origin
        key *= steps
        key += self.steps
        key.sort()
        if np.any(key[1:] == key[:-1]):
            raise ValueError("a series has more than one row for the same origin and step")

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of all methods: those with a point first."""
        return (*self.points, *(name for name in self.quantiles if name not in self.points))

    @property
    def central_levels(self) -> tuple[tuple[float, int, int], ...]:
        """Level in per cent, ascending, and the positions of its two bounds among the quantiles."""
        found = []
        for low, p in enumerate(self.quantile_levels):
            matching = np.flatnonzero(np.abs(self.quantile_levels - (1.0 - p)) < 1e-9)
            if p < 0.5 and len(matching):
                found.append((round(100.0 * (1.0 - 2.0 * float(p)), 6), low, int(matching[0])))
        return tuple(sorted(found))

    @cached_property
    def tasks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Task of each row, shape (N,), and origin of each task, shape (W,)."""
        origins = int(self.origin.max()) + 1
        pairs, task = np.unique(self.series * origins + self.origin, return_inverse=True)
        return task.astype(np.int64), (pairs % origins).astype(np.int64)

    @cached_property
    def overlap(self) -> int:
        """Later cutoffs that lie before the end of a forecast, at most."""
        if self.reach is not None:
            return self.reach
        return overlapping_origins(self.series, self.cutoffs, self.times)
