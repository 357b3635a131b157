"""Tables written out: every digit, every time, and nothing that acts on a terminal."""

import csv
import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncast.data.isotime import format_stamp
from rnncast.data.write import choose_format, format_times, named_once, write_table
from rnncast.errors import OutputError, StorageError, UsageError

TABLE = {
    "unique_id": np.array(["[close]", 'a,"b"', "c\nd", "é"]),
    "ds": np.array(["2024-01-01", "2024-01-02", "2024-01-03", "NaT"], dtype="datetime64[us]"),
    "step": np.array([1, 2, 3, 4]),
    "rnncast": np.array([0.1, 1 / 3, np.nan, -36.98]),
    "rnncast-hi-90": np.array([1e300, 5e-324, np.inf, -0.0]),
}


class Terminal(io.StringIO):
    def isatty(self):
        return True


def written(table, fmt):
    stream = io.BytesIO()
    write_table(table, None, fmt, stream)
    return stream.getvalue().decode()


def test_csv():
    got = written(TABLE, "csv")
    assert got == (
        "unique_id,ds,step,rnncast,rnncast-hi-90\n"
        "[close],2024-01-01,1,0.1,1e+300\n"
        '"a,""b""",2024-01-02,2,0.3333333333333333,5e-324\n'
        '"c\nd",2024-01-03,3,,inf\n'
        "é,,4,-36.98,-0.0\n"
    )


def test_csv_quotes_a_carriage_return():
    """Whichever Python writes it: a reader takes a bare one for the end of the row."""
    table = {"id": np.array(["a\rb", "\r"]), "x": np.array([1, 2])}
    got = written(table, "csv")
    assert got == 'id,x\n"a\rb",1\n"\r",2\n'
    assert list(csv.reader(io.StringIO(got, newline="")))[1:] == [["a\rb", "1"], ["\r", "2"]]


def test_json_is_one_array_of_objects():
    got = json.loads(written(TABLE, "json"), parse_constant=lambda token: pytest.fail(f"{token} is no JSON"))
    assert got[0] == {"unique_id": "[close]", "ds": "2024-01-01", "step": 1, "rnncast": 0.1, "rnncast-hi-90": 1e300}
    assert got[2]["rnncast"] is None
    assert got[2]["rnncast-hi-90"] is None
    assert got[3]["ds"] is None


def test_ndjson_is_one_object_a_line():
    lines = written(TABLE, "ndjson").splitlines()
    assert [json.loads(line) for line in lines] == json.loads(written(TABLE, "json"))


def test_an_empty_table_is_valid():
    empty = {name: column[:0] for name, column in TABLE.items()}
    assert written(empty, "csv") == "unique_id,ds,step,rnncast,rnncast-hi-90\n"
    assert json.loads(written(empty, "json")) == []
    assert written(empty, "ndjson") == ""


def test_parquet(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(TABLE, str(path), None, io.StringIO())
    got = pq.ParquetFile(path).read()
    assert got.column_names == list(TABLE)
    assert [str(field.type) for field in got.schema] == ["string", "timestamp[us]", "int64", "double", "double"]
    assert got["unique_id"].to_pylist() == TABLE["unique_id"].tolist()
    assert got["ds"].to_pylist() == TABLE["ds"].tolist()
    assert got["rnncast"].to_pylist() == [0.1, 1 / 3, None, -36.98]
    assert got["step"].to_pylist() == [1, 2, 3, 4]


doubles = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20)


@settings(max_examples=100, deadline=None)
@given(doubles, st.text(max_size=8).filter(lambda text: "\0" not in text and text.isprintable()))
def test_numbers_and_names_come_back_whole(values, name):
    table = {"id": np.array([name] * len(values), dtype=object), "y": np.array(values)}
    rows = list(csv.DictReader(io.StringIO(written(table, "csv"), newline="")))
    assert [repr(float(row["y"])) for row in rows] == list(map(repr, values))
    assert {row["id"] for row in rows} == {name}
    assert [repr(row["y"]) for row in json.loads(written(table, "json"))] == list(map(repr, values))


TIMES = {
    "dates": (["2024-01-01", "2024-02-29"], ["2024-01-01", "2024-02-29"]),
    "one of them is not midnight": (["2024-01-01", "2024-01-01T05"], ["2024-01-01T00:00:00", "2024-01-01T05:00:00"]),
    "milliseconds": (["2024-01-01T00:00:00.5"], ["2024-01-01T00:00:00.500"]),
    "microseconds": (["2024-01-01T00:00:00.000001"], ["2024-01-01T00:00:00.000001"]),
    "none": ([], []),
}


@pytest.mark.parametrize(("stamps", "expected"), TIMES.values(), ids=TIMES)
def test_times_are_iso_8601(stamps, expected):
    assert format_times(np.array(stamps, dtype="datetime64[us]")) == expected


# ---- zones

NIGHT = np.array(["2018-10-28T00", "2018-10-28T01", "NaT"], dtype="datetime64[us]")


def test_times_of_a_zone_have_its_wall_clock_and_offset():
    assert format_times(NIGHT, "Europe/London") == ["2018-10-28T01:00:00+01:00", "2018-10-28T01:00:00+00:00", ""]
    assert format_times(NIGHT[:1], "UTC") == ["2018-10-28T00:00:00+00:00"]
    assert format_times(NIGHT[:1], "-03:30") == ["2018-10-27T20:30:00-03:30"]
    assert format_times(NIGHT[:0], "UTC") == []


