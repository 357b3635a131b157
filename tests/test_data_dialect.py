"""How a text is written: separator, header, encoding, line ends, found from its head; and what is said of it."""

import bz2
import gzip
import io
import lzma

import pytest

from rnncast.data.options import ReadOptions
from rnncast.data.read import read_panel
from rnncast.errors import DataError, UsageError

DAYS = [f"2024-01-{day:02d}" for day in range(1, 21)]


def read(text, **options):
    data = text if isinstance(text, bytes) else text.encode()
    return read_panel(["-"], ReadOptions(**options), stdin=io.BytesIO(data))


def rows(separator=",", form="{:.1f}"):
    return "".join(f"{day}{separator}{form.format(n + 0.5)}\n" for n, day in enumerate(DAYS))


VALUES = [n + 0.5 for n in range(20)]

# case -> (text, part of the notes)
WRITTEN = {
    "commas": ("date,price\n" + rows(), None),
    "semicolons": ("date;price\n" + rows(";"), "fields are separated by semicolons"),
    "semicolons and decimal commas": (
        "date;price\n" + rows(";").replace(".", ","),
        "'price' is read with decimal commas",
    ),
    "tabs": ("date\tprice\n" + rows("\t"), "fields are separated by tabs"),
    "bars": ("date|price\n" + rows("|"), "fields are separated by bars"),
    "a comma in every cell of text": (
        "date;price;note\n" + rows(";").replace("\n", ";a, b\n"),
        "fields are separated by semicolons",
    ),
    "comments": ("# EIA\n#\n\n# spot\ndate,price\n" + rows(), "3 comment lines at the beginning left out"),
    "names in a comment": ("# EIA\n# date, price\n" + rows(), "the header stands in a comment line"),
    "lines before the header": (
        "https://example.org\n\ndate,price\n" + rows(),
        "the header is line 3; 1 line before it left out: 'https://example.org'",
    ),
    "no header": (rows(), "there is no header: the columns are called column_1 to column_2"),
    "UTF-8 with a mark": (("date,price\n" + rows()).encode("utf-8-sig"), None),
    "UTF-16": (("date,price\n" + rows()).encode("utf-16"), "encoded in UTF-16"),
    "UTF-16, big end first": (b"\xfe\xff" + ("date,price\n" + rows()).encode("utf-16-be"), "encoded in UTF-16"),
    "UTF-16 without a mark": (("date,price\n" + rows()).encode("utf-16-le"), "encoded in UTF-16"),
    "western Windows": (("date,pr\u00e9is\n" + rows()).encode("cp1252"), "not UTF-8: read as cp1252"),
    "CR LF": (("date,price\n" + rows()).replace("\n", "\r\n"), None),
    "CR": (("date,price\n" + rows()).replace("\n", "\r"), None),
    "all in quotes": ('"date","price"\n' + "".join(f'"{d}","{v}"\n' for d, v in zip(DAYS, VALUES, strict=True)), None),
    "gzip": (gzip.compress(("date,price\n" + rows()).encode()), "unpacked with gzip"),
    "bzip2": (bz2.compress(("date,price\n" + rows()).encode()), "unpacked with bz2"),
    "xz": (lzma.compress(("date,price\n" + rows()).encode()), "unpacked with lzma"),
    "no line end at the end": ("date,price\n" + rows().rstrip("\n"), "the last line has no line end"),
    "an index without a name": (
        ",date,price\n" + "".join(f"{n},{line}\n" for n, line in enumerate(rows().split())),
        None,
    ),
}


@pytest.mark.parametrize(("text", "said"), WRITTEN.values(), ids=WRITTEN)
def test_what_is_written_is_read(text, said):
    panel, notes = read(text)
    assert panel.target.tolist() == VALUES
    assert [str(stamp)[:10] for stamp in panel.times] == DAYS
    if said is None:
        assert len(notes) == 1
    else:
        assert any(said in note for note in notes)


# case -> (text, options)
TOLD = {
    "separator": ("date:price\n" + rows(":"), {"sep": ":"}),
    "tab": ("date\tprice\n" + rows("\t"), {"sep": "tab"}),
    "decimal": ("date;price\n" + rows(";", "{:.3f}"), {"decimal": "."}),
    "encoding": (("date,prix\u20ac\n" + rows()).encode("cp1252"), {"encoding": "cp1252"}),
    "header": ("a,b\nc,d\ndate,price\n" + rows(), {"header": "3"}),
    "header after CR LF": (("a,b\nc,d\ndate,price\n" + rows()).replace("\n", "\r\n"), {"header": "3"}),
    "no header": (rows(), {"header": "none"}),
    "columns without a header": (rows(), {"time_col": "column_1", "target_col": "column_2"}),
}


