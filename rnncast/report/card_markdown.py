"""A model's card as Markdown, to stand beside the model in a repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rnncast.data.summary import counted
from rnncast.model.fingerprint import fingerprint
from rnncast.model.model import Model
from rnncast.report import recorded
from rnncast.report.card import card_lines
from rnncast.report.markdown import code, prose, table_lines
from rnncast.report.tables import TextTable
from rnncast.report.training import training_verdict

_FACTS = ("data", "columns", "calendar", "history")
_RECIPE = ("network", "reads", "forecasts", "parameters", "training", "intervals")


def card_markdown(model: Model, path: str, origin: Mapping[str, Any], commands: Sequence[str]) -> list[str]:
    """The card as lines of Markdown.

    Parameters
    ----------
    model, path, origin
        As for `rnncast.report.card.card_lines`.
    commands
        How to forecast with it, as typed.
    """
    facts, record, verdict = dict(card_lines(model, path, origin)), model.record, training_verdict(model)
    lines = [
        f"# {code(path)}",
        "",
        f"A model of rnncast that forecasts {code(model.columns.target)} {_reach(model)}. "
        f"Its fingerprint is {code(fingerprint(model))}.",
        "",
        f"{prose(verdict[:1].upper() + verdict[1:])}.",
    ]
    lines += _section("Use", [f"    {command}" for command in commands])
    lines += _section("Data", table_lines(_pairs(facts, _FACTS, _data_fingerprint(record))))
    lines += _section("Recipe", table_lines(_pairs(facts, _RECIPE, ())))
    lines += ["", *table_lines(_training_options(record["training"]))]
    lines += _recorded(model)
    lines += _section("Versions", table_lines(_versions(origin, record)))
    return lines


def _reach(model: Model) -> str:
    """How far, and with which intervals: ``10 steps ahead, with intervals of 80 % and 95 %``."""
    levels = [f"{level:.12g} %" for level in model.levels]
    named = " and ".join([*([", ".join(levels[:-1])] if levels[1:] else []), *levels[-1:]])
    intervals = f"intervals of {named}" if levels else "no intervals"
    return f"{counted(model.network.horizon, 'step')} ahead, with {intervals}"


def _section(title: str, body: list[str]) -> list[str]:
    return ["", f"## {title}", "", *body] if body else []


def _recorded(model: Model) -> list[str]:
    """Folds, gate and coverage, as far as the record has them, and the remarks on them."""
    record = model.record
    said = recorded.remarks_of(record)
    lines: list[str] = []
    for title, table, names in (
        ("Folds", recorded.fold_table(record), 0),
        ("Gate", recorded.gate_table(record), 1),
        ("Coverage", recorded.coverage_table(record), 0),
        ("Went on", recorded.continued_table(record), 1),
    ):
        body = table_lines(table, names=names) if table is not None else []
        remark = said.get(title.lower())
        body += (["", prose(remark)] if body else [prose(remark)]) if remark else []
        lines += _section(title, body)
    return lines


def _pairs(facts: Mapping[str, str], wanted: tuple[str, ...], more: tuple[tuple[str, str], ...]) -> TextTable:
    rows = (*((name, facts[name]) for name in wanted), *more)
    return TextTable(("", ""), rows, (False, False))


def _data_fingerprint(record: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found = record.get("data_fingerprint")
    return (("fingerprint of the data", str(found)),) if found else ()


def _training_options(training: Mapping[str, Any]) -> TextTable:
    rows = tuple((name.replace("_", " "), str(value)) for name, value in training.items() if value is not None)
    return TextTable(("training", ""), rows, (False, True))


def _versions(origin: Mapping[str, Any], record: Mapping[str, Any]) -> TextTable:
    own = (("rnncast", str(origin["package_version"])), ("format of the file", str(origin["format_version"])))
    return TextTable(("", "version"), (*own, *recorded.versions_of(record)), (False, False))
