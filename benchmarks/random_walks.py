"""How often a backtest claims skill: on random walks, where there is none, and on returns that can be predicted.

    python benchmarks/random_walks.py [--seeds 1000] [--processes 2] [--kinds normal,t3,garch,planted]

Random walks: 500 prices ``exp(cumsum(returns))``, with returns that are normal, Student's t on 3 degrees of freedom, or
a GARCH(1, 1); a small network is trained on the first 300 rows and forecasts 5 steps from 40 origins, 5 rows apart.
Planted: 3,500 prices whose returns are an AR(1) with a coefficient of sqrt(0.1), so that a tenth of their variance can
be known one step ahead; trained on 3,000 rows, one step from each of the last 500 origins. Beside it the oracle, whose
forecast is the true conditional median: what the test can find at all.

Counted is each verdict against the last value at 5 %: for what is issued (``rnncast``) and, where the backtest has it,
for the network without the blend (``network``). On a random walk at most 6.5 % may be "better"; of the planted parts at
least 80 % should be found.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnncast.baselines.paths import LAST_VALUE
from rnncast.core.threads import set_threads
from rnncast.data.calendar import learn_calendar
from rnncast.data.panel import Columns, Panel
from rnncast.evaluation.backtest import evaluate_panel
from rnncast.evaluation.evidence import gather_evidence
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.origin_baselines import OriginBaselines, OriginForecast
from rnncast.evaluation.origins import Plan
from rnncast.evaluation.scores import score_backtest
from rnncast.evaluation.verdict import judge
from rnncast.forecasting.result import METHOD, NETWORK
from rnncast.training.defaults import TrainOptions

VOLATILITY = 0.01
PLANTED = "planted"
COEFFICIENT = math.sqrt(0.1)
ORACLE = "oracle"
OUTCOMES = ("better", "worse", "no evidence", "same", "too few origins", "unknown")


@dataclass(frozen=True)
class Case:
    """One simulated series and how it is backtested."""

    kind: str
    seed: int
    rows: int
    horizon: int
    origins: int
    step: int


def case(kind: str, seed: int) -> Case:
    """Size of a case of a kind."""
    if kind == PLANTED:
        return Case(kind, seed, rows=3500, horizon=1, origins=500, step=1)
    return Case(kind, seed, rows=500, horizon=5, origins=40, step=5)


def returns_of(kind: str, rng: np.random.Generator, rows: int) -> np.ndarray:
    """Returns (rows,) of a kind, with a standard deviation of one."""
    if kind == "normal":
        return rng.standard_normal(rows)
    if kind == "t3":
        return rng.standard_t(3, rows) / math.sqrt(3.0)
    if kind == "garch":
        return garch(rng, rows)
    if kind == PLANTED:
        shocks = rng.standard_normal(rows + 100) * math.sqrt(1.0 - COEFFICIENT**2)
        returns = np.zeros(rows + 100)
        for t in range(1, len(returns)):
            returns[t] = COEFFICIENT * returns[t - 1] + shocks[t]
        return returns[100:]
    raise SystemExit(f"unknown kind {kind}: expected normal, t3, garch or {PLANTED}")


def garch(rng: np.random.Generator, rows: int, burn: int = 200) -> np.ndarray:
    """GARCH(1, 1) with t errors on 5 degrees of freedom: variance 0.05 + 0.1 r^2 + 0.85 v, one in the long run."""
    shocks = rng.standard_t(5, rows + burn) / math.sqrt(5.0 / 3.0)
    returns, variance = np.empty(rows + burn), 1.0
    for t, shock in enumerate(shocks):
        returns[t] = math.sqrt(variance) * shock
        variance = 0.05 + 0.1 * returns[t] ** 2 + 0.85 * variance
    return returns[burn:]


def outcomes(job: Case) -> dict[str, str]:
    """Outcome against the last value of each method of a case that can be judged."""
    set_threads(1)
    OriginBaselines.at = last_value_alone  # the others take most of the time, and are not asked
    rng = np.random.default_rng([job.seed, sum(map(ord, job.kind))])
    returns = VOLATILITY * returns_of(job.kind, rng, job.rows)  # (rows,)
    panel = panel_of(100.0 * np.exp(np.cumsum(returns)))
    options = TrainOptions(
        horizon=job.horizon, season_length=1, input_size=16, hidden_size=8, members=1, max_epochs=10, seed=job.seed
    )
    backtest = evaluate_panel(panel, options, Plan(n_windows=job.origins, step_size=job.step)).backtest
    if job.kind == PLANTED:
        backtest = with_oracle(backtest, returns)
    scores = score_backtest(backtest)
    own = [name for name in (METHOD, NETWORK, ORACLE) if name in backtest.points]
    return {name: judge(backtest, scores, gather_evidence(backtest, name)).last_value.outcome for name in own}


def last_value_alone(
    self: OriginBaselines, series: Sequence[int], histories: Sequence[np.ndarray]
) -> dict[str, OriginForecast]:
    """What the last value says at one origin."""
    return {LAST_VALUE: self._simple(histories)[LAST_VALUE]}


def with_oracle(backtest: Backtest, returns: np.ndarray) -> Backtest:
    """The backtest with the conditional median of an AR(1) beside; steps are counted from 1."""
    known = returns[backtest.cutoffs.astype(np.int64) - 1]  # (N,)
    points = dict(backtest.points) | {ORACLE: backtest.points[LAST_VALUE] * np.exp(COEFFICIENT * known)}
    return replace(backtest, points=points)


def panel_of(prices: np.ndarray) -> Panel:
    """One series of prices with integer steps from 1."""
    times, indptr = np.arange(1, len(prices) + 1, dtype=np.int64), np.array([0, len(prices)], dtype=np.int64)
    columns = Columns(time="step", id=None, target="price")
    return Panel(("price",), indptr, times, prices[:, None], columns, learn_calendar(times, indptr))


def main() -> None:
    """Run the cases of every kind and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--kinds", default=f"normal,t3,garch,{PLANTED}")
    arguments = parser.parse_args()
    print(f"| series | method | seeds | {' | '.join(OUTCOMES[:4])} | other | better, % | seconds a seed |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for kind in arguments.kinds.split(","):
        jobs = [case(kind, seed) for seed in range(arguments.seeds)]
        start = time.perf_counter()
        if arguments.processes > 1:
            with multiprocessing.get_context("spawn").Pool(arguments.processes) as pool:
                found = pool.map(outcomes, jobs, chunksize=4)
        else:
            found = [outcomes(job) for job in jobs]
        seconds = (time.perf_counter() - start) / len(jobs)
        for method in found[0]:
            print(line(kind, method, [result[method] for result in found], seconds), flush=True)


def line(kind: str, method: str, results: list[str], seconds: float) -> str:
    """One row of the table: outcomes counted, and the share that is better with its standard error."""
    counts, total = Counter(results), len(results)
    share = counts["better"] / total
    error = math.sqrt(share * (1.0 - share) / total)
    main_ones = [counts[outcome] for outcome in OUTCOMES[:4]]
    cells = [kind, method, total, *main_ones, total - sum(main_ones), f"{100 * share:.1f} +- {100 * error:.1f}"]
    return f"| {' | '.join(map(str, cells))} | {seconds:.2f} |"


if __name__ == "__main__":
    main()
