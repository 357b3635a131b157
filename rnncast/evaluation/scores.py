"""From a backtest's rows to scores: each metric of each method, by step and overall, and set against the last value.

Dimension letters: `N` rows, `Q` quantiles, `K` steps, `W` tasks (one forecast of one series from one cutoff).

Averages are the field's: a metric is taken over the steps of each task, then the plain mean over tasks. By step there
is one row a task, so a metric is the mean over tasks, under the root for rmse and rmsse. Whatever cannot be computed is
NaN here, None in JSON, and has a reason; a task that a metric cannot use (a constant history has no scale) is left out
of that metric's mean, and counted in the reason. A method without points, or without quantiles, has only the metrics
of the other kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.paths import LAST_VALUE
from rnncast.evaluation import metrics
from rnncast.evaluation.grouping import group_mean, origin_losses
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.significance import Comparison, diebold_mariano, json_number
from rnncast.records import dataclass

Floats = NDArray[np.float64]

ROOTS = frozenset({"rmse", "rmsse"})
"""Metrics that are the root of a mean."""

INTERVAL_METRICS = ("pinball", "coverage", "interval_score", "scaled_interval_score")
"""Beginnings of the names of metrics of quantiles."""


@dataclass(frozen=True)
class MethodScores:
    """Scores of one method.

    Attributes
    ----------
    overall : Mapping of str to float
        Metric -> mean over tasks; NaN where missing. Interval metrics end with their level: ``coverage_80``.
    per_step : Mapping of str to float64 (K,)
        Metric -> mean over tasks at each step.
    relative_mae : float
        Geometric mean over tasks of the mean absolute error divided by the last value's; NaN without points, as the
        two after it.
    mae_ratio : float
        Mean absolute error over all tasks divided by the last value's.
    better_share : float
        Share of tasks with a lower mean absolute error than the last value.
    comparison : Comparison or None
        Test against the last value on scaled absolute errors; None for the last value itself, or without one.
    reasons : Mapping of str to str
        Metric -> why it is missing, or how many tasks are left out of it.
    """

    overall: Mapping[str, float]
    per_step: Mapping[str, Floats]
    relative_mae: float
    mae_ratio: float
    better_share: float
    comparison: Comparison | None
    reasons: Mapping[str, str]

    def to_dict(self) -> dict[str, object]:
        """Return the scores as JSON values: a missing number is None, and `reasons` says why."""
        return {
            "overall": {name: json_number(value) for name, value in self.overall.items()},
            "per_step": {name: [json_number(float(v)) for v in values] for name, values in self.per_step.items()},
            "relative_mae": json_number(self.relative_mae),
            "mae_ratio": json_number(self.mae_ratio),
            "better_share": json_number(self.better_share),
            "versus_last_value": self.comparison.to_dict() if self.comparison else None,
            "reasons": dict(self.reasons),
        }


@dataclass(frozen=True)
class Scores:
    """Scores of every method of a backtest.

    Attributes
    ----------
    methods : Mapping of str to MethodScores
        In the order of the backtest, those with points first.
    steps : int64 (K,)
        Steps scored.
    levels : tuple of float
        Levels of the intervals in per cent, ascending.
    series, origins, tasks, rows : int
        How many of each went into the scores.
    season_length : int
        Lag of the naive errors that mase and rmsse are scaled by.
    """

    methods: Mapping[str, MethodScores]
    steps: NDArray[np.int64]
    levels: tuple[float, ...]
    series: int
    origins: int
    tasks: int
    rows: int
    season_length: int

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON values, without a NaN or an infinity."""
        return {
            "series": self.series,
            "origins": self.origins,
            "tasks": self.tasks,
            "rows": self.rows,
            "season_length": self.season_length,
            "steps": [int(step) for step in self.steps],
            "levels": list(self.levels),
            "ranges": dict(metrics.RANGES),
            "methods": {name: scores.to_dict() for name, scores in self.methods.items()},
        }


def score_backtest(backtest: Backtest) -> Scores:
    """Score every method of a backtest."""
    return Scores(
        methods={name: _score_method(backtest, name) for name in {**backtest.points, **backtest.quantiles}},
        steps=np.unique(backtest.steps),
        levels=tuple(level for level, _, _ in backtest.central_levels),
        series=len(np.unique(backtest.series)),
        origins=len(np.unique(backtest.origin)),
        tasks=len(backtest.tasks[1]),
        rows=len(backtest.actual),
        season_length=backtest.season_length,
    )


def compare_methods(backtest: Backtest, method: str, reference: str) -> Comparison:
    """Test two methods against each other on scaled absolute errors, averaged over each origin's steps and series."""
    own, other = (
        origin_losses(backtest, metrics.absolute_error(backtest.actual, backtest.points[name]))
        for name in (method, reference)
    )
    return diebold_mariano(own, other, backtest.overlap)


