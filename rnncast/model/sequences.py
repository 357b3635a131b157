"""What a stateful network reads at each row of a series, and what it should answer there.

A window of `history_rows` rows ends at each row, and is normalised as the windows of other networks are (`make_frame`).
Of it the network reads a few numbers, its channels at that row; what came before stands in the network's state. So what
is read at a row never depends on a later one, nor on one further back than those rows.

Dimension letters: `N` rows, `F` channels, `K` horizon steps, `m` rows of a season, `S` series.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rnncast.data.transform import LocalScale, WorkingSeries
from rnncast.data.windows import Windows, gather_inputs, windows_between
from rnncast.model.config import NetworkConfig
from rnncast.model.inputs import INPUT_LIMIT, Frame, in_parts, make_frame, naive_path, normalised_targets
from rnncast.records import dataclass


@dataclass(frozen=True, eq=False)
class SequenceRows:
    """What is read at rows of a panel.

    Attributes
    ----------
    inputs : float32 (N, F)
        Channels.
    scale : float64 (N,)
        Scale of the window that ends at the row.
    """

    inputs: NDArray[np.float32]
    scale: NDArray[np.float64]


def rows_from(indptr: NDArray[np.int64], first: NDArray[np.int64]) -> Windows:
    """The rows of each series from its row `first` (S,) on, each as the window that ends with it."""
    return windows_between(indptr, first + 1, np.diff(indptr))


def read_rows(config: NetworkConfig, working: WorkingSeries, rows: Windows) -> SequenceRows:
    """Normalise the windows that end at the rows, part by part, and read their channels."""
    inputs = np.empty((len(rows), len(config.channels)), dtype=np.float32)  # (N, F)
    scale = np.empty(len(rows))  # (N,)
    for part in in_parts(config, len(rows)):
        frame = make_frame(config, working, rows.take(np.arange(part.start, part.stop)))
        for place, name in enumerate(config.channels):
            inputs[part, place] = np.clip(_CHANNELS[name](frame, config), -INPUT_LIMIT, INPUT_LIMIT)
        scale[part] = frame.local.scale
    return SequenceRows(inputs, scale)


def row_targets(
    config: NetworkConfig, working: WorkingSeries, rows: Windows, scale: NDArray[np.float64]
) -> NDArray[np.float32]:
    """What should come out at rows that have K rows after them, beyond the naive path, in units of `scale`; (K, N)."""
    season, valid = gather_inputs(working, rows, config.season_length)  # (m, N), (N,)
    last, logarithmic = working.levels[rows.ends - 1], working.logarithmic[rows.series]  # (N,), (N,)
    ones = np.ones(len(rows))  # (N,)
    local = LocalScale(last=last, anchor=season[-1], scale=scale, logarithmic=logarithmic, short_share=ones)
    normalised = local.normalise(season)
    none = np.empty((0, 0, len(rows)), dtype=np.float32)
    frame = Frame(normalised, valid, naive_path(normalised, valid, config, ones), local, phases=none)
    return normalised_targets(config, working, rows, frame).astype(np.float32)


def _change(frame: Frame, config: NetworkConfig) -> NDArray[np.float64]:
    """Change from the row before, in scales; zero at a series' first row."""
    return np.asarray(frame.rows[-1] - frame.rows[-2])


def _seasonal_change(frame: Frame, config: NetworkConfig) -> NDArray[np.float64]:
    """Change over one season; zero where there is not one before."""
    change = frame.rows[-1] - frame.rows[-1 - config.season_length]  # (N,)
    return np.where(frame.valid > config.season_length, change, 0.0)


def _mean(frame: Frame, config: NetworkConfig) -> NDArray[np.float64]:
    """Distance of the mean of the last `input_size` rows, padding left out, from the row, in scales."""
    counted = np.arange(config.input_size)[:, None] >= config.input_size - frame.valid  # (input_size, N)
    return np.asarray(frame.rows[-config.input_size :].mean(axis=0, where=counted))


_CHANNELS: dict[str, Callable[[Frame, NetworkConfig], NDArray[np.float64]]] = {
    "change": _change,
    "seasonal change": _seasonal_change,
    "mean": _mean,
}
