"""Whole processes from their start: what a call costs beside a bare import of NumPy, and when the kernels pay.

    python benchmarks/cold_start.py [--runs 20] [--crossing]

Each command runs once before it is measured, so that byte code and kernels are cached; then all of them and
`python -c "import numpy"` take turns. Given are the medians of the seconds from the start to the end of a process, of
those that the processor computed, and the first as a ratio to the bare import. A training is timed to the line of its
first epoch, and then stopped. PYTHONDONTWRITEBYTECODE is taken from the environment, as it would have every module
compiled in every call.

With --crossing: `forecast --core numpy` and `--core numba` take turns on more and more series, and on longer and longer
horizons of one series, on one thread; given are the seconds that the processor computed. Beside them stands what
`--verbose` says of the work.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROWS, SEED = 600, 20240229
BARE = [sys.executable, "-c", "import numpy"]
PROGRAM = [str(Path(sys.executable).with_name("rnncast"))]
TARGETS = {
    "--version": 0.6,
    "--help": 1.5,
    "forecast MODEL": 1.8,
    "forecast MODEL CSV": 1.8,
    "... | forecast MODEL -": 1.8,
    "train, to the first epoch": 6.0,
}
HIDDEN_SIZES = (32, 64, 128)
SERIES = (250, 500, 1000, 2000)
HORIZONS = (500, 1000, 1500, 2000)


def write_series(path: Path, series: int, rows: int) -> None:
    """Random walks on weekdays, in long layout where there are several."""
    rng = np.random.default_rng(SEED)
    days = np.busday_offset("2020-01-01", np.arange(rows), roll="forward").astype(str).tolist()
    prices = np.round(100 * np.exp(np.cumsum(0.01 * rng.standard_normal((series, rows)), axis=1)), 4).tolist()
    if series == 1:
        lines = ["date,price", *(f"{day},{price}" for day, price in zip(days, prices[0], strict=True))]
    else:
        pairs = (zip(days, own, strict=True) for own in prices)
        lines = ["id,date,price", *(f"s{n},{day},{price}" for n, own in enumerate(pairs) for day, price in own)]
    path.write_text("\n".join([*lines, ""]))


def timed(command: list[str], folder: Path, stdin: str | None = None) -> tuple[float, float]:
    """Seconds from the start of a process to its end, and those that it computed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with open(folder / stdin if stdin else os.devnull) as source:
        subprocess.run(
            command, cwd=folder, stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
        )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def timed_to_first_epoch(folder: Path) -> tuple[float, float]:
    """Seconds of a training to the line of its first epoch; what it computed until then is not known (NaN)."""
    start = time.perf_counter()
    command = [*PROGRAM, "train", "one.csv", "-o", "again.npz"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "epoch 1 " in line:
                break
        wall = time.perf_counter() - start
        process.terminate()
    return wall, float("nan")


def measure_starts(folder: Path, runs: int) -> None:
    """Print the table of the commands."""
    forecast = [*PROGRAM, "forecast", "one.npz"]
    ways = {
        "import numpy": lambda: timed(BARE, folder),
        "--version": lambda: timed([*PROGRAM, "--version"], folder),
        "--help": lambda: timed([*PROGRAM, "--help"], folder),
        "train --help": lambda: timed([*PROGRAM, "train", "--help"], folder),
        "forecast MODEL": lambda: timed(forecast, folder),
        "forecast MODEL CSV": lambda: timed([*forecast, "one.csv"], folder),
        "... | forecast MODEL -": lambda: timed([*forecast, "-"], folder, "one.csv"),
        "inspect MODEL": lambda: timed([*PROGRAM, "inspect", "one.npz"], folder),
        "train, to the first epoch": lambda: timed_to_first_epoch(folder),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(runs):
        for name, way in ways.items():
            taken[name].append(way())
    bare = statistics.median(wall for wall, _ in taken["import numpy"])
    print("| command | ms | ms computed | ratio | target |\n|---|---|---|---|---|")
    for name, pairs in taken.items():
        wall, computed = (statistics.median(values) for values in zip(*pairs, strict=True))
        figures = f"{1e3 * wall:.0f} | {'' if computed != computed else f'{1e3 * computed:.0f}'}"
        print(f"| {name} | {figures} | {wall / bare:.2f} | {TARGETS.get(name, '')} |")


def measure_crossing(folder: Path, runs: int) -> None:
    """Print how long both cores take for more and more work, and what the program takes that work for."""
    print("| units | series | horizon | numpy ms | numba ms | numpy over numba | the program's estimate |")
    print("|---|---|---|---|---|---|---|")
    for hidden in HIDDEN_SIZES:
        model = f"h{hidden}.npz"
        options = ["--max-epochs", "0", "--hidden-size", str(hidden), "-q", "-o", model]
        subprocess.run([*PROGRAM, "train", "one.csv", *options], cwd=folder, check=True)
        cases = [(series, 10) for series in SERIES] + [(1, horizon) for horizon in HORIZONS]
        for series, horizon in cases:
            name = f"{series}.csv"
            if not (folder / name).exists():
                write_series(folder / name, series, 200)
            command = [*PROGRAM, "forecast", model, name, "--horizon", str(horizon), "-v", "--threads", "1"]
            said = subprocess.run([*command, "--core", "numba"], cwd=folder, capture_output=True, text=True, check=True)
            estimate = float(re.search(r"are ([0-9.e+-]+) of the work", said.stderr)[1])  # type: ignore[index]
            computed = {core: [] for core in ("numpy", "numba")}
            for _ in range(runs):
                for core, own in computed.items():
                    own.append(timed([*command, "--core", core], folder)[1])
            numpy, numba = (1e3 * statistics.median(own) for own in computed.values())
            figures = f"{numpy:.0f} | {numba:.0f} | {numpy / numba:.2f} | {estimate:.2f}"
            print(f"| {hidden} | {series} | {horizon} | {figures} |", flush=True)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--crossing", action="store_true")
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder / "one.csv", 1, ROWS)
        subprocess.run([*PROGRAM, "train", "one.csv", "-q"], cwd=folder, check=True)
        measure_crossing(folder, arguments.runs) if arguments.crossing else measure_starts(folder, arguments.runs)


if __name__ == "__main__":
    main()
