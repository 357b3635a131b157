"""The likelihood of Student's t: closed forms, an area of one, its ends, and quantiles that are the distribution's."""

import math
from fractions import Fraction

import numpy as np
import pytest
from core_cases import LEVELS
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnncast.core.engine import Engine
from rnncast.core.loss_table import LEAST_SCALE, QUANTILE, STUDENT_T, LossTable
from rnncast.core.shape import RNN_TANH, Shape, parameter_count
from rnncast.core.student_t import student_t_quantile
from rnncast.core.twin import head_quantiles, loss_and_gradient

SIDES = pytest.mark.parametrize("side", ["kernel", "twin"])
DTYPES = {"float64": (np.float64, 1e-12), "float32": (np.float32, 1e-5)}


def make_table(freedom, scale=1.0, spread=1.0, levels=LEVELS):
    """One horizon step whose raw outputs of zero mean a location of zero and the scale and freedom given."""
    return LossTable(STUDENT_T, levels, [spread], [[scale, 0.0, freedom - 2.0]])


def evaluate(side, table, raw, target, dtype=np.float64):
    """Loss of one window, and the gradient of its three raw outputs, of which a network's biases are all there is."""
    raw = np.asarray(raw, dtype)
    if side == "twin":
        loss, gradient = loss_and_gradient(raw[:, None], np.array([[target]], dtype), table)
        return loss, gradient[:, 0]
    shape = Shape(RNN_TANH, 1, 1, 1, 3)
    parameters = np.zeros(parameter_count(shape), dtype)
    parameters[-3:] = raw
    engine = Engine(shape, 1, 1, dtype, loss=table)
    loss, gradient = engine.loss_and_gradient(parameters, np.zeros((1, 1, 1), dtype), np.array([[target]], dtype))
    return loss, gradient[-3:].copy()


@SIDES
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("freedom", "density"),
    [
        pytest.param(3, lambda a: 6 * math.sqrt(3) / (math.pi * (3 + a * a) ** 2), id="3"),
        pytest.param(4, lambda a: 0.375 * (1 + a * a / 4) ** -2.5, id="4"),
        pytest.param(5, lambda a: 8 / (3 * math.pi * math.sqrt(5)) * (1 + a * a / 5) ** -3, id="5"),
    ],
)
def test_densities_with_a_closed_form(freedom, density, dtype, side):
    kind, tolerance = DTYPES[dtype]
    for scale, target in ((1.0, 0.0), (1.0, 0.7), (2.5, -8.0), (0.25, 30.0)):
        got, gradient = evaluate(side, make_table(freedom, scale, spread=3.0), [0, 0, 0], target, kind)
        assert got == pytest.approx(-math.log(density(target / scale) / scale), rel=tolerance)
        slope = -(freedom + 1) * target / (freedom * scale**2 + target**2)
        assert gradient[1] == pytest.approx(3.0 * slope, rel=tolerance)


@SIDES
@pytest.mark.parametrize("first", [3, 4])
def test_height_of_the_density_is_exact_for_whole_degrees_of_freedom(first, side):
    """``p(0) sqrt(nu)`` grows from nu to nu + 2 by the rational factor (nu + 1) / nu, from a known one."""
    height, factor = {3: 2 / math.pi, 4: 0.75}[first], Fraction(1)
    for freedom in range(first, 400, 2):
        expected = math.log(height * float(factor) / math.sqrt(freedom))
        assert -evaluate(side, make_table(freedom), [0, 0, 0], 0.0)[0] == pytest.approx(expected, abs=2e-12)
        factor *= Fraction(freedom + 1, freedom)


@SIDES
@pytest.mark.parametrize("dtype", DTYPES)
def test_many_degrees_of_freedom_are_a_normal_distribution(dtype, side):
    kind, tolerance = DTYPES[dtype]
    for freedom in (1e5, 1e7) if side == "twin" else (1e5, 1e9, 1e15):  # the twin subtracts two huge numbers
        for target in (0.0, 0.5, -4.0):
            got, gradient = evaluate(side, make_table(freedom, 2.0), [0, 0, 0], target, kind)
            a = target / 2
            expected = 0.5 * math.log(2 * math.pi) + math.log(2) + a * a / 2
            assert got == pytest.approx(expected, abs=max(1e2 / freedom, 10 * tolerance, 1e-8))
            assert gradient[0] == pytest.approx((1 - a * a) * (1 - LEAST_SCALE) * (1 - math.exp(-1)), abs=1e-3)
            assert abs(gradient[2]) < 1e-3


@SIDES
@pytest.mark.parametrize(
    "raw",
    [[0, 0, 0], [-3, 0.4, -4], [2, -1, 3], [1, 0, -20]],
    ids=["base", "narrow_heavy", "wide_light", "two"],
)
def test_densities_sum_to_one(raw, side):
    """With ``t = sqrt(nu) tan(x)`` over all x, for which the integrand is bounded."""
    table = make_table(4.5, 1.5, spread=2.0)
    x, weights = np.polynomial.legendre.leggauss(60)
    t = math.sqrt(3) * np.tan(math.pi / 2 * x)
    stretched = weights * math.pi / 2 * math.sqrt(3) / np.cos(math.pi / 2 * x) ** 2
    scale = 1.5 * (LEAST_SCALE + (1 - LEAST_SCALE) * np.log1p(math.expm1(1) * math.exp(raw[0])))
    densities = [math.exp(-evaluate(side, table, raw, 2.0 * raw[1] + scale * value)[0]) for value in t]
    assert scale * float(stretched @ densities) == pytest.approx(1.0, abs=1e-5)


