"""Speed and memory of reading: `read_panel` beside pyarrow's own readers on the same files.

    python benchmarks/reading.py [--rows 1000000] [--runs 15] [--files minutes.csv,long.csv] [--json FILE]

Files of about a million values are made from a fixed seed in a temporary folder, as CSV and as Parquet: `minutes`, one
series; `long`, series of 1,000 business days with an id column; `wide`, 100 columns of business days. Values look like
prices and have four decimals.

Speed: pyarrow (`csv.read_csv`, `parquet.ParquetFile(...).read()`) and `read_panel` take turns. Given are the medians
and their ratio, of readings in one process, after one reading each that does not count, and of first readings, each in
a process of its own, as from a command line; there both must get their memory from the system, which pyarrow otherwise
keeps. pyarrow makes a table; `read_panel` also finds the columns and the dialect, checks and orders the rows and learns
the calendar.

Memory: the peak of resident memory of a fresh process during its first reading, over what it holds after its imports;
as a multiple of the bytes of the panel's values, and of its values and stamps.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute  # noqa: F401  loaded before anything is measured
import pyarrow.csv
import pyarrow.parquet

from rnncast.data.options import ReadOptions
from rnncast.data.read import read_panel

SEED = 20240229
DAYS = 1_000
"""Rows of each series in long layout."""

COLUMNS = 100
"""Series in wide layout."""


def prices(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Random walks of the logarithm, along the first axis, around 100."""
    return np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.002, shape), axis=0)), 4)


