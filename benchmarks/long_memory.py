"""Memory longer than a window: a sign is shown, and up to 300 rows later decides where the series goes.

Noise; now and then a sign is shown (four rows up or down), after a pause of 10 to 300 rows comes a mark, the same for
both signs, and six rows after it ten rows go the way of the sign. Networks that read windows and stateful ones are
trained on one series and judged on another: how often the forecast made at the last row before the ten goes the right
way, by the length of the pause, and the mean absolute error beside the last value's on the rows held out of training.

    python benchmarks/long_memory.py

Letters: N signs, S series.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rnncast.data.panel import Panel
from rnncast.forecasting.predict import forecast
from rnncast.model.model import Model
from rnncast.training.defaults import TrainOptions, resolve
from rnncast.training.train import train
from tests.panels import make_panel, signs_after_a_pause

LONGEST = 300
PAUSES = ((10, 60), (60, 120), (120, 200), (200, 301))
RUNS = {
    "windows of 160 rows": {},  # the default
    "windows of 300 rows": {"input_size": 300},
    "stateful": {"stateful": True},
    "stateful, gru": {"stateful": True, "cell": "gru"},
}


def right_ways(model: Model, values: NDArray[np.float64], shown: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the forecast at the last row before the ten goes the way of each sign (N,): each a series of its own.

    A series has the last 2,000 rows before its sign decides, at whose first a stateful network begins with a state of
    zero.
    """
    series = {str(n): values[max(0, row - 1999) : row + 1] for n, (_, row, _) in enumerate(shown)}
    panel: Panel = make_panel(series, dated=False)
    issued = forecast(model, panel, 10, ())
    last = panel.target[panel.indptr[1:] - 1]  # (S,)
    return np.sign(issued.point.reshape(-1, 10)[:, 4] - last) == shown[:, 2]


def main() -> None:
    """Read the options, train, print the table."""
    parser = argparse.ArgumentParser(description="A sign that decides up to 300 rows later.")
    parser.add_argument("--rows", type=int, default=60_000, help="rows of each of the two series (default: 60000)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the series and the networks (default: 0)")
    options = parser.parse_args()
    (values, _), (later, shown) = (
        signs_after_a_pause(np.random.default_rng(options.seed + n), options.rows, LONGEST) for n in range(2)
    )
    panel = make_panel({"a": values}, dated=False)
    print(f"{len(shown)} signs; share of forecasts that go the right way, after a pause of")
    heads = [f"{low}-{high - 1}" for low, high in PAUSES]
    print(f"{'':22}" + "".join(f"{head:>9}" for head in heads) + f"{'rel. MAE':>10}{'seconds':>9}")
    for name, choice in RUNS.items():
        asked = TrainOptions(horizon=10, season_length=1, members=1, seed=options.seed, **choice)
        config, training, _ = resolve(asked, panel)
        begin = time.perf_counter()
        model, _ = train(panel, config, training)
        seconds = time.perf_counter() - begin
        right = right_ways(model, later, shown)
        shares = [right[(shown[:, 0] >= low) & (shown[:, 0] < high)].mean() for low, high in PAUSES]
        judged = model.record["gate"]  # a group of windows each
        error = np.average([g["blended_relative_mae"] for g in judged], weights=[g["windows"] for g in judged])
        print(f"{name:22}" + "".join(f"{share:9.2f}" for share in shares) + f"{error:10.3f}{seconds:9.1f}", flush=True)
        beyond = shown[:, 0] > config.input_size  # (N,) the sign stood before the window
        if beyond.any():
            print(f"{'':22}{right[beyond].sum()} of {beyond.sum()} after a pause of more than {config.input_size}")


if __name__ == "__main__":
    main()
