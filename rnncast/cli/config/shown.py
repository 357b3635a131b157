"""``--show-config``: every option of a command, its value, and where it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rnncast.cli.output import Output

if TYPE_CHECKING:
    from rnncast.cli.config.settle import Settled


def show(command: str, options: Sequence[Any], values: Mapping[str, Any], settled: Settled) -> None:
    """Print options with their values as aligned text; with ``--json`` as one document."""
    rows = [_described(option, values[option.name], settled) for option in options]
    out = Output(quiet=bool(values.get("quiet")))
    if values.get("json"):
        file = settled.file.path if settled.file is not None else None
        document = {"schema": "rnncast.config/1", "command": command, "file": file, "options": rows}
        out.document({**document, "warnings": list(settled.warnings)})
        return
    for warning in settled.warnings:
        out.warn(warning)
    for line in _table(options, rows):
        out.line(line)


def _described(option: Any, value: Any, settled: Settled) -> dict[str, Any]:
    """One option; a default has no value before the data are read, and is said in words instead."""
    standing = settled.standing.get(option.name)
    words = re.search(r"  \[(.+)\]$", option.help or "")
    is_typed = option.name in settled.typed
    return {
        "name": option.opts[0],
        "value": (list(value) if option.multiple else value) if is_typed or standing else None,
        "source": "flag" if is_typed else standing.source.kind if standing else "default",
        "place": str(standing.source) if standing else None,
        "default": words[1] if words else None,
    }


def _table(options: Sequence[Any], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    from rnncast.report.tables import TextTable

    cells = [
        (row["name"], _text(option, row), row["place"] or row["source"])
        for option, row in zip(options, rows, strict=True)
    ]
    return TextTable(("option", "value", "from"), tuple(cells), (False, False, False)).lines()


def _text(option: Any, row: Mapping[str, Any]) -> str:
    value = row["value"]
    if row["source"] == "default":
        return str(row["default"] or "")
    if value is False and option.secondary_opts:
        return f"off, as {option.secondary_opts[0]}"
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(f"{one:g}" for one in value) if option.multiple else str(value)
