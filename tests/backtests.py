"""Backtests of simulated walks for tests."""

import numpy as np

from rnncast.evaluation.issued import Backtest

LEVELS = np.array([0.1, 0.5, 0.9])
NORMAL_90 = 1.2815515655446004


def long_backtest(
    rng: np.random.Generator,
    *,
    series: int = 1,
    origins: int = 60,
    horizon: int = 2,
    step: int = 2,
    known: float = 0.0,
    noise: float = 0.2,
    wide_first: float = 2.0,
) -> Backtest:
    """Random walks with unit steps, forecast by the last value plus a known share of the change and some noise.

    Intervals of 80 per cent are right at every step, but `wide_first` times as wide at the first.
    """
    walks = 100 + np.cumsum(rng.normal(size=(series, step * origins + horizon)), axis=1)
    axes = np.meshgrid(np.arange(series), np.arange(origins), np.arange(1, horizon + 1), indexing="ij")
    owner, origin, steps = (axis.ravel() for axis in axes)  # (N,) each
    cutoffs = step * origin
    actual, last = walks[owner, cutoffs + steps], walks[owner, cutoffs]
    point = last + known * (actual - last) + noise * rng.normal(size=len(last))
    width = NORMAL_90 * np.sqrt(steps) * np.where(steps == 1, wide_first, 1.0)
    quantiles = last[:, None] + width[:, None] * np.array([-1.0, 0.0, 1.0])
    return Backtest(
        ids=tuple(f"s{number}" for number in range(series)),
        series=owner,
        origin=origin,
        cutoffs=cutoffs,
        times=cutoffs + steps,
        steps=steps,
        actual=actual,
        points={"rnncast": point, "last value": last},
        quantile_levels=LEVELS,
        quantiles={"rnncast": quantiles},
        scale_absolute=np.ones(len(actual)),
        scale_squared=np.ones(len(actual)),
        volatility=np.tile(rng.uniform(0.5, 2.0, series * origins).repeat(horizon), 1),
    )
