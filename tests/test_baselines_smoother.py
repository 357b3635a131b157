"""Smoothing over a grid: the kernel and NumPy give the same bytes, and neither knows of neighbours or of later rows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncast.baselines import smoother
from rnncast.baselines.holt_winters import GRID
from rnncast.baselines.smoother import State, smooth
from rnncast.baselines.smoothing import DAMPED, SIMPLE
from rnncast.core.smoothing import MOST_POINTS, new_workspaces, smooth_histories

every_grid = pytest.mark.parametrize("grid", [SIMPLE, DAMPED, GRID], ids=["levels", "trends", "seasons"])
NAMES = ("level", "trend", "damping", "season")


def as_bytes(state: State) -> list[bytes]:
    return [getattr(state, name).tobytes() for name in NAMES]


@every_grid
@given(seed=st.integers(0, 2**32), rows=st.integers(1, 60), histories=st.integers(1, 20), places=st.integers(0, 9))
def test_the_kernel_gives_the_bytes_of_numpy(grid, seed, rows, histories, places) -> None:
    rng = np.random.default_rng(seed)
    given_rows = np.cumsum(rng.standard_normal((rows, histories)), axis=0).round(rng.integers(0, 12))
    valid = rng.integers(1, rows + 1, histories)
    level, trend = rng.standard_normal((2, histories))
    backs = rng.integers(0, valid, (3, histories))
    season = rng.standard_normal((places, histories)) if places else None
    ways = [
        smooth(given_rows, valid, grid, level, trend, season=season, backs=backs, kernel=way) for way in (False, True)
    ]
    assert as_bytes(ways[0]) == as_bytes(ways[1])
    assert ways[0].level.shape == (3, histories)
    assert ways[0].season.shape == (places, histories)


@every_grid
@pytest.mark.parametrize("kernel", [False, True], ids=["numpy", "kernel"])
def test_what_is_found_at_a_row_is_what_the_rows_up_to_it_give(rng: np.random.Generator, grid, kernel: bool) -> None:
    rows, valid = np.cumsum(rng.standard_normal((80, 7)), axis=0), rng.integers(40, 81, 7)
    backs = np.array([[0] * 7, range(3, 10)])
    whole = smooth(rows, valid, grid, rows[0], backs=backs, kernel=kernel)
    for column, back in enumerate(backs[1]):
        own = rows[: 80 - back, column : column + 1]
        count = valid[column : column + 1] - back
        alone = smooth(own, count, grid, rows[0, column], kernel=kernel)
        for name in NAMES[:3]:
            assert getattr(whole, name)[1, column] == getattr(alone, name)[0, 0]


def test_parts_of_numpy_are_put_together(rng: np.random.Generator) -> None:
    count = 2 * smoother.HISTORIES + 3
    rows, valid = rng.standard_normal((30, count)), rng.integers(1, 31, count)
    season, backs = rng.standard_normal((4, count)), np.zeros((2, count), dtype=np.int64)
    ways = [smooth(rows, valid, GRID, 0.0, season=season, backs=backs, kernel=way) for way in (False, True)]
    assert as_bytes(ways[0]) == as_bytes(ways[1])


@pytest.mark.parametrize("loaded", [False, True])
def test_the_kernel_does_it_where_numba_is_loaded(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, loaded: bool
) -> None:
    asked = []
    monkeypatch.setattr(smoother, "_by_kernel", lambda *arguments: asked.append(arguments))
    monkeypatch.setattr(smoother, "sys", SimpleNamespace(modules={"numba": None} if loaded else {}))
    smooth(rng.standard_normal((50, 8)), np.full(8, 50), SIMPLE, 0.0)
    assert len(asked) == loaded


def test_arrays_of_any_kind_have_one_compiled_kernel(rng: np.random.Generator) -> None:
    """Turned, taken apart, not to be written to, of another type: nothing of it is compiled for anew."""
    rows = np.asfortranarray(rng.standard_normal((60, 9)))
    rows.flags.writeable = False
    valid = np.arange(20, 56, 4, dtype=np.int32)
    ways = [
        smooth(rows[::2], valid // 2, GRID, 0.0, season=rng.standard_normal((9, 4)).T * 0, kernel=way)
        for way in (False, True)
    ]
    assert as_bytes(ways[0]) == as_bytes(ways[1])
    assert len(smooth_histories.signatures) == 1


def test_no_history_at_all() -> None:
    for way in (False, True):
        assert smooth(np.zeros((5, 0)), np.zeros(0, np.int64), SIMPLE, 0.0, kernel=way).level.shape == (1, 0)


@pytest.mark.parametrize("points", [0, MOST_POINTS + 1])
def test_a_grid_that_the_workspace_cannot_hold_is_refused(points: int) -> None:
    with pytest.raises(ValueError, match=f"1 to {MOST_POINTS} points"):
        new_workspaces(points, 0)
