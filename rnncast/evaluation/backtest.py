"""Rolling-origin backtest: forecast from each origin with the rows up to it, beside the simple baselines.

A trained model is scored only at origins at or after its last training row. Without a model one is trained on the
rows before the first origin, and again where the plan says so. No row after an origin enters anything computed at it;
the state of a stateful model is carried on from origin to origin, over the rows shown at each.

Dimension letters: `N` scored rows, `S` series, `K` horizon steps, `Q` quantiles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.volatility import relative_volatility
from rnncast.data.panel import Panel
from rnncast.data.summary import format_stamp
from rnncast.errors import DataError
from rnncast.evaluation.baselines import simple_baselines
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.metrics import absolute_scale, squared_scale
from rnncast.evaluation.origins import Origins, Plan, rolling_origins
from rnncast.forecasting.carrying import carried_on
from rnncast.forecasting.predict import FEWEST_ROWS, forecast
from rnncast.forecasting.result import METHOD
from rnncast.model.config import NetworkConfig
from rnncast.model.model import Model
from rnncast.training.defaults import TrainOptions, quantile_levels, resolve
from rnncast.training.search import OnEpoch
from rnncast.training.split import rows_needed, without_short_series
from rnncast.training.train import train

OnOrigin = Callable[[int, int], None]
"""Called with the number of origins done and the number of all."""

MOST_LOOKS = 5
"""Times that settings are taken from fewer rows before a backtest asks for a --horizon."""

ModelAt = Callable[[int, Panel], Model]
"""Gives the model of an origin (its number) from the rows shown there."""


def evaluate_model(
    model: Model,
    panel: Panel,
    plan: Plan,
    *,
    horizon: int | None = None,
    levels: Sequence[float] = (),
    on_origin: OnOrigin = lambda done, total: None,
) -> tuple[Backtest, tuple[str, ...]]:
    """Backtest of a trained model, only at origins at or after its last training row.

    Parameters
    ----------
    model, panel, plan
        The model, all rows, and which origins.
    horizon
        Steps scored; None for the model's.
    levels
        Central intervals in per cent; none for a model without quantiles.

    Raises
    ------
    DataError
        The panel has no origin, with something after it to score, that training has not seen.
    """
    horizon = horizon or model.network.horizon
    earliest = np.datetime64(model.trained_until, "us") if panel.is_dated else int(model.trained_until)
    until = format_stamp(earliest, panel.calendar.zone)
    after = int((panel.times > earliest).sum())
    if after == 0:
        raise DataError(
            f"no row after the last training row ({until}): a score there would be no forecast",
            hint="backtest with training before each cutoff: rnncast evaluate INPUT; or train on less: "
            "rnncast train INPUT --until DATE",
        )
    origins = rolling_origins(panel, horizon, plan, fewest_rows=FEWEST_ROWS, earliest=earliest)
    taus = quantile_levels(levels) if len(model.network.quantile_levels) > 1 else ()
    current, notes = [model], dict.fromkeys([_span(panel, origins), f"trained once, on rows up to {until}"])

    def model_at(origin: int, shown: Panel) -> Model:
        if model.network.stateful:
            current[0], said = carried_on(current[0], shown)
            notes.update(dict.fromkeys(said))
        return current[0]

    backtest = _run(panel, origins, horizon, model.network.season_length, taus, model_at, on_origin)
    return backtest, tuple(notes)


def evaluate_panel(
    panel: Panel,
    options: TrainOptions,
    plan: Plan,
    *,
    skip_short: bool = False,
    on_epoch: OnEpoch = lambda report: None,
    on_origin: OnOrigin = lambda done, total: None,
) -> tuple[Backtest, tuple[str, ...]]:
    """Backtest of a training recipe: trained on the rows before the first origin, and again as the plan says.

    Raises
    ------
    DataError
        Too few rows for the origins, or a series too short to train on (left out with `skip_short`).
    """
    config, origins = _settings_and_origins(panel, options, plan)
    options = replace(options, horizon=config.horizon)
    notes: dict[str, None] = {_span(panel, origins): None}
    current: list[Model] = []

    def model_at(origin: int, shown: Panel) -> Model:
        if origin == 0 or (plan.refit > 0 and origin % plan.refit == 0):
            known = _known(shown, np.ones(len(shown.times), dtype=bool))
            network, training, chosen = resolve(options, known)
            known, left_out = without_short_series(known, network, skip=skip_short)
            model, warnings = train(known, network, training, keep_history=network.stateful, on_epoch=on_epoch)
            current[:] = [model]
            skipped = (f"left out as too short: {', '.join(left_out)}",) if left_out else ()
            notes.update(dict.fromkeys(chosen + skipped + warnings))
        if current[0].network.stateful:
            current[0], _ = carried_on(current[0], shown)
        return current[0]

    taus = config.quantile_levels if len(config.quantile_levels) > 1 else ()
    backtest = _run(panel, origins, config.horizon, config.season_length, taus, model_at, on_origin)
    times = (
        "once, before the first origin"
        if plan.refit == 0
        else "at every origin"
        if plan.refit == 1
        else f"again at every {plan.refit} origins"
    )
    return backtest, (*notes, f"trained {times}")


def _settings_and_origins(panel: Panel, options: TrainOptions, plan: Plan) -> tuple[NetworkConfig, Origins]:
    """Horizon, season and origins; the former from the rows before the first origin alone.

    The place of the first origin depends on the horizon, and the horizon, unless it is named, on the rows before it: so
    settings are taken from ever fewer rows, until the origins that they give leave those rows behind them.
    """
    position = np.arange(len(panel.times)) - np.repeat(panel.indptr[:-1], panel.lengths)  # (R,)
    shown = position < np.repeat(np.maximum(panel.lengths // 2, 1), panel.lengths)  # (R,) at first, half of each series
    for _ in range(MOST_LOOKS):
        config, _, _ = resolve(options, _known(panel, shown))
        origins = rolling_origins(panel, config.horizon, plan, fewest_rows=rows_needed(config))
        visible = origins.visible(0, panel)
        if not np.any(shown & ~visible):
            return config, origins
        shown = shown & visible
    raise DataError(
        "the horizon depends on rows after the first origin",
        hint="name it with --horizon, or ask for fewer --n-windows",
    )


def _known(panel: Panel, shown: NDArray[np.bool_]) -> Panel:
    """The rows shown (R,), with a calendar that is learnt from them alone."""
    return panel.keep(shown, relearn_calendar=True)


def _span(panel: Panel, origins: Origins) -> str:
    widest = int(np.argmax(origins.steps.sum(axis=0)))
    stamps = panel.times[origins.ends[:, widest] - 1]
    first, last = (format_stamp(stamp, panel.calendar.zone) for stamp in (stamps[0], stamps[-1]))
    plural = "s" if len(origins) != 1 else ""
    return f"{len(origins)} origin{plural}, {first} to {last}"


@dataclass
class _Rows:
    """Columns of the long table, origin after origin."""

    columns: dict[str, list[NDArray[Any]]] = field(default_factory=dict)

    def add(self, **values: NDArray[Any]) -> None:
        for name, value in values.items():
            self.columns.setdefault(name, []).append(value)

    def joined(self, name: str) -> NDArray[Any]:
        return np.concatenate(self.columns[name])


def _run(
    panel: Panel,
    origins: Origins,
    horizon: int,
    season_length: int,
    taus: Sequence[float],
    model_at: ModelAt,
    on_origin: OnOrigin,
) -> Backtest:
    rows, points, quantiles = _Rows(), _Rows(), _Rows()
    levels = np.asarray(taus, dtype=np.float64)  # (Q,)
    for origin in range(len(origins)):
        model = model_at(origin, panel.keep(origins.visible(origin, panel)))
        scored = np.flatnonzero(origins.steps[origin])  # (series scored,)
        own = origins.visible(origin, panel) & np.repeat(origins.steps[origin] > 0, panel.lengths)
        if len(scored):
            issued = forecast(model, panel.keep(own), horizon, taus)
            point = issued.point.reshape(len(scored), horizon)
            spread = issued.quantiles.reshape(len(scored), horizon, len(levels))
        for place, s in enumerate(scored):
            end, steps = int(origins.ends[origin, s]), int(origins.steps[origin, s])
            history = panel.target[panel.indptr[s] : end]
            _add_rows(rows, panel, int(s), origin, end, steps, season_length, history)
            points.add(**{METHOD: point[place, :steps]})
            quantiles.add(**{METHOD: spread[place, :steps]})
            for name, baseline in simple_baselines(history, steps, season_length, levels).items():
                points.add(**{name: baseline.point})
                quantiles.add(**{name: baseline.quantiles})
        on_origin(origin + 1, len(origins))
    return _table(panel, rows, points, quantiles, levels, season_length)


def _add_rows(
    rows: _Rows,
    panel: Panel,
    series: int,
    origin: int,
    end: int,
    steps: int,
    season_length: int,
    history: NDArray[np.float64],
) -> None:
    rows.add(
        series=np.full(steps, series, dtype=np.int64),
        origin=np.full(steps, origin, dtype=np.int64),
        cutoffs=np.full(steps, panel.times[end - 1]),
        times=panel.times[end : end + steps],
        steps=np.arange(1, steps + 1, dtype=np.int64),
        actual=panel.target[end : end + steps],
        scale_absolute=np.full(steps, absolute_scale(history, season_length)),
        scale_squared=np.full(steps, squared_scale(history, season_length)),
        volatility=np.full(steps, relative_volatility(history)),
    )


def _table(
    panel: Panel, rows: _Rows, points: _Rows, quantiles: _Rows, levels: NDArray[np.float64], season_length: int
) -> Backtest:
    if not rows.columns:
        raise DataError("no series has rows before and after an origin", hint="give more rows, or fewer --n-windows")
    joined: Mapping[str, Any] = {name: rows.joined(name) for name in rows.columns}
    return Backtest(
        ids=panel.ids,
        points={name: points.joined(name) for name in points.columns},
        quantile_levels=levels,
        quantiles={name: quantiles.joined(name) for name in quantiles.columns},
        season_length=season_length,
        zone=panel.calendar.zone,
        **joined,
    )
