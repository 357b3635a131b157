"""Accuracy of rnncast's defaults on real panels, beside the last value and M4's Naive2.

    python benchmarks/accuracy.py --data DATA [--panels m4_weekly,stocks_h5] [--json FILE] [-- OPTIONS OF TRAIN]

DATA is a folder with the series (`m4/`, `prices/`). Each panel is trained once, on the rows before its first origin,
with `rnncast train`, and forecast from every origin with fresh rows, with `rnncast forecast`: what a user would type.
Price panels: the last 1,500 rows of series of 700 rows or more, ten origins 20 rows apart. M4: the official split.

`--before N` leaves the last N rows of each history out before anything else is done, and scores on rows that the
reported figures do not use: settings are chosen there.

Figures: sMAPE and MASE as in M4 (means over tasks), OWA against Naive2, relative MAE to the last value (geometric mean
over tasks), coverage and mean scaled interval score of the 95 % interval, wall seconds of train and of forecast.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnncast.baselines.paths import naive2
from rnncast.evaluation import metrics

LEVEL = 95


@dataclass(frozen=True)
class PanelSpec:
    """A panel's files and how it is split."""

    path: str
    column: str
    horizon: int
    season: int = 1
    test: str | None = None  # M4: the official test part
    leave_out: tuple[str, ...] = ()


_STOCKS = "prices/stocks_stocknet88_ohlcv_2012_2017.parquet"
_FX = "prices/fx_h10_daily.parquet"
_PEGGED = ("Venezuela",)  # one constant for years: its scale makes MASE meaningless

PANELS = {
    "stocks_h5": PanelSpec(_STOCKS, "adj_close", 5),
    "stocks_h20": PanelSpec(_STOCKS, "adj_close", 20),
    "fx_h5": PanelSpec(_FX, "y", 5, leave_out=_PEGGED),
    "fx_h20": PanelSpec(_FX, "y", 20, leave_out=_PEGGED),
    "m4_weekly": PanelSpec("m4/m4_weekly_train.parquet", "y", 13, test="m4/m4_weekly_test.parquet"),
    "m4_daily_sub72": PanelSpec("m4/m4_daily_sub72_train.parquet", "y", 14, test="m4/m4_daily_sub72_test.parquet"),
    "m4_hourly": PanelSpec("m4/m4_hourly_train.parquet", "y", 48, season=24, test="m4/m4_hourly_test.parquet"),
}

ORIGINS, ORIGIN_STEP, TAIL, FEWEST = 10, 20, 1500, 700


@dataclass(frozen=True)
class Task:
    """One forecast to make: a history, and what came after it."""

    series: str
    origin: int
    stamps: np.ndarray
    history: np.ndarray
    actual: np.ndarray


def load_tasks(spec: PanelSpec, data: Path, before: int) -> list[Task]:
    """Histories and what came, origin after origin."""
    frame = (
        pd.read_parquet(data / spec.path)[["unique_id", "ds", spec.column]].dropna().sort_values(["unique_id", "ds"])
    )
    series = {
        str(name): (rows["ds"].to_numpy(), rows[spec.column].to_numpy(float))
        for name, rows in frame.groupby("unique_id", sort=True)
    }
    if spec.test is not None:
        return _official_tasks(spec, data, series, before)
    tasks = []
    for origin in range(ORIGINS):
        for name, (stamps, rows) in series.items():
            if name in spec.leave_out or len(rows) < FEWEST:
                continue
            kept = slice(len(rows) - min(len(rows), TAIL), len(rows) - before)
            stamps, rows = stamps[kept], rows[kept]
            end = len(rows) - (ORIGINS - 1 - origin) * ORIGIN_STEP - spec.horizon
            if end >= 2 * spec.horizon:
                tasks.append(Task(name, origin, stamps[:end], rows[:end], rows[end : end + spec.horizon]))
    return tasks


def _official_tasks(
    spec: PanelSpec, data: Path, series: dict[str, tuple[np.ndarray, np.ndarray]], before: int
) -> list[Task]:
    h = spec.horizon
    if before:
        kept = {name: (stamps, rows[: len(rows) - before + h]) for name, (stamps, rows) in series.items()}
        return [Task(name, 0, stamps[: len(y) - h], y[:-h], y[-h:]) for name, (stamps, y) in kept.items()]
    test = pd.read_parquet(data / str(spec.test)).sort_values(["unique_id", "ds"])
    actual = {str(name): rows["y"].to_numpy(float) for name, rows in test.groupby("unique_id", sort=True)}
    return [Task(name, 0, stamps, rows, actual[name]) for name, (stamps, rows) in series.items()]


