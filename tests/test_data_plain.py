"""Small plain texts are read without pyarrow: the same panel, the same notes and the same errors as with it."""

import io
from unittest import mock

import numpy as np
import pytest
from damaged_files import damaged_files
from generated_files import good_files
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from rnncast.data.options import ReadOptions
from rnncast.data.read import read_panel
from rnncast.data.reading import conversion, plain
from rnncast.errors import RnncastError

EXAMPLES = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

HEAD = "date,price\n"
LATER = "2024-01-03,2.5\n2024-01-04,3.5\n"

# name -> text that is read without pyarrow
PLAIN = {
    "dates": HEAD + "2024-01-02,1.5\n" + LATER,
    "no last line end": HEAD + "2024-01-02,1.5\n" + LATER.rstrip(),
    "line ends of Windows": (HEAD + "2024-01-02,1.5\n" + LATER).replace("\n", "\r\n"),
    "blank lines": HEAD + "\n2024-01-02,1.5\n\n" + LATER + "\n",
    "signs and exponents": HEAD + "2024-01-01,+1.5\n2024-01-02,-.5e-12\n2024-01-03,5.\n2024-01-04,1E+20\n",
    "zeros of both signs": HEAD + "2024-01-01,-0\n2024-01-02,-0.0\n2024-01-03,0\n",
    "times of day": HEAD + "2024-01-02 10:00,1.5\n2024-01-02T11:00:00,2.5\n2024-01-02 12:00:00,3.5\n",
    "missing": HEAD + "2024-01-01,\n2024-01-02,1.5\n2024-01-03, N/a \n2024-01-04,.\n2024-01-05,2.5\n",
    "steps": "step,y\n-2,1\n-1,2\n000,3\n1,5\n",
    "UNIX times": "time,y\n1704067200,1\n1704153600,2\n1704240000,3\n",
    "names": "date,ticker,y\n2024-01-01,b,1\n2024-01-01, a ,2\n2024-01-02,b ,3\n2024-01-02,Ü,4\n2024-01-03,Ü,5\n",
    "wide": "date,A,B\n2024-01-01,1,2\n2024-01-02,3,\n2024-01-03,5,6\n",
    "one column": "y\n1\n\n2\n3\n",
    "semicolons": "date;y\n2024-01-01;1.5\n2024-01-02;2.25\n",
}

# name -> text that is left to pyarrow and the parsers, which read or refuse it
NOT_PLAIN = {
    "quotes": HEAD + '2024-01-02,"1.5"\n' + LATER,
    "short row": HEAD + "2024-01-02\n" + LATER,
    "long row": HEAD + "2024-01-02,1,5\n" + LATER,
    "day that does not exist": HEAD + "2024-02-30,1.5\n" + LATER,
    "year zero": HEAD + "0000-01-01,1.5\n" + LATER,
    "hour that does not exist": HEAD + "2024-01-02 24:00,1.5\n2024-01-03 10:00,2.5\n",
    "regional dates": HEAD + "13/01/2024,1.5\n14/01/2024,2.5\n",
    "zones": HEAD + "2024-01-02T10:00Z,1.5\n2024-01-03T10:00Z,2.5\n",
    "blanks around numbers": HEAD + "2024-01-02, 1.5\n" + LATER,
    "decimal commas": "date;y\n2024-01-01;1,5\n2024-01-02;2,25\n",
    "text among numbers": HEAD + "2024-01-02,1.5x\n" + LATER,
    "infinity": HEAD + "2024-01-02,inf\n" + LATER,
    "beyond the range of doubles": HEAD + "2024-01-02,1e999\n" + LATER,
    "below it": HEAD + "2024-01-02,1e-999\n" + LATER,
    "very many digits": HEAD + f"2024-01-02,0.{'1' * 60}\n" + LATER,
    "integers of 65 bits": "step,y\n1,1\n99999999999999999999,2\n",
    "hexadecimal": "step,y\n1,1\n2,2\n3,3\n0x4,4\n",
    "lone line ends of old": (HEAD + "2024-01-02,1.5\n" + LATER).replace("\n", "\r"),
    "NUL": HEAD + "2024-01-02,1.5\n2024-01-03,2\0\n" + LATER,
    "no UTF-8": HEAD + "2024-01-02,1.5\n" + LATER + "2024-01-05,\udcff\n",
    "series without a name": "date,ticker,y\n2024-01-01,a,1\n2024-01-02,,2\n2024-01-03,a,3\n",
    "missing stamp": HEAD + "2024-01-02,1.5\n,9\n" + LATER,
}


def outcome(data, options, most_bytes):
    """What reading comes to, as text that tells any two panels, notes or errors apart; whether pyarrow was left out."""
    plain_blocks = []

    def spied(*arguments):
        cells = plain.plain_cells(*arguments)
        plain_blocks.append(cells is not None)
        return cells

    with mock.patch.object(plain, "MOST_BYTES", most_bytes), mock.patch.object(conversion, "plain_cells", spied):
        try:
            panel, notes = read_panel(["-"], ReadOptions(**options), stdin=io.BytesIO(data))
        except RnncastError as error:
            return repr((error.exit_code, error.message, error.where, error.hint)), any(plain_blocks)
    arrays = [(array.dtype.str, array.tobytes()) for array in (panel.indptr, panel.times, panel.values)]
    return repr((panel.ids, panel.columns, panel.calendar, arrays, notes)), any(plain_blocks)


def both(data, options):
    """The outcome with pyarrow alone, and without it where that is possible."""
    expected, used = outcome(data, options, most_bytes=-1)
    assert not used
    return expected, *outcome(data, options, plain.MOST_BYTES)


@pytest.mark.parametrize(
    ("text", "is_plain"), [*((t, True) for t in PLAIN.values()), *((t, False) for t in NOT_PLAIN.values())],
    ids=[*PLAIN, *NOT_PLAIN],
)  # fmt: skip
def test_plain_texts_are_read_as_by_pyarrow(text, is_plain):
    expected, got, used = both(text.encode(errors="surrogateescape"), {})
    assert got == expected
    assert used == is_plain


def test_a_large_text_is_left_to_pyarrow():
    rows = [f"{day},{n}.5" for n, day in enumerate(np.arange("1900", "1990", dtype="datetime64[D]"))]
    data = (HEAD + "\n".join(rows) + "\n").encode()
    assert len(data) > plain.MOST_BYTES
    assert not outcome(data, {}, plain.MOST_BYTES)[1]


@given(file=good_files())
@EXAMPLES
def test_generated_files_are_read_as_by_pyarrow(file):
    for options in (file.options, file.told):
        expected, got, used = both(file.data, options)
        event(f"plain: {used}")
        assert got == expected


@given(damaged=damaged_files())
@EXAMPLES
def test_damaged_files_are_refused_as_by_pyarrow(damaged):
    expected, got, used = both(damaged.data, damaged.file.options)
    event(f"plain: {used}")
    assert got == expected


@given(values=st.lists(st.floats(min_value=-1e150, max_value=1e150), min_size=2, max_size=20))
@EXAMPLES
def test_numbers_are_the_nearest_doubles(values):
    days = np.arange(len(values)).astype("datetime64[D]").tolist()
    rows = "".join(f"{day},{value!r}\n" for day, value in zip(days, values, strict=True))
    expected, got, _ = both((HEAD + rows).encode(), {"freq": "D"})
    assert got == expected
