"""Stamps in every form: which form a column has, what its cells mean, and which of them are none."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncast.data.reading.timestamps import AmbiguousStamps, find_form, parse_until
from rnncast.data.reading.unix_times import interpret_integers
from rnncast.errors import UsageError


def parse(cells, dayfirst=None):
    column = pa.array(cells, pa.string())
    parser = find_form(cells, iter([column]), dayfirst)
    return parser, parser.parse(column)


# case -> (cells, stamps)
FORMS = {
    "ISO dates": (["2024-01-31", "2024-02-29"], ["2024-01-31", "2024-02-29"]),
    "ISO with a time": (["2024-01-31T05:06", "2024-01-31 05:06:07.25"], ["2024-01-31T05:06", "2024-01-31T05:06:07.25"]),
    "no leading noughts": (["2024-10-11", "2024-1-5"], ["2024-10-11", "2024-01-05"]),
    "slashes, year first": (["2024/01/31", "2024/02/01"], ["2024-01-31", "2024-02-01"]),
    "day first": (["01/02/2024", "31/01/2024"], ["2024-02-01", "2024-01-31"]),
    "day first with points": (["01.02.2024 05:00", "31.01.2024 23:59:59"], ["2024-02-01T05", "2024-01-31T23:59:59"]),
    "month first": (["01/02/2024", "01/31/2024"], ["2024-01-02", "2024-01-31"]),
    "month first, half days": (
        ["1/31/2024 12:05 AM", "1/31/2024 1:00 pm", "1/31/2024 12:00 PM"],
        ["2024-01-31T00:05", "2024-01-31T13:00", "2024-01-31T12:00"],
    ),
    "two digits, day first": (["29/01/24", "30/01/24", "31/01/24", "01/02/24", "02/02/24"],
                              ["2024-01-29", "2024-01-30", "2024-01-31", "2024-02-01", "2024-02-02"]),
    "two digits, year first": ([f"19-0{m}-{day:02d}" for m in (7, 8) for day in range(1, 29)],
                               [f"2019-0{m}-{day:02d}" for m in (7, 8) for day in range(1, 29)]),
    "name of the month": (["02-Jan-20", "3-Feb-70"], ["2020-01-02", "1970-02-03"]),
    "name of the month, in full": (["2 January 2020", "13 Sept 2020"], ["2020-01-02", "2020-09-13"]),
    "American": (["Jan 2, 2020", "January 13, 2020"], ["2020-01-02", "2020-01-13"]),
    "weekday": (["Thu, 02 Jan 2020", "Fri, 03 Jan 2020"], ["2020-01-02", "2020-01-03"]),
    "MetaTrader": (["2012.11.16 00:00", "2012.11.16 01:00"], ["2012-11-16T00", "2012-11-16T01"]),
    "digits": (["20200102 093000", "20200102 094500"], ["2020-01-02T09:30", "2020-01-02T09:45"]),
    "months": (["2020-01", "2020-02"], ["2020-01-01", "2020-02-01"]),
    "months with an M": (["2020M01", "2020M12"], ["2020-01-01", "2020-12-01"]),
    "months first": (["01/2020", "12/2020"], ["2020-01-01", "2020-12-01"]),
    "names of months": (["Jan 2020", "Dec 2020"], ["2020-01-01", "2020-12-01"]),
    "quarters": (["2020Q1", "2020-Q4"], ["2020-01-01", "2020-10-01"]),
    "quarters first": (["Q1 2020", "Q2 2020"], ["2020-01-01", "2020-04-01"]),
    "weeks": (["2020-W01", "2020-W53", "2021-W01"], ["2019-12-30", "2020-12-28", "2021-01-04"]),
}  # fmt: skip


@pytest.mark.parametrize(("cells", "stamps"), FORMS.values(), ids=FORMS)
def test_forms(cells, stamps):
    parser, got = parse(cells)
    assert got.bad is None and got.missing is None and not parser.zoned
    assert got.values.view("datetime64[us]").tolist() == np.array(stamps, "datetime64[us]").tolist()


@pytest.mark.parametrize(
    ("cells", "stamps", "zones"),
    [
        pytest.param(["2018-10-28T01:30:00+01:00", "2018-10-28T01:30:00+00:00"], [0.5, 1.5], 2, id="clocks-go-back"),
        pytest.param(["2018-10-28T01:30:00Z", "2018-10-28T02:30:00Z"], [1.5, 2.5], 1, id="Z"),
        pytest.param(["2018-10-28 01:30 UTC", "2018-10-28 02:30 UTC"], [1.5, 2.5], 1, id="UTC"),
        pytest.param(["28/10/2018 01:30-0330"], [5.0], 1, id="west"),
        pytest.param(["2018-10-28T01+01"], [0.0], 1, id="hours"),
    ],
)
def test_offsets_lead_to_utc(cells, stamps, zones):
    parser, got = parse(cells)
    hours = (got.values.view("datetime64[us]") - np.datetime64("2018-10-28")) / np.timedelta64(1, "h")
    assert hours.tolist() == stamps
    assert parser.zoned and len(parser.zones) == zones


@pytest.mark.parametrize(
    "cells",
    [
        ["01/02/2024", "03/04/2024"],
        ["1.2.2024"],
        ["01-02-24", "02-02-24"],
        [f"01/{m:02d}/0{y}" for y in (1, 2, 3) for m in (1, 4, 7, 10)],
    ],
)
def test_day_or_month_first_is_no_guess(cells):
    with pytest.raises(AmbiguousStamps, match="can be read in two ways"):
        parse(cells)


def test_what_the_user_says_settles_it():
    assert str(parse(["01/02/2024"], dayfirst=True)[1].values.view("datetime64[us]")[0])[:10] == "2024-02-01"
    assert str(parse(["01/02/2024"], dayfirst=False)[1].values.view("datetime64[us]")[0])[:10] == "2024-01-02"
    assert str(parse(["2024-01-02"], dayfirst=True)[1].values.view("datetime64[us]")[0])[:10] == "2024-01-02"


@pytest.mark.parametrize(
    "cell",
    ["2024-02-30", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "2024-01-01 24:00", "2024-01-01 05:60",
     "2024-01-01 05:00:60", "31/01/2024", "20240101", "2024-01-01T00:00:00.0000001", "2024-01-01Z", "today", "5"],
)  # fmt: skip
def test_cells_that_are_no_stamps_of_the_form(cell):
    _, got = parse(["2024-01-01", "2024-01-02 05:00", cell])
    assert got.bad.tolist() == [False, False, True]


def test_all_cells_settle_the_order_of_a_long_column():
    cells = ["01/02/2024"] * 1000 + ["13/02/2024"]
    parser = find_form(cells[:100], iter([pa.array(cells[:600]), pa.array(cells[600:])]), None)
    assert parser.form.label == "DD/MM/YYYY"


WRITTEN = ("%Y-%m-%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S.%f", "%d-%b-%Y %H:%M:%S.%f", "%B %d, %Y %I:%M:%S.%f %p")


@given(
    st.lists(st.datetimes(datetime(1700, 1, 1), datetime(2199, 12, 31)), min_size=1, max_size=20),
    st.sampled_from(WRITTEN),
)
def test_written_and_read_again(stamps, form):
    _, got = parse([stamp.strftime(form) for stamp in stamps])
    assert got.bad is None
    assert got.values.view("datetime64[us]").tolist() == stamps


# ---- integers


@pytest.mark.parametrize(
    ("values", "first"),
    [
        pytest.param([20240131, 20240229], "2024-01-31", id="YYYYMMDD"),
        pytest.param([202401, 202402], "2024-01-01", id="YYYYMM"),
        pytest.param([1561939200, 1562025600], "2019-07-01", id="seconds"),
        pytest.param([1561939200_000, 1562025600_000], "2019-07-01", id="milliseconds"),
        pytest.param([1561939200_000_000, 1562025600_000_001], "2019-07-01", id="microseconds"),
        pytest.param([1561939200_000_000_000, 1562025600_000_001_000], "2019-07-01", id="nanoseconds"),
    ],
)
def test_integers_that_are_stamps(values, first):
    read = interpret_integers(np.array(values), None, None)
    got, is_dated, note = read.values, read.is_dated, read.note
    assert is_dated and "read as" in note
    assert got.view("datetime64[us]")[0] == np.datetime64(first)


@pytest.mark.parametrize(
    "values", [[1, 2, 3], [2019, 2020], [20240131, 20240231], [20241301], [99_999_998, 99_999_999]]
)
def test_integers_that_are_steps(values):
    read = interpret_integers(np.array(values), None, None)
    got, is_dated, note = read.values, read.is_dated, read.note
    assert got.tolist() == values and not is_dated and note is None


def test_a_named_unit_is_taken():
    read = interpret_integers(np.array([86_400, 172_800]), None, "s")
    got, note = read.values, read.note
    assert got.view("datetime64[us]").tolist() == [datetime(1970, 1, 2), datetime(1970, 1, 3)]
    assert note.endswith("UNIX times in seconds")


@pytest.mark.parametrize("text", ["2024-01-31T05:00Z", "31/01/2024", "2024-02-30", "x"])
def test_until_takes_iso_stamps_alone(text):
    with pytest.raises(UsageError, match="--until"):
        parse_until(text, True)


def day_cells(form, rows=60, first="2024-01-01"):
    return [(np.datetime64(first) + n).item().strftime(form) for n in range(rows)]


@pytest.mark.parametrize("form", ["%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S"])
def test_dates_without_marks_are_no_unix_times(form):
    read = interpret_integers(np.array(list(map(int, day_cells(form)))), None, None)
    assert read.is_dated and read.bad is None
    assert read.values.view("datetime64[us]")[31] == np.datetime64("2024-02-01")


def test_one_odd_integer_makes_no_steps_of_dates():
    for odd in (99_999_999, 0, 202_001_311, 20_240_230):
        read = interpret_integers(np.array([*map(int, day_cells("%Y%m%d")), odd]), None, None)
        assert read.is_dated
        assert np.flatnonzero(read.bad).tolist() == [60]


def test_unix_times_may_begin_before_they_count_from():
    read = interpret_integers(np.arange(-252_322_200, 1_500_000_000, 86_400), None, None)
    assert read.in_utc and read.values.view("datetime64[us]")[0] == np.datetime64("1962-01-02T14:30")
