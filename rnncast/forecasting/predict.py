"""Model and panel to forecast: windows at the ends of the series, network, inverse of the normalisation.

Dimension letters: `M` members, `P` parameters, `S` series, `B` windows, `T` input steps, `K` steps of one pass of the
network, `N` steps asked for, `Q` quantiles of the model, `L` levels asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rnncast.core import twin
from rnncast.core.shape import Shape
from rnncast.data.panel import Panel
from rnncast.data.transform import LocalScale, WorkingSeries, working_series
from rnncast.data.windows import windows_at_ends
from rnncast.errors import DataError, UsageError
from rnncast.forecasting.carrying import advanced, carried_on
from rnncast.forecasting.result import Forecast
from rnncast.forecasting.stamps import as_written, calendar_of
from rnncast.model.inputs import make_frame, network_inputs
from rnncast.model.model import Model
from rnncast.model.running import TWIN_WORK, state_outputs

FEWEST_ROWS = 2
"""A scale needs one change."""

LARGEST_HORIZON = 10_000
"""Steps beyond which rolling on says nothing any more, and takes for ever."""

CHUNK = 2048
"""Series forecast at once; bounds the memory of a very wide panel."""


def forecast(model: Model, panel: Panel | None, horizon: int, quantile_levels: Sequence[float]) -> Forecast:
    """Forecast every series of a panel from its last row on.

    Parameters
    ----------
    model
        A trained model. Its calendar gives the stamps, unless that of `panel` was named.
    panel
        Fresh rows: the series it was trained on, or others, of any length from two rows; None for the rows that the
        model keeps.
    horizon
        Steps ahead (N). Beyond the trained horizon the forecast is rolled on from its own median.
    quantile_levels
        Levels (L,) between 0 and 1, ascending; the model's own, or others: those of its distribution, or interpolated.

    Raises
    ------
    UsageError
        There is no panel and the model keeps no rows, or the model has no quantiles and some are asked for.
    DataError
        A series has fewer than two rows, or its forecast is no finite number.
    """
    if horizon > LARGEST_HORIZON:
        raise UsageError(f"--horizon must be at most {LARGEST_HORIZON}, found {horizon}")
    logarithmic = states = None
    if panel is None:
        if model.history is None:
            raise UsageError("the model keeps no rows", hint="give it rows: rnncast forecast MODEL FILE")
        panel, logarithmic, states = model.history.panel, model.history.logarithmic, model.history.states
    else:
        check_kind(model, panel)
    if len(quantile_levels) and len(model.network.quantile_levels) == 1:
        raise UsageError(
            f"the model was trained with --loss {model.network.loss} and has no intervals",
            hint="train it with the default loss to have them",
        )
    if model.network.stateful and states is None:
        return forecast(carried_on(model, panel)[0], None, horizon, quantile_levels)
    _check_lengths(panel)
    model = model.with_levels(quantile_levels)
    working = working_series(panel, logarithmic).tail(model.network.history_rows)
    point, quantiles = _forecast_all(model, working, states, horizon, np.asarray(quantile_levels, dtype=np.float64))
    _check_finite(panel, point, quantiles)
    return _long_table(model, panel, point, quantiles, quantile_levels)


def check_kind(model: Model, panel: Panel) -> None:
    """DataError for dates where the model was trained on integer steps, or the other way round."""
    if panel.is_dated != model.calendar.is_dated:
        kinds = ("dates", "integer steps") if panel.is_dated else ("integer steps", "dates")
        raise DataError(
            f"the input's time column holds {kinds[0]}, the model was trained on {kinds[1]}",
            hint="name another time column with --time-col, or train a model on this input",
        )


def _check_lengths(panel: Panel) -> None:
    short = np.flatnonzero(panel.lengths < FEWEST_ROWS)
    if len(short):
        raise DataError(
            f'series "{panel.ids[short[0]]}" has {panel.lengths[short[0]]} row; a forecast needs {FEWEST_ROWS}',
            where=f"{len(short)} of {len(panel.ids)} series",
            hint="give more rows of it, or leave it out",
        )


def _check_finite(panel: Panel, point: NDArray[np.float64], quantiles: NDArray[np.float64]) -> None:
    """DataError for the first series and step whose forecast is beyond the range of floating-point numbers."""
    bad = ~(np.isfinite(point) & np.isfinite(quantiles).all(axis=1))  # (N, S)
    if bad.any():
        series = int(np.flatnonzero(bad.any(axis=0))[0])
        step = int(bad[:, series].argmax()) + 1
        raise DataError(
            f'the forecast of series "{panel.ids[series]}" is no finite number from step {step} on',
            where=f"{int(bad.any(axis=0).sum())} of {len(panel.ids)} series",
            hint="give the values in a larger unit (thousands, say), or a smaller --horizon",
        )


def _forecast_all(
    model: Model,
    working: WorkingSeries,
    states: NDArray[np.float32] | None,
    horizon: int,
    levels: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Point (N, S) and quantiles (N, L, S) in the units of the data, chunk by chunk."""
    points, quantiles = [], []
    for start in range(0, len(working.logarithmic), CHUNK):
        stop = min(start + CHUNK, len(working.logarithmic))
        rows = slice(working.indptr[start], working.indptr[stop])
        chunk = WorkingSeries(
            values=working.values[rows],
            levels=working.levels[rows],
            logarithmic=working.logarithmic[start:stop],
            indptr=working.indptr[start : stop + 1] - working.indptr[start],
        )
        own = None if states is None else states[..., start:stop]
        path, local = _rolled(model, chunk, own, horizon)  # (N, Q, B)
        median = path.shape[1] // 2
        points.append(local.inverse(path[:, median]))
        quantiles.append(local.inverse(at_levels(path, np.asarray(model.network.quantile_levels), levels)))
    return np.concatenate(points, axis=-1), np.concatenate(quantiles, axis=-1)


