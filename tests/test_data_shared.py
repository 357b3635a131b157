"""Real files, clean and dirty, where they are at hand: read right, or refused with the place. Skipped elsewhere."""

from pathlib import Path

import pytest

from rnncast.data.read import read_panel
from rnncast.data.season import detect_season
from rnncast.errors import DataError, InputNotFoundError, RnncastError

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=f"real files are not at hand ({SHARED})")

# file -> (series, rows, step, target)
CLEAN = {
    "m4/m4_hourly_train.parquet": (414, 353_500, "1", "y"),
    "m4/m4_weekly_train.parquet": (359, 366_912, "1", "y"),
    "m4/m4_daily_sub72_train.parquet": (72, 27_660, "1", "y"),
    "nonprice/classic_daily.parquet": (3, 6_920, "D", "y"),
    "nonprice/classic_monthly.parquet": (2, 2_964, "MS", "y"),
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


# file -> rows of the panel, or parts of the message and of the place
DIRTY = {
    "00_reference_clean.csv": 378,
    "01_semicolon_decimal_comma.csv": ("separated by semicolons", ":1"),
    "02_thousands_comma_quoted.csv": ("'1,192.09' is not a number", ":2, column 'krw_per_usd'"),
    "04_nbsp_thousands.csv": ("separated by semicolons", ":1"),
    "05_utf8_bom.csv": 188,
    "07_cp1252_header.csv": ("not encoded in UTF-8", ":1"),
    "08_tab_named_csv.csv": ("separated by tabs", ":1"),
    "10_scientific_notation.csv": 188,
    "11_unicode_minus_and_parentheses.csv": ("'(1.63)' is not a number; 7 more", ":180, column 'price'"),
    "13_text_in_number_column.csv": ("'61.17*' is not a number; 1 more", ":42, column 'price'"),
    "14_ddmmyyyy_resolvable.csv": ("not a date in ISO 8601 form", ":2, column 'date'"),
    "16_mixed_date_formats.csv": ("'23/12/2019'", ":122, column 'date'"),
    "17_two_digit_year.csv": ("not a date in ISO 8601 form", ":2, column 'date'"),
    "19_epoch_seconds.csv": ("UNIX times", ""),
    "20_epoch_millis.csv": ("UNIX times", ""),
    "22_invalid_date.csv": ("'2020-02-30' is a date that does not exist", ":102, column 'date'"),
    "23_missing_timestamp.csv": ("the time is missing in 2 rows (also 63)", ":62, column 'date'"),
    "25_tz_offset_dst.csv": ("names a zone or an offset", ":2, column 'timestamp'"),
    "26_dst_fallback_duplicate_hour.csv": ("2016-10-30 02:00 occurs again", ":245"),
    "28_unsorted_newest_first.csv": 188,
    "29_unsorted_shuffled.csv": 188,
    "31_duplicate_timestamp_conflict.csv": ("2019-07-17 occurs again", ":13"),
    "32_missing_business_days.csv": 169,
    "34_fred_dot_missing.csv": 501,
    "35_na_markers_mixed.csv": ("'-' is not a number", ":51, column 'price'"),
    "37_trailing_missing.csv": 183,
    "38_all_missing.csv": ("all 188 cells of column 'price' are missing", ""),
    "40_zero_values.csv": 750,
    "41_constant_series.csv": 738,
    "43_fat_finger_spike.csv": 188,
    "44_unadjusted_split.csv": 188,
    "46_tiny_values.csv": 188,
    "47_large_level_small_moves.csv": 188,
    "49_single_row.csv": ("no series has two rows", ""),
    "50_two_rows.csv": 2,
    "52_unnamed_index_column.csv": 188,
    "53_ohlcv_adj_close.csv": 400,
    "55_ohlc_inconsistent.csv": 400,
    "56_duplicate_column_names.csv": ("2 columns are named 'price'", ""),
    "58_blank_lines.csv": 188,
    "59_comment_lines.csv": ("begins with comment lines", ":1"),
    "61_footer_source_line.csv": ("'Total' is not a date", ":190"),
    "62_quoted_newline.csv": 188,
    "64_truncated_last_line.csv": 188,
    "65_crlf_and_cr.csv": 188,
    "67_nul_bytes.csv": ("NUL byte", ":45"),
    "68_empty.csv": ("empty (0 bytes)", ""),
    "70_binary_junk.csv": ("neither CSV nor Parquet", ""),
    "71_html_error_page.csv": ("an HTML page", ""),
    "73_zip_named_csv.csv": ("a ZIP archive", ""),
    "74_gzip.csv.gz": ("compressed by gzip", ""),
    "76_only_values_no_date.csv": 188,
    "77_long_two_series_interleaved.csv": 764,
    "79_long_ragged_lengths.csv": 385,
    "80_long_missing_id.csv": ("the name of the series is missing in 16 rows", ":9, column 'series'"),
    "82_wide_unaligned_holidays.csv": ("several columns could be the target: 'BRENT', 'WTI'", ""),
    "83_id_is_number.csv": 764,
    "p01_clean.parquet": 188,
    "p02_decimal128.parquet": 188,
    "p04_dictionary_columns.parquet": 188,
    "p05_truncated.parquet": ("not a valid Parquet file", ""),
    "p07_parquet_named_csv.csv": ("this is a Parquet file", ""),
    "p08_date32_float32.parquet": 188,
    "p10_list_struct.parquet": ("column 'price' holds list<", ""),
    "p11_pandas_index.parquet": 188,
    "p13_timestamp_us_out_of_ns.parquet": 188,
    "p14_string_dates_large_string.parquet": 188,
    "p16_float16_bool.parquet": 188,
}


@pytest.mark.parametrize(("name", "expected"), DIRTY.items(), ids=DIRTY)
def test_dirty_files_load_right_or_stop_with_the_place(name, expected):
    path = str(SHARED / "dirty" / name)
    if isinstance(expected, int):
        panel, _ = read_panel([path])
        assert len(panel.times) == expected
        return
    with pytest.raises(DataError) as error:
        read_panel([path])
    message, where = expected
    assert message in error.value.message
    assert error.value.where.startswith(path + where)


@pytest.mark.parametrize(
    "name",
    ["05_utf8_bom.csv", "10_scientific_notation.csv", "28_unsorted_newest_first.csv", "29_unsorted_shuffled.csv",
     "52_unnamed_index_column.csv", "58_blank_lines.csv", "62_quoted_newline.csv", "65_crlf_and_cr.csv",
     "p01_clean.parquet", "p02_decimal128.parquet", "p04_dictionary_columns.parquet", "p11_pandas_index.parquet",
     "p14_string_dates_large_string.parquet"],
)  # fmt: skip
def test_the_same_series_in_other_clothes(name):
    expected, _ = read_panel([str(SHARED / "dirty" / "00_reference_clean.csv")], until="2020-03-31")
    got, _ = read_panel([str(SHARED / "dirty" / name)])
    assert got.times.tolist() == expected.times.tolist()
    assert got.target.tolist() == expected.target.tolist()


def test_every_dirty_file_is_accounted_for():
    files = {path.name for path in (SHARED / "dirty").iterdir()} - {"manifest.csv", "p17_hive"}
    assert files == set(DIRTY)
    with pytest.raises(InputNotFoundError, match="is a folder"):
        read_panel([str(SHARED / "dirty" / "p17_hive")])


def test_half_hours_with_a_zone_are_refused_for_now():
    with pytest.raises(RnncastError, match="zones are not supported yet"):
        read_panel([str(SHARED / "nonprice" / "vic_elec_halfhourly_2012_2014.parquet")])
