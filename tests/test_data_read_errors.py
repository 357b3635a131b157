"""Files that cannot be used: each error names the place, what stands there, and how to mend it."""

import gzip
import io
import os
import zipfile

import numpy as np
import pytest

from rnncast.data.options import ReadOptions
from rnncast.data.read import read_panel
from rnncast.errors import DataError, InputNotFoundError, StorageError, UsageError

GOOD = "date,price\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n2024-01-04,4\n"


def failure(text, error=DataError, **options):
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(error) as caught:
        read_panel(["-"], ReadOptions(**options), stdin=io.BytesIO(data))
    return caught.value


# case -> (file, part of the message, where, part of the hint)
CELLS = {
    "text in the target": (
        "date,price\n2024-01-01,1\n2024-01-02,61.17*\n2024-01-03,closed\n",
        "'61.17*' is not a number; 1 more cell like it",
        "stdin:3, column 'price'",
        "leave it empty",
    ),
    "text in the target of a series": (
        "date,series,price\n2024-01-01,WTI,1\n2024-01-02,WTI,2\n2024-01-03,WTI,x\n",
        "'x' is not a number",
        "stdin:4, column 'price', series 'WTI'",
        "leave it empty",
    ),
    "after blank lines": (
        "date,price\n\n2024-01-01,1\n\n\n2024-01-02,2\n2024-01-03,x\n",
        "'x' is not a number",
        "stdin:7, column 'price'",
        "correct it",
    ),
    "after quoted line ends": (
        'date,price,note\n2024-01-01,1,"a\nb\n\nc"\n2024-01-02,x,"d\n"\n',
        "'x' is not a number",
        "stdin:6, column 'price'",
        "correct it",
    ),
    "CR line ends": (
        b"date,price\r2024-01-01,1\r2024-01-02,x\r",
        "'x' is not a number",
        "stdin:3, column 'price'",
        "correct it",
    ),
    "blank lines of CR LF": (
        b"date,price\r\n\r\n2024-01-01,1\r\n\r\n2024-01-02,x\r\n",
        "'x' is",
        "stdin:5, column 'price'",
        "correct it",
    ),
    "empty lines of one column": ("price\n1\n\n2\nx\n", "'x' is not a number", "stdin:5, column 'price'", "correct it"),
    "decimal mark and thousands mixed": (
        'date,price\n2024-01-01,"61,17"\n2024-01-02,61.1\n2024-01-03,61.25\n2024-01-04,61.5\n',
        "'61,17' is not a number as the others are",
        "stdin:2, column 'price'",
        "--decimal",
    ),
    "groups of two": (
        'date,price\n2024-01-01,1\n2024-01-02,2.5\n2024-01-03,"1,08,4.79"\n',
        "'1,08,4.79' is not a number",
        "stdin:4, column 'price'",
        "correct it",
    ),
    "decimal mark or thousands": (
        'date,price\n2024-01-01,"1,084"\n2024-01-02,"1,085"\n',
        "column 'price' can be read in two ways: ',' may be the decimal mark or stand between thousands",
        "stdin",
        "--decimal . or --decimal ,",
    ),
    "other currency": (
        "date,price\n2024-01-01,$1\n2024-01-02,$2\n2024-01-03,€2\n",
        "'€2' is not a number as the others are",
        "stdin:4, column 'price'",
        "correct it",
    ),
    "hexadecimal": ("date,price\n2024-01-01,0x10\n2024-01-02,1\n", "'0x10' is not a number", "stdin:2", "correct it"),
    "underscore": ("date,price\n2024-01-01,1_000\n2024-01-02,1\n", "'1_000' is not a number", "stdin:2", "correct it"),
    "infinity": (
        "date,price\n2024-01-01,1\n2024-01-02,inf\n",
        "'inf' is infinite",
        "stdin:3, column 'price'",
        "correct",
    ),
    "too large": (
        "date,price\n2024-01-01,1e400\n2024-01-02,1\n",
        "is too large",
        "stdin:2, column 'price'",
        "larger unit",
    ),
    "payload of NaN": (
        "date,price\n2024-01-01,nan(1)\n2024-01-02,1\n",
        "'nan(1)' is not a number",
        "stdin:2",
        "correct",
    ),
    "other form of date": (
        "date,price\n2024-01-01,1\n2024-01-02,2\n23/12/2024,3\n24/12/2024,4\n",
        "'23/12/2024' is not a stamp like the first one (ISO 8601); 1 more cell like it",
        "stdin:4, column 'date'",
        "ISO 8601",
    ),
    "day or month first": (
        "date,price\n01/02/2024,1\n02/02/2024,2\n",
        "column 'date' can be read in two ways: '01/02/2024' may be 2024-02-01 (DD/MM/YYYY) or 2024-01-02 (MM/DD/YYYY)",
        "stdin",
        "--dayfirst or --monthfirst",
    ),
    "day or month first, by content": (
        "Tag,price\n01.02.2024,1\n02.02.2024,2\n",
        "'Tag' can be read in two ways",
        "stdin",
        "--dayfirst",
    ),
    "header further down": (
        "report;made by me\ndate;price\n2024-01-01;1,5\n2024-01-02;2\n2024-01-03;2\n",
        "'date' is not a stamp like the first one",
        "stdin:2, column 'report'",
        "--header 2",
    ),
    "date that does not exist": (
        "date,price\n2024-02-29,1\n2023-02-29,2\n",
        "'2023-02-29' is a date that does not exist",
        "stdin:3",
        "correct it",
    ),
    "hour that does not exist": (
        "date,price\n2024-01-01 23:00,1\n2024-01-01 24:00,2\n",
        "'2024-01-01 24:00'",
        "stdin:3",
        "",
    ),
    "zone among stamps without": (
        "ds,y\n2024-01-01T00:00,1\n2024-01-02T00:00Z,2\n",
        "'2024-01-02T00:00Z' names a zone, and the first stamp names none",
        "stdin:3, column 'ds'",
        "all stamps",
    ),
    "stamp without a zone among others": (
        "ds,y\n2024-01-01 00:00+01:00,1\n2024-01-02 00:00,1\n",
        "'2024-01-02 00:00' names no zone, the first does",
        "stdin:3, column 'ds'",
        "all stamps",
    ),
    "too fine": ("ds,y\n2024-01-01T00:00:00.0000001,1\n", "is finer than a microsecond", "stdin:2", "round"),
    "year 9999": (
        "ds,y\n2024-01-01,1\n2024-01-02,1\n9999-12-31,2\n",
        "'9999-12-31' lies beyond the year 2200",
        "stdin:4, column 'ds'",
        "--until",
    ),
    "fraction of a step": (
        "ds,y\n1,1\n2.5,2\n3,3\n",
        "'2.5' is not a stamp like the first one (integer steps)",
        "stdin:3, column 'ds'",
        "integer steps",
    ),
    "date among steps": ("ds,y\n1,1\n2,2\n2024-01-01,3\n", "'2024-01-01'", "stdin:4, column 'ds'", None),
    "missing date": (
        "date,price\n,1\n2024-01-01,2\nNaT,3\n",
        "the time is missing in 2 rows (also 4)",
        "stdin:2, column 'date'",
        "fill it in",
    ),
    "missing id": (
        "date,series,price\n2024-01-01,a,1\n2024-01-02,,2\n2024-01-03, ,2\n",
        "the name of the series is missing in 2 rows (also 4)",
        "stdin:3, column 'series'",
        "fill it in",
    ),
    "no value at all": (
        "date,price\n2024-01-01,\n2024-01-02,NA\n",
        "all 2 cells of column 'price' are missing",
        "stdin",
        None,
    ),
    "footer": (
        "date,price\n2024-01-01,1\n2024-01-02,2\nTotal,9999.99\n",
        "'Total' is not a stamp like the first one",
        "stdin:4",
        "remove the line if it is no row",
    ),
    "duplicate": (
        "date,price\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n2024-01-02,4\n2024-01-05,4\n2024-01-06,4\n2024-01-07,5\n"
        "2024-01-08,4\n2024-01-09,4\n2024-01-10,4\n2024-01-11,4\n",
        "2024-01-02 occurs again, first at stdin:3",
        "stdin:5",
        "--id-col",
    ),
    "duplicate in a series": (
        "date,series,price\n2024-01-01,a,1\n2024-01-01,b,1\n2024-01-02,a,2\n2024-01-01,b,3\n",
        "2024-01-01 occurs again, first at stdin:3",
        "stdin:5, series 'b'",
        "keep one row",
    ),
    "repeated hour": (
        "date,price\n" + "".join(f"2016-10-30 {hour:02d}:00,1\n" for hour in (0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10)),
        "2016-10-30 02:00 occurs again",
        "stdin:5",
        "clocks go back",
    ),
    "too many fields": (
        "date,price\n2024-01-01,1\n2024-01-02,1,234.5\n2024-01-03,1,2,3\n",
        "the row has 3 fields, the header 2; 1 more row differs",
        "stdin:3",
        "quotes around",
    ),
    "too few fields": (
        "date,price,note\n2024-01-01,1,x\n\n2024-01-02,1\n",
        "has 2 fields, the header 3",
        "stdin:4",
        "a field is missing",
    ),
    "comma in quotes is no field": (
        'date,price,note\n2024-01-01,1,"a,\nb"\n2024-01-02,1\n',
        "has 2 fields, the header 3",
        "stdin:4",
        "a field is missing",
    ),
    "quote never closed": (
        'date,price,note\n2024-01-01,1,x\n2024-01-02,1,"y\n2024-01-03,2,z\n',
        "quotation mark",
        "stdin:3",
        "",
    ),
    "quote in a field": (
        'date,price,note\n2024-01-01,1,5" pipe\n2024-01-02,1,7" pipe\n',
        "quotation mark",
        "stdin:2",
        "doubled",
    ),
    "text after a quote": ('date,price\n2024-01-01,"1"2\n', "quotation mark", "stdin:2", "doubled"),
    "in no known encoding": (
        b"date,price,n\n2024-01-01,1,\xe4\n2024-01-02,1,\x81b\n",
        "not encoded in cp1252: byte 0x81",
        "stdin:3",
        "--encoding",
    ),
    "NUL byte": (
        b"date,price\n2024-01-01,1\n2024-\x0001-02,2\n" + b"2024-01-03,3\n" * 20,
        "NUL byte",
        "stdin:3",
        "damaged",
    ),
    "NUL byte in a small file": (b"0\n0\x00\n0\n0\n0\n0\n", "NUL byte", "stdin:2", "damaged"),
    "header alone": ("date,price\n", "a header and no row", "stdin", None),
    "blank lines alone": ("\n\r\n\n", "blank lines only", "stdin", None),
    "dates across the columns": (
        "name,2024-01-01,2024-01-02,2024-01-03\nA,1,2,3\nB,1,2,3\n",
        "the dates run across the columns",
        "stdin:1",
        "--wide",
    ),
    "two separators": (
        "a;b,c\nx;y,z\nu;v,w\n",
        "fields may be separated by commas or by semicolons",
        "stdin:1",
        "--sep ',' or --sep ';'",
    ),
    "irregular": (
        "date,price\n2024-01-01,1\n2024-01-04,1\n2024-01-09,1\n2024-02-11,1\n2024-04-02,1\n2024-04-05,1\n2024-05-30,1\n",
        "no regular step",
        "stdin",
        "--freq",
    ),
    "one row": ("date,price\n2024-01-01,1\n", "no series has two rows", "stdin", "--freq"),
}


