"""A stateful model carried on over fresh rows: one call or several, the whole sequence or its end, come to the same."""

from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.core import twin
from rnncast.data.transform import is_logarithmic, working_series
from rnncast.errors import DataError
from rnncast.forecasting import predict
from rnncast.forecasting.carrying import advanced, carried_on
from rnncast.forecasting.cores import choose_core
from rnncast.forecasting.predict import forecast
from rnncast.model import running
from rnncast.model.config import NetworkConfig
from rnncast.model.gate import Blend, same_for_all
from rnncast.model.model import History, Model
from rnncast.model.network import initial_parameters, loss_table
from rnncast.model.running import zero_states
from rnncast.model.sequences import read_rows, rows_from

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)


def make_model(rng, panel, *, learnt=True, **config):
    """A stateful model of two members that has read the panel from its first rows on."""
    season = config.get("season_length", 1)
    channels = ("change", "seasonal change", "mean") if season > 1 else ("change", "mean")
    network = NetworkConfig(
        **{"hidden_size": 6, "input_size": 12, "horizon": 4, "channels": channels, **config},
        direct=False,
        stateful=True,
    )
    parameters = np.stack([initial_parameters(network.shape, rng) for _ in range(2)])
    if learnt:
        parameters += 0.2 * rng.standard_normal(parameters.shape).astype(np.float32)
    steps = np.sqrt(np.arange(1.0, network.horizon + 1))
    blank = Model(
        network=network,
        parameters=parameters,
        head=loss_table(network, steps, steps[:, None] * np.ones(5)),
        gate=same_for_all(Blend("last value", 1.0)),
        calibration=None,
        columns=panel.columns,
        calendar=panel.calendar,
        trained_until=str(panel.times.max()),
        history=None,
        record={},
    )
    logarithmic = is_logarithmic(panel)
    states = zero_states(network.shape, 2, len(panel.ids))
    states = advanced(blank, working_series(panel, logarithmic), np.zeros(len(panel.ids), np.int64), states)
    return replace(blank, history=History(panel.tail(network.context_rows), logarithmic, states))


@pytest.fixture
def panel(rng):
    series = {"a": random_walk(rng, 110), "b": random_walk(rng, 110, start=0.01), "c": rng.standard_normal(110)}
    return make_panel(series)


def first(panel, rows):
    """The first rows of each series."""
    place = np.arange(len(panel.times)) - np.repeat(panel.indptr[:-1], panel.lengths)
    return panel.keep(place < rows)


def between(panel, start, stop):
    place = np.arange(len(panel.times)) - np.repeat(panel.indptr[:-1], panel.lengths)
    return panel.keep((place >= start) & (place < stop))


def by_hand(model, panel):
    """Point forecast (S, K), each member having read each whole series by itself."""
    config, found = model.network, []
    working = working_series(panel, model.history.logarithmic)
    inputs = read_rows(config, working, rows_from(panel.indptr, np.zeros(len(panel.ids), np.int64)))
    for s in range(len(panel.ids)):
        rows = panel.rows(s)
        raw = [twin.forward(config.shape, member, inputs.inputs[rows, :, None]) for member in model.parameters]
        change = np.mean([twin.head_quantiles(one.astype(np.float64), model.head)[:, 2, 0] for one in raw], axis=0)
        change = change * inputs.scale[rows][-1]
        last = panel.target[rows][-1]
        found.append(last * np.exp(change) if model.history.logarithmic[s] else last + change)
    return np.array(found)


def test_forecast_from_the_saved_state_is_that_of_the_whole_sequence(rng, panel):
    known = first(panel, 100)
    model = make_model(rng, known)
    np.testing.assert_allclose(forecast(model, None, 4, LEVELS).point.reshape(3, 4), by_hand(model, known), rtol=1e-6)


