"""The hyperbolic tangent and the logistic function of one number, in a form that vectorises in float32.

float32: one rational function, own minimax fit (x P(x^2) / Q(x^2) on [-8, 8], at most 5 units in the last place,
absolute error 3e-7, result inside (-1, 1)). float64: the mathematical library.

The clamps are written ``c if x > c else x``: a comparison with NaN is false, so that NaN passes through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rnncast.core.jit import is_float32, jit, overload

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


def tanh(x: Any) -> Any:
    """Hyperbolic tangent of a scalar (inside kernels: chosen by type)."""
    return np.tanh(x)


def sigmoid(x: Any) -> Any:
    """Logistic function 1 / (1 + exp(-x)) of a scalar (inside kernels: chosen by type)."""
    return type(x)(0.5) + type(x)(0.5) * np.tanh(type(x)(0.5) * x)


def _tanh_float32(x: Any) -> Any:
    x = _TANH_LIMIT if x > _TANH_LIMIT else x
    x = -_TANH_LIMIT if x < -_TANH_LIMIT else x
    u = x * x
    return x * (_P0 + u * (_P1 + u * (_P2 + u * (_P3 + u * _P4)))) / (_Q0 + u * (_Q1 + u * (_Q2 + u * (_Q3 + u * _Q4))))


def _sigmoid_float32(x: Any) -> Any:
    x = _SIGMOID_LIMIT if x > _SIGMOID_LIMIT else x
    x = -_SIGMOID_LIMIT if x < -_SIGMOID_LIMIT else x
    u = x * x
    return _HALF + x * (_R0 + u * (_R1 + u * (_R2 + u * (_R3 + u * _R4)))) / (
        _S0 + u * (_S1 + u * (_S2 + u * (_S3 + u * _S4)))
    )


def _tanh_float64(x: Any) -> Any:
    return np.tanh(x)


def _sigmoid_float64(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


@overload(tanh)
def _choose_tanh(x: Any) -> Callable[[Any], Any]:
    return _tanh_float32 if is_float32(x) else _tanh_float64


@overload(sigmoid)
def _choose_sigmoid(x: Any) -> Callable[[Any], Any]:
    return _sigmoid_float32 if is_float32(x) else _sigmoid_float64


@jit
def tanh_in_place(w: Any, start: int, count: int) -> None:
    """Replace `count` numbers of `w` from `start` by their hyperbolic tangent."""
    row = w[start : start + count]
    for n in range(count):
        row[n] = tanh(row[n])


@jit
def sigmoid_in_place(w: Any, start: int, count: int) -> None:
    """Replace `count` numbers of `w` from `start` by their logistic function."""
    row = w[start : start + count]
    for n in range(count):
        row[n] = sigmoid(row[n])
