"""The job of `end_to_end.py` as a plain PyTorch loop: one process, from the CSV file to the weights of the refit.

    python benchmarks/end_to_end_pytorch.py JOB      (JSON, as `end_to_end.py` writes it)

It does what `rnncast train` does, as one would write it by hand: a search on the windows before the last fifth of the
rows, scored after each epoch on windows of that fifth, then a refit on all windows. Windows are gathered by index from
one tensor and normalised batch by batch. Network, loss, optimiser, clipping, schedule and moving average are the same;
padded windows at the start of a series, and the guards against values that are not finite, are left out.

Letters: R rows of all series, B windows of a batch, T steps, F features, K horizon steps.
"""

from __future__ import annotations

import copy
import json
import math
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch

WAYS = ("fused", "single", "fused batch-first", "fused no-onednn")
"""AdamW fused or parameter by parameter; windows by steps or steps by windows; oneDNN on or off."""

HELD_OUT, VALIDATION_WINDOWS, SPREAD_WINDOWS = 0.2, 4096, 20_000
WEIGHT_DECAY, CLIP, AVERAGE_DECAY, BETAS = 0.01, 1.0, 0.99, (0.9, 0.99)
WARM_UP, FINAL = 0.1, 0.05
TRIAL_ROUNDS = 3


class Network(torch.nn.Module):
    """Recurrent layer and a linear head on its last state, beside a linear map of the window."""

    def __init__(self, job: dict[str, Any], batch_first: bool) -> None:
        super().__init__()
        kind = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[job["cell"]]
        self.recurrent = kind(2, job["hidden"], batch_first=batch_first)
        self.output = torch.nn.Linear(job["hidden"], job["horizon"])
        self.direct = torch.nn.Linear(2 * job["input_size"], job["horizon"], bias=False)
        self.register_buffer("spread", torch.ones(job["horizon"]))
        self.batch_first = batch_first
        for parameter in (*self.output.parameters(), *self.direct.parameters()):
            torch.nn.init.zeros_(parameter)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Predictions (B, K) from inputs (T, B, F), or (B, T, F) where batches come first."""
        states, _ = self.recurrent(inputs)
        last = states[:, -1] if self.batch_first else states[-1]  # (B, H)
        rows = inputs if self.batch_first else inputs.transpose(0, 1)  # (B, T, F)
        return self.spread * (self.output(last) + self.direct(rows.flatten(1)))


class Windows:
    """Logarithms of all series in one tensor, and batches gathered from it."""

    def __init__(self, job: dict[str, Any], batch_first: bool) -> None:
        frame = pd.read_csv(job["file"], parse_dates=["ds"])
        self.values = torch.from_numpy(np.log(frame["y"].to_numpy())).float()  # (R,)
        lengths = frame.groupby("unique_id", sort=False).size().to_numpy()
        self.steps, self.horizon, self.batch_first = job["input_size"], job["horizon"], batch_first
        starts = np.cumsum(lengths) - lengths
        border = lengths - (HELD_OUT * lengths).astype(int)
        steps, horizon = self.steps, self.horizon
        self.everything = _ends(starts, np.full_like(lengths, steps), lengths - horizon)
        self.search = _ends(starts, np.full_like(lengths, steps), border - horizon)
        self.validation = _evenly(_ends(starts, border, lengths - horizon), VALIDATION_WINDOWS)

    def gather(self, ends: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs (T, B, F), or (B, T, F), and targets (B, K) of the windows that end before rows (B,)."""
        offsets = torch.arange(-self.steps, self.horizon)
        index = ends[:, None] + offsets if self.batch_first else ends + offsets[:, None]
        axis = 1 if self.batch_first else 0
        past, future = self.values[index].split((self.steps, self.horizon), axis)
        last = past.narrow(axis, self.steps - 1, 1)
        change = torch.diff(past, dim=axis, prepend=past.narrow(axis, 0, 1))
        scale = change.abs().sum(axis, keepdim=True) / (self.steps - 1)
        targets = (future - last) / scale
        return torch.stack(((past - last) / scale, change / scale), -1), targets if self.batch_first else targets.T


def _ends(starts: np.ndarray, first: np.ndarray, last: np.ndarray) -> torch.Tensor:
    """Rows just after the windows that end at ``first..last`` of each series."""
    parts = [np.arange(start + low, start + high + 1) for start, low, high in zip(starts, first, last, strict=True)]
    return torch.from_numpy(np.concatenate(parts))


def _evenly(ends: torch.Tensor, most: int) -> torch.Tensor:
    """At most so many of the windows, evenly spread."""
    return ends if len(ends) <= most else ends[np.linspace(0, len(ends) - 1, most).round().astype(int)]


