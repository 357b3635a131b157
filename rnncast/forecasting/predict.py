"""Model and panel to forecast: windows at the ends of the series, network, inverse of the normalisation.

Dimension letters: `M` members, `P` parameters, `S` series, `B` windows, `T` input steps, `K` steps of one pass of the
network, `N` steps asked for, `Q` quantiles of the model, `L` levels asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rnncast.core import twin
from rnncast.core.shape import Shape
from rnncast.data.panel import Panel
from rnncast.data.transform import FEWEST_ROWS, LocalScale, WorkingSeries, is_logarithmic, working_series
from rnncast.data.windows import windows_at_ends
from rnncast.errors import DataError, UsageError
from rnncast.forecasting.cores import CHUNK, Core, choose_core, kept_history
from rnncast.forecasting.result import Forecast
from rnncast.forecasting.stamps import as_written, calendar_of
from rnncast.model.context import Context, make_context
from rnncast.model.gate import blended_median, groups_of
from rnncast.model.inputs import make_frame, network_inputs
from rnncast.model.intervals import at_levels, network_widths, scales
from rnncast.model.model import Model
from rnncast.model.running import state_outputs
from rnncast.records import dataclass

LARGEST_HORIZON = 10_000
"""Steps beyond which rolling on says nothing any more, and takes for ever."""


def forecast(
    model: Model,
    panel: Panel | None,
    horizon: int,
    quantile_levels: Sequence[float],
    core: Core | None = None,
) -> Forecast:
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
    core
        What computes; None lets the amount of work decide.

    Raises
    ------
    UsageError
        There is no panel and the model keeps no rows, or quantiles are asked for, and the model has none and was not
        calibrated.
    DataError
        A series has fewer than two rows, or its forecast is no finite number.
    """
    if horizon > LARGEST_HORIZON:
        raise UsageError(f"--horizon must be at most {LARGEST_HORIZON}, found {horizon}")
    core = choose_core(model, panel, horizon) if core is None else core
    logarithmic = states = None
    if panel is None:
        history = kept_history(model)
        panel, logarithmic, states = history.panel, history.logarithmic, history.states
    else:
        check_kind(model, panel)
    if len(quantile_levels) and len(model.network.quantile_levels) == 1 and model.calibration is None:
        raise UsageError(
            f"the model was trained with --loss {model.network.loss} and has no intervals",
            hint="train it with the default loss to have them",
        )
    if model.network.stateful and states is None:
        from rnncast.forecasting.carrying import carried_on

        return forecast(carried_on(model, panel, core.kernels)[0], None, horizon, quantile_levels, core)
    _check_lengths(panel)
    if model.calibration is None:
        model = model.with_levels(quantile_levels)
    logarithmic = is_logarithmic(panel) if logarithmic is None else logarithmic
    read = panel.tail(model.network.context_rows)
    working = working_series(read, logarithmic, calendar_of(model, panel))
    levels = np.asarray(quantile_levels, dtype=np.float64)
    paths = _forecast_all(model, working, states, horizon, levels, core.kernels)
    _check_finite(panel, paths)
    return _long_table(model, panel, paths, quantile_levels)


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


def _check_finite(panel: Panel, paths: _Paths) -> None:
    """DataError for the first series and step whose forecast is beyond the range of floating-point numbers."""
    finite = np.isfinite(paths.median) & np.isfinite(paths.network)  # (N, S)
    bad = ~(finite & np.isfinite(paths.quantiles).all(axis=1))  # (N, S)
    if bad.any():
        series = int(np.flatnonzero(bad.any(axis=0))[0])
        step = int(bad[:, series].argmax()) + 1
        raise DataError(
            f'the forecast of series "{panel.ids[series]}" is no finite number from step {step} on',
            where=f"{int(bad.any(axis=0).sum())} of {len(panel.ids)} series",
            hint="give the values in a larger unit (thousands, say), or a smaller --horizon",
        )


