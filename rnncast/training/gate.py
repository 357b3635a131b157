"""How far a network, and simple baselines, are borne out by rows that trained neither; by group of series.

The best simple baseline is looked for first: one other than the naive path has to show a clear gain over it. Then the
network's weight against that baseline, shrunk by how sure its gain is. A group has what holds for all, but for what it
says against that by itself, in the same way.

Dimension letters: `N` windows, `K` horizon steps, `J` stretches of time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.batch import PATHS
from rnncast.baselines.holt_winters import HOLT_WINTERS
from rnncast.baselines.paths import SEASONAL_NAIVE
from rnncast.model.config import NetworkConfig
from rnncast.model.gate import GROUPS, Blend, Gate, naive_name
from rnncast.records import dataclass
from rnncast.training.outlook import Outlook

Floats = NDArray[np.float64]

SHRINKAGE = 2.0
"""How many times the mean square that the t statistic has by chance it must exceed before any weight is left."""

CLEAR, LIKELY = 0.75, 0.25
"""Share of its weight that a gain must keep for a baseline to take the place of the last value, or last season."""

FEWEST_STRETCHES = 4
"""Stretches of time without which no gain can be told from chance."""

CERTAIN = 1e6
"""Largest t statistic: that of a gain that is the same in every stretch of time."""

FULL_STRETCH = 0.5
"""Share of the fullest stretch's windows that a stretch must hold to count."""

FEWEST_WINDOWS = 100
"""Windows without which a group is judged with all others together."""

SHARES = np.linspace(0.0, 1.0, 21)
"""Weights of the network among which the best is looked for."""


@dataclass(frozen=True)
class Judged:
    """What the gate's block says of the windows of a group, or of all.

    Attributes
    ----------
    baseline : str
        The best simple path.
    blend : float
        Weight of the network, 0 to 1; the baseline has the rest.
    network_relative_mae, baseline_relative_mae, blended_relative_mae : float
        Mean absolute error relative to the naive path's, each step counting alike.
    t_statistic : float or None
        Of the gain of the best weight over none, or of a group's best over that of all; None where there is no gain, or
        are too few stretches of time.
    windows, blocks : int
        Windows, and stretches of time (J), that it rests on.
    """

    baseline: str
    blend: float
    network_relative_mae: float
    baseline_relative_mae: float
    blended_relative_mae: float
    t_statistic: float | None
    windows: int
    blocks: int


def find_gate(config: NetworkConfig, outlook: Outlook) -> tuple[Gate, list[dict[str, Any]]]:
    """The gate of every group, and a record of each group that was judged by itself, or of all together."""
    naive = naive_name(config)
    names = [name for name in PATHS if config.season_length > 1 or name not in (SEASONAL_NAIVE, HOLT_WINTERS)]
    paths = outlook.paths(names, config)  # name -> (K, N)
    every = np.ones(len(outlook.group), dtype=bool)  # (N,)
    together = judge(config, outlook, paths, every, Blend(naive, 0.0))
    found: dict[str, Judged] = {}
    for number, name in enumerate(GROUPS):
        own = outlook.group == number  # (N,)
        if FEWEST_WINDOWS <= own.sum() < len(own):
            judged = judge(config, outlook, paths, own, Blend(together.baseline, together.blend))
            if judged.blocks >= FEWEST_STRETCHES:
                found[name] = judged
    blends = [found.get(name, together) for name in GROUPS]
    said = {**found, "all others": together} if found else {"all": together}
    records = [{"group": name, **asdict(judged)} for name, judged in said.items()]
    return tuple(Blend(judged.baseline, judged.blend) for judged in blends), records


