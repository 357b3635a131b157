"""Mistakes that data hold: found where there are some, and next to none on clean prices with real crashes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from panels import make_panel, random_walk

from rnncast.data.advice import warnings_of
from rnncast.data.alike import alike_ids, same_values
from rnncast.data.diagnosis import diagnose
from rnncast.data.jumps import find_jumps
from rnncast.data.read import read_panel

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
at_hand = pytest.mark.skipif(not SHARED.is_dir(), reason=f"real files are not at hand ({SHARED})")


def warned(panel):
    return warnings_of(diagnose(panel), panel)


@pytest.mark.parametrize("factor", [100.0, 10.0, 0.01, 1.5], ids=lambda factor: f"times {factor}")
@pytest.mark.parametrize("rows", [1, 2, 3], ids=lambda rows: f"{rows} rows")
def test_rows_far_off_that_come_back_are_found(rng, factor, rows):
    prices = random_walk(rng, 300)
    prices[150 : 150 + rows] *= factor
    (got,) = find_jumps(make_panel({"a": prices}))
    assert (got.row, got.rows, got.before, got.value, got.after) == (
        150, rows, prices[149], prices[150], prices[150 + rows]
    )  # fmt: skip


@pytest.mark.parametrize("place", [1, 5, 150, 290, 298], ids=lambda place: f"row {place}")
@pytest.mark.parametrize("ratio", [2.0, 0.25, 1.5, 1 / 20], ids=lambda ratio: f"times {ratio:g}")
def test_splits_are_found(rng, ratio, place):
    prices = random_walk(rng, 300)
    prices[place:] *= ratio
    got = [(jump.row, jump.rows, jump.ratio) for jump in find_jumps(make_panel({"a": prices}))]
    assert got == ([(place, 0, pytest.approx(ratio))] if place >= 5 else [])  # before that there is no level to break


def test_a_wrong_last_value_is_found(rng):
    prices = random_walk(rng, 300)
    prices[-1] *= 7
    panel = make_panel({"a": prices})
    (got,) = find_jumps(panel)
    assert (got.row, got.rows) == (299, 1)
    assert np.isnan(got.after)
    assert "at the end" in warned(panel)[0]


def test_a_crash_with_aftershocks_is_no_mistake(rng):
    moves = 0.01 * rng.standard_normal(400)
    moves[200:203] = [-0.4, 0.2, -0.15]
    assert find_jumps(make_panel({"a": 100 * np.exp(np.cumsum(moves))})) == ()


def test_wild_and_rare_values_are_no_mistakes(rng):
    series = {
        "noise": np.exp(2 * rng.standard_normal(500)),
        "demand": rng.poisson(0.05, 500),
        "tails": rng.standard_t(2, 500).cumsum(),
        "steps": np.repeat(rng.integers(1, 9, 50), 10),
    }
    assert find_jumps(make_panel(series)) == ()


def test_one_of_many_jumps_stands_out_in_a_wild_series(rng):
    """Ten per cent a day and more is usual here; a value a hundred times too large is not."""
    prices = random_walk(rng, 1000, volatility=0.15)
    prices[500] *= 100
    assert 500 in [jump.row for jump in find_jumps(make_panel({"a": prices}))]


def test_levels_are_judged_where_values_are_not_positive(rng):
    values = rng.standard_normal(300).cumsum()
    values[100] += 500
    (got,) = find_jumps(make_panel({"a": values}))
    assert (got.row, got.rows) == (100, 1)


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(2, 60), min_size=1, max_size=6),
    numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=60),
)
@example(lengths=[8], numbers=[0.0, 8.98846567431158e307])
def test_any_numbers_are_diagnosed(lengths, numbers):
    series = {f"s{place}": np.resize(numbers, length) for place, length in enumerate(lengths)}
    panel = make_panel(series, dated=False)
    got = diagnose(panel)
    assert got.rows.tolist() == lengths
    assert got.zeros.tolist() == [(values == 0).sum() for values in series.values()]
    assert got.tail.tolist() == [_tail(values) for values in series.values()]
    assert all(0 < jump.row < len(panel.times) for jump in got.jumps)
    assert all("\n" not in line for line in warnings_of(got, panel))


def _tail(values):
    return next((n for n, value in enumerate(values[::-1]) if value != values[-1]), len(values))


def test_figures_of_each_series():
    panel = make_panel({"a": np.array([1.0, 1, 1, 0, -2, -2]), "b": np.full(4, 3.8), "c": np.array([5e-324, 1, 1])})
    got = diagnose(panel)
    assert got.rows.tolist() == [6, 4, 3]
    assert got.first.tolist() == [panel.times[0].item()] * 3
    assert got.last.tolist() == [panel.times[5].item(), panel.times[3].item(), panel.times[2].item()]
    assert (got.least.tolist(), got.most.tolist()) == ([-2, 3.8, 5e-324], [1, 3.8, 1])
    assert (got.zeros.tolist(), got.negatives.tolist(), got.tiny.tolist()) == ([1, 0, 0], [2, 0, 0], [0, 0, 1])
    np.testing.assert_allclose(got.repeated, [3 / 6, 3 / 4, 1 / 3])
    assert (got.tail.tolist(), got.longest_run.tolist()) == ([2, 4, 2], [3, 0, 1])
    assert got.constant.tolist() == [False, True, False]
    assert got.behind.tolist() == [0, 2, 3]


def test_gaps_are_counted_by_series(rng):
    days = np.arange("2020-01-01", "2020-04-01", dtype="datetime64[D]").astype("datetime64[us]")
    whole = make_panel({"a": random_walk(rng, 91), "b": random_walk(rng, 91)}, dated=False)
    every_day = replace(whole, times=np.tile(days, 2)).keep(np.ones(182, dtype=bool), relearn_calendar=True)
    kept = np.ones(182, dtype=bool)
    kept[[100, 120, 121]] = False
    assert diagnose(every_day.keep(kept)).gaps.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        pytest.param(["WTI", "wti", "Brent"], [("WTI", "wti")], id="case"),
        pytest.param(["BRK.B", "BRK-B", "BRK A"], [("BRK.B", "BRK-B")], id="punctuation"),
        pytest.param(["EUR/USD", "EURUSD", "EUR USD "], [("EUR/USD", "EURUSD", "EUR USD ")], id="between"),
        pytest.param(["^GSPC", "GSPC", "A"], [("^GSPC", "GSPC")], id="edge"),
        pytest.param(["7", "007", "70"], [("7", "007")], id="leading-zeros"),
        pytest.param(["ＡＢＣ", "abc"], [("ＡＢＣ", "abc")], id="full-width"),
        pytest.param(["1.1", "11", "1-1"], [("1.1", "1-1")], id="numbers-with-points"),
        pytest.param(["AA", "AA-", "AA+"], [], id="ratings"),
        pytest.param(["H1", "H2", "H10", "", "é"], [], id="different"),
        pytest.param(["", " "], [("", " ")], id="blank"),
    ],
)
def test_ids_that_hardly_differ(ids, expected):
    assert list(alike_ids(ids)) == expected


def test_series_with_the_same_values(rng):
    walk = random_walk(rng, 50)
    series = {"a": walk, "b": random_walk(rng, 50), "c": walk.copy(), "d": walk[:-1], "e": walk[::-1]}
    assert same_values(make_panel(series)) == (("a", "c"),)
    assert same_values(make_panel({"a": np.full(20, 3.8), "b": np.full(20, 3.8)})) == ()


def test_a_clean_panel_needs_no_word(rng):
    assert warned(make_panel({"a": random_walk(rng, 500), "b": random_walk(rng, 500)})) == ()


def test_warnings_name_the_place_and_the_remedy(rng):
    prices = np.round(random_walk(rng, 200), 2)
    spike, split, stopped, short = prices.copy(), prices * 1.1, prices * 1.2, prices[:150] * 1.3
    spike[100] = 5891
    split[:60] *= 4
    stopped[-9:] = stopped[-10]
    got = warned(make_panel({"WTI": spike, "wti": split, "feed": stopped, "over": short, "over too": short}))
    day = str(np.busday_offset("2020-01-01", 100, roll="forward"))
    assert got[0] == (
        f"one value far off its neighbours: 5,891 at {day} (series 'WTI'), between {prices[99]:.10g} and "
        f"{prices[101]:.10g}; if it is a mistake, correct it or leave the row out"
    )
    expected = [
        ("one level break by the ratio of a split", "(series 'wti'), times 1/4", "or use adjusted prices"),
        ("the last 10 rows of series 'feed' repeat one value", "since", "leave those rows out"),
        ("2 of 5 series end before the others, 'over' 50 rows", "leave out the series"),
        ("ids that hardly differ: 'WTI' and 'wti'", "give them one name"),
        ("series with the same values: 'over' and 'over too'", "leave out all but one"),
    ]
    assert len(got) == 1 + len(expected)
    for line, parts in zip(got[1:], expected, strict=True):
        assert all(part in line for part in parts), line


def test_a_feed_that_stopped_is_cut_by_an_option(rng):
    prices = np.round(random_walk(rng, 100), 2)
    prices[-7:] = prices[-8]
    since = str(np.busday_offset("2020-01-01", 92, roll="forward"))
    (got,) = warned(make_panel({"a": prices}))
    assert got.startswith(f"the last 8 rows repeat one value, {prices[-1]:.10g}, since {since};")
    assert got.endswith(f"--until '{since}'")
    assert warned(make_panel({"a": np.repeat(prices[:90], 10)})) == ()  # what stands still often has not stopped


def test_values_too_small_or_too_close_are_named(rng):
    walk = random_walk(rng, 100)
    (tiny,) = warned(make_panel({"a": walk * 1e-320}))
    assert tiny.startswith("100 values are below 2.2e-308")
    (close,) = warned(make_panel({"a": 1e14 + np.round(walk)}))
    assert close.startswith("the moves are below 1e-12 of the level")


PRICES = {
    "crypto8_ohlcv_daily_to2018": 0,
    "electricity_epf_de_hourly": 0,
    "electricity_epf_fr_hourly": 0,
    "energy_eia_daily_to2018": 0,
    "fx_h10_daily": 0,
    "fx_lai8_daily_1990_2016": 1,  # one value of CNY is wrong in the source
    "fx_mt5_2pairs_hourly": 0,
    "fx_mt5_5pairs_daily": 0,
    "gold_usd_daily_1970_2018": 0,
    "index_us_100years_ohlcv": 0,
    "rates_ust_h15_daily_to2016": 0,
    "stocks_gafa_ohlcv_2014_2018": 0,
    "stocks_pypfopt20_adjclose_1989_2017": 1,  # AAPL lost half its value on one day in 2000
    "stocks_stocknet88_ohlcv_2012_2017": 0,
    "vix_ohlc_daily_to2018": 0,
}


@at_hand
@pytest.mark.parametrize(("name", "expected"), PRICES.items(), ids=PRICES)
def test_clean_prices_are_left_alone(name, expected):
    panel, _ = read_panel([str(SHARED / "prices" / f"{name}.parquet")])
    assert len(find_jumps(panel)) == expected


@at_hand
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("00_reference_clean", None),  # a negative price of oil is real
        ("43_fat_finger_spike", "5,965 at 2020-01-08"),
        ("44_unadjusted_split", "from 59.2 to 14.7475 at 2019-12-09, times 1/4"),
        ("46_tiny_values", "188 values are below"),
    ],
)
def test_mistakes_put_into_a_file(name, expected):
    got = warned(read_panel([str(SHARED / "dirty" / f"{name}.csv")])[0])
    assert len(got) == (expected is not None)
    assert expected is None or expected in got[0]


@at_hand
@pytest.mark.parametrize("name", ["stocks_gafa_ohlcv_2014_2018", "stocks_stocknet88_ohlcv_2012_2017"])
def test_splits_put_into_real_stocks_are_found(name, rng):
    panel, _ = read_panel([str(SHARED / "prices" / f"{name}.parquet")])
    found = 0
    for _ in range(100):
        series = panel.rows(int(rng.integers(len(panel.ids))))
        values, place = panel.target[series].copy(), int(rng.integers(10, series.stop - series.start))
        ratio = rng.choice([2, 3, 4, 5, 10, 20, 1 / 2, 1 / 10])
        values[place:] *= ratio
        jumps = find_jumps(make_panel({"a": values}))
        found += any(jump.row == place and jump.ratio == pytest.approx(ratio) for jump in jumps)
    assert found >= 95
