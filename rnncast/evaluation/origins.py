"""Rolling origins: at which rows a backtest stands still, looks ahead, and is scored.

Series with dates share one clock: an origin is a stamp, and no series shows a row after it, so that nothing that is
trained on the panel has seen another series' future. Integer steps are each series' own count, as in competition
data; there an origin is a number of rows before each series' end.

Dimension letters: `W` origins, `S` series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncast.data.panel import Panel
from rnncast.errors import DataError, UsageError

DEFAULT_ORIGINS = 10
"""Origins of a backtest unless `--n-windows` says otherwise; fewer where there are not the rows for them."""

FIRST_SHARE = 0.5
"""Share of the rows that stays before the first origin when the number of origins is left to the data."""


@dataclass(frozen=True)
class Plan:
    """What the user asked of a backtest.

    Attributes
    ----------
    n_windows : int or None
        Number of origins; None for `DEFAULT_ORIGINS`, or as many as the data have rows for.
    step_size : int or None
        Rows between origins; None for the horizon, so that the scored parts do not overlap.
    refit : int
        0 trains once, before the first origin; N trains again at every N-th origin.
    """

    n_windows: int | None = None
    step_size: int | None = None
    refit: int = 0

    def __post_init__(self) -> None:
        for name, value in (("--n-windows", self.n_windows), ("--step-size", self.step_size)):
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, found {value}")
        if self.refit < 0:
            raise UsageError(f"--refit must be never, always or a number of origins, found {self.refit}")


@dataclass(frozen=True)
class Origins:
    """Rows that each series shows at each origin, and steps after it that are scored.

    Attributes
    ----------
    ends : int64 (W, S)
        Row just after the last one shown.
    steps : int64 (W, S)
        Steps scored, 0 to the horizon; 0 where a series shows too little or has nothing after the origin.
    """

    ends: NDArray[np.int64]
    steps: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends)

    def visible(self, origin: int, panel: Panel) -> NDArray[np.bool_]:
        """Mask over the panel's rows (R,): those at or before an origin."""
        return np.arange(len(panel.times)) < np.repeat(self.ends[origin], panel.lengths)


def rolling_origins(
    panel: Panel, horizon: int, plan: Plan, *, fewest_rows: int, earliest: np.datetime64 | int | None = None
) -> Origins:
    """Origins from the first to the last, the last one horizon before the end.

    Parameters
    ----------
    panel
        All rows.
    horizon
        Steps scored after each origin.
    plan
        Number of origins and rows between them.
    fewest_rows
        Rows that a series must show to be forecast.
    earliest
        No origin before this stamp or step (the last training row of a model).

    Raises
    ------
    DataError
        There are not the rows for one origin, or for as many as were asked for.
    """
    step = plan.step_size or horizon
    owner = panel.reference_series
    rows = int(panel.lengths[owner])
    first = fewest_rows
    if earliest is not None:
        before = int(np.searchsorted(panel.times[panel.rows(owner)], earliest))  # rows strictly before
        first = max(first, before + 1)
    elif plan.n_windows is None:
        first = max(first, int(FIRST_SHARE * rows))
    possible = (rows - horizon - first) // step + 1
    count = plan.n_windows or max(1, min(DEFAULT_ORIGINS, possible))
    if possible < count:
        raise _too_few(count, possible, rows, horizon, step, first)
    shown = rows - horizon - step * np.arange(count - 1, -1, -1, dtype=np.int64)  # (W,) rows of the reference series
    ends = _ends(panel, owner, shown)  # (W, S)
    history = ends - panel.indptr[:-1]  # (W, S)
    after = np.minimum(panel.indptr[1:] - ends, horizon)  # (W, S)
    scored = history >= fewest_rows
    if earliest is not None and not panel.is_dated:
        scored &= panel.times[np.maximum(ends - 1, panel.indptr[:-1])] >= earliest
    return Origins(ends=ends, steps=np.where(scored, np.maximum(after, 0), 0))


def _ends(panel: Panel, owner: int, shown: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row just after the last one shown, by origin and series (W, S)."""
    if not panel.is_dated:
        before_end = panel.lengths[owner] - shown  # (W,)
        return np.asarray(np.maximum(panel.indptr[1:] - before_end[:, None], panel.indptr[:-1]))
    cutoffs = panel.times[panel.rows(owner)][shown - 1]  # (W,)
    counts = [np.searchsorted(panel.times[panel.rows(s)], cutoffs, side="right") for s in range(len(panel.ids))]
    return np.asarray(panel.indptr[:-1] + np.stack(counts, axis=1), dtype=np.int64)


def _too_few(count: int, possible: int, rows: int, horizon: int, step: int, first: int) -> DataError:
    found = f"rows allow {max(possible, 0)} origin{'' if possible == 1 else 's'}"
    return DataError(
        f"too few rows: {found}, {count} needed ({rows} rows, of which {first} come before the first origin; "
        f"horizon {horizon}, {step} rows between origins)",
        hint="give more rows, or a smaller --n-windows, --step-size or --horizon",
    )
