import weakref
from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.data.panel import Panel
from rnncast.model.artifact import save_model
from rnncast.model.config import LOSSES, NetworkConfig, TrainingConfig, quantile_levels
from rnncast.training.defaults import TrainOptions, resolve
from rnncast.training.stateful import new_trainer
from rnncast.training.train import LAST_EPOCHS, train

CONFIG = NetworkConfig(cell="gru", hidden_size=6, input_size=12, horizon=3)
TRAINING = TrainingConfig(members=2, max_epochs=3, epoch_updates=10, batch_size=32, learning_rate=1e-2)


def file_of(model, path):
    save_model(model, path)
    return path.read_bytes()


WAYS = {**{loss: {"loss": loss} for loss in LOSSES}, "fast": {"preset": "fast"}}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_comes_after_the_cutoff_changes_no_byte_of_the_model(rng, tmp_path, way):
    """The whole way from rows to file: calendar, season, scale, head, stop, weights, kept rows."""
    values = {"a": random_walk(rng, 300), "b": random_walk(rng, 260)}
    panel = make_panel(values)
    cutoff = panel.times[199]
    altered = Panel(
        ids=panel.ids,
        indptr=panel.indptr,
        times=panel.times,
        values=np.where((panel.times > cutoff)[:, None], -1e6 * panel.values, panel.values),
        columns=panel.columns,
        calendar=panel.calendar,
    )
    files = []
    for rows in (panel, altered):
        known = rows.until(cutoff)
        config, training, _ = resolve(TrainOptions(members=1, max_epochs=2, hidden_size=4, **way), known)
        model, _ = train(known, config, training)
        files.append(file_of(model, tmp_path / "m.npz"))
    assert files[0] == files[1]


def test_same_seed_gives_the_same_file_and_another_seed_another(rng, tmp_path):
    panel = make_panel({"a": 10.0 + rng.standard_normal(200)})
    files = [file_of(train(panel, CONFIG, replace(TRAINING, seed=seed))[0], tmp_path / "m.npz") for seed in (0, 0, 5)]
    assert files[0] == files[1] != files[2]


def test_predictable_series_is_learnt_and_the_record_says_so(rng):
    waves = np.sin(2 * np.pi * np.arange(900) / 7) + 0.1 * rng.standard_normal(900)  # a season that nobody named
    panel = make_panel({"a": 10.0 + waves})
    reports = []
    model, warnings = train(panel, CONFIG, replace(TRAINING, epoch_updates=40), on_epoch=reports.append)
    assert warnings == ()
    (judged,) = model.record["gate"]
    assert judged["blended_relative_mae"] < 0.9
    assert {blend.share for blend in model.gate} == {judged["blend"]}
    assert model.network_share > 0.5
    best = model.record["best_epoch"]
    assert best > 0
    assert model.record["updates"] == [40 * best, 40 * best]
    phases = [(report.phase, report.member) for report in reports]
    assert phases.count(("refit", 1)) == phases.count(("refit", 2)) == best
    assert ("search", 1) in phases
    assert phases.count(("folds", 1)) == best
    assert all(np.isfinite(report.loss) for report in reports)


def test_network_of_the_search_judges_itself_where_folds_have_none_of_their_own(rng):
    waves = np.sin(2 * np.pi * np.arange(900) / 7) + 0.1 * rng.standard_normal(900)
    panel = make_panel({"a": 10.0 + waves})
    reports = []
    model, _ = train(panel, CONFIG, replace(TRAINING, epoch_updates=40, fold_networks=False), on_epoch=reports.append)
    assert {report.phase for report in reports} == {"search", "refit"}
    assert len({fold["trained_until"] for fold in model.record["folds"]}) == 1
    (judged,) = model.record["gate"]
    assert judged["blended_relative_mae"] < 0.9
    assert {blend.share for blend in model.gate} == {judged["blend"]} != {0.0}


def test_a_single_network_that_judges_itself_goes_on_with_all_rows(rng):
    """It is what the search found, and a few epochs more; several are trained from their seeds."""
    panel = make_panel({"a": 10.0 + np.sin(2 * np.pi * np.arange(900) / 7) + 0.1 * rng.standard_normal(900)})
    one = replace(TRAINING, members=1, max_epochs=5, epoch_updates=40, fold_networks=False)
    reports = []
    model, _ = train(panel, CONFIG, one, on_epoch=reports.append)
    best = model.record["best_epoch"]
    assert best > 0
    epochs = min(LAST_EPOCHS, best)
    assert model.record["updates"] == [40 * (best + epochs)]
    made = [(report.epoch, report.epochs) for report in reports if report.phase == "refit"]
    assert made == [(epoch, epochs) for epoch in range(1, epochs + 1)]
    assert reports[-1].loss < reports[0].loss  # it does not begin anew
    several, _ = train(panel, CONFIG, replace(one, members=2))
    assert several.record["updates"] == [40 * best] * 2
    assert not np.array_equal(several.parameters[0], model.parameters[0])


@pytest.mark.parametrize("allowed", [2, 40])
def test_a_single_network_goes_on_for_few_epochs_whatever_is_allowed(rng, allowed):
    """What early stopping found too many would be made all the same."""
    panel = make_panel({"a": 10.0 + rng.standard_normal(120)})
    one = replace(TRAINING, members=1, max_epochs=allowed, epoch_updates=20, fold_networks=False)
    model, _ = train(panel, CONFIG, one)
    best = model.record["best_epoch"]
    assert 0 < best <= min(allowed, 20)
    assert model.record["updates"] == [20 * (best + min(LAST_EPOCHS, best))]