@pytest.mark.parametrize(("text", "message", "where", "hint"), CELLS.values(), ids=CELLS)
def test_place_and_remedy(text, message, where, hint):
    error = failure(text)
    assert message in error.message
    assert error.where.startswith(where)
    assert hint is None or hint in error.hint
    assert not error.message.endswith(".")


# case -> (header, options, part of the message, part of the hint)
COLUMNS = {
    "wide or not": ("date,bid,ask", {}, "several columns could be the target: 'bid', 'ask'", "--wide"),
    "two times": ("date,time,price", {}, "several columns could be the time: 'date', 'time'", "--time-col"),
    "two ids": (
        "date,ticker,series,price",
        {},
        "several columns could name the series: 'ticker', 'series'",
        "--id-col",
    ),
    "two targets": ("date,price,value", {}, "several columns could be the target: 'price', 'value'", "--target-col"),
    "same name twice": ("date,price,price", {}, "2 columns are named 'price' (columns 2 and 3)", "a name of its own"),
    "mistyped target": ("date,close,open", {"target_col": "clsoe"}, "no column 'clsoe'", "did you mean 'close'?"),
    "mistyped time": ("date,close", {"time_col": "dtae"}, "no column 'dtae'", "did you mean 'date'?"),
    "mistyped id": ("date,symbol,close", {"id_col": "simbol"}, "no column 'simbol'", "did you mean 'symbol'?"),
    "spelt otherwise": ("date,close", {"target_col": "CLOSE"}, "no column 'CLOSE'", "did you mean 'close'?"),
    "nothing similar": ("date,close", {"target_col": "zzz"}, "no column 'zzz'", "one of 'date', 'close'"),
    "one for two": (
        "date,close",
        {"target_col": "close", "id_col": "close"},
        "named for two roles",
        "a different column",
    ),
}


