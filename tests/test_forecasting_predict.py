from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.core.student_t import student_t_quantile
from rnncast.data.calendar import learn_calendar, named_calendar
from rnncast.data.transform import is_logarithmic
from rnncast.data.write import format_times
from rnncast.errors import DataError, UsageError
from rnncast.forecasting import predict
from rnncast.forecasting.cores import choose_core
from rnncast.forecasting.predict import forecast
from rnncast.forecasting.stamps import calendar_of
from rnncast.model import running
from rnncast.model.config import NetworkConfig
from rnncast.model.gate import GROUPS, Blend, same_for_all
from rnncast.model.intervals import LEVELS as TABLE
from rnncast.model.intervals import Calibration, Volatility
from rnncast.model.model import History, Model
from rnncast.model.network import initial_parameters, loss_table

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)


BOTH = pytest.mark.parametrize("loss", ["quantile", "student-t"])


def make_model(rng, panel, *, learnt=True, blend=1.0, baseline="last value", calibration=None, **config):
    network = NetworkConfig(**{"cell": "lstm", "hidden_size": 6, "input_size": 12, "horizon": 4, **config})
    parameters = np.stack([initial_parameters(network.shape, rng) for _ in range(2)])
    if learnt:  # an output layer that is not zero: forecasts then depend on all rows of the window
        parameters += 0.1 * rng.standard_normal(parameters.shape).astype(np.float32)
    steps = np.sqrt(np.arange(1.0, network.horizon + 1))
    gaps = steps[:, None] * np.ones(network.shape.output_group)
    return Model(
        network=network,
        parameters=parameters,
        head=loss_table(network, steps, gaps),
        gate=same_for_all(Blend(baseline, blend)),
        calibration=calibration,
        columns=panel.columns,
        calendar=panel.calendar,
        trained_until=str(panel.times.max()),
        history=History(panel.tail(network.context_rows), is_logarithmic(panel)),
        record={},
    )


@pytest.fixture
def panel(rng):
    return make_panel({"a": random_walk(rng, 80), "b": random_walk(rng, 60, start=0.01), "c": rng.standard_normal(90)})


@BOTH
def test_kept_rows_and_fresh_rows_give_the_same_forecast(rng, panel, loss):
    model = make_model(rng, panel, loss=loss)
    kept, fresh = forecast(model, None, 4, LEVELS), forecast(model, panel, 4, LEVELS)
    assert kept.quantiles.tobytes() == fresh.quantiles.tobytes()
    np.testing.assert_array_equal(kept.times, fresh.times)


def test_positive_rows_that_are_kept_stay_levels_when_earlier_rows_were_negative(rng):
    values = np.concatenate(([-36.98], random_walk(rng, 600)))
    panel = make_panel({"WTI": values})
    model = make_model(rng, panel)
    assert (model.history.panel.target > 0).all()
    assert forecast(model, None, 4, LEVELS).point.tobytes() == forecast(model, panel, 4, LEVELS).point.tobytes()


@BOTH
def test_long_table_is_series_after_series_and_step_after_step(rng, panel, loss):
    got = forecast(make_model(rng, panel, loss=loss), panel, 3, LEVELS)
    assert got.series.tolist() == [0] * 3 + [1] * 3 + [2] * 3
    assert got.steps.tolist() == [1, 2, 3] * 3
    np.testing.assert_array_equal(got.cutoffs[::3], panel.times[panel.indptr[1:] - 1])
    assert (got.times > got.cutoffs).all()
    assert (np.diff(got.quantiles, axis=1) >= 0).all()
    np.testing.assert_array_equal(got.point, got.quantiles[:, 2])


def test_a_series_is_forecast_alike_whatever_its_company(rng, panel):
    model = make_model(rng, panel)
    alone = forecast(model, make_panel({"other name": panel.target[panel.rows(1)]}), 4, LEVELS)
    together = forecast(model, panel, 4, LEVELS)
    np.testing.assert_allclose(alone.quantiles, together.quantiles[4:8], rtol=1e-5)


def test_untrained_network_forecasts_the_last_value(rng, panel):
    got = forecast(make_model(rng, panel, learnt=False), panel, 4, LEVELS)
    expected = np.repeat(panel.target[panel.indptr[1:] - 1], 4)
    np.testing.assert_array_equal(got.point, expected)