@pytest.mark.parametrize("fmt", ["csv", "json", "ndjson", "table"])
def test_zones_of_columns_are_written(fmt):
    stream = io.StringIO()
    zones = {"ds": "Europe/London", "y": "Europe/London", "cutoff": None, "absent": "UTC"}
    write_table({"ds": NIGHT[:2], "cutoff": NIGHT[:2], "y": np.array([1.0, 2.0])}, None, fmt, stream, zones=zones)
    got = stream.getvalue()
    assert "2018-10-28T01:00:00+01:00" in got
    assert "2018-10-28T01:00:00+00:00" in got
    assert "2018-10-28T01:00:00\n" not in got
    assert got.count("+00:00") == 1


def test_zones_in_parquet_and_json_nulls(tmp_path):
    path = tmp_path / "a.parquet"
    write_table({"ds": NIGHT, "cutoff": NIGHT}, str(path), None, io.StringIO(), zones={"ds": "Europe/London"})
    got = pq.ParquetFile(path).read()
    assert [str(field.type) for field in got.schema] == ["timestamp[us, tz=Europe/London]", "timestamp[us]"]
    assert got["ds"].cast("timestamp[us]").to_pylist() == got["cutoff"].to_pylist()
    stream = io.BytesIO()
    write_table({"ds": NIGHT}, None, "json", stream, zones={"ds": "UTC"})
    assert json.loads(stream.getvalue())[2] == {"ds": None}


STAMPS = {
    "date": ("2018-10-28", None, "2018-10-28"),
    "minutes": ("2018-10-28T01:30", None, "2018-10-28 01:30"),
    "offset": ("2018-10-28T01:30", "Europe/London", "2018-10-28 01:30+00:00"),
    "local midnight": ("2018-10-27T23:00", "Europe/London", "2018-10-28"),
    "midnight of UTC alone": ("2018-10-28", "Europe/London", "2018-10-28 01:00+01:00"),
}


@pytest.mark.parametrize(("stamp", "zone", "expected"), STAMPS.values(), ids=STAMPS)
def test_stamps_of_messages(stamp, zone, expected):
    assert format_stamp(np.datetime64(stamp), zone) == expected
    assert format_stamp(7, zone) == "7"


# ---- for the eyes


def test_markup_in_names_is_shown_and_control_codes_are_not_obeyed():
    stream = Terminal()
    write_table(
        {"[bold]id[/]": np.array(["[close]", "\x1b[31mred", "a\nb"]), "y": np.array([1.5, np.nan, 2e10])},
        None,
        None,
        stream,
    )
    got = stream.getvalue()
    for text in ("[bold]id[/]", "[close]", r"\x1b[31mred", r"a\nb", "1.5"):
        assert text in got


def test_a_table_that_is_no_terminal_is_not_cut():
    names = {f"column number {number}": np.array(["x" * 60]) for number in range(10)}
    got = written(names, "table")
    assert got.count("x" * 60) == 10
    assert "\x1b" not in got


# ---- where to

CHOICES = {
    "named": (("a.json", "csv", io.StringIO()), "csv"),
    "json": (("a.JSON", None, io.StringIO()), "json"),
    "jsonl": (("a.jsonl", None, io.StringIO()), "ndjson"),
    "parquet": (("a.parquet", None, io.StringIO()), "parquet"),
    "csv": (("a.csv", None, Terminal()), "csv"),
    "terminal": ((None, None, Terminal()), "table"),
    "pipe": ((None, None, io.StringIO()), "csv"),
}


@pytest.mark.parametrize(("arguments", "expected"), CHOICES.values(), ids=CHOICES)
def test_format_is_chosen(arguments, expected):
    assert choose_format(*arguments) == expected


def test_unknown_format_lists_those_that_are_known():
    with pytest.raises(UsageError, match="'xlsx'") as error:
        write_table(TABLE, None, "xlsx", io.StringIO())
    assert "ndjson" in error.value.hint


def test_bytes_go_beneath_a_text_stream():
    beneath = io.BytesIO()
    stream = io.TextIOWrapper(beneath, encoding="ascii", newline="\r\n", write_through=False)
    stream.write("before\n")
    write_table({"id": np.array(["é"])}, None, "csv", stream)
    assert beneath.getvalue() == b"before\r\nid\n\xc3\xa9\n"


def test_a_purely_textual_stream_is_enough():
    stream = io.StringIO()
    write_table({"id": np.array(["é"])}, None, "csv", stream)
    assert stream.getvalue() == "id\né\n"


def test_files_are_not_replaced_against_the_will(tmp_path):
    path = tmp_path / "a.csv"
    write_table(TABLE, str(path), None, io.StringIO())
    with pytest.raises(OutputError):
        write_table({"y": np.array([1.0])}, str(path), None, io.StringIO(), clobber=False)
    assert path.read_text().startswith("unique_id,")


class Broken(io.RawIOBase):
    def __init__(self, error):
        self.error = error

    def writable(self):
        return True

    def write(self, _data):
        raise self.error


def test_a_closed_pipe_is_left_to_the_caller():
    with pytest.raises(BrokenPipeError):
        write_table(TABLE, None, "csv", Broken(BrokenPipeError(32, "Broken pipe")))


def test_a_full_disk_behind_a_stream():
    with pytest.raises(StorageError, match="No space left") as error:
        write_table(TABLE, None, "csv", Broken(OSError(28, "No space left on device")))
    assert error.value.exit_code == 74


def test_ending_without_a_format_is_refused():
    with pytest.raises(UsageError, match="'.xlsx'"):
        choose_format("forecast.xlsx", None, io.StringIO())
    assert choose_format("forecast", None, io.StringIO()) == "csv"
    assert choose_format("forecast.CSV", None, io.StringIO()) == "csv"


def test_column_called_like_an_earlier_one_is_kept_beside_it():
    got = named_once([("a", np.array([1])), ("a", np.array([2])), ("a_", np.array([3]))])
    assert {name: column.tolist() for name, column in got.items()} == {"a": [1], "a_": [2], "a__": [3]}
