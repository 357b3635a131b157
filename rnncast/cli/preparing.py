"""What a training begins with: the rows, the settings, and the model that goes on, if one does."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from rnncast.cli.config.sources import by_flag
from rnncast.cli.inputs import missing_series, open_model, read_data, read_for_model, warn_of_data
from rnncast.cli.options import InputOptions, TrainingChoices, given
from rnncast.cli.output import Output
from rnncast.errors import DataError, UsageError
from rnncast.records import dataclass

if TYPE_CHECKING:
    from rnncast.data.panel import Panel
    from rnncast.model.config import NetworkConfig, TrainingConfig
    from rnncast.model.model import Model
    from rnncast.training.defaults import TrainOptions


@dataclass(frozen=True)
class TrainingJob:
    """What is trained on, and where the model goes.

    Attributes
    ----------
    path, inputs
        The model file, and the inputs.
    clobber, keep_history, skip_bad, resume : bool
        Whether an existing model may be replaced, whether rows are kept in it, whether short series are left out,
        whether an interrupted training goes on.
    from_model : str or None
        The model that goes on.
    skip_missing : bool
        Whether it may go on without series that it keeps rows of.
    """

    path: str
    inputs: tuple[str, ...]
    clobber: bool = True
    keep_history: bool = True
    skip_bad: bool = False
    resume: bool = False
    from_model: str | None = None
    skip_missing: bool = False


@dataclass(frozen=True)
class Prepared:
    """What a training begins with.

    Attributes
    ----------
    panel, network, training
        Rows and settings.
    notes, warnings : tuple of str
        What was read and chosen, and what is doubtful.
    model : Model or None
        The one that goes on.
    """

    panel: Panel
    network: NetworkConfig
    training: TrainingConfig
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    model: Model | None = None

    @property
    def started_from(self) -> str | None:
        """Fingerprint of the model that goes on."""
        from rnncast.model.fingerprint import fingerprint

        return None if self.model is None else fingerprint(self.model)


def prepare_new(job: TrainingJob, choices: TrainingChoices, columns: InputOptions, out: Output) -> Prepared:
    """Read the input, and choose what was not named from it."""
    from rnncast.training.defaults import resolve

    options = train_options(choices)
    reading = read_data(job.inputs, columns)
    out.notes(reading.notes)
    doubts = warn_of_data(reading.panel, out)
    network, training, chosen = resolve(options, reading.panel)
    out.notes(chosen)
    panel, short = _long_enough(reading.panel, network, job, out)
    return Prepared(panel, network, training, (*reading.notes, *chosen), (*doubts, *short))


def prepare_continued(job: TrainingJob, choices: TrainingChoices, columns: InputOptions, out: Output) -> Prepared:
    """Open the model and read the input for it; UsageError for options that would make it another model."""
    from rnncast.forecasting.predict import check_kind
    from rnncast.model.fingerprint import fingerprint
    from rnncast.training.continued import SETTINGS, continued_settings

    assert job.from_model is not None
    # what stands in a file or the environment is meant for a new model: a few epochs at its rate would be many
    chosen = [name for name in SETTINGS if by_flag(name) or name not in ("max_epochs", "learning_rate")]
    named = {name: value for name in chosen if (value := getattr(choices, name)) is not None}
    if other := [name for name in given(choices) if name[2:].replace("-", "_") not in SETTINGS]:
        raise UsageError(
            f"{other[0]} is settled by the model that --from names", hint="leave it out, or train a new model"
        )
    model = open_model(job.from_model)
    if not model.network.stateful and named.pop("truncation", None) is not None and by_flag("truncation"):
        raise UsageError("--truncation has no effect on this model", hint="it was trained without --stateful")
    panel, notes = read_for_model(job.inputs, columns, model)
    notes = (f"going on from {job.from_model} ({fingerprint(model)}), trained until {model.trained_until}", *notes)
    out.notes(notes)
    check_kind(model, panel)
    _refuse_less(model, panel, skip=job.skip_missing)
    doubts = warn_of_data(panel, out)
    panel, short = _long_enough(panel, model.network, job, out)
    return Prepared(panel, model.network, continued_settings(model, named), notes, (*doubts, *short), model)


def _refuse_less(model: Model, panel: Panel, *, skip: bool) -> None:
    """DataError for rows that end before those of the training, or lack series: a file that was cut, most likely."""
    from rnncast.data.isotime import format_stamp

    last, zone = panel.times.max(), panel.calendar.zone
    if last < model.last_trained:
        end, until = format_stamp(last, zone), format_stamp(model.last_trained, zone)
        raise DataError(
            f"the rows end at {end}, and the model was trained on rows up to {until}",
            hint="give it all rows, old and fresh",
        )
    missing = None if skip else missing_series(panel, model)
    if missing is not None:
        raise DataError(missing, hint="give it all rows, or --skip-bad to go on without these series")


def _long_enough(panel: Panel, network: NetworkConfig, job: TrainingJob, out: Output) -> tuple[Panel, tuple[str, ...]]:
    """The series that have the rows for a training, and a warning of the others."""
    from rnncast.training.split import describe_unlearnt, without_short_series

    panel, left_out = without_short_series(panel, network, skip=job.skip_bad)
    gone = (f"{len(left_out)} series left out as too short: {', '.join(left_out)}",) if left_out else ()
    short = (*gone, *describe_unlearnt(panel, network))
    for warning in short:
        out.warn(warning)
    return panel, short


def _without_useless(choices: TrainingChoices) -> TrainingChoices:
    """The choices without those that nobody typed and that mean nothing beside the others."""
    from rnncast.model.config import INTERVAL_LOSSES

    useless = []
    if choices.cell not in (None, "rnn") and by_flag("cell"):
        useless.append("activation")
    if choices.loss not in (None, *INTERVAL_LOSSES):
        useless.append("level")
    if not choices.stateful:
        useless.append("truncation")
    nothing: dict[str, Any] = {name: None for name in useless if not by_flag(name)}
    return replace(choices, **nothing)


def train_options(choices: TrainingChoices) -> TrainOptions:
    """The choices made, as training takes them; UsageError where they contradict each other."""
    from rnncast.model.config import INTERVAL_LOSSES
    from rnncast.training.defaults import TrainOptions

    choices = _without_useless(choices)
    if choices.activation == "sigmoid" and choices.cell != "rnn":
        raise UsageError("--activation sigmoid needs --cell rnn", hint="the gated cells use tanh")
    if choices.level and choices.loss not in (None, *INTERVAL_LOSSES):
        losses = " or ".join(INTERVAL_LOSSES)
        raise UsageError(
            f"--level needs --loss {losses}, found --loss {choices.loss}", hint="leave one of the two options out"
        )
    if choices.truncation is not None and not choices.stateful:
        raise UsageError("--truncation needs --stateful", hint="windows are read whole: --input-size says how long")
    values = {field.name: getattr(choices, field.name) for field in fields(choices)}
    levels = values.pop("level")
    named: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    if levels:
        named["levels"] = tuple(levels)
    return TrainOptions(**named)
