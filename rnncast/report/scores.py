"""The scores of a backtest as tables: metrics of points and of intervals by method, and the errors at each step.

Dimension letter: `K` steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from rnncast.baselines.paths import LAST_VALUE
from rnncast.data.summary import counted
from rnncast.data.write import named_once
from rnncast.evaluation.evidence import Evidence
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.metrics import RANGES
from rnncast.evaluation.scores import MethodScores, Scores
from rnncast.report.tables import ABSENT, TextTable, numbers

_POINT = ("mae", "rmse", "smape", "mase", "rmsse", "bias")

_LEVELS_ACROSS = 4
"""Levels side by side in one table, so that it stays within 120 columns."""

_METHODS_ACROSS = 6
"""Methods side by side in the table of steps."""


def score_tables(scores: Scores, evidence: Evidence | None = None) -> list[TextTable]:
    """Tables of point forecasts, of intervals if there are any, and of the errors at each step."""
    return [point_table(scores), *interval_tables(scores), step_table(scores, evidence)]


def point_table(scores: Scores) -> TextTable:
    """Each metric of the point forecasts, averaged over all tasks: one row a method that has them."""
    methods = {name: own for name, own in scores.methods.items() if "mae" in own.overall}
    columns = {name: [own.overall[name] for own in methods.values()] for name in _POINT}
    relative = {"relative mae": [own.relative_mae for own in methods.values()]}
    columns = {"mae": columns.pop("mae"), **relative, **columns}
    units = f"smape {RANGES['smape']}, mase and rmsse with m = {scores.season_length}"
    return _by_method(methods, columns, f"{_counts(scores)}, mean over all of them; {units}")


def interval_tables(scores: Scores) -> list[TextTable]:
    """Coverage and score of the intervals at each level, and the pinball loss: one row a method that has quantiles."""
    methods = {name: own for name, own in scores.methods.items() if "pinball" in own.overall}
    if not methods:
        return []
    tables = []
    for first in range(0, max(len(scores.levels), 1), _LEVELS_ACROSS):
        columns = {"pinball": [own.overall["pinball"] for own in methods.values()]} if first == 0 else {}
        for level in scores.levels[first : first + _LEVELS_ACROSS]:
            name = f"{level:.12g} %"
            columns[f"in {name}"] = [own.overall[f"coverage_{level:.12g}"] for own in methods.values()]
            columns[f"score {name}"] = [own.overall[f"interval_score_{level:.12g}"] for own in methods.values()]
        tables.append(_by_method(methods, columns, "share of values inside the intervals, and interval score"))
    return tables


def step_table(scores: Scores, evidence: Evidence | None = None) -> TextTable:
    """Mean absolute error of the methods at each step, and the coverage of the first one's intervals.

    Of many methods those are left out that have the largest errors, of many levels those between. With `evidence`, a
    share that is surely above or below what its interval should hold has a sign.
    """
    names = _nearest(scores)
    errors = np.stack([scores.methods[name].per_step["mae"] for name in names])  # (methods, K)
    cells = np.array(numbers([float(error) for error in errors.ravel()])).reshape(errors.shape)
    own = scores.methods[names[0]]
    ends = dict.fromkeys((*scores.levels[:1], *scores.levels[-1:]))
    levels = [level for level in ends if f"coverage_{level:.12g}" in own.per_step]
    coverage = [_step_coverage(scores, names[0], level, evidence) for level in levels]
    rows = [
        (str(step), *(str(cell) for cell in cells[:, k]), *(column[k] for column in coverage))
        for k, step in enumerate(scores.steps.tolist())
    ]
    header = ("step", *names, *(f"in {level:.12g} %" for level in levels))
    left_out = sum("mae" in other.overall for other in scores.methods.values()) - len(names)
    title = "mean absolute error at each step" + (
        f" ({counted(left_out, 'more method')} in --json)" if left_out else ""
    )
    if levels:
        title += f", and share of values inside {names[0]}'s intervals"
    if any(cell[-1] in "+-" and cell != ABSENT for column in coverage for cell in column):
        title += " (+ surely more than they should hold, - fewer)"
    return _table(header, rows, title)


def metric_table(scores: Scores) -> dict[str, np.ndarray]:
    """Every metric of every method as columns, a row for each method; NaN where a method has none."""
    methods = scores.methods.values()
    names = dict.fromkeys(name for own in methods for name in own.overall)
    columns = {name: [own.overall.get(name) for own in methods] for name in names}
    columns |= {name: [getattr(own, name) for own in methods] for name in ("relative_mae", "mae_ratio", "better_share")}
    columns["p_value"] = [own.comparison.p_value if own.comparison else None for own in methods]
    numbers = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}  # None becomes NaN
    return {"method": np.array(list(scores.methods), dtype=object), **numbers}


def remarks(scores: Scores) -> tuple[str, ...]:
    """Why figures are missing or rest on fewer tasks, each reason once."""
    found: dict[str, list[str]] = {}
    for method in scores.methods.values():
        for metric, reason in method.reasons.items():
            names = found.setdefault(reason, [])
            if metric not in names:
                names.append(metric)
    return tuple(f"{', '.join(names)}: {reason}" for reason, names in found.items())


def forecast_table(backtest: Backtest, columns: tuple[str | None, str, str]) -> dict[str, np.ndarray]:
    """Every forecast of a backtest as a long table: ids, times, cutoffs, what came, and each method.

    Parameters
    ----------
    backtest
        The forecasts.
    columns
        Names of the id column (None for one series), of the time and of the target column.
    """
    id_name, time_name, target_name = columns
    own = next(iter(backtest.points))
    named: list[tuple[str, np.ndarray]] = []
    if id_name is not None:
        named.append((id_name, np.array(backtest.ids, dtype=object)[backtest.series]))
    named += [(time_name, backtest.times), ("cutoff", backtest.cutoffs), (target_name, backtest.actual)]
    named.append((own, backtest.points[own]))
    for level, low, high in backtest.central_levels:
        named.append((f"{own}-lo-{level:.12g}", backtest.quantiles[own][:, low]))
        named.append((f"{own}-hi-{level:.12g}", backtest.quantiles[own][:, high]))
    named += [(name.replace(" ", "_"), point) for name, point in backtest.points.items() if name != own]
    return named_once(named)


def _by_method(methods: Mapping[str, MethodScores], columns: Mapping[str, list[float]], title: str) -> TextTable:
    """A row for each method; coverage with three decimals, other columns with the digits of their largest number."""
    cells = [_shares(values) if name.startswith("in ") else numbers(values) for name, values in columns.items()]
    rows = [(name, *(column[row] for column in cells)) for row, name in enumerate(methods)]
    return _table(("method", *columns), rows, title)


def _nearest(scores: Scores) -> list[str]:
    """Methods with points: all if they fit; else the first, the last value, and those with the least errors."""
    names = [name for name, own in scores.methods.items() if "mae" in own.overall]
    kept = {*names[:1], LAST_VALUE}
    for name in sorted(names, key=lambda name: scores.methods[name].overall["mae"]):
        if len(kept) < _METHODS_ACROSS:
            kept.add(name)
    return [name for name in names if name in kept]


def _step_coverage(scores: Scores, method: str, level: float, evidence: Evidence | None) -> list[str]:
    """Share inside at each step, with a sign where it is surely not what it should be."""
    cells = _shares([float(value) for value in scores.methods[method].per_step[f"coverage_{level:.12g}"]])
    found = evidence.coverages if evidence and evidence.method == method else ()
    faults = {c.name: c.fault for c in found if c.part == "step" and c.level == level}
    signs = {"too many": "+", "too few": "-", None: " " if any(faults.values()) else ""}
    return [cell + signs[faults.get(step)] for cell, step in zip(cells, scores.steps.tolist(), strict=True)]


def _shares(values: list[float]) -> list[str]:
    return [f"{value:.3f}" if math.isfinite(value) else ABSENT for value in values]


def _counts(scores: Scores) -> str:
    parts = (
        (scores.series, "series", "series"),
        (scores.origins, "origin", "origins"),
        (scores.tasks, "task", "tasks"),
    )
    return ", ".join(f"{count:,} {one if count == 1 else many}" for count, one, many in parts)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]], title: str) -> TextTable:
    return TextTable(header, tuple(rows), (False, *(True for _ in header[1:])), title)
