"""A backtest that was interrupted goes on: what was issued so far is kept in a file, origin after origin.

The file holds of which backtest it is, the origins done, what was trained and said, and the columns of the table, up to
the last origin done. It is read only if it is of the same backtest: data, options, plan and version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast import __version__
from rnncast.data.checkpoint import CheckpointFile, in_words
from rnncast.data.panel import Panel
from rnncast.data.summary import identity_in_words
from rnncast.errors import DataError, RnncastError
from rnncast.evaluation.table import Table
from rnncast.model.model import Model
from rnncast.records import dataclass

FORMAT = "rnncast.checkpoint/1"


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
        remedy = "name another file with --checkpoint; if this was one, remove it to begin anew"
        self._file = None if path is None else CheckpointFile(path, FORMAT, np.dtype(np.float64), of, remedy)

    def restore(self, table: Table, origins: int) -> Progress:
        """Fill the table, of so many origins, with what the file holds; nothing if there is none yet.

        Raises
        ------
        DataError
            The file is that of another backtest, none at all, or damaged.
        """
        nothing = Progress(0, [], {})
        if self._file is None:
            return nothing

        def take(meta: Mapping[str, Any], columns: Mapping[str, NDArray[Any]]) -> Progress:
            self._refuse_another(meta)
            return _restored(meta, columns, table, origins)

        return self._file.read(take) or nothing

    def keep(self, progress: Progress, table: Table, *, now: bool = False) -> None:
        """Write the file, if it is time to; `now` writes it in any case."""
        if self._file is None or not (now or self._file.is_due):
            return
        rows = table.rows_before(progress.origins)
        state = {"origins": progress.origins, "trainings": progress.trainings, "notes": list(progress.notes)}
        self._file.write(state, {name: column[:rows] for name, column in table.columns.items()})

    def keep_at_the_end(self, progress: Progress, table: Table) -> bool:
        """Write the file while something else has gone wrong, which is what the user should hear of; whether it was."""
        with suppress(RnncastError):
            self.keep(progress, table, now=True)
            return self._file is not None
        return False

    def _refuse_another(self, meta: Mapping[str, Any]) -> None:
        assert self._file is not None
        if differences := self._file.differences(meta):
            raise DataError(
                f"this is the checkpoint of another backtest: {in_words(differences)}",
                where=self._file.path,
                hint="name another file with --checkpoint, give the same options and data, or remove it to begin anew",
            )


def fingerprint(panel: Panel, named: Mapping[str, Any]) -> dict[str, Any]:
    """Of which backtest a checkpoint is: this version, `named` options, and all rows of the data."""
    return {"rnncast": __version__, **named, "data": identity_in_words(panel)}


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


def _restored(meta: Mapping[str, Any], columns: Mapping[str, NDArray[Any]], table: Table, origins: int) -> Progress:
    trainings: list[Mapping[str, Any]] = [dict(record) for record in meta["trainings"]]
    progress = Progress(int(meta["origins"]), trainings, dict.fromkeys(meta["notes"]))
    if not 0 <= progress.origins <= origins:
        raise ValueError(f"{progress.origins} origins are done, of {origins}")
    table.restore(progress.origins, columns)
    return progress
