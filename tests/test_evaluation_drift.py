"""Drift: periods of equal numbers of cutoffs, and a test of a trend that errs as often as it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncast.evaluation import drift as module
from rnncast.evaluation.drift import measure_drift, origins_needed, periods_of, take, trend
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.scores import score_backtest


def backtest(rng, origins=40, steps=2, *, error=1.0, growth=0.0, width=1.0):
    """One series; the method's errors grow from `error` by `growth` a cutoff, the last value's stay at about 1."""
    count = origins * steps
    origin = np.repeat(np.arange(origins), steps)
    actual = rng.standard_normal(count)
    noise = rng.standard_normal(count) * (error + growth * origin)
    day = np.datetime64("2020-01-01", "us")
    cutoffs = day + origin * np.timedelta64(steps, "D")
    step = np.tile(np.arange(1, steps + 1), origins)
    point = actual + noise
    return Backtest(
        ids=("",),
        series=np.zeros(count, np.int64),
        origin=origin,
        cutoffs=cutoffs,
        times=cutoffs + step * np.timedelta64(1, "D"),
        steps=step,
        actual=actual,
        points={"rnncast": point, "last value": actual + rng.standard_normal(count)},
        quantile_levels=np.array([0.1, 0.5, 0.9]),
        quantiles={"rnncast": point[:, None] + width * np.array([-1.28, 0, 1.28])},
        scale_absolute=np.ones(count),
        scale_squared=np.ones(count),
    )


def test_slope_is_that_of_least_squares(rng):
    losses = rng.standard_normal(50)
    slope = np.polyfit(np.arange(50), losses, 1)[0]
    assert trend(losses, 0).change == pytest.approx(49 * slope, rel=1e-9)


def test_with_all_waves_it_is_the_classical_t_test(rng, monkeypatch):
    """As many waves as there are degrees of freedom make the long-run variance that of the residuals."""
    monkeypatch.setattr(module, "_waves", lambda count, lag: count - 2)
    losses = rng.standard_normal(30) + 0.05 * np.arange(30)
    x = np.arange(30) - 14.5
    slope = x @ losses / (x @ x)
    residuals = losses - losses.mean() - slope * x
    statistic = slope / math.sqrt(residuals @ residuals / 28 / (x @ x))
    assert trend(losses, 0).statistic == pytest.approx(statistic, rel=1e-9)


@pytest.mark.parametrize(
    ("origins", "lag"),
    [pytest.param(12, 0, id="few"), pytest.param(60, 0, id="one-step"), pytest.param(100, 9, id="overlapping")],
)
def test_where_nothing_drifts_it_says_so_in_95_cases_of_100(origins, lag):
    rng = np.random.default_rng(7)
    rejected = 0
    for _ in range(2000):
        shocks = rng.standard_t(5, origins + lag)
        losses = np.convolve(shocks, np.ones(lag + 1), "valid")  # each loss shares `lag` shocks with the one after it
        rejected += trend(losses, lag).p_value < 0.05
    assert 0.03 < rejected / 2000 < 0.075


def test_a_break_is_found(rng):
    losses = rng.standard_normal(100)
    losses[50:] += 1.5
    got = trend(losses, 0)
    assert got.p_value < 0.01 and got.change > 0
    assert trend(-losses, 0).change == -got.change


@given(scale=st.floats(1e-150, 1e150), shift=st.floats(-10, 10))
def test_statistic_has_no_unit(scale, shift):
    losses = np.random.default_rng(3).standard_normal(40)
    got, expected = trend(scale * losses, 0), trend(losses + shift, 0)
    assert got.statistic == pytest.approx(expected.statistic, rel=1e-6)
    assert got.p_value == pytest.approx(expected.p_value, rel=1e-6)


@pytest.mark.parametrize(
    ("losses", "lag", "reason"),
    [
        pytest.param(np.arange(9.0) % 2, 0, "too few origins", id="few"),
        pytest.param(np.arange(99.0) % 2, 9, "too few origins", id="few-for-the-overlap"),
        pytest.param(np.zeros(30), 0, "no variation", id="zero"),
        pytest.param(np.full(30, 0.1), 0, "no variation", id="constant"),
        pytest.param(np.full(30, np.nan), 0, "no loss", id="nan"),
        pytest.param(np.empty(0), 0, "no loss", id="empty"),
    ],
)
def test_where_there_is_no_test(losses, lag, reason):
    got = trend(losses, lag)
    assert got.reason == reason
    assert math.isnan(got.p_value)
    assert got.to_dict()["p_value"] is None


def test_origins_needed_is_what_is_needed(rng):
    for lag in (0, 1, 9):
        needed = origins_needed(lag)
        assert trend(rng.standard_normal(needed), lag).reason is None
        assert trend(rng.standard_normal(needed - 1), lag).reason == "too few origins"


def test_errors_that_grow_and_intervals_that_fail_are_found(rng):
    level = measure_drift(backtest(rng, 100))
    assert level.error.p_value > 0.05 and level.coverage[80.0].p_value > 0.05
    grows = measure_drift(backtest(rng, 100, growth=0.03))
    assert grows.error.p_value < 0.01 and grows.error.change > 1
    assert grows.coverage[80.0].p_value < 0.01 and grows.coverage[80.0].change < -0.2


def test_periods_hold_equal_numbers_of_cutoffs(rng):
    whole = backtest(rng, 42)
    periods = periods_of(whole)
    assert [period.scores.origins for period in periods] == [11, 11, 10, 10]
    assert sum(period.scores.rows for period in periods) == 84
    assert all(a.last < b.first for a, b in zip(periods, periods[1:], strict=False))
    first = take(whole, whole.origin < 11)
    expected = score_backtest(first).methods["rnncast"]
    assert periods[0].scores.methods["rnncast"].overall == expected.overall
    assert len(periods_of(backtest(rng, 200))) == 10
    assert len(periods_of(backtest(rng, 300))) == 12
    assert periods_of(backtest(rng, 3)) == ()