@pytest.mark.parametrize("config", [{}, {"season_length": 5}, {"layers": 2, "cell": "gru"}], ids=str)
@pytest.mark.parametrize("start", [0, 40, 99, 100], ids=["whole", "overlap", "one row again", "fresh alone"])
def test_fresh_rows_at_once_or_call_after_call_equal_the_whole_sequence(rng, panel, start, config):
    model = make_model(rng, first(panel, 100), **config)
    whole = make_model(np.random.default_rng(0), first(panel, 100), **config)
    whole = replace(whole, parameters=model.parameters)
    expected = by_hand(replace(whole, history=model.history), panel)
    if config.get("season_length", 1) > 1:  # the naive path is the season there: hold it against one run from zero
        expected = forecast(replace(model, history=None), panel, 4, LEVELS).point.reshape(3, 4)
    at_once = forecast(model, between(panel, start, 110), 4, LEVELS)
    np.testing.assert_allclose(at_once.point.reshape(3, 4), expected, rtol=1e-6)
    for stop in (101, 104, 110):
        model, said = carried_on(model, between(panel, min(start, stop - 1), stop))
        assert said == ()
    several = forecast(model, None, 4, LEVELS)
    assert several.quantiles.tobytes() == at_once.quantiles.tobytes()
    np.testing.assert_array_equal(several.times, at_once.times)


def test_rows_that_the_model_has_read_move_nothing(rng, panel):
    model = make_model(rng, panel)
    kept = forecast(model, None, 4, LEVELS)
    for rows in (panel, between(panel, 100, 110), between(panel, 109, 110)):
        assert forecast(model, rows, 4, LEVELS).quantiles.tobytes() == kept.quantiles.tobytes()


def test_a_series_is_carried_on_alike_whatever_its_company(rng, panel):
    model = make_model(rng, first(panel, 100))
    together = forecast(model, panel, 4, LEVELS)
    alone = forecast(model, panel.keep(np.repeat([False, True, False], 110)), 4, LEVELS)
    assert alone.ids == ("b",)
    np.testing.assert_allclose(alone.quantiles, together.quantiles[4:8], rtol=1e-6)


def rows_changed(panel, place, factor=1.01):
    values = panel.values.copy()
    values[place] *= factor
    return replace(panel, values=values)


APART = {
    "unknown": (lambda p: replace(p, ids=("new", "b", "c")), "the model does not know it"),
    "a gap after the rows kept": (
        lambda p: p.keep(np.r_[np.arange(110) > 103, np.ones(220, bool)]),
        "it begins at 2020-05-26, and the model goes on from 2020-05-20",
    ),
    "another value among the rows kept": (lambda p: rows_changed(p, 95), " at 2020-05-13, and was "),
    "a row missing among the rows kept": (
        lambda p: p.keep(np.arange(330) != 95),
        "the rows that the model keeps are others, first at 2020-05-13",
    ),
    "ends before the last row kept": (
        lambda p: p.keep(np.r_[np.arange(110) < 90, np.ones(220, bool)]),
        "it ends at 2020-05-05, and the model has read rows up to 2020-05-19",
    ),
    "below zero where it was in logarithms": (lambda p: rows_changed(p, 105, -1.0), "it is not positive any more"),
}


@pytest.mark.parametrize(("change", "reason"), APART.values(), ids=APART)
def test_rows_that_do_not_join_on_are_read_from_a_state_of_zero_and_it_is_said(rng, panel, change, reason):
    model = make_model(rng, first(panel, 100))
    rows = change(panel)
    carried, said = carried_on(model, rows)
    assert len(said) == 1
    assert f'"{rows.ids[0]}" is read from the first row given, with a state of zero' in said[0]
    assert reason in said[0]
    assert "more series" not in said[0]
    expected = forecast(replace(model, history=None), rows, 4, LEVELS)
    got = forecast(carried, None, 4, LEVELS)
    np.testing.assert_allclose(got.quantiles[:4], expected.quantiles[:4], rtol=1e-6)
    joined = forecast(model, panel, 4, LEVELS)
    np.testing.assert_allclose(got.quantiles[4:], joined.quantiles[4:], rtol=1e-6)


def test_a_value_that_was_written_with_fewer_digits_joins_on(rng, panel):
    model = make_model(rng, first(panel, 100))
    rounded = replace(panel, values=panel.values * (1 + 1e-12))
    assert carried_on(model, rounded)[1] == ()


