"""Rolling-origin backtest: forecast from each origin with the rows up to it, beside the simple baselines.

A trained model is scored only at origins at or after its last training row. Without a model one is trained on the
rows before the first origin, and again where the plan says so. No row after an origin enters anything computed at it;
the state of a stateful model is carried on from origin to origin, over the rows shown at each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rnncast.data.panel import Panel
from rnncast.data.summary import counted, format_stamp
from rnncast.data.transform import FEWEST_ROWS
from rnncast.errors import DataError, UsageError
from rnncast.evaluation.checkpoint import model_digest
from rnncast.evaluation.course import NOTHING, Course, Keeping, OnOrigin, Run
from rnncast.evaluation.folds import Trained
from rnncast.evaluation.methods import Terms
from rnncast.evaluation.origins import Origins, Plan, rolling_origins
from rnncast.evaluation.recipe import settled
from rnncast.model.config import quantile_levels
from rnncast.model.model import Model
from rnncast.training.defaults import TrainOptions

if TYPE_CHECKING:
    from rnncast.training.search import OnEpoch

__all__ = ["Keeping", "Run", "evaluate_model", "evaluate_panel"]


def evaluate_model(
    model: Model,
    panel: Panel,
    plan: Plan,
    *,
    horizon: int | None = None,
    levels: Sequence[float] = (),
    keeping: Keeping = NOTHING,
    on_origin: OnOrigin = lambda done, total: None,
) -> Run:
    """Backtest of a trained model, only at origins at or after its last training row.

    Parameters
    ----------
    model, panel, plan
        The model, all rows, and which origins.
    horizon
        Steps scored; None for the model's.
    levels
        Central intervals in per cent.
    keeping
        Checkpoint and audit.
    on_origin
        Called after each origin.

    Raises
    ------
    DataError
        The panel has no origin, with something after it to score, that training has not seen; or the checkpoint is not
        of this backtest.
    UsageError
        The plan asks for trainings.
    """
    if plan.refit or plan.train_size is not None:
        raise UsageError("a trained model is not trained again", hint="leave out --refit and --train-size")
    horizon = horizon or model.network.horizon
    earliest = model.last_trained
    until = format_stamp(earliest, panel.calendar.zone)
    if not (panel.times > earliest).any():
        raise DataError(
            f"no row after the last training row ({until}): a score there would be no forecast",
            hint="backtest with training before each cutoff: rnncast evaluate INPUT; or train on less: "
            "rnncast train INPUT --until DATE",
        )
    origins = rolling_origins(panel, horizon, plan, fewest_rows=FEWEST_ROWS, earliest=earliest)
    taus = quantile_levels(levels) if levels else ()
    terms = Terms(horizon, plan.gap, model.network.season_length, taus)
    notes = [_span(panel, origins), f"trained once, on rows up to {until}", *_beyond(model, terms)]
    source = Trained(model, terms)
    of = {"model": model_digest(model), "--horizon": horizon, "--level": list(levels)}
    return Course(source, terms, panel, origins, plan, keeping, of).run(notes, lambda report: None, on_origin)


def evaluate_panel(
    panel: Panel,
    options: TrainOptions,
    plan: Plan,
    *,
    skip_short: bool = False,
    keeping: Keeping = NOTHING,
    on_epoch: OnEpoch = lambda report: None,
    on_origin: OnOrigin = lambda done, total: None,
) -> Run:
    """Backtest of a training recipe: trained on the rows before the first origin, and again as the plan says.

    Parameters
    ----------
    panel, options, plan
        All rows, how to train, and which origins.
    skip_short
        Whether series that are too short to train on are left out.
    keeping
        Checkpoint and audit.
    on_epoch, on_origin
        Called after each epoch of a training that is made by itself, and after each origin.

    Raises
    ------
    DataError
        Too few rows for the origins, or a series too short to train on (left out with `skip_short`); or the checkpoint
        is not of this backtest.
    UsageError
        A checkpoint or an audit of trainings that end by the clock, and so not twice alike.
    """
    if options.time_limit is not None and keeping != NOTHING:
        option = "--checkpoint" if keeping.checkpoint is not None else "--audit"
        raise UsageError(
            f"{option} needs trainings that come out the same again, and --time-limit ends them by the clock",
            hint="--max-epochs bounds them too",
        )
    recipe, terms, origins, chosen = settled(panel, options, plan, skip_short=skip_short)
    of = {f"--{name.replace('_', '-')}": value for name, value in asdict(options).items()} | {"--skip-bad": skip_short}
    of["--level"] = list(of.pop("--levels"))
    notes = [_span(panel, origins), *chosen]
    times = {0: "once, before the first origin", 1: "at every origin", 2: "at every other origin"}
    said = f"trained {times.get(plan.refit, f'at one in {plan.refit} origins')}"
    return Course(recipe, terms, panel, origins, plan, keeping, of).run(notes, on_epoch, on_origin, said)


def _span(panel: Panel, origins: Origins) -> str:
    stamps = origins.stamps(panel)
    behind = f", scored from step {origins.gap + 1} on" if origins.gap else ""
    return f"{counted(len(origins), 'origin')}, {stamps[0]} to {stamps[-1]}{behind}"


def _beyond(model: Model, terms: Terms) -> tuple[str, ...]:
    """A note on steps that the model was not trained for."""
    trained = model.network.horizon
    if terms.reach <= trained:
        return ()
    first = max(trained, terms.gap) + 1
    steps = f"step {first} lies" if first == terms.reach else f"steps {first} to {terms.reach} lie"
    said = "; intervals there are extrapolated, not calibrated" if terms.levels else ""
    return (f"{steps} beyond the trained horizon of {trained}: the forecast is rolled on from its own median{said}",)
