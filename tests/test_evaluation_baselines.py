"""Simple baselines, their quantiles, and M4's Naive2 against published figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnncast.baselines import paths
from rnncast.evaluation import baselines, metrics

M4 = Path(__file__).resolve().parents[2] / "shared" / "data" / "m4"

LEVELS = np.array([0.025, 0.1, 0.5, 0.9, 0.975])

# International airline passengers, thousands a month, 1949 to 1960: Box & Jenkins (1976), series G.
AIRLINE = np.array(
    """
    112 118 132 129 121 135 148 148 136 119 104 118 115 126 141 135 125 149 170 170 158 133 114 140
    145 150 178 163 172 178 199 199 184 162 146 166 171 180 193 181 183 218 230 242 209 191 172 194
    196 196 236 235 229 243 264 272 237 211 180 201 204 188 235 227 234 264 302 293 259 229 203 229
    242 233 267 269 270 315 364 347 312 274 237 278 284 277 317 313 318 374 413 405 355 306 271 306
    315 301 356 348 355 422 465 467 404 347 305 336 340 318 362 348 363 435 491 505 404 359 310 337
    360 342 406 396 420 472 548 559 463 407 362 405 417 391 419 461 472 535 622 606 508 461 390 432
    """.split(),
    dtype=np.float64,
)

SPIKE = np.array([5.0, *[1.0] * 11])
"""A season that shows in its autocorrelation at once."""

# What R prints for decompose(AirPassengers, "multiplicative")$figure.
AIRLINE_INDICES = [
    *(0.9102304, 0.8836253, 1.0073663, 0.9759060, 0.9813780, 1.1127758),
    *(1.2265555, 1.2199110, 1.0604919, 0.9217572, 0.8011781, 0.8988244),
]


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        pytest.param(paths.last_value(np.array([1.0, 5, 3]), 2), [3, 3], id="last-value"),
        pytest.param(paths.drift(np.array([1.0, 9, 5]), 3), [7, 9, 11], id="drift"),
        pytest.param(paths.drift(np.array([4.0]), 2), [4, 4], id="drift-of-one-row"),
        pytest.param(paths.seasonal_naive(np.array([9.0, 1, 2, 3]), 5, 3), [1, 2, 3, 1, 2], id="seasonal"),
        pytest.param(paths.seasonal_naive(np.array([1.0, 2]), 2, 3), [2, 2], id="seasonal-too-short"),
        pytest.param(paths.seasonal_naive(np.array([1.0, 2]), 2, 1), [2, 2], id="no-season"),
    ],
)
def test_path_by_hand(got: np.ndarray, expected: list[float]) -> None:
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("season_length", "expected"),
    [
        pytest.param(1, ["last value", "drift"], id="no-season"),
        pytest.param(4, ["last value", "drift", "seasonal naive"], id="season"),
    ],
)
def test_baselines_offered(season_length: int, expected: list[str]) -> None:
    got = baselines.simple_baselines(np.arange(30.0), 6, season_length, LEVELS)
    assert list(got) == expected
    assert all(forecast.point.shape == (6,) and forecast.quantiles.shape == (6, 5) for forecast in got.values())


def test_quantiles_are_those_of_in_sample_errors() -> None:
    history = np.array([0.0, 1, -1, 2, -2] * 12)  # not positive: no logarithms
    point = paths.last_value(history, 2)
    got = baselines.path_quantiles("last value", history, point, 1, LEVELS)
    for k in (1, 2):
        widths = np.quantile([abs(history[t + k] - history[t]) for t in range(60 - k)], [0.95, 0.8])
        expected = [-2 - widths[0], -2 - widths[1], -2, -2 + widths[1], -2 + widths[0]]
        np.testing.assert_allclose(got[k - 1], expected, rtol=1e-14)


def test_seasonal_quantiles_look_back_whole_seasons() -> None:
    history = np.arange(40.0) - 20  # each row is 4 above its season before, 8 above the one before that
    point = paths.seasonal_naive(history, 6, 4)
    got = baselines.path_quantiles("seasonal naive", history, point, 4, np.array([0.25, 0.75]))
    expected = np.array([4.0, 4, 4, 4, 8, 8])
    np.testing.assert_allclose(got, np.stack([point - expected, point + expected], axis=1))


def test_drift_quantiles_widen_for_the_slope() -> None:
    history = (
        np.arange(41.0) - 20 + np.tile([0.0, 1.0], 21)[:41]
    )  # slope exactly 1; one-step errors 1 in size, two-step 0
    point = paths.drift(history, 2)
    got = baselines.path_quantiles("drift", history, point, 1, np.array([0.1, 0.9]))
    np.testing.assert_allclose(got[0], point[0] + np.array([-1, 1]) * np.sqrt(1 + 1 / 40), rtol=1e-12)
    np.testing.assert_allclose(got[1], [point[1], point[1]], rtol=1e-12)


def test_too_few_errors_widen_the_first_steps() -> None:
    history = np.concatenate((np.zeros(1), np.cumsum(np.tile([1.0, -2.0], 10))))  # 21 rows: 20 errors at step 1
    got = baselines.path_quantiles("last value", history, paths.last_value(history, 4), 1, np.array([0.3, 0.7]))
    half = (got[:, 1] - got[:, 0]) / 2
    np.testing.assert_allclose(half, half[0] * np.sqrt([1, 2, 3, 4]), rtol=1e-12)
    assert half[0] == np.quantile(np.abs(np.diff(history)), 0.4)


def test_history_without_an_error_has_a_path_and_no_interval() -> None:
    for forecast in baselines.simple_baselines(np.array([5.0]), 2, 4, LEVELS).values():
        np.testing.assert_array_equal(forecast.quantiles[:, 2], [5, 5])
        assert np.isnan(forecast.quantiles[:, [0, 1, 3, 4]]).all()


@given(
    arrays(np.float64, st.integers(2, 60), elements=st.floats(0.01, 1e4)),
    st.integers(1, 12),
    st.integers(1, 9),
)
def test_quantiles_are_ordered_and_positive(history: np.ndarray, horizon: int, season_length: int) -> None:
    for name, forecast in baselines.simple_baselines(history, horizon, season_length, LEVELS).items():
        assert np.all(np.diff(forecast.quantiles, axis=1) >= 0)
        np.testing.assert_allclose(forecast.quantiles[:, 2], forecast.point)
        if name != "drift":  # a falling line crosses zero, as a line does
            assert np.all(forecast.quantiles > 0)


def test_intervals_of_a_random_walk_cover(rng: np.random.Generator) -> None:
    hits = []
    for _ in range(300):
        walk = 100 * np.exp(np.cumsum(0.01 * rng.normal(size=505)))
        forecast = baselines.simple_baselines(walk[:500], 5, 1, np.array([0.1, 0.9]))["last value"]
        hits.append((forecast.quantiles[:, 0] <= walk[500:]) & (walk[500:] <= forecast.quantiles[:, 1]))
    assert np.mean(hits) == pytest.approx(0.8, abs=0.05)


def test_no_row_or_no_step_is_refused() -> None:
    with pytest.raises(ValueError, match="history has shape"):
        paths.last_value(np.array([]), 3)
    with pytest.raises(ValueError, match="horizon is 0"):
        paths.drift(np.array([1.0, 2.0]), 0)


def test_seasonal_indices_are_those_of_r() -> None:
    np.testing.assert_allclose(paths.seasonal_indices(AIRLINE, 12), AIRLINE_INDICES, atol=5e-8)


def test_seasonal_indices_of_an_odd_season() -> None:
    history = np.tile([3.0, 6.0, 9.0], 7)  # the moving average is 6 everywhere
    np.testing.assert_allclose(paths.seasonal_indices(history, 3), [0.5, 1.0, 1.5], rtol=1e-14)


def test_naive2_of_a_seasonal_series() -> None:
    indices = np.array(AIRLINE_INDICES)
    expected = AIRLINE[-1] / indices[11] * np.tile(indices, 2)[:15]
    np.testing.assert_allclose(paths.naive2(AIRLINE, 15, 12), expected, rtol=1e-6)


def test_naive2_starts_in_the_right_month() -> None:
    got = paths.naive2(AIRLINE[:-5], 3, 12)  # history ends in July 1960
    indices = paths.seasonal_indices(AIRLINE[:-5], 12)
    np.testing.assert_allclose(got, AIRLINE[-6] / indices[6] * indices[7:10], rtol=1e-12)


@pytest.mark.parametrize(
    ("history", "season_length", "expected"),
    [
        pytest.param(AIRLINE, 12, True, id="airline"),
        pytest.param(AIRLINE, 1, False, id="no-season"),
        pytest.param(np.tile(SPIKE, 3)[:35], 12, False, id="under-three-seasons"),
        pytest.param(np.tile(SPIKE, 3), 12, True, id="three-seasons"),
        pytest.param(np.full(100, 5.0), 4, False, id="constant"),
        pytest.param(np.tile(np.arange(24.0), 10), 24, False, id="lag-beyond-the-program"),  # 10 log10(240) = 23.8
        pytest.param(np.tile(np.arange(24.0), 11), 24, True, id="lag-within-the-program"),
    ],
)
def test_seasonality(history: np.ndarray, season_length: int, expected: bool) -> None:
    assert paths.is_seasonal(history, season_length) is expected
    if not expected:
        np.testing.assert_array_equal(paths.naive2(history, 2, season_length), [history[-1]] * 2)


def test_noise_is_seldom_seasonal(rng: np.random.Generator) -> None:
    share = np.mean([paths.is_seasonal(rng.normal(size=200), 7) for _ in range(400)])
    assert 0.05 < share < 0.15


def test_naive2_falls_back_where_an_index_is_not_finite() -> None:
    history = np.tile([0.0, 0.0, 0.0, 8.0, -8.0, 0.0], 8)  # the moving average is zero
    np.testing.assert_array_equal(paths.naive2(history, 3, 6), [0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("group", "season_length", "smape", "mase"),
    [
        pytest.param("hourly", 24, 18.383, 2.395, id="hourly"),
        pytest.param("weekly", 1, 9.161, 2.777, id="weekly"),
    ],
)
def test_naive2_has_the_official_figures(group: str, season_length: int, smape: float, mase: float) -> None:
    if not M4.is_dir():
        pytest.skip(f"the M4 data are not part of the project, and not at {M4}")
    history, future = (_series(M4 / f"m4_{group}_{part}.parquet") for part in ("train", "test"))
    scores = []
    for name, actual in future.items():
        path = paths.naive2(history[name], len(actual), season_length)
        scale = metrics.absolute_scale(history[name], season_length)
        scores.append((metrics.smape(actual, path), metrics.mase(actual, path, scale)))
    got = np.mean(scores, axis=0)
    assert [round(value, 3) for value in got] == [smape, mase]


def _series(path: Path) -> dict[str, np.ndarray]:
    from pyarrow.parquet import ParquetFile

    table = ParquetFile(path).read().to_pydict()
    ids, values = np.array(table["unique_id"]), np.array(table["y"], dtype=np.float64)
    starts = np.concatenate(([0], np.flatnonzero(ids[1:] != ids[:-1]) + 1))
    return dict(zip(ids[starts].tolist(), np.split(values, starts[1:]), strict=True))
