"""Faults of the cache of compiled kernels: a run ends well, with a healthy one's result and at most one warning.

Most use a kernel of one line, which is compiled in a fraction of a second; and processes of their own, as what a fault
could do is end the process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, write_prices

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="owners, modes and limits mean nothing there")

SMALL = '''
"""Two kernels, and what a process does with the first."""
import os
import warnings
from pathlib import Path
from rnncast.core import compiling
from rnncast.core.jit import jit_entry

BASE = Path(os.environ.get("RNNCAST_CACHE_DIR", "."))

def scale(x):
    return x * 1.1 + 0.3

def other(x):
    return x * 7.7 - 0.1

def files():
    return sorted(BASE.rglob("*.kernel"))

def run(function=scale, x=0.7):
    """Result, files loaded, warnings, of what a new process would do."""
    kernel = jit_entry(function)
    compiling._warned = False
    with warnings.catch_warnings(record=True) as met:
        warnings.simplefilter("always")
        result = kernel(x)
    return float(result).hex(), kernel.stats.cache_hits.total(), len(met)

RIGHT = (0.7 * 1.1 + 0.3).hex()
HEALTHY = (RIGHT, 1, 0)
AGAIN = (RIGHT, 0, 1)
UNSAID = (RIGHT, 0, 0)
'''

KERNELS = ["run", "finish", "run_window", "adamw_step", "smooth_histories"]


@pytest.fixture
def small(tmp_path):
    """Run code beside the module `small`; its output."""
    (tmp_path / "small.py").write_text(SMALL, encoding="utf-8")

    def process(code: str, **variables: str) -> str:
        done = start(tmp_path, code, **variables)
        out, err = done.communicate(timeout=120)
        assert done.returncode == 0, err
        return out

    return process


def start(folder: Path, code: str, **variables: str) -> subprocess.Popen[str]:
    environment = environment_of(folder / "base") | {"PYTHONPATH": str(folder)} | variables
    command = [sys.executable, "-c", f"from small import *\n{code}"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder
    )


def environment_of(base: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "CACHE" not in name}
    return kept | {"RNNCAST_CACHE_DIR": str(base)}


def test_damaged_files_are_compiled_again(small) -> None:
    """Truncations at 24 lengths, 30 flipped bits (6 of them in the digest), garbage, an empty file, a missing one."""
    code = """
