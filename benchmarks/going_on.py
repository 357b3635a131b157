"""What `train --from` wins: a model that stays as it is, one that goes on with fresh rows, and one trained anew.

    python benchmarks/going_on.py FILE... [--rows N]

Each model is first trained on the first 70 % of the rows; the next 15 % are fresh; all are scored on the last 15 %,
from every fifth row of it, at most 40 origins. MASE of the network and of what is issued, of Parquet or CSV files.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rnncast.data.options import ReadOptions
from rnncast.data.panel import Panel
from rnncast.data.read import read_input
from rnncast.evaluation.backtest import evaluate_model
from rnncast.evaluation.origins import Plan
from rnncast.model.model import Model
from rnncast.training.continued import continue_training, continued_settings
from rnncast.training.defaults import TrainOptions, resolve
from rnncast.training.split import clock
from rnncast.training.train import train

TRAINED, FRESH = 0.70, 0.85
"""Shares of the rows that the first training sees, and that the later ones see."""


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--rows", type=int, default=6000, help="last rows of each file that are used")
    options = parser.parse_args()
    print("| file | weights | network | issued | seconds |")
    print("|---|---|---|---|---|")
    for path in options.files:
        for line in compare(path, read_input([path], ReadOptions()).panel.tail(options.rows)):
            print(f"| {path.rpartition('/')[2]} | {line} |", flush=True)


def compare(path: str, panel: Panel) -> list[str]:
    """A line for each way."""
    stamps = clock(panel)
    first, fresh = (panel.until(stamps[int(share * len(stamps))]) for share in (TRAINED, FRESH))
    network, training, _ = resolve(TrainOptions(), first)
    old = train(first, network, training)[0]
    ways: dict[str, Callable[[], Model]] = {
        "as they were": lambda: old,
        "gone on": lambda: continue_training(old, fresh, continued_settings(old, {})).model,
        "trained anew": lambda: train(fresh, network, training)[0],
    }
    lines = []
    for name, way in ways.items():
        began = time.perf_counter()
        model = way()
        seconds = time.perf_counter() - began
        network_error, issued = score(replace(model, trained_until=str(fresh.times.max())), panel)
        lines.append(f"{name} | {network_error:.3f} | {issued:.3f} | {seconds:.1f}")
    return lines


def score(model: Model, panel: Panel) -> tuple[float, float]:
    """MASE of the network alone, and of what is issued."""
    backtest = evaluate_model(model, panel, Plan(n_windows=40, step_size=5), levels=[80.0, 95.0]).backtest
    errors = (np.abs(backtest.points[name] - backtest.actual) for name in ("network", "rnncast"))
    network, issued = (float(np.mean(error / backtest.scale_absolute)) for error in errors)
    return network, issued


if __name__ == "__main__":
    main()
