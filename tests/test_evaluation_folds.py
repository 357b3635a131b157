"""Folds: which origins a training serves; side by side they give the same bytes."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panels import make_panel, random_walk

from rnncast.core.threads import set_threads, threads
from rnncast.evaluation import folds
from rnncast.evaluation.backtest import evaluate_panel
from rnncast.evaluation.folds import AT_ONCE, Fitted, audited_origin, fitted_folds, folds_of
from rnncast.evaluation.origins import Origins, Plan
from rnncast.training.defaults import TrainOptions

OPTIONS = TrainOptions(cell="gru", hidden_size=4, members=2, max_epochs=2, horizon=5)


@pytest.fixture(autouse=True)
def _no_threads_asked():
    yield
    set_threads(None)


def make_origins(count, series):
    return Origins(np.zeros((count, series), np.int64), np.ones((count, series), np.int64))


@given(count=st.integers(1, 60), series=st.sampled_from([1, 100, 700, 5000]), refit=st.integers(0, 7))
def test_blocks_are_all_origins_once_and_end_with_the_one_that_is_audited(count, series, refit):
    origins = make_origins(count, series)
    got = folds_of(origins, refit)
    blocks = [block for fold in got for block in fold]
    assert [origin for block in blocks for origin in range(*block)] == list(range(count))
    assert [fold[0].first for fold in got] == list(range(0, count, refit or count))
    assert audited_origin(origins) + 1 in [block.stop for block in blocks]
    assert all(block.stop - block.first == 1 or (block.stop - block.first) * series <= AT_ONCE for block in blocks)


@pytest.mark.parametrize("stateful", [False, True], ids=["windows", "stateful"])
@pytest.mark.parametrize("refit", [1, 2, 0])
def test_any_number_of_threads_gives_the_same_bytes(rng, refit, stateful):
    panel = make_panel({"a": random_walk(rng, 240), "b": 10 + rng.standard_normal(240)})
    runs = []
    for count in (1, 2, 3):
        set_threads(count)
        options = replace(OPTIONS, stateful=stateful)
        runs.append(evaluate_panel(panel, options, Plan(n_windows=4, step_size=8, refit=refit)))
    for run in runs[1:]:
        for name, point in runs[0].backtest.points.items():
            assert run.backtest.points[name].tobytes() == point.tobytes(), name
        for name, quantiles in runs[0].backtest.quantiles.items():
            assert run.backtest.quantiles[name].tobytes() == quantiles.tobytes(), name
        assert (run.notes, run.trainings) == (runs[0].notes, runs[0].trainings)


class Meeting:
    """A source whose trainings end only when two of them are under way at once."""

    refit = 1

    def __init__(self):
        self.barrier = threading.Barrier(2, timeout=10)
        self.shares, self.names = [], set()

    def fit(self, panel, origins, origin, on_epoch):
        self.shares.append(threads())
        self.names.add(threading.current_thread().name)
        self.barrier.wait()
        return Fitted(None, {"origin": origin})


def test_as_many_are_trained_at_once_as_there_are_threads(monkeypatch):
    monkeypatch.setattr(folds, "_load_kernels", lambda: None)
    set_threads(2)
    source = Meeting()
    got = list(fitted_folds(source, None, None, range(6), lambda report: None))
    assert [fitted.record["origin"] for fitted in got] == list(range(6))
    assert (source.shares, len(source.names)) == ([1] * 6, 2)


def test_models_that_nobody_has_taken_yet_are_few(monkeypatch):
    """Memory is bounded by the number of threads, not of folds."""
    monkeypatch.setattr(folds, "_load_kernels", lambda: None)
    set_threads(2)
    begun = []

    class Quick:
        def fit(self, panel, origins, origin, on_epoch):
            begun.append(origin)
            return Fitted(None, {})

    taken = fitted_folds(Quick(), None, None, range(100), lambda report: None)
    for _ in range(3):
        next(taken)
    assert len(begun) <= 3 + 2 * 2
    taken.close()
    assert len(begun) <= 3 + 2 * 2
