"""What the commands read: models and data; and the checks and the lock of an output before any work is done."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from rnncast.cli.options import InputOptions, Report
from rnncast.cli.output import Output, standard_input
from rnncast.errors import DataError, InputNotFoundError, ModelFileError, OutputError, UsageError

if TYPE_CHECKING:
    from rnncast.data.panel import Panel
    from rnncast.data.read import Reading
    from rnncast.model.model import Model

STDIN = "-"
_BACKSLASH, _QUOTED = "\\", b"'\\"

NAMED = 3
"""Series that a message names before it only counts."""

COMPARED_ROWS = 20
"""Fewest rows whose own step is held against the model's."""


def is_model(path: str) -> bool:
    """Whether a path names a model rather than data, told from the file itself, or its ending if it is damaged."""
    if not os.path.isfile(path):
        return False
    found = _holds_model(path)
    return path.lower().endswith(".npz") if found is None else found


def model_on_stdin() -> tuple[BytesIO, bool]:
    """All bytes of stdin, and whether they are a model rather than data."""
    content = BytesIO(standard_input().read())
    found = _holds_model(content)
    content.seek(0)
    return content, bool(found)


def _holds_model(file: str | BytesIO) -> bool | None:
    """Whether an archive is a model; None for what is no archive, or a damaged one."""
    import zipfile

    from rnncast.data.npz import DAMAGED

    try:
        with zipfile.ZipFile(file) as archive:
            return "meta.npy" in archive.namelist()
    except DAMAGED:
        return None


def open_model(path: str, stdin: BinaryIO | None = None) -> Model:
    """The model in a file, or on stdin (`stdin` if it is open already); an error that says what to do without one."""
    from rnncast.model.artifact import load_model

    if not path:
        raise UsageError("the name of the model is empty", hint="name a file")
    if path == STDIN:
        return load_model("stdin", stdin or standard_input())
    if not os.path.exists(path):
        near = _similar_model(path)
        raise InputNotFoundError(
            f"there is no model {path}",
            hint=f"did you mean {near}?" if near else f"train it first: rnncast train INPUT -o {path}",
        )
    if os.path.isfile(path) and not is_model(path):
        raise ModelFileError(
            "this is not a model", where=path, hint=f"the model comes first; to make one: rnncast train {path}"
        )
    return load_model(path)


def read_data(sources: Sequence[str], options: InputOptions, stdin: BinaryIO | None = None) -> Reading:
    """Data without a model; `stdin` is the stream where it is open already."""
    from rnncast.data.read import read_input

    for source in sources:
        refuse_model(source)
    if stdin is None and STDIN in sources:
        stdin = standard_input()
    return read_input(sources, options.read_options(), stdin=stdin)


def read_for_model(sources: Sequence[str], options: InputOptions, model: Model) -> tuple[Panel, tuple[str, ...]]:
    """Data for a trained model: its own column names where the input has them, and its step where none can be learnt.

    Returns
    -------
    panel, notes

    Raises
    ------
    DataError
        Its target is another column than the model's, and nobody named it.
    """
    from rnncast.data.read import read_input

    for source in sources:
        refuse_model(source)
    reading = read_input(
        sources,
        options.read_options(),
        stdin=standard_input() if STDIN in sources else None,
        columns=model.columns,
        calendar=model.calendar,
    )
    panel, notes = reading.panel, reading.notes
    _refuse_other_target(panel, options, model)
    own, expected = panel.calendar, model.calendar
    if (
        not own.given
        and own.freq != expected.freq
        and panel.lengths.max() >= COMPARED_ROWS
        and own.is_dated == expected.is_dated
    ):
        notes += (
            f"warning: the rows come {own.describe()}, those of training came {expected.describe()}; "
            "the stamps of the forecast follow the training",
        )
    return panel, notes


def _refuse_other_target(panel: Panel, options: InputOptions, model: Model) -> None:
    from rnncast.data.reading.headings import canonical

    own, expected = panel.columns, model.columns
    if own.wide or expected.wide or options.target_col is not None:
        return
    if canonical(own.target) != canonical(expected.target):
        raise DataError(
            f"the model forecasts {expected.target!r}, and the input has no such column; it has {own.target!r}",
            hint=f"if that is the same, --target-col {shell_word(own.target)}",
        )


def missing_series(panel: Panel, model: Model) -> str | None:
    """Which series the model keeps rows of, and the input has none of; None if there are none."""
    if model.history is None or panel.columns.id is None:
        return None
    missing = [name for name in model.history.panel.ids if name not in set(panel.ids)]
    if not missing:
        return None
    named = ", ".join(f'"{name}"' for name in missing[:NAMED])
    more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
    count = f"{len(missing):,} of the {len(model.history.panel.ids):,} series"
    return f"the input has no rows of {count} that the model keeps: {named}{more}"


