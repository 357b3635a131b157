"""Negative log-likelihood of Student's t at one output step of a shard: the value, and the gradient of the raw outputs.

Raw outputs and their gradients lie in the workspace (O, S), targets in a flat vector; `weights` carry every constant
factor but that of the density itself. See `losses`, and `twin_student_t` for the same in NumPy.

Letters: K horizon steps, O = 3 K outputs, S lanes. NaN in an output or a target makes the value NaN.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from rnncast.core.activations import sigmoid
from rnncast.core.jit import jit
from rnncast.core.loss_table import FREEDOM, LEAST_SCALE, LOCATION, SCALE, SOFTPLUS_SHIFT
from rnncast.core.losses import softplus
from rnncast.core.student_t import LEAST_FREEDOM

HALF_LOG_TWO_PI: Final = 0.5 * math.log(2.0 * math.pi)

STEPS_UP: Final = 8
"""Steps of the recurrence of the gamma function, after which five terms of Stirling's series are exact to 1e-13."""


@jit
def student_t_loss(
    spread: Any,
    base_gap: Any,
    targets: Any,
    target: int,
    stride: int,
    weights: Any,
    w: Any,
    outputs: int,
    doutputs: int,
    lanes: int,
    used: int,
) -> float:
    """Weighted sum of ``-log p`` over horizon steps and lanes (Lange, Little & Taylor 1989, the t as a robust error).

    With u(x) = softplus(x + ln(e - 1)), which is 1 at 0, and f = `LEAST_SCALE`: ``location = spread raw[1]``,
    ``s = base[0] (f + (1 - f) u(raw[0]))``, ``nu = 2 + base[2] u(raw[2])``, ``a = (target - location) / s``, and
    ``-log p = log(2 pi) / 2 + c(nu) + log s + (nu + 1) / 2 log(1 + a^2 / nu)``; for c see `_normaliser`. Row k of the
    targets begins at ``target + k * stride``; `base_gap` is flat (K * 3).
    """
    total = 0.0
    one, half = w.dtype.type(1), w.dtype.type(0.5)
    shift = w.dtype.type(SOFTPLUS_SHIFT)
    least, fewest = w.dtype.type(LEAST_SCALE), w.dtype.type(LEAST_FREEDOM)
    for k in range(spread.size):
        scale = outputs + (3 * k + SCALE) * lanes
        location = outputs + (3 * k + LOCATION) * lanes
        freedom = outputs + (3 * k + FREEDOM) * lanes
        back = doutputs - outputs
        base, extra = base_gap[3 * k + SCALE], base_gap[3 * k + FREEDOM]
        for n in range(used):
            raw = w[scale + n] + shift
            s = base * (least + (one - least) * softplus(raw))
            ds = base * (one - least) * sigmoid(raw)
            raw = w[freedom + n] + shift
            nu = fewest + extra * softplus(raw)
            dnu = extra * sigmoid(raw)
            a = (targets[target + k * stride + n] - spread[k] * w[location + n]) / s
            square = a * a
            share = (nu + one) / (nu + square)
            logarithm = np.log1p(square / nu)
            c, dc = _normaliser(float(nu))
            weight = w.dtype.type(weights[n])
            total += weights[n] * (HALF_LOG_TWO_PI + c + np.log(s) + half * (nu + one) * logarithm)
            w[back + scale + n] = weight * ds * (one - share * square) / s
            w[back + location + n] = -weight * spread[k] * share * a / s
            w[back + freedom + n] = weight * dnu * (w.dtype.type(dc) + half * (logarithm - share * square / nu))
    return total


@jit
def _normaliser(nu: float) -> tuple[float, float]:
    """``c = log(nu / 2) / 2 + log Gamma(nu / 2) - log Gamma((nu + 1) / 2)`` and its derivative, always in float64.

    It goes to zero as nu grows, where the two gammas are huge and alike: so it is summed as what is left of them. With
    z = nu / 2 the recurrence lifts z to y = z + `STEPS_UP`, where Stirling's series of the difference holds:
    ``1/(8 y) - 1/(192 y^3) + 1/(640 y^5) - 17/(14336 y^7) + 31/(18432 y^9)`` (NIST DLMF 5.5.1, 5.11.8).
    """
    z = 0.5 * nu
    product, slope = 1.0, 0.0
    for step in range(STEPS_UP):
        inverse = 1.0 / ((z + step) * (z + step + 0.5))
        product *= (z + step) * (z + step) * inverse
        slope += inverse
    y = z + STEPS_UP
    v = 1.0 / y
    u = v * v
    series = v * (1 / 8 - u * (1 / 192 - u * (1 / 640 - u * (17 / 14336 - u * (31 / 18432)))))
    dseries = u * (-1 / 8 + u * (3 / 192 - u * (5 / 640 - u * (119 / 14336 - u * (279 / 18432)))))
    c = series - 0.5 * np.log(y / z * product * product)
    dc = 0.5 * (dseries + 0.5 * STEPS_UP / (z * y) - 0.5 * slope)
    return c, dc
