"""The one module that writes to stdout and stderr.

stdout carries data only. stderr carries notes, progress and errors; off a terminal both hold plain lines without
control sequences, unless colours are asked for. Text from data (names of columns, series, files) is never read as
markup, and its control characters are shown escaped, so that a hostile name cannot drive a terminal.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from rnncast.cli.color import colored, is_colored
from rnncast.data.text import printable, terminal_width, to_json
from rnncast.errors import InputNotFoundError, StorageError

if TYPE_CHECKING:
    from rnncast.report.tables import TextTable


class Output:
    """The two streams of one call.

    Parameters
    ----------
    quiet
        Whether stderr is left to errors.
    hold
        Whether notes wait for `release`: with ``--json`` an error is then the only thing on stderr.
    """

    def __init__(self, *, quiet: bool = False, hold: bool = False) -> None:
        self.quiet = quiet
        self._held: list[str] | None = [] if hold else None

    @property
    def stdout(self) -> TextIO:
        """Stream of the data, for a writer."""
        return sys.stdout

    @property
    def stdout_is_terminal(self) -> bool:
        """Whether a person reads stdout."""
        return sys.stdout.isatty()

    @property
    def stdout_width(self) -> int | None:
        """Columns of the terminal that stdout is; None if it is none."""
        return terminal_width(sys.stdout) if self.stdout_is_terminal else None

    @property
    def stdout_is_colored(self) -> bool:
        """Whether headings on stdout are in bold letters."""
        return is_colored(sys.stdout)

    def bar(self) -> Bar | None:
        """A bar on stderr; None where it would be out of place: off a terminal, or when quiet."""
        return Bar() if self.stderr_is_live and not self.quiet else None

    @property
    def stderr_is_live(self) -> bool:
        """Whether stderr is a terminal on which a bar can be drawn."""
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def note(self, text: str, *, wrap: bool = True) -> None:
        """Say something on stderr; without `wrap`, a line to be copied stays one line."""
        if self._held is not None:
            self._held.append(text)
        elif not self.quiet:
            _say(text, wrap=wrap)

    @property
    def held(self) -> tuple[str, ...]:
        """What waits for `release`."""
        return tuple(self._held or ())

    def passing(self, text: str) -> None:
        """Say something that is of use only now: where notes wait, it is left out."""
        if self._held is None:
            self.note(text)

    def release(self) -> None:
        """Say what was held back: nothing can go wrong any more."""
        held, self._held = self._held or [], None
        self.notes(held)

    def notes(self, texts: Iterable[str]) -> None:
        """Say several things on stderr, a line each."""
        for text in texts:
            self.note(text)

    def warn(self, text: str) -> None:
        """Say on stderr that something is not as it should be."""
        self.note(f"warning: {text}")

    def line(self, text: str = "") -> None:
        """One line of data on stdout."""
        sys.stdout.write(printable(text) + "\n")

    def text(self, text: str) -> None:
        """A text on stdout that this program made itself, of several lines."""
        sys.stdout.write(text)

    def prose(self, text: str) -> None:
        """A sentence on stdout; one line off a terminal."""
        sys.stdout.write(_fitted(printable(text), sys.stdout) + "\n")

    def data(self, data: bytes) -> None:
        """Bytes on stdout."""
        from rnncast.data.write import write_bytes

        write_bytes(data, sys.stdout)

    def document(self, document: Mapping[str, Any]) -> None:
        """One JSON document on stdout; numbers that are not finite are a fault of the caller."""
        sys.stdout.write(to_json(document, indent=2) + "\n")

    def labelled(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Labels with a text each on stdout; on a terminal a long text goes on below itself."""
        from rnncast.report.tables import label_width, labelled

        indent = " " * label_width(pairs)
        for line in labelled(pairs):
            sys.stdout.write(_fitted(printable(line), sys.stdout, indent) + "\n")

    def table(self, table: TextTable) -> None:
        """A table on stdout, with a rule and fitted to its width on a terminal."""
        if not self.stdout_is_terminal:
            for line in table.lines():
                self.line(line)
            return
        self.prose(table.title)
        for line in table.grid.drawn(self.stdout_width, bold=self.stdout_is_colored):
            sys.stdout.write(line + "\n")


