"""The calendar: learnt from the rows given, future stamps on open days, both ways the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncast.data.calendar import Calendar, describe_weekmask, learn_calendar, named_calendar
from rnncast.data.calendars.frequency import DAY_US, MONTHS, WEEKDAYS
from rnncast.errors import DataError, UsageError

WORKING_WEEK = "1111100"


def dates(*texts):
    return np.array(texts, dtype="datetime64[us]")


def learn(times, *starts):
    return learn_calendar(times, np.array([0, *starts, len(times)]))


def days(start, count, step=1):
    return (np.datetime64(start, "D") + step * np.arange(count)).astype("datetime64[us]")


def open_days(start, stop, weekmask=WORKING_WEEK, holidays=()):
    every = np.arange(start, stop, dtype="datetime64[D]")
    return every[np.is_busday(every, weekmask=weekmask, holidays=list(holidays))].astype("datetime64[us]")


# ---- what is learnt

LEARNT = {
    "seconds": (np.datetime64("2024-01-01T00:00:00", "us") + np.arange(50) * np.timedelta64(1, "s"), "s"),
    "half hours": (np.datetime64("2024-01-01T00:00:00", "us") + np.arange(50) * np.timedelta64(30, "m"), "30min"),
    "four hours": (np.datetime64("2024-01-01T00:00:00", "us") + np.arange(50) * np.timedelta64(4, "h"), "4h"),
    "every day": (days("2024-01-01", 40), "D"),
    "every third day": (days("2024-01-01", 40, 3), "3D"),
    "Fridays": (days("2024-01-05", 40, 7), "W-FRI"),
    "every other Sunday": (days("2024-01-07", 40, 14), "2W-SUN"),
    "four weeks": (days("2024-01-01", 40, 28), "4W-MON"),
    "month starts": (np.arange("2020-01", "2022-01", dtype="datetime64[M]").astype("datetime64[us]"), "MS"),
    "month ends": (dates("2023-10-31", "2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31"), "ME"),
    "30th of months": (dates("2023-10-30", "2023-11-30", "2023-12-30", "2024-01-30", "2024-02-29"), "M-30"),
    "quarter ends": (dates("2023-03-31", "2023-06-30", "2023-09-30", "2023-12-31", "2024-03-31"), "QE-DEC"),
    "quarter starts from February": (dates("2023-02-01", "2023-05-01", "2023-08-01", "2023-11-01"), "QS-FEB"),
    "year ends": (dates("2000-12-31", "2001-12-31", "2002-12-31", "2003-12-31"), "YE-DEC"),
    "two bars a day, the first day cut": (
        (open_days("2024-01-01", "2024-03-01")[:, None] + np.array([9, 13]) * np.timedelta64(1, "h")).ravel()[1:],
        "4h",
    ),
    "fiscal years": (dates("2000-07-01", "2001-07-01", "2002-07-01", "2003-07-01"), "YS-JUL"),
    "last business days": (
        dates("2023-09-29", "2023-10-31", "2023-11-30", "2023-12-29", "2024-01-31", "2024-02-29", "2024-03-28",
              "2024-04-30", "2024-05-31", "2024-06-28", "2024-07-31", "2024-08-30"),
        "BME",
    ),
    "integers": (np.arange(1, 30), "1"),
    "every fifth integer": (np.arange(0, 300, 5), "5"),
}  # fmt: skip


@pytest.mark.parametrize(("times", "expected"), LEARNT.values(), ids=LEARNT)
def test_step_is_learnt(times, expected):
    got = learn(times)
    assert got.freq == expected


def test_business_days_with_absent_holidays_are_business_days():
    holidays = ["2019-07-04", "2019-09-02", "2019-11-28", "2019-12-25", "2020-01-01", "2020-01-20"]
    got = learn(open_days("2019-06-03", "2020-03-01", holidays=holidays))
    assert got == Calendar("B", WORKING_WEEK)


@pytest.mark.parametrize(
    "weekmask", ["1111001", "1111110", "1010100", "0000011"], ids=["Sun-Thu", "Mon-Sat", "Mon Wed Fri", "weekends"]
)
def test_weekday_mask_is_learnt(weekmask):
    got = learn(open_days("2020-01-01", "2020-06-01", weekmask))
    assert got == Calendar("B", weekmask)


def test_hourly_bars_of_a_week_keep_the_days_they_occur_on():
    hours = np.arange("2024-01-01T00", "2024-02-01T00", dtype="datetime64[h]")
    got = learn(hours[np.is_busday(hours.astype("datetime64[D]"), weekmask="1111101")].astype("datetime64[us]"))
    assert got == Calendar("h", "1111101")


def test_a_stray_saturday_opens_no_saturdays():
    times = np.sort(np.append(open_days("2020-01-01", "2021-01-01"), np.datetime64("2020-06-06", "us")))
    assert learn(times).weekmask == WORKING_WEEK


def test_saturdays_of_long_ago_are_closed_today_and_were_open_then():
    times = np.concatenate((open_days("1940-01-01", "1952-06-01", "1111110"), open_days("1952-06-01", "1990-01-01")))
    assert learn(times).weekmask == WORKING_WEEK
    assert learn(times[times < np.datetime64("1950-01-01")]).weekmask == "1111110"


def test_nothing_is_known_of_days_that_no_rows_pass_over():
    assert learn(dates("2024-01-01", "2024-01-02", "2024-01-03")) == Calendar("D")


def test_weeks_keep_their_day_though_a_holiday_moved_a_stamp():
    times = days("2024-01-05", 30, 7)
    times[12] -= np.timedelta64(1, "D")  # Good Friday's week ends on Thursday
    got = learn(times)
    assert got.freq == "W-FRI"
    assert got.future(times[12], 2).tolist() == [times[13].item(), times[14].item()]


def test_monthly_rows_that_end_in_the_current_day_are_monthly():
    times = np.append(
        np.arange("2020-01", "2024-01", dtype="datetime64[M]").astype("datetime64[us]"), dates("2024-01-17")
    )
    got = learn(times)
    assert got.freq == "MS"
    assert got.future(times[-1], 1) == dates("2024-02-01")


def test_series_of_a_panel_share_one_calendar():
    stocks, crypto = open_days("2024-01-01", "2024-04-01"), days("2024-01-01", 90)
    assert learn(np.concatenate((stocks, stocks[20:])), len(stocks)) == Calendar("B", WORKING_WEEK)
    assert learn(np.concatenate((stocks, crypto)), len(stocks)).weekmask == "1111111"


def test_the_gap_between_two_series_is_no_step():
    times = np.concatenate((days("2024-01-01", 2), days("1990-01-01", 2), days("2010-01-01", 2)))
    assert learn(times, 2, 4).freq == "D"


def test_series_of_a_single_row_are_no_obstacle():
    times = np.concatenate((days("2024-01-01", 1), days("2024-01-01", 10), days("2024-01-01", 1)))
    assert learn(times, 1, 11).freq == "D"


def test_no_two_rows_in_any_series_is_an_error():
    with pytest.raises(DataError, match="no series has two rows") as error:
        learn(dates("2024-01-01", "2024-01-01"), 1)
    assert "--freq" in error.value.hint


def test_irregular_stamps_are_an_error_with_figures(rng):
    times = days("2020-01-01", 1) + np.cumsum(rng.integers(1, 40, 200)) * np.timedelta64(1, "D")
    with pytest.raises(DataError, match=r"only \d+% of 199 gaps .* longest 39 days") as error:
        learn(times)
    assert "--freq" in error.value.hint
    assert "--irregular" in error.value.hint


def test_series_of_another_step_is_named():
    daily, weekly = days("2020-01-01", 300), days("2020-01-01", 20, 7)
    with pytest.raises(DataError, match="series 'slow' only 0% of 19 gaps are steps of one day"):
        learn_calendar(np.concatenate((daily, weekly)), np.array([0, 300, 320]), ["fast", "slow"])


def test_many_rows_are_learnt_from_a_sample_and_checked_whole(rng):
    """Stretches of neighbours are looked at for the step, all gaps for whether it is kept."""
    minutes = days("2015-01-01", 1000)[:, None] + np.array([*range(0, 1000, 10)]) * np.timedelta64(1, "m")
    assert learn(minutes.ravel()).freq == "10min"
    irregular = days("2015-01-01", 1) + np.cumsum(rng.integers(1, 40, 40_000)) * np.timedelta64(1, "m")
    with pytest.raises(DataError, match="of 39,999 gaps"):
        learn(irregular)
    backwards = minutes.ravel().copy()
    backwards[[77_000, 77_001]] = backwards[[77_001, 77_000]]
    with pytest.raises(ValueError, match="not strictly ascending"):
        learn(backwards)


def test_series_with_the_same_stamps_are_learnt_as_one():
    times = open_days("2012-01-01", "2020-01-01", holidays=[f"{year}-12-25" for year in range(2012, 2020)])
    got = learn(np.tile(times, 20), *np.arange(1, 20) * len(times))
    assert got == learn(times)
    assert got.closures == ("12-25",)
    assert learn(np.concatenate((times, times[:-1])), len(times)) == got


# ---- future stamps


def test_month_ends_after_the_end_of_january():
    calendar = named_calendar("ME")
    assert calendar.future(dates("2024-01-31")[0], 2).tolist() == dates("2024-02-29", "2024-03-31").tolist()
    assert calendar.future(dates("2023-01-31")[0], 1).tolist() == dates("2023-02-28").tolist()


def test_days_beyond_a_short_month_come_back_after_it():
    got = named_calendar("M-30").future(dates("2024-01-30")[0], 2)
    assert got.tolist() == dates("2024-02-29", "2024-03-30").tolist()


def test_business_days_go_from_friday_to_monday():
    got = Calendar("B", WORKING_WEEK).future(dates("2024-03-01T17:30")[0], 2)
    assert got.tolist() == dates("2024-03-04T17:30", "2024-03-05T17:30").tolist()


def test_hours_skip_the_closed_weekend():
    got = Calendar("4h", WORKING_WEEK).future(dates("2024-03-01T16:00")[0], 3)
    assert got.tolist() == dates("2024-03-01T20:00", "2024-03-04T00:00", "2024-03-04T04:00").tolist()


@pytest.mark.parametrize(
    ("freq", "first"), [("B", "2024-03-04T10:30"), ("h", "2024-03-04T00:30")], ids=["days", "hours"]
)
def test_a_last_row_on_a_closed_day_is_followed_by_the_next_open_one(freq, first):
    got = Calendar(freq, WORKING_WEEK).future(dates("2024-03-02T10:30")[0], 1)
    assert got.tolist() == dates(first).tolist()


def test_future_of_several_series_at_once():
    last = dates("2024-03-01", "2024-02-27")
    got = Calendar("B", WORKING_WEEK).future(last, 3)
    expected = np.stack([Calendar("B", WORKING_WEEK).future(stamp, 3) for stamp in last])
    assert got.shape == (2, 3)
    assert np.array_equal(got, expected)


def test_future_of_integer_steps():
    got = Calendar("5").future(20, 3)
    assert got.dtype == np.int64
    assert got.tolist() == [25, 30, 35]


masks = st.lists(st.booleans(), min_size=7, max_size=7).map(lambda flags: "".join("01"[flag] for flag in flags))
some_days_closed = masks.filter(lambda mask: 2 <= mask.count("1") <= 6)
plain = st.sampled_from(
    ["1", "7", "s", "10s", "5min", "7h", "D", "2D", "5D", "30D", "MS", "ME", "2MS", "5ME", "BMS", "BME"]
    + ["M-2", "M-15", "M-28", "2M-29", "M-30", "QS-JAN", "QS-FEB", "QS-MAR", "QE-OCT", "QE-NOV", "QE-DEC", "BQE-DEC"]
    + ["3M-15", "2QS-JAN", "2YE-JUN"]
    + [f"{count}W-{day}" for count in ("", "2") for day in WEEKDAYS]
    + [f"{edge}-{month}" for edge in ("YS", "YE", "BYS", "BYE") for month in MONTHS]
).map(Calendar)  # fmt: skip
calendars = st.one_of(
    plain,
    some_days_closed.map(lambda mask: Calendar("B", mask)),
    st.builds(Calendar, st.sampled_from(["15min", "h", "4h", "12h"]), some_days_closed),
)
stamps = st.integers(-40 * 365 * 1440, 130 * 365 * 1440).map(
    lambda minutes: np.datetime64(minutes, "m").astype("M8[us]")
)


def rows_to_learn(calendar):
    """Rows enough to see every day of the week twice, or two years of months."""
    frequency = calendar.frequency
    if frequency.family == "clock" and calendar.weekmask != "1111111":
        return 21 * DAY_US // frequency.count
    return 60


@settings(max_examples=150, deadline=None)
@given(calendars, stamps)
def test_future_is_ascending_on_open_days_and_learnt_as_the_same_calendar(calendar, last):
    start = last if calendar.is_dated else int(last.astype(np.int64) // DAY_US)
    got = calendar.future(start, rows_to_learn(calendar))
    assert np.all(np.diff(got).astype(np.int64) > 0)
    assert got[0] > start
    if calendar.is_dated:
        assert np.all(np.is_busday(got.astype("datetime64[D]"), weekmask=calendar.weekmask))
    assert learn(got) == calendar
    assert np.array_equal(calendar.future(got[9], 5), got[10:15])


@settings(max_examples=50, deadline=None)
@given(calendars, st.booleans())
def test_calendar_survives_json(calendar, named):
    import json
    from dataclasses import replace

    calendar = replace(calendar, given=named)
    assert Calendar.from_dict(json.loads(json.dumps(calendar.to_dict()))) == calendar


# ---- names

NAMES = {
    "24h": "D", "60min": "h", "90min": "90min", "H": "h", "T": "min", "M": "ME", "Q": "QE-DEC", "QS": "QS-JAN",
    "QS-OCT": "QS-JAN", "A": "YE-DEC", "Y": "YE-DEC", "W": "W-SUN", "12ME": "12M-31", "3MS": "3M-1",
    "2B": "2B", "5": "5",
}  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), NAMES.items(), ids=NAMES)
def test_named_calendar_is_kept_under_its_canonical_name(name, expected):
    got = named_calendar(name)
    assert got.freq == expected
    assert got.given


UNKNOWN = ("", "fortnight", "W-XYZ", "0D", "-1", "M-32", "QS-13", "D-MON", "3BMS", "1.5h", "90000000h", "1" + "0" * 30)


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_name_lists_those_that_are_known(name):
    with pytest.raises(UsageError, match="is not understood") as error:
        named_calendar(name)
    assert "W-FRI" in error.value.hint


@pytest.mark.parametrize(
    "data",
    [{}, {"freq": "D", "weekmask": "1111111"}, {"freq": "fortnight", "weekmask": "1111111", "given": False},
     {"freq": "D", "weekmask": "0000000", "given": False}, {"freq": 1, "weekmask": "1111111", "given": False}],
    ids=["empty", "incomplete", "unknown step", "never open", "number"],
)  # fmt: skip
def test_what_is_no_calendar_is_refused(data):
    with pytest.raises(ValueError, match=r"calendar|weekmask|fortnight"):
        Calendar.from_dict(data)


SEASONS = {
    "h": (24, 168), "30min": (48, 336), "4h": (6, 42), "7h": (24,), "5h": (), "D": (7,), "2D": (), "W-FRI": (52,),
    "2W-SUN": (26,), "3W-SUN": (), "MS": (12,), "2MS": (6,), "QE-DEC": (4,), "YE-DEC": (), "1": (),
}  # fmt: skip


@pytest.mark.parametrize(("freq", "expected"), SEASONS.items(), ids=SEASONS)
def test_likely_seasons(freq, expected):
    assert Calendar(freq).season_candidates() == expected


def test_likely_season_of_business_days_is_their_week():
    assert Calendar("B", "1111110").season_candidates() == (6,)


DESCRIPTIONS = {
    "business days, Monday to Friday": Calendar("B", WORKING_WEEK),
    "business days, Monday to Thursday and Sunday": Calendar("B", "1111001"),
    "every day": Calendar("D"),
    "every 30 minutes, Monday to Friday": Calendar("30min", WORKING_WEEK),
    "every hour": Calendar("h"),
    "every week, on Friday": Calendar("W-FRI"),
    "every 2 weeks, on Sunday": Calendar("2W-SUN"),
    "every month, on the last business day": Calendar("BME"),
    "every quarter, on the last day (Dec)": Calendar("QE-DEC"),
    "every year, on the first day of July": Calendar("YS-JUL"),
    "integer steps": Calendar("1"),
    "integer steps of 5": Calendar("5"),
}


@pytest.mark.parametrize(("expected", "calendar"), DESCRIPTIONS.items(), ids=[c.freq for c in DESCRIPTIONS.values()])
def test_description(expected, calendar):
    assert calendar.describe() == expected


def test_description_of_days():
    assert describe_weekmask("1010011") == "Monday and Wednesday and Saturday and Sunday"
