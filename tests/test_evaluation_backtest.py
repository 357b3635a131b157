from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.core.threads import set_threads
from rnncast.data.calendar import learn_calendar
from rnncast.errors import DataError, UsageError
from rnncast.evaluation.backtest import evaluate_model, evaluate_panel
from rnncast.evaluation.origins import Plan
from rnncast.forecasting.predict import forecast
from rnncast.training import train as train_module
from rnncast.training.defaults import TrainOptions, resolve
from rnncast.training.train import train

OPTIONS = TrainOptions(cell="gru", hidden_size=4, members=1, max_epochs=2, horizon=5)


@pytest.fixture
def panel(rng):
    return make_panel({"a": random_walk(rng, 240), "b": 10 + rng.standard_normal(200)})


def trained_until(panel, row):
    known = panel.until(panel.times[row])
    network, training, _ = resolve(OPTIONS, known)
    return train(known, network, training)[0]


@pytest.mark.parametrize(
    ("refit", "loss"),
    [(0, "quantile"), (1, "quantile"), (2, "quantile"), (1, "student-t")],
    ids=["never", "always", "every second", "always, student-t"],
)
def test_rows_after_an_origin_change_no_byte_of_its_forecast(panel, refit, loss):
    """The leak test: whatever comes after a cutoff, the forecast at that cutoff stays the same to the bit."""
    plan = Plan(n_windows=3, step_size=10, refit=refit)
    options = replace(OPTIONS, loss=loss)
    expected = evaluate_panel(panel, options, plan).backtest
    for origin in range(3):
        cutoff = expected.cutoffs[expected.origin == origin].max()
        values = np.where((panel.times > cutoff)[:, None], -1e3 * panel.values + 7, panel.values)
        got = evaluate_panel(replace(panel, values=values), options, plan).backtest
        rows = expected.origin <= origin
        for method, point in expected.points.items():
            assert got.points[method][rows].tobytes() == point[rows].tobytes(), method
        for method, quantiles in expected.quantiles.items():
            assert got.quantiles[method][rows].tobytes() == quantiles[rows].tobytes(), method
        assert got.scale_absolute[rows].tobytes() == expected.scale_absolute[rows].tobytes()
        assert got.actual[rows].tobytes() != expected.actual[rows].tobytes()


@pytest.mark.parametrize("refit", [0, 2], ids=["never", "every second"])
def test_rows_after_an_origin_change_no_byte_of_a_stateful_forecast(panel, refit):
    options, plan = replace(OPTIONS, stateful=True), Plan(n_windows=3, step_size=10, refit=refit)
    expected = evaluate_panel(panel, options, plan).backtest
    for origin in range(3):
        cutoff = expected.cutoffs[expected.origin == origin].max()
        values = np.where((panel.times > cutoff)[:, None], -1e3 * panel.values + 7, panel.values)
        got = evaluate_panel(replace(panel, values=values), options, plan).backtest
        rows = expected.origin <= origin
        assert got.points["rnncast"][rows].tobytes() == expected.points["rnncast"][rows].tobytes()
        assert got.quantiles["rnncast"][rows].tobytes() == expected.quantiles["rnncast"][rows].tobytes()


def test_the_state_of_an_origin_has_come_from_the_rows_up_to_it_alone(panel):
    """Carried from origin to origin it is what a forecast from these rows has; and later rows change no byte of it."""
    known = panel.until(panel.times[150])
    network, training, _ = resolve(replace(OPTIONS, stateful=True), known)
    model, _ = train(known, network, training)
    got = evaluate_model(model, panel, Plan(step_size=5), levels=[80]).backtest
    for origin in np.unique(got.origin):
        rows = got.origin == origin
        cutoff = got.cutoffs[rows].max()
        alone = forecast(model, panel.until(cutoff), 5, got.quantile_levels)
        scored = np.isin(alone.series, np.unique(got.series[rows]))
        np.testing.assert_allclose(got.points["rnncast"][rows], alone.point[scored], rtol=1e-6)
        values = np.where((panel.times > cutoff)[:, None], 1e3 * panel.values + 7, panel.values)
        again = evaluate_model(model, replace(panel, values=values), Plan(step_size=5), levels=[80]).backtest
        before = got.origin <= origin
        assert again.points["rnncast"][before].tobytes() == got.points["rnncast"][before].tobytes()


