"""Speed of exponential smoothing over its grids: the kernel beside NumPy, which take turns.

    python benchmarks/smoothing.py [--histories 512] [--rows 400] [--runs 15]

Random walks from a fixed seed; one thread. Given are the medians in milliseconds and their ratio; and it is checked
that both ways give the same bytes.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from rnncast.baselines.holt_winters import GRID
from rnncast.baselines.smoother import Grid, State, smooth
from rnncast.baselines.smoothing import DAMPED, SIMPLE

GRIDS = {
    "theta": (SIMPLE, 0),
    "damped trend": (DAMPED, 0),
    "Holt-Winters, 7": (GRID, 7),
    "Holt-Winters, 24": (GRID, 24),
}
"""Name -> grid, and places of a season."""


def timed(
    grid: Grid, rows: np.ndarray, season: np.ndarray | None, runs: int
) -> tuple[dict[bool, float], dict[bool, State]]:
    """Median seconds of NumPy (False) and of the kernel (True), and what each found."""
    valid = np.full(rows.shape[1], len(rows))
    seconds: dict[bool, list[float]] = {False: [], True: []}
    found = {kernel: smooth(rows, valid, grid, rows[0], season=season, kernel=kernel) for kernel in seconds}
    for _ in range(runs):
        for kernel, own in seconds.items():
            begun = time.perf_counter()
            smooth(rows, valid, grid, rows[0], season=season, kernel=kernel)
            own.append(time.perf_counter() - begun)
    return {kernel: statistics.median(own) for kernel, own in seconds.items()}, found


def main() -> None:
    """Compare on each grid."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=512)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--runs", type=int, default=15)
    given = parser.parse_args()
    rng = np.random.default_rng(20260101)
    rows = np.cumsum(rng.standard_normal((given.rows, given.histories)), axis=0) / np.sqrt(given.rows)
    print("| grid | points | NumPy ms | kernel ms | NumPy over kernel |\n|---|---|---|---|---|")
    for name, (grid, places) in GRIDS.items():
        season = rng.standard_normal((places, given.histories)) if places else None
        seconds, found = timed(grid, rows, season, given.runs)
        same = all(getattr(found[False], part).tobytes() == getattr(found[True], part).tobytes()
                   for part in ("level", "trend", "damping", "season"))  # fmt: skip
        if not same:
            raise SystemExit(f"{name}: NumPy and the kernel differ")
        numpy_ms, kernel_ms = 1e3 * seconds[False], 1e3 * seconds[True]
        print(f"| {name} | {len(grid.level)} | {numpy_ms:.1f} | {kernel_ms:.1f} | {numpy_ms / kernel_ms:.1f} |")


if __name__ == "__main__":
    main()
