"""A model that goes on with fresh rows: what judges it is fresh, what is not borne out is not kept."""

from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel

from rnncast.forecasting.predict import forecast
from rnncast.model.artifact import load_model, save_model
from rnncast.model.fingerprint import fingerprint
from rnncast.report.training import training_summary, training_verdict
from rnncast.training import checkpoint as kept
from rnncast.training.checkpoint import checkpoint_of
from rnncast.training.continued import _fresh_fold, continue_training, continued_settings, fresh_rows
from rnncast.training.defaults import TrainOptions, resolve
from rnncast.training.train import train

HORIZON = 5
OPTIONS = TrainOptions(cell="gru", hidden_size=4, members=2, max_epochs=4, horizon=HORIZON)


def drawn_back(rng, rows, strength):
    """Values around 50 that follow the one before with a factor."""
    values = np.zeros(rows)
    for row in range(1, rows):
        values[row] = strength * values[row - 1] + rng.standard_normal()
    return 50 + values


@pytest.fixture(params=["dates", "steps"])
def panel(rng, request):
    """Two series that behave otherwise from their row 200 on, of different lengths."""
    series = {
        name: np.concatenate((drawn_back(rng, 200, 0.9), drawn_back(rng, rows, -0.9)))
        for name, rows in (("a", 160), ("b", 152))
    }
    return make_panel(series, dated=request.param == "dates")


@pytest.fixture
def model(panel):
    known = panel.until(panel.times[199])
    network, training, _ = resolve(OPTIONS, known)
    return train(known, network, training)[0]


def continued(model, panel, **named):
    return continue_training(model, panel, continued_settings(model, named))


def test_what_fresh_rows_teach_is_taken_where_later_ones_bear_it_out(model, panel):
    got = continued(model, panel, learning_rate=0.01)
    assert got.accepted, got.summary
    assert (got.model.parameters != model.parameters).any()
    assert (got.model.head, got.model.gate, got.model.calibration) == (model.head, model.gate, model.calibration)
    assert got.model.last_trained == panel.times.max()
    entry = got.model.record["continued"][-1]
    assert entry["losses"][entry["epochs"]] == min(entry["losses"]) < entry["losses"][0]
    assert entry["updates"] == [entry["epochs"] * model.record["training"]["epoch_updates"]] * 2
    assert entry["from"] == fingerprint(model) != fingerprint(got.model)


@pytest.mark.parametrize("named", [{"max_epochs": 0}, {"learning_rate": 9.0}], ids=["no-epochs", "diverging"])
def test_weights_that_are_not_borne_out_are_left_as_they_were(model, panel, named):
    got = continued(model, panel, **named)
    assert not got.accepted
    assert got.summary.startswith("weights kept: no epoch was better")
    assert got.model.parameters.tobytes() == model.parameters.tobytes()
    assert fingerprint(got.model) == fingerprint(model)
    assert got.model.trained_until == model.trained_until
    assert got.model.record["continued"][-1]["epochs"] == 0
    assert got.model.history.panel.times.max() == panel.times.max()


def test_too_few_fresh_rows_move_the_history_on_and_nothing_else(model, panel):
    fresh = 3 * HORIZON
    few, enough = (panel.until(panel.times[199 + rows]) for rows in (fresh - 1, fresh))
    got = continued(model, few)
    assert not got.accepted
    assert f"{fresh - 1} fresh rows after {model.trained_until}, and {fresh} are needed" in got.summary
    assert got.model.parameters.tobytes() == model.parameters.tobytes()
    assert got.model.record == model.record
    assert got.model.history.panel.times.max() == few.times.max()
    assert "continued" in continued(model, enough).model.record
    same = forecast(model, few, HORIZON, (0.1, 0.5, 0.9))
    rolled = forecast(got.model, None, HORIZON, (0.1, 0.5, 0.9))
    assert rolled.point.tobytes() == same.point.tobytes()


def test_what_was_not_accepted_counts_as_fresh_the_next_time(model, panel):
    first = continued(model, panel.until(panel.times[199 + 3 * HORIZON]), max_epochs=0).model
    assert fresh_rows(first, panel).tolist() == fresh_rows(model, panel).tolist()
    assert continued(first, panel, learning_rate=0.01).accepted


