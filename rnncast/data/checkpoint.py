"""What takes long and was interrupted goes on: where it stands is kept in a file.

The file is one ``.npz`` written whole or not at all: ``meta`` (JSON text: what it belongs to, and how far that is) and
arrays of one type. It runs no code when it is read.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from rnncast.data.atomic import atomic_write
from rnncast.data.npz import DAMAGED, read_array
from rnncast.errors import DataError, InputNotFoundError
from rnncast.records import dataclass

WRITING_SHARE = 0.1
"""Share of the time that writing may take: a file that has grown large is written less often."""

NAMED = 3
"""Differences between what a file belongs to and what it should that are named before they are only counted."""

Arrays = Mapping[str, NDArray[Any]]
Result = TypeVar("Result")


@dataclass
class CheckpointFile:
    """The file of one piece of work.

    Attributes
    ----------
    path : str
        The file.
    format : str
        Name and version of what is in it.
    dtype : dtype
        Type of its arrays.
    of : mapping
        What it belongs to: names, as they are said to the user, and JSON values.
    remedy : str
        What to do with a file that is none, or damaged.
    """

    path: str
    format: str
    dtype: np.dtype[Any]
    of: Mapping[str, Any]
    remedy: str

    def __post_init__(self) -> None:
        self.of = json.loads(json.dumps(self.of))
        self._next = 0.0

    def wait(self, seconds: float) -> None:
        """Let so much time go by, at least, before the next writing is due."""
        self._next = max(self._next, time.monotonic() + seconds)

    @property
    def is_due(self) -> bool:
        """Whether it is time to write again."""
        return time.monotonic() >= self._next

    def write(self, state: Mapping[str, Any], arrays: Arrays) -> None:
        """Write the file: JSON values by name, and arrays."""
        began = time.monotonic()
        meta = json.dumps({"format": self.format, "of": self.of, **state}, allow_nan=False).encode()
        members = {**arrays, "meta": np.frombuffer(meta, dtype=np.uint8)}
        atomic_write(self.path, lambda stream: np.savez(cast(Any, stream), allow_pickle=False, **members))
        ended = time.monotonic()
        self._next = ended + (ended - began) / WRITING_SHARE

    def read(self, take: Callable[[dict[str, Any], dict[str, NDArray[Any]]], Result]) -> Result | None:
        """What `take` makes of the state and the arrays in the file; None if there is no file.

        Raises
        ------
        DataError
            The file is no checkpoint, or damaged, also where `take` finds that it is; or `take` raises one.
        """
        if not os.path.exists(self.path):
            return None
        try:
            with open(self.path, "rb") as stream, zipfile.ZipFile(stream) as archive:
                meta = self._meta(archive)
                names = [member.removesuffix(".npy") for member in archive.namelist() if member != "meta.npy"]
                return take(meta, {name: _array(archive, name, self.dtype) for name in names})
        except DataError:
            raise
        except PermissionError as error:
            raise InputNotFoundError(f"cannot open the checkpoint: {error.strerror}", where=self.path) from error
        except DAMAGED as error:
            raise DataError(
                f"not a checkpoint of rnncast, or a damaged one ({type(error).__name__}: {error})",
                where=self.path,
                hint=self.remedy,
            ) from error

    def is_foreign(self) -> bool:
        """Whether there is something else in the file's place."""
        try:
            with open(self.path, "rb") as stream, zipfile.ZipFile(stream) as archive:
                self._meta(archive)
        except FileNotFoundError:
            return False
        except DAMAGED:
            return True
        return False

    def remove(self) -> None:
        """Take the file away, if there is one and it can be."""
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    def differences(self, meta: Mapping[str, Any]) -> dict[str, str]:
        """Where the file belongs to something else: name -> what stands there and here, in words."""
        there = meta["of"]
        return {
            name: f"{name} {_said(there.get(name))} there, {_said(self.of.get(name))} here"
            for name in {**there, **self.of}
            if there.get(name) != self.of.get(name)
        }

    def _meta(self, archive: zipfile.ZipFile) -> dict[str, Any]:
        meta = json.loads(_array(archive, "meta", np.dtype(np.uint8)).tobytes())
        if meta["format"] != self.format:
            raise ValueError("the description is not that of a checkpoint")
        return cast(dict[str, Any], meta)


def in_words(differences: Mapping[str, str]) -> str:
    """The first differences, and a count of the others."""
    said = list(differences.values())
    return "; ".join(said[:NAMED] + ([f"{len(said) - NAMED} more"] if len(said) > NAMED else []))


def _said(value: Any) -> str:
    return "not given" if value is None else json.dumps(value, ensure_ascii=False).strip('"')


def _array(archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """One member, stored as it is written."""
    entry = archive.getinfo(f"{name}.npy")
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is packed, and was not written so")
    return read_array(archive, entry, dtype)
