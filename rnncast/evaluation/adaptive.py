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
    for step in np.unique(backtest.steps):
        rows = np.flatnonzero(backtest.steps == step)
        rows = rows[np.argsort(backtest.origin[rows], kind="stable")]
        origins, first = np.unique(backtest.origin[rows], return_index=True)  # (O,)
        parts = np.split(rows, first[1:])
        _follow(result, parts, [known[own] for own in parts], origins, backtest)
    return result


def _follow(
    result: Floats,
    parts: list[NDArray[np.int64]],
    known: list[NDArray[np.int64]],
    origins: NDArray[np.int64],
    backtest: Backtest,
) -> None:
    """Correct the rows of one step in place, origin after origin (`parts`), as outcomes become known.

    A row counts at the origin that shows its outcome, by its share of its origin's rows, whatever the others wait for.
    """
    levels, point = backtest.central_levels, backtest.points[METHOD]
    allowed = np.array([1.0 - level / 100.0 for level, _, _ in levels])  # (V,) share of misses
    low, high = (np.array([bounds[side] for bounds in levels]) for side in (1, 2))  # (V,) columns
    logarithm = np.zeros(len(levels))  # (V,) of the factors
    waiting: list[tuple[int, int, Floats]] = []  # origin, the one that shows outcomes, and misses beyond allowed (V,)
    for origin, rows, shown in zip(origins.tolist(), parts, known, strict=True):
        for before, learnt, excess in [entry for entry in waiting if entry[1] <= origin]:
            overlap = max(1, int(np.searchsorted(origins, learnt) - np.searchsorted(origins, before)))
            logarithm += RATE / overlap * excess
        waiting = [entry for entry in waiting if entry[1] > origin]
        logarithm = np.clip(logarithm, -np.log(MOST), np.log(MOST))
        centre, actual = point[rows, None], backtest.actual[rows, None]
        lows, highs = (
            _scaled(result[np.ix_(rows, columns)], centre, np.exp(logarithm)) for columns in (low, high)
        )  # (n, V), the widest level last: bounds of a wider one lie outside
        result[np.ix_(rows, low)] = lows = np.minimum.accumulate(lows, axis=1)
        result[np.ix_(rows, high)] = highs = np.maximum.accumulate(highs, axis=1)
        excess = (((actual < lows) | (actual > highs)) - allowed) / len(rows)  # (n, V)
        waiting += [(origin, learnt, excess[shown == learnt].sum(axis=0)) for learnt in np.unique(shown).tolist()]


def _scaled(bounds: Floats, centre: Floats, factor: Floats) -> Floats:
    """Bounds (n, V) at so many times their distance from the centre (n, 1); of positive values in logarithms."""
    positive = (bounds > 0) & (centre > 0)
    ratio = np.divide(bounds, centre, out=np.ones(bounds.shape), where=positive)
    with np.errstate(over="ignore"):
        scaled = np.where(positive, centre * ratio**factor, centre + factor * (bounds - centre))
    return np.clip(scaled, -np.finfo(np.float64).max, np.finfo(np.float64).max)


def _known_at(backtest: Backtest) -> NDArray[np.int64]:
    """First origin (N,) that shows the outcome of each row; one beyond all where none does.

    Dates are shared: an origin has come to the latest cutoff of its series. Integer steps are each series' own.
    """
    beyond = int(backtest.origin.max()) + 1
    known = np.full(len(backtest.actual), beyond, dtype=np.int64)  # (N,)
    dated = backtest.times.dtype.kind == "M"
    series = np.zeros_like(backtest.series) if dated else backtest.series
    order = np.lexsort((backtest.cutoffs.astype(np.int64), backtest.origin, series))
    for rows in np.split(order, np.flatnonzero(np.diff(series[order])) + 1):
        last = np.append(np.diff(backtest.origin[rows]) != 0, True)  # the latest cutoff of each origin
        cutoffs, origins = backtest.cutoffs[rows][last], backtest.origin[rows][last]
        place = np.searchsorted(cutoffs, backtest.times[rows])
        known[rows] = np.where(place < len(cutoffs), origins[np.minimum(place, len(cutoffs) - 1)], beyond)
    return known
