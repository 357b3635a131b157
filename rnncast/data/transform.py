"""Local normalisation of windows and its exact inverse.

A window is brought to numbers of order one by what it holds itself, so that nothing is fitted on the future and a
series never seen before needs no preparation:

1. working units: the logarithm for a series whose rows are all positive, its level otherwise;
2. minus the anchor, the window's last value;
3. divided by the window's own scale, its mean absolute change over one season (one step without a season), with a
   floor for constant stretches.

Dimension letters: `S` series, `R` rows, `N` windows, `B` windows of a batch, `T` input steps, `K` horizon steps.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendar import Calendar
from rnncast.data.panel import Panel
from rnncast.data.phases import phases
from rnncast.records import dataclass

FEWEST_ROWS = 2
"""Rows of a series that is forecast: a scale needs one change."""

WIDEST_RATIO = 1e300
"""Largest ratio of two rows of a series in logarithms; what goes some times as far is a number still."""

SCALE_FLOOR_LOG = 1e-7
"""Smallest scale of a window in logarithms: a change of one part in ten million."""

SCALE_FLOOR_LEVEL = 1e-7
"""Smallest scale of a window in levels, as a share of its largest absolute value."""

SEASONAL_FLOOR = 0.1
"""Smallest scale of a seasonal window, as a share of its mean absolute one-step change: a perfectly regular season."""

SMALLEST_SCALE = 1e-300
"""Keeps a window of zeros from dividing by zero."""


@dataclass(frozen=True, eq=False)
class WorkingSeries:
    """A panel's target in working units, with what is needed to gather windows from it.

    Attributes
    ----------
    values : float64 (R,)
        Logarithm or level of the target.
    levels : float64 (R,)
        The target itself.
    logarithmic : bool (S,)
        Whether a series is in logarithms.
    indptr : int64 (S + 1,)
        Rows of each series, as in `Panel`.
    times : datetime64[us] or int64 (R,)
        Stamps of the rows.
    calendar : Calendar
        What the stamps are told by: their wall clock, and which come next.
    """

    values: NDArray[np.float64]
    levels: NDArray[np.float64]
    logarithmic: NDArray[np.bool_]
    indptr: NDArray[np.int64]
    times: NDArray[Any]
    calendar: Calendar
    _phases: dict[tuple[str, ...], NDArray[np.float32]] = field(default_factory=dict, init=False, repr=False)

    def phases(self, names: tuple[str, ...]) -> NDArray[np.float32]:
        """Phases (P, R) of all rows, by name; made once, for all networks that are trained on them."""
        if names not in self._phases:
            self._phases[names] = phases(self.times, self.calendar, names)
        return self._phases[names]


@dataclass(frozen=True, eq=False)
class LocalScale:
    """Anchor and scale of each window of a batch.

    Attributes
    ----------
    last : float64 (B,)
        Last value of the window, in the units of the data.
    anchor : float64 (B,)
        The same in working units.
    scale : float64 (B,)
        Mean absolute change of the window over one season, floored; working units.
    logarithmic : bool (B,)
        Whether the window's series is in logarithms.
    short_share : float64 (B,)
        Share of the last season in the naive path; the last long season has the rest.
    """

    last: NDArray[np.float64]
    anchor: NDArray[np.float64]
    scale: NDArray[np.float64]
    logarithmic: NDArray[np.bool_]
    short_share: NDArray[np.float64]

    def normalise(self, working: NDArray[np.float64]) -> NDArray[np.float64]:
        """Working units (..., B) to numbers of order one (..., B)."""
        return (working - self.anchor) / self.scale

    def inverse(self, normalised: NDArray[np.float64]) -> NDArray[np.float64]:
        """Normalised numbers (..., B) back to the units of the data; zero is the last value to the bit.

        A positive series stays positive.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # what is beyond all numbers is for the caller to refuse
            change = normalised * self.scale  # (..., B) working units
            factor = np.exp(np.where(self.logarithmic, change, 0.0))
            return np.where(self.logarithmic, self.last * factor, self.last + change)


def is_logarithmic(panel: Panel) -> NDArray[np.bool_]:
    """Whether each series (S,) is modelled in logarithms: all its rows are positive, normal, and no ratio overflows."""
    lowest, highest = (of.reduceat(panel.target, panel.indptr[:-1]) for of in (np.minimum, np.maximum))  # (S,) each
    return np.asarray((lowest >= np.finfo(np.float64).tiny) & (highest / WIDEST_RATIO <= lowest))


