"""Folds of a backtest: a training each, side by side on the cores, and the origins that are forecast with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from rnncast.core.shape import LSTM, Shape, parameter_count
from rnncast.core.threads import Team, threads
from rnncast.data.panel import Panel
from rnncast.evaluation.methods import Terms
from rnncast.evaluation.origins import Origins
from rnncast.model.model import Model
from rnncast.records import dataclass

if TYPE_CHECKING:
    from rnncast.training.search import OnEpoch

AT_ONCE = 2048
"""Pairs of an origin and a series that are forecast at once, about."""


@dataclass(frozen=True)
class Fitted:
    """What forecasts the origins of a fold.

    Attributes
    ----------
    model : Model
        Trained on rows up to the first of them at most.
    record : mapping
        What was trained when, as JSON values; empty for a model that was there before.
    notes : tuple of str
        What was chosen, left out or met.
    """

    model: Model
    record: Mapping[str, Any]
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """Where the models of a backtest come from."""

    @property
    def refit(self) -> int:
        """Origins that a model serves; 0 for all of them."""

    def terms(self, panel: Panel) -> Terms:
        """What is asked of each forecast."""

    def fit(self, panel: Panel, origins: Origins, origin: int, on_epoch: OnEpoch) -> Fitted:
        """The model of the fold that begins with an origin, from rows up to it."""


@dataclass(frozen=True)
class Trained:
    """A model that is there, and serves all origins."""

    model: Model
    asked: Terms
    refit: int = 0

    def terms(self, panel: Panel) -> Terms:
        """What is asked of each forecast."""
        return self.asked

    def fit(self, panel: Panel, origins: Origins, origin: int, on_epoch: OnEpoch) -> Fitted:
        """The model."""
        return Fitted(self.model, {})


class Block(NamedTuple):
    """Origins ``first`` to ``stop - 1``, that are forecast together."""

    first: int
    stop: int


def folds_of(origins: Origins, refit: int) -> list[list[Block]]:
    """The blocks of each fold.

    A block also ends with the origin that an audit issues again, so that nothing after it went through the network with
    it.
    """
    count = max(1, AT_ONCE // origins.ends.shape[1])
    audited = audited_origin(origins)
    folds = []
    for first in range(0, len(origins), refit or len(origins)):
        stop = min(first + (refit or len(origins)), len(origins))
        borders = sorted({*range(first, stop, count), stop, min(max(audited + 1, first), stop)})
        folds.append([Block(*pair) for pair in zip(borders, borders[1:], strict=False)])
    return folds


def audited_origin(origins: Origins) -> int:
    """The origin in the middle of those with something to score."""
    scored = np.flatnonzero(origins.steps.any(axis=1))
    return int(scored[len(scored) // 2]) if len(scored) else 0


def fitted_folds(
    source: Source, panel: Panel, origins: Origins, firsts: Sequence[int], on_epoch: OnEpoch
) -> Generator[Fitted]:
    """The models of the folds that begin with the origins `firsts`, in their order.

    As many are trained side by side as there are threads, each with its share of them; results are the same, to the
    last bit, for any number. Close the iterator if it is left early: what still runs is then abandoned.
    """
    workers = min(threads(), len(firsts))
    if workers <= 1:
        for first in firsts:
            yield source.fit(panel, origins, first, on_epoch)
        return
    _load_kernels()
    jobs = [partial(source.fit, panel, origins, first, lambda report: None) for first in firsts]
    with Team(workers) as team:
        yield from _in_order(team, jobs, 2 * workers)


def _in_order(team: Team, jobs: Sequence[Callable[[], Fitted]], ahead: int) -> Iterator[Fitted]:
    """Results of the jobs in their order; not more than `ahead` are kept waiting, so that memory is bounded."""
    waiting: deque[Future[Fitted]] = deque()
    for job in jobs:
        waiting.append(team.submit(job))
        if len(waiting) == ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _load_kernels() -> None:
    """Compile the kernels, or load them, in this thread, where signals are heard."""
    from rnncast.core.engine import Engine

    shape = Shape(LSTM, input_size=1, hidden_size=1, layers=1, outputs=1)
    Engine(shape, 1, 2).forward(np.zeros(parameter_count(shape), np.float32), np.zeros((1, 1, 2), np.float32))