def warn_of_data(panel: Panel, out: Output) -> tuple[str, ...]:
    """Say what in the data is likely to be a mistake; the warnings."""
    from rnncast.data.advice import warnings_of
    from rnncast.data.diagnosis import diagnose

    warnings = warnings_of(diagnose(panel), panel)
    for warning in warnings:
        out.warn(warning)
    return warnings


def check_output(path: str, sources: Sequence[str], *, clobber: bool = True, model: bool = False) -> None:
    """Refuse an output that cannot be created, or that would destroy an input, before long work is done for it.

    Parameters
    ----------
    path, sources
        Output, and the inputs of this call.
    clobber
        Whether an existing file may be replaced.
    model
        Whether a model is written; it then replaces models only.
    """
    import tempfile

    target = Path(path)
    if not path:
        raise UsageError("the name of the output is empty", hint="name a file")
    if any(source != STDIN and _same_file(path, source) for source in sources):
        raise UsageError(f"the output {path} is also an input, and would replace it", hint="name another file with -o")
    if target.is_dir() or path.endswith(os.sep):
        raise OutputError(
            f"{path} is a folder, expected the name of a file", hint=f"for instance -o {target / 'x.npz'}"
        )
    if target.exists():
        if not clobber:
            raise OutputError(
                f"{path} exists and is not to be replaced", hint="leave out --no-clobber, or name another file"
            )
        if model and target.is_file() and target.stat().st_size and not is_model(path):
            raise OutputError(f"{path} exists and is no model", hint="name another file with -o, or remove it")
        if not target.is_file():  # a device or a pipe: nothing beside it is touched
            return
    folder = Path(os.path.realpath(target)).parent
    if not folder.is_dir():
        raise OutputError(f"{path} cannot be created: there is no folder {folder}", hint=f"mkdir -p {folder}")
    try:
        with tempfile.TemporaryFile(dir=folder):  # permissions alone do not tell of a read-only file system
            pass
    except OSError as error:
        raise OutputError(
            f"{path} cannot be created: {error.strerror}", where=str(folder), hint="name another folder with -o"
        ) from error


@contextmanager
def output_lock(path: str | None, report: Report) -> Iterator[None]:
    """Let no other run write the same output until this one is done; a context manager.

    BusyError at once if another run does. A device, a pipe or no output at all (None) needs no lock.
    """
    from rnncast.data.locking import locked

    if path is None or (os.path.exists(path) and not os.path.isfile(path)):
        yield
        return
    out = Output(quiet=report.quiet, hold=report.json)
    with locked(path, patience=0) as is_locked:
        if not is_locked:
            out.warn(f"there are no locks here: let only one run at a time write {path}")
        yield
    out.release()


def shell_word(path: str) -> str:
    """A file's name as it is typed in a command: by its path where it begins like an option."""
    return option_word("./" + path if path.startswith("-") and path != STDIN else path)


def option_word(text: str) -> str:
    """A word as it is typed in a command; what does not print by its bytes, as bash, ksh and zsh understand them."""
    import shlex

    if text.isprintable():
        return shlex.quote(text)
    octets = os.fsencode(text)
    return f"$'{''.join(chr(o) if 32 <= o < 127 and o not in _QUOTED else f'{_BACKSLASH}{o:03o}' for o in octets)}'"


def check_stdin(sources: Sequence[str]) -> None:
    """UsageError unless stdin is read one time at most: a model, data and other inputs together."""
    if sources.count(STDIN) > 1:
        raise UsageError("stdin (-) is named twice, and can be read one time", hint="name a file for one of the two")


def refuse_model(source: str) -> None:
    """UsageError for a model where data are expected."""
    if source != STDIN and is_model(source):
        raise UsageError(
            f"{source} is a model, expected a file of data", hint=f"rnncast inspect {source} shows what it is"
        )


def check_ending(path: str) -> None:
    """UsageError for the name of a table whose ending goes with no format."""
    from rnncast.data.write import choose_format

    choose_format(path, None, BytesIO())


def _same_file(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def _similar_model(path: str) -> str | None:
    from difflib import get_close_matches

    folder, name = os.path.split(path)
    try:
        models = [other for other in os.listdir(folder or ".") if other.endswith(".npz")]
    except OSError:
        return None
    near = get_close_matches(name, models, n=1)
    return os.path.join(folder, near[0]) if near else None