def judge(
    config: NetworkConfig, outlook: Outlook, paths: Mapping[str, Floats], own: NDArray[np.bool_], otherwise: Blend
) -> Judged:
    """Judge the windows `own` (N,), where the simple paths (K, N) are those given, by name.

    What they say against the blend that holds `otherwise` counts as far as it is sure.
    """
    clock, actual, network = outlook.clock[own], outlook.actual[:, own], outlook.network[:, own]
    errors = {name: _by_window(actual - path[:, own], outlook.spread) for name, path in paths.items()}  # name -> (own,)
    reference = errors[naive_name(config)]
    baseline = best_baseline(errors, otherwise.baseline, clock)
    if len(gains_by_stretch(reference, clock)) < FEWEST_STRETCHES:
        baseline = unjudged_baseline(config)
    path = paths[baseline][:, own]  # (K, own)
    by_share = np.array(
        [_by_window(actual - path - share * (network - path), outlook.spread) for share in SHARES]
    )  # (shares, N)
    best = int(np.argmin(by_share.mean(axis=1)))
    usual = _by_window(actual - path - otherwise.share * (network - path), outlook.spread)  # (N,)
    gains = gains_by_stretch(usual - by_share[best], clock)  # (J,)
    statistic = t_statistic(gains) if gains.any() else None
    blend = otherwise.share + (float(SHARES[best]) - otherwise.share) * kept(statistic, len(gains))
    blended = _by_window(actual - path - blend * (network - path), outlook.spread)  # (N,)
    total = float(reference.mean())

    def relative(values: Floats) -> float:
        return float(values.mean()) / total if total > 0 else 1.0

    return Judged(
        baseline=baseline,
        blend=blend,
        network_relative_mae=relative(by_share[-1]),
        baseline_relative_mae=relative(by_share[0]),
        blended_relative_mae=relative(blended),
        t_statistic=statistic,
        windows=int(own.sum()),
        blocks=len(gains),
    )


def unjudged_baseline(config: NetworkConfig) -> str:
    """Name of the path where there are too few stretches of time to judge any: what is best on most short series.

    Without a season that is the last value, as series may be walks. With one it is Holt-Winters, as far as each series
    bears it out itself.
    """
    return HOLT_WINTERS if config.season_length > 1 else naive_name(config)


def best_baseline(errors: Mapping[str, Floats], naive: str, clock: NDArray[np.int64]) -> str:
    """Name of the path with the least error (N,) of those that clearly beat the `naive` one; it, where none does."""
    best, least = naive, float(errors[naive].mean())
    for name, values in errors.items():
        mean = float(values.mean())
        if name == naive or mean >= least:
            continue
        gains = gains_by_stretch(errors[naive] - values, clock)  # (J,)
        if kept(t_statistic(gains), len(gains)) >= (LIKELY if naive == SEASONAL_NAIVE else CLEAR):
            best, least = name, mean
    return best


def kept(statistic: float | None, stretches: int, shrinkage: float = SHRINKAGE) -> float:
    """Share of a weight that is left for the t statistic of its gain over J stretches of time.

    ``max(0, 1 - shrinkage (1 + 2 / d) / t^2)`` with ``d = J - 1``; ``1 + 2 / d`` is to first order the mean of t^2
    by chance: the positive-part estimator of James and Stein (1961) in one dimension, with a firmer constant, as the
    weight was chosen on the same rows and windows of neighbouring stretches overlap.
    """
    if statistic is None or statistic <= 0:
        return 0.0
    return max(0.0, 1.0 - shrinkage * (1.0 + 2.0 / (stretches - 1)) / statistic**2)


def gains_by_stretch(gains: Floats, clock: NDArray[np.int64]) -> Floats:
    """Mean gain of the windows (N,) of each full stretch of time, shape (J,)."""
    _, stretch = np.unique(clock, return_inverse=True)
    count = np.bincount(stretch)
    mean = np.bincount(stretch, weights=gains) / count
    return np.asarray(mean[count >= FULL_STRETCH * count.max()])


def t_statistic(gains: Floats) -> float | None:
    """Mean over its standard error; None for too few gains. Gains that do not differ at all are certain."""
    mean = float(gains.mean())
    if len(gains) < FEWEST_STRETCHES:
        return None
    error = float(gains.std(ddof=1)) / math.sqrt(len(gains))
    return mean / error if error > abs(mean) / CERTAIN else math.copysign(CERTAIN, mean) if mean else None


def _by_window(error: Floats, spread: Floats) -> Floats:
    """Mean absolute error of each window in units of the naive path's, shape (N,)."""
    return np.asarray((np.abs(error) / spread[:, None]).mean(axis=0))
