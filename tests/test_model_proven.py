"""Simple paths as far as a series bears them out: what is gained where they fit, and nothing lost where they do not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnncast.baselines.smoothing import damped_trend, damped_trend_before
from rnncast.model.config import NetworkConfig
from rnncast.model.gate import simple_path
from rnncast.model.proven import ASKED, STRIDE, likely

CONFIG = NetworkConfig(input_size=12, horizon=6)
SEASONAL = NetworkConfig(input_size=12, horizon=4, season_length=4, channels=("level", "seasonal change"))
OTHERS = ("drift", "theta", "damped trend", "Holt-Winters")
histories = arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e3, 1e3).map(lambda value: round(value, 3)))


def path_of(name, history, config=CONFIG, front=0):
    rows = np.concatenate((np.full(front, history[0]), history))[:, None]
    return simple_path(name, config, rows, np.array([len(history)]))[:, 0]


def test_a_line_is_gone_on_with():
    got = path_of("drift", 2.0 * np.arange(40.0))
    np.testing.assert_allclose(got, 78.0 + 2.0 * np.arange(1, 7))


@pytest.mark.parametrize("name", ["drift", "theta", "damped trend"])
def test_a_trend_that_broke_off_is_not_gone_on_with(name):
    level = np.concatenate((np.arange(40.0) * 3.0, 117.0 + np.tile([0.0, 1.0], 15)))
    assert np.abs(path_of(name, level) - level[-1]).max() <= 1.0


@pytest.mark.parametrize("name", ["theta", "damped trend"])
def test_a_change_of_level_at_the_end_is_no_trend(rng, name):
    level = 100.0 + rng.standard_normal(40)
    level[-2:] = 1000.0
    typical = np.sort(np.abs(np.diff(level)))[19]
    got = path_of(name, level)
    assert (got <= 1000.0 + STRIDE * typical * np.arange(1, 7)).all()


@pytest.mark.parametrize("name", OTHERS)
def test_series_at_rest_stays(name):
    """It moved before, by a clear trend, and stands still since: for as many rows as are looked at from each place."""
    rest = np.concatenate((np.arange(40.0), np.full(8, 39.0)))
    assert (path_of(name, rest) == 39.0).all()


def test_walks_stay_near_the_last_value_and_trends_do_not(rng):
    walks = np.cumsum(rng.standard_normal((80, 300)), axis=0)
    lines = np.arange(80.0)[:, None] + rng.standard_normal((80, 300))
    valid = np.full(300, 80)
    for name in ("drift", "theta", "damped trend"):
        moved = [np.abs(simple_path(name, CONFIG, rows, valid) - rows[-1]).mean() for rows in (walks, lines)]
        assert moved[0] < 0.25 * moved[1]


def test_season_and_trend_are_gone_on_with_where_the_last_season_is_the_naive_path():
    rows = 3.0 * np.arange(48.0) + np.tile([5.0, 0.0, -4.0, -1.0], 12)
    expected = 3.0 * np.arange(48.0, 52.0) + [5.0, 0.0, -4.0, -1.0]
    got = path_of("Holt-Winters", rows, SEASONAL)
    np.testing.assert_allclose(got, expected, atol=2.5)  # the trend is damped
    assert np.abs(rows[-4:] - expected).min() > 10.0


def test_season_that_lost_its_shape_is_not_taken(rng):
    """What Holt-Winters learnt of long ago does not count where it loses to the last season ever since."""
    old = np.tile([50.0, -50.0, 0.0, 0.0], 10) + 5.0 * np.arange(40)
    rows = np.concatenate((old, 195.0 + np.tile([0.0, 1.0, 2.0, 3.0], 5)))
    error = [np.abs(path_of(name, rows, SEASONAL) - rows[-4:]).mean() for name in ("Holt-Winters", "seasonal naive")]
    assert error[0] < 1.0
    assert error[1] == 0.0


@pytest.mark.parametrize("name", OTHERS)
@given(history=histories, config=st.sampled_from([CONFIG, SEASONAL]))
@settings(max_examples=60, deadline=None)
def test_any_history_has_a_path_within_what_is_likely(name, history, config):
    got = path_of(name, history, config)
    largest = STRIDE * np.abs(np.diff(history, prepend=history[0])).max() * config.season_length
    slack = 1e-9 * (1.0 + np.abs(history).max())
    ahead = np.arange(1, config.horizon + 1)
    assert (got <= history.max() + largest * ahead + slack).all()
    assert (got >= history.min() - largest * ahead - slack).all()
    np.testing.assert_array_equal(path_of(name, history, config, front=5), got)
    if len(history) <= ASKED:
        naive = "seasonal naive" if config is SEASONAL else "last value"
        np.testing.assert_array_equal(got, path_of(naive, history, config))


@given(history=histories)
@settings(max_examples=60, deadline=None)
def test_likely_leaves_what_lies_within_the_rows(history):
    rows, valid = history[:, None], np.array([len(history)])
    within = np.linspace(history.min(), history.max(), 5)[:, None]
    np.testing.assert_array_equal(likely(within, rows, valid, 4), within)


def test_columns_do_not_know_of_each_other(rng):
    valid = np.array([60, 33, 5, 4, 1, 17])
    rows = np.cumsum(rng.standard_normal((60, 6)), axis=0)
    for config in (CONFIG, SEASONAL):
        for name in OTHERS:
            together = simple_path(name, config, rows, valid)
            for column, count in enumerate(valid):
                own = np.concatenate((np.full(60 - count, rows[60 - count, column]), rows[60 - count :, column]))
                alone = simple_path(name, config, own[:, None], valid[column : column + 1])
                np.testing.assert_array_equal(together[:, column], alone[:, 0])


def test_damped_trends_from_several_places_are_those_from_each(rng):
    """Histories of different length, some with a jump: one pass over them, and one for each place."""
    rows = np.cumsum(rng.standard_normal((120, 300)), axis=0)
    rows[60:, ::7] += 50.0
    valid = rng.integers(60, 121, 300)
    backs = np.arange(5)[:, None] * rng.integers(1, 10, 300)
    got = damped_trend_before(rows, valid, backs, 6)
    for back, path in zip(backs, got, strict=True):
        view = np.take_along_axis(rows, np.maximum(np.arange(120)[:, None] - back, 0), axis=0)
        np.testing.assert_allclose(path, damped_trend(view, valid - back, 6, 1), rtol=1e-9, atol=1e-9)
