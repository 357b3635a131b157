import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import make_panel, random_walk

from rnncast.data.transform import is_logarithmic, local_scale, working_series
from rnncast.data.windows import gather_inputs, windows_at_ends


@given(
    level=st.floats(1e-6, 1e12),
    moves=st.lists(st.floats(-0.3, 0.3), min_size=3, max_size=20),
    positive=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_inverse_undoes_normalise(level, moves, positive):
    values = level * np.exp(np.cumsum(moves))
    if not positive:
        values = values - 2 * level
    panel = make_panel({"a": values})
    working = working_series(panel)
    window, valid = gather_inputs(working, windows_at_ends(panel.indptr), len(values))
    local = local_scale(window, valid, panel.target[-1:], working.logarithmic)
    got = local.inverse(local.normalise(window))[:, 0]
    np.testing.assert_allclose(got, values, rtol=1e-9, atol=1e-9 * np.abs(values).max())


def test_logarithm_only_for_positive_series():
    panel = make_panel({"up": np.array([1.0, 2.0]), "zero": np.array([1.0, 0.0]), "below": np.array([1.0, -36.98])})
    assert is_logarithmic(panel).tolist() == [True, False, False]


def test_denormal_values_are_taken_as_levels():
    panel = make_panel({"a": np.array([6e-319, 7e-319, 8e-319])})
    assert not is_logarithmic(panel)[0]


def test_positive_series_stays_positive(rng):
    panel = make_panel({"a": random_walk(rng, 30)})
    working = working_series(panel)
    window, valid = gather_inputs(working, windows_at_ends(panel.indptr), 20)
    got = local_scale(window, valid, panel.target[-1:], working.logarithmic).inverse(np.array([[-1e4], [-1.0]]))
    assert (got >= 0).all() and got[1, 0] > 0


@pytest.mark.parametrize("level", [3.8, 0.0, -5.0], ids=["peg", "zero", "negative"])
def test_constant_window_has_a_scale_and_finite_numbers(level):
    panel = make_panel({"a": np.full(20, level)})
    working = working_series(panel)
    window, valid = gather_inputs(working, windows_at_ends(panel.indptr), 20)
    local = local_scale(window, valid, panel.target[-1:], working.logarithmic)
    assert local.scale[0] > 0
    np.testing.assert_array_equal(local.normalise(window), 0.0)
    np.testing.assert_allclose(local.inverse(np.ones((1, 1))), level, rtol=1e-6, atol=1e-12)


def test_large_level_keeps_small_moves():
    values = 1e12 + np.cumsum(np.tile([1.0, -2.0, 3.0], 10))
    panel = make_panel({"a": values})
    working = working_series(panel, np.array([False]))
    window, valid = gather_inputs(working, windows_at_ends(panel.indptr), 30)
    local = local_scale(window, valid, panel.target[-1:], working.logarithmic)
    got = local.inverse(local.normalise(window))[:, 0]
    np.testing.assert_allclose(got, values, atol=1e-3)


def test_padding_does_not_shrink_the_scale():
    values = np.array([1.0, 2.0, 4.0, 8.0])
    panel = make_panel({"a": values})
    working = working_series(panel)
    short, valid = gather_inputs(working, windows_at_ends(panel.indptr), 4)
    padded, valid_padded = gather_inputs(working, windows_at_ends(panel.indptr), 10)
    expected = local_scale(short, valid, values[-1:], working.logarithmic).scale
    got = local_scale(padded, valid_padded, values[-1:], working.logarithmic).scale
    np.testing.assert_allclose(got, expected)


def test_no_change_is_the_last_value_to_the_bit(rng):
    panel = make_panel({"a": np.round(random_walk(rng, 50), 2)})
    working = working_series(panel)
    window, valid = gather_inputs(working, windows_at_ends(panel.indptr), 20)
    got = local_scale(window, valid, panel.target[-1:], working.logarithmic).inverse(np.zeros((3, 1)))
    np.testing.assert_array_equal(got, panel.target[-1])
