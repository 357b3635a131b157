"""Tables fitted to a width: no figure is broken, no line is too long, each row keeps what names it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncast.data.grid import Grid
from rnncast.data.text import display_width

SKILL = Grid(
    ("method", "against", "lower by", "95 % interval", "more origins to tell"),
    [("rnncast", "last value", "+0.0 %", "-13.9 to +23.4 %", "160"), ("rnncast", "drift", "+5.6 %", "-", "-")],
    (False, False, True, True, True),
    keys=2,
)


def test_without_a_limit_a_table_is_as_wide_as_it_is():
    assert SKILL.lines() == [
        "method   against     lower by     95 % interval  more origins to tell",
        "rnncast  last value    +0.0 %  -13.9 to +23.4 %                   160",
        "rnncast  drift         +5.6 %                 -                     -",
    ]


def test_headings_are_broken_before_columns_are():
    assert SKILL.drawn(62) == [
        "                                                 more origins",
        "method   against     lower by     95 % interval       to tell",
        "─────────────────────────────────────────────────────────────",
        "rnncast  last value    +0.0 %  -13.9 to +23.4 %           160",
        "rnncast  drift         +5.6 %                 -             -",
    ]


def test_columns_that_do_not_fit_come_below_with_the_names_of_their_rows():
    assert SKILL.lines(42) == [
        "method   against     lower by",
        "rnncast  last value    +0.0 %",
        "rnncast  drift         +5.6 %",
        "",
        "method   against        95 % interval",
        "rnncast  last value  -13.9 to +23.4 %",
        "rnncast  drift                      -",
        "",
        "method   against     more origins to tell",
        "rnncast  last value                   160",
        "rnncast  drift                          -",
    ]


def test_a_long_name_goes_on_below_itself_and_is_cut_at_last():
    grid = Grid(("id", "x"), [("a" * 30, "1.5"), ("b" * 15, "2.5")], (False, True))
    assert grid.lines(26) == ["id          x", "aaaaaaaa  1.5", "aaaaaaaa", "aaaaaaa…", "bbbbbbbb  2.5", "bbbbbbb"]
    assert "a" * 30 in grid.lines()[1]


def test_bold_letters_are_asked_for():
    assert "\x1b" not in "".join(SKILL.drawn(80))
    assert SKILL.drawn(80, bold=True)[0] == f"\x1b[1m{SKILL.lines()[0]}\x1b[0m"


NAMES = st.text(st.characters(codec="utf-8"), max_size=25)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(NAMES, st.floats(-1e9, 1e9), st.floats(-1, 1)), max_size=4), NAMES, st.integers(30, 120))
def test_every_table_fits_and_keeps_its_figures(rows, heading, width):
    cells = [(name, f"{x:.6g}", f"{y:.3f}", f"{x:,.2f}") for name, x, y in rows]
    grid = Grid((heading, "first", "the second one", "third"), cells, (False, True, True, True))
    lines = grid.drawn(width)
    assert all(line.isprintable() or "\xa0" in line for line in lines)
    assert max(display_width(line) for line in lines) <= width
    words = re.split(r"\s+", " ".join(lines))
    assert all(figure in words for row in cells for figure in row[1:])


def test_every_row_needs_its_cells():
    with pytest.raises(ValueError, match="shorter"):
        Grid(("a", "b"), [("1",)], (False, True)).lines()
