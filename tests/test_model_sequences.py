import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.data.transform import working_series
from rnncast.data.windows import Windows
from rnncast.model.config import NetworkConfig
from rnncast.model.inputs import INPUT_LIMIT, make_frame, normalised_targets
from rnncast.model.sequences import read_rows, row_targets, rows_from

SEASONAL = NetworkConfig(
    input_size=6,
    horizon=5,
    season_length=4,
    channels=("change", "seasonal change", "mean"),
    direct=False,
    stateful=True,
)
PLAIN = NetworkConfig(input_size=6, horizon=5, channels=("change", "mean"), direct=False, stateful=True)


def read_all(config, panel):
    working = working_series(panel)
    return read_rows(config, working, rows_from(panel.indptr, np.zeros(len(panel.ids), np.int64)))


def test_channels_of_a_row_by_hand():
    values = np.array([-1.0, 2.0, 4.0, 1.0, 0.0, 3.0, 7.0])
    got = read_all(PLAIN, make_panel({"a": values}))
    scale = np.abs(np.diff(values[1:])).mean()
    np.testing.assert_allclose(got.scale[-1], scale)
    np.testing.assert_allclose(got.inputs[-1], np.array([4.0, values[1:].mean() - 7.0]) / scale, rtol=1e-6)
    np.testing.assert_array_equal(got.inputs[0], 0.0)  # the first row has nothing before it
    np.testing.assert_allclose(got.inputs[1], [1.0, (0.5 - 2.0) / 3.0], rtol=1e-6)  # padding does not count


def test_seasonal_change_of_a_row_and_none_before_the_first_season():
    values = -np.array([1.0, 5.0, 2.0, 8.0, 2.0, 7.0, 1.0, 9.0, 4.0, 4.0])
    got = read_all(SEASONAL, make_panel({"a": values}))
    np.testing.assert_array_equal(got.inputs[:4, 1], 0.0)
    scale = np.abs(values[4:] - values[:-4]).mean()
    np.testing.assert_allclose(got.inputs[-1, 1], (values[-1] - values[-5]) / scale, rtol=1e-6)


@pytest.mark.parametrize("config", [PLAIN, SEASONAL], ids=["plain", "season"])
def test_a_row_depends_on_no_later_one_and_on_few_before(config, rng):
    panel = make_panel({"a": -random_walk(rng, 60), "b": rng.standard_normal(40)})
    expected = read_all(config, panel)
    values = panel.values.copy()
    values[30] *= 1.5
    got = read_all(config, make_panel({"a": values[:60, 0], "b": values[60:, 0]}))
    differs = (got.inputs != expected.inputs).any(axis=1) | (got.scale != expected.scale)
    assert np.flatnonzero(differs).min() == 30
    assert np.flatnonzero(differs).max() <= 30 + config.history_rows - 1


@pytest.mark.parametrize("config", [PLAIN, SEASONAL], ids=["plain", "season"])
def test_targets_are_those_of_the_window_that_ends_at_the_row(config, rng):
    panel = make_panel({"a": random_walk(rng, 50), "b": rng.standard_normal(50)})
    working = working_series(panel)
    rows = Windows(np.array([0, 0, 1, 1]), np.array([3, 45, 52, 90]))
    expected = normalised_targets(config, working, rows, make_frame(config, working, rows))
    got = row_targets(config, working, rows, read_all(config, panel).scale[rows.ends - 1])
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_parts_change_nothing_and_wild_rows_are_bounded(rng, monkeypatch):
    panel = make_panel({"a": np.concatenate((np.full(20, 5.0), [5e9], rng.standard_normal(30) + 9))})
    expected = read_all(PLAIN, panel)
    assert np.abs(expected.inputs).max() <= INPUT_LIMIT
    monkeypatch.setattr("rnncast.model.inputs.GATHERED", 30)
    got = read_all(PLAIN, panel)
    assert got.inputs.tobytes() == expected.inputs.tobytes()
    assert got.scale.tobytes() == expected.scale.tobytes()


def test_rows_from_a_place_of_each_series():
    got = rows_from(np.array([0, 5, 8]), np.array([3, 0]))
    assert got.series.tolist() == [0, 0, 1, 1, 1]
    assert (got.ends - 1).tolist() == [3, 4, 5, 6, 7]
