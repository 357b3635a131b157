"""The model file: one ``.npz`` that describes itself, runs no code when loaded and names no other file.

Members: ``meta.npy`` (UTF-8 JSON as bytes: format version, package version, configuration, columns, calendar, training
record), arrays under the names of the parameter layout, with the ensemble's members as first axis, and the last rows of
each series, of a stateful network with the states after them. A file is checked before anything is allocated: known
members only, plain numbers only, sizes as the configuration says.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from rnncast import __version__
from rnncast.core.shape import parameter_count, parameter_layout, state_shape
from rnncast.core.twin import unpack
from rnncast.data.calendar import Calendar
from rnncast.data.npz import DAMAGED, check_ends, check_sizes, held_in_memory, read_array
from rnncast.data.panel import Columns, Panel
from rnncast.data.transform import is_logarithmic
from rnncast.data.write import atomic_write
from rnncast.errors import DataError, InputNotFoundError, ModelFileError, RnncastError, TrainingError
from rnncast.model.config import NetworkConfig
from rnncast.model.description import read_description
from rnncast.model.gate import GROUPS, Blend, Gate, naive_name, same_for_all
from rnncast.model.intervals import LEVELS, Calibration, Volatility
from rnncast.model.model import History, Model
from rnncast.model.network import loss_table

FORMAT_VERSION = 3
"""Raised when a file's meaning changes; every version ever released stays readable."""

LARGEST_META = 8 << 20
"""Bytes of JSON that a model file may hold, beside the ids of a very large panel."""

LARGEST_ID = 64
"""Bytes by which each series adds to them."""

LARGEST_STREAM = 1 << 30
"""Bytes of a model that comes through a pipe, and is held in memory."""


def model_bytes(model: Model) -> bytes:
    """A model file as bytes.

    Raises
    ------
    TrainingError
        A parameter is not finite: such a model is never written.
    """
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **_checked_arrays(model))
    return buffer.getvalue()


def save_model(model: Model, path: str | Path, *, clobber: bool = True) -> None:
    """Write a model file whole, or leave what stood there.

    Raises
    ------
    TrainingError, DataError
        A parameter is not finite, or the ids are enormous: such a model is never written.
    OutputError, StorageError
        The file cannot be created or written.
    """
    arrays = _checked_arrays(model)
    atomic_write(path, lambda stream: np.savez(cast(Any, stream), allow_pickle=False, **arrays), clobber=clobber)


def _checked_arrays(model: Model) -> dict[str, NDArray[Any]]:
    """All that a model file holds; TrainingError or DataError for what could not be read again."""
    arrays = _arrays(model)
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise TrainingError(f"the model was not saved: {name} holds values that are not finite")
    meta = json.dumps(_meta(model), ensure_ascii=False, allow_nan=False).encode()
    if len(meta) > _largest_meta(len(model.history.panel.ids) if model.history is not None else 0):
        raise DataError(
            f"the model was not saved: the names of its series take {len(meta):,} bytes",
            hint="give shorter ids, or --no-history",
        )
    arrays["meta"] = np.frombuffer(meta, dtype=np.uint8)
    return arrays


def load_model(path: str | Path, stream: IO[bytes] | None = None) -> Model:
    """Read a model file.

    Parameters
    ----------
    path
        The file, or what messages call `stream`.
    stream
        An open stream to read instead. It is held in memory, as is a pipe that `path` names.

    Raises
    ------
    InputNotFoundError
        There is no such file, or it may not be read.
    ModelFileError
        The file is no model, damaged, or of a newer format.
    """
    try:
        opened: Any = open(path, "rb") if stream is None else nullcontext(stream)
    except OSError as error:
        raise InputNotFoundError(f"cannot open the model: {error.strerror}", where=str(path)) from error
    with opened as file:
        try:
            whole = stream is None and file.seekable()
            return _read(file if whole else held_in_memory(file, LARGEST_STREAM))
        except RnncastError as error:
            raise ModelFileError(error.message, where=str(path), hint=error.hint) from error
        except DAMAGED as error:
            raise ModelFileError(
                f"not a model file of rnncast, or a damaged one ({type(error).__name__}: {error})",
                where=str(path),
                hint="train the model again, or restore the file from a copy",
            ) from error


