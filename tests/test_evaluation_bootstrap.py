"""Block bootstrap: resamples against a loop, and how often its intervals hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncast.evaluation.bootstrap import RESAMPLES, SEED, BlockBootstrap


def sums_by_loop(values: np.ndarray, length: int) -> np.ndarray:
    """Sums of every resample, a block at a time, from the same random numbers."""
    generator = np.random.default_rng(SEED)
    count = len(values)
    whole, rest = divmod(count, length)
    starts = generator.integers(0, count, (RESAMPLES, whole))
    last = generator.integers(0, count, RESAMPLES) if rest else None
    found = np.zeros((RESAMPLES, values.shape[1]))
    for resample in range(RESAMPLES):
        chosen = [(start + j) % count for start in starts[resample] for j in range(length)]
        if last is not None:
            chosen += [(last[resample] + j) % count for j in range(rest)]
        assert len(chosen) == count
        found[resample] = values[chosen].sum(axis=0)
    return found


@pytest.mark.parametrize(("count", "lag"), [(9, 0), (14, 2), (26, 4)])
def test_resamples_are_blocks(rng: np.random.Generator, count: int, lag: int) -> None:
    values = rng.normal(size=(count, 2))
    bootstrap = BlockBootstrap(count, lag)
    np.testing.assert_allclose(bootstrap.sums(values), sums_by_loop(values, bootstrap.length), atol=1e-12)


def test_resamples_do_not_depend_on_how_many_columns_there_are(rng: np.random.Generator) -> None:
    values = rng.normal(size=(3000, 3))  # more than fits into one chunk
    bootstrap = BlockBootstrap(3000, 3)
    np.testing.assert_allclose(bootstrap.sums(values)[:, 1:2], bootstrap.sums(values[:, 1:2]), rtol=1e-12, atol=1e-9)


@given(st.integers(1, 3000), st.integers(0, 40))
def test_blocks_are_longer_than_overlap(origins: int, lag: int) -> None:
    bootstrap = BlockBootstrap(origins, lag)
    assert bootstrap.length >= lag + 1
    if bootstrap.enough:
        assert bootstrap.blocks >= 4
    if lag and origins >= 12 * (lag + 1):
        assert bootstrap.length >= 2 * (lag + 1)


def test_too_few_origins_have_no_interval(rng: np.random.Generator) -> None:
    few = BlockBootstrap(7, 0)
    figures = few.sums(rng.normal(size=(7, 1)))[:, 0]
    assert all(math.isnan(bound) for bound in (*few.interval(figures), *few.share_interval(0.5, figures, 7, 7)))
    assert np.all(np.isfinite(BlockBootstrap(8, 0).interval(np.linspace(0.0, 1.0, RESAMPLES))))
    assert np.all(np.isnan(BlockBootstrap(2, 9).sums(np.ones((2, 1)))))


def test_part_with_few_origins_has_no_interval_of_its_share() -> None:
    many, figures = BlockBootstrap(60, 0), np.linspace(0.4, 0.6, RESAMPLES)
    assert math.isnan(many.share_interval(0.5, figures, 700, 7)[0])
    wide, narrow = (many.share_interval(0.5, figures, 700, origins) for origins in (8, 60))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    seldom = np.where(np.arange(RESAMPLES) % 3 == 0, figures, np.nan)  # two thirds of the resamples lack the part
    assert math.isnan(many.share_interval(0.5, seldom, 700, 20)[0])


@pytest.mark.parametrize(("origins", "lag", "least"), [(10, 0, 0.90), (60, 0, 0.92), (60, 4, 0.90), (200, 4, 0.90)])
def test_interval_of_a_skill_holds_the_truth(rng: np.random.Generator, origins: int, lag: int, least: float) -> None:
    """The ratio of two means of moving sums of exponential losses, one of them 0.9 times the other in the mean."""
    inside, runs = 0, 200
    bootstrap = BlockBootstrap(origins, lag)
    for _ in range(runs):
        shocks = rng.exponential(size=(origins + lag, 2))
        common = shocks[:, :1] + 0.3 * shocks * np.array([1.0, 0.0]) + np.array([0.0, 1.3 / 0.9 - 1.0])
        losses = np.lib.stride_tricks.sliding_window_view(common, lag + 1, axis=0).mean(axis=-1)
        drawn = bootstrap.sums(losses)
        low, high = bootstrap.interval(1.0 - drawn[:, 0] / drawn[:, 1])
        inside += low <= 0.1 <= high
    assert inside / runs >= least
    assert inside / runs < 1.0


@pytest.mark.parametrize(("origins", "lag", "level"), [(20, 0, 0.8), (60, 0, 0.95), (60, 4, 0.8), (200, 4, 0.95)])
def test_interval_of_a_share_holds_the_truth(rng: np.random.Generator, origins: int, lag: int, level: float) -> None:
    inside, runs = 0, 300
    bootstrap = BlockBootstrap(origins, lag)
    limit = np.quantile(np.abs(rng.normal(size=10**6)), level)
    for _ in range(runs):
        shocks = np.lib.stride_tricks.sliding_window_view(rng.normal(size=origins + lag), lag + 1).sum(axis=-1)
        hits = np.abs(shocks) < limit * math.sqrt(lag + 1)  # (O,) as correlated as overlap makes them
        drawn = bootstrap.sums(hits[:, None].astype(float))[:, 0] / origins
        low, high = bootstrap.share_interval(hits.mean(), drawn, origins, origins)
        inside += low <= level <= high
    assert inside / runs >= 0.9


def test_share_of_all_is_not_sure() -> None:
    """Ten of ten inside a 95 % interval is what one expects, not proof of too wide intervals."""
    for share in (1.0, 0.0):
        bootstrap = BlockBootstrap(10, 0)
        low, high = bootstrap.share_interval(share, np.full(RESAMPLES, share), 10, 10)
        assert (low < 0.8 and high == 1.0) if share else (low == 0.0 and high > 0.2)


def test_share_is_worth_no_more_than_its_forecasts(rng: np.random.Generator) -> None:
    bootstrap = BlockBootstrap(50, 0)
    steady = 0.5 + 1e-6 * rng.normal(size=RESAMPLES)  # resamples that hardly differ
    low, high = bootstrap.share_interval(0.5, steady, 100, 50)
    assert high - low > 2 * 1.9 * math.sqrt(0.25 / 100)
