"""The panels of the accuracy benchmark, by name, and how each is split.

A panel is scored at fixed origins: the last `origins` of each series, `step` rows apart, the last one `horizon` rows
before the end. The rows from the first origin on are the reported block. Training sees the rows before the first
origin only; the forecast at an origin sees the rows up to it.

`before=True` cuts the reported block off, and takes as many origins of the rows before it (power: half as many):
settings are chosen there, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PanelSpec:
    """Where the series of a panel stand, and how they are split.

    Attributes
    ----------
    path, column : str
        File below the data folder, and the column to forecast.
    horizon, season : int
        Rows to forecast, and rows of a season in MASE, Naive2 and seasonal naive; 1 for none.
    origins, step : int
        Number of origins, and rows between them.
    kind : str
        "m4", "prices", "power" or "other": what it is set beside.
    only, leave_out : tuple of str
        Series that are taken (all, if empty), and series that are not.
    tail, fewest : int or None
        Rows kept of each series, counted from its end, and rows without which a series is left out.
    fewest_history : int
        Rows that must stand before the first origin; at least two horizons are asked for anyway.
    test : str or None
        File of the rows that follow those of `path` (M4).
    origins_before : int or None
        Origins before the reported block; None for as many as in it, 0 where there are too few rows for any.
    """

    path: str
    column: str
    horizon: int
    season: int
    origins: int
    step: int
    kind: str = "other"
    only: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    tail: int | None = None
    fewest: int = 0
    fewest_history: int = 0
    test: str | None = None
    origins_before: int | None = None

    def block(self, origins: int) -> int:
        """Rows from the first of so many origins to the end."""
        return (origins - 1) * self.step + self.horizon


@dataclass(frozen=True)
class Series:
    """One series; `stamps` are dates or integer steps, with the zone of the file if it has one."""

    name: str
    stamps: pd.Index
    values: Floats


@dataclass(frozen=True)
class Task:
    """One forecast to make: `horizon` rows of a series after its first `end` rows."""

    series: Series
    origin: int
    end: int
    horizon: int

    @property
    def tag(self) -> str:
        """A name of its own."""
        return f"{self.series.name}|{self.origin}"

    @property
    def history(self) -> Floats:
        """Rows up to the origin."""
        return self.series.values[: self.end]

    @property
    def actual(self) -> Floats:
        """What came after it."""
        return self.series.values[self.end : self.end + self.horizon]

    @property
    def stamps_ahead(self) -> pd.Index:
        """Stamps of what came after it."""
        return self.series.stamps[self.end : self.end + self.horizon]


def _m4(group: str, horizon: int, season: int) -> PanelSpec:
    train, test = (f"m4/m4_{group}_{part}.parquet" for part in ("train", "test"))
    return PanelSpec(train, "y", horizon, season, 1, 1, "m4", fewest_history=2 * horizon + 10, test=test)


def _prices(path: str, column: str, horizon: int, **more: object) -> PanelSpec:
    settings: dict[str, object] = {"tail": 1500, "fewest": 700, **more}
    return PanelSpec(f"prices/{path}.parquet", column, horizon, 1, 10, 20, "prices", **settings)  # type: ignore[arg-type]


def _power(country: str) -> PanelSpec:
    return PanelSpec(
        f"prices/electricity_epf_{country}_hourly.parquet", "y", 24, 24, 728, 24, "power", origins_before=364
    )


_PEGGED = ("Venezuela",)  # one constant for years: its scale makes MASE meaningless
_STABLECOIN, _GAS = ("USDT",), ("HENRYHUB",)
_MONTHLY, _DAILY = "nonprice/classic_monthly.parquet", "nonprice/classic_daily.parquet"

PANELS = {
    "m4_hourly": _m4("hourly", 48, 24),
    "m4_weekly": _m4("weekly", 13, 1),
    "m4_daily_sub72": _m4("daily_sub72", 14, 1),
    **{f"stocks_h{h}": _prices("stocks_stocknet88_ohlcv_2012_2017", "adj_close", h) for h in (5, 20)},
    **{f"fx_h{h}": _prices("fx_h10_daily", "y", h, leave_out=_PEGGED) for h in (5, 20)},
    **{
        f"crypto_h{h}": _prices("crypto8_ohlcv_daily_to2018", "close", h, leave_out=_STABLECOIN, tail=None)
        for h in (5, 20)
    },
    **{f"oil_h{h}": _prices("energy_eia_daily_to2018", "y", h, leave_out=_GAS) for h in (5, 20)},
    "power_de": _power("de"),
    "power_fr": _power("fr"),
    "taxi": PanelSpec("nonprice/nyc_taxi_halfhourly_2014_2015.parquet", "y", 48, 48, 28, 48),
    "load": PanelSpec("nonprice/vic_elec_halfhourly_2012_2014.parquet", "y", 48, 48, 84, 48),
    "airline": PanelSpec(_MONTHLY, "y", 12, 12, 25, 1, only=("AirPassengers",), origins_before=0),
    "sunspots": PanelSpec(_MONTHLY, "y", 12, 12, 40, 6, only=("Sunspots",)),
    "temp": PanelSpec(_DAILY, "y", 7, 7, 52, 7, only=("MelbourneMinTemp",)),
    "wiki": PanelSpec(_DAILY, "y", 7, 7, 52, 7, only=("WikiPeytonManningLog",)),
}


def chosen_panels(names: str | None, *, before: bool) -> list[str]:
    """The panels named, or all; ends with a message for one that there is not."""
    there = [name for name, spec in PANELS.items() if not before or spec.origins_before != 0]
    chosen = names.split(",") if names else there
    for name in chosen:
        if name not in there:
            why = "has no rows before the reported ones" if name in PANELS else "is not a panel"
            raise SystemExit(f"{name} {why}; panels: {', '.join(there)}")
    return chosen


def tasks_of(spec: PanelSpec, data: Path, *, before: bool) -> list[Task]:
    """The forecasts to make, origin after origin; those of one origin in the order of the series' names."""
    return split(spec, read_series(spec, data), before=before)


