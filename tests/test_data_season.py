"""Season lengths: found where there are some, and none in prices."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.data.calendar import Calendar
from rnncast.data.panel import Columns, Panel
from rnncast.data.read import read_panel
from rnncast.data.season import (
    UNSUGGESTED,
    autocorrelation,
    describe_seasons,
    detect_season,
    detect_seasons,
    has_season,
    likely_lengths,
)

SAMPLES = Path(__file__).parent.parent / "sample_data"
SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


def dated(series, freq):
    """Panel of series with a stamp every so many minutes, and the calendar named."""
    panel = panel_of(series, Calendar(freq))
    minutes = {"h": 60, "30min": 30, "D": 1440}[freq]
    return replace(panel, times=np.datetime64("2020-01-06", "us") + panel.times * np.timedelta64(minutes, "m"))


def hours_of(rng, days, weekend=0.0):
    """Hours with a daily cycle that is the lower by `weekend` on two days of seven, and noise."""
    place = np.arange(24 * days)
    level = 1.0 - weekend * (place // 24 % 7 > 4)
    return 10 * level * (1.5 + np.sin(2 * np.pi * place / 24)) + 0.5 * rng.standard_normal(24 * days)


def panel_of(series, calendar):
    lengths = [len(values) for values in series]
    return Panel(
        ids=tuple(f"s{number}" for number in range(len(series))),
        indptr=np.concatenate(([0], np.cumsum(lengths))),
        times=np.concatenate([np.arange(length) for length in lengths]),
        values=np.concatenate(series)[:, None],
        columns=Columns("ds", "unique_id", "y"),
        calendar=calendar,
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [("air_passengers_monthly.csv", 12), ("oil_spot_daily.csv", 1), ("eurusd_ohlcv_daily.csv", 1)],
    ids=["airline", "oil", "EUR/USD"],
)
def test_season_of_the_samples(name, expected):
    panel, _ = read_panel([str(SAMPLES / name)])
    assert detect_season(panel) == expected


def test_season_is_tested_on_the_rows_given(rng):
    season = np.tile(np.sin(np.arange(24) / 24 * 2 * np.pi), 40)
    walk = np.cumsum(rng.standard_normal(2000))
    assert detect_season(dated([season + 0.1 * rng.standard_normal(960)], "h")) == 24
    assert detect_season(dated([walk], "h")) == 1
    late = dated([np.concatenate((walk, season * 50))], "h")
    assert detect_season(late.keep(np.arange(2960) < 2000)) == 1


def test_random_walks_have_no_season_however_many(rng):
    walks = {f"s{number}": random_walk(rng, 1500) for number in range(20)}
    assert detect_season(make_panel(walks)) == 1


def test_most_series_decide(rng):
    def series(seasonal):
        return 10 * seasonal * np.tile([0, 0, 0, 0, 0, 1, 1], 60) + rng.standard_normal(420).cumsum()

    assert detect_season(dated([series(True), series(True), series(False)], "D")) == 7
    assert detect_season(dated([series(True), series(False)], "D")) == 1


def test_short_series_are_not_asked(rng):
    seasonal = np.tile([0.0, 0, 0, 0, 0, 5, 5], 60) + 0.1 * rng.standard_normal(420)
    short = [rng.standard_normal(20) for _ in range(5)]
    assert detect_season(dated([seasonal, *short], "D")) == 7
    assert detect_season(dated(short, "D")) == 1


@pytest.mark.parametrize(
    ("weekend", "expected"), [(0.0, (24,)), (0.4, (24, 168))], ids=["daily cycle alone", "daily and weekly"]
)
def test_a_week_counts_for_what_it_adds_to_a_day(rng, weekend, expected):
    """A daily cycle correlates at 168 hours as at 24; a weekend is seen at 168 alone."""
    assert detect_seasons(dated([hours_of(rng, 60, weekend)], "h")) == expected


def test_daily_cycles_of_changing_strength_are_no_week(rng):
    """The strength of one day says something of the next, so that days a week apart are still alike, but less."""
    for _ in range(20):
        strength = np.repeat(1 + 0.1 * np.cumsum(rng.standard_normal(60)), 24)
        hours = strength * np.sin(2 * np.pi * np.arange(1440) / 24) + 0.1 * rng.standard_normal(1440)
        assert 168 not in detect_seasons(dated([hours], "h"))


def test_one_spike_does_not_hide_a_season(rng):
    hours = hours_of(rng, 60)
    hours[700] += 5000
    assert detect_seasons(dated([hours], "h")) == (24,)


@pytest.mark.parametrize(
    ("length", "expected"),
    [(4, (4,)), (12, (12,)), (24, (24,)), (52, (52,)), (168, (168,)), (3, ()), (10, ())],
    ids=lambda value: f"{value}",
)
def test_common_lengths_are_found_in_counted_rows(rng, length, expected):
    """Of counted rows a season must be one of the common lengths, and no repetition of a shorter cycle."""
    cycle = 5 * rng.standard_normal(length)
    values = np.resize(cycle, 12 * length + 100) + rng.standard_normal(12 * length + 100).cumsum() * 0.3
    assert detect_seasons(panel_of([values], Calendar("1"))) == expected


@pytest.mark.parametrize("rows", [20, 60, 200], ids=lambda rows: f"{rows} rows")
def test_counted_random_walks_have_no_season(rng, rows):
    found = [has_any(np.cumsum(rng.standard_t(4, rows))) for _ in range(200)]
    assert np.mean(found) <= 0.02


def has_any(values):
    return detect_seasons(panel_of([values], Calendar("1"))) != ()


def test_counted_rows_need_more_evidence(rng):
    weak = np.resize([0.0, 0, 0, 0, 0, 0, 1.2], 700) + rng.standard_normal(700)
    assert has_season(weak, 7)
    assert not has_season(weak, 7, UNSUGGESTED)


def test_very_many_series_are_sampled(rng):
    season = np.tile([0.0, 0, 0, 0, 0, 5, 5], 20)
    series = [season + rng.standard_normal(140) for _ in range(300)]
    assert detect_seasons(dated(series, "D")) == (7,)


@pytest.mark.parametrize(
    ("freq", "seasons", "expected"),
    [
        pytest.param("h", (24, 168), "season lengths 24 and 168 rows, both found by the autocorrelation; "
                     "the network works with 24", id="both"),
        pytest.param("D", (7,), "season length 7 rows (a week), found by the autocorrelation", id="one"),
        pytest.param("D", (), "no season found; tested: 7 rows (a week)", id="none"),
    ],
)  # fmt: skip
def test_what_is_said_of_dates(rng, freq, seasons, expected):
    assert describe_seasons(dated([random_walk(rng, 100)], freq), seasons) == expected


def test_what_is_said_of_counted_rows(rng):
    panel = panel_of([random_walk(rng, 100)], Calendar("1"))
    expected = "no season found; tested: 4, 7, 12, 24, 48, 52 and 168 rows"
    assert describe_seasons(panel, ()) == expected
    assert describe_seasons(panel, (24,)) == "season length 24 rows, found by the autocorrelation"
    assert likely_lengths(panel)[0] == 4


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"real files are not at hand ({SHARED})")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("m4/m4_hourly_train", (24,)),
        ("m4/m4_weekly_train", ()),
        ("m4/m4_daily_sub72_train", ()),
        ("prices/fx_lai8_daily_1990_2016", ()),
        ("prices/electricity_epf_de_hourly", (24, 168)),
        ("prices/electricity_epf_fr_hourly", (24, 168)),
        ("nonprice/nyc_taxi_halfhourly_2014_2015", (48, 336)),
        ("nonprice/vic_elec_halfhourly_2012_2014", (48, 336)),
    ],
    ids=lambda value: Path(value).name if isinstance(value, str) else "",
)
def test_seasons_of_real_series(name, expected):
    panel, _ = read_panel([str(SHARED / f"{name}.parquet")])
    assert detect_seasons(panel) == expected


@pytest.mark.parametrize(
    "values",
    [np.full(200, 3.8), np.zeros(200), np.full(200, 1e308) * np.tile([1, -1], 100), np.full(200, 5e-324)],
    ids=["constant", "zero", "huge", "denormal"],
)
def test_extreme_series_have_no_season(values):
    assert not has_season(values, 7)


def test_autocorrelation_is_that_of_its_definition(rng):
    values = rng.standard_normal(300).cumsum()
    centred = values - values.mean()
    expected = [centred[: 300 - lag] @ centred[lag:] / (centred @ centred) for lag in range(11)]
    np.testing.assert_allclose(autocorrelation(values, 10), expected, rtol=0, atol=1e-12)


def test_slow_cycle_is_no_season_of_the_calendar():
    """A smooth cycle of 44 rows correlates at lag 5 as at every short lag; there is no peak at five business days."""
    panel = make_panel({"a": 100 + 10 * np.sin(2 * np.pi * np.arange(1500) / 44)})
    assert panel.calendar.season_candidates() == (5,)
    assert detect_season(panel) == 1
