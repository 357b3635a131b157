"""Every branch of the verdict, word by word, and from a backtest to its sentence."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from backtests import long_backtest

from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.scores import score_backtest
from rnncast.evaluation.significance import Comparison
from rnncast.evaluation.skill import Skill
from rnncast.evaluation.verdict import describe, judge
from rnncast.evaluation.wording import format_p, round_count


def skill(
    gain: float,
    p_value: float,
    *,
    reason: str | None = None,
    origins: int = 10,
    interval: tuple[float, float] = (math.nan, math.nan),
    reference: str = "last value",
) -> Skill:
    """A skill whose test has the p value given; the difference is the loss, of a reference of 1."""
    error = math.nan if reason else 0.05
    test = Comparison(-gain, error, -gain / error, p_value, origins, 0, reason=reason)
    return Skill("rnncast", reference, gain, *interval, test)


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
    ("relative_mae", "found", "outcome", "text"),
    [
        pytest.param(
            0.9512,
            skill(0.049, 0.012, interval=(0.012, 0.083)),
            "better",
            "Beats the last value: errors 4.9 % lower (95 % interval 1.2 to 8.3 % lower, 10 origins, p = 0.012).",
            id="better",
        ),
        pytest.param(
            1.2,
            skill(-0.2, 0.0000004, interval=(-0.31, -0.05)),
            "worse",
            "Worse than the last value: errors 20.0 % higher (95 % interval 5.0 to 31.0 % higher, 10 origins, "
            "p < 0.001).",
            id="worse",
        ),
        pytest.param(
            0.9,
            skill(0.1, 0.06, interval=(-0.004, 0.2)),
            "no evidence",
            "No evidence of skill over the last value: errors 10.0 % lower (95 % interval 0.4 % higher to 20.0 % "
            "lower, 10 origins, p = 0.060); to tell an effect of this size, about 12 more origins would be needed.",
            id="better-by-chance",
        ),
        pytest.param(
            0.99,
            skill(0.0002, 0.4),
            "no evidence",
            "No evidence of skill over the last value: errors less than 0.1 % lower (10 origins, p = 0.40); "
            "to tell an effect of this size, more than 10,000 more origins would be needed.",
            id="no-evidence-and-no-interval",
        ),
        pytest.param(
            1.0,
            skill(0.0004, 0.033),
            "no evidence",
            "Differs from the last value by less than 0.1 %, too little to matter (10 origins, p = 0.033).",
            id="too-little-to-matter",
        ),
        pytest.param(
            1.0,
            skill(0.006, 0.033),
            "better",
            "Beats the last value: errors 0.6 % lower (10 origins, p = 0.033), though in the typical forecast they are "
            "not (relative MAE 1.000).",
            id="gain-does-not-show-in-the-typical-error",
        ),
        pytest.param(
            0.98,
            skill(-0.1, 0.02),
            "worse",
            "Worse than the last value: errors 10.0 % higher (10 origins, p = 0.020), though in the typical forecast "
            "they are not (relative MAE 0.980).",
            id="typical-and-mean-error-disagree",
        ),
        pytest.param(
            0.8,
            skill(0.2, math.nan, reason="too few origins", origins=1),
            "too few origins",
            "Too few origins to tell whether it beats the last value (errors 20.0 % lower at 1 origin, 8 needed).",
            id="one-origin",
        ),
        pytest.param(
            1.0,
            skill(0.0, math.nan, reason="no difference"),
            "same",
            "The same errors as the last value, so there is no skill to test (10 origins).",
            id="same",
        ),
        pytest.param(
            0.9,
            skill(0.1, math.nan, reason="no variation"),
            "unknown",
            "Nothing can be said of skill over the last value (10 origins, the difference is the same at each).",
            id="no-variation",
        ),
        pytest.param(
            math.nan,
            skill(math.nan, math.nan, reason="no loss"),
            "unknown",
            "Nothing can be said of skill over the last value (10 origins, errors that can be scaled are missing).",
            id="no-loss",
        ),
        pytest.param(
            math.nan,
            skill(0.1, 0.01),
            "better",
            "Beats the last value: errors 10.0 % lower (10 origins, p = 0.010).",
            id="no-relative-mae",
        ),
    ],
)
def test_sentence(relative_mae: float, found: Skill, outcome: str, text: str) -> None:
    got = describe(found, relative_mae)
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
    assert got.best_baseline is None and got.network is None
    assert got.text == got.last_value.text + " " + got.direction
    assert got.text.startswith("Beats the last value: errors ")


def test_better_than_the_last_value_and_worse_than_the_season() -> None:
    backtest = make_backtest({"rnncast": 0.5, "last value": 1.0, "drift": 1.5, "seasonal naive": 0.2})
    scores = score_backtest(backtest)
    got = judge(backtest, scores)
    assert got.best_baseline is not None
    assert got.last_value.outcome == "better"
    assert got.outcome == "worse"  # of the whole: a script that reads it should not use the model
    assert (got.best_baseline.outcome, got.best_baseline.reference) == ("worse", "seasonal naive")
    own, season = (scores.methods[name].relative_mae for name in ("rnncast", "seasonal naive"))
    assert got.best_baseline.relative_mae == pytest.approx(own / season)
    sizes = [np.abs(backtest.points[name] - backtest.actual).mean() for name in ("rnncast", "seasonal naive")]
    assert got.best_baseline.skill.skill == pytest.approx(1 - sizes[0] / sizes[1])
    higher = f"{100 * (sizes[0] / sizes[1] - 1):.1f} % higher"
    assert f" Worse than seasonal naive, the best simple baseline: errors {higher} (95 % interval " in got.text
    as_json = json.loads(json.dumps(got.to_dict(), allow_nan=False))
    assert as_json["text"] == got.text and as_json["best_baseline"]["reference"] == "seasonal naive"


def test_what_comes_of_the_same_network_is_no_baseline() -> None:
    backtest = make_backtest({"rnncast": 0.5, "network": 0.1, "last value": 1.0, "drift": 0.9})
    got = judge(backtest, score_backtest(backtest))
    assert got.best_baseline is not None and got.best_baseline.reference == "drift"
    assert got.network is not None and got.network.outcome == "better"
    assert "The network alone, without the blend: errors 9" in got.text


def test_network_that_is_what_is_issued_is_not_named() -> None:
    backtest = make_backtest({"rnncast": 0.5, "last value": 1.0})
    both = replace(backtest, points=dict(backtest.points) | {"network": backtest.points["rnncast"]})
    got = judge(both, score_backtest(both))
    assert got.network is None and "network" not in got.text


def test_same_forecasts_as_the_last_value() -> None:
    backtest = make_backtest({"rnncast": 1.0, "last value": 1.0})
    same = replace(backtest, points=dict(backtest.points) | {"rnncast": backtest.points["last value"]})
    got = judge(same, score_backtest(same))
    assert got.outcome == "same"
    assert got.text == "The forecasts are the last value, so there is no skill to test (12 origins)."


def test_few_origins_give_no_verdict() -> None:
    backtest = make_backtest({"rnncast": 0.1, "last value": 1.0}, origins=7)
    got = judge(backtest, score_backtest(backtest))
    assert got.outcome == "too few origins"
    assert "at 7 origins, 8 needed)." in got.text


def test_noise_is_no_evidence_and_more_origins_are_named() -> None:
    backtest = make_backtest({"rnncast": 1.0, "last value": 1.0})
    got = judge(backtest, score_backtest(backtest))
    assert got.outcome == "no evidence"
    assert got.last_value.comparison.more_origins is not None
    assert "to tell an effect of this size, " in got.text


def test_without_a_last_value_there_is_no_verdict() -> None:
    backtest = make_backtest({"rnncast": 1.0, "drift": 1.0})
    with pytest.raises(ValueError, match="last value"):
        judge(backtest, score_backtest(backtest))


def test_intervals_are_set_against_the_best_of_the_others(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng, origins=100)
    offsets = {"wide": 9.0, "narrow": 0.1, "empirical": 1.5}
    quantiles = dict(backtest.quantiles) | {
        name: backtest.points["last value"][:, None] + size * np.array([-1.0, 0.0, 1.0])
        for name, size in offsets.items()
    }
    backtest = replace(backtest, quantiles=quantiles)
    got = judge(backtest, score_backtest(backtest)).intervals
    share = np.mean(
        np.abs(backtest.actual - quantiles["rnncast"][:, 1]) <= quantiles["rnncast"][:, 2] - quantiles["rnncast"][:, 1]
    )
    assert got.startswith(f"The 80 % intervals held {100 * share:.1f} % (more than they should: ")
    assert " of the values; their interval score at 80 % is " in got
    assert "than that of empirical, the best simple one (p " in got


def test_direction_is_set_against_the_more_frequent_one(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng, origins=100, known=0.5)
    got = judge(backtest, score_backtest(backtest)).direction
    assert re.fullmatch(
        r"Direction right in \d\d\.\d % of 200 moves, always saying (up|down) in 5\d\.\d %: "
        r"evidence of a sense of direction \(p < 0\.001\)\.",
        got,
    )
    rising = replace(backtest, actual=backtest.points["last value"] + 1.0)
    always = replace(rising, points=dict(rising.points) | {"rnncast": rising.points["last value"] + 2.0})
    got = judge(always, score_backtest(always)).direction
    assert got == "Direction right in 100.0 % of 200 moves, the same as always saying up."


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, "about 1"), (12, "about 12"), (344, "about 340"), (9960, "about 10,000"), (10**6, "more than 10,000")],
)
def test_rough_numbers_have_two_digits(count: int, expected: str) -> None:
    assert round_count(count) == expected


def test_what_is_issued_is_said_first() -> None:
    backtest = make_backtest({"rnncast": 0.5, "last value": 1.0, "drift": 1.5})
    got = judge(backtest, score_backtest(backtest), issued="theta alone")
    assert got.text.startswith("Issued: theta alone. Beats the last value")
    assert got.to_dict()["issued"] == "theta alone"
