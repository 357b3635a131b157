"""The lag plot that fools people: whether a forecast is nearer to the last value than to what came.

A forecast that repeats the last value, drawn over the actual values, looks nearly perfect: it is the same line, one
step late. Levels of forecast and actual then correlate close to 1, and so do those of the last value. What a forecast
knows shows in changes: those it said beside those that came.

Dimension letters: `N` rows of a backtest, `O` origins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.paths import LAST_VALUE
from rnncast.evaluation import metrics
from rnncast.evaluation.grouping import group_sums, origin_losses, rows_by_group
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.significance import Comparison, diebold_mariano, json_number
from rnncast.records import dataclass

Floats = NDArray[np.float64]

FEWEST_FOR_CORRELATION = 3
"""Origins of a series for a correlation of its levels."""

NEAR = 0.5
"""Distance from the last value, in proportion to that from what came, up to which a forecast may be called a copy.

A forecast of pure noise, however wild, lies a little nearer to the last value than to what came.
"""

ABOUT_ZERO = 0.1
"""Correlation of changes below which, if no test speaks against it, a forecast is called a copy."""

_FLAT = 1e-12


@dataclass(frozen=True)
class Copycat:
    """How near one method's forecasts are to the last value, and what their first step knows.

    Attributes
    ----------
    method : str
        Name.
    step : int
        The first step scored; 1 unless the backtest leaves a gap after each cutoff.
    to_last, to_actual : float
        Mean scaled distance of the forecasts from the last value, and from what came; NaN without a scale.
    levels, levels_of_last_value : float
        Correlation of forecast and actual levels at the first step within a series, median over the series, and that
        of the last value; NaN where no series has origins enough.
    changes : float
        Correlation of forecast and actual scaled changes at the first step over all series; NaN where the forecast
        never moves.
    changes_test : Comparison
        Test of the product of those changes, each less its mean, against zero.
    """

    method: str
    step: int
    to_last: float
    to_actual: float
    levels: float
    levels_of_last_value: float
    changes: float
    changes_test: Comparison

    @property
    def outcome(self) -> str:
        """What the figures say of the method.

        ``same``: it is the last value. ``informed``: its changes go with those that came, by the test. ``copycat``: it
        is much nearer to the last value than to what came (`NEAR`), and the correlation of changes is below
        `ABOUT_ZERO` and not significant. ``unknown``: none of these.
        """
        if self.to_last == 0:
            return "same"
        if self.changes_test.significant and self.changes > 0:
            return "informed"
        tested = np.isfinite(self.changes_test.p_value) and self.changes < ABOUT_ZERO
        return "copycat" if tested and self.ratio <= NEAR else "unknown"

    @property
    def ratio(self) -> float:
        """Distance from the last value divided by that from what came: below 1 it is nearer to the last value."""
        return float(metrics.divide(np.array(self.to_last), self.to_actual))

    def to_dict(self) -> dict[str, object]:
        """Return the figures as JSON values."""
        return {
            "method": self.method,
            "outcome": self.outcome,
            "step": self.step,
            "distance_to_last_value": json_number(self.to_last),
            "distance_to_actual": json_number(self.to_actual),
            "ratio": json_number(self.ratio),
            "correlation_of_levels": json_number(self.levels),
            "correlation_of_levels_of_last_value": json_number(self.levels_of_last_value),
            "correlation_of_changes": json_number(self.changes),
            "changes_test": self.changes_test.to_dict(),
        }


def copycat(backtest: Backtest, method: str) -> Copycat:
    """Measure how near a method's forecasts are to the last value; both must be among the points."""
    last, point = backtest.points[LAST_VALUE], backtest.points[method]
    to_last, to_actual = (
        origin_losses(backtest, metrics.absolute_error(target, point)) for target in (last, backtest.actual)
    )  # (O,), (O,)
    changes, test = _changes(backtest, point - last, backtest.actual - last)
    return Copycat(
        method=method,
        step=int(backtest.steps.min()),
        to_last=float(to_last.mean()) if len(to_last) else float("nan"),
        to_actual=float(to_actual.mean()) if len(to_actual) else float("nan"),
        levels=_level_correlation(backtest, point),
        levels_of_last_value=_level_correlation(backtest, last),
        changes=changes,
        changes_test=test,
    )


def _changes(backtest: Backtest, said: Floats, came: Floats) -> tuple[float, Comparison]:
    """Correlation of scaled changes (N,) said and come at the first step, and the test of their product."""
    said, came = metrics.divide(said, backtest.scale_absolute), metrics.divide(came, backtest.scale_absolute)  # (N,)
    counted = (backtest.steps == backtest.steps.min()) & np.isfinite(said) & np.isfinite(came)  # (N,)
    if not counted.any():
        return float("nan"), diebold_mariano(np.empty(0), np.empty(0), 0)
    product = np.zeros(len(said))  # (N,)
    product[counted] = (said[counted] - said[counted].mean()) * (came[counted] - came[counted].mean())
    sums = group_sums(np.stack([counted, product], axis=1).astype(np.float64), backtest.origin)  # (all origins, 2)
    kept = sums[sums[:, 0] > 0]  # (O, 2)
    lag = 0 if backtest.steps.min() == 1 else backtest.overlap  # changes over one row do not overlap
    test = diebold_mariano(kept[:, 1] / kept[:, 0].mean(), np.zeros(len(kept)), lag)
    return _correlation(said[counted], came[counted]), test


def _level_correlation(backtest: Backtest, point: Floats) -> float:
    """Median over the series of the correlation of forecast (N,) and actual levels at the first step."""
    first = np.flatnonzero(backtest.steps == backtest.steps.min())
    found = []
    for rows in rows_by_group(backtest.series[first]):
        own = first[rows]
        if len(own) >= FEWEST_FOR_CORRELATION:
            found.append(_correlation(point[own], backtest.actual[own]))
    usable = [value for value in found if np.isfinite(value)]
    return float(np.median(usable)) if usable else float("nan")


def _correlation(x: Floats, y: Floats) -> float:
    """Pearson's correlation of two columns of the same length; NaN where one of them does not vary."""
    if len(x) < 2 or not np.all(np.isfinite(x)) or not np.all(np.isfinite(y)):
        return float("nan")
    columns = [values - values.mean() for values in (x, y)]
    sizes = [float(np.sqrt(np.mean(np.square(values)))) for values in columns]
    if any(size <= _FLAT * max(float(np.max(np.abs(v))), _FLAT) for size, v in zip(sizes, (x, y), strict=True)):
        return float("nan")
    return float(np.mean(columns[0] / sizes[0] * (columns[1] / sizes[1])))
