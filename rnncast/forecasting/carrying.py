"""A stateful model carried on over fresh rows: the state moves from the last row it knew to the last one given.

Rows join on to those that the model keeps if they overlap with them and agree, or begin with the very next stamp; the
state then goes on from where it stands. Any other series is read from its first row given, beginning with a state of
zero. Rows given at once or one call after the other come to the same.

Dimension letters: `S` series, `R` rows, `M` members, `L` layers, `H` hidden units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.isotime import format_stamp
from rnncast.data.panel import Panel
from rnncast.data.transform import WorkingSeries, is_logarithmic, working_series
from rnncast.forecasting.stamps import calendar_of
from rnncast.model.model import History, Model
from rnncast.model.running import run_states, zero_states
from rnncast.model.sequences import read_rows, rows_from

AGREEMENT = 1e-9
"""Relative difference between a row kept and the same row given that may come from writing and reading it."""


def carried_on(model: Model, panel: Panel, kernels: bool | None = None) -> tuple[Model, tuple[str, ...]]:
    """The stateful model as it stands after the last row of each series of a panel, and what is to be said of it.

    The model that comes back keeps the series of the panel, and no others. `kernels` as in `run_states`.
    """
    kept, known, apart = _joining(model, panel)  # (S,), (S,)
    joined = kept >= 0
    rows, before = _rows(model, panel, kept, known)
    states = zero_states(model.network.shape, len(model.parameters), len(panel.ids))
    logarithmic = is_logarithmic(rows)  # (S,)
    if model.history is not None and model.history.states is not None:
        states[..., joined] = model.history.states[..., kept[joined]]
        logarithmic[joined] = model.history.logarithmic[kept[joined]]
    states = advanced(model, working_series(rows, logarithmic), before, states, kernels)
    history = History(rows.tail(model.network.context_rows), logarithmic, states)
    return replace(model, history=history), _said(panel, apart)


def unread_rows(model: Model, panel: Panel) -> NDArray[np.int64]:
    """Rows of each series (S,) of a panel that the states of a stateful model do not have behind them."""
    return panel.lengths - _joining(model, panel)[1]


def advanced(
    model: Model,
    working: WorkingSeries,
    first: NDArray[np.int64],
    states: NDArray[np.float32],
    kernels: bool | None = None,
) -> NDArray[np.float32]:
    """States (M, parts, L, depth, H, S) after the last row of each series, from those before its row `first` (S,)."""
    rows = rows_from(working.indptr, first)
    inputs = read_rows(model.network, working, rows).inputs  # (R, F)
    counts = np.diff(working.indptr) - first  # (S,)
    indptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)  # (S + 1,)
    return run_states(model.network.shape, model.parameters, inputs, indptr, states, kernels)


def _joining(model: Model, panel: Panel) -> tuple[NDArray[np.int64], NDArray[np.int64], dict[int, str]]:
    """For each series of a panel its place in the model's history, -1 if it does not join on, and its rows known.

    Also, for each series that does not join on, why.
    """
    kept, known = np.full(len(panel.ids), -1, np.int64), np.zeros(len(panel.ids), np.int64)  # (S,), (S,)
    history = model.history
    if history is None or history.states is None or history.panel.is_dated != panel.is_dated:
        return kept, known, dict.fromkeys(range(len(panel.ids)), "the model keeps no state")
    places = {name: place for place, name in enumerate(history.panel.ids)}
    last = history.panel.times[history.panel.indptr[1:] - 1]
    following = calendar_of(model, panel).future(last, 1)[:, 0]
    apart: dict[int, str] = {}
    for s, name in enumerate(panel.ids):
        place = places.get(name)
        if place is None:
            apart[s] = "the model does not know it"
            continue
        own = panel.rows(s)
        rows, reason = _rows_known(panel, own, history.panel, history.panel.rows(place), following[place])
        if not reason and history.logarithmic[place] and (panel.target[own][rows:] < np.finfo(np.float64).tiny).any():
            reason = "it is not positive any more"
        if reason:
            apart[s] = reason
        else:
            kept[s], known[s] = place, rows
    return kept, known, apart


def _rows_known(panel: Panel, own: slice, history: Panel, old: slice, following: Any) -> tuple[int, str]:
    """Rows of a series that the model has read already; or why it does not join on to the rows kept."""
    zone = panel.calendar.zone
    times, kept = panel.times[own], history.times[old]
    known = int(np.searchsorted(times, kept[-1], side="right"))
    if known == 0:
        if times[0] == following:
            return 0, ""
        begins, next_one = format_stamp(times[0], zone), format_stamp(following, zone)
        return 0, f"it begins at {begins}, and the model goes on from {next_one}"
    if times[-1] < kept[-1]:
        ends, last = format_stamp(times[-1], zone), format_stamp(kept[-1], zone)
        return known, f"it ends at {ends}, and the model has read rows up to {last}"
    shared = slice(int(np.searchsorted(times, kept[0])), known)
    again = slice(int(np.searchsorted(kept, times[0])), len(kept))
    if not np.array_equal(times[shared], kept[again]):
        first = np.setxor1d(times[shared], kept[again])[0]
        return known, f"the rows that the model keeps are others, first at {format_stamp(first, zone)}"
    given, expected = panel.target[own][shared], history.target[old][again]
    differs = np.abs(given - expected) > AGREEMENT * np.abs(expected)
    if not differs.any():
        return known, ""
    n = int(np.argmax(differs))
    return known, f"it is {given[n]:.12g} at {format_stamp(times[shared][n], zone)}, and was {expected[n]:.12g}"


def _rows(
    model: Model, panel: Panel, kept: NDArray[np.int64], known: NDArray[np.int64]
) -> tuple[Panel, NDArray[np.int64]]:
    """Rows kept and rows given behind them, series by series; and how many of each the states have behind them."""
    times: list[NDArray[Any]] = []
    values: list[NDArray[np.float64]] = []
    before = np.zeros(len(panel.ids), np.int64)  # (S,)
    for s in range(len(panel.ids)):
        own = panel.rows(s)
        if model.history is not None and kept[s] >= 0:
            old = model.history.panel.rows(int(kept[s]))
            times.append(model.history.panel.times[old])
            values.append(model.history.panel.values[old])
            before[s] = old.stop - old.start
        times.append(panel.times[own][known[s] :])
        values.append(panel.values[own][known[s] :])
    lengths = before + panel.lengths - known  # (S,)
    indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    return replace(panel, indptr=indptr, times=np.concatenate(times), values=np.concatenate(values)), before


def _said(panel: Panel, apart: Mapping[int, str]) -> tuple[str, ...]:
    """A note on the series that begin with a state of zero."""
    if not apart:
        return ()
    first, reason = next(iter(apart.items()))
    name = f'series "{panel.ids[first]}"' if panel.columns.id is not None else "the series"
    others = len(apart) - 1
    more = f", and so {'is 1' if others == 1 else f'are {others}'} more series" if others else ""
    return (f"{name} is read from the first row given, with a state of zero{more}: {reason}",)