@pytest.mark.parametrize(("header", "options", "message", "hint"), COLUMNS.values(), ids=COLUMNS)
def test_columns_that_cannot_be_found_list_the_candidates(header, options, message, hint):
    cells = ["2024-01-0{day}"] + ["{day}"] * header.count(",")
    rows = "".join(",".join(cells).format(day=day) + "\n" for day in range(1, 5))
    error = failure(f"{header}\n{rows}", **options)
    assert message in error.message
    assert hint in error.hint


def test_no_numbers_to_forecast():
    error = failure("date,name\n2024-01-01,a\n2024-01-02,b\n")
    assert error.message == "no column holds numbers to forecast; there are 'name' (text)"
    assert "--target-col" in error.hint


def test_a_few_repeated_stamps_make_no_series_of_a_comment_column():
    days = "".join(f"2024-01-{day:02d},{day},{'roll' if day == 20 else 'none'}\n" for day in range(1, 29))
    error = failure("date,price,comment\n" + days + "2024-01-20,7,other\n")
    assert "2024-01-20 occurs again" in error.message


# ---- options


@pytest.mark.parametrize("until", ["soon", "2024-02-30", "2024-13-01", "31/01/2024", ""])
def test_until_that_is_no_date(until):
    error = failure(GOOD, UsageError, until=until)
    assert "--until" in error.message


