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
from rnncast.evaluation.significance import MOST_ORIGINS, diebold_mariano, overlapping_origins

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


def cosine_test(d: np.ndarray, lag: int) -> tuple[float, int]:
    """Statistic and degrees of freedom by the sums themselves: equal-weighted cosines."""
    count = len(d)
    freedom = count - 1 if lag == 0 else count // (2 * (lag + 1))
    squares = []
    for j in range(1, freedom + 1):
        term = sum(d[t] * math.cos(math.pi * j * (t + 0.5) / count) for t in range(count))
        squares.append(2.0 / count * term**2)
    variance = sum(squares) / freedom
    return float(np.mean(d)) / math.sqrt(variance / count), freedom


@pytest.mark.parametrize(("count", "lag"), [(8, 0), (40, 0), (8, 1), (21, 4), (60, 4), (61, 9)])
def test_statistic_is_that_of_the_cosine_sums(rng: np.random.Generator, count: int, lag: int) -> None:
    d = 0.3 + rng.normal(size=count)
    got = diebold_mariano(d, np.zeros(count), lag)
    statistic, freedom = cosine_test(d, lag)
    assert got.statistic == pytest.approx(statistic, rel=1e-10)
    assert got.p_value == pytest.approx(student_t_two_sided(statistic, freedom), rel=1e-9)
    assert got.standard_error == pytest.approx(got.difference / statistic, rel=1e-10)


def harvey_leybourne_newbold(d: np.ndarray, horizon: int) -> float:
    """The statistic as the paper defines it, by loops."""
    n = len(d)
    mean = sum(d) / n
    variance = 0.0
    for k in range(horizon):
        gamma = sum((d[t] - mean) * (d[t - k] - mean) for t in range(k, n)) / n
        variance += gamma if k == 0 else 2 * gamma
    statistic = mean / math.sqrt(variance / n)
    return statistic * math.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n)


@pytest.mark.parametrize(("count", "lag"), [(12, 0), (12, 1), (60, 4)])
def test_classic_statistic_is_that_of_the_paper(rng: np.random.Generator, count: int, lag: int) -> None:
    shocks = rng.normal(size=count + lag)
    d = 0.2 + np.convolve(shocks, np.ones(lag + 1), mode="valid")
    expected = harvey_leybourne_newbold(d, lag + 1)
    got = diebold_mariano(d, np.zeros(count), lag).classic
    assert got[0] == pytest.approx(expected, rel=1e-10)
    assert got[1] == pytest.approx(student_t_two_sided(expected, count - 1), rel=1e-9)


def test_variance_is_positive_whatever_the_order() -> None:
    d = np.tile([1.0, -0.9], 6)  # the autocovariance at lag 1 is nearly minus the variance: their sum is negative
    got = diebold_mariano(d, np.zeros(12), 1)
    assert math.isfinite(got.statistic) and 0 < got.p_value <= 1
    assert math.isfinite(got.classic[0]) and 0 < got.classic[1] <= 1


@pytest.mark.parametrize(
    ("losses", "lag", "reason"),
    [
        pytest.param(np.ones(20), 0, "no difference", id="identical"),
        pytest.param(np.ones(20) + 1e-15, 0, "no difference", id="identical-to-rounding"),
        pytest.param(np.ones(2), 0, "no difference", id="identical-and-few"),
        pytest.param(np.full(20, 1.5), 0, "no variation", id="constant-difference"),
        pytest.param(np.linspace(0, 1, 7), 0, "too few origins", id="few"),
        pytest.param(np.linspace(0, 1, 19), 4, "too few origins", id="few-for-the-overlap"),
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
    few = diebold_mariano(np.linspace(0, 1, 19), np.zeros(19), 4)
    assert few.origins_needed == 20
    assert diebold_mariano(np.linspace(0, 1, 20), np.zeros(20), 4).reason is None


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


SIZE = 1500


def overlapping_sums(shocks: np.ndarray, lag: int) -> np.ndarray:
    """Moving sums of lag + 1 columns: as correlated as overlap can make differences of losses."""
    return np.lib.stride_tricks.sliding_window_view(shocks, lag + 1, axis=1).sum(axis=-1)


@pytest.mark.parametrize(("origins", "lag"), [(12, 0), (60, 0), (60, 4), (200, 4), (20, 4)])
@pytest.mark.parametrize("tails", ["normal", "t3", "changing"])
def test_equal_methods_are_seldom_told_apart(rng: np.random.Generator, origins: int, lag: int, tails: str) -> None:
    shocks = rng.standard_t(3, (SIZE, origins + lag)) if tails == "t3" else rng.normal(size=(SIZE, origins + lag))
    if tails == "changing":  # calm and wild stretches, four times as wide
        shocks *= np.where(np.arange(origins + lag) // 5 % 2, 1.0, 4.0)
    found = np.mean([diebold_mariano(d, np.zeros(origins), lag).p_value < 0.05 for d in overlapping_sums(shocks, lag)])
    assert 0.02 < found < 0.065 + 2 * math.sqrt(0.065 * 0.935 / SIZE)


def test_a_difference_is_found_as_often_as_the_origins_counted_say(rng: np.random.Generator) -> None:
    """With as many origins as `more_origins` asks for, an effect of the size seen is found in about four of five."""
    d = rng.normal(size=40)
    d = (d - d.mean()) / d.std(ddof=1)
    first = diebold_mariano(d + 0.2, np.zeros(40), 0)
    assert first.more_origins is not None
    origins = 40 + first.more_origins
    assert origins == pytest.approx((1.96 + 0.84) ** 2 / 0.2**2, rel=0.05)
    draws = 0.2 + rng.normal(size=(1000, origins))
    found = np.mean([diebold_mariano(own, np.zeros(origins), 0).p_value < 0.05 for own in draws])
    assert 0.75 < found < 0.85


def test_more_origins_are_counted_only_where_that_is_a_question(rng: np.random.Generator) -> None:
    noise = rng.normal(size=30)
    centred = noise - noise.mean()
    zeros = np.zeros(30)
    assert diebold_mariano(centred + 2.0, zeros, 0).more_origins is None  # found already
    assert diebold_mariano(zeros, zeros, 0).more_origins is None  # no effect
    assert diebold_mariano(centred[:5], zeros[:5], 0).more_origins is None  # no test
    assert diebold_mariano(centred + 1e-3, zeros, 0).more_origins == MOST_ORIGINS
    overlapping = diebold_mariano(centred + 0.2, zeros, 2)
    apart = diebold_mariano(centred + 0.2, zeros, 0)
    assert apart.more_origins is not None and overlapping.more_origins is not None
    assert apart.more_origins > 0 and overlapping.more_origins > 0


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
