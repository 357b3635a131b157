"""The methods of a backtest: what the model says by its names, and the simple baselines beside it.

Dimension letters: `P` forecasts (one of a series from an origin each), `K` horizon steps, `Q` quantiles, `n` rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncast.evaluation.baselines import simple_baselines
from rnncast.forecasting.result import METHOD, Forecast

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
    series = len(issued.ids)
    point = issued.point.reshape(series, terms.reach)
    quantiles = issued.quantiles.reshape(series, terms.reach, len(terms.levels))
    return {METHOD: MethodForecasts(point[:, terms.gap :], quantiles[:, terms.gap :])}


def baseline_methods(histories: Sequence[Floats], terms: Terms) -> Methods:
    """The simple baselines from histories (n,) of P series up to one origin."""
    levels = np.array(terms.levels)  # (Q,)
    issued = [simple_baselines(history, terms.reach, terms.season_length, levels) for history in histories]
    return {
        name: MethodForecasts(
            np.stack([one[name].point[terms.gap :] for one in issued]),
            np.stack([one[name].quantiles[terms.gap :] for one in issued]),
        )
        for name in issued[0]
    }
