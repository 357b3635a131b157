"""Training in the kernel: windows as `model.inputs` makes them, updates as engine and optimiser make them singly."""

import signal
import threading
from dataclasses import replace

import numba
import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.core import memory
from rnncast.core.arguments import Series
from rnncast.core.engine import Engine
from rnncast.core.layout import AT_INPUTS, AT_TARGETS, LANES, TRAIN, workspace_plan
from rnncast.core.learner import AdamW, Updates, WindowLearner, learn
from rnncast.core.loss_table import MAE, point_table
from rnncast.core.optimiser import adamw_step
from rnncast.core.panel_windows import take_windows
from rnncast.data.phases import PHASES, phases
from rnncast.data.transform import working_series
from rnncast.data.windows import Windows
from rnncast.model.config import NetworkConfig
from rnncast.model.inputs import make_frame, network_inputs, normalised_targets, normalising
from rnncast.model.network import decay_mask, initial_parameters

SETTINGS = AdamW(0.9, 0.99, 1e-8, 0.01, 1.0)


@numba.njit
def take(plan, series, how, targets, first, used, w):
    """`take_windows` for Python."""
    take_windows(plan, series, how, targets, first, used, w)


def make_config(season=1, **settings):
    channels = ("level", "change") if season == 1 else ("change", "level", "seasonal change")
    given = {"input_size": 9, "horizon": 5, "hidden_size": 6, "layers": 1, "loss": "mae", "quantile_levels": (0.5,)}
    return NetworkConfig(season_length=season, channels=channels, **(given | settings))


def ragged_panel(rng):
    """Positive and negative series, constant stretches, jumps, and one shorter than the window."""
    values = {
        "walk": random_walk(rng, 60),
        "negative": rng.standard_normal(40),
        "constant": np.full(30, 7.0),
        "jump": np.r_[np.zeros(20), 1e6, np.zeros(19)],
        "short": 5.0 + rng.standard_normal(8),
        "large": 1e9 + rng.standard_normal(33),
    }
    return make_panel(values)


def all_windows(panel, horizon):
    """Every window of a panel that has rows before and after it, two at least before."""
    ends = [(s, end) for s in range(len(panel.ids))
            for end in range(panel.indptr[s] + 2, panel.indptr[s + 1] - horizon + 1)]  # fmt: skip
    series, ends = np.array(ends, np.int64).T
    return Windows(series.copy(), ends.copy())


def series_of(working, windows, names=()):
    starts, told = working.indptr[windows.series], phases(working.times, working.calendar, names).reshape(-1)
    return Series(working.values, starts, windows.ends, working.logarithmic[windows.series], told)


