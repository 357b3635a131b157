"""Scores of a backtest against loops written from the definitions, and what is said when a figure is missing."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from rnncast.evaluation import metrics
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.scores import MethodScores, compare_methods, score_backtest

LEVELS = np.array([0.025, 0.1, 0.5, 0.9, 0.975])


def make_backtest(
    rng: np.random.Generator, *, series: int = 3, origins: int = 10, horizon: int = 4, step: int = 4
) -> Backtest:
    """Two methods with quantiles and one without, on series of very different size."""
    tasks = [(s, o) for s in range(series) for o in range(origins)]
    task = np.repeat(np.arange(len(tasks)), horizon)
    owner, origin = np.array(tasks)[task].T
    size = 10.0**owner
    steps = np.tile(np.arange(1, horizon + 1), len(tasks))
    cutoffs = 100 + step * origin
    actual = size * (5 + rng.normal(size=len(task)))
    points = {
        "rnncast": actual + size * rng.normal(size=len(task)),
        "last value": actual + 1.2 * size * rng.normal(size=len(task)),
        "drift": actual + size * rng.normal(size=len(task)),
    }
    spread = size[:, None] * np.array([-2, -1, 0, 1, 2])
    return Backtest(
        ids=tuple(f"series {s}" for s in range(series)),
        series=owner,
        origin=origin,
        cutoffs=cutoffs,
        times=cutoffs + steps,
        steps=steps,
        actual=actual,
        points=points,
        quantile_levels=LEVELS,
        quantiles={name: points[name][:, None] + spread for name in ("rnncast", "last value")},
        scale_absolute=0.5 * size,
        scale_squared=0.3 * size**2,
    )


def scores_by_loop(backtest: Backtest, method: str) -> dict[str, float]:
    """Overall scores, a task at a time, from the metrics' own functions."""
    rows: dict[str, list[float]] = {}
    for s, o in sorted({(int(s), int(o)) for s, o in zip(backtest.series, backtest.origin, strict=True)}):
        own = (backtest.series == s) & (backtest.origin == o)
        actual, point, quantiles = backtest.actual[own], backtest.points[method][own], backtest.quantiles[method][own]
        scale, square = backtest.scale_absolute[own][0], backtest.scale_squared[own][0]
        score = metrics.interval_score(actual, quantiles[:, 1], quantiles[:, 3], 80)
        task = {
            "mae": metrics.mae(actual, point),
            "rmse": metrics.rmse(actual, point),
            "smape": metrics.smape(actual, point),
            "mase": metrics.mase(actual, point, scale),
            "rmsse": metrics.rmsse(actual, point, square),
            "bias": metrics.bias(actual, point),
            "pinball": metrics.pinball(actual, quantiles, LEVELS),
            "coverage_80": metrics.coverage(actual, quantiles[:, 1], quantiles[:, 3]),
            "coverage_95": metrics.coverage(actual, quantiles[:, 0], quantiles[:, 4]),
            "interval_score_80": score,
            "scaled_interval_score_80": score / scale,
        }
        for name, value in task.items():
            rows.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in rows.items()}


def test_overall_scores_are_means_over_tasks(rng: np.random.Generator) -> None:
    backtest = make_backtest(rng)
    scores = score_backtest(backtest)
    assert (scores.series, scores.origins, scores.tasks, scores.rows, scores.levels) == (3, 10, 30, 120, (80.0, 95.0))
    for method in ("rnncast", "last value"):
        got, expected = scores.methods[method].overall, scores_by_loop(backtest, method)
        assert set(expected) | {"interval_score_95", "scaled_interval_score_95"} == set(got)
        for name, value in expected.items():
            assert got[name] == pytest.approx(value, rel=1e-12), name


def test_order_of_rows_does_not_matter(rng: np.random.Generator) -> None:
    backtest = make_backtest(rng)
    order = rng.permutation(len(backtest.actual))
    columns = ("series", "origin", "cutoffs", "times", "steps", "actual", "scale_absolute", "scale_squared")
    shuffled = replace(
        backtest,
        points={name: values[order] for name, values in backtest.points.items()},
        quantiles={name: values[order] for name, values in backtest.quantiles.items()},
        **{name: getattr(backtest, name)[order] for name in columns},
    )
    got, expected = score_backtest(shuffled).methods["rnncast"], score_backtest(backtest).methods["rnncast"]
    for name, value in expected.overall.items():
        assert got.overall[name] == pytest.approx(value, rel=1e-12)
    assert got.comparison is not None and expected.comparison is not None
    assert got.comparison.p_value == pytest.approx(expected.comparison.p_value, rel=1e-9)


