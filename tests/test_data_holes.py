"""Holes: open stamps without a row. Closed days, slots and weekends are none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncast.data.calendar import Calendar
from rnncast.data.calendars.frequency import DAY_US, WORKING_WEEK
from rnncast.data.calendars.holes import find_holes
from rnncast.data.panel import Columns, Panel
from rnncast.data.summary import describe_holes, describe_panel

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
HOUR = 3_600_000_000
START = np.datetime64("2024-01-03T10:00", "us")

AROUND_THE_CLOCK = ((0, 4 * DAY_US + 16 * HOUR), (6 * DAY_US + 17 * HOUR, 6 * DAY_US + 23 * HOUR))
STOCKS = tuple((day * DAY_US + 9 * HOUR, day * DAY_US + 16 * HOUR) for day in range(5))

CALENDARS = {
    "integers": Calendar("5"),
    "every day": Calendar("D"),
    "every day but Christmas": Calendar("D", closures=("12-25",)),
    "every other day": Calendar("2D"),
    "business days": Calendar("B", WORKING_WEEK, closures=("01-MON-3", "05-01"), holidays=("2024-02-20",)),
    "every other business day": Calendar("2B", WORKING_WEEK),
    "business days of a zone": Calendar("B", WORKING_WEEK, zone="Europe/London", closures=("easter-2",)),
    "weeks": Calendar("W-FRI"),
    "months": Calendar("ME"),
    "quarters": Calendar("QS-JAN"),
    "hours": Calendar("h"),
    "hours of a zone": Calendar("h", zone="Europe/London"),
    "hours on weekdays": Calendar("h", WORKING_WEEK, closures=("05-01",)),
    "sessions": Calendar("h", WORKING_WEEK, sessions=STOCKS, holidays=("2024-01-15",)),
    "sessions of a zone": Calendar("h", "1111101", zone="America/New_York", sessions=AROUND_THE_CLOCK),
}  # fmt: skip


def panel_of(times, calendar, starts=()):
    indptr = np.array([0, *starts, len(times)])
    names = tuple("abcdef"[: len(indptr) - 1])
    return Panel(names, indptr, times, np.zeros((len(times), 1)), Columns("ds", "id", "y"), calendar)


@pytest.mark.parametrize("calendar", CALENDARS.values(), ids=CALENDARS)
def test_rows_of_a_calendar_have_no_holes_and_those_taken_out_are_found(calendar):
    start = START if calendar.is_dated else 7
    times = calendar.future(start, 400)
    assert len(find_holes(times, np.array([0, 400]), calendar)) == 0
    out = np.array([50, 51, 52, 110, 250, 399])
    left = np.delete(times, out)
    assert find_holes(left, np.array([0, len(left)]), calendar).tolist() == [49, 106, 245]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(CALENDARS)), st.sets(st.integers(1, 298), max_size=40), st.integers(1, 150))
def test_holes_are_where_future_comes_before_the_next_row(name, out, boundary):
    calendar = CALENDARS[name]
    times = np.delete(calendar.future(START if calendar.is_dated else 7, 300), sorted(out))
    times = np.concatenate((times, times[:boundary]))
    indptr = np.array([0, len(times) - boundary, len(times)])
    following = calendar.future(times[:-1], 1)[:, 0]
    expected = (following < times[1:]) & (np.arange(1, len(times)) != indptr[1])
    assert find_holes(times, indptr, calendar).tolist() == np.flatnonzero(expected).tolist()


def test_what_is_said_names_the_longest_and_its_series():
    times = np.delete(Calendar("D").future(START, 100), [10, 20, 21, 22])
    both = np.concatenate((times, times[:9]))
    got = describe_holes(panel_of(both, Calendar("D"), [len(times)]))
    assert got.startswith("2 holes between rows, the longest from 2024-01-23 10:00 to 2024-01-27 10:00 in series 'a';")


def test_holidays_that_are_not_learnt_make_no_note_and_many_holes_do():
    calendar = Calendar("B", WORKING_WEEK)
    times = calendar.future(START, 250)
    assert describe_holes(panel_of(np.delete(times, np.arange(20, 240, 25)), calendar)) is None
    assert describe_holes(panel_of(np.delete(times, np.arange(20, 240, 9)), calendar)).startswith("25 holes")
    assert describe_holes(panel_of(np.delete(times, np.arange(30, 40)), calendar)).startswith("1 hole ")


def test_closures_of_long_ago_are_not_counted():
    calendar = Calendar("B", WORKING_WEEK)
    times = calendar.future(np.datetime64("1990-01-01", "us"), 8000)
    old = np.delete(times, np.concatenate((np.arange(5, 3000, 3), [7000, *range(7100, 7110)])))
    assert describe_holes(panel_of(old, calendar)).startswith("2 holes")


def test_stamps_are_shown_in_the_zone():
    calendar = Calendar("h", zone="Europe/London")
    times = np.delete(calendar.future(np.datetime64("2024-06-01T10:00", "us"), 50), [20, 21])
    panel = panel_of(times, calendar)
    assert "from 2024-06-02 07:00+01:00 to 2024-06-02 10:00+01:00" in describe_holes(panel)
    assert "2024-06-01 12:00+01:00 to 2024-06-03 13:00+01:00" in describe_panel(panel)
    assert describe_panel(panel).endswith("every hour, Europe/London")


def test_irregular_rows_have_no_holes():
    times = np.array(["2024-01-01", "2024-01-05", "2024-03-05"], dtype="datetime64[us]")
    assert describe_holes(panel_of(times, replace(Calendar("4D"), irregular=True))) is None


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"real files are not at hand ({SHARED})")
def test_missing_business_days_of_a_real_file():
    from rnncast.data.read import read_panel

    _, notes = read_panel([str(SHARED / "dirty" / "32_missing_business_days.csv")])
    assert any(note.startswith("11 holes between rows, the longest from 2019-10-23 to 2019-11-15") for note in notes)