@pytest.mark.parametrize("told", [(), PHASES[1:]], ids=["values alone", "and phases"])
@pytest.mark.parametrize(
    ("season", "long"),
    [(1, 0), (3, 0), (12, 0), (3, 6), (3, 15)],
    ids=["no season", "season within the window", "longer season", "two seasons", "two, one longer"],
)
def test_windows_are_those_that_a_forecast_reads(rng, season, long, told):
    config = make_config(season, long_season=long)
    config, panel = replace(config, channels=(*config.channels, *told)), ragged_panel(rng)
    working, windows = working_series(panel), all_windows(panel, 5)
    frame = make_frame(config, working, windows)
    inputs, targets = network_inputs(config, frame), normalised_targets(config, working, windows, frame)
    plan = workspace_plan(config.shape, 9, 50, TRAIN, False)
    lanes = int(plan[LANES])
    w = np.full(int(plan.max()) + 64 * 64, 3.0, np.float32)
    for start in range(0, len(windows), lanes):
        used = min(lanes, len(windows) - start)
        take(plan, series_of(working, windows, config.phases), normalising(config), 5, start, used, w)
        got = w[plan[AT_INPUTS] :][: inputs.shape[0] * inputs.shape[1] * lanes].reshape(*inputs.shape[:2], lanes)
        np.testing.assert_allclose(got[..., :used], inputs[..., start : start + used], rtol=1e-6, atol=1e-9)
        assert not got[..., used:].any()
        got = w[plan[AT_TARGETS] :][: 5 * lanes].reshape(5, lanes)[:, :used]
        np.testing.assert_allclose(got, targets[:, start : start + used], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("size", [1e160, 1e-170])
def test_two_seasons_are_weighed_whatever_the_size_of_the_values(rng, size):
    """Their squares would overflow, or vanish."""
    config = make_config(3, long_season=6)
    panel = make_panel({"a": size * rng.standard_normal(60)})
    working, windows = working_series(panel), all_windows(panel, 5)
    frame = make_frame(config, working, windows)
    plain = working_series(replace(panel, values=panel.values / size))
    expected = make_frame(config, plain, windows).local.short_share
    np.testing.assert_allclose(frame.local.short_share, expected, rtol=1e-9)
    assert len(np.unique(expected)) > 10
    plan = workspace_plan(config.shape, 9, 50, TRAIN, False)
    w = np.zeros(int(plan.max()) + 64 * 64)
    used = min(int(plan[LANES]), len(windows))
    take(plan, series_of(working, windows), normalising(config), 5, 0, used, w)
    got = w[plan[AT_TARGETS] :][: 5 * int(plan[LANES])].reshape(5, -1)[:, :used]
    np.testing.assert_allclose(got, normalised_targets(config, working, windows, frame)[:, :used], rtol=1e-6)


def make_learner(config, dtype=np.float64, batch=24, threads=1):
    start = initial_parameters(config.shape, np.random.default_rng(5), dtype)
    start += 0.1 * np.random.default_rng(6).standard_normal(len(start)).astype(dtype)
    table = point_table(MAE, config.horizon, 0.7)
    learner = WindowLearner(config.shape, table, config.input_size, batch, normalising(config), start,
                      decay_mask(config.shape), SETTINGS, threads)  # fmt: skip
    return learner, table


def some_updates(rng, panel, count, batch=24):
    working, windows = working_series(panel), all_windows(panel, 5)
    chosen = windows.take(rng.integers(len(windows), size=count * batch))
    rates, averaging = np.linspace(0.02, 0.01, count), np.linspace(0.3, 0.9, count)
    return working, chosen, Updates(rates, averaging, series_of(working, chosen))


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_updates_are_those_of_engine_and_optimiser(rng, cell):
    config, panel = make_config(3, cell=cell, layers=2), ragged_panel(rng)
    learner, table = make_learner(config)
    parameters, average = learner.parameters.copy(), learner.average.copy()
    first, second = np.zeros_like(parameters), np.zeros_like(parameters)
    working, chosen, updates = some_updates(rng, panel, 7)
    engine = Engine(config.shape, 9, 24, np.float64, loss=table)
    expected = []
    for number in range(7):
        windows = chosen.take(np.arange(number * 24, number * 24 + 24))
        frame = make_frame(config, working, windows)
        inputs = network_inputs(config, frame, np.float64)
        loss, gradient = engine.loss_and_gradient(
            parameters, inputs, normalised_targets(config, working, windows, frame)
        )
        adamw_step(parameters, gradient, first, second, average, decay_mask(config.shape, np.float64), number + 1,
                   updates.rates[number], *SETTINGS, updates.averaging[number])  # fmt: skip
        expected.append(loss)
    parts = [
        Updates(
            updates.rates[start:stop],
            updates.averaging[start:stop],
            series_of(working, chosen.take(np.arange(start * 24, stop * 24))),
        )
        for start, stop in ((0, 3), (3, 7))
    ]
    got = np.concatenate([learn([learner], [part])[0].losses for part in parts])  # in two calls
    assert learner.updates == 7
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    np.testing.assert_allclose(learner.parameters, parameters, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(learner.average, average, rtol=1e-10, atol=1e-13)


def test_same_bytes_for_any_number_of_threads_and_of_learners(rng, monkeypatch):
    monkeypatch.setattr(memory, "WORTH_SHARING", 0)
    config, panel = make_config(hidden_size=34, layers=2), ragged_panel(rng)
    _, _, updates = some_updates(rng, panel, 5, batch=150)
    results = []
    for threads in (1, 2, 3, 4, 8):
        learners = [make_learner(config, np.float32, 150, threads)[0] for _ in range(2)]
        made = learn(learners, [updates, updates])
        for learner, one in zip(learners, made, strict=True):
            assert not one.failed
            results.append((one.losses.tobytes(), learner.parameters.tobytes(), learner.average.tobytes()))
    assert len(set(results)) == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_a_loss_that_is_not_finite_leaves_the_parameters_before_it(rng, monkeypatch, threads):
    monkeypatch.setattr(memory, "WORTH_SHARING", 0)
    config, panel = make_config(), ragged_panel(rng)
    learner, _ = make_learner(config, batch=70, threads=threads)
    expected, _ = make_learner(config, batch=70)
    working, chosen, updates = some_updates(rng, panel, 4, batch=70)
    good = series_of(working, chosen.take(np.arange(140)))
    learn([expected], [Updates(updates.rates[:2], updates.averaging[:2], good)])
    values = np.r_[working.values, np.full(40, np.nan)]
    spoilt = updates.series._replace(
        values=values, ends=updates.series.ends.copy(), starts=updates.series.starts.copy()
    )
    spoilt.ends[2 * 70 + 5], spoilt.starts[2 * 70 + 5] = len(values) - 10, len(values) - 40
    (made,) = learn([learner], [updates._replace(series=spoilt)])
    assert made.failed
    assert len(made.losses) == learner.updates == 2
    assert learner.parameters.tobytes() == expected.parameters.tobytes()
    assert learner.average.tobytes() == expected.average.tobytes()


@pytest.mark.parametrize("threads", [1, 3])
def test_time_ends_updates_between_two_of_them(rng, monkeypatch, threads):
    monkeypatch.setattr(memory, "WORTH_SHARING", 0)
    config, panel = make_config(), ragged_panel(rng)
    learner, _ = make_learner(config, batch=70, threads=threads)
    _, _, updates = some_updates(rng, panel, 20_000, batch=70)
    (made,) = learn([learner], [updates], seconds=0.05)
    assert not made.failed
    assert 0 < len(made.losses) == learner.updates < 20_000
    again, _ = make_learner(config, batch=70)
    count = learner.updates
    series = updates.series
    part = Series(series.values, *(array[: count * 70] for array in series[1:]))
    learn([again], [Updates(updates.rates[:count], updates.averaging[:count], part)])
    assert again.parameters.tobytes() == learner.parameters.tobytes()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_signal_is_heard_in_the_middle_of_a_batch(rng, threads):
    """One update here takes seconds; what is abandoned leaves no trace."""
    config, panel = make_config(input_size=400, hidden_size=512), make_panel({"a": random_walk(rng, 600)})
    learner, _ = make_learner(config, np.float32, 64, threads)
    before = learner.parameters.tobytes()
    windows = Windows(np.zeros(64, np.int64), np.arange(500, 564))
    updates = Updates(np.array([0.1]), np.array([0.5]), series_of(working_series(panel), windows))
    threading.Timer(0.2, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        learn([learner], [updates])
    assert (learner.updates, learner.parameters.tobytes()) == (0, before)


def test_windows_and_parameters_must_fit(rng):
    config, panel = make_config(), ragged_panel(rng)
    learner, table = make_learner(config)
    _, _, updates = some_updates(rng, panel, 2, batch=23)
    with pytest.raises(ValueError, match="48 windows, got 46"):
        learner.begin(updates)
    with pytest.raises(ValueError, match="do not fit"):
        WindowLearner(
            config.shape, table, 9, 4, normalising(config), learner.parameters[1:], learner.average, SETTINGS, 1
        )
