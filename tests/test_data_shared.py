"""Real files where they are at hand, in every layout: read right, their calendar learnt. Skipped elsewhere."""

from pathlib import Path

import pytest

from rnncast.data.read import read_panel
from rnncast.data.season import detect_season

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=f"real files are not at hand ({SHARED})")

# file -> (series, rows, step, target)
CLEAN = {
    "m4/m4_hourly_train.parquet": (414, 353_500, "1", "y"),
    "m4/m4_weekly_train.parquet": (359, 366_912, "1", "y"),
    "m4/m4_daily_sub72_train.parquet": (72, 27_660, "1", "y"),
    "nonprice/classic_daily.parquet": (3, 6_920, "D", "y"),
    "nonprice/classic_monthly.parquet": (2, 2_964, "MS", "y"),
    "nonprice/vic_elec_halfhourly_2012_2014.parquet": (1, 52_608, "30min", "y"),
    "nonprice/nyc_taxi_halfhourly_2014_2015.parquet": (1, 10_320, "30min", "y"),
    "prices/crypto8_ohlcv_daily_to2018.parquet": (8, 13_898, "D", "close"),
    "prices/electricity_epf_de_hourly.parquet": (1, 52_416, "h", "y"),
    "prices/energy_eia_daily_to2018.parquet": (3, 21_872, "B", "y"),
    "prices/fx_eurusd_hourly_2017_2018.parquet": (1, 5_000, "h", "close"),
    "prices/fx_h10_daily.parquet": (22, 217_806, "B", "y"),
    "prices/fx_mt5_2pairs_hourly.parquet": (2, 75_731, "h", "close"),
    "prices/fx_mt5_5pairs_4hourly.parquet": (5, 47_295, "4h", "close"),
    "prices/gold_usd_daily_1970_2018.parquet": (1, 10_473, "B", "y"),
    "prices/gold_usd_monthly_1833.parquet": (1, 2_232, "MS", "y"),
    "prices/index_us_100years_ohlcv.parquet": (2, 59_481, "B", "adj_close"),
    "prices/rates_ust_h15_daily_to2016.parquet": (11, 122_174, "B", "y"),
    "prices/stocks_gafa_ohlcv_2014_2018.parquet": (4, 5_032, "B", "adj_close"),
    "prices/stocks_pypfopt20_adjclose_1989_2017.parquet": (20, 105_551, "B", "y"),
    "prices/stocks_stocknet88_ohlcv_2012_2017.parquet": (88, 108_589, "B", "adj_close"),
    "prices/vix_ohlc_daily_to2018.parquet": (1, 7_304, "B", "close"),
    "sample_candidates/fx_h10_daily_long.csv": (8, 19_911, "B", "per_usd"),
    "sample_candidates/fx_h10_daily_wide.csv": (8, 19_911, "B", "y"),
    "sample_candidates/ust_yields_fred_style.csv": (2, 3_504, "B", "y"),
}


@pytest.mark.parametrize(("name", "expected"), CLEAN.items(), ids=[Path(name).stem for name in CLEAN])
def test_clean_files(name, expected):
    panel, notes = read_panel([str(SHARED / name)])
    assert (len(panel.ids), len(panel.times), panel.calendar.freq, panel.columns.target) == expected
    assert all(notes)


@pytest.mark.parametrize(
    "name", [name for name in CLEAN if name.startswith("prices/")], ids=lambda name: Path(name).stem
)
def test_prices_have_no_season(name):
    panel, _ = read_panel([str(SHARED / name)])
    assert detect_season(panel) == (24 if "electricity" in name else 1)


def test_long_and_wide_are_the_same_rows():
    long, _ = read_panel([str(SHARED / "sample_candidates/fx_h10_daily_long.csv")])
    wide, _ = read_panel([str(SHARED / "sample_candidates/fx_h10_daily_wide.csv")])
    assert (long.ids, long.indptr.tolist()) == (wide.ids, wide.indptr.tolist())
    assert long.times.tolist() == wide.times.tolist()
    assert long.target.tolist() == wide.target.tolist()


def test_a_folder_of_parquet_files_is_the_file(tmp_path):
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = SHARED / "m4" / "m4_daily_sub72_train.parquet"
    table = pq.ParquetFile(path).read()
    names = pc.unique(table["unique_id"]).to_pylist()
    for name in names:
        (tmp_path / f"unique_id={name}").mkdir()
        own = table.filter(pc.equal(table["unique_id"], name)).select(["ds", "y"])
        pq.write_table(own, tmp_path / f"unique_id={name}" / "part-0.parquet")
    expected, _ = read_panel([str(path)])
    got, _ = read_panel([str(tmp_path)])
    order = [expected.ids.index(name) for name in got.ids]  # folders are sorted by name
    assert sorted(order) == list(range(72))
    for s, e in enumerate(order):
        assert got.target[got.rows(s)].tolist() == expected.target[expected.rows(e)].tolist()


# file -> zone, sessions in words
CALENDARS = {
    "prices/fx_eurusd_hourly_2017_2018.parquet": "every hour, Sunday 22:00 to Friday 21:00",
    "prices/crypto8_ohlcv_daily_to2018.parquet": "every day",
    "prices/fx_mt5_5pairs_4hourly.parquet": "every 4 hours, Monday to Friday",
    "prices/stocks_gafa_ohlcv_2014_2018.parquet": "business days, Monday to Friday, with 9 usual closures",
    "nonprice/vic_elec_halfhourly_2012_2014.parquet": "every 30 minutes, UTC",
}


@pytest.mark.parametrize(("name", "expected"), CALENDARS.items(), ids=[Path(name).stem for name in CALENDARS])
def test_calendars_in_words(name, expected):
    panel, _ = read_panel([str(SHARED / name)])
    assert panel.calendar.describe().startswith(expected)