def test_until_of_the_other_kind():
    assert "holds dates" in failure(GOOD, until="7").message
    assert "holds integer steps" in failure("ds,y\n1,1\n2,2\n", until="2024-01-01").message


def test_until_before_the_first_row():
    error = failure(GOOD, until="2023-12-31")
    assert error.message == "no row at or before 2023-12-31"
    assert error.hint == "the first row is at 2024-01-01"


def test_named_step_of_the_other_kind():
    assert "holds dates" in failure(GOOD, freq="1").message
    assert "holds integer steps" in failure("ds,y\n1,1\n2,2\n", freq="D").message
    assert "not understood" in failure(GOOD, UsageError, freq="fortnight").message


# ---- files that are no CSV


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", GOOD)
    return buffer.getvalue()


FOREIGN = {
    "empty": (b"", "empty (0 bytes)"),
    "HTML": (b"\n<!DOCTYPE html>\n<html></html>", "an HTML page"),
    "XML": (b"<?xml version='1.0'?>", "an XML document"),
    "JSON": (b'[{"date": 1}]', "JSON"),
    "ZIP": (zipped(), "a ZIP archive or an Excel workbook"),
    "cut gzip": (gzip.compress(GOOD.encode())[:-9], "the packed file is damaged"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(20), "compressed by zstd"),
    "random bytes": (bytes(range(1, 256)) * 8, "neither CSV nor Parquet"),
    "cut Parquet": (b"PAR1" + b"\x15\x04" * 100, "not a valid Parquet file"),
}


@pytest.mark.parametrize(("data", "message"), FOREIGN.values(), ids=FOREIGN)
def test_foreign_content_is_named_in_a_line(data, message):
    error = failure(data)
    assert message in error.message
    assert error.where == "stdin"
    assert "\n" not in error.message
    assert error.message.isprintable()


def test_name_and_content_that_disagree(tmp_path):
    parquet, text = tmp_path / "a.csv", tmp_path / "a.parquet"
    parquet.write_bytes(b"PAR1....PAR1")
    text.write_text(GOOD)
    with pytest.raises(DataError, match="this is a Parquet file") as error:
        read_panel([str(parquet)])
    assert error.value.where == str(parquet)
    with pytest.raises(DataError, match="not a Parquet file") as error:
        read_panel([str(text)])
    assert error.value.where == str(text)


