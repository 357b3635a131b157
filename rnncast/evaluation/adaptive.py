"""Adaptive correction: intervals of a backtest widened or narrowed by how those before them came out.

At each origin and step the distance of a central interval's bounds from the point is multiplied by a factor of its
level, which grows where earlier intervals missed too often and shrinks where they missed too seldom. Only outcomes that
an origin shows count at it, so a forecast k steps ahead counts k rows later. Over many origins the share of misses goes
to what was asked for, however the series changes (Gibbs & Candès 2021, "Adaptive conformal inference under distribution
shift"; on the scale of the scores as the quantile tracking of Angelopoulos, Candès & Tibshirani 2023).

Dimension letters: `N` rows of a backtest, `Q` quantiles, `O` origins, `V` central levels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rnncast.evaluation.issued import Backtest
from rnncast.forecasting.result import METHOD

Floats = NDArray[np.float64]

ADAPTIVE = "adaptive"
"""Name of the corrected intervals beside those of the model."""

RATE = 0.1
"""Change of a factor's logarithm for a miss of all series at one origin; shared out over origins that overlap."""

MOST = 3.0
"""Bound of a factor, and of its inverse."""


def with_adaptive(backtest: Backtest) -> Backtest:
    """The backtest with corrected intervals of the model beside its own; unchanged where it has none."""
    own = backtest.quantiles.get(METHOD)
    if own is None or not backtest.central_levels or not np.all(np.isfinite(own)):
        return backtest
    quantiles = {}
    for name, values in backtest.quantiles.items():
        quantiles[name] = values
        if name == METHOD:
            quantiles[ADAPTIVE] = adapted(backtest, values)
    return replace(backtest, quantiles=quantiles)


def adapted(backtest: Backtest, quantiles: Floats) -> Floats:
    """Quantiles (N, Q) of the model, the pairs around the point corrected; others stay."""
    result = quantiles.copy()  # (N, Q)
    known = _known_at(backtest)  # (N,)
    point = backtest.points[METHOD]  # (N,)
    for step in np.unique(backtest.steps):
        rows = np.flatnonzero(backtest.steps == step)
        rows = rows[np.argsort(backtest.origin[rows], kind="stable")]
        origins, first = np.unique(backtest.origin[rows], return_index=True)  # (O,)
        learnt = np.maximum.reduceat(known[rows], first)  # (O,) origin that shows how all of an origin's rows came out
        overlap = max(1, int(np.max(np.searchsorted(origins, learnt) - np.arange(len(origins)))))
        _follow(result, np.split(rows, first[1:]), origins, learnt, RATE / overlap, backtest, point)
    return result


def _follow(
    result: Floats,
    parts: list[NDArray[np.int64]],
    origins: NDArray[np.int64],
    learnt: NDArray[np.int64],
    rate: float,
    backtest: Backtest,
    point: Floats,
) -> None:
    """Correct the rows of one step in place, origin after origin (`parts`), as outcomes become known (`learnt`)."""
    levels = backtest.central_levels
    allowed = np.array([1.0 - level / 100.0 for level, _, _ in levels])  # (V,) share of misses
    low, high = (np.array([bounds[side] for bounds in levels]) for side in (1, 2))  # (V,) columns
    logarithm = np.zeros(len(levels))  # (V,) of the factors
    missed = np.zeros((len(origins), len(levels)))  # (O, V)
    counted = 0  # origins whose outcomes have been counted, in their order
    for number, (origin, rows) in enumerate(zip(origins, parts, strict=True)):
        while counted < number and learnt[counted] <= origin:
            logarithm += rate * (missed[counted] - allowed)
            counted += 1
        logarithm = np.clip(logarithm, -np.log(MOST), np.log(MOST))
        factor, centre, actual = np.exp(logarithm), point[rows, None], backtest.actual[rows, None]
        for columns in (low, high):
            result[np.ix_(rows, columns)] = _scaled(result[np.ix_(rows, columns)], centre, factor)
        outside = (actual < result[np.ix_(rows, low)]) | (actual > result[np.ix_(rows, high)])  # (n, V)
        missed[number] = outside.mean(axis=0)


def _scaled(bounds: Floats, centre: Floats, factor: Floats) -> Floats:
    """Bounds (n, V) at so many times their distance from the centre (n, 1); of positive values in logarithms."""
    positive = (bounds > 0) & (centre > 0)
    ratio = np.divide(bounds, centre, out=np.ones(bounds.shape), where=positive)
    with np.errstate(over="ignore"):
        return np.where(positive, centre * ratio**factor, centre + factor * (bounds - centre))


def _known_at(backtest: Backtest) -> NDArray[np.int64]:
    """First origin (N,) that shows the outcome of each row; one beyond all where none does."""
    beyond = int(backtest.origin.max()) + 1
    known = np.full(len(backtest.actual), beyond, dtype=np.int64)  # (N,)
    order = np.lexsort((backtest.origin, backtest.series))
    series = backtest.series[order]
    for rows in np.split(order, np.flatnonzero(np.diff(series)) + 1):
        cutoffs, first = np.unique(backtest.cutoffs[rows], return_index=True)
        origins = backtest.origin[rows][first]  # of each cutoff
        place = np.searchsorted(cutoffs, backtest.times[rows])
        known[rows] = np.where(place < len(cutoffs), origins[np.minimum(place, len(cutoffs) - 1)], beyond)
    return known
