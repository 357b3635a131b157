"""stdout holds data and nothing else, `-` stands for a stream, colours and widths belong to terminals."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from cli_cases import QUICK, call
from stream_cases import PROGRAM, environment, on_terminal, run

from rnncast.cli.color import choice_in
from rnncast.data.text import display_width

needs_full_device = pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
ESCAPE = "\x1b"

OUTPUTS = {
    "version": "--version",
    "help": "--help",
    "help of a command": "train --help",
    "csv": "forecast prices.npz --format csv",
    "json": "forecast prices.npz --format json",
    "ndjson": "forecast prices.npz --format ndjson",
    "parquet": "forecast prices.npz --format parquet",
    "table": "forecast prices.npz --format table",
    "document": "forecast prices.npz --json",
    "scores": "evaluate prices.npz prices.csv",
    "scores as csv": "evaluate prices.npz prices.csv --format csv",
    "scores as json": "evaluate prices.npz prices.csv --json",
    "card": "inspect prices.npz",
    "card as markdown": "inspect prices.npz --format markdown",
    "card as json": "inspect prices.npz --json",
    "data": "inspect prices.csv",
    "data as ndjson": "inspect prices.csv --format ndjson",
    "model": f"train prices.csv -o - {' '.join(QUICK)}",
}
"""Commands that write to stdout, each in a form of its own."""

LIGHT = ("version", "help of a command", "csv", "parquet", "table", "scores", "card", "model")
"""Of those, one for each way in which bytes reach stdout: processes of their own take time."""


@pytest.fixture(autouse=True)
def here(trained_folder, monkeypatch):
    """The shared folder as the current one, and an environment without wishes."""
    monkeypatch.chdir(trained_folder)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return trained_folder


@pytest.fixture(scope="module")
def processes(trained_folder):
    """What each of the LIGHT commands writes in a process of its own: exit code and streams, stdout being a pipe."""

    def one(name):
        return run(*OUTPUTS[name].split(), cwd=trained_folder)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(LIGHT, pool.map(one, LIGHT), strict=True))


# ---- pipes and files


@pytest.mark.parametrize("name", LIGHT)
def test_a_file_gets_the_bytes_of_the_pipe(name, processes, tmp_path):
    piped = processes[name]
    assert piped.returncode == 0, piped.stderr
    assert piped.stdout
    assert ESCAPE.encode() not in piped.stdout + piped.stderr or name in ("parquet", "model")
    with open(tmp_path / "out", "wb") as file:
        assert run(*OUTPUTS[name].split(), stdout=file, stderr=subprocess.DEVNULL).returncode == 0
    assert (tmp_path / "out").read_bytes() == piped.stdout


@pytest.mark.parametrize("name", [name for name in OUTPUTS if name not in ("parquet", "model")])
def test_text_off_a_terminal_is_plain_whatever_the_terminal_would_be(name, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    plain = call(*OUTPUTS[name].split())
    monkeypatch.setenv("COLUMNS", "30")
    got = call(*OUTPUTS[name].split())
    assert plain.code == got.code == 0
    assert ESCAPE not in plain.out + plain.err
    assert (got.out, got.err) == (plain.out, plain.err) or "help" in name


@pytest.mark.parametrize("name", [name for name in OUTPUTS if not re.match("parquet|model|version|help", name)])
def test_quiet_leaves_nothing_on_stderr_and_all_on_stdout(name):
    got = call(*OUTPUTS[name].split(), "-q")
    assert (got.code, got.err) == (0, "")
    assert got.out == call(*OUTPUTS[name].split()).out


# ---- a reader that goes away, a full disk, streams that are closed


@pytest.mark.parametrize("name", LIGHT)
def test_a_reader_that_goes_away_ends_it_with_141_and_no_word(name):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        alone = run(*OUTPUTS[name].split(), stdout=writer)
        both = alone
        if name in ("csv", "scores", "table"):  # 2>&1 | head: stderr is the same pipe
            both = run(*OUTPUTS[name].split(), stdout=writer, stderr=writer)
    finally:
        os.close(writer)
    assert (alone.returncode, both.returncode) == (141, 141)
    assert [line for line in alone.stderr.splitlines() if b"error" in line or b"Exception" in line] == []


@needs_full_device
@pytest.mark.parametrize("name", LIGHT)
def test_a_full_disk_is_74_and_one_line(name):
    with open("/dev/full", "w") as full:
        got = run(*OUTPUTS[name].split(), stdout=full)
    errors = [line for line in got.stderr.decode().splitlines() if not line.startswith("  fix: ")]
    assert got.returncode == 74
    assert "No space left on device" in errors[-1]
    assert [line for line in errors if line.startswith("error: ")] == errors[-1:]


@needs_full_device
@pytest.mark.parametrize("form", ["csv", "json", "ndjson", "parquet", "table"])
def test_a_full_disk_behind_a_name(form):
    got = call("forecast", "prices.npz", "-o", "/dev/full", "--format", form)
    assert (got.code, got.out) == (74, "")
    assert "No space left on device" in got.err


def test_a_file_that_may_not_grow_leaves_the_old_one(tmp_path):
    path = tmp_path / "forecast.csv"
    path.write_text("old\n")
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); {MAIN}"
    got = subprocess.run(
        [PROGRAM[0], "-c", limited, "forecast", "prices.npz", "-o", path, "--format", "json"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=120,
    )
    assert got.returncode == 74, got.stderr
    assert "File too large" in got.stderr
    assert path.read_text() == "old\n"
    assert os.listdir(tmp_path) == ["forecast.csv"]


MAIN = "import sys; from rnncast.cli.main import main; sys.exit(main())"

CLOSED = {
    "stdout": ("forecast prices.npz", ">&-", 74, "error: stdout is closed"),
    "stdout, bytes": ("forecast prices.npz --format parquet", ">&-", 74, "error: stdout is closed"),
    "stdout, version": ("--version", ">&-", 74, "error: stdout is closed"),
    "stdin": ("forecast prices.npz -", "<&-", 66, "error: standard input is closed"),
    "stdin, unused": ("forecast prices.npz", "<&-", 0, ""),
    "stdout, to be read": ("--version", "1</dev/null", 74, "error: reading or writing failed: Bad file descriptor"),
    "stderr": ("forecast prices.npz nothing.csv", "2>&-", 66, ""),
    "all": ("forecast prices.npz", "<&- >&- 2>&-", 74, ""),
    "all, unused": ("forecast prices.npz -o {out}", "<&- >&- 2>&-", 0, ""),
}


@pytest.mark.parametrize(("command", "closing", "code", "expected"), CLOSED.values(), ids=CLOSED)
def test_closed_streams(command, closing, code, expected, tmp_path):
    words = f'"$0" -m rnncast {command.format(out=tmp_path / "x.csv")} {closing}'
    shell = ["sh", "-c", words, PROGRAM[0]]
    got = subprocess.run(shell, capture_output=True, text=True, env=environment(), timeout=120)
    assert got.returncode == code, got.stderr
    assert got.stderr.startswith(expected) if expected else got.stderr == ""
    if "{out}" in command:
        assert (tmp_path / "x.csv").read_text() == call("forecast", "prices.npz").out


# ---- `-`


def test_a_model_goes_through_pipes(processes):
    model = processes["model"].stdout
    kept, fresh = call("forecast", "-", stdin=model), call("forecast", "-", "prices.csv", stdin=model)
    assert (kept.code, fresh.code) == (0, 0), kept.err + fresh.err
    piped = call("forecast", "prices.npz", "-", stdin=Path("prices.csv").read_bytes())
    assert piped.out == call("forecast", "prices.npz", "prices.csv").out
    assert kept.out.splitlines()[0] == piped.out.splitlines()[0]


def test_a_model_on_stdout_is_the_file(processes, tmp_path):
    assert call("train", "prices.csv", *QUICK, "-q", "-o", tmp_path / "m.npz").code == 0
    assert processes["model"].stdout == (tmp_path / "m.npz").read_bytes()


@pytest.mark.parametrize(
    "command", ["inspect {}", "inspect {} --json", "evaluate {} prices.csv", "forecast {} prices.csv"]
)
def test_a_model_on_stdin_is_that_of_the_file(command):
    named = call(*command.format("prices.npz").split())
    piped = call(*command.format("-").split(), stdin=Path("prices.npz").read_bytes())
    assert named.code == piped.code == 0
    assert re.sub(r"prices\.npz", "-", named.out) == re.sub(r"(model +)-", r"\1-", piped.out)


@pytest.mark.parametrize(
    "command", ["inspect {} --format csv", "inspect {} --format ndjson", "evaluate {} --format csv"]
)
def test_data_on_stdin_are_those_of_the_file(command):
    quick = QUICK if command.startswith("evaluate") else ()
    named = call(*command.format("prices.csv").split(), *quick)
    piped = call(*command.format("-").split(), *quick, stdin=Path("prices.csv").read_bytes())
    assert named.code == piped.code == 0
    assert named.out == piped.out


def test_a_model_can_be_a_named_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit((tmp_path / "pipe").write_bytes, Path("prices.npz").read_bytes())
        got = call("forecast", tmp_path / "pipe")
        writing.result(60)
    assert (got.code, got.out) == (0, call("forecast", "prices.npz").out), got.err


REFUSED = {
    "model and data": ("forecast - -", "stdin (-) is named twice"),
    "model and data of a backtest": ("evaluate - -", "stdin (-) is named twice"),
    "data beside data": ("train prices.csv -", "stdin (-) cannot be read beside other inputs"),
    "data twice": ("train - -", "stdin (-) is named twice"),
    "model to go on from, and data": ("train - --from - -o x.npz", "stdin (-) is named twice"),
    "an interruption of what is not kept": ("train prices.csv -o - --resume", "--resume has no effect"),
    "data twice, seen": ("inspect - -", "stdin (-) cannot be read beside other inputs"),
    "ledger": ("evaluate --forecasts - prices.csv", "--forecasts needs a file"),
    "ledger to write": ("forecast prices.npz --append -", "--append needs a file"),
    "forecasts": ("evaluate prices.csv --save-forecasts -", "--save-forecasts needs a file"),
    "checkpoint": ("evaluate prices.csv --checkpoint -", "--checkpoint needs a file"),
    "holidays": ("train - --holidays -", "--holidays needs a file"),
    "two documents": ("train prices.csv -o - --json", "--json and -o - both write to stdout"),
}


@pytest.mark.parametrize(("command", "expected"), REFUSED.values(), ids=REFUSED)
def test_a_stream_where_there_can_be_none_is_refused(command, expected):
    got = call(*command.split(), stdin=Path("prices.csv").read_bytes())
    assert (got.code, got.out) == (2, "")
    assert expected in got.err
    assert not Path("-").exists()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "nothing came, expected a model"),
        (b"date,close\n", "this is not a model"),
        (b"PK\x03\x04" * 99, "damaged"),
    ],
    ids=["empty", "data", "damaged"],
)
def test_what_is_no_model_on_stdin_is_refused(content, expected):
    got = call("forecast", "-", stdin=content)
    assert (got.code, got.out) == (65, "")
    assert expected in got.err
    assert "  where: stdin\n" in got.err


def test_a_file_called_dash_is_named_by_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = Path(__file__).parent / "fixtures" / "model_format_1.npz"
    assert call("forecast", model, "-o", "./-").code == 0
    assert Path("-").read_text() == call("forecast", model, "-o", "-").out == call("forecast", model).out


# ---- the form of the output


@pytest.mark.parametrize("ending", [".csv", ".json", ".ndjson", ".jsonl", ".parquet", ".pq", "", ".CSV"])
def test_the_ending_decides(ending, tmp_path):
    path = tmp_path / f"out{ending}"
    assert call("forecast", "prices.npz", "-o", path).code == 0
    stamps = [row["date"] for row in csv.DictReader(io.StringIO(call("forecast", "prices.npz").out))]
    readers = {
        ".csv": lambda: [row["date"] for row in csv.DictReader(path.read_text().splitlines())],
        ".json": lambda: [row["date"] for row in json.loads(path.read_text())],
        ".ndjson": lambda: [json.loads(line)["date"] for line in path.read_text().splitlines()],
        ".parquet": lambda: [f"{stamp:%Y-%m-%d}" for stamp in pq.ParquetFile(path).read()["date"].to_pylist()],
    }
    same = {".jsonl": ".ndjson", ".pq": ".parquet", "": ".csv", ".CSV": ".csv"}
    assert readers[same.get(ending, ending)]() == stamps


@pytest.mark.parametrize("command", ["forecast prices.npz -o x.xlsx", "evaluate prices.csv --save-forecasts x.xlsx"])
def test_an_unknown_ending_is_refused_before_any_work(command):
    got = call(*command.split())
    assert (got.code, got.out) == (2, "")
    assert "no format has the ending '.xlsx'" in got.err
    assert not Path("x.xlsx").exists()


def test_a_file_and_the_document_of_it(tmp_path):
    got = call("forecast", "prices.npz", "-o", tmp_path / "x.csv", "--json", "--level", "90")
    document = json.loads(got.out)
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
    assert document["output"] == str(tmp_path / "x.csv")
    assert [{name: str(cell) for name, cell in row.items()} for row in document["rows"]] == rows
    assert document["notes"] == [f"wrote 5 rows to {tmp_path / 'x.csv'}"] == got.err.splitlines()


@pytest.mark.parametrize("command", ["forecast prices.npz --format parquet", "train prices.csv -o -"])
def test_bytes_are_kept_from_a_terminal(command):
    got = call(*command.split(), terminal=True)
    assert (got.code, got.out) == (2, "")
    assert "is not for a terminal" in got.err


# ---- terminals

SHOWN = {
    "table": ("forecast prices.npz", 0),
    "scores": ("evaluate prices.npz prices.csv", 0),
    "card": ("inspect prices.npz", 0),
    "data": ("inspect prices.csv", 0),
    "training": (f"train prices.csv -o {{out}} {' '.join(QUICK)}", 0),
    "error": ("forecast nothing.npz", 66),
}


@pytest.mark.parametrize(("command", "code"), SHOWN.values(), ids=SHOWN)
def test_a_terminal_of_80_columns_is_never_overrun(command, code, tmp_path):
    words = command.format(out=tmp_path / "m.npz").split()
    status, got = on_terminal(words, 80, variables={"NO_COLOR": "1", "TERM": "dumb"})
    assert status == code, got
    assert got
    assert ESCAPE not in got
    long = [line for line in got.splitlines() if display_width(line) > 80]
    whole = ("next: ", "next  ")  # commands, which are to be copied
    assert [line for line in long if not line.startswith(whole)] == []


def test_colours_and_the_bar_are_for_terminals_that_can(tmp_path):
    train = ["train", "prices.csv", "-o", tmp_path / "m.npz", *QUICK]
    status, got = on_terminal(train, 80)
    assert status == 0, got
    assert f"{ESCAPE}[?25l" in got and f"{ESCAPE}[?25h" in got  # the bar hides the cursor, and shows it again
    status, got = on_terminal([*train, "--color", "never"], 80)
    assert not re.search(r"\x1b\[[0-9;]+m", got.replace(f"{ESCAPE}[0m", ""))
    status, got = on_terminal(["forecast", "nothing.npz"], 80)
    assert got.startswith(f"{ESCAPE}[1;31merror:{ESCAPE}[0m there is no model")


def test_stderr_that_is_a_terminal_has_its_own_width(tmp_path):
    status, got = on_terminal(["evaluate", "prices.npz", "prices.csv"], 40, output=False, variables={"TERM": "dumb"})
    assert status == 0
    assert max(map(len, got.splitlines())) <= 40


COLORED = {
    "a terminal": ({}, (), True, True),
    "a pipe": ({}, (), False, False),
    "NO_COLOR": ({"NO_COLOR": "1"}, (), True, False),
    "NO_COLOR without a value": ({"NO_COLOR": ""}, (), True, True),
    "FORCE_COLOR": ({"FORCE_COLOR": "1"}, (), False, True),
    "FORCE_COLOR without a value": ({"FORCE_COLOR": ""}, (), False, False),
    "both": ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, (), True, False),
    "dumb": ({"TERM": "dumb"}, (), True, False),
    "dumb and FORCE_COLOR": ({"TERM": "dumb", "FORCE_COLOR": "1"}, (), True, True),
    "never": ({"FORCE_COLOR": "1"}, ("--color", "never"), True, False),
    "always": ({"NO_COLOR": "1", "TERM": "dumb"}, ("--color=always",), False, True),
    "auto": ({"FORCE_COLOR": "1"}, ("--color", "auto"), False, True),
    "auto on a terminal": ({"NO_COLOR": "1"}, ("--color", "auto"), True, False),
}


@pytest.mark.parametrize(("variables", "words", "terminal", "expected"), COLORED.values(), ids=COLORED)
def test_who_decides_on_colours(variables, words, terminal, expected, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    table = call("forecast", "prices.npz", "--format", "table", *words, terminal=terminal)
    assert table.code == 0
    assert (ESCAPE in table.out) is expected
    for form in ("csv", "json", "ndjson"):
        assert ESCAPE not in call("forecast", "prices.npz", "--format", form, *words, terminal=terminal).out
    if not terminal:  # stderr never is one in this process
        assert (ESCAPE in call("forecast", "nothing.npz", *words).err) is expected


@pytest.mark.parametrize("command", ["train", "forecast", "evaluate", "inspect"])
def test_every_command_colours_its_errors_on_demand(command):
    for words in ((command, "--color", "always", "--nonsense"), (command, "nothing.npz", "--color=always")):
        got = call(*words)
        assert got.code in (2, 66)
        assert got.err.startswith(f"{ESCAPE}[1;31merror:{ESCAPE}[0m ")
        assert ESCAPE not in call(*words, "--json").err


def test_a_colour_that_there_is_not():
    got = call("forecast", "prices.npz", "--color", "pink")
    assert got.code == 2
    assert "'pink' is not one of 'auto', 'always', 'never'" in got.err


def test_a_file_gets_no_colours(tmp_path, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert call("forecast", "prices.npz", "-o", tmp_path / "x.txt", "--format", "table").code == 0
    assert ESCAPE not in (tmp_path / "x.txt").read_text()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--color", "never"], "never"),
        (["--color=always", "--color", "never"], "never"),
        (["--", "--color", "never"], None),
        (["--color"], None),
        (["--color", "pink"], None),
        (["--colour=never"], None),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else str(words),
)
def test_choice_of_a_command_line(words, expected):
    assert choice_in(words) == expected
