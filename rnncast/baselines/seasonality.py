"""Additive seasonal adjustment of many histories at once.

Dimension letters: `R` rows, `B` histories, `m` season length.

Rows are in working units (logarithms of positive series), where a season that multiplies prices adds. Shorter histories
have rows in front that do not count, and histories are aligned at their ends, so a row's place in the season is counted
from the last row: place 0 is the row that follows it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncast.data.season import LEAST_SEASONS, NORMAL_95

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def additive_indices(rows: Floats, valid: Integers, season_length: int) -> Floats:
    """Additive seasonal indices by place, shape (m, B); zeros for a history whose season is not significant.

    The classical decomposition: an index is the mean distance of its rows from a centred moving average over one season
    (half weights at both ends of an even season), and the indices of a history add up to zero.

    Parameters
    ----------
    rows : float64 (R, B)
        Histories in working units.
    valid : int64 (B,)
        Number of rows of each, at the end, that count.
    season_length
        Rows of a season, m.
    """
    indices = np.zeros((season_length, rows.shape[1]))  # (m, B)
    seasonal = np.flatnonzero(are_seasonal(rows, valid, season_length))  # (seasonal histories,)
    if len(seasonal):
        indices[:, seasonal] = _decompose(rows[:, seasonal], valid[seasonal], season_length)
    return indices


def are_seasonal(rows: Floats, valid: Integers, season_length: int) -> NDArray[np.bool_]:
    """Whether each history, shape (B,), has a season: its differences are alike at lag m, significantly at 95 %.

    The test of the M4 competition (Makridakis, Spiliotis & Assimakopoulos 2020), with Bartlett's limit
    ``1.645 sqrt((1 + 2 sum_{i<m} r_i^2) / n)`` and at least three seasons, but of differences and of positive
    correlation: in levels, most random walks pass it at any lag.
    """
    long_enough = valid >= LEAST_SEASONS * season_length  # (B,)
    if season_length <= 1 or not long_enough.any():
        return np.zeros(rows.shape[1], dtype=bool)
    correlation = _autocorrelation(np.diff(rows, axis=0), valid - 1, season_length)  # (m + 1, B)
    squares = np.square(correlation[1:-1]).sum(axis=0)  # (B,)
    limit = NORMAL_95 * np.sqrt((1.0 + 2.0 * squares) / np.maximum(valid - 1, 1))  # (B,)
    return np.asarray(long_enough & (correlation[-1] > limit))


def row_after_row(terms: Floats) -> Floats:
    """Sum over the rows (R, B), shape (B,), in their order: no bit depends on zeros in front or on columns beside."""
    if terms.flags.c_contiguous and terms[0].size > 1:  # NumPy adds row to row then, and by halves in a single column
        return np.asarray(np.add.reduce(terms, axis=0) + 0.0)  # no sum is -0.0, in either way
    return np.asarray(np.cumsum(terms, axis=0)[-1] + 0.0)


def counted(rows: int, valid: Integers) -> NDArray[np.bool_]:
    """Which of the rows of each history count, shape (R, B)."""
    return np.asarray(np.arange(rows)[:, None] >= rows - valid)


def _autocorrelation(changes: Floats, valid: Integers, lags: int) -> Floats:
    """Autocorrelation at lags 0 to `lags`, shape (lags + 1, B), by Fourier transforms; zeros where nothing varies."""
    counts = counted(len(changes), valid)  # (R, B)
    mean = row_after_row(changes * counts) / np.maximum(valid, 1)  # (B,)
    centred = (changes - mean) * counts  # (R, B)
    largest = np.abs(centred).max(axis=0)  # (B,)
    centred = np.divide(centred, largest, out=np.zeros_like(centred), where=largest > 0)
    padded = 1 << int(len(changes) + lags).bit_length()  # what goes round the end stays beyond the lags asked for
    spectrum = np.fft.rfft(centred, padded, axis=0)  # (padded / 2 + 1, B)
    covariance = np.fft.irfft(np.square(spectrum.real) + np.square(spectrum.imag), padded, axis=0)[: lags + 1]
    variance = covariance[0]  # (B,)
    return np.asarray(np.divide(covariance, variance, out=np.zeros_like(covariance), where=variance > 0))


def _decompose(rows: Floats, valid: Integers, season_length: int) -> Floats:
    """Indices (m, B) of histories of three seasons or more."""
    reach = season_length // 2
    steps, histories = rows.shape
    anchored = (rows - rows[-1]) * counted(steps, valid)  # (R, B)
    total = np.concatenate((np.zeros((1, histories)), np.cumsum(anchored, axis=0)))  # (R + 1, B)
    means = (total[season_length:] - total[:-season_length]) / season_length  # (R - m + 1, B)
    trend = means if season_length % 2 else (means[1:] + means[:-1]) / 2  # (R - 2 reach, B)
    interior = counted(len(trend), valid - 2 * reach)  # (R - 2 reach, B)
    distance = (anchored[reach : steps - reach] - trend) * interior  # (R - 2 reach, B)

    place = (np.arange(reach, steps - reach) - steps) % season_length  # (R - 2 reach,)
    front = int(place[0])  # rows of nothing before the first, so that a season begins at place 0
    back = -(front + len(place)) % season_length
    seasons = ((front, back), (0, 0))
    by_place = (-1, season_length, histories)
    sums = np.pad(distance, seasons).reshape(by_place).sum(axis=0)  # (m, B)
    counts = np.pad(interior, seasons).reshape(by_place).sum(axis=0)  # (m, B)
    indices = sums / counts  # (m, B)
    return np.asarray(indices - indices.mean(axis=0))
