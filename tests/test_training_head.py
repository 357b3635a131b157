import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.core import twin
from rnncast.core.loss_table import FREEDOM, HUBER, QUANTILE, SCALE, STUDENT_T
from rnncast.data.transform import working_series
from rnncast.data.windows import spread_evenly, windows_between
from rnncast.model.config import NetworkConfig
from rnncast.model.inputs import make_frame, normalised_targets
from rnncast.training.head import SAMPLE, empirical_head, student_t_bases


def all_windows(panel, config):
    return windows_between(panel.indptr, np.full(len(panel.ids), 20), panel.lengths - config.horizon)


def test_training_starts_at_the_empirical_quantiles_around_the_naive_path(rng):
    panel = make_panel({"a": random_walk(rng, 2000)})
    config = NetworkConfig(input_size=20, horizon=4)
    working, windows = working_series(panel), all_windows(panel, config)
    head = empirical_head(config, working, windows)
    assert head.kind == QUANTILE
    got = twin.head_quantiles(np.zeros((config.shape.outputs, 1)), head)[:, :, 0]  # (K, Q)
    errors = normalised_targets(config, working, windows, make_frame(config, working, windows))
    expected = np.quantile(errors, config.quantile_levels, axis=1).T
    np.testing.assert_array_equal(got[:, 2], 0.0)
    np.testing.assert_allclose(got, expected - expected[:, 2:3], rtol=1e-6)
    np.testing.assert_allclose(head.spread, np.abs(errors).mean(axis=1), rtol=0.01)


def test_constant_series_has_gaps_that_a_network_can_still_move():
    panel = make_panel({"a": np.full(100, 3.8)})
    config = NetworkConfig(input_size=20, horizon=3)
    head = empirical_head(config, working_series(panel), all_windows(panel, config))
    assert (head.spread > 0).all()
    assert (head.base_gap > 0).all()


def test_one_jump_does_not_set_the_spread(rng):
    values = np.concatenate((np.tile([3.8, 3.8001], 200), np.tile([2.6, 2.6001], 200)))
    panel = make_panel({"a": values})
    config = NetworkConfig(input_size=20, horizon=3)
    head = empirical_head(config, working_series(panel), all_windows(panel, config))
    assert head.spread.max() < 5.0


@pytest.mark.parametrize("freedom", [2.5, 4.0, 8.0, 50.0], ids=str)
def test_the_likeliest_distribution_is_found(rng, freedom):
    errors = np.stack([scale * rng.standard_t(freedom, 20_000) for scale in (0.1, 3.0)])
    got = student_t_bases(errors, np.full(2, 1e-6))
    np.testing.assert_allclose(got[:, SCALE], [0.1, 3.0], rtol=0.05)
    np.testing.assert_allclose(1 / (2 + got[:, FREEDOM]), 1 / freedom, atol=0.03)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_errors_of_zero_give_the_least_scale(rng, share):
    errors = rng.standard_normal((1, 1000)) * (rng.random((1, 1000)) < share)
    got = student_t_bases(errors, np.array([0.01]))
    assert np.isfinite(got).all()
    assert got[0, SCALE] >= 0.01
    assert got[0, FREEDOM] > 0


def test_training_starts_at_the_distribution_of_the_errors_of_the_naive_path(rng):
    panel = make_panel({"a": -50 + np.cumsum(rng.standard_t(3, 4000))})
    config = NetworkConfig(input_size=100, horizon=3, loss="student-t")
    working = working_series(panel)
    windows = windows_between(panel.indptr, np.full(1, 100), panel.lengths - config.horizon)
    head = empirical_head(config, working, windows)
    assert (head.kind, head.outputs) == (STUDENT_T, 9)
    quantiles = twin.head_quantiles(np.zeros((9, 1)), head)[:, :, 0]  # (K, Q)
    np.testing.assert_array_equal(quantiles[:, 2], 0.0)
    errors = normalised_targets(config, working, windows, make_frame(config, working, windows))
    below = (errors[:, None] <= quantiles[:, :, None]).mean(axis=2)
    np.testing.assert_allclose(below, np.broadcast_to(config.quantile_levels, below.shape), atol=0.02)
    assert 2.2 < 2 + head.base_gap[0, FREEDOM] < 4.5


def test_constant_series_has_a_scale_that_a_network_can_still_move():
    panel = make_panel({"a": np.full(100, 3.8)})
    config = NetworkConfig(input_size=20, horizon=3, loss="student-t")
    head = empirical_head(config, working_series(panel), all_windows(panel, config))
    assert (head.base_gap[:, [SCALE, FREEDOM]] > 0).all()


def test_losses_without_quantiles_keep_their_kind(rng):
    panel = make_panel({"a": random_walk(rng, 100)})
    config = NetworkConfig(input_size=20, horizon=3, loss="huber", quantile_levels=(0.5,))
    head = empirical_head(config, working_series(panel), all_windows(panel, config))
    assert head.kind == HUBER
    assert head.outputs == 3


@pytest.mark.parametrize("count", [1, SAMPLE, SAMPLE + 1, 10 * SAMPLE], ids=str)
def test_sample_is_even_and_has_both_ends(count):
    got = spread_evenly(count, SAMPLE)
    assert got[0] == 0
    assert got[-1] == count - 1
    assert len(np.unique(got)) == len(got) == min(count, SAMPLE)
