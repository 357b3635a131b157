"""``rnncast evaluate --forecasts``: scores what was really issued, and shows how its error drifts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from rnncast.cli.config.sources import by_flag
from rnncast.cli.inputs import open_model
from rnncast.cli.options import InputOptions, TrainingChoices, given, option
from rnncast.cli.outcome import Outcome, outcome_of
from rnncast.cli.output import Output
from rnncast.cli.progress import Progress
from rnncast.errors import UsageError, typed_name
from rnncast.records import dataclass

if TYPE_CHECKING:
    from rnncast.data.panel import Panel
    from rnncast.evaluation.drift import Drift
    from rnncast.evaluation.ledger_rows import LedgerRows
    from rnncast.evaluation.outcomes import Joined
    from rnncast.evaluation.scores import Scores

_OF_A_LEDGER = ("--horizon", "--level", "--season-length")
"""Training options that also mean something for forecasts that were issued."""


@dataclass(frozen=True)
class IssuedOptions:
    """Which issued forecasts are scored."""

    forecasts: Annotated[str | None, option("Ledger of issued forecasts to score.", "none", "LEDGER")] = None
    model: Annotated[
        str | None, option("With --forecasts: score one model alone.", "the first to forecast a step", "FINGERPRINT")
    ] = None

    def __post_init__(self) -> None:
        if self.model is not None and self.forecasts is None and by_flag("model"):
            raise UsageError("--model needs --forecasts", hint="a model to backtest is named without it, as first word")


@dataclass(frozen=True)
class IssuedScores:
    """Scores of a ledger with what they say.

    Attributes
    ----------
    joined
        The forecasts and what came.
    outcome, drift
        Scores and verdict of all of them, and how they went with time.
    models : dict
        Fingerprint -> scores of its forecasts, in the order of their first.
    notes, warnings
        What was read and left out; what makes the scores doubtful.
    """

    joined: Joined
    outcome: Outcome
    drift: Drift
    models: dict[str, Scores]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def document(self, path: str, inputs: Sequence[str]) -> dict[str, Any]:
        """What ``--json`` prints."""
        from rnncast.report.drift import drift_document, scores_document

        counts = {name: value for name, value in asdict(self.joined.outcomes).items() if name != "first_revision"}
        return {
            "schema": "rnncast.ledger/1",
            "ledger": path,
            "inputs": list(inputs),
            "columns": asdict(self.outcome.columns),
            "counts": counts,
            "horizon": int(self.outcome.scores.steps[-1]),
            **self.outcome.document(),
            "drift": drift_document(self.drift, self.joined.backtest),
            "models": [{"model": name, **scores_document(scores)} for name, scores in self.models.items()],
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }


def check_options(choices: TrainingChoices, others: Mapping[str, object]) -> None:
    """UsageError for options that were typed and mean nothing for forecasts that were issued.

    Of the `others`, named as parameters, those that are not None were given.
    """
    useless = [name for name in given(choices) if name not in _OF_A_LEDGER]
    useless += [typed_name(name) for name, value in others.items() if value is not None and by_flag(name)]
    if useless:
        raise UsageError(f"{useless[0]} has no effect on forecasts that were issued", hint="leave it out")


def evaluate_issued(
    options: IssuedOptions,
    inputs: Sequence[str],
    choices: TrainingChoices,
    columns: InputOptions,
    form: str,
    save_forecasts: str | None,
    out: Output,
) -> None:
    """Score a ledger against an input, and print or save what `evaluate` prints and saves."""
    assert options.forecasts is not None
    found = _score(options, inputs, choices, columns, out)
    if save_forecasts is not None:
        found.outcome.save(save_forecasts, out)
    _present(found, options.forecasts, inputs, form, out)


def _score(
    options: IssuedOptions, inputs: Sequence[str], choices: TrainingChoices, columns: InputOptions, out: Output
) -> IssuedScores:
    from rnncast.evaluation.drift import measure_drift
    from rnncast.evaluation.ledger_rows import read_ledger
    from rnncast.evaluation.outcomes import join_outcomes
    from rnncast.report.ledger import describe_ledger, describe_outcomes, outcome_warnings

    assert options.forecasts is not None
    whole = read_ledger(options.forecasts)
    panel, notes = _read(inputs, columns, whole)
    chosen, said = _choose(whole, options, choices)
    notes = (*notes, describe_ledger(whole, options.forecasts), *said)
    out.notes(notes)
    with Progress(out) as progress:
        joined = join_outcomes(chosen, panel, season_length=choices.season_length, on_task=progress.issued)
    further = (describe_outcomes(joined.outcomes), *_levels_left_out(chosen, joined))
    out.notes(further)
    warnings = outcome_warnings(joined.outcomes, panel.calendar.zone)
    for warning in warnings:
        out.warn(warning)
    outcome, drift = outcome_of(joined.backtest, panel.columns), measure_drift(joined.backtest)
    return IssuedScores(joined, outcome, drift, _by_model(joined), (*notes, *further), warnings)


def _read(inputs: Sequence[str], columns: InputOptions, ledger: LedgerRows) -> tuple[Panel, tuple[str, ...]]:
    """The input, whose id and time columns are called as in the ledger unless they are named."""
    from rnncast.cli.inputs import refuse_model
    from rnncast.cli.output import standard_input
    from rnncast.data.panel import Columns
    from rnncast.data.read import read_input

    for source in inputs:
        refuse_model(source)
    stdin = standard_input() if "-" in inputs else None
    names = Columns(time=ledger.time, id=ledger.id, target="")  # which column is the target a ledger does not say
    reading = read_input(inputs, columns.read_options(), stdin=stdin, columns=names)
    return reading.panel, reading.notes


def _choose(ledger: LedgerRows, options: IssuedOptions, choices: TrainingChoices) -> tuple[LedgerRows, tuple[str, ...]]:
    """One row for a series, cutoff and step: of one model, or the first issued; with the steps and levels asked for."""
    from rnncast.data.summary import counted
    from rnncast.evaluation.ledger_rows import first_issued, of_model, with_levels

    notes = []
    if options.model is not None:
        ledger = of_model(ledger, _fingerprint(options.model))
        notes.append(f"scored: {counted(len(ledger), 'row')} of model {ledger.models[ledger.model[0]]}")
    kept = first_issued(ledger)
    if len(kept) < len(ledger):
        notes.append(
            f"left out: {counted(len(ledger) - len(kept), 'row')} for which there is an earlier forecast of the same "
            "cutoff and step by another model; --model scores one model alone"
        )
    if choices.horizon is not None and (kept.steps > choices.horizon).any():
        beyond = kept.steps > choices.horizon
        notes.append(f"left out: {counted(int(beyond.sum()), 'row')} beyond step {choices.horizon}")
        kept = kept.take(~beyond)
    if choices.level:
        whole, kept = len(kept), with_levels(kept, choices.level)
        if len(kept) < whole:
            notes.append(f"left out: {counted(whole - len(kept), 'row')} without the intervals asked for")
    return kept, tuple(notes)


def _fingerprint(name: str) -> str:
    """The fingerprint itself, or that of a model's file."""
    if not os.path.isfile(name):
        return name
    from rnncast.model.fingerprint import fingerprint

    return fingerprint(open_model(name))


