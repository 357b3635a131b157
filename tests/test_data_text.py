"""Text as it is shown and written."""

from __future__ import annotations

import io
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncast.data.text import DEFAULT_WIDTH, display_width, folded, in_unicode, printable, terminal_width, to_json

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=12)  # surrogates too


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[close] é 日本 😀", "[close] é 日本 😀", id="what-is-read"),
        pytest.param("\x1b[31m\n\t\r\0\x7f", r"\x1b[31m\n\t\r\x00\x7f", id="control"),
        pytest.param("\x9b31m", r"\x9b31m", id="control-of-one-byte"),
        pytest.param("a\u202eb\u200bc\ufeff", r"a\u202eb\u200bc\ufeff", id="without-a-shape"),
        pytest.param("\udcff", r"\udcff", id="bytes-of-a-name"),
        pytest.param("1\xa0000", "1\xa0000", id="blank-in-a-number"),
    ],
)
def test_what_does_not_print_is_shown(text, expected):
    assert printable(text) == expected


@given(ANY_TEXT)
def test_json_holds_any_text_and_nothing_that_acts(text):
    for indent in (None, 2):
        got = to_json({"a": [text], text: 1}, indent=indent)
        assert json.loads(got) == {"a": [text], text: 1}
        assert got.replace("\n", "").isprintable()
        assert got.encode("utf-8")
    assert "\n" not in to_json([text])


def test_json_has_no_token_for_what_is_no_number():
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(float("nan"))


@pytest.mark.parametrize(
    ("text", "expected"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("😀", 2), ("❤\ufe0f", 1), ("", 0)], ids=ascii
)
def test_columns_of_a_terminal(text, expected):
    assert display_width(text) == expected


@given(st.text(max_size=30), st.integers(2, 9))
def test_folding_keeps_every_character(text, width):
    pieces = folded(text, width)
    assert "".join(pieces) == text
    assert all(display_width(piece) <= width for piece in pieces)


def test_names_of_files_are_unicode_for_every_writer():
    assert in_unicode(os.fsdecode(b"a\xff\xc3\xa9")) == r"a\xffé"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [("132", 132), ("5", 20), ("0", DEFAULT_WIDTH), ("wide", DEFAULT_WIDTH), ("", DEFAULT_WIDTH)],
)
def test_width_of_what_is_no_terminal_is_that_of_the_environment(columns, expected, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal_width(io.StringIO()) == expected
