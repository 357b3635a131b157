"""Training and inference of the core beside PyTorch's best, on the shapes that forecasts use, in one run.

    pip install torch==2.13.0      (the CPU build)
    python benchmarks/core.py [--threads 1] [--rounds 5] [--seconds 0.2] [--cells rnn,gru,lstm] [--only 64,60,1,64,1]
                              [--json FILE]

Shapes are (B, T, F, H, L): windows of a batch, steps, features, hidden units, layers; one output at the last step. A
training step is forward, mean squared error, backward, clipping to norm 1 and Adam; inference is forward alone. Both
programs run in processes of their own and take turns. On one thread what counts is the time that it computes, so that
other work on the machine disturbs little; on several it is the time that passes.

PyTorch is given its best of several ways, found in the same run: fused and single-tensor Adam, batch first or not,
oneDNN on and off.

Given are the medians in milliseconds; their ratio; and the products done a second, counted alike for both, as a share
of what NumPy's BLAS reaches on two matrices of 1024 x 1024 in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

SHAPES = [
    (32, 30, 1, 32, 1),
    (64, 60, 1, 64, 1),
    (128, 60, 5, 64, 2),
    (256, 48, 8, 128, 2),
    (64, 168, 1, 40, 3),
    (512, 24, 4, 32, 1),
    (1024, 30, 1, 16, 1),
    (64, 60, 1, 256, 1),
    (1, 60, 1, 64, 1),
]
CELLS = ("rnn", "gru", "lstm")
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
WAYS = {
    "train": ("fused", "single", "fused batch-first", "fused no-onednn"),
    "infer": ("plain", "plain batch-first", "plain no-onednn"),
}
MATRIX = 1024

Step = Callable[[], Any]


def operations(cell: str, shape: tuple[int, ...], mode: str) -> float:
    """Multiplications and additions of the matrix products of one step; training is three times as many as forward.

    Gradients of the inputs of the first layer are not needed and not counted.
    """
    batch, steps, features, hidden, layers = shape
    lines = 2.0 * batch * steps * GATES[cell] * hidden  # two operations for each weight of a gate
    forward = lines * (features + hidden + (layers - 1) * 2 * hidden)
    return forward if mode == "infer" else 3 * forward - lines * features


# ---- the two programs


def our_step(cell: str, shape: tuple[int, ...], mode: str, threads: int) -> Step:
    """One step of the core."""
    from rnncast.core.engine import Engine
    from rnncast.core.optimiser import adamw_step
    from rnncast.core.shape import GRU, LSTM, RNN_TANH, Shape, parameter_count

    batch, steps, features, hidden, layers = shape
    network = Shape({"rnn": RNN_TANH, "gru": GRU, "lstm": LSTM}[cell], features, hidden, layers, 1)
    engine = Engine(network, steps, batch, threads=threads)
    rng = np.random.default_rng(0)
    size = parameter_count(network)
    parameters = (rng.uniform(-1, 1, size) / np.sqrt(hidden)).astype(np.float32)
    inputs = rng.standard_normal((steps, features, batch)).astype(np.float32)
    targets = rng.standard_normal((1, batch)).astype(np.float32)
    first, second, average, decay = (np.zeros(size, np.float32) for _ in range(4))
    count = 0

    def train() -> None:
        nonlocal count
        count += 1
        _, gradient = engine.loss_and_gradient(parameters, inputs, targets)
        adamw_step(
            parameters, gradient, first, second, average, decay, count, 1e-4, 0.9, 0.999, 1e-8, 0.0, 1.0, 0.99
        )  # fmt: skip

    return train if mode == "train" else lambda: engine.forward(parameters, inputs)


def torch_step(cell: str, shape: tuple[int, ...], mode: str, way: str) -> Step:
    """The same step of PyTorch, in one of `WAYS`."""
    import torch

    batch, steps, features, hidden, layers = shape
    batch_first, onednn = "batch-first" in way, "no-onednn" not in way
    torch.manual_seed(0)
    kind = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell]
    network = kind(features, hidden, layers, batch_first=batch_first)
    head = torch.nn.Linear(hidden, 1)
    inputs = torch.randn(*((batch, steps) if batch_first else (steps, batch)), features)
    targets = torch.randn(batch, 1)

    def forward() -> Any:
        torch.backends.mkldnn.enabled = onednn
        states, _ = network(inputs)
        return head(states[:, -1] if batch_first else states[-1])

    def infer() -> Any:
        with torch.inference_mode():
            return forward()

    if mode == "infer":
        network.eval()
        return infer
    parameters = [*network.parameters(), *head.parameters()]
    options: dict[str, Any] = {"fused": True} if "fused" in way else {"foreach": False}
    optimiser = torch.optim.Adam(parameters, lr=1e-4, **options)

    def train() -> None:
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.mse_loss(forward(), targets).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()

    return train


def matrix_step() -> Step:
    """A product of two matrices by NumPy's BLAS."""
    a = np.random.default_rng(0).standard_normal((MATRIX, MATRIX)).astype(np.float32)
    out = np.empty_like(a)
    return lambda: np.dot(a, a, out=out)


