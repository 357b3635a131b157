"""Which windows train and which, later in time, decide when to stop.

Dimension letters: `S` series, `R` rows of all series, `V` validation windows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncast.data.panel import Panel
from rnncast.data.windows import Windows, windows_between
from rnncast.errors import DataError
from rnncast.model.config import NetworkConfig

VALIDATION_SHARE = 0.2
"""Share of the rows that is held out to judge the network."""

FEWEST_HORIZONS = 5
"""Horizons that the validation part has at least, if as many rows as it are left to train on."""

FEWEST_INPUTS = 10
"""A window reads at least this many rows (or the input size, if that is smaller); the rest of it is padding."""

NAMED = 5
"""Short series that an error names before it only counts."""


@dataclass(frozen=True)
class Split:
    """Windows of a panel by what they are for.

    Attributes
    ----------
    everything : Windows
        All windows with targets: the refit trains on them.
    search : Windows
        Windows all of whose targets lie before the validation part.
    validation : Windows
        Windows all of whose targets lie in the validation part; empty if the series are too short for one.
    blocks : int64 (V,)
        Number of the block of time, one horizon long, in which the targets of each validation window begin.
    """

    everything: Windows
    search: Windows
    validation: Windows
    blocks: NDArray[np.int64]


def fewest_inputs(config: NetworkConfig) -> int:
    """Rows that a training window must hold: a season for the naive path, and enough for a scale."""
    return max(config.season_length, min(config.input_size, FEWEST_INPUTS))


def rows_needed(config: NetworkConfig) -> int:
    """Rows of the shortest series that can be trained on: one window and its targets."""
    return fewest_inputs(config) + config.horizon


def split_windows(panel: Panel, config: NetworkConfig) -> Split:
    """Divide the windows by time.

    Series with dates share one clock, and so one stamp divides them all: no row of any series that the search trains on
    is later than a row that judges it, or what many series have in common would give the answer away. Integer steps are
    each series' own count, and each series is divided at its own place.
    """
    inputs, horizon = fewest_inputs(config), config.horizon
    length = panel.lengths  # (S,)
    first = np.full_like(length, inputs)  # (S,)
    border, clock = _shared_border(panel, horizon) if panel.is_dated else _own_borders(panel, horizon)
    search = windows_between(panel.indptr, first, border - horizon)
    validation = windows_between(panel.indptr, np.maximum(border, first), length - horizon)
    if len(search) == 0 or len(validation) == 0:
        search, validation = windows_between(panel.indptr, first, length - horizon), validation.take(np.empty(0, int))
    return Split(
        everything=windows_between(panel.indptr, first, length - horizon),
        search=search,
        validation=validation,
        blocks=clock[validation.ends] // horizon,
    )


def _shared_border(panel: Panel, horizon: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of each series before one stamp for all (S,), and the place of each row (R,) on the clock from there on."""
    reference = panel.times[panel.rows(panel.reference_series)]
    stamp = reference[len(reference) - _held_out(np.array([len(reference)]), horizon)[0] - 1]
    before = np.add.reduceat((panel.times <= stamp).astype(np.int64), panel.indptr[:-1])  # (S,)
    return before, np.searchsorted(reference[reference > stamp], panel.times)


def _own_borders(panel: Panel, horizon: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of each series before its own validation part (S,), and the place of each row (R,) in it from the end."""
    before = panel.lengths - _held_out(panel.lengths, horizon)  # (S,)
    return before, np.repeat(panel.indptr[1:], panel.lengths) - horizon - np.arange(len(panel.times))


def _held_out(length: NDArray[np.int64], horizon: int) -> NDArray[np.int64]:
    """Rows of the validation part of series of a length (S,): none where it would hold less than two horizons."""
    wanted = np.maximum((VALIDATION_SHARE * length).astype(np.int64), FEWEST_HORIZONS * horizon)
    held_out = np.minimum(wanted, length // 2)
    return np.where(held_out >= 2 * horizon, held_out, 0)


def without_short_series(panel: Panel, config: NetworkConfig, *, skip: bool) -> tuple[Panel, tuple[str, ...]]:
    """The panel, if each series has the rows that training needs; with `skip`, the panel of those that have.

    Returns
    -------
    panel, names of the series left out

    Raises
    ------
    DataError
        A series is too short and `skip` is false, or all of them are.
    """
    needed, length = rows_needed(config), panel.lengths
    short = np.flatnonzero(length < needed)
    if len(short) == 0:
        return panel, ()
    if not skip or len(short) == len(length):
        raise _too_short(panel, short, needed, config)
    long_enough = np.repeat(length >= needed, length)  # (R,)
    return panel.keep(long_enough), tuple(panel.ids[s] for s in short)


def _too_short(panel: Panel, short: np.ndarray, needed: int, config: NetworkConfig) -> DataError:
    counts = [f'"{panel.ids[s]}" has {panel.lengths[s]}' for s in short[:NAMED]]
    if panel.columns.id is None:
        counts = [f"there are {panel.lengths[0]}"]
    more = f" and {len(short) - NAMED} more series" if len(short) > NAMED else ""
    remedy = "give more rows, or a smaller --horizon or --season-length"
    if len(short) < len(panel.ids):
        remedy += ", or leave out --no-skip-bad to do without such series"
    return DataError(
        f"too few rows: a horizon of {config.horizon} needs {needed} rows a series; {', '.join(counts)}{more}",
        where=f"{len(short)} of {len(panel.ids)} series" if len(panel.ids) > 1 else None,
        hint=remedy,
    )
