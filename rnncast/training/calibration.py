"""How wide intervals have to be: scores of the block that trained nothing, step by step.

The scale of the scores is chosen on the gate's block, their quantiles are those of the calibration block. At long steps
a block holds few separate stretches of time; there the quantiles lean on those of all earlier rows, around the naive
path, narrowed by what the issued median gained on the block.

Dimension letters: `K` horizon steps, `N` windows, `G` levels of the table, `S` series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.model.config import NetworkConfig
from rnncast.model.gate import Gate, blended_median
from rnncast.model.intervals import LEVELS, Calibration, Volatility, moved, scales, scales_of
from rnncast.training.outlook import Outlook

Floats = NDArray[np.float64]

DECAYS = (0.94, 0.97, 0.985)
PERSISTENCES = (1.0, 0.99, 0.97, 0.94, 0.9, 0.8)
WIDTHS = (0.0, 0.5)
"""Settings of the scale among which the best is looked for."""

CHOOSING_LEVELS = np.array([0.025, 0.1, 0.25, 0.75, 0.9, 0.975])
"""Quantiles by which it is chosen."""

PRIOR_STRETCHES = 30.0
"""Separate stretches of time that a step must have for its own quantiles to weigh as much as those of earlier rows."""

MOST_APART = 3.0
"""Series of a dated panel that count as separate: prices move together."""


def median_of(config: NetworkConfig, gate: Gate, outlook: Outlook) -> Floats:
    """What is issued for the windows of an outlook, (K, N)."""
    return blended_median(gate, config, outlook.context, outlook.valid, outlook.network)


def choose_volatility(config: NetworkConfig, gate: Gate, outlook: Outlook) -> Volatility:
    """The scale under which quantiles of the scores, times it, have the least pinball loss on an outlook's windows."""
    errors = outlook.actual - median_of(config, gate, outlook)  # (K, N)
    whole, best, least = moved(config, outlook.context, outlook.valid, 1.0), None, math.inf  # (N,)
    for decay in DECAYS:
        recent = moved(config, outlook.context, outlook.valid, decay)  # (N,)
        for persistence, width in product(PERSISTENCES, WIDTHS if len(config.quantile_levels) > 1 else WIDTHS[:1]):
            volatility = Volatility(decay, persistence, width)
            loss = _loss(errors, scales_of(volatility, recent, whole, outlook.widths), outlook.spread)
            if loss < least:
                best, least = volatility, loss
    assert best is not None  # every loss is finite
    return best


def calibrate(
    config: NetworkConfig, gate: Gate, volatility: Volatility, block: Outlook, earlier: Outlook, separate: float
) -> Calibration:
    """Table of scores from the calibration block, leaning on earlier rows where the block is short.

    Parameters
    ----------
    block, earlier
        Windows of the block, and windows before it.
    separate
        Separate stretches of time of one row that the block holds; at step k they are k times fewer.
    """
    scale = _scale(config, volatility, block)  # (K, N)
    scores = (block.actual - median_of(config, gate, block)) / scale  # (K, N)
    naive = np.abs(block.actual - block.naive) / scale  # (K, N)
    narrowed = float(np.abs(scores).mean() / naive.mean()) if naive.any() else 1.0
    before = (earlier.actual - earlier.naive) / _scale(config, volatility, earlier)  # (K, N)
    weight = separate / np.arange(1, config.horizon + 1)  # (K,)
    weight = (weight / (weight + PRIOR_STRETCHES))[:, None]  # (K, 1)
    table = weight * _quantiles(scores, LEVELS) + (1.0 - weight) * min(narrowed, 1.0) * _quantiles(before, LEVELS)
    middle = len(LEVELS) // 2
    table[:, :middle] = np.minimum(table[:, :middle], 0.0)  # the median is what is issued
    table[:, middle] = 0.0
    table[:, middle + 1 :] = np.maximum(table[:, middle + 1 :], 0.0)
    return Calibration(volatility, table)


def measured_coverage(
    config: NetworkConfig,
    gate: Gate,
    volatility: Volatility,
    block: Outlook,
    earlier: Outlook,
    separate: float,
    levels: Sequence[float],
) -> list[dict[str, Any]]:
    """Coverage of intervals at `levels` (per cent) in each half of the block when the other half calibrates them."""
    order = np.argsort(block.clock, kind="stable")  # (N,)
    inside = np.zeros((len(levels), 2))
    for half in (0, 1):
        held, used = (order[: len(order) // 2], order[len(order) // 2 :])[:: 1 - 2 * half]
        if len(held) == 0 or len(used) == 0:
            return []
        calibration = calibrate(config, gate, volatility, block.take(used), earlier, separate / 2)
        own = block.take(held)
        errors, scale = own.actual - median_of(config, gate, own), _scale(config, volatility, own)  # (K, N) each
        for number, level in enumerate(levels):
            tails = np.array([50.0 - level / 2, 50.0 + level / 2]) / 100.0
            bounds = calibration.offsets(scale, tails)  # (K, 2, N)
            inside[number, half] = ((errors >= bounds[:, 0]) & (errors <= bounds[:, 1])).mean()
    return [
        {"level": level, "coverage": float(inside[number].mean()), "windows": len(order)}
        for number, level in enumerate(levels)
    ]


def separate_stretches(rows: int, series: int, dated: bool) -> float:
    """Stretches of one row, of all series, that tell something of their own."""
    return rows * (min(float(series), MOST_APART) if dated else float(series))


def _scale(config: NetworkConfig, volatility: Volatility, outlook: Outlook) -> Floats:
    return scales(volatility, config, outlook.context, outlook.valid, outlook.widths)


def _quantiles(scores: Floats, levels: Floats) -> Floats:
    """Quantiles (K, G) of scores (K, N), at p the score of rank ``p (N + 1)``: conformal, bounded by the extremes."""
    return np.quantile(scores, levels, axis=1, method="weibull").T


def _loss(errors: Floats, scale: Floats, spread: Floats) -> float:
    """Mean pinball loss of the empirical quantiles of scores, times the scale, each step counting alike."""
    table = _quantiles(errors / scale, CHOOSING_LEVELS)  # (K, G)
    total = 0.0
    for number, level in enumerate(CHOOSING_LEVELS):
        missed = errors - table[:, [number]] * scale  # (K, N)
        total += float((np.maximum(level * missed, (level - 1.0) * missed) / spread[:, None]).mean())
    return total