@SIDES
@pytest.mark.parametrize("dtype", DTYPES)
def test_gradient_is_that_of_the_value(dtype, side, rng):
    """Central differences in float64, also for errors far out and raw outputs far from zero."""
    table = make_table(5.0, 0.7, spread=1.3)
    kind, tolerance = {"float64": (np.float64, 1e-6), "float32": (np.float32, 1e-3)}[dtype]
    for target in (0.0, 1.0, -30.0, 1000.0):
        raw = rng.uniform(-3, 3, 3).astype(kind).astype(np.float64)
        _, got = evaluate(side, table, raw, target, kind)
        for j, step in enumerate(1e-5 * np.eye(3)):
            above, below = (evaluate(side, table, raw + sign * step, target)[0] for sign in (1, -1))
            assert got[j] == pytest.approx((above - below) / 2e-5, rel=tolerance, abs=tolerance / 10)


@SIDES
@pytest.mark.parametrize("dtype", DTYPES)
def test_raw_outputs_without_bounds_give_finite_numbers(dtype, side):
    for raw in np.array(np.meshgrid(*[[-1e4, -90.0, 0.0, 90.0, 1e4]] * 3)).reshape(3, -1).T:
        for target in (0.0, -1000.0):
            loss, gradient = evaluate(side, make_table(4.0, 1e-3), raw, target, DTYPES[dtype][0])
            assert math.isfinite(loss)
            assert np.isfinite(gradient).all()


@SIDES
def test_errors_of_zero_do_not_shrink_the_scale_to_nothing(side):
    expected = evaluate(side, make_table(4.0, LEAST_SCALE), [0, 0, 0], 0.0)[0]
    assert evaluate(side, make_table(4.0), [-1e3, 0, 0], 0.0)[0] == pytest.approx(expected)


@SIDES
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("place", range(4), ids=["scale", "location", "freedom", "target"])
def test_nan_is_seen_in_the_value_and_the_gradient(place, dtype, side):
    values = np.zeros(4)
    values[place] = np.nan
    with np.errstate(invalid="ignore"):  # NumPy warns of a NaN in its logarithms
        loss, gradient = evaluate(side, make_table(4.0), values[:3], values[3], DTYPES[dtype][0])
    assert math.isnan(loss)
    assert np.isnan(gradient).any()


def test_raw_zero_gives_the_quantiles_of_the_bases():
    table = LossTable(STUDENT_T, LEVELS, [1.0, 2.0], [[0.5, 9.0, 1.0], [2.0, 9.0, 8.0]])  # the middle is unused
    got = head_quantiles(np.zeros((6, 1)), table)[:, :, 0]  # (K, Q)
    expected = [
        [scale * student_t_quantile(q, np.array(nu)) for q in LEVELS] for scale, nu in ((0.5, 3.0), (2.0, 10.0))
    ]
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)
    assert (got[:, 2] == 0).all()


def test_median_is_spread_times_raw():
    raw = np.array([[0.3, 1.5, -0.2]]).T
    assert head_quantiles(raw, make_table(3.0, spread=2.0))[0, 2, 0] == 3.0


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.float32, (3, 4), elements=st.floats(-1e4, 1e4, width=32)),
    st.sets(st.integers(1, 499_999).map(lambda millionths: millionths / 1e6), min_size=1, max_size=4),
)
def test_quantiles_never_cross(raw, tails):
    levels = sorted({0.5, *tails, *(1 - tail for tail in tails)})
    got = head_quantiles(raw, make_table(2.5, 0.3, spread=30.0, levels=levels))
    assert (np.diff(got, axis=1) >= 0).all()


def test_loss_is_a_mean_over_targets_and_steps(rng):
    """However many raw outputs and levels there are."""
    raw, targets = rng.standard_normal((2, 9, 4)), rng.standard_normal((2, 3, 4))
    table = LossTable(STUDENT_T, LEVELS, np.ones(3), np.ones((3, 3)))
    alone = LossTable(STUDENT_T, [0.5], np.ones(1), np.ones((1, 3)))
    got, _ = loss_and_gradient(raw, targets, table)
    each = [
        loss_and_gradient(raw[t, 3 * k : 3 * k + 3], targets[t, k : k + 1], alone)[0]
        for t in range(2)
        for k in range(3)
    ]
    assert got == pytest.approx(np.mean(each))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"base_gap": [[1.0] * 5]}, "base_gap has shape", id="a_base_for_each_level"),
        pytest.param({"base_gap": [[0.0, 1.0, 1.0]]}, "is positive", id="scale"),
        pytest.param({"base_gap": [[1.0, 1.0, 0.0]]}, "is positive", id="freedom"),
        pytest.param({"levels": [0.1, 0.9]}, "odd", id="even"),
        pytest.param({"kind": QUANTILE, "base_gap": [[1.0] * 3]}, "base_gap has shape", id="of_another_loss"),
    ],
)
def test_impossible_tables_are_refused(change, message):
    good = {"kind": STUDENT_T, "levels": LEVELS, "spread": [1.0], "base_gap": [[1.0, 0.0, 1.0]]}
    assert (LossTable(**good).group, LossTable(**good).outputs) == (3, 3)
    with pytest.raises(ValueError, match=message):
        LossTable(**(good | change))
