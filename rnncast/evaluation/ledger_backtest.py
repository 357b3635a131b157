"""The backtest that issued forecasts amount to: beside each the simple baselines, from the rows up to its cutoff alone.

Dimension letters: `N` rows, `Q` quantiles, `W` series of one cutoff, `K` steps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.garch_intervals import REFIT_EVERY
from rnncast.baselines.volatility import relative_volatility
from rnncast.data.panel import Panel
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.ledger_rows import LedgerRows
from rnncast.evaluation.metrics import absolute_scale, squared_scale
from rnncast.evaluation.origin_baselines import OriginBaselines
from rnncast.evaluation.significance import overlapping_origins
from rnncast.forecasting.result import METHOD

Floats = NDArray[np.float64]

OnTask = Callable[[int, int], None]
"""Called with the number of cutoffs looked at and the number of all."""


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
    points: dict[str, Floats] = {METHOD: ledger.point}
    quantiles: dict[str, Floats] = {METHOD: ledger.quantiles[:, whole]}
    scales = np.empty((3, len(ledger)))  # absolute, squared, relative volatility
    origins = np.split(np.arange(len(ledger)), np.flatnonzero(np.diff(ledger.cutoffs.astype(np.int64))) + 1)
    for number, own in enumerate(origins):
        if number % REFIT_EVERY == 0:
            baselines = OriginBaselines(int(ledger.steps.max()), season_length, levels)
        named, first, task = np.unique(series[own], return_index=True, return_inverse=True)  # (W,), (W,), (rows,)
        ends = cutoff[own][first] + 1  # (W,)
        histories = [panel.target[panel.indptr[s] : end] for s, end in zip(named, ends, strict=True)]
        place = task, ledger.steps[own] - 1
        for name, baseline in baselines.at(named.tolist(), histories).items():
            _put(points, name, own, baseline.point, place)
            _put(quantiles, name, own, baseline.quantiles, place)
        scales[:, own] = np.stack([_scales(history, season_length) for history in histories], axis=1)[:, task]
        on_task(number + 1, len(origins))
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
        points=points,
        quantile_levels=levels,
        quantiles=quantiles,
        scale_absolute=scales[0],
        scale_squared=scales[1],
        season_length=season_length,
        volatility=scales[2],
        zone=panel.calendar.zone,
        reach=reach,
    )


def _put(
    columns: dict[str, Floats],
    name: str,
    own: NDArray[np.int64],
    values: Floats | None,
    place: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    """Put values (W, K, ...) of a baseline into its column, at the rows of one cutoff: the task and step of each."""
    if values is None:
        return
    found = values[place]  # (rows, ...)
    if name not in columns:
        columns[name] = np.full((len(columns[METHOD]), *found.shape[1:]), np.nan)
    columns[name][own] = found


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
