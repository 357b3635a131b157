"""Metrics of point and interval forecasts, each the mean of a loss over the rows given.

Dimension letters: `N` forecasts, `Q` quantiles, `n` rows of a history.

Every metric that is a mean of losses has the loss beside it, which gives one value a forecast; `scores` averages those
over steps, tasks and series. Means are plain: nothing is weighted, nothing that is NaN is skipped. A ratio whose
denominator is zero is NaN, never infinite, and it is for the caller to say that it is missing.

Names and definitions are those of `utilsforecast.losses`, but for the range of sMAPE, which is M4's, and for what has
no name there. docs/metrics.md holds the formulas and the traps.

Sources: Hyndman & Koehler (2006), "Another look at measures of forecast accuracy" (MASE); Makridakis et al. (2020),
"The M4 competition" (sMAPE) and (2022), "M5 accuracy competition" (RMSSE); Gneiting & Raftery (2007), "Strictly proper
scoring rules, prediction, and estimation" (interval score); Winkler (1972), "A decision-theoretic approach to interval
estimation" (the same score); Koenker & Bassett (1978), "Regression quantiles" (pinball); Kolassa & Schuetz (2007),
"Advantages of the MAD/mean ratio over the MAPE" (wape); Salinas et al. (2020), "DeepAR" (nd); Rangapuram et al. (2021),
"End-to-end learning of coherent probabilistic forecasts for hierarchical time series" (scaled_crps).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RANGES = {
    "mae": "0 and up, in units of the target",
    "rmse": "0 and up, in units of the target",
    "smape": "0 to 200",
    "mase": "0 and up, 1 is the in-sample seasonal naive error",
    "rmsse": "0 and up, 1 is the in-sample seasonal naive error",
    "bias": "forecast minus actual, in units of the target",
    "coverage": "0 to 1, both bounds count as inside",
    "interval_score": "0 and up, in units of the target",
    "scaled_interval_score": "0 and up, in in-sample seasonal naive errors",
    "pinball": "0 and up, in units of the target, mean over the quantiles",
}
"""Range and unit of each metric of a backtest's scores, to stand beside it: several have other ranges elsewhere."""

OTHER_RANGES = {
    "mse": "0 and up, in squared units of the target",
    "mape": "0 and up, a fraction: 0.05 is 5 %",
    "nd": "0 and up, a fraction of the mean size of the target",
    "wape": "0 and up, a fraction of the mean size of the target: another name of nd",
    "rmae": "0 and up, 1 is the error of the method compared with",
    "quantile_loss": "0 and up, in units of the target, of one quantile",
    "mqloss": "0 and up, in units of the target, mean over the quantiles: another name of pinball",
    "winkler_score": "0 and up, in units of the target: another name of interval_score",
    "scaled_crps": "0 and up, a fraction of the mean size of the target",
}
"""The same of the field's other metrics, which this module computes and a backtest's scores leave out."""


def absolute_error(actual: Floats, point: Floats) -> Floats:
    """Return ``|y - f|`` of each forecast, shape (N,)."""
    return np.abs(actual - point)


def squared_error(actual: Floats, point: Floats) -> Floats:
    """Return ``(y - f)^2`` of each forecast, shape (N,)."""
    return np.square(actual - point)


def percentage_error(actual: Floats, point: Floats) -> Floats:
    """Return ``|y - f| / |y|`` of each forecast, a fraction, shape (N,); NaN where y is zero."""
    return divide(np.abs(actual - point), np.abs(actual))


def symmetric_percentage_error(actual: Floats, point: Floats) -> Floats:
    """Return ``200 |y - f| / (|y| + |f|)`` of each forecast, shape (N,); 0 where both are zero, as in M4's scoring."""
    error = 200.0 * np.abs(actual - point)  # (N,)
    total: Floats = np.abs(actual) + np.abs(point)  # (N,)
    result: Floats = np.where(np.isfinite(total), 0.0, np.nan)  # (N,)
    return np.divide(error, total, out=result, where=(total > 0) & np.isfinite(total))


