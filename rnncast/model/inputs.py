"""From windows of a panel to what the network reads, and the naive path that its output corrects.

Dimension letters: `B` windows of a batch, `T` input steps, `F` input channels, `K` horizon steps, `R` rows gathered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.batch import seasonal_naive
from rnncast.data.phases import phases
from rnncast.data.transform import (
    SCALE_FLOOR_LEVEL,
    SCALE_FLOOR_LOG,
    SEASONAL_FLOOR,
    SMALLEST_SCALE,
    LocalScale,
    WorkingSeries,
    local_scale,
)
from rnncast.data.windows import Windows, gather_inputs, gather_targets
from rnncast.model.config import NetworkConfig
from rnncast.records import dataclass

if TYPE_CHECKING:
    from rnncast.core.arguments import Normalising

INPUT_LIMIT = 100.0
"""Inputs beyond this many scales are drawn in to it: one wild row must not saturate a whole window."""

TARGET_LIMIT = 1000.0
"""Training targets beyond this many scales are drawn in to it: a jump out of a constant stretch has no finite scale."""

GATHERED = 1 << 20
"""Most numbers of a channel that are normalised at once; more windows are taken in parts."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A batch of windows, each normalised by what it holds itself.

    Attributes
    ----------
    rows : float64 (R, B)
        Rows up to the end of each window, normalised; R are those of the window and of the season before it.
    valid : int64 (B,)
        Rows that are no padding, at the end of each column.
    naive : float64 (K, B)
        The naive path, normalised: zero for the last value, the last season's shape for a seasonal series.
    local : LocalScale
        Brings normalised numbers back to the units of the data.
    phases : float32 (P, T, B)
        Where the rows stand in the cycles of the calendar, of the phases that the network reads; none if it does not.
    """

    rows: NDArray[np.float64]
    valid: NDArray[np.int64]
    naive: NDArray[np.float64]
    local: LocalScale
    phases: NDArray[np.float32]


def make_frame(config: NetworkConfig, working: WorkingSeries, windows: Windows, *, read: bool = True) -> Frame:
    """Gather windows and normalise them; without phases, which take a while, where no network is to read them."""
    rows, valid = gather_inputs(working, windows, config.history_rows)  # (R, B), (B,)
    last, logarithmic = working.levels[windows.ends - 1], working.logarithmic[windows.series]  # (B,), (B,)
    local = local_scale(rows, valid, last, logarithmic, config.season_length, config.long_season)
    normalised = local.normalise(rows)
    naive = naive_path(normalised, valid, config, local.short_share)
    told = _phases(config, working, windows) if read else np.empty((0, config.input_size, len(windows)), np.float32)
    return Frame(normalised, valid, naive, local, told)


def _phases(config: NetworkConfig, working: WorkingSeries, windows: Windows) -> NDArray[np.float32]:
    """Phases (P, T, B) of the rows that windows read; a shorter series repeats those of its first row in front."""
    steps = np.arange(-config.input_size, 0, dtype=np.int64)[:, None] if config.phases else np.empty((0, 1), np.int64)
    rows = np.maximum(windows.ends + steps, working.indptr[windows.series])  # (T, B)
    return phases(working.times[rows], working.calendar, config.phases)


def network_inputs(config: NetworkConfig, frame: Frame, dtype: type = np.float32) -> NDArray[np.floating]:
    """Channels of the windows, in the layout of the core: (T, F, B) of `dtype`."""
    made = {name: make(frame, config) for name, make in _CHANNELS.items() if name in config.channels}
    made.update(zip(config.phases, frame.phases, strict=True))
    channels = [made[name] for name in config.channels]  # F of (T, B)
    inputs = np.clip(np.stack(channels, axis=1), -INPUT_LIMIT, INPUT_LIMIT)  # (T, F, B)
    return np.ascontiguousarray(inputs, dtype=dtype)


def normalised_targets(
    config: NetworkConfig, working: WorkingSeries, windows: Windows, frame: Frame
) -> NDArray[np.float64]:
    """What the network should put out: the rows after each window, normalised, minus the naive path; shape (K, B)."""
    future = gather_targets(working, windows, config.horizon)  # (K, B)
    return np.clip(frame.local.normalise(future) - frame.naive, -TARGET_LIMIT, TARGET_LIMIT)


def normalising(config: NetworkConfig) -> Normalising:
    """What the kernel needs to make inputs and targets of windows itself; see `rnncast.core.panel_windows`."""
    from rnncast.core.arguments import Normalising  # training alone asks for it

    lags = {"level": 0, "change": 1, "seasonal change": config.season_length}
    lags.update({name: -number for number, name in enumerate(config.phases, 1)})
    return Normalising(
        lags=np.array([lags[name] for name in config.channels], np.int64),
        history=config.history_rows,
        season=config.season_length,
        long_season=config.long_season,
        floor_logarithmic=SCALE_FLOOR_LOG,
        floor_level=SCALE_FLOOR_LEVEL,
        floor_season=SEASONAL_FLOOR,
        smallest=SMALLEST_SCALE,
        input_limit=INPUT_LIMIT,
        target_limit=TARGET_LIMIT,
    )


def in_parts(config: NetworkConfig, count: int) -> Iterator[slice]:
    """Parts of `count` windows that are small enough to be normalised at once."""
    size = max(1, GATHERED // (config.history_rows + config.horizon))
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def naive_path(
    rows: NDArray[np.float64], valid: NDArray[np.int64], config: NetworkConfig, short_share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Last season repeated over the horizon, (K, B); the last value without a season, or with less than one at hand.

    Where the network works with a longer season too, the last long one has the share (B,) that the short one leaves.
    """
    path = seasonal_naive(rows, valid, config.horizon, config.season_length)  # (K, B)
    if config.long_season == 0:
        return path
    return short_share * path + (1.0 - short_share) * seasonal_naive(rows, valid, config.horizon, config.long_season)


def _level(frame: Frame, config: NetworkConfig) -> NDArray[np.float64]:
    """The window itself: distance from its last value, in scales."""
    return frame.rows[-config.input_size :]


def _change(frame: Frame, config: NetworkConfig) -> NDArray[np.float64]:
    """One-step changes: logarithmic returns over the window's mean absolute return, for a series in logarithms."""
    return np.diff(frame.rows, axis=0, prepend=frame.rows[:1])[-config.input_size :]


def _seasonal_change(frame: Frame, config: NetworkConfig) -> NDArray[np.float64]:
    """Changes over one season, or from what both seasons say; zero where the row a season before is padding."""
    change, known = _change_over(frame, config.input_size, config.season_length)  # (T, B) each
    change = np.where(known, change, 0.0)
    if config.long_season == 0:
        return change
    over_long, known = _change_over(frame, config.input_size, config.long_season)
    share = frame.local.short_share
    return np.where(known, share * change + (1.0 - share) * over_long, change)


def _change_over(frame: Frame, steps: int, season: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Changes over a season (T, B), and whether the row a season before is no padding (T, B)."""
    before = len(frame.rows) - steps - season + np.arange(steps)[:, None]  # (T, 1) place of the row a season before
    change = frame.rows[-steps:] - frame.rows[-steps - season : -season]  # (T, B)
    return change, before >= len(frame.rows) - frame.valid


_Channel = Callable[[Frame, NetworkConfig], NDArray[np.float64]]
_CHANNELS: dict[str, _Channel] = {"level": _level, "change": _change, "seasonal change": _seasonal_change}
