"""Student's t distribution against printed tables, closed forms, integration, and an expansion about the normal."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncast.core.student_t import incomplete_beta, student_t_quantile, student_t_two_sided

LEVELS = st.floats(0.001, 0.999)
FREEDOMS = st.floats(2.0, 1e6)


@pytest.mark.parametrize(
    ("statistic", "degrees", "expected"),
    [
        # printed tables of Student's t, two-sided
        pytest.param(12.7062, 1, 0.05, id="df1-05"),
        pytest.param(63.6567, 1, 0.01, id="df1-01"),
        pytest.param(2.5706, 5, 0.05, id="df5-05"),
        pytest.param(2.2622, 9, 0.05, id="df9-05"),
        pytest.param(3.2498, 9, 0.01, id="df9-01"),
        pytest.param(4.7809, 9, 0.001, id="df9-001"),
        pytest.param(1.8331, 9, 0.10, id="df9-10"),
        pytest.param(2.0423, 30, 0.05, id="df30-05"),
        pytest.param(1.9799, 120, 0.05, id="df120-05"),
    ],
)
def test_tail_is_that_of_the_tables(statistic: float, degrees: int, expected: float) -> None:
    assert student_t_two_sided(statistic, degrees) == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize("t", [0.0, 1e-9, 0.3, 1.0, 4.0, 50.0, 1e8], ids=str)
def test_tail_has_its_closed_forms(t: float) -> None:
    assert student_t_two_sided(t, 1) == pytest.approx(2 * math.atan2(1, t) / math.pi, rel=1e-12)
    assert student_t_two_sided(-t, 2) == pytest.approx(2 / (2 + t * t + t * math.sqrt(2 + t * t)), rel=1e-12)
    normal = math.erfc(t / math.sqrt(2))
    assert student_t_two_sided(t, 1e9) == pytest.approx(normal, rel=1e-4, abs=1e-300)


def test_tail_at_the_ends() -> None:
    assert student_t_two_sided(math.inf, 5) == 0.0
    assert math.isnan(student_t_two_sided(math.nan, 5))
    with pytest.raises(ValueError, match="degrees is 0"):
        student_t_two_sided(1.0, 0)


@given(st.floats(0.2, 50), st.floats(0.2, 50), st.floats(0, 1))
def test_incomplete_beta_reflects(a: float, b: float, x: float) -> None:
    got = incomplete_beta(a, b, x)
    assert 0 <= got <= 1
    assert got == pytest.approx(1 - incomplete_beta(b, a, 1 - x, x), abs=1e-11)


@pytest.mark.parametrize(
    ("a", "b", "x", "expected"),
    [
        pytest.param(1, 1, 0.3, 0.3, id="uniform"),
        pytest.param(3, 1, 0.5, 0.125, id="power"),
        pytest.param(7.5, 7.5, 0.5, 0.5, id="middle"),
        pytest.param(2, 3, 0.4, 0.5248, id="polynomial"),  # 6 x^2 - 8 x^3 + 3 x^4
        pytest.param(2, 3, 0.0, 0.0, id="zero"),
        pytest.param(2, 3, 1.0, 1.0, id="one"),
    ],
)
def test_incomplete_beta_by_hand(a: float, b: float, x: float, expected: float) -> None:
    assert incomplete_beta(a, b, x) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("level", "freedom", "expected"),
    [
        # printed tables of Student's t, one-sided
        pytest.param(0.975, 2, 4.302653, id="975-df2"),
        pytest.param(0.975, 3, 3.182446, id="975-df3"),
        pytest.param(0.975, 5, 2.570582, id="975-df5"),
        pytest.param(0.975, 10, 2.228139, id="975-df10"),
        pytest.param(0.975, 30, 2.042272, id="975-df30"),
        pytest.param(0.9, 3, 1.637744, id="90-df3"),
        pytest.param(0.9, 5, 1.475884, id="90-df5"),
        pytest.param(0.9, 10, 1.372184, id="90-df10"),
        pytest.param(0.9, 30, 1.310415, id="90-df30"),
        pytest.param(0.999, 3, 10.214532, id="999-df3"),
        pytest.param(0.999, 120, 3.159539, id="999-df120"),
    ],
)
def test_quantiles_are_those_of_the_tables(level: float, freedom: int, expected: float) -> None:
    got = student_t_quantile(level, np.array([float(freedom)]))
    assert got[0] == pytest.approx(expected, abs=6e-7)
    assert student_t_quantile(1 - level, np.array([float(freedom)]))[0] == pytest.approx(-expected, abs=6e-7)


@given(LEVELS)
def test_quantiles_have_their_closed_forms(level: float) -> None:
    """Shaw (2006), "Sampling Student's T distribution": 2 and 4 degrees of freedom."""
    spread = 4 * level * (1 - level)
    two = (2 * level - 1) * math.sqrt(2 / spread)
    four = math.copysign(2, level - 0.5) * math.sqrt(
        max(0, math.cos(math.acos(math.sqrt(spread)) / 3) / math.sqrt(spread) - 1)
    )
    got = student_t_quantile(level, np.array([2.0, 4.0]))
    assert got[0] == pytest.approx(two, rel=1e-9, abs=1e-12)
    assert got[1] == pytest.approx(four, rel=1e-9, abs=1e-7)  # the closed form loses digits near the median


@given(LEVELS, FREEDOMS)
def test_the_probability_below_a_quantile_is_its_level(level: float, freedom: float) -> None:
    got = float(student_t_quantile(level, np.array(freedom)))
    beyond = student_t_two_sided(got, freedom) / 2
    assert (beyond if got < 0 else 1 - beyond) == pytest.approx(level, abs=1e-9)


@pytest.mark.parametrize("freedom", [2.0, 2.05, 3.7, 11.0, 150.0, 1e4, 1e6], ids=str)
@pytest.mark.parametrize("level", [0.6, 0.9, 0.975, 0.999], ids=str)
def test_the_density_up_to_a_quantile_sums_to_its_level(level: float, freedom: float) -> None:
    """``t = sqrt(nu) tan(x)`` makes the density a power of the cosine, over a finite range."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    end = math.atan(float(student_t_quantile(level, np.array(freedom))) / math.sqrt(freedom))
    x = end / 2 * (nodes + 1)
    half = math.sqrt(math.pi) * math.exp(math.lgamma(freedom / 2) - math.lgamma((freedom + 1) / 2))
    area = end / 2 * float(weights @ np.exp((freedom - 1) * np.log(np.cos(x)))) / half
    assert 0.5 + area == pytest.approx(level, abs=1e-9)


