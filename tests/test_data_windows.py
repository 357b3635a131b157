import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import make_panel

from rnncast.data.transform import WorkingSeries
from rnncast.data.windows import (
    gather_inputs,
    gather_targets,
    windows_at_ends,
    windows_between,
)


def working_of(panel):
    none = np.zeros(len(panel.ids), dtype=bool)
    return WorkingSeries(panel.target, panel.target, none, panel.indptr, panel.times, panel.calendar)


@given(lengths=st.lists(st.integers(1, 15), min_size=1, max_size=6), first=st.integers(1, 6), horizon=st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_windows_are_those_of_a_plain_loop(lengths, first, horizon):
    indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    length = np.asarray(lengths)
    windows = windows_between(indptr, np.full_like(length, first), length - horizon)
    expected = [(s, indptr[s] + end) for s, n in enumerate(lengths) for end in range(first, n - horizon + 1)]
    assert list(zip(windows.series.tolist(), windows.ends.tolist(), strict=True)) == expected


def test_gather_takes_rows_before_and_after_the_end():
    panel = make_panel({"a": np.arange(10.0), "b": np.arange(100.0, 106.0)}, dated=False)
    windows = windows_between(panel.indptr, np.array([4, 4]), np.array([4, 4]))
    inputs, valid = gather_inputs(working_of(panel), windows, 3)
    targets = gather_targets(working_of(panel), windows, 2)
    np.testing.assert_array_equal(inputs.T, [[1, 2, 3], [101, 102, 103]])
    np.testing.assert_array_equal(targets.T, [[4, 5], [104, 105]])
    assert valid.tolist() == [3, 3]


def test_short_series_repeats_its_first_value_and_never_reads_its_neighbour():
    panel = make_panel({"a": np.arange(10.0), "b": np.array([7.0, 8.0])}, dated=False)
    inputs, valid = gather_inputs(working_of(panel), windows_at_ends(panel.indptr), 5)
    np.testing.assert_array_equal(inputs.T, [[5, 6, 7, 8, 9], [7, 7, 7, 7, 8]])
    assert valid.tolist() == [5, 2]


def test_index_is_two_integers_a_window():
    lengths = np.array([1000, 500])
    indptr = np.array([0, 1000, 1500])
    windows = windows_between(indptr, np.array([100, 100]), lengths - 10)
    assert windows.series.nbytes + windows.ends.nbytes == 16 * len(windows)