def make_files(folder: Path, rows: int, wanted: list[str]) -> list[Path]:
    """Write the files of about so many values that are wanted."""
    import pandas as pd  # in the process that makes files alone

    rng = np.random.default_rng(SEED)
    series, days = max(rows // DAYS, 1), pd.bdate_range("1980-01-01", periods=max(rows // COLUMNS, DAYS))
    frames = {
        "minutes": pd.DataFrame(
            {"date": pd.date_range("2015-01-01", periods=rows, freq="min"), "price": prices(rng, (rows,))}
        ),
        "long": pd.DataFrame(
            {
                "unique_id": np.repeat([f"S{number:05d}" for number in range(series)], DAYS),
                "ds": np.tile(days[:DAYS], series),
                "y": prices(rng, (DAYS, series)).T.ravel(),
            }
        ),
    }
    walks = prices(rng, (max(rows // COLUMNS, 3), COLUMNS))
    frames["wide"] = pd.DataFrame(walks, columns=[f"S{number:03d}" for number in range(COLUMNS)])
    frames["wide"].insert(0, "date", days[: len(walks)])
    paths = []
    for name, frame in frames.items():
        stamps = "%Y-%m-%d %H:%M" if name == "minutes" else "%Y-%m-%d"
        for path in (folder / f"{name}.csv", folder / f"{name}.parquet"):
            if wanted and path.name not in wanted:
                continue
            if path.suffix == ".csv":
                frame.to_csv(path, index=False, float_format="%.4f", date_format=stamps)
            else:
                frame.to_parquet(path, index=False)
            paths.append(path)
    return paths


def readers(path: Path) -> dict[str, Callable[[], Any]]:
    """What reads a file, by name."""
    options = ReadOptions(wide=path.stem == "wide")
    table = (
        (lambda: pyarrow.csv.read_csv(path))
        if path.suffix == ".csv"
        else lambda: pyarrow.parquet.ParquetFile(path).read()
    )
    return {"pyarrow": table, "rnncast": lambda: read_panel([str(path)], options)[0]}


def measure_speed(path: Path, runs: int) -> dict[str, float]:
    """Median seconds of each reader, the readers taking turns."""
    seconds: dict[str, list[float]] = {name: [] for name in readers(path)}
    for turn in range(runs + 1):
        for name, reader in readers(path).items():
            gc.collect()
            began = time.perf_counter()
            found = reader()
            took = time.perf_counter() - began
            del found
            if turn:
                seconds[name].append(took)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def reset_peak() -> bool:
    """Let the peak of resident memory count from now; False where the system cannot."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return False
    return True


def peak_bytes() -> int:
    """Most resident memory since the start of the process or `reset_peak`."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def print_first_reading(path: Path, reader: str) -> None:
    """Read once and print, as JSON, how long it took and how much memory; run in a process of its own."""
    rows = b"".join(b"2024-01-%02d,%d\n" % (day, day) for day in range(1, 11))
    read_panel(["-"], stdin=io.BytesIO(b"date,price\n" + rows))  # what is imported on first use is imported now
    gc.collect()
    reset = reset_peak()
    before, began = peak_bytes(), time.perf_counter()
    found = readers(path)[reader]()
    figures: dict[str, float] = {"seconds": time.perf_counter() - began, "peak": peak_bytes() - before, "reset": reset}
    if reader == "rnncast":
        figures |= {"values": found.values.nbytes, "times": found.times.nbytes}
    sys.stdout.write(json.dumps(figures))


def measure_first_readings(path: Path, runs: int) -> dict[str, dict[str, float]]:
    """Medians of the figures of `print_first_reading`, the readers taking turns."""
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in readers(path)}
    for _ in range(runs):
        for name, found in figures.items():
            command = [sys.executable, __file__, "--first-reading-of", str(path), "--reader", name]
            found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return {
        name: {key: statistics.median(one[key] for one in found) for key in found[0]} for name, found in figures.items()
    }


def measure(path: Path, runs: int) -> dict[str, Any]:
    """All figures of one file."""
    speed, first = measure_speed(path, runs), measure_first_readings(path, runs)
    peak, values, times = (first["rnncast"][key] for key in ("peak", "values", "times"))
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "seconds": speed,
        "ratio": speed["rnncast"] / speed["pyarrow"],
        "first_seconds": {name: found["seconds"] for name, found in first.items()},
        "first_ratio": first["rnncast"]["seconds"] / first["pyarrow"]["seconds"],
        "peak": {name: found["peak"] for name, found in first.items()},
        "peak_was_reset": bool(first["rnncast"]["reset"]),
        "peak_by_values": peak / values,
        "peak_by_values_and_times": peak / (values + times),
    }


def row_of(got: dict[str, Any]) -> str:
    """Table row of a file's figures."""
    cells = [got["file"], f"{got['bytes'] / 1e6:.1f}"]
    for seconds, ratio in (("seconds", "ratio"), ("first_seconds", "first_ratio")):
        cells += [f"{got[seconds][name] * 1e3:.0f}" for name in ("pyarrow", "rnncast")] + [f"{got[ratio]:.2f}"]
    cells += [f"{got['peak'][name] / 1e6:.1f}" for name in ("pyarrow", "rnncast")]
    cells += [f"{got['peak_by_values']:.2f}", f"{got['peak_by_values_and_times']:.2f}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure the files and print one table row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="values in each file, about")
    parser.add_argument("--runs", type=int, default=15, help="readings that count, of each file by each reader")
    parser.add_argument("--files", default="", help="names of the files to measure, all without it")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--first-reading-of", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--reader", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.first_reading_of:
        print_first_reading(given.first_reading_of, given.reader)
        return
    print("| file | MB | pyarrow ms | rnncast ms | ratio | first: pyarrow ms | rnncast ms | ratio | peak: pyarrow MB "
          "| rnncast MB | x values | x values and times |")  # fmt: skip
    print("|---" * 12 + "|")
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for path in make_files(Path(folder), given.rows, [name for name in given.files.split(",") if name]):
            got = measure(path, given.runs)
            figures.append(got)
            print(row_of(got), flush=True)
    if given.json:
        about = {"rows": given.rows, "runs": given.runs, "seed": SEED, "cores": os.cpu_count()}
        about |= {"python": platform.python_version(), "machine": platform.machine(), "pyarrow": pyarrow.__version__}
        given.json.write_text(json.dumps(about | {"files": figures}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
