"""Short, ragged and hard series, forecast with default options: never worse than naive, never absurd, none refused.

    python benchmarks/hard_series.py [--kinds KIND,...] [--seeds N] [--horizons default,4] [--json FILE]

Each kind of series is generated in several lengths and with several seeds. Every series is a panel of its own
(`alone`), and all of one seed are one ragged panel (`together`). Forecast are the rows after the last one shown.

For each kind: the mean absolute error of what is issued relative to the last value and to the last season, as the mean
over series of ratios (a tenth of the usual change is added to both errors, so that those which never move come to 1)
and as a ratio of sums of errors scaled by the usual change; the share of values in the 95 % interval; its scaled
interval score relative to that of the last value with normal intervals; how many ranges of the history the farthest
point or bound lies beyond it. What is refused, farther than ten ranges or no finite number is named.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendar import learn_calendar
from rnncast.data.panel import Columns, Panel
from rnncast.errors import RnncastError
from rnncast.forecasting.predict import forecast
from rnncast.training.defaults import TrainOptions, resolve
from rnncast.training.split import without_short_series
from rnncast.training.train import train

Floats = NDArray[np.float64]
Generator = np.random.Generator

LEVEL = 0.95
NORMAL_975 = 1.959964
GUARD = 0.1
MOST_AHEAD = 24
"""Rows that are generated beyond those shown, at least as many as any horizon."""


def walk(rng: Generator, rows: int) -> Floats:
    """Prices: a geometric random walk with heavy tails."""
    return 100.0 * np.exp(np.cumsum(0.02 * rng.standard_t(4, rows)))


def noise(rng: Generator, rows: int) -> Floats:
    """White noise around a level, some of it negative."""
    return rng.standard_normal(rows)


def negative(rng: Generator, rows: int) -> Floats:
    """A walk below zero."""
    return -50.0 + np.cumsum(rng.standard_normal(rows))


def linear_trend(rng: Generator, rows: int) -> Floats:
    """A line and noise."""
    slope = rng.choice([-1.0, 0.5, 2.0])
    return 200.0 + slope * np.arange(rows) + 2.0 * rng.standard_normal(rows)


def exponential_trend(rng: Generator, rows: int) -> Floats:
    """Growth by the same share at each row, and noise."""
    growth = rng.choice([0.01, 0.03, 0.06])
    return 10.0 * np.exp(growth * np.arange(rows) + 0.05 * rng.standard_normal(rows))


def constant(rng: Generator, rows: int) -> Floats:
    """One value, zero among others."""
    return np.full(rows, rng.choice([0.0, 5.0, -3.0, 1e6]))


def constant_stretches(rng: Generator, rows: int) -> Floats:
    """A walk that stands still for a third of the time."""
    steps = rng.standard_normal(rows) * (np.arange(rows) // 12 % 3 != 1)
    return 100.0 + np.cumsum(steps)


def level_break(rng: Generator, rows: int) -> Floats:
    """Noise that is elsewhere from one row on, anywhere in the history."""
    broken = np.arange(rows) >= rng.integers(rows // 4, rows - MOST_AHEAD)
    return 100.0 + rng.standard_normal(rows) + rng.choice([-60.0, 900.0]) * broken


def demand(rng: Generator, rows: int) -> Floats:
    """Zeros, and now and then an order."""
    return np.where(rng.random(rows) < rng.choice([0.1, 0.3, 0.6]), 1.0 + rng.poisson(4, rows), 0.0)


def price_list(rng: Generator, rows: int) -> Floats:
    """A price that stands for weeks, and then jumps."""
    jumps = (rng.random(rows) < 0.04) * rng.normal(0.0, 0.15, rows)
    return np.round(80.0 * np.exp(np.cumsum(jumps)), 2)


def crash_list(rng: Generator, rows: int) -> Floats:
    """A price list that falls to a thirtieth and comes back."""
    place = rng.integers(0, max(1, rows - MOST_AHEAD - 10))
    return np.where(np.abs(np.arange(rows) - place) < 8, 24.0, 750.0)


def outlier(rng: Generator, rows: int) -> Floats:
    """A walk with one wild row in it."""
    values = 100.0 + np.cumsum(rng.standard_normal(rows))
    values[rng.integers(0, rows - MOST_AHEAD)] *= 100.0
    return values


def outlier_last(rng: Generator, rows: int) -> Floats:
    """Noise whose last row shown is a wild one."""
    values = 100.0 + rng.standard_normal(rows)
    values[rows - MOST_AHEAD - 1] = 10_000.0
    return values


def monthly(rng: Generator, rows: int) -> Floats:
    """Months with a season that multiplies, a trend, and noise."""
    season = np.exp(rng.uniform(0.05, 0.3) * np.sin(2 * np.pi * np.arange(rows) / 12 + rng.uniform(0, 6)))
    shape = np.exp(0.1 * rng.standard_normal(12))[np.arange(rows) % 12]
    trend = 100.0 * np.exp(rng.choice([0.0, 0.004, 0.01]) * np.arange(rows))
    return trend * season * shape * np.exp(0.03 * rng.standard_normal(rows))


def monthly_additive(rng: Generator, rows: int) -> Floats:
    """Months whose season adds to a walk around zero."""
    shape = 3.0 * rng.standard_normal(12)[np.arange(rows) % 12]
    return shape + np.cumsum(0.5 * rng.standard_normal(rows))


@dataclass(frozen=True)
class Kind:
    """How a series is made, and in which lengths; `season` is that of its baseline and of its dates, 1 for days."""

    make: Callable[[Generator, int], Floats]
    lengths: tuple[int, ...] = (12, 20, 35, 60, 150)
    season: int = 1


KINDS = {
    "walk": Kind(walk, (12, 20, 35, 60, 150, 400)),
    "noise": Kind(noise),
    "negative": Kind(negative),
    "linear trend": Kind(linear_trend),
    "exponential trend": Kind(exponential_trend),
    "constant": Kind(constant),
    "constant stretches": Kind(constant_stretches),
    "level break": Kind(level_break),
    "demand": Kind(demand, (20, 60, 150, 400)),
    "price list": Kind(price_list, (20, 60, 150, 400)),
    "crash list": Kind(crash_list, (35, 150, 400)),
    "outlier": Kind(outlier),
    "outlier last": Kind(outlier_last),
    "monthly": Kind(monthly, (20, 30, 36, 48, 72, 144), 12),
    "monthly additive": Kind(monthly_additive, (36, 72, 144), 12),
}


@dataclass(frozen=True)
class Task:
    """Rows of a series that are shown, and those that come after."""

    kind: str
    shown: Floats
    future: Floats

    @property
    def season(self) -> int:
        """Rows of its season."""
        return KINDS[self.kind].season


def make_tasks(kinds: list[str], seed: int) -> list[Task]:
    """A task for each kind and length."""
    tasks = []
    for kind in kinds:
        for length in KINDS[kind].lengths:
            rng = np.random.default_rng([seed, length, *kind.encode()])
            values = KINDS[kind].make(rng, length + MOST_AHEAD)
            tasks.append(Task(kind, values[:length], values[length:]))
    return tasks


def make_panel(tasks: list[Task]) -> Panel:
    """Panel of the rows shown: months for monthly series alone, business days for all else; all end together."""
    lengths = [len(task.shown) for task in tasks]
    if all(task.season == 12 for task in tasks):
        months = np.datetime64("2020-12", "M") - np.arange(max(lengths))[::-1]
        stamps = months.astype("datetime64[us]")
    else:
        stamps = np.busday_offset("2020-12-01", -np.arange(max(lengths))[::-1], roll="forward").astype("datetime64[us]")
    indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    times = np.concatenate([stamps[-n:] for n in lengths])
    return Panel(
        ids=tuple(f"{number:03d} {task.kind} {len(task.shown)}" for number, task in enumerate(tasks)),
        indptr=indptr,
        times=times,
        values=np.concatenate([task.shown for task in tasks])[:, None],
        columns=Columns("ds", "unique_id" if len(tasks) > 1 else None, "y"),
        calendar=learn_calendar(times, indptr),
    )


def issue(tasks: list[Task], horizon: int | None) -> tuple[list[Floats], list[Floats], str]:
    """Points (K,) and 95 % bounds (K, 2) of each task with default options, and what was issued."""
    panel = make_panel(tasks)
    network, training, _ = resolve(TrainOptions(horizon=horizon), panel)
    panel, left_out = without_short_series(panel, network, skip=False)
    assert not left_out
    model, _ = train(panel, network, training)
    got = forecast(model, None, network.horizon, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    steps = network.horizon
    gate = ", ".join(dict.fromkeys(f"{blend.baseline} {1 - blend.share:.2f}" for blend in model.gate))
    return list(got.point.reshape(-1, steps)), list(got.quantiles.reshape(-1, steps, 2)), gate


def scores_of(task: Task, point: Floats, bounds: Floats) -> dict[str, float]:
    """What came beside what was issued, and beside what the last value and the last season say."""
    steps = min(len(point), len(task.future))
    shown, future, point, bounds = task.shown, task.future[:steps], point[:steps], bounds[:steps]
    changes = np.diff(shown)
    usual = float(np.abs(changes).mean())
    unit = usual if usual > 0 else 1.0
    ahead = np.sqrt(np.arange(1, steps + 1))
    deviation = NORMAL_975 * np.sqrt(np.mean(changes**2)) * ahead
    normal = shown[-1] + np.stack((-deviation, deviation), axis=1)
    season = shown[-task.season :] if len(shown) >= task.season else shown[-1:]
    seasonal = season[np.arange(steps) % len(season)]
    error, naive, last_season = (float(np.abs(future - path).mean()) for path in (point, shown[-1], seasonal))
    span = float(np.ptp(shown)) or max(abs(float(shown[-1])), 1.0)
    issued = np.concatenate((point, bounds.reshape(-1)))
    return {
        "error": error / unit,
        "naive": naive / unit,
        "seasonal": last_season / unit,
        "ratio": (error + GUARD * unit) / (naive + GUARD * unit),
        "seasonal ratio": (error + GUARD * unit) / (last_season + GUARD * unit),
        "covered": float(((future >= bounds[:, 0]) & (future <= bounds[:, 1])).mean()),
        "interval": interval_score(future, bounds) / unit,
        "naive interval": interval_score(future, normal) / unit,
        "naive covered": float(((future >= normal[:, 0]) & (future <= normal[:, 1])).mean()),
        "farthest": float(max(issued.max() - shown.max(), shown.min() - issued.min(), 0.0)) / span,
        "not finite": float(not np.isfinite(issued).all()),
    }


def interval_score(future: Floats, bounds: Floats) -> float:
    """Mean interval score of Gneiting and Raftery (2007)."""
    low, high = bounds.T
    missed = np.maximum(low - future, 0.0) + np.maximum(future - high, 0.0)
    return float((high - low + 2.0 / (1.0 - LEVEL) * missed).mean())


def summary(scores: list[dict[str, float]]) -> dict[str, float]:
    """Means and ratios over tasks."""
    total = {name: sum(score[name] for score in scores) for name in scores[0]}

    def ratio(name: str, by: str) -> float:
        return total[name] / total[by] if total[by] > 0 else 1.0

    return {
        "series": len(scores),
        "ratio": total["ratio"] / len(scores),
        "sums": ratio("error", "naive"),
        "worst": max(score["ratio"] for score in scores),
        "seasonal ratio": total["seasonal ratio"] / len(scores),
        "seasonal sums": ratio("error", "seasonal"),
        "coverage": total["covered"] / len(scores),
        "naive coverage": total["naive covered"] / len(scores),
        "interval": ratio("interval", "naive interval"),
        "farthest": max(score["farthest"] for score in scores),
        "not finite": total["not finite"],
    }


def run(kinds: list[str], seeds: int, horizon: int | None, together: bool) -> dict[str, list[dict[str, float]]]:
    """Scores by kind; what is refused is printed with its message."""
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for seed in range(seeds):
        tasks = make_tasks(kinds, seed)
        for panel in [tasks] if together else [[task] for task in tasks]:
            try:
                points, bounds, gate = issue(panel, horizon)
            except RnncastError as error:
                print(f"REFUSED: {panel[0].kind}, {len(panel[0].shown)} rows, seed {seed}: {error}", flush=True)
                continue
            for task, *issued in zip(panel, points, bounds, strict=True):
                score = scores_of(task, *issued)
                found[task.kind].append({**score, "rows": len(task.shown)})
                if score["farthest"] > 10 or score["not finite"]:
                    print(f"ABSURD: {task.kind}, {len(task.shown)} rows, seed {seed}, {gate}: {score}", flush=True)
    return found


HEAD = (
    "| panel | horizon | kind | series | relative MAE | ratio of sums | worst | to last season | ratio of sums | "
    "coverage | of naive | interval score | farthest |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def row(name: str, horizon: int | None, kind: str, got: dict[str, float]) -> str:
    """A row of the table."""
    return (
        f"| {name} | {horizon or 'default'} | {kind} | {got['series']:.0f} | {got['ratio']:.3f} | {got['sums']:.3f} | "
        f"{got['worst']:.2f} | {got['seasonal ratio']:.3f} | {got['seasonal sums']:.3f} | {got['coverage']:.3f} | "
        f"{got['naive coverage']:.3f} | {got['interval']:.3f} | {got['farthest']:.2f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--horizons", default="default,4")
    parser.add_argument("--panels", default="alone,together")
    parser.add_argument("--json")
    given = parser.parse_args()
    kinds, began = given.kinds.split(","), time.perf_counter()
    print(HEAD)
    for horizon in [None if text == "default" else int(text) for text in given.horizons.split(",")]:
        for name in given.panels.split(","):
            found = run(kinds, given.seeds, horizon, name == "together")
            every = [score for scores in found.values() for score in scores]
            for kind, scores in {**found, "ALL": every}.items():
                if scores:
                    got = summary(scores)
                    print(row(name, horizon, kind, got), flush=True)
                    if given.json:
                        with open(given.json, "a", encoding="utf-8") as stream:
                            stream.write(json.dumps({"panel": name, "horizon": horizon, "kind": kind, **got}) + "\n")
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
