import math

import pytest

from rnncast.data.text import display_width
from rnncast.report.tables import TextTable, labelled, number, numbers, size


def test_columns_line_up():
    table = TextTable(("name", "n"), (("a", "1"), ("longer", "100")), (False, True), "title")
    assert table.lines() == ["title", "name      n", "a         1", "longer  100"]


def test_wide_characters_line_up():
    lines = TextTable(("x", "n"), (("株価", "1"), ("ab", "2")), (False, True)).lines()
    assert [display_width(line) for line in lines] == [7, 7, 7]


def test_rows_of_another_width_are_refused():
    with pytest.raises(ValueError, match="expected 2 cells"):
        TextTable(("a", "b"), (("1",),), (False, False))


def test_labels_line_up():
    assert labelled([("a", "x"), ("long", "y"), ("", "z")]) == ["a     x", "long  y", "      z"]
    assert labelled([]) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([1.23456, 0.5], ["1.235", "0.500"], id="decimals-of-the-largest"),
        pytest.param([12345.6, 1.0], ["12,346", "1"], id="large"),
        pytest.param([0.0081, -0.0000069], ["0.008100", "-0.000007"], id="small"),
        pytest.param([1e-7], ["1.000e-07"], id="tiny"),
        pytest.param([1e12], ["1.000e+12"], id="huge"),
        pytest.param([0.0, math.nan], ["0", "-"], id="zero-and-absent"),
        pytest.param([math.inf], ["-"], id="infinite"),
    ],
)
def test_numbers(values, expected):
    assert numbers(values) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1234.0, "1,234"), (0.1 + 0.2, "0.3"), (-36.98, "-36.98"), (1234567.891, "1,234,567.89"), (math.nan, "-")],
)
def test_number(value, expected):
    assert number(value) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [(999, "999 bytes"), (64_000, "64 kB"), (999_900, "1 MB"), (3_200_000_000, "3.2 GB")]
)
def test_size(count, expected):
    assert size(count) == expected
