"""Rolling origins: at which rows a backtest stands still, looks ahead, and is scored.

Series with dates share one clock: an origin is a stamp, and no series shows a row after it, so that nothing that is
trained on the panel has seen another series' future. Integer steps are each series' own count, as in competition
data; there an origin is a number of rows before each series' end.

Dimension letters: `W` origins, `S` series, `R` rows of all series, `P` pairs of an origin and a series scored at it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.isotime import format_times
from rnncast.data.panel import Panel
from rnncast.errors import DataError, UsageError
from rnncast.forecasting.stamps import as_written
from rnncast.records import dataclass

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
    gap : int
        Rows of each series between the last one shown and the first one scored: data that arrive late.
    train_size : int or None
        Rows of each series that a training sees, the last ones before its origin (a sliding window); None for all of
        them (an expanding one).
    """

    n_windows: int | None = None
    step_size: int | None = None
    refit: int = 0
    gap: int = 0
    train_size: int | None = None

    def __post_init__(self) -> None:
        counts = {"--n-windows": self.n_windows, "--step-size": self.step_size, "--train-size": self.train_size}
        for name, value in counts.items():
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, found {value}")
        if self.refit < 0:
            raise UsageError(f"--refit must be never, always or a number of origins, found {self.refit}")
        if self.gap < 0:
            raise UsageError(f"--gap must be at least 0, found {self.gap}")


@dataclass(frozen=True)
class Pairs:
    """Origins and the series scored at them: one forecast each, origin after origin.

    Attributes
    ----------
    origin, series : int64 (P,)
        Number of the origin, ascending, and of the series, ascending within an origin.
    ends : int64 (P,)
        Row just after the last one shown.
    steps : int64 (P,)
        Steps scored, at least one.
    """

    origin: NDArray[np.int64]
    series: NDArray[np.int64]
    ends: NDArray[np.int64]
    steps: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.origin)

    @property
    def first_rows(self) -> NDArray[np.int64]:
        """First row of each pair (P + 1,) in a table with a row for each step scored."""
        return np.concatenate(([0], np.cumsum(self.steps))).astype(np.int64)


@dataclass(frozen=True)
class Origins:
    """Rows that each series shows at each origin, and steps after it that are scored.

    Attributes
    ----------
    ends : int64 (W, S)
        Row just after the last one shown.
    steps : int64 (W, S)
        Steps scored, 0 to the horizon; 0 where a series shows too little or has nothing to score after the origin.
    gap : int
        Rows between the last one shown and the first one scored.
    """

    ends: NDArray[np.int64]
    steps: NDArray[np.int64]
    gap: int = 0

    def __len__(self) -> int:
        return len(self.ends)

    def visible(self, origin: int, panel: Panel) -> NDArray[np.bool_]:
        """Mask over the panel's rows (R,): those at or before an origin."""
        return np.arange(len(panel.times)) < np.repeat(self.ends[origin], panel.lengths)

    def pairs(self, first: int, stop: int) -> Pairs:
        """What is forecast at the origins ``first`` to ``stop - 1``."""
        origin, series = np.nonzero(self.steps[first:stop])  # (P,), (P,)
        origin = origin + first
        return Pairs(origin, series, self.ends[origin, series], self.steps[origin, series])

    def stamps(self, panel: Panel) -> list[str]:
        """Stamp of each origin (W,); of integer steps, which each series counts for itself, those of the longest."""
        return written(panel.times[self.ends[:, panel.reference_series] - 1], panel)


def written(times: NDArray[Any], panel: Panel) -> list[str]:
    """Stamps as files have them: ISO 8601, in the zone of the panel; integers as they are."""
    if not panel.is_dated:
        return [str(step) for step in times.tolist()]
    return format_times(as_written(times, panel.calendar), panel.calendar.zone)


def rolling_origins(
    panel: Panel, horizon: int, plan: Plan, *, fewest_rows: int, earliest: np.datetime64 | int | None = None
) -> Origins:
    """Origins from the first to the last, the last one gap and one horizon before the end.

    Parameters
    ----------
    panel
        All rows.
    horizon
        Steps scored after each origin and the gap.
    plan
        Number of origins, rows between them, and gap.
    fewest_rows
        Rows that a series must show to be forecast.
    earliest
        No origin before this stamp or step (the last training row of a model).

    Raises
    ------
    DataError
        There are not the rows for one origin, or for as many as were asked for.
    """
    step, reach = plan.step_size or horizon, plan.gap + horizon
    owner = panel.reference_series
    rows = int(panel.lengths[owner])
    first = fewest_rows
    if earliest is not None:
        before = int(np.searchsorted(panel.times[panel.rows(owner)], earliest))  # rows strictly before
        first = max(first, before + 1)
    elif plan.n_windows is None:
        first = max(first, int(FIRST_SHARE * rows))
    possible = (rows - reach - first) // step + 1
    count = plan.n_windows or max(1, min(DEFAULT_ORIGINS, possible))
    if possible < count:
        raise _too_few(count, possible, rows, horizon, step, first, plan.gap)
    shown = rows - reach - step * np.arange(count - 1, -1, -1, dtype=np.int64)  # (W,) rows of the reference series
    ends = _ends(panel, owner, shown)  # (W, S)
    history = ends - panel.indptr[:-1]  # (W, S)
    after = np.minimum(panel.indptr[1:] - ends - plan.gap, horizon)  # (W, S)
    scored = history >= fewest_rows
    if earliest is not None and not panel.is_dated:
        scored &= panel.times[np.maximum(ends - 1, panel.indptr[:-1])] >= earliest
    return Origins(ends=ends, steps=np.where(scored, np.maximum(after, 0), 0), gap=plan.gap)


def _ends(panel: Panel, owner: int, shown: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row just after the last one shown, by origin and series (W, S)."""
    if not panel.is_dated:
        before_end = panel.lengths[owner] - shown  # (W,)
        return np.asarray(np.maximum(panel.indptr[1:] - before_end[:, None], panel.indptr[:-1]))
    cutoffs = panel.times[panel.rows(owner)][shown - 1]  # (W,)
    counts = [np.searchsorted(panel.times[panel.rows(s)], cutoffs, side="right") for s in range(len(panel.ids))]
    return np.asarray(panel.indptr[:-1] + np.stack(counts, axis=1), dtype=np.int64)


def _too_few(count: int, possible: int, rows: int, horizon: int, step: int, first: int, gap: int) -> DataError:
    behind = f", a gap of {gap}" if gap else ""
    found = f"rows allow {max(possible, 0)} origin{'' if possible == 1 else 's'}"
    return DataError(
        f"too few rows: {found}, {count} needed ({rows} rows, of which {first} come before the first origin; "
        f"horizon {horizon}{behind}, {step} rows between origins)",
        hint=f"give more rows, or a smaller --n-windows, --step-size{', --gap' if gap else ''} or --horizon",
    )
