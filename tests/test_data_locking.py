"""The lock that lets one run at a time at a file."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from rnncast.data.locking import locked
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


def test_touches_nothing_but_its_own_file(tmp_path):
    with locked(tmp_path / "ledger.csv"):
        assert os.listdir(tmp_path) == ["ledger.csv.lock"]
    assert (tmp_path / "ledger.csv.lock").read_bytes() == b""


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
    monkeypatch.setitem(sys.modules, "fcntl", None)  # as on Windows
    with locked(tmp_path / "x") as is_locked:
        assert not is_locked


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(OutputError, match="cannot be created"), locked(tmp_path / "none" / "x"):
        pytest.fail("there is no such folder")
