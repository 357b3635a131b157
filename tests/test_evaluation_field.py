"""The table of a backtest's forecasts, fed into the field's own evaluation, gives the figures that rnncast gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd
import pytest
from cli_cases import QUICK, call, weekdays
from utilsforecast import losses
from utilsforecast.evaluation import evaluate

from rnncast.evaluation import metrics

SEASON = 5
PROBABILITIES = np.array([0.025, 0.1, 0.9, 0.975])  # of the two levels: the field leaves the median out
QUANTILES = ["rnncast-lo-95", "rnncast-lo-80", "rnncast-hi-80", "rnncast-hi-95"]

Columns = Mapping[str, np.ndarray]
Metric = Callable[[Columns, np.ndarray], float]


def of_points(metric: Callable[..., float], *others: str) -> Metric:
    """A metric of actual values, forecasts and other columns."""
    return lambda rows, history: metric(rows["y"], rows["rnncast"], *(rows[name] for name in others))


def of_bounds(metric: Callable[..., float], level: int, *others: float) -> Metric:
    """A metric of a central interval."""
    return lambda rows, history: metric(rows["y"], rows[f"rnncast-lo-{level}"], rows[f"rnncast-hi-{level}"], *others)


def of_quantiles(metric: Callable[..., float]) -> Metric:
    """A metric of all quantiles."""
    return lambda rows, history: metric(rows["y"], np.stack([rows[name] for name in QUANTILES], axis=1), PROBABILITIES)


def of_quantile(column: str, probability: float) -> Metric:
    """The loss of one quantile."""
    return lambda rows, history: metrics.quantile_loss(rows["y"], rows[column], probability)


def scaled(metric: Callable[..., float], scale: Callable[..., float]) -> Metric:
    """A metric that is scaled by errors in the history."""
    return lambda rows, history: metric(rows["y"], rows["rnncast"], scale(history, SEASON))


# name in the field's table -> ours, and what theirs is to be multiplied by
SAME: dict[str, tuple[Metric, float]] = {
    "mae": (of_points(metrics.mae), 1),
    "mse": (of_points(metrics.mse), 1),
    "rmse": (of_points(metrics.rmse), 1),
    "mape": (of_points(metrics.mape), 1),
    "smape": (of_points(metrics.smape), 200),  # theirs goes from 0 to 1
    "nd": (of_points(metrics.nd), 1),
    "wape": (of_points(metrics.wape), 1),
    "bias": (of_points(metrics.bias), 1),
    "rmae_last_value": (of_points(metrics.rmae, "last_value"), 1),
    "mase": (scaled(metrics.mase, metrics.absolute_scale), 1),
    "rmsse": (scaled(metrics.rmsse, metrics.squared_scale), 1),
    "coverage_level80": (of_bounds(metrics.coverage, 80), 1),
    "coverage_level95": (of_bounds(metrics.coverage, 95), 1),
    "winkler_score_level80": (of_bounds(metrics.winkler_score, 80, 80), 1),
    "winkler_score_level95": (of_bounds(metrics.interval_score, 95, 95), 1),
    "quantile_loss_q0.1": (of_quantile("rnncast-lo-80", 0.1), 1),
    "quantile_loss_q0.975": (of_quantile("rnncast-hi-95", 0.975), 1),
    "mqloss": (of_quantiles(metrics.mqloss), 1),
    "scaled_crps": (of_quantiles(metrics.scaled_crps), 1),
}

# name in rnncast's own document -> name in the field's table
PRINTED = {
    "mae": "mae",
    "rmse": "rmse",
    "smape": "smape",
    "mase": "mase",
    "rmsse": "rmsse",
    "bias": "bias",
    "coverage_80": "coverage_level80",
    "interval_score_95": "winkler_score_level95",
}


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """Rows of two series, what `rnncast evaluate` saves of their backtest, and the overall scores in its document."""
    folder = tmp_path_factory.mktemp("field")
    rng = np.random.default_rng(9)
    panel = pd.DataFrame({"unique_id": np.repeat(["A", "B"], 160), "ds": pd.to_datetime(weekdays(160) * 2)})
    panel["y"] = np.concatenate([100 * np.exp(np.cumsum(0.02 * rng.standard_normal(160))) for _ in range(2)])
    panel.to_csv(folder / "prices.csv", index=False)
    options = ("--season-length", str(SEASON), "--n-windows", "6", "--json", "-q")
    got = call("evaluate", folder / "prices.csv", *QUICK, *options, "--save-forecasts", folder / "forecasts.csv")
    assert got.code == 0, got.err
    forecasts = pd.read_csv(folder / "forecasts.csv", parse_dates=["ds", "cutoff"])
    return panel, forecasts, json.loads(got.out)["scores"]["methods"]["rnncast"]["overall"]


@pytest.fixture(scope="module")
def theirs(evaluated) -> pd.DataFrame:
    """What the field's evaluation makes of the saved table: a row for each task and metric."""
    panel, forecasts, _ = evaluated
    names = "mae mse rmse mape smape nd wape bias coverage winkler_score quantile_loss mqloss scaled_crps".split()
    asked = [getattr(losses, name) for name in names]
    asked += [partial(metric, seasonality=SEASON) for metric in (losses.mase, losses.rmsse)]
    asked += [partial(losses.rmae, baseline="last_value")]
    return evaluate(forecasts, metrics=asked, models=["rnncast"], train_df=panel, level=[80, 95])


def test_saved_table_has_the_names_of_the_field(evaluated) -> None:
    _, forecasts, _ = evaluated
    expected = ["unique_id", "ds", "cutoff", "y", "rnncast", "rnncast-lo-80", "rnncast-hi-80", "rnncast-lo-95"]
    assert list(forecasts)[: len(expected)] == expected
    assert forecasts.groupby(["unique_id", "cutoff"]).size().tolist() == [5] * 12


@pytest.mark.parametrize("name", SAME)
def test_metric_of_each_task_is_that_of_the_field(evaluated, theirs, name: str) -> None:
    panel, forecasts, _ = evaluated
    metric, factor = SAME[name]
    tasks = theirs[theirs["metric"] == name]
    assert len(tasks) == 12
    for series, cutoff, expected in zip(tasks["unique_id"], tasks["cutoff"], tasks["rnncast"], strict=True):
        rows = forecasts[(forecasts["unique_id"] == series) & (forecasts["cutoff"] == cutoff)]
        history = panel[(panel["unique_id"] == series) & (panel["ds"] <= cutoff)]
        got = metric({column: rows[column].to_numpy() for column in rows}, history["y"].to_numpy())
        assert got == pytest.approx(factor * expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("ours", "name"), PRINTED.items(), ids=list(PRINTED))
def test_printed_metric_is_the_mean_of_those_of_the_field(evaluated, theirs, ours: str, name: str) -> None:
    _, _, overall = evaluated
    expected = SAME[name][1] * theirs[theirs["metric"] == name]["rnncast"].mean()
    assert overall[ours] == pytest.approx(expected, rel=1e-12)


def test_every_metric_that_the_field_has_is_compared() -> None:
    compared = {name.rpartition("_level")[0] or name.partition("_q0")[0] for name in SAME}
    compared = {name.removesuffix("_last_value") for name in compared}
    ours_alone = {"interval_score", "pinball", "scaled_interval_score"}  # the first two are theirs by another name
    assert set(metrics.RANGES | metrics.OTHER_RANGES) - ours_alone == compared
    assert compared <= set(losses.__all__)
