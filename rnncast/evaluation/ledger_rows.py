"""The rows of a ledger as arrays, and which of them count where several models forecast the same thing.

Dimension letters: `N` rows, `S` series, `M` models, `Q` quantiles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.reading.arrow import nulls, one_chunk, to_numpy
from rnncast.errors import DataError, UsageError
from rnncast.evaluation.ledger import layout_of
from rnncast.evaluation.ledger_files import read_columns
from rnncast.evaluation.ledger_stamps import Stamps, read_stamps
from rnncast.forecasting.result import METHOD
from rnncast.records import dataclass

Floats = NDArray[np.float64]

_BOUND = re.compile(rf"{METHOD}(?:-(lo|hi)-|_(ql))([0-9.]+)_*")


@dataclass(frozen=True)
class LedgerRows:
    """Rows of a ledger, in the order in which they were issued.

    Attributes
    ----------
    id, time : str
        Names of the id column (None for one series) and of the time column.
    ids : tuple of str (S,)
        Names of the series; one empty name without an id column.
    series : int64 (N,)
        Position in `ids`.
    times, cutoffs : datetime64[us] or int64 (N,)
        Stamp forecast, and stamp of the last row that was used.
    kind : str
        What those stamps are, as `Stamps.kind` says it.
    steps : int64 (N,)
        Rows ahead, from 1.
    made_at : datetime64[us] (N,)
        When the forecast was made, in UTC.
    models : tuple of str (M,)
        Fingerprints, in the order of their first rows.
    model : int64 (N,)
        Position in `models`.
    last_values, point : float64 (N,)
        The target at the cutoff as it was known, and the forecast.
    quantile_levels : float64 (Q,)
        Probabilities of all quantiles that any row has, ascending; the median, which is the point, is one of them.
    quantiles : float64 (N, Q)
        NaN where a row has none.
    """

    id: str | None
    time: str
    ids: tuple[str, ...]
    series: NDArray[np.int64]
    times: NDArray[Any]
    cutoffs: NDArray[Any]
    kind: str
    steps: NDArray[np.int64]
    made_at: NDArray[Any]
    models: tuple[str, ...]
    model: NDArray[np.int64]
    last_values: Floats
    point: Floats
    quantile_levels: Floats
    quantiles: Floats

    def __len__(self) -> int:
        return len(self.point)

    @property
    def is_dated(self) -> bool:
        """Whether its stamps are dates rather than integer steps."""
        return self.cutoffs.dtype.kind == "M"

    def take(self, chosen: NDArray[Any]) -> LedgerRows:
        """The rows chosen by a mask or by positions."""
        names = ("series", "times", "cutoffs", "steps", "made_at", "model", "last_values", "point", "quantiles")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})


def read_ledger(path: str) -> LedgerRows:
    """Read a ledger; DataError for a file that is none, or holds no row."""
    layout = layout_of(path)
    bounds = {name: match for name in layout.further if (match := _BOUND.fullmatch(name))}
    numbers: dict[str, str | None] = dict.fromkeys((layout.name("last_value"), layout.name(METHOD), *bounds), "double")
    texts = (layout.time, *(layout.name(fixed) for fixed in ("cutoff", "made_at", "model")))
    texts += () if layout.id is None else (layout.id,)
    columns = read_columns(path, {**dict.fromkeys(texts), layout.name("step"): "int64", **numbers})
    times, cutoffs, made_at = (read_stamps(columns[name], path) for name in texts[:3])
    rows = len(columns[layout.time])
    if rows == 0:
        raise DataError("the ledger holds no row", where=path, hint=f"add one: rnncast forecast MODEL --append {path}")
    _check_stamps(times, cutoffs, made_at, path)
    floats = {name: _floats(columns[name]) for name in numbers}
    if not np.isfinite(floats[layout.name(METHOD)]).all():
        raise DataError(f"the ledger has rows without a number under {layout.name(METHOD)!r}", where=path)
    ids, series = (("",), np.zeros(rows, np.int64)) if layout.id is None else _names(columns[layout.id])
    models, model = _names(columns[layout.name("model")])
    levels, quantiles = _quantiles(floats, bounds, floats[layout.name(METHOD)])
    return LedgerRows(
        id=layout.id,
        time=layout.time,
        ids=ids,
        series=series,
        times=times.values,
        cutoffs=cutoffs.values,
        kind=times.kind,
        steps=to_numpy(columns[layout.name("step")], "i8"),
        made_at=made_at.values,
        models=models,
        model=model,
        last_values=floats[layout.name("last_value")],
        point=floats[layout.name(METHOD)],
        quantile_levels=levels,
        quantiles=quantiles,
    )


def of_model(ledger: LedgerRows, fingerprint: str) -> LedgerRows:
    """The rows of one model, named by its fingerprint or the beginning of it; UsageError if there is not just one."""
    found = [place for place, name in enumerate(ledger.models) if name.startswith(fingerprint)]
    if len(found) != 1 or not fingerprint:
        some = ", ".join(ledger.models[:5]) + (" ..." if len(ledger.models) > 5 else "")
        raise UsageError(
            f"{len(found) or 'no'} models of the ledger have a fingerprint that begins with {fingerprint!r}",
            hint=f"there {'is' if len(ledger.models) == 1 else 'are'} {some}",
        )
    return ledger.take(np.flatnonzero(ledger.model == found[0]))


def first_issued(ledger: LedgerRows) -> LedgerRows:
    """Of several forecasts of one series, cutoff and step, by several models, the one that was made first.

    A later one may have been made when the outcome was known, by a model that was trained on it.
    """
    order = np.lexsort(  # of those made in one second the first in the ledger: the sort is stable
        (ledger.made_at, ledger.steps, ledger.cutoffs, ledger.series)
    )
    keys = np.stack([array[order].view(np.int64) for array in (ledger.series, ledger.cutoffs, ledger.steps)])  # (3, N)
    is_again = (keys[:, 1:] == keys[:, :-1]).all(axis=0)  # (N - 1,)
    return ledger.take(np.sort(np.delete(order, 1 + np.flatnonzero(is_again))))


def with_levels(ledger: LedgerRows, levels: Sequence[float]) -> LedgerRows:
    """The quantiles of these intervals (Q,) alone, and the rows that have all of them; UsageError if none has one."""
    known = ledger.quantile_levels
    wanted = sorted({0.5, *(tail for level in levels for tail in _tails(level))})
    places = [int(np.argmin(np.abs(known - tau))) if len(known) else -1 for tau in wanted]
    missing = [tau for tau, place in zip(wanted, places, strict=True) if place < 0 or abs(known[place] - tau) > 1e-9]
    if missing:
        central = [f"{100 - 200 * tau:.12g}" for tau in known[known < 0.5][::-1]]
        raise UsageError(
            f"no forecast of the ledger has the interval of {abs(100 - 200 * missing[0]):.12g} %",
            hint=f"it has {', '.join(central)}" if central else "it has no intervals: leave out --level",
        )
    narrowed = replace(ledger, quantile_levels=known[places], quantiles=ledger.quantiles[:, places])
    whole = np.flatnonzero(np.isfinite(narrowed.quantiles).all(axis=1))
    if not len(whole):
        raise UsageError("no forecast of the ledger has all of the intervals asked for", hint="ask for one --level")
    return narrowed.take(whole)


def _tails(level: float) -> tuple[float, float]:
    tail = round((100.0 - level) / 200.0, 12)
    return tail, round(1.0 - tail, 12)


def _check_stamps(times: Stamps, cutoffs: Stamps, made_at: Stamps, path: str) -> None:
    found = f"its times are {times.kind}, its cutoffs {cutoffs.kind}, and it was made at {made_at.kind}"
    if times.kind != cutoffs.kind or not made_at.is_dated:
        raise DataError(f"the ledger is damaged: {found}", where=path, hint="restore the ledger from a copy")


def _floats(column: Any) -> Floats:
    """Numbers (N,), NaN where there is none."""
    values, absent = to_numpy(column, "f8"), nulls(column)
    return values if absent is None else np.where(absent, np.nan, values)


def _names(column: Any) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Distinct names in the order of their first rows, and the number of each row's (N,)."""
    import pyarrow.compute as pc

    encoded = one_chunk(pc.dictionary_encode(column))
    return tuple(str(name) for name in encoded.dictionary.to_pylist()), to_numpy(encoded.indices, "i4").astype(np.int64)


def _quantiles(
    floats: Mapping[str, Floats], bounds: Mapping[str, re.Match[str]], point: Floats
) -> tuple[Floats, Floats]:
    """Probabilities (Q,), and quantiles (N, Q), of all columns of bounds; the median is the point."""
    found: dict[float, Floats] = {}
    for name, match in bounds.items():
        side, _, number = match.groups()
        low, high = _tails(float(number)) if side else (float(number), float(number))
        tau = high if side == "hi" else low
        if 0 < tau < 1:
            own = floats[name]
            found[tau] = own if tau not in found else np.where(np.isnan(found[tau]), own, found[tau])
    if found:
        has_any = np.logical_or.reduce([np.isfinite(values) for values in found.values()])  # (N,)
        found[0.5] = np.where(has_any, point, np.nan)
    taus = sorted(found)
    return np.array(taus), np.stack([found[tau] for tau in taus], axis=1) if taus else np.empty((len(point), 0))
