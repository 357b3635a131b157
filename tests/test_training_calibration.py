"""Calibration: nominal coverage on rows that come later, whatever the errors' distribution."""

from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel

from rnncast.core.shape import middle_rows
from rnncast.core.twin import unpack
from rnncast.data.transform import working_series
from rnncast.forecasting.predict import forecast
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.gate import GROUPS, Blend, same_for_all
from rnncast.model.intervals import LEVELS, Volatility
from rnncast.training.calibration import calibrate, choose_volatility, measured_coverage, walk_scores
from rnncast.training.outlook import Outlook, look_at_baseline
from rnncast.training.split import CALIBRATION, split_windows
from rnncast.training.train import train

CONFIG = NetworkConfig(cell="gru", hidden_size=4, input_size=12, horizon=3)
TRAINING = TrainingConfig(members=1, max_epochs=1, epoch_updates=5)
NAIVE = same_for_all(Blend("last value", 0.0))


def walks_of(returns):
    """Windows of walks (T, N), one a column: what came after row T - K, and the rows before."""
    rows = np.cumsum(returns, axis=0)
    context, actual = rows[: CONFIG.context_rows], rows[CONFIG.context_rows :]
    return actual - context[-1], context - context[-1]


def outlook_of(returns, widths=None):
    actual, context = walks_of(returns)
    count = actual.shape[1]
    still = np.zeros_like(actual)
    spread = np.abs(actual).mean(axis=1)
    wide = np.ones_like(actual) if widths is None else widths
    group, valid = np.full(count, GROUPS.index("walking")), np.full(count, len(context))
    return Outlook(actual, still, still, wide, context, valid, group, np.arange(count) // 10, spread, 1e9)


def returns_in_spells(rng, count):
    """Returns whose volatility differs from window to window by up to 30 times, heavy-tailed and skewed."""
    sizes = np.exp(rng.uniform(-1.7, 1.7, count))
    return sizes * (rng.gamma(2.0, size=(CONFIG.context_rows + 3, count)) - 2.0)


@pytest.mark.parametrize("tail", [0.025, 0.1, 0.2])
def test_coverage_is_nominal_on_each_side_and_in_calm_and_storm(rng, tail):
    block, later = (outlook_of(returns_in_spells(rng, count)) for count in (3000, 6000))
    volatility = Volatility(0.985, 1.0, 0.0)
    table = calibrate(CONFIG, NAIVE, volatility, block, block)
    from rnncast.model.intervals import scales

    scale = scales(volatility, CONFIG, later.context, later.valid, later.widths)
    bounds = table.offsets(later.group, scale, np.array([tail, 1.0 - tail]))
    calm = scale[0] < np.median(scale[0])
    for own in (calm, ~calm):
        below, above = later.actual[:, own] < bounds[:, 0, own], later.actual[:, own] > bounds[:, 1, own]
        np.testing.assert_allclose(below.mean(axis=1), tail, atol=0.02)
        np.testing.assert_allclose(above.mean(axis=1), tail, atol=0.02)


def test_scale_that_tells_the_sizes_apart_is_chosen(rng):
    returns = returns_in_spells(rng, 2000)
    chosen = choose_volatility(CONFIG, NAIVE, outlook_of(returns))
    assert chosen.width == 0.0
    actual, _ = walks_of(returns)
    informed = np.abs(actual) + 0.1
    assert choose_volatility(CONFIG, NAIVE, outlook_of(returns, informed)).width > 0.0


def test_short_block_leans_on_earlier_rows(rng):
    earlier = outlook_of(rng.standard_normal((CONFIG.context_rows + 3, 3000)))
    block = outlook_of(4.0 * rng.standard_normal((CONFIG.context_rows + 3, 40)))
    block = replace(block, context=block.context / 4.0)  # errors four times those that the context lets expect
    volatility = Volatility(0.97, 1.0, 0.0)
    tables = [
        calibrate(CONFIG, NAIVE, volatility, replace(block, separate=rows), earlier).scores[4, :, -5]
        for rows in (1.0, 90.0, 1e9)
    ]
    assert (tables[0] < tables[1]).all() and (tables[1] < tables[2]).all()
    np.testing.assert_allclose(tables[2] / tables[0], 4.0, rtol=0.35)


def test_block_of_a_network_that_gains_narrows_what_earlier_rows_say(rng):
    earlier = outlook_of(rng.standard_normal((CONFIG.context_rows + 3, 3000)))
    block = outlook_of(rng.standard_normal((CONFIG.context_rows + 3, 200)))
    known = replace(block, network=0.5 * block.actual)
    volatility = Volatility(0.97, 1.0, 0.0)
    half, whole = (
        calibrate(CONFIG, gate, volatility, replace(known, separate=1e-9), earlier).scores
        for gate in (same_for_all(Blend("last value", 1.0)), NAIVE)
    )
    np.testing.assert_allclose(half, 0.5 * whole, rtol=1e-6)


def test_few_earlier_rows_lean_on_a_normal_walk(rng):
    """Two stretches that both went up say next to nothing: intervals stay symmetric, and as wide as a walk's."""
    few = outlook_of(rng.standard_normal((CONFIG.context_rows + 3, 8)))
    few = replace(few, actual=np.abs(few.actual), separate=2.0)
    volatility = Volatility(0.97, 1.0, 0.0)
    scores = calibrate(CONFIG, NAIVE, volatility, few, few).scores[4]
    np.testing.assert_allclose(scores, walk_scores(CONFIG, volatility), atol=0.6)
    assert (scores[:, : len(LEVELS) // 2] < 0).all()
    whole = calibrate(CONFIG, NAIVE, volatility, None, few).scores[4]
    np.testing.assert_allclose(whole, walk_scores(CONFIG, volatility), atol=0.3)


@pytest.mark.parametrize("width", [0.0, 0.5])
def test_scores_of_a_normal_walk_are_what_a_normal_walk_has(rng, width):
    returns = rng.standard_normal((CONFIG.context_rows + 3, 40_000))
    deviations = np.sqrt(np.arange(1.0, 4.0))[:, None] * np.ones(40_000)
    walks = outlook_of(returns, deviations)
    volatility = Volatility(1.0, 1.0, width)
    scores = calibrate(CONFIG, NAIVE, volatility, None, walks).scores[4]
    inner = slice(4, -4)
    np.testing.assert_allclose(scores[:, inner], walk_scores(CONFIG, volatility)[:, inner], rtol=0.05, atol=0.03)


def test_coverage_is_measured_on_rows_that_did_not_calibrate(rng):
    """The block's second half is stormier than its first: each half calibrates the other, and misses."""
    sizes = np.where(np.arange(2010) < 1000, 1.0, 2.0)
    block = outlook_of(rng.standard_normal((CONFIG.context_rows + 3, 2010)))
    block = replace(block, actual=block.actual * sizes)
    (got,) = measured_coverage(CONFIG, NAIVE, Volatility(0.97, 1.0, 0.0), block, block, [80.0])
    first, second = 0.99, 0.48  # of N(0, 1) within the 80 % bounds of N(0, 2), and the other way round
    assert got["coverage"] == pytest.approx((first + second) / 2, abs=0.03)
    assert got["windows"] == 2000  # the stretch in the middle is left out


def test_what_decides_later_leaves_what_was_decided_before_as_it_was(rng):
    """Rows of the calibration block altered, so that it would choose another scale: all but the tables stays."""
    spells = np.where(np.arange(900) // 45 % 2, 0.03, 0.003)
    values = 100 * np.exp(np.cumsum(spells * rng.standard_normal(900)))
    panel = make_panel({"a": values})
    begin = split_windows(panel, CONFIG).fold(CALIBRATION).held_out.ends.min()
    flat = values.copy()
    long = np.where(np.arange(900 - begin) < 60, 0.05, 0.002)  # one storm, and then a long calm
    flat[begin:] = values[begin - 1] * np.exp(np.cumsum(long * rng.standard_normal(900 - begin)))
    training = TrainingConfig(members=1, max_epochs=2, epoch_updates=20)
    panels = [make_panel({"a": rows}) for rows in (values, flat)]
    models = [train(rows, CONFIG, training)[0] for rows in panels]
    for name in ("search_losses", "correction_share", "gate", "best_epoch", "folds"):
        assert models[0].record[name] == models[1].record[name]
    assert models[0].gate == models[1].gate
    assert models[0].calibration.volatility == models[1].calibration.volatility
    assert (models[0].calibration.scores != models[1].calibration.scores).any()
    chosen = []
    for rows in panels:
        fold, working = split_windows(rows, CONFIG).fold(CALIBRATION), working_series(rows)
        outlook = look_at_baseline(CONFIG, working, fold.held_out, np.ones(3), True)
        chosen.append(choose_volatility(replace(CONFIG, loss="mae", quantile_levels=(0.5,)), NAIVE, outlook))
    assert chosen[0] != chosen[1]  # the blocks would have chosen differently


def test_members_and_folds_are_held_back_alike(monkeypatch):
    """The share that the first block bears out is that of every network after it."""
    rng = np.random.default_rng(5)
    panel = make_panel({"a": 10.0 + rng.standard_normal(900)})
    training = TrainingConfig(members=2, max_epochs=3, epoch_updates=20)
    whole, _ = train(panel, CONFIG, training)
    monkeypatch.setattr("rnncast.training.search.best_share", lambda *arguments: 0.5)
    half, _ = train(panel, CONFIG, training)
    share = whole.record["correction_share"]
    assert half.record["correction_share"] == 0.5 < share
    for name in ("output.weight", "output.bias"):
        got, expected = (
            np.stack([unpack(CONFIG.shape, member)[name] for member in model.parameters])[:, middle_rows(CONFIG.shape)]
            for model in (half, whole)
        )
        np.testing.assert_allclose(got, 0.5 / share * expected, rtol=1e-5, atol=1e-7)
    errors = [model.record["gate"][0]["network_relative_mae"] for model in (half, whole)]
    assert errors[0] > errors[1] + 0.02  # the fold's network is held back too


@pytest.mark.parametrize("kind", ["zeros in the middle", "zeros at the end", "mostly zeros", "negative"])
@pytest.mark.parametrize("loss", ["quantile", "student-t"])
def test_series_with_long_runs_of_zeros_are_trained_and_forecast(kind, loss):
    rng = np.random.default_rng(8)
    values = {
        "zeros in the middle": np.concatenate((rng.poisson(3, 200), np.zeros(120), rng.poisson(3, 200))),
        "zeros at the end": np.concatenate((rng.poisson(3, 300), np.zeros(90))),
        "mostly zeros": np.where(rng.random(500) < 0.05, 5.0, 0.0),
        "negative": np.where(np.arange(500) < 250, 0.0, -1e6 * rng.random(500)),
    }[kind].astype(float)
    panel = make_panel({"a": values})
    config = replace(CONFIG, loss=loss)
    model, _ = train(panel, config, TrainingConfig(members=1, max_epochs=2, epoch_updates=5))
    got = forecast(model, panel, 7, (0.005, 0.1, 0.5, 0.9, 0.995))
    assert np.isfinite(got.quantiles).all()
    assert (np.diff(got.quantiles, axis=1) >= 0).all()


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "least"), [(24, 0.84), (45, 0.84), (80, 0.87)])
def test_intervals_of_short_series_are_not_too_narrow(rows, least):
    config = NetworkConfig(cell="gru", hidden_size=4, input_size=10, horizon=10)
    inside, collapsed = [], []
    for seed in range(60):
        walk = 100 * np.exp(np.cumsum(0.01 * np.random.default_rng(seed).standard_normal(rows + 10)))
        known = make_panel({"a": walk[:rows]})
        model, _ = train(known, config, TrainingConfig(members=1, max_epochs=0))
        got = forecast(model, known, 10, (0.025, 0.5, 0.975)).quantiles
        inside.append((walk[rows:] >= got[:, 0]) & (walk[rows:] <= got[:, 2]))
        collapsed.append((got[:, 0] == got[:, 1]).any() or (got[:, 2] == got[:, 1]).any())
    assert np.mean(inside) > least  # of 0.95
    assert not any(collapsed)


@pytest.mark.slow
def test_trained_intervals_cover_later_rows_as_they_say(rng):
    """Twenty walks whose volatility comes and goes, forecast at the end of what was trained on and far beyond it."""
    rows, count = 1600, 20
    log_volatility = np.zeros((rows, count))
    for t in range(1, rows):
        log_volatility[t] = 0.98 * log_volatility[t - 1] + 0.1 * rng.standard_normal(count)
    walks = 100 * np.exp(np.cumsum(0.01 * np.exp(log_volatility) * rng.standard_normal((rows, count)), axis=0))
    whole = make_panel({str(s): walks[:, s] for s in range(count)})
    model, _ = train(whole.until(whole.times[999]), CONFIG, TRAINING)
    inside = []
    for origin in range(1000, 1590, 10):
        shown = whole.until(whole.times[origin - 1])
        got = forecast(model, shown, 3, (0.05, 0.95)).quantiles.reshape(count, 3, 2)
        actual = walks[origin : origin + 3].T
        inside.append((actual >= got[..., 0]) & (actual <= got[..., 1]))
    assert np.mean(inside) == pytest.approx(0.9, abs=0.02)


def test_table_never_puts_the_median_elsewhere(rng):
    block = outlook_of(1.0 + rng.standard_normal((CONFIG.context_rows + 3, 300)))  # all go up
    table = calibrate(CONFIG, NAIVE, Volatility(0.97, 1.0, 0.0), block, block).scores
    middle = len(LEVELS) // 2
    assert (table[:, :, middle] == 0).all()
    assert (np.diff(table, axis=2) >= 0).all()


def test_groups_with_many_windows_have_tables_of_their_own(rng):
    """Half of the windows err twice as much for their scale as the others, and belong to another group."""
    block = outlook_of(rng.standard_normal((CONFIG.context_rows + 3, 2000)))
    other = np.arange(2000) % 2 == 0
    block = replace(block, actual=np.where(other, 2.0, 1.0) * block.actual, group=np.where(other, 0, 4))
    scores = calibrate(CONFIG, NAIVE, Volatility(0.97, 1.0, 0.0), block, block).scores
    np.testing.assert_allclose(scores[0, :, -8] / scores[4, :, -8], 2.0, rtol=0.15)
    np.testing.assert_array_equal(scores[1], scores[2])  # of groups that do not occur: all windows together
    assert (scores[4, :, -8] < scores[1, :, -8]).all() and (scores[1, :, -8] < scores[0, :, -8]).all()
