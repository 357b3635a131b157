"""The scores of a backtest as tables: metrics by method, and the errors at each step.

Dimension letter: `K` steps.
"""

from __future__ import annotations

import math

import numpy as np

from rnncast.data.write import named_once
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.metrics import RANGES
from rnncast.evaluation.scores import Scores
from rnncast.report.tables import ABSENT, TextTable, numbers

_POINT = ("mae", "rmse", "smape", "mase", "rmsse", "bias")


def overall_table(scores: Scores) -> TextTable:
    """Each metric, averaged over all tasks, for every method: one row a metric, one column a method."""
    first = next(iter(scores.methods.values()))
    names = [name for name in _POINT if name in first.overall]
    names += [f"{kind}_{level:.12g}" for kind in ("coverage", "interval_score") for level in scores.levels]
    names += [name for name in ("pinball",) if name in first.overall]
    rows = [
        (_label(name, scores.season_length), *_cells(name, [m.overall[name] for m in scores.methods.values()]))
        for name in names
    ]
    relative = numbers([m.relative_mae for m in scores.methods.values()])
    rows.insert(1, ("relative mae", *relative))
    return _table(("metric", *scores.methods), rows, f"{_counts(scores)}, mean over all of them")


def step_table(scores: Scores) -> TextTable:
    """Mean absolute error of every method at each step, and the coverage of the model's intervals."""
    own = next(iter(scores.methods))
    errors = np.stack([method.per_step["mae"] for method in scores.methods.values()])  # (methods, K)
    cells = np.array(numbers([float(error) for error in errors.ravel()])).reshape(errors.shape)
    coverage = [
        _cells("coverage", [float(value) for value in scores.methods[own].per_step[f"coverage_{level:.12g}"]])
        for level in scores.levels
    ]
    rows = [
        (str(step), *(str(cell) for cell in cells[:, k]), *(column[k] for column in coverage))
        for k, step in enumerate(scores.steps.tolist())
    ]
    header = ("step", *scores.methods, *(f"in {level:.12g} %" for level in scores.levels))
    title = "mean absolute error at each step"
    if scores.levels:
        title += f", and share of values inside {own}'s intervals"
    return _table(header, rows, title)


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


def _cells(metric: str, values: list[float]) -> list[str]:
    if metric.startswith("coverage"):
        return [f"{value:.3f}" if math.isfinite(value) else ABSENT for value in values]
    return numbers(values)


def _counts(scores: Scores) -> str:
    parts = (
        (scores.series, "series", "series"),
        (scores.origins, "origin", "origins"),
        (scores.tasks, "task", "tasks"),
    )
    return ", ".join(f"{count:,} {one if count == 1 else many}" for count, one, many in parts)


def _label(metric: str, season_length: int) -> str:
    if metric in ("mase", "rmsse"):
        return f"{metric} (m = {season_length})"
    kind, _, level = metric.rpartition("_")
    if level.replace(".", "").isdigit():
        return f"{kind.replace('_', ' ')} {level} %"
    return f"smape ({RANGES['smape']})" if metric == "smape" else metric


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]], title: str) -> TextTable:
    return TextTable(header, tuple(rows), (False, *(True for _ in header[1:])), title)
