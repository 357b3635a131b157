"""The CSV reader against the standard library's, on generated files: never another number, never a traceback."""

import csv
import io
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rnncast.data.read import read_panel
from rnncast.errors import DataError, RnncastError

MISSING = ["", ".", "NA", "N/A", "null", "NaN"]

numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(-1e6, 1e6).map("{:.2f}".format),
    st.floats(-1e6, 1e6).map("{:+.6E}".format),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(["1.", ".5", "+3", "00012", "-0", "1e-400", "4.9e-324", "123456789012345678901234567890"]),
)
cells = st.one_of(numbers, numbers, numbers, st.sampled_from(MISSING))
comments = st.text(st.sampled_from("ab ,\"\n\r'#;é"), max_size=6)
names = st.sampled_from(["WTI", "BRENT", "007", "1e5", "NA", "é"])


@st.composite
def good_files(draw):
    """Records, line end and whether all is quoted, of a file with the columns date, id, y and note.

    Records are lists of texts, or empty for a blank line.
    """
    stamps = draw(st.lists(st.integers(0, 3000), min_size=3, max_size=25, unique=True))
    step = draw(st.sampled_from([timedelta(days=1), timedelta(hours=1)]))
    form = "%Y-%m-%d" if step.days else draw(st.sampled_from(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"]))
    long = draw(st.booleans())
    records = []
    for count in stamps:
        stamp = (datetime(1999, 12, 31) + count * step).strftime(form)
        records.append([stamp, draw(names) if long else "one", draw(cells), draw(comments)])
        if draw(st.integers(0, 9)) == 0:
            records.append([])
    if not any(record and record[2] not in MISSING for record in records):
        records.append([(datetime(2020, 1, 1)).strftime(form), "one", "1.5", ""])
    return (
        records,
        draw(st.sampled_from(["\n", "\r\n", "\r"])),
        draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )


def write(records, line_end, quote_all):
    """Text of a file; the library's writer leaves some line ends unquoted, so it is written by hand."""

    def field(cell):
        return '"' + cell.replace('"', '""') + '"' if quote_all or set(cell) & set(',"\r\n') else cell

    return "".join(",".join(map(field, record)) + line_end for record in [["date", "id", "y", "note"], *records])


def read(text, **options):
    return read_panel(["-"], stdin=io.BytesIO(text.encode()), id_col="id", freq="D", **options)


def expected_rows(text):
    """(id, stamp, value) by the standard library: series by first value, then time."""
    series = {}
    for record in list(csv.reader(io.StringIO(text, newline="")))[1:]:
        if record and record[2] not in MISSING:
            series.setdefault(record[1], []).append((datetime.fromisoformat(record[0]), float(record[2])))
    return {name: sorted(rows) for name, rows in series.items()}


@settings(max_examples=300, deadline=None)
@given(good_files())
def test_good_files_give_the_numbers_of_the_standard_library(file):
    text = write(*file)
    expected = expected_rows(text)
    panel, _ = read(text)
    got = {
        name: list(zip(panel.times[rows].tolist(), panel.target[rows].tolist(), strict=True))
        for name, rows in ((panel.ids[s], panel.rows(s)) for s in range(len(panel.ids)))
    }
    assert set(panel.ids) == set(expected)
    assert repr(got) == repr({name: expected[name] for name in panel.ids})  # repr tells -0.0 from 0.0


@settings(max_examples=200, deadline=None)
@given(good_files(), st.data())
def test_a_bad_cell_is_named_with_its_line(file, data):
    records, line_end, quote_all = file
    rows = [place for place, record in enumerate(records) if record]
    place = data.draw(st.sampled_from(rows))
    column, bad = data.draw(
        st.sampled_from([(0, "2020-02-30"), (0, "tomorrow"), (2, "61.17*"), (2, "inf"), (2, "1,5")])
    )
    records[place][column] = bad
    line = len(_lines(write(records[:place], line_end, quote_all))) + 1
    try:
        read(write(records, line_end, quote_all))
    except DataError as error:
        got = error
    assert got.where.startswith(f"stdin:{line}, column {['date', 'id', 'y'][column]!r}")
    assert got.message.startswith(repr(bad))


@settings(max_examples=200, deadline=None)
@given(good_files(), st.data())
def test_a_row_of_another_length_is_named_with_its_line(file, data):
    records, line_end, quote_all = file
    place = data.draw(st.sampled_from([place for place, record in enumerate(records) if record]))
    records[place] = data.draw(st.sampled_from([records[place] + ["more"], records[place][:2]]))
    line = len(_lines(write(records[:place], line_end, quote_all))) + 1
    try:
        read(write(records, line_end, quote_all))
    except DataError as error:
        got = error
    assert got.where == f"stdin:{line}"
    assert got.message.startswith(f"the row has {len(records[place])} fields, the header 4")


def _lines(text):
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]


@settings(max_examples=400, deadline=None)
@given(good_files(), st.data())
def test_damaged_files_are_read_or_refused_in_words(file, data):
    content = bytearray(write(*file).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        change = data.draw(st.sampled_from([b"", b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"-", b"9", b"x" * 300]))
        content[place : place + data.draw(st.integers(0, 3))] = change
        content = content or bytearray(b"\n")
    try:
        panel, notes = read_panel(["-"], stdin=io.BytesIO(bytes(content)))
    except RnncastError as error:
        assert error.exit_code in (65, 2)
        assert error.message and "Traceback" not in error.message
    else:
        assert len(panel.times) > 0 and notes


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_words(content):
    try:
        panel, notes = read_panel(["-"], stdin=io.BytesIO(content))
    except RnncastError as error:
        assert error.exit_code == 65
    else:
        assert len(panel.times) > 0 and notes
