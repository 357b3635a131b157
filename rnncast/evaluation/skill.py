"""Skill of a method against each simple baseline: how much lower its errors are, and how surely.

Dimension letters: `N` rows of a backtest, `O` origins, `M` methods, `R` resamples.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from rnncast.evaluation import metrics
from rnncast.evaluation.adaptive import ADAPTIVE
from rnncast.evaluation.bootstrap import BlockBootstrap
from rnncast.evaluation.grouping import origin_losses
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.significance import Comparison, diebold_mariano, json_number
from rnncast.forecasting.result import METHOD, NETWORK
from rnncast.records import dataclass

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Skill:
    """A method against one reference.

    Attributes
    ----------
    method, reference : str
        Names.
    skill : float
        1 minus the mean scaled loss of the method divided by that of the reference: 0.05 is 5 % less. NaN without.
    low, high : float
        Its 95 % interval; NaN where origins are too few.
    comparison : Comparison
        The test of the difference.
    """

    method: str
    reference: str
    skill: float
    low: float
    high: float
    comparison: Comparison

    def to_dict(self) -> dict[str, object]:
        """Return the figures as JSON values."""
        return {
            "method": self.method,
            "reference": self.reference,
            "skill": json_number(self.skill),
            "interval": [json_number(self.low), json_number(self.high)],
            "test": self.comparison.to_dict(),
        }


def point_skills(backtest: Backtest, method: str) -> tuple[Skill, ...]:
    """Skill of a method's point forecasts over those of each baseline, on scaled absolute errors."""
    losses = {
        name: metrics.absolute_error(backtest.actual, point)
        for name, point in backtest.points.items()
        if name in (method, *baselines(backtest.points, method))
    }
    return skills(backtest, method, losses)


def interval_skills(backtest: Backtest, method: str, level: float) -> tuple[Skill, ...]:
    """Skill of a method's central intervals over those of each baseline, on scaled interval scores.

    Parameters
    ----------
    backtest, method
        The forecasts, and whose intervals.
    level
        In per cent, one of the backtest's `central_levels`.
    """
    low, high = next((low, high) for own, low, high in backtest.central_levels if own == level)
    losses = {
        name: metrics.interval_loss(backtest.actual, bounds[:, low], bounds[:, high], level)
        for name, bounds in backtest.quantiles.items()
        if name in (method, *baselines(backtest.quantiles, method))
    }
    return skills(backtest, method, losses)


def baselines(methods: Iterable[str], method: str) -> tuple[str, ...]:
    """Names among the methods that are simple baselines: neither `method` nor what comes of the same network."""
    own = (method, METHOD, NETWORK, ADAPTIVE)
    return tuple(name for name in methods if name not in own)


def skills(backtest: Backtest, method: str, losses: dict[str, Floats]) -> tuple[Skill, ...]:
    """Skill of a method over every other whose losses (N,) are given, in their order."""
    columns = np.stack([origin_losses(backtest, own) for own in losses.values()], axis=1)  # (O, M)
    if len(columns) == 0:
        columns = np.full((1, len(losses)), np.nan)  # no history has a scale
    columns = np.where(np.isfinite(columns), columns, np.nan)
    lag = backtest.overlap
    bootstrap = BlockBootstrap(len(columns), lag)
    totals, drawn = columns.sum(axis=0), bootstrap.sums(columns)  # (M,), (R, M)
    own = list(losses).index(method)
    found = []
    for place, name in enumerate(losses):
        if place == own:
            continue
        comparison = diebold_mariano(columns[:, own], columns[:, place], lag)
        low, high = bootstrap.interval(1.0 - metrics.divide(drawn[:, own], drawn[:, place]))
        skill = 1.0 - metrics.divide(totals[own], totals[place])
        found.append(Skill(method, name, float(skill), low, high, comparison))
    return tuple(found)