def _levels_left_out(chosen: LedgerRows, joined: Joined) -> tuple[str, ...]:
    """A note for intervals that only some of the scored rows have."""
    scored = joined.backtest.quantile_levels
    some = [level for level in chosen.quantile_levels.tolist() if level < 0.5 and level not in scored]
    if not some:
        return ()
    names = ", ".join(f"{100 - 200 * level:.12g} %" for level in reversed(some))
    return (f"intervals of {names} are not scored: only some rows have them; --level scores the rows that do",)


def _by_model(joined: Joined) -> dict[str, Scores]:
    import numpy as np

    from rnncast.evaluation.drift import take
    from rnncast.evaluation.scores import score_backtest

    rows = joined.rows
    return {
        rows.models[number]: score_backtest(take(joined.backtest, rows.model == number))
        for number in np.unique(rows.model).tolist()
    }


def _present(found: IssuedScores, path: str, inputs: Sequence[str], form: str, out: Output) -> None:
    """Tables, verdict and drift on stdout, or the table of scores, or the one document."""
    from rnncast.report.drift import drift_sentences, model_table, period_table

    outcome, drift = found.outcome, found.drift
    out.notes(outcome.remarks())
    if form == "json":
        out.document(found.document(path, inputs))
        return
    tables = [period_table(drift, outcome.backtest.zone)] if drift.periods else []
    tables += [model_table(found.models, outcome.scores.levels)] if len(found.models) > 1 else []
    outcome.show(out, form, tables)
    if form == "text":
        out.prose(" ".join(drift_sentences(drift, outcome.backtest)))
