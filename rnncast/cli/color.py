"""Whether a stream is coloured: as --color says; else NO_COLOR, then FORCE_COLOR; else if it is a terminal that can."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TextIO

CHOICES = ("auto", "always", "never")
_STYLES = {"error:": "1;31", "warning:": "1;33"}  # bold, red or yellow

_chosen: str | None = None  # one of the choices


def choose(choice: str | None) -> None:
    """Let a choice hold for this call; None, like ``auto``, leaves it to the environment."""
    global _chosen
    _chosen = choice


def choice_in(arguments: Sequence[str]) -> str | None:
    """The choice on a command line, also on one that cannot be parsed."""
    found = None
    for place, word in enumerate(arguments):
        if word == "--":
            break
        value = word.removeprefix("--color=") if word.startswith("--color=") else None
        if word == "--color" and place + 1 < len(arguments):
            value = arguments[place + 1]
        found = value if value in CHOICES else found
    return found


def is_colored(stream: TextIO) -> bool:
    """Whether control sequences for colours go to a stream."""
    if _chosen in ("always", "never"):
        return _chosen == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def colored(line: str, stream: TextIO) -> str:
    """A line whose first word says that something is wrong, with that word in colour where the stream is coloured."""
    word, space, rest = line.partition(" ")
    if word in _STYLES and is_colored(stream):
        return f"\x1b[{_STYLES[word]}m{word}\x1b[0m{space}{rest}"
    return line
