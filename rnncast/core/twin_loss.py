"""Head, losses and optimiser step in NumPy alone, written from the equations.

Letters: T steps, B batch, K horizon steps, Q quantiles, G raw outputs of a step, O = K G outputs, P parameters. A
leading T is allowed everywhere: outputs (O, B) or (T, O, B), targets (K, B) or (T, K, B).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnncast.core.loss_table import HUBER, MAE, MSE, QUANTILE, SOFTPLUS_SHIFT, STUDENT_T, LossTable
from rnncast.core.twin_student_t import student_t_loss_and_slopes, student_t_quantiles

Array = NDArray[Any]


def head_quantiles(outputs: Array, table: LossTable) -> Array:
    """Quantiles (K, Q, B) or (T, K, Q, B) of raw outputs; for a loss without quantiles Q = 1, the prediction.

    With m = (Q - 1) / 2: ``q_m = spread raw_m``; outwards from there
    ``q_j = q_{j -+ 1} +- base_gap_j softplus(raw_j + ln(e - 1))``, so that quantiles never cross. Those of Student's t
    are the distribution's, at any levels.
    """
    levels = table.levels.size
    raw = _by_step(np.asarray(outputs), table)  # (..., K, G, B)
    if table.kind == STUDENT_T:
        return student_t_quantiles(raw, table)
    spread, base = table.spread.astype(raw.dtype), table.base_gap.astype(raw.dtype)  # (K,), (K, Q)
    quantiles = np.empty_like(raw)  # (..., K, Q, B)
    median = levels // 2
    quantiles[..., median, :] = spread[:, None] * raw[..., median, :]
    gaps = base[..., None] * np.logaddexp(raw + raw.dtype.type(SOFTPLUS_SHIFT), raw.dtype.type(0))  # (..., K, Q, B)
    for j in range(median + 1, levels):
        quantiles[..., j, :] = quantiles[..., j - 1, :] + gaps[..., j, :]
    for j in range(median - 1, -1, -1):
        quantiles[..., j, :] = quantiles[..., j + 1, :] - gaps[..., j, :]
    return quantiles


def loss_and_gradient(
    outputs: Array, targets: Array, table: LossTable, weights: ArrayLike | None = None
) -> tuple[float, Array]:
    """Loss, and its gradient with respect to the raw outputs (same shape as `outputs`).

    The loss is the weighted mean over windows and the mean over steps, horizon steps and quantiles; the pinball loss
    is doubled, so that with the median alone it is the mean absolute error. A likelihood is one number a horizon step.
    With weights (T, B) it is the weighted mean over steps and windows.
    """
    raw = _by_step(np.asarray(outputs), table)  # (..., K, G, B)
    if table.kind == STUDENT_T:
        values, draw = student_t_loss_and_slopes(raw, targets, table)
        values = values[..., None, :]  # (..., K, 1, B)
    else:
        errors = np.asarray(targets)[..., None, :] - head_quantiles(outputs, table)  # (..., K, Q, B)
        values, slopes = _pointwise(errors, table)
        draw = _head_backward(raw, slopes, table)
    batch = values.shape[-1]
    given = np.ones(batch) if weights is None else np.asarray(weights, np.float64)  # (B,) or (T, B)
    factors = given / given.sum() / (values.size // given.size)  # (B,) or (T, B)
    if given.ndim == 2:
        factors = factors[:, None, None]  # (T, 1, 1, B)
    loss = float((values * factors).sum(dtype=np.float64))
    return loss, (draw * factors.astype(draw.dtype)).reshape(np.shape(outputs))


def _by_step(outputs: Array, table: LossTable) -> Array:
    """Outputs (..., K * G, B) as (..., K, G, B)."""
    return outputs.reshape(*outputs.shape[:-2], table.horizon, table.group, outputs.shape[-1])


def _pointwise(errors: Array, table: LossTable) -> tuple[Array, Array]:
    """Loss of each error (target - prediction), and its slope with respect to the prediction."""
    size = np.abs(errors)
    if table.kind == MSE:
        return errors * errors, -2 * errors
    if table.kind == MAE:
        return size, -np.sign(errors)
    if table.kind == HUBER:
        delta = errors.dtype.type(table.huber_delta)
        small = size <= delta
        values = np.where(small, errors * errors / 2, delta * (size - delta / 2))
        return values, np.where(small, -errors, -delta * np.sign(errors))
    if table.kind != QUANTILE:
        raise ValueError(f"unknown loss {table.kind}")
    levels = table.levels.astype(errors.dtype)[:, None]  # (Q, 1)
    values = 2 * np.maximum(levels * errors, (levels - 1) * errors)
    # np.sign keeps NaN and gives the middle of the subgradient at 0
    return values, -(2 * levels - 1) - np.sign(errors)


def _head_backward(raw: Array, dquantiles: Array, table: LossTable) -> Array:
    """Gradient of raw outputs from that of the quantiles, both (..., K, Q, B): a gap moves all quantiles beyond it."""
    spread, base = table.spread.astype(raw.dtype), table.base_gap.astype(raw.dtype)  # (K,), (K, Q)
    median = table.levels.size // 2
    half = raw.dtype.type(0.5)
    slope = half + half * np.tanh(half * (raw + raw.dtype.type(SOFTPLUS_SHIFT)))  # softplus' = logistic function
    draw = np.empty_like(raw)  # (..., K, Q, B)
    draw[..., median, :] = spread[:, None] * dquantiles.sum(axis=-2)
    for j in range(median + 1, table.levels.size):
        draw[..., j, :] = dquantiles[..., j:, :].sum(axis=-2) * base[:, j, None] * slope[..., j, :]
    for j in range(median):
        draw[..., j, :] = -dquantiles[..., : j + 1, :].sum(axis=-2) * base[:, j, None] * slope[..., j, :]
    return draw


def optimiser_step(
    parameters: Array,
    gradient: Array,
    first: Array,
    second: Array,
    average: Array,
    decay: Array,
    step: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    clip: float,
    average_decay: float,
) -> float:
    """AdamW in place, as `optimiser.adamw_step` describes it; returns the global norm before clipping."""
    norm = float(np.sqrt(np.sum(gradient.astype(np.float64) ** 2)))
    if not np.isfinite(norm):
        return norm
    clipped = gradient * (clip / norm) if norm > clip else gradient  # (P,)
    first[:] = beta1 * first + (1 - beta1) * clipped
    second[:] = beta2 * second + (1 - beta2) * clipped**2
    mean, variance = first / (1 - beta1**step), second / (1 - beta2**step)  # (P,), (P,)
    parameters *= 1 - learning_rate * weight_decay * decay
    parameters -= learning_rate * mean / (np.sqrt(variance) + epsilon)
    average[:] = average_decay * average + (1 - average_decay) * parameters
    return norm
