"""A training that is killed again and again ends with the same bytes as one that is left alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
OPTIONS = ["--cell", "gru", "--hidden-size", "8", "--horizon", "5", "--members", "4", "--max-epochs", "40"]
PROGRAM = """
import sys
from rnncast.cli import progress
from rnncast.cli.main import main
from rnncast.data import checkpoint as files
from rnncast.training import checkpoint

checkpoint.FIRST_AFTER = checkpoint.EVERY = 0.0  # the file is written after every epoch
files.WRITING_SHARE = 1e9
told = progress.Progress.epoch

def epoch(self, report):
    print(report.phase, report.member, report.epoch, flush=True)
    told(self, report)

progress.Progress.epoch = epoch
sys.exit(main(sys.argv[1:]))
"""


def training(*arguments):
    """A training in a process of its own, which says each epoch on stdout."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM, "train", "prices.csv", *OPTIONS, "-q", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.mark.parametrize("kills", [pytest.param(3, marks=pytest.mark.slow), pytest.param(20, marks=pytest.mark.faults)])
@pytest.mark.parametrize("kind", [[], ["--stateful"]], ids=["windows", "stateful"])
def test_killed_trainings_end_with_the_same_bytes(tmp_path, monkeypatch, rng, kills, kind):
    monkeypatch.chdir(tmp_path)
    values = 50 + np.cumsum(0.1 * rng.standard_normal(400)) + rng.standard_normal(400)  # worth learning
    Path("prices.csv").write_text("close\n" + "".join(f"{value!r}\n" for value in values.tolist()))
    with training(*kind, "-o", "whole.npz") as process:
        epochs = len(process.stdout.read().splitlines())
        assert process.wait() == 0, process.stderr.read()
    assert epochs > 2 * kills

    done = 0
    for _ in range(kills):
        with training(*kind, "--resume") as process:
            for _ in range(int(rng.integers(1, 3))):
                done += bool(process.stdout.readline())
            time.sleep(rng.uniform(0, 0.03))
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL, process.stderr.read()
        assert not Path("prices.npz").exists()
    with training(*kind, "--resume") as process:
        left = len(process.stdout.read().splitlines())
        assert process.wait() == 0, process.stderr.read()
    assert left < epochs - kills  # it went on, and did not begin anew
    assert Path("prices.npz").read_bytes() == Path("whole.npz").read_bytes()
    assert sorted(path.suffix for path in Path().iterdir() if not path.name.startswith(".")) == [".csv", ".npz", ".npz"]
