"""Which windows train, and which, later in time, decide: when to stop, how much to trust, how wide intervals are.

The end of the data is divided into blocks of time, one after the other. Each block has a network of its own, a fold,
that is trained on everything before it and on nothing of it, so each decision is taken on rows that trained nothing it
rests on. Where training is to be short, the network trained before the first block serves for all. (One thing is known
of all rows from the start: whether a series is positive, and so taken in logarithms.)

Dimension letters: `S` series, `R` rows of all series, `V` windows of a block, `J` blocks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.panel import Panel
from rnncast.data.transform import FEWEST_ROWS
from rnncast.data.windows import Windows, windows_between
from rnncast.errors import DataError
from rnncast.model.config import NetworkConfig
from rnncast.records import dataclass

Integers = NDArray[np.int64]

STOPPING, GATE, CALIBRATION = "early stopping", "gate", "calibration"
"""What a block decides."""

HELD_OUT_SHARE = 0.35
"""Share of the rows that the blocks take together, in a long series."""

HELD_OUT_HORIZONS = 12
"""Horizons that they take together at least, if as many rows as they are left before them."""

STOPPING_SHARE, GATE_SHARE, CALIBRATION_SHARE = 0.2, 0.5, 0.3
"""Shares of the held-out rows."""

STOPPING_HORIZONS, GATE_HORIZONS, CALIBRATION_HORIZONS = 2, 5, 2
"""Horizons that each block has at least; the gate compares blocks of time, and needs some."""

SINGLE_SHARE = 0.2
"""Share of the rows that one block takes if it serves for everything; five horizons if half the rows are so many."""

FEWEST_INPUTS = 10
"""A training window reads at least so many rows (or the input size, if that is smaller); the rest of it is padding."""

NAMED = 5
"""Short series that an error or a note names before it only counts."""

_PURPOSES = {
    3: ((STOPPING,), (GATE,), (CALIBRATION,)),
    2: ((STOPPING, GATE), (CALIBRATION,)),
    1: ((STOPPING, GATE, CALIBRATION),),
}
_FALLBACKS = {
    3: None,
    2: "too few rows for three blocks: early stopping and the gate share one",
    1: "too few rows for more than one block: early stopping, the gate and calibration share it",
    0: "no series has the rows for a block that is held out",
}


@dataclass(frozen=True)
class Fold:
    """One block of time, and what comes before it.

    Attributes
    ----------
    purposes : tuple of str
        What it decides.
    training : Windows
        Windows that the network is trained on; all of their targets lie before the block.
    held_out : Windows
        Windows all of whose targets lie in the block.
    clock : int64 (V,)
        Number of the stretch of time, one horizon long, in which the targets of each held-out window begin.
    span : tuple
        Stamps of the last row trained on, of the block's first and its last, on the clock of a dated panel; else empty.
    """

    purposes: tuple[str, ...]
    training: Windows
    held_out: Windows
    clock: Integers
    span: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Split:
    """Windows of a panel by what they are for.

    Attributes
    ----------
    everything : Windows
        All windows with targets: the refit trains on them.
    folds : tuple of Fold
        In the order of time; none if the series are too short for one.
    fallback : str or None
        Why blocks are shared or missing.
    """

    everything: Windows
    folds: tuple[Fold, ...]
    fallback: str | None

    def fold(self, purpose: str) -> Fold:
        """The fold that decides something."""
        return next(fold for fold in self.folds if purpose in fold.purposes)

    def trained_once(self) -> Split:
        """The same blocks, each judging the network that is trained on the rows before the first of them."""
        first = self.folds[:1]
        later = (replace(fold, training=first[0].training, span=first[0].span[:1] + fold.span[1:])
                 for fold in self.folds[1:])  # fmt: skip
        return replace(self, folds=(*first, *later))


def fewest_inputs(config: NetworkConfig) -> int:
    """Rows that a training window must hold: a season for the naive path, and enough for a scale."""
    return max(config.season_length, min(config.input_size, FEWEST_INPUTS))


def rows_needed(config: NetworkConfig) -> int:
    """Rows of the shortest series that a network learns from: one window and its targets."""
    return fewest_inputs(config) + config.horizon


def first_ends(panel: Panel, config: NetworkConfig) -> Integers:
    """Rows of the first training window of each series (S,); as few as can be where no series has the rows for more."""
    fewest = fewest_inputs(config) if panel.lengths.max() >= rows_needed(config) else FEWEST_ROWS
    return np.full_like(panel.lengths, fewest)


def split_windows(panel: Panel, config: NetworkConfig) -> Split:
    """Divide the windows by time.

    Series with dates share one clock, and so the same stamps divide them all: no row of any series that a fold trains
    on is later than a row that judges it, or what many series have in common would give the answer away. Integer steps
    are each series' own count: each is divided at its own place, and one that is too short for it is not held out.
    """
    horizon, everything = config.horizon, all_windows(panel, config)
    first = first_ends(panel, config)  # (S,)
    for parts in (3, 2, 1):
        sizes = _sizes(panel, horizon, first, parts)
        if sizes is None:
            continue
        folds = [_fold(panel, horizon, first, sizes, number) for number in range(parts)]
        if all(len(fold.training) and len(fold.held_out) for fold in folds):
            return Split(everything, tuple(folds), _FALLBACKS[parts])
    return Split(everything, (), _FALLBACKS[0])


def last_fold(panel: Panel, config: NetworkConfig, rows: Integers) -> Fold:
    """A fold whose block are the last `rows` of the panel: (1,) on the shared clock of a dated one, else (S,)."""
    first = first_ends(panel, config)  # (S,)
    return _fold(panel, config.horizon, first, rows[None], 0)


def all_windows(panel: Panel, config: NetworkConfig) -> Windows:
    """All windows with targets."""
    return windows_between(panel.indptr, first_ends(panel, config), panel.lengths - config.horizon)


def clock(panel: Panel) -> NDArray[Any]:
    """Stamps that divide a dated panel: those of the reference series, and all later ones of series that go on."""
    reference = panel.times[panel.rows(panel.reference_series)]
    return np.concatenate((reference, np.unique(panel.times[panel.times > reference[-1]])))


def _sizes(panel: Panel, horizon: int, first: Integers, parts: int) -> Integers | None:
    """Rows of each block (J, S), or (J, 1) on the shared clock; None if there are not the rows for so many blocks.

    Each series for itself: half of those that have any windows must have the rows.
    """
    lengths = np.array([len(clock(panel))]) if panel.is_dated else panel.lengths  # (1,) or (S,)
    if parts == 1:
        wanted = np.maximum((SINGLE_SHARE * lengths).astype(np.int64), GATE_HORIZONS * horizon)
        least = 2 * horizon
    else:
        wanted = np.maximum((HELD_OUT_SHARE * lengths).astype(np.int64), HELD_OUT_HORIZONS * horizon)
        least = (GATE_HORIZONS + CALIBRATION_HORIZONS) * horizon
        least += (STOPPING_HORIZONS + 1) * horizon if parts == 3 else 0
    held_out = np.minimum(wanted, lengths // 2)
    fits = held_out >= least
    if 2 * fits.sum() < (len(fits) if panel.is_dated else (lengths >= first + horizon).sum()):
        return None
    if parts == 1:
        return np.where(fits, held_out, 0)[None]
    if parts == 2:
        rest = np.minimum((CALIBRATION_SHARE * held_out).astype(np.int64), held_out - GATE_HORIZONS * horizon)
        rest = np.maximum(rest, CALIBRATION_HORIZONS * horizon)
        return np.where(fits, np.stack((held_out - rest, rest)), 0)
    stopping = np.maximum((STOPPING_SHARE * held_out).astype(np.int64), STOPPING_HORIZONS * horizon)
    gate = np.maximum((GATE_SHARE * held_out).astype(np.int64), GATE_HORIZONS * horizon)
    return np.where(fits, np.stack((stopping, gate, held_out - stopping - gate)), 0)


def _fold(panel: Panel, horizon: int, first: Integers, sizes: Integers, number: int) -> Fold:
    """The fold of one block; `sizes` (J, S or 1) are the rows of all."""
    after, own = sizes[number + 1 :].sum(axis=0), sizes[number]  # (S,) or (1,) rows after the block, and in it
    begin, end, places, span = (_on_shared_clock if panel.is_dated else _on_own_clocks)(panel, horizon, own, after)
    training = windows_between(panel.indptr, first, begin - horizon)
    held_out = windows_between(panel.indptr, np.maximum(begin, first), end - horizon)
    purposes = _PURPOSES[len(sizes)][number]
    return Fold(purposes, training, held_out, places[held_out.ends] // horizon, span)


def _on_shared_clock(
    panel: Panel, horizon: int, rows: Integers, after: Integers
) -> tuple[Integers, Integers, Integers, tuple[Any, ...]]:
    """Rows of each series before the block and up to its end (S,), place of each row (R,) on its clock, its stamps."""
    stamps = clock(panel)
    end = len(stamps) - int(after[0])
    begin = end - int(rows[0])
    before, last = stamps[begin - 1], stamps[end - 1]
    counts = [np.add.reduceat((panel.times <= stamp).astype(np.int64), panel.indptr[:-1]) for stamp in (before, last)]
    places = np.searchsorted(stamps[begin:], panel.times)  # (R,)
    return counts[0], counts[1], places.astype(np.int64), (before, stamps[begin], last)


def _on_own_clocks(
    panel: Panel, horizon: int, rows: Integers, after: Integers
) -> tuple[Integers, Integers, Integers, tuple[Any, ...]]:
    """The same where each series is divided at its own place: the clock counts back from the end of its block."""
    end = panel.lengths - after  # (S,)
    clock = np.repeat(panel.indptr[:-1] + end, panel.lengths) - horizon - np.arange(len(panel.times))  # (R,)
    return np.where(rows > 0, end - rows, panel.lengths), end, clock, ()


def without_short_series(panel: Panel, config: NetworkConfig, *, skip: bool) -> tuple[Panel, tuple[str, ...]]:
    """The panel, if each series has the rows of a forecast; with `skip`, the panel of those that have.

    A series that is too short to learn from is forecast all the same, by what the others taught.

    Returns
    -------
    panel, names of the series left out

    Raises
    ------
    DataError
        A series is too short and `skip` is false, or not one is long enough for a training window.
    """
    needed, length = FEWEST_ROWS + config.horizon, panel.lengths
    if length.max() < needed:
        raise _too_short(panel, np.flatnonzero(length < needed), needed, f"a horizon of {config.horizon}")
    short = np.flatnonzero(length < FEWEST_ROWS)
    if len(short) == 0:
        return panel, ()
    if not skip:
        raise _too_short(panel, short, FEWEST_ROWS, "a forecast")
    long_enough = np.repeat(length >= FEWEST_ROWS, length)  # (R,)
    return panel.keep(long_enough), tuple(panel.ids[s] for s in short)


def describe_unlearnt(panel: Panel, config: NetworkConfig) -> tuple[str, ...]:
    """A note that names the series that are too short to learn from, if some are; else nothing."""
    short = np.flatnonzero(panel.lengths < rows_needed(config))
    if len(short) in (0, len(panel.lengths)):
        return ()
    names = ", ".join(panel.ids[s] for s in short[:NAMED])
    more = f" and {len(short) - NAMED} more" if len(short) > NAMED else ""
    return (f"too short to learn from, and forecast all the same ({len(short)} series): {names}{more}",)


def _too_short(panel: Panel, short: Integers, needed: int, what: str) -> DataError:
    counts = [f'"{panel.ids[s]}" has {panel.lengths[s]}' for s in short[:NAMED]]
    if panel.columns.id is None:
        counts = [f"there are {panel.lengths[0]}"]
    more = f" and {len(short) - NAMED} more series" if len(short) > NAMED else ""
    remedy = "give more rows" if needed == FEWEST_ROWS else "give more rows, or a smaller --horizon"
    if len(short) < len(panel.ids):
        remedy += ", or leave out --no-skip-bad to do without such series"
    return DataError(
        f"too few rows: {what} needs {needed} rows a series; {', '.join(counts)}{more}",
        where=f"{len(short)} of {len(panel.ids)} series" if len(panel.ids) > 1 else None,
        hint=remedy,
    )