# ---- inputs that are not there


def test_no_such_file_names_the_nearest(tmp_path):
    (tmp_path / "prices.csv").write_text(GOOD)
    with pytest.raises(InputNotFoundError, match="there is no file") as error:
        read_panel([str(tmp_path / "price.csv")])
    assert error.value.hint == f"did you mean {tmp_path / 'prices.csv'}?"
    assert error.value.exit_code == 66


def test_no_such_folder(tmp_path):
    with pytest.raises(InputNotFoundError) as error:
        read_panel([str(tmp_path / "none" / "a.csv")])
    assert "no folder" in error.value.hint


def test_a_folder_without_data(tmp_path):
    (tmp_path / "notes.md").write_text("nothing")
    with pytest.raises(DataError, match="holds no file of data") as error:
        read_panel([str(tmp_path)])
    assert error.value.where == str(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything may be read by root")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(GOOD)
    path.chmod(0)
    with pytest.raises(InputNotFoundError) as error:
        read_panel([str(path)])
    assert "may not be read" in error.value.message


def test_a_read_that_fails_is_a_fault_of_the_storage(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(StorageError) as error:
        read_panel(["a.csv"])
    assert error.value.exit_code == 74


def test_a_pattern_that_fits_nothing(tmp_path):
    with pytest.raises(InputNotFoundError, match="no file fits"):
        read_panel([str(tmp_path / "*.csv")])


def test_rows_with_nothing_in_them_are_left_out_and_counted():
    text = "date;price\n2024-01-01;1\n;\n2024-01-02;2\n2024-01-03;3\n;\n;\n"
    panel, notes = read_panel(["-"], stdin=io.BytesIO(text.encode()))
    assert panel.target.tolist() == [1, 2, 3]
    assert "3 rows with neither a time nor a value left out, the first at stdin:3" in notes
    error = failure(text.replace(";\n2024-01-02", ";7\n2024-01-02"))
    assert (error.message, error.where) == ("the time is missing in 1 row", "stdin:3, column 'date'")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param(
            "date,y\n43647,1\n43648,2\n43651,3\n",
            "may be steps, Excel's days or dates",
            "--time-unit excel",
            id="Excel",
        ),
        pytest.param(
            "Mois,y\njanv. 2000,1\nfévr. 2000,2\n", "a form that is not understood", "2024-01-31", id="French"
        ),
        pytest.param('"date,y"\n"2024-01-01,1"\n"2024-01-02,2"\n', "no column holds numbers", "quotes", id="quoted"),
        pytest.param("0,1\n5.5,6.5\n5.25,6.25\n", "0,1, may be names or a row", "--header none", id="numbered"),
        pytest.param("x,y\n202001,1\n202013,2\n202003,3\n", "no column is known to be the time", "none", id="YYYYMM"),
    ],
)
def test_doubts_are_said_with_the_way_out(text, message, hint):
    error = failure(text)
    assert message in error.message
    assert hint in error.hint


def test_the_ways_out_lead_out():
    text = "date,y\n43647,1\n43648,2\n43649,3\n"
    excel, _ = read_panel(["-"], ReadOptions(time_unit="excel"), stdin=io.BytesIO(text.encode()))
    assert str(excel.times[0])[:10] == "2019-07-01"
    steps, _ = read_panel(["-"], ReadOptions(time_unit="step"), stdin=io.BytesIO(text.encode()))
    assert steps.times.tolist() == [43647, 43648, 43649]
    text = "x,y\n202001,1\n202013,2\n202003,3\n"
    counted, _ = read_panel(["-"], ReadOptions(time_col="none"), stdin=io.BytesIO(text.encode()))
    assert counted.times.tolist() == [1, 2, 3]
    named, _ = read_panel(["-"], ReadOptions(header="1"), stdin=io.BytesIO(b"0\n5.5\n5.25\n"))
    assert named.target.tolist() == [5.5, 5.25]


def test_a_long_column_that_fails_at_its_end_takes_no_ages():
    cells = [f"123456.{n:06d}" for n in range(250)]
    text = "date,price\n" + "".join(
        f"2024-01-01 00:{n // 60:02d}:{n % 60:02d},{cell}\n" for n, cell in enumerate(cells)
    )
    assert "'x' is not a number" in failure(text + "2024-01-02,x\n").message


