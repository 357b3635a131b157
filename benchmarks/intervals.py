"""Coverage and interval scores of calibrated intervals on real prices, beside RiskMetrics and GARCH.

    python benchmarks/intervals.py --data DATA [--panels stocks,fx,crypto,oil] [--horizons 5,20] [--json FILE]

DATA is a folder with the series (`prices/`). Each panel is trained once with default options, on the rows before its
first origin, and forecast from every origin (`evaluate` without refit). Stocks: adjusted close of those with 700 rows
or more, an origin every 2 rows. FX: without Venezuela, Malaysia, China and Hong Kong, which are pegged; the last 3,500
rows, an origin every 5. Crypto: without the stablecoin, an origin every 2. Oil: WTI and Brent, an origin every 5.

For the 90 % interval as issued (`rnncast`) and as corrected when outcomes came in (`adaptive`): the share of values
inside with its 95 % block-bootstrap interval over origins, the share in each third of the volatility at the cutoff, and
the mean scaled interval score relative to that of RiskMetrics and of GARCH(1,1) with Student's t (below 1: better).
Besides, the relative MAE to the last value of the network alone and of what is issued.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnncast.data.calendar import learn_calendar
from rnncast.data.panel import Columns, Panel
from rnncast.evaluation.adaptive import ADAPTIVE, with_adaptive
from rnncast.evaluation.backtest import evaluate_panel
from rnncast.evaluation.coverage import coverages
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.origins import Plan
from rnncast.evaluation.scores import score_backtest
from rnncast.evaluation.skill import interval_skills
from rnncast.training.defaults import TrainOptions

LEVEL = 90.0


@dataclass(frozen=True)
class Source:
    """File and column of a panel, series left out, rows from the end, and rows between origins."""

    path: str
    column: str
    step: int
    leave_out: tuple[str, ...] = ()
    tail: int | None = None


SOURCES = {
    "stocks": Source("stocks_stocknet88_ohlcv_2012_2017.parquet", "adj_close", 2),
    "fx": Source("fx_h10_daily.parquet", "y", 5, ("Venezuela", "Malaysia", "China", "Hong Kong"), 3500),
    "crypto": Source("crypto8_ohlcv_daily_to2018.parquet", "close", 2, ("USDT",)),
    "oil": Source("energy_eia_daily_to2018.parquet", "y", 5, ("HENRYHUB",)),
}
FEWEST = 700


def load(source: Source, data: Path) -> Panel:
    """The series of a panel."""
    frame = pd.read_parquet(data / "prices" / source.path)[["unique_id", "ds", source.column]].dropna()
    frame = frame[~frame["unique_id"].isin(source.leave_out)].sort_values(["unique_id", "ds"])
    if source.tail:
        frame = frame.groupby("unique_id").tail(source.tail)
    frame = frame.groupby("unique_id").filter(lambda rows: len(rows) >= FEWEST)
    lengths = frame.groupby("unique_id", sort=True).size()
    indptr = np.concatenate(([0], np.cumsum(lengths.to_numpy()))).astype(np.int64)
    times = frame["ds"].to_numpy().astype("datetime64[us]")
    return Panel(
        ids=tuple(map(str, lengths.index)),
        indptr=indptr,
        times=times,
        values=frame[source.column].to_numpy(np.float64)[:, None],
        columns=Columns("ds", "unique_id", source.column),
        calendar=learn_calendar(times, indptr),
    )


def measure(name: str, horizon: int, origins: int, data: Path) -> dict[str, Any]:
    """One panel at one horizon."""
    source = SOURCES[name]
    panel = load(source, data)
    began = time.perf_counter()
    options = TrainOptions(horizon=horizon, season_length=1, levels=(80.0, LEVEL, 95.0))
    run = evaluate_panel(panel, options, Plan(n_windows=origins, step_size=source.step), skip_short=True)
    backtest = with_adaptive(run.backtest)
    scores = score_backtest(backtest).methods
    return {
        "panel": name,
        "horizon": horizon,
        "series": len(panel.ids),
        "origins": origins,
        "step": source.step,
        "relative_mae_network": scores["network"].relative_mae,
        "relative_mae_issued": scores["rnncast"].relative_mae,
        "seconds": time.perf_counter() - began,
        "intervals": {method: of_method(backtest, method) for method in ("rnncast", ADAPTIVE)},
    }


def of_method(backtest: Backtest, method: str) -> dict[str, Any]:
    """Coverage and relative interval scores of one method's 90 % intervals."""
    cells = [cell for cell in coverages(backtest, method) if cell.level == LEVEL]
    (whole,) = (cell for cell in cells if cell.part == "all")
    skills = {skill.reference: skill for skill in interval_skills(backtest, method, LEVEL)}
    return {
        "coverage": whole.coverage,
        "interval": (whole.low, whole.high),
        "terciles": [cell.coverage for cell in cells if cell.part == "volatility"],
        **{
            f"score_to_{name.split()[0]}": (1 - skills[name].skill, 1 - skills[name].high, 1 - skills[name].low)
            for name in ("ewma normal", "garch t")
        },
    }


def main() -> None:
    """Measure the panels named and print one table row for each method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--panels", default=",".join(SOURCES))
    parser.add_argument("--horizons", default="5,20")
    parser.add_argument("--origins", type=int, default=200)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    print(
        "| panel | h | network | issued | intervals | inside 90 % | by volatility | score to RiskMetrics | to GARCH-t |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in given.panels.split(","):
        for horizon in map(int, given.horizons.split(",")):
            got = measure(name, horizon, given.origins, given.data)
            for method, found in got["intervals"].items():
                low, high = found["interval"]
                terciles = ", ".join(f"{100 * share:.1f}" for share in found["terciles"])
                ewma, garch = (
                    f"{ratio:.3f} ({least:.3f} to {most:.3f})"
                    for ratio, least, most in (found["score_to_ewma"], found["score_to_garch"])
                )
                print(
                    f"| {name} | {horizon} | {got['relative_mae_network']:.4f} | {got['relative_mae_issued']:.4f} | "
                    f"{method} | {100 * found['coverage']:.1f} ({100 * low:.1f} to {100 * high:.1f}) | {terciles} | "
                    f"{ewma} | {garch} |",
                    flush=True,
                )
            if given.json:
                with open(given.json, "a", encoding="utf-8") as stream:
                    stream.write(json.dumps(got) + "\n")


if __name__ == "__main__":
    main()
