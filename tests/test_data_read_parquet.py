"""Parquet files: every type that holds times, numbers or names is read, every other is refused by name."""

import datetime as dt
import decimal
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rnncast.data.options import ReadOptions
from rnncast.data.read import read_panel
from rnncast.errors import DataError

DAYS = [dt.date(2024, 1, day) for day in (1, 2, 3)]
STAMPS = [dt.datetime(2024, 1, day, 12) for day in (1, 2, 3)]


def parquet(columns):
    buffer = io.BytesIO()
    table = pa.table(columns) if isinstance(columns, dict) else columns
    pq.write_table(table, buffer)
    return buffer.getvalue()


def read(columns, **options):
    data = columns if isinstance(columns, bytes) else parquet(columns)
    return read_panel(["-"], ReadOptions(**options), stdin=io.BytesIO(data))


def failure(columns, **options):
    with pytest.raises(DataError) as caught:
        read(columns, **options)
    return caught.value


TIMES = {
    "date32": (pa.array(DAYS, pa.date32()), 0),
    "date64": (pa.array(DAYS, pa.date64()), 0),
    "seconds": (pa.array(STAMPS, pa.timestamp("s")), 12),
    "milliseconds": (pa.array(STAMPS, pa.timestamp("ms")), 12),
    "microseconds": (pa.array(STAMPS, pa.timestamp("us")), 12),
    "nanoseconds": (pa.array(STAMPS, pa.timestamp("ns")), 12),
    "text": (pa.array([day.isoformat() for day in DAYS]), 0),
    "large text": (pa.array([day.isoformat() for day in DAYS], pa.large_string()), 0),
    "text view": (pa.array([day.isoformat() for day in DAYS]).cast(pa.string_view()), 0),
    "dictionary of text": (pa.array([day.isoformat() for day in DAYS]).dictionary_encode(), 0),
    "dictionary of dates": (pa.array(DAYS, pa.date32()).dictionary_encode(), 0),
    "compact integers": (pa.array([20240101, 20240102, 20240103], pa.int32()), 0),
}


@pytest.mark.parametrize(("column", "hour"), TIMES.values(), ids=TIMES)
def test_types_of_time(column, hour):
    panel, _ = read({"ds": column, "y": [1.0, 2.0, 3.0]})
    assert panel.times.tolist() == [dt.datetime(2024, 1, day, hour) for day in (1, 2, 3)]


@pytest.mark.parametrize(
    "dtype",
    [pa.int8(), pa.uint16(), pa.int32(), pa.uint64(), pa.float32(), pa.float64(), pa.decimal128(22, 2)],
    ids=str,
)
def test_types_of_integer_steps(dtype):
    panel, _ = read({"ds": pa.array([1, 2, 3]).cast(dtype), "y": [1.0, 2.0, 3.0]})
    assert panel.times.dtype.kind == "i"
    assert panel.times.tolist() == [1, 2, 3]


NUMBERS = {
    "float16": pa.array([1.5, 2.5, 3.5], pa.float32()).cast(pa.float16()),
    "float32": pa.array([1.5, 2.5, 3.5], pa.float32()),
    "decimal": pa.array([decimal.Decimal("1.5"), decimal.Decimal("2.5"), decimal.Decimal("3.5")], pa.decimal128(18, 4)),
    "wide decimal": pa.array(
        [decimal.Decimal("1.5"), decimal.Decimal("2.5"), decimal.Decimal("3.5")], pa.decimal256(50, 4)
    ),
    "text": pa.array(["1.5", "2.5", " 3.5"]),
    "dictionary": pa.array([1.5, 2.5, 3.5]).dictionary_encode(),
}


@pytest.mark.parametrize("column", NUMBERS.values(), ids=NUMBERS)
def test_types_of_number(column):
    panel, _ = read({"date": DAYS, "price": column})
    assert panel.target.tolist() == [1.5, 2.5, 3.5]


def test_decimals_are_rounded_once():
    texts = [f"{number / 100:.2f}" for number in range(5800, 6200)]
    column = pa.array([decimal.Decimal(text) for text in texts], pa.decimal128(18, 4))
    panel, _ = read({"ds": list(range(400)), "y": column})
    assert panel.target.tolist() == [float(text) for text in texts]


@pytest.mark.parametrize("dtype", [pa.int8(), pa.uint32(), pa.int64(), pa.uint64()], ids=str)
def test_integers_are_numbers(dtype):
    panel, _ = read({"date": DAYS, "volume": pa.array([1, 2, 3], dtype)})
    assert panel.target.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["007", "007", "1e5"]),
        pa.array(["007", "007", "1e5"]).dictionary_encode(),
        pa.array(["007", "007", "1e5"], pa.large_string()),
        pa.array(["007", "007 ", "1e5"]),
    ],
    ids=["text", "dictionary", "large text", "blanks"],
)
def test_types_of_names(column):
    panel, _ = read({"ds": DAYS, "unique_id": column, "y": [1.0, 2.0, 3.0]})
    assert panel.ids == ("007", "1e5")
    assert panel.lengths.tolist() == [2, 1]