@pytest.mark.parametrize(("text", "options"), TOLD.values(), ids=TOLD)
def test_what_is_told_is_taken(text, options):
    panel, _ = read(text, **options)
    assert panel.target.tolist() == VALUES


def test_an_encoding_that_shows_late(tmp_path):
    plain = "".join(f"2024-01-{day:02d},s{n},{n}.5\n" for n in range(40_000) for day in (1, 2))  # more than one block
    text = f"date,series,price\n{plain}2024-01-01,\u00e9t\u00e9,1\n2024-01-02,\u00e9t\u00e9,2\n"
    path = tmp_path / "late.csv"
    path.write_bytes(text.encode("cp1252"))
    panel, notes = read_panel([str(path)])
    assert panel.ids[-1] == "\u00e9t\u00e9"
    assert any("cp1252" in note for note in notes)
    with pytest.raises(DataError, match="not encoded in utf-8: byte 0xe9") as error:
        read_panel([str(path)], ReadOptions(encoding="utf-8"))
    assert error.value.where == f"{path}:80002"


def test_rows_of_many_blocks_and_records_larger_than_one(tmp_path):
    from rnncast.data.reading.blocks import BLOCK

    note = '"' + "x\n" * (BLOCK // 3) + ',y"'  # two thirds of a block with line ends and a comma in quotes
    lines = [f"2024-01-{day:02d},{day},{note}" for day in range(1, 9)]
    path = tmp_path / "large.csv"
    path.write_text(
        "date,price,note\n" + "\n".join([*lines, f"2024-01-09,9,{note[:-1]}{note[1:]}", "2024-01-10,x,z\n"])
    )
    with pytest.raises(DataError, match="'x' is not a number") as error:
        read_panel([str(path)])
    line = path.read_text().count("\n")
    assert error.value.where == f"{path}:{line}, column 'price'"
    path.write_text(path.read_text().replace("2024-01-10,x", "2024-01-10,10"))
    assert read_panel([str(path)])[0].target.tolist() == list(range(1, 11))


# case -> (options, part of the message)
NONSENSE = {
    "two characters": ({"sep": ";;"}, "--sep must be one character"),
    "quotation mark": ({"sep": '"'}, "--sep must be one character"),
    "same marks": ({"decimal": ",", "thousands": ","}, "--decimal and --thousands are both"),
    "decimal": ({"decimal": ":"}, "--decimal must be one of"),
    "header": ({"header": "first"}, "--header must be the number of a line or none"),
    "line 0": ({"header": "0"}, "--header must be the number of a line or none"),
    "unit": ({"time_unit": "min"}, "--time-unit must be one of"),
    "step and none": ({"freq": "D", "irregular": True}, "--irregular and --freq contradict each other"),
    "duplicates": ({"duplicates": "keep"}, "--duplicates must be one of"),
}


@pytest.mark.parametrize(("options", "message"), NONSENSE.values(), ids=NONSENSE)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(UsageError, match=message):
        ReadOptions(**options)


def test_no_such_encoding_zone_or_line():
    with pytest.raises(UsageError, match="no encoding 'utf-99'"):
        read("date,price\n" + rows(), encoding="utf-99")
    with pytest.raises(UsageError, match="Europe/Berlim"):
        read("date,price\n" + rows(), time_zone="Europe/Berlim")
    with pytest.raises(DataError, match="no line 99"):
        read("date,price\n" + rows(), header="99")


# ---- duplicates and missing values

TWICE = "date,price\n2024-01-01,1\n2024-01-02,2\n2024-01-02,4\n2024-01-03,3\n"


@pytest.mark.parametrize(("how", "value"), [("first", 2), ("last", 4), ("mean", 3)])
def test_duplicates(how, value):
    panel, notes = read(TWICE, duplicates=how)
    assert panel.target.tolist() == [1, value, 3]
    assert f"1 row with a stamp that occurs again, the first at 2024-01-02: {how} taken" in notes


def test_duplicates_are_refused_without_a_word():
    with pytest.raises(DataError, match="2024-01-02 occurs again") as error:
        read(TWICE)
    assert "--duplicates last" in error.value.hint


GAPS = "date,id,price\n2024-01-01,a,\n2024-01-02,a,2\n2024-01-03,a,.\n2024-01-04,a,4\n2024-01-05,a,\n2024-01-01,b,\n"


def test_missing_values():
    panel, notes = read(GAPS, id_col="id", freq="D")
    assert panel.ids == ("a",)
    assert panel.target.tolist() == [2, 4]
    assert "4 rows without a value in 'price' left out, the first at stdin:2" in notes
    filled, notes = read(GAPS, id_col="id", freq="D", missing="ffill")
    assert filled.ids == ("a",)
    assert filled.target.tolist() == [2, 2, 4, 4]
    assert "2 missing values filled with the value before; 2 rows before any value left out" in notes
    with pytest.raises(DataError, match=r"the value is missing in 4 rows \(also 4, 6, 7\)") as error:
        read(GAPS, id_col="id", freq="D", missing="error")
    assert error.value.where == "stdin:2, column 'price'"


def test_date_and_time_of_day_in_two_columns():
    text = "<DATE>\t<TIME>\t<OPEN>\t<CLOSE>\n" + "".join(
        f"2012.11.16\t{hour:02d}:00:00\t1\t{hour}.5\n" for hour in range(9)
    )
    panel, notes = read(text)
    assert str(panel.times[1]) == "2012-11-16T01:00:00.000000"
    assert panel.target.tolist() == [hour + 0.5 for hour in range(9)]
    assert "the time is '<DATE>' and '<TIME>' together" in notes
    with pytest.raises(DataError, match="'2012.11.16 25:00:00' is a date that does not exist") as error:
        read(text + "2012.11.16\t25:00:00\t1\t2\n")
    assert error.value.where.startswith("stdin:11")


# case -> (content, options, part of the message)
IDLE = {
    "zone of steps": ("ds,y\n1,1\n2,2\n", {"time_zone": "UTC"}, "--time-zone does not fit: the input has no dates"),
    "unit of dates": ("date,price\n" + rows(), {"time_unit": "s"}, "--time-unit does not fit"),
}


@pytest.mark.parametrize(("text", "options", "message"), IDLE.values(), ids=IDLE)
def test_options_that_would_have_no_effect(text, options, message):
    with pytest.raises(DataError, match=message):
        read(text, **options)


@pytest.mark.parametrize("options", [{"sep": ";"}, {"header": "2"}, {"encoding": "cp1252"}])
def test_options_of_text_have_no_effect_on_parquet(options):
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.table({"ds": [1, 2], "y": [1.0, 2.0]}), buffer)
    with pytest.raises(UsageError, match="no effect on a Parquet file"):
        read(buffer.getvalue(), **options)