def serve(program: str, threads: int) -> None:
    """Answer requests on stdin, a JSON line each, with the median seconds of a step."""
    if program == "pytorch":
        import torch

        torch.set_num_threads(threads)
    clock = time.process_time if threads == 1 else time.perf_counter
    known: dict[str, Step] = {}
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        key = json.dumps([asked["cell"], asked["shape"], asked["mode"], asked["way"]])
        if key not in known:
            known = {} if len(known) > 8 else known
            known[key] = make_step(program, asked, threads)
            known[key]()
        taken: list[float] = []
        until = time.perf_counter() + asked["seconds"]
        while time.perf_counter() < until or len(taken) < 3:
            began = clock()
            known[key]()
            taken.append(clock() - began)
        print(json.dumps(statistics.median(taken)), flush=True)


def make_step(program: str, asked: dict[str, Any], threads: int) -> Step:
    """What a request asks for."""
    if asked["mode"] == "matrix":
        return matrix_step()
    shape = tuple(asked["shape"])
    if program == "pytorch":
        return torch_step(asked["cell"], shape, asked["mode"], asked["way"])
    return our_step(asked["cell"], shape, asked["mode"], threads)


# ---- the comparison


class Program:
    """A process that serves one of the programs."""

    def __init__(self, name: str, threads: int) -> None:
        alone = {f"{library}_NUM_THREADS": str(threads) for library in ("OPENBLAS", "OMP", "MKL")}
        command = [sys.executable, __file__, "--serve", name, "--threads", str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **alone}
        )
        if self._answer() != "ready":
            raise SystemExit(f"{name} did not start")

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def seconds(self, **asked: Any) -> float:
        """Median seconds of a step."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"cell": "", "shape": [], "way": ""} | asked) + "\n")
        self.process.stdin.flush()
        return float(self._answer())


def compare(
    programs: dict[str, Program], cell: str, shape: tuple[int, ...], mode: str, rounds: int, seconds: float
) -> dict[str, Any]:
    """Figures of one shape: the programs take turns, PyTorch in all its ways."""
    asked = {"cell": cell, "shape": shape, "mode": mode, "seconds": seconds}
    ours: list[float] = []
    rate: list[float] = []
    peers: dict[str, list[float]] = {way: [] for way in WAYS[mode]}
    for _ in range(rounds):
        ours.append(programs["rnncast"].seconds(**asked))
        rate.append(2.0 * MATRIX**3 / programs["rnncast"].seconds(mode="matrix", seconds=seconds / 2))
        for way, found in peers.items():
            found.append(programs["pytorch"].seconds(**asked, way=way))
    medians = {way: statistics.median(found) for way, found in peers.items()}
    best = min(medians, key=lambda way: medians[way])
    done, mine, limit = operations(cell, shape, mode), statistics.median(ours), statistics.median(rate)
    return {
        "cell": cell,
        "shape": shape,
        "mode": mode,
        "seconds": mine,
        "pytorch_seconds": medians[best],
        "pytorch_way": best,
        "ratio": medians[best] / mine,
        "gigaflops": done / mine / 1e9,
        "matrix_gigaflops": limit / 1e9,
        "share": done / mine / limit,
    }


def main() -> None:
    """Compare all shapes, cells and modes, and print one table row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="threads of each program")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each program")
    parser.add_argument("--seconds", type=float, default=0.2, help="length of a turn")
    parser.add_argument("--cells", default=",".join(CELLS))
    parser.add_argument("--only", help="one shape B,T,F,H,L")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.threads)
        return
    programs = {name: Program(name, given.threads) for name in ("rnncast", "pytorch")}
    shapes = [tuple(map(int, given.only.split(",")))] if given.only else SHAPES
    print("| mode | cell | B,T,F,H,L | rnncast ms | PyTorch ms | its way | ratio | share of sgemm |")
    print("|---|---|---|---|---|---|---|---|")
    figures = []
    for mode in ("train", "infer"):
        for shape in shapes:
            for cell in given.cells.split(","):
                got = compare(programs, cell, shape, mode, given.rounds, given.seconds)
                figures.append(got)
                print(
                    f"| {mode} | {cell} | {','.join(map(str, shape))} | {got['seconds'] * 1e3:.3f} | "
                    f"{got['pytorch_seconds'] * 1e3:.3f} | {got['pytorch_way']} | {got['ratio']:.2f} | "
                    f"{got['share']:.0%} |",
                    flush=True,
                )
        ratios = [got["ratio"] for got in figures if got["mode"] == mode]
        print(f"\n{mode}: geometric mean of the ratios {statistics.geometric_mean(ratios):.2f}\n", flush=True)
    if given.json:
        about = {
            "threads": given.threads,
            "rounds": given.rounds,
            "seconds": given.seconds,
            "python": platform.python_version(),
        }
        about |= {"machine": platform.machine(), "numpy": np.__version__}
        given.json.write_text(json.dumps(about | {"figures": figures}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
