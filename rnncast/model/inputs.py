"""From windows of a panel to what the network reads, and the naive path that its output corrects.

Dimension letters: `B` windows of a batch, `T` input steps, `F` input channels, `K` horizon steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncast.data.transform import LocalScale, WorkingSeries, local_scale
from rnncast.data.windows import Windows, gather_inputs, gather_targets
from rnncast.model.config import NetworkConfig

INPUT_LIMIT = 100.0
"""Inputs beyond this many scales are drawn in to it: one wild row must not saturate a whole window."""

TARGET_LIMIT = 1000.0
"""Training targets beyond this many scales are drawn in to it: a jump out of a constant stretch has no finite scale."""


@dataclass(frozen=True)
class Batch:
    """What the network reads of a batch of windows.

    Attributes
    ----------
    inputs : float (T, F, B)
        Channels of the window, normalised.
    naive : float64 (K, B)
        The naive path, normalised: zero for the last value, the last season's shape for a seasonal series.
    local : LocalScale
        Brings normalised numbers back to the units of the data.
    """

    inputs: NDArray[np.floating]
    naive: NDArray[np.float64]
    local: LocalScale


def make_batch(config: NetworkConfig, working: WorkingSeries, windows: Windows, dtype: type = np.float32) -> Batch:
    """Gather windows and normalise them by what they hold themselves."""
    rows, valid = gather_inputs(working, windows, config.history_rows)  # (history rows, B), (B,)
    last, logarithmic = working.levels[windows.ends - 1], working.logarithmic[windows.series]  # (B,), (B,)
    local = local_scale(rows, valid, last, logarithmic, config.season_length)
    normalised = local.normalise(rows)  # (history rows, B)
    channels = [_CHANNELS[name](normalised, config) for name in config.channels]  # F of (T, B)
    inputs = np.clip(np.stack(channels, axis=1), -INPUT_LIMIT, INPUT_LIMIT)  # (T, F, B)
    naive = local.normalise(_naive_path(rows, config.horizon, config.season_length))
    return Batch(inputs=np.ascontiguousarray(inputs, dtype=dtype), naive=naive, local=local)


def normalised_targets(
    config: NetworkConfig, working: WorkingSeries, windows: Windows, batch: Batch
) -> NDArray[np.float64]:
    """What the network should put out: the rows after each window, normalised, minus the naive path; shape (K, B)."""
    future = gather_targets(working, windows, config.horizon)  # (K, B)
    return np.clip(batch.local.normalise(future) - batch.naive, -TARGET_LIMIT, TARGET_LIMIT)


def _naive_path(rows: NDArray[np.float64], horizon: int, season_length: int) -> NDArray[np.float64]:
    """Last season of `rows` (., B), repeated over the horizon: (K, B); with a season of one row, the last value."""
    season = rows[-season_length:]  # (m, B)
    return season[np.arange(horizon) % season_length]


def _level(rows: NDArray[np.float64], config: NetworkConfig) -> NDArray[np.float64]:
    """The window itself: distance from its last value, in scales."""
    return rows[-config.input_size :]


def _change(rows: NDArray[np.float64], config: NetworkConfig) -> NDArray[np.float64]:
    """One-step changes: logarithmic returns over the window's mean absolute return, for a series in logarithms."""
    return np.diff(rows, axis=0, prepend=rows[:1])[-config.input_size :]


def _seasonal_change(rows: NDArray[np.float64], config: NetworkConfig) -> NDArray[np.float64]:
    """Changes over one season."""
    return rows[-config.input_size :] - rows[-config.input_size - config.season_length : -config.season_length]


_Channel = Callable[[NDArray[np.float64], NetworkConfig], NDArray[np.float64]]
_CHANNELS: dict[str, _Channel] = {"level": _level, "change": _change, "seasonal change": _seasonal_change}