def signed_error(actual: Floats, point: Floats) -> Floats:
    """Return ``f - y`` of each forecast, shape (N,): positive where the forecast is too high."""
    return point - actual


def divide(loss: Floats, scale: Floats | float) -> Floats:
    """Return ``loss / scale``, NaN where the scale is zero or no number: a constant history scales nothing."""
    usable = np.broadcast_to(np.greater(scale, 0) & np.isfinite(scale), np.shape(loss))
    result: Floats = np.full(np.shape(loss), np.nan)
    return np.divide(loss, scale, out=result, where=usable)


def inside(actual: Floats, low: Floats, high: Floats) -> Floats:
    """Return 1.0 where ``low <= y <= high`` and 0.0 elsewhere, NaN where a bound is NaN; shape (N,)."""
    within = ((actual >= low) & (actual <= high)).astype(np.float64)  # (N,)
    return np.where(np.isnan(actual) | np.isnan(low) | np.isnan(high), np.nan, within)


def interval_loss(actual: Floats, low: Floats, high: Floats, level: float) -> Floats:
    """Return the interval score of each central interval, shape (N,); Gneiting & Raftery (2007), equation 43.

    ``(u - l) + 2/a max(l - y, 0) + 2/a max(y - u, 0)`` with ``a = 1 - level / 100``.

    Parameters
    ----------
    actual, low, high
        Observed value and the two bounds, shape (N,).
    level
        Nominal coverage in per cent, above 0 and below 100.
    """
    if not 0 < level < 100:
        raise ValueError(f"level is {level}, expected above 0 and below 100 (per cent)")
    penalty = 2.0 / (1.0 - level / 100.0)
    return (high - low) + penalty * (np.maximum(low - actual, 0.0) + np.maximum(actual - high, 0.0))


def pinball_loss(actual: Floats, quantile: Floats, probability: float | Floats) -> Floats:
    """Return ``max(p (y - q), (p - 1) (y - q))``: the loss that the p-quantile minimises.

    At 0.5 it is half the absolute error. The arrays broadcast: actual (N, 1) with quantiles (N, Q) and probabilities
    (Q,) gives (N, Q). The mean over a dense grid of probabilities, doubled, is the continuous ranked probability score.
    """
    if np.any(np.less_equal(probability, 0)) or np.any(np.greater_equal(probability, 1)):
        raise ValueError(f"probability is {probability}, expected above 0 and below 1")
    error = actual - quantile
    return np.maximum(probability * error, (np.asarray(probability) - 1.0) * error)


def mae(actual: Floats, point: Floats) -> float:
    """Mean absolute error, ``mean |y - f|``; 0 and up."""
    return _mean(absolute_error(actual, point))


def mse(actual: Floats, point: Floats) -> float:
    """Mean squared error, ``mean (y - f)^2``; 0 and up, in squared units."""
    return _mean(squared_error(actual, point))


def rmse(actual: Floats, point: Floats) -> float:
    """Root mean squared error, ``sqrt(mean (y - f)^2)``; 0 and up."""
    return float(np.sqrt(mse(actual, point)))


def mape(actual: Floats, point: Floats) -> float:
    """Mean absolute percentage error, ``mean |y - f| / |y|``, as a fraction; NaN if any actual value is zero."""
    return _mean(percentage_error(actual, point))


def nd(actual: Floats, point: Floats) -> float:
    """Normalised deviation, ``sum |y - f| / sum |y|``, as a fraction; NaN if all actual values are zero."""
    return float(divide(np.asarray(mae(actual, point)), _mean(np.abs(actual))))


wape = nd
"""Weighted absolute percentage error: the field's other name of `nd`."""


def smape(actual: Floats, point: Floats) -> float:
    """Symmetric mean absolute percentage error as in M4, ``mean 200 |y - f| / (|y| + |f|)``; 0 to 200."""
    return _mean(symmetric_percentage_error(actual, point))


