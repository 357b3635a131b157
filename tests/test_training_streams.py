import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncast.data.windows import windows_between
from rnncast.training.streams import LEAST_CHUNKS, chunks, lanes_of, stretches_of


def make(lengths, truncation, most):
    """Stretches of series of which the rows from the third to the last but two count."""
    lengths = np.asarray(lengths)
    indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    windows = windows_between(indptr, np.full_like(lengths, 3), lengths - 2)
    return indptr, windows, stretches_of(indptr, windows, truncation, most)


@given(
    lengths=st.lists(st.integers(1, 400), min_size=1, max_size=6),
    truncation=st.integers(1, 9),
    most=st.integers(1, 40),
    seed=st.integers(0, 99),
)
@settings(max_examples=150, deadline=None)
def test_each_row_that_counts_is_trained_on_once_a_pass_in_order_of_time(lengths, truncation, most, seed):
    indptr, windows, stretches = make([*lengths, 6], truncation, most)
    lanes = lanes_of(stretches, most)
    stream = chunks(stretches, truncation, lanes, np.random.default_rng(seed))
    counted = np.zeros(indptr[-1], np.int64)
    at = np.full(lanes, -1)
    for chunk in itertools.takewhile(lambda _: counted.sum() < len(windows), stream):
        follows = chunk.rows[0] == at + 1
        assert (follows | chunk.fresh).all()  # a state is carried only to the next row
        assert np.isin(chunk.rows[0][chunk.fresh], stretches.starts).all()
        np.add.at(counted, chunk.rows[chunk.counts], 1)
        at = chunk.rows[-1]
    expected = np.zeros(indptr[-1], np.int64)
    expected[windows.ends - 1] = 1
    assert (counted > 0).sum() > 0
    if lanes == len(stretches.starts) == 1:  # else some lanes are in the next pass already
        np.testing.assert_array_equal(counted, expected)
    assert set(np.flatnonzero(counted)) <= set(np.flatnonzero(expected))


@given(
    lengths=st.lists(st.integers(1, 2000), min_size=1, max_size=6),
    truncation=st.integers(1, 60),
    most=st.integers(1, 40),
)
@settings(max_examples=150, deadline=None)
def test_stretches_cover_what_counts_and_are_run_into(lengths, truncation, most):
    indptr, windows, stretches = make([*lengths, 6], truncation, most)
    covered = np.concatenate([np.arange(b, s) for b, s in zip(stretches.begins, stretches.stops, strict=True)])
    np.testing.assert_array_equal(np.sort(covered), windows.ends - 1)
    owner = np.searchsorted(indptr, stretches.stops - 1, side="right") - 1
    assert (owner == np.searchsorted(indptr, stretches.starts, side="right") - 1).all()
    at_start = stretches.starts == indptr[owner]
    run_in = stretches.begins - stretches.starts
    assert (at_start | ((run_in >= truncation) & (run_in < 2 * truncation))).all()
    assert (at_start | ((stretches.stops - stretches.starts) % truncation == 0)).all()
    longest = max(-(-len(windows) // most), LEAST_CHUNKS * truncation)
    assert (stretches.stops - stretches.begins).max() <= longest


def test_long_series_fill_whole_vectors_of_lanes_and_same_numbers_give_the_same_stream():
    _, _, stretches = make([20_000], 64, 32)
    assert lanes_of(stretches, 32) == 32
    assert lanes_of(make([20_000, 9000], 64, 128)[2], 128) == 48
    streams = [chunks(stretches, 64, 32, np.random.default_rng(3)) for _ in range(2)]
    for one, other in itertools.islice(zip(*streams, strict=False), 40):
        np.testing.assert_array_equal(one.rows, other.rows)
        np.testing.assert_array_equal(one.fresh, other.fresh)
