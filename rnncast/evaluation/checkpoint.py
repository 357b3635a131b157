"""A backtest that was interrupted goes on: what was issued so far is kept in a file, origin after origin.

The file is one ``.npz`` written whole or not at all: ``meta`` (JSON text: of which backtest it is, the origins done,
what was trained and said) and the columns of the table, up to the last origin done. It runs no code when it is read,
and is read only if it is of the same backtest: data, options, plan and version.

Dimension letter: `N` rows of the table that are filled.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rnncast import __version__
from rnncast.data.atomic import atomic_write
from rnncast.data.npz import DAMAGED, read_array
from rnncast.data.panel import Panel
from rnncast.errors import DataError, InputNotFoundError, RnncastError
from rnncast.evaluation.table import Table
from rnncast.model.model import Model

FORMAT = "rnncast.checkpoint/1"

WRITING_SHARE = 0.1
"""Share of the time that writing may take: a file that has grown large is written less often."""

NAMED = 3
"""Differences from another backtest that an error names before it only counts."""


@dataclass
class Progress:
    """How far a backtest is.

    Attributes
    ----------
    origins : int
        Origins done; what they issued stands in the table.
    trainings : list of mapping
        What was trained when.
    notes : dict of str
        What was said, each once.
    """

    origins: int
    trainings: list[Mapping[str, Any]]
    notes: dict[str, None]

    def begin(self, record: Mapping[str, Any], notes: Sequence[str]) -> None:
        """A fold begins, or goes on after it was trained once more."""
        if record and record not in self.trainings:
            self.trainings.append(record)
        self.notes.update(dict.fromkeys(notes))


class Checkpoint:
    """The file of one backtest.

    Parameters
    ----------
    path
        The file; None for none.
    of
        Of which backtest it is: names, as they are said to the user, and JSON values.
    """

    def __init__(self, path: str | None, of: Mapping[str, Any]) -> None:
        self._path, self._of = path, json.loads(json.dumps(of))
        self._next = 0.0

    def restore(self, table: Table, origins: int) -> Progress:
        """Fill the table, of so many origins, with what the file holds; nothing if there is none yet.

        Raises
        ------
        DataError
            The file is that of another backtest, none at all, or damaged.
        """
        if self._path is None or not os.path.exists(self._path):
            return Progress(0, [], {})
        try:
            with open(self._path, "rb") as stream, zipfile.ZipFile(stream) as archive:
                meta = _meta(archive)
                self._check(meta)
                return _restored(archive, meta, table, origins)
        except DataError:
            raise
        except PermissionError as error:
            raise InputNotFoundError(f"cannot open the checkpoint: {error.strerror}", where=self._path) from error
        except DAMAGED as error:
            raise DataError(
                f"not a checkpoint of rnncast, or a damaged one ({type(error).__name__}: {error})",
                where=self._path,
                hint="name another file with --checkpoint; if this was one, remove it to begin anew",
            ) from error

    def keep(self, progress: Progress, table: Table, *, now: bool = False) -> None:
        """Write the file, if it is time to; `now` writes it in any case."""
        began = time.monotonic()
        if self._path is None or (began < self._next and not now):
            return
        rows = table.rows_before(progress.origins)
        arrays: dict[str, NDArray[Any]] = {name: column[:rows] for name, column in table.columns.items()}
        meta = {
            "format": FORMAT,
            "of": self._of,
            "origins": progress.origins,
            "trainings": progress.trainings,
            "notes": list(progress.notes),
        }
        arrays["meta"] = np.frombuffer(json.dumps(meta, allow_nan=False).encode(), dtype=np.uint8)
        atomic_write(self._path, lambda stream: np.savez(cast(Any, stream), allow_pickle=False, **arrays))
        ended = time.monotonic()
        self._next = ended + (ended - began) / WRITING_SHARE

    def keep_at_the_end(self, progress: Progress, table: Table) -> None:
        """Write the file while something else has gone wrong, which is what the user should hear of."""
        with suppress(RnncastError):
            self.keep(progress, table, now=True)

    def _check(self, meta: Mapping[str, Any]) -> None:
        there = meta["of"]
        names = [name for name in {**there, **self._of} if there.get(name) != self._of.get(name)]
        if names:
            said = [
                f"{name} {_said(there.get(name))} there, {_said(self._of.get(name))} here" for name in names[:NAMED]
            ]
            said += [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
            raise DataError(
                f"this is the checkpoint of another backtest: {'; '.join(said)}",
                where=self._path,
                hint="name another file with --checkpoint, give the same options and data, or remove it to begin anew",
            )


def fingerprint(panel: Panel, named: Mapping[str, Any]) -> dict[str, Any]:
    """Of which backtest a checkpoint is: this version, `named` options, and all rows of the data."""
    data = f"{len(panel.times):,} rows in {len(panel.ids):,} series ({panel.fingerprint()})"
    return {"rnncast": __version__, **named, "data": data}


def model_digest(model: Model) -> str:
    """SHA-256 of all that a model holds."""
    digest = hashlib.sha256()

    def update(value: Any) -> None:
        if isinstance(value, np.ndarray):
            digest.update(f"{value.dtype} {value.shape}".encode())
            digest.update(np.ascontiguousarray(value).tobytes())
        elif is_dataclass(value):
            update([getattr(value, field.name) for field in fields(value)])
        elif isinstance(value, (list, tuple)):
            for part in value:
                update(part)
        else:
            digest.update(repr(value).encode())

    update(model)
    return digest.hexdigest()[:16]


def _said(value: Any) -> str:
    return "not given" if value is None else json.dumps(value, ensure_ascii=False).strip('"')


def _meta(archive: zipfile.ZipFile) -> dict[str, Any]:
    text = _array(archive, "meta", np.dtype(np.uint8)).tobytes()
    meta = json.loads(text)
    if meta["format"] != FORMAT:
        raise ValueError("the description is not that of a checkpoint")
    return cast(dict[str, Any], meta)


def _restored(archive: zipfile.ZipFile, meta: Mapping[str, Any], table: Table, origins: int) -> Progress:
    trainings: list[Mapping[str, Any]] = [dict(record) for record in meta["trainings"]]
    progress = Progress(int(meta["origins"]), trainings, dict.fromkeys(meta["notes"]))
    if not 0 <= progress.origins <= origins:
        raise ValueError(f"{progress.origins} origins are done, of {origins}")
    names = [member.removesuffix(".npy") for member in archive.namelist() if member != "meta.npy"]
    table.restore(progress.origins, {name: _array(archive, name, np.dtype(np.float64)) for name in names})
    return progress


def _array(archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """One member, stored as it is written."""
    entry = archive.getinfo(f"{name}.npy")
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is packed, and was not written so")
    return read_array(archive, entry, dtype)
