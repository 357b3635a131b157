"""Every branch of the verdict, word by word, and from a backtest to its sentence."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.scores import score_backtest
from rnncast.evaluation.significance import Comparison
from rnncast.evaluation.verdict import best_baseline, describe, format_p, judge


def comparison(difference: float, p_value: float, *, reason: str | None = None, origins: int = 10) -> Comparison:
    return Comparison(difference, math.nan if reason else difference, p_value, origins, 0, reason)


def make_backtest(errors: dict[str, float], *, origins: int = 12, seed: int = 5) -> Backtest:
    """One series, two steps; each method's errors vary about a size, differently at every origin."""
    rng = np.random.default_rng(seed)
    rows = 2 * origins
    cutoffs = np.repeat(2 * np.arange(origins), 2)
    steps = np.tile([1, 2], origins)
    return Backtest(
        ids=("a",),
        series=np.zeros(rows, dtype=np.int64),
        origin=np.repeat(np.arange(origins), 2),
        cutoffs=cutoffs,
        times=cutoffs + steps,
        steps=steps,
        actual=np.full(rows, 100.0),
        points={name: 100 + size * rng.uniform(0.8, 1.2, rows) for name, size in errors.items()},
        quantile_levels=np.empty(0),
        quantiles={},
        scale_absolute=np.ones(rows),
        scale_squared=np.ones(rows),
    )


@pytest.mark.parametrize(
    ("relative_mae", "test", "outcome", "text"),
    [
        pytest.param(
            0.9512,
            comparison(-0.1, 0.012),
            "better",
            "Beats the last value (relative MAE 0.951, 10 origins, p = 0.012).",
            id="better",
        ),
        pytest.param(
            1.2,
            comparison(0.1, 0.0000004),
            "worse",
            "Worse than the last value (relative MAE 1.200, 10 origins, p < 0.001).",
            id="worse",
        ),
        pytest.param(
            1.002,
            comparison(0.01, 0.41),
            "no evidence",
            "No evidence of skill over the last value (relative MAE 1.002, 10 origins, p = 0.41).",
            id="no-evidence",
        ),
        pytest.param(
            0.9,
            comparison(-0.1, 0.06),
            "no evidence",
            "No evidence of skill over the last value (relative MAE 0.900, 10 origins, p = 0.060).",
            id="better-by-chance",
        ),
        pytest.param(
            1.01,
            comparison(-0.1, 0.02),
            "no evidence",
            "No evidence of skill over the last value (relative MAE 1.010, 10 origins, p = 0.020, "
            "the mean scaled error is lower).",
            id="mean-and-typical-error-disagree",
        ),
        pytest.param(
            0.98,
            comparison(0.1, 0.02),
            "no evidence",
            "No evidence of skill over the last value (relative MAE 0.980, 10 origins, p = 0.020, "
            "the mean scaled error is higher).",
            id="typical-and-mean-error-disagree",
        ),
        pytest.param(
            0.8,
            comparison(-0.1, math.nan, reason="too few origins", origins=1),
            "too few origins",
            "Too few origins to tell whether it beats the last value (relative MAE 0.800, 1 origin, 8 needed).",
            id="one-origin",
        ),
        pytest.param(
            1.0,
            comparison(0.0, math.nan, reason="no difference"),
            "same",
            "The same errors as the last value and so no skill over it (10 origins).",
            id="same",
        ),
        pytest.param(
            0.9,
            comparison(-0.1, math.nan, reason="no variation"),
            "unknown",
            "Nothing can be said of skill over the last value (relative MAE 0.900, 10 origins, "
            "the difference is the same at each).",
            id="no-variation",
        ),
        pytest.param(
            math.nan,
            comparison(math.nan, math.nan, reason="no loss"),
            "unknown",
            "Nothing can be said of skill over the last value (10 origins, errors that can be scaled are missing).",
            id="no-loss",
        ),
        pytest.param(
            math.nan,
            comparison(-0.1, 0.01),
            "unknown",
            "Nothing can be said of skill over the last value (10 origins, p = 0.010).",
            id="no-relative-mae",
        ),
    ],
)
def test_sentence(relative_mae: float, test: Comparison, outcome: str, text: str) -> None:
    got = describe("last value", relative_mae, test)
    assert (got.outcome, got.text) == (outcome, text)
    assert json.loads(json.dumps(got.to_dict(), allow_nan=False))["outcome"] == outcome


@pytest.mark.parametrize(
    ("p_value", "expected"),
    [(0.0, "p < 0.001"), (0.00099, "p < 0.001"), (0.0321, "p = 0.032"), (0.0494, "p = 0.049"), (0.417, "p = 0.42")],
)
def test_probability_is_written(p_value: float, expected: str) -> None:
    assert format_p(p_value) == expected


def test_last_value_is_the_best_baseline() -> None:
    backtest = make_backtest({"rnncast": 0.5, "last value": 1.0, "drift": 1.5})
    got = judge(backtest, score_backtest(backtest))
    assert got.outcome == "better"
    assert got.best_baseline is None
    assert got.text == got.last_value.text
    assert got.text.startswith("Beats the last value (relative MAE 0.5")


def test_better_than_the_last_value_and_worse_than_the_season() -> None:
    backtest = make_backtest({"rnncast": 0.5, "last value": 1.0, "drift": 1.5, "seasonal naive": 0.2})
    scores = score_backtest(backtest)
    got = judge(backtest, scores)
    assert got.best_baseline is not None
    assert (got.outcome, got.best_baseline.outcome, got.best_baseline.reference) == (
        "better",
        "worse",
        "seasonal naive",
    )
    own, season = (scores.methods[name].relative_mae for name in ("rnncast", "seasonal naive"))
    assert got.best_baseline.relative_mae == pytest.approx(own / season)
    second = (
        f"Worse than seasonal naive, the best simple baseline (relative MAE to it {own / season:.3f}, 12 origins, p "
    )
    assert got.text.startswith(got.last_value.text + " " + second)
    as_json = json.loads(json.dumps(got.to_dict(), allow_nan=False))
    assert as_json["text"] == got.text and as_json["best_baseline"]["reference"] == "seasonal naive"


def test_best_baseline_is_never_the_method_itself() -> None:
    scores = score_backtest(make_backtest({"rnncast": 0.1, "last value": 1.0, "drift": 0.9}))
    assert best_baseline(scores, "rnncast") == "drift"
    assert best_baseline(scores, "drift") == "rnncast"


def test_same_forecasts_as_the_last_value() -> None:
    backtest = make_backtest({"rnncast": 1.0, "last value": 1.0})
    same = replace(backtest, points=dict(backtest.points) | {"rnncast": backtest.points["last value"]})
    got = judge(same, score_backtest(same))
    assert got.outcome == "same"
    assert got.text == "The same errors as the last value and so no skill over it (12 origins)."


def test_few_origins_give_no_verdict() -> None:
    backtest = make_backtest({"rnncast": 0.1, "last value": 1.0}, origins=7)
    got = judge(backtest, score_backtest(backtest))
    assert got.outcome == "too few origins"
    assert got.text.endswith("7 origins, 8 needed).")


def test_noise_is_no_evidence() -> None:
    backtest = make_backtest({"rnncast": 1.0, "last value": 1.0})
    assert judge(backtest, score_backtest(backtest)).outcome == "no evidence"


def test_without_a_last_value_there_is_no_verdict() -> None:
    backtest = make_backtest({"rnncast": 1.0, "drift": 1.0})
    with pytest.raises(ValueError, match="last value"):
        judge(backtest, score_backtest(backtest))
