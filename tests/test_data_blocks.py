"""CSV in blocks that are converted several at a time: the same rows as from one block, and faults where they stand."""

import random
import time

import numpy as np
import pytest

from rnncast.data.options import ReadOptions
from rnncast.data.read import read_panel
from rnncast.data.reading import blocks, read_csv
from rnncast.data.reading.conversion import in_order
from rnncast.errors import DataError

DAYS = range(1, 29)


def months(line):
    """Rows of nine months, by a function of year, month and day."""
    return "".join(line(2024, month, day) + "\n" for month in range(1, 10) for day in DAYS)


# name -> (text, options)
TEXTS = {
    "plain": ("date,price\n" + months(lambda y, m, d: f"{y}-{m:02d}-{d:02d},{m}.{d}"), {}),
    "two offsets": (
        "date,price\n" + months(lambda y, m, d: f"{y}-{m:02d}-{d:02d}T10:00:00+0{1 + (m > 3)}:00,{m}.{d}"),
        {"time_zone": "Europe/Berlin"},
    ),
    "German": ("Datum;Preis\n" + months(lambda y, m, d: f"{d}.{m}.{y};1.{m:03d},{d}"), {}),
    "series in turn": (
        "date,id,price\n" + months(lambda y, m, d: "\n".join(f"{y}-{m:02d}-{d:02d},{s},{m}.{d}" for s in "CAB")),
        {},
    ),
    "a series after the other": (
        "id,date,price\n" + "".join(f"s{s},2024-01-{day:02d},{s}{day}\n" for s in range(40) for day in DAYS),
        {},
    ),
    "line ends in quotes": (
        "date,note,price\n" + months(lambda y, m, d: f'{y}-{m:02d}-{d:02d},"a\n{"b" * d},""",{m}.{d}'),
        {},
    ),
    "missing here and there": (
        "date,price\n" + months(lambda y, m, d: f"{y}-{m:02d}-{d:02d},{'n/a' if d == 7 else 'nan' if d == 9 else m}"),
        {},
    ),
}


@pytest.mark.parametrize(("text", "options"), TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("size", [100, 777])
def test_blocks_make_no_difference(tmp_path, monkeypatch, text, options, size):
    path = tmp_path / "prices.csv"
    path.write_text(text)
    whole, notes = read_panel([str(path)], ReadOptions(**options))
    monkeypatch.setattr(blocks, "BLOCK", size)
    monkeypatch.setattr(read_csv, "threads", lambda: 3)
    panel, same_notes = read_panel([str(path)], ReadOptions(**options))
    assert same_notes == notes
    assert panel.ids == whole.ids
    for name in ("indptr", "times", "values"):
        np.testing.assert_array_equal(getattr(panel, name), getattr(whole, name))
    assert panel.calendar == whole.calendar


def test_faults_are_named_and_counted_across_blocks(tmp_path, monkeypatch):
    lines = ["date,price", *months(lambda y, m, d: f"{y}-{m:02d}-{d:02d},{m}").splitlines()]
    for row in (100, 150, 240):
        lines[row] += ",7"
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(blocks, "BLOCK", 200)
    with pytest.raises(DataError, match="the row has 3 fields, the header 2; 2 more rows differ") as error:
        read_panel([str(path)])
    assert error.value.where == f"{path}:101"
    lines[100] = '2024-04-16,"5'  # an open quote, after which no line end counts
    path.write_text("\n".join(lines[:140]) + "\n")
    with pytest.raises(DataError, match="quotation mark") as error:
        read_panel([str(path)])
    assert error.value.where == f"{path}:101"


def test_results_come_in_order_and_few_blocks_are_in_use():
    delays = random.Random(5)
    made = []

    def numbered():
        for number in range(40):
            made.append(number)
            yield number

    def work(number):
        time.sleep(delays.random() / 500)
        return number * number

    for place, (number, square) in enumerate(in_order(work, numbered(), 4)):
        assert (number, square) == (place, place * place)
        assert len(made) <= place + 5  # four at work, and this one


def test_a_failure_comes_after_the_results_before_it():

    def work(number):
        if number == 3:
            raise ValueError("three")
        return number

    got = []
    with pytest.raises(ValueError, match="three"):
        for _, result in in_order(work, range(10), 4):
            got.append(result)
    assert got == [0, 1, 2]
