"""Usual closures: rules and their dates, learnt from days without rows, and kept free of future stamps."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncast.data.calendar import Calendar, learn_calendar
from rnncast.data.calendars.closures import check_rule, closure_days, easter, rule_days
from rnncast.data.calendars.frequency import DAY_US, WORKING_WEEK
from rnncast.data.calendars.zone import to_local, to_utc
from rnncast.data.panel import Columns, Panel

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
NEW_YORK = (
    "01-01+", "01-MON-3", "02-MON-3", "easter-2", "05-MON-L", "06-19~", "07-04~", "09-MON-1", "11-THU-4", "12-25~",
)  # fmt: skip


def days_of(rules, first=1950, last=2060):
    return closure_days(tuple(rules), first, last)


def open_days(start, stop, rules=(), weekmask=WORKING_WEEK):
    every = np.arange(start, stop, dtype="datetime64[D]")
    return every[np.is_busday(every, weekmask=weekmask, holidays=days_of(rules))].astype("datetime64[us]")


def learn(times, *starts, **named):
    return learn_calendar(times, np.array([0, *starts, len(times)]), **named)


# ---- rules and dates

DATES = {
    "12-25": ["2020-12-25", "2021-12-25", "2022-12-25"],
    "07-04~": ["2020-07-03", "2021-07-05", "2022-07-04"],
    "01-01+": ["2021-01-01", "2022-01-01", "2023-01-02"],
    "12-26++": ["2020-12-28", "2021-12-27", "2022-12-26"],
    "11-THU-4": ["2020-11-26", "2021-11-25", "2022-11-24"],
    "05-MON-L": ["2020-05-25", "2021-05-31", "2022-05-30"],
    "easter-2": ["2020-04-10", "2021-04-02", "2022-04-15"],
    "easter+1": ["2020-04-13", "2021-04-05", "2022-04-18"],
}


@pytest.mark.parametrize(("rule", "expected"), DATES.items(), ids=DATES)
def test_dates_of_rules(rule, expected):
    years = np.array([2020, 2021, 2022]) if rule != "01-01+" else np.array([2021, 2022, 2023])
    assert rule_days([rule], years)[0].astype("datetime64[D]").astype(str).tolist() == expected
    check_rule(rule)


def test_29_february_exists_every_fourth_year():
    assert days_of(["02-29"], 2019, 2025).astype(str).tolist() == ["2020-02-29", "2024-02-29"]


def test_easter_by_another_algorithm():
    years = np.arange(1700, 2300)

    def gauss(year):  # with Lichtenberg's corrections
        k = year // 100
        m, s = 15 + (3 * k + 3) // 4 - (8 * k + 13) // 25, 2 - (3 * k + 3) // 4
        a = year % 19
        d = (19 * a + m) % 30
        r = (d + a // 11) // 29
        og = 21 + d - r
        sz = 7 - (year + year // 4 + s) % 7
        return date(year, 3, 1).toordinal() + og + 7 - (og - sz) % 7 - 1 - date(1970, 1, 1).toordinal()

    assert easter(years).tolist() == [gauss(year) for year in years.tolist()]


@pytest.mark.parametrize(
    "rule", ["", "13-01", "02-30", "12-25-", "11-THU-5", "11-XYZ-1", "easter", "easter-2 ", "07-04~+"]
)
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(ValueError, match="expected a rule such as"):
        Calendar("B", WORKING_WEEK, closures=(rule,))


# ---- what is learnt


def test_closures_of_an_exchange():
    got = learn(open_days("2010-01-01", "2024-06-01", NEW_YORK))
    assert got.closures == NEW_YORK
    assert got.describe() == "business days, Monday to Friday, with 10 usual closures"


def test_a_rule_begins_when_it_has_stood_three_times():
    without, juneteenth = NEW_YORK[:5] + NEW_YORK[6:], np.datetime64("2022-01-01", "us")
    times = open_days("2012-01-01", "2026-01-01", without)
    times = times[(times < juneteenth) | ~np.isin(times.astype("datetime64[D]"), days_of(["06-19~"]))]
    assert "06-19~" not in learn(times[times < np.datetime64("2024-01-01", "us")]).closures
    assert "06-19~" in learn(times).closures


def test_a_rule_ends_when_the_day_was_open_twice():
    times = open_days("2000-01-01", "2012-01-01", ["05-01", "12-25"])
    worked = np.array(["2008-05-01", "2007-05-01"], dtype="datetime64[us]")
    assert learn(times).closures == ("05-01", "12-25")
    assert learn(np.sort(np.append(times, worked[:1]))).closures == ("05-01", "12-25")  # one exception
    assert learn(np.sort(np.append(times, worked))).closures == ("12-25",)


def test_two_series_with_different_holidays_share_those_in_common():
    first, second = (
        open_days("2010-01-01", "2020-01-01", ["12-25", "easter-2"]),
        open_days("2010-01-01", "2020-01-01", ["12-25", "07-04~"]),
    )
    assert learn(np.concatenate((first, second)), len(first)).closures == ("12-25",)


def test_a_slip_in_one_of_many_series_opens_no_holiday():
    days = open_days("2015-01-01", "2020-01-01", ["12-25"])
    slip = np.sort(np.append(days, np.array(["2018-12-25", "2019-12-25"], dtype="datetime64[us]")))
    times = np.concatenate((*[days] * 299, slip))
    assert learn(times, *np.arange(1, 300) * len(days)).closures == ("12-25",)


@pytest.mark.parametrize("years", [2, 3, 4, 6, 10, 15])
@pytest.mark.parametrize("share", [0.01, 0.03, 0.1])
def test_rows_missing_at_random_make_no_closures(rng, years, share):
    found = 0
    for _ in range(10):
        times = open_days("2004-01-01", f"{2004 + years}-01-01")
        found += len(learn(times[rng.random(len(times)) > share]).closures)
    assert found <= 1


def test_closures_stand_out_from_rows_missing_at_random(rng):
    times = open_days("2008-01-01", "2020-01-01", ["12-25", "05-MON-L", "easter-2"])
    assert set(learn(times[rng.random(len(times)) > 0.02]).closures) >= {"12-25", "05-MON-L", "easter-2"}


def test_years_without_rows_make_no_closures():
    times = open_days("2005-01-01", "2019-03-01")
    inside = (times < np.datetime64("2012-01-01")) | (times > np.datetime64("2018-01-01"))
    assert learn(times[inside]).closures == ()


def test_closures_of_hourly_rows():
    days = open_days("2015-01-01", "2020-01-01", ["01-01", "12-25"])
    times = (days[:, None] + np.arange(24) * np.timedelta64(1, "h")).ravel()
    got = learn(times)
    assert got == Calendar("h", WORKING_WEEK, closures=("01-01", "12-25"))
    assert got.future(np.datetime64("2020-12-24T23", "us"), 1)[0] == np.datetime64("2020-12-28")


def test_every_day_but_christmas():
    got = learn(open_days("2015-01-01", "2020-01-01", ["12-25"], "1111111"))
    assert got == Calendar("D", closures=("12-25",))
    assert got.future(np.datetime64("2020-12-24", "us"), 1)[0] == np.datetime64("2020-12-26")
    assert got.describe() == "every day, with 1 usual closure"


def test_daily_bars_at_local_midnight_stay_there():
    local = open_days("2012-01-01", "2020-03-20", NEW_YORK)
    times, _, _ = to_utc(local, "America/New_York")
    got = learn(times[:-8], zone="America/New_York")
    assert got.freq == "B"
    assert np.array_equal(got.future(times[-9], 8), times[-8:])  # the clock changed on 8 March
    assert got.describe().endswith("usual closures, America/New_York")


# ---- a named step


def test_a_named_step_keeps_what_the_rows_say_of_days():
    times = open_days("2012-01-01", "2020-01-01", NEW_YORK, "1111001")
    got = learn(times, freq="B")
    assert (got.freq, got.weekmask, got.given) == ("B", "1111001", True)
    assert "easter-2" not in got.closures  # a Friday, closed anyway
    assert "01-MON-3" in got.closures


@pytest.mark.parametrize(
    ("freq", "expected"),
    [("B", Calendar("B", WORKING_WEEK, True)), ("D", Calendar("D", given=True)), ("h", Calendar("h", given=True)),
     ("W-FRI", Calendar("W-FRI", given=True)), ("2h", Calendar("2h", given=True))],
    ids=str,
)  # fmt: skip
def test_a_named_step_that_the_rows_say_nothing_of(freq, expected):
    assert learn(np.array(["2024-01-01", "2024-01-02", "2024-01-03"], dtype="datetime64[us]"), freq=freq) == expected
    assert learn(np.array(["2024-01-01"], dtype="datetime64[us]"), freq=freq) == expected


def test_every_day_named_for_business_days_goes_through_the_weekend():
    got = learn(open_days("2012-01-01", "2020-01-01", NEW_YORK), freq="D")
    assert got == Calendar("D", given=True)


def test_relearning_keeps_what_the_user_named():
    times = open_days("2012-01-01", "2020-01-01", ["12-25"])
    named = learn(times, freq="B", zone="UTC", holidays=("2020-05-08",))
    assert named.closures == ("12-25",)
    got = named.relearn(times[:300], np.array([0, 300]))
    assert got == replace(named, closures=())


def test_irregular_rows_go_on_by_the_median_gap():
    times = np.array(["2024-01-01T00:00", "2024-01-01T07:13", "2024-01-03T10:00", "2024-01-04T18:00"], "datetime64[us]")
    got = learn(times, irregular=True)
    assert got.irregular
    assert got.future(times[-1], 2)[0] == times[-1] + np.timedelta64(32, "h")
    assert "estimates" in got.describe()
    assert learn(np.array([1, 4, 5, 12]), irregular=True).future(12, 2).tolist() == [15, 18]
    days = np.array(["2024-01-01", "2024-01-04", "2024-01-05", "2024-01-12"], dtype="datetime64[us]")
    assert learn(days, irregular=True).freq == "3D"
    assert got.relearn(times[:2], np.array([0, 2])).irregular


# ---- future stamps

rules = st.sampled_from([*DATES, "02-29", "08-15"])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(rules, max_size=6, unique=True).map(tuple),
    st.sampled_from(["B", "2B", "D", "h", "30min"]),
    st.integers(-60 * 365, 80 * 365),
    st.lists(st.integers(1, 300), max_size=10),
    st.sampled_from([None, "America/Sao_Paulo"]),
)
def test_future_is_ascending_and_never_on_a_closed_day(closures, freq, day, offsets, zone):
    weekmask = "1111111" if freq == "D" else WORKING_WEEK
    last = np.datetime64(day, "D").astype("datetime64[us]") + np.timedelta64(9, "h")
    holidays = tuple(np.unique(np.datetime64(day, "D") + np.array(offsets, dtype=np.int64)).astype(str).tolist())
    calendar = Calendar(freq, weekmask, zone=zone, closures=closures, holidays=holidays)
    got = calendar.future(last, 100)
    assert got[0] > last
    assert np.all(np.diff(got).astype(np.int64) > 0)
    on = (got if zone is None else to_local(got, zone)).astype("datetime64[D]")
    closed = np.concatenate((days_of(closures, 1900, 2100), np.array(holidays, dtype="datetime64[D]")))
    assert np.all(np.is_busday(on, weekmask=weekmask, holidays=closed))
    assert np.array_equal(calendar.future(got[9], 20), got[10:30])


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(NEW_YORK), min_size=1).map(sorted).map(tuple), st.integers(1, 60), st.integers(0, 250))
def test_rows_dropped_from_the_end_come_back(closures, dropped, start):
    first = np.datetime64("2008-01-01") + start
    times = open_days(first, first + 12 * 365, closures)
    got = learn(times[:-dropped])
    assert np.array_equal(got.future(times[-dropped - 1], dropped), times[-dropped:])


def test_a_holiday_moves_the_last_business_day_of_a_month():
    got = Calendar("BME", holidays=("2024-03-29",)).future(np.datetime64("2024-02-29", "us"), 1)
    assert got[0] == np.datetime64("2024-03-28")


@settings(max_examples=25, deadline=None)
@given(st.integers(900, 2400), st.integers(0, 2**32 - 1))
def test_rows_after_the_cutoff_change_nothing(cut, seed):
    times = open_days("2010-01-01", "2020-01-01", NEW_YORK)
    cutoff = times[cut]
    later = np.random.default_rng(seed)
    kept = times[(times <= cutoff) | (later.random(len(times)) > 0.5)]
    shifted = np.where(kept > cutoff, kept + np.timedelta64(int(later.integers(1, DAY_US)), "us"), kept)

    def panel(stamps):
        calendar = learn(stamps, freq="B")
        return Panel(
            ("a",), np.array([0, len(stamps)]), stamps, np.zeros((len(stamps), 1)), Columns("ds", None, "y"), calendar
        )

    assert panel(shifted).until(cutoff).calendar == panel(times).until(cutoff).calendar


# ---- what is kept in a file


def test_calendar_survives_json():
    import json

    calendar = Calendar(
        "30min", WORKING_WEEK, True, "America/New_York", ((0, DAY_US // 2),), ("12-25", "easter-2"), ("2024-05-08",)
    )
    assert Calendar.from_dict(json.loads(json.dumps(calendar.to_dict()))) == calendar
    old = {"freq": "B", "weekmask": WORKING_WEEK, "given": False}
    assert Calendar.from_dict(old) == Calendar("B", WORKING_WEEK)


NONSENSE = {
    "zone": {"zone": "Mars/Phobos"}, "zone in another form": {"zone": "utc"}, "zone of a path": {"zone": "../../etc"},
    "sessions": {"sessions": [[1, 2, 3]]}, "sessions as text": {"sessions": "0"},
    "too many runs": {"sessions": [[0, 0]] * 1001}, "closure": {"closures": ["40-40"]},
    "closures of lists": {"closures": [["12-25"]]}, "many closures": {"closures": ["12-25"] * 101},
    "holiday": {"holidays": ["2024-02-30"]}, "holiday of a number": {"holidays": [1]}, "flag": {"irregular": 1},
}  # fmt: skip


@pytest.mark.parametrize("change", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_in_a_file_is_refused(change):
    good = Calendar("30min", WORKING_WEEK).to_dict()
    with pytest.raises(ValueError):
        Calendar.from_dict(good | change)


# ---- real files

REAL = {
    "prices/index_us_ohlcv_1999_2018.parquet": (9, 0.99),
    "prices/stocks_gafa_ohlcv_2014_2018.parquet": (9, 0.99),
    "prices/crypto8_ohlcv_daily_to2018.parquet": (0, 0.99),
    "prices/rates_ust_h15_daily_to2016.parquet": (9, 0.98),
}


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"real files are not at hand ({SHARED})")
@pytest.mark.parametrize(("name", "expected"), REAL.items(), ids=[Path(name).stem for name in REAL])
def test_real_stamps_are_forecast(name, expected):
    from rnncast.data.read import read_panel

    panel, _ = read_panel([str(SHARED / name)])
    closures, share = expected
    assert len(panel.calendar.closures) >= closures
    real = np.unique(panel.times)
    found = []
    for cutoff in real[np.linspace(0.7 * len(real), len(real) - 21, 40).astype(int)]:
        future = panel.until(cutoff).calendar.future(cutoff, 20)
        found.append(np.isin(future[future <= real[-1]], real).mean())
    assert np.mean(found) >= share
