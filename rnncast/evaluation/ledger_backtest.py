"""The backtest that issued forecasts amount to: beside each the simple baselines, from the rows up to its cutoff alone.

Dimension letters: `N` rows, `Q` quantiles, `W` tasks (one forecast of one series).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.volatility import relative_volatility
from rnncast.data.panel import Panel
from rnncast.evaluation.baselines import simple_baselines
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.ledger_rows import LedgerRows
from rnncast.evaluation.metrics import absolute_scale, squared_scale
from rnncast.evaluation.significance import overlapping_origins
from rnncast.forecasting.result import METHOD

Floats = NDArray[np.float64]

OnTask = Callable[[int, int], None]
"""Called with the number of forecasts looked at and the number of all."""


def issued_backtest(
    ledger: LedgerRows,
    panel: Panel,
    series: NDArray[np.int64],
    cutoff: NDArray[np.int64],
    outcome: NDArray[np.int64],
    season_length: int,
    on_task: OnTask,
) -> Backtest:
    """Forecasts with what came, and the baselines of their cutoffs.

    Parameters
    ----------
    ledger
        Rows (N,) sorted by cutoff, series and step. Quantiles that one of them lacks are left out.
    panel
        What came, and what came before.
    series, cutoff, outcome
        Series of each row, and the panel's rows of its cutoff and of what came (N,).
    season_length
        Rows of a season, 1 for none.
    on_task
        Told of the progress.
    """
    whole = np.isfinite(ledger.quantiles).all(axis=0)  # (Q,)
    levels = ledger.quantile_levels[whole]
    points, quantiles = {METHOD: [ledger.point]}, {METHOD: [ledger.quantiles[:, whole]]}
    scales = np.empty((3, len(ledger)))  # absolute, squared, relative volatility
    starts = np.flatnonzero(np.append(True, (np.diff(cutoff) != 0) | (np.diff(series) != 0)))  # (W,)
    for task, own in enumerate(np.split(np.arange(len(ledger)), starts[1:])):
        history = panel.target[panel.indptr[series[own[0]]] : cutoff[own[0]] + 1]
        steps = ledger.steps[own]
        for name, baseline in simple_baselines(history, int(steps.max()), season_length, levels).items():
            points.setdefault(name, []).append(baseline.point[steps - 1])
            quantiles.setdefault(name, []).append(baseline.quantiles[steps - 1])
        scales[:, own] = _scales(history, season_length)[:, None]
        on_task(task + 1, len(starts))
    # Series may have cutoffs of their own: what overlaps is counted over all of them, as if they were one.
    reach = overlapping_origins(np.zeros_like(series), ledger.cutoffs, ledger.times) if ledger.is_dated else None
    return Backtest(
        ids=panel.ids,
        series=series,
        origin=_origins(ledger, series),
        cutoffs=ledger.cutoffs,
        times=ledger.times,
        steps=ledger.steps,
        actual=panel.target[outcome],
        points={name: np.concatenate(pieces) for name, pieces in points.items()},
        quantile_levels=levels,
        quantiles={name: np.concatenate(pieces) for name, pieces in quantiles.items()},
        scale_absolute=scales[0],
        scale_squared=scales[1],
        season_length=season_length,
        volatility=scales[2],
        zone=panel.calendar.zone,
        reach=reach,
    )


def _scales(history: Floats, season_length: int) -> Floats:
    return np.array(
        [absolute_scale(history, season_length), squared_scale(history, season_length), relative_volatility(history)]
    )


def _origins(ledger: LedgerRows, series: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the origin of each row (N,): one a stamp; integer steps are each series' own, counted from its last."""
    stamps, number = np.unique(ledger.cutoffs, return_inverse=True)
    if ledger.is_dated:
        return number.astype(np.int64)
    tasks, place = np.unique(series * len(stamps) + number, return_inverse=True)  # (W,), (N,)
    owner = tasks // len(stamps)  # (W,)
    later = np.searchsorted(owner, owner, side="right") - np.arange(len(tasks)) - 1  # (W,) cutoffs of its series
    return np.asarray((later.max() - later)[place], dtype=np.int64)
