"""What became of the forecasts of a ledger: each row beside what came, and beside the simple baselines.

A baseline is computed from the input's rows up to the cutoff of a forecast and from nothing else; a row after it enters
as an outcome only. What cannot be scored is counted by its reason.

Dimension letters: `N` rows of the ledger, `W` tasks (one forecast of one series).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.panel import Panel
from rnncast.data.season import detect_season
from rnncast.data.transform import FEWEST_ROWS
from rnncast.errors import DataError
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.ledger_backtest import OnTask, issued_backtest
from rnncast.evaluation.ledger_rows import LedgerRows
from rnncast.records import dataclass

REVISED = 1e-9
"""Relative difference from which a value counts as revised: less is another program's rounding."""

ANOTHER_SERIES = 0.2
"""Typical relative difference at more than half of the cutoffs from which values were not revised, but are others."""

WEST = np.timedelta64(14, "h")
"""How far the clock of stamps without a zone may be from UTC."""


Revision = tuple[str, Any, float, float]
"""Series, stamp, value as it was known, value now."""


@dataclass(frozen=True)
class Outcomes:
    """Rows of a ledger by what became of them.

    Attributes
    ----------
    scored : int
        What came is known.
    pending : int
        The input ends before their stamps.
    never_came : int
        The input goes on after their stamps and has no row there: a day that was closed, or a row that was removed.
    unknown_series : int
        The input has no such series.
    no_cutoff : int
        The input has no row at their cutoff, or fewer than two up to it.
    made_late : int
        Scored rows that were made after the row that follows the one they forecast: nobody could act upon them.
    cutoffs : int
        Cutoffs of series among the scored rows.
    revised : int
        Those of them at which the input's value is another than the ledger's: it was revised since.
    first_revision : tuple or None
        The first of them.
    """

    scored: int
    pending: int
    never_came: int
    unknown_series: int
    no_cutoff: int
    made_late: int
    cutoffs: int
    revised: int
    first_revision: Revision | None


@dataclass(frozen=True)
class Joined:
    """A ledger beside what came.

    Attributes
    ----------
    backtest : Backtest
        The rows that can be scored, sorted by cutoff, series and step.
    rows : LedgerRows
        The same rows as they stand in the ledger.
    outcomes : Outcomes
        What became of all rows.
    """

    backtest: Backtest
    rows: LedgerRows
    outcomes: Outcomes


@dataclass(frozen=True)
class _Places:
    """Where the rows (N,) of a ledger stand in a panel: series, rows of cutoff and outcome; -1 for nowhere."""

    series: NDArray[np.int64]
    cutoff: NDArray[np.int64]
    outcome: NDArray[np.int64]
    is_pending: NDArray[np.bool_]


def join_outcomes(
    ledger: LedgerRows,
    panel: Panel,
    *,
    season_length: int | None = None,
    on_task: OnTask = lambda done, total: None,
) -> Joined:
    """Scoreable rows of a ledger as a backtest, with the simple baselines, and what became of the others.

    Parameters
    ----------
    ledger
        One row for a series, cutoff and step. Quantiles that one of the scored rows lacks are left out.
    panel
        What came, and what came before.
    season_length
        Rows of a season; None finds it in the rows up to the first cutoff.

    Raises
    ------
    DataError
        Ledger and input do not fit each other, or nothing can be scored yet.
    """
    _check_fit(ledger, panel)
    places = _find(ledger, panel)
    first_row = panel.indptr[:-1][np.maximum(places.series, 0)]  # (N,)
    has_cutoff = (places.cutoff >= 0) & (places.cutoff - first_row + 1 >= FEWEST_ROWS)
    known = (places.series >= 0) & has_cutoff
    scored = known & (places.outcome >= 0)
    counts = {
        "pending": int(places.is_pending.sum()),
        "never_came": int((known & ~places.is_pending & ~scored).sum()),
        "unknown_series": int((places.series < 0).sum()),
        "no_cutoff": int(((places.series >= 0) & ~has_cutoff & ~places.is_pending).sum()),
    }
    if not scored.any():
        raise _nothing_to_score(counts)
    rows = np.flatnonzero(scored)
    rows = rows[np.lexsort((ledger.steps[rows], places.series[rows], ledger.cutoffs[rows]))]
    ledger, series, cutoff, outcome = (
        ledger.take(rows), places.series[rows], places.cutoff[rows], places.outcome[rows],
    )  # fmt: skip
    if season_length is None:
        season_length = _season(panel, ledger.cutoffs.min())
    backtest = issued_backtest(ledger, panel, series, cutoff, outcome, season_length, on_task)
    cutoffs, revised, first = _revisions(ledger, panel, series, cutoff)
    outcomes = Outcomes(
        scored=len(rows),
        made_late=_made_late(ledger, panel, series, outcome),
        cutoffs=cutoffs,
        revised=revised,
        first_revision=first,
        **counts,
    )
    return Joined(backtest, ledger, outcomes)