def long_frame(tasks: dict[str, Task]) -> pd.DataFrame:
    """Long layout of the histories, by the name that each is to have."""
    lengths = [len(task.history) for task in tasks.values()]
    return pd.DataFrame(
        {
            "unique_id": np.repeat(list(tasks), lengths),
            "ds": np.concatenate([task.stamps for task in tasks.values()]),
            "y": np.concatenate([task.history for task in tasks.values()]),
        }
    )


def run(command: list[str]) -> float:
    """Run rnncast; return wall seconds."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "rnncast", *command], check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - began


def measure(name: str, spec: PanelSpec, tasks: list[Task], options: list[str]) -> dict[str, Any]:
    """Train once, forecast every task, score."""
    with tempfile.TemporaryDirectory() as folder:
        train, history, out, model = (f"{folder}/{part}" for part in ("t.parquet", "h.parquet", "o.parquet", "m.npz"))
        long_frame({task.series: task for task in tasks if task.origin == 0}).to_parquet(train)
        tagged = {f"{task.series}|{task.origin}": task for task in tasks}
        long_frame(tagged).to_parquet(history)
        common = ["--horizon", str(spec.horizon), "--level", "80", "--level", str(LEVEL), "-q"]
        season = ["--season-length", str(spec.season)]
        trained = run(["train", train, "-o", model, *common, *season, "--skip-bad", *options])
        forecast = run(["forecast", model, history, "-o", out, *common])
        issued = dict(tuple(pd.read_parquet(out).groupby("unique_id", sort=False)))
    rows = [_score_task(issued[tag], task, spec) for tag, task in tagged.items()]
    table = pd.DataFrame(rows)
    usable = (table.naive_mae > 0) & (table.mae > 0)
    return {
        "panel": name,
        "tasks": len(table),
        "smape": table.smape.mean(),
        "mase": table.mase.mean(),
        "owa": 0.5 * (table.smape.mean() / table.naive2_smape.mean() + table.mase.mean() / table.naive2_mase.mean()),
        "relative_mae": float(np.exp(np.log(table.mae[usable] / table.naive_mae[usable]).mean())),
        "coverage": table.coverage.mean(),
        "scaled_interval_score": table.interval.mean(),
        "train_seconds": trained,
        "forecast_seconds": forecast,
    }


def _score_task(issued: pd.DataFrame, task: Task, spec: PanelSpec) -> dict[str, float]:
    point, actual = issued["rnncast"].to_numpy(), task.actual
    low, high = issued[f"rnncast-lo-{LEVEL}"].to_numpy(), issued[f"rnncast-hi-{LEVEL}"].to_numpy()
    scale = metrics.absolute_scale(task.history, spec.season)
    benchmark = naive2(task.history, spec.horizon, spec.season)
    return {
        "mae": metrics.mae(actual, point),
        "naive_mae": metrics.mae(actual, np.full(spec.horizon, task.history[-1])),
        "smape": metrics.smape(actual, point),
        "mase": metrics.mase(actual, point, scale),
        "naive2_smape": metrics.smape(actual, benchmark),
        "naive2_mase": metrics.mase(actual, benchmark, scale),
        "coverage": metrics.coverage(actual, low, high),
        "interval": metrics.interval_score(actual, low, high, LEVEL) / scale if scale > 0 else np.nan,
    }


def main() -> None:
    """Measure the panels named and print one table row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--panels", default=",".join(PANELS))
    parser.add_argument("--before", type=int, default=0, help="leave out the last N rows of each history first")
    parser.add_argument("--json", type=Path)
    parser.add_argument("options", nargs="*", help="options passed on to rnncast train, after --")
    given = parser.parse_args()
    print("| panel | tasks | sMAPE | MASE | OWA | relative MAE | coverage 95 | MSIS 95 | train s | forecast s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in given.panels.split(","):
        spec = PANELS[name]
        got = measure(name, spec, load_tasks(spec, given.data, given.before), given.options)
        figures = (
            f"{got['smape']:.3f} | {got['mase']:.3f} | {got['owa']:.3f} | {got['relative_mae']:.4f} | "
            f"{got['coverage']:.3f} | {got['scaled_interval_score']:.2f} | "
            f"{got['train_seconds']:.1f} | {got['forecast_seconds']:.1f}"
        )
        print(f"| {name} | {got['tasks']} | {figures} |", flush=True)
        if given.json:
            with open(given.json, "a", encoding="utf-8") as stream:
                stream.write(json.dumps({**got, "options": given.options, "before": given.before}) + "\n")


if __name__ == "__main__":
    main()