def test_scores_by_step_are_means_over_tasks_at_that_step(rng: np.random.Generator) -> None:
    backtest = make_backtest(rng)
    got = score_backtest(backtest).methods["rnncast"].per_step
    for k in range(4):
        own = backtest.steps == k + 1
        error = backtest.points["rnncast"][own] - backtest.actual[own]
        assert got["mae"][k] == pytest.approx(np.abs(error).mean())
        assert got["rmse"][k] == pytest.approx(np.sqrt((error**2).mean()))
        assert got["rmsse"][k] == pytest.approx(np.sqrt((error**2 / backtest.scale_squared[own]).mean()))
        assert got["bias"][k] == pytest.approx(error.mean())


def test_tasks_count_alike_whatever_their_length(rng: np.random.Generator) -> None:
    whole = make_backtest(rng, series=1, origins=2)
    kept = np.array([True] * 4 + [True] + [False] * 3)  # the second task has one step left
    columns = ("series", "origin", "cutoffs", "times", "steps", "actual", "scale_absolute", "scale_squared")
    backtest = replace(
        whole,
        points={name: values[kept] for name, values in whole.points.items()},
        quantiles={},
        **{name: getattr(whole, name)[kept] for name in columns},
    )
    error = np.abs(backtest.points["rnncast"] - backtest.actual)
    got = score_backtest(backtest).methods["rnncast"]
    assert got.overall["mae"] == pytest.approx((error[:4].mean() + error[4]) / 2)
    assert got.per_step["mae"] == pytest.approx([(error[0] + error[4]) / 2, *error[1:4]])


def test_relative_errors(rng: np.random.Generator) -> None:
    backtest = make_backtest(rng)
    scores = score_backtest(backtest)
    errors = {m: np.abs(backtest.points[m] - backtest.actual).reshape(30, 4).mean(axis=1) for m in backtest.points}
    got, ratio = scores.methods["rnncast"], errors["rnncast"] / errors["last value"]
    assert got.relative_mae == pytest.approx(np.exp(np.log(ratio).mean()), rel=1e-12)
    assert got.mae_ratio == pytest.approx(errors["rnncast"].sum() / errors["last value"].sum(), rel=1e-12)
    assert got.better_share == np.mean(ratio < 1)
    reference = scores.methods["last value"]
    assert (reference.relative_mae, reference.mae_ratio, reference.better_share) == (1.0, 1.0, 0.0)
    assert reference.comparison is None


def test_comparison_averages_series_within_an_origin(rng: np.random.Generator) -> None:
    backtest = make_backtest(rng, step=2)
    got = compare_methods(backtest, "rnncast", "drift")
    scaled = {
        m: (np.abs(backtest.points[m] - backtest.actual) / backtest.scale_absolute).reshape(3, 10, 4).mean(axis=(0, 2))
        for m in ("rnncast", "drift")
    }
    assert got.difference == pytest.approx((scaled["rnncast"] - scaled["drift"]).mean())
    assert (got.origins, got.lag) == (10, 1)
    assert 0 < got.p_value < 1


def test_a_method_has_the_metrics_that_it_can_have(rng: np.random.Generator) -> None:
    backtest = make_backtest(rng)
    quantiles = dict(backtest.quantiles) | {"empirical": backtest.quantiles["last value"]}
    scores = score_backtest(replace(backtest, quantiles=quantiles)).methods
    assert list(scores) == ["rnncast", "last value", "drift", "empirical"]
    points = {"mae", "rmse", "smape", "mase", "rmsse", "bias"}
    assert set(scores["drift"].overall) == set(scores["drift"].per_step) == points
    only = scores["empirical"]
    assert set(only.overall) == set(scores["rnncast"].overall) - points
    assert only.overall["coverage_80"] == scores["last value"].overall["coverage_80"]
    assert math.isnan(only.relative_mae) and math.isnan(only.better_share) and only.comparison is None
    assert only.reasons == {}
    assert json.loads(json.dumps(only.to_dict(), allow_nan=False))["relative_mae"] is None


def test_constant_history_is_left_out_of_scaled_metrics_alone(rng: np.random.Generator) -> None:
    backtest = make_backtest(rng)
    first = backtest.series == 0
    flat = replace(
        backtest,
        scale_absolute=np.where(first, 0.0, backtest.scale_absolute),
        scale_squared=np.where(first, 0.0, backtest.scale_squared),
    )
    got = score_backtest(flat).methods["rnncast"]
    error = np.abs(backtest.points["rnncast"] - backtest.actual)
    assert got.overall["mase"] == pytest.approx((error / backtest.scale_absolute)[~first].mean())
    assert got.overall["mae"] == pytest.approx(error.mean())
    assert got.reasons["mase"].startswith("10 of 30 tasks left out")
    assert np.isfinite(got.per_step["mase"]).all()
    assert got.comparison is not None and got.comparison.origins == 10


