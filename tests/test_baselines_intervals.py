"""Intervals around the last value, against NumPy's own quantiles and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnncast.baselines.intervals import (
    changes_over,
    empirical_quantiles,
    ewma_normal_quantiles,
    quantiles_of_rows,
)

LEVELS = np.array([0.025, 0.1, 0.5, 0.9, 0.975])


@given(
    arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6)),
    arrays(np.float64, st.integers(0, 5), elements=st.floats(0, 1)),
    st.integers(0, 5),
)
def test_quantiles_are_those_of_numpy(values: np.ndarray, levels: np.ndarray, padding: int) -> None:
    padded = np.concatenate((values, np.full(padding, np.inf)))[None]
    got = quantiles_of_rows(padded, np.array([len(values)]), levels)
    np.testing.assert_array_equal(got[0], np.quantile(values, levels))


def test_changes_by_hand() -> None:
    got = changes_over(np.array([1.0, 4.0, 9.0, 16.0]), np.array([1, 3]))
    np.testing.assert_array_equal(got, [[3, 5, 7], [15, math.inf, math.inf]])


def test_empirical_quantiles_are_those_of_all_changes(rng: np.random.Generator) -> None:
    rows = np.cumsum(rng.exponential(size=200) - 0.5)  # changes are skewed
    got = empirical_quantiles(rows, 3, LEVELS)
    for k in (1, 2, 3):
        np.testing.assert_array_equal(got[k - 1], np.quantile(rows[k:] - rows[:-k], LEVELS))
    assert np.all(got[:, -1] > 1.5 * -got[:, 0])


@pytest.mark.parametrize(
    ("rows", "own"), [pytest.param(24, 4, id="from-step-4"), pytest.param(15, 1, id="from-step-1")]
)
def test_few_changes_widen_those_over_fewer_rows(rng: np.random.Generator, rows: int, own: int) -> None:
    history = np.cumsum(rng.standard_normal(rows))
    got = empirical_quantiles(history, 7, LEVELS)
    last = np.quantile(history[own:] - history[:-own], LEVELS)
    for k in range(own, 8):
        np.testing.assert_allclose(got[k - 1], last * math.sqrt(k / own), rtol=1e-14)


def test_ewma_normal_by_hand() -> None:
    got = ewma_normal_quantiles(np.array([0.0, 3.0]), 4, np.array([0.1, 0.5, 0.975]))
    volatility = math.sqrt(9.0 / 1.94)
    expected = volatility * np.sqrt([[1.0], [2.0], [3.0], [4.0]]) * [-1.2815515655446, 0.0, 1.95996398454005]
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


def test_one_row_says_nothing_and_a_still_one_says_zero() -> None:
    assert np.isnan(empirical_quantiles(np.array([5.0]), 2, LEVELS)).all()
    assert np.isnan(ewma_normal_quantiles(np.array([]), 2, LEVELS)).all()
    np.testing.assert_array_equal(empirical_quantiles(np.full(9, 5.0), 2, LEVELS), np.zeros((2, 5)))
    np.testing.assert_array_equal(ewma_normal_quantiles(np.zeros(9), 2, LEVELS), np.zeros((2, 5)))
