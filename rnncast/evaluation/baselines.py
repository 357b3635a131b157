"""Forecasts that need no model: last value, drift, seasonal naive, and M4's Naive2; with quantiles.

Dimension letters: `n` rows of a history, `K` horizon steps, `Q` quantiles, `m` season length, `L` central levels.

Quantiles come from the errors that the method made in the history itself: for each step k, all differences between a
row and what the method says of it k rows earlier. The half width of a central interval is the empirical quantile of
their sizes, so intervals are symmetric about the path. For a history and a path that are all positive this is done in
logarithms, where bounds stay positive and a change counts in proportion to the price.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.intervals import changes_over, quantiles_of_rows
from rnncast.baselines.paths import DRIFT, LAST_VALUE, SEASONAL_NAIVE, drift, last_value, seasonal_naive
from rnncast.records import dataclass

Floats = NDArray[np.float64]

MIN_RESIDUALS = 20
"""Fewest in-sample errors at a step for its own empirical quantiles; below, those of the first step are widened."""


@dataclass(frozen=True)
class BaselineForecast:
    """One baseline's forecast from one cutoff.

    Attributes
    ----------
    point : float64 (K,)
        The path.
    quantiles : float64 (K, Q)
        Quantiles at the levels asked for, ascending; NaN where the history is too short to have made an error.
    """

    point: Floats
    quantiles: Floats


def simple_baselines(
    history: Floats, horizon: int, season_length: int, quantile_levels: Floats
) -> Mapping[str, BaselineForecast]:
    """Forecast with every simple baseline: last value, drift, and seasonal naive if `season_length` is above 1.

    Parameters
    ----------
    history
        Finite rows up to the cutoff, shape (n,), at least one.
    horizon
        Number of steps, K.
    season_length
        Rows of a season, m; 1 for none.
    quantile_levels
        Probabilities, ascending, shape (Q,); may be empty.

    Returns
    -------
    Mapping
        Name -> forecast, in a fixed order.
    """
    paths: dict[str, Callable[[], Floats]] = {
        LAST_VALUE: lambda: last_value(history, horizon),
        DRIFT: lambda: drift(history, horizon),
    }
    if season_length > 1:
        paths[SEASONAL_NAIVE] = lambda: seasonal_naive(history, horizon, season_length)
    forecasts = {}
    for name, path in paths.items():
        point = path()  # (K,)
        forecasts[name] = BaselineForecast(point, path_quantiles(name, history, point, season_length, quantile_levels))
    return forecasts


def path_quantiles(name: str, history: Floats, point: Floats, season_length: int, quantile_levels: Floats) -> Floats:
    """Quantiles about a baseline's path from its own in-sample errors at each step, shape (K, Q).

    The quantile at p lies at the path plus (p above 0.5) or minus (below) the empirical ``|2p - 1|`` quantile of the
    sizes of the in-sample errors at that step. A step with fewer than `MIN_RESIDUALS` errors takes the first step's,
    times the square root of how many steps (seasons, for seasonal naive) ahead it is, as for a random walk. Drift's
    errors are taken about its slope over the whole history, and widened by ``sqrt(1 + k / (n - 1))`` because that slope
    is an estimate. Seasonal naive without a second season takes the differences from row to row. The median is the
    path, whatever the errors.
    """
    levels = np.asarray(quantile_levels, dtype=np.float64)
    positive = bool(np.all(history > 0) and np.all(point > 0))
    rows = np.log(history) if positive else np.asarray(history, dtype=np.float64)  # (n,)
    period = season_length if name == SEASONAL_NAIVE and season_length < len(rows) else 1
    widths = _half_widths(rows, len(point), period, np.abs(2.0 * levels - 1.0), drifting=name == DRIFT)  # (K, Q)
    offsets = np.sign(levels - 0.5) * np.where(levels == 0.5, 0.0, widths)  # (K, Q)
    if positive:
        return np.asarray(point[:, None] * np.exp(offsets))
    return np.asarray(point[:, None] + offsets)


def _half_widths(rows: Floats, horizon: int, period: int, central: Floats, *, drifting: bool) -> Floats:
    """Empirical quantiles at `central` (Q,) of the sizes of in-sample errors at each step, shape (K, Q)."""
    n = len(rows)
    slope = (rows[-1] - rows[0]) / (n - 1) if drifting and n > 1 else 0.0
    if n <= period or len(central) == 0:
        return np.full((horizon, len(central)), np.nan)
    seasons = -(-np.arange(1, horizon + 1) // period)  # (K,) from step k back to a known row
    lags = period * np.arange(1, int(seasons[-1]) + 1)  # (seasons,)
    own = lags[(n - lags >= MIN_RESIDUALS) | (lags == period)]  # (own,) with enough errors, or the first
    sizes = np.abs(changes_over(rows, own) - slope * own[:, None])  # (own, n - 1)
    widths = quantiles_of_rows(sizes, n - own, central)  # (own, Q)
    beyond = widths[0] * np.sqrt(np.arange(len(own) + 1, len(lags) + 1))[:, None]  # (seasons - own, Q)
    by_step = np.concatenate((widths, beyond))[seasons - 1]  # (K, Q)
    if drifting:
        by_step *= np.sqrt(1.0 + np.arange(1, horizon + 1) / (n - 1))[:, None]
    return by_step
