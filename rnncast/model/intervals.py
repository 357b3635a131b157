"""Calibrated intervals: what errors were, in units of the volatility at hand, turned into quantiles at any level.

An error of the median is divided by a scale that is known at the cutoff: a mean-reverting volatility of the context (of
absolute changes, so that one jump does not rule it), mixed with the width that the network gives its own intervals. The
quantiles of these scores, by group of series and step, come from rows that trained none of it
(`rnncast.training.calibration`); times the scale they are the interval. So intervals widen and narrow with the
volatility, and have any level.

Sources: Papadopoulos et al. (2002) and Lei et al. (2018), "Distribution-free predictive inference for regression"
(locally weighted conformal prediction); J.P. Morgan (1996) (EWMA); the reversion is that of the sum of k steps of
GARCH(1,1), Bollerslev (1986).

Dimension letters: `R` rows of the context, `B` windows, `K` horizon steps, `G` levels of the table, `L` levels asked
for, `Q` quantiles of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.volatility import ewma_change
from rnncast.model.config import NetworkConfig
from rnncast.model.gate import GROUPS, still_share
from rnncast.records import dataclass

Floats = NDArray[np.float64]

_TAILS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.125, 0.15, 0.2)
_MIDDLE = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5)

LEVELS = np.array((*_TAILS, *_MIDDLE, *(1.0 - p for p in reversed((*_TAILS, *_MIDDLE[:-1])))))
"""Probabilities (G,) of the table of scores; between them quantiles are interpolated in the normal score."""

SMALLEST_SHARE = 1e-3
"""Least volatility, and least width, in units of the context: what stood still will move again."""

MOSTLY_STILL = 0.5
"""Share of changes that are exactly zero from which on a series has no recent volatility, only a usual one."""

JUMP, ROUNDS = 10.0, 2
"""Times the mean size of the changes that are not zero, after so many rounds of it, at which a change is cut off."""


@dataclass(frozen=True)
class Volatility:
    """Which scale the scores are divided by.

    Attributes
    ----------
    decay : float
        Weight of each absolute change in the EWMA, as a share of that of the change after it; above 0, at most 1.
    persistence : float
        Share of the distance from the context's own volatility that is left after each step, 0 to 1: 1 for none lost.
    width : float
        Exponent of the network's width in the scale, 0 to 1; that of the volatility is the rest.
    """

    decay: float
    persistence: float
    width: float

    def __post_init__(self) -> None:
        if not (0.0 < self.decay <= 1.0 and 0.0 <= self.persistence <= 1.0 and 0.0 <= self.width <= 1.0):
            raise ValueError(f"{self}: expected each between 0 and 1")


@dataclass(frozen=True, eq=False)
class Calibration:
    """Quantiles of scores.

    Attributes
    ----------
    volatility : Volatility
        What they are scores of.
    scores : float64 (groups, K, G)
        Quantile of the signed score for each of `GROUPS`, at each step and each of `LEVELS`, ascending.
    """

    volatility: Volatility
    scores: Floats

    def __post_init__(self) -> None:
        shape = self.scores.shape
        expected = (len(GROUPS), shape[1] if len(shape) > 1 else 1, len(LEVELS))
        if shape != expected or not np.all(np.isfinite(self.scores)) or np.any(np.diff(self.scores, axis=2) < 0):
            wanted = f"({len(GROUPS)}, K, {len(LEVELS)}), finite and ascending"
            raise ValueError(f"scores have shape {shape}: expected {wanted}")

    def offsets(self, group: NDArray[np.int64], scale: Floats, levels: Floats) -> Floats:
        """Distances (K, L, B) of the quantiles at levels (L,) from the median, for groups (B,) and scales (K, B)."""
        table = at_levels(self.scores.transpose(1, 2, 0), LEVELS, levels)  # (K, L, groups)
        return np.asarray(table[:, :, group] * scale[:, None])


def scales(
    volatility: Volatility, config: NetworkConfig, context: Floats, valid: NDArray[np.int64], widths: Floats
) -> Floats:
    """Scale (K, B) of the errors at each step, in the units of the context.

    Parameters
    ----------
    context : (R, B)
        Rows up to the end of each window, normalised; see `rnncast.model.context`.
    valid : (B,)
        Rows of it that are no repetition.
    widths : (K, B)
        `network_widths` in the same units.
    """
    recent, whole = moved(config, context, valid, (volatility.decay, 1.0))  # (B,) each
    return scales_of(volatility, recent, whole, widths)


def moved(config: NetworkConfig, context: Floats, valid: NDArray[np.int64], decays: Sequence[float]) -> list[Floats]:
    """EWMA (B,), for each decay, of absolute changes over a season, or over a row without one; bounded from below.

    One change of level must not rule it for all rows of the context, so jumps are cut off. A series that mostly stands
    still has its plain mean: that nothing happened of late does not say that nothing will.
    """
    lag = config.season_length if config.season_length > 1 else 1
    own = np.arange(len(context))[:, None] >= len(context) - valid  # (R, B)
    changes, counted = np.abs(context[lag:] - context[:-lag]), own[:-lag]  # (R - lag, B) each
    short = valid <= lag + 1  # (B,) one-step changes, then
    if short.any():
        changes[:, short], counted = np.abs(np.diff(context, axis=0)[lag - 1 :, short]), counted.copy()
        counted[:, short] = own[lag - 1 : -1, short]
    changes *= counted
    moves = np.maximum((changes > 0).sum(axis=0), 1)  # (B,)
    for _ in range(ROUNDS):
        np.minimum(changes, JUMP * changes.sum(axis=0) / moves, out=changes)
    still = still_share(context, valid) >= MOSTLY_STILL  # (B,)
    usual = np.maximum(ewma_change(changes, counted, 1.0), SMALLEST_SHARE)  # (B,)
    each = (np.maximum(ewma_change(changes, counted, decay), SMALLEST_SHARE) for decay in decays)  # (B,) each
    return [np.where(still, usual, recent) for recent in each]


def scales_of(volatility: Volatility, recent: Floats, whole: Floats, widths: Floats) -> Floats:
    """Scale (K, B) from the recent and the usual volatility (B,), and the network's widths (K, B).

    With v the recent, u the usual volatility and p the persistence, the variance of the first k steps is
    ``u^2 + (v^2 - u^2) (1 - p^k) / (k (1 - p))`` a step; the growth with k is left to the scores.
    """
    left = _mean_share_left(volatility.persistence, len(widths))[:, None]  # (K, 1)
    expected = np.sqrt(whole**2 + (recent**2 - whole**2) * left)  # (K, B)
    if volatility.width == 0.0:
        return np.asarray(expected)
    return np.asarray(expected ** (1.0 - volatility.width) * np.maximum(widths, SMALLEST_SHARE) ** volatility.width)


def network_widths(quantiles: Floats, levels: Floats) -> Floats:
    """Width (K, B) of the network's own intervals, quantiles (K, Q, B) at `levels` (Q,), as a standard deviation.

    The mean over the central intervals of the distance of their bounds in that of a standard normal's; ones for a
    network that has none.
    """
    count = len(levels) // 2
    if count == 0:
        return np.ones((len(quantiles), quantiles.shape[2]))
    normal = np.array([NormalDist().inv_cdf(level) for level in levels[::-1][:count]])  # (count,)
    spans = quantiles[:, ::-1][:, :count] - quantiles[:, :count]  # (K, count, B)
    return np.asarray((spans / (2.0 * normal[:, None])).mean(axis=1))


def at_levels(path: Floats, known: Floats, asked: Floats) -> Floats:
    """Quantiles at other levels, linear in the normal score between known ones and beyond the outermost two.

    Parameters
    ----------
    path : (N, Q, B)
        Quantiles at the levels `known` (Q,).
    asked : (L,)
        Levels between 0 and 1.

    Returns
    -------
    float64 (N, L, B)
    """
    if len(asked) == 0:
        return np.empty((path.shape[0], 0, path.shape[2]))
    score = np.array([NormalDist().inv_cdf(level) for level in known])  # (Q,)
    wanted = np.array([NormalDist().inv_cdf(level) for level in asked])  # (L,)
    left = np.clip(np.searchsorted(score, wanted, side="right") - 1, 0, len(score) - 2)  # (L,)
    share = (wanted - score[left]) / (score[left + 1] - score[left])  # (L,)
    exact = np.isclose(share, np.round(share), rtol=0, atol=1e-9)
    share = np.where(exact, np.round(share), share)
    return np.asarray(path[:, left] * (1.0 - share)[:, None] + path[:, left + 1] * share[:, None])


def _mean_share_left(persistence: float, horizon: int) -> Floats:
    """Mean over the first k steps of what is left of a distance after each, (K,): ``(1 - p^k) / (k (1 - p))``."""
    return np.cumsum(persistence ** np.arange(horizon)) / np.arange(1, horizon + 1)
