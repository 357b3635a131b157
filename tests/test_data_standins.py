"""Values that stand for missing ones, rows far away in time, exchanged days: mistakes that look like data."""

import io

import numpy as np
import pytest

from rnncast.data.advice import warnings_of
from rnncast.data.diagnosis import diagnose
from rnncast.data.read import read_panel
from rnncast.data.standins import find_standins, find_strangers
from rnncast.errors import DataError

DAYS = np.busday_offset("2020-01-01", np.arange(60), roll="forward").astype(str).tolist()


def panel_of(cells, days=DAYS):
    text = "date,price\n" + "".join(f"{day},{cell}\n" for day, cell in zip(days, cells, strict=True))
    return read_panel(["-"], stdin=io.BytesIO(text.encode()))[0]


def prices(rng, rows=60):
    return np.round(100 * np.exp(np.cumsum(0.01 * rng.standard_normal(rows))), 2)


@pytest.mark.parametrize("value", [-999.0, -99.0, 9999.0, 0.0])
def test_standins_are_found_and_said_once(rng, value):
    cells = prices(rng)
    cells[[5, 6, 40]] = value
    panel = panel_of(cells)
    (found,) = find_standins(panel)
    assert (found.series, found.row, found.value, found.count) == (0, 5, value, 3)
    (warning,) = warnings_of(diagnose(panel), panel)
    assert warning.startswith(f"3 values are {value:,.0f}, far from all others, the first at {DAYS[5]}")


def test_values_among_others_are_none(rng):
    assert find_standins(panel_of(-900.0 - np.arange(60))) == ()  # -999 would be but the next value
    assert find_standins(panel_of(np.round(rng.standard_normal(60), 1))) == ()
    rain = np.where(rng.random(60) < 0.5, 0.0, 5 * rng.random(60))
    assert find_standins(panel_of(np.round(rain, 1))) == ()


@pytest.mark.parametrize(("place", "day"), [(59, "2041-08-08"), (0, "1914-01-02")])
def test_a_row_far_away_in_time_is_said(rng, place, day):
    days = list(DAYS)
    days[place] = day
    panel = panel_of(prices(rng), days)
    (found,) = find_strangers(panel)
    assert found.row == place
    assert any(f", {day}, lies far" in warning for warning in warnings_of(diagnose(panel), panel))


def test_ordinary_gaps_are_no_matter(rng):
    assert find_strangers(panel_of(prices(rng))) == ()
    late = [*DAYS[:59], "2020-04-20"]
    assert find_strangers(panel_of(prices(rng), late)) == ()


def exchanged(days, year_last="{2}/{1}/{0}"):
    """Dates as DD/MM/YYYY, day and month exchanged where the day is 12 or less."""
    parts = [day.split("-") for day in days]
    return [year_last.format(y, *((m, d) if int(d) > 12 else (d, m))) for y, m, d in parts]


@pytest.mark.parametrize("newest_first", [False, True])
def test_exchanged_days_are_refused(rng, newest_first):
    days = exchanged(DAYS)[:: -1 if newest_first else 1]
    with pytest.raises(DataError, match="seems to have day and month exchanged") as error:
        panel_of(prices(rng), days)
    assert error.value.where.startswith("stdin:")


def test_shuffled_days_are_not_taken_for_exchanged_ones(rng):
    days = [f"{d[8:]}/{d[5:7]}/{d[:4]}" for d in rng.permutation(DAYS)]
    assert len(panel_of(prices(rng), days).times) == 60
