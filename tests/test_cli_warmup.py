"""``rnncast warmup`` where kernels cannot be kept, and the line that tells of compiling.

What it does where they can is in tests/faults/test_cache.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_cases import call

from rnncast.cli.output import Output
from rnncast.cli.progress import say_compiling
from rnncast.core import compiling


@pytest.fixture(autouse=True)
def no_listener() -> None:
    compiling.tell_of_compiling(None)


def test_no_place_for_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("RNNCAST_CACHE_DIR", str(tmp_path / "file"))
    got = call("warmup")
    assert (got.code, got.out) == (73, "")
    assert got.err == (
        f"error: there is no folder to keep kernels in: {tmp_path / 'file'} cannot be used: Not a directory\n"
        "  fix: RNNCAST_CACHE_DIR names another place\n"
    )
    got = call("warmup", "--json")
    assert (got.code, got.out, json.loads(got.err)["code"]) == (73, "", 73)


@pytest.mark.parametrize(("fault", "expected"), [("EROFS", 73), ("EACCES", 73), ("ENOSPC", 74)])
def test_nothing_is_compiled_that_cannot_be_kept(tmp_path: Path, fault: str, expected: int) -> None:
    code = f"""
import errno, os, sys
from numba.core import event
from rnncast.cli.main import main
real = os.open
def refuse(path, flags, *rest, **more):
    if flags & os.O_CREAT:
        raise OSError(errno.{fault}, os.strerror(errno.{fault}))
    return real(path, flags, *rest, **more)
os.open = refuse
with event.install_recorder("numba:compile") as recorder:
    code = main(["warmup", "-q"])
print(code, len(recorder.buffer), file=sys.stderr)
"""
    environment = {**os.environ, "RNNCAST_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True, timeout=120
    )
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines.pop() == f"{expected} 0"
    assert lines[0].startswith("error: kernels cannot be kept: ")
    assert lines[1].startswith(f"  where: {tmp_path}")
    assert lines[2:] == ["  fix: RNNCAST_CACHE_DIR names another place"]


@pytest.mark.parametrize(
    ("output", "kept", "expected"),
    [
        pytest.param(Output(), True, "compiling the kernels (once, about half a minute) ...\n", id="kept"),
        pytest.param(Output(), False, "compiling the kernels (about half a minute) ...\n", id="not kept"),
        pytest.param(Output(quiet=True), True, "", id="quiet"),
        pytest.param(Output(hold=True), True, "", id="json"),
    ],
)
def test_compiling_is_said_in_one_line(
    output: Output, kept: bool, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    say_compiling(output)
    compiling.compiling(kept)
    compiling.compiling(kept)
    output.release()
    assert capsys.readouterr() == ("", expected)