def working_series(
    panel: Panel, logarithmic: NDArray[np.bool_] | None = None, calendar: Calendar | None = None
) -> WorkingSeries:
    """Target of a panel in working units.

    Parameters
    ----------
    panel
        Rows up to the cutoff, and no later ones: whether a series is in logarithms is decided from all of them.
    logarithmic
        The decision (S,), where it was taken before on a longer history.
    calendar
        Another than that of the panel: the one of the model that its rows are read by.
    """
    if logarithmic is None:
        logarithmic = is_logarithmic(panel)
    by_row = np.repeat(logarithmic, panel.lengths)  # (R,)
    values = np.where(by_row, np.log(np.where(by_row, panel.target, 1.0)), panel.target)
    return WorkingSeries(
        values=values,
        levels=panel.target,
        logarithmic=logarithmic,
        indptr=panel.indptr,
        times=panel.times,
        calendar=panel.calendar if calendar is None else calendar,
    )


def local_scale(
    rows: NDArray[np.float64],
    valid: NDArray[np.int64],
    last: NDArray[np.float64],
    logarithmic: NDArray[np.bool_],
    season_length: int = 1,
    long_season: int = 0,
) -> LocalScale:
    """Anchor and scale of windows.

    Parameters
    ----------
    rows : float64 (R, B)
        Rows up to the end of each window in working units; where a series is shorter than R, its first value repeated
        in front.
    valid : int64 (B,)
        Number of rows that are no repetition, 1 to R.
    last : float64 (B,)
        Last value of each window in the units of the data.
    logarithmic : bool (B,)
        Whether a window is in logarithms.
    season_length : int
        Rows of a season; series of one season or less are scaled by their one-step changes.
    long_season : int
        Rows of a longer season that the naive path weighs as well, where a window holds it and a season more; 0 for
        none.
    """
    relative = SCALE_FLOOR_LEVEL * np.abs(rows).max(axis=0)  # (B,)
    floor = np.where(logarithmic, SCALE_FLOOR_LOG, np.maximum(relative, SMALLEST_SCALE))
    changes = mean_change(rows, valid, 1)
    scale, share = changes, np.ones(rows.shape[1])
    if season_length > 1:
        seasonal = mean_change(rows, valid, season_length)
        if 0 < long_season < len(rows):
            share, error = weigh_seasons(rows, valid, season_length, long_season)
            seasonal = np.where(valid >= long_season + season_length, error, seasonal)
        scale = np.where(valid > season_length, np.maximum(seasonal, SEASONAL_FLOOR * changes), changes)
    return LocalScale(last, rows[-1], np.maximum(scale, floor), logarithmic, share)


def weigh_seasons(
    rows: NDArray[np.float64], valid: NDArray[np.int64], short: int, long: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share (B,) of the row a `short` season before in what best tells a row from it and the row a `long` one before.

    By least squares over the rows of each window (R, B) that have both, of two weights that sum to 1 (Bates and Granger
    1969), neither below 0; 1 for a window of less than both seasons. Then the mean absolute error of that (B,).
    """
    by_short, by_long = rows[long:] - rows[long - short : -short], rows[long:] - rows[:-long]  # (R - long, B) each
    counted = np.arange(len(by_short))[:, None] >= len(rows) - valid  # (R - long, B)
    largest = np.maximum((np.abs(by_long) * counted).max(axis=0), (np.abs(by_short) * counted).max(axis=0))  # (B,)
    unit = np.where(largest > 0, largest, 1.0)  # squares of what is of the order of 1 neither overflow nor vanish
    apart = (by_long / unit - by_short / unit) * counted  # (R - long, B)
    above, below = (by_long / unit * apart).sum(axis=0), (apart * apart).sum(axis=0)  # (B,) each
    share = np.divide(above, below, out=np.ones_like(above), where=(below > 0) & (valid >= long + short))
    share = np.clip(share, 0.0, 1.0)
    errors = np.abs(share * by_short + (1.0 - share) * by_long) * counted
    return share, np.asarray(errors.sum(axis=0) / np.maximum(valid - long, 1))


def mean_change(rows: NDArray[np.float64], valid: NDArray[np.int64], lag: int) -> NDArray[np.float64]:
    """Mean absolute change over `lag` rows of windows (R, B), repetitions in front left out; (B,), zero without one."""
    if lag >= len(rows):
        return np.zeros(rows.shape[1])
    changes = np.abs(rows[lag:] - rows[:-lag])  # (R - lag, B)
    first = len(rows) - valid  # (B,) first row that is no repetition
    counted = np.arange(len(changes))[:, None] >= first
    return np.asarray((changes * counted).sum(axis=0) / np.maximum(valid - lag, 1))
