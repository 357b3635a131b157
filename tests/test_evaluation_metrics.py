"""Metrics against values worked out by hand, and properties that their definitions imply."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnncast.evaluation import metrics

ACTUAL = np.array([10.0, 12.0, 9.0, 14.0])
POINT = np.array([11.0, 10.0, 9.0, 18.0])
HISTORY = np.array([1.0, 3.0, 2.0, 6.0, 5.0])

values = arrays(np.float64, 6, elements=st.floats(-1e6, 1e6).map(lambda value: round(value, 6)))
positive = arrays(np.float64, 6, elements=st.floats(0.01, 1e6))


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        pytest.param(metrics.mae(ACTUAL, POINT), 7 / 4, id="mae"),
        pytest.param(metrics.rmse(ACTUAL, POINT), math.sqrt(21 / 4), id="rmse"),
        pytest.param(metrics.mse(ACTUAL, POINT), 21 / 4, id="mse"),
        pytest.param(metrics.mape(ACTUAL, POINT), (1 / 10 + 2 / 12 + 4 / 14) / 4, id="mape-is-a-fraction"),
        pytest.param(metrics.mape(-ACTUAL, -POINT), (1 / 10 + 2 / 12 + 4 / 14) / 4, id="mape-of-negative-values"),
        pytest.param(metrics.nd(-ACTUAL, -POINT), 7 / 45, id="nd"),
        pytest.param(metrics.rmae(ACTUAL, POINT, ACTUAL - 5), 7 / 20, id="rmae"),
        pytest.param(metrics.quantile_loss(ACTUAL, POINT, 0.9), (0.1 + 1.8 + 0 + 0.4) / 4, id="quantile-loss"),
        pytest.param(
            metrics.scaled_crps(-ACTUAL, -POINT[:, None], np.array([0.9])),
            2 * (0.9 + 0.2 + 0 + 3.6) / 45,
            id="scaled-crps",
        ),
        pytest.param(metrics.smape(ACTUAL, POINT), 200 * (1 / 21 + 2 / 22 + 4 / 32) / 4, id="smape"),
        pytest.param(metrics.bias(ACTUAL, POINT), 3 / 4, id="bias-is-forecast-minus-actual"),
        pytest.param(metrics.absolute_scale(HISTORY), (2 + 1 + 4 + 1) / 4, id="absolute-scale"),
        pytest.param(metrics.absolute_scale(HISTORY, 2), (1 + 3 + 3) / 3, id="absolute-scale-seasonal"),
        pytest.param(metrics.absolute_scale(HISTORY, 5), 2.0, id="absolute-scale-season-too-long"),
        pytest.param(metrics.squared_scale(HISTORY, 2), (1 + 9 + 9) / 3, id="squared-scale"),
        pytest.param(metrics.mase(ACTUAL, POINT, 2.0), 7 / 8, id="mase"),
        pytest.param(metrics.rmsse(ACTUAL, POINT, 5.5), math.sqrt(21 / 4 / 5.5), id="rmsse"),
        pytest.param(metrics.coverage(ACTUAL, ACTUAL, ACTUAL), 1.0, id="coverage-bounds-are-inside"),
        pytest.param(metrics.coverage(ACTUAL, POINT, POINT + 1), 0.25, id="coverage"),
        # widths 2; at 80 % a miss by d costs 10 d: one row lies 1 below, one 1 above, two inside
        pytest.param(
            metrics.interval_score(ACTUAL, np.array([11.0, 11, 9, 11]), np.array([13.0, 13, 11, 13]), 80),
            2 + (10 + 10) / 4,
            id="interval-score",
        ),
        pytest.param(
            metrics.pinball(np.array([3.0, 1.0]), np.array([[2.0, 2.0], [2.0, 2.0]]), np.array([0.1, 0.9])),
            (0.1 + 0.9 + 0.9 + 0.1) / 4,
            id="pinball",
        ),
    ],
)
def test_value_by_hand(got: float, expected: float) -> None:
    assert got == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    "got",
    [
        pytest.param(metrics.mase(ACTUAL, POINT, 0.0), id="mase-constant-history"),
        pytest.param(metrics.rmsse(ACTUAL, POINT, 0.0), id="rmsse-constant-history"),
        pytest.param(metrics.mase(ACTUAL, POINT, float("nan")), id="mase-no-scale"),
        pytest.param(metrics.absolute_scale(HISTORY[:1]), id="scale-of-one-row"),
        pytest.param(metrics.mae(ACTUAL[:0], POINT[:0]), id="no-forecast"),
        pytest.param(metrics.smape(ACTUAL, np.array([np.nan, 1, 1, 1])), id="smape-nan"),
        pytest.param(metrics.mape(np.array([0.0, 12, 9, 14]), POINT), id="mape-of-a-zero"),
        pytest.param(metrics.nd(np.zeros(4), POINT), id="nd-of-zeros"),
        pytest.param(metrics.rmae(ACTUAL, POINT, ACTUAL), id="rmae-beside-a-perfect-method"),
        pytest.param(metrics.scaled_crps(np.zeros(4), POINT[:, None], np.array([0.5])), id="scaled-crps-of-zeros"),
        pytest.param(metrics.coverage(ACTUAL, np.array([np.nan, 1, 1, 1]), POINT), id="coverage-nan"),
    ],
)
def test_what_cannot_be_computed_is_nan(got: float) -> None:
    assert math.isnan(got)


def test_percentage_error_of_two_zeros_is_zero() -> None:
    got = metrics.symmetric_percentage_error(np.array([0.0, 0.0, -1.0]), np.array([0.0, 2.0, 1.0]))
    np.testing.assert_array_equal(got, [0.0, 200.0, 200.0])


def test_constant_history_has_scale_zero() -> None:
    assert metrics.absolute_scale(np.full(9, 3.7), 2) == 0.0
    assert metrics.squared_scale(np.full(9, 3.7), 2) == 0.0


@pytest.mark.parametrize("level", [0.0, 100.0, -5.0], ids=["zero", "hundred", "negative"])
def test_impossible_level_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="per cent"):
        metrics.interval_loss(ACTUAL, POINT, POINT, level)


def test_impossible_probability_and_season_are_refused() -> None:
    with pytest.raises(ValueError, match="probability is 1"):
        metrics.pinball_loss(ACTUAL, POINT, 1.0)
    with pytest.raises(ValueError, match="season_length is 0"):
        metrics.absolute_scale(HISTORY, 0)


@given(values, values)
def test_percentage_error_is_bounded_and_symmetric(actual: np.ndarray, point: np.ndarray) -> None:
    got = metrics.smape(actual, point)
    assert 0 <= got <= 200 * (1 + 1e-12)
    assert got == metrics.smape(point, actual)


@given(values, values)
def test_root_of_mean_square_is_not_below_the_mean(actual: np.ndarray, point: np.ndarray) -> None:
    assert metrics.rmse(actual, point) >= metrics.mae(actual, point) * (1 - 1e-12)
    assert metrics.mae(actual, point) >= abs(metrics.bias(actual, point)) * (1 - 1e-12)


@given(positive, positive, st.floats(0.001, 1000))
def test_scaled_error_ignores_the_unit(actual: np.ndarray, point: np.ndarray, unit: float) -> None:
    expected = metrics.mase(actual, point, 2.0)
    assert metrics.mase(unit * actual, unit * point, unit * 2.0) == pytest.approx(expected, rel=1e-9)


@given(values, values)
def test_median_pinball_is_half_the_absolute_error(actual: np.ndarray, point: np.ndarray) -> None:
    got = metrics.pinball_loss(actual, point, 0.5)
    np.testing.assert_allclose(got, metrics.absolute_error(actual, point) / 2, rtol=1e-12)


@given(values, values, positive, st.floats(1, 99))
def test_interval_score_is_two_pinball_losses(
    actual: np.ndarray, low: np.ndarray, width: np.ndarray, level: float
) -> None:
    high = low + width
    alpha = 1 - level / 100
    tails = metrics.pinball_loss(actual, low, alpha / 2) + metrics.pinball_loss(actual, high, 1 - alpha / 2)
    np.testing.assert_allclose(metrics.interval_loss(actual, low, high, level), 2 / alpha * tails, rtol=1e-6, atol=1e-6)


def test_pinball_is_lowest_at_the_quantile(rng: np.random.Generator) -> None:
    sample = rng.normal(size=4001)
    grid = np.linspace(-2, 2, 401)
    losses = metrics.pinball_loss(sample[:, None], grid, 0.8).mean(axis=0)
    assert grid[losses.argmin()] == pytest.approx(np.quantile(sample, 0.8), abs=0.01)
