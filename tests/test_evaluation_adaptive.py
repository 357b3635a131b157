"""Adaptive correction of intervals: against a plain loop, by its long-run share of misses, and for leaks."""

from dataclasses import replace

import numpy as np
import pytest

from rnncast.evaluation.adaptive import ADAPTIVE, RATE, with_adaptive
from rnncast.evaluation.issued import Backtest

LEVELS = np.array([0.05, 0.1, 0.5, 0.9, 0.95])


def make_backtest(rng, *, origins=200, series=1, horizon=1, step=1, size=1.0, centre=0.0):
    """Intervals of a standard normal walk of `horizon` steps; what comes is `size` (origins,) times as large."""
    sizes = np.concatenate((np.broadcast_to(size, (origins,)).repeat(step), np.ones(horizon)))
    walks = np.cumsum(sizes * rng.standard_normal((series, len(sizes))), axis=1)
    table = []
    for origin in range(origins):
        for s in range(series):
            for k in range(1, horizon + 1):
                last = origin * step
                moved = walks[s, last + k - 1] - (walks[s, last - 1] if last else 0.0)
                table.append((s, origin, last, last + k, k, moved))
    s, origin, cutoff, times, steps, actual = (np.array(column) for column in zip(*table, strict=True))
    normal = np.array([-1.6448536, -1.2815516, 0.0, 1.2815516, 1.6448536])
    quantiles = centre + np.sqrt(steps)[:, None] * normal
    ones = np.ones(len(s))
    return Backtest(
        ids=tuple(map(str, range(series))),
        series=s,
        origin=origin,
        cutoffs=cutoff,
        times=times,
        steps=steps,
        actual=centre + actual,
        points={"rnncast": centre + 0.0 * actual, "last value": centre + 0.0 * actual},
        quantile_levels=LEVELS,
        quantiles={"rnncast": quantiles, "last value": quantiles},
        scale_absolute=ones,
        scale_squared=ones,
    )


def inside(backtest, method, low, high):
    bounds = backtest.quantiles[method]
    return (backtest.actual >= bounds[:, low]) & (backtest.actual <= bounds[:, high])


def test_one_series_one_step_by_a_plain_loop(rng):
    backtest = make_backtest(rng, origins=60, size=np.full(60, 2.0))
    got = with_adaptive(backtest).quantiles[ADAPTIVE]
    own = backtest.quantiles["rnncast"]
    for low, high, allowed in ((0, 4, 0.1), (1, 3, 0.2)):
        logarithm = 0.0
        for row in range(60):  # the outcome of an origin is shown at the next one
            expected = np.exp(logarithm) * own[row, [low, high]]
            np.testing.assert_allclose(got[row, [low, high]], expected)
            missed = not expected[0] <= backtest.actual[row] <= expected[1]
            logarithm = np.clip(logarithm + RATE * (missed - allowed), -np.log(3), np.log(3))
    np.testing.assert_array_equal(got[:, 2], own[:, 2])


@pytest.mark.parametrize("horizon", [1, 6])
@pytest.mark.parametrize("size", [0.5, 1.0, 2.0])
def test_share_of_misses_goes_to_what_was_asked_for(rng, size, horizon):
    backtest = with_adaptive(make_backtest(rng, origins=600, series=8, horizon=horizon, size=np.full(600, size)))
    late = backtest.origin > 300
    for low, high, level in ((0, 4, 0.9), (1, 3, 0.8)):
        assert np.mean(inside(backtest, ADAPTIVE, low, high)[late]) == pytest.approx(level, abs=0.035)
        if size != 1.0:
            assert abs(np.mean(inside(backtest, "rnncast", low, high)[late]) - level) > 0.05