def test_a_separator_that_leaves_quotes_inside_of_fields_is_none(tmp_path):
    path = tmp_path / "cut.csv"  # no header, decimal commas, and the second row is cut off: as many commas in both
    path.write_text('1905-01-01;"-1.000,0000";0;"0";0,0\n"1905-01-08";1.000.000,0000;"0";1\n')
    with pytest.raises(DataError, match="the row has 4 fields, the header 5") as error:
        read_panel([str(path)])
    assert error.value.where == f"{path}:2"
    with pytest.raises(DataError, match="quotation mark") as error:
        read_panel([str(path)], ReadOptions(sep=","))
    assert error.value.where == f"{path}:1"


def test_a_first_line_with_a_date_over_dates_is_a_row_whatever_else_it_holds():
    with pytest.raises(DataError, match="'oops' is not a number") as error:
        read("2024-01-01,oops\n" + rows())
    assert error.value.where.startswith("stdin:1, column 'column_2'")


def test_bytes_that_are_no_text_do_not_decide_the_separator(tmp_path):
    path = tmp_path / "prices.csv"  # as many commas in each line as semicolons that separate
    path.write_bytes(
        b"step;WTI;BRK,B\n" + b"".join(b"%d;7;\xe2\x82\xac%s1,5\n" % (n, b"\x81" * (n == 3)) for n in range(9))
    )
    with pytest.raises(DataError, match="a cell is not encoded in UTF-8") as error:
        read_panel([str(path)], ReadOptions(wide=True, time_col="step"))
    assert error.value.where == f"{path}:5"


def test_a_stray_quote_after_a_decimal_comma_is_named_where_it_stands():
    lines = [f'2024-01-{day:02d};"say ""x""";{day},5' for day in range(1, 9)]
    lines[2] = lines[2].replace(",5", ',"5')
    with pytest.raises(DataError, match="quotation mark") as error:
        read("\n".join(lines) + "\n")
    assert error.value.where == "stdin:3"