def _rolled(
    model: Model, working: WorkingSeries, states: NDArray[np.float32] | None, horizon: int
) -> tuple[NDArray[np.float64], LocalScale]:
    """Quantiles (N, Q, B) in the normalised units of the last window of each series.

    Each further pass of the network continues from the medians of the one before. Its own gaps say little, because a
    path of medians is smoother than what will come: those of the first pass are taken again, and added to what was
    reached before as independent errors add, by their squares. On a random walk they go on growing as its root of time.
    """
    first, quantiles = _one_pass(model, working, states)  # LocalScale, (K, Q, B)
    median = quantiles.shape[1] // 2
    gaps = quantiles - quantiles[:, [median]]  # (K, Q, B)
    passes = [quantiles]
    local, middle = first, quantiles[:, median]  # (K, B)
    while len(passes) * model.network.horizon < horizon:
        working = _extended(working, middle * local.scale + local.anchor)
        if states is not None:
            states = advanced(model, working, np.diff(working.indptr) - len(middle), states)
        local, quantiles = _one_pass(model, working, states)
        middle = quantiles[:, median]
        widened = np.sign(gaps) * np.sqrt(gaps**2 + len(passes) * gaps[-1] ** 2)
        passes.append(first.normalise(middle * local.scale + local.anchor)[:, None] + widened)
    return np.concatenate(passes)[:horizon], first


def _one_pass(
    model: Model, working: WorkingSeries, states: NDArray[np.float32] | None
) -> tuple[LocalScale, NDArray[np.float64]]:
    """Scale of the last window of each series, and the quantiles (K, Q, B) of the steps after it in units of it.

    A stateful network says them from its states (M, parts, L, depth, H, B) after the last row.
    """
    shape = model.network.shape
    frame = make_frame(model.network, working, windows_at_ends(working.indptr))
    if states is None:
        raw = _outputs(shape, model.parameters, network_inputs(model.network, frame))  # M of (O, B)
    else:
        raw = [state_outputs(shape, *pair) for pair in zip(model.parameters, states, strict=True)]
    return frame.local, frame.naive[:, None] + network_quantiles(model, raw)