def test_rows_that_do_not_join_on_to_the_model_are_said(panel):
    known = panel.until(panel.times[150])
    network, training, _ = resolve(replace(OPTIONS, stateful=True), known)
    model, _ = train(known, network, training)
    notes = evaluate_model(model, panel, Plan(n_windows=2)).notes
    assert not any("state of zero" in note for note in notes)
    notes = evaluate_model(model, replace(panel, values=1.01 * panel.values), Plan(n_windows=2)).notes
    assert sum("state of zero" in note for note in notes) == 1


def test_rows_after_an_origin_do_not_leak_through_settings_left_to_the_data(panel):
    options = replace(OPTIONS, horizon=None, hidden_size=None)
    plan = Plan(n_windows=2, step_size=10)
    expected = evaluate_panel(panel, options, plan).backtest
    cutoff = expected.cutoffs[expected.origin == 0].max()
    season = np.tile([0.0, 50.0, 5.0, 80.0, 2.0], len(panel.times))[: len(panel.times), None]
    values = np.where((panel.times > cutoff)[:, None], season, panel.values)
    got = evaluate_panel(replace(panel, values=values), options, plan).backtest
    rows = expected.origin == 0
    assert got.points["rnncast"][got.origin == 0].tobytes() == expected.points["rnncast"][rows].tobytes()


def test_rows_are_what_came_and_forecasts_stand_beside_the_baselines(panel):
    run = evaluate_panel(panel, replace(OPTIONS, season_length=5), Plan(n_windows=3, step_size=10))
    got, notes = run.backtest, run.notes
    paths = ["rnncast", "network", "last value", "drift", "seasonal naive", "theta", "damped trend"]
    assert list(got.points) == paths
    assert got.methods == (*paths, "empirical", "ewma normal", "garch t")
    assert set(got.quantiles) == set(got.methods) - {"network", "theta", "damped trend"}
    for s, end in ((0, 215), (1, 200)):
        rows = (got.series == s) & (got.origin == 0)
        end += panel.indptr[s]
        if s == 1:
            assert not rows.any()  # it ended before the first origin
            continue
        np.testing.assert_array_equal(got.actual[rows], panel.target[end : end + 5])
        np.testing.assert_array_equal(got.times[rows], panel.times[end : end + 5])
        np.testing.assert_array_equal(got.points["last value"][rows], panel.target[end - 1])
    assert any("3 origins" in note for note in notes)


def test_trained_model_is_scored_only_after_its_last_training_row(panel):
    model = trained_until(panel, 150)
    run = evaluate_model(model, panel, Plan(step_size=5), levels=[80])
    got, notes = run.backtest, run.notes
    assert (got.times > panel.times[150]).all()
    assert (got.cutoffs >= panel.times[150]).all()
    assert got.quantiles["rnncast"].shape[1] == 3
    assert any("trained once" in note for note in notes)


def test_model_and_nothing_new_is_an_error_that_names_two_ways_out(panel):
    model = trained_until(panel, 239)
    with pytest.raises(DataError, match="no row after the last training row") as caught:
        evaluate_model(model, panel, Plan())
    assert "evaluate INPUT" in caught.value.hint
    assert "--until" in caught.value.hint
    assert caught.value.exit_code == 65


def test_model_beats_the_last_value_where_there_is_something_to_learn(rng):
    panel = make_panel({"noise": 10 + rng.standard_normal(700)})
    options = replace(OPTIONS, max_epochs=None, hidden_size=8)
    got = evaluate_panel(panel, options, Plan(n_windows=20, step_size=5)).backtest
    errors = {name: np.abs(got.actual - point).mean() for name, point in got.points.items()}
    assert errors["rnncast"] < 0.85 * errors["last value"]


def test_integer_steps_and_short_series(rng):
    rows = 3 * OPTIONS.horizon + 1  # the last series has a single one before the first origin
    panel = make_panel({name: random_walk(rng, n) for name, n in zip("abc", (120, 20, rows), strict=True)}, dated=False)
    with pytest.raises(DataError, match="--skip-bad|too few"):
        evaluate_panel(panel, OPTIONS, Plan(n_windows=3))
    run = evaluate_panel(panel, OPTIONS, Plan(n_windows=3), skip_short=True)
    got, notes = run.backtest, run.notes
    assert (got.times > got.cutoffs).all()
    assert any("left out as too short: c" in note for note in notes)
    assert set(got.series.tolist()) >= {0, 1}


