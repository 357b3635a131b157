"""rnncast as a user runs it: `python -m rnncast train`, then `forecast` with fresh rows, each a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from panels import Floats, PanelSpec, Task, first_tasks, long_frame

ROOT = Path(__file__).resolve().parents[2]
LEVELS = (80, 95)
QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)

MOST_ROWS = 2_000_000
"""Rows of the histories that one run of `forecast` reads. Hundreds of origins of a long series are too many at once."""


@dataclass(frozen=True)
class Usage:
    """Wall seconds, seconds that all threads computed, and the most resident memory of a process."""

    seconds: float
    computed_seconds: float
    peak_mb: float

    def __add__(self, other: Usage) -> Usage:
        """One process after the other."""
        return Usage(
            self.seconds + other.seconds,
            self.computed_seconds + other.computed_seconds,
            max(self.peak_mb, other.peak_mb),
        )


@dataclass(frozen=True)
class Issued:
    """Forecasts of tasks: the point forecast (K,) and the quantiles (K, Q), or None without, of each by its tag."""

    points: dict[str, Floats]
    quantiles: dict[str, Floats | None]


def run_measured(command: list[str], folder: str, environment: dict[str, str] | None = None) -> Usage:
    """Run a program in a folder; end with what it said if it fails."""
    usage = Path(folder) / "usage.json"
    launcher = [sys.executable, "-I", "-S", str(Path(__file__).with_name("measured.py")), str(usage)]
    done = subprocess.run(
        [*launcher, *command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return Usage(**json.loads(usage.read_text(encoding="utf-8")))


def clean_environment(threads: int | None = None) -> dict[str, str]:
    """The environment without options of rnncast, so that the defaults count; threads of every library, if given."""
    kept = ("RNNCAST_NUM_THREADS", "RNNCAST_CACHE_DIR")
    found = {name: text for name, text in os.environ.items() if not name.startswith("RNNCAST_") or name in kept}
    found["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    if threads is not None:
        libraries = ("RNNCAST", "OMP", "MKL", "OPENBLAS", "NUMBA")
        found |= {f"{library}_NUM_THREADS": str(threads) for library in libraries}
    return found


def rnncast(arguments: list[str], folder: str, threads: int | None = None) -> Usage:
    """Run rnncast; a file of options in the folder would count, and there is none."""
    return run_measured([sys.executable, "-m", "rnncast", *arguments], folder, clean_environment(threads))


def warm_up(threads: int | None = None) -> None:
    """Compile the kernels, if they are not: no time given here counts that."""
    with tempfile.TemporaryDirectory() as folder:
        rnncast(["warmup", "-q"], folder, threads)


def train_and_forecast(
    spec: PanelSpec, tasks: list[Task], options: list[str], threads: int | None = None, most: int | None = None
) -> tuple[Issued, Usage, Usage]:
    """Train once on the rows before the first origin, forecast every task; what was issued, and what either took.

    `forecast` is handed the whole history of each task, or at most its last rows.
    """
    common = ["--horizon", str(spec.horizon), *(word for level in LEVELS for word in ("--level", str(level))), "-q"]
    # M4 counts its rows, so that no calendar tells the season; everywhere else the tool finds it.
    season = ["--season-length", str(spec.season)] if spec.kind == "m4" else []
    issued, forecast = Issued({}, {}), Usage(0.0, 0.0, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        first = first_tasks(tasks)
        long_frame(first, [task.series.name for task in first]).to_parquet(f"{folder}/train.parquet")
        command = ["train", "train.parquet", "-o", "model.npz", *common, *season, *options]
        train = rnncast(command, folder, threads)
        for batch in batches(tasks, most):
            long_frame(batch, [task.tag for task in batch], most).to_parquet(f"{folder}/fresh.parquet")
            command = ["forecast", "model.npz", "fresh.parquet", "-o", "issued.parquet", *common]
            forecast += rnncast(command, folder, threads)
            collect(pd.read_parquet(f"{folder}/issued.parquet"), "rnncast", batch, issued)
    return issued, train, forecast


def batches(tasks: list[Task], most: int | None = None) -> Iterator[list[Task]]:
    """Tasks in order, in parts whose histories have at most `MOST_ROWS` rows together, or a single task."""
    batch: list[Task] = []
    rows = 0
    for task in tasks:
        own = min(task.end, most or task.end)
        if batch and rows + own > MOST_ROWS:
            yield batch
            batch, rows = [], 0
        batch.append(task)
        rows += own
    yield batch


def collect(table: pd.DataFrame, method: str, tasks: list[Task], issued: Issued) -> None:
    """Add the forecasts of a long table with the columns METHOD, METHOD-lo-80 and so on; all tasks must be there."""
    bounds = [f"{method}-{side}-{level}" for side, level in (("lo", 95), ("lo", 80), ("hi", 80), ("hi", 95))]
    columns = [*bounds[:2], method, *bounds[2:]] if bounds[0] in table.columns else None
    found = dict(tuple(table.groupby("unique_id", sort=False)))
    for task in tasks:
        rows = found[task.tag]
        point = rows[method].to_numpy(np.float64)
        if len(point) != task.horizon or not np.isfinite(point).all():
            raise SystemExit(f"{method} gave {len(point)} rows for {task.tag}, expected {task.horizon} finite ones")
        issued.points[task.tag] = point
        issued.quantiles[task.tag] = None if columns is None else rows[columns].to_numpy(np.float64)


def fingerprint() -> str:
    """What tells one state of the package's source from another."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "rnncast").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def machine() -> dict[str, Any]:
    """What the seconds were measured on."""
    from importlib.metadata import version

    threads = os.environ.get("RNNCAST_NUM_THREADS")
    packages = {name: version(name) for name in ("numpy", "numba")}
    return {"cores": os.cpu_count(), "threads": threads, "python": sys.version.split()[0], **packages}