def _extended(working: WorkingSeries, path: NDArray[np.float64]) -> WorkingSeries:
    """The series with K more rows each, the path (K, B) in working units."""
    levels = np.where(working.logarithmic, np.exp(np.where(working.logarithmic, path, 0.0)), path)  # (K, B)
    ends = np.repeat(working.indptr[1:], len(path))  # (B K,)
    return WorkingSeries(
        values=np.insert(working.values, ends, path.T.reshape(-1)),
        levels=np.insert(working.levels, ends, levels.T.reshape(-1)),
        logarithmic=working.logarithmic,
        indptr=working.indptr + len(path) * np.arange(len(working.indptr), dtype=np.int64),
    )


def network_quantiles(model: Model, raw: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Mean over the members, of raw outputs (O, B) each, of the quantiles' distance from the naive path; (K, Q, B).

    The network's correction of the median is scaled by the model's blend; the gaps are its own.
    """
    config = model.network
    total = np.zeros((config.horizon, len(config.quantile_levels), raw[0].shape[-1]))  # (K, Q, B)
    for outputs in raw:
        total += twin.head_quantiles(outputs.astype(np.float64), model.head)
    mean = total / len(model.parameters)
    median = mean[:, [mean.shape[1] // 2]]  # (K, 1, B)
    return mean - (1.0 - model.blend) * median


def _outputs(shape: Shape, parameters: NDArray[np.float32], inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Raw outputs (O, B) of each member, by NumPy where loading Numba would cost more than it saves."""
    steps, _, windows = inputs.shape
    work = float(len(parameters) * steps * windows * shape.layers) * 8.0 * shape.hidden_size**2
    if work < TWIN_WORK:
        return [twin.forward(shape, member, inputs) for member in parameters]
    from rnncast.core.engine import Engine

    engine = Engine(shape, steps, windows)
    return [engine.forward(member, inputs) for member in parameters]


def at_levels(path: NDArray[np.float64], known: NDArray[np.float64], asked: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles at other levels, linear in the normal score between known ones and beyond the outermost two.

    Parameters
    ----------
    path : (N, Q, B)
        Quantiles at the levels `known` (Q,).
    asked : (L,)
        Levels between 0 and 1.

    Returns
    -------
    float64 (N, L, B)
    """
    if len(asked) == 0:
        return np.empty((path.shape[0], 0, path.shape[2]))
    score = np.array([NormalDist().inv_cdf(level) for level in known])  # (Q,)
    wanted = np.array([NormalDist().inv_cdf(level) for level in asked])  # (L,)
    left = np.clip(np.searchsorted(score, wanted, side="right") - 1, 0, len(score) - 2)  # (L,)
    share = (wanted - score[left]) / (score[left + 1] - score[left])  # (L,)
    exact = np.isclose(share, np.round(share), rtol=0, atol=1e-9)
    share = np.where(exact, np.round(share), share)
    return np.asarray(path[:, left] * (1.0 - share)[:, None] + path[:, left + 1] * share[:, None])


def _long_table(
    model: Model,
    panel: Panel,
    point: NDArray[np.float64],
    quantiles: NDArray[np.float64],
    levels: Sequence[float],
) -> Forecast:
    """Series after series, step after step."""
    horizon, series = point.shape
    calendar = calendar_of(model, panel)
    last = panel.times[panel.indptr[1:] - 1]  # (S,)
    return Forecast(
        ids=panel.ids,
        series=np.repeat(np.arange(series, dtype=np.int64), horizon),
        times=as_written(calendar.future(last, horizon).reshape(-1), calendar),
        cutoffs=np.repeat(last, horizon),
        steps=np.tile(np.arange(1, horizon + 1, dtype=np.int64), series),
        point=point.T.reshape(-1),
        quantile_levels=np.asarray(levels, dtype=np.float64),
        quantiles=quantiles.transpose(2, 0, 1).reshape(horizon * series, len(levels)),
        columns=panel.columns,
        last_values=np.repeat(panel.target[panel.indptr[1:] - 1], horizon),
        trained_horizon=model.network.horizon,
        zone=panel.calendar.zone,
    )
