"""A forecast as a long table: one row a series, cutoff and step.

Dimension letters: `N` rows, `Q` quantiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.panel import Columns
from rnncast.data.write import named_once
from rnncast.records import dataclass

METHOD = "rnncast"
"""Name of the point forecast's column, and prefix of the interval columns."""

NETWORK = "network"
"""What the network says by itself, before it is blended with a simple baseline."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """Point forecast and quantiles.

    Attributes
    ----------
    ids : tuple of str
        Names of the series.
    series : int64 (N,)
        Index into `ids`.
    times, cutoffs : datetime64[us] or int64 (N,)
        Stamp forecast, and stamp of the last row that was used.
    steps : int64 (N,)
        Steps ahead, from 1.
    point : float64 (N,)
        What is issued: the network blended with a simple baseline. The median; for a model trained with ``mse`` the
        mean, of logarithms where a series is positive.
    network : float64 (N,)
        What the network alone says.
    quantile_levels : float64 (Q,)
        Ascending; empty for a model without quantiles.
    quantiles : float64 (N, Q)
        Never crossing.
    columns : Columns
        Names of the input's columns.
    last_values : float64 (N,)
        The target at the cutoff.
    trained_horizon : int
        Steps that the network forecasts at once; intervals of later steps are extrapolated, not calibrated.
    zone : str or None
        Zone in which stamps are written; `times` and `cutoffs` are then in UTC.
    """

    ids: tuple[str, ...]
    series: NDArray[np.int64]
    times: NDArray[Any]
    cutoffs: NDArray[Any]
    steps: NDArray[np.int64]
    point: NDArray[np.float64]
    network: NDArray[np.float64]
    quantile_levels: NDArray[np.float64]
    quantiles: NDArray[np.float64]
    columns: Columns
    last_values: NDArray[np.float64]
    trained_horizon: int
    zone: str | None = None

    def table(
        self, *, levels: Sequence[float] | None = None, quantiles: Sequence[float] | None = None
    ) -> dict[str, NDArray[Any]]:
        """Columns by name, in the order of the output.

        Parameters
        ----------
        levels
            Central intervals in per cent: ``rnncast-lo-90`` and ``rnncast-hi-90`` for 90.
        quantiles
            Levels between 0 and 1: ``rnncast_ql0.1`` for 0.1.
        """
        named: list[tuple[str, NDArray[Any]]] = []
        if self.columns.id is not None:
            named.append((self.columns.id, np.array(self.ids, dtype=object)[self.series]))
        named += [(self.columns.time, self.times), (METHOD, self.point)]
        for level in levels or ():
            tail = (100.0 - level) / 200.0
            named.append((f"{METHOD}-lo-{level:.12g}", self.quantiles[:, self._column(tail)]))
            named.append((f"{METHOD}-hi-{level:.12g}", self.quantiles[:, self._column(1.0 - tail)]))
        for quantile in quantiles or ():
            named.append((f"{METHOD}_ql{quantile:.12g}", self.quantiles[:, self._column(quantile)]))
        return named_once(named)

    def _column(self, quantile: float) -> int:
        column = int(np.argmin(np.abs(self.quantile_levels - quantile)))
        if abs(self.quantile_levels[column] - quantile) > 1e-9:
            raise KeyError(f"quantile {quantile} was not forecast; there are {self.quantile_levels.tolist()}")
        return column
