"""Student's t distribution with any real degrees of freedom: tails, and quantiles of many at once. No Numba here.

The quantile at one level is a smooth function of 1 / freedom: relative to the normal quantile it is found exactly at
`NODES` Chebyshev points, and between them by the polynomial through those. The probability below a quantile so found is
within 1e-10 of its level.

Sources: Student (1908), "The probable error of a mean"; NIST DLMF 8.17 (incomplete beta function); Clenshaw (1955).
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_FREEDOM: Final = 2.0
"""Degrees of freedom from which on quantiles of many are found; below, the variance is infinite."""

NODES: Final = 24

NEAREST: Final = 1e-6
"""Distance from the median within which a quantile is that many times the normal one, to 12 digits."""


def student_t_two_sided(statistic: float, degrees: float) -> float:
    """Probability that Student's t on `degrees` degrees of freedom is further from zero than `statistic`.

    ``I_x(degrees / 2, 1 / 2)`` at ``x = degrees / (degrees + t^2)``; NIST DLMF 8.17, Abramowitz & Stegun 26.7.1.
    """
    if not degrees > 0:
        raise ValueError(f"degrees is {degrees}, expected above 0")
    if math.isnan(statistic):
        return float("nan")
    if math.isinf(statistic):
        return 0.0
    square = statistic * statistic
    return incomplete_beta(degrees / 2.0, 0.5, degrees / (degrees + square), square / (degrees + square))


def student_t_quantile(level: float, freedom: Floats) -> Floats:
    """Quantiles of Student's t at one level, for any array of degrees of freedom of at least `LEAST_FREEDOM`.

    NaN stays NaN, and infinite degrees of freedom give the normal quantile.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level is {level}, expected between 0 and 1")
    if np.any(freedom < LEAST_FREEDOM):
        raise ValueError(f"freedom is {np.nanmin(freedom)}, expected at least {LEAST_FREEDOM}")
    tail = min(level, 1.0 - level, 0.5 - NEAREST)
    x = 2.0 * LEAST_FREEDOM / np.asarray(freedom, np.float64) - 1.0  # -1 to 1
    upper, lower = np.zeros_like(x), np.zeros_like(x)
    coefficients = _chebyshev(float(f"{tail:.12g}"))  # both tails have the same digits, and are found once
    for coefficient in coefficients[:0:-1]:
        upper, lower = coefficient + 2.0 * x * upper - lower, upper
    logarithm = coefficients[0] + x * upper - lower
    return np.asarray(NormalDist().inv_cdf(level) * np.exp(logarithm))


@cache
def _chebyshev(tail: float) -> tuple[float, ...]:
    """Coefficients of log(t quantile / normal quantile), both at a tail below 1/2, in ``2 LEAST_FREEDOM / nu - 1``."""
    angles = (np.arange(NODES) + 0.5) * (np.pi / NODES)  # (nodes,)
    score = -NormalDist().inv_cdf(tail)
    freedoms = 2.0 * LEAST_FREEDOM / (1.0 + np.cos(angles))  # (nodes,)
    values = np.array([math.log(_upper_quantile(tail, score, float(nu)) / score) for nu in freedoms])  # (nodes,)
    waves = np.cos(np.outer(np.arange(NODES), angles))  # (nodes, nodes)
    coefficients = 2.0 / NODES * (waves @ values)
    coefficients[0] /= 2.0
    return tuple(coefficients.tolist())


def _upper_quantile(tail: float, score: float, nu: float) -> float:
    """The t above which `tail` lies, by Newton's method for the logarithm of the tail in that of t.

    In them the tail is concave and falls, so that the method converges from wherever it begins: here at the first terms
    of the expansion about the normal quantile `score` (Abramowitz & Stegun 26.7.5).
    """
    square = score * score
    t = score * (1.0 + (square + 1.0) / (4.0 * nu) + ((5.0 * square + 16.0) * square + 3.0) / (96.0 * nu * nu))
    norm = math.lgamma((nu + 1.0) / 2.0) - math.lgamma(nu / 2.0) - 0.5 * math.log(nu * math.pi)
    for _ in range(50):
        beyond = student_t_two_sided(t, nu) / 2.0
        density = math.exp(norm - (nu + 1.0) / 2.0 * math.log1p(t * t / nu))
        step = math.log(beyond / tail) * beyond / (t * density)
        t *= math.exp(step)
        if abs(step) < 1e-13:
            break
    return t


def incomplete_beta(a: float, b: float, x: float, complement: float | None = None) -> float:
    """Regularised incomplete beta function I_x(a, b), by the continued fraction of NIST DLMF 8.17.22.

    `complement` is 1 - x where the caller knows it more exactly than the subtraction gives it.
    """
    y = 1.0 - x if complement is None else complement
    if not (a > 0 and b > 0 and 0 <= x <= 1):
        raise ValueError(f"a {a}, b {b}, x {x}: expected a and b above 0, x between 0 and 1")
    if x == 0.0 or y == 0.0:
        return 0.0 if x == 0.0 else 1.0
    if x > (a + 1.0) / (a + b + 2.0):  # the fraction converges fast on the other side only
        return 1.0 - incomplete_beta(b, a, y, x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(y)
    return math.exp(log_front) / a / _beta_fraction(a, b, x)


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Value of ``1 + d_1 / (1 + d_2 / (1 + ...))``, by Lentz's method as modified by Thompson and Barnett."""
    tiny = 1e-300
    value, c, d = 1.0, 1.0, 0.0
    for j in range(1, 1000):
        m = j // 2
        if j % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        c = 1.0 + term / c or tiny
        d = 1.0 / (1.0 + term * d or tiny)
        value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return value