def _arrays(model: Model) -> dict[str, NDArray[Any]]:
    named = [unpack(model.network.shape, member) for member in model.parameters]
    arrays: dict[str, NDArray[Any]] = {name: np.stack([member[name] for member in named]) for name in named[0]}
    arrays["spread"] = model.head.spread
    arrays["base_gap"] = model.head.base_gap
    if model.calibration is not None:
        arrays["calibration.scores"] = np.ascontiguousarray(model.calibration.scores)
    if model.history is not None:
        panel = model.history.panel
        arrays["history.indptr"] = panel.indptr
        arrays["history.times"] = panel.times.view(np.int64)
        arrays["history.values"] = panel.values
        arrays["history.logarithmic"] = model.history.logarithmic
        if model.history.states is not None:
            arrays["history.states"] = model.history.states
    return arrays


def _meta(model: Model) -> dict[str, Any]:
    history = model.history
    return {
        "format": "rnncast",
        "format_version": FORMAT_VERSION,
        "package_version": __version__,
        "network": model.network.to_dict(),
        "members": len(model.parameters),
        "gate": [asdict(blend) for blend in model.gate],
        "calibration": None if model.calibration is None else asdict(model.calibration.volatility),
        "columns": asdict(model.columns),
        "calendar": model.calendar.to_dict(),
        "trained_until": model.trained_until,
        "history": None if history is None else {"ids": list(history.panel.ids), "dated": history.panel.is_dated},
        "record": dict(model.record),
    }


def _read(stream: IO[bytes]) -> Model:
    check_ends(stream)
    with zipfile.ZipFile(stream) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        if len(entries) != len(archive.infolist()):
            raise ValueError("a member stands in the archive twice")
        check_sizes(archive.infolist(), stream.seek(0, os.SEEK_END))
        meta = _read_meta(archive, entries)
        network = NetworkConfig.from_dict(meta["network"])
        expected = _expected_members(meta, network)
        if set(entries) != {"meta.npy", *(f"{name}.npy" for name in expected)}:
            raise ValueError(f"unexpected members {sorted(set(entries) ^ {f'{name}.npy' for name in expected})}")
        arrays = {
            name: _read_array(archive, entries[f"{name}.npy"], kind, shape) for name, (kind, shape) in expected.items()
        }
    return _assemble(meta, network, arrays)


def _read_meta(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo]) -> dict[str, Any]:
    if "meta.npy" not in entries:
        raise ValueError("there is no description (meta) in it")
    size, series = entries["meta.npy"].file_size, 0
    if "history.indptr.npy" in entries:
        series = entries["history.indptr.npy"].compress_size // np.dtype("i8").itemsize
    if size > _largest_meta(series):
        raise ValueError(f"the description takes {size} bytes")
    text = _read_array(archive, entries["meta.npy"], np.dtype(np.uint8), (None,)).tobytes()
    return read_description(text, FORMAT_VERSION, series)


def _largest_meta(series: int) -> int:
    """Bytes that the description of a model with the rows of so many series may take."""
    return LARGEST_META + LARGEST_ID * series


def _expected_members(
    meta: Mapping[str, Any], network: NetworkConfig
) -> dict[str, tuple[np.dtype[Any], tuple[int | None, ...]]]:
    """Type and shape that each array must have; None stands for any length."""
    members, single, double, integer = int(meta["members"]), np.dtype("f4"), np.dtype("f8"), np.dtype("i8")
    if members < 1:
        raise ValueError(f"there are {members} members")
    expected: dict[str, tuple[np.dtype[Any], tuple[int | None, ...]]] = {
        name: (single, (members, *shape)) for name, (_, shape) in parameter_layout(network.shape).items()
    }
    expected["spread"] = (double, (network.horizon,))
    expected["base_gap"] = (double, (network.horizon, network.shape.output_group))
    if meta.get("calibration") is not None:
        expected["calibration.scores"] = (double, (len(GROUPS), network.horizon, len(LEVELS)))
    if meta["history"] is not None:
        series = len(meta["history"]["ids"])
        expected["history.indptr"] = (integer, (series + 1,))
        expected["history.times"] = (integer, (None,))
        expected["history.values"] = (double, (None, 1))
        expected["history.logarithmic"] = (np.dtype(bool), (series,))
        if network.stateful:
            expected["history.states"] = (single, (members, *state_shape(network.shape, series)))
    return expected


