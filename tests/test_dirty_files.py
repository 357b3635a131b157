"""Files with one defect each, through the command line: read right with what is said of it, or refused at the place."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call

from rnncast.data.options import ReadOptions
from rnncast.data.read import read_panel

DIRTY = Path(__file__).parent / "dirty"
MANIFEST = list(csv.DictReader((DIRTY / "manifest.csv").read_text(encoding="utf-8").splitlines()))


@dataclass(frozen=True)
class Read:
    """A file that is read: its rows, and a part of what is said."""

    rows: int
    said: str = ""
    series: int = 1


@dataclass(frozen=True)
class Refused:
    """A file that is not: the exit code, a part of the message, and where."""

    message: str
    where: str
    code: int = 65


EXPECTED = {
    "00_reference_clean.csv": Read(378),
    "01_semicolon_decimal_comma.csv": Read(188, "'Preis' is read with decimal commas"),
    "02_thousands_comma_quoted.csv": Read(377, "commas between thousands"),
    "04_nbsp_thousands.csv": Read(377, "decimal commas and blanks between thousands"),
    "05_utf8_bom.csv": Read(188, "time column 'date'"),
    "07_cp1252_header.csv": Read(188, "not UTF-8: read as cp1252"),
    "08_tab_named_csv.csv": Read(188, "separated by tabs"),
    "10_scientific_notation.csv": Read(188),
    "11_unicode_minus_and_parentheses.csv": Read(336, "numbers in brackets in 'price' are read as negative"),
    "13_text_in_number_column.csv": Refused("'61.17*' is not a number; 1 more cell like it", ":42, column 'price'"),
    "14_ddmmyyyy_resolvable.csv": Read(188, "dates are read as DD/MM/YYYY"),
    "16_mixed_date_formats.csv": Refused("'23/12/2019' is not a stamp like the first one", ":122, column 'date'"),
    "17_two_digit_year.csv": Read(188, "2019-07-01 to 2020-03-31"),
    "19_epoch_seconds.csv": Read(188, "UNIX times in seconds"),
    "20_epoch_millis.csv": Read(188, "UNIX times in milliseconds"),
    "22_invalid_date.csv": Refused("'2020-02-30' is a date that does not exist", ":102, column 'date'"),
    "23_missing_timestamp.csv": Refused("the time is missing in 2 rows (also 63)", ":62, column 'date'"),
    "25_tz_offset_dst.csv": Read(479, "stamps with several offsets are written in UTC"),
    "26_dst_fallback_duplicate_hour.csv": Refused("2016-10-30 02:00 occurs again", ":245"),
    "28_unsorted_newest_first.csv": Read(188, "newest first: sorted"),
    "29_unsorted_shuffled.csv": Read(188, "not in order of time (97 steps back): sorted"),
    "31_duplicate_timestamp_conflict.csv": Refused("2019-07-17 occurs again", ":13"),
    "32_missing_business_days.csv": Read(169, "the longest from 2019-10-23 to 2019-11-15"),
    "34_fred_dot_missing.csv": Read(501, "21 rows without a value in 'DGS10' left out"),
    "35_na_markers_mixed.csv": Read(175, "13 rows without a value in 'price' left out"),
    "37_trailing_missing.csv": Read(183, "5 rows without a value at the end: the last value is at 2020-03-24"),
    "38_all_missing.csv": Refused("all 188 cells of column 'price' are missing", ""),
    "40_zero_values.csv": Read(750, "32 rows without a value"),
    "41_constant_series.csv": Read(738, "the series is constant: 3.8 in every row"),
    "43_fat_finger_spike.csv": Read(188, "far off"),
    "44_unadjusted_split.csv": Read(188, "split"),
    "46_tiny_values.csv": Read(188, "below 2.2e-308"),
    "47_large_level_small_moves.csv": Read(188),
    "49_single_row.csv": Refused("no series has two rows", ""),
    "50_two_rows.csv": Refused("too few rows", ""),
    "52_unnamed_index_column.csv": Read(188, "target 'price'"),
    "53_ohlcv_adj_close.csv": Read(400, "target is 'Adj Close'"),
    "55_ohlc_inconsistent.csv": Read(400, "target 'close'"),
    "56_duplicate_column_names.csv": Refused("2 columns are named 'price' (columns 2 and 3)", ""),
    "58_blank_lines.csv": Read(188),
    "59_comment_lines.csv": Read(188, "3 comment lines at the beginning left out"),
    "61_footer_source_line.csv": Refused("'Total' is not a stamp like the first one", ":190"),
    "62_quoted_newline.csv": Read(188),
    "64_truncated_last_line.csv": Read(188, "the last line has no line end"),
    "65_crlf_and_cr.csv": Read(188),
    "67_nul_bytes.csv": Refused("NUL byte", ":45"),
    "68_empty.csv": Refused("empty (0 bytes)", ""),
    "70_binary_junk.csv": Refused("neither CSV nor Parquet", ""),
    "71_html_error_page.csv": Refused("an HTML page", ""),
    "73_zip_named_csv.csv": Refused("a ZIP archive", ""),
    "74_gzip.csv.gz": Read(188, "unpacked with gzip"),
    "76_only_values_no_date.csv": Read(188, "there is no time column: rows are counted"),
    "77_long_two_series_interleaved.csv": Read(764, series=2),
    "79_long_ragged_lengths.csv": Read(385, "forecast all the same (1 series): BRENT", series=2),
    "80_long_missing_id.csv": Refused("the name of the series is missing in 16 rows", ":9, column 'series'"),
    "82_wide_unaligned_holidays.csv": Read(764, "wide layout: each of 2 columns of numbers, 'BRENT', 'WTI'", series=2),
    "83_id_is_number.csv": Read(764, "id column 'id'", series=2),
    "p01_clean.parquet": Read(188),
    "p02_decimal128.parquet": Read(188),
    "p04_dictionary_columns.parquet": Read(188, "id column 'series'"),
    "p05_truncated.parquet": Refused("not a valid Parquet file", ""),
    "p07_parquet_named_csv.csv": Refused("this is a Parquet file", ""),
    "p08_date32_float32.parquet": Read(188),
    "p10_list_struct.parquet": Refused("column 'price' holds list<", ""),
    "p11_pandas_index.parquet": Read(188, "time column '__index_level_0__'"),
    "p13_timestamp_us_out_of_ns.parquet": Refused("'9999-12-31 00:00:00' lies beyond the year 2200", ", row 188"),
    "p14_string_dates_large_string.parquet": Read(188),
    "p16_float16_bool.parquet": Read(188, "target 'price'"),
    "p17_hive/": Read(188, "series are named by the folders series=..."),
}


def test_every_file_of_the_manifest_is_expected():
    assert [row["file"] for row in MANIFEST] == list(EXPECTED)
    assert all((DIRTY / name).exists() for name in EXPECTED)


def verdicts(expected):
    """Verdicts of the manifest that what is expected answers to."""
    if isinstance(expected, Refused):
        return {"error", "error-or-note", "error-or-hint", "ok-or-error", "error-or-ok", "ok-or-hint"}
    return {"ok", "ok-with-note", "error-or-note", "ok-or-hint", "ok-or-error", "error-or-ok"}


@pytest.mark.parametrize("row", MANIFEST, ids=[row["file"] for row in MANIFEST])
def test_expectations_are_those_of_the_manifest(row):
    expected = EXPECTED[row["file"]]
    assert row["verdict"] in verdicts(expected)
    if row["verdict"] == "ok-with-note" and not row["file"].startswith("55"):  # "a note at most"
        assert expected.said


@pytest.mark.parametrize(("name", "expected"), EXPECTED.items(), ids=EXPECTED)
def test_train_and_forecast(name, expected, tmp_path):
    model = tmp_path / "model.npz"
    got = call("train", DIRTY / name, "-o", model, *QUICK)
    if isinstance(expected, Refused):
        assert got.code == expected.code
        lines = got.err.splitlines()
        error = next(place for place, line in enumerate(lines) if line.startswith("error: "))
        assert expected.message in lines[error]
        assert len(lines) - error <= 3
        if expected.where:
            assert lines[error + 1].startswith(f"  where: {DIRTY / name}{expected.where}")
        assert "Traceback" not in got.err
        assert not model.exists()
        return
    assert got.code == 0, got.err
    assert expected.said in got.err
    assert re.match(rf"{expected.series} series, {expected.rows:,} rows, ", got.err)
    forecast = call("forecast", model)
    assert forecast.code == 0
    rows = list(csv.DictReader(forecast.out.splitlines()))
    assert rows and all(np.isfinite(float(row["rnncast"])) for row in rows)


def rows_of(name, **options):
    panel, _ = read_panel([str(DIRTY / name)], ReadOptions(**options))
    return panel.ids, panel.times.tolist(), panel.target.tolist()


SAME = [
    *("01_semicolon_decimal_comma.csv", "05_utf8_bom.csv", "07_cp1252_header.csv", "08_tab_named_csv.csv"),
    *("10_scientific_notation.csv", "14_ddmmyyyy_resolvable.csv", "17_two_digit_year.csv"),
    *("28_unsorted_newest_first.csv", "29_unsorted_shuffled.csv", "52_unnamed_index_column.csv", "58_blank_lines.csv"),
    *("59_comment_lines.csv", "62_quoted_newline.csv", "65_crlf_and_cr.csv", "74_gzip.csv.gz"),
    *("p01_clean.parquet", "p02_decimal128.parquet", "p11_pandas_index.parquet"),
    *("p14_string_dates_large_string.parquet",),
]


@pytest.mark.parametrize("name", SAME)
def test_the_same_series_in_other_clothes(name):
    assert rows_of(name) == rows_of("00_reference_clean.csv", until="2020-03-31")


@pytest.mark.parametrize("name", ["19_epoch_seconds.csv", "20_epoch_millis.csv"])
def test_unix_times_are_the_same_days(name):
    assert rows_of(name)[1:] == rows_of("00_reference_clean.csv", until="2020-03-31")[1:]


def test_thousands_are_thousands():
    assert rows_of("02_thousands_comma_quoted.csv") == rows_of("04_nbsp_thousands.csv")
    assert rows_of("02_thousands_comma_quoted.csv")[2][:2] == [1192.09, 1186.69]


def test_negative_numbers_in_brackets_and_with_a_minus_sign():
    _, times, values = rows_of("11_unicode_minus_and_parentheses.csv")
    assert values[178:182] == [-1.63, -7.09, -76.09, -100.06]


def test_both_hours_of_the_night_when_clocks_go_back():
    panel, _ = read_panel([str(DIRTY / "26_dst_fallback_duplicate_hour.csv")], ReadOptions(time_zone="Europe/Berlin"))
    assert panel.calendar.zone == "Europe/Berlin"
    assert np.all(np.diff(panel.times) == np.timedelta64(1, "h"))


def test_offsets_make_one_line_of_time():
    panel, _ = read_panel([str(DIRTY / "25_tz_offset_dst.csv")])
    assert str(panel.times[0]) == "2018-10-15T00:00:00.000000"
    assert np.diff(panel.times).min() == np.timedelta64(1, "h")


def test_forecasts_of_a_large_level_keep_its_small_moves(tmp_path):
    call("train", DIRTY / "47_large_level_small_moves.csv", "-o", tmp_path / "m.npz", *QUICK)
    rows = list(csv.DictReader(call("forecast", tmp_path / "m.npz").out.splitlines()))
    spreads = [float(row["rnncast-hi-95"]) - float(row["rnncast-lo-95"]) for row in rows]
    assert 0.5 < spreads[0] < 100


def test_the_split_is_forecast_at_its_new_level(tmp_path):
    call("train", DIRTY / "44_unadjusted_split.csv", "-o", tmp_path / "m.npz", *QUICK)
    rows = list(csv.DictReader(call("forecast", tmp_path / "m.npz").out.splitlines()))
    assert all(2 < float(row["rnncast"]) < 10 for row in rows)