def test_integers_name_series_too():
    panel, _ = read({"ds": [DAYS[0], DAYS[0], DAYS[1]], "unique_id": [2, 1, 2], "y": [1.0, 2.0, 3.0]})
    assert panel.ids == ("2", "1")
    assert panel.target.tolist() == [1, 3, 2]


def test_dictionaries_of_several_chunks_are_one():
    chunks = [pa.table({"id": pa.array([name]).dictionary_encode(), "ds": [day], "y": [1.0]})
              for name, day in (("b", DAYS[0]), ("a", DAYS[0]), ("b", DAYS[1]), ("a", DAYS[1]))]  # fmt: skip
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, chunks[0].schema) as writer:
        for chunk in chunks:
            writer.write_table(chunk)
    panel, _ = read(buffer.getvalue(), id_col="id")
    assert panel.ids == ("b", "a")
    assert panel.lengths.tolist() == [2, 2]


def test_nulls_and_nan_are_missing():
    panel, notes = read({"date": [*DAYS, dt.date(2024, 1, 4)], "price": pa.array([1.0, None, float("nan"), 4.0])})
    assert panel.target.tolist() == [1, 4]
    assert "2 rows without a value in 'price' left out, the first at stdin, row 2" in notes


def test_index_of_pandas_and_flags_are_no_series():
    panel, _ = read({"price": [1.0, 2.0], "flag": [True, False], "__index_level_0__": STAMPS[:2]})
    assert panel.columns.target == "price"
    assert panel.times.tolist() == STAMPS[:2]
    panel, _ = read({"__index_level_0__": [0, 1], "when": DAYS[:2], "wti": [1.0, 2.0]})
    assert panel.columns.target == "wti"


def test_rows_are_counted_without_a_time():
    panel, notes = read({"price": [1.0, 2.0, 3.0]})
    assert panel.times.tolist() == [1, 2, 3]
    assert any("counted" in note for note in notes)


def test_dates_beyond_nanoseconds_do_not_wrap_around():
    stamps = pa.array([dt.datetime(1500, 12, 30), dt.datetime(1500, 12, 31)], pa.timestamp("us"))
    panel, _ = read({"ds": stamps, "y": [1.0, 2.0]})
    assert str(panel.times[-1]) == "1500-12-31T00:00:00.000000"
    late = pa.array([dt.datetime(9999, 12, 30), dt.datetime(9999, 12, 31)], pa.timestamp("us"))
    error = failure({"ds": late, "y": [1.0, 2.0]})
    assert error.message == "'9999-12-30 00:00:00' lies beyond the year 2200; 1 more cell like it"


def test_zones_are_kept():
    panel, _ = read({"ds": pa.array(STAMPS, pa.timestamp("us", "Australia/Melbourne")), "y": [1.0, 2.0, 3.0]})
    assert panel.calendar.zone == "Australia/Melbourne"
    assert panel.times.tolist() == STAMPS  # in UTC, as the file has them
    panel, _ = read({"ds": pa.array(STAMPS, pa.timestamp("ms", "+01:00")), "y": [1.0, 2.0, 3.0]})
    assert panel.calendar.zone == "+01:00"


def test_unix_times_in_integers():
    panel, notes = read({"ds": [1561939200, 1562025600], "y": [1.0, 2.0]})
    assert panel.times.tolist() == [dt.datetime(2019, 7, 1), dt.datetime(2019, 7, 2)]
    assert panel.calendar.zone == "UTC"
    assert "integers of the time column are read as UNIX times in seconds" in notes


