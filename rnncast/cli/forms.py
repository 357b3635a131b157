"""What may go where: `-` for a stream, and what is no good to read on a terminal."""

from __future__ import annotations

from rnncast.cli.config.sources import by_flag
from rnncast.cli.output import Output
from rnncast.errors import UsageError

STDOUT = "-"
"""What -o names to write to stdout."""


def refuse_bytes_on_terminal(what: str, out: Output) -> None:
    """UsageError where a person would get bytes to read."""
    if out.stdout_is_terminal:
        raise UsageError(f"{what} is not for a terminal", hint="name a file with -o, or pass it on in a pipe")


def refuse_dash(**paths: str | None) -> None:
    """UsageError for a stream where a file is needed; keywords are the names of the options."""
    for name, path in paths.items():
        if path == STDOUT:
            raise UsageError(
                f"--{name.replace('_', '-')} needs a file, found -", hint="name a file; ./- is one that is called -"
            )


def check_stdout(*, json: bool, resume: bool) -> None:
    """UsageError where stdout cannot take a model."""
    refuse_bytes_on_terminal("a model", Output())
    if json:
        raise UsageError("--json and -o - both write to stdout", hint="name a file with -o, or leave out --json")
    if resume and by_flag("resume"):
        raise UsageError("--resume has no effect on a model that goes to stdout", hint="name a file with -o")