def _score_method(backtest: Backtest, method: str) -> MethodScores:
    task, task_origin = backtest.tasks
    steps, step = np.unique(backtest.steps, return_inverse=True)  # (K,), (N,)
    overall: dict[str, float] = {}
    per_step: dict[str, Floats] = {}
    reasons: dict[str, str] = {}
    for name, terms in _loss_terms(backtest, method).items():
        by_task = group_mean(terms, task, len(task_origin))  # (W,)
        usable = np.isfinite(by_task)
        fault = _fault(backtest, method, name)
        if fault or not usable.any():
            reasons[name] = fault or "no task has a usable scale: every history is constant or has one row"
            overall[name], per_step[name] = float("nan"), np.full(len(steps), np.nan)
            continue
        if not usable.all():
            left_out = f"{int((~usable).sum())} of {len(usable)} tasks"
            reasons[name] = f"{left_out} left out: their history is constant or has one row, and gives no scale"
        kept = usable[task]  # (N,)
        by_step = group_mean(terms[kept], step[kept], len(steps))  # (K,)
        rooted = name in ROOTS
        overall[name] = float(np.mean(np.sqrt(by_task[usable]) if rooted else by_task[usable]))
        per_step[name] = np.sqrt(by_step) if rooted else by_step
    relative, ratio, share = _against_last_value(backtest, method, reasons)
    tested = LAST_VALUE in backtest.points and method in backtest.points and method != LAST_VALUE
    comparison = compare_methods(backtest, method, LAST_VALUE) if tested else None
    return MethodScores(overall, per_step, relative, ratio, share, comparison, reasons)


def _loss_terms(backtest: Backtest, method: str) -> dict[str, Floats]:
    """Losses (N,) of a method whose means are the metrics, by name; NaN where a forecast is no number."""
    actual = backtest.actual
    terms: dict[str, Floats] = {}
    if method in backtest.points:
        point = _finite_or_nan(backtest.points[method])  # (N,)
        absolute, squared = metrics.absolute_error(actual, point), metrics.squared_error(actual, point)  # (N,), (N,)
        terms |= {
            "mae": absolute,
            "rmse": squared,
            "smape": metrics.symmetric_percentage_error(actual, point),
            "mase": metrics.divide(absolute, backtest.scale_absolute),
            "rmsse": metrics.divide(squared, backtest.scale_squared),
            "bias": metrics.signed_error(actual, point),
        }
    if method not in backtest.quantiles or len(backtest.quantile_levels) == 0:
        return terms
    quantiles = _finite_or_nan(backtest.quantiles[method])  # (N, Q)
    terms["pinball"] = metrics.pinball_loss(actual[:, None], quantiles, backtest.quantile_levels).mean(axis=1)
    for level, low, high in backtest.central_levels:
        bounds = quantiles[:, low], quantiles[:, high]
        score = metrics.interval_loss(actual, *bounds, level)  # (N,)
        terms[f"coverage_{level:.12g}"] = metrics.inside(actual, *bounds)
        terms[f"interval_score_{level:.12g}"] = score
        terms[f"scaled_interval_score_{level:.12g}"] = metrics.divide(score, backtest.scale_absolute)
    return terms


def _fault(backtest: Backtest, method: str, metric: str) -> str | None:
    """Why a method's forecasts cannot have a metric at all: one forecast that is no number, and a mean would lie."""
    if metric.startswith(INTERVAL_METRICS):
        values, what = backtest.quantiles[method], "quantiles"  # (N, Q)
    else:
        values, what = backtest.points[method][:, None], "point forecast"  # (N, 1)
    bad = np.count_nonzero(~np.isfinite(values), axis=1) > 0  # (N,)
    return f"no finite {what} in {int(bad.sum())} of {len(bad)} rows" if bad.any() else None


def _against_last_value(backtest: Backtest, method: str, reasons: dict[str, str]) -> tuple[float, float, float]:
    """Relative MAE (geometric mean over tasks), ratio of mean MAEs, and share of tasks with the lower MAE."""
    nan = float("nan")
    if method not in backtest.points:
        return nan, nan, nan
    if LAST_VALUE not in backtest.points:
        reasons["relative_mae"] = f"the backtest has no {LAST_VALUE}"
        return nan, nan, nan
    fault = _fault(backtest, method, "mae") or _fault(backtest, LAST_VALUE, "mae")
    if fault:
        reasons["relative_mae"] = fault
        return nan, nan, nan
    task, task_origin = backtest.tasks
    own, reference = (
        group_mean(metrics.absolute_error(backtest.actual, backtest.points[name]), task, len(task_origin))
        for name in (method, LAST_VALUE)
    )  # (W,), (W,)
    tied = np.logical_and(own == 0, reference == 0)  # (W,)
    comparable = np.logical_and(own > 0, reference > 0)  # (W,)
    logs = np.concatenate((np.log(own[comparable] / reference[comparable]), np.zeros(int(tied.sum()))))
    if len(logs) < len(own):
        reasons["relative_mae"] = f"{len(own) - len(logs)} of {len(own)} tasks left out: one of the two errors is zero"
    relative = math.exp(float(logs.mean())) if len(logs) else nan
    total = float(reference.sum())
    return relative, float(own.sum()) / total if total > 0 else nan, float(np.mean(own < reference))


def _finite_or_nan(values: Floats) -> Floats:
    """Infinities turned into NaN: an infinite forecast is a missing one."""
    return np.where(np.isfinite(values), values, np.nan)