@BOTH
def test_blend_of_zero_leaves_the_naive_path_and_keeps_intervals(rng, panel, loss):
    got = forecast(make_model(rng, panel, blend=0.0, loss=loss), panel, 4, LEVELS)
    np.testing.assert_allclose(got.point, np.repeat(panel.target[panel.indptr[1:] - 1], 4), rtol=1e-12)
    assert (np.diff(got.quantiles, axis=1) > 0).all()


@BOTH
def test_last_row_and_first_row_of_the_window_matter(rng, panel, loss):
    model = make_model(rng, panel, loss=loss)
    before = forecast(model, panel, 4, LEVELS).point
    for back, changes in ((1, True), (12, True), (13, False)):
        values = panel.values.copy()
        values[panel.indptr[1] - back] *= 1.05
        after = forecast(model, replace(panel, values=values), 4, LEVELS).point
        assert (before[:4].tobytes() != after[:4].tobytes()) == changes, back


def test_short_history_of_two_rows_is_forecast(rng, panel):
    got = forecast(make_model(rng, panel), make_panel({"new": np.array([5.0, 5.1])}), 4, LEVELS)
    assert np.isfinite(got.quantiles).all()
    with pytest.raises(DataError, match='"new" has 1 row'):
        forecast(make_model(rng, panel), replace_lengths("new"), 4, LEVELS)


def replace_lengths(name):
    two = make_panel({name: np.array([5.0, 5.1])})
    return two.keep(np.array([True, False]))


def test_positive_series_has_positive_bounds_and_constant_series_stays(rng, panel):
    model = make_model(rng, panel)
    wild = 1e-4 * np.exp(np.cumsum(rng.standard_normal(60)))
    got = forecast(model, make_panel({"wild": wild, "peg": np.full(60, 3.8)}), 4, LEVELS)
    assert (got.quantiles > 0).all()
    np.testing.assert_allclose(got.quantiles[4:], 3.8, rtol=1e-5)


@BOTH
def test_other_levels_are_between_and_beyond_the_trained_ones(rng, panel, loss):
    model = make_model(rng, panel, loss=loss)
    got = forecast(model, panel, 4, (0.01, 0.025, 0.05, 0.1, 0.5, 0.99))
    assert (np.diff(got.quantiles, axis=1) > 0).all()
    expected = forecast(model, panel, 4, LEVELS)
    np.testing.assert_array_equal(got.quantiles[:, [1, 3, 4]], expected.quantiles[:, :3])


def test_a_distribution_has_its_own_quantiles_at_any_level(rng, panel):
    """Not interpolated ones: those of a straight line in the normal score would have the tails of a normal."""
    model = make_model(rng, panel, learnt=False, loss="student-t")
    asked = (1e-5, 0.001, 0.3, 0.5, 0.9995)
    got = forecast(model, make_panel({"a": -100 + np.cumsum(rng.standard_normal(80))}), 4, asked)
    widths = got.quantiles - got.point[:, None]  # (K, L)
    expected = np.sqrt(np.arange(1.0, 5.0))[:, None] * [
        [student_t_quantile(level, np.array(2.0 + root)) for level in asked] for root in np.sqrt(np.arange(1.0, 5.0))
    ]
    np.testing.assert_allclose(widths / widths[0, 4], expected / expected[0, 4], rtol=1e-5, atol=1e-12)
    few = forecast(model, panel, 4, (0.3,)).quantiles
    assert few.tobytes() == forecast(model, panel, 4, (0.2, 0.3, 0.999)).quantiles[:, [1]].tobytes()


@BOTH
def test_horizon_beyond_the_trained_one_rolls_on(rng, panel, loss):
    model = make_model(rng, panel, loss=loss)
    long, short = forecast(model, panel, 10, LEVELS), forecast(model, panel, 4, LEVELS)
    first = (long.steps <= 4).nonzero()[0]
    np.testing.assert_array_equal(long.quantiles[first], short.quantiles)
    assert (np.diff(long.quantiles, axis=1) > 0).all()
    width = np.log(long.quantiles[:10, 4] / long.quantiles[:10, 0])
    assert width[4] > width[3] and width[9] > width[5]
    assert long.trained_horizon == 4


