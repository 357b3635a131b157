"""The simplex method on functions whose least points are known."""

from __future__ import annotations

import numpy as np
import pytest

from rnncast.baselines.nelder_mead import minimise

STEP = np.array([0.5, 0.5])


def rosenbrock(points: np.ndarray, number: np.ndarray) -> np.ndarray:
    """A curved valley with its least point at (1 + problem, (1 + problem)^2)."""
    x, y = points
    return 10.0 * (y - x * x) ** 2 + (1.0 + number - x) ** 2


def test_curved_valleys_are_followed_to_their_ends() -> None:
    start = np.array([[-1.0, 0.0, 4.0], [1.5, 0.0, -2.0]])
    got = minimise(rosenbrock, start, STEP, tolerance=1e-13)
    np.testing.assert_allclose(got, [[1, 2, 3], [1, 4, 9]], atol=1e-5)


def test_a_problem_does_not_depend_on_the_others() -> None:
    start = np.random.default_rng(3).normal(size=(2, 6))
    together = minimise(rosenbrock, start, STEP)
    for i in range(6):
        alone = minimise(lambda points, number, i=i: rosenbrock(points, number + i), start[:, [i]], STEP)
        np.testing.assert_array_equal(alone[:, 0], together[:, i])


def test_a_function_without_slope_ends_where_it_began() -> None:
    calls = []

    def flat(points: np.ndarray, number: np.ndarray) -> np.ndarray:
        calls.append(points.shape)
        return np.zeros(points.shape[1:])

    np.testing.assert_array_equal(minimise(flat, np.array([[3.0], [4.0]]), STEP), [[3.0], [4.0]])
    assert calls == [(2, 3, 1)]


def test_iterations_are_bounded() -> None:
    calls = []

    def steep(points: np.ndarray, number: np.ndarray) -> np.ndarray:
        calls.append(len(number))
        return points.sum(axis=0)  # no least point

    minimise(steep, np.zeros((2, 1)), STEP, iterations=7)
    assert len(calls) == 8


def test_a_simplex_shrinks_where_no_move_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    def narrow(points: np.ndarray, number: np.ndarray) -> np.ndarray:
        x, y = np.abs(points)
        return np.where((x == 0) & (y == 0), 0.0, 1.0 + np.maximum(x, y) % 0.1)  # a hole, and ridges around it

    got = minimise(narrow, np.array([[0.0], [0.0]]), np.array([1.05, 1.07]), iterations=40)
    np.testing.assert_array_equal(got, [[0.0], [0.0]])
