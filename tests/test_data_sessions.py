"""Sessions: the open slots of a week learnt from recent rows, and future stamps in open slots only."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncast.data.calendar import Calendar, learn_calendar
from rnncast.data.calendars.frequency import DAY_US, EVERY_DAY, WEEK_US, WORKING_WEEK
from rnncast.data.calendars.zone import to_local, to_utc

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
MINUTE, HOUR = 60_000_000, 3_600_000_000
HALF_HOURS = np.arange(19 * 30, 32 * 30, 30) * MINUTE  # 09:30 to 15:30
MINUTES = np.arange(9 * 60 + 30, 16 * 60) * MINUTE


def open_days(start, stop, weekmask=WORKING_WEEK, holidays=()):
    every = np.arange(start, stop, dtype="datetime64[D]")
    return every[np.is_busday(every, weekmask=weekmask, holidays=list(holidays))]


def rows(days, slots):
    return (days.astype("datetime64[us]")[:, None] + np.asarray(slots).astype("timedelta64[us]")).ravel()


def learn(times, **named):
    return learn_calendar(times, np.array([0, len(times)]), **named)


def week(*runs):
    """Runs from (day, hour) to (day, hour)."""
    return tuple(((a * 24 + b) * HOUR, (c * 24 + d) * HOUR) for (a, b), (c, d) in runs)


# ---- what is learnt


def test_half_hours_of_a_stock_session():
    got = learn(rows(open_days("2024-01-01", "2024-06-01"), HALF_HOURS))
    assert got.freq == "30min"
    assert got.weekmask == WORKING_WEEK
    assert got.sessions == tuple((d * DAY_US + 19 * 30 * MINUTE, d * DAY_US + 31 * 30 * MINUTE) for d in range(5))
    assert got.describe() == "every 30 minutes, Monday to Friday 09:30 to 15:30"


def test_minutes_of_a_stock_session_with_holidays_and_early_closes():
    days = open_days("2023-11-01", "2024-02-01", holidays=["2023-11-23", "2023-12-25", "2024-01-01", "2024-01-15"])
    times = rows(days, MINUTES)
    early = np.isin(times.astype("datetime64[D]"), np.array(["2023-11-24", "2023-12-24"], dtype="datetime64[D]"))
    got = learn(times[~early | (times - times.astype("datetime64[D]") < np.timedelta64(13, "h"))])
    assert got.describe() == "every minute, Monday to Friday 09:30 to 15:59"


def test_currencies_trade_from_sunday_evening_to_friday_evening():
    hours = np.arange("2024-01-01T00", "2024-04-01T00", dtype="datetime64[h]").astype("datetime64[us]")
    place = (hours.astype(np.int64) + 3 * DAY_US) % WEEK_US  # since Monday
    got = learn(hours[(place < 4 * DAY_US + 22 * HOUR) | (place >= 6 * DAY_US + 22 * HOUR)])
    assert got.sessions == week(((0, 0), (4, 21)), ((6, 22), (6, 23)))
    assert got.weekmask == "1111101"
    assert got.describe() == "every hour, Sunday 22:00 to Friday 21:00"


@pytest.mark.parametrize("weekmask", [EVERY_DAY, WORKING_WEEK, "1111001"], ids=["every day", "Mon-Fri", "Sun-Thu"])
def test_round_the_clock_there_are_no_sessions(weekmask):
    days = open_days("2024-01-01", "2024-03-01", weekmask)
    assert learn(rows(days, np.arange(24) * HOUR)) == Calendar("h", weekmask)


def test_a_lunch_break_is_closed():
    slots = np.concatenate((np.arange(9 * 60 + 30, 690, 30), np.arange(780, 900, 30))) * MINUTE
    got = learn(rows(open_days("2024-01-01", "2024-03-01"), slots))
    assert got.describe() == "every 30 minutes, Monday to Friday 09:30 to 11:00 and Monday to Friday 13:00 to 14:30"


def test_sessions_follow_a_change_of_hours():
    old = rows(open_days("2023-01-01", "2024-01-01"), HALF_HOURS)
    new = rows(open_days("2024-01-01", "2024-02-10"), HALF_HOURS + 2 * HOUR)
    assert learn(np.concatenate((old, new))).describe().endswith("11:30 to 17:30")


@pytest.mark.parametrize("missing", [0.05, 0.2, 0.35])
def test_thin_trading_tears_no_session_apart(rng, missing):
    times = rows(open_days("2024-01-01", "2024-06-01"), MINUTES)
    got = learn(times[rng.random(len(times)) > missing])
    assert got.describe() == "every minute, Monday to Friday 09:30 to 15:59"


def test_in_the_first_days_the_weekdays_are_pooled():
    two_days = rows(open_days("2024-01-08", "2024-01-10"), HALF_HOURS)  # Monday and Tuesday
    got = learn(two_days)
    assert got.describe() == "every 30 minutes, Monday to Friday 09:30 to 15:30"
    assert learn(rows(open_days("2024-01-08", "2024-01-10"), np.arange(24) * HOUR)).weekmask == EVERY_DAY


def test_one_missing_hour_closes_no_slot():
    hours = np.arange("2024-01-01T00", "2024-01-11T00", dtype="datetime64[h]").astype("datetime64[us]")
    assert learn(np.delete(hours, 55)) == Calendar("h")


def test_utc_stamps_of_a_zone_have_sessions_of_its_wall_clock():
    local = rows(open_days("2024-01-08", "2024-05-01"), HALF_HOURS)  # over the change of 10 March
    times, _, _ = to_utc(local, "America/New_York")
    got = learn(times, zone="America/New_York")
    assert got.describe() == "every 30 minutes, Monday to Friday 09:30 to 15:30, America/New_York"
    before = times[times < np.datetime64("2024-03-09")]
    future = learn(before, zone="America/New_York").future(before[-1], 13)
    assert future[0] == np.datetime64("2024-03-11T13:30")  # Friday's opened at 14:30 UTC


def test_series_with_hours_of_their_own_share_days_alone():
    days = open_days("2024-01-01", "2024-03-01")
    first, second = rows(days, np.arange(9, 17) * HOUR), rows(days, np.arange(9, 17) * HOUR + 20 * MINUTE)
    got = learn_calendar(np.concatenate((first, second)), np.array([0, len(first), len(first) + len(second)]))
    assert got == Calendar("h", WORKING_WEEK)


# ---- future stamps

SESSIONS = {
    "stocks": learn(rows(open_days("2024-01-01", "2024-06-01"), HALF_HOURS)),
    "currencies": Calendar("h", "1111101", sessions=week(((0, 0), (4, 21)), ((6, 22), (6, 23)))),
    "one hour on Monday, one on Thursday": Calendar("h", "1001000", sessions=week(((0, 9), (0, 9)), ((3, 0), (3, 0)))),
}  # fmt: skip
calendars = st.sampled_from(list(SESSIONS.values()))
stamps = st.integers(-20 * 365 * 1440, 80 * 365 * 1440).map(lambda minute: np.datetime64(minute, "m").astype("M8[us]"))
some_holidays = st.lists(st.integers(0, 400), max_size=30).map(lambda days: np.array(days, dtype=np.int64))


@settings(max_examples=150, deadline=None)
@given(calendars, stamps, some_holidays, st.sampled_from([None, "Europe/London", "Australia/Lord_Howe"]))
def test_future_is_ascending_in_open_slots_of_open_days(calendar, last, offsets, zone):
    from dataclasses import replace

    holidays = tuple(np.unique(last.astype("datetime64[D]") + offsets).astype(str).tolist())
    calendar = replace(calendar, holidays=holidays, zone=zone, closures=("12-25", "01-01+"))
    got = calendar.future(last, 60)
    assert got[0] > last
    assert np.all(np.diff(got).astype(np.int64) > 0)
    local = got if zone is None else to_local(got, zone)
    days = local.astype("datetime64[D]")
    place = (local.astype(np.int64) + 3 * DAY_US) % WEEK_US
    inside = [any(first <= p <= end and (p - first) % calendar.frequency.count == 0 for first, end in calendar.sessions)
              for p in place.tolist()]  # fmt: skip
    assert all(inside)
    assert not np.isin(days, np.array(holidays, dtype="datetime64[D]")).any()
    assert not {"12-25"} & {str(day)[5:] for day in days}
    assert np.array_equal(calendar.future(got[9], 20), got[10:30])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["stocks", "currencies"]), stamps, st.integers(1, 80))
def test_rows_dropped_from_the_end_come_back(name, start, dropped):
    times = SESSIONS[name].future(start, 700)
    got = learn(times[:-dropped])
    assert got == SESSIONS[name]
    assert np.array_equal(got.future(times[-dropped - 1], dropped), times[-dropped:])


def test_future_of_several_series_at_once():
    last = np.array(["2024-03-01T15:30", "2019-02-27T10:00", "2024-03-02T10:07"], dtype="datetime64[us]")
    got = SESSIONS["stocks"].future(last, 30)
    assert np.array_equal(got, np.stack([SESSIONS["stocks"].future(stamp, 30) for stamp in last]))
    assert got[2, 0] == np.datetime64("2024-03-04T09:30")


def test_slots_at_a_time_of_day_that_is_skipped_do_not_occur():
    calendar = Calendar("h", "1111110", zone="Europe/London")  # closed on Sundays, but not on this zone's rule
    night = Calendar("h", "0000001", sessions=week(((6, 0), (6, 3))), zone="Europe/London")
    got = to_local(night.future(np.datetime64("2018-03-24T12:00", "us"), 4), "Europe/London")
    assert [str(stamp)[8:13] for stamp in got] == ["25T00", "25T02", "25T03", "01T00"]
    assert np.all(np.diff(calendar.future(np.datetime64("2018-03-24T12:00", "us"), 50)).astype(np.int64) > 0)


@pytest.mark.parametrize(
    "sessions",
    [((0, 1),), ((HOUR, 0),), ((0, HOUR), (0, 2 * HOUR)), ((0, WEEK_US),), ((0.5, 1.5),), ((0, HOUR, 1),), (3,)],
    ids=["no multiple", "backwards", "overlap", "beyond the week", "fractions", "three", "no pair"],
)
def test_what_are_no_sessions_is_refused(sessions):
    with pytest.raises(ValueError, match="sessions"):
        Calendar("h", sessions=sessions)


def test_sessions_of_days_are_refused():
    with pytest.raises(ValueError, match="sessions do not go with"):
        Calendar("B", sessions=((0, HOUR),))


def test_likely_seasons_are_the_usual_day_and_the_week():
    assert SESSIONS["stocks"].season_candidates() == (13, 65)
    assert SESSIONS["currencies"].season_candidates() == (24, 120)
    assert Calendar("h", WORKING_WEEK).season_candidates() == (24, 120)


# ---- real files

REAL = {
    "prices/fx_eurusd_hourly_2017_2018.parquet": ("Sunday", 0.96),
    "prices/fx_mt5_2pairs_hourly.parquet": ("Monday to Friday, with 2 usual closures", 0.99),
    "prices/electricity_epf_de_hourly.parquet": ("every hour", 1.0),
}


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"real files are not at hand ({SHARED})")
@pytest.mark.parametrize(("name", "expected"), REAL.items(), ids=[Path(name).stem for name in REAL])
def test_real_stamps_are_forecast(name, expected):
    from rnncast.data.read import read_panel

    panel, _ = read_panel([str(SHARED / name)])
    words, share = expected
    assert words in panel.calendar.describe()
    real = np.unique(panel.times)
    found = []
    for cutoff in real[np.linspace(0.7 * len(real), len(real) - 49, 20).astype(int)]:
        future = panel.until(cutoff).calendar.future(cutoff, 48)
        found.append(np.isin(future[future <= real[-1]], real).mean())
    assert np.mean(found) >= share
