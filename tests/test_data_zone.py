"""Zones: what `datetime` and `zoneinfo` say one stamp at a time, said for all stamps at once."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncast.data.calendars.zone import check_zone, offsets, to_local, to_utc
from rnncast.errors import UsageError

ZONES = [
    "Europe/London", "America/New_York", "Australia/Melbourne", "Australia/Lord_Howe", "Asia/Kolkata",
    "America/Sao_Paulo", "Africa/Casablanca",
]  # fmt: skip
EPOCH = datetime(1970, 1, 1)
HOUR = 3_600_000_000

# Random instants, and instants within hours of a change of the clock, which random ones hardly ever meet.
instants = st.integers(30 * 365 * 24 * 60, 60 * 365 * 24 * 60).map(lambda minutes: minutes * 60_000_000)


def near_changes(zone):
    """Instants around each change of a zone's clock in four years, half an hour apart."""
    hours = np.arange("2015-01-01", "2019-01-01", dtype="datetime64[h]").astype("datetime64[us]")
    east = np.array([offset_of(stamp, zone) for stamp in hours.tolist()])
    changes = hours[1:][np.diff(east) != 0]
    return (changes[:, None] + np.arange(-6, 7) * np.timedelta64(30, "m")).ravel()


def offset_of(stamp, zone):
    return stamp.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset() // timedelta(microseconds=1)


def instant_of(wall, zone, fold):
    aware = wall.replace(tzinfo=ZoneInfo(zone), fold=fold)
    return (aware.astimezone(UTC).replace(tzinfo=None) - EPOCH) // timedelta(microseconds=1)


def assert_as_zoneinfo(times, zone):
    assert offsets(times, zone).tolist() == [offset_of(stamp, zone) for stamp in times.tolist()]
    local = to_local(times, zone)
    again = np.arange(len(times)) % 2 == 1
    got, skipped, repeated = to_utc(local, zone, again)
    expected = [instant_of(wall, zone, int(fold)) for wall, fold in zip(local.tolist(), again, strict=True)]
    assert got.astype(np.int64).tolist() == expected
    assert skipped is None  # a wall time that the clock has shown exists
    twice = [instant_of(wall, zone, 0) != instant_of(wall, zone, 1) for wall in local.tolist()]
    assert (np.zeros(len(times), dtype=bool) if repeated is None else repeated).tolist() == twice


@pytest.mark.parametrize("zone", ZONES)
def test_around_changes_of_the_clock(zone):
    times = near_changes(zone)
    if zone != "Asia/Kolkata":
        assert len(times) >= 60
        assert_as_zoneinfo(times, zone)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), st.lists(instants, min_size=1, max_size=20))
def test_any_instants(zone, stamps):
    assert_as_zoneinfo(np.array(stamps, dtype="datetime64[us]"), zone)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), st.lists(instants, min_size=1, max_size=20), st.integers(0, 1))
def test_any_wall_times(zone, stamps, fold):
    local = np.array(stamps, dtype="datetime64[us]")
    got, skipped, _ = to_utc(local, zone, np.full(len(local), bool(fold)))
    assert got.astype(np.int64).tolist() == [instant_of(wall, zone, fold) for wall in local.tolist()]
    exists = to_local(got, zone) == local
    assert np.array_equal(~exists, np.zeros(len(local), dtype=bool) if skipped is None else skipped)


@pytest.mark.parametrize("zone", [zone for zone in ZONES if zone != "Asia/Kolkata"])
def test_skipped_wall_times_are_told_and_lie_after_the_change(zone):
    times = near_changes(zone)
    walls = (to_local(times, zone)[:, None] + np.arange(-2, 3) * np.timedelta64(15, "m")).ravel()
    got, skipped, _ = to_utc(walls, zone)
    expected = [datetime.fromtimestamp(stamp.replace(tzinfo=UTC).timestamp(), ZoneInfo(zone)) for stamp in got.tolist()]
    differs = [wall != moment.replace(tzinfo=None) for wall, moment in zip(walls.tolist(), expected, strict=True)]
    assert skipped is not None
    assert skipped.tolist() == differs
    assert np.all(to_local(got[skipped], zone) > walls[skipped])


def test_the_hour_that_comes_twice_in_london():
    local = np.array(["2018-10-28T01:30", "2018-10-28T01:30", "2018-03-25T01:30"], dtype="datetime64[us]")
    got, skipped, repeated = to_utc(local, "Europe/London", np.array([False, True, False]))
    assert got.astype("datetime64[m]").astype(str).tolist() == [
        "2018-10-28T00:30", "2018-10-28T01:30", "2018-03-25T01:30"
    ]  # fmt: skip
    assert repeated.tolist() == [True, True, False]
    assert skipped.tolist() == [False, False, True]


@pytest.mark.parametrize(("zone", "east"), [("UTC", 0), ("+05:30", 5.5), ("-03:00", -3)], ids=["UTC", "east", "west"])
def test_fixed_offsets(zone, east):
    times = np.array(["2020-01-01T12", "2020-07-01T12"], dtype="datetime64[us]")
    local = to_local(times, zone)
    assert ((local - times).astype(np.int64) == east * HOUR).all()
    got, skipped, repeated = to_utc(local, zone)
    assert np.array_equal(got, times)
    assert (skipped, repeated) == (None, None)


def test_shapes_are_kept_and_no_stamps_are_no_trouble():
    times = np.array([["2020-01-01", "2020-07-01"]], dtype="datetime64[us]")
    assert to_local(times, "Europe/London").shape == (1, 2)
    assert to_local(times[0, 1], "Europe/London")[()] == np.datetime64("2020-07-01T01:00")
    assert len(to_local(times[0, :0], "Europe/London")) == 0
    assert len(to_utc(times[0, :0], "Europe/London")[0]) == 0


NAMES = {
    "UTC": "UTC", "utc": "UTC", "Z": "UTC", "GMT": "UTC", "Etc/UTC": "UTC", "+00:00": "UTC", "+9": "+09:00",
    "Europe/London": "Europe/London", "europe/london": "Europe/London", "america/new york": "America/New_York",
    "+01:00": "+01:00", "-0330": "-03:30", "UTC+2": "+02:00",
}  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), NAMES.items(), ids=NAMES)
def test_names_of_zones(name, expected):
    assert check_zone(name) == expected
    assert check_zone(expected) == expected


@pytest.mark.parametrize(
    ("name", "near"),
    [("Europe/Londn", "Europe/London"), ("new york", "America/New_York"), ("Europe", "Europe/"), ("../etc", "")],
    ids=["mistyped", "city", "folder", "path"],
)
def test_unknown_zone_names_the_nearest(name, near):
    with pytest.raises(UsageError, match="there is no zone") as error:
        check_zone(name)
    assert near in error.value.hint


def test_without_a_zone_database_it_says_what_to_install(monkeypatch):
    import zoneinfo

    monkeypatch.setattr(zoneinfo, "ZoneInfo", lambda key: (_ for _ in ()).throw(zoneinfo.ZoneInfoNotFoundError(key)))
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    assert check_zone("UTC") == "UTC"
    with pytest.raises(UsageError) as error:
        check_zone("Europe/London")
    assert error.value.hint == "pip install tzdata"
