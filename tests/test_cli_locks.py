"""One run at a time writes an output; the others end at once, before they have read or loaded anything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call, write_prices

from rnncast.data.locking import locked
from rnncast.model.artifact import load_model, save_model

ROOT = Path(__file__).resolve().parent.parent
LISTING = """
import sys
sys.path.insert(0, sys.argv[1])
from rnncast.cli.main import main
code = main(sys.argv[3:])
open(sys.argv[2], "w").write(" ".join(sys.modules))
sys.exit(code)
"""
"""Runs a command line and writes down the modules that it has loaded."""


@pytest.fixture
def prices(tmp_path, monkeypatch, rng):
    """A file of prices in the current folder."""
    monkeypatch.chdir(tmp_path)
    return write_prices(tmp_path / "prices.csv", rng)


def begin(*arguments, modules="modules"):
    """A command line in another process, whose stdin is a pipe."""
    command = [sys.executable, "-c", LISTING, ROOT, modules, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(run, rows=b""):
    """Exit code and stderr of such a run, after its stdin has got some rows and its end."""
    _, err = run.communicate(rows, timeout=300)
    return run.returncode, err.decode()


def wait_for(found, seconds=120):
    """What a function gives as soon as it gives something."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return value


class Rows:
    """A named pipe of rows: whoever opens it for reading has the lock of the output already."""

    def __init__(self, name):
        os.mkfifo(name)
        self.name = name
        self._handle = None

    def _open(self):
        try:
            self._handle = os.open(self.name, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody reads yet
            return False
        return True

    def wait_for_reader(self):
        wait_for(self._open)

    def send(self, rows):
        os.write(self._handle, rows)
        os.close(self._handle)


@pytest.mark.slow
def test_of_twenty_trainings_one_runs(prices):
    """All wait for rows that nobody sends: only the one that has the lock comes to that."""
    arguments = ("train", "-", *QUICK, "-q", "-o", "model.npz")
    runs = [begin(*arguments, modules=f"modules-{number}") for number in range(20)]
    wait_for(lambda: sum(run.poll() is not None for run in runs) >= 19)
    (winner,) = [run for run in runs if run.poll() is None]
    assert not Path("model.npz").exists()
    for number, run in enumerate(runs):
        if run is winner:
            continue
        code, err = finish(run)
        assert code == 75
        assert err.startswith("error: another run holds the lock of model.npz\n")
        loaded = {name.split(".")[0] for name in Path(f"modules-{number}").read_text().split()}
        assert "rnncast" in loaded
        assert loaded & {"numba", "llvmlite", "pyarrow", "pandas"} == set()
    assert finish(winner, prices.read_bytes()) == (0, "")
    assert load_model("model.npz").network.horizon == 5
    assert {name for name in os.listdir() if not name.startswith("modules")} == {"prices.csv", "model.npz"}


def test_a_killed_training_locks_nobody_out(prices):
    rows = Rows("rows")
    first = begin("train", "rows", *QUICK, "-o", "model.npz")
    rows.wait_for_reader()
    first.kill()
    assert finish(first)[0] == -signal.SIGKILL
    assert Path(".model.npz.lock").exists()
    assert call("train", prices, *QUICK, "-q", "-o", "model.npz").code == 0
    assert sorted(os.listdir()) == ["model.npz", "prices.csv", "rows"]


def test_a_suspended_training_counts(prices):
    rows = Rows("rows")
    first = begin("train", "rows", *QUICK, "-q", "-o", "model.npz")
    rows.wait_for_reader()
    first.send_signal(signal.SIGSTOP)
    got = call("train", prices, *QUICK, "-o", "model.npz")
    first.send_signal(signal.SIGCONT)
    assert (got.code, got.out) == (75, "")
    rows.send(prices.read_bytes())
    assert finish(first) == (0, "")


def test_another_output_has_another_lock_and_a_link_the_same(prices):
    Path("link.npz").symlink_to("model.npz")
    with locked("model.npz"):
        got = call("train", prices, *QUICK, "-o", "link.npz", "--json")
        assert (got.code, got.out) == (75, "")
        assert json.loads(got.err)["message"] == "another run holds the lock of link.npz"
        assert call("train", prices, *QUICK, "-q", "-o", "other.npz").code == 0
    assert call("train", prices, *QUICK, "-q", "-o", "link.npz").code == 0
    assert Path("link.npz").is_symlink() and load_model("model.npz").network.horizon == 5


def test_two_inputs_may_have_one_model(prices):
    with locked("model.npz"):
        assert call("train", "-", *QUICK, stdin=prices.read_bytes()).code == 75


def test_an_error_lets_go_and_leaves_nothing(prices):
    assert call("train", "nothing.csv", "-o", "model.npz").code == 66
    assert os.listdir() == ["prices.csv"]


def test_a_pipe_is_not_locked(prices):
    os.mkfifo("pipe")
    got = []
    reader = threading.Thread(target=lambda: got.append(Path("pipe").read_bytes()))
    reader.start()
    with locked("pipe"):
        assert call("train", prices, *QUICK, "-q", "-o", "pipe").code == 0
    reader.join()
    Path("copy.npz").write_bytes(got[0])
    assert load_model("copy.npz").network.horizon == 5


def test_where_there_are_no_locks_it_is_said_once(prices, monkeypatch):
    monkeypatch.setattr("rnncast.data.locking.HAS_LOCKS", False)
    got = call("train", prices, *QUICK, "-o", "model.npz")
    assert got.code == 0
    assert got.err.count("warning: there are no locks here: let only one run at a time write model.npz") == 1
    assert "no locks here" in call("train", prices, *QUICK, "-o", "model.npz", "--json").err
    failed = call("train", "nothing.csv", "-o", "model.npz", "--json")
    assert json.loads(failed.err)["code"] == 66


def test_of_two_backtests_with_one_checkpoint_one_runs(prices):
    options = ("--checkpoint", "backtest.npz", "--n-windows", "2", *QUICK)
    rows = Rows("rows")
    first = begin("evaluate", "rows", *options, "-q")
    rows.wait_for_reader()
    code, err = finish(begin("evaluate", prices, *options, modules="second"))
    assert (code, err.splitlines()[0]) == (75, "error: another run holds the lock of backtest.npz")
    assert "numba" not in Path("second").read_text().split()
    assert call("evaluate", prices, "--n-windows", "2", *QUICK).code == 0  # without a checkpoint nothing is locked
    rows.send(prices.read_bytes())
    assert finish(first) == (0, "")
    assert not Path(".backtest.npz.lock").exists()


def test_readers_are_not_blocked_and_always_see_a_whole_model(prices):
    assert call("train", prices, *QUICK, "-q", "-o", "a.npz").code == 0
    assert call("train", prices, *QUICK, "-q", "-o", "b.npz", "--seed", "1").code == 0
    models = [load_model("a.npz"), load_model("b.npz")]
    expected = [model.parameters for model in models]
    save_model(models[0], "model.npz")
    done = threading.Event()
    faults, seen = [], [0, 0]

    def read():
        try:
            while not done.is_set():
                got = load_model("model.npz").parameters
                seen[[np.array_equal(got, parameters) for parameters in expected].index(True)] += 1
        except Exception as error:
            faults.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    with locked("model.npz"):  # as a training does
        for number in range(200):
            save_model(models[(number + 1) % 2], "model.npz")
    done.set()
    for reader in readers:
        reader.join()
    assert faults == []
    assert min(seen) > 0
