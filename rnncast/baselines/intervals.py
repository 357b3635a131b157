"""Quantiles about the last value that need no model: how far a series has moved in so many steps, or moves of late.

Dimension letters: `n` rows of a history, `K` horizon steps, `L` lags, `Q` quantiles.

All of it is in working units (logarithms of positive series, levels otherwise), as distances from the last row.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.volatility import ewma_volatility

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FEWEST_CHANGES = 20
"""Fewest changes over k rows for quantiles of their own; below, those over fewer rows are widened."""


def empirical_quantiles(rows: Floats, horizon: int, levels: Floats) -> Floats:
    """Quantiles of all changes over k rows, for k = 1 to K, shape (K, Q); skewed if the changes are.

    A step with fewer than `FEWEST_CHANGES` changes takes the quantiles of the last step that has as many (of the first
    one if none has), times the root of the ratio of the two, as for a random walk. NaN for a history of one row.

    Parameters
    ----------
    rows : float64 (n,)
        A history in working units.
    horizon
        Number of steps, K.
    levels : float64 (Q,)
        Probabilities, ascending.
    """
    n = len(rows)
    if n < 2:
        return np.full((horizon, len(levels)), np.nan)
    own = np.arange(1, max(1, min(horizon, n - FEWEST_CHANGES)) + 1)  # (own,) steps with quantiles of their own
    quantiles = quantiles_of_rows(changes_over(rows, own), n - own, levels)  # (own, Q)
    beyond = np.sqrt(np.arange(own[-1] + 1, horizon + 1) / own[-1])[:, None]  # (K - own, 1)
    return np.concatenate((quantiles, quantiles[-1] * beyond))


def changes_over(rows: Floats, lags: Integers) -> Floats:
    """All changes of a history (n,) over each number of rows, shape (L, n - 1), infinity where there are no more."""
    changes = np.full((len(lags), len(rows) - 1), np.inf)  # (L, n - 1)
    for changed, lag in zip(changes, lags.tolist(), strict=True):
        np.subtract(rows[lag:], rows[:-lag], out=changed[: len(rows) - lag])
    return changes


def quantiles_of_rows(values: Floats, counts: Integers, levels: Floats) -> Floats:
    """Empirical quantiles of the least values of each row, shape (L, Q): to the bit those of `np.quantile`, one by one.

    Parameters
    ----------
    values : float64 (L, N)
        Sorted in place.
    counts : int64 (L,)
        How many of the least values of each row count, at least one.
    levels : float64 (Q,)
        Probabilities.
    """
    values.sort(axis=1)
    last = counts[:, None] - 1  # (L, 1)
    place = last * levels  # (L, Q) between the sorted values
    below = np.floor(place).astype(np.int64)  # (L, Q)
    low = np.take_along_axis(values, below, axis=1)  # (L, Q)
    high = np.take_along_axis(values, np.minimum(below + 1, last), axis=1)  # (L, Q)
    share = place - below  # (L, Q)
    return np.where(share < 0.5, low + (high - low) * share, high - (high - low) * (1 - share))


def ewma_normal_quantiles(changes: Floats, horizon: int, levels: Floats) -> Floats:
    """Normal quantiles with the exponentially weighted volatility times the root of the step, shape (K, Q).

    J.P. Morgan/Reuters (1996), "RiskMetrics technical document". NaN for a history without a change.

    Parameters
    ----------
    changes : float64 (n - 1,)
        From row to row, in working units.
    horizon, levels
        As in `empirical_quantiles`.
    """
    scores = np.array([NormalDist().inv_cdf(level) for level in levels.tolist()])  # (Q,)
    volatility = ewma_volatility(changes) if len(changes) else np.nan
    return np.asarray(volatility * np.sqrt(np.arange(1, horizon + 1))[:, None] * scores)
