"""What a call loads: start-up is part of the tool, and each call pays for what it uses."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call, write_prices

from rnncast.cli import main as entry

PROGRAM = """\
import sys
from rnncast.cli.main import main
code = main()
print("loaded", *sys.modules)
sys.exit(code)
"""
HEAVY = {"typer", "numpy", "pyarrow", "numba", "llvmlite", "pandas", "rich", "pydantic", "scipy"}
PARSED = {"typer"}
COUNTED = PARSED | {"numpy"}
TABLES = COUNTED | {"pyarrow"}
COMPILED = COUNTED | {"numba", "llvmlite"}

# call -> input on stdin, exit code, which of the heavy packages it loads: these, and no others
CALLS = {
    "--version": (None, 0, set()),
    "-V": (None, 0, set()),
    "--debug --version": (None, 0, PARSED),
    "--help": (None, 0, PARSED),
    "train --help": (None, 0, PARSED),
    "--completion bash": (None, 0, PARSED),
    "forecast --help": (None, 0, PARSED),
    "forecats m.npz": (None, 2, PARSED),
    "forecast m.npz --horizn 3": (None, 2, PARSED),
    "forecast m.npz": (None, 0, COUNTED),
    "forecast m.npz prices.csv": (None, 0, COUNTED),
    "forecast m.npz -": ("prices.csv", 0, COUNTED),
    "forecast m.npz gaps.csv": (None, 0, COUNTED),
    "forecast m.npz panel.csv": (None, 0, COUNTED),
    "forecast m.npz -o forecast.csv": (None, 0, COUNTED),
    "forecast m.npz --json": (None, 0, COUNTED),
    "forecast m.npz --format table": (None, 0, COUNTED),
    "forecast m.npz quoted.csv": (None, 0, TABLES),
    "forecast m.npz -o forecast.parquet": (None, 0, TABLES),
    "forecast m.npz --core numba": (None, 0, COMPILED),
    "forecast no-such.npz": (None, 66, COUNTED),
    "forecast m.npz no-such.csv": (None, 66, COUNTED),
    "forecast prices.csv": (None, 65, COUNTED),
    "inspect m.npz": (None, 0, COUNTED),
    "inspect prices.csv": (None, 0, COUNTED),
    "train no-such.csv": (None, 66, COUNTED),
    "warmup": (None, 0, COMPILED),
    "evaluate no-such.csv": (None, 66, COUNTED),
    "evaluate m.npz future.csv": (None, 0, COUNTED),
    f"train prices.csv -o again.npz {' '.join(QUICK)}": (None, 0, COMPILED),
    f"evaluate prices.csv --n-windows 3 {' '.join(QUICK)}": (None, 0, COMPILED),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and small files for it."""
    folder = tmp_path_factory.mktemp("start")
    rows = write_prices(folder / "prices.csv", np.random.default_rng(20240229)).read_text().splitlines()
    texts = {
        "gaps.csv": [rows[0], *(row.split(",")[0] + ",." if n % 7 == 0 else row for n, row in enumerate(rows[1:], 1))],
        "panel.csv": ["id,date,close", *(f"{name},{row}" for name in "AB" for row in rows[1:])],
        "quoted.csv": ["date,close", *('"{}",{}'.format(*row.split(",")) for row in rows[1:])],
    }
    for name, lines in texts.items():
        (folder / name).write_text("\n".join([*lines, ""]))
    write_prices(folder / "future.csv", np.random.default_rng(20240229), rows=200)
    assert call("train", folder / "prices.csv", "-o", folder / "m.npz", *QUICK).code == 0
    return folder


@pytest.mark.parametrize(("words", "stdin", "code", "expected"), [(w, *rest) for w, rest in CALLS.items()], ids=CALLS)
def test_a_call_loads_what_it_uses_and_nothing_else(
    folder: Path, words: str, stdin: str | None, code: int, expected: set[str]
) -> None:
    command = [sys.executable, "-c", PROGRAM, *words.split()]
    text = None if stdin is None else (folder / stdin).read_text()
    done = subprocess.run(command, capture_output=True, text=True, input=text or "", cwd=folder, timeout=300)
    assert done.returncode == code, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "loaded" in loaded
    assert loaded & HEAVY == expected


def test_only_the_process_of_the_program_is_tuned(monkeypatch: pytest.MonkeyPatch) -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    assert call("--version").code == 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, frozen)
    tuned: list[object] = []
    monkeypatch.setattr(entry.gc, "set_threshold", tuned.append)
    monkeypatch.setattr(entry.gc, "freeze", lambda: tuned.append("frozen"))
    monkeypatch.setattr(sys, "argv", ["rnncast", "--version"])
    assert entry.main() == 0
    assert tuned == [entry.COLLECT_EVERY, "frozen"]
