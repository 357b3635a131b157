"""The context of a forecast: the last rows of each series, in units of how they moved.

The network's window has a scale of its own; gate and intervals look further back, and a window that stood still would
have no unit for what came before it. Their unit is the larger of the two.

A context also says how far is too far: what lies beyond it by several times its range is no forecast, and no evidence.

Dimension letters: `R` rows of the context, `B` windows, `K` horizon steps.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rnncast.data.transform import LocalScale, WorkingSeries, mean_change
from rnncast.data.windows import Windows, gather_inputs
from rnncast.model.config import NetworkConfig
from rnncast.records import dataclass

Floats = NDArray[np.float64]

REACH = 3.0
"""Times its range beyond its rows that a series is taken to go, within as many steps as it has rows."""

WIDEST = 700.0
"""Logarithm of the largest ratio of two rows that the range is computed with: beyond it are hardly any numbers."""


@dataclass(frozen=True, eq=False)
class Context:
    """Rows up to the end of each window.

    Attributes
    ----------
    rows : float64 (R, B)
        Normalised by `local`; a shorter history repeats its first value in front.
    valid : int64 (B,)
        Rows that are no repetition.
    local : LocalScale
        Anchor of the window, and the unit of the context.
    share : float64 (B,)
        Scale of the network's window in that unit, at most 1.
    """

    rows: Floats
    valid: NDArray[np.int64]
    local: LocalScale
    share: Floats

    def bounds(self, horizon: int) -> tuple[Floats, Floats]:
        """Lowest and highest numbers (K, B) that a series is taken to reach, in the units of `rows`.

        They lie `REACH` ranges of the data beyond its rows, and farther in proportion where there are more steps than
        rows. A series that never moved is taken to stay, and one whose lowest row is zero (demand, counts) above it.
        """
        high, low = self.rows.max(axis=0), self.rows.min(axis=0)  # (B,) each
        times = REACH * np.maximum(1.0, np.arange(1, horizon + 1)[:, None] / self.valid)  # (K, 1) or (K, B)
        unit, logarithmic = self.local.scale, self.local.logarithmic  # (B,) each
        ratio = np.where(logarithmic, np.minimum((high - low) * unit, WIDEST), 0.0)  # (B,) of highest to lowest, as log
        above = np.where(logarithmic, np.log1p(-times * np.expm1(-ratio)) / unit, times * (high - low))  # (K, B)
        below = np.where(logarithmic, np.log1p(times * np.expm1(ratio)) / unit, times * (high - low))  # (K, B)
        at_zero = ~logarithmic & (low == self.local.normalise(np.zeros(len(unit))))  # (B,)
        return np.where(at_zero, low, low - below), high + above


def make_context(config: NetworkConfig, working: WorkingSeries, windows: Windows, local: LocalScale) -> Context:
    """The contexts of windows that are normalised by `local` themselves."""
    rows, valid = gather_inputs(working, windows, config.context_rows)  # (R, B), (B,)
    lag = config.season_length if config.season_length > 1 else 1
    unit = np.maximum(local.scale, mean_change(rows, valid, lag))  # (B,)
    whole = replace(local, scale=unit)
    return Context(whole.normalise(rows), valid, whole, local.scale / unit)