import random
random.seed(20240229)
assert run() == UNSAID and run() == HEALTHY
(path,) = files()
whole = path.read_bytes()
faults = [whole[:n] for n in (0, 1, 31, 32, 33, len(whole) - 1)]
faults += [whole[:n] for n in random.sample(range(34, len(whole)), 18)]
for bit in random.sample(range(256), 6) + random.sample(range(256, 8 * len(whole)), 24):
    flipped = bytearray(whole)
    flipped[bit // 8] ^= 1 << bit % 8
    faults.append(bytes(flipped))
faults += [bytes(len(whole)), random.randbytes(len(whole)), whole + b"x", whole[::-1]]
for number, fault in enumerate(faults):
    path.write_bytes(fault)
    got = run()
    assert got == AGAIN, (number, got)
    assert files() == [path]
assert run() == HEALTHY
path.unlink()
assert run() == UNSAID and run() == HEALTHY
print(len(faults))
"""
    assert small(code) == "58\n"


def test_a_file_of_something_else_is_compiled_again(small) -> None:
    """Of another kernel, of another signature, of another version of Numba; and a folder in its place."""
    code = """
import numba
from rnncast.core import kernel_sources
run()
(path,) = files()
run(other)
run(scale, 1)
assert len(files()) == 3
for foreign in set(files()) - {path}:
    path.write_bytes(foreign.read_bytes())
    assert run() == AGAIN, foreign
    assert run() == HEALTHY
kernel_sources._fingerprint.cache_clear()
numba.__version__ = "0.0"
before = set(files())
assert run() == UNSAID
(newer,) = set(files()) - before
newer.write_bytes(path.read_bytes())
assert run() == AGAIN
newer.unlink()
newer.mkdir()
assert run() == AGAIN and run() == AGAIN
print("done")
"""
    assert small(code) == "done\n"


@POSIX
@pytest.mark.parametrize("step", ["mkdir", "open", "write", "replace"])
def test_full_disk(small, step) -> None:
    """A file that cannot be written is not there afterwards, nor is a part of it."""
    code = f"""
import errno, resource
real = {{"mkdir": os.mkdir, "open": os.open, "replace": os.replace}}
def full(*details, **more):
    if {step!r} == "open" and not details[1] & os.O_CREAT:
        return real["open"](*details, **more)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
if {step!r} == "write":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
else:
    setattr(os, {step!r}, full)
assert run() == AGAIN
assert [path for path in BASE.rglob("*") if path.is_file()] == []
if {step!r} == "write":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
else:
    setattr(os, {step!r}, real[{step!r}])
assert run() == UNSAID and run() == HEALTHY
print("done")
"""
    assert small(code) == "done\n"


@POSIX
def test_cache_on_a_read_only_file_system(small) -> None:
    """What is there is loaded without a word; what is not is compiled, with a warning."""
    code = """
import errno
run()
(folder,) = (BASE / "rnncast").iterdir()
os.utime(folder, (0, 0))
real = os.open
def refuse(*details, **more):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))
os.mkdir = os.unlink = os.utime = os.replace = refuse
os.open = lambda path, flags, *rest, **more: (refuse if flags & os.O_CREAT else real)(path, flags, *rest, **more)
assert run() == HEALTHY
assert run(other)[1:] == (0, 1)
print("done")
"""
    assert small(code) == "done\n"


@POSIX
def test_kill_while_a_file_is_written(small) -> None:
    code = "os.replace = lambda *names, **more: os.kill(os.getpid(), 9)\nrun()"
    with pytest.raises(AssertionError):
        small(code)
    healthy = "assert len(list(BASE.rglob('*.tmp'))) == 1\nprint(run() == UNSAID, run() == HEALTHY)"
    assert small(healthy) == "True True\n"


def test_concurrent_first_runs(small, tmp_path) -> None:
    runs = [start(tmp_path, "print(run()[0], run()[1:])") for _ in range(4)]
    said = {done.communicate(timeout=120) for done in runs}
    assert [done.returncode for done in runs] == [0] * 4
    assert said == {(f"{(0.7 * 1.1 + 0.3).hex()} (1, 0)\n", "")}
    assert small("print(run() == HEALTHY, len(files()))") == "True 1\n"
    assert list(tmp_path.rglob("*.tmp")) == []


@POSIX
@pytest.mark.parametrize("fault", ["other user", "mode", "link", "file"])
def test_a_folder_that_is_not_ones_own_alone(small, tmp_path, fault) -> None:
    """It is refused before anything in it is read, and nothing is written."""
    small("run()")
    own = tmp_path / "base" / "rnncast"
    code = "assert run() == AGAIN\n"
    if fault == "other user":
        code = "user = os.geteuid() + 1\nos.geteuid = lambda: user\n" + code
    elif fault == "mode":
        code = "".join(f"(BASE / 'rnncast').chmod({mode})\n{code}" for mode in (0o702, 0o720))
    else:
        own.rename(tmp_path / "elsewhere")
        own.symlink_to(tmp_path / "elsewhere") if fault == "link" else own.write_text("x")
    before = content(tmp_path)
    assert small(code + "print('done')") == "done\n"
    assert content(tmp_path) == before


def content(folder: Path) -> dict[Path, bytes]:
    """All files but those that Python compiles."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="other places there")
