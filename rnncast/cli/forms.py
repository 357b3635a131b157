"""Which form an output has, and where it goes: what --json, --format and -o say together."""

from __future__ import annotations

from rnncast.cli.output import Output
from rnncast.errors import UsageError

STDOUT = "-"
"""What -o names to write to stdout."""


def chosen_form(json: bool, form: str | None, default: str) -> str:
    """The form of what is shown; UsageError where --json and --format contradict each other."""
    if json and form not in (None, "json"):
        raise UsageError(f"--json and --format {form} contradict each other", hint="leave one of them out")
    return "json" if json else form or default


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