def mase(actual: Floats, point: Floats, scale_absolute: float) -> float:
    """Mean absolute scaled error, ``mean |y - f| / scale``; NaN for a scale of zero. Hyndman & Koehler (2006).

    `scale_absolute` is `absolute_scale` of the history up to the cutoff, never of what is scored.
    """
    return _mean(divide(absolute_error(actual, point), scale_absolute))


def rmsse(actual: Floats, point: Floats, scale_squared: float) -> float:
    """Root mean squared scaled error, ``sqrt(mean (y - f)^2 / scale)``; NaN for a scale of zero. As in M5.

    `scale_squared` is `squared_scale` of the history up to the cutoff.
    """
    return float(np.sqrt(_mean(divide(squared_error(actual, point), scale_squared))))


def rmae(actual: Floats, point: Floats, baseline: Floats) -> float:
    """Mean absolute error over that of a baseline's forecasts (N,) of the same values; NaN if the latter is zero."""
    return float(divide(np.asarray(mae(actual, point)), mae(actual, baseline)))


def bias(actual: Floats, point: Floats) -> float:
    """Mean of ``f - y``: positive if forecasts are too high on average."""
    return _mean(signed_error(actual, point))


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    """Share of actual values within the bounds, bounds included; 0 to 1."""
    return _mean(inside(actual, low, high))


def interval_score(actual: Floats, low: Floats, high: Floats, level: float) -> float:
    """Mean interval score of central intervals with nominal coverage `level` per cent; 0 and up, lower is better."""
    return _mean(interval_loss(actual, low, high, level))


winkler_score = interval_score
"""The field's other name of `interval_score`."""


def quantile_loss(actual: Floats, quantile: Floats, probability: float) -> float:
    """Mean pinball loss of the forecasts (N,) of one quantile; 0 and up."""
    return _mean(pinball_loss(actual, quantile, probability))


def pinball(actual: Floats, quantiles: Floats, probabilities: Floats) -> float:
    """Mean pinball (quantile) loss over forecasts and quantiles, (N,) against (N, Q) and (Q,); 0 and up."""
    return _mean(pinball_loss(np.asarray(actual)[:, None], quantiles, probabilities))


mqloss = pinball
"""The field's other name of `pinball`: the loss of many quantiles."""


def scaled_crps(actual: Floats, quantiles: Floats, probabilities: Floats) -> float:
    """Twice the mean pinball loss over ``mean |y|``, a fraction; NaN if all actual values are zero.

    The numerator tends to the continuous ranked probability score as quantiles grow dense. Arguments as in `pinball`.
    """
    loss = 2.0 * np.asarray(pinball(actual, quantiles, probabilities))
    return float(divide(loss, _mean(np.abs(actual))))


def absolute_scale(history: Floats, season_length: int = 1) -> float:
    """MASE's denominator: in-sample ``mean |y_t - y_{t-m}|`` of a history (n,).

    A history of `season_length` rows or fewer is taken at lag 1; fewer than two rows give NaN; a constant one gives 0.
    """
    return _mean(np.abs(_seasonal_difference(history, season_length)))


def squared_scale(history: Floats, season_length: int = 1) -> float:
    """RMSSE's denominator: in-sample ``mean (y_t - y_{t-m})^2``; the same fallbacks as `absolute_scale`."""
    return _mean(np.square(_seasonal_difference(history, season_length)))


def _seasonal_difference(history: Floats, season_length: int) -> Floats:
    if season_length < 1:
        raise ValueError(f"season_length is {season_length}, expected 1 or more")
    lag = season_length if len(history) > season_length else 1
    return np.asarray(history[lag:] - history[:-lag], dtype=np.float64)  # (n - lag,)


def _mean(values: Floats) -> float:
    return float(np.mean(values)) if np.size(values) else float("nan")