def test_no_usable_scale_at_all(rng: np.random.Generator) -> None:
    backtest = make_backtest(rng)
    flat = replace(backtest, scale_absolute=np.full(120, np.nan), scale_squared=np.zeros(120))
    got = score_backtest(flat).methods["rnncast"]
    assert math.isnan(got.overall["mase"]) and "no task" in got.reasons["mase"]
    assert math.isfinite(got.overall["rmse"])
    assert got.comparison is not None and got.comparison.reason == "no loss"


@pytest.mark.parametrize("bad", [np.nan, np.inf], ids=["nan", "inf"])
def test_one_forecast_that_is_no_number_spoils_the_mean_and_is_said(rng: np.random.Generator, bad: float) -> None:
    backtest = make_backtest(rng)
    points = {name: values.copy() for name, values in backtest.points.items()}
    points["rnncast"][7] = bad
    got = score_backtest(replace(backtest, points=points))
    scores = got.methods["rnncast"]
    assert math.isnan(scores.overall["mae"]) and np.isnan(scores.per_step["mae"]).all()
    assert scores.reasons["mae"] == "no finite point forecast in 1 of 120 rows"
    assert math.isnan(scores.relative_mae) and "1 of 120" in scores.reasons["relative_mae"]
    assert math.isfinite(scores.overall["coverage_80"])
    assert "NaN" not in json.dumps(got.to_dict(), allow_nan=False)


def test_errors_of_zero_are_ties_or_left_out(rng: np.random.Generator) -> None:
    backtest = make_backtest(rng, series=1, origins=3)
    points = {name: values.copy() for name, values in backtest.points.items()}
    points["rnncast"][:4] = points["last value"][:4] = backtest.actual[:4]  # both right
    points["last value"][4:8] = backtest.actual[4:8]  # only the last value right: no ratio
    got = score_backtest(replace(backtest, points=points)).methods["rnncast"]
    errors = [np.abs(points[m] - backtest.actual)[8:].mean() for m in ("rnncast", "last value")]
    assert got.relative_mae == pytest.approx(math.sqrt(errors[0] / errors[1]))
    assert got.reasons["relative_mae"] == "1 of 3 tasks left out: one of the two errors is zero"


def test_without_a_last_value_nothing_is_relative(rng: np.random.Generator) -> None:
    backtest = make_backtest(rng)
    got = score_backtest(replace(backtest, points={"rnncast": backtest.points["rnncast"]})).methods["rnncast"]
    assert math.isnan(got.relative_mae) and got.comparison is None
    assert got.reasons["relative_mae"] == "the backtest has no last value"


def test_without_quantiles_there_are_point_metrics_only(rng: np.random.Generator) -> None:
    backtest = replace(make_backtest(rng), quantile_levels=np.empty(0), quantiles={})
    got = score_backtest(backtest)
    assert got.levels == ()
    assert set(got.methods["rnncast"].overall) == {"mae", "rmse", "smape", "mase", "rmsse", "bias"}


def test_levels_are_pairs_of_quantiles(rng: np.random.Generator) -> None:
    backtest = replace(make_backtest(rng), quantile_levels=np.array([0.05, 0.1, 0.5, 0.9, 0.99]))
    assert backtest.central_levels == ((80.0, 1, 3),)


def test_json_holds_every_figure(rng: np.random.Generator) -> None:
    scores = score_backtest(make_backtest(rng))
    got = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert list(got["methods"]) == ["rnncast", "last value", "drift"]
    method = got["methods"]["rnncast"]
    expected: MethodScores = scores.methods["rnncast"]
    assert method["overall"] == dict(expected.overall)
    assert method["per_step"]["mae"] == list(expected.per_step["mae"])
    assert method["versus_last_value"]["origins"] == 10
    assert "coverage_80" not in got["methods"]["drift"]["overall"]
    assert got["ranges"]["smape"] == "0 to 200"
    assert {name.rstrip("_0589") for name in method["overall"]} == set(got["ranges"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"steps": np.ones(3, dtype=np.int64)}, "steps has shape", id="length"),
        pytest.param({"points": {"rnncast": np.ones(3)}}, r"points\[rnncast\]", id="points"),
        pytest.param({"quantiles": {"rnncast": np.ones((120, 2))}}, r"expected \(120, 5\)", id="quantiles"),
        pytest.param({"points": {}}, "0 methods", id="no-method"),
        pytest.param({"actual": np.full(120, np.nan)}, "finite", id="actual-nan"),
        pytest.param({"steps": np.ones(120, dtype=np.int64)}, "more than one row", id="duplicate"),
    ],
)
def test_inconsistent_backtest_is_refused(rng: np.random.Generator, change: dict[str, object], message: str) -> None:
    backtest = make_backtest(rng)
    with pytest.raises(ValueError, match=message):
        replace(backtest, **change)  # type: ignore[arg-type]
