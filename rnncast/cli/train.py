"""``rnncast train``: from data to a model file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncast.cli.inputs import STDIN, check_output, read_data, refuse_model, shell_word, warn_of_data
from rnncast.cli.options import SKIP_BAD, Computing, InputOptions, Report, TrainingChoices, flag, option, takes
from rnncast.cli.output import Output
from rnncast.cli.progress import Progress
from rnncast.errors import UsageError

if TYPE_CHECKING:
    from rnncast.model.model import Model
    from rnncast.training.defaults import TrainOptions

EXAMPLES = """\b
Examples:
  rnncast train prices.csv
  rnncast train panel.parquet --horizon 20 --level 90 -o panel.npz
  rnncast train prices.csv --until 2024-06-30 --cell gru --members 5
  rnncast train load.csv --stateful --truncation 168
"""

DEFAULT_MODEL = "model.npz"
"""Model of an input that has no name of its own."""


@takes(choices=TrainingChoices, columns=InputOptions, computing=Computing, report=Report)
def train(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="CSV or Parquet files, a folder, or - for stdin.", show_default=False),
    ],
    choices: TrainingChoices,
    columns: InputOptions,
    computing: Computing,
    report: Report,
    output: Annotated[
        str | None, option("Model file.", "the input's name with .npz, in this folder", "FILE", "--output", "-o")
    ] = None,
    no_clobber: Annotated[bool, flag("Refuse to replace an existing model.", "--no-clobber")] = False,
    no_history: Annotated[
        bool, flag("Keep no rows, and no state, in the model; forecasts then need an input.", "--no-history")
    ] = False,
    skip_bad: Annotated[
        bool | None,
        option("Leave out series that are too short, by name; or refuse them.", "left out", None, SKIP_BAD),
    ] = None,
) -> None:
    """Train a model on a file of series and save it as one file.

    Columns, calendar, season and network are chosen from the data and said on stderr, with a verdict on whether the
    model adds anything to the last value.
    """
    computing.apply()
    for source in inputs:
        refuse_model(source)
    path = output or default_model(inputs)
    check_output(path, inputs, clobber=not no_clobber, model=True)
    job = TrainingJob(path, tuple(inputs), not no_clobber, not no_history, skip_bad is not False)
    run_training(job, train_options(choices), columns, report)


@dataclass(frozen=True)
class TrainingJob:
    """What is trained on, and where the model goes.

    Attributes
    ----------
    path, inputs
        The model file, and the inputs.
    clobber, keep_history, skip_bad : bool
        Whether an existing model may be replaced, whether rows are kept in it, whether short series are left out.
    """

    path: str
    inputs: tuple[str, ...]
    clobber: bool = True
    keep_history: bool = True
    skip_bad: bool = False


def run_training(job: TrainingJob, options: TrainOptions, columns: InputOptions, report: Report) -> None:
    """Read, train, save, and say what came of it."""
    from rnncast.model.artifact import save_model
    from rnncast.training.defaults import resolve
    from rnncast.training.split import without_short_series

    out = Output(quiet=report.quiet, hold=report.json)
    reading = read_data(job.inputs, columns)
    panel, notes = reading.panel, reading.notes
    out.notes(notes)
    doubts = warn_of_data(panel, out)
    network, training, chosen = resolve(options, panel)
    out.notes(chosen)
    panel, left_out = without_short_series(panel, network, skip=job.skip_bad)
    short = (f"{len(left_out)} series left out as too short: {', '.join(left_out)}",) if left_out else ()
    for warning in short:
        out.warn(warning)
    from rnncast.training.train import train as train_model  # loads Numba: a faulty input is told of before

    with Progress(out) as progress:
        model, met = train_model(panel, network, training, keep_history=job.keep_history, on_epoch=progress.epoch)
    for warning in met:
        out.warn(warning)
    replaced = os.path.exists(job.path)
    save_model(model, job.path, clobber=job.clobber)
    _conclude(model, job, out, replaced)
    if report.json:
        out.document(document(model, job, (*notes, *chosen), (*doubts, *short, *met)))
    out.release()


def _conclude(model: Model, job: TrainingJob, out: Output, replaced: bool) -> None:
    """Verdict and the next command, on stderr."""
    from rnncast.report.tables import size
    from rnncast.report.training import training_summary, training_verdict

    out.note(training_summary(model))
    out.note(training_verdict(model))
    instead = ", in place of the one that stood there" if replaced else ""
    out.note(f"saved {job.path} ({size(os.path.getsize(job.path))}){instead}")
    out.note(f"next: {next_command(model, job)}", wrap=False)


def next_command(model: Model, job: TrainingJob) -> str:
    """The command that forecasts with the model."""
    command = f"rnncast forecast {shell_word(job.path)}"
    if model.history is None:
        source = job.inputs[0]
        command += " -" if source == STDIN else f" {shell_word(source)}"
    return command


def document(model: Model, job: TrainingJob, notes: Sequence[str], warnings: Sequence[str]) -> dict[str, Any]:
    """What ``--json`` prints."""
    from rnncast.report.card import model_document

    return {
        "schema": "rnncast.train/1",
        "model": job.path,
        "inputs": list(job.inputs),
        **model_document(model),
        "notes": list(notes),
        "warnings": list(warnings),
        "next": next_command(model, job),
    }


def default_model(inputs: Sequence[str]) -> str:
    """Name of the model, in the current folder: that of the one input, or a general one."""
    if len(inputs) != 1 or inputs[0] == STDIN or os.path.isdir(inputs[0]):
        return DEFAULT_MODEL
    if set(inputs[0]) & set("*?[") and not os.path.exists(inputs[0]):  # a pattern rather than a file
        return DEFAULT_MODEL
    return f"{Path(inputs[0]).stem}.npz"


def train_options(choices: TrainingChoices) -> TrainOptions:
    """The choices made, as training takes them; UsageError where they contradict each other."""
    from rnncast.model.config import INTERVAL_LOSSES
    from rnncast.training.defaults import TrainOptions

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
