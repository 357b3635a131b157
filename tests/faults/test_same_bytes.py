"""Trainings of one seed write the same bytes, run after run and for any number of threads.

The full count of docs/reliability.md: ``python -m pytest -m faults tests/faults/test_same_bytes.py -rP``
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_cases import write_prices

ROOT = Path(__file__).resolve().parent.parent.parent
THREADS = (1, 2, 4)
OPTIONS = ["--members", "3", "--max-epochs", "3", "--hidden-size", "16", "--horizon", "5", "--seed", "7", "-q"]


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        pytest.param([], 1, id="short"),
        pytest.param([], 10, id="windows", marks=pytest.mark.faults),
        pytest.param(["--stateful"], 10, id="stateful", marks=pytest.mark.faults),
    ],
)
def test_trainings_write_the_same_bytes(tmp_path, kind, count):
    prices = write_prices(tmp_path / "prices.csv", np.random.default_rng(11), rows=400)
    digests = set()
    for threads in THREADS:
        for run in range(count):
            path = tmp_path / f"{threads}-{run}.npz"
            command = ["train", prices, *OPTIONS, *kind, "--threads", str(threads), "-o", path]
            done = subprocess.run(
                [sys.executable, "-m", "rnncast", *command], capture_output=True, text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1
    print(f"{count} trainings at each of {THREADS} threads: one file ({digests.pop()[:16]})")
