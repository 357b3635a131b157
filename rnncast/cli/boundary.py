"""The one place where errors become exit codes and messages.

A command raises; nothing below prints an error or exits. The codes are those of `rnncast.errors`, and:

====  =====================================================
130   interrupted from the keyboard (SIGINT)
141   the reader of the output went away (SIGPIPE)
143   terminated (SIGTERM)
====  =====================================================
"""

from __future__ import annotations

import errno
import signal
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from rnncast.cli import output
from rnncast.cli.output import ErrorReport
from rnncast.errors import RnncastError, StorageError, UsageError

INTERNAL, INTERRUPTED, CLOSED_PIPE, TERMINATED = 70, 130, 141, 143

_FULL_OR_BROKEN = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG}


class Terminated(BaseException):
    """SIGTERM arrived; unwinds the stack, so that half-written files are removed."""


def run(command: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> int:
    """Run a command line to its end and give the exit code.

    Parameters
    ----------
    command
        Parses the arguments, does the work and gives the exit code; raises for everything that goes wrong.
    arguments
        The command line without the program's name.
    """
    handler = _unwind_on_termination()
    before = warnings.showwarning
    warnings.showwarning = _show_warning(arguments)
    try:
        code = command(arguments)
        output.flush()
        return code
    except BrokenPipeError:
        output.abandon()
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return _stopped(INTERRUPTED, "interrupted", arguments)
    except Terminated:
        return _stopped(TERMINATED, "terminated", arguments)
    except Exception as error:
        return _report(error, arguments)
    finally:
        warnings.showwarning = before
        if handler is not None:
            signal.signal(signal.SIGTERM, handler)


def _report(error: Exception, arguments: Sequence[str]) -> int:
    """Say what went wrong on stderr; the exit code."""
    known = as_known(error)
    options = _options(arguments)
    try:
        if "--debug" in options:
            ErrorReport.traceback(error)
        if "--json" in options:
            ErrorReport.json(known.exit_code, known.message, known.where, known.hint)
        else:
            ErrorReport.lines(known.message, known.where, known.hint)
        if isinstance(known, StorageError):
            output.abandon()  # what stdout still holds cannot be written either
        output.flush()
    except OSError:  # nobody is left to be told; the code still says it
        output.abandon()
    return known.exit_code


def as_known(error: Exception) -> RnncastError:
    """Any exception as one with a message for the user."""
    if isinstance(error, RnncastError):
        return error
    if hasattr(error, "format_message"):  # a fault that Typer found in the command line
        return _usage(error)
    if isinstance(error, OSError) and error.errno in _FULL_OR_BROKEN:
        name = error.filename if isinstance(error.filename, str) else None
        return StorageError(
            f"reading or writing failed: {error.strerror}", where=name, hint="make room, or write elsewhere"
        )
    if isinstance(error, MemoryError):
        return RnncastError("out of memory", hint="give fewer series or rows, or a smaller --batch-size")
    return RnncastError(
        f"internal error: {type(error).__name__}: {error}".splitlines()[0],
        hint="this is a fault of rnncast: please report it, with what --debug shows",
    )


def _usage(error: Any) -> RnncastError:
    """A fault of the command line in this program's words."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "rnncast"
    see = f"{path} --help shows what there is"
    if hasattr(error, "possibilities"):  # an option that there is not
        near = sorted(error.possibilities or ())
        return UsageError(
            f"there is no option {error.option_name}", hint=f"did you mean {' or '.join(near)}?" if near else see
        )
    message = str(error.format_message()).strip()
    head, _, guess = message.partition(" Did you mean ")
    if guess:
        return UsageError(head.rstrip("."), hint=f"did you mean {guess}")
    if message.startswith("Missing command"):
        see = "train, forecast, evaluate or inspect; rnncast --help says more"
    return UsageError(message.rstrip("."), hint=see)


def _stopped(code: int, word: str, arguments: Sequence[str]) -> int:
    try:
        if "--json" in _options(arguments):
            ErrorReport.json(code, word, None, None)
        else:
            ErrorReport.lines(word, None, None)
        output.flush()
    except OSError:
        output.abandon()
    return code


def _options(arguments: Sequence[str]) -> set[str]:
    """What stands on the command line before ``--``; also right for a command line that cannot be parsed."""
    words = list(arguments)
    return set(words[: words.index("--")] if "--" in words else words)


def _unwind_on_termination() -> Any:
    """Let SIGTERM raise; the handler before it, or None where none was set."""

    def terminate(number: int, frame: object) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGTERM, terminate)


def _show_warning(arguments: Sequence[str]) -> Callable[..., None]:
    """Warnings of libraries take one line, without the place in the source; -q hides them."""
    quiet = not _options(arguments).isdisjoint({"-q", "--quiet"})

    def show(message: Warning | str, *details: object, **more: object) -> None:
        output.Output(quiet=quiet).warn(str(message).splitlines()[0])

    return show
