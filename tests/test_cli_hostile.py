"""Names that would be markup, control sequences, formulas, options: data hold them as they are, a person sees them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cli_cases import QUICK, call, weekdays
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncast.cli.inputs import option_word, shell_word
from rnncast.data.write import write_table

IDS = {
    "markup": "[close]",
    "end of markup": "[/red]",
    "escape code": "\x1b[31mred\x1b[0m",
    "escape code of one byte": "\x9b31m",
    "title of a terminal": "\x1b]0;pwned\x07",
    "line break": "a\nerror: b",
    "carriage return": "a\rb",
    "tab": "a\tb",
    "NUL": "a\0b",
    "delete": "a\x7f\x08b",
    "direction": "\u202eevil\u2066",
    "without a shape": "zero\u200bwidth\ufeff",
    "line separator": "a\u2028b\u0085c",
    "formula": "=cmd|' /C calc'!A0",
    "another formula": "+1+1",
    "yet another": "@SUM(1)",
    "quotes": "a\"b'c,d;e",
    "wide": "株価",
    "emoji": "👩\u200d👩 😀",
    "option": "--help",
    "dash": "-",
    "template": "{0} %s ${HOME} $(id) `id`",
    "long": "x" * 300,
    "backslash": r"a\x1b[31m\n",
}
COLUMNS = ("[bold]id\x1b[1m", "=date\u202e", "[/close]\n2")
ACTS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u200b\u200d\u2066\ufeff]")
"""Characters that must not reach a terminal; a line feed is the one that may."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder with hostile.parquet, a series for each of the IDS, and the model of it."""
    folder = tmp_path_factory.mktemp("hostile")
    rng = np.random.default_rng(11)
    prices = np.concatenate([100 * np.exp(np.cumsum(0.01 * rng.standard_normal(60))) for _ in IDS])
    ids = [name for name in IDS.values() for _ in range(60)]
    table = pa.table(dict(zip(COLUMNS, (ids, weekdays(60) * len(IDS), prices), strict=True)))
    pq.write_table(table, folder / "hostile.parquet")
    rows = zip(ids, weekdays(60) * len(IDS), map(repr, prices.tolist()), strict=True)
    with open(folder / "hostile.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *(row for row in rows if "\0" not in row[0])])  # no NUL in CSV
    got = call("train", folder / "hostile.parquet", *QUICK, "-o", folder / "hostile.npz", "--until", "2020-03-10")
    assert got.code == 0, got.err
    assert not ACTS.search(got.err)
    assert r"id column '[bold]id\x1b[1m', target '[/close]\n2'" in got.err
    return folder


@pytest.fixture(autouse=True)
def here(hostile, monkeypatch):
    """That folder as the current one."""
    monkeypatch.chdir(hostile)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    return hostile


# ---- data: as they are


def read_back(form: str) -> list[dict[str, object]]:
    """Rows of a forecast written to a file and read by another program."""
    path = Path(f"out.{form}")
    assert call("forecast", "hostile.npz", "-o", path).code == 0
    if form == "parquet":
        return pq.ParquetFile(path).read().to_pylist()
    text = path.read_bytes().decode("utf-8")
    if form == "csv":
        return list(csv.DictReader(io.StringIO(text, newline="")))
    return json.loads(text) if form == "json" else [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("form", ["csv", "json", "ndjson", "parquet"])
def test_data_hold_names_as_they_are(form):
    rows = read_back(form)
    assert list(rows[0])[:2] == list(COLUMNS[:2])
    assert [row[COLUMNS[0]] for row in rows] == [name for name in IDS.values() for _ in range(5)]


def test_a_csv_file_is_read_back_by_the_program_itself():
    """Names that a forecast has written stand in its own input again: out of CSV, and out of a ledger."""
    got = call("inspect", "hostile.csv", "--format", "csv")
    assert got.code == 0, got.err
    assert [row["id"] for row in csv.DictReader(io.StringIO(got.out, newline=""))] == [
        name for name in IDS.values() if "\0" not in name
    ]


@pytest.mark.parametrize("ledger", ["ledger.csv", "ledger.parquet"])
def test_a_ledger_finds_its_series_again(ledger, tmp_path):
    source = "hostile.parquet" if ledger.endswith("parquet") else "hostile.csv"
    path = tmp_path / ledger
    issue = ("forecast", "hostile.npz", source, "--until", "2020-03-17", "--append", path, "-q")
    assert call(*issue).code == 0, call(*issue).err
    got = call("evaluate", "--forecasts", path, source, "--json")
    assert got.code == 0, got.err
    document = json.loads(got.out)
    expected = [name for name in IDS.values() if source.endswith("parquet") or "\0" not in name]
    assert document["counts"]["scored"] == 5 * len(expected)
    assert [series["id"] for series in document["evidence"]["each_series"]["series"]] == expected


def test_documents_hold_names_as_they_are():
    for command in (
        "inspect hostile.npz",
        "inspect hostile.parquet",
        "evaluate hostile.npz hostile.parquet",
        "forecast hostile.npz",
    ):
        got = call(*command.split(), "--json")
        assert got.code == 0, got.err
        assert not ACTS.search(got.out)
        columns = json.loads(got.out)["columns"]
        assert (columns["id"], columns["time"]) == COLUMNS[:2]
    document = json.loads(call("inspect", "hostile.parquet", "--json").out)
    assert [series["id"] for series in document["per_series"]] == list(IDS.values())


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@settings(max_examples=120, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=5), NAMES.filter(lambda name: name != "x"))
def test_any_name_comes_back_out_of_every_form(names, column):
    table = {column: np.array(names, dtype=object), "x": np.arange(len(names)) / 7}
    for form in ("csv", "json", "ndjson", "parquet"):
        stream = io.BytesIO()
        write_table(table, None, form, stream)
        if form == "parquet":
            got = pq.ParquetFile(pa.BufferReader(stream.getvalue())).read()
            assert got.column_names == [column, "x"]
            assert got[column].to_pylist() == names
            continue
        text = stream.getvalue().decode("utf-8")
        if form == "csv":
            header, *rows = csv.reader(io.StringIO(text, newline=""))
            assert (header, [row[0] for row in rows]) == ([column, "x"], names)
        else:
            rows = json.loads(text) if form == "json" else [json.loads(line) for line in text.splitlines()]
            assert [row[column] for row in rows] == names


# ---- a person: shown, and nothing acts

SHOWN = {
    "table": "forecast hostile.npz --format table",
    "card": "inspect hostile.npz",
    "card as markdown": "inspect hostile.npz --format markdown",
    "data": "inspect hostile.parquet",
    "scores": "evaluate hostile.npz hostile.parquet",
    "csv": "forecast hostile.npz --format csv",
    "json": "forecast hostile.npz --format json",
    "ndjson": "forecast hostile.npz --format ndjson",
}


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
@pytest.mark.parametrize("name", SHOWN)
def test_nothing_acts_on_a_terminal(name, terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    got = call(*SHOWN[name].split(), terminal=terminal)
    assert got.code == 0, got.err
    assert not ACTS.search(got.err)
    if terminal or name != "csv":  # in a pipe CSV is data
        assert not ACTS.search(got.out)
    if name == "table":
        shown = got.out.replace("\n", " ")
        assert all(text in shown for text in ("[close]", "[/red]", r"\x1b[31mred", r"\u202eevil", "株価", "=cmd|"))


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_columns_line_up_beside_wide_and_long_names(width, monkeypatch):
    from rnncast.data.text import display_width

    monkeypatch.setenv("COLUMNS", f"{width}")
    got = call("forecast", "hostile.npz", terminal=True)
    assert got.code == 0
    rules = [line for line in got.out.splitlines() if line.startswith("─")]
    assert rules
    for row in (line for line in got.out.splitlines() if re.search(r"\d+\.\d+$", line)):
        assert display_width(row) in {len(rule) for rule in rules}


SPOOFS = ("x\nerror: all is well", "\x1b[2J\x1b[31m", "\u202e\u2066", "a\rb", "[/red]", "x" * 250)


@pytest.mark.parametrize("name", SPOOFS, ids=ascii)
@pytest.mark.parametrize(
    "command",
    [
        ["train", "{}.csv"],
        ["forecast", "{}.npz"],
        ["forecast", "hostile.npz", "{}"],
        ["forecast", "hostile.npz", "-o", "nowhere/{}.csv"],
        ["forecast", "hostile.npz", "-o", "{}.[x]"],
        ["forecast", "hostile.npz", "--quantiles", "{}"],
        ["forecast", "hostile.npz", "--format", "{}"],
        ["forecast", "hostile.npz", "--append", "{}"],
        ["train", "hostile.csv", "--id-col", "{}"],
        ["train", "hostile.csv", "--freq", "{}"],
        ["train", "hostile.csv", "--time-zone", "{}"],
        ["train", "hostile.csv", "--until", "{}"],
        ["train", "hostile.csv", "--sep", "{}"],
        ["train", "hostile.csv", "--holidays", "{}"],
        ["train", "hostile.csv", "--{}"],
        ["evaluate", "--forecasts", "{}.csv", "hostile.csv"],
        ["evaluate", "hostile.csv", "--refit", "{}"],
        ["inspect", "{}"],
        ["{}"],
    ],
    ids=" ".join,
)
def test_an_error_says_a_hostile_word_in_its_own_line(command, name):
    words = [word.format(name) for word in command]
    got = call(*words)
    assert got.code in (2, 65, 66, 73, 74)
    assert got.out == ""
    assert not ACTS.search(got.err)
    assert [line for line in got.err.splitlines() if not re.match(r"error: |  where: |  fix: |column '", line)] == []
    assert sum(line.startswith("error: ") for line in got.err.splitlines()) == 1
    as_json = call(*words, "--json").err
    assert not ACTS.search(as_json)
    assert json.loads(as_json)["code"] == got.code
    debug = call(*words, "--debug").err
    assert "Traceback" in debug
    assert not ACTS.search(debug)


# ---- names of files

FILES = {
    "no UTF-8": b"\xff\xfe",
    "markup": b"[red]",
    "escape code": b"\x1b[31m",
    "line break": b"a\nb",
    "an option": b"--help",
    "a short option": b"-o",
    "a pattern": b"*",
    "shell": b"$(touch pwned) `id` 'x' \"y\" ;&|",
    "wide": "株価😀".encode(),
    "long": b"x" * 240,
}


@pytest.mark.parametrize("name", FILES.values(), ids=FILES)
def test_a_hostile_file_is_trained_on_and_the_next_command_works(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = os.fsdecode(b"./" + name + b".csv")
    lines = [f"{day},{100 + n % 5}" for n, day in enumerate(weekdays(60))]
    Path(source).write_text("\n".join(["date,close", *lines, ""]))
    got = call("train", source, *QUICK)
    assert got.code == 0, got.err
    assert not ACTS.search(got.err)
    assert sorted(os.listdir(os.fsencode("."))) == sorted([name + b".csv", name + b".npz"])
    document = json.loads(call("train", source, *QUICK, "--json").out)
    assert os.fsencode(document["model"]) == name + b".npz"
    assert document["inputs"] == [source]
    command = got.err.splitlines()[-1].removeprefix("next: rnncast ")
    assert document["next"] == f"rnncast {command}"
    words = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True, cwd=tmp_path
    ).stdout.split(b"\0")[:-1]
    assert call(*map(os.fsdecode, words)).out == call("forecast", f"./{os.fsdecode(name)}.npz").out != ""
    assert not Path("pwned").exists()


def test_series_are_called_after_files_of_any_name(tmp_path):
    for name in (b"\xff.csv", b"\x1b[31m\n.csv", b"ok.csv"):
        lines = [f"{day},{100 + n % 5}" for n, day in enumerate(weekdays(60))]
        Path(os.fsdecode(os.fsencode(tmp_path / "d") + b"/" + name)).parent.mkdir(exist_ok=True)
        Path(os.fsdecode(os.fsencode(tmp_path / "d") + b"/" + name)).write_text("\n".join(["date,close", *lines]))
    assert call("train", tmp_path / "d", *QUICK, "-q", "-o", tmp_path / "d.npz").code == 0
    for form in ("csv", "parquet", "ndjson"):
        got = call("forecast", tmp_path / "d.npz", "-o", tmp_path / f"x.{form}")
        assert got.code == 0, got.err
    ids = pq.ParquetFile(tmp_path / "x.parquet").read()["unique_id"].to_pylist()
    assert ids[::5] == ["\x1b[31m\n", "ok", r"\xff"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8), max_size=4))
def test_words_of_a_command_to_be_copied(words):
    line = " ".join(map(option_word, words))
    assert line.isprintable()
    if all(word.isprintable() for word in words):
        assert shlex.split(line) == words


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.csv", "a.csv"),
        ("-o", "./-o"),
        ("-", "-"),
        ("a b", "'a b'"),
        ("a\nb'", r"$'a\012b\047'"),
        ("-\t", r"$'./-\011'"),
    ],
    ids=ascii,
)
def test_a_file_as_a_word(path, expected):
    assert shell_word(path) == expected
