"""Series that are hard: every one is forecast by finite numbers within sane bounds, alone or among others."""

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.forecasting.predict import forecast
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.context import REACH
from rnncast.training.train import train

CONFIG = NetworkConfig(cell="gru", hidden_size=4, input_size=16, horizon=6)
TRAINING = TrainingConfig(members=1, max_epochs=2, epoch_updates=10)
LEVELS = (0.005, 0.025, 0.5, 0.975, 0.995)


def price_list(rng, rows, *, most=1.2):
    """A price that stands for weeks, and then jumps by up to a factor of `most`."""
    steps = np.where(rng.random(rows) < 0.02, rng.uniform(-np.log(most), np.log(most), rows), 0.0)
    return np.round(100.0 * np.exp(np.cumsum(steps)), 2)


def spliced(rng, rows, at):
    """A quiet series that goes on at a hundred times its level, as if it were another."""
    return np.concatenate((random_walk(rng, at, volatility=1e-4), random_walk(rng, rows - at, start=1e4)))


@pytest.fixture(scope="module")
def model_and_panel():
    """Price lists, one of which falls to a thirtieth of its price and comes back; splices in all parts of the data."""
    rng = np.random.default_rng(3)
    series = {f"list{i}": price_list(rng, 400) for i in range(6)}
    series["crash"] = np.concatenate((np.full(150, 750.0), np.full(80, 24.0), np.full(120, 750.0), np.full(50, 1400.0)))
    series |= {f"splice{i}": spliced(rng, 400, at) for i, at in enumerate((120, 220, 290, 330, 370))}
    series |= {f"walk{i}": random_walk(rng, 400) for i in range(3)}
    panel = make_panel(series)
    return train(panel, CONFIG, TRAINING)[0], panel


@pytest.mark.parametrize("horizon", [6, 40], ids=["one pass", "rolled on"])
def test_jumps_out_of_rows_that_stood_still_leave_every_forecast_sane(model_and_panel, horizon):
    model, panel = model_and_panel
    got = forecast(model, panel, horizon, LEVELS)
    high, low = (bound.reduceat(panel.target, panel.indptr[:-1]) for bound in (np.maximum, np.minimum))
    beyond = (1 + 1e-9) * REACH * np.repeat(high - low, horizon)
    for values in (got.point, got.network, *got.quantiles.T):
        assert (values > 0).all()
        assert (values <= np.repeat(high, horizon) + beyond).all()
    assert (np.diff(got.quantiles, axis=1) >= 0).all()


def test_price_lists_keep_narrow_intervals_beside_splices(model_and_panel):
    """Splices are a hundredfold; the 95 % interval of a list that moves by a fifth must know nothing of that."""
    model, panel = model_and_panel
    got = forecast(model, panel, 6, LEVELS)
    lists = np.repeat([name.startswith("list") for name in panel.ids], 6)
    assert (got.quantiles[lists, 3] < 2.0 * got.last_values[lists]).all()
    assert (got.quantiles[lists, 1] > 0.5 * got.last_values[lists]).all()
    assert (got.quantiles[lists, 3] > got.last_values[lists]).all()


@pytest.mark.parametrize("value", [0.0, 12.5, -3.0])
def test_series_that_never_moved_stays(model_and_panel, value):
    got = forecast(model_and_panel[0], make_panel({"still": np.full(50, value)}), 6, LEVELS)
    assert (got.point == value).all()
    assert (got.quantiles == value).all()


def test_panel_of_series_that_never_move_is_trained_and_forecast():
    panel = make_panel({"a": np.full(90, 5.0), "b": np.zeros(90), "c": np.full(90, -2.0)})
    got = forecast(train(panel, CONFIG, TRAINING)[0], panel, 6, LEVELS)
    assert (got.point == got.last_values).all()
    assert (got.quantiles == got.last_values[:, None]).all()