def test_rolling_on_continues_a_season(rng):
    season = np.array([1.0, 5.0, 2.0, 8.0])
    panel = make_panel({"a": np.tile(season, 20)})
    model = make_model(rng, panel, learnt=False, season_length=4, horizon=3)
    assert model.network_share == 1.0
    np.testing.assert_allclose(forecast(model, panel, 10, ()).point, np.tile(season, 3)[:10], rtol=1e-9)


@BOTH
def test_kernels_and_numpy_agree(rng, panel, loss):
    model = make_model(rng, panel, loss=loss)
    cores = [choose_core(model, panel, 6, name) for name in ("numpy", "numba")]
    expected, got = (forecast(model, panel, 6, LEVELS, core) for core in cores)
    np.testing.assert_allclose(got.quantiles, expected.quantiles, rtol=1e-5)
    assert got.quantiles.tobytes() != expected.quantiles.tobytes()  # it was another core


@pytest.mark.parametrize("limit", [1e-9, 1e9], ids=["numba", "numpy"])
def test_the_choice_is_the_core_that_it_names_to_the_last_bit(rng, panel, monkeypatch, limit):
    monkeypatch.setattr(running, "TWIN_STEPS", limit)
    model = make_model(rng, panel)
    chosen = choose_core(model, panel, 6)
    assert chosen.name == ("numba" if limit < 1 else "numpy")
    assert not chosen.asked
    expected = forecast(model, panel, 6, LEVELS, choose_core(model, panel, 6, chosen.name))
    for got in (forecast(model, panel, 6, LEVELS, chosen), forecast(model, panel, 6, LEVELS)):
        assert got.quantiles.tobytes() == expected.quantiles.tobytes()
        assert got.point.tobytes() == expected.point.tobytes()


def test_work_grows_with_passes_members_and_series(rng, panel):
    model = make_model(rng, panel)
    config, members, series = model.network, len(model.parameters), len(panel.ids)
    once, twice = (choose_core(model, panel, passes * config.horizon) for passes in (1, 2))
    assert (once.series, once.steps) == (series, members * config.input_size)
    assert (twice.steps, twice.share) == (2 * once.steps, pytest.approx(2 * once.share))
    wide = choose_core(model, panel.tail(12), config.horizon)
    assert wide.share == once.share  # rows before the window do not count
    assert choose_core(model, panel.keep(np.arange(len(panel.times)) < panel.indptr[1]), 1).share < once.share


def test_chunks_change_nothing_but_rounding(rng, panel, monkeypatch):
    model = make_model(rng, panel)
    expected = forecast(model, panel, 4, LEVELS)
    monkeypatch.setattr(predict, "CHUNK", 2)
    np.testing.assert_allclose(forecast(model, panel, 4, LEVELS).quantiles, expected.quantiles, rtol=1e-5)


def test_model_without_rows_asks_for_some(rng, panel):
    with pytest.raises(UsageError, match="keeps no rows"):
        forecast(replace(make_model(rng, panel), history=None), None, 4, LEVELS)


def test_model_without_quantiles_refuses_levels(rng, panel):
    model = make_model(rng, panel, loss="mse", quantile_levels=(0.5,))
    assert np.isfinite(forecast(model, panel, 4, ()).point).all()
    with pytest.raises(UsageError, match="no intervals"):
        forecast(model, panel, 4, LEVELS)


def test_steps_for_a_model_of_dates_are_refused(rng, panel):
    with pytest.raises(DataError, match="integer steps"):
        forecast(make_model(rng, panel), make_panel({"a": random_walk(rng, 50)}, dated=False), 4, LEVELS)


def test_table_names_follow_the_field(rng, panel):
    got = forecast(make_model(rng, panel), panel, 2, (0.05, 0.1, 0.95))
    table = got.table(levels=[90], quantiles=[0.1])
    assert list(table) == ["ticker", "date", "rnncast", "rnncast-lo-90", "rnncast-hi-90", "rnncast_ql0.1"]
    assert table["ticker"].tolist() == ["a", "a", "b", "b", "c", "c"]
    np.testing.assert_array_equal(table["rnncast-hi-90"], got.quantiles[:, 2])
    with pytest.raises(KeyError, match="was not forecast"):
        got.table(levels=[50])