class Bar:
    """One bar on stderr that shows the step that is under way, and vanishes at the end."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.fields[name]}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
            TimeElapsedColumn(),
            console=Console(file=sys.stderr, no_color=not is_colored(sys.stderr)),
            transient=True,
            auto_refresh=False,  # a refreshing thread would wait for the kernels anyway
        )
        self._task = self._progress.add_task("", name="starting", detail="", total=1)
        self._progress.start()

    def show(self, name: str, done: int, total: int, detail: str = "") -> None:
        """What is under way, how much of it is done, and a figure."""
        self._progress.update(self._task, name=name, detail=detail, completed=done, total=total, refresh=True)

    def close(self) -> None:
        """Take the bar off the terminal."""
        self._progress.stop()


class ErrorReport:
    """How an error is said: as at most three lines, or as one JSON object."""

    @staticmethod
    def lines(message: str, where: str | None, hint: str | None) -> None:
        """A line each on stderr: what, where, how to mend."""
        for prefix, text in (("error: ", message), ("  where: ", where), ("  fix: ", hint)):
            if text:
                _say(prefix + text, indent="       " if prefix == "error: " else "         ")

    @staticmethod
    def json(code: int, message: str, where: str | None, hint: str | None) -> None:
        """One JSON object, on one line of stderr."""
        document = {"schema": "rnncast.error/1", "code": code, "message": message, "where": where, "hint": hint}
        sys.stderr.write(to_json(document) + "\n")

    @staticmethod
    def traceback(error: BaseException) -> None:
        """The traceback of an error, on stderr."""
        import traceback

        for line in "".join(traceback.format_exception(error)).split("\n")[:-1]:
            _say(line, wrap=False)


class ClosedStream(io.TextIOBase):
    """In place of a stdout that the caller closed: takes neither text nor bytes."""

    def write(self, text: str) -> int:
        """StorageError: there is no place for data."""
        raise StorageError("stdout is closed: there is no place for the output", hint="open it, or name a file with -o")

    @property
    def buffer(self) -> BinaryIO:
        """StorageError, as for text."""
        self.write("")
        raise AssertionError


def prepare_streams() -> None:
    """Data is UTF-8 wherever it goes; a character that stderr cannot show is escaped rather than fatal.

    A stream that the caller closed is replaced by one that refuses data (stdout) or swallows words (stderr), and its
    descriptor is taken, so that no file which is opened later becomes that stream.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest one that is free
    if sys.stdout is None:
        sys.stdout = ClosedStream()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")
    for stream, errors in ((sys.stdout, "strict"), (sys.stderr, "backslashreplace")):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors=errors)


def flush() -> None:
    """Bring out what is buffered, so that a closed pipe or a full disk shows now and not after the exit code."""
    sys.stdout.flush()
    sys.stderr.flush()


def abandon() -> None:
    """Point stdout at nothing, after it broke: what is still buffered can go nowhere and must not be tried again."""
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
    except (OSError, ValueError):  # a stream without a descriptor needs no such care
        pass


def standard_input() -> BinaryIO:
    """Bytes of stdin; says so where a person would otherwise wonder why nothing happens."""
    if sys.stdin is None:
        raise InputNotFoundError(
            "standard input is closed", hint="name a file instead of -, or pass the rows in a pipe"
        )
    if sys.stdin.isatty():
        _say("reading from the terminal; end with Ctrl-D")
    return sys.stdin.buffer


def _say(text: str, *, wrap: bool = True, indent: str = "  ") -> None:
    line = printable(text)
    sys.stderr.write(colored(_fitted(line, sys.stderr, indent) if wrap else line, sys.stderr) + "\n")


def _fitted(text: str, stream: TextIO, indent: str = "  ") -> str:
    """Text broken at spaces to the width of a terminal; as it is where the stream is none."""
    if not stream.isatty():
        return text
    import textwrap

    lines = textwrap.wrap(
        text, terminal_width(stream), break_long_words=False, break_on_hyphens=False, subsequent_indent=indent
    )
    return "\n".join(lines)