def test_updates_of_a_single_network_are_those_that_were_made(rng):
    panel = make_panel({"a": 10.0 + rng.standard_normal(300)})
    one = replace(TRAINING, members=1, fold_networks=False, time_limit=1e-9)
    model, warnings = train(panel, CONFIG, one)
    assert "the time limit ended the search after 1 updates" in warnings
    assert model.record["updates"] in ([0], [2])  # one of each, or none if the first was no gain


def test_a_single_network_without_an_epoch_leaves_the_baseline(rng):
    panel = make_panel({"a": random_walk(rng, 200)})
    model, _ = train(panel, CONFIG, replace(TRAINING, members=1, max_epochs=0, fold_networks=False))
    assert model.record["updates"] == [0]
    assert model.network_share == 0.0


def test_members_that_are_done_hold_no_memory_beside_the_next(rng, monkeypatch):
    alive, most = weakref.WeakSet(), []

    def make(*arguments):
        trainer = new_trainer(*arguments)
        alive.add(trainer.learner)
        most.append(len(alive))
        return trainer

    for module in ("train", "search", "folds"):
        monkeypatch.setattr(f"rnncast.training.{module}.new_trainer", make)
    monkeypatch.setattr("rnncast.core.threads._asked", 2)
    panel = make_panel({"a": 10.0 + rng.standard_normal(300)})
    model, _ = train(panel, CONFIG, replace(TRAINING, members=5, max_epochs=1))
    assert len(model.parameters) == 5
    assert most == [1, 2, 3, 1, 2, 1, 2, 1]  # the search, two folds beside it, and members two by two


def test_no_epoch_leaves_the_baseline(rng):
    panel = make_panel({"a": random_walk(rng, 200)})
    model, _ = train(panel, CONFIG, replace(TRAINING, max_epochs=0))
    assert model.record["updates"] == [0, 0]
    assert [group["network_relative_mae"] for group in model.record["gate"]] == [1.0]


def test_time_limit_ends_each_network_and_says_so(rng):
    panel = make_panel({"a": 10.0 + rng.standard_normal(300)})
    model, warnings = train(panel, CONFIG, replace(TRAINING, time_limit=1e-9))
    assert "the time limit ended the search after 1 updates" in warnings
    assert max(model.record["updates"]) <= 1
    assert model.record["seconds"] >= 0


def test_series_too_short_to_judge_the_network_gives_the_baseline_and_says_so(rng):
    panel = make_panel({"a": random_walk(rng, 17)})
    model, warnings = train(panel, CONFIG, TRAINING)
    assert any("no series has the rows" in warning for warning in warnings)
    assert model.record["gate"] == model.record["folds"] == []
    assert model.record["updates"] == [0, 0]
    assert model.network_share == 0.0
    low, high = model.calibration.scores[0, :, [5, -6]]  # hardly a row to go by: about those of a normal walk
    np.testing.assert_allclose(-low, high, rtol=0.5)


def test_model_keeps_last_rows_or_none(rng):
    panel = make_panel({"a": random_walk(rng, 700), "b": random_walk(rng, 650)})
    small = replace(TRAINING, members=1, max_epochs=1)
    model, _ = train(panel, CONFIG, small)
    assert model.history.panel.lengths.tolist() == [512, 512]
    np.testing.assert_array_equal(model.history.panel.target[:512], panel.target[188:700])
    model, _ = train(panel, CONFIG, small, keep_history=False)
    assert model.history is None


@pytest.mark.parametrize("loss", LOSSES)
def test_levels_are_kept_where_a_loss_has_intervals(rng, loss):
    config, _, _ = resolve(TrainOptions(loss=loss, levels=(90.0,)), make_panel({"a": random_walk(rng, 300)}))
    assert config.quantile_levels == ((0.05, 0.5, 0.95) if loss in ("quantile", "student-t") else (0.5,))


def test_levels_become_quantiles_with_the_median():
    assert quantile_levels([80.0, 95.0]) == (0.025, 0.1, 0.5, 0.9, 0.975)
    assert quantile_levels([]) == (0.5,)


@pytest.mark.parametrize(
    ("rows", "season", "horizon"), [(100, None, 10), (100, 4, 4), (40, None, 10)], ids=["plain", "season", "short"]
)
def test_settings_left_to_the_data(rng, rows, season, horizon):
    panel = make_panel({"a": random_walk(rng, rows)})
    config, training, notes = resolve(TrainOptions(season_length=season), panel)
    assert config.horizon == horizon
    assert config.input_size <= rows // 2
    assert ("seasonal change" in config.channels) == (season is not None)
    assert any("horizon" in note for note in notes)
    assert 200 <= training.max_epochs * training.epoch_updates <= 1000


@pytest.mark.parametrize(("rows", "direct"), [(144, False), (3000, True)], ids=["short", "long"])
def test_direct_map_needs_many_windows_for_each_weight(rng, rows, direct):
    config, _, _ = resolve(TrainOptions(), make_panel({"a": random_walk(rng, rows)}))
    assert config.direct == direct