def batches(ends: torch.Tensor, size: int) -> Iterator[torch.Tensor]:
    """Endless batches; each pass takes every window once, in a new order."""
    queue = ends[:0]
    while True:
        while len(queue) < size:
            queue = torch.cat((queue, ends[torch.randperm(len(ends))]))
        yield queue[:size]
        queue = queue[size:]


def learning_rate(update: int, total: int, highest: float) -> float:
    """Linear warm-up, then half a cosine."""
    warm_up = max(1, round(WARM_UP * total))
    if update <= warm_up:
        return highest * update / warm_up
    progress = min(1.0, (update - warm_up) / max(1, total - warm_up))
    return highest * (FINAL + (1 - FINAL) * 0.5 * (1 + math.cos(math.pi * progress)))


class Training:
    """A network under training on some windows, with the moving average of its weights."""

    def __init__(self, job: dict[str, Any], way: str, windows: Windows, ends: torch.Tensor) -> None:
        torch.manual_seed(job["seed"])
        self.job, self.windows, self.done = job, windows, 0
        self.network = Network(job, windows.batch_first)
        _, targets = windows.gather(_evenly(ends, SPREAD_WINDOWS))
        self.network.spread = targets.abs().mean(0)  # (K,) mean absolute error of the last value at each step
        self.averaged = copy.deepcopy(self.network)
        self.parameters, self.averages = list(self.network.parameters()), list(self.averaged.parameters())
        groups = [
            {"params": [one for one in self.parameters if one.ndim > 1], "weight_decay": WEIGHT_DECAY},
            {"params": [one for one in self.parameters if one.ndim == 1], "weight_decay": 0.0},
        ]
        options: dict[str, Any] = {"fused": True} if "fused" in way else {"foreach": False}
        self.optimiser = torch.optim.AdamW(groups, betas=BETAS, **options)
        self.batches = batches(ends, job["batch"])

    def update(self) -> None:
        """One update of the weights and of their average."""
        self.done += 1
        rate = learning_rate(self.done, self.job["max_epochs"] * self.job["epoch_updates"], self.job["learning_rate"])
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        inputs, targets = self.windows.gather(next(self.batches))
        self.optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.l1_loss(self.network(inputs), targets).backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, CLIP)
        self.optimiser.step()
        keep = min(AVERAGE_DECAY, self.done / (self.done + 10))
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, self.parameters, 1 - keep)

    def run(self, epochs: int, validation: tuple[torch.Tensor, torch.Tensor] | None = None) -> list[float]:
        """Epochs of updates; with validation windows, the averaged weights' loss on them after 0, 1, 2 ... epochs."""
        losses = [] if validation is None else [self.score(*validation)]
        for _ in range(epochs):
            for _ in range(self.job["epoch_updates"]):
                self.update()
            if validation is not None:
                losses.append(self.score(*validation))
        return losses

    def score(self, inputs: torch.Tensor, targets: torch.Tensor) -> float:
        """Mean absolute error of the averaged weights."""
        with torch.inference_mode():
            return float(torch.nn.functional.l1_loss(self.averaged(inputs), targets))


def whole(job: dict[str, Any], way: str) -> dict[str, Any]:
    """Search and refit; validation losses and the number of updates."""
    torch.backends.mkldnn.enabled = "no-onednn" not in way
    windows = Windows(job, "batch-first" in way)
    search = Training(job, way, windows, windows.search)
    losses = search.run(job["search_epochs"], windows.gather(windows.validation))
    refit = Training(job, way, windows, windows.everything)
    refit.run(job["refit_epochs"])
    torch.save(refit.averaged.state_dict(), job["model"])
    return {"validation": losses, "updates": search.done + refit.done}


def trial(job: dict[str, Any], updates: int) -> dict[str, float]:
    """Median seconds of so many updates in each of the ways, which take turns; on one thread those that it computes."""
    clock = time.process_time if job["threads"] == 1 else time.perf_counter
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    layouts = {batch_first: Windows(job, batch_first) for batch_first in (False, True)}
    for _ in range(TRIAL_ROUNDS):
        for way, found in taken.items():
            torch.backends.mkldnn.enabled = "no-onednn" not in way
            windows = layouts["batch-first" in way]
            training = Training(job, way, windows, windows.search)
            training.update()
            began = clock()
            for _ in range(updates):
                training.update()
            found.append((clock() - began) / updates)
    return {way: statistics.median(found) for way, found in taken.items()}


def main() -> None:
    """Train, or try the ways, and print the figures as JSON."""
    job = json.loads(sys.argv[1])
    torch.set_num_threads(job["threads"])
    print(json.dumps(trial(job, job["trial"]) if job.get("trial") else whole(job, job["way"])))


if __name__ == "__main__":
    main()
