import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncast.training.schedule import FINAL_SHARE, batches, learning_rate


def test_rate_rises_to_its_highest_then_falls_to_its_final_share():
    rates = [learning_rate(update, 100, 0.5) for update in range(1, 101)]
    assert rates[0] == pytest.approx(0.05)
    assert rates[9] == pytest.approx(0.5) == max(rates)
    assert rates[-1] == pytest.approx(0.5 * FINAL_SHARE)
    assert np.all(np.diff(rates[:10]) > 0)
    assert np.all(np.diff(rates[9:]) < 0)
    assert learning_rate(1000, 100, 0.5) == rates[-1]


@given(windows=st.integers(1, 60), batch_size=st.integers(1, 40), seed=st.integers(0, 100))
def test_each_pass_takes_every_window_once(windows, batch_size, seed):
    stream = batches(windows, batch_size, np.random.default_rng(seed))
    size = min(batch_size, windows)
    taken = np.concatenate([next(stream) for _ in range(-(-3 * windows // size))])
    for start in range(0, 3 * windows, windows):
        assert sorted(taken[start : start + windows]) == list(range(windows))


def test_same_seed_gives_same_batches():
    got = batches(50, 8, np.random.default_rng(3))
    expected = batches(50, 8, np.random.default_rng(3))
    for _ in range(20):
        np.testing.assert_array_equal(next(got), next(expected))
