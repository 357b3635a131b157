"""Temporaries of dead runs are removed by the next one; those of the living, and everything else, stay."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest

from rnncast.data import temporary as module
from rnncast.data.atomic import atomic_write
from rnncast.data.locking import take
from rnncast.data.temporary import ABANDONED, sweep, temporary

NAME = ".rnncast-0123456789ab.tmp"
WRITER = """
import sys
from rnncast.data.atomic import atomic_write
def write(file):
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
atomic_write(sys.argv[1], write)
"""


@pytest.fixture
def writer(tmp_path):
    """Another process in the middle of writing a file, and the file."""
    path = tmp_path / "model.npz"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "writing\n"
    yield process, path
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def temporaries(folder):
    return [name for name in os.listdir(folder) if name.endswith(".tmp")]


def test_of_a_killed_run_is_swept_by_the_next_write(writer, tmp_path):
    process, _ = writer
    process.kill()
    process.wait()
    assert len(temporaries(tmp_path)) == 1
    atomic_write(tmp_path / "other.csv", lambda file: file.write(b"new"))
    assert os.listdir(tmp_path) == ["other.csv"]


@pytest.mark.parametrize("suspended", [False, True], ids=["running", "suspended"])
def test_of_a_living_run_stays_and_becomes_its_file(writer, tmp_path, suspended):
    process, path = writer
    if suspended:
        process.send_signal(signal.SIGSTOP)
    before = temporaries(tmp_path)
    atomic_write(tmp_path / "other.csv", lambda file: file.write(b"new"))
    assert temporaries(tmp_path) == before
    process.send_signal(signal.SIGCONT)
    process.stdin.close()
    assert process.wait() == 0
    assert path.read_bytes() == b"half"
    assert sorted(os.listdir(tmp_path)) == ["model.npz", "other.csv"]


def test_is_held_until_it_has_its_name(tmp_path, monkeypatch):
    replace = os.replace

    def replace_late(source, target):
        sweep(str(tmp_path))  # a run beside this one
        replace(source, target)

    monkeypatch.setattr(os, "replace", replace_late)
    atomic_write(tmp_path / "a.bin", lambda file: file.write(b"new"))
    assert (tmp_path / "a.bin").read_bytes() == b"new"


@pytest.mark.parametrize("moment", ["before", "while", "after"])
def test_swept_before_it_is_locked_another_is_made(tmp_path, monkeypatch, moment):
    """A sweeper beside this writer opens the new file before the writer has locked it."""
    calls = []

    def take_late(handle):
        calls.append(handle)
        if len(calls) > 1:
            return take(handle)
        (name,) = temporaries(tmp_path)
        sweeper = os.open(tmp_path / name, os.O_RDONLY)
        assert moment == "before" or take(sweeper)
        if moment == "after":
            os.unlink(tmp_path / name)
        if moment != "while":
            os.close(sweeper)
        taken = take(handle)
        if moment == "while":
            os.unlink(tmp_path / name)
            os.close(sweeper)
        return taken

    monkeypatch.setattr(module, "take", take_late)
    with temporary(str(tmp_path)) as (path, handle):
        os.close(handle)
        assert temporaries(tmp_path) == [os.path.basename(path)]
        assert len(calls) == (1 if moment == "before" else 2)
        sweep(str(tmp_path))
        assert os.path.exists(path)


def test_many_writers_and_sweepers_lose_nothing(tmp_path):
    code = (
        "import sys\n"
        "from rnncast.data.atomic import atomic_write\n"
        "for number in range(200):\n"
        "    atomic_write(f'{sys.argv[1]}/{sys.argv[2]}', lambda file: file.write(str(number).encode()))\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, tmp_path, str(run)]) for run in range(4)]
    assert [run.wait() for run in runs] == [0] * 4
    assert {name: (tmp_path / name).read_text() for name in os.listdir(tmp_path)} == dict.fromkeys("0123", "199")


@pytest.mark.parametrize(
    "name",
    ["rnncast-0123456789ab.tmp", ".rnncast-0123456789ab.tmp.npz", ".rnncast-0123.tmp", ".rnncast-0123456789AB.tmp"],
)
def test_other_names_stay(tmp_path, name):
    (tmp_path / name).write_text("not ours")
    sweep(str(tmp_path))
    assert os.listdir(tmp_path) == [name]


def test_links_folders_and_pipes_of_that_name_stay(tmp_path):
    (tmp_path / "target").write_text("not ours")
    (tmp_path / NAME).symlink_to("target")
    (tmp_path / NAME.replace("0", "1")).mkdir()
    os.mkfifo(tmp_path / NAME.replace("0", "2"))
    before = sorted(os.listdir(tmp_path))
    sweep(str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize(("age", "expected"), [(ABANDONED - 60, [NAME]), (ABANDONED + 60, [])], ids=["new", "old"])
@pytest.mark.parametrize("system", ["windows", "no-locks"])
def test_without_locks_age_tells(tmp_path, monkeypatch, age, expected, system):
    def refuse(*arguments):
        raise OSError(errno.ENOLCK, "no locks available")

    if system == "windows":
        monkeypatch.setattr("rnncast.data.locking.HAS_LOCKS", False)
    else:
        monkeypatch.setattr(fcntl, "flock", refuse)
    (tmp_path / NAME).write_text("half")
    os.utime(tmp_path / NAME, (time.time() - age,) * 2)
    atomic_write(tmp_path / "a.bin", lambda file: file.write(b"new"))
    assert sorted(os.listdir(tmp_path)) == sorted(["a.bin", *expected])


@pytest.mark.parametrize("call", ["scandir", "open", "unlink"])
def test_what_cannot_be_swept_stops_no_write(tmp_path, monkeypatch, call):
    original = getattr(os, call)

    def refuse(path, *arguments):
        if call == "scandir" or str(path).endswith(NAME):
            raise PermissionError(errno.EACCES, "no permission")
        return original(path, *arguments)

    (tmp_path / NAME).write_text("half")
    monkeypatch.setattr(os, call, refuse)
    atomic_write(tmp_path / "a.bin", lambda file: file.write(b"new"))
    assert (tmp_path / "a.bin").read_bytes() == b"new"


def test_no_descriptor_is_left_open(tmp_path):
    (tmp_path / NAME).write_text("half")
    before = os.listdir("/dev/fd")
    atomic_write(tmp_path / "a.bin", lambda file: file.write(b"new"))
    with pytest.raises(ZeroDivisionError):
        atomic_write(tmp_path / "a.bin", lambda file: 1 / 0)
    assert os.listdir("/dev/fd") == before
