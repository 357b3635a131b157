"""The methods of a backtest: what the model says by its names, and the baselines beside it.

Dimension letters: `P` forecasts (one of a series from an origin each), `K` horizon steps, `Q` quantiles.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.garch_intervals import REFIT_EVERY
from rnncast.data.panel import Panel
from rnncast.evaluation.origin_baselines import OriginBaselines
from rnncast.evaluation.origins import Origins
from rnncast.forecasting.result import METHOD, NETWORK, Forecast
from rnncast.records import dataclass

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Terms:
    """What is asked of each forecast of a backtest.

    Attributes
    ----------
    horizon, gap : int
        Steps scored (K), and steps before them that are not.
    season_length : int
        Rows of a season; 1 for none.
    levels : tuple of float
        Probabilities of the quantiles (Q,), ascending; empty for none.
    """

    horizon: int
    gap: int
    season_length: int
    levels: tuple[float, ...]

    @property
    def reach(self) -> int:
        """Steps from the last row shown to the last one scored."""
        return self.gap + self.horizon


@dataclass(frozen=True)
class MethodForecasts:
    """Forecasts of one method, at the steps that are scored.

    Attributes
    ----------
    point : float64 (P, K) or None
        None for a method that gives quantiles alone.
    quantiles : float64 (P, K, Q) or None
        None for a method that gives a point alone.
    """

    point: Floats | None
    quantiles: Floats | None


Methods = Mapping[str, MethodForecasts]
"""By name, in the order in which they are shown."""


def model_methods(issued: Forecast, terms: Terms) -> Methods:
    """What a forecast of P series says, by the names of the model's own methods."""
    shape = len(issued.ids), terms.reach
    point, network = issued.point.reshape(shape), issued.network.reshape(shape)  # (P, gap + K) each
    quantiles = issued.quantiles.reshape(*shape, len(terms.levels))
    return {
        METHOD: MethodForecasts(point[:, terms.gap :], quantiles[:, terms.gap :]),
        NETWORK: MethodForecasts(network[:, terms.gap :], None),
    }


class Baselines:
    """The baselines of a backtest, at one origin or another.

    Some keep what they have estimated for the `REFIT_EVERY` origins that follow. They begin anew with every so many
    origins of the backtest, and are led through those before the one that is asked for: so what they say there does not
    depend on where a backtest was stopped, or on which origins were asked for before.

    Parameters
    ----------
    panel, origins, terms
        All rows, the origins, and what is asked of each forecast.
    """

    def __init__(self, panel: Panel, origins: Origins, terms: Terms) -> None:
        self._panel, self._origins, self._terms = panel, origins, terms
        self._next: int | None = None

    def at(self, origin: int) -> Methods:
        """Forecasts of the series that are scored at an origin; it scores at least one."""
        first = origin - origin % REFIT_EVERY
        if self._next != origin or origin == first:
            self._issue = OriginBaselines(self._terms.reach, self._terms.season_length, np.array(self._terms.levels)).at
            for earlier in range(first, origin):
                self._at(earlier)
        self._next = origin + 1
        return self._at(origin)

    def _at(self, origin: int) -> Methods:
        pairs, panel, gap = self._origins.pairs(origin, origin + 1), self._panel, self._terms.gap
        if len(pairs) == 0:
            return {}
        series = pairs.series.tolist()
        histories = [panel.target[panel.indptr[s] : end] for s, end in zip(series, pairs.ends, strict=True)]
        return {
            name: MethodForecasts(
                None if one.point is None else one.point[:, gap:],
                None if one.quantiles is None else one.quantiles[:, gap:],
            )
            for name, one in self._issue(series, histories).items()
        }
