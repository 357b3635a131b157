"""Drift of issued forecasts in tables and plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncast.data.isotime import format_stamp
from rnncast.evaluation.drift import Drift, Trend, origins_needed
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.scores import Scores
from rnncast.evaluation.significance import SIGNIFICANCE, json_number
from rnncast.evaluation.wording import format_p
from rnncast.forecasting.result import METHOD
from rnncast.report.tables import ABSENT, TextTable, numbers

MOST_MODELS = 12
"""Models that are shown one by one."""


def period_table(drift: Drift, zone: str | None) -> TextTable:
    """A line for each period: its cutoffs, how much was scored, errors and coverage."""
    levels = tuple(drift.coverage)
    errors = numbers([period.scores.methods[METHOD].overall["mae"] for period in drift.periods])
    rows = [
        (
            format_stamp(period.first, zone),
            format_stamp(period.last, zone),
            *_figures(period.scores, levels, error),
        )
        for period, error in zip(drift.periods, errors, strict=True)
    ]
    header = ("from", "to", "cutoffs", "rows", "mae", "relative mae", *(f"in {level:.12g} %" for level in levels))
    title = "errors and coverage by time of the cutoff"
    return TextTable(header, tuple(rows), (False, False, *(True for _ in header[2:])), title, keys=2)


def model_table(models: Mapping[str, Scores], levels: tuple[float, ...]) -> TextTable:
    """A line for each model, by fingerprint, the first ones of many."""
    errors = numbers([scores.methods[METHOD].overall["mae"] for scores in models.values()])
    rows = [
        (name, *_figures(scores, levels, error)) for (name, scores), error in zip(models.items(), errors, strict=True)
    ]
    header = ("model", "cutoffs", "rows", "mae", "relative mae", *(f"in {level:.12g} %" for level in levels))
    title = "errors and coverage by model"
    if len(rows) > MOST_MODELS:
        title += f", the last {MOST_MODELS} of {len(rows)}"
    return TextTable(header, tuple(rows[-MOST_MODELS:]), (False, *(True for _ in header[1:])), title)


def drift_sentences(drift: Drift, backtest: Backtest) -> tuple[str, ...]:
    """What the trends say: of the error against the last value's, and of the coverage of the narrowest interval."""
    lag = backtest.overlap
    said = [_of_error(drift.error, lag)]
    if drift.coverage and drift.error.reason != "too few origins":
        level, own = next(iter(drift.coverage.items()))
        said.append(_of_coverage(level, own))
    return tuple(said)


def drift_document(drift: Drift, backtest: Backtest) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "periods": [
            {
                "from": format_stamp(period.first, backtest.zone),
                "until": format_stamp(period.last, backtest.zone),
                **scores_document(period.scores),
            }
            for period in drift.periods
        ],
        "error": drift.error.to_dict(),
        "coverage": [{"level": level, **own.to_dict()} for level, own in drift.coverage.items()],
        "text": " ".join(drift_sentences(drift, backtest)),
    }


def scores_document(scores: Scores) -> dict[str, Any]:
    """Figures of one period or model as JSON values."""
    own = scores.methods[METHOD]
    return {
        "cutoffs": scores.origins,
        "tasks": scores.tasks,
        "rows": scores.rows,
        "mae": json_number(own.overall["mae"]),
        "relative_mae": json_number(own.relative_mae),
        "coverage": [
            {"level": level, "coverage": json_number(own.overall[f"coverage_{level:.12g}"])} for level in scores.levels
        ],
    }


def _figures(scores: Scores, levels: tuple[float, ...], error: str) -> tuple[str, ...]:
    own = scores.methods[METHOD]
    coverage = [own.overall.get(f"coverage_{level:.12g}", float("nan")) for level in levels]
    shares = [ABSENT if share != share else f"{share:.3f}" for share in coverage]
    return f"{scores.origins:,}", f"{scores.rows:,}", error, *numbers([own.relative_mae]), *shares


def _of_error(trend: Trend, lag: int) -> str:
    if trend.reason == "too few origins":
        return f"Too few cutoffs to tell whether it got worse ({trend.origins}, {origins_needed(lag)} needed)."
    if trend.reason == "no loss":
        return "Nothing can be said of its drift: errors that can be scaled are missing."
    if trend.reason == "no variation":
        return f"No sign that it got worse: it stands to the last value as it did at each of {trend.origins} cutoffs."
    figures = f"{format_p(trend.p_value)}, {trend.origins} cutoffs"
    if trend.p_value >= SIGNIFICANCE:
        return f"No sign that it got worse against the last value ({figures})."
    direction = "rose" if trend.change > 0 else "fell"
    return (
        f"The error {direction} against the last value's, by {abs(trend.change):.2g} naive errors "
        f"from the first cutoff to the last ({figures})."
    )


def _of_coverage(level: float, trend: Trend) -> str:
    name = f"the {level:.12g} % intervals"
    if trend.reason is not None:
        return f"The coverage of {name} was the same at every cutoff."
    if trend.p_value >= SIGNIFICANCE:
        return f"No sign that the coverage of {name} changed ({format_p(trend.p_value)})."
    direction = "rose" if trend.change > 0 else "fell"
    return (
        f"The coverage of {name} {direction}, by {abs(trend.change):.2g} from the first cutoff to the last "
        f"({format_p(trend.p_value)})."
    )
