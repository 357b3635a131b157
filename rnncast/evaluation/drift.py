"""How the error of issued forecasts drifts: period by period, and tested for a trend.

The trend is that of a straight line through the cutoffs' mean losses. Neighbouring cutoffs are correlated where their
horizons overlap, so the variance is the long-run one, estimated from the residuals' projections on slow waves that are
orthogonal to the line; the statistic then has Student's t distribution on as many degrees of freedom as there are
waves. (Where losses are independent and normal it has so exactly, for any number of cutoffs.)

Sources: Sun (2011), "Robust trend inference with series variance estimator and testing-optimal smoothing parameter";
Lazarus, Lewis, Stock & Watson (2018), "HAR inference: recommendations for practice" (the number of waves).

Dimension letters: `N` rows of a backtest, `O` origins, `W` tasks, `B` waves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.paths import LAST_VALUE
from rnncast.core.student_t import student_t_two_sided
from rnncast.evaluation import metrics
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.scores import Scores, score_backtest
from rnncast.evaluation.significance import json_number
from rnncast.records import dataclass

Floats = NDArray[np.float64]

FEWEST_PERIODS, MOST_PERIODS, ORIGINS_A_PERIOD = 4, 12, 20
"""Periods of a ledger, as many between the two as give each so many cutoffs."""

FEWEST_WAVES, MOST_WAVES = 4, 8
"""Waves with which a test is made at all, and most of them in a short ledger."""

WAVES_AN_OVERLAP = 0.4
"""Waves for each cutoff, if horizons do not overlap: faster ones would not see the correlation of those that do."""

_NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class Trend:
    """A straight line through losses in the order of their origins, and whether it may be level.

    Attributes
    ----------
    change : float
        Last minus first value of the line.
    statistic, p_value : float
        Of its slope, two-sided; NaN where there is no test.
    origins : int
        Number of origins, O.
    waves : int
        Degrees of freedom, B.
    reason : str or None
        Why there is no test: ``"too few origins"``, ``"no variation"``, ``"no loss"``.
    """

    change: float
    statistic: float
    p_value: float
    origins: int
    waves: int
    reason: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the fields as JSON values: a missing number is None, never NaN."""
        return {
            "change": json_number(self.change),
            "statistic": json_number(self.statistic),
            "p_value": json_number(self.p_value),
            "origins": self.origins,
            "degrees_of_freedom": self.waves,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Period:
    """The forecasts of a stretch of cutoffs.

    Attributes
    ----------
    first, last : datetime64[us] or int
        Its outermost cutoffs.
    scores : Scores
        Of every method.
    """

    first: Any
    last: Any
    scores: Scores


@dataclass(frozen=True)
class Drift:
    """What changes over the cutoffs of a ledger.

    Attributes
    ----------
    periods : tuple of Period
        In order, with as many cutoffs each as can be; none for fewer cutoffs than periods.
    error : Trend
        Of the method's scaled absolute error minus the last value's: above zero, it got worse.
    coverage : Mapping of float to Trend
        Level in per cent -> of the share of values inside its interval.
    """

    periods: tuple[Period, ...]
    error: Trend
    coverage: Mapping[float, Trend]


def measure_drift(backtest: Backtest, method: str = "rnncast") -> Drift:
    """Periods of a backtest, and the trends of one method's error against the last value's and of its coverage."""
    actual = backtest.actual
    own, reference = (metrics.absolute_error(actual, backtest.points[name]) for name in (method, LAST_VALUE))  # (N,)
    lag = backtest.overlap
    coverage = {}
    for level, low, high in backtest.central_levels:
        bounds = backtest.quantiles[method]
        inside = metrics.inside(actual, bounds[:, low], bounds[:, high])  # (N,)
        coverage[level] = trend(_by_origin(backtest, inside), lag)
    error = trend(_by_origin(backtest, metrics.divide(own - reference, backtest.scale_absolute)), lag)
    return Drift(periods_of(backtest), error, coverage)


def periods_of(backtest: Backtest) -> tuple[Period, ...]:
    """Stretches with equal numbers of origins, each scored on its own."""
    origins = np.unique(backtest.origin)  # (O,)
    count = min(max(len(origins) // ORIGINS_A_PERIOD, FEWEST_PERIODS), MOST_PERIODS)
    if len(origins) < count:
        return ()
    found = []
    for part in np.array_split(origins, count):
        mask = np.isin(backtest.origin, part)  # (N,)
        cutoffs = backtest.cutoffs[mask]
        found.append(Period(cutoffs.min(), cutoffs.max(), score_backtest(take(backtest, mask))))
    return tuple(found)


def take(backtest: Backtest, mask: NDArray[np.bool_]) -> Backtest:
    """The rows of a backtest where `mask` (N,) is true; at least one."""
    names = ("series", "origin", "cutoffs", "times", "steps", "actual", "scale_absolute", "scale_squared")
    return replace(
        backtest,
        **{name: getattr(backtest, name)[mask] for name in names},
        points={name: values[mask] for name, values in backtest.points.items()},
        quantiles={name: values[mask] for name, values in backtest.quantiles.items()},
        volatility=None if backtest.volatility is None else backtest.volatility[mask],
    )


def trend(losses: Floats, lag: int) -> Trend:
    """Test whether a line through losses (O,) is level.

    With x the order of the origins, b the slope by least squares, and q_1 ... q_B an orthonormal basis of the waves
    ``cos(pi j (t - 1/2) / O)`` made orthogonal to a constant and to x, the statistic is
    ``b sqrt(sum (x - mean x)^2) / sqrt(mean (q_j' d)^2)``, compared with Student's t on B degrees of freedom.

    Parameters
    ----------
    losses
        Mean loss at each origin, in their order.
    lag
        Neighbouring origins whose horizons overlap.
    """
    count = len(losses)
    nan = float("nan")
    if count == 0 or not np.all(np.isfinite(losses)):
        return Trend(nan, nan, nan, count, 0, "no loss")
    waves = _waves(count, lag)
    if waves < FEWEST_WAVES:
        return Trend(nan, nan, nan, count, waves, "too few origins")
    largest = float(np.max(np.abs(losses)))
    if np.ptp(losses) <= _NEGLIGIBLE * largest:
        return Trend(0.0, nan, nan, count, waves, "no variation")
    t = np.arange(count)
    columns = [np.ones(count), t - t.mean()]
    columns += [np.cos(np.pi * j * (t + 0.5) / count) for j in range(1, waves + 1)]
    basis, _ = np.linalg.qr(np.stack(columns, axis=1))  # (O, 2 + B)
    direction = basis[:, 1] * np.sign(basis[-1, 1])  # (O,) along x
    along = float(direction @ losses)
    rest = float(np.sqrt(np.mean((basis[:, 2:].T @ losses) ** 2)))
    change = along * float(direction[-1] - direction[0])
    if rest <= _NEGLIGIBLE * largest * math.sqrt(count):
        return Trend(change, nan, nan, count, waves, "no variation")
    statistic = along / rest
    return Trend(change, statistic, student_t_two_sided(statistic, waves), count, waves)


def origins_needed(lag: int) -> int:
    """Fewest origins for a test of a trend."""
    return next(count for count in range(1, 10**9) if _waves(count, lag) >= FEWEST_WAVES)


def _waves(count: int, lag: int) -> int:
    slow = int(WAVES_AN_OVERLAP * count / (lag + 1))
    return min(slow, max(MOST_WAVES, int(0.4 * count ** (2 / 3))))


def _by_origin(backtest: Backtest, values: Floats) -> Floats:
    """Mean of values (N,) over the steps of each task, then over the tasks of each origin, shape (O,).

    A task without a finite value, whose history gives no scale, is left out.
    """
    task, origin = backtest.tasks
    by_task = np.bincount(task, weights=values) / np.bincount(task)  # (W,)
    usable = np.isfinite(by_task)
    _, place = np.unique(origin[usable], return_inverse=True)
    return np.bincount(place, weights=by_task[usable]) / np.maximum(np.bincount(place), 1)
