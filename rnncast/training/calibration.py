"""How wide intervals have to be: scores of the block that trained nothing, by group of series and step.

The scale of the scores is chosen on the gate's block, their quantiles are those of the calibration block. At long steps
a block holds few separate stretches of time; there the quantiles lean on those of all earlier rows, around the naive
path, narrowed by what the issued median gained on the block.

Dimension letters: `K` horizon steps, `N` windows, `G` levels of the table, `S` series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.model.config import NetworkConfig
from rnncast.model.gate import GROUPS, Gate, blended_median
from rnncast.model.intervals import LEVELS, Calibration, Volatility, moved, scales, scales_of
from rnncast.records import dataclass
from rnncast.training.gate import FEWEST_WINDOWS
from rnncast.training.outlook import Outlook

Floats = NDArray[np.float64]

DECAYS = (0.94, 0.97, 0.985)
PERSISTENCES = (1.0, 0.99, 0.97, 0.94, 0.9, 0.8)
WIDTHS = (0.0, 0.5)
"""Settings of the scale among which the best is looked for."""

CHOOSING_LEVELS = np.array([0.025, 0.1, 0.25, 0.75, 0.9, 0.975])
"""Quantiles by which it is chosen."""

PRIOR_STRETCHES = 30.0
"""Separate stretches of time that a step must have for its own quantiles to weigh as much as what they lean on."""

GROUP_STRETCHES = 300.0
"""The same for a group of series, whose own table leans on that of all: one jump is in many of its few windows."""

LEAST_NARROWED = 0.5
"""Least share of the naive path's intervals that a gain of the median on the block narrows them to."""

NORMAL_TO_ABSOLUTE = math.sqrt(math.pi / 2.0)
"""Standard deviation of a normal distribution in units of its mean absolute value."""


def median_of(config: NetworkConfig, gate: Gate, outlook: Outlook) -> Floats:
    """What is issued for the windows of an outlook, (K, N)."""
    paths = outlook.paths([blend.baseline for blend in gate], config)  # name -> (K, N)
    return blended_median(gate, config, outlook.context, outlook.valid, outlook.group, outlook.network, paths)


def choose_volatility(config: NetworkConfig, gate: Gate, outlook: Outlook) -> Volatility:
    """The scale under which quantiles of the scores, times it, have the least pinball loss on an outlook's windows."""
    errors = outlook.actual - median_of(config, gate, outlook)  # (K, N)
    best, least = None, math.inf
    whole, *recents = moved(config, outlook.context, outlook.valid, (1.0, *DECAYS))  # (N,) each
    for decay, recent in zip(DECAYS, recents, strict=True):
        for persistence, width in product(PERSISTENCES, WIDTHS if len(config.quantile_levels) > 1 else WIDTHS[:1]):
            volatility = Volatility(decay, persistence, width)
            loss = _loss(errors, scales_of(volatility, recent, whole, outlook.widths), outlook.spread)
            if loss < least:
                best, least = volatility, loss
    assert best is not None  # every loss is finite
    return best


def calibrate(
    config: NetworkConfig, gate: Gate, volatility: Volatility, block: Outlook | None, earlier: Outlook
) -> Calibration:
    """Tables of scores from the calibration block, leaning on earlier rows where the block is short, or is none.

    A group of series leans on the table of all of them, and one with too few windows has that table. Windows whose
    context never moved say nothing of others.
    """
    own = None if block is None else _issued(config, gate, volatility, block.that_moved())
    return _calibration(config, volatility, own, _naive(config, volatility, earlier.that_moved()))


@dataclass(frozen=True)
class _Scores:
    """Errors of an outlook's windows in scales, (K, N) each: of the median, and of the naive path; see `Outlook`."""

    median: Floats
    naive: Floats
    group: NDArray[np.int64]
    separate: float

    def take(self, index: NDArray[np.int64]) -> _Scores:
        separate = self.separate * len(index) / max(1, len(self.group))
        return _Scores(self.median[:, index], self.naive[:, index], self.group[index], separate)


def _issued(config: NetworkConfig, gate: Gate, volatility: Volatility, outlook: Outlook) -> _Scores:
    """Scores of what is issued."""
    return _scores(config, volatility, outlook, median_of(config, gate, outlook))


def _naive(config: NetworkConfig, volatility: Volatility, outlook: Outlook) -> _Scores:
    """Scores of the naive path in place of what is issued."""
    return _scores(config, volatility, outlook, outlook.naive)


