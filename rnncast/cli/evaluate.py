"""``rnncast evaluate``: a backtest of a model, or of a training recipe, beside the simple baselines."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rnncast.cli.config.sources import by_flag
from rnncast.cli.forms import refuse_dash
from rnncast.cli.inputs import (
    STDIN,
    check_ending,
    check_output,
    check_stdin,
    is_model,
    open_model,
    output_lock,
    read_data,
    read_for_model,
    warn_of_data,
)
from rnncast.cli.issued import IssuedOptions, check_options, evaluate_issued
from rnncast.cli.options import (
    SKIP_BAD,
    Computing,
    InputOptions,
    Report,
    TrainingChoices,
    flag,
    given,
    option,
    settle_form,
    takes,
)
from rnncast.cli.outcome import Outcome, outcome_of
from rnncast.cli.output import Output
from rnncast.cli.preparing import train_options
from rnncast.cli.progress import Progress, say_compiling
from rnncast.errors import UsageError, typed_name
from rnncast.records import dataclass

if TYPE_CHECKING:
    from rnncast.data.panel import Panel
    from rnncast.evaluation.backtest import Keeping, Run
    from rnncast.evaluation.origins import Plan

EXAMPLES = """\b
Examples:
  rnncast evaluate prices.csv
  rnncast evaluate prices.csv --horizon 5 --n-windows 20 --refit always --checkpoint backtest.npz
  rnncast evaluate prices.npz fresh.csv --save-forecasts backtest.csv
  rnncast evaluate --forecasts issued.csv fresh.csv