@pytest.mark.parametrize("dated", [True, False], ids=["dates", "integer steps"])
def test_settings_come_from_rows_before_an_early_first_origin(rng, dated):
    """Most rows lie after the first origin, and a season begins there: neither horizon nor season may know of it."""
    months = np.arange("2000-01", "2020-01", dtype="datetime64[M]").astype("datetime64[us]")
    plain = make_panel({"a": random_walk(rng, 240)}, dated=False)
    if dated:
        plain = replace(plain, times=months, calendar=learn_calendar(months, plain.indptr))
    season = np.where(np.arange(240) >= 60, 50.0 * np.sin(2 * np.pi * np.arange(240) / 12), 0.0)
    seasonal = replace(plain, values=plain.values + 200 + season[:, None])
    options = replace(OPTIONS, horizon=None)
    plan = Plan(n_windows=12, step_size=14)
    expected = evaluate_panel(replace(plain, values=plain.values + 200), options, plan).backtest
    run = evaluate_panel(seasonal, options, plan)
    got, notes = run.backtest, run.notes
    first = expected.cutoffs.min()
    assert (plain.times <= first).sum() < 90
    assert got.steps.max() == expected.steps.max() == 10
    assert got.cutoffs.min() == first
    assert any(note.startswith("no season found") for note in notes)


@pytest.mark.parametrize("loss", ["quantile", "mse"])
@pytest.mark.parametrize("dated", [True, False], ids=["dates", "integer steps"])
def test_origins_forecast_together_are_as_forecast_one_by_one(rng, loss, dated):
    """The oracle is a forecast of each series from the rows up to each cutoff, by itself."""
    turning = np.concatenate((random_walk(rng, 170), -random_walk(rng, 30)))  # positive before the later origins
    panel = make_panel({"a": random_walk(rng, 200), "b": turning, "c": random_walk(rng, 190)}, dated=dated)
    known = panel.keep(np.arange(len(panel.times)) - np.repeat(panel.indptr[:-1], panel.lengths) < 120)
    network, training, _ = resolve(replace(OPTIONS, loss=loss, horizon=7), known)
    model, _ = train(known, network, training)
    levels = [80] if loss == "quantile" else []
    got = evaluate_model(model, panel, Plan(step_size=9, gap=2), horizon=5, levels=levels).backtest
    assert len(np.unique(got.origin)) > 4
    for origin, s in {*zip(got.origin.tolist(), got.series.tolist(), strict=True)}:
        rows = (got.origin == origin) & (got.series == s)
        first = int(np.searchsorted(panel.times[panel.rows(s)], got.cutoffs[rows][0], side="right"))
        alone = make_panel({"x": panel.target[panel.rows(s)][:first]}, dated=dated)
        expected = forecast(model, alone, 7, got.quantile_levels)
        steps = got.steps[rows] - 1
        assert steps[0] == 2
        np.testing.assert_allclose(got.points["rnncast"][rows], expected.point[steps], rtol=1e-5)
        np.testing.assert_allclose(got.quantiles["rnncast"][rows], expected.quantiles[steps], rtol=1e-5)
        np.testing.assert_array_equal(got.actual[rows], panel.target[panel.rows(s)][first + steps])


def test_a_gap_is_skipped_by_every_method_and_trained_for(panel):
    plan = Plan(n_windows=2, step_size=10, gap=3)
    run = evaluate_panel(panel, OPTIONS, plan)
    got = run.backtest
    rows = (got.series == 0) & (got.origin == 1)
    assert got.steps[rows].tolist() == [4, 5, 6, 7, 8]
    cutoff = int(np.searchsorted(panel.times[panel.rows(0)], got.cutoffs[rows][0]))
    assert cutoff == 240 - 1 - 5 - 3
    np.testing.assert_array_equal(got.times[rows], panel.times[cutoff + 4 : cutoff + 9])
    np.testing.assert_array_equal(got.actual[rows], panel.target[cutoff + 4 : cutoff + 9])
    history = panel.target[: cutoff + 1]
    slope = (history[-1] - history[0]) / cutoff
    np.testing.assert_allclose(got.points["drift"][rows], history[-1] + slope * np.arange(4, 9), rtol=1e-12)
    assert run.horizon == 5
    # without a gap, and with a horizon of 8, the same training forecasts the same steps
    longer = evaluate_panel(panel, replace(OPTIONS, horizon=8), Plan(n_windows=2, step_size=10)).backtest
    same = (longer.series == 0) & (longer.origin == 1) & (longer.steps > 3)
    np.testing.assert_array_equal(got.points["rnncast"][rows], longer.points["rnncast"][same])


