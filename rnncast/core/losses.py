"""Losses of one shard at one output step: the value, and the gradient with respect to the raw outputs.

Raw outputs and their gradients lie in the workspace (O, S), targets in a flat vector; only the `used` lanes hold data.
`weights` (float64, one a window) carry every constant factor: the window's weight, 1 / (K Q T) and the loss's own.

Letters: K horizon steps, Q quantiles, O = K Q outputs, S lanes. NaN in an output or a target makes the value NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncast.core.activations import sigmoid
from rnncast.core.jit import jit
from rnncast.core.loss_table import HUBER, MAE, MSE, SOFTPLUS_SHIFT


@jit
def point_loss(
    kind: int,
    delta: float,
    spread: Any,
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
    """Mean squared, mean absolute or Huber loss (Huber 1964) of ``prediction_k = spread[k] raw[k]``.

    Row k of the targets begins at ``target + k * stride``. Returns the weighted sum over horizon steps and lanes.
    """
    total = 0.0
    half = w.dtype.type(0.5)
    limit = w.dtype.type(delta)
    for k in range(spread.size):
        raw = w[outputs + k * lanes : outputs + k * lanes + used]
        draw = w[doutputs + k * lanes : doutputs + k * lanes + used]
        expected = targets[target + k * stride : target + k * stride + used]
        for n in range(used):
            error = spread[k] * raw[n] - expected[n]
            size = abs(error)
            if kind == MSE:
                value = error * error
                slope = error + error
            elif kind == HUBER and size <= limit:
                value = half * error * error
                slope = error
            else:
                # error == error: a NaN must reach the gradient; where it is 0 the subgradient is 0.
                slope = np.sign(error) if error == error else error
                value = size
                if kind != MAE:
                    value = limit * (size - half * limit)
                    slope = limit * slope
            total += weights[n] * value
            draw[n] = w.dtype.type(weights[n]) * spread[k] * slope
    return total


@jit
def quantile_loss(
    levels: Any,
    spread: Any,
    base_gap: Any,
    targets: Any,
    target: int,
    stride: int,
    weights: Any,
    w: Any,
    outputs: int,
    doutputs: int,
    scratch: int,
    lanes: int,
    used: int,
) -> float:
    """Pinball loss (Koenker & Bassett 1978) of quantiles that cannot cross: median plus cumulative positive gaps.

    With m = (Q - 1) / 2: ``q[m] = spread raw[m]``; outwards from there
    ``q[j] = q[j -+ 1] +- base_gap[j] softplus(raw[j] + ln(e - 1))``. Returns the weighted sum over steps, quantiles and
    lanes. `base_gap` is flat (K * Q).
    """
    total = 0.0
    count = levels.size
    for k in range(spread.size):
        row = outputs + k * count * lanes
        gaps = base_gap[k * count : (k + 1) * count]
        _quantiles(w, row, scratch, lanes, used, spread[k], gaps)
        for j in range(count):
            q = w[scratch + j * lanes : scratch + j * lanes + used]
            expected = targets[target + k * stride : target + k * stride + used]
            total += _pinball(q, expected, levels[j], weights)
        _quantiles_backward(w, row, doutputs + k * count * lanes, scratch, lanes, used, spread[k], gaps)
    return total


@jit
def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``, without overflow."""
    zero = x - x
    return (x if x > zero else zero) + np.log1p(np.exp(-abs(x)))


@jit
def _quantiles(w: Any, row: int, scratch: int, lanes: int, used: int, spread: Any, gaps: Any) -> None:
    """Quantiles of one horizon step from its raw outputs at `row`, into `scratch` (Q, S)."""
    shift = w.dtype.type(SOFTPLUS_SHIFT)
    median = (gaps.size - 1) // 2
    raw = w[row + median * lanes : row + median * lanes + used]
    q = w[scratch + median * lanes : scratch + median * lanes + used]
    for n in range(used):
        q[n] = spread * raw[n]
    for outward in range(2 * median):
        # 0, 1, ... above the median, then the same below it
        above = outward < median
        j = median + 1 + outward if above else 2 * median - 1 - outward
        gap = gaps[j] if above else -gaps[j]
        inner = scratch + (j - 1 if above else j + 1) * lanes
        raw = w[row + j * lanes : row + j * lanes + used]
        nearer = w[inner : inner + used]
        q = w[scratch + j * lanes : scratch + j * lanes + used]
        for n in range(used):
            q[n] = nearer[n] + gap * softplus(raw[n] + shift)


@jit
def _quantiles_backward(
    w: Any, row: int, drow: int, scratch: int, lanes: int, used: int, spread: Any, gaps: Any
) -> None:
    """Gradients of the raw outputs at `drow` from those of the quantiles in `scratch` (which are summed inwards)."""
    shift = w.dtype.type(SOFTPLUS_SHIFT)
    median = (gaps.size - 1) // 2
    for inward in range(2 * median):
        # the outermost above the median first, then the outermost below it
        above = inward < median
        j = 2 * median - inward if above else inward - median
        gap = gaps[j] if above else -gaps[j]
        inner = scratch + (j - 1 if above else j + 1) * lanes
        raw = w[row + j * lanes : row + j * lanes + used]
        draw = w[drow + j * lanes : drow + j * lanes + used]
        dq = w[scratch + j * lanes : scratch + j * lanes + used]
        dnearer = w[inner : inner + used]
        for n in range(used):
            draw[n] = dq[n] * gap * sigmoid(raw[n] + shift)
            dnearer[n] += dq[n]
    draw = w[drow + median * lanes : drow + median * lanes + used]
    dq = w[scratch + median * lanes : scratch + median * lanes + used]
    for n in range(used):
        draw[n] = spread * dq[n]


@jit
def _pinball(q: Any, expected: Any, level: Any, weights: Any) -> float:
    """Weighted pinball loss of one row; the row of quantiles becomes its gradient."""
    total = 0.0
    one = level / level
    half = one / (one + one)
    for n in range(q.size):
        error = expected[n] - q[n]
        if error > 0:
            slope = -level
        elif error < 0:
            slope = one - level
        else:
            # at 0 the middle of the subgradient; a NaN stays NaN
            slope = half - level + error
        total -= weights[n] * (slope * error)
        q[n] = q.dtype.type(weights[n]) * slope
    return total
