"""The adding problem: carrying two numbers over 150 steps (Hochreiter & Schmidhuber 1997, experiment 4).

A sequence has T steps of two features: a number from [0, 1] and a mark. Two steps are marked, one in each half; the
target is the sum of the two marked numbers. Guessing the mean, 1, gives a mean squared error of 1/6 = 0.167. Adam on
fresh sequences until the error on 1,000 others is below 0.01, or the updates are used up.

    python benchmarks/adding_problem.py                  LSTM, GRU and Elman, T = 150
    python benchmarks/adding_problem.py --cell lstm --steps 400 --updates 20000

LSTM and GRU solve it; the Elman network does not, and is shown beside them for that reason.

Letters: T steps, B batch, H hidden units, P parameters.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rnncast.core.engine import Engine
from rnncast.core.optimiser import adamw_step
from rnncast.core.shape import GRU, LSTM, RNN_TANH, Shape, parameter_layout

CELLS = {"lstm": LSTM, "gru": GRU, "elman": RNN_TANH}
SOLVED = 0.01
BLOCK = 250  # updates between two looks at the error
HELD_OUT = 1000

Array = NDArray[np.float32]


def make_sequences(steps: int, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Inputs (T, 2, B) and targets (1, B) of `count` sequences."""
    inputs = np.zeros((steps, 2, count), np.float32)  # (T, 2, B)
    inputs[:, 0] = rng.random((steps, count), np.float32)
    lanes = np.arange(count)
    for marks in (rng.integers(0, steps // 2, count), rng.integers(steps // 2, steps, count)):
        inputs[marks, 1, lanes] = 1
    return inputs, (inputs[:, 0] * inputs[:, 1]).sum(axis=0, keepdims=True)


def make_parameters(shape: Shape, rng: np.random.Generator) -> tuple[Array, Array]:
    """Start (P,): uniform input weights, orthogonal recurrent blocks, forget-gate bias 1; and no decay (P,)."""
    size = shape.hidden_size
    parameters = np.zeros(sum(int(np.prod(dims)) for _, dims in parameter_layout(shape).values()), np.float32)
    for name, (offset, dims) in parameter_layout(shape).items():
        count = int(np.prod(dims))
        if name.endswith("recurrent_weight"):
            blocks = [np.linalg.qr(rng.standard_normal((size, size)))[0] for _ in range(dims[0] // size)]
            parameters[offset : offset + count] = np.concatenate(blocks).ravel()
        elif name.endswith("weight"):
            parameters[offset : offset + count] = rng.uniform(-1, 1, count) / np.sqrt(dims[1])
        elif name == "layer0.bias" and shape.cell == LSTM:
            parameters[offset + size : offset + 2 * size] = 1
    return parameters, np.zeros_like(parameters)


def mean_squared_error(engine: Engine, parameters: Array, inputs: Array, targets: Array) -> float:
    """Error on sequences of any number, in parts of the engine's batch."""
    errors = [
        engine.forward(parameters, inputs[:, :, start : start + engine.batch])
        - targets[:, start : start + engine.batch]
        for start in range(0, inputs.shape[2], engine.batch)
    ]
    return float(np.mean(np.concatenate(errors, axis=1) ** 2))


def train(cell: str, options: argparse.Namespace) -> dict[str, float]:
    """Train one cell; errors, updates and seconds (compilation left out)."""
    rng = np.random.default_rng(options.seed)
    shape = Shape(CELLS[cell], 2, options.hidden_size, 1, 1)
    engine = Engine(shape, options.steps, options.batch_size)
    held_out = make_sequences(options.steps, HELD_OUT, rng)
    parameters, decay = make_parameters(shape, rng)
    first, second, average = (np.zeros_like(parameters) for _ in range(3))
    settings = (options.learning_rate, 0.9, 0.999, 1e-8, 0.0, 1.0, 0.0)
    engine.loss_and_gradient(parameters, *(part[..., :1] for part in held_out))  # compiles, or loads from the cache
    begin, best, update = time.perf_counter(), np.inf, 0
    while update < options.updates and best >= SOLVED:
        for _ in range(BLOCK):
            update += 1
            batch = make_sequences(options.steps, options.batch_size, rng)
            _, gradient = engine.loss_and_gradient(parameters, *batch)
            adamw_step(parameters, gradient, first, second, average, decay, update, *settings)
        error = mean_squared_error(engine, parameters, *held_out)
        best = min(best, error)
        if options.verbose:
            print(f"{cell} {update} updates: {error:.4f}", file=sys.stderr, flush=True)
    return {"updates": update, "error": error, "best": best, "seconds": time.perf_counter() - begin}


def main() -> None:
    """Read the options, train, print the table."""
    parser = argparse.ArgumentParser(description="The adding problem for LSTM, GRU and Elman networks.")
    parser.add_argument("--cell", choices=[*CELLS, "all"], default="all", help="which cell (default: all)")
    parser.add_argument("--steps", type=int, default=150, help="length T of the sequences (default: 150)")
    parser.add_argument("--hidden-size", type=int, default=64, help="hidden units (default: 64)")
    parser.add_argument("--batch-size", type=int, default=64, help="sequences an update (default: 64)")
    parser.add_argument("--updates", type=int, default=10_000, help="most updates a cell (default: 10000)")
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="of Adam (default: 0.002)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the start and the sequences (default: 1)")
    parser.add_argument("-v", "--verbose", action="store_true", help="the error after each block of updates")
    options = parser.parse_args()
    print(f"adding problem, T = {options.steps}, H = {options.hidden_size}; guessing the mean: MSE {1 / 6:.3f}")
    print(f"{'cell':8}{'updates':>8}{'seconds':>9}{'best MSE':>10}{'last MSE':>10}  solved (MSE < {SOLVED})")
    for cell in CELLS if options.cell == "all" else [options.cell]:
        got = train(cell, options)
        answer = "yes" if got["best"] < SOLVED else "no"
        print(
            f"{cell:8}{got['updates']:8.0f}{got['seconds']:9.1f}{got['best']:10.4f}{got['error']:10.4f}  {answer}",
            flush=True,
        )


if __name__ == "__main__":
    main()
