"""Phases of the calendar's cycles, and which of them a panel shows."""

from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.data.calendar import Calendar, learn_calendar
from rnncast.data.cycles import has_yearly_cycle, long_season, phases_told
from rnncast.data.panel import Columns, Panel
from rnncast.data.phases import PHASES, phases

DAY, WEEK, YEAR = PHASES[:2], PHASES[2:4], PHASES[4:]


def panel_of(values, first, step, zone=None):
    times = np.datetime64(first, "us") + np.arange(len(values)) * np.timedelta64(step)
    indptr = np.array([0, len(values)])
    calendar = learn_calendar(times, indptr, zone=zone)
    return Panel(("a",), indptr, times, values[:, None], Columns("ds", None, "y"), calendar)


def stamps(*texts):
    return np.array(texts, "datetime64[us]")


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("2024-01-03T00:00", DAY, (0, 1)),
        ("2024-01-03T06:00", DAY, (1, 0)),
        ("2024-01-03T18:00", DAY, (-1, 0)),
        ("2024-01-01T00:00", WEEK, (0, 1)),  # a Monday
        ("2024-01-04T12:00", WEEK, (0, -1)),  # half a week later
        ("1969-12-29T00:00", WEEK, (0, 1)),  # a Monday before the epoch
    ],
    ids=["midnight", "six", "eighteen", "Monday", "Thursday noon", "before 1970"],
)
def test_a_stamp_is_a_point_on_the_circle_of_its_cycle(text, names, expected):
    got = phases(stamps(text), Calendar("h"), names)[:, 0]
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_the_same_day_of_the_year_has_nearly_the_same_phase_in_any_year():
    days = np.array([f"{year}-06-15" for year in range(1950, 2050)], "datetime64[us]")
    got = phases(days, Calendar("D"), YEAR)
    assert np.ptp(got, axis=1).max() < 2 * np.pi * 2 / 365  # leap days move it by two days at most


def test_the_wall_clock_of_the_zone_counts():
    summer, winter = stamps("2024-07-01T10:00"), stamps("2024-01-01T11:00")  # noon in Berlin, both
    calendar = Calendar("h", zone="Europe/Berlin")
    expected = phases(stamps("2024-07-01T12:00"), Calendar("h"), DAY)
    np.testing.assert_array_equal(phases(summer, calendar, DAY), expected)
    np.testing.assert_array_equal(phases(winter, calendar, DAY), expected)


def test_shapes_are_those_of_the_stamps():
    times = np.arange("2024-01-01", "2024-01-07", dtype="datetime64[D]").astype("datetime64[us]").reshape(2, 3)
    assert phases(times, Calendar("D"), WEEK).shape == (2, 2, 3)
    assert phases(times, Calendar("D"), ()).shape == (0, 2, 3)


@pytest.mark.parametrize(
    ("rows", "step", "season", "expected"),
    [
        (24 * 40, "h", 24, DAY + WEEK),
        (24 * 20, "h", 24, DAY),  # under three weeks
        (24 * 40, "h", 1, ()),
        (200, "D", 7, WEEK),
        (20, "D", 7, ()),
    ],
    ids=["hours", "few hours", "hours without a season", "days", "few days"],
)
def test_a_season_brings_the_cycles_that_the_rows_span_often(rng, rows, step, season, expected):
    panel = panel_of(rng.standard_normal(rows), "2024-01-01", np.timedelta64(1, step))
    assert phases_told(panel, season) == expected


def test_counted_rows_and_long_steps_have_no_phases(rng):
    assert phases_told(make_panel({"a": rng.standard_normal(4000)}, dated=False), 24) == ()
    assert phases_told(panel_of(rng.standard_normal(520), "2010-01-03", np.timedelta64(7, "D")), 52) == ()
    panel = panel_of(rng.standard_normal(24 * 40), "2024-01-01", np.timedelta64(1, "h"))
    assert phases_told(replace(panel, calendar=replace(panel.calendar, irregular=True)), 24) == ()


def test_a_yearly_cycle_is_told_where_there_is_one(rng):
    days = np.arange(8 * 365)
    warm = 10 + 5 * np.sin(2 * np.pi * days / 365.25) + 2 * rng.standard_normal(len(days))
    assert phases_told(panel_of(warm, "2010-01-01", np.timedelta64(1, "D")), 1) == YEAR
    assert phases_told(panel_of(warm, "2010-01-01", np.timedelta64(1, "D")), 7) == WEEK + YEAR
    assert phases_told(panel_of(warm[: 4 * 365], "2010-01-01", np.timedelta64(1, "D")), 1) == ()


def test_prices_show_no_yearly_cycle(rng):
    walks = [make_panel({"a": random_walk(rng, 2600)}) for _ in range(40)]
    assert sum(has_yearly_cycle(panel) for panel in walks) <= 4
    together = make_panel({str(number): random_walk(rng, 2600) for number in range(40)})
    assert not has_yearly_cycle(together)


def days_and_weeks(rng, with_week, without, dated=False):
    """Series of 42 days of 24 rows, of which some rest at the end of the week."""
    hours = np.arange(24 * 42)
    day = np.resize(rng.standard_normal(24), len(hours))
    rest = (hours // 24 % 7 >= 5).astype(float)
    kinds = [1.0] * with_week + [0.0] * without
    noise = 0.3 * rng.standard_normal((len(kinds), len(hours)))
    values = {str(n): 10 + day * (1 - weight * rest) + noise[n] for n, weight in enumerate(kinds)}
    if not dated:
        return make_panel(values, dated=False)
    one = panel_of(np.concatenate(list(values.values())), "2024-01-01", np.timedelta64(1, "h"))
    times = np.tile(one.times[: len(hours)], len(kinds))
    indptr = np.arange(len(kinds) + 1) * len(hours)
    return replace(one, ids=tuple(values), indptr=indptr, times=times, columns=Columns("ds", "id", "y"))


@pytest.mark.parametrize("dated", [False, True], ids=["counted", "dated"])
@pytest.mark.parametrize(
    ("with_week", "without", "expected"),
    [(4, 8, 168), (12, 0, 0), (0, 12, 0), (1, 0, 0)],
    ids=["some", "all", "none", "one"],
)
def test_a_week_that_only_some_series_have_is_found(rng, with_week, without, expected, dated):
    assert long_season(days_and_weeks(rng, with_week, without, dated), 24) == expected


def test_seasons_other_than_a_day_have_no_longer_one(rng):
    assert long_season(days_and_weeks(rng, 4, 8), 12) == 0
    assert long_season(days_and_weeks(rng, 4, 8, dated=True), 168) == 0
    assert long_season(days_and_weeks(rng, 4, 8, dated=True), 1) == 0
