"""Time and memory of a backtest without refit: 100 series, and more and more cutoffs.

    python benchmarks/backtest.py [--series 100] [--rows 1500] [--cutoffs 20,100,200]

Random walks with dates, written to a Parquet file; `rnncast evaluate` with default options, a process of its own each
time: reading, training, forecasts of all methods, GARCH included, scores and evidence. Origins are a row apart. Wall
and CPU seconds, and the peak of the resident memory. The first run compiles the kernels where they are not cached.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd


def write_panel(path: Path, series: int, rows: int) -> None:
    """Long layout of geometric random walks on business days."""
    rng = np.random.default_rng(0)
    walks = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal((series, rows)), axis=1))
    days = np.busday_offset("2018-01-01", np.arange(rows), roll="forward")
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat([f"s{number:03d}" for number in range(series)], rows),
            "ds": np.tile(days.astype("datetime64[ns]"), series),
            "y": walks.reshape(-1),
        }
    )
    frame.to_parquet(path)


def measure(path: Path, cutoffs: int) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak megabytes of one evaluation."""
    command = [
        sys.executable,
        "-m",
        "rnncast",
        "evaluate",
        str(path),
        "--n-windows",
        str(cutoffs),
        "--step-size",
        "1",
        "-q",
    ]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with status {status}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Measure and print a table row for each number of cutoffs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--cutoffs", default="20,100,200")
    given = parser.parse_args()
    print("| series | rows | cutoffs | wall s | CPU s | peak MB |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "panel.parquet"
        write_panel(path, given.series, given.rows)
        for cutoffs in map(int, given.cutoffs.split(",")):
            wall, cpu, peak = measure(path, cutoffs)
            print(f"| {given.series} | {given.rows} | {cutoffs} | {wall:.1f} | {cpu:.1f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
