"""Student's t as head and loss in NumPy alone, written from the equations; see `student_t_loss` for the kernel.

Letters: T steps, B batch, K horizon steps, Q quantiles. Raw outputs are (K, 3, B) or (T, K, 3, B).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.core.loss_table import FREEDOM, LEAST_SCALE, LOCATION, SCALE, SOFTPLUS_SHIFT, LossTable
from rnncast.core.student_t import LEAST_FREEDOM, student_t_quantile

Array = NDArray[Any]

TERMS = 24
"""Terms of the alternating series: the rest is below 1e-18 of its first."""


def student_t_parameters(raw: Array, table: LossTable) -> tuple[Array, Array, Array]:
    """Location, scale and degrees of freedom, each (K, B) or (T, K, B).

    With u(x) = softplus(x + ln(e - 1)): ``location = spread raw_1``, ``scale = base_0 (f + (1 - f) u(raw_0))`` with f =
    `LEAST_SCALE`, ``freedom = 2 + base_2 u(raw_2)``.
    """
    spread, base = table.spread.astype(raw.dtype)[:, None], table.base_gap.astype(raw.dtype)[..., None]
    grown = np.logaddexp(raw + raw.dtype.type(SOFTPLUS_SHIFT), raw.dtype.type(0))  # (..., K, 3, B)
    least = raw.dtype.type(LEAST_SCALE)
    scale = base[:, SCALE] * (least + (1 - least) * grown[..., SCALE, :])
    freedom = raw.dtype.type(LEAST_FREEDOM) + base[:, FREEDOM] * grown[..., FREEDOM, :]
    return spread * raw[..., LOCATION, :], scale, freedom


def student_t_quantiles(raw: Array, table: LossTable) -> Array:
    """Quantiles (K, Q, B) or (T, K, Q, B) at the table's levels: ``location + scale t_level(freedom)``."""
    location, scale, freedom = student_t_parameters(raw, table)
    standard = [student_t_quantile(level, freedom) for level in table.levels.tolist()]  # Q of (..., K, B)
    # levels may lie closer together than what the quantiles are exact to
    ascending = np.maximum.accumulate(np.stack(standard, axis=-2), axis=-2)  # (..., K, Q, B)
    return np.asarray((location[..., None, :] + scale[..., None, :] * ascending).astype(raw.dtype))


def student_t_loss_and_slopes(raw: Array, targets: Array, table: LossTable) -> tuple[Array, Array]:
    """``-log p`` of each target (K, B) or (T, K, B), and its gradient with respect to the raw outputs.

    ``p = Gamma((nu + 1) / 2) / (Gamma(nu / 2) sqrt(nu pi) s) (1 + a^2 / nu)^(-(nu + 1) / 2)`` with ``a = (target -
    location) / s``. With ``v = (nu + 1) / (nu + a^2)`` the derivatives are ``-v a / s`` by the location and
    ``(1 - v a^2) / s`` by the scale.
    """
    location, s, nu = student_t_parameters(raw, table)
    dtype = raw.dtype
    a = (np.asarray(targets) - location) / s  # (..., K, B)
    gammas = np.vectorize(lambda v: math.lgamma(v / 2) - math.lgamma((v + 1) / 2), otypes=[float])(nu)
    norm = (gammas + 0.5 * np.log(np.pi * nu.astype(np.float64))).astype(dtype)
    values = norm + np.log(s) + (nu + 1) / 2 * np.log1p(a * a / nu)
    v = (nu + 1) / (nu + a * a)
    dnorm = 0.5 / nu - _gamma_ratio_slope(nu).astype(dtype)
    dnu = dnorm + np.log1p(a * a / nu) / 2 - v * a * a / (2 * nu)
    base = table.base_gap.astype(dtype)[..., None]  # (K, 3, 1)
    half = dtype.type(0.5)
    logistic = half + half * np.tanh(half * (raw + dtype.type(SOFTPLUS_SHIFT)))  # the derivative of softplus
    slopes = np.empty_like(raw)  # (..., K, 3, B)
    slopes[..., SCALE, :] = (1 - v * a * a) / s * base[:, SCALE] * dtype.type(1 - LEAST_SCALE) * logistic[..., SCALE, :]
    slopes[..., LOCATION, :] = -v * a / s * table.spread.astype(dtype)[:, None]
    slopes[..., FREEDOM, :] = dnu * base[:, FREEDOM] * logistic[..., FREEDOM, :]
    return values, slopes


def _gamma_ratio_slope(nu: Array) -> Array:
    """Derivative of ``log Gamma((nu + 1) / 2) - log Gamma(nu / 2)``: ``1/nu - 1/(nu + 1) + 1/(nu + 2) - ...``.

    The alternating series is summed as Cohen, Rodriguez Villegas and Zagier (2000, algorithm 1) do.
    """
    d = (3 + math.sqrt(8)) ** TERMS
    d = (d + 1 / d) / 2
    b, c = -1.0, -d
    total = np.zeros(nu.shape)
    for k in range(TERMS):
        c = b - c
        total += c / (nu.astype(np.float64) + k)
        b *= (k + TERMS) * (k - TERMS) / ((k + 0.5) * (k + 1))
    return np.asarray(total / d)
