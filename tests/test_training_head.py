import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.core import twin
from rnncast.core.loss_table import HUBER, QUANTILE
from rnncast.data.transform import working_series
from rnncast.data.windows import windows_between
from rnncast.model.config import NetworkConfig
from rnncast.model.inputs import make_frame, normalised_targets
from rnncast.training.head import SAMPLE, empirical_head, spread_evenly


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
