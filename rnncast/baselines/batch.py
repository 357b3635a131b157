"""Simple paths of many histories at once, in working units, by name.

Dimension letters: `R` rows, `B` histories, `K` horizon steps, `m` season length.

Every path is a function of the last rows (R, B) of each history in working units (logarithms of positive series), the
number of them that count (B,), the horizon and the season length, as `data.windows.gather_inputs` gives them: a history
of fewer than R rows repeats its first value in front. Each gives float64 (K, B), and what it gives for a history
depends on no other one and not on R.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.holt_winters import HOLT_WINTERS, holt_winters
from rnncast.baselines.paths import DRIFT, LAST_VALUE, SEASONAL_NAIVE
from rnncast.baselines.smoothing import DAMPED_TREND, THETA, damped_trend, theta

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Path = Callable[[Floats, Integers, int, int], Floats]


def last_value(rows: Floats, valid: Integers, horizon: int, season_length: int) -> Floats:
    """Repeat the last row, shape (K, B)."""
    return np.repeat(rows[-1:], horizon, axis=0)


def drift(rows: Floats, valid: Integers, horizon: int, season_length: int) -> Floats:
    """Extend the line from the first row that counts to the last, shape (K, B); the last value for a single row."""
    first = rows[len(rows) - valid, np.arange(rows.shape[1])]  # (B,)
    slope = (rows[-1] - first) / np.maximum(valid - 1, 1)  # (B,)
    return np.asarray(rows[-1] + slope * np.arange(1, horizon + 1)[:, None])


def seasonal_naive(rows: Floats, valid: Integers, horizon: int, season_length: int) -> Floats:
    """Repeat the last season, shape (K, B); the last value where fewer rows count, or without a season."""
    season = rows[-season_length:]  # (m, B), or all rows where they are fewer: then none count as a season
    ahead = np.arange(horizon) % len(season)
    return np.where(valid >= season_length, season[ahead], rows[-1])


PATHS: dict[str, Path] = {
    LAST_VALUE: last_value,
    DRIFT: drift,
    SEASONAL_NAIVE: seasonal_naive,
    THETA: theta,
    DAMPED_TREND: damped_trend,
    HOLT_WINTERS: holt_winters,
}
"""Name -> path, simplest first."""
