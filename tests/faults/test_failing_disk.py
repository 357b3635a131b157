"""The whole program on a disk that fails, or with a kill, at the k-th call of the system, for every k.

The calls are those of the process itself: a library that is loaded before the system's lets them fail; it is built from
failing_disk.c, where there is a compiler. The full counts of docs/reliability.md:
``python -m pytest -m faults tests/faults/test_failing_disk.py -rP``
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli_cases import QUICK
from crafted_models import MODELS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
KILL = 0
MODEL, ROWS = MODELS / "quantile_lstm.npz", MODELS / "series.csv"

needs_compiler = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs Linux and a C compiler (cc)"
)


@pytest.fixture(scope="session")
def disk(tmp_path_factory) -> Path:
    """The library."""
    library = tmp_path_factory.mktemp("disk") / "failing_disk.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-o", library, HERE / "failing_disk.c", "-ldl"]
    subprocess.run(command, check=True)
    return library


@dataclass(frozen=True)
class Run:
    """How a command ended."""

    code: int
    err: str
    calls: str


@dataclass
class Program:
    """Runs command lines whose outputs go to a folder on the failing disk."""

    folder: Path
    library: Path

    def run(self, words: list[str], at: int = 0, code: int = KILL, on: bool = False) -> Run:
        """Run one; its `at`-th call ends by an error, or by a kill."""
        log = self.folder.parent / "calls"
        log.unlink(missing_ok=True)
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "LD_PRELOAD": str(self.library), "FAULT_FOLDER": str(self.folder),
            "FAULT_LOG": str(log), "FAULT_AT": str(at), "FAULT_CODE": str(code), **({"FAULT_ON": "1"} if on else {}),
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "rnncast", *words], capture_output=True, text=True, env=environment, cwd=self.folder,
            timeout=300,
        )  # fmt: skip
        return Run(done.returncode, done.stderr, log.read_text() if log.exists() else "")


@pytest.fixture
def program(tmp_path, disk) -> Program:
    """A program with an empty folder."""
    folder = tmp_path / "out"
    folder.mkdir()
    return Program(folder, disk)


TRAINING = [str(ROWS), *QUICK, "--input-size", "12", "-q"]
COMMANDS = {
    "forecast": (["forecast", str(MODEL), "-o", "f.csv"], 1),
    "forecast, parquet": (["forecast", str(MODEL), "-o", "f.parquet"], 1),
    "append": (["forecast", str(MODEL), "later.csv", "--append", "ledger.csv"], 1),
    "append, parquet": (["forecast", str(MODEL), "later.csv", "--append", "ledger.parquet"], 1),
    "train": (["train", *TRAINING, "-o", "m.npz"], 5),
    "evaluate": (["evaluate", *TRAINING, "--n-windows", "2", "--checkpoint", "c.npz", "--save-forecasts", "s.csv"], 5),
}
"""Name -> words, and at which calls: each, or each fifth."""


def prepare(program: Program, words: list[str]) -> dict[str, bytes]:
    """Lay the old files out; their names and contents."""
    for path in program.folder.iterdir():
        path.unlink()
    (program.folder / "later.csv").write_text(ROWS.read_text() + "2024-09-09,50.0\n")
    if "--append" in words:
        assert program.run(["forecast", str(MODEL), "--append", words[-1]]).code == 0
    elif words[0] != "evaluate":  # whose checkpoint would be that of another backtest
        (program.folder / words[-1]).write_bytes(MODEL.read_bytes() if words[0] == "train" else b"old")
    return {path.name: path.read_bytes() for path in program.folder.iterdir()}


def check_files(
    program: Program, words: list[str], old: dict[str, bytes], new: dict[str, bytes], place: object
) -> None:
    """Each file is the old one, or the new one; only temporaries, which the next run sweeps, may be there beside."""
    for path in program.folder.iterdir():
        if path.name.startswith("."):
            continue
        got = path.read_bytes()
        if got == old.get(path.name):
            continue
        if path.name == "ledger.csv":  # the time of making differs
            assert got.startswith(old[path.name]) and len(got) == len(new[path.name]), place
        elif path.name == "ledger.parquet":
            import pyarrow.parquet as pq

            assert pq.ParquetFile(path).metadata.num_rows == 6, place
        elif path.name in ("c.npz", "m.npz.checkpoint"):  # written again and again
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None, place
        else:
            assert got == new[path.name], place


def check_command(program: Program, name: str, codes: list[tuple[int, bool]]) -> Counter[int]:
    """Every call of a command fails once; how the runs ended."""
    words, every = COMMANDS[name]
    prepare(program, words)
    whole = program.run(words)
    assert whole.code == 0, whole.err
    new = {path.name: path.read_bytes() for path in program.folder.iterdir()}
    ends: Counter[int] = Counter()
    for at in range(1, len(whole.calls) + 1, every):
        for code, on in codes:
            old = prepare(program, words)
            got = program.run(words, at, code, on)
            place = (name, at, whole.calls[at - 1], code, on, got)
            assert got.code == -signal.SIGKILL if code == KILL else got.code in (0, 73, 74), place
            assert "Traceback" not in got.err and "Exception" not in got.err, place
            assert len(got.err.splitlines()) <= 12, place  # notes, and six lines at most of an error
            check_files(program, words, old, new, place)
            ends[got.code] += 1
        again = program.run(words)
        assert again.code == 0, (place, again)
        left = {path.name for path in program.folder.iterdir()}
        assert not [file for file in left if file.endswith((".tmp", ".lock"))], (place, left)
    return ends


EVERY_FAULT = [(KILL, False)] + [(code, on) for code in (errno.ENOSPC, errno.EIO, errno.EACCES) for on in (False, True)]


@needs_compiler
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.faults
def test_a_failing_disk_leaves_whole_files(program, name):
    ends = check_command(program, name, EVERY_FAULT if COMMANDS[name][1] == 1 else EVERY_FAULT[:2])
    print(f"{name}: {ends.total()} faults; exit codes {dict(sorted(ends.items()))}: every file old or new, whole")


@needs_compiler
def test_a_forecast_on_a_full_disk_and_a_kill(program):
    ends = check_command(program, "forecast", [(KILL, False), (errno.ENOSPC, True)])
    assert ends[-signal.SIGKILL] > 3 and ends[74] > 1


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="files have no largest size here")
@pytest.mark.parametrize("name", ["f.csv", "f.parquet", "f.json"])
def test_a_file_that_grows_too_large(tmp_path, name):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))

    (tmp_path / name).write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-m", "rnncast", "forecast", MODEL, "-o", name],
        capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, preexec_fn=limit,
    )  # fmt: skip
    assert done.returncode == 74, done.stderr
    assert "could not be written" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"old"


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root mounts a small disk, on Linux")
def test_a_small_disk_that_is_full(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "none", disk], capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        (disk / "f.csv").write_bytes(b"old")
        (disk / "filler").write_bytes(b"x" * (16 << 10))
        command = [sys.executable, "-m", "rnncast", "forecast", MODEL, "-o", "f.csv", "--horizon", "300"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, capture_output=True, text=True, cwd=disk, env=environment)
        assert done.returncode == 74, done.stderr
        assert (disk / "f.csv").read_bytes() == b"old"
        assert {path.name for path in disk.iterdir()} == {"f.csv", "filler"}
    finally:
        subprocess.run(["umount", disk], check=True)
