"""The ragged panel: rows of each series, cut and kept without looking at the others."""

import numpy as np
import pytest
from panels import make_panel

from rnncast.data.panel import Columns, Panel
from rnncast.errors import DataError


@pytest.fixture
def panel():
    return make_panel({"a": np.arange(10.0), "b": np.arange(100.0, 103.0), "c": np.arange(200.0, 215.0)})


def test_rows_of_series(panel):
    assert [panel.target[panel.rows(series)][0] for series in range(3)] == [0, 100, 200]
    assert panel.lengths.tolist() == [10, 3, 15]
    assert panel.is_dated


def test_tail_keeps_the_last_rows_of_each_series(panel):
    got = panel.tail(4)
    assert got.lengths.tolist() == [4, 3, 4]
    assert got.target.tolist() == [6, 7, 8, 9, 100, 101, 102, 211, 212, 213, 214]
    assert got.calendar == panel.calendar


def test_keep_drops_series_without_rows(panel):
    got = panel.keep(panel.target >= 200)
    assert got.ids == ("c",)
    assert got.indptr.tolist() == [0, 15]


def test_until_is_inclusive_and_learns_the_calendar_anew(panel):
    cutoff = panel.times[3]
    got = panel.until(cutoff)
    assert got.lengths.tolist() == [4, 3, 4]
    assert got.times.max() == cutoff
    assert panel.calendar.weekmask == "1111100"
    assert panel.until(panel.times[1]).calendar.freq == "D"  # no weekend among the two days that are known


def test_until_before_all_rows_names_the_first(panel):
    with pytest.raises(DataError, match="no row at or before") as error:
        panel.until(np.datetime64("2019-01-01"))
    assert "2020-01-01" in error.value.hint


BAD = {
    "rows not divided": {"indptr": np.array([0, 2])},
    "series not named": {"ids": ("a", "b")},
    "values without columns": {"values": np.arange(3.0)},
    "another unit of time": {"times": np.arange(3).astype("datetime64[ns]")},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_arrays_that_do_not_fit_are_refused(change):
    good = {
        "ids": ("a",), "indptr": np.array([0, 3]), "times": np.arange(3), "values": np.zeros((3, 1)),
        "columns": Columns("ds", None, "y"), "calendar": make_panel({"a": np.zeros(3)}, dated=False).calendar,
    }  # fmt: skip
    assert Panel(**good).lengths.tolist() == [3]
    with pytest.raises(ValueError, match=r"indptr|values|times"):
        Panel(**(good | change))