# case -> (columns, part of the message, where)
REFUSED = {
    "list": ({"date": DAYS, "price": [[1.0], [2.0], [3.0]]}, "column 'price' holds list<", "stdin"),
    "struct": ({"date": DAYS, "price": [{"a": 1}] * 3}, "column 'price' holds struct<", "stdin"),
    "flags": ({"date": DAYS, "price": [True, False, True]}, "column 'price' holds bool", "stdin"),
    "times of day": ({"date": [dt.time(1)] * 3, "price": [1.0, 2.0, 3.0]}, "column 'date' holds time64", "stdin"),
    "too fine": (
        {"ds": pa.array([1, 2, 3], pa.timestamp("ns")), "y": [1.0, 2.0, 3.0]},
        "finer than a microsecond",
        "stdin",
    ),
    "fractions": ({"ds": [1.0, 2.5, 3.0], "y": [1.0, 2.0, 3.0]}, "column 'ds' holds fractions", "stdin"),
    "UNIX nanoseconds": (
        {"ds": [1561939200000000001, 1562025600000000000], "y": [1.0, 2.0]},
        "column 'ds' has UNIX times finer than a microsecond",
        "stdin",
    ),
    "large integers": ({"date": DAYS, "price": [1, 2, 2**53 + 1]}, "too large for exact arithmetic", "stdin"),
    "infinity": (
        {"date": DAYS, "price": [1.0, float("inf"), 3.0]},
        "'inf' is infinite",
        "stdin, row 2, column 'price'",
    ),
    "text": ({"date": DAYS, "price": ["1", "x", "3"]}, "'x' is not a number", "stdin, row 2, column 'price'"),
    "no stamp": (
        {"date": [DAYS[0], None, DAYS[2]], "price": [1.0, 2.0, 3.0]},
        "the time is missing in 1 row",
        "stdin, row 2",
    ),
    "no name": ({"ds": DAYS, "unique_id": ["a", None, ""], "y": [1.0, 2.0, 3.0]}, "missing in 2 rows", "stdin, row 2"),
    "duplicate": (
        {"ds": [DAYS[0], *DAYS, *(dt.date(2024, 2, d) for d in range(1, 20))], "y": [1.0] * 23},
        "2024-01-01 occurs again, first at stdin, row 1",
        "stdin, row 2",
    ),
    "no rows": ({"ds": pa.array([], pa.date32()), "y": pa.array([], pa.float64())}, "holds no row", "stdin"),
    "same name twice": (
        pa.Table.from_arrays([pa.array(DAYS), pa.array([1.0] * 3), pa.array([2.0] * 3)], ["ds", "y", "y"]),
        "2 columns are named 'y'",
        "stdin",
    ),
    "same text twice": (
        pa.Table.from_arrays([pa.array(DAYS), pa.array(["a"] * 3), pa.array(["b"] * 3)], ["ds", "n", "n"]),
        "2 columns are named 'n'",
        "stdin",
    ),
}


@pytest.mark.parametrize(("columns", "message", "where"), REFUSED.values(), ids=REFUSED)
def test_place_of_what_cannot_be_used(columns, message, where):
    error = failure(columns)
    assert message in error.message
    assert error.where.startswith(where)


def test_a_file_that_is_cut_off():
    content = parquet({"date": DAYS, "price": [1.0, 2.0, 3.0]})
    error = failure(content[: len(content) * 2 // 3])
    assert "not a valid Parquet file" in error.message


def test_a_file_with_a_damaged_page():
    content = bytearray(parquet({"date": DAYS, "price": [1.0, 2.0, 3.0]}))
    content[10:60] = b"\xff" * 50
    error = failure(bytes(content))
    assert "damaged" in error.message


PRICES = {"ds": pa.array(STAMPS, pa.timestamp("us")), "y": pa.array([1.0, 2.0, 3.0]), "unique_id": pa.array(["a"] * 3)}


def test_a_flipped_bit_is_noticed_where_pages_have_checksums():
    buffer = io.BytesIO()
    pq.write_table(pa.table(PRICES), buffer, write_page_checksum=True, compression="none", use_dictionary=False)
    data = bytearray(buffer.getvalue())
    place = data.index(b"\0\0\0\0\0\0\x00\x40")  # 2.0
    data[place + 1] ^= 1
    assert "damaged" in failure(bytes(data)).message


def test_names_that_are_told_twice_agree():
    data = parquet({**PRICES, "price": PRICES["y"]})
    assert "its end is missing or damaged" in failure(data.replace(b"price", b"prize", 1)).message


def test_text_that_is_none_is_damage():
    text = pa.Array.from_buffers(
        pa.string(), 3, [None, *map(pa.py_buffer, (b"\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0", b"a\xe9c"))]
    )
    assert "damaged" in failure({**PRICES, "unique_id": text}).message


def test_texts_that_are_stored_by_what_they_add_to_the_text_before():
    buffer = io.BytesIO()
    encoding = {"unique_id": "DELTA_BYTE_ARRAY"}
    pq.write_table(pa.table(PRICES), buffer, use_dictionary=False, column_encoding=encoding)
    assert read(buffer.getvalue())[0].ids == ("a",)


def test_a_stamp_beyond_pythons_calendar_is_named_by_its_number():
    stamps = pa.array([2**62, 2**62, 2**62 + 1]).cast(pa.timestamp("us"))
    assert str(2**62) in failure({**PRICES, "ds": stamps}).message
