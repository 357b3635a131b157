"""Season length: what the calendar makes likely, if the data bear it out.

Only the rows of the panel that is given are looked at. Dimension letter: `T` rows of one series.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncast.data.panel import Panel

LEAST_SEASONS = 3
"""Seasons that a series must span to be asked; as in the M4 competition."""

LEAST_CORRELATION = 0.1
"""Autocorrelation below which a season is of no use, however significant it is in a long series."""

NORMAL_95 = 1.645
"""95 % quantile of the normal distribution: a two-sided test at 90 %, as in the M4 competition."""

_MOST_SEASONS, _LEAST_ROWS = 100, 2000  # how much of the end of a series is looked at: so many seasons, or rows if more


def detect_season(panel: Panel) -> int:
    """Season length of a panel in rows, or 1 if it has none.

    Each length that the calendar makes likely (12 for months, 24 for hours ...) is put to the test in every series long
    enough. The length that most of them have is taken, if it is more than half of those asked.

    Parameters
    ----------
    panel
        The rows that may be known: those up to the cutoff.
    """
    best, most = 1, 0.5
    for length in panel.calendar.season_candidates():
        votes = [
            has_season(series, length)
            for series in (
                panel.target[panel.rows(int(s))] for s in np.flatnonzero(panel.lengths > LEAST_SEASONS * length)
            )
        ]
        share = sum(votes) / len(votes) if votes else 0.0
        if share > most:
            best, most = length, share
    return best


def has_season(values: NDArray[np.float64], length: int) -> bool:
    """Whether a series (T,) has a season of `length` rows, by the autocorrelation of its differences.

    The test of the M4 competition (Makridakis, Spiliotis and Assimakopoulos, 2020) with Bartlett's limits, but on
    differences: in levels, the trend of a random walk looks like correlation at every lag.
    """
    recent = values[-max(_MOST_SEASONS * length, _LEAST_ROWS) - 1 :]  # (T,)
    size, scale = len(recent) - 1, np.abs(recent).max(initial=0.0)
    if size < LEAST_SEASONS * length or scale == 0:
        return False
    differences = np.diff(recent / scale)  # (T - 1,)
    correlation = autocorrelation(differences, length + 1)  # (length + 2,)
    if correlation[length] < max(correlation[length - 1], correlation[length + 1]):
        return False  # no peak there: a slow cycle correlates at every short lag
    limit = NORMAL_95 * np.sqrt((1 + 2 * np.sum(correlation[1:length] ** 2)) / size)
    return bool(correlation[length] > max(limit, LEAST_CORRELATION))


def autocorrelation(values: NDArray[np.float64], lags: int) -> NDArray[np.float64]:
    """Autocorrelation at lags 0 to `lags`, shape (lags + 1,), by Fourier transforms; zeros for a constant series."""
    centred = values - values.mean()
    scale = np.abs(centred).max()
    if scale == 0:
        return np.zeros(lags + 1)
    padded = 1 << int(2 * len(values) - 1).bit_length()
    spectrum = np.fft.rfft(centred / scale, padded)
    covariance = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, padded)[: lags + 1]
    return np.asarray(covariance / covariance[0], dtype=np.float64)
