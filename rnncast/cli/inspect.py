"""``rnncast inspect``: a model's card, or what was detected in a file of data."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from rnncast.cli.inputs import STDIN, is_model, open_model, read_input, shell_word
from rnncast.cli.options import InputOptions, Report, given, takes
from rnncast.cli.output import Output
from rnncast.errors import UsageError

EXAMPLES = """\b
Examples:
  rnncast inspect prices.csv
  rnncast inspect prices.npz --json
"""


@takes(columns=InputOptions, report=Report)
def inspect(
    source: Annotated[
        str, typer.Argument(metavar="MODEL|INPUT", help="Model, or data, or - for stdin.", show_default=False)
    ],
    columns: InputOptions,
    report: Report,
) -> None:
    """Show a model's card, or what is found in a file of data: columns, series, calendar, season, values."""
    out = Output(quiet=report.quiet, hold=report.json)
    if is_model(source) or (source.lower().endswith(".npz") and not os.path.exists(source)):
        if named := given(columns):
            raise UsageError(f"{named[0]} has no effect on a model", hint="leave it out")
        lines, document = _of_model(source)
    else:
        lines, document = _of_data(source, columns)
    if report.json:
        out.document({"schema": "rnncast.inspect/1", **document})
        return
    out.labelled(lines)


def _of_model(path: str) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    from rnncast.report.card import card_document, card_lines

    model = open_model(path)
    origin = _origin(path)
    return card_lines(model, path, origin), card_document(model, path, origin)


def _origin(path: str) -> dict[str, Any]:
    """Size and versions of a model file that was found sound."""
    import json

    import numpy as np

    with np.load(path, allow_pickle=False) as arrays:
        meta = json.loads(arrays["meta"].tobytes())
    return {"bytes": os.path.getsize(path), **{name: meta[name] for name in ("format_version", "package_version")}}


def _of_data(source: str, columns: InputOptions) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    from rnncast.report.detected import Detected

    panel, notes, table = read_input(source, columns)
    command = " ".join(["rnncast train", shell_word(source), *_as_typed(columns)])
    name = "stdin" if source == STDIN else source
    found = Detected(name, panel, tuple(table.names), notes[1:], command)  # the first note repeats the lines here
    return found.lines(), found.document()


def _as_typed(columns: InputOptions) -> list[str]:
    """The options given, for the command that trains."""
    return [f"{option} {shell_word(str(getattr(columns, option[2:].replace('-', '_'))))}" for option in given(columns)]
