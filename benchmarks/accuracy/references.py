"""What stands beside the forecasts: simple baselines of our own, rules of the field, forecasts that were published."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
from panels import Floats, PanelSpec, Task
from program import QUANTILES, Issued
from scoring import NAIVE2

from rnncast.baselines.paths import LAST_VALUE, SEASONAL_NAIVE, last_value, naive2, seasonal_naive
from rnncast.evaluation.origin_baselines import GARCH_T, OriginBaselines

RULE_NAIVE = "rule naive"
PUBLISHED_POWER = {"LEAR ensemble (published)": "lear_ensemble", "DNN ensemble (published)": "dnn_ensemble"}
"""Method -> column of the published forecasts. They had the day's load and generation forecasts besides the prices."""

WEEK_BEFORE = (0, 5, 6)
"""Days (Monday is 0) that the rule naive takes from the week before; the others repeat the day before."""


def references(spec: PanelSpec, tasks: list[Task], data: Path, *, before: bool) -> dict[str, Issued]:
    """Forecasts of every reference of a panel, by name."""
    found = {**yardsticks(spec, tasks), **baselines(spec, tasks)}
    if spec.kind == "power":
        found[RULE_NAIVE] = _each(tasks, rule_naive)
        if not before:
            found |= published_power(data / spec.path.replace("_hourly", "_published_forecasts"), tasks)
    return found


def yardsticks(spec: PanelSpec, tasks: list[Task]) -> dict[str, Issued]:
    """The paths that scores are relative to, without intervals."""
    found = {
        LAST_VALUE: _each(tasks, lambda task: last_value(task.history, task.horizon)),
        NAIVE2: _each(tasks, lambda task: naive2(task.history, task.horizon, spec.season)),
    }
    if spec.season > 1:
        found[SEASONAL_NAIVE] = _each(tasks, lambda task: seasonal_naive(task.history, task.horizon, spec.season))
    return found


def baselines(spec: PanelSpec, tasks: list[Task]) -> dict[str, Issued]:
    """The baselines of `rnncast evaluate`, as it computes them; for prices GARCH's intervals about the last value."""
    levels = np.asarray(QUANTILES)
    made = OriginBaselines(spec.horizon, spec.season, levels)
    numbers = {name: i for i, name in enumerate(sorted({task.series.name for task in tasks}))}
    found: dict[str, Issued] = {}
    for _, group in groupby(tasks, key=lambda task: task.origin):
        shown = list(group)
        at_origin = made.at([numbers[task.series.name] for task in shown], [task.history for task in shown])
        for name, forecast in at_origin.items():
            if forecast.point is None and (name != GARCH_T or spec.kind != "prices"):
                continue
            issued = found.setdefault(name, Issued({}, {}))
            points = at_origin[LAST_VALUE].point if forecast.point is None else forecast.point
            assert points is not None
            for i, task in enumerate(shown):
                issued.points[task.tag] = points[i]
                issued.quantiles[task.tag] = None if forecast.quantiles is None else forecast.quantiles[i]
    return found


def rule_naive(task: Task) -> Floats:
    """The rule of electricity price forecasting: Monday, Saturday and Sunday as a week before, else the day before.

    Lago et al. (2021), "Forecasting day-ahead electricity prices: A review of state-of-the-art algorithms, best
    practices and an open-access benchmark".
    """
    day = pd.Timestamp(task.stamps_ahead[0]).dayofweek
    days = 7 if day in WEEK_BEFORE else 1
    start = task.end - 24 * days
    return task.series.values[start : start + task.horizon]


def published_power(file: Path, tasks: list[Task]) -> dict[str, Issued]:
    """Published day-ahead forecasts of the same hours."""
    table = pd.read_parquet(file).set_index("ds")
    return {
        name: _each(tasks, lambda task, own=column: table[own].loc[task.stamps_ahead].to_numpy(np.float64))
        for name, column in PUBLISHED_POWER.items()
    }


def _each(tasks: list[Task], path: Callable[[Task], Floats]) -> Issued:
    return Issued({task.tag: path(task) for task in tasks}, {task.tag: None for task in tasks})
