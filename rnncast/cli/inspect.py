"""``rnncast inspect``: a model's card, or what was detected in a file of data."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rnncast.cli.config.sources import by_flag
from rnncast.cli.inputs import STDIN, is_model, open_model, read_data, shell_word
from rnncast.cli.options import InputOptions, Report, given, option, settle_form, takes, typed
from rnncast.cli.output import Output
from rnncast.errors import ColumnsError, UsageError

if TYPE_CHECKING:
    from rnncast.report.detected import Detected

EXAMPLES = """\b
Examples:
  rnncast inspect prices.csv
  rnncast inspect prices.npz --format markdown > CARD.md
"""


@takes(columns=InputOptions, report=Report)
def inspect(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL|INPUT...", help="Model; or files of data, a folder, or - for stdin.", show_default=False
        ),
    ],
    columns: InputOptions,
    report: Report,
    format: Annotated[Literal["text", "json", "markdown"] | None, option("Form of the card.", "text")] = None,
) -> None:
    """Show a model's card, or what is found in a file of data: columns, series, calendar, season, values."""
    form = settle_form(report, format) or "text"
    out = Output(quiet=report.quiet, hold=report.json)
    source = inputs[0]
    if len(inputs) == 1 and (is_model(source) or (source.lower().endswith(".npz") and not os.path.exists(source))):
        if named := given(columns):
            raise UsageError(f"{named[0]} has no effect on a model", hint="leave it out")
        _card(source, form, out)
        return
    if form == "markdown" and by_flag("format"):
        raise UsageError("--format markdown shows a model, and this is data", hint="leave it out")
    try:
        found = _of_data(inputs, columns)
    except ColumnsError as error:
        if form != "json":  # stdout stays empty where there is an error
            out.notes(_columns_of(error))
        raise
    if form == "json":
        _tell(out, found.document())
    else:
        _show(out, found)


def _tell(out: Output, document: Mapping[str, Any]) -> None:
    out.document({"schema": "rnncast.inspect/1", **document})


def _show(out: Output, found: Detected) -> None:
    out.labelled(found.facts())
    for line in found.table(out.stdout_width):
        out.line(line)
    out.labelled(found.warnings())
    out.line("next      " + found.command)  # to be copied: it stays one line


def _columns_of(error: ColumnsError) -> list[str]:
    """The columns of an input that is not understood, a line each with its kind and first cells."""
    return [f"column {name!r}: {kind}" + (f", {cells}" if cells else "") for name, kind, cells in error.columns]


def _card(path: str, form: str, out: Output) -> None:
    """Show a model's card: as text, as the one document, or as Markdown."""
    from rnncast.report.card import card_document, card_lines
    from rnncast.report.card_markdown import card_markdown

    model, origin = open_model(path), _origin(path)
    if form == "json":
        _tell(out, card_document(model, path, origin))
    elif form == "text":
        out.labelled(card_lines(model, path, origin))
    else:
        command = f"rnncast forecast {shell_word(path)}"
        commands = [*([command] if model.history is not None else []), f"{command} INPUT"]
        for line in card_markdown(model, path, origin, commands):
            out.line(line)


def _origin(path: str) -> dict[str, Any]:
    """Size and versions of a model file that was found sound."""
    import json

    import numpy as np

    with np.load(path, allow_pickle=False) as arrays:
        meta = json.loads(arrays["meta"].tobytes())
    return {"bytes": os.path.getsize(path), **{name: meta[name] for name in ("format_version", "package_version")}}


def _of_data(inputs: Sequence[str], columns: InputOptions) -> Detected:
    from rnncast.report.detected import Detected

    reading = read_data(inputs, columns)
    command = " ".join(["rnncast train", *map(shell_word, inputs), *map(shlex.quote, typed(columns))])
    name = "stdin" if inputs[0] == STDIN else " ".join(inputs[:3]) + (" ..." if inputs[3:] else "")
    return Detected(name, reading.panel, reading.names, reading.notes[1:], command)  # the first note repeats the facts
