"""GARCH(1,1) with Student's t: against the equations, the package `arch` (fixtures/make_garch.py), and simulation."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from rnncast.baselines import garch_intervals
from rnncast.baselines.garch import Garch, first_variance, fit_garch, log_likelihood, variances
from rnncast.baselines.garch_intervals import GarchIntervals, standardised_quantiles, variances_ahead
from rnncast.core.student_t import student_t_quantile

REFERENCE = json.loads((Path(__file__).parent / "fixtures" / "garch.json").read_text(encoding="utf-8"))
CHANGES = np.array(REFERENCE["changes"])
ARCH = Garch(*(np.array([REFERENCE["parameters"][name]]) for name in ("omega", "alpha", "beta", "nu")))
COUNT = np.array([len(CHANGES)])
LEVELS = np.array([0.025, 0.1, 0.5, 0.9, 0.975])


def likelihood(garch: Garch, changes: np.ndarray, rows: int | None = None) -> float:
    """Log-likelihood of the first `rows` changes of one series (n,)."""
    squares, count = np.square(changes)[:, None], np.array([rows or len(changes)])
    return float(log_likelihood(garch, squares, first_variance(squares, count), count)[0])


def simulated(rng: np.random.Generator, rows: int, nu: float, alpha: float = 0.08, beta: float = 0.9) -> np.ndarray:
    """Changes (rows,) with a variance of 1 in the long run."""
    variance, changes = 1.0, np.empty(rows)
    for t in range(rows):
        changes[t] = math.sqrt(variance * (nu - 2) / nu) * rng.standard_t(nu)
        variance = (1 - alpha - beta) + alpha * changes[t] ** 2 + beta * variance
    return changes


def test_likelihood_is_that_of_arch() -> None:
    assert likelihood(ARCH, CHANGES) == pytest.approx(REFERENCE["log_likelihood"], rel=1e-9)


def test_likelihood_is_the_sum_of_the_densities(rng: np.random.Generator) -> None:
    changes, omega, alpha, beta, nu = rng.standard_t(3, 30), 0.2, 0.15, 0.7, 4.5
    weights = [0.94**t for t in range(30)]
    before = sum(w * r * r for w, r in zip(weights, changes, strict=True)) / sum(weights)
    variance, total = omega + (alpha + beta) * before, 0.0
    for change in changes:
        scale = math.sqrt(variance * (nu - 2) / nu)
        norm = math.gamma((nu + 1) / 2) / math.gamma(nu / 2) / math.sqrt(nu * math.pi) / scale
        total += math.log(norm * (1 + (change / scale) ** 2 / nu) ** (-(nu + 1) / 2))
        variance = omega + alpha * change**2 + beta * variance
    garch = Garch(*(np.array([value]) for value in (omega, alpha, beta, nu)))
    padded = np.concatenate((changes, np.zeros(11)))
    assert likelihood(garch, padded, 30) == pytest.approx(total, rel=1e-12)
    np.testing.assert_allclose(variances(garch, padded[:, None], np.array([30])), variance, rtol=1e-12)


def test_variances_ahead_are_those_of_arch() -> None:
    following = variances(ARCH, CHANGES[:, None], COUNT)
    got = variances_ahead(ARCH, following, 10)
    np.testing.assert_allclose(got[:, 0], REFERENCE["variances_ahead"], rtol=1e-9)


def test_no_likelihood_is_found_above_that_of_the_fit() -> None:
    got = fit_garch(CHANGES[:, None], COUNT)
    best = likelihood(got, CHANGES)
    assert best >= REFERENCE["log_likelihood"] - 1e-4
    for name, expected in REFERENCE["parameters"].items():
        np.testing.assert_allclose(vars(got)[name], expected, rtol=0.01, err_msg=name)
        for factor in (0.97, 1.03):
            moved = Garch(**{**vars(got), name: factor * vars(got)[name]})
            assert likelihood(moved, CHANGES) < best


def test_fit_finds_the_parameters_of_a_long_series(rng: np.random.Generator) -> None:
    got = fit_garch(simulated(rng, 8000, 5.0)[:, None], np.array([8000]))
    np.testing.assert_allclose([got.alpha[0], got.beta[0]], [0.08, 0.9], atol=0.025)
    assert 4 < got.nu[0] < 6.5
    assert got.omega[0] / (1 - got.alpha[0] - got.beta[0]) == pytest.approx(1.0, rel=0.25)


def test_fit_of_a_series_does_not_depend_on_the_others(rng: np.random.Generator) -> None:
    count = np.array([300, 130, 210])
    changes = np.zeros((300, 3))
    for i, rows in enumerate(count):
        changes[:rows, i] = 10.0 ** (3 * i - 4) * simulated(rng, rows, 4.0)
    together = fit_garch(changes, count)
    for i, rows in enumerate(count):
        alone = fit_garch(changes[:rows, [i]], count[[i]])
        for name, value in vars(alone).items():
            assert value[0] == vars(together)[name][i], name


def test_fit_keeps_its_bounds(rng: np.random.Generator) -> None:
    changes = np.stack([rng.standard_normal(200), rng.standard_t(2.01, 200), np.exp(np.arange(200) / 20)], axis=1)
    got = fit_garch(changes, np.full(3, 200))
    assert np.all((got.nu >= 2.05) & (got.nu <= 500))
    assert np.all((got.omega > 0) & (got.alpha >= 0) & (got.beta >= 0) & (got.alpha + got.beta < 1))


def test_first_step_is_students_t() -> None:
    got = standardised_quantiles(ARCH, np.array([2.0]), 1, LEVELS, np.random.default_rng(0))
    nu = ARCH.nu[0]
    expected = [student_t_quantile(level, ARCH.nu)[0] * math.sqrt((nu - 2) / nu) for level in LEVELS]
    np.testing.assert_allclose(got, [expected], rtol=1e-12, atol=1e-15)


def test_sums_of_nearly_normal_changes_are_normal() -> None:
    normal = Garch(*(np.array([value]) for value in (0.5, 0.0, 0.5, 500.0)))
    got = standardised_quantiles(normal, np.array([4.0]), 6, LEVELS, np.random.default_rng(0))
    expected = [-1.959964, -1.281552, 0.0, 1.281552, 1.959964]
    np.testing.assert_allclose(got, np.tile(expected, (6, 1)), rtol=0.06, atol=1e-12)
    np.testing.assert_allclose(got[1:] + got[1:, ::-1], 0.0, atol=1e-12)


def test_quantiles_cover_simulated_futures(rng: np.random.Generator) -> None:
    horizon, ends = 10, range(300, 2500, 10)
    garch = Garch(*(np.array([value]) for value in (0.02, 0.08, 0.9, 4.0)))
    inside = []
    for _ in range(4):
        changes = simulated(rng, 2600, 4.0)
        shape = standardised_quantiles(garch, np.array([1.0]), horizon, np.array([0.1, 0.9]), rng)
        for end in ends:
            following = variances(garch, changes[end - 300 : end, None], np.array([300]))
            width = shape[-1, 1] * np.sqrt(variances_ahead(garch, following, horizon).sum())
            inside.append(abs(changes[end : end + horizon].sum()) <= width)
    assert np.mean(inside) == pytest.approx(0.8, abs=0.04)


def test_parameters_are_estimated_again_after_fifty_origins(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def counting(changes: np.ndarray, count: np.ndarray) -> Garch:
        asked.append((origin, len(count)))
        ones = np.ones(len(count))
        return Garch(0.02 * ones, 0.08 * ones, 0.9 * ones, 5.0 * ones)

    monkeypatch.setattr(garch_intervals, "fit_garch", counting)
    changes, intervals = simulated(rng, 400, 5.0), GarchIntervals(3, LEVELS)
    for origin in range(120):
        numbers = [7] if origin < 30 else [7, 2]  # a second series appears later
        rows = changes[: 200 + origin]
        got = intervals.at(numbers, [rows] * len(numbers), [origin < 110] * len(numbers))
        assert list(got) == numbers
    # at first sight, after fifty origins, and when the series is no longer in logarithms
    assert asked == [(0, 1), (30, 1), (50, 1), (80, 1), (100, 1), (110, 2)]


def test_between_estimates_the_variance_follows_the_rows(rng: np.random.Generator) -> None:
    changes, intervals = simulated(rng, 300, 5.0), GarchIntervals(2, LEVELS)
    calm = intervals.at([0], [changes], [True])[0]
    shaken = intervals.at([0], [np.append(changes, 12.0)], [True])[0]
    assert shaken[0, -1] > 1.3 * calm[0, -1]
    np.testing.assert_allclose(shaken[0] / shaken[0, -1], calm[0] / calm[0, -1], rtol=1e-12)


def test_nothing_is_said_of_few_rows_or_of_a_series_that_stands_still(rng: np.random.Generator) -> None:
    changes = simulated(rng, 150, 5.0)
    still = changes * (np.arange(150) % 2)
    rows = [changes[:98], changes[:99], still, np.zeros(150), 1e200 * changes, 1e-200 * changes]
    got = GarchIntervals(2, LEVELS).at(range(6), rows, [True] * 6)
    assert list(got) == [1]
    assert GarchIntervals(2, LEVELS).at([0], [changes[:98]], [True]) == {}