def test_stamps_follow_a_calendar_that_was_named(rng, panel):
    model = make_model(rng, panel)
    daily = forecast(model, replace(panel, calendar=named_calendar("D")), 4, ())
    assert (np.diff(daily.times[:4]) == np.timedelta64(1, "D")).all()
    assert (
        forecast(model, replace(panel, calendar=learn_calendar(panel.times[:3], np.array([0, 3]))), 4, ()).times[0]
        == model.calendar.future(panel.times[panel.indptr[1] - 1], 1)[0]
    )


def test_stamps_follow_the_zone_and_the_holidays_of_the_rows(rng, panel):
    model = make_model(rng, panel)
    assert forecast(model, panel, 1, ()).zone is None
    zoned = replace(panel, calendar=replace(panel.calendar, zone="Europe/London"))
    assert forecast(model, zoned, 1, ()).zone == "Europe/London"
    following = model.calendar.future(panel.times[panel.indptr[1] - 1], 2)
    closed = replace(panel, calendar=replace(panel.calendar, holidays=(str(following[0])[:10],)))
    assert forecast(model, closed, 1, ()).times[0] == following[1]


@pytest.mark.parametrize(
    ("own", "trained", "expected"),
    [(None, None, None), (None, "UTC", None), ("UTC", None, "UTC"), ("UTC", "Europe/London", "Europe/London")],
    ids=["neither", "the model alone", "the rows alone", "both"],
)
def test_days_are_those_of_the_zone_that_is_known(rng, panel, own, trained, expected):
    model = replace(make_model(rng, panel), calendar=replace(panel.calendar, zone=trained))
    got = calendar_of(model, replace(panel, calendar=replace(panel.calendar, zone=own)))
    assert got.zone == expected


def test_forecast_beyond_all_numbers_is_an_error(rng, panel):
    with pytest.raises(DataError, match="no finite number from step"):
        forecast(
            make_model(rng, panel), make_panel({"huge": 1e308 * np.exp(-np.abs(rng.standard_normal(30)))}), 4, LEVELS
        )


def test_history_shorter_than_a_season_is_forecast_by_its_last_value(rng):
    long = make_panel({"a": 10 + np.tile(np.arange(12.0), 10)})
    model = make_model(rng, long, learnt=False, season_length=12, horizon=12)
    got = forecast(model, make_panel({"new": np.array([100.0, 200.0, 300.0])}), 12, ())
    np.testing.assert_array_equal(got.point, 300.0)


def test_intervals_beyond_the_trained_horizon_grow_like_those_of_a_walk(rng, panel):
    """Gaps that grow with the root of time inside the trained horizon must go on doing so."""
    model = make_model(rng, panel, learnt=False)
    got = forecast(model, make_panel({"a": -100 + np.cumsum(rng.standard_normal(80))}), 40, LEVELS)
    widths = got.quantiles[:, 4] - got.quantiles[:, 0]
    np.testing.assert_allclose(widths / widths[0], np.sqrt(np.arange(1, 41)), rtol=1e-6)


def test_horizon_has_an_end(rng, panel):
    with pytest.raises(UsageError, match="at most 10000"):
        forecast(make_model(rng, panel), panel, 10_001, LEVELS)


def test_stamps_with_a_time_of_day_keep_it_at_midnight(rng, panel):
    hours = np.datetime64("2020-01-01", "us") + np.arange(48) * np.timedelta64(1, "h")
    hourly = replace(
        make_panel({"a": random_walk(rng, 48)}), times=hours, calendar=learn_calendar(hours, np.array([0, 48]))
    )
    got = forecast(make_model(rng, hourly), hourly, 1, ())
    assert format_times(got.times) == ["2020-01-03T00:00:00"]
    assert format_times(forecast(make_model(rng, panel), panel, 1, ()).times)[0].count(":") == 0


def normal_calibration(width=0.0):
    """Scores that are normal, with a standard deviation that grows like a walk's."""
    deviations = np.sqrt(np.arange(1.0, 5.0))[:, None]
    scores = deviations * np.array([NormalDist().inv_cdf(level) for level in TABLE])
    return Calibration(Volatility(0.94, 0.97, width), np.stack([scores] * len(GROUPS)))


