"""Whole epochs in the kernel: one network on several threads, and several networks side by side.

    python benchmarks/threads.py [--threads 2] [--rounds 9] [--updates 20] [--cells gru,lstm] [--json FILE]

Shapes are (B, T, H, L): windows of an update, steps, hidden units, layers; two channels, ten horizon steps of five
quantiles, and a linear map beside the network. As many networks as there are threads make the same updates, in turns:

- one after the other, each on one thread;
- one after the other, each on all threads;
- side by side, each on one thread.

Given are the medians of an update of one network on one thread in milliseconds, and how many times as fast the others
get through the same work.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rnncast.core.arguments import Series
from rnncast.core.learner import AdamW, Updates, WindowLearner, learn
from rnncast.model.config import NetworkConfig
from rnncast.model.inputs import normalising
from rnncast.model.network import decay_mask, initial_parameters, loss_table

SHAPES = [(32, 30, 16, 1), (128, 80, 32, 1), (128, 80, 64, 1), (128, 80, 64, 2), (256, 48, 128, 1), (512, 168, 40, 1)]
ROWS = 5000
SETTINGS = AdamW(0.9, 0.99, 1e-8, 1e-2, 1.0)


def make_learner(config: NetworkConfig, batch: int, threads: int) -> WindowLearner:
    """A network at its start."""
    levels = len(config.quantile_levels)
    head = loss_table(config, np.ones(config.horizon), np.ones((config.horizon, levels)))
    start = initial_parameters(config.shape, np.random.default_rng(0))
    return WindowLearner(
        config.shape, head, config.input_size, batch, normalising(config), start, decay_mask(config.shape), SETTINGS,
        threads,
    )  # fmt: skip


def make_updates(config: NetworkConfig, batch: int, count: int) -> Updates:
    """Updates on windows of one random walk, drawn at random."""
    rng = np.random.default_rng(1)
    values = np.cumsum(rng.standard_normal(ROWS))
    ends = rng.integers(config.history_rows, ROWS - config.horizon, size=count * batch)
    series = Series(values, np.zeros(len(ends), np.int64), ends, np.zeros(len(ends), np.bool_))
    return Updates(np.full(count, 1e-3), np.full(count, 0.99), series)


def measure(cell: str, shape: tuple[int, ...], threads: int, count: int, rounds: int) -> dict[str, Any]:
    """Medians in seconds of what `threads` networks take for `count` updates each, three ways."""
    batch, steps, hidden, layers = shape
    config = NetworkConfig(cell=cell, hidden_size=hidden, layers=layers, input_size=steps)
    updates = make_updates(config, batch, count)
    alone = [make_learner(config, batch, 1) for _ in range(threads)]
    shared = [make_learner(config, batch, threads) for _ in range(threads)]

    def one_after_the_other(learners: list[WindowLearner]) -> None:
        for learner in learners:
            learn([learner], [updates])

    ways = {
        "one thread": lambda: one_after_the_other(alone),
        "all threads": lambda: one_after_the_other(shared),
        "side by side": lambda: learn(alone, [updates] * threads),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds + 1):
        for way, run in ways.items():
            start = time.perf_counter()
            run()
            if turn:  # the first may compile
                seconds[way].append(time.perf_counter() - start)
    return {way: statistics.median(some) for way, some in seconds.items()}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--updates", type=int, default=20)
    parser.add_argument("--cells", default="gru,lstm")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    print(f"| shape | cell | ms an update | {options.threads} threads | side by side |\n|---|---|---|---|---|")
    for shape in SHAPES:
        for cell in options.cells.split(","):
            found = measure(cell, shape, options.threads, options.updates, options.rounds)
            base = found["one thread"]
            each = 1e3 * base / options.threads / options.updates
            name = ",".join(map(str, shape))
            print(
                f"| {name} | {cell} | {each:.2f} | {base / found['all threads']:.2f} | "
                f"{base / found['side by side']:.2f} |",
                flush=True,
            )
            rows.append({"shape": shape, "cell": cell, "seconds": found})
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
