"""What dilations, residual links, late windows, carried states and outputs at every step cost in the core.

    python benchmarks/core_features.py [--shape 128,60,5,64,2] [--runs 25]

Loss and gradient of one batch on one thread: each feature beside the plain network, in turn; medians and their ratio.
The products are as many, but for outputs at every step, which adds those of the output layer.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rnncast.core.engine import Engine
from rnncast.core.shape import GRU, LSTM, RNN_TANH, Shape, parameter_count, state_shape

CELLS = {"rnn": RNN_TANH, "gru": GRU, "lstm": LSTM}


def variants(plain: Shape, steps: int, batch: int, rng: np.random.Generator) -> dict[str, tuple[Shape, bool, dict]]:
    """Name -> network, whether every step has outputs, and what a call has beside its inputs."""
    dilations = tuple(2**layer for layer in range(plain.layers))
    lengths = rng.integers(steps // 2, steps + 1, batch)
    return {
        "plain": (plain, False, {}),
        "dilations": (plain._replace(dilations=dilations), False, {}),
        "residual links": (plain._replace(residual=1), False, {}),
        "late windows": (plain, False, {"lengths": lengths}),
        "carried states": (plain, False, {"state": np.zeros(state_shape(plain, batch), np.float32)}),
        "every step": (plain, True, {}),
    }


def main() -> None:
    """Print a table row for each cell and feature."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="128,60,5,64,2", help="B,T,F,H,L")
    parser.add_argument("--runs", type=int, default=25)
    given = parser.parse_args()
    batch, steps, features, hidden, layers = map(int, given.shape.split(","))
    rng = np.random.default_rng(0)
    print("| cell | feature | ms | of plain |\n|---|---|---|---|")
    for cell, code in CELLS.items():
        calls: dict[str, Any] = {}
        for name, (shape, every_step, more) in variants(
            Shape(code, features, hidden, layers, 1), steps, batch, rng
        ).items():
            engine = Engine(shape, steps, batch, every_step=every_step, threads=1)
            parameters = (rng.uniform(-1, 1, parameter_count(shape)) / np.sqrt(hidden)).astype(np.float32)
            inputs = rng.standard_normal((steps, features, batch)).astype(np.float32)
            targets = rng.standard_normal((steps, 1, batch) if every_step else (1, batch)).astype(np.float32)
            calls[name] = lambda e=engine, p=parameters, x=inputs, y=targets, m=more: e.loss_and_gradient(p, x, y, **m)
        taken: dict[str, list[float]] = {name: [] for name in calls}
        for run in range(given.runs + 1):
            for name, call in calls.items():
                began = time.process_time()
                call()
                if run:
                    taken[name].append(time.process_time() - began)
        medians = {name: statistics.median(found) for name, found in taken.items()}
        for name, seconds in medians.items():
            print(f"| {cell} | {name} | {seconds * 1e3:.2f} | {seconds / medians['plain']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