@pytest.mark.parametrize("width", [0.0, 0.5, 1.0])
def test_calibrated_intervals_have_any_level_and_surround_the_point(rng, panel, width):
    model = make_model(rng, panel, blend=0.3, baseline="drift", calibration=normal_calibration(width))
    levels = (0.001, 0.05, 0.31, 0.5, 0.77, 0.95, 0.9999)
    got = forecast(model, panel, 9, levels)
    assert (np.diff(got.quantiles, axis=1) > 0).all()
    np.testing.assert_allclose(got.quantiles[:, 3], got.point, rtol=1e-12)
    kept = forecast(model, None, 9, levels)
    assert kept.quantiles.tobytes() == got.quantiles.tobytes()
    assert kept.network.tobytes() == got.network.tobytes()


def test_calibrated_intervals_widen_and_narrow_with_the_volatility(rng):
    calm, steps = random_walk(rng, 300), rng.standard_normal(60)
    panels = [
        make_panel({"a": np.concatenate((calm, calm[-1] * np.exp(np.cumsum(size * steps))))}) for size in (0.002, 0.04)
    ]
    model = make_model(rng, panels[0], blend=0.0, calibration=normal_calibration())
    quiet, stormy = (np.log(np.divide(*forecast(model, p, 4, (0.1, 0.9)).quantiles.T[::-1])) for p in panels)
    assert (stormy > 5 * quiet).all()
    reverting = stormy / np.sqrt(np.arange(1, 5))
    assert (np.diff(reverting) < 0).all()  # what was a storm is expected to calm down


def test_scale_of_a_walk_is_that_of_its_steps(rng):
    """Normal scores, no reversion and no width: normal intervals with an EWMA of absolute returns."""
    values = random_walk(rng, 200)
    panel = make_panel({"a": values})
    model = make_model(
        rng, panel, blend=0.0, calibration=replace(normal_calibration(), volatility=Volatility(0.94, 1, 0))
    )
    got = forecast(model, panel, 4, (0.05, 0.95)).quantiles
    returns = np.diff(np.log(values))
    weights = 0.94 ** np.arange(len(returns))[::-1]
    deviation = (weights @ np.abs(returns)) / weights.sum() * np.sqrt(np.arange(1, 5))
    expected = values[-1] * np.exp(np.outer(deviation, [-1.6448536, 1.6448536]))
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_network_alone_is_given_beside_what_is_issued(rng, panel):
    alone = forecast(make_model(rng, panel), panel, 4, LEVELS)
    np.testing.assert_array_equal(alone.network, alone.point)
    model = make_model(rng, panel)
    gates = [same_for_all(Blend("theta", share)) for share in (0.25, 1.0, 0.0)]
    blended, whole, baseline = (forecast(replace(model, gate=gate), panel, 4, ()) for gate in gates)
    np.testing.assert_allclose(blended.network, whole.point)
    positive = np.repeat([True, True, False], 4)  # the blend is one of logarithms there
    expected = 0.25 * whole.point + 0.75 * baseline.point
    logs = np.exp(0.25 * np.log(whole.point[positive]) + 0.75 * np.log(baseline.point[positive]))
    np.testing.assert_allclose(blended.point, np.concatenate((logs, expected[~positive])), rtol=1e-9)


def test_group_stays_that_of_the_real_rows_when_rolling_on(rng):
    """The model's own flat path must not make a walk one that stands still, with another blend."""
    panel = make_panel({"a": random_walk(rng, 80)})
    blends = {name: Blend("drift", 0.0) for name in GROUPS} | {"walking": Blend("last value", 0.0)}
    model = make_model(rng, panel)
    model = replace(model, gate=tuple(blends[name] for name in GROUPS))
    got = forecast(model, panel, 60, ())
    np.testing.assert_allclose(got.point, panel.target[-1], rtol=1e-12)


def test_quantile_that_touches_the_median_at_first_moves_away_later(rng, panel):
    calibration = normal_calibration()
    scores = calibration.scores.copy()
    scores[:, 0] = np.where(np.array(TABLE) < 0.5, 0.0, scores[:, 0])
    model = make_model(rng, panel, blend=0.0, calibration=replace(calibration, scores=scores))
    low = forecast(model, panel, 8, (0.1,)).quantiles.reshape(3, 8)
    last = panel.target[panel.indptr[1:] - 1]
    np.testing.assert_array_equal(low[:, 0], last)
    np.testing.assert_allclose(low[:, 4], low[:, 3], rtol=1e-9)  # that of the horizon before, with nothing on top
    assert (low[:, 4] < last).all()
