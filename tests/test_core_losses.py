"""The heads and losses beyond their gradients: what raw outputs of zero mean, and that quantiles never cross."""

import numpy as np
import pytest
from core_cases import LEVELS
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnncast.core.loss_table import MAE, MSE, QUANTILE, LossTable, point_table
from rnncast.core.shape import LSTM, Shape, parameter_count
from rnncast.core.twin import head_quantiles, loss_and_gradient


@pytest.fixture
def table():
    gaps = np.array([[0.1, 0.2, 9.0, 0.3, 0.4], [1.0, 2.0, 9.0, 3.0, 4.0]])  # (K, Q); entry m is unused
    return LossTable(QUANTILE, LEVELS, np.array([1.0, 2.0]), gaps)


def test_raw_zero_gives_the_median_zero_and_the_base_gaps(table):
    got = head_quantiles(np.zeros((10, 1)), table)[:, :, 0]  # (K, Q)
    np.testing.assert_allclose(got, [[-0.3, -0.2, 0, 0.3, 0.7], [-3, -2, 0, 3, 7]], atol=1e-15)


def test_median_is_spread_times_raw(table):
    raw = np.zeros((10, 1))
    raw[[2, 7]] = 1.5
    np.testing.assert_allclose(head_quantiles(raw, table)[:, 2, 0], [1.5, 3.0])


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.float32, (10, 3), elements=st.floats(-1e4, 1e4, width=32)))
def test_quantiles_never_cross(raw):
    table = LossTable(QUANTILE, LEVELS, np.array([1.0, 30.0]), np.full((2, 5), 0.3))
    assert (np.diff(head_quantiles(raw, table), axis=1) >= 0).all()


def test_one_quantile_loss_is_the_mean_absolute_error(rng):
    raw, targets = rng.standard_normal((3, 8)), rng.standard_normal((3, 8))
    median = LossTable(QUANTILE, np.array([0.5]), np.ones(3), np.zeros((3, 1)))
    got, got_gradient = loss_and_gradient(raw, targets, median)
    expected, expected_gradient = loss_and_gradient(raw, targets, point_table(MAE, 3))
    assert got == pytest.approx(expected)
    np.testing.assert_allclose(got_gradient, expected_gradient)
    assert got == pytest.approx(np.abs(raw - targets).mean())


def test_mean_squared_error_by_hand():
    got, _ = loss_and_gradient(np.array([[1.0, 3.0]]), np.array([[0.0, 1.0]]), point_table(MSE, 1), [3.0, 1.0])
    assert got == pytest.approx((3 * 1 + 1 * 4) / 4)


def test_best_constant_is_the_empirical_quantile(rng):
    """The pinball loss is least where the levels' shares of the data lie below."""
    data = np.sort(rng.standard_normal(999))
    quantiles = np.quantile(data, LEVELS)
    gaps = np.abs(np.insert(np.diff(quantiles), 2, 0.0))
    table = LossTable(QUANTILE, LEVELS, np.ones(1), gaps[None])
    raw = np.zeros((5, 999))
    raw[2] = quantiles[2]
    best, gradient = loss_and_gradient(raw, data[None], table)
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=2 / 999)
    for row in range(5):
        for shift in (-0.3, 0.3):
            moved = raw.copy()
            moved[row] += shift
            assert loss_and_gradient(moved, data[None], table)[0] > best


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"kind": 9}, "kind", id="kind"),
        pytest.param({"levels": [0.1, 0.9]}, "base_gap|levels", id="even"),
        pytest.param({"levels": [0.5, 0.1, 0.9]}, "ascend", id="disorder"),
        pytest.param({"base_gap": [[1.0, 1.0, -1.0]]}, "base_gap", id="negative_gap"),
        pytest.param({"base_gap": [[1.0, 1.0]]}, "base_gap", id="gap_shape"),
        pytest.param({"spread": [np.nan]}, "spread", id="nan"),
        pytest.param({"huber_delta": 0.0}, "huber_delta", id="delta"),
    ],
)
def test_impossible_tables_are_refused(change, message):
    good = {"kind": QUANTILE, "levels": [0.1, 0.5, 0.9], "spread": [1.0], "base_gap": [[1.0, 1.0, 1.0]]}
    assert LossTable(**good).outputs == 3
    with pytest.raises(ValueError, match=message):
        LossTable(**(good | change))


def test_outputs_of_a_table_are_counted(table):
    assert table.outputs == 10
    assert parameter_count(Shape(LSTM, 1, 3, 1, table.outputs)) > 10
