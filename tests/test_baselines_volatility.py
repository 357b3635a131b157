"""Exponentially weighted volatility, against the recursion that defines it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnncast.baselines.volatility import ewma_volatility, relative_volatility


def test_equals_the_recursion_once_its_start_is_forgotten(rng: np.random.Generator) -> None:
    changes = rng.standard_normal((800, 3)) * [1e-8, 1.0, 1e6]
    expected = np.mean(changes[:20] ** 2, axis=0)
    for change in changes:
        expected = 0.94 * expected + 0.06 * change**2
    np.testing.assert_allclose(ewma_volatility(changes), np.sqrt(expected), rtol=1e-12)


def test_weights_by_hand() -> None:
    got = ewma_volatility(np.array([3.0, 1.0]), decay=0.5)
    assert got == pytest.approx(math.sqrt((0.5 * 9 + 1.0) / 1.5))


def test_changes_that_do_not_count_change_nothing(rng: np.random.Generator) -> None:
    changes = rng.standard_normal((50, 2))
    padded = np.concatenate((np.full((7, 2), 1e9), changes))
    counted = np.arange(57)[:, None] >= [[7, 7]]
    np.testing.assert_allclose(ewma_volatility(padded, counted), ewma_volatility(changes), rtol=1e-13)


@pytest.mark.parametrize(
    "changes", [pytest.param(np.zeros((5, 2)), id="standing-still"), pytest.param(np.empty((0, 2)), id="no-change")]
)
def test_a_history_that_does_not_move_has_none(changes: np.ndarray) -> None:
    np.testing.assert_array_equal(ewma_volatility(changes), [0, 0])


def test_relative_volatility_is_above_one_after_a_storm(rng: np.random.Generator) -> None:
    returns = rng.standard_normal(600) * np.where(np.arange(600) < 500, 0.01, 0.03)
    prices = 50.0 * np.exp(np.cumsum(returns))
    assert relative_volatility(prices) > 1.5
    assert relative_volatility(prices[:500]) == pytest.approx(1.0, abs=0.3)
    assert relative_volatility(1e6 * prices) == pytest.approx(relative_volatility(prices))
    assert math.isnan(relative_volatility(np.full(9, 3.0)))
