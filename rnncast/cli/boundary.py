"""The one place where errors become exit codes and messages.

A command raises; nothing below prints an error or exits. The codes are those of `rnncast.errors`, and:

====  =====================================================
129   the terminal was closed (SIGHUP)
130   interrupted from the keyboard (SIGINT)
141   the reader of the output went away (SIGPIPE)
143   terminated (SIGTERM)
====  =====================================================
"""

from __future__ import annotations

import errno
import re
import warnings
from collections.abc import Callable, Sequence

from rnncast.cli import color, output
from rnncast.cli.config import sources
from rnncast.cli.output import ErrorReport
from rnncast.cli.signals import Signals, Terminated, code_and_word, stop_of
from rnncast.errors import STORAGE_ERRORS, RnncastError, StorageError, UsageError

INTERNAL, CLOSED_PIPE = 70, 141

_FULL_OR_BROKEN = {*STORAGE_ERRORS, errno.EBADF}
"""Last, a stream that is open the wrong way."""


_QUIET = re.compile("-[hv]*q")  # alone, or among letters that take no value


def run(command: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> int:
    """Run a command line to its end and give the exit code.

    Parameters
    ----------
    command
        Parses the arguments, does the work and gives the exit code; raises for everything that goes wrong.
    arguments
        The command line without the program's name.
    """
    color.choose(color.choice_in(arguments))
    sources.forget()
    before = warnings.showwarning
    warnings.showwarning = _show_warning(arguments)
    try:
        with Signals() as signals:
            return _run(command, arguments, signals)
    finally:
        warnings.showwarning = before
        sources.forget()


def _run(command: Callable[[Sequence[str]], int], arguments: Sequence[str], signals: Signals) -> int:
    try:
        code = command(arguments)
        output.flush()
        return code
    except BrokenPipeError:
        output.abandon()
        return CLOSED_PIPE
    except (KeyboardInterrupt, Terminated) as stop:
        return _stopped(stop, arguments)
    except Exception as error:
        if signals.heard is not None:  # a library made an error of its own of it
            heard = stop_of(signals.heard)
            for note in getattr(error, "__notes__", ()):
                heard.add_note(note)
            return _stopped(heard, arguments)
        return _report(error, arguments)


def _report(error: Exception, arguments: Sequence[str]) -> int:
    """Say what went wrong on stderr; the exit code."""
    known = as_known(error)
    hint = "; ".join(filter(None, (known.hint, *getattr(error, "__notes__", ())))) or None
    options = _options(arguments)
    try:
        if "--debug" in options:
            ErrorReport.traceback(error)
        if "--json" in options:
            ErrorReport.json(known.exit_code, known.message, known.where, hint)
        else:
            ErrorReport.lines(known.message, known.where, hint)
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
        from rnncast.cli.mistyped import as_usage_error

        return as_usage_error(error)
    if isinstance(error, OSError) and error.errno in _FULL_OR_BROKEN:
        name = error.filename if isinstance(error.filename, str) else None
        return StorageError(
            f"reading or writing failed: {error.strerror}", where=name, hint="make room, or write elsewhere"
        )
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return UsageError("the name of a file is too long", where=error.filename, hint="give it a shorter name")
    if isinstance(error, MemoryError):
        return RnncastError("out of memory", hint="give fewer series or rows, or a smaller --batch-size")
    return RnncastError(
        f"internal error: {type(error).__name__}: {error}".splitlines()[0],
        hint="this is a fault of rnncast: please report it, with what --debug shows",
    )


def _stopped(stop: BaseException, arguments: Sequence[str]) -> int:
    """Say that a signal came; the notes of the exception say how to go on."""
    code, word = code_and_word(stop)
    hint = "; ".join(getattr(stop, "__notes__", ())) or None
    try:
        if "--json" in _options(arguments):
            ErrorReport.json(code, word, None, hint)
        else:
            ErrorReport.lines(word, None, hint)
        output.flush()
    except OSError:
        output.abandon()
    return code


def _options(arguments: Sequence[str]) -> set[str]:
    """What stands on the command line before ``--``, also if that cannot be parsed; and what holds without it."""
    words = list(arguments)
    return {*(words[: words.index("--")] if "--" in words else words), *sources.switches()}


def _show_warning(arguments: Sequence[str]) -> Callable[..., None]:
    """Warnings of libraries take one line, without the place in the source; -q hides them."""

    def show(message: Warning | str, *details: object, **more: object) -> None:
        options = _options(arguments)
        quiet = "--quiet" in options or any(_QUIET.match(word) for word in options)
        output.Output(quiet=quiet).warn(str(message).splitlines()[0])

    return show
