"""A file of holidays: one date a line, or the first column of a CSV; anything else is named with its line."""

import pytest

from rnncast.data.calendars.holidays import read_holidays
from rnncast.errors import DataError, InputNotFoundError, UsageError

GOOD = {
    "dates": "2024-12-25\n2024-01-01\n",
    "header": "date\n2024-01-01\n2024-12-25\n",
    "columns": "date,name\n2024-01-01,New Year\n2024-12-25,Christmas\n",
    "semicolons": "2024-12-25;Weihnachten\n2024-01-01;Neujahr\n",
    "comments and blank lines": "# of the exchange\n\n2024-01-01 # new year\n\n2024-12-25\n\n",
    "header after a comment": "# closed\nHoliday\n2024-01-01\n2024-12-25",
    "twice": "2024-01-01\n2024-12-25\n2024-01-01\n",
    "midnight": "2024-01-01T00:00:00\r\n2024-12-25 00:00:00\r\n",
    "quoted, with a byte order mark": '\ufeff"2024-01-01"\n"2024-12-25"\n',
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_dates_are_read_sorted_and_once(tmp_path, text):
    path = tmp_path / "holidays.csv"
    path.write_bytes(text.encode())
    assert read_holidays(str(path)) == ("2024-01-01", "2024-12-25")


BAD = {
    "no such day": ("2024-01-01\n2024-02-30\n", ":2", "'2024-02-30' is no date"),
    "another form": ("01/02/2024\n", ":1", "'01/02/2024' is no date"),
    "a second header": ("date\nholiday\n2024-01-01\n", ":2", "'holiday' is no date"),
    "a time of day": ("2024-01-01T12:00\n", ":1", "is no date"),
    "empty": ("# nothing\n", "", "no date in the file"),
}


@pytest.mark.parametrize(("text", "place", "message"), BAD.values(), ids=BAD)
def test_what_is_no_date_is_named_with_its_line(tmp_path, text, place, message):
    path = tmp_path / "holidays.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as error:
        read_holidays(str(path))
    assert error.value.where == f"{path}{place}"


def test_no_such_file(tmp_path):
    with pytest.raises(InputNotFoundError, match="cannot open the holidays"):
        read_holidays(str(tmp_path / "none.txt"))


def test_a_folder_or_no_text(tmp_path):
    with pytest.raises(UsageError, match="is a folder"):
        read_holidays(str(tmp_path))
    binary = tmp_path / "holidays.bin"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UsageError, match="is no text"):
        read_holidays(str(binary))
