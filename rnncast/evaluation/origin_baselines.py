"""All baselines of a backtest, one origin after the other: paths, and intervals around the last value.

Dimension letters: `S` series, `R` rows, `K` horizon steps, `Q` quantiles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.garch_intervals import GarchIntervals
from rnncast.baselines.intervals import empirical_quantiles, ewma_normal_quantiles
from rnncast.baselines.smoothing import DAMPED_TREND, THETA, damped_trend, smoothed_rows, theta
from rnncast.evaluation.baselines import simple_baselines
from rnncast.records import dataclass

Floats = NDArray[np.float64]

EMPIRICAL = "empirical"
EWMA_NORMAL = "ewma normal"
GARCH_T = "garch t"

MOST_ROWS = 2000
"""Rows at the end of a history that the intervals around the last value look at."""


@dataclass(frozen=True)
class OriginForecast:
    """What one baseline says at one origin.

    Attributes
    ----------
    point : float64 (S, K) or None
        Paths; None for a method that gives intervals around the last value.
    quantiles : float64 (S, K, Q) or None
        At the levels asked for, ascending; NaN where a history is too short for any. None for a path alone.
    """

    point: Floats | None
    quantiles: Floats | None


@dataclass(frozen=True)
class _History:
    """End of a history in working units.

    Attributes
    ----------
    rows : float64 (R,)
        At most the last `MOST_ROWS` rows: logarithms where the whole history is positive, values otherwise.
    last : float
        Last value, in the units of the data.
    logarithmic : bool
        Which of the two.
    """

    rows: Floats
    last: float
    logarithmic: bool

    def around_last(self, distances: Floats) -> Floats:
        """Distances from the last row in working units as values in the units of the data."""
        return np.asarray(self.last * np.exp(distances) if self.logarithmic else self.last + distances)


class OriginBaselines:
    """Baselines of a backtest, to be called for its origins in ascending time.

    Methods with paths: last value, drift and, with a season, seasonal naive, each with the quantiles of
    `simple_baselines`; Theta and the damped trend, without quantiles, from the last `smoothed_rows`, in logarithms
    where the whole history is positive.

    Without paths, if there are quantile levels at all, from the last 2,000 rows and in the same units: the empirical
    quantiles of changes; normal quantiles with an exponentially weighted volatility (RiskMetrics); GARCH(1,1) with
    Student's t, from the last 1,000 changes, estimated at a series' first origin and again after every 50. For a series
    of fewer than 100 rows, and for one that stands still in at least half of them, it gives what RiskMetrics gives.

    Parameters
    ----------
    horizon
        Number of steps, K.
    season_length
        Rows of a season; 1 for none.
    quantile_levels : float64 (Q,)
        Probabilities, ascending; may be empty.
    """

    def __init__(self, horizon: int, season_length: int, quantile_levels: Floats) -> None:
        self._horizon, self._season_length = horizon, season_length
        self._levels = np.asarray(quantile_levels, dtype=np.float64)
        self._garch = GarchIntervals(horizon, self._levels)

    def at(self, series: Sequence[int], histories: Sequence[Floats]) -> Mapping[str, OriginForecast]:
        """Forecasts of every method, by name and in a fixed order.

        Parameters
        ----------
        series
            Number of each series, the same at every origin.
        histories : sequence of float64 (n_s,)
            Finite rows of each up to the origin, at least one; nothing else is looked at.
        """
        ends = [_end_of(history) for history in histories]
        with np.errstate(over="ignore"):  # what is beyond all numbers is infinite, and counts as missing
            found = {**self._simple(histories), **self._smoothed(ends)}
            return {**found, **self._around_last(series, ends)} if len(self._levels) else found

    def _simple(self, histories: Sequence[Floats]) -> dict[str, OriginForecast]:
        each = [simple_baselines(rows, self._horizon, self._season_length, self._levels) for rows in histories]
        return {
            name: OriginForecast(
                point=np.stack([one[name].point for one in each]),
                quantiles=np.stack([one[name].quantiles for one in each]),
            )
            for name in each[0]
        }

    def _smoothed(self, ends: Sequence[_History]) -> dict[str, OriginForecast]:
        most = smoothed_rows(self._season_length)
        valid = np.array([min(len(end.rows), most) for end in ends])  # (S,)
        rows = np.zeros((int(valid.max()), len(ends)))  # (R, S)
        for i, end in enumerate(ends):
            rows[len(rows) - valid[i] :, i] = end.rows[-most:]
        logarithmic = np.array([end.logarithmic for end in ends])  # (S,)
        found = {}
        for name, path in ((THETA, theta), (DAMPED_TREND, damped_trend)):
            ahead = path(rows, valid, self._horizon, self._season_length)  # (K, S)
            point = np.where(logarithmic, np.exp(np.where(logarithmic, ahead, 0.0)), ahead)  # (K, S)
            found[name] = OriginForecast(point=point.T, quantiles=None)
        return found

    def _around_last(self, series: Sequence[int], ends: Sequence[_History]) -> dict[str, OriginForecast]:
        shape = self._horizon, self._levels
        changes = [np.diff(end.rows) for end in ends]  # (R - 1,) each
        normal = [ewma_normal_quantiles(each, *shape) for each in changes]  # (K, Q) each
        fitted = self._garch.at(series, changes, [end.logarithmic for end in ends])
        distances = {
            EMPIRICAL: [empirical_quantiles(end.rows, *shape) for end in ends],
            EWMA_NORMAL: normal,
            GARCH_T: [fitted.get(number, other) for number, other in zip(series, normal, strict=True)],
        }
        return {
            name: OriginForecast(
                point=None,
                quantiles=np.stack([end.around_last(one) for end, one in zip(ends, each, strict=True)]),  # (S, K, Q)
            )
            for name, each in distances.items()
        }


def _end_of(history: Floats) -> _History:
    rows = np.asarray(history[-MOST_ROWS:], dtype=np.float64)  # (R,)
    logarithmic = bool(np.min(history) >= np.finfo(np.float64).tiny)
    return _History(np.log(rows) if logarithmic else rows, float(rows[-1]), logarithmic)
