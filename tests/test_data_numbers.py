"""Numbers in the styles in which people write them: found from the column as a whole, and read to the last bit."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncast.data.reading.numbers import (
    AmbiguousNumbers,
    NumberParser,
    NumberStyle,
    find_style,
    shape_of,
    shapes_of,
)


def style_of(cells, separator=";", **named):
    return find_style(Counter(map(shape_of, cells)), separator, **named)[0]


# case -> (cells, style, values)
STYLES = {
    "plain": (["1.5", "12", "-3.25"], NumberStyle(), [1.5, 12, -3.25]),
    "decimal commas": (["61,17", "5", "-0,5"], NumberStyle(","), [61.17, 5, -0.5]),
    "commas between thousands": (["1,084.79", "12.5", "-1,234,567"], NumberStyle(".", ","), [1084.79, 12.5, -1234567]),
    "points between thousands": (["1.084,79", "12,5", "3"], NumberStyle(",", "."), [1084.79, 12.5, 3]),
    "two groups prove thousands": (["1.234.567", "1.084"], NumberStyle(",", "."), [1234567, 1084]),
    "blanks": (["1 084,79", "12,5"], NumberStyle(",", "space"), [1084.79, 12.5]),
    "narrow blanks": (["1\u202f084,79", "1\u00a0000"], NumberStyle(",", "space"), [1084.79, 1000]),
    "apostrophes": (["1'084.79", "1’000.5"], NumberStyle(".", "'"), [1084.79, 1000.5]),
    "a leading nought is no group": (["0.123", "1.234"], NumberStyle(), [0.123, 1.234]),
    "four digits are no group": (["1.2345", "1.234"], NumberStyle(), [1.2345, 1.234]),
    "exponents": (["6.117000E+01", "1e3"], NumberStyle(), [61.17, 1000]),
    "exponents with commas": (["6,117E+01", "1,5e3"], NumberStyle(","), [61.17, 1500]),
    "brackets": (["(36.98)", "1.5"], NumberStyle(), [-36.98, 1.5]),
    "minus signs": (["\u221236.98", "\u20132", "3-"], NumberStyle(), [-36.98, -2, -3]),
    "dollars": (["$1,084.79", "-$2", "($3)"], NumberStyle(".", ",", "$"), [1084.79, -2, -3]),
    "euros behind": (["1.084,79 €", "2 €"], NumberStyle(",", ".", "€"), [1084.79, 2]),
    "per cent": (["1.5%", "-2%"], NumberStyle(".", "", "%"), [1.5, -2]),
    "nothing but text": (["a", "b"], NumberStyle(), None),
}


@pytest.mark.parametrize(("cells", "style", "values"), STYLES.values(), ids=STYLES)
def test_style_is_found_and_read(cells, style, values):
    assert style_of(cells) == style
    got = NumberParser(style).parse(pa.array(cells))
    if values is None:
        assert got.bad.all()
        return
    assert got.values.tolist() == values
    assert got.bad is None and got.missing is None


@pytest.mark.parametrize("cells", [["1.084", "2.500"], ["1,084"], ["1.084", "12"]])
def test_a_mark_of_two_meanings_is_no_guess(cells):
    with pytest.raises(AmbiguousNumbers, match="can be read in two ways"):
        style_of(cells)


def test_two_ways_of_writing_are_named():
    with pytest.raises(AmbiguousNumbers, match="is written in two ways: some cells like '9.9', some like '9,9'"):
        style_of(["1,5", "2,5", "1.5", "2.5"])


def test_what_the_user_says_settles_it():
    assert style_of(["1.084"], decimal=".") == NumberStyle()
    assert style_of(["1.084"], decimal=",") == NumberStyle(",", ".")
    assert style_of(["1.084"], thousands="none") == NumberStyle()
    assert style_of(["1,084"], thousands=",") == NumberStyle(".", ",")


def test_beside_commas_a_point_is_decimal():
    assert style_of(["1.084", "2.500"], separator=",") == NumberStyle()
    with pytest.raises(AmbiguousNumbers):
        style_of(["1,084"], separator=",")  # in quotes


@pytest.mark.parametrize(
    "cell", ["1,08,4.79", "12,34.5", "1,0845", ",5,", "1.2.3", "1..2", "0x10", "1_000", "$", "--1", "(1", "€1"]
)
def test_cells_of_no_style_are_bad(cell):
    got = NumberParser(NumberStyle(".", ",")).parse(pa.array([cell, "1,084.5"]))
    assert got.bad.tolist() == [True, False]


def test_mixed_currencies_are_bad():
    got = NumberParser(style_of(["$1", "$3", "€2", "4"])).parse(pa.array(["$1", "$3", "€2", "4"]))
    assert got.bad.tolist() == [False, False, True, True]


def test_markers_are_missing_in_any_case():
    cells = ["", ".", "-", "--", "NA", "n/a", "N.A.", "#N/A", "NaN", "NULL", "None", "ND", "#DIV/0!", " "]
    got = NumberParser().parse(pa.array(cells))
    assert got.missing.all() and got.bad is None


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=20),
    st.sampled_from([(".", ","), (",", "."), (".", "'"), (",", " "), (".", "")]),
)
def test_written_and_read_again(values, marks):
    decimal, thousands = marks
    texts = [f"{value:,.4f}".translate(str.maketrans({",": thousands, ".": decimal})) for value in values]
    style = NumberStyle(decimal, "space" if thousands == " " else thousands)
    got = NumberParser(style).parse(pa.array(texts))
    assert got.bad is None
    assert got.values.tolist() == [float(f"{value:.4f}") for value in values]


@given(st.lists(st.text(st.sampled_from("0123456789.,-' $"), max_size=8), max_size=20))
def test_shapes_of_a_column_are_those_of_its_cells(cells):
    assert shapes_of([pa.array(cells, pa.string())]) == Counter(map(shape_of, cells))


def test_no_typed_column_goes_through_text():
    got = NumberParser().parse(pa.array([1.5, None, float("inf")]))
    assert got.missing.tolist() == [False, True, False]
    assert got.bad.tolist() == [False, False, True]
    assert np.isnan(NumberParser().parse(pa.array([float("nan")])).values).all()