@dataclass(frozen=True, eq=False)
class _Paths:
    """What is forecast of B series, in normalised units or in those of the data.

    `median` and `network` (N, B) are what is issued and what the network alone says, `quantiles` (N, L, B) those at the
    levels asked for.
    """

    median: NDArray[np.float64]
    network: NDArray[np.float64]
    quantiles: NDArray[np.float64]

    def within(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> _Paths:
        """The same, drawn in to lowest and highest numbers (N, B)."""
        median, network = (np.clip(path, low, high) for path in (self.median, self.network))
        return _Paths(median, network, np.clip(self.quantiles, low[:, None], high[:, None]))


def _forecast_all(
    model: Model,
    working: WorkingSeries,
    states: NDArray[np.float32] | None,
    horizon: int,
    levels: NDArray[np.float64],
    kernels: bool,
) -> _Paths:
    """Paths in the units of the data, chunk by chunk."""
    chunks = []
    for start in range(0, len(working.logarithmic), CHUNK):
        stop = min(start + CHUNK, len(working.logarithmic))
        rows = slice(working.indptr[start], working.indptr[stop])
        chunk = WorkingSeries(
            values=working.values[rows],
            levels=working.levels[rows],
            logarithmic=working.logarithmic[start:stop],
            indptr=working.indptr[start : stop + 1] - working.indptr[start],
            times=working.times[rows],
            calendar=working.calendar,
        )
        own = None if states is None else states[..., start:stop]
        paths, local = _rolled(model, chunk, own, horizon, levels, kernels)
        chunks.append([local.inverse(values) for values in (paths.median, paths.network, paths.quantiles)])
    return _Paths(*(np.concatenate(parts, axis=-1) for parts in zip(*chunks, strict=True)))


def _rolled(
    model: Model,
    working: WorkingSeries,
    states: NDArray[np.float32] | None,
    horizon: int,
    levels: NDArray[np.float64],
    kernels: bool,
) -> tuple[_Paths, LocalScale]:
    """Paths in the normalised units of the last rows of each series.

    Each further pass of the network continues from the medians of the one before, for the same group of series. Its own
    gaps say little, because a path of medians is smoother than what will come: those of the first pass are taken again,
    and added to what was reached before as independent errors add, by their squares. On a random walk they go on
    growing as its root of time. Nothing goes beyond the bounds of the context.
    """
    context, paths, group = _one_pass(model, working, states, levels, kernels)
    first, size = context.local, model.network.horizon
    low, high = context.bounds(-(-horizon // size) * size)  # (passes K, B) each
    passes = [paths.within(low[:size], high[:size])]
    gaps = passes[0].quantiles - passes[0].median[:, None]  # (K, L, B)
    side = np.where(gaps == 0, np.sign(gaps[-1]), np.sign(gaps))  # (K, L, B)
    while (done := len(passes) * size) < horizon:
        working = _extended(working, passes[-1].median * first.scale + first.anchor)
        if states is not None:
            from rnncast.forecasting.carrying import advanced

            states = advanced(model, working, np.diff(working.indptr) - size, states, kernels)
        further, paths, _ = _one_pass(model, working, states, levels[:0], kernels, group)
        local = further.local
        widened = side * np.sqrt(gaps**2 + len(passes) * gaps[-1] ** 2)
        median, network = (first.normalise(p * local.scale + local.anchor) for p in (paths.median, paths.network))
        rolled = _Paths(median, network, median[:, None] + widened)
        passes.append(rolled.within(low[done : done + size], high[done : done + size]))
    columns = zip(*((p.median, p.network, p.quantiles) for p in passes), strict=True)
    return _Paths(*(np.concatenate(parts)[:horizon] for parts in columns)), first


def _one_pass(
    model: Model,
    working: WorkingSeries,
    states: NDArray[np.float32] | None,
    levels: NDArray[np.float64],
    kernels: bool,
    group: NDArray[np.int64] | None = None,
) -> tuple[Context, _Paths, NDArray[np.int64]]:
    """The last rows of each series, the paths of the K steps after them in their units, and the groups (B,).

    A stateful network says them from its states (M, parts, L, depth, H, B) after the last row. The groups are told from
    the rows, unless they are given.
    """
    config, windows = model.network, windows_at_ends(working.indptr)
    frame = make_frame(config, working, windows)
    if states is None:
        raw = _outputs(config.shape, model.parameters, network_inputs(config, frame), kernels)  # M of (O, B)
    else:
        raw = [state_outputs(config.shape, *pair) for pair in zip(model.parameters, states, strict=True)]
    context = make_context(config, working, windows, frame.local)
    own = context.share * (frame.naive[:, None] + network_quantiles(model, raw))  # (K, Q, B)
    network = own[:, own.shape[1] // 2]  # (K, B)
    group = groups_of(config, context.rows, context.valid) if group is None else group  # (B,)
    median = blended_median(model.gate, config, context.rows, context.valid, group, network)  # (K, B)
    known = np.asarray(config.quantile_levels)  # (Q,)
    if model.calibration is None or len(levels) == 0:
        gaps = at_levels(own - network[:, None], known, levels)  # (K, L, B)
    else:
        widths = network_widths(own, known)  # (K, B) ones without quantiles
        scale = scales(model.calibration.volatility, config, context.rows, context.valid, widths)  # (K, B)
        gaps = model.calibration.offsets(group, scale, levels)
    return context, _Paths(median, network, median[:, None] + gaps), group


def _extended(working: WorkingSeries, path: NDArray[np.float64]) -> WorkingSeries:
    """The series with K more rows each, the path (K, B) in working units."""
    levels = np.where(working.logarithmic, np.exp(np.where(working.logarithmic, path, 0.0)), path)  # (K, B)
    ends = np.repeat(working.indptr[1:], len(path))  # (B K,)
    stamps = working.calendar.future(working.times[working.indptr[1:] - 1], len(path))  # (B, K)
    return WorkingSeries(
        values=np.insert(working.values, ends, path.T.reshape(-1)),
        levels=np.insert(working.levels, ends, levels.T.reshape(-1)),
        logarithmic=working.logarithmic,
        indptr=working.indptr + len(path) * np.arange(len(working.indptr), dtype=np.int64),
        times=np.insert(working.times, ends, stamps.reshape(-1)),
        calendar=working.calendar,
    )


def network_quantiles(model: Model, raw: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Mean over the members, of raw outputs (O, B) each, of the quantiles' distance from the naive path; (K, Q, B)."""
    total = np.zeros((model.network.horizon, len(model.network.quantile_levels), raw[0].shape[-1]))  # (K, Q, B)
    for outputs in raw:
        total += twin.head_quantiles(outputs.astype(np.float64), model.head)
    return total / len(model.parameters)


def _outputs(
    shape: Shape, parameters: NDArray[np.float32], inputs: NDArray[np.float32], kernels: bool
) -> list[NDArray[np.float32]]:
    """Raw outputs (O, B) of each member, by the kernels or by NumPy."""
    if not kernels:
        return [twin.forward(shape, member, inputs) for member in parameters]
    from rnncast.core.engine import Engine

    engine = Engine(shape, inputs.shape[0], inputs.shape[2])
    return [engine.forward(member, inputs) for member in parameters]


def _long_table(model: Model, panel: Panel, paths: _Paths, levels: Sequence[float]) -> Forecast:
    """Series after series, step after step."""
    horizon, series = paths.median.shape
    calendar = calendar_of(model, panel)
    last = panel.times[panel.indptr[1:] - 1]  # (S,)
    return Forecast(
        ids=panel.ids,
        series=np.repeat(np.arange(series, dtype=np.int64), horizon),
        times=as_written(calendar.future(last, horizon).reshape(-1), calendar),
        cutoffs=np.repeat(last, horizon),
        steps=np.tile(np.arange(1, horizon + 1, dtype=np.int64), series),
        point=paths.median.T.reshape(-1),
        network=paths.network.T.reshape(-1),
        quantile_levels=np.asarray(levels, dtype=np.float64),
        quantiles=paths.quantiles.transpose(2, 0, 1).reshape(horizon * series, len(levels)),
        columns=panel.columns,
        last_values=np.repeat(panel.target[panel.indptr[1:] - 1], horizon),
        trained_horizon=model.network.horizon,
        zone=panel.calendar.zone,
    )