"""

_OF_A_MODEL = ("--horizon", "--level")
"""Training options that also mean something for a trained model."""


@takes(issued=IssuedOptions, choices=TrainingChoices, columns=InputOptions, computing=Computing, report=Report)
def evaluate(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="[MODEL] INPUT...", help="A model and data, or data alone; - for stdin.", show_default=False
        ),
    ],
    issued: IssuedOptions,
    choices: TrainingChoices,
    columns: InputOptions,
    computing: Computing,
    report: Report,
    n_windows: Annotated[int | None, option("Cutoffs to forecast from.", "10, or as many as fit", "N")] = None,
    step_size: Annotated[int | None, option("Rows between cutoffs.", "the horizon", "N")] = None,
    refit: Annotated[
        str | None, option("Train again at every cutoff, or every Nth.", "never", "never|always|N")
    ] = None,
    gap: Annotated[
        int | None, option("Rows between a cutoff and the first row scored: data that arrive late.", "0", "N")
    ] = None,
    train_size: Annotated[
        int | None, option("Rows of each series that a training sees, the last before its cutoff.", "all", "N")
    ] = None,
    save_forecasts: Annotated[str | None, option("File for every forecast and what came.", "none", "FILE")] = None,
    checkpoint: Annotated[
        str | None, option("File that keeps what is done; the same command goes on from it.", "none", "FILE")
    ] = None,
    audit: Annotated[
        bool, flag("Forecast a cutoff again with all later rows altered, and compare the bytes.", "--audit")
    ] = False,
    skip_bad: Annotated[
        bool | None,
        option("Leave out series of a single row, by name; or refuse them.", "left out", None, SKIP_BAD),
    ] = None,
    format: Annotated[
        Literal["text", "json", "csv", "ndjson"] | None,
        option("Form of the scores; csv and ndjson have a row for each method.", "text"),
    ] = None,
) -> None:
    """Backtest from rolling cutoffs, beside simple forecasts and intervals, with evidence and a verdict.

    With a model first, it is scored only after its last training row. Without one, it is trained on the rows before the
    first cutoff, and again as --refit says. With --forecasts nothing is forecast anew: what forecast --append recorded
    is scored against what came, and its drift is shown.
    """
    computing.apply()
    out = Output(quiet=report.quiet, hold=report.json)
    say_compiling(out)
    form = settle_form(report, format) or "text"
    refuse_dash(save_forecasts=save_forecasts, checkpoint=checkpoint, forecasts=issued.forecasts)
    check_stdin(inputs)
    if save_forecasts is not None:
        check_output(save_forecasts, [*inputs, *([issued.forecasts] if issued.forecasts else [])])
        check_ending(save_forecasts)
    if checkpoint is not None:
        check_output(checkpoint, inputs)
        if save_forecasts is not None and os.path.realpath(checkpoint) == os.path.realpath(save_forecasts):
            raise UsageError("--checkpoint and --save-forecasts name the same file", hint="name two")
    if issued.forecasts is not None:
        running = {
            "n_windows": n_windows,
            "step_size": step_size,
            "gap": gap,
            "refit": refit,
            "train_size": train_size,
            "checkpoint": checkpoint,
            "audit": audit or None,
            "skip_bad": skip_bad,
        }
        check_options(choices, running)
        evaluate_issued(issued, inputs, choices, columns, form, save_forecasts, out)
        out.release()
        return
    plan = _plan(n_windows, step_size, refit, gap, train_size)
    with_model = is_model(inputs[0]) or (len(inputs) > 1 and (inputs[0] == STDIN or inputs[0].lower().endswith(".npz")))
    misplaced = next((source for source in inputs[1:] if is_model(source)), None)
    if misplaced is not None:
        raise UsageError(f"the model {misplaced} comes after {inputs[0]}", hint="rnncast evaluate MODEL INPUT")
    run = _of_model if with_model else _of_recipe
    with output_lock(checkpoint, report):  # before the data are read, and before what trains is loaded
        found = run(inputs, plan, _keeping(checkpoint, audit), choices, columns, out, skip_bad)
    if save_forecasts is not None:
        found.outcome.save(save_forecasts, out)
    out.notes(found.outcome.remarks())
    if form == "json":
        out.document(found.document())
    else:
        found.outcome.show(out, form)
    out.release()


@dataclass(frozen=True)
class _Evaluated:
    """A backtest that was run.

    Attributes
    ----------
    run, outcome
        How the forecasts came about, and what they came to.
    inputs, model
        The inputs; the model file, or None where a recipe was tested.
    notes : tuple of str
        What was read, chosen and left out.
    """

    run: Run
    outcome: Outcome
    inputs: tuple[str, ...]
    model: str | None
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        return {
            "schema": "rnncast.evaluate/1",
            "model": self.model,
            "inputs": list(self.inputs),
            "columns": asdict(self.outcome.columns),
            **self.run.document(),
            **self.outcome.document(),
            "notes": list(self.notes),
        }


def _plan(
    n_windows: int | None, step_size: int | None, refit: str | None, gap: int | None, train_size: int | None
) -> Plan:
    from rnncast.evaluation.origins import Plan

    words = {None: 0, "never": 0, "always": 1}
    if refit in words:
        number = words[refit]
    elif refit is not None and refit.isascii() and refit.isdigit() and int(refit) > 0:
        number = int(refit)
    else:
        raise UsageError(f"--refit must be never, always or a number of cutoffs, found {refit!r}")
    return Plan(n_windows=n_windows, step_size=step_size, refit=number, gap=gap or 0, train_size=train_size)


def _keeping(checkpoint: str | None, audit: bool) -> Keeping:
    from rnncast.evaluation.backtest import Keeping

    return Keeping(checkpoint=checkpoint, audit=audit)


def _of_model(
    inputs: Sequence[str],
    plan: Plan,
    keeping: Keeping,
    choices: TrainingChoices,
    columns: InputOptions,
    out: Output,
    skip_bad: bool | None,
) -> _Evaluated:
    from rnncast.evaluation.backtest import evaluate_model
    from rnncast.model.gate import describe_gate

    path, *sources = inputs
    if len(sources) != 1:
        raise UsageError(
            f"{path} is a model: expected one input after it, found {len(sources)}",
            hint=f"rnncast evaluate {path} INPUT, where INPUT goes beyond the last training row",
        )
    useless = [name for name in given(choices) if name not in _OF_A_MODEL]
    others = {"refit": plan.refit or None, "train_size": plan.train_size, "skip_bad": skip_bad}
    useless += [typed_name(name) for name, value in others.items() if value is not None and by_flag(name)]
    if useless:
        raise UsageError(
            f"{useless[0]} has no effect on a trained model",
            hint="leave it out, or leave the model out: evaluate INPUT",
        )
    plan = replace(plan, refit=0, train_size=None)
    model = open_model(path)
    panel, notes = read_for_model(sources, columns, model)
    out.notes(notes)
    levels = tuple(choices.level or model.levels)
    with Progress(out) as progress:
        run = evaluate_model(
            model, panel, plan, horizon=choices.horizon, levels=levels, keeping=keeping, on_origin=progress.origin
        )
    return _evaluated(run, panel, tuple(sources), path, notes, out, describe_gate(model.gate))


def _of_recipe(
    inputs: Sequence[str],
    plan: Plan,
    keeping: Keeping,
    choices: TrainingChoices,
    columns: InputOptions,
    out: Output,
    skip_bad: bool | None,
) -> _Evaluated:
    from rnncast.evaluation.backtest import evaluate_panel

    options = train_options(choices)
    reading = read_data(inputs, columns)
    panel, notes = reading.panel, reading.notes
    out.notes(notes)
    warn_of_data(panel, out)
    with Progress(out, epochs=plan.refit == 0) as progress:
        run = evaluate_panel(
            panel,
            options,
            plan,
            skip_short=skip_bad is not False,
            keeping=keeping,
            on_epoch=progress.epoch,
            on_origin=progress.origin,
        )
    return _evaluated(run, panel, tuple(inputs), None, notes, out, run.issued)


def _evaluated(
    run: Run,
    panel: Panel,
    inputs: tuple[str, ...],
    model: str | None,
    notes: tuple[str, ...],
    out: Output,
    issued: str,
) -> _Evaluated:
    """Score what was issued, after what was chosen, met and audited on the way has been said."""
    out.notes(run.notes)
    if run.audit is not None:
        out.note(str(run.audit))
    return _Evaluated(run, outcome_of(run.backtest, panel.columns, issued), inputs, model, (*notes, *run.notes))
