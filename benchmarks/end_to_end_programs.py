"""The programs that `end_to_end.py` compares, as processes: the file, the job, and one run of each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np  # and nothing larger: a child's peak of memory begins with that of this process

ROOT = Path(__file__).resolve().parents[1]
SERIES, ROWS, SEED = 100, 2_500, 20240229
NETWORKS = {"lstm-32": ("lstm", 32), "gru-64": ("gru", 64)}
COMMON = {"input_size": 80, "horizon": 10, "batch": 128, "learning_rate": 0.01, "seed": 0}
EPOCH_UPDATES = 50
"""Updates of an epoch that rnncast chooses for so many windows; checked against its record."""

TRIAL_UPDATES = 30


@dataclass
class Run:
    """One process: wall seconds, seconds that its threads computed, most resident memory in MB, what it printed."""

    seconds: float
    computed: float
    peak: float
    output: str = field(repr=False, default="")


def run(command: list[str], folder: Path, cache: Path, threads: int) -> Run:
    """Run a program in a folder, with rnncast's kernels in `cache`."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "NUMBA_CACHE_DIR": str(cache)}
    environment |= {f"{library}_NUM_THREADS": str(threads) for library in ("OPENBLAS", "OMP", "MKL")}
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        began = perf_counter()
        process = subprocess.Popen(
            [sys.executable, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=errors, cwd=folder,
            env=environment,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        seconds = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        for stream in (output, errors):
            stream.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(command[:2])} ended with {process.returncode}:\n{errors.read()[-2000:]}")
        unit = 1e6 if sys.platform == "darwin" else 1e6 / 1024
        return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit, output.read())


def make_file(path: Path) -> None:
    """Long layout with dates: random walks whose changes have a memory of one row."""
    rng = np.random.default_rng(SEED)
    changes = rng.normal(0, 0.01, (ROWS, SERIES))
    for row in range(1, ROWS):
        changes[row] += 0.5 * changes[row - 1]
    values = 100 * np.exp(changes.cumsum(axis=0))
    days = np.datetime64("2015-01-01") + np.arange(ROWS)
    with path.open("w", encoding="utf-8") as file:
        file.write("unique_id,ds,y\n")
        for series in range(SERIES):
            file.writelines(f"S{series:03d},{day},{y:.4f}\n" for day, y in zip(days, values[:, series], strict=True))


@dataclass
class Bench:
    """The programs on one network, and what they need to run."""

    network: str
    folder: Path
    updates: int
    threads: int
    ways: dict[str, tuple[str, int]] = field(default_factory=dict)
    search_epochs: int = 0
    refit_epochs: int = 0

    @property
    def max_epochs(self) -> int:
        """Most epochs of the search, and so of the refit."""
        return max(1, round(self.updates / (2 * EPOCH_UPDATES)))

    def rnncast(self, max_epochs: int) -> Run:
        """`rnncast train` with a number of epochs."""
        cell, hidden = NETWORKS[self.network]
        options: dict[str, Any] = {
            "cell": cell, "hidden-size": hidden, "layers": 1, "season-length": 1, "loss": "mae", "members": 1,
            "max-epochs": max_epochs, "input-size": COMMON["input_size"], "horizon": COMMON["horizon"],
            "batch-size": COMMON["batch"], "learning-rate": COMMON["learning_rate"], "seed": COMMON["seed"],
            "threads": self.threads,
        }  # fmt: skip
        named = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        return self._run(["-m", "rnncast", "train", "panel.csv", "-o", "model.npz", "-q", *named], self.threads)

    def peer(self, program: str, way: str, threads: int, **more: Any) -> Run:
        """One of the peers' scripts."""
        cell, hidden = NETWORKS[self.network]
        job = {
            "file": "panel.csv", "model": "model.pt", "cell": cell, "hidden": hidden, "epoch_updates": EPOCH_UPDATES,
            "max_epochs": self.max_epochs, "search_epochs": self.search_epochs, "refit_epochs": self.refit_epochs,
            "way": way, "threads": threads,
        }  # fmt: skip
        script = str(Path(__file__).with_name(f"end_to_end_{program}.py"))
        return self._run([script, json.dumps(job | COMMON | more)], threads)

    def _run(self, command: list[str], threads: int = 1) -> Run:
        return run(command, self.folder, self.folder / f"kernels-{self.network}", threads)

    def record(self) -> dict[str, Any]:
        """What rnncast's last model says of its training."""
        found = json.loads(self._run(["-m", "rnncast", "inspect", "model.npz", "--json"]).output)["record"]
        if found["training"]["epoch_updates"] != EPOCH_UPDATES:
            raise SystemExit(f"an epoch has {found['training']['epoch_updates']} updates, expected {EPOCH_UPDATES}")
        self.search_epochs, self.refit_epochs = len(found["search_losses"]) - 1, found["best_epoch"]
        return dict(found)

    def choose(self, program: str) -> None:
        """Try the ways of a peer briefly, and keep the fastest."""
        tried: dict[tuple[str, int], float] = {}
        for threads in sorted({1, self.threads}):
            if program == "pytorch":
                found = json.loads(self.peer(program, "", threads, trial=TRIAL_UPDATES).output)
                tried |= {(way, threads): seconds for way, seconds in found.items()}
            else:
                for way in ("recurrent", "direct"):
                    found = json.loads(self.peer(program, way, threads, search_epochs=1, refit_epochs=0).output)
                    tried[way, threads] = found["seconds"] / found["updates"]
        self.ways[program] = min(tried, key=lambda key: tried[key])
        listed = ", ".join(f"{way} x{threads} {1e3 * seconds:.1f}" for (way, threads), seconds in tried.items())
        print(f"{self.network}, {program}, ms an update by way and threads: {listed}", flush=True)

    def turn(self, program: str, *, updates: bool) -> Run:
        """One training, or the same without updates."""
        if program == "rnncast":
            return self.rnncast(self.max_epochs if updates else 0)
        return self.peer(program, *self.ways[program], **({} if updates else {"search_epochs": 0, "refit_epochs": 0}))