def _season(panel: Panel, cutoff: Any) -> int:
    """Rows of a season, from the rows up to a cutoff; 1 where they are too few to tell how far apart they are."""
    try:
        return detect_season(panel.until(cutoff))
    except DataError:
        return 1


def _check_fit(ledger: LedgerRows, panel: Panel) -> None:
    if (ledger.id is None) != (panel.columns.id is None):
        found, expected = ("no", "one") if panel.columns.id is None else ("an", "none")
        raise DataError(
            f"the input has {found} id column, the ledger {expected}",
            hint="give the rows that the forecasts were made from, or name the column with --id-col",
        )
    own = "integer steps" if not panel.is_dated else f"stamps {'with' if panel.calendar.zone else 'without'} a zone"
    if own != ledger.kind:
        zoned = "; --time-zone names the zone of stamps that have none" if "zone" in own + ledger.kind else ""
        raise DataError(
            f"the input has {own}, the ledger {ledger.kind}",
            hint=f"give the rows that the forecasts were made from{zoned}",
        )


def _nothing_to_score(counts: dict[str, int]) -> DataError:
    reasons = {
        "pending": "lie after the input's last row",
        "never_came": "have no row in the input",
        "unknown_series": "are of series that the input does not have",
        "no_cutoff": "start from a cutoff that the input does not have",
    }
    found = ", ".join(f"{counts[name]:,} {words}" for name, words in reasons.items() if counts[name])
    return DataError(
        f"no forecast of the ledger can be scored: {found}",
        hint="give an input that goes on after the forecasts, with the rows before them",
    )


def _find(ledger: LedgerRows, panel: Panel) -> _Places:
    """Look every row up by series, cutoff and stamp."""
    numbers = {name: place for place, name in enumerate(panel.ids)} if ledger.id is not None else {"": 0}
    of_id = np.array([numbers.get(name, -1) for name in ledger.ids], dtype=np.int64)
    series = of_id[ledger.series]  # (N,)
    cutoff, outcome = np.full(len(ledger), -1), np.full(len(ledger), -1)  # (N,)
    is_pending = np.zeros(len(ledger), dtype=bool)
    order = np.argsort(series, kind="stable")
    for own in np.split(order, np.flatnonzero(np.diff(series[order])) + 1):
        if series[own[0]] < 0:
            continue
        span = panel.rows(int(series[own[0]]))
        times = panel.times[span]
        cutoff[own] = _row_of(ledger.cutoffs[own], times, span.start)
        outcome[own] = _row_of(ledger.times[own], times, span.start)
        is_pending[own] = ledger.times[own] > times[-1]
    return _Places(series, cutoff, outcome, is_pending)


def _row_of(stamps: NDArray[Any], times: NDArray[Any], start: int) -> NDArray[np.int64]:
    """Row of the panel that has each stamp, -1 where none has."""
    place = np.minimum(np.searchsorted(times, stamps), len(times) - 1)
    return np.where(times[place] == stamps, place + start, -1)


def _made_late(ledger: LedgerRows, panel: Panel, series: NDArray[np.int64], outcome: NDArray[np.int64]) -> int:
    """Rows that were made after the row that follows their outcome; where there is none nothing is known."""
    if not ledger.is_dated:
        return 0
    has_next = outcome + 1 < panel.indptr[series + 1]  # (N,)
    following = panel.times[np.minimum(outcome + 1, len(panel.times) - 1)]  # (N,)
    slack = np.timedelta64(0, "h") if panel.calendar.zone else WEST
    return int((has_next & (ledger.made_at > following + slack)).sum())


def _revisions(
    ledger: LedgerRows, panel: Panel, series: NDArray[np.int64], cutoff: NDArray[np.int64]
) -> tuple[int, int, Revision | None]:
    """Cutoffs, those at which the input has another value than the ledger, and the first of these.

    DataError where they are so many and so far apart that it must be another series.
    """
    rows, first = np.unique(cutoff, return_index=True)  # (W,)
    then, now = ledger.last_values[first], panel.target[rows]  # (W,)
    is_revised = np.isfinite(then) & (np.abs(then - now) > REVISED * np.abs(then))
    found = np.flatnonzero(is_revised)
    example = None
    if len(found):
        earliest = found[np.argmin(panel.times[rows[found]].astype(np.int64))]
        name = panel.ids[series[first[earliest]]]
        example = (name, panel.times[rows[earliest]], float(then[earliest]), float(now[earliest]))
    size = np.maximum(np.abs(then), np.abs(now))[found]  # above zero, as one of the two is
    typical = float(np.median(np.abs(then - now)[found] / size)) if len(found) else 0.0
    if 2 * len(found) > len(rows) and typical > ANOTHER_SERIES:
        raise DataError(
            f"at {len(found):,} of {len(rows):,} cutoffs the input has another value than the ledger, typically by "
            f"{typical:.0%}: it is another series, or another column",
            hint="name the input that was forecast, or its column with --target-col",
        )
    return len(rows), len(found), example