def test_only_fresh_rows_judge_and_only_earlier_ones_teach(model, panel):
    fold, horizon = _fresh_fold(model, panel), model.network.horizon
    assert fresh_rows(model, panel)[fold.held_out.ends].all()  # the first target, and so all of them
    for series in range(2):
        taught = fold.training.ends[fold.training.series == series].max() + horizon - 1
        judged = fold.held_out.ends[fold.held_out.series == series].min()
        assert taught < judged
    if panel.is_dated:
        last = panel.times[fold.training.ends + horizon - 1].max()
        assert last < panel.times[fold.held_out.ends].min()


def test_only_rows_later_than_all_that_was_trained_on_are_fresh(model, panel):
    """Also those of a series that the model does not know, or has forgotten."""
    other = replace(panel, ids=("a", "c"))
    assert fresh_rows(model, other).sum() == 160 + 152
    forgotten = continued(model, make_panel({"c": panel.target[:150]}, dated=panel.is_dated)).model
    assert fresh_rows(forgotten, panel).tolist() == fresh_rows(model, panel).tolist()
    assert not fresh_rows(model, panel.until(panel.times[199])).any()


def test_the_last_trained_row_never_goes_back(rng):
    """Another series of integer steps may count fewer of them than the model has seen."""
    long, short = (
        make_panel({name: drawn_back(rng, rows, 0.9)}, dated=False) for name, rows in (("a", 300), ("b", 400))
    )
    network, training, _ = resolve(OPTIONS, long)
    model, _ = train(long, network, training)
    got = continued(model, short, learning_rate=0.01)
    assert got.model.last_trained == (400 if got.accepted else 300)
    earlier = make_panel({"b": short.target[:200]}, dated=False)
    assert continued(got.model, earlier).model.last_trained == got.model.last_trained


def test_the_file_opens_again_and_says_what_it_said(model, panel, tmp_path):
    got = continued(model, panel, learning_rate=0.01).model
    save_model(got, tmp_path / "m.npz")
    again = load_model(tmp_path / "m.npz")
    assert again.record == got.record
    assert (training_summary(again), training_verdict(again)) == (training_summary(got), training_verdict(got))
    twice = continued(again, panel, learning_rate=0.01).model  # no row is fresh any more
    assert twice.parameters.tobytes() == got.parameters.tobytes()


@pytest.mark.parametrize("options", [{}, {"stateful": True}], ids=["windows", "stateful"])
def test_interrupted_it_goes_on_to_the_same_bytes(panel, tmp_path, monkeypatch, options):
    monkeypatch.setattr(kept, "FIRST_AFTER", 0.0)
    monkeypatch.setattr(kept, "EVERY", 0.0)
    known = panel.until(panel.times[199])
    network, first, _ = resolve(replace(OPTIONS, **options), known)
    model, _ = train(known, network, first)
    training = continued_settings(model, {"learning_rate": 0.01})
    expected = continue_training(model, panel, training).model
    stops = 0
    while True:
        reports = []

        def on_epoch(report, reports=reports):
            reports.append(report)
            if len(reports) == 2:
                raise KeyboardInterrupt

        checkpoint = checkpoint_of(str(tmp_path / "x"), panel, network, training, fingerprint(model))
        checkpoint.restore()
        try:
            with checkpoint:
                got = continue_training(model, panel, training, on_epoch=on_epoch, checkpoint=checkpoint).model
            break
        except KeyboardInterrupt:
            stops += 1
    assert stops > 1
    assert got.parameters.tobytes() == expected.parameters.tobytes()
    assert got.record == expected.record


def test_settings_are_those_of_the_first_training_but_for_fewer_epochs_and_a_lower_rate(model):
    got = continued_settings(model, {})
    first = model.record["training"]
    assert got.learning_rate == pytest.approx(0.3 * first["learning_rate"])
    assert got.max_epochs == 5
    same = {name: value for name, value in got.to_dict().items() if name not in ("learning_rate", "max_epochs")}
    assert same == {name: first[name] for name in same}
    assert continued_settings(model, {"seed": 7, "max_epochs": 2}).seed == 7
