"""``rnncast inspect``: a model's card, or what was detected in a file of data."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rnncast.cli.config.sources import by_flag
from rnncast.cli.inputs import STDIN, is_model, model_on_stdin, open_model, option_word, read_data, shell_word
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
    format: Annotated[
        Literal["text", "json", "markdown", "csv", "ndjson"] | None,
        option("Form: markdown for a model; csv and ndjson for data, a row for each series.", "text"),
    ] = None,
) -> None:
    """Show a model's card, or what is found in a file of data: columns, series, calendar, season, values."""
    form = settle_form(report, format) or "text"
    out = Output(quiet=report.quiet, hold=report.json)
    source = inputs[0]
    if inputs == [STDIN]:
        stdin, with_model = model_on_stdin()
    else:
        stdin, with_model = None, len(inputs) == 1 and (is_model(source) or _is_missing_model(source))
    if with_model:
        if named := given(columns):
            raise UsageError(f"{named[0]} has no effect on a model", hint="leave it out")
        if form in ("csv", "ndjson") and by_flag("format"):
            raise UsageError(f"--format {form} shows data, and this is a model", hint="leave it out, or --json")
        _card(source, form, out, stdin)
        return
    if form == "markdown" and by_flag("format"):
        raise UsageError("--format markdown shows a model, and this is data", hint="leave it out")
    try:
        found = _of_data(inputs, columns, stdin)
    except ColumnsError as error:
        if form != "json":  # stdout stays empty where there is an error
            out.notes(_columns_of(error))
        raise
    if form == "json":
        _tell(out, found.document())
    elif form in ("csv", "ndjson"):
        from rnncast.data.write import write_table

        write_table(found.series_table(), None, form, out.stdout)
    else:
        _show(out, found)


def _is_missing_model(path: str) -> bool:
    return path.lower().endswith(".npz") and not os.path.exists(path)


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


def _card(path: str, form: str, out: Output, stdin: BytesIO | None) -> None:
    """Show the card of a model in a file or on stdin: as text, as the one document, or as Markdown."""
    from rnncast.report.card import card_document, card_lines
    from rnncast.report.card_markdown import card_markdown

    model = open_model(path, stdin)
    origin = _origin(path, stdin)
    if form == "json":
        _tell(out, card_document(model, path, origin))
    elif form == "markdown":
        command = f"rnncast forecast {shell_word(path)}"
        commands = [*([command] if model.history is not None else []), f"{command} INPUT"]
        for line in card_markdown(model, path, origin, commands):
            out.line(line)
    else:
        out.labelled(card_lines(model, path, origin, out.stdout_width))


def _origin(path: str, stdin: BytesIO | None) -> dict[str, Any]:
    """Size and versions of a model file that was found sound."""
    import json

    import numpy as np

    if stdin is not None:
        stdin.seek(0)
    with np.load(stdin or path, allow_pickle=False) as arrays:
        meta = json.loads(arrays["meta"].tobytes())
    size = os.path.getsize(path) if stdin is None else len(stdin.getbuffer())
    return {"bytes": size, **{name: meta[name] for name in ("format_version", "package_version")}}


def _of_data(inputs: Sequence[str], columns: InputOptions, stdin: BytesIO | None) -> Detected:
    from rnncast.report.detected import Detected

    reading = read_data(inputs, columns, stdin)
    command = " ".join(["rnncast train", *map(shell_word, inputs), *map(option_word, typed(columns))])
    name = "stdin" if inputs[0] == STDIN else " ".join(inputs[:3]) + (" ..." if inputs[3:] else "")
    return Detected(name, reading.panel, reading.names, reading.notes[1:], command)  # the first note repeats the facts
