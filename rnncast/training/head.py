"""The tables that training starts from: how far the naive path errs at each step, and how its errors are spread.

Dimension letters: `N` windows, `K` horizon steps, `Q` quantiles.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rnncast.core.loss_table import FREEDOM, SCALE, STUDENT_T, LossTable
from rnncast.data.transform import WorkingSeries
from rnncast.data.windows import Windows, spread_evenly
from rnncast.model.config import LOSSES, NetworkConfig
from rnncast.model.inputs import in_parts, make_frame, normalised_targets
from rnncast.model.network import loss_table

SAMPLE = 20_000
"""Most windows that the tables are computed from, evenly spread over all."""

SMALLEST = 1e-3
"""Least spread, in scales, and least gap or scale of a distribution, in spreads, so that a network can still learn."""

FITTED = 4_000
"""Most windows that a distribution is fitted to."""

FREEDOMS = (2.1, 2.4, 2.7, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0, 11.0, 16.0, 30.0, 100.0)
"""Degrees of freedom among which the likeliest are looked for; training goes on from there."""

ROUNDS = 6
"""Rounds of reweighting for each of them, from the scale of the one before: the scale is then exact to 0.1 %."""


def unmoved_share(config: NetworkConfig, working: WorkingSeries, windows: Windows) -> float:
    """Share of the naive path's errors that are exactly zero, over all steps."""
    sample = windows.take(spread_evenly(len(windows), FITTED))
    return float((_errors(config, working, sample) == 0).mean())


def empirical_head(config: NetworkConfig, working: WorkingSeries, windows: Windows) -> LossTable:
    """Tables of the naive path's errors over training windows; nothing later than their targets enters."""
    sample = windows.take(spread_evenly(len(windows), SAMPLE))
    errors = _errors(config, working, sample)  # (K, N)
    middle = np.median(np.abs(errors), axis=1, keepdims=True)  # (K, 1)
    bounded = np.minimum(np.abs(errors), 20.0 * np.maximum(middle, SMALLEST))  # (K, N)
    spread = np.maximum(bounded.mean(axis=1), SMALLEST)  # (K,)
    if LOSSES[config.loss] == STUDENT_T:
        fitted = errors[:, spread_evenly(len(sample), FITTED)]  # (K, N)
        return loss_table(config, spread, student_t_bases(fitted, SMALLEST * spread))
    return loss_table(config, spread, np.maximum(_gaps(config, errors), SMALLEST * spread[:, None]))


def _errors(config: NetworkConfig, working: WorkingSeries, windows: Windows) -> NDArray[np.float64]:
    """What the rows after each window add to the naive path, normalised, (K, N)."""
    errors = np.empty((config.horizon, len(windows)))  # (K, N)
    for part in in_parts(config, len(windows)):
        chosen = windows.take(np.arange(part.start, part.stop))
        frame = make_frame(config, working, chosen, read=False)
        errors[:, part] = normalised_targets(config, working, chosen, frame)
    return errors


def _gaps(config: NetworkConfig, errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances between neighbouring quantiles of the errors (K, N), shape (K, Q); zero for the median."""
    quantiles = np.quantile(errors, config.quantile_levels, axis=1).T  # (K, Q)
    median = len(config.quantile_levels) // 2
    gaps = np.zeros_like(quantiles)  # (K, Q)
    gaps[:, median + 1 :] = np.diff(quantiles[:, median:], axis=1)
    gaps[:, :median] = np.diff(quantiles[:, : median + 1], axis=1)
    return gaps


def student_t_bases(errors: NDArray[np.float64], least: NDArray[np.float64]) -> NDArray[np.float64]:
    """Likeliest scale, and degrees of freedom less 2, of errors (K, N) around zero: a base table (K, 3).

    For given degrees of freedom nu the scale s is the fixed point of ``s^2 = sum(v e^2) / sum(v)`` with the weights
    ``v = (nu + 1) / (nu + e^2 / s^2)``: the EM algorithm in the faster form of Kent, Tyler and Vardi (1994). `least`
    (K,) bounds it from below: where most errors are zero, the likelihood has no bound.
    """
    squares = errors * errors  # (K, N)
    bounds = least[:, None] ** 2  # (K, 1)
    square = np.maximum(np.median(squares, axis=1, keepdims=True), bounds)  # (K, 1) of the scale
    best = np.full(len(errors), -np.inf)  # (K,)
    bases = np.ones((len(errors), 3))  # (K, 3)
    for nu in FREEDOMS:
        for _ in range(ROUNDS):
            weights = 1.0 / (nu * square + squares)  # (K, N), but for a factor
            mean = (weights * squares).sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True)  # (K, 1)
            square = np.maximum(mean, bounds)
        likelihood = _log_likelihood(squares, square, nu)  # (K,)
        better = likelihood > best
        best[better] = likelihood[better]
        bases[better, SCALE], bases[better, FREEDOM] = np.sqrt(square[better, 0]), nu - 2.0
    return bases


def _log_likelihood(squares: NDArray[np.float64], square: NDArray[np.float64], nu: float) -> NDArray[np.float64]:
    """Mean log-density of errors (K, N), given by their squares, at that of the scale (K, 1); shape (K,)."""
    norm = math.lgamma((nu + 1.0) / 2.0) - math.lgamma(nu / 2.0) - 0.5 * math.log(nu * math.pi)
    tails = np.log1p(squares / (nu * square)).mean(axis=1)
    return np.asarray(norm - 0.5 * np.log(square[:, 0]) - (nu + 1.0) / 2.0 * tails)
