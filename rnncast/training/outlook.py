"""What a fold's network says of windows, beside what came and what simple baselines look at.

Everything is in the normalised units of each window. Dimension letters: `N` windows, `K` horizon steps, `R` rows of the
context, `Q` quantiles, `O` outputs, `P` parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.core import twin
from rnncast.data.transform import WorkingSeries
from rnncast.data.windows import Windows, gather_inputs
from rnncast.model.config import NetworkConfig
from rnncast.model.gate import groups_of
from rnncast.model.inputs import in_parts, make_frame, normalised_targets
from rnncast.model.intervals import network_widths
from rnncast.training.descent import Descent
from rnncast.training.head import spread_evenly

Floats = NDArray[np.float64]

MOST_WINDOWS = 2048
"""Most windows that a decision rests on, evenly spread over all."""

MOST_NUMBERS = 1 << 19
"""Most numbers of their contexts; with a long context they are fewer windows."""


@dataclass(frozen=True)
class Outlook:
    """Windows with what came after them, and what was said of it.

    Attributes
    ----------
    actual : float64 (K, N)
        What came, drawn in where it is very far from the naive path, as training's targets are.
    naive, network : float64 (K, N)
        The path that the network corrects, and what the network says.
    widths : float64 (K, N)
        `network_widths` of its quantiles; ones for a network without any.
    context : float64 (R, N)
        Rows up to the end of each window, a shorter history's first value repeated in front.
    valid : int64 (N,)
        Rows of the context that are no repetition.
    group : int64 (N,)
        Group of each window, a number in `rnncast.model.gate.GROUPS`.
    clock : int64 (N,)
        Number of the stretch of time, one horizon long, in which each window's targets begin.
    spread : float64 (K,)
        The naive path's mean absolute error at each step, over the windows that the network was trained on.
    """

    actual: Floats
    naive: Floats
    network: Floats
    widths: Floats
    context: Floats
    valid: NDArray[np.int64]
    group: NDArray[np.int64]
    clock: NDArray[np.int64]
    spread: Floats

    def take(self, index: NDArray[np.int64]) -> Outlook:
        """The windows of an index."""
        by_step = {name: getattr(self, name)[:, index] for name in ("actual", "naive", "network", "widths", "context")}
        by_window = {name: getattr(self, name)[index] for name in ("valid", "group", "clock")}
        return replace(self, **by_step, **by_window)


def look(
    config: NetworkConfig,
    working: WorkingSeries,
    trainer: Descent[Any],
    parameters: NDArray[np.float32],
    windows: Windows,
    clock: NDArray[np.int64] | None = None,
) -> Outlook:
    """What the network of `parameters` (P,) says of windows, of some of them where they are very many."""
    most = max(1, min(MOST_WINDOWS, MOST_NUMBERS // config.context_rows))
    sample = spread_evenly(len(windows), most)  # (N,)
    windows, clock = windows.take(sample), np.zeros(len(sample), np.int64) if clock is None else clock[sample]
    raw = trainer.outputs(trainer.prepare(windows), parameters)  # (O, N)
    quantiles = twin.head_quantiles(raw.astype(np.float64), trainer.head)  # (K, Q, N)
    actual, naive = (np.empty((config.horizon, len(windows))) for _ in range(2))  # (K, N) each
    context = np.empty((config.context_rows, len(windows)))  # (R, N)
    valid = np.empty(len(windows), dtype=np.int64)  # (N,)
    for part in in_parts(config, len(windows)):
        chosen = windows.take(np.arange(part.start, part.stop))
        frame = make_frame(config, working, chosen)
        naive[:, part] = frame.naive
        actual[:, part] = frame.naive + normalised_targets(config, working, chosen, frame)
        rows, valid[part] = gather_inputs(working, chosen, config.context_rows)
        context[:, part] = frame.local.normalise(rows)
    levels = np.asarray(config.quantile_levels)  # (Q,)
    widths = network_widths(quantiles, levels)  # (K, N)
    median = naive + quantiles[:, len(levels) // 2]  # (K, N)
    group = groups_of(config, context, valid)  # (N,)
    return Outlook(actual, naive, median, widths, context, valid, group, clock, trainer.head.spread)
