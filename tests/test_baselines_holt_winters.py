"""Holt-Winters of many histories against the recursion of one, written from the equations."""

from itertools import product

import numpy as np
import pytest

from rnncast.baselines.holt_winters import DAMPING, holt_winters

ALPHAS, BETAS, GAMMAS = (0.05, 0.2, 0.5, 0.9), (0.0, 0.03, 0.1), (0.0, 0.1, 0.3)


def recursion(history, horizon, m):
    """Path (K,) of one history: every point of the grid by itself, the one with the least squared errors wins."""
    seasons = min(len(history) // m, 3)
    first = history[: seasons * m].reshape(seasons, m)
    means = first.mean(axis=1)
    slope = (means[-1] - means[0]) / (m * (seasons - 1))
    time = np.arange(seasons * m) - (seasons * m - 1) / 2
    start = (first - (means.mean() + slope * time).reshape(seasons, m)).mean(axis=0)
    found = []
    for alpha, beta, gamma in product(ALPHAS, BETAS, GAMMAS):
        level, trend, season = means.mean() - slope * ((seasons * m - 1) / 2 + 1), slope, list(start)
        squares = 0.0
        for t, value in enumerate(history):
            error = value - (level + DAMPING * trend + season[t % m])
            level, trend = level + DAMPING * trend + alpha * error, DAMPING * trend + alpha * beta * error
            season[t % m] += gamma * (1 - alpha) * error
            squares += error**2
        damped = np.cumsum(DAMPING ** np.arange(1, horizon + 1))
        ahead = [season[(len(history) + k) % m] for k in range(horizon)]
        found.append((squares, level + trend * damped + ahead))
    return min(found, key=lambda pair: pair[0])[1]


@pytest.mark.parametrize("m", [2, 4, 7, 12])
def test_path_is_that_of_the_recursion(rng, m):
    valid = np.array([60, 2 * m, 3 * m, 3 * m - 1, 5 * m - 2])
    rows = np.cumsum(rng.standard_normal((60, 5)), axis=0) + 4.0 * np.sin(2 * np.pi * np.arange(60) / m)[:, None]
    got = holt_winters(rows, valid, 15, m)
    for column, count in enumerate(valid):
        np.testing.assert_allclose(got[:, column], recursion(rows[60 - count :, column], 15, m), rtol=1e-9, atol=1e-9)


def test_a_season_on_a_level_is_gone_on_with():
    rows = np.tile([5.0, -1.0, 2.0], 12)[:, None]
    np.testing.assert_allclose(holt_winters(rows, np.array([36]), 6, 3)[:, 0], [5.0, -1.0, 2.0] * 2, atol=1e-9)


@pytest.mark.parametrize(
    ("rows", "m"), [(1, 4), (7, 4), (30, 1)], ids=["one row", "less than two seasons", "no season"]
)
def test_last_value_where_there_is_no_season_to_learn(rng, rows, m):
    history = rng.standard_normal((rows, 1))
    np.testing.assert_array_equal(holt_winters(history, np.array([rows]), 5, m), np.repeat(history[-1:], 5, axis=0))
