"""GARCH(1,1) with Student's t innovations, of many series at once: fitted by maximum likelihood, and filtered.

    r_t = sqrt(h_t) z_t,    h_t = omega + alpha r_{t-1}^2 + beta h_{t-1},

where z has unit variance, is distributed as Student's t with nu degrees of freedom, and the mean of r is zero. Source:
Bollerslev (1987), "A conditionally heteroskedastic time series model for speculative prices and rates of return". Of
both the square and the variance before the first change stands the weighted mean of the first 75 squares, with weights
that fall by 0.94 from row to row.

Dimension letters: `T` changes, `S` series, `C` points at which the likelihood is asked for.

Changes of fewer than T rows stand at the beginning of their column, with zeros after them.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.nelder_mead import minimise
from rnncast.baselines.seasonality import row_after_row
from rnncast.baselines.volatility import DECAY
from rnncast.records import dataclass

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FIRST_SQUARES = 75
"""Changes whose squares tell the variance before the first."""

LEAST_FREEDOM, MOST_FREEDOM = 2.05, 500.0
"""Bounds of the degrees of freedom: below 2 there is no variance, above 500 it is the normal distribution."""

MOST_PERSISTENT = 0.9999
"""Bound of alpha + beta."""

AT_ONCE = 1 << 20
"""Numbers of one array (T, C, S) of a fit; more series are fitted in parts."""

_PERSISTENCE = (0.6, 0.95, 0.995)
"""Sums of alpha and beta near each of which a search begins: the likelihood may have a peak for each."""

_STARTS = tuple(product((0.02, 0.1, 0.3), (3.5, 8.0)))
"""Shares of alpha in the sum and degrees of freedom, from the best of which it begins."""

_STEP = np.array([0.3, 0.7, 0.5, 0.5])
"""First steps of the search, in the units in which it is free: see `_freed`."""


@dataclass(frozen=True)
class Garch:
    """Parameters of S series, float64 (S,) each; of several points of each, (C, S).

    Attributes
    ----------
    omega : float64 (S,)
        Constant of the variance, in squared units of the changes.
    alpha, beta : float64 (S,)
        Weights of the last square and of the last variance; 0 and up, their sum is below 1.
    nu : float64 (S,)
        Degrees of freedom, 2.05 to 500.
    """

    omega: Floats
    alpha: Floats
    beta: Floats
    nu: Floats


def fit_garch(changes: Floats, count: Integers) -> Garch:
    """Parameters of the greatest likelihood, found by the simplex method from three starts.

    What is found for a series does not depend on the others.

    Parameters
    ----------
    changes : float64 (T, S)
        From row to row, finite, in time; not all zero in any series.
    count : int64 (S,)
        How many of each series' rows are changes; zeros follow.
    """
    size = max(1, AT_ONCE // (len(changes) * 4 * len(_PERSISTENCE)))
    parts = [
        _fit_part(changes[:, start : start + size], count[start : start + size])
        for start in range(0, changes.shape[1], size)
    ]
    return Garch(*(np.concatenate([vars(part)[name] for part in parts]) for name in ("omega", "alpha", "beta", "nu")))


def log_likelihood(garch: Garch, squares: Floats, before: Floats, count: Integers) -> Floats:
    """Sum of the log densities of the changes of each series, (S,), or (C, S) for several points of each.

    With u = r^2 / h, a change counts ``log G((nu + 1) / 2) - log G(nu / 2) - log(pi (nu - 2)) / 2 - log(h) / 2 -
    (nu + 1) / 2 log(1 + u / (nu - 2))``, G the gamma function.

    Parameters
    ----------
    garch
        Parameters, (S,) or (C, S) each.
    squares : float64 (T, S)
        Of the changes, which are of the order of 1; their variances and u must lie between 1e-35 and 1e35.
    before : float64 (S,)
        Variance before the first of them, by `first_variance`.
    count : int64 (S,)
        How many of each series' rows are changes; zeros follow.
    """
    points = squares[:, None] if garch.omega.ndim == 2 else squares  # (T, 1, S) for points (C, S)
    path = _variance_path(garch, points, before)[:-1]  # (T, C, S)
    if count.min() < len(points):  # what is no change counts with logarithms of zero
        missing = (np.arange(len(points))[:, None] >= count).reshape(points.shape)  # (T, 1, S)
        np.copyto(path, 1.0, where=missing)
    beyond = np.divide(points, path)  # (T, C, S)
    beyond /= garch.nu - 2.0
    beyond += 1.0
    terms = (garch.nu + 1.0) * _sum_of_logarithms(beyond) + _sum_of_logarithms(path)  # (C, S)
    gammas = np.vectorize(lambda nu: math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2), otypes=[float])(garch.nu)
    return np.asarray(count * (gammas - np.log(np.pi * (garch.nu - 2.0)) / 2) - terms / 2)


def variances(garch: Garch, changes: Floats, count: Integers) -> Floats:
    """Conditional variance of the change that follows the last one of each series, shape (S,)."""
    squares = np.square(changes)  # (T, S)
    path = _variance_path(garch, squares, first_variance(squares, count))  # (T + 1, S)
    return np.asarray(path[count, np.arange(len(count))])


def first_variance(squares: Floats, count: Integers) -> Floats:
    """Weighted mean of the first squares (T, S) of each series, shape (S,): what stands before the first of them."""
    first = squares[:FIRST_SQUARES]  # (75, S)
    row = np.arange(len(first), dtype=np.float64)[:, None]  # (75, 1)
    weights = DECAY**row * (row < count)  # (75, S)
    return row_after_row(weights * first) / row_after_row(weights)


def _fit_part(changes: Floats, count: Integers) -> Garch:
    unit = np.sqrt(row_after_row(np.square(changes)) / count)  # (S,) root mean square
    squares = np.square(changes / unit)  # (T, S)
    before = first_variance(squares, count)  # (S,)

    def loss(points: Floats, number: Integers) -> Floats:  # (C, S) at points (4, C, S)
        series = number % len(count)
        return -log_likelihood(_garch(points), squares[:, series], before[series], count[series]) / count[series]

    number = np.arange(len(count))
    begins = []
    for persistence in _PERSISTENCE:
        points = np.array([_freed(1.0, persistence, share, nu) for share, nu in _STARTS]).T  # (4, starts)
        starts = np.repeat(points[:, :, None], len(count), axis=2)  # (4, starts, S)
        begins.append(starts[:, np.argmin(loss(starts, number), axis=0), number])
    found = minimise(loss, np.concatenate(begins, axis=1), _STEP)  # (4, peaks S)
    peaks = found.reshape(len(found), len(_PERSISTENCE), len(count))  # (4, peaks, S)
    highest = np.argmin(loss(peaks, number), axis=0)  # (S,)
    garch = _garch(peaks[:, highest, number])
    return Garch(garch.omega * np.square(unit), garch.alpha, garch.beta, garch.nu)


def _garch(points: Floats) -> Garch:
    """Parameters from the free units (4, ...) of the search; every point is allowed."""
    level, persistence, share, freedom = np.clip(points, -30.0, 30.0)
    kept = MOST_PERSISTENT / (1.0 + np.exp(-persistence))
    weight = kept / (1.0 + np.exp(-share))
    nu = np.minimum(LEAST_FREEDOM + np.exp(freedom), MOST_FREEDOM)
    return Garch(omega=np.exp(level) * (1.0 - kept), alpha=weight, beta=kept - weight, nu=nu)


def _freed(level: float, persistence: float, share: float, nu: float) -> Floats:
    """Free units of the search, shape (4,), from parameters within their bounds.

    Logarithm of the variance in the long run, logits of alpha + beta (as a share of its bound) and of alpha's share in
    it, logarithm of the degrees of freedom above their bound.
    """
    kept = persistence / MOST_PERSISTENT
    return np.stack((np.log(level), np.log(kept / (1 - kept)), np.log(share / (1 - share)), np.log(nu - LEAST_FREEDOM)))


def _sum_of_logarithms(values: Floats) -> Floats:
    """Sum over the first axis of logarithms, of products of eight: a product takes a fraction of a logarithm's time."""
    whole = len(values) // 8 * 8
    eights = np.multiply.reduce(values[:whole].reshape(-1, 8, *values.shape[1:]), axis=1)  # (T // 8, C, S)
    rest = np.multiply.reduce(values[whole:], axis=0, keepdims=True)  # (1, C, S)
    return row_after_row(np.log(np.concatenate((eights, rest))))


def _variance_path(garch: Garch, squares: Floats, before: Floats) -> Floats:
    """Conditional variances of every change and of the next one, shape (T + 1, ...)."""
    path = np.empty((len(squares) + 1, *garch.omega.shape))  # (T + 1, C, S)
    path[0] = garch.omega + (garch.alpha + garch.beta) * before
    np.multiply(squares, garch.alpha, out=path[1:])
    path[1:] += garch.omega
    carried = np.empty(garch.omega.shape)  # (C, S)
    for last, here in zip(path[:-1], path[1:], strict=True):
        here += np.multiply(last, garch.beta, out=carried)
    return path