def test_a_model_without_history_reads_all_rows_given(rng, panel):
    model = replace(make_model(rng, first(panel, 100)), history=None)
    carried, said = carried_on(model, panel)
    assert "and so are 2 more series" in said[0]
    whole = make_model(np.random.default_rng(1), panel)
    whole = replace(whole, parameters=model.parameters)
    np.testing.assert_allclose(forecast(carried, None, 4, ()).point.reshape(3, 4), by_hand(whole, panel), rtol=1e-6)
    assert (carried.history.panel.lengths == 110).all()  # all, where there are fewer than a forecast depends on


def test_integer_steps_join_on_at_the_very_next_step(rng):
    panel = make_panel({"a": random_walk(rng, 60), "b": random_walk(rng, 50)}, dated=False)
    model = make_model(rng, first(panel, 45))
    carried, said = carried_on(model, between(panel, 45, 60))
    assert said == ()
    np.testing.assert_allclose(forecast(carried, None, 4, ()).point, forecast(model, panel, 4, ()).point, rtol=1e-9)
    assert carried_on(model, between(panel, 46, 60))[1] != ()
    with pytest.raises(DataError, match="dates"):
        forecast(model, make_panel({"a": random_walk(rng, 60)}), 4, ())


def test_horizon_beyond_the_trained_one_carries_the_state_on_over_the_path(rng, panel):
    """The second pass is what the model says after it has read its own medians."""
    model = make_model(rng, panel)
    long, short = forecast(model, None, 8, ()), forecast(model, None, 4, ())
    first_steps = long.point.reshape(3, 8)[:, :4]
    np.testing.assert_array_equal(first_steps.reshape(-1), short.point)
    ends = panel.indptr[1:]
    future = model.calendar.future(panel.times[ends - 1], 4)  # (S, 4)
    path = replace(
        panel,
        indptr=panel.indptr + 4 * np.arange(4),
        times=np.insert(panel.times, np.repeat(ends, 4), future.reshape(-1)),
        values=np.insert(panel.values[:, 0], np.repeat(ends, 4), short.point)[:, None],
    )
    carried, said = carried_on(model, path)
    assert said == ()
    expected = forecast(carried, None, 4, ()).point.reshape(3, 4)
    np.testing.assert_allclose(long.point.reshape(3, 8)[:, 4:], expected, rtol=1e-6)


def test_untrained_network_forecasts_the_last_value(rng, panel):
    got = forecast(make_model(rng, panel, learnt=False), panel, 4, LEVELS)
    np.testing.assert_array_equal(got.point, np.repeat(panel.target[panel.indptr[1:] - 1], 4))


def test_kernels_and_parts_change_nothing_but_rounding(rng, panel, monkeypatch):
    model = make_model(rng, first(panel, 100))
    expected = forecast(model, panel, 4, LEVELS)
    monkeypatch.setattr(predict, "CHUNK", 2)
    monkeypatch.setattr(running, "MOST_STEPS", 3)
    core = choose_core(model, panel, 4, "numba")
    np.testing.assert_allclose(forecast(model, panel, 4, LEVELS, core).quantiles, expected.quantiles, rtol=1e-6)


def test_rows_that_the_states_know_are_no_work(rng, panel):
    model = make_model(rng, first(panel, 100))
    members, fresh = len(model.parameters), panel.lengths - 100
    got = choose_core(model, panel, 4)
    assert (got.series, got.steps) == (3, members * int(fresh.max()))
    assert choose_core(model, None, model.network.horizon).steps == 0
    strange = choose_core(replace(model, history=None), panel, 4)
    assert strange.steps == members * int(panel.lengths.max())


def test_early_rows_matter_however_long_ago(rng, panel):
    """What a window of 12 rows cannot do: the forecast depends on the first row of all."""
    model = replace(make_model(rng, first(panel, 30)), history=None)
    before = forecast(model, first(panel, 30), 4, ()).point
    after = forecast(model, rows_changed(first(panel, 30), 1), 4, ()).point
    assert before[:4].tobytes() != after[:4].tobytes()
