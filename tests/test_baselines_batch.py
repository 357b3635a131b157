"""Paths of many histories at once: against slow twins, other packages, and properties that hold for every history."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnncast.baselines import batch, paths, smoother, smoothing
from rnncast.baselines.seasonality import additive_indices, are_seasonal
from rnncast.baselines.smoother import make_grid, smooth
from rnncast.model.config import NetworkConfig
from rnncast.model.inputs import naive_path

ROOT = Path(__file__).parents[1]
REFERENCE = json.loads((ROOT / "tests" / "fixtures" / "baselines.json").read_text(encoding="utf-8"))
AIRLINE = np.log(np.loadtxt(ROOT / "sample_data" / "air_passengers_monthly.csv", delimiter=",", skiprows=1, usecols=1))

every_path = pytest.mark.parametrize("name", batch.PATHS)
histories = arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e3, 1e3).map(lambda value: round(value, 3)))


def path_of(name: str, history: np.ndarray, horizon: int, season_length: int, *, front: int = 0) -> np.ndarray:
    """Path (K,) of one history (n,), with `front` repetitions of its first value before it."""
    rows = np.concatenate((np.full(front, history[0]), history))[:, None]
    return batch.PATHS[name](rows, np.array([len(history)]), horizon, season_length)[:, 0]


def test_names_and_their_order() -> None:
    assert list(batch.PATHS) == ["last value", "drift", "seasonal naive", "theta", "damped trend", "Holt-Winters"]


@pytest.mark.parametrize("season_length", [1, 4, 30], ids=lambda m: f"season-{m}")
@pytest.mark.parametrize("rows", [1, 2, 19], ids=lambda n: f"rows-{n}")
def test_simple_paths_are_those_of_one_history(rng: np.random.Generator, rows: int, season_length: int) -> None:
    history = rng.standard_normal(rows)
    for name, path in (
        ("last value", paths.last_value(history, 6)),
        ("drift", paths.drift(history, 6)),
        ("seasonal naive", paths.seasonal_naive(history, 6, season_length)),
    ):
        np.testing.assert_array_equal(path_of(name, history, 6, season_length, front=3), path)


def test_seasonal_naive_is_the_path_that_the_network_corrects(rng: np.random.Generator) -> None:
    config = NetworkConfig(horizon=9, input_size=12, season_length=4)
    rows, valid = rng.standard_normal((16, 5)), np.array([16, 9, 4, 3, 1])
    got = batch.seasonal_naive(rows, valid, config.horizon, config.season_length)
    np.testing.assert_array_equal(got, naive_path(rows, valid, config, np.ones(5)))


def test_simple_smoothing_is_that_of_statsforecast() -> None:
    expected = REFERENCE["simple"]
    grid = make_grid((expected["alpha"],))
    state = smooth(AIRLINE[:, None], np.array([144]), grid, AIRLINE[0])
    np.testing.assert_allclose(state.level[0], expected["forecast"][-1], rtol=1e-12)


def test_damped_trend_is_that_of_statsmodels() -> None:
    expected = REFERENCE["damped"]
    phi = expected["damping_trend"]
    grid = make_grid((expected["smoothing_level"],), (expected["smoothing_trend"],), phis=(phi,))
    start = expected["initial_level"], expected["initial_trend"]
    state = smooth(AIRLINE[:, None], np.array([144]), grid, *start)
    assert state.damping == [[phi]]
    got = [state.level[0, 0] + sum(phi**i for i in range(1, k + 1)) * state.trend[0, 0] for k in range(1, 19)]
    np.testing.assert_allclose(got, expected["forecast"], rtol=1e-12)


def test_theta_of_the_airline_is_that_of_statsmodels(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = REFERENCE["theta"]
    indices = additive_indices(AIRLINE[:, None], np.array([144]), 12)[:, 0]  # the last row is a December
    np.testing.assert_allclose(indices, expected["indices"], atol=1e-13)
    near = path_of("theta", AIRLINE, 18, 12)  # with an alpha of our grid
    np.testing.assert_allclose(near, expected["forecast"], atol=0.02)
    monkeypatch.setattr(smoothing, "SIMPLE", make_grid((expected["alpha"],)))
    np.testing.assert_allclose(path_of("theta", AIRLINE, 18, 12), expected["forecast"], rtol=1e-12)


@pytest.mark.parametrize("rows", [1, 2, 3, 11, 60], ids=lambda n: f"rows-{n}")
def test_theta_is_the_mean_of_two_lines(rng: np.random.Generator, rows: int) -> None:
    history = np.cumsum(rng.standard_normal(rows) + 0.3)
    time = np.arange(rows)
    slope, first = np.polyfit(time, history, 1) if rows > 1 else (0.0, history[0])
    curved = 2 * history - (first + slope * time)
    fits = []
    for alpha in smoothing.SIMPLE.level[:, 0]:
        levels = [curved[0]]
        for value in curved[1:]:
            levels.append(alpha * value + (1 - alpha) * levels[-1])
        fits.append((sum((x - level) ** 2 for x, level in zip(curved[1:], levels, strict=False)), levels[-1]))
    smoothed = min(fits, key=lambda fit: fit[0])[1]
    expected = [(first + slope * (rows - 1 + k) + smoothed) / 2 for k in range(1, 8)]
    np.testing.assert_allclose(path_of("theta", history, 7, 1, front=2), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("rows", [1, 2, 8, 60], ids=lambda n: f"rows-{n}")
def test_damped_trend_is_holts_recursion(rng: np.random.Generator, rows: int) -> None:
    history = np.cumsum(rng.standard_normal(rows) + 0.3)
    early = history[:10]
    slope, first = np.polyfit(np.arange(len(early)), early, 1) if rows > 1 else (0.0, history[0])
    fits = []
    grid = smoothing.DAMPED
    for alpha, gain, phi in zip(grid.level[:, 0], grid.trend[:, 0], grid.damping[:, 0], strict=True):
        level, trend, total = first - slope, slope, 0.0
        for value in history:
            forecast = level + phi * trend
            total += (value - forecast) ** 2
            before, level = level, alpha * value + (1 - alpha) * forecast
            trend = gain / alpha * (level - before) + (1 - gain / alpha) * phi * trend
        fits.append((total, [level + trend * phi * (1 - phi**k) / (1 - phi) for k in range(1, 8)]))
    expected = min(fits, key=lambda fit: fit[0])[1]
    np.testing.assert_allclose(path_of("damped trend", history, 7, 1, front=2), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("season_length", [4, 7], ids=["even", "odd"])
def test_adjustment_is_the_classical_decomposition(rng: np.random.Generator, season_length: int) -> None:
    rows = 40
    shape = np.tile(rng.standard_normal(season_length) * 5, 11)[:rows]
    history = np.cumsum(rng.standard_normal(rows)) + shape
    half = season_length // 2
    distances: dict[int, list[float]] = {}
    for t in range(half, rows - half):
        around = history[t - half : t + half + 1].copy()
        if season_length % 2 == 0:
            around = np.array([around[0] / 2, *around[1:-1], around[-1] / 2])
        distances.setdefault((t - rows) % season_length, []).append(history[t] - around.sum() / season_length)
    means = np.array([np.mean(distances[place]) for place in range(season_length)])
    got = additive_indices(np.concatenate((np.full(5, history[0]), history))[:, None], np.array([rows]), season_length)
    np.testing.assert_allclose(got[:, 0], means - means.mean(), atol=1e-12)


@pytest.mark.parametrize("name", ["theta", "damped trend"])
def test_a_season_is_taken_away_and_added_back(rng: np.random.Generator, name: str) -> None:
    plain = np.cumsum(rng.standard_normal(96))
    season = np.tile([4.0, -1.0, 3.0, -6.0], 26)
    got = path_of(name, plain + 100 * season[:96], 8, 4)
    np.testing.assert_allclose(got, path_of(name, plain, 8, 4) + 100 * season[96:], atol=2.0)
    early = path_of(name, (plain + 100 * season[:96])[-11:], 8, 4)  # fewer than three seasons: as if there were none
    np.testing.assert_array_equal(early, path_of(name, (plain + 100 * season[:96])[-11:], 8, 1))


def test_walks_are_seldom_seasonal_and_seasons_nearly_always(rng: np.random.Generator) -> None:
    walks, valid = np.cumsum(rng.standard_normal((200, 1000)), axis=0), np.full(1000, 200)
    assert 0.01 < are_seasonal(walks, valid, 7).mean() < 0.08
    season = np.tile(rng.standard_normal((7, 1000)), (29, 1))[:200]
    assert are_seasonal(walks + 2 * season, valid, 7).mean() > 0.95
    assert not are_seasonal(walks + 2 * season, np.full(1000, 20), 7).any()


@every_path
@given(history=histories, front=st.integers(0, 30), season_length=st.integers(1, 8))
def test_padding_changes_nothing(name: str, history: np.ndarray, front: int, season_length: int) -> None:
    got = path_of(name, history, 5, season_length, front=front)
    np.testing.assert_allclose(got, path_of(name, history, 5, season_length), rtol=1e-12, atol=1e-12)


@every_path
def test_neighbours_change_no_bit(rng: np.random.Generator, name: str) -> None:
    count = smoother.HISTORIES + 9  # two parts
    rows, valid = np.cumsum(rng.standard_normal((60, count)), axis=0), rng.integers(1, 61, count)
    rows += np.tile([[0.0], [5.0], [-2.0]], (20, 1))
    together = batch.PATHS[name](rows, valid, 7, 3)
    for column in (0, 5, count - 1):
        alone = batch.PATHS[name](rows[:, column : column + 1], valid[column : column + 1], 7, 3)
        np.testing.assert_array_equal(together[:, column], alone[:, 0])


@every_path
@given(
    value=st.floats(-1e12, 1e12),
    rows=st.integers(1, 30),
    front=st.integers(0, 9),
    season_length=st.integers(1, 6),
)
def test_constant_history_gives_that_constant(
    name: str, value: float, rows: int, front: int, season_length: int
) -> None:
    got = path_of(name, np.full(rows, value), 9, season_length, front=front)
    np.testing.assert_array_equal(got, np.full(9, value))


@every_path
@given(history=histories, scale=st.sampled_from([1e-6, 0.1, 3.0, 1e5]), season_length=st.integers(1, 6))
def test_path_follows_the_scale(name: str, history: np.ndarray, scale: float, season_length: int) -> None:
    expected = scale * path_of(name, history, 5, season_length)
    size = scale * np.abs(history).max()
    np.testing.assert_allclose(path_of(name, scale * history, 5, season_length), expected, rtol=1e-7, atol=1e-7 * size)


@every_path
@given(history=histories, shift=st.floats(-1e3, 1e3), season_length=st.integers(1, 6))
def test_path_follows_a_shift(name: str, history: np.ndarray, shift: float, season_length: int) -> None:
    expected = shift + path_of(name, history, 5, season_length)
    size = 1e-7 * (np.abs(history).max() + 1)
    np.testing.assert_allclose(path_of(name, shift + history, 5, season_length), expected, rtol=1e-7, atol=size)


@every_path
@given(
    history=arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e150, 1e150)),
    horizon=st.integers(1, 50),
    season_length=st.integers(1, 6),
)
def test_path_is_finite(name: str, history: np.ndarray, horizon: int, season_length: int) -> None:
    assert np.isfinite(path_of(name, history, horizon, season_length)).all()
