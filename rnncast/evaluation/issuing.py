"""Forecasts at origins: many series and origins go through the network together, and no row after an origin is there.

A forecast of a series from an origin is that of a series which ends there. So the pairs of a few origins make a panel
of their own, of the last rows that a forecast reads; only a stateful model, whose state has to be carried on, goes from
origin to origin.

Dimension letters: `P` pairs of an origin and a series, `S` series, `R` rows of all series, `K` horizon steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.volatility import relative_volatility
from rnncast.data.panel import Panel
from rnncast.evaluation.methods import Baselines, MethodForecasts, Methods, Terms, model_methods
from rnncast.evaluation.metrics import absolute_scale, squared_scale
from rnncast.evaluation.origins import Origins, Pairs
from rnncast.forecasting.carrying import carried_on
from rnncast.forecasting.predict import forecast
from rnncast.model.model import History, Model
from rnncast.records import dataclass

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Issued:
    """What is said at origins, and what it is scored against beside what comes.

    Attributes
    ----------
    methods : Mapping of str to MethodForecasts
        Forecasts (P, K) of every method.
    scale_absolute, scale_squared, volatility : float64 (P,)
        `absolute_scale`, `squared_scale` and `relative_volatility` of each history up to its origin.
    """

    methods: Methods
    scale_absolute: Floats
    scale_squared: Floats
    volatility: Floats


class Forecaster:
    """A trained model that forecasts from one origin after the other.

    Parameters
    ----------
    model
        Trained on rows up to the first of the origins, or earlier ones.
    panel, origins
        All rows, and the origins.
    terms
        What is asked of each forecast.
    baselines
        What stands beside the model.

    Attributes
    ----------
    notes : dict of str
        What is to be said of series whose state does not go on from the model's.
    """

    def __init__(self, model: Model, panel: Panel, origins: Origins, terms: Terms, baselines: Baselines) -> None:
        self._model, self._panel, self._origins, self._terms = model, panel, origins, terms
        self._baselines = baselines
        self._unfit = _first_without_logarithm(panel)
        self.notes: dict[str, None] = {}

    def carry(self, origin: int) -> None:
        """Let the state of a stateful model go on to an origin; each has to be passed in its turn."""
        if self._model.network.stateful:
            shown = self._panel.keep(self._origins.visible(origin, self._panel))
            self._model, said = carried_on(self._model, shown)
            self.notes.update(dict.fromkeys(said))

    def issue(self, first: int, stop: int, on_origin: Callable[[int], None] = lambda done: None) -> Issued:
        """Forecasts of all methods at the origins ``first`` to ``stop - 1``, which come after those passed before.

        `on_origin` is called with the number of origins of the backtest that are done.
        """
        pairs, panel = self._origins.pairs(first, stop), self._panel
        histories = [panel.target[panel.indptr[s] : end] for s, end in zip(pairs.series, pairs.ends, strict=True)]
        borders = np.searchsorted(pairs.origin, np.arange(first, stop + 1)).tolist()  # pairs before each origin
        stateful = self._model.network.stateful
        own = [self._of_model(self._tails(pairs))] if len(pairs) and not stateful else []
        simple: list[Methods] = []
        for origin, begin, end in zip(range(first, stop), borders, borders[1:], strict=False):
            self.carry(origin)
            if begin < end:
                if stateful:
                    own.append(self._of_model(self._carried(origin, pairs.series[begin:end])))
                simple.append(self._baselines.at(origin))
            on_origin(origin + 1)
        season = self._terms.season_length
        return Issued(
            methods={**_joined(own), **_joined(simple)},
            scale_absolute=np.array([absolute_scale(history, season) for history in histories]),
            scale_squared=np.array([squared_scale(history, season) for history in histories]),
            volatility=np.array([relative_volatility(history) for history in histories]),
        )

    def _of_model(self, history: History) -> Methods:
        """What the model says from the ends of the series of a history."""
        model = replace(self._model, history=history)
        return model_methods(forecast(model, None, self._terms.reach, self._terms.levels), self._terms)

    def _tails(self, pairs: Pairs) -> History:
        """Rows before the end of each pair, as many as the model reads; in logarithms if all before are positive."""
        panel = self._panel
        lengths = np.minimum(pairs.ends - panel.indptr[pairs.series], self._model.network.context_rows)  # (P,)
        indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)  # (P + 1,)
        rows = np.arange(indptr[-1]) + np.repeat(pairs.ends - indptr[1:], lengths)  # (R,)
        tails = replace(
            panel,
            ids=tuple(panel.ids[s] for s in pairs.series),
            indptr=indptr,
            times=panel.times[rows],
            values=panel.values[rows],
        )
        return History(tails, pairs.ends <= self._unfit[pairs.series])

    def _carried(self, origin: int, series: NDArray[np.int64]) -> History:
        """What the stateful model keeps of some of the series that are shown at an origin, which it has come to."""
        history = self._model.history
        assert history is not None and history.states is not None  # it has been carried on
        shown = np.flatnonzero(self._origins.ends[origin] > self._panel.indptr[:-1])
        places = np.searchsorted(shown, series)  # (P,)
        rows = np.isin(np.repeat(np.arange(len(shown)), history.panel.lengths), places)  # (R,)
        return History(history.panel.keep(rows), history.logarithmic[places], history.states[..., places])


def _first_without_logarithm(panel: Panel) -> NDArray[np.int64]:
    """First row of each series (S,) that has no logarithm; the row after the panel's last one where there is none."""
    unfit = np.append(np.flatnonzero(panel.target < np.finfo(np.float64).tiny), len(panel.times))
    first = unfit[np.searchsorted(unfit, panel.indptr[:-1])]  # (S,)
    return np.where(first < panel.indptr[1:], first, len(panel.times))


def _joined(parts: Sequence[Methods]) -> dict[str, MethodForecasts]:
    """Forecasts of the same methods, one part behind the other."""

    def joined(arrays: list[Floats | None]) -> Floats | None:
        known = [array for array in arrays if array is not None]
        return np.concatenate(known) if known else None

    return {
        name: MethodForecasts(
            joined([part[name].point for part in parts]), joined([part[name].quantiles for part in parts])
        )
        for name in (parts[0] if parts else ())
    }
