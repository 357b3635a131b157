"""What a ledger holds of one model, and what a forecast adds to it.

Dimension letters: `H` rows held, `N` rows of a forecast, `S` series held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rnncast.data.isotime import format_stamp
from rnncast.data.reading.arrow import mask_to_numpy, one_chunk, text_array, to_numpy
from rnncast.errors import DataError, NothingNewError
from rnncast.evaluation.ledger_files import read_columns
from rnncast.evaluation.ledger_stamps import Stamps, read_stamps
from rnncast.forecasting.result import METHOD, Forecast
from rnncast.records import dataclass

if TYPE_CHECKING:
    from rnncast.evaluation.ledger import Layout


@dataclass(frozen=True)
class Held:
    """Rows of one model in a ledger.

    Attributes
    ----------
    ids : tuple of str (S,)
        Names of the series; one empty name in a ledger of one series.
    series : int64 (H,)
        Place of each row's series in `ids`.
    cutoffs : int64 (H,)
        Microseconds or steps.
    steps : int64 (H,)
        Rows ahead.
    points : float64 (H,)
        Point forecasts.
    """

    ids: tuple[str, ...]
    series: NDArray[np.int64]
    cutoffs: NDArray[np.int64]
    steps: NDArray[np.int64]
    points: NDArray[np.float64]


def rows_held(path: str, layout: Layout, issued: Forecast, model: str) -> Held:
    """Read the rows of a model; DataError for stamps of another kind than those of the forecast."""
    import pyarrow.compute as pc

    cutoff, step, of_model, method = (layout.name(name) for name in ("cutoff", "step", "model", METHOD))
    types = {cutoff: None, of_model: None, step: "int64", method: "double"}
    columns = read_columns(path, types if layout.id is None else {**types, layout.id: None})
    stamps = read_stamps(columns[cutoff], path)
    _check_kind(path, stamps, issued)
    own = np.flatnonzero(mask_to_numpy(pc.is_in(columns[of_model], text_array([model]))))  # (H,)
    ids: tuple[str, ...] = ("",)
    series = np.zeros(len(own), dtype=np.int64)  # (H,)
    if layout.id is not None:
        encoded = one_chunk(pc.dictionary_encode(columns[layout.id], null_encoding="encode"))
        ids = tuple(map(str, encoded.dictionary.to_pylist()))
        series = to_numpy(encoded.indices, "i4")[own].astype(np.int64)
    steps, points = to_numpy(columns[step], "i8")[own], to_numpy(columns[method], "f8")[own]
    return Held(ids, series, stamps.values.view(np.int64)[own], steps, points)


def new_rows(held: Held, issued: Forecast) -> tuple[NDArray[np.bool_], int]:
    """Which rows (N,) of a forecast are not held yet, and how many of the others are held with another point."""
    cutoffs = issued.cutoffs.view(np.int64)  # (N,)
    near = np.flatnonzero(np.isin(held.cutoffs, cutoffs))
    names = (held.ids[s] for s in held.series[near].tolist())
    keys = zip(names, held.cutoffs[near].tolist(), held.steps[near].tolist(), strict=True)
    known = dict(zip(keys, held.points[near].tolist(), strict=True))
    asked = list(zip(_names(issued), cutoffs.tolist(), issued.steps.tolist(), strict=True))
    is_new = np.array([key not in known for key in asked])
    changed = sum(key in known and known[key] != point for key, point in zip(asked, issued.point.tolist(), strict=True))
    return is_new, changed


def check_news(path: str, held: Held, issued: Forecast) -> None:
    """NothingNewError unless some series has a later cutoff than the last one held of it, or is not held at all."""
    last = np.full(len(held.ids), np.iinfo(np.int64).min)  # (S,)
    np.maximum.at(last, held.series, held.cutoffs)
    known = {held.ids[s]: int(last[s]) for s in np.unique(held.series)}
    cutoffs = issued.cutoffs.view(np.int64).tolist()
    names = _names(issued)
    if any(name not in known or cutoff > known[name] for name, cutoff in zip(names, cutoffs, strict=True)):
        return
    before = max(known[name] for name in names)
    ends = f"; the rows end at {_stamp(max(cutoffs), issued)}" if max(cutoffs) < before else ""
    raise NothingNewError(
        f"nothing new since the forecast of {_stamp(before, issued)} by this model{ends}",
        where=path,
        hint="try again when rows have come",
    )


def _names(issued: Forecast) -> list[str]:
    """Series of each row (N,), as `Held.ids` has them."""
    return [issued.ids[s] if issued.columns.id is not None else "" for s in issued.series]


def _stamp(value: int, issued: Forecast) -> str:
    return format_stamp(np.int64(value).view(issued.cutoffs.dtype), issued.zone)


def _check_kind(path: str, stamps: Stamps, issued: Forecast) -> None:
    """DataError for a ledger of dates and a forecast of steps, or of stamps with a zone and without."""
    own = Stamps(issued.cutoffs, is_dated=issued.cutoffs.dtype.kind == "M", is_zoned=issued.zone is not None)
    if len(stamps.values) and own.kind != stamps.kind:
        raise DataError(
            f"the ledger holds {stamps.kind}, the forecast {own.kind}",
            where=path,
            hint="append to another ledger",
        )