def _read_array(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, dtype: np.dtype[Any], shape: tuple[int | None, ...]
) -> NDArray[Any]:
    """One member; ValueError for numbers that are not finite, too."""
    array = read_array(archive, entry, dtype, shape)
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{entry.filename} holds values that are not finite")
    if dtype.kind == "b" and (array.view(np.uint8) > 1).any():
        raise ValueError(f"{entry.filename} holds values that are neither true nor false")
    return array


def _assemble(meta: Mapping[str, Any], network: NetworkConfig, arrays: Mapping[str, NDArray[Any]]) -> Model:
    members = int(meta["members"])
    parameters = np.empty((members, parameter_count(network.shape)), dtype=np.float32)
    for member, vector in enumerate(parameters):
        for name, view in unpack(network.shape, vector).items():
            view[:] = arrays[name][member]
    columns = Columns(**meta["columns"])
    calendar = Calendar.from_dict(meta["calendar"])
    _check_until(meta["trained_until"], calendar)
    return Model(
        network=network,
        parameters=parameters,
        head=loss_table(network, arrays["spread"], arrays["base_gap"]),
        gate=_gate(meta, network),
        calibration=_calibration(meta.get("calibration"), arrays),
        columns=columns,
        calendar=calendar,
        trained_until=str(meta["trained_until"]),
        history=_history(meta["history"], arrays, columns, calendar),
        record=dict(meta["record"]),
    )


def _gate(meta: Mapping[str, Any], network: NetworkConfig) -> Gate:
    """The gate; in the first format one share of the network's correction of the naive path."""
    if meta["format_version"] == 1:
        return same_for_all(Blend(naive_name(network), float(meta["blend"])))
    gate = tuple(Blend(str(blend["baseline"]), float(blend["share"])) for blend in meta["gate"])
    if len(gate) != len(GROUPS):
        raise ValueError(f"the gate has {len(gate)} groups, expected {len(GROUPS)}")
    return gate


def _calibration(described: Mapping[str, Any] | None, arrays: Mapping[str, NDArray[Any]]) -> Calibration | None:
    if described is None:
        return None
    settings = (float(described[name]) for name in ("decay", "persistence", "width"))
    return Calibration(Volatility(*settings), arrays["calibration.scores"])


def _check_until(until: str, calendar: Calendar) -> None:
    """ValueError for a last training row that is neither a date nor a step."""
    stamp = np.datetime64(until, "us") if calendar.is_dated else int(until)
    if isinstance(stamp, np.datetime64) and not until[:1].isdigit():  # "NaT" and "today" are stamps to NumPy
        raise ValueError(f"the last training row is at {until!r}")


def _history(
    described: Mapping[str, Any] | None, arrays: Mapping[str, NDArray[Any]], columns: Columns, calendar: Calendar
) -> History | None:
    if described is None:
        return None
    times = arrays["history.times"]
    panel = Panel(
        ids=tuple(str(name) for name in described["ids"]),
        indptr=arrays["history.indptr"],
        times=times.view("datetime64[us]") if described["dated"] else times,
        values=arrays["history.values"],
        columns=columns,
        calendar=calendar,
    )
    logarithmic = arrays["history.logarithmic"]
    if len(set(panel.ids)) != len(panel.ids):
        raise ValueError("a series of the history is there twice")
    if (panel.lengths < 1).any():
        raise ValueError("a series of the history has no row")
    if panel.is_dated != calendar.is_dated:
        raise ValueError("the history and the calendar do not fit each other")
    backwards = np.diff(panel.times.astype(np.int64)) <= 0
    backwards[panel.indptr[1:-1] - 1] = False  # from one series to the next
    if backwards.any() or (is_logarithmic(panel) < logarithmic).any():
        raise ValueError("the rows of the history are out of order, or not what the model was trained on")
    return History(panel=panel, logarithmic=logarithmic, states=arrays.get("history.states"))