def daily(form, rows=60):
    days = [(np.datetime64("2024-01-01") + n).item() for n in range(rows)]
    return "date,close\n" + "".join(f"{day.strftime(form)},{n}.5\n" for n, day in enumerate(days))


@pytest.mark.parametrize("form", ["%d%m%Y", "%m%d%Y", "%y%m%d", "%Y%j"])
def test_dates_of_digits_in_other_orders_are_no_steps(form):
    error = failure(daily(form))
    assert "dates in a form that is not understood" in error.message
    assert "--time-unit step" in error.hint


LATE = "".join(f"{np.datetime64('2024-01-01') + n};{'' if n < 300 else f'1.{n}'}\n" for n in range(400))


def test_numbers_that_begin_late_are_judged_as_well():
    assert "can be read in two ways" in failure("date;close\n" + LATE).message
    lines = [line.replace(";", f",2.{n},") for n, line in enumerate(LATE.split())]
    panel, _ = read_panel(["-"], stdin=io.BytesIO("\n".join(["date,DGS10,DGS1MO", *lines, ""]).encode()))
    assert panel.ids == ("DGS10", "DGS1MO")
    assert panel.lengths.tolist() == [400, 100]


# case -> (content, part of the message, place)
FORMER_CRASHES = {
    "form feed": (b"date,note,close\n2024-01-02,a\x0cb,oops\n2024-01-03,a,1\n", "'oops' is not a number", "stdin:2"),
    "long field": (b"date,note,close\n2024-01-02," + b"a" * 200_000 + b",oops\n2024-01-03,a,1\n", "'oops'", "stdin:2"),
    "blank lines": (b"date,close\n\n\n", "no row", "stdin"),
    "empty rows": (b"date,close\n,\n,\n", "there is no row with a value", "stdin"),
    "hexadecimal step": (b"step,v\n1,1.5\n0x2,1.5\n3,2.5\n", "'0x2' is not", "stdin:3"),
    "offset of no place": (b"t,v\n2024-01-01 05:00+01:00,1\n2024-01-02 05:00+99:99,1\n", "+99:99", "stdin:3"),
    "range of hours": (b"t,v\n2024-01-03 10:00,1\n2024-01-03 10-11,1\n", "10-11", "stdin:3"),
    "missing time of day": (
        b"date,time,v\n2024-01-03,10:00,1\n2024-01-04,,1\n2024-01-05,10:00,1\n",
        "has no time of day",
        "stdin:3, column 'date'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message", "where"), FORMER_CRASHES.values(), ids=FORMER_CRASHES)
def test_what_once_crashed_or_passed(text, message, where):
    error = failure(text)
    assert message in error.message
    assert error.where.startswith(where)


@pytest.mark.parametrize("encoding", ["rot13", "hex", "base64", "undefined", "punycode"])
def test_codecs_that_are_no_encodings(encoding):
    assert failure(GOOD, (UsageError, DataError), encoding=encoding).exit_code in (2, 65)


def test_the_zone_comes_from_the_rows_up_to_the_cutoff():
    lines = [f"2024-01-{n + 1:02d}T12:00:00+0{1 if n < 20 else 2}:00,{n}.5\n" for n in range(30)]
    until = ReadOptions(until="2024-01-20")
    cut, _ = read_panel(["-"], until, stdin=io.BytesIO(("date,close\n" + "".join(lines)).encode()))
    short, _ = read_panel(["-"], until, stdin=io.BytesIO(("date,close\n" + "".join(lines[:20])).encode()))
    assert cut.calendar == short.calendar
    assert cut.calendar.zone == "+01:00"
    assert cut.times.tolist() == short.times.tolist()


def test_half_hours_of_the_night_when_clocks_go_back():
    clock = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    text = "time,v\n" + "".join(f"2024-10-27 {at},{n}.5\n" for n, at in enumerate(clock))
    for content in (
        text,
        "time,v\n" + "".join(sorted(text.splitlines(keepends=True)[1:], key=lambda r: -float(r[17:]))),
    ):
        panel, _ = read_panel(["-"], ReadOptions(time_zone="Europe/Berlin"), stdin=io.BytesIO(content.encode()))
        assert panel.target.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
        assert set(np.diff(panel.times).tolist()) == {np.timedelta64(30, "m").astype("timedelta64[us]").item()}