def read_series(spec: PanelSpec, data: Path) -> list[Series]:
    """The series of a panel, whole, ordered by name; rows without a value are left out."""
    parts = [_read(data / spec.path, spec.column)]
    if spec.test is not None:
        parts.append(_read(data / spec.test, spec.column))
    series = []
    for name, rows in parts[0].items():
        if name in spec.leave_out or (spec.only and name not in spec.only):
            continue
        stamps, values = pd.Index(rows["ds"]), rows[spec.column].to_numpy(np.float64)
        if len(parts) == 2:  # its rows are numbered from 1 again
            following = parts[1][name][spec.column].to_numpy(np.float64)
            stamps = stamps.append(pd.Index(stamps[-1] + np.arange(1, len(following) + 1)))
            values = np.concatenate((values, following))
        series.append(Series(name, stamps, values))
    return series


def split(spec: PanelSpec, series: list[Series], *, before: bool) -> list[Task]:
    """The forecasts to make of series that were read."""
    cut = spec.block(spec.origins) if before else 0
    origins = spec.origins_before if before and spec.origins_before is not None else spec.origins
    tasks = []
    for origin in range(origins):
        for one in series:
            if len(one.values) < spec.fewest:
                continue
            kept = _shortened(one, spec.tail, cut)
            first = len(kept.values) - spec.block(origins)
            if first >= max(spec.fewest_history, 2 * spec.horizon):
                tasks.append(Task(kept, origin, first + origin * spec.step, spec.horizon))
    return tasks


def first_tasks(tasks: list[Task]) -> list[Task]:
    """The first task of each series: training may see its history."""
    return [task for task in tasks if task.origin == 0]


def long_frame(tasks: list[Task], names: list[str], most: int | None = None) -> pd.DataFrame:
    """Histories of tasks, at most their last rows, in long layout under the names given."""
    read = [slice(max(0, task.end - most) if most else 0, task.end) for task in tasks]
    stamps = [task.series.stamps[rows] for task, rows in zip(tasks, read, strict=True)]
    return pd.DataFrame(
        {
            "unique_id": np.repeat(names, [len(own) for own in stamps]),
            "ds": stamps[0].append(stamps[1:]),
            "y": np.concatenate([task.series.values[rows] for task, rows in zip(tasks, read, strict=True)]),
        }
    )


def _read(path: Path, column: str) -> dict[str, pd.DataFrame]:
    if not path.exists():
        raise SystemExit(f"there is no {path}")
    frame = pd.read_parquet(path)[["unique_id", "ds", column]].dropna().sort_values(["unique_id", "ds"])
    return {str(name): rows for name, rows in frame.groupby("unique_id", sort=True)}


def _shortened(series: Series, tail: int | None, cut: int) -> Series:
    rows = len(series.values)
    kept = slice(max(0, rows - tail) if tail else 0, rows - cut)
    return Series(series.name, series.stamps[kept], series.values[kept])
