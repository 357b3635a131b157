"""What the tests and intervals of a backtest's verdict are worth, by simulation: size, power and coverage.

    python benchmarks/evidence_size.py [--runs 4000]

1. Size and power of the Diebold-Mariano test with overlapping horizons (a moving average of as many shocks as origins
   overlap), beside the variant of Harvey, Leybourne & Newbold (1997): share of p values below 5 % where both methods
   are equally good, and where the difference is 3 standard errors of its mean.
2. False claims on random walks: "better than the last value" at 5 %, one noisy forecast and an issued last value, by
   the horizon's absolute errors themselves.
3. Coverage of the 95 % block bootstrap intervals of skill, and of shares inside 80 % and 95 % intervals that are right.
"""

from __future__ import annotations

import argparse
import math
from statistics import NormalDist

import numpy as np

from rnncast.evaluation.bootstrap import BlockBootstrap
from rnncast.evaluation.significance import diebold_mariano, fewest_origins

Floats = np.ndarray

TAILS = ("normal", "t3", "garch")


def shocks(kind: str, rng: np.random.Generator, count: int) -> Floats:
    """Shocks (count,) with mean 0 and variance 1: normal, Student's t on 3 degrees of freedom, or GARCH(1, 1)."""
    if kind == "normal":
        return rng.standard_normal(count)
    if kind == "t3":
        return rng.standard_t(3, count) / math.sqrt(3.0)
    burn = 100
    draws = rng.standard_t(5, count + burn) / math.sqrt(5.0 / 3.0)
    values, variance = np.empty(count + burn), 1.0
    for t, draw in enumerate(draws):
        values[t] = math.sqrt(variance) * draw
        variance = 0.05 + 0.1 * values[t] ** 2 + 0.85 * variance
    return values[burn:]


def moving_sums(values: Floats, lag: int) -> Floats:
    """Sums over lag + 1 neighbours."""
    return np.convolve(values, np.ones(lag + 1), mode="valid")


def size_and_power(runs: int, rng: np.random.Generator) -> None:
    """Table 1."""
    print("| origins | overlap | shocks | size, % | power, % | size of HLN, % | power of HLN, % |\n" + "|---" * 7 + "|")
    for origins, lag in ((8, 0), (20, 0), (60, 0), (200, 0), (20, 4), (60, 4), (200, 4), (60, 9), (200, 9)):
        for kind in TAILS:
            found = np.zeros(4)
            effect = 3.0 * (lag + 1) / math.sqrt(origins)
            for _ in range(runs):
                d = moving_sums(shocks(kind, rng, origins + lag), lag)
                for place, shift in ((0, 0.0), (1, effect)):
                    test = diebold_mariano(d + shift, np.zeros(origins), lag)
                    found[place] += test.p_value < 0.05
                    found[place + 2] += test.classic[1] < 0.05
            shares = " | ".join(f"{100 * share:.1f}" for share in found / runs)
            print(f"| {origins} | {lag} | {kind} | {shares} |", flush=True)


def walk_errors(kind: str, rng: np.random.Generator, origins: int, horizon: int, step: int) -> tuple[Floats, Floats]:
    """Changes (origins, horizon) of a random walk after each origin, and a forecast of them that knows nothing."""
    walk = np.cumsum(np.concatenate(([0.0], shocks(kind, rng, (origins - 1) * step + horizon))))
    starts = step * np.arange(origins)
    changes = walk[starts[:, None] + np.arange(1, horizon + 1)] - walk[starts][:, None]
    slope = 0.1 * np.sign(rng.standard_normal()) + 0.1 * rng.standard_normal((origins, 1))
    return changes, slope * np.sqrt(np.arange(1, horizon + 1))


def false_claims(runs: int, rng: np.random.Generator) -> None:
    """Table 2."""
    print("\n| origins | horizon | step | shocks | better, % | worse, % |\n" + "|---" * 6 + "|")
    for origins, horizon, step in ((10, 5, 5), (60, 1, 1), (60, 5, 5), (60, 5, 1), (200, 5, 1), (200, 20, 5)):
        lag = math.ceil(horizon / step) - 1
        for kind in TAILS:
            better = worse = 0
            for _ in range(runs):
                changes, forecast = walk_errors(kind, rng, origins, horizon, step)
                own, last = np.abs(changes - forecast).mean(axis=1), np.abs(changes).mean(axis=1)
                test = diebold_mariano(own, last, lag)
                better += test.significant and test.difference < 0
                worse += test.significant and test.difference > 0
            print(f"| {origins} | {horizon} | {step} | {kind} | {100 * better / runs:.1f} | {100 * worse / runs:.1f} |")


def interval_coverage(runs: int, rng: np.random.Generator) -> None:
    """Table 3."""
    print("\n| origins | horizon | step | skill, normal | skill, garch | 80 % | 95 % |\n" + "|---" * 7 + "|")
    for origins, horizon, step in ((10, 1, 1), (10, 5, 5), (60, 1, 1), (60, 5, 5), (30, 5, 1), (60, 5, 1), (200, 5, 1)):
        lag = math.ceil(horizon / step) - 1
        assert origins >= fewest_origins(lag)
        cells = [skill_coverage(kind, runs, rng, origins, horizon, step) for kind in ("normal", "garch")]
        cells += [share_coverage(level, runs, rng, origins, horizon, step) for level in (0.8, 0.95)]
        print(f"| {origins} | {horizon} | {step} | {' | '.join(f'{100 * cell:.1f}' for cell in cells)} |", flush=True)


def skill_coverage(kind: str, runs: int, rng: np.random.Generator, origins: int, horizon: int, step: int) -> float:
    """Share of intervals that hold the skill of a forecast that knows a fifth of each change, plus noise."""

    def losses(count: int) -> Floats:
        changes, _ = walk_errors(kind, rng, count, horizon, step)
        noise = 0.2 * np.sqrt(np.arange(1, horizon + 1)) * rng.standard_normal((count, 1))
        return np.stack([np.abs(0.8 * changes - noise).mean(axis=1), np.abs(changes).mean(axis=1)], axis=1)

    means = losses(200_000).mean(axis=0)
    truth = 1.0 - means[0] / means[1]
    bootstrap = BlockBootstrap(origins, math.ceil(horizon / step) - 1)
    held = 0
    for _ in range(runs):
        drawn = bootstrap.sums(losses(origins))
        low, high = bootstrap.interval(1.0 - drawn[:, 0] / drawn[:, 1])
        held += low <= truth <= high
    return held / runs


def share_coverage(level: float, runs: int, rng: np.random.Generator, origins: int, horizon: int, step: int) -> float:
    """Share of intervals that hold the level of intervals that are right at each step of a normal walk."""
    bootstrap = BlockBootstrap(origins, math.ceil(horizon / step) - 1)
    width = NormalDist().inv_cdf(0.5 + level / 2.0) * np.sqrt(np.arange(1, horizon + 1))
    held = 0
    for _ in range(runs):
        changes, _ = walk_errors("normal", rng, origins, horizon, step)
        hits = (np.abs(changes) <= width).mean(axis=1)
        drawn = bootstrap.sums(hits[:, None])[:, 0] / origins
        low, high = bootstrap.share_interval(float(hits.mean()), drawn, origins * horizon, origins)
        held += low <= level <= high
    return held / runs


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4000)
    runs = parser.parse_args().runs
    size_and_power(runs, np.random.default_rng(1))
    false_claims(runs, np.random.default_rng(2))
    interval_coverage(max(runs // 4, 1), np.random.default_rng(3))


if __name__ == "__main__":
    main()