def _scores(config: NetworkConfig, volatility: Volatility, outlook: Outlook, median: Floats) -> _Scores:
    scale = scales(volatility, config, outlook.context, outlook.valid, outlook.widths)  # (K, N)
    own, naive = ((outlook.actual - path) / scale for path in (median, outlook.naive))  # (K, N) each
    return _Scores(own, naive, outlook.group, outlook.separate)


def _calibration(config: NetworkConfig, volatility: Volatility, block: _Scores | None, earlier: _Scores) -> Calibration:
    together = _table(config, volatility, block, earlier)  # (K, G)
    tables = []
    for number in range(len(GROUPS)):
        found = None if block is None else np.flatnonzero(block.group == number)
        before = np.flatnonzero(earlier.group == number)
        if block is None or found is None or min(len(found), len(before)) < FEWEST_WINDOWS:
            tables.append(together)
        else:
            own = block.take(found)
            table = _table(config, volatility, own, earlier.take(before))  # (K, G)
            tables.append(_leaning(table, together, own.separate, GROUP_STRETCHES))
    return Calibration(volatility, np.stack(tables))


def _table(config: NetworkConfig, volatility: Volatility, block: _Scores | None, earlier: _Scores) -> Floats:
    """Quantiles (K, G) of the scores of some windows: their own, those of earlier rows, and those of a normal walk."""
    table = _leaning(_quantiles(earlier.naive, LEVELS), walk_scores(config, volatility), earlier.separate)  # (K, G)
    if block is not None:
        naive = np.abs(block.naive).mean()
        narrowed = float(np.abs(block.median).mean() / naive) if naive > 0.0 else 1.0
        table = min(max(narrowed, LEAST_NARROWED), 1.0) * table
        table = _leaning(_quantiles(block.median, LEVELS), table, block.separate)
    middle = len(LEVELS) // 2
    table[:, :middle] = np.minimum(table[:, :middle], 0.0)  # the median is what is issued
    table[:, middle] = 0.0
    table[:, middle + 1 :] = np.maximum(table[:, middle + 1 :], 0.0)
    return np.asarray(table)


def walk_scores(config: NetworkConfig, volatility: Volatility) -> Floats:
    """Quantiles (K, G) of the scores of a normal random walk (of seasons, with a season): what to expect of nothing."""
    ahead = -(-np.arange(1, config.horizon + 1) // config.season_length)  # (K,) steps, or seasons
    deviation = (NORMAL_TO_ABSOLUTE * np.sqrt(ahead)) ** (1.0 - volatility.width)  # (K,) of a score
    return np.outer(deviation, [NormalDist().inv_cdf(level) for level in LEVELS])


def _leaning(own: Floats, other: Floats, separate: float, prior: float = PRIOR_STRETCHES) -> Floats:
    """Mean of two tables (K, G), the first weighing more the more separate stretches of a step its rows hold."""
    stretches = separate / np.arange(1, len(own) + 1)  # (K,)
    weight = (stretches / (stretches + prior))[:, None]  # (K, 1)
    return weight * own + (1.0 - weight) * other


def measured_coverage(
    config: NetworkConfig,
    gate: Gate,
    volatility: Volatility,
    block: Outlook,
    earlier: Outlook,
    levels: Sequence[float],
) -> list[dict[str, Any]]:
    """Coverage of intervals at `levels` (per cent) in each half of the block when the other half calibrates them.

    The stretch of time in the middle is left out: its windows reach from one half into the other.
    """
    block, earlier = block.that_moved(), earlier.that_moved()
    middle = np.median(block.clock)
    halves = np.flatnonzero(block.clock < middle), np.flatnonzero(block.clock > middle)
    if min(map(len, halves)) == 0:
        return []
    scores, before = _issued(config, gate, volatility, block), _naive(config, volatility, earlier)
    inside = np.zeros((len(levels), 2))
    for half, (held, used) in enumerate((halves, halves[::-1])):
        calibration, own = _calibration(config, volatility, scores.take(used), before), scores.take(held)
        for number, level in enumerate(levels):
            tails = np.array([50.0 - level / 2, 50.0 + level / 2]) / 100.0
            bounds = calibration.offsets(own.group, np.ones(own.median.shape), tails)  # (K, 2, N)
            inside[number, half] = ((own.median >= bounds[:, 0]) & (own.median <= bounds[:, 1])).mean()
    return [
        {"level": level, "coverage": float(inside[number].mean()), "windows": sum(map(len, halves))}
        for number, level in enumerate(levels)
    ]


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
