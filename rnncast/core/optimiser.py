"""One optimiser step on the flat parameter vector: clip by global norm, AdamW, running average of the weights.

Letters: P parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncast.core.jit import jit, jit_entry


@jit_entry
def adamw_step(
    parameters: Any,
    gradient: Any,
    first: Any,
    second: Any,
    average: Any,
    decay: Any,
    step: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    clip: float,
    average_decay: float,
) -> float:
    """AdamW (Loshchilov & Hutter 2019) in place; returns the gradient's global norm before clipping.

    All arrays are (P,) of one dtype. If the norm is not finite, nothing is altered.

    Parameters
    ----------
    parameters, first, second, average
        Weights, first and second moments, running average of the weights; altered.
    gradient
        Not altered.
    decay
        1 where `weight_decay` applies (weights), 0 where it does not (biases); fractions scale it.
    step
        Number of this step, from 1.
    clip
        Largest global norm; infinite for no clipping.
    average_decay
        ``average = average_decay * average + (1 - average_decay) * parameters``; 0 copies the parameters.
    """
    norm = global_norm(gradient)
    if np.isfinite(norm):
        adamw(
            parameters, gradient, first, second, average, decay, norm, step, learning_rate, beta1, beta2, epsilon,
            weight_decay, clip, average_decay,
        )  # fmt: skip
    return norm


@jit
def global_norm(gradient: Any) -> float:
    """Euclidean norm, summed in double precision and in a fixed order."""
    squares = 0.0
    for n in range(gradient.size):
        squares += float(gradient[n]) * float(gradient[n])
    return np.sqrt(squares)  # type: ignore[no-any-return]


@jit
def adamw(
    parameters: Any,
    gradient: Any,
    first: Any,
    second: Any,
    average: Any,
    decay: Any,
    norm: float,
    step: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    clip: float,
    average_decay: float,
) -> None:
    """The step itself, which parts of the vectors may take one by one; `norm` is that of the whole gradient."""
    kind = parameters.dtype.type
    one = kind(1)
    scale = kind(clip / norm) if norm > clip else one
    rate = kind(learning_rate / (1.0 - beta1**step))
    correction = kind(1.0 / np.sqrt(1.0 - beta2**step))
    keep1, keep2, tiny = kind(beta1), kind(beta2), kind(epsilon)
    new1, new2 = kind(1.0 - beta1), kind(1.0 - beta2)
    shrink = kind(learning_rate * weight_decay)
    new_average = kind(1.0 - average_decay)
    for n in range(parameters.size):
        g = gradient[n] * scale
        m = keep1 * first[n] + new1 * g
        v = keep2 * second[n] + new2 * g * g
        p = parameters[n] * (one - shrink * decay[n]) - rate * m / (np.sqrt(v) * correction + tiny)
        first[n] = m
        second[n] = v
        parameters[n] = p
        average[n] += new_average * (p - average[n])
