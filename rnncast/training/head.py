"""The tables that training starts from: how far the naive path errs at each step, and between which quantiles.

Dimension letters: `N` windows, `K` horizon steps, `Q` quantiles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncast.core.loss_table import LossTable
from rnncast.data.transform import WorkingSeries
from rnncast.data.windows import Windows
from rnncast.model.config import NetworkConfig
from rnncast.model.inputs import in_parts, make_frame, normalised_targets
from rnncast.model.network import loss_table

SAMPLE = 20_000
"""Most windows that the tables are computed from, evenly spread over all."""

SMALLEST = 1e-3
"""Least spread and gap, in scales: where the naive path never errs, the network may still learn."""


def spread_evenly(count: int, most: int) -> NDArray[np.int64]:
    """Numbers of at most `most` of `count` windows, evenly spread, the first and the last among them."""
    if count <= most:
        return np.arange(count, dtype=np.int64)
    return np.linspace(0, count - 1, most).round().astype(np.int64)


def empirical_head(config: NetworkConfig, working: WorkingSeries, windows: Windows) -> LossTable:
    """Tables of the naive path's errors over training windows; nothing later than their targets enters."""
    sample = windows.take(spread_evenly(len(windows), SAMPLE))
    errors = np.empty((config.horizon, len(sample)))  # (K, N)
    for part in in_parts(config, len(sample)):
        chosen = sample.take(np.arange(part.start, part.stop))
        errors[:, part] = normalised_targets(config, working, chosen, make_frame(config, working, chosen))
    middle = np.median(np.abs(errors), axis=1, keepdims=True)  # (K, 1)
    bounded = np.minimum(np.abs(errors), 20.0 * np.maximum(middle, SMALLEST))  # (K, N)
    quantiles = np.quantile(errors, config.quantile_levels, axis=1).T  # (K, Q)
    median = len(config.quantile_levels) // 2
    gaps = np.zeros_like(quantiles)  # (K, Q)
    gaps[:, median + 1 :] = np.diff(quantiles[:, median:], axis=1)
    gaps[:, :median] = np.diff(quantiles[:, : median + 1], axis=1)
    spread = np.maximum(bounded.mean(axis=1), SMALLEST)  # (K,)
    return loss_table(config, spread, np.maximum(gaps, SMALLEST * spread[:, None]))