@pytest.mark.parametrize("step", [1, 3])
def test_no_outcome_counts_before_an_origin_shows_it(rng, step):
    backtest = make_backtest(rng, origins=50, series=3, horizon=5, step=step)
    border = 30
    hidden = backtest.times > backtest.cutoffs[backtest.origin == border].max()
    altered = replace(backtest, actual=np.where(hidden, 1e6, backtest.actual))
    before, after = (with_adaptive(b).quantiles[ADAPTIVE] for b in (backtest, altered))
    shown = backtest.origin <= border
    assert before[shown].tobytes() == after[shown].tobytes()
    assert before[~shown].tobytes() != after[~shown].tobytes()


def test_positive_series_keep_positive_bounds(rng):
    backtest = make_backtest(rng, origins=100, centre=2.0)
    log = replace(
        backtest,
        actual=np.exp(3.0 * (backtest.actual - 2.0)),
        points={"rnncast": np.ones(100)},
        quantiles={"rnncast": np.exp(backtest.quantiles["rnncast"] - 2.0)},
    )
    got = with_adaptive(log).quantiles[ADAPTIVE]
    assert (got > 0).all()
    np.testing.assert_allclose(got[:, 0] * got[:, 4], 1.0)  # as symmetric in logarithms as they were


def test_backtest_without_intervals_stays_as_it_is(rng):
    backtest = make_backtest(rng, origins=9)
    plain = replace(backtest, quantile_levels=LEVELS[:0], quantiles={})
    assert with_adaptive(plain) is plain
    assert list(with_adaptive(backtest).quantiles) == ["rnncast", ADAPTIVE, "last value"]


def dated(backtest):
    days = {name: np.datetime64("2020-01-01", "us") + getattr(backtest, name) * np.timedelta64(1, "D")
            for name in ("cutoffs", "times")}  # fmt: skip
    return replace(backtest, **days)


def kept(backtest, rows):
    columns = ("series", "origin", "cutoffs", "times", "steps", "actual", "scale_absolute", "scale_squared")
    return replace(
        backtest,
        **{name: getattr(backtest, name)[rows] for name in columns},
        points={name: values[rows] for name, values in backtest.points.items()},
        quantiles={name: values[rows] for name, values in backtest.quantiles.items()},
    )


@pytest.mark.parametrize("calendar", [True, False], ids=["dates", "steps"])
def test_a_series_that_ends_does_not_hold_up_the_others(rng, calendar):
    whole = make_backtest(rng, origins=400, series=4, horizon=3, size=np.full(400, 3.0))
    whole = dated(whole) if calendar else whole
    ends = kept(whole, ~((whole.series == 0) & (whole.origin > 20)))
    corrected = with_adaptive(ends)
    late = corrected.origin > 200
    assert np.mean(inside(corrected, ADAPTIVE, 0, 4)[late]) == pytest.approx(0.9, abs=0.05)
    early = with_adaptive(kept(whole, (whole.origin <= 20)))  # nothing that comes after reaches back
    before = corrected.origin <= 20
    assert corrected.quantiles[ADAPTIVE][before].tobytes() == early.quantiles[ADAPTIVE].tobytes()


def test_origins_that_come_later_change_nothing_where_series_keep_other_days(rng):
    whole = dated(make_backtest(rng, origins=60, series=2, size=np.full(60, 3.0)))
    late = np.where(whole.series == 1, np.timedelta64(5, "D"), np.timedelta64(0, "D"))
    apart = replace(whole, times=whole.times + late)  # one series' outcomes are shown five origins after the other's
    got = with_adaptive(apart).quantiles[ADAPTIVE]
    for border in (20, 21, 40):
        before = apart.origin <= border
        assert with_adaptive(kept(apart, before)).quantiles[ADAPTIVE].tobytes() == got[before].tobytes()


def test_corrected_quantiles_never_cross(rng):
    """Errors near zero or far out, and nothing between: levels want different factors."""
    backtest = make_backtest(rng, origins=300)
    wild = np.where(rng.random(300) < 0.15, 1.4, 0.1) * np.sign(backtest.actual)
    got = with_adaptive(replace(backtest, actual=wild)).quantiles[ADAPTIVE]
    assert (np.diff(got, axis=1) >= 0).all()
