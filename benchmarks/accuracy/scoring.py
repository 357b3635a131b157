"""Scores of forecasts: of each task, and means over the tasks of a panel.

sMAPE and MASE are M4's, their means are over tasks. OWA is the mean of the two, each relative to Naive2's. Relative
errors are geometric means over tasks of the ratio of mean absolute errors; tasks where one of the two is zero do not
count. Interval score and pinball loss are scaled as MASE is; the pinball loss is the mean over the quantiles 0.025,
0.1, 0.5, 0.9 and 0.975, of which the point forecast is the median.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from panels import Floats, PanelSpec, Task
from program import QUANTILES, Issued

from rnncast.baselines.paths import LAST_VALUE, SEASONAL_NAIVE
from rnncast.evaluation import metrics

NAIVE2 = "Naive2"
MEANS = ("smape", "mase", "mae", "coverage_80", "coverage_95", "interval_score_95", "pinball")
"""Scores of a task whose mean over tasks is that of the panel."""


def score_panel(spec: PanelSpec, tasks: list[Task], methods: dict[str, Issued]) -> dict[str, dict[str, Any]]:
    """Scores by method; last value, Naive2 and, with a season, seasonal naive must be among the methods."""
    scales = [metrics.absolute_scale(task.history, spec.season) for task in tasks]
    by_task = {
        name: pd.DataFrame(
            [
                score_task(task, issued.points[task.tag], issued.quantiles[task.tag], scale)
                for task, scale in zip(tasks, scales, strict=True)
            ]
        )
        for name, issued in methods.items()
    }
    return {name: _means(table, by_task) for name, table in by_task.items()}


def score_task(task: Task, point: Floats, quantiles: Floats | None, scale: float) -> dict[str, float]:
    """Scores of one forecast; without quantiles those of the intervals are NaN."""
    actual = task.actual
    scored = {
        "smape": metrics.smape(actual, point),
        "mae": metrics.mae(actual, point),
        "mase": metrics.mase(actual, point, scale),
    }
    if quantiles is None:
        return scored
    whole = quantiles.copy()  # (K, Q)
    whole[:, QUANTILES.index(0.5)] = point
    low, high = whole[:, 0], whole[:, -1]
    width = np.asarray(metrics.interval_score(actual, low, high, 95.0))
    loss = np.asarray(metrics.pinball(actual, whole, np.asarray(QUANTILES)))
    return {
        **scored,
        "coverage_80": metrics.coverage(actual, whole[:, 1], whole[:, -2]),
        "coverage_95": metrics.coverage(actual, low, high),
        "interval_score_95": float(metrics.divide(width, scale)),
        "pinball": float(metrics.divide(loss, scale)),
    }


def _means(table: pd.DataFrame, by_task: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Means over tasks; a score that no task has is None."""
    found: dict[str, Any] = {}
    for name in MEANS:
        mean = table[name].mean() if name in table.columns else np.nan
        found[name] = None if np.isnan(mean) else float(mean)
    naive2 = by_task[NAIVE2]
    parts = [table[name].mean() / naive2[name].mean() for name in ("smape", "mase")]
    found["owa"] = float(np.mean(parts))
    for key, reference in (("relative_mae", LAST_VALUE), ("relative_mae_seasonal", SEASONAL_NAIVE)):
        found[key] = _geometric_mean(table, by_task[reference]) if reference in by_task else None
    return found


def _geometric_mean(table: pd.DataFrame, reference: pd.DataFrame) -> float:
    usable = (table["mae"] > 0) & (reference["mae"] > 0)
    return float(np.exp(np.log(table["mae"][usable] / reference["mae"][usable]).mean()))
