"""Means over the parts of a backtest: from its rows to tasks, and from tasks to origins.

Dimension letters: `N` rows, `W` tasks (one forecast of one series from one cutoff), `O` origins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncast.evaluation import metrics
from rnncast.evaluation.issued import Backtest

Floats = NDArray[np.float64]


def group_mean(values: Floats, group: NDArray[np.int64], count: int) -> Floats:
    """Mean of the values (N,) of each group, shape (count,); every group has a value."""
    return np.bincount(group, weights=values, minlength=count) / np.bincount(group, minlength=count)


def origin_losses(backtest: Backtest, losses: Floats) -> Floats:
    """Losses (N,) in units of each history's scale, averaged over the steps of a task, then the tasks of an origin.

    The scale is that of the history up to the cutoff, so that dear series do not drown cheap ones; where it is zero (a
    constant history) the task is left out.

    Returns
    -------
    float64 (O,), origins in ascending order; an origin with no task left has none
    """
    task, task_origin = backtest.tasks
    usable = group_mean(backtest.scale_absolute, task, len(task_origin)) > 0  # (W,)
    origins, origin = np.unique(task_origin[usable], return_inverse=True)  # (O,), (usable tasks,)
    scaled = group_mean(metrics.divide(losses, backtest.scale_absolute), task, len(task_origin))  # (W,)
    return group_mean(scaled[usable], origin, len(origins))


def numbered(group: NDArray[np.int64]) -> tuple[int, NDArray[np.int64]]:
    """How many groups there are, and their numbers from 0 without holes, shape (N,); for numbers that are small."""
    present = np.bincount(group) > 0  # (largest + 1,)
    return int(present.sum()), (np.cumsum(present) - 1)[group]


def group_sums(values: Floats, group: NDArray[np.int64]) -> Floats:
    """Sums of the values (N, M) of each group that there is, shape (O, M), groups (N,) ascending."""
    count, own = numbered(group)
    return np.stack([np.bincount(own, weights=column, minlength=count) for column in values.T], axis=1)


def rows_by_group(group: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Positions of the rows of each group that there is, groups (N,) ascending, rows in their order."""
    order = np.argsort(group, kind="stable")  # (N,)
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