@pytest.mark.parametrize("refit", [0, 1], ids=["never", "always"])
def test_a_training_sees_the_last_rows_alone(panel, monkeypatch, refit):
    seen, real = [], train_module.train
    monkeypatch.setattr(
        train_module, "train", lambda known, *more, **named: seen.append(known) or real(known, *more, **named)
    )
    set_threads(1)
    run = evaluate_panel(panel, OPTIONS, Plan(n_windows=3, step_size=10, refit=refit, train_size=100))
    set_threads(None)
    cutoffs = [np.searchsorted(panel.times[panel.rows(0)], np.datetime64(stamp)) + 1 for stamp in run.origins]
    assert cutoffs == [215, 225, 235]
    assert len(seen) == len(run.trainings) == (3 if refit else 1)
    for known, cutoff, training in zip(seen, cutoffs, run.trainings, strict=False):
        expected = np.concatenate(
            (panel.target[cutoff - 100 : cutoff], panel.target[340:440])
        )  # b ends before them all
        np.testing.assert_array_equal(known.target, expected)
        assert (training["series"], training["rows"]) == (2, 200)


def test_rows_before_those_that_a_training_sees_are_still_known_to_the_baselines(rng):
    long = make_panel({"a": random_walk(rng, 900)})
    old = (np.arange(900) < 300)[:, None]  # further back than what a forecast reads
    other = replace(long, values=np.where(old, 0.5 * long.values, long.values))
    plan = Plan(n_windows=2, step_size=10, refit=1, train_size=200)
    expected, got = (evaluate_panel(each, OPTIONS, plan).backtest for each in (long, other))
    assert got.points["rnncast"].tobytes() == expected.points["rnncast"].tobytes()
    assert got.quantiles["rnncast"].tobytes() == expected.quantiles["rnncast"].tobytes()
    assert got.points["drift"].tobytes() != expected.points["drift"].tobytes()
    expected, got = (evaluate_panel(each, OPTIONS, Plan(n_windows=2, step_size=10)).backtest for each in (long, other))
    assert got.quantiles["rnncast"].tobytes() != expected.quantiles["rnncast"].tobytes()


def test_a_window_too_narrow_to_train_on_is_refused(panel):
    with pytest.raises(
        UsageError, match="--train-size must be at least 17 for a horizon of 5 after a gap of 2, found 16"
    ):
        evaluate_panel(panel, OPTIONS, Plan(n_windows=3, gap=2, train_size=16))
    evaluate_panel(panel, OPTIONS, Plan(n_windows=3, gap=2, train_size=17))


def test_steps_beyond_the_trained_horizon_are_said(panel):
    model = trained_until(panel, 150)
    said = evaluate_model(model, panel, Plan(n_windows=2, gap=2), levels=[80]).notes
    assert "steps 6 to 7 lie beyond the trained horizon of 5" in "\n".join(said)
    said = evaluate_model(model, panel, Plan(n_windows=2, gap=2), horizon=3, levels=[80]).notes
    assert "beyond the trained horizon" not in "\n".join(said)


@pytest.mark.parametrize("plan", [Plan(refit=1), Plan(train_size=100)], ids=["refit", "train-size"])
def test_a_trained_model_is_not_trained_again(panel, plan):
    with pytest.raises(UsageError, match="not trained again"):
        evaluate_model(trained_until(panel, 150), panel, plan)


def test_what_was_trained_when_is_told(panel):
    run = evaluate_panel(panel, OPTIONS, Plan(n_windows=5, step_size=10, refit=2))
    assert [training["origin"] for training in run.trainings] == [1, 3, 5]
    assert [training["until"] for training in run.trainings] == [run.origins[0], run.origins[2], run.origins[4]]
    assert len(run.origins) == 5
    stamps = [str(stamp)[:10] for stamp in panel.times[[194, 204, 214, 224, 234]]]
    assert list(run.origins) == stamps
    assert all(
        training["rows"] == (panel.times <= np.datetime64(training["until"])).sum() for training in run.trainings
    )
