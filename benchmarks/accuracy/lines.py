"""Files of results: a JSON document a line, to which runs add, and from which an interrupted one goes on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def read_lines(file: Path) -> list[dict[str, Any]]:
    """What a file holds; nothing, if it is not there."""
    if not file.exists():
        return []
    return [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]


def is_done(identity: dict[str, Any], file: Path | None) -> bool:
    """Whether a file has a line of this identity; says so."""
    if find_line(identity, file) is None:
        return False
    names = [identity[key] for key in ("panel", "model") if key in identity]
    print(f"{', '.join(names)}: in {file} already", file=sys.stderr)
    return True


def find_line(identity: dict[str, Any], file: Path | None) -> dict[str, Any] | None:
    """The last line of a file, if there is one, that is of this identity."""
    found = [] if file is None else [line for line in read_lines(file) if _is_of(line, identity)]
    return found[-1] if found else None


def add_line(line: dict[str, Any], file: Path | None) -> None:
    """Add a line to a file, if there is one."""
    if file is not None:
        with file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")


def _is_of(line: dict[str, Any], identity: dict[str, Any]) -> bool:
    return all(line.get(key) == value for key, value in identity.items())