@pytest.mark.parametrize("home", [True, False], ids=["home", "no home"])
def test_empty_environment(tmp_path, home) -> None:
    """A home folder is all that is needed; without one there is one warning, and nothing is written anywhere."""
    (tmp_path / "small.py").write_text(SMALL, encoding="utf-8")
    (tmp_path / "home").mkdir()
    code = f"import sys, pathlib\nsys.path.insert(0, {str(tmp_path)!r})\nfrom small import *\n"
    if not home:  # as for a user that no list of users has
        code += "def none(): raise RuntimeError\npathlib.Path.home = none\n"
    first, second = ("UNSAID", "HEALTHY") if home else ("AGAIN", "AGAIN")
    code += f"print(run() == {first}, run() == {second})"
    environment = {"PYTHONDONTWRITEBYTECODE": "1"} | ({"HOME": str(tmp_path / "home")} if home else {})
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120
    )
    assert (done.stdout, done.stderr) == ("True True\n", "")
    assert len(list(tmp_path.rglob("*.kernel"))) == home


def test_nothing_is_written_beside_the_sources(small) -> None:
    """So that they can be read-only."""
    code = """
import rnncast
core = Path(rnncast.__file__).parent
before = sorted(core.rglob("*"))
run()
print(sorted(core.rglob("*")) == before)
"""
    assert small(code, PYTHONDONTWRITEBYTECODE="1") == "True\n"


COUNTED = """
import os, sys
os.environ["NUMBA_OPT"] = "1"  # as the program does before it loads Numba, which is loaded here already
from numba.core import event
from rnncast.cli.main import main
with event.install_recorder("numba:compile") as recorder:
    code = main(sys.argv[1:])
print(len(recorder.buffer))
raise SystemExit(code)
"""


def program(base: Path, *arguments: str | Path, count: bool = False) -> subprocess.CompletedProcess[str]:
    start = ["-c", COUNTED] if count else ["-m", "rnncast"]
    command = [sys.executable, *start, *(str(word) for word in arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment_of(base), cwd=base.parent, timeout=300, check=False
    )


@pytest.mark.slow
def test_the_kernels_themselves(tmp_path) -> None:
    """Warm-up compiles all that commands need; what is damaged is compiled again, and gives the same bytes."""
    base = tmp_path / "base"
    got = program(base, "warmup")
    assert (got.returncode, got.stdout) == (0, "")
    (folder,) = (base / "rnncast").iterdir()
    lines = got.stderr.splitlines()
    assert lines[:2] == [f"kernels are kept in {folder}", "compiling the kernels (once, about half a minute) ..."]
    assert lines[2].startswith("5 compiled, 0 loaded and verified, in ")
    assert len(lines) == 3

    data = write_prices(tmp_path / "p.csv", np.random.default_rng(20240229))
    training = ("train", data, *QUICK, "-q")
    for more in ((), ("--cell", "gru", "--loss", "student-t"), ("--stateful",)):
        got = program(base, *training, *more, "-o", tmp_path / "healthy.npz", count=True)
        assert (got.returncode, got.stdout, got.stderr) == (0, "0\n", ""), more
    got = program(base, "evaluate", data, *QUICK, "--json", count=True)
    assert (got.returncode, got.stdout.splitlines()[-1]) == (0, "0")

    healthy = (tmp_path / "healthy.npz").read_bytes()
    for name in ("finish", "adamw_step"):  # of the five these are the fastest to compile
        (path,) = folder.glob(f"{name}-*.kernel")
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    got = program(base, "train", data, *QUICK, "--stateful", "-o", tmp_path / "again.npz")
    assert got.returncode == 0
    said = [line for line in got.stderr.splitlines() if "compil" in line]
    assert said == [
        f"warning: a compiled kernel in {folder} is compiled again: its file was damaged",
        "compiling the kernels (once, about half a minute) ...",
    ]
    assert (tmp_path / "again.npz").read_bytes() == healthy
    got = program(base, "warmup", "--json")
    assert (got.returncode, got.stderr.splitlines()[0]) == (0, f"kernels are kept in {folder}")
    document = json.loads(got.stdout)
    assert document.pop("seconds") > 0
    expected = [{"name": name, "action": "loaded"} for name in KERNELS]
    assert document == {"schema": "rnncast.warmup/1", "folder": str(folder), "kernels": expected}
