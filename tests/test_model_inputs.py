import numpy as np
from panels import make_panel, random_walk

from rnncast.data.transform import working_series
from rnncast.data.windows import Windows, windows_at_ends
from rnncast.model.config import NetworkConfig
from rnncast.model.inputs import INPUT_LIMIT, TARGET_LIMIT, in_parts, make_frame, network_inputs, normalised_targets


def window_ending_at(end):
    return Windows(np.array([0]), np.array([end]))


def test_level_and_change_of_a_window_by_hand():
    panel = make_panel({"a": np.array([-1.0, 2.0, 4.0, 1.0, 0.0])})
    config = NetworkConfig(input_size=4, horizon=1)
    frame = make_frame(config, working_series(panel), window_ending_at(4))
    scale = (3 + 2 + 3) / 3
    np.testing.assert_allclose(frame.local.scale, scale)
    np.testing.assert_allclose(
        network_inputs(config, frame)[:, 0, 0], np.array([-2.0, 1.0, 3.0, 0.0]) / scale, rtol=1e-6
    )
    np.testing.assert_allclose(
        network_inputs(config, frame)[:, 1, 0], np.array([0.0, 3.0, 2.0, -3.0]) / scale, rtol=1e-6
    )


def test_inputs_of_a_price_do_not_depend_on_its_currency(rng):
    walk = random_walk(rng, 40)
    config = NetworkConfig(input_size=20, horizon=5)
    got, expected = (
        network_inputs(config, make_frame(config, working_series(panel), windows_at_ends(panel.indptr)))
        for panel in (make_panel({"a": walk}), make_panel({"a": 7.3 * walk}))
    )
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_naive_path_repeats_the_last_season():
    season = np.array([1.0, 5.0, 2.0])
    panel = make_panel({"a": -np.tile(season, 5)})
    config = NetworkConfig(input_size=6, horizon=7, season_length=3)
    frame = make_frame(config, working_series(panel), windows_at_ends(panel.indptr))
    np.testing.assert_allclose(frame.local.inverse(frame.naive)[:, 0], -np.tile(season, 3)[:7])


def test_naive_path_without_a_season_is_the_last_value(rng):
    panel = make_panel({"a": random_walk(rng, 30)})
    frame = make_frame(NetworkConfig(horizon=4), working_series(panel), windows_at_ends(panel.indptr))
    np.testing.assert_array_equal(frame.naive, 0.0)


def test_targets_are_the_rows_after_the_window_beyond_the_naive_path(rng):
    panel = make_panel({"a": random_walk(rng, 60)})
    config = NetworkConfig(input_size=20, horizon=6, season_length=4)
    working = working_series(panel)
    windows = window_ending_at(50)
    frame = make_frame(config, working, windows)
    targets = normalised_targets(config, working, windows, frame)
    np.testing.assert_allclose(frame.local.inverse(targets + frame.naive)[:, 0], panel.target[50:56])


def test_wild_rows_are_bounded():
    values = np.concatenate((np.full(20, 5.0), [5000.0], np.full(20, 5.0)))
    panel = make_panel({"a": values})
    config = NetworkConfig(input_size=10, horizon=3)
    working = working_series(panel)
    before = window_ending_at(19)
    frame = make_frame(config, working, before)
    assert normalised_targets(config, working, before, frame).max() == TARGET_LIMIT
    assert np.abs(network_inputs(config, make_frame(config, working, window_ending_at(22)))).max() <= INPUT_LIMIT


def test_seasonal_change_reads_the_season_before_the_window(rng):
    values = rng.standard_normal(40)
    panel = make_panel({"a": values})
    config = NetworkConfig(input_size=6, horizon=2, season_length=4, channels=("level", "seasonal change"))
    frame = make_frame(config, working_series(panel), windows_at_ends(panel.indptr))
    scale = np.abs(values[-6:] - values[-10:-4]).mean()
    np.testing.assert_allclose(frame.local.scale, scale)
    np.testing.assert_allclose(
        network_inputs(config, frame)[:, 1, 0], (values[-6:] - values[-10:-4]) / scale, rtol=1e-5
    )


def test_perfectly_regular_season_has_a_scale_of_its_one_step_changes():
    panel = make_panel({"a": -np.tile([1.0, 5.0, 2.0], 6)})
    config = NetworkConfig(input_size=6, horizon=3, season_length=3, channels=("level", "seasonal change"))
    frame = make_frame(config, working_series(panel), windows_at_ends(panel.indptr))
    assert frame.local.scale[0] > 0.1
    assert np.isfinite(network_inputs(config, frame)).all()


def test_history_shorter_than_a_season_goes_on_from_its_last_value():
    """The season that is not there is padding, and padding is not to be forecast."""
    panel = make_panel({"a": np.array([100.0, 200.0, 300.0])})
    config = NetworkConfig(input_size=24, horizon=12, season_length=12, channels=("level", "seasonal change"))
    frame = make_frame(config, working_series(panel), windows_at_ends(panel.indptr))
    np.testing.assert_array_equal(frame.local.inverse(frame.naive)[:, 0], 300.0)
    np.testing.assert_array_equal(network_inputs(config, frame)[:, 1, 0], 0.0)


def test_parts_cover_all_windows_once():
    config = NetworkConfig(input_size=2016, horizon=288, season_length=288)
    parts = list(in_parts(config, 4096))
    assert len(parts) > 5
    assert np.concatenate([np.arange(4096)[part] for part in parts]).tolist() == list(range(4096))