@given(LEVELS, st.floats(200.0, 1e9))
def test_many_degrees_of_freedom_follow_the_expansion_about_the_normal(level: float, freedom: float) -> None:
    """Abramowitz & Stegun 26.7.5."""
    x = NormalDist().inv_cdf(level)
    terms = (
        x,
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160,
    )
    expected = sum(term / freedom**power for power, term in enumerate(terms))
    assert float(student_t_quantile(level, np.array(freedom))) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("tail", [1e-5, 1e-8, 1e-12], ids=str)
def test_far_tails_are_right_in_proportion(tail: float) -> None:
    for freedom in (2.0, 2.5, 5.0, 40.0, 1e3):
        got = float(student_t_quantile(tail, np.array(freedom)))
        assert student_t_two_sided(got, freedom) / 2 == pytest.approx(tail, rel=1e-5)


@given(FREEDOMS, LEVELS, st.floats(-1e-6, 1e-6))
def test_the_middle_is_smooth_and_odd(freedom: float, level: float, step: float) -> None:
    nu = np.array(freedom)
    assert float(student_t_quantile(0.5, nu)) == 0
    density = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    beside = 0.5 + step  # rounded: a small step is not the one that was drawn
    assert float(student_t_quantile(beside, nu)) == pytest.approx((beside - 0.5) / density, rel=1e-6, abs=1e-16)
    assert float(student_t_quantile(level, nu)) == pytest.approx(-float(student_t_quantile(1 - level, nu)), rel=1e-9)


def test_shape_nan_and_infinity() -> None:
    got = student_t_quantile(0.9, np.array([[3.0, np.nan, np.inf]]))
    assert got.shape == (1, 3)
    assert np.isnan(got[0, 1])
    assert got[0, 2] == pytest.approx(NormalDist().inv_cdf(0.9), rel=1e-10)
    assert np.isnan(student_t_quantile(0.5, np.array([np.nan]))).all()


@pytest.mark.parametrize(("level", "freedom"), [(0.0, 3.0), (1.0, 3.0), (np.nan, 3.0), (0.9, 1.9)])
def test_quantiles_that_there_are_not(level: float, freedom: float) -> None:
    with pytest.raises(ValueError, match="level is|freedom is"):
        student_t_quantile(level, np.array([3.0, freedom]))
