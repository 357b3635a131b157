"""What a fold's network says of windows, beside what came and what simple baselines look at.

Everything is in the units of each window's context. Dimension letters: `N` windows, `K` horizon steps, `R` rows of the
context, `Q` quantiles, `O` outputs, `P` parameters.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.core import twin
from rnncast.data.transform import WorkingSeries
from rnncast.data.windows import Windows, gather_targets, spread_evenly
from rnncast.model.config import NetworkConfig
from rnncast.model.context import make_context
from rnncast.model.gate import groups_of, simple_paths
from rnncast.model.inputs import in_parts, make_frame
from rnncast.model.intervals import network_widths
from rnncast.records import dataclass
from rnncast.training.descent import Descent

Floats = NDArray[np.float64]

MOST_WINDOWS = 1024
"""Most windows that intervals rest on where there is no network, evenly spread over all."""

MOST_APART = 3.0
"""Series of a dated panel that count as separate: prices move together."""


@dataclass(frozen=True)
class Outlook:
    """Windows with what came after them, and what was said of it.

    Attributes
    ----------
    actual : float64 (K, N)
        What came, drawn in to what the history lets expect at most (`Context.bounds`): a jump out of rows that hardly
        moved has no measure that would say anything of other windows.
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
        The naive path's mean absolute error at each step, by which the steps weigh alike.
    separate : float
        Rows of all windows, also those that were left out, that tell something of their own; see `separate_rows`.
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
    separate: float
    _paths: dict[str, Floats] = field(default_factory=dict, init=False, repr=False)

    def paths(self, names: Collection[str], config: NetworkConfig) -> dict[str, Floats]:
        """The paths (K, N) of simple baselines, by name; computed once, since they take a while."""
        missing = [name for name in dict.fromkeys(names) if name not in self._paths]
        if missing:
            self._paths.update(simple_paths(missing, config, self.context, self.valid))
        return {name: self._paths[name] for name in names}

    def that_moved(self) -> Outlook:
        """The windows whose context moved at all: the others have no unit. All of them, where none did."""
        moving = np.flatnonzero(np.ptp(self.context, axis=0) > 0)  # (moving,)
        if len(moving) in (0, len(self.group)):
            return self
        by_step = {name: getattr(self, name)[:, moving] for name in ("actual", "naive", "network", "widths", "context")}
        by_window = {name: getattr(self, name)[moving] for name in ("valid", "group", "clock")}
        return replace(self, **by_step, **by_window, separate=self.separate * len(moving) / len(self.group))


def look(
    config: NetworkConfig,
    working: WorkingSeries,
    trainer: Descent[Any],
    parameters: NDArray[np.float32],
    windows: Windows,
    clock: NDArray[np.int64],
    dated: bool,
) -> Outlook:
    """What the network of `parameters` (P,) says of windows, of some of them where they are very many.

    `clock` (N,) numbers their stretches of time, and `dated` says whether series share it.
    """
    sample = spread_evenly(len(windows), trainer.training.judged_windows)  # (N,)
    chosen = windows.take(sample)
    raw = trainer.outputs(trainer.prepare(chosen), parameters)  # (O, N)
    quantiles = twin.head_quantiles(raw.astype(np.float64), trainer.head)  # (K, Q, N)
    separate = separate_rows(windows, clock, config.horizon, dated)
    outlook, share = _without_network(config, working, chosen, clock[sample], trainer.head.spread, separate)
    levels = np.asarray(config.quantile_levels)  # (Q,)
    widths = share * network_widths(quantiles, levels)  # (K, N)
    return replace(outlook, network=outlook.naive + share * quantiles[:, len(levels) // 2], widths=widths)


def look_at_baseline(
    config: NetworkConfig, working: WorkingSeries, windows: Windows, spread: Floats, dated: bool
) -> Outlook:
    """The same without a network, which is the naive path then."""
    clock = windows.ends // config.horizon
    chosen = spread_evenly(len(windows), MOST_WINDOWS)  # (N,)
    separate = separate_rows(windows, clock, config.horizon, dated)
    return _without_network(config, working, windows.take(chosen), clock[chosen], spread, separate)[0]


def separate_rows(windows: Windows, clock: NDArray[np.int64], horizon: int, dated: bool) -> float:
    """Rows that tell something of their own: those of all series' stretches, of three series where they share time."""
    period = int(np.ptp(clock)) + 1
    each = np.bincount(np.unique(windows.series * period + clock - clock.min()) // period)  # (S,) stretches of each
    stretches = min(float(each.sum()), MOST_APART * float(each.max())) if dated else float(each.sum())
    return stretches * horizon


def _without_network(
    config: NetworkConfig,
    working: WorkingSeries,
    windows: Windows,
    clock: NDArray[np.int64],
    spread: Floats,
    separate: float,
) -> tuple[Outlook, Floats]:
    """The outlook of a network that says the naive path; and the share (N,) that the window's scale is of the unit."""
    actual, naive = (np.empty((config.horizon, len(windows))) for _ in range(2))  # (K, N) each
    rows = np.empty((config.context_rows, len(windows)))  # (R, N)
    valid, share = np.empty(len(windows), dtype=np.int64), np.empty(len(windows))  # (N,) each
    for part in in_parts(config, len(windows)):
        chosen = windows.take(np.arange(part.start, part.stop))
        frame = make_frame(config, working, chosen, read=False)
        context = make_context(config, working, chosen, frame.local)
        rows[:, part], valid[part], share[part] = context.rows, context.valid, context.share
        naive[:, part] = context.share * frame.naive
        future = context.local.normalise(gather_targets(working, chosen, config.horizon))  # (K, part)
        actual[:, part] = np.clip(future, *context.bounds(config.horizon))
    group = groups_of(config, rows, valid)  # (N,)
    ones = np.ones(actual.shape)  # (K, N)
    return Outlook(actual, naive, naive, ones, rows, valid, group, clock, spread, separate), share
