"""The script of a shell."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rnncast.cli.completion.words import described

SHELLS = ("bash", "zsh", "fish")


def script_of(shell: str, group: Any, context: Any) -> str:
    """Completion of a program for one of `SHELLS`."""
    script = import_module(f"rnncast.cli.completion.{shell}").script
    return str(script(described(group, context)))
