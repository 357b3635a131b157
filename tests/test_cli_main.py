"""The command line as a whole: help, mistyped words, streams."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from cli_cases import call

from rnncast import __version__
from rnncast.cli.commands import app

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def run(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rnncast", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, **more)  # type: ignore[call-overload, no-any-return]


def test_version() -> None:
    got = call("--version")
    assert (got.code, got.out, got.err) == (0, f"rnncast {__version__}\n", "")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(name: str) -> None:
    got = call(name, "--help")
    assert got.code == 0
    assert got.err == ""
    assert f"  rnncast {name} " in got.out.split("Examples:")[1]
    assert "{" not in got.out.splitlines()[0]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_has_help_that_says_its_default(name: str) -> None:
    options = [p for p in COMMANDS[name].params if p.param_type_name == "option" and p.name != "help"]
    assert len(options) >= 3
    without = [p.opts for p in options if not re.fullmatch(r"[A-Z].*\.  \[.+\]|[A-Z].* \.\.\.  \[.+\]", p.help or "")]
    assert without == []


def test_command_line_without_a_word_names_the_commands() -> None:
    got = call()
    assert got.code == 2
    assert got.out == ""
    assert all(name in got.err for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["trian", "x.csv"], "did you mean 'train'?", id="command"),
        pytest.param(["train", "x.csv", "--horizn", "3"], "did you mean --horizon?", id="option"),
        pytest.param(["train", "x.csv", "--cell", "ltsm"], "'lstm'", id="choice"),
        pytest.param(["train", "x.csv", "--horizon", "ten"], "--horizon", id="number"),
        pytest.param(["train", "x.csv", "--horizon", "0"], "--horizon must be at least 1, found 0", id="zero"),
        pytest.param(["train", "x.csv", "--level", "100"], "--level must be at least 1 and below 100", id="level"),
        pytest.param(["train", "x.csv", "--level", "0.9"], "--level 90, in per cent", id="level-as-fraction"),
        pytest.param(["train", "x.csv", "--level", "1e-9"], "as --level 80 --level 95", id="level-of-nothing"),
        pytest.param(["train", "x.csv", "--learning-rate", "0"], "--learning-rate must be above 0", id="rate"),
        pytest.param(["train", "x.csv", "--time-limit", "-1"], "seconds above 0, found -1", id="limit"),
        pytest.param(["train", "x.csv", "--time-limit", "inf"], "leave it out for no limit", id="endless limit"),
        pytest.param(["train", "x.csv", "--threads", "0"], "--threads must be at least 1, found 0", id="threads"),
        pytest.param(["train"], "INPUT", id="nothing-to-train-on"),
        pytest.param(["evaluate", "x.csv", "--refit", "often"], "--refit must be never, always", id="refit"),
        pytest.param(["forecast", "m.npz", "--quantiles", "0.1,5"], "found '5'", id="quantiles"),
    ],
)
def test_faulty_command_line_is_refused_with_a_remedy(arguments: list[str], expected: str) -> None:
    got = call(*arguments)
    assert got.code == 2
    assert got.out == ""
    assert expected in got.err
    assert got.err.startswith("error: ")
    assert len(got.err.splitlines()) <= 6


def test_error_as_json_is_one_object() -> None:
    got = call("train", "no-such-file.csv", "--json")
    assert got.code == 66
    assert got.out == ""
    document = json.loads(got.err)
    assert sorted(document) == ["code", "hint", "message", "schema", "where"]
    assert document["code"] == 66
    assert "no-such-file.csv" in document["message"]


def test_json_of_a_command_line_that_cannot_be_parsed() -> None:
    got = call("inspect", "--json", "--nonsense")
    assert json.loads(got.err)["code"] == got.code == 2


def test_traceback_only_on_demand() -> None:
    assert "Traceback" not in call("train", "no-such-file.csv").err
    assert "Traceback" in call("train", "no-such-file.csv", "--debug").err
    assert "Traceback" in call("--debug", "train", "no-such-file.csv").err


def test_module_and_exit_code_of_a_process() -> None:
    done = run("train", "no-such-file.csv")
    assert done.returncode == 66
    assert done.stdout == ""
    assert done.stderr.startswith("error: there is no file no-such-file.csv")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_full_disk_is_a_storage_error() -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "rnncast", "--version"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 74
    assert "No space left" in done.stderr
    assert len(done.stderr.splitlines()) <= 6


def test_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-m", "rnncast", "train", "--help"]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, cwd=ROOT, timeout=120)
    finally:
        os.close(writer)
    assert done.returncode == 141
    assert done.stderr == ""


@pytest.mark.parametrize(("asked", "named"), [("3", None), ("None", "3"), ("3", "2")])
def test_threads_hold_for_the_reader_too(asked: str, named: str | None) -> None:
    code = (
        f"from rnncast.cli.options import Computing; Computing({asked}).apply()\n"
        "from rnncast.core.threads import threads; from rnncast.data.reading import conversion\n"
        "print(threads(), conversion.threads())"
    )
    environment = {name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS",)}
    environment |= {} if named is None else {"RNNCAST_NUM_THREADS": named}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert ran.stdout.split() == ["3", "3"], ran.stderr
