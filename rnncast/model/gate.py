"""The gate: how much of the network, and how much of a simple baseline, makes a forecast's median; by kind of series.

A median is ``w * network + (1 - w) * baseline``. Baseline and weight belong to a group of series. The group is told
from the last rows alone, the context: so a series never seen before has one too, and a model and a fresh file agree.

Dimension letters: `R` rows of the context, `B` windows, `K` horizon steps, `m` rows of a season.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.batch import PATHS
from rnncast.baselines.paths import LAST_VALUE, SEASONAL_NAIVE
from rnncast.baselines.smoothing import DAMPED_TREND, damped_trend_before
from rnncast.data.transform import mean_change
from rnncast.model.config import NetworkConfig
from rnncast.model.proven import Trials, likely
from rnncast.records import dataclass

Floats = NDArray[np.float64]

GROUPS = ("standing still", "seasonal", "reverting", "trending", "walking")
"""Groups in the order in which they are asked: a series belongs to the first that fits."""

STILL_SHARE = 0.2
"""Share of changes that are exactly zero from which on a series stands still."""

SEASON_RATIO = 0.8
"""A series is seasonal if rows a season apart differ by less than so much of what rows half a season apart do."""

REVERTING, TRENDING = 0.6, 1.6
"""Mean change over the horizon, as a share of a random walk's, below or above which it reverts or trends."""

WALKED_HORIZONS = 3
"""Horizons that a context must hold for that share to say anything."""


@dataclass(frozen=True)
class Blend:
    """What makes the median of a group's series.

    Attributes
    ----------
    baseline : str
        Name of the path that the network is blended with, one of `rnncast.baselines.batch.PATHS`.
    share : float
        Weight of the network, 0 to 1.
    """

    baseline: str
    share: float

    def __post_init__(self) -> None:
        if self.baseline not in PATHS or not 0.0 <= self.share <= 1.0:
            raise ValueError(
                f"blend of {self.share} with {self.baseline!r}: expected 0 to 1, one of {', '.join(PATHS)}"
            )


Gate = tuple[Blend, ...]
"""A blend for each of `GROUPS`."""


def naive_name(config: NetworkConfig) -> str:
    """Name of the path that the network corrects: the last value, or the last season."""
    return LAST_VALUE if config.season_length == 1 else SEASONAL_NAIVE


def same_for_all(blend: Blend) -> Gate:
    """A gate that asks for no group."""
    return (blend,) * len(GROUPS)


def groups_of(config: NetworkConfig, context: Floats, valid: NDArray[np.int64]) -> NDArray[np.int64]:
    """Group of each window (B,), as a number in `GROUPS`.

    Parameters
    ----------
    context : (R, B)
        Rows up to the end of each window, in any units; a shorter history repeats its first value in front.
    valid : (B,)
        Rows that are no repetition.
    """
    still = still_share(context, valid) >= STILL_SHARE  # (B,)
    season, horizon = config.season_length, config.horizon
    over_season = mean_change(context, valid, season)  # (B,)
    seasonal = (season > 1) & (valid > 2 * season)
    seasonal &= over_season < SEASON_RATIO * mean_change(context, valid, max(1, season // 2))
    walk = np.sqrt(horizon) * mean_change(context, valid, 1)  # (B,) what a random walk changes over the horizon
    change, tells = mean_change(context, valid, horizon), valid > WALKED_HORIZONS * horizon  # (B,), (B,)
    fits = [still, seasonal, tells & (change < REVERTING * walk), tells & (change > TRENDING * walk)]
    return np.select(fits, range(len(fits)), default=len(fits)).astype(np.int64)


def still_share(context: Floats, valid: NDArray[np.int64]) -> Floats:
    """Share of the one-step changes of each window (B,) that are exactly zero; arguments as in `groups_of`."""
    changes = np.diff(context, axis=0)  # (R - 1, B)
    counted = np.arange(len(changes))[:, None] >= len(context) - valid  # (R - 1, B)
    return np.asarray(((changes == 0) & counted).sum(axis=0) / np.maximum(valid - 1, 1))


def blended_median(
    gate: Gate,
    config: NetworkConfig,
    context: Floats,
    valid: NDArray[np.int64],
    group: NDArray[np.int64],
    network: Floats,
    paths: Mapping[str, Floats] | None = None,
) -> Floats:
    """Medians (K, B) that are issued for groups (B,), of the network's (K, B) in the units of the context (R, B).

    `paths` are those (K, B) of simple baselines, by name, as far as they were computed before.
    """
    shares = np.array([blend.share for blend in gate])[group]  # (B,)
    names = np.array([blend.baseline for blend in gate])[group]  # (B,)
    baseline, issued = np.empty(network.shape), network  # (K, B) each
    for name in dict.fromkeys(names.tolist()):  # only what is asked for is computed
        own = names == name  # (B,)
        known = None if paths is None else paths.get(name)
        part = simple_path(name, config, context[:, own], valid[own]) if known is None else known[:, own]
        baseline[:, own] = part
    if (shares > 0).any():
        issued = likely(network, context, valid, config.season_length)
    return np.where(shares == 0, baseline, np.where(shares == 1, issued, baseline + shares * (issued - baseline)))


def simple_path(name: str, config: NetworkConfig, context: Floats, valid: NDArray[np.int64]) -> Floats:
    """The path (K, B) of a simple baseline; see `simple_paths`."""
    return simple_paths((name,), config, context, valid)[name]


def simple_paths(
    names: Collection[str], config: NetworkConfig, context: Floats, valid: NDArray[np.int64]
) -> dict[str, Floats]:
    """The paths (K, B) of simple baselines, by name, which look at the last rows of the context (R, B).

    Other paths than the naive one count as far as each series bears them out itself; see `rnncast.model.proven`.
    """
    rows, counted = context[-config.baseline_rows :], np.minimum(valid, config.baseline_rows)
    own = naive_name(config)
    naive = _path(own, config)
    if set(names) == {own}:
        return {own: naive(rows, counted)}
    trials = Trials(naive, rows, counted, config.horizon, config.season_length)
    before = partial(damped_trend_before, horizon=config.horizon) if config.season_length == 1 else None
    return {
        name: trials.naive
        if name == own
        else trials.proven(_path(name, config), before if name == DAMPED_TREND else None)
        for name in names
    }


def _path(name: str, config: NetworkConfig) -> Callable[[Floats, NDArray[np.int64]], Floats]:
    return lambda rows, valid: PATHS[name](rows, valid, config.horizon, config.season_length)


def describe_gate(gate: Gate) -> str:
    """What is issued, in words: ``theta alone``, or ``40 % network, 60 % last value``; by group where groups differ."""
    by_blend: dict[Blend, list[str]] = {}
    for name, blend in zip(GROUPS, gate, strict=True):
        by_blend.setdefault(blend, []).append(name)
    if len(by_blend) == 1:
        return _in_words(gate[0])
    return "; ".join(f"{_in_words(blend)} for series {', '.join(names)}" for blend, names in by_blend.items())


def _in_words(blend: Blend) -> str:
    if blend.share == 0.0:
        return f"{blend.baseline} alone"
    return f"{blend.share:.0%} network, {1.0 - blend.share:.0%} {blend.baseline}"
