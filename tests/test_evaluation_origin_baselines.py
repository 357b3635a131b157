"""All baselines of a backtest, from origin to origin."""

from __future__ import annotations

import numpy as np
import pytest
from panels import random_walk

from rnncast.baselines import batch
from rnncast.baselines.garch_intervals import GarchIntervals
from rnncast.baselines.intervals import empirical_quantiles, ewma_normal_quantiles
from rnncast.evaluation.baselines import simple_baselines
from rnncast.evaluation.origin_baselines import OriginBaselines

LEVELS = np.array([0.025, 0.1, 0.5, 0.9, 0.975])


@pytest.fixture
def histories(rng: np.random.Generator) -> list[np.ndarray]:
    """Prices of two lengths, a series with negative values, a constant one, and one of a single row."""
    level = np.cumsum(rng.standard_normal(260))
    return [random_walk(rng, 450), random_walk(rng, 130, volatility=0.1), level, np.full(200, 3.0), np.array([7.0])]


def test_methods_and_what_they_give(histories: list[np.ndarray]) -> None:
    got = OriginBaselines(6, 4, LEVELS).at(range(5), histories)
    assert {name: (one.point is not None, one.quantiles is not None) for name, one in got.items()} == {
        "last value": (True, True),
        "drift": (True, True),
        "seasonal naive": (True, True),
        "theta": (True, False),
        "damped trend": (True, False),
        "empirical": (False, True),
        "ewma normal": (False, True),
        "garch t": (False, True),
    }
    assert all(one.point is None or one.point.shape == (5, 6) for one in got.values())
    assert all(one.quantiles is None or one.quantiles.shape == (5, 6, 5) for one in got.values())
    pathless = OriginBaselines(6, 1, np.array([])).at(range(5), histories)
    assert list(pathless) == ["last value", "drift", "theta", "damped trend"]


def test_simple_methods_are_the_simple_baselines(histories: list[np.ndarray]) -> None:
    got = OriginBaselines(6, 4, LEVELS).at(range(5), histories)
    for i, history in enumerate(histories):
        for name, expected in simple_baselines(history, 6, 4, LEVELS).items():
            np.testing.assert_array_equal(got[name].point[i], expected.point)
            np.testing.assert_array_equal(got[name].quantiles[i], expected.quantiles)


@pytest.mark.parametrize("name", ["theta", "damped trend"])
def test_smoothed_paths_are_taken_in_logarithms_from_the_last_rows(name: str, histories: list[np.ndarray]) -> None:
    got = OriginBaselines(6, 4, LEVELS).at(range(5), histories)[name].point
    for i, history in enumerate(histories):
        rows = history[-400:]
        rows = np.log(rows) if history.min() > 0 else rows
        path = batch.PATHS[name](rows[:, None], np.array([len(rows)]), 6, 4)[:, 0]
        np.testing.assert_allclose(got[i], np.exp(path) if history.min() > 0 else path, rtol=1e-12)
    np.testing.assert_allclose(got[3:], [[3.0] * 6, [7.0] * 6], rtol=1e-15)


def test_one_old_value_below_zero_leaves_a_series_in_levels(histories: list[np.ndarray]) -> None:
    prices = histories[0].copy()
    in_logarithms = OriginBaselines(4, 1, LEVELS).at([0], [prices])["ewma normal"].quantiles[0]
    prices[0] = -1.0
    in_levels = OriginBaselines(4, 1, LEVELS).at([0], [prices])["ewma normal"].quantiles[0]
    np.testing.assert_allclose(in_levels[:, 0] + in_levels[:, -1], 2 * prices[-1])
    np.testing.assert_allclose(in_logarithms[:, 0] * in_logarithms[:, -1], prices[-1] ** 2)


def test_intervals_stand_around_the_last_value(histories: list[np.ndarray]) -> None:
    got = OriginBaselines(6, 1, LEVELS).at([4, 9], [histories[0], histories[2]])
    prices, levels = histories[0], histories[2]
    changes = [np.diff(np.log(prices)), np.diff(levels)]
    garch = GarchIntervals(6, LEVELS).at([4, 9], changes, [True, False])
    for name, distances in (
        ("empirical", [empirical_quantiles(rows, 6, LEVELS) for rows in (np.log(prices), levels)]),
        ("ewma normal", [ewma_normal_quantiles(each, 6, LEVELS) for each in changes]),
        ("garch t", [garch[4], garch[9]]),
    ):
        np.testing.assert_array_equal(got[name].quantiles[0], prices[-1] * np.exp(distances[0]))
        np.testing.assert_array_equal(got[name].quantiles[1], levels[-1] + distances[1])
        assert np.all(np.diff(got[name].quantiles, axis=2) > 0)


def test_where_garch_cannot_be_fitted_it_is_ewma(histories: list[np.ndarray]) -> None:
    short = histories[0][:99]
    got = OriginBaselines(6, 1, LEVELS).at([0, 1, 2], [short, histories[3], histories[4]])
    np.testing.assert_array_equal(got["garch t"].quantiles, got["ewma normal"].quantiles)
    np.testing.assert_array_equal(got["garch t"].quantiles[1], np.full((6, 5), 3.0))
    assert np.isnan(got["garch t"].quantiles[2]).all()


def test_no_later_row_and_no_other_series_reaches_a_forecast(rng: np.random.Generator) -> None:
    walks = [random_walk(rng, 330) for _ in range(3)]
    altered = [np.concatenate((walk[:310], random_walk(rng, 20))) for walk in walks]
    one, other, alone = (OriginBaselines(5, 3, LEVELS) for _ in range(3))
    for end in range(300, 316, 5):
        expected = one.at([0, 1, 2], [walk[:end] for walk in walks])
        got = other.at([0, 1, 2], [walk[:end] for walk in altered])
        single = alone.at([1], [walks[1][:end]])
        for name, forecast in expected.items():
            for values, others, own in (
                (forecast.point, got[name].point, single[name].point),
                (forecast.quantiles, got[name].quantiles, single[name].quantiles),
            ):
                if values is not None:
                    assert (values.tobytes() == others.tobytes()) is (end <= 310), (name, end)
                    np.testing.assert_array_equal(values[1], own[0])


def test_values_beyond_all_numbers_are_infinite_and_nothing_warns() -> None:
    leaping = np.geomspace(1e-300, 1e300, 120)
    got = OriginBaselines(40, 1, LEVELS).at([0], [leaping])
    assert np.isinf(got["theta"].point[0, -1])
    assert not np.isnan(got["garch t"].quantiles).any()


def test_intervals_of_prices_with_storms_cover(rng: np.random.Generator) -> None:
    variance, changes = np.ones(4), []
    for _ in range(900):
        changes.append(np.sqrt(variance / 2) * rng.standard_t(4, 4))
        variance = 0.04 + 0.08 * changes[-1] ** 2 + 0.88 * variance
    prices = 100 * np.exp(np.cumsum(0.01 * np.array(changes), axis=0))  # (900, 4)
    baselines, inside = OriginBaselines(5, 1, np.array([0.1, 0.9])), {}
    for end in range(400, 895, 5):
        got = baselines.at(range(4), list(prices[:end].T))
        for name in ("empirical", "ewma normal", "garch t"):
            low, high = np.moveaxis(got[name].quantiles, 2, 0)  # (4, 5) each
            actual = prices[end : end + 5].T
            inside.setdefault(name, []).append((low <= actual) & (actual <= high))
    for name, hits in inside.items():
        assert np.mean(hits) == pytest.approx(0.8, abs=0.05), name
