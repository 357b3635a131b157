"""The lock that lets one run at a time at a file."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys

import pytest

from rnncast.data.locking import locked, take
from rnncast.errors import BusyError, OutputError

HOLDER = """
import sys
from rnncast.data.locking import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of a file, and the file."""
    path = tmp_path / "ledger.csv"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process, path
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_is_had_by_one_alone(holder):
    process, path = holder
    with pytest.raises(BusyError, match="another run holds the lock") as caught:
        with locked(path, patience=0.1):
            pytest.fail("two runs hold the lock")
    assert caught.value.exit_code == 75
    process.stdin.close()  # its end lets go
    process.wait()
    with locked(path, patience=0) as is_locked:
        assert is_locked


def test_dies_with_its_holder(holder):
    process, path = holder
    process.kill()
    process.wait()
    with locked(path, patience=1) as is_locked:
        assert is_locked


def test_waits_for_a_run_that_ends_in_time(holder):
    process, path = holder
    process.stdin.close()  # it ends while we wait
    with locked(path, patience=30) as is_locked:
        assert is_locked


def test_links_share_the_lock_of_their_file(holder, tmp_path):
    _, path = holder
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    with pytest.raises(BusyError), locked(link, patience=0):
        pytest.fail("the link has a lock of its own")


def test_touches_nothing_but_its_own_file_and_removes_that(tmp_path):
    with locked(tmp_path / "ledger.csv"):
        assert os.listdir(tmp_path) == [".ledger.csv.lock"]
        assert (tmp_path / ".ledger.csv.lock").read_bytes() == b""
    assert os.listdir(tmp_path) == []


def test_what_a_killed_run_left_is_taken_over_and_removed(holder, tmp_path):
    process, path = holder
    process.kill()
    process.wait()
    assert os.listdir(tmp_path) == [".ledger.csv.lock"]
    with locked(path, patience=0) as is_locked:
        assert is_locked
    assert os.listdir(tmp_path) == []


def test_a_suspended_run_still_holds_it(holder):
    process, path = holder
    process.send_signal(signal.SIGSTOP)
    with pytest.raises(BusyError), locked(path, patience=0):
        pytest.fail("two runs hold the lock")
    process.send_signal(signal.SIGCONT)


def test_the_lock_of_a_file_that_has_lost_its_name_is_not_enough(tmp_path, monkeypatch):
    """The run before removes the file between its opening here and its locking here."""
    path, opened = tmp_path / ".x.lock", []

    def take_late(handle):
        opened.append(os.fstat(handle).st_ino)
        if len(opened) == 1:
            path.rename(tmp_path / "removed")
        return take(handle)

    monkeypatch.setattr("rnncast.data.locking.take", take_late)
    with locked(tmp_path / "x", patience=0) as is_locked:
        assert is_locked
        assert len(opened) == 2
        assert path.stat().st_ino == opened[1] != opened[0]


def test_a_file_that_took_the_place_of_the_lock_is_another_run_s(tmp_path):
    path = tmp_path / ".x.lock"
    with locked(tmp_path / "x"):
        path.unlink()  # by a person, say
        path.touch()
    assert path.exists()


def test_many_runs_at_once_are_one_after_the_other(tmp_path):
    """Each adds 1 to a number that it reads and writes under the lock; none is lost."""
    (tmp_path / "count").write_text("0")
    code = (
        "import sys, pathlib\n"
        "from rnncast.data.locking import locked\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "for _ in range(100):\n"
        "    with locked(path, patience=60):\n"
        "        path.write_text(str(int(path.read_text()) + 1))\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, tmp_path / "count"]) for _ in range(5)]
    assert [run.wait() for run in runs] == [0] * 5
    assert (tmp_path / "count").read_text() == "500"
    assert os.listdir(tmp_path) == ["count"]


@pytest.mark.parametrize("to", ["file", "folder", "nothing"])
def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path, to):
    (tmp_path / "file").write_text("whole")
    (tmp_path / "folder").mkdir()
    (tmp_path / ".x.lock").symlink_to(tmp_path / to)
    with pytest.raises(OutputError, match="cannot be created"), locked(tmp_path / "x"):
        pytest.fail("followed")
    assert (tmp_path / "file").read_text() == "whole"
    assert not (tmp_path / "nothing").exists()


def test_an_error_inside_lets_go(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "x"):
        raise ZeroDivisionError
    with locked(tmp_path / "x", patience=0) as is_locked:
        assert is_locked


def test_says_where_there_are_no_locks(tmp_path, monkeypatch):
    import fcntl

    def refuse(*arguments):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path / "x") as is_locked:
        assert not is_locked
    monkeypatch.setattr("rnncast.data.locking.HAS_LOCKS", False)  # as on Windows
    with locked(tmp_path / "y") as is_locked:
        assert not is_locked
    assert not (tmp_path / ".y.lock").exists()


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(OutputError, match="cannot be created"), locked(tmp_path / "none" / "x"):
        pytest.fail("there is no such folder")
