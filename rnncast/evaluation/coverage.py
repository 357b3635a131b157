"""How often values fell inside the intervals: by level, by step, and when prices were calm, usual or wild.

Dimension letters: `N` rows of a backtest, `O` origins, `C` cells, `W` tasks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncast.evaluation import metrics
from rnncast.evaluation.bootstrap import BlockBootstrap
from rnncast.evaluation.grouping import group_sums
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.significance import json_number

Floats = NDArray[np.float64]

VOLATILITIES = ("low", "middle", "high")
"""Terciles of the volatility at the cutoff, within each series."""

FEWEST_FOR_TERCILES = 3
"""Origins that a series needs to be divided."""


@dataclass(frozen=True)
class Coverage:
    """Coverage of one method's intervals at one level, in one part of the backtest.

    Attributes
    ----------
    level : float
        Nominal coverage in per cent.
    part : str
        ``"all"``, ``"step"`` or ``"volatility"``.
    name : int or str or None
        The step, or one of `VOLATILITIES`; None for all.
    rows : int
        Forecasts in the part.
    coverage : float
        Share of values inside, bounds included.
    low, high : float
        95 % interval of that share; NaN where origins are too few.
    score : float
        Mean interval score in units of each history's scale; NaN where none has a scale.
    """

    level: float
    part: str
    name: int | str | None
    rows: int
    coverage: float
    low: float
    high: float
    score: float

    @property
    def fault(self) -> str | None:
        """``"too few"`` or ``"too many"`` inside, where the nominal coverage lies outside the interval."""
        nominal = self.level / 100.0
        return "too few" if self.high < nominal else "too many" if self.low > nominal else None

    def to_dict(self) -> dict[str, object]:
        """Return the figures as JSON values."""
        return {
            "level": self.level,
            "part": self.part,
            "name": self.name,
            "rows": self.rows,
            "coverage": json_number(self.coverage),
            "interval": [json_number(self.low), json_number(self.high)],
            "inside": self.fault,
            "scaled_interval_score": json_number(self.score),
        }


def coverages(backtest: Backtest, method: str) -> tuple[Coverage, ...]:
    """Coverage of a method's intervals at each level: of all, by step and by volatility; empty without intervals.

    A method of whose bounds one is no number has none.
    """
    bounds = backtest.quantiles.get(method)  # (N, Q)
    if bounds is None or not np.all(np.isfinite(bounds)):
        return ()
    parts = _parts(backtest)
    member = np.stack([rows for _, _, rows in parts], axis=1).astype(np.float64)  # (N, C)
    counts = group_sums(member, backtest.origin)  # (O, C)
    bootstrap = BlockBootstrap(len(counts), backtest.overlap)
    drawn_counts = bootstrap.sums(counts)  # (R, C)
    found = []
    for level, low, high in backtest.central_levels:
        inside = metrics.inside(backtest.actual, bounds[:, low], bounds[:, high])  # (N,)
        loss = metrics.interval_loss(backtest.actual, bounds[:, low], bounds[:, high], level)
        scores = metrics.divide(loss, backtest.scale_absolute)  # (N,)
        hits = group_sums(member * inside[:, None], backtest.origin)  # (O, C)
        shares = metrics.divide(bootstrap.sums(hits), drawn_counts)  # (R, C)
        for cell, (part, name, rows) in enumerate(parts):
            count = int(counts[:, cell].sum())
            share = float(hits[:, cell].sum() / count)
            usable = scores[rows & np.isfinite(scores)]
            score = float(usable.mean()) if len(usable) else float("nan")
            interval = bootstrap.share_interval(share, shares[:, cell], count)
            found.append(Coverage(level, part, name, count, share, *interval, score))
    return tuple(found)


def _parts(backtest: Backtest) -> list[tuple[str, int | str | None, NDArray[np.bool_]]]:
    """Kind, name and rows (N,) of each part: all, each step if there are several, each tercile if they are known."""
    parts: list[tuple[str, int | str | None, NDArray[np.bool_]]] = [("all", None, np.ones(len(backtest.steps), bool))]
    steps = np.unique(backtest.steps)
    if len(steps) > 1:
        parts += [("step", int(step), backtest.steps == step) for step in steps]
    tercile = _terciles(backtest)  # (N,)
    parts += [
        ("volatility", name, tercile == third) for third, name in enumerate(VOLATILITIES) if np.any(tercile == third)
    ]
    return parts


def _terciles(backtest: Backtest) -> NDArray[np.int64]:
    """Tercile (0, 1, 2) of each row's volatility (N,) among the tasks of its series; -1 where there is none."""
    task, task_origin = backtest.tasks
    tercile = np.full(len(task_origin), -1, dtype=np.int64)  # (W,)
    if backtest.volatility is None:
        return tercile[task]
    volatility, owner = np.empty(len(tercile)), np.empty(len(tercile), dtype=np.int64)  # (W,) each
    volatility[task], owner[task] = backtest.volatility, backtest.series
    for series in np.unique(owner):
        own = np.flatnonzero((owner == series) & np.isfinite(volatility))
        if len(own) >= FEWEST_FOR_TERCILES:
            ranks = np.argsort(np.argsort(volatility[own], kind="stable"), kind="stable")  # (tasks of the series,)
            tercile[own] = len(VOLATILITIES) * ranks // len(own)
    return tercile[task]
