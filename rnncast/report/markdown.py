"""Markdown that says what it is given: no name can act as markup, wherever it comes from."""

from __future__ import annotations

import re

from rnncast.report.tables import TextTable

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~&#$@!])")


def prose(text: str) -> str:
    """Text in which no character acts as markup, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def code(text: str, *, in_table: bool = False) -> str:
    """A name as code, which is shown as it is; in a table a bar needs a backslash even there."""
    text = " ".join(text.splitlines()) or " "
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    is_stripped = text.startswith(" ") and text.endswith(" ") and text.strip(" ") != ""
    pad = " " if text.startswith("`") or text.endswith("`") or is_stripped else ""
    inner = text.replace("|", "\\|") if in_table else text
    return f"{fence}{pad}{inner}{pad}{fence}"


def table_lines(table: TextTable, *, names: int = 0) -> list[str]:
    """Lines of a table; the cells of its first `names` columns are names, and shown as code."""
    marks = ["---:" if right else "---" for right in table.right_aligned]
    rows = [
        [code(cell, in_table=True) if column < names else prose(cell) for column, cell in enumerate(row)]
        for row in table.rows
    ]
    header = [prose(name) for name in table.header]
    return [f"| {' | '.join(cells)} |" for cells in (header, marks, *rows)]
