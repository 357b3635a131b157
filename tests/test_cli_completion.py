"""Completion in the shell: the scripts know every command and option, and the shells that are here use them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
from cli_cases import call

from rnncast.cli.commands import app

PROGRAM: Any = typer.main.get_command(app)
COMMANDS: dict[str, Any] = PROGRAM.commands
SHELLS = ["bash", "zsh", "fish"]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("scripts")
    for shell in SHELLS:
        got = call("--completion", shell)
        assert (got.code, got.err) == (0, "")
        (folder / shell).write_text(got.out, encoding="utf-8")
    return {shell: folder / shell for shell in SHELLS}


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with a model, a file of data with a blank in its name, and a folder."""
    for name in ("m.npz", "my data.csv"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    return tmp_path


def run(shell: str, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"there is no {shell} here")
    return subprocess.run([path, *arguments], capture_output=True, text=True, timeout=60, check=False, **more)


def words_of(command: Any) -> set[str]:
    options = [one for one in command.params if one.param_type_name == "option"]
    return {word for one in options for word in (*one.opts, *one.secondary_opts)} | {"--help", "-h"}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_script_names_every_command_and_option(shell, name, scripts):
    text = scripts[shell].read_text(encoding="utf-8")
    command = COMMANDS[name] if name else PROGRAM
    if shell == "bash":
        line = re.search(rf"^ *'{name}'\) words=\('-.*$", text, re.MULTILINE)
        assert line is not None
        got = set(re.findall(r"'(-[^']*)'", line[0]))
    elif shell == "zsh":
        part = text.split(f"        {name})\n")[1] if name else text
        got = set(re.findall(r"^ +'\*?(-[\w-]+)[=+]?\[", part.split(";;")[0].split("case")[0], re.MULTILINE))
    else:
        runs = f"__rnncast_runs {name}" if name else '__rnncast_runs ""'
        lines = re.findall(rf"^complete -c rnncast -n '{runs}' (.*) -d ", text, re.MULTILINE)
        got = {f"--{word}" for line in lines for word in re.findall(r"-l ([\w-]+)", line)}
        got |= {f"-{word}" for line in lines for word in re.findall(r"-s (\w)", line)}
    assert got == words_of(command)
    assert not name or COMMANDS[name].short_help in text or shell == "bash"


@pytest.mark.parametrize("shell", SHELLS)
def test_script_is_sound(shell, scripts):
    done = run(shell, "-n", str(scripts[shell]))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def completed_by_bash(script: Path, words: list[str], folder: Path) -> list[str]:
    code = 'set -u; source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rnncast 2>/dev/null\n'
    code += 'printf "%s\\n" ${COMPREPLY[@]+"${COMPREPLY[@]}"}'
    return run("bash", "--norc", "-c", code, "bash", str(script), *words, cwd=folder).stdout.split("\n")[:-1]


FILES = ["m.npz", "my data.csv", "sub"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([""], [*COMMANDS]),
        (["tr"], ["train"]),
        (["--comp"], ["--completion"]),
        (["--completion", ""], SHELLS),
        (["train", "--ce"], ["--cell"]),
        (["train", "--cell", ""], ["rnn", "gru", "lstm"]),
        (["train", "--cell", "g"], ["gru"]),
        (["train", "--cell", "="], ["rnn", "gru", "lstm"]),
        (["train", "--cell", "=", "g"], ["gru"]),
        (["evaluate", "--preset", ""], ["fast", "default", "best"]),
        (["train", "--thousands", ""], [",", ".", "\\'", "space", "none"]),
        (["train", "--horizon", ""], [""]),
        (["train", ""], FILES),
        (["train", "-o", ""], FILES),
        (["train", "--output", "m"], FILES[:2]),
        (["forecast", ""], ["m.npz", "sub"]),
        (["forecast", "--horizon", "5", ""], ["m.npz", "sub"]),
        (["forecast", "--horizon", "=", "5", ""], ["m.npz", "sub"]),
        (["forecast", "-q", ""], ["m.npz", "sub"]),
        (["forecast", "m.npz", ""], FILES),
        (["evaluate", "--refit", ""], ["never", "always"]),
        (["--debug", "evaluate", "--re"], ["--refit"]),
        (["xyzzy", ""], [""]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bash_completes(words, expected, scripts, folder):
    got = completed_by_bash(scripts["bash"], ["rnncast", *words], folder)
    assert (sorted(got) if set(expected) <= set(FILES) else got) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rnncast ", sorted(COMMANDS)),
        ("rnncast train --ce", ["--cell"]),
        ("rnncast train --cell ", ["gru", "lstm", "rnn"]),
        ("rnncast train --cell=g", ["--cell=gru"]),
        ("rnncast evaluate --refit ", ["always", "never"]),
        ("rnncast --debug train --monthf", ["--monthfirst"]),
        ("rnncast train -o my", ["my data.csv"]),
        ("rnncast forecast m", ["m.npz", "my data.csv"]),
        ("rnncast train --horizon ", []),
    ],
)
def test_fish_completes(line, expected, scripts, folder):
    code = f"source {scripts['fish']}; complete -C '{line}'"
    home = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    got = run("fish", "--no-config", "-c", code, cwd=folder, env=home).stdout.splitlines()
    assert [one.split("\t")[0] for one in got] == expected


def test_a_shell_that_there_is_not():
    got = call("--completion", "fihs")
    assert (got.code, got.out) == (2, "")
    assert "did you mean 'fish'?" in got.err
