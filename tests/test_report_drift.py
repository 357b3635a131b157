"""Drift in words and tables: no more is said than the figures carry."""

from __future__ import annotations

import numpy as np
import pytest

from rnncast.evaluation.drift import Drift, Trend, measure_drift, take
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.scores import score_backtest
from rnncast.report.drift import MOST_MODELS, drift_document, drift_sentences, model_table, period_table

NAN = float("nan")
CLEAR, FALLS, DOUBTFUL = Trend(0.25, 4.0, 0.004, 60, 8), Trend(-0.25, -4.0, 0.004, 60, 8), Trend(0.2, 1.0, 0.4, 60, 8)


@pytest.fixture
def backtest(rng):
    """Forecasts of one step from 48 cutoffs of one series."""
    count = 48
    days = np.datetime64("2024-01-01", "us") + np.arange(count) * np.timedelta64(1, "D")
    actual = rng.standard_normal(count)
    point = actual + rng.standard_normal(count)
    return Backtest(
        ids=("",), series=np.zeros(count, np.int64), origin=np.arange(count), cutoffs=days,
        times=days + np.timedelta64(1, "D"), steps=np.ones(count, np.int64), actual=actual,
        points={"rnncast": point, "last value": actual + rng.standard_normal(count)},
        quantile_levels=np.array([0.1, 0.5, 0.9]),
        quantiles={"rnncast": point[:, None] + np.array([-1.28, 0.0, 1.28])},
        scale_absolute=np.ones(count), scale_squared=np.ones(count),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("error", "coverage", "expected"),
    [
        pytest.param(
            CLEAR, FALLS,
            "The error rose against the last value's, by 0.25 naive errors from the first cutoff to the last "
            "(p = 0.004, 60 cutoffs). The coverage of the 80 % intervals fell, by 0.25 from the first cutoff to the "
            "last (p = 0.004).",
            id="worse",
        ),
        pytest.param(
            FALLS, CLEAR,
            "The error fell against the last value's, by 0.25 naive errors from the first cutoff to the last "
            "(p = 0.004, 60 cutoffs). The coverage of the 80 % intervals rose, by 0.25 from the first cutoff to the "
            "last (p = 0.004).",
            id="better",
        ),
        pytest.param(
            DOUBTFUL, DOUBTFUL,
            "No sign that it got worse against the last value (p = 0.40, 60 cutoffs). No sign that the coverage of the "
            "80 % intervals changed (p = 0.40).",
            id="no-sign",
        ),
        pytest.param(
            Trend(0.0, NAN, NAN, 60, 8, "no variation"), Trend(0.0, NAN, NAN, 60, 8, "no variation"),
            "No sign that it got worse: it stands to the last value as it did at each of 60 cutoffs. The coverage of "
            "the 80 % intervals was the same at every cutoff.",
            id="the-same",
        ),
        pytest.param(
            Trend(NAN, NAN, NAN, 7, 2, "too few origins"), Trend(NAN, NAN, NAN, 7, 2, "too few origins"),
            "Too few cutoffs to tell whether it got worse (7, 10 needed).",
            id="too-few",
        ),
        pytest.param(
            Trend(NAN, NAN, NAN, 60, 0, "no loss"), DOUBTFUL,
            "Nothing can be said of its drift: errors that can be scaled are missing. No sign that the coverage of the "
            "80 % intervals changed (p = 0.40).",
            id="no-scale",
        ),
    ],
)  # fmt: skip
def test_sentences(backtest, error, coverage, expected):
    drift = Drift((), error, {80.0: coverage})
    assert " ".join(drift_sentences(drift, backtest)) == expected


def test_period_table(backtest):
    table = period_table(measure_drift(backtest), None)
    assert table.header == ("from", "to", "cutoffs", "rows", "mae", "relative mae", "in 80 %")
    assert [row[:4] for row in table.rows] == [
        ("2024-01-01", "2024-01-12", "12", "12"), ("2024-01-13", "2024-01-24", "12", "12"),
        ("2024-01-25", "2024-02-05", "12", "12"), ("2024-02-06", "2024-02-17", "12", "12"),
    ]  # fmt: skip
    inside = np.abs(backtest.actual - backtest.points["rnncast"])[:12] <= 1.28
    assert table.rows[0][6] == f"{inside.mean():.3f}"


def test_document_says_the_same(backtest):
    drift = measure_drift(backtest)
    document = drift_document(drift, backtest)
    assert document["text"] == " ".join(drift_sentences(drift, backtest))
    assert [period["rows"] for period in document["periods"]] == [12, 12, 12, 12]
    assert document["error"]["p_value"] == drift.error.p_value
    assert document["coverage"][0]["level"] == 80.0


def test_of_many_models_the_last_are_shown(backtest):
    models = {f"{n:016x}": score_backtest(take(backtest, backtest.origin == n)) for n in range(20)}
    table = model_table(models, (80.0,))
    assert [row[0] for row in table.rows] == [f"{n:016x}" for n in range(20 - MOST_MODELS, 20)]
    assert table.title == "errors and coverage by model, the last 12 of 20"
