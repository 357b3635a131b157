"""The main job, train and forecast, on each layout from a real file: its first stamps, names and calendar."""

import csv
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_data"
SHARED = ROOT.parent / "shared" / "data"
needs_real_files = pytest.mark.skipif(not SHARED.is_dir(), reason=f"real files are not at hand ({SHARED})")


def first_rows(source, folder, *options):
    """First forecast of each series: id and stamp, after training on `source`."""
    model = folder / "model.npz"
    trained = call("train", source, "-o", model, *QUICK, *options)
    assert trained.code == 0, trained.err
    issued = call("forecast", model)
    assert issued.code == 0, issued.err
    rows = list(csv.reader(issued.out.splitlines()))
    header, rows = rows[0], rows[1:]
    values = np.array([[float(cell) for cell in row[header.index("rnncast") :]] for row in rows])
    assert np.isfinite(values).all()
    names = header[: header.index("rnncast")]
    firsts = {}
    for row in rows:
        firsts.setdefault(row[0] if len(names) == 2 else "", row[len(names) - 1])
    return names, firsts


def test_oil_long(tmp_path):
    names, firsts = first_rows(SAMPLES / "oil_spot_daily.csv", tmp_path)
    assert names == ["series", "date"]
    assert firsts == {"BRENT": "2026-08-19", "WTI": "2026-08-19"}


def test_oil_wide(tmp_path):
    cells = {}
    for date, series, price in list(csv.reader((SAMPLES / "oil_spot_daily.csv").read_text().splitlines()))[1:]:
        cells.setdefault(date, {})[series] = price
    lines = [f"{date},{row.get('BRENT', '')},{row.get('WTI', '')}" for date, row in sorted(cells.items())]
    path = tmp_path / "oil.csv"
    path.write_text("\n".join(["date,BRENT,WTI", *lines, ""]))
    names, firsts = first_rows(path, tmp_path)
    assert names == ["unique_id", "date"]
    assert firsts == {"BRENT": "2026-08-19", "WTI": "2026-08-19"}


def test_bars(tmp_path):
    names, firsts = first_rows(SAMPLES / "eurusd_ohlcv_daily.csv", tmp_path)
    assert (names, firsts) == (["date"], {"": "2019-01-02"})  # New Year's Day is a usual closure


def test_months(tmp_path):
    names, firsts = first_rows(SAMPLES / "air_passengers_monthly.csv", tmp_path)
    assert (names, firsts) == (["month"], {"": "1961-01-01"})


# file -> options, columns, first stamps
REAL = {
    "sample_candidates/ust_yields_fred_style.csv": (
        [],
        ["unique_id", "DATE"],
        {"DGS10": "2017-01-03", "DGS2": "2017-01-03"},
    ),
    "nonprice/vic_elec_halfhourly_2012_2014.parquet": (
        ["--time-zone", "Australia/Melbourne"],
        ["unique_id", "ds"],
        {"VIC": "2015-01-01T00:00:00+11:00"},
    ),
    "prices/fx_mt5_5pairs_4hourly.parquet": (
        [],
        ["unique_id", "ds"],
        dict.fromkeys(["EURUSD", "USDJPY", "AUDUSD", "USDCAD", "EURCHF"], "2019-01-02T00:00:00"),
    ),
}


@needs_real_files
@pytest.mark.parametrize(("name", "expected"), REAL.items(), ids=[Path(name).stem for name in REAL])
def test_real_files(name, expected, tmp_path):
    options, names, firsts = expected
    assert first_rows(SHARED / name, tmp_path, *options) == (names, firsts)


@needs_real_files
def test_days_and_nights_without_a_break(tmp_path):
    names, firsts = first_rows(SHARED / "prices" / "crypto8_ohlcv_daily_to2018.parquet", tmp_path)
    assert names == ["unique_id", "ds"]
    assert set(firsts.values()) == {"2019-01-01"}  # a holiday elsewhere
    assert len(firsts) == 8


@needs_real_files
def test_hive_folders(tmp_path):
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.ParquetFile(SHARED / "m4" / "m4_hourly_train.parquet").read()
    for name in ("H1", "H2", "H413"):
        folder = tmp_path / "m4" / f"unique_id={name}"
        folder.mkdir(parents=True)
        own = table.filter(pc.equal(table["unique_id"], name)).select(["ds", "y"])
        pq.write_table(own, folder / "part-0.parquet")
    names, firsts = first_rows(tmp_path / "m4", tmp_path)
    assert names == ["unique_id", "ds"]
    assert firsts == {"H1": "701", "H2": "701", "H413": "961"}
