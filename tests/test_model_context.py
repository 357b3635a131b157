"""The context: its unit, and how far a series is taken to go at most."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import make_panel

from rnncast.data.transform import working_series
from rnncast.data.windows import windows_at_ends
from rnncast.model.config import NetworkConfig
from rnncast.model.context import REACH, make_context
from rnncast.model.inputs import make_frame

CONFIG = NetworkConfig(input_size=12, horizon=5)


def bounds_of(values, horizon=5):
    """Lowest and highest values (K,) that a series is taken to reach, in its own units."""
    working = working_series(make_panel({"a": np.asarray(values, dtype=float)}))
    windows = windows_at_ends(working.indptr)
    context = make_context(CONFIG, working, windows, make_frame(CONFIG, working, windows).local)
    return [context.local.inverse(bound)[:, 0] for bound in context.bounds(horizon)]


def test_bounds_of_levels_are_ranges_beyond_the_rows():
    low, high = bounds_of([-2.0, 3.0, 0.0, 1.0, 2.0])
    np.testing.assert_allclose(low, -2.0 - REACH * 5.0)
    np.testing.assert_allclose(high, 3.0 + REACH * 5.0)


def test_bounds_of_a_positive_series_are_as_high_and_never_negative():
    low, high = bounds_of([20.0, 30.0, 10.0, 25.0, 12.0])
    np.testing.assert_allclose(high, 30.0 + REACH * 20.0)
    np.testing.assert_allclose(low, 10.0 / (1.0 + REACH * 20.0 / 10.0))


def test_series_that_was_at_zero_and_never_below_is_taken_to_stay_above():
    low, high = bounds_of([0.0, 3.0, 0.0, 1.0, 2.0])
    assert (low == 0.0).all()
    np.testing.assert_allclose(high, 3.0 + REACH * 3.0)


def test_bounds_widen_where_there_are_more_steps_than_rows():
    _, high = bounds_of([-1.0, 1.0, 0.0, 0.5], horizon=12)
    np.testing.assert_allclose(high - 1.0, REACH * 2.0 * np.maximum(1.0, np.arange(1, 13) / 4))


@pytest.mark.parametrize("value", [0.0, 7.0, -3.0, 1e-300])
def test_series_that_never_moved_is_taken_to_stay(value):
    for bound in bounds_of(np.full(30, value)):
        assert (bound == value).all()


@pytest.mark.parametrize(
    "rows",
    [(862552812747.0, 1.9192437152246193e-296), (3639114621.0, 4.4646763094262e-299)],
    ids=["room for four times", "room for twice"],
)
def test_bounds_are_numbers_where_the_last_row_is_hardly_one(rows):
    low, high = bounds_of(rows, horizon=1)
    assert low == pytest.approx(-REACH * rows[0])  # so far apart are levels
    assert high == pytest.approx((1 + REACH) * rows[0])


@given(st.lists(st.floats(-1e100, 1e100), min_size=2, max_size=40), st.integers(1, 60), st.booleans())
@settings(max_examples=200, deadline=None)
def test_bounds_hold_all_rows_and_are_finite(values, horizon, positive):
    rows = np.abs(values) + 1e-99 if positive else np.array(values)
    low, high = bounds_of(rows, horizon)
    slack = 1e-6 * np.abs(rows).max()
    assert (low <= rows.min() + slack).all() and (high >= rows.max() - slack).all()
    assert np.isfinite(low).all() and np.isfinite(high).all()
    span = np.ptp(rows) * max(1.0, horizon / len(rows))
    assert high.max() - rows.max() <= REACH * span * (1 + 1e-6) + slack
    if positive:
        assert (low >= 0).all()
