"""Which windows train and which, later in time, decide when to stop.

Dimension letters: `S` series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncast.data.panel import Panel
from rnncast.data.windows import Windows, windows_between
from rnncast.errors import DataError
from rnncast.model.config import NetworkConfig

VALIDATION_SHARE = 0.2
"""Share of a series' rows that are held out to judge the network."""

FEWEST_BLOCKS = 4
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
        Windows all of whose targets lie before the validation part of their series.
    validation : Windows
        Windows all of whose targets lie in the validation part; empty if every series is too short for one.
    """

    everything: Windows
    search: Windows
    validation: Windows


def fewest_inputs(config: NetworkConfig) -> int:
    """Rows that a training window must hold: a season for the naive path, and enough for a scale."""
    return max(config.season_length, min(config.input_size, FEWEST_INPUTS))


def rows_needed(config: NetworkConfig) -> int:
    """Rows of the shortest series that can be trained on: one window and its targets."""
    return fewest_inputs(config) + config.horizon


def split_windows(panel: Panel, config: NetworkConfig) -> Split:
    """Split each series at its own time; a series too short for both parts gives all its windows to the search."""
    inputs, horizon = fewest_inputs(config), config.horizon
    length = panel.lengths  # (S,)
    first = np.full_like(length, inputs)  # (S,)
    wanted = np.maximum((VALIDATION_SHARE * length).astype(np.int64), FEWEST_BLOCKS * horizon)  # (S,)
    held_out = np.minimum(wanted, length // 2)
    can_validate = (held_out >= 2 * horizon) & (length - held_out - horizon >= inputs)  # (S,)
    held_out = np.where(can_validate, held_out, 0)
    return Split(
        everything=windows_between(panel.indptr, first, length - horizon),
        search=windows_between(panel.indptr, first, length - held_out - horizon),
        validation=windows_between(panel.indptr, length - held_out, np.where(can_validate, length - horizon, -1)),
    )


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
        remedy += ", or leave such series out with --skip-bad"
    return DataError(
        f"too few rows: a horizon of {config.horizon} needs {needed} rows a series; {', '.join(counts)}{more}",
        where=f"{len(short)} of {len(panel.ids)} series" if len(panel.ids) > 1 else None,
        hint=remedy,
    )
