"""Inputs as they are named on the command line: files, folders, patterns, and folders whose names hold columns."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from rnncast.data.reading.opening import STDIN
from rnncast.data.text import in_unicode
from rnncast.errors import DataError, InputNotFoundError, UsageError
from rnncast.records import dataclass

ENDINGS = (".csv", ".tsv", ".parquet", ".pq", ".parq", ".csv.gz", ".tsv.gz")
"""Endings of the files that are taken from a folder."""


@dataclass(frozen=True)
class File:
    """One file of an input.

    Attributes
    ----------
    path
        Where it lies, or ``-``.
    partition
        Names and values that the folders above it give: ``series=WTI/part-0.parquet``.
    """

    path: str
    partition: tuple[tuple[str, str], ...] = ()

    @property
    def stem(self) -> str:
        """Name of the file without its endings, as a series can be called."""
        name = in_unicode(os.path.basename(self.path))
        ending = next((ending for ending in ENDINGS[::-1] if name.lower().endswith(ending)), "")
        return name[: len(name) - len(ending)] or name


def find_files(sources: Sequence[str]) -> tuple[File, ...]:
    """All files that an input names, sorted within each folder or pattern.

    Raises
    ------
    UsageError, InputNotFoundError, DataError
        No input, or stdin beside others, or a file twice; nothing fits a pattern; a folder holds no file of data.
    """
    if not sources:
        raise UsageError("no input was given", hint="name a file, a folder, or - for stdin")
    if STDIN in sources:
        if len(sources) > 1:
            raise UsageError("stdin (-) cannot be read beside other inputs", hint="name files, or pipe all of it")
        return (File(STDIN),)
    files = [file for source in sources for file in _of_source(source)]
    paths = [os.path.realpath(file.path) for file in files]
    if len(set(paths)) < len(paths):
        again = next(file.path for n, file in enumerate(files) if paths.index(paths[n]) < n)
        raise UsageError(f"{again} is named twice", hint="name each file once")
    return tuple(files)


def _of_source(source: str) -> list[File]:
    if os.path.isdir(source):
        return _of_folder(source)
    if os.path.exists(source) or not set(source) & set("*?["):
        return [File(source, _columns_in(Path(source).parent.parts))]
    from glob import glob  # for who gives a pattern

    found = [path for path in sorted(glob(source, recursive=True)) if os.path.isfile(path)]
    if not found:
        raise InputNotFoundError(f"no file fits {source}")
    return [File(path, _columns_in(Path(path).parent.parts)) for path in found]


def _of_folder(folder: str) -> list[File]:
    files = []
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            if name.lower().endswith(ENDINGS) and not name.startswith((".", "_")):
                files.append(
                    File(
                        os.path.join(path, name),
                        _columns_in((Path(folder).name, *Path(path).relative_to(folder).parts)),
                    )
                )
    if not files:
        raise DataError("the folder holds no file of data", where=folder, hint=f"files end in {', '.join(ENDINGS)}")
    return files


def _columns_in(folders: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Columns that the names of folders hold: ``key=value``."""
    parts = (folder.partition("=") for folder in folders)
    return tuple((in_unicode(key), unquote(in_unicode(value))) for key, mark, value in parts if key and mark)
