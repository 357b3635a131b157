"""Scales and quantiles of calibrated intervals."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncast.model.config import NetworkConfig
from rnncast.model.intervals import LEVELS, Calibration, Volatility, at_levels, network_widths, scales

CONFIG = NetworkConfig(input_size=20, horizon=5)
SEASONAL = NetworkConfig(input_size=20, horizon=5, season_length=4, channels=("level", "seasonal change"))
ROWS = CONFIG.context_rows
ONES = np.ones((5, 3))


def test_levels_of_the_table_are_symmetric_and_ascending():
    assert (np.diff(LEVELS) > 0).all()
    np.testing.assert_allclose(LEVELS + LEVELS[::-1], 1.0)
    assert LEVELS[len(LEVELS) // 2] == 0.5


def test_interpolation_is_exact_for_a_normal_distribution():
    known, asked = np.array([0.025, 0.1, 0.5, 0.9, 0.975]), np.array([0.001, 0.05, 0.3, 0.6, 0.999])
    normal = NormalDist(3.0, 2.0)
    path = np.array([normal.inv_cdf(level) for level in known])[None, :, None]
    got = at_levels(path, known, asked)[0, :, 0]
    np.testing.assert_allclose(got, [normal.inv_cdf(level) for level in asked], rtol=1e-12)


@given(st.integers(2, ROWS), st.integers(0, 99), st.sampled_from([CONFIG, SEASONAL]))
@settings(max_examples=60, deadline=None)
def test_scale_depends_on_the_rows_that_count_alone(rows, seed, config):
    context = np.cumsum(np.random.default_rng(seed).standard_normal((ROWS, 3)), axis=0)
    padded = np.where(np.arange(ROWS)[:, None] < ROWS - rows, context[ROWS - rows], context)
    volatility, valid = Volatility(0.9, 0.95, 0.0), np.full(3, rows)
    got = scales(volatility, config, padded, valid, ONES)
    cut = padded[ROWS - rows :]
    if rows > config.season_length + 1:
        np.testing.assert_allclose(got, scales(volatility, config, cut, valid, ONES), rtol=1e-12)
    np.testing.assert_allclose(scales(volatility, config, 8.0 * padded, valid, ONES), 8.0 * got, rtol=1e-12)
    assert (got > 0).all()


def test_variance_goes_back_to_the_usual_one_by_its_persistence(rng):
    """A storm at the end: the share of its excess variance that is left, on average over k steps, is the formula's."""
    sizes = np.where(np.arange(ROWS) < ROWS - 30, 1.0, 5.0)[:, None]
    context = np.cumsum(rng.standard_normal((ROWS, 3)) * sizes, axis=0)
    valid = np.full(3, ROWS)
    at_once = scales(Volatility(0.9, 1.0, 0.0), CONFIG, context, valid, ONES)
    usual = scales(Volatility(1.0, 1.0, 0.0), CONFIG, context, valid, ONES)
    got = scales(Volatility(0.9, 0.8, 0.0), CONFIG, context, valid, ONES)
    assert (np.diff(at_once, axis=0) == 0).all()
    left = np.array([np.mean(0.8 ** np.arange(k)) for k in range(1, 6)])[:, None]
    np.testing.assert_allclose(got**2, usual**2 + (at_once**2 - usual**2) * left, rtol=1e-12)
    assert (np.diff(got, axis=0) < 0).all()


def test_width_of_normal_quantiles_is_their_deviation():
    known = np.array([0.025, 0.1, 0.5, 0.9, 0.975])
    deviations = np.array([[0.5, 2.0, 1.0]] * 5)
    score = np.array([NormalDist().inv_cdf(level) for level in known])
    got = network_widths(3.0 + score[:, None] * deviations[:, None], known)
    np.testing.assert_allclose(got, deviations)


def test_width_and_volatility_are_mixed_as_their_exponents_say(rng):
    context, valid = np.cumsum(rng.standard_normal((ROWS, 3)), axis=0), np.full(3, ROWS)
    widths = rng.uniform(0.5, 2.0, (5, 3))
    moved = scales(Volatility(0.94, 1.0, 0.0), CONFIG, context, valid, widths)
    np.testing.assert_allclose(scales(Volatility(0.94, 1.0, 1.0), CONFIG, context, valid, widths), widths)
    got = scales(Volatility(0.94, 1.0, 0.5), CONFIG, context, valid, widths)
    np.testing.assert_allclose(got, np.sqrt(moved * widths))


def test_history_that_stood_still_has_a_scale_all_the_same():
    assert (scales(Volatility(0.94, 0.9, 0.5), CONFIG, np.zeros((ROWS, 3)), np.full(3, ROWS), 0 * ONES) > 0).all()


@pytest.mark.parametrize(
    "scores", [np.zeros((3, 4)), -np.cumsum(np.ones((3, len(LEVELS))), axis=1)], ids=["too few", "descending"]
)
def test_impossible_table_is_refused(scores):
    with pytest.raises(ValueError, match="expected"):
        Calibration(Volatility(0.94, 1.0, 0.0), scores)
