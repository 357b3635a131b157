"""``rnncast train``: from data to a model file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncast.cli.forms import STDOUT, check_stdout
from rnncast.cli.inputs import STDIN, check_output, check_stdin, output_lock, refuse_model, shell_word
from rnncast.cli.options import SKIP_BAD, Computing, InputOptions, Report, TrainingChoices, flag, option, takes
from rnncast.cli.output import Output
from rnncast.cli.preparing import Prepared, TrainingJob, prepare_continued, prepare_new
from rnncast.cli.progress import Progress, say_compiling
from rnncast.cli.resuming import kept, new_checkpoint
from rnncast.records import dataclass

if TYPE_CHECKING:
    from rnncast.model.model import Model
    from rnncast.training.checkpoint import Checkpoint

EXAMPLES = """\b
Examples:
  rnncast train prices.csv
  rnncast train panel.parquet --horizon 20 --level 90 -o panel.npz
  rnncast train prices.csv --until 2024-06-30 --cell gru --members 5
  rnncast train load.csv --stateful --truncation 168
  rnncast train prices.csv --from prices.npz -o prices.npz
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
        str | None,
        option("Model file, or - for stdout.", "the input's name with .npz, in this folder", "FILE", "--output", "-o"),
    ] = None,
    no_clobber: Annotated[bool, flag("Refuse to replace an existing model.", "--no-clobber")] = False,
    no_history: Annotated[
        bool, flag("Keep no rows, and no state, in the model; forecasts then need an input.", "--no-history")
    ] = False,
    skip_bad: Annotated[
        bool | None,
        option("Leave out series of a single row, by name; or refuse them.", "left out", None, SKIP_BAD),
    ] = None,
    from_model: Annotated[
        str | None, option("Model to go on from, with fresh rows.", "a new model", "MODEL", "--from")
    ] = None,
    resume: Annotated[bool, flag("Go on with a training that was interrupted.", "--resume")] = False,
) -> None:
    """Train a model on a file of series and save it as one file.

    Columns, calendar, season and network are chosen from the data and said on stderr, with a verdict on whether the
    model adds anything to the last value. A training that is interrupted leaves a checkpoint beside the model; the same
    command with --resume goes on from it, to the same model. With --from, a trained model goes on for a few epochs,
    which count only if fresh rows that it has not seen bear them out.
    """
    computing.apply()
    for source in inputs:
        refuse_model(source)
    path = default_model(inputs) if output is None else output
    check_stdin([*inputs, *([from_model] if from_model else [])])
    if path == STDOUT:
        check_stdout(json=report.json, resume=resume)
    else:
        check_output(path, inputs, clobber=not no_clobber, model=True)
    job = TrainingJob(
        path,
        tuple(inputs),
        clobber=not no_clobber,
        keep_history=not no_history,
        skip_bad=skip_bad is not False,
        resume=resume,
        from_model=from_model,
        skip_missing=skip_bad is True,
    )
    with output_lock(None if path == STDOUT else path, report):  # before data are read, and what trains is loaded
        run_training(job, choices, columns, report)


def run_training(job: TrainingJob, choices: TrainingChoices, columns: InputOptions, report: Report) -> None:
    """Read, train, save, and say what came of it."""
    from rnncast.model.artifact import model_bytes, save_model

    out = Output(quiet=report.quiet, hold=report.json)
    say_compiling(out)
    begin = prepare_new if job.from_model is None else prepare_continued
    begun = begin(job, choices, columns, out)
    replaced = os.path.exists(job.path)
    checkpoint = new_checkpoint(job.path, begun.panel, begun.network, begun.training, begun.started_from)
    with kept(checkpoint, out, resume=job.resume):
        with Progress(out) as progress:
            found = train_prepared(begun, job, progress, checkpoint)
        if job.path == STDOUT:
            out.data(model_bytes(found.model))
        else:
            save_model(found.model, job.path, clobber=job.clobber)
    for warning in found.warnings:
        out.warn(warning)
    _conclude(found, job, out, replaced)
    if report.json:
        warnings = (*begun.warnings, *found.warnings)
        out.document(document(found, job, begun.notes, warnings))
    out.release()


@dataclass(frozen=True)
class Trained:
    """A model that was trained: what is said of it, and whether it went on; None of a new one."""

    model: Model
    summary: str
    warnings: tuple[str, ...]
    accepted: bool | None = None


def train_prepared(begun: Prepared, job: TrainingJob, progress: Progress, checkpoint: Checkpoint) -> Trained:
    """Train a new model, or go on with one."""
    from rnncast.report.training import training_summary
    from rnncast.training.continued import continue_training
    from rnncast.training.train import train as train_model

    if begun.model is None:
        model, warnings = train_model(
            begun.panel,
            begun.network,
            begun.training,
            keep_history=job.keep_history,
            on_epoch=progress.epoch,
            checkpoint=checkpoint,
        )
        return Trained(model, training_summary(model), warnings)
    found = continue_training(
        begun.model,
        begun.panel,
        begun.training,
        keep_history=job.keep_history,
        on_epoch=progress.epoch,
        checkpoint=checkpoint,
    )
    return Trained(found.model, found.summary, found.warnings, found.accepted)


def _conclude(found: Trained, job: TrainingJob, out: Output, replaced: bool) -> None:
    """Verdict and the next command, on stderr."""
    from rnncast.report.tables import size
    from rnncast.report.training import training_verdict

    out.note(found.summary)
    out.note(training_verdict(found.model))
    if job.path == STDOUT:
        return
    instead = ", in place of the one that stood there" if replaced else ""
    out.note(f"saved {job.path} ({size(os.path.getsize(job.path))}){instead}")
    out.note(f"next: {next_command(found.model, job)}", wrap=False)


def next_command(model: Model, job: TrainingJob) -> str:
    """The command that forecasts with the model."""
    command = f"rnncast forecast {shell_word(job.path)}"
    if model.history is None:
        source = job.inputs[0]
        command += " -" if source == STDIN else f" {shell_word(source)}"
    return command


def document(found: Trained, job: TrainingJob, notes: Sequence[str], warnings: Sequence[str]) -> dict[str, Any]:
    """What ``--json`` prints."""
    from rnncast.report.card import model_document

    went_on = None if found.accepted is None else {"accepted": found.accepted, "summary": found.summary}
    return {
        "schema": "rnncast.train/1",
        "model": job.path,
        "inputs": list(job.inputs),
        "from": None if went_on is None else {"model": job.from_model, **went_on},
        **model_document(found.model),
        "notes": list(notes),
        "warnings": list(warnings),
        "next": next_command(found.model, job),
    }


def default_model(inputs: Sequence[str]) -> str:
    """Name of the model, in the current folder: that of the one input, or a general one."""
    if len(inputs) != 1 or inputs[0] == STDIN or os.path.isdir(inputs[0]):
        return DEFAULT_MODEL
    if set(inputs[0]) & set("*?[") and not os.path.exists(inputs[0]):  # a pattern rather than a file
        return DEFAULT_MODEL
    return f"{Path(inputs[0]).stem}.npz"
