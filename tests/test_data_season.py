"""Season lengths: found where there are some, and none in prices."""

from pathlib import Path

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.data.calendar import Calendar
from rnncast.data.panel import Columns, Panel
from rnncast.data.read import read_panel
from rnncast.data.season import autocorrelation, detect_season, has_season

SAMPLES = Path(__file__).parent.parent / "sample_data"


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
    calendar = Calendar("h")
    assert detect_season(panel_of([season + 0.1 * rng.standard_normal(960)], calendar)) == 24
    assert detect_season(panel_of([walk], calendar)) == 1
    late = panel_of([np.concatenate((walk, season * 50))], calendar)
    assert detect_season(late.keep(late.times < 2000)) == 1


def test_random_walks_have_no_season_however_many(rng):
    walks = {f"s{number}": random_walk(rng, 1500) for number in range(20)}
    assert detect_season(make_panel(walks)) == 1


def test_most_series_decide(rng):
    def series(seasonal):
        return 10 * seasonal * np.tile([0, 0, 0, 0, 0, 1, 1], 60) + rng.standard_normal(420).cumsum()

    assert detect_season(panel_of([series(True), series(True), series(False)], Calendar("D"))) == 7
    assert detect_season(panel_of([series(True), series(False)], Calendar("D"))) == 1


def test_short_series_are_not_asked(rng):
    seasonal = np.tile([0.0, 0, 0, 0, 0, 5, 5], 60) + 0.1 * rng.standard_normal(420)
    short = [rng.standard_normal(21) for _ in range(5)]
    assert detect_season(panel_of([seasonal, *short], Calendar("D"))) == 7
    assert detect_season(panel_of(short, Calendar("D"))) == 1


def test_integers_have_no_season():
    assert detect_season(panel_of([np.tile([0.0, 1.0, 5.0], 100)], Calendar("1"))) == 1


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
