"""The Diebold-Mariano test against published values, exact cases and simulation."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnncast.core.student_t import student_t_two_sided
from rnncast.evaluation.significance import diebold_mariano, overlapping_origins

# Student (1908), "The probable error of a mean", hours of sleep gained by two drugs; R's documentation prints
# t = -4.0621, df = 9, p-value = 0.002833 for the paired test.
SLEEP_1 = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SLEEP_2 = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])


def test_without_overlap_it_is_the_paired_t_test() -> None:
    got = diebold_mariano(SLEEP_1, SLEEP_2, 0)
    assert got.difference == pytest.approx(-1.58)
    assert got.statistic == pytest.approx(-4.0621, abs=5e-5)
    assert got.p_value == pytest.approx(0.002833, abs=5e-7)
    assert (got.origins, got.lag, got.reason) == (10, 0, None)


def test_overlap_enters_variance_and_correction() -> None:
    d = np.array([1.0, 2, 0, 1, 3, 1, -1, 0, 2, 1, 1, 2])  # mean 13/12
    n, h = 12, 2
    centred = [value - 13 / 12 for value in d]
    g0 = sum(value * value for value in centred) / n
    g1 = sum(centred[i] * centred[i - 1] for i in range(1, n)) / n
    expected = (13 / 12) / math.sqrt((g0 + 2 * g1) / n) * math.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    got = diebold_mariano(d, np.zeros(n), h - 1)
    assert got.statistic == pytest.approx(expected, rel=1e-13)
    assert got.p_value == pytest.approx(student_t_two_sided(expected, 11), rel=1e-12)


def test_negative_variance_is_replaced() -> None:
    d = np.tile([1.0, -0.9], 6)  # g1 is nearly -g0: the plain sum is negative
    got = diebold_mariano(d, np.zeros(12), 1)
    assert math.isfinite(got.statistic) and 0 < got.p_value <= 1


@pytest.mark.parametrize(
    ("losses", "lag", "reason"),
    [
        pytest.param(np.ones(20), 0, "no difference", id="identical"),
        pytest.param(np.ones(20) + 1e-15, 0, "no difference", id="identical-to-rounding"),
        pytest.param(np.ones(2), 0, "no difference", id="identical-and-few"),
        pytest.param(np.full(20, 1.5), 0, "no variation", id="constant-difference"),
        pytest.param(np.linspace(0, 1, 7), 0, "too few origins", id="few"),
        pytest.param(np.linspace(0, 1, 14), 4, "too few origins", id="few-for-the-overlap"),
        pytest.param(np.array([1.0, np.nan] * 10), 0, "no loss", id="nan"),
        pytest.param(np.array([]), 0, "no loss", id="empty"),
    ],
)
def test_no_test_has_a_reason(losses: np.ndarray, lag: int, reason: str) -> None:
    got = diebold_mariano(losses, np.ones(len(losses)), lag)
    assert got.reason == reason
    assert math.isnan(got.p_value) and math.isnan(got.statistic)
    as_json = json.loads(json.dumps(got.to_dict(), allow_nan=False))
    assert as_json["p_value"] is None and as_json["reason"] == reason


def test_enough_origins_are_as_many_as_said() -> None:
    few = diebold_mariano(np.linspace(0, 1, 14), np.zeros(14), 4)
    assert few.origins_needed == 15
    assert diebold_mariano(np.linspace(0, 1, 15), np.zeros(15), 4).reason is None


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        diebold_mariano(np.ones(9), np.ones(8), 0)


losses = arrays(np.float64, 12, elements=st.floats(0, 100, allow_subnormal=False))


@given(losses, losses)
def test_sides_can_be_exchanged(first: np.ndarray, second: np.ndarray) -> None:
    got, expected = diebold_mariano(first, second, 1), diebold_mariano(second, first, 1)
    assert got.reason == expected.reason
    if got.reason is None:
        assert 0 <= got.p_value <= 1
        assert (got.statistic, got.p_value) == pytest.approx((-expected.statistic, expected.p_value), rel=1e-9)


@pytest.mark.parametrize("lag", [0, 2], ids=["apart", "overlapping"])
def test_equal_methods_are_seldom_told_apart(rng: np.random.Generator, lag: int) -> None:
    shocks = rng.normal(size=(1000, 40 + lag))
    differences = np.sum(
        [shocks[:, j : j + 40] for j in range(lag + 1)], axis=0
    )  # a moving average, as overlap makes it
    share = np.mean([diebold_mariano(d, np.zeros(40), lag).p_value < 0.05 for d in differences])
    assert 0.03 < share < 0.10


@pytest.mark.parametrize(
    ("horizon", "step", "origins", "expected"),
    [
        pytest.param(5, 5, 4, 0, id="end-to-end"),
        pytest.param(5, 7, 4, 0, id="apart"),
        pytest.param(6, 5, 4, 1, id="one"),
        pytest.param(20, 5, 6, 3, id="three"),
        pytest.param(20, 1, 30, 19, id="every-row"),
        pytest.param(20, 5, 2, 1, id="no-more-than-there-are"),
        pytest.param(3, 1, 1, 0, id="one-origin"),
    ],
)
def test_overlap_is_counted_from_the_rows(horizon: int, step: int, origins: int, expected: int) -> None:
    cutoffs = np.repeat(100 + step * np.arange(origins), horizon)
    times = cutoffs + np.tile(np.arange(1, horizon + 1), origins)
    stamps = np.datetime64("2020-01-01", "us") + times * np.timedelta64(1, "D")
    series = np.zeros(len(times), dtype=np.int64)
    assert overlapping_origins(series, cutoffs, times) == expected
    shuffled = np.random.default_rng(3).permutation(len(times))
    day_cutoffs = np.datetime64("2020-01-01", "us") + cutoffs * np.timedelta64(1, "D")
    assert overlapping_origins(series, day_cutoffs[shuffled], stamps[shuffled]) == expected


def test_overlap_is_taken_within_each_series() -> None:
    # the second series is cut where the first one's horizon runs: no overlap
    series = np.repeat([0, 1], 4)
    cutoffs = np.array([10, 10, 12, 12, 11, 11, 13, 13])
    assert overlapping_origins(series, cutoffs, cutoffs + np.tile([1, 2], 4)) == 0
