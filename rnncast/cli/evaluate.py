"""``rnncast evaluate``: a backtest of a model, or of a training recipe, beside the simple baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncast.cli.inputs import check_ending, check_output, is_model, open_model, read_data, read_for_model, warn_of_data
from rnncast.cli.options import SKIP_BAD, Computing, InputOptions, Report, TrainingChoices, given, option, takes
from rnncast.cli.output import Output
from rnncast.cli.progress import Progress
from rnncast.cli.train import train_options
from rnncast.errors import UsageError

if TYPE_CHECKING:
    from rnncast.data.panel import Columns, Panel
    from rnncast.evaluation.evidence import Evidence
    from rnncast.evaluation.issued import Backtest
    from rnncast.evaluation.origins import Plan
    from rnncast.evaluation.scores import Scores
    from rnncast.evaluation.verdict import Verdict

EXAMPLES = """\b
Examples:
  rnncast evaluate prices.csv
  rnncast evaluate prices.csv --horizon 5 --n-windows 20 --refit always
  rnncast evaluate prices.npz fresh.csv --save-forecasts backtest.csv
"""

_OF_A_MODEL = ("--horizon", "--level")
"""Training options that also mean something for a trained model."""


@takes(choices=TrainingChoices, columns=InputOptions, computing=Computing, report=Report)
def evaluate(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="[MODEL] INPUT...", help="A model and data, or data alone.", show_default=False),
    ],
    choices: TrainingChoices,
    columns: InputOptions,
    computing: Computing,
    report: Report,
    n_windows: Annotated[int | None, option("Cutoffs to forecast from.", "10, or as many as fit", "N")] = None,
    step_size: Annotated[int | None, option("Rows between cutoffs.", "the horizon", "N")] = None,
    refit: Annotated[
        str | None, option("Train again at every cutoff, or every Nth.", "never", "never|always|N")
    ] = None,
    save_forecasts: Annotated[str | None, option("File for every forecast and what came.", "none", "FILE")] = None,
    skip_bad: Annotated[
        bool | None,
        option("Leave out series that are too short, by name; or refuse them.", "left out", None, SKIP_BAD),
    ] = None,
) -> None:
    """Backtest from rolling cutoffs, beside last value, drift and seasonal naive, with a verdict.

    With a model first, it is scored only after its last training row. Without one, it is trained on the rows before the
    first cutoff, and again as --refit says.
    """
    computing.apply()
    out = Output(quiet=report.quiet, hold=report.json)
    if save_forecasts is not None:
        check_output(save_forecasts, inputs)
        check_ending(save_forecasts)
    plan = _plan(n_windows, step_size, refit)
    with_model = is_model(inputs[0]) or (len(inputs) > 1 and inputs[0].lower().endswith(".npz"))
    run = _of_model if with_model else _of_recipe
    outcome = run(inputs, plan, choices, columns, out, skip_bad)
    if save_forecasts is not None:
        _save(outcome, save_forecasts, out)
    _present(outcome, report, out)
    out.release()


@dataclass(frozen=True)
class Outcome:
    """A backtest with what it says.

    Attributes
    ----------
    backtest, scores, evidence, verdict
        The forecasts, their scores, what speaks for and against them, and the paragraph.
    columns : Columns
        Names of the input's columns.
    inputs, model
        The inputs; the model file, or None where a recipe was tested.
    notes : tuple of str
        What was read, chosen and left out.
    plan : Plan
        Which cutoffs were asked for.
    """

    backtest: Backtest
    scores: Scores
    evidence: Evidence
    verdict: Verdict
    columns: Columns
    inputs: tuple[str, ...]
    model: str | None
    notes: tuple[str, ...]
    plan: Plan

    def document(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        from dataclasses import asdict

        from rnncast.report.scores import remarks

        return {
            "schema": "rnncast.evaluate/1",
            "model": self.model,
            "inputs": list(self.inputs),
            "columns": asdict(self.columns),
            "plan": asdict(self.plan),
            "horizon": int(self.scores.steps[-1]),
            "scores": self.scores.to_dict(),
            "evidence": self.evidence.to_dict(),
            "verdict": self.verdict.to_dict(),
            "notes": list(self.notes),
            "remarks": list(remarks(self.scores)),
        }


def _plan(n_windows: int | None, step_size: int | None, refit: str | None) -> Plan:
    from rnncast.evaluation.origins import Plan

    words = {None: 0, "never": 0, "always": 1}
    if refit in words:
        number = words[refit]
    elif refit is not None and refit.isascii() and refit.isdigit() and int(refit) > 0:
        number = int(refit)
    else:
        raise UsageError(f"--refit must be never, always or a number of cutoffs, found {refit!r}")
    return Plan(n_windows=n_windows, step_size=step_size, refit=number)


def _of_model(
    inputs: Sequence[str],
    plan: Plan,
    choices: TrainingChoices,
    columns: InputOptions,
    out: Output,
    skip_bad: bool | None,
) -> Outcome:
    from rnncast.evaluation.backtest import evaluate_model
    from rnncast.report.card import model_levels

    path, *sources = inputs
    if len(sources) != 1:
        raise UsageError(
            f"{path} is a model: expected one input after it, found {len(sources)}",
            hint=f"rnncast evaluate {path} INPUT, where INPUT goes beyond the last training row",
        )
    useless = [name for name in given(choices) if name not in _OF_A_MODEL]
    useless += (["--refit"] if plan.refit else []) + (["--skip-bad"] if skip_bad is not None else [])
    if useless:
        raise UsageError(
            f"{useless[0]} has no effect on a trained model",
            hint="leave it out, or leave the model out: evaluate INPUT",
        )
    model = open_model(path)
    panel, notes = read_for_model(sources, columns, model)
    out.notes(notes)
    levels = tuple(choices.level or model_levels(model))
    with Progress(out) as progress:
        backtest, said = evaluate_model(
            model, panel, plan, horizon=choices.horizon, levels=levels, on_origin=progress.origin
        )
    out.notes(said)
    return _judge(backtest, panel, tuple(sources), path, (*notes, *said), plan)


def _of_recipe(
    inputs: Sequence[str],
    plan: Plan,
    choices: TrainingChoices,
    columns: InputOptions,
    out: Output,
    skip_bad: bool | None,
) -> Outcome:
    from rnncast.evaluation.backtest import evaluate_panel

    options = train_options(choices)
    reading = read_data(inputs, columns)
    panel, notes = reading.panel, reading.notes
    out.notes(notes)
    warn_of_data(panel, out)
    with Progress(out, epochs=plan.refit == 0) as progress:
        backtest, said = evaluate_panel(
            panel, options, plan, skip_short=skip_bad is not False, on_epoch=progress.epoch, on_origin=progress.origin
        )
    out.notes(said)
    return _judge(backtest, panel, tuple(inputs), None, (*notes, *said), plan)


def _judge(
    backtest: Backtest, panel: Panel, inputs: tuple[str, ...], model: str | None, notes: tuple[str, ...], plan: Plan
) -> Outcome:
    from rnncast.evaluation.evidence import gather_evidence
    from rnncast.evaluation.scores import score_backtest
    from rnncast.evaluation.verdict import judge

    scores, evidence = score_backtest(backtest), gather_evidence(backtest)
    verdict = judge(backtest, scores, evidence)
    return Outcome(backtest, scores, evidence, verdict, panel.columns, inputs, model, notes, plan)


def _save(outcome: Outcome, path: str, out: Output) -> None:
    from rnncast.data.write import write_table
    from rnncast.report.scores import forecast_table

    columns = outcome.columns
    table = forecast_table(outcome.backtest, (columns.id, columns.time, columns.target))
    write_table(table, path, None, out.stdout, zones=dict.fromkeys(table, outcome.backtest.zone))
    out.note(f"wrote {len(outcome.backtest.actual):,} rows to {path}")


def _present(outcome: Outcome, report: Report, out: Output) -> None:
    """Tables, evidence and verdict on stdout, or the one document."""
    from rnncast.report.evidence import evidence_lines, evidence_tables
    from rnncast.report.scores import remarks, score_tables

    out.notes(remarks(outcome.scores))
    if report.json:
        out.document(outcome.document())
        return
    for table in (*score_tables(outcome.scores, outcome.evidence), *evidence_tables(outcome.evidence)):
        out.table(table)
        out.line()
    for line in evidence_lines(outcome.evidence):
        out.prose(line)
        out.line()
    out.prose(outcome.verdict.text)
