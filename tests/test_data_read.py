"""Good files: columns found, rows sorted, cut and counted, and what is said of it."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnncast.data.options import ReadOptions
from rnncast.data.panel import Columns
from rnncast.data.read import read_panel

SAMPLES = Path(__file__).parent.parent / "sample_data"


def read(text, **options):
    data = text if isinstance(text, bytes) else text.encode()
    return read_panel(["-"], ReadOptions(**options), stdin=io.BytesIO(data))


def stamps(*texts):
    return np.array(texts, dtype="datetime64[us]")


def rows_of(panel):
    """(id, stamp, value) of every row, in order."""
    owners = np.repeat(panel.ids, panel.lengths).tolist()
    return list(zip(owners, panel.times.tolist(), panel.target.tolist(), strict=True))


# ---- the samples


def test_oil_is_two_series_on_business_days():
    panel, notes = read_panel([str(SAMPLES / "oil_spot_daily.csv")])
    assert panel.ids == ("BRENT", "WTI")
    assert panel.columns == Columns("date", "series", "price")
    assert notes == (
        "2 series, 8,377 rows, 2010-01-04 to 2026-08-18; time column 'date', id column 'series', target 'price'; "
        "business days, Monday to Friday, with 4 usual closures",
    )
    assert panel.target.min() == -36.98
    assert panel.target.sum() == pytest.approx(sum(_third_column(SAMPLES / "oil_spot_daily.csv")), rel=1e-12)


def _third_column(path):
    return [float(line.split(",")[2]) for line in path.read_text().splitlines()[1:]]


def test_eurusd_bars_give_the_close():
    panel, _ = read_panel([str(SAMPLES / "eurusd_ohlcv_daily.csv")])
    assert panel.columns == Columns("date", None, "close")
    assert panel.ids == ("series",)
    assert panel.target[:2].tolist() == [1.30935, 1.30701]
    assert panel.calendar.freq == "B"


def test_airline_passengers_are_monthly():
    panel, _ = read_panel([str(SAMPLES / "air_passengers_monthly.csv")])
    assert panel.columns == Columns("month", None, "passengers")
    assert panel.calendar.freq == "MS"
    assert panel.values.shape == (144, 1)


# ---- columns

HEADERS = {
    "standard": ("unique_id,ds,y\n{id},{t},{v}\n", Columns("ds", "unique_id", "y")),
    "bars": ("Date,Open,High,Low,Close,Volume\n{t},0,0,0,{v},0\n", Columns("Date", None, "Close")),
    "ticker": ("ticker,timestamp,price\n{id},{t},{v}\n", Columns("timestamp", "ticker", "price")),
    "item_id": ("value,item_id,datetime\n{v},{id},{t}\n", Columns("datetime", "item_id", "value")),
    "spelling": ("Item ID,Time Stamp,Value\n{id},{t},{v}\n", Columns("Time Stamp", "Item ID", "Value")),
    "week": ("week,sales\n{t},{v}\n", Columns("week", None, "sales")),
    "by content": ("when,comment,wti\n{t},roll,{v}\n", Columns("when", None, "wti")),
    "unnamed index": (",date,price\n0,{t},{v}\n", Columns("date", None, "price")),
    "unnamed index, by content": (",when,wti\n0,{t},{v}\n", Columns("when", None, "wti")),
    "unnamed dates": (",wti\n{t},{v}\n", Columns("ds", None, "wti")),
}


@pytest.mark.parametrize(("layout", "expected"), HEADERS.values(), ids=HEADERS)
def test_columns_are_found(layout, expected):
    head, row = layout.split("\n", 1)
    text = head + "\n" + "".join(row.format(id="A", t=f"2024-01-{day:02d}", v=day / 8) for day in range(1, 6))
    panel, _ = read(text)
    assert panel.columns == expected
    assert panel.target.tolist() == [0.125, 0.25, 0.375, 0.5, 0.625]
    assert panel.times[0] == stamps("2024-01-01")


def test_columns_are_named_by_options():
    text = "date,when,a,b,close\n2024-01-01,2023-01-01,x,1,9\n2024-01-02,2023-01-02,x,2,8\n"
    panel, _ = read(text, time_col="when", id_col="a", target_col="b")
    assert panel.columns == Columns("when", "a", "b")
    assert rows_of(panel)[1] == ("x", stamps("2023-01-02")[0].item(), 2.0)


def test_adjusted_close_is_the_target_and_that_is_said():
    panel, notes = read("Date,Close,Adj Close\n2024-01-01,10,5\n2024-01-02,11,6\n")
    assert panel.target.tolist() == [5, 6]
    assert any("'Adj Close'" in note and "--target-col" in note for note in notes)
    assert read("Date,Close,Adj Close\n2024-01-01,10,5\n2024-01-02,11,6\n", target_col="Close")[0].target[0] == 10


def test_ids_stay_text():
    text = "date,id,price\n" + "".join(
        f"2024-01-0{day},{name},1\n" for day in range(1, 5) for name in ("007", "1e5", "NA")
    )
    panel, _ = read(text)
    assert panel.ids == ("007", "1e5", "NA")
    assert panel.columns.id == "id"


def test_repeating_stamps_lead_to_the_column_that_tells_them_apart():
    text = "date,currency,source,rate\n" + "".join(
        f"2024-01-0{day},{name},ecb,{day}\n" for name in ("CHF", "SEK") for day in range(1, 5)
    )
    panel, _ = read(text)
    assert panel.columns == Columns("date", "currency", "rate")
    assert panel.lengths.tolist() == [4, 4]


def test_blanks_around_ids_make_no_second_series():
    panel, _ = read("date,series,price\n2024-01-01,WTI,1\n2024-01-02, WTI,2\n2024-01-03,WTI ,3\n")
    assert panel.ids == ("WTI",)


# ---- times

FORMS = {
    "dates": (["2024-01-01", "2024-01-02", "2024-01-03"], stamps("2024-01-01", "2024-01-02", "2024-01-03")),
    "with T": (["2024-01-01T05:00", "2024-01-01T06:00"], stamps("2024-01-01T05", "2024-01-01T06")),
    "with blank": (["2024-01-01 05:00:00", "2024-01-01 06:00:00"], stamps("2024-01-01T05", "2024-01-01T06")),
    "mixed precision": (["2024-01-01", "2024-01-01 01:00"], stamps("2024-01-01T00", "2024-01-01T01")),
    "microseconds": (["2024-01-01T00:00:00.000001", "2024-01-01T00:00:00.000002"],
                     stamps("2024-01-01T00:00:00.000001", "2024-01-01T00:00:00.000002")),
    "zeros of nanoseconds": (["2024-01-01T00:00:00.100000000", "2024-01-01T00:00:00.200000000"],
                             stamps("2024-01-01T00:00:00.1", "2024-01-01T00:00:00.2")),
    "blanks around": ([" 2024-01-01", "2024-01-02 "], stamps("2024-01-01", "2024-01-02")),
    "months": (["1949-11", "1949-12", "1950-01"], stamps("1949-11-01", "1949-12-01", "1950-01-01")),
    "compact": (["20240228", "20240229", "20240301"], stamps("2024-02-28", "2024-02-29", "2024-03-01")),
    "compact months": (["202311", "202312", "202401"], stamps("2023-11-01", "2023-12-01", "2024-01-01")),
    "steps": (["1", "2", "3"], np.array([1, 2, 3])),
    "steps with a point": (["1.0", "2.0"], np.array([1, 2])),
    "years": (["1999", "2000"], np.array([1999, 2000])),
    "before 1970": (["1833-01-01", "1833-01-02"], stamps("1833-01-01", "1833-01-02")),
}  # fmt: skip


@pytest.mark.parametrize(("cells", "expected"), FORMS.values(), ids=FORMS)
def test_forms_of_time(cells, expected):
    panel, _ = read("ds,y\n" + "".join(f"{cell},1\n" for cell in cells))
    assert panel.times.dtype == expected.dtype
    assert panel.times.tolist() == expected.tolist()


def test_rows_without_a_time_column_are_counted():
    panel, notes = read("price\n5\n\n7\n8\n")
    assert panel.columns.time == "ds"
    assert panel.times.tolist() == [1, 3, 4]  # the empty row has no price, and is a row
    assert any("rows are counted" in note for note in notes)


def test_rows_are_counted_in_each_series():
    panel, _ = read("series,price\na,1\nb,2\na,3\nb,4\nb,5\n")
    assert rows_of(panel) == [("a", 1, 1), ("a", 2, 3), ("b", 1, 2), ("b", 2, 4), ("b", 3, 5)]
    assert read("series,price\na,1\nb,2\na,3\nb,4\nb,5\n", until="2")[0].lengths.tolist() == [2, 2]


# ---- order and missing values


def test_newest_first_is_sorted_and_said():
    panel, notes = read("date,price\n2024-01-03,3\n2024-01-02,2\n2024-01-01,1\n")
    assert panel.target.tolist() == [1, 2, 3]
    assert any("newest first: sorted" in note for note in notes)


def test_disorder_is_sorted_and_said():
    panel, notes = read("date,price\n2024-01-02,2\n2024-01-01,1\n2024-01-03,3\n")
    assert panel.target.tolist() == [1, 2, 3]
    assert any("(1 step back): sorted" in note for note in notes)


def test_interleaved_series_are_no_disorder():
    panel, notes = read("date,series,price\n2024-01-01,b,1\n2024-01-01,a,2\n2024-01-02,b,3\n2024-01-02,a,4\n")
    assert panel.ids == ("b", "a")
    assert panel.target.tolist() == [1, 3, 2, 4]
    assert len(notes) == 1


@pytest.mark.parametrize("marker", ["", ".", "NA", "N/A", "n/a", "null", "NULL", "NaN", "nan", " "])
def test_missing_markers_leave_rows_out_and_are_counted(marker):
    panel, notes = read(f"date,price\n2024-01-01,1\n2024-01-02,{marker}\n2024-01-03,3\n2024-01-04,4\n")
    assert panel.target.tolist() == [1, 3, 4]
    assert panel.times.tolist() == stamps("2024-01-01", "2024-01-03", "2024-01-04").tolist()
    assert any(note == "1 row without a value in 'price' left out, the first at stdin:3" for note in notes)


def test_missing_values_at_the_end_are_said_with_the_last_value():
    _, notes = read("date,price\n2024-01-01,1\n2024-01-02,2\n2024-01-03,\n2024-01-04,.\n")
    assert "2 rows without a value at the end: the last value is at 2024-01-02" in notes


def test_a_series_without_any_value_is_left_out_by_name():
    panel, notes = read("date,series,price\n2024-01-01,a,\n2024-01-01,b,1\n2024-01-02,a,\n2024-01-02,b,2\n")
    assert panel.ids == ("b",)
    assert any("1 series without any value left out: 'a'" in note for note in notes)


def test_holes_are_counted_and_the_longest_is_named():
    rows = [f"2024-01-{day:02d},1" for day in range(1, 31) if day not in (5, 12, 13, 14)]
    _, notes = read("date,price\n" + "\n".join(rows))
    assert any(note.startswith("2 holes between rows, the longest from 2024-01-11 to 2024-01-15") for note in notes)


# ---- until


def test_until_is_inclusive_and_covers_its_whole_day():
    text = "ds,y\n" + "".join(f"2024-01-0{1 + h // 24} {h % 24:02d}:00,{h}\n" for h in range(96))
    panel, notes = read(text, until="2024-01-02")
    assert panel.target[-1] == 47
    assert any(note == "48 rows after 2024-01-02 left out" for note in notes)
    assert read(text, until="2024-01-02 05:00")[0].target[-1] == 29
    assert read("ds,y\n1,1\n2,2\n3,3\n", until="2")[0].target.tolist() == [1, 2]


def test_rows_after_the_cutoff_leave_no_trace():
    known = "".join(f"2024-01-{day:02d},a,{day}\n" for day in (1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 15, 16, 17))
    later = "2024-01-20,b,-1\n2024-01-21,a,-2\n2024-01-27,a,inf\n2024-01-28,a,text\n2024-01-28,a,1\n2024-02-05,,3\n"
    got, _ = read("date,series,y\n" + later + known, until="2024-01-17")
    expected, _ = read("date,series,y\n" + known)
    assert got.ids == expected.ids
    assert rows_of(got) == rows_of(expected)
    assert got.calendar == expected.calendar
    assert got.calendar.weekmask == "1111100"


def test_named_calendar_is_kept():
    panel, _ = read("ds,y\n2024-01-01,1\n2024-01-09,2\n2024-02-21,3\n", freq="D")
    assert panel.calendar.freq == "D"
    assert panel.calendar.given


# ---- text

TEXTS = {
    "byte order mark": b"\xef\xbb\xbfdate,price\n2024-01-01,1\n2024-01-02,2\n",
    "CR LF": b"date,price\r\n2024-01-01,1\r\n2024-01-02,2\r\n",
    "CR": b"date,price\r2024-01-01,1\r2024-01-02,2\r",
    "no last line end": b"date,price\n2024-01-01,1\n2024-01-02,2",
    "blank lines": b"\n\ndate,price\n\n2024-01-01,1\n\r\n\n2024-01-02,2\n\n\n",
    "quotes": b'"date","price"\n"2024-01-01","1"\n"2024-01-02","2"\n',
    "quoted comment": b'date,price,comment\n2024-01-01,1,"a ""b"", c\nd"\n2024-01-02,2,""\n',
    "quoted header": b'date,price,"a, ""b""\nc"\n2024-01-01,1,\n2024-01-02,2,\n',
    "scientific": b"date,price\n2024-01-01,1.000E+00\n2024-01-02,+0.2e1\n",
    "blanks around": b"date, price\n2024-01-01, 1\n2024-01-02,2 \n",
}


@pytest.mark.parametrize("data", TEXTS.values(), ids=TEXTS)
def test_forms_of_text(data):
    panel, _ = read(data)
    assert panel.columns.target == "price"
    assert rows_of(panel) == [
        ("series", stamps("2024-01-01")[0].item(), 1.0),
        ("series", stamps("2024-01-02")[0].item(), 2.0),
    ]


def test_reading_loads_neither_pandas_nor_numba(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    stamp = pa.array(["2024-01-01", None, "2024-01-02"]).dictionary_encode()
    pq.write_table(pa.table({"date": stamp.drop_null(), "y": [1.5, None]}), path)
    code = (
        "import sys\nfrom rnncast.data.read import read_panel\nfrom rnncast.data.write import write_table\n"
        f"read_panel([{str(SAMPLES / 'oil_spot_daily.csv')!r}])\n"
        f"try: read_panel([{str(path)!r}])\nexcept Exception as error: assert 'two rows' in str(error)\n"
        "import io\n"
        "csv = b'date,series,y\\n2024-01-01,a,\\n2024-01-02T00:00:00.000000000,a,+1\\n2024-01-03,a,2\\n'\n"
        "panel, _ = read_panel(['-'], stdin=io.BytesIO(csv))\n"
        "for fmt in ('csv', 'json', 'ndjson', 'parquet'):\n"
        "    write_table({'ds': panel.times, 'y': panel.target, 'id': ['a', 'a']}, None, fmt, io.BytesIO())\n"
        "print(sorted({'pandas', 'numba', 'rich'} & set(sys.modules)))"
    )
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert got.stdout.strip() == "[]", got.stderr


@pytest.mark.parametrize("name", ["[close]", "{close}"])
def test_header_that_begins_with_a_bracket_is_no_json(tmp_path, name):
    path = tmp_path / "bracket.csv"
    path.write_text(f"{name},date\n1.5,2024-01-01\n2.5,2024-01-02\n3.5,2024-01-03\n")
    panel, _ = read_panel([str(path)])
    assert panel.columns.target == name
    assert panel.target.tolist() == [1.5, 2.5, 3.5]
