"""Calibration: nominal coverage on rows that come later, whatever the errors' distribution."""

from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel

from rnncast.forecasting.predict import forecast
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.gate import Blend, same_for_all
from rnncast.model.intervals import LEVELS, Volatility
from rnncast.training.calibration import calibrate, choose_volatility, measured_coverage
from rnncast.training.outlook import Outlook
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
    return Outlook(actual, still, still, wide, context, np.full(count, len(context)), np.arange(count) // 10, spread)


def returns_in_spells(rng, count):
    """Returns whose volatility differs from window to window by up to 30 times, heavy-tailed and skewed."""
    sizes = np.exp(rng.uniform(-1.7, 1.7, count))
    return sizes * (rng.gamma(2.0, size=(CONFIG.context_rows + 3, count)) - 2.0)


@pytest.mark.parametrize("tail", [0.025, 0.1, 0.2])
def test_coverage_is_nominal_on_each_side_and_in_calm_and_storm(rng, tail):
    block, later = (outlook_of(returns_in_spells(rng, count)) for count in (3000, 6000))
    volatility = Volatility(0.985, 1.0, 0.0)
    table = calibrate(CONFIG, NAIVE, volatility, block, block, 1e9)
    from rnncast.model.intervals import scales

    scale = scales(volatility, CONFIG, later.context, later.valid, later.widths)
    bounds = table.offsets(scale, np.array([tail, 1.0 - tail]))
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
        calibrate(CONFIG, NAIVE, volatility, block, earlier, separate).scores[:, -5] for separate in (1.0, 90.0, 1e9)
    ]
    assert (tables[0] < tables[1]).all() and (tables[1] < tables[2]).all()
    np.testing.assert_allclose(tables[2] / tables[0], 4.0, rtol=0.35)


def test_block_of_a_network_that_gains_narrows_what_earlier_rows_say(rng):
    earlier = outlook_of(rng.standard_normal((CONFIG.context_rows + 3, 3000)))
    block = outlook_of(rng.standard_normal((CONFIG.context_rows + 3, 200)))
    known = replace(block, network=0.5 * block.actual)
    volatility = Volatility(0.97, 1.0, 0.0)
    half, whole = (
        calibrate(CONFIG, gate, volatility, known, earlier, 1e-9).scores
        for gate in (same_for_all(Blend("last value", 1.0)), NAIVE)
    )
    np.testing.assert_allclose(half, 0.5 * whole, rtol=1e-6)


def test_coverage_is_measured_on_rows_that_did_not_calibrate(rng):
    """The block's second half is stormier than its first: each half calibrates the other, and misses."""
    sizes = np.where(np.arange(2000) < 1000, 1.0, 2.0)
    block = outlook_of(rng.standard_normal((CONFIG.context_rows + 3, 2000)))
    block = replace(block, actual=block.actual * sizes)
    (got,) = measured_coverage(CONFIG, NAIVE, Volatility(0.97, 1.0, 0.0), block, block, 1e9, [80.0])
    first, second = 0.99, 0.48  # of N(0, 1) within the 80 % bounds of N(0, 2), and the other way round
    assert got["coverage"] == pytest.approx((first + second) / 2, abs=0.03)
    assert got["windows"] == 2000


def test_what_decides_later_leaves_what_was_decided_before_as_it_was(rng):
    """Rows of the calibration block altered: epochs and gate stay, intervals do not."""
    values = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(600)))
    panel = make_panel({"a": values})
    begin = split_windows(panel, CONFIG).fold(CALIBRATION).held_out.ends.min()
    stormy = values.copy()
    stormy[begin:] = values[begin - 1] * np.exp(4 * np.log(values[begin:] / values[begin - 1]))
    models = [train(make_panel({"a": rows}), CONFIG, TRAINING)[0] for rows in (values, stormy)]
    for name in ("search_losses", "gate", "best_epoch", "folds"):
        assert models[0].record[name] == models[1].record[name]
    assert models[0].gate == models[1].gate
    assert models[0].calibration.volatility == models[1].calibration.volatility
    assert (models[0].calibration.scores[:, -5] < models[1].calibration.scores[:, -5]).all()


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
    table = calibrate(CONFIG, NAIVE, Volatility(0.97, 1.0, 0.0), block, block, 1e9).scores
    middle = len(LEVELS) // 2
    assert (table[:, middle] == 0).all()
    assert (np.diff(table, axis=1) >= 0).all()
