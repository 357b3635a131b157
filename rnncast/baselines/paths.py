"""Paths that need no model: last value, drift, seasonal naive, and M4's Naive2.

Dimension letters: `n` rows of a history, `K` horizon steps, `m` season length.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rnncast.data.season import NORMAL_95, autocorrelation

Floats = NDArray[np.float64]

LAST_VALUE = "last value"
DRIFT = "drift"
SEASONAL_NAIVE = "seasonal naive"


def last_value(history: Floats, horizon: int) -> Floats:
    """Repeat the last row: the random walk's forecast, shape (K,)."""
    return np.full(horizon, _checked(history, horizon)[-1])


def drift(history: Floats, horizon: int) -> Floats:
    """Extend the line from the first row to the last, shape (K,); the last value for a history of one row."""
    rows = _checked(history, horizon)
    slope = (rows[-1] - rows[0]) / (len(rows) - 1) if len(rows) > 1 else 0.0
    return np.asarray(rows[-1] + slope * np.arange(1, horizon + 1))


def seasonal_naive(history: Floats, horizon: int, season_length: int) -> Floats:
    """Repeat the last `season_length` rows, shape (K,); the last value for a history shorter than a season."""
    rows = _checked(history, horizon)
    season = rows[-season_length:] if 1 < season_length <= len(rows) else rows[-1:]
    return np.asarray(season[np.arange(horizon) % len(season)])


def naive2(history: Floats, horizon: int, season_length: int) -> Floats:
    """M4's Naive2, shape (K,): the last value of the seasonally adjusted series, times the seasonal indices.

    Adjusted only if `is_seasonal`; otherwise, or where the indices are not finite, it is the last value. Makridakis,
    Spiliotis & Assimakopoulos (2020), "The M4 competition: 100,000 time series and 61 forecasting methods".
    """
    rows = _checked(history, horizon)
    if is_seasonal(rows, season_length):
        indices = seasonal_indices(rows, season_length)  # (m,) for row numbers 0..m-1
        index_of_last = indices[(len(rows) - 1) % season_length]
        ahead = indices[(len(rows) + np.arange(horizon)) % season_length]  # (K,)
        with np.errstate(divide="ignore", invalid="ignore"):
            path = rows[-1] / index_of_last * ahead
        if np.all(np.isfinite(path)):
            return np.asarray(path)
    return last_value(rows, horizon)


def is_seasonal(history: Floats, season_length: int) -> bool:
    """Test as M4 did whether the autocorrelation at lag m is significant at 90 %.

    The limit is Bartlett's, ``1.645 sqrt((1 + 2 sum_{i<m} r_i^2) / n)``. Fewer than three seasons are never seasonal,
    nor is a season longer than ``10 log10(n)`` lags, where the competition's program had no autocorrelation to look at.
    """
    n = len(history)
    if season_length <= 1 or n < 3 * season_length or season_length > math.floor(10 * math.log10(n)):
        return False
    r = autocorrelation(history, season_length)[1:]  # (m,)
    limit = NORMAL_95 * math.sqrt((1.0 + 2.0 * float(np.sum(r[:-1] ** 2))) / n)
    return bool(abs(r[-1]) > limit)  # all are zero for a constant history, which is not seasonal


def seasonal_indices(history: Floats, season_length: int) -> Floats:
    """Multiplicative seasonal indices by classical decomposition, shape (m,), with mean 1.

    Each is the mean ratio of its rows to a centred moving average over one season (end weights halved for an even
    season). Index i belongs to rows i, i + m, ...
    """
    m, n = season_length, len(history)
    weights = np.full(m, 1.0 / m) if m % 2 else np.concatenate(([0.5], np.ones(m - 1), [0.5])) / m  # (m or m + 1,)
    reach = len(weights) // 2
    trend = np.convolve(history, weights, mode="valid")  # (n - 2 reach,)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = history[reach : n - reach] / trend  # (n - 2 reach,)
        position = np.arange(reach, n - reach) % m
        indices = np.bincount(position, weights=ratios, minlength=m) / np.bincount(position, minlength=m)  # (m,)
        return np.asarray(indices / indices.mean())


def _checked(history: Floats, horizon: int) -> Floats:
    rows = np.asarray(history, dtype=np.float64)
    if rows.ndim != 1 or len(rows) == 0 or horizon < 1:
        raise ValueError(
            f"history has shape {rows.shape}, horizon is {horizon}: expected (n,) with n >= 1, and 1 or more"
        )
    return rows
