"""The context of a forecast: the last rows of each series, in units of how they moved.

The network's window has a scale of its own; gate and intervals look further back, and a window that stood still would
have no unit for what came before it. Their unit is the larger of the two.

Dimension letters: `R` rows of the context, `B` windows.
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


def make_context(config: NetworkConfig, working: WorkingSeries, windows: Windows, local: LocalScale) -> Context:
    """The contexts of windows that are normalised by `local` themselves."""
    rows, valid = gather_inputs(working, windows, config.context_rows)  # (R, B), (B,)
    lag = config.season_length if config.season_length > 1 else 1
    unit = np.maximum(local.scale, mean_change(rows, valid, lag))  # (B,)
    whole = replace(local, scale=unit)
    return Context(whole.normalise(rows), valid, whole, local.scale / unit)
