"""Every kind of file that rnncast writes: how one is written over another, and read again.

Each kind has an old and a new content. `write` is what the program itself calls; `read` raises for a file that is not
whole.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from crafted_models import SOUND

from rnncast.data.checkpoint import CheckpointFile
from rnncast.data.panel import Columns
from rnncast.data.write import write_table
from rnncast.evaluation.ledger import append
from rnncast.evaluation.ledger_rows import read_ledger
from rnncast.forecasting.result import Forecast
from rnncast.model.artifact import load_model, save_model
from rnncast.model.model import Model

OLD, NEW = 0, 1
ROWS = 400


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    name : str
        Name of the file.
    write : callable
        Path, and `OLD` or `NEW`: writes that content. A ledger is added to: `NEW` needs the old one there.
    read : callable
        Reads a whole file, and raises for any other.
    """

    name: str
    write: Callable[[Path, int], object]
    read: Callable[[Path], object]


def issued(version: int) -> Forecast:
    """A forecast; the versions have other cutoffs and numbers."""
    ahead = np.arange(1, ROWS + 1)
    numbers = np.sort(np.random.default_rng(version).standard_normal((ROWS, 3)), axis=1)
    cutoff = np.datetime64("2024-01-31", "us") + np.timedelta64(version, "D")
    return Forecast(
        ids=("x",),
        series=np.zeros(ROWS, np.int64),
        times=cutoff + ahead * np.timedelta64(1, "D"),
        cutoffs=np.full(ROWS, cutoff),
        steps=ahead,
        point=numbers[:, 1],
        network=numbers[:, 1],
        quantile_levels=np.array([0.1, 0.5, 0.9]),
        quantiles=numbers,
        columns=Columns("date", None, "close"),
        last_values=np.ones(ROWS),
        trained_horizon=ROWS,
    )


@cache
def _sound() -> Model:
    return load_model(SOUND)


def _model(path: Path, version: int) -> None:
    model = _sound()
    save_model(replace(model, record={**model.record, "data_fingerprint": str(version)}), path)


def _checkpoint(path: Path) -> CheckpointFile:
    return CheckpointFile(str(path), "rnncast.faults/1", np.dtype(np.float64), {"data": 1}, "remove it")


def _keep(path: Path, version: int) -> None:
    arrays = {name: np.full(500, float(version)) for name in ("point:network", "volatility")}
    _checkpoint(path).write({"origins": version}, arrays)


def _read_checkpoint(path: Path) -> None:
    if _checkpoint(path).read(lambda meta, arrays: len(arrays)) != 2:
        raise ValueError("arrays are missing")


def _append(path: Path, version: int, levels: tuple[float, ...] = (80.0,)) -> None:
    if version == OLD:
        path.unlink(missing_ok=True)
    append(
        str(path), issued(version), levels=levels, quantiles=(), model=f"{version}" * 16,
        made_at=np.datetime64("2024-03-01T00:00:00", "s"),
    )  # fmt: skip


def _widen(path: Path, version: int) -> None:
    _append(path, version, () if version == OLD else (80.0,))


def _table(path: Path, version: int) -> None:
    write_table(issued(version).table(levels=(80.0,), quantiles=()), str(path), None, io.StringIO())


def _read_csv(path: Path) -> None:
    lines = path.read_text().splitlines()
    if len(lines) != ROWS + 1 or len({line.count(",") for line in lines}) != 1:
        raise ValueError("rows are missing")


def _read_json(path: Path) -> None:
    if len(json.loads(path.read_text())) != ROWS:
        raise ValueError("rows are missing")


def _read_ndjson(path: Path) -> None:
    if len([json.loads(line) for line in path.read_text().splitlines()]) != ROWS:
        raise ValueError("rows are missing")


def _read_parquet(path: Path) -> None:
    import pyarrow.parquet as pq

    if pq.ParquetFile(path).read().num_rows != ROWS:
        raise ValueError("rows are missing")


def _read_ledger(path: Path) -> None:
    rows = len(read_ledger(str(path)).point)
    if rows not in (ROWS, 2 * ROWS):
        raise ValueError(f"{rows} rows")


KINDS = {
    "model": Kind("m.npz", _model, load_model),
    "checkpoint": Kind("backtest.npz", _keep, _read_checkpoint),
    "ledger, csv": Kind("ledger.csv", _append, _read_ledger),
    "ledger, csv with more columns": Kind("ledger.csv", _widen, _read_ledger),
    "ledger, parquet": Kind("ledger.parquet", _append, _read_ledger),
    "forecast, csv": Kind("forecast.csv", _table, _read_csv),
    "forecast, json": Kind("forecast.json", _table, _read_json),
    "forecast, ndjson": Kind("forecast.ndjson", _table, _read_ndjson),
    "forecast, parquet": Kind("forecast.parquet", _table, _read_parquet),
}
