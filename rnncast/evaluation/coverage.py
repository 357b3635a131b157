"""How often values fell inside the intervals: by level, by step, and when prices were calm, usual or wild.

Dimension letters: `N` rows of a backtest, `O` origins, `C` cells, `W` tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rnncast.evaluation import metrics
from rnncast.evaluation.bootstrap import BlockBootstrap
from rnncast.evaluation.grouping import numbered, rows_by_group
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.significance import json_number
from rnncast.records import dataclass

Floats = NDArray[np.float64]

VOLATILITIES = ("low", "middle", "high")
"""Terciles of the volatility at the cutoff, within each series."""

FEWEST_FOR_TERCILES = 3
"""Origins that a series needs to be divided."""

Partition = tuple[str, Sequence[int | str | None], NDArray[np.int64]]
"""What rows are divided by, the names of the cells, and the cell of each row (N,); -1 for none."""


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
    partitions = _partitions(backtest)
    names = [(part, name) for part, own, _ in partitions for name in own]
    counts = _cell_sums(backtest, partitions, np.ones(len(bounds)))  # (O, C)
    bootstrap = BlockBootstrap(len(counts), backtest.overlap)
    drawn = bootstrap.sums(counts)  # (R, C)
    found = []
    for level, low, high in backtest.central_levels:
        hits = _cell_sums(backtest, partitions, metrics.inside(backtest.actual, bounds[:, low], bounds[:, high]))
        shares = metrics.divide(bootstrap.sums(hits), drawn)  # (R, C)
        scores = _cell_scores(backtest, partitions, bounds[:, low], bounds[:, high], level)  # (C,)
        for cell, (part, name) in enumerate(names):
            count = int(counts[:, cell].sum())
            share = float(hits[:, cell].sum() / count)
            interval = bootstrap.share_interval(share, shares[:, cell], count, int(np.sum(counts[:, cell] > 0)))
            found.append(Coverage(level, part, name, count, share, *interval, float(scores[cell])))
    return tuple(found)


def _partitions(backtest: Backtest) -> list[Partition]:
    """Ways to divide the rows: not at all, by step if there are several, by volatility if it is known."""
    partitions: list[Partition] = [("all", [None], np.zeros(len(backtest.steps), dtype=np.int64))]
    steps, step = np.unique(backtest.steps, return_inverse=True)
    if len(steps) > 1:
        partitions.append(("step", steps.tolist(), step))
    tercile = _terciles(backtest)
    if np.any(tercile >= 0):
        partitions.append(("volatility", list(VOLATILITIES), tercile))
    return partitions


def _cell_sums(backtest: Backtest, partitions: list[Partition], values: Floats) -> Floats:
    """Sums of the values (N,) of each origin in each cell of every partition, shape (O, C)."""
    origins, origin = numbered(backtest.origin)
    sums = []
    for _, names, cell in partitions:
        cells, own = len(names), cell >= 0
        flat = np.bincount(origin[own] * cells + cell[own], weights=values[own], minlength=origins * cells)
        sums.append(flat.reshape(origins, cells))
    return np.concatenate(sums, axis=1)


def _cell_scores(backtest: Backtest, partitions: list[Partition], low: Floats, high: Floats, level: float) -> Floats:
    """Mean scaled interval score of each cell (C,), of the rows whose history has a scale."""
    scores = metrics.divide(metrics.interval_loss(backtest.actual, low, high, level), backtest.scale_absolute)  # (N,)
    usable = np.isfinite(scores)
    total = _cell_sums(backtest, partitions, np.where(usable, scores, 0.0)).sum(axis=0)  # (C,)
    return metrics.divide(total, _cell_sums(backtest, partitions, usable.astype(np.float64)).sum(axis=0))


def _terciles(backtest: Backtest) -> NDArray[np.int64]:
    """Tercile (0, 1, 2) of each row's volatility (N,) among the tasks of its series; -1 where there is none."""
    task, task_origin = backtest.tasks
    tercile = np.full(len(task_origin), -1, dtype=np.int64)  # (W,)
    if backtest.volatility is None:
        return tercile[task]
    volatility, owner = np.empty(len(tercile)), np.empty(len(tercile), dtype=np.int64)  # (W,) each
    volatility[task], owner[task] = backtest.volatility, backtest.series
    for tasks in rows_by_group(owner):
        own = tasks[np.isfinite(volatility[tasks])]
        if len(own) >= FEWEST_FOR_TERCILES:
            ranks = np.argsort(np.argsort(volatility[own], kind="stable"), kind="stable")  # (tasks of the series,)
            tercile[own] = len(VOLATILITIES) * ranks // len(own)
    return tercile[task]
