"""Every exit code of docs/exit-codes.md: its table says what the program's tree says, and a process ends with each."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cli_cases import QUICK
from stream_cases import PATIENCE, PROGRAM, environment, run

from rnncast import errors
from rnncast.cli import boundary
from rnncast.cli.signals import HUNG_UP, INTERRUPTED, TERMINATED
from rnncast.data.locking import locked

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "exit-codes.md").read_text(encoding="utf-8")
ROWS = {
    int(code): (meaning, case) for code, meaning, case in re.findall(r"^\| (\d+) \| (.+?) \| (.*?) ?\|$", PAGE, re.M)
}

ELSEWHERE = {76}
"""Codes that are provoked beside what they are for."""


def test_the_table_has_the_codes_of_the_program_and_no_other():
    tree = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.RnncastError)]
    signals = {boundary.INTERNAL, boundary.CLOSED_PIPE, HUNG_UP, INTERRUPTED, TERMINATED}
    assert set(ROWS) == {0, *(cls.exit_code for cls in tree), *signals}
    assert all(ROWS.values())


def test_the_tree_says_what_its_docstring_says():
    drawn = {name: int(code) for name, code in re.findall(r"(\w+Error) +(\d+)  ", errors.__doc__ or "")}
    tree = {name: cls.exit_code for name, cls in vars(errors).items() if name.endswith("Error")}
    assert drawn == tree


@pytest.fixture(scope="module")
def ended(trained_folder, tmp_path_factory):
    """A process that ended with each code, as (what it was sent in for, the process)."""
    folder = tmp_path_factory.mktemp("codes")
    (folder / "text.csv").write_text("date,close\n2024-01-01,abc\n")
    model, prices = trained_folder / "prices.npz", trained_folder / "prices.csv"
    provoked = {
        0: lambda: run("--version"),
        2: lambda: run("train", prices, "--horizon", "0"),
        65: lambda: run("train", folder / "text.csv", "-o", folder / "x.npz"),
        66: lambda: run("forecast", folder / "nothing.npz"),
        70: lambda: _with_a_fault("inspect", prices),
        73: lambda: run("forecast", model, "-o", folder / "nowhere" / "x.csv"),
        74: lambda: _with_stdout("/dev/full", "forecast", model),
        75: lambda: _while_locked(folder / "ledger.csv", "forecast", model, prices, "--append", folder / "ledger.csv"),
        129: lambda: _signalled(signal.SIGHUP, prices, folder / "129.npz"),
        130: lambda: _signalled(signal.SIGINT, prices, folder / "130.npz"),
        141: lambda: _without_a_reader("forecast", model),
        143: lambda: _signalled(signal.SIGTERM, prices, folder / "143.npz"),
    }
    with ThreadPoolExecutor(2) as pool:
        running = {code: pool.submit(provoke) for code, provoke in provoked.items()}
    return folder, {code: future.result() for code, future in running.items()}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("code", sorted(set(ROWS) - ELSEWHERE))
def test_a_process_ends_with_the_code(code, ended):
    folder, processes = ended
    got = processes[code]
    assert got.returncode == code, got.stderr
    assert b"Traceback" not in got.stderr
    errors = [line for line in got.stderr.decode().splitlines() if line.startswith("error: ")]
    assert len(errors) == (0 if code in (0, 141) else 1)
    assert not list(folder.glob("*.npz")) and not list(folder.glob(".rnncast*"))


def test_the_error_on_the_page_is_what_is_said(tmp_path, monkeypatch):
    shown = re.search(r"^```json\n(.+)\n```$", PAGE, re.M)
    text = re.search(r"((?:^    .+\n)+)", PAGE, re.M)
    assert shown and text
    (tmp_path / "prices.csv").write_text("date,open,close\n2024-01-01,1,2\n2024-01-02,1,3\n")
    monkeypatch.chdir(tmp_path)
    wrong = ("train", "prices.csv", "--target-col", "clse")
    assert run(*wrong).stderr.decode() == re.sub(r"^    ", "", text[1], flags=re.M)
    got = run(*wrong, "--json").stderr.decode()
    assert got.count("\n") == 1
    assert json.loads(got) == json.loads(shown[1])


def _with_a_fault(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    """A process in which a function of the program is broken."""
    code = (
        "import sys; from rnncast.cli.main import main; from rnncast.report.detected import Detected\n"
        "Detected.facts = lambda self: 1 / 0\n"
        "sys.exit(main())"
    )
    command = [PROGRAM[0], "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env=environment(), timeout=PATIENCE)


def _with_stdout(path: str, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    if not os.path.exists(path):
        pytest.skip(f"the system has no {path}")
    with open(path, "wb") as stream:
        return run(*arguments, stdout=stream)


def _without_a_reader(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return run(*arguments, stdout=writer)
    finally:
        os.close(writer)


def _while_locked(path: Path, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    with locked(path):
        return run(*arguments)


def _signalled(number: signal.Signals, prices: Path, model: Path) -> subprocess.CompletedProcess[bytes]:
    """A training that is sent a signal as soon as it has begun."""
    command = [*PROGRAM, "train", str(prices), "-o", str(model), *QUICK, "--max-epochs", "1000000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    assert process.stdout and process.stderr
    guard = threading.Timer(PATIENCE, process.kill)
    guard.start()
    said = b""
    for line in process.stderr:
        said += line
        if b"epoch 1 of" in line:
            process.send_signal(number)
            break
    out, rest = process.communicate()
    guard.cancel()
    return subprocess.CompletedProcess(command, process.returncode, out, said + rest)
