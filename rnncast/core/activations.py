"""The hyperbolic tangent and the logistic function, of vectors and of single numbers, chosen by type in kernels.

float32: one rational function, own minimax fit (x P(x^2) / Q(x^2) on [-8, 8], at most 5 units in the last place,
absolute error 3e-7, result inside (-1, 1)). float64: at most 4 units in the last place, by the rational functions of
the Cephes library (Moshier 1989) for the exponential and for the tangent near zero.

NaN passes through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rnncast.core.jit import is_float32, jit, jit_in_order, overload
from rnncast.core.vector import (
    clamp,
    load,
    magnitude,
    nearest_whole,
    power_of_two,
    store,
    where_below,
    width,
    with_sign_of,
)

_P0, _P1, _P2, _P3, _P4 = (
    np.float32(value) for value in (0.999999994, 0.134434621, 0.003570372, 2.18745373e-5, 1.52022562e-8)
)
_Q0, _Q1, _Q2, _Q3, _Q4 = (
    np.float32(value) for value in (1.0, 0.467767889, 0.0261597687, 3.40929107e-4, 8.51100287e-7)
)
# sigmoid(x) = 1/2 + tanh(x/2)/2, with the halves inside the coefficients.
_R0, _R1, _R2, _R3, _R4 = (
    np.float32(value / 4.0**power)
    for power, value in enumerate((0.999999994, 0.134434621, 0.003570372, 2.18745373e-5, 1.52022562e-8), 1)
)
_S0, _S1, _S2, _S3, _S4 = (
    np.float32(value / 4.0**power)
    for power, value in enumerate((1.0, 0.467767889, 0.0261597687, 3.40929107e-4, 8.51100287e-7))
)
_TANH_LIMIT = np.float32(8.0)
_SIGMOID_LIMIT = np.float32(16.0)
_HALF = np.float32(0.5)

_EXP_LIMIT = 708.0  # beyond it a float64 overflows or is not normal
_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93145751953125e-1, 1.42860682030941723212e-6  # the first has few bits: its multiples are exact
_TANH_NEAR = 0.625  # up to here the tangent's own rational function is better than the exponential


def tanh(x: Any) -> Any:
    """Hyperbolic tangent (inside kernels: chosen by type)."""
    return np.tanh(x)


def sigmoid(x: Any) -> Any:
    """Logistic function 1 / (1 + exp(-x)) (inside kernels: chosen by type)."""
    return type(x)(0.5) + type(x)(0.5) * np.tanh(type(x)(0.5) * x)


def _tanh_float32(x: Any) -> Any:
    x = clamp(x, _TANH_LIMIT)
    u = x * x
    return x * (_P0 + u * (_P1 + u * (_P2 + u * (_P3 + u * _P4)))) / (_Q0 + u * (_Q1 + u * (_Q2 + u * (_Q3 + u * _Q4))))


def _sigmoid_float32(x: Any) -> Any:
    x = clamp(x, _SIGMOID_LIMIT)
    u = x * x
    return _HALF + x * (_R0 + u * (_R1 + u * (_R2 + u * (_R3 + u * _R4)))) / (
        _S0 + u * (_S1 + u * (_S2 + u * (_S3 + u * _S4)))
    )


@jit_in_order
def _exponential(x: Any) -> Any:
    """``exp(x)`` in float64: ``2^k exp(r)`` with r of at most ln(2) / 2, and a rational function of r."""
    x = clamp(x, _EXP_LIMIT)
    k = nearest_whole(x * _LOG2_E)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    u = r * r
    p = r * (1.0 + u * (3.02994407707441961300e-2 + u * 1.26177193074810590878e-4))
    q = 2.0 + u * (2.27265548208155028766e-1 + u * (2.52448340349684104192e-3 + u * 3.00198505138664455042e-6))
    return (1.0 + 2.0 * p / (q - p)) * power_of_two(k)


def _tanh_float64(x: Any) -> Any:
    size = magnitude(x)
    far = 1.0 - 2.0 / (1.0 + _exponential(size + size))
    u = x * x
    p = -1.61468768441708447952e3 - u * (9.92877231001918586564e1 + u * 9.64399179425052238628e-1)
    q = 4.84406305325125486048e3 + u * (2.23548839060100448583e3 + u * (1.12811678491632931402e2 + u))
    near = x + x * (u * (p / q))
    return where_below(size, _TANH_NEAR, near, with_sign_of(far, x))


def _sigmoid_float64(x: Any) -> Any:
    return 1.0 / (1.0 + _exponential(0.0 - x))


@overload(tanh)
def _choose_tanh(x: Any) -> Callable[[Any], Any]:
    return _tanh_float32 if is_float32(x) else _tanh_float64


@overload(sigmoid)
def _choose_sigmoid(x: Any) -> Callable[[Any], Any]:
    return _sigmoid_float32 if is_float32(x) else _sigmoid_float64


@jit
def tanh_in_place(w: Any, start: int, count: int) -> None:
    """Replace `count` numbers of `w` from `start`, whole vectors, by their hyperbolic tangent."""
    for n in range(start, start + count, width(w)):
        store(w, n, tanh(load(w, n)))


@jit
def sigmoid_in_place(w: Any, start: int, count: int) -> None:
    """Replace `count` numbers of `w` from `start`, whole vectors, by their logistic function."""
    for n in range(start, start + count, width(w)):
        store(w, n, sigmoid(load(w, n)))
