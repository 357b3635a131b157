"""A model's card: what its record has is shown, in text and in Markdown, and nothing in it acts as markup."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from panels import make_panel, random_walk

from rnncast.data.panel import Columns
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.fingerprint import fingerprint
from rnncast.report.card import card_document, card_lines
from rnncast.report.card_markdown import card_markdown
from rnncast.report.markdown import code, prose, table_lines
from rnncast.report.tables import TextTable
from rnncast.training.train import train

ORIGIN = {"bytes": 1234, "format_version": 1, "package_version": "9.9"}
RECORD = {
    "folds": [
        {"purpose": "early stopping", "trained_until": "2020-03-01", "from": "2020-03-02", "until": "2020-04-01",
         "windows": 1200},
        {"purpose": "calibration", "trained_until": None, "from": None, "until": None, "windows": 7},
    ],
    "fallback": "the series are short: gate and calibration share a block",
    "gate": [
        {"group": "all | series", "windows": 40, "baseline": "last value", "blend": 0.25,
         "network_relative_mae": 1.05, "baseline_relative_mae": 1.0, "blended_relative_mae": 0.9876,
         "t_statistic": None, "blocks": 5},
    ],
    "coverage": [{"level": 80.0, "coverage": 0.7891, "windows": 33}],
    "coverage_note": "measured before the refit",
    "versions": {"python": "3.12.1", "numpy": "2.3.2", "numba": "0.63"},
    "data_fingerprint": "0123456789abcdef",
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    """A model whose record has no key of later versions."""
    panel = make_panel({"a": random_walk(np.random.default_rng(3), 120)})
    network = NetworkConfig(hidden_size=4, input_size=10, horizon=3)
    found, _ = train(panel, network, TrainingConfig(members=1, max_epochs=1, epoch_updates=2))
    earlier = {name: value for name, value in found.record.items() if name not in RECORD}
    return replace(found, record=earlier)


def with_record(model):
    return replace(model, record={**model.record, **RECORD})


def markdown(model, path="m.npz", commands=("rnncast forecast m.npz",)):
    return "\n".join(card_markdown(model, path, ORIGIN, commands)) + "\n"


def sections(text):
    return re.findall(r"^#+ (.*)$", text, re.MULTILINE)


def test_what_the_record_lacks_is_left_out(model):
    assert sections(markdown(model)) == ["`m.npz`", "Use", "Data", "Recipe", "Versions"]
    labels = [label for label, _ in card_lines(model, "m.npz", ORIGIN)]
    assert not {"folds", "gate", "coverage", "versions"} & set(labels)


def test_what_the_record_has_is_shown(model):
    text = markdown(with_record(model))
    assert sections(text) == ["`m.npz`", "Use", "Data", "Recipe", "Folds", "Gate", "Coverage", "Versions"]
    for line in (
        "| early stopping | 2020-03-01 | 2020-03-02 | 2020-04-01 | 1,200 |",
        "| calibration | - | - | - | 7 |",
        "the series are short: gate and calibration share a block",
        "| `all \\| series` | last value | 0.25 | 1.050 | 1.000 | 0.988 | - | 5 | 40 |",
        "| 80 % | 0.789 | 33 |",
        "measured before the refit",
        "| numba | 0.63 |",
        "| rnncast | 9.9 |",
        "| fingerprint of the data | 0123456789abcdef |",
        "    rnncast forecast m.npz",
    ):
        assert line in text.splitlines()


def test_sentence_says_what_it_is(model):
    own = fingerprint(model)
    assert f"forecasts `close` 3 steps ahead, with intervals of 80 % and 95 %. Its fingerprint is `{own}`." in markdown(
        model
    )


def test_text_has_a_line_for_each_row(model):
    lines = card_lines(with_record(model), "m.npz", ORIGIN)
    labels = [label for label, _ in lines]
    start = labels.index("folds")
    assert labels[start : start + 5] == ["folds", "", "", "", "gate"]
    assert lines[start + 1][1].split() == ["early", "stopping", "2020-03-01", "2020-03-02", "2020-04-01", "1,200"]
    assert lines[start + 3][1] == RECORD["fallback"]
    assert lines[-1] == ("versions", "python 3.12.1, numpy 2.3.2, numba 0.63")
    assert dict(lines)["fingerprint"] == fingerprint(model)


def test_json_has_the_fingerprint_and_the_record(model):
    document = card_document(with_record(model), "m.npz", ORIGIN)
    assert document["fingerprint"] == fingerprint(model)
    assert document["record"]["gate"] == RECORD["gate"]


def tokens_of(text):
    """Tokens of an independent parser (markdown-it, which rich brings along), those inside of lines too."""
    parser = MarkdownIt("commonmark").enable("table")
    for token in parser.parse(text):
        yield token
        yield from token.children or ()


HOSTILE = ["a|b", "`x`", "``", "<script>", "| --- |", "[x](javascript:y)", "![x](y)", " ", "@all", "\\|", "`|`", "&lt;",
           "# x", "*x*", "\\"]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_names(model, name):
    record = {**RECORD, "gate": [{**RECORD["gate"][0], "group": name, "baseline": name}], "fallback": name}
    hostile = replace(model, record={**model.record, **record}, columns=Columns(name, name, name))
    tokens = list(tokens_of(markdown(hostile, path=name)))
    kinds = [token.type for token in tokens]
    assert not {"html_inline", "html_block", "link_open", "image", "em_open", "fence"} & set(kinds)
    assert (kinds.count("heading_open"), kinds.count("table_open")) == (8, 7)
    cells = tokens[kinds.index("heading_open") :]
    group = next(i for i, token in enumerate(cells) if token.type == "inline" and token.content == "group")
    row = [token.content for token in cells[group:] if token.type == "inline"][9:18]
    assert row[2:] == ["0.25", "1.050", "1.000", "0.988", "-", "5", "40"]
    codes = [token.content for token in tokens if token.type == "code_inline"]
    assert name in codes


def test_names_of_several_lines_stay_on_one(model):
    record = {**RECORD, "gate": [{**RECORD["gate"][0], "group": "a\nb"}]}
    text = markdown(
        replace(model, record={**model.record, **record}, columns=Columns("t", "i", "x\n# y")), path="p\n\nq"
    )
    assert [token.content for token in tokens_of(text) if token.type == "code_inline"][:2] == ["p  q", "x # y"]
    assert len(sections(text)) == 8


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=30))
def test_code_and_prose_say_what_they_are_given(text):
    (own,) = [token.content for token in tokens_of(f"x {code(text)} y") if token.type == "code_inline"]
    assert own == text
    inner = list(tokens_of(f"x {prose(text)} y"))[2:-1]
    assert {token.type for token in inner} <= {"text", "text_special"}
    assert "".join(token.content for token in inner) == f"x {' '.join(text.split())} y"


def test_table_is_aligned_as_the_text_is():
    table = TextTable(("a", "b"), (("x|y", "1"),), (False, True))
    assert table_lines(table, names=1) == ["| a | b |", "| --- | ---: |", "| `x\\|y` | 1 |"]
