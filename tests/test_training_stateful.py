"""Training with a carried state: what it reads, what it learns, and that nothing later than a cutoff enters."""

import math
from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel, random_walk, signs_after_a_pause

from rnncast.core import twin
from rnncast.core.shape import middle_rows
from rnncast.data.panel import Panel
from rnncast.data.transform import working_series
from rnncast.data.windows import Windows
from rnncast.model.artifact import save_model
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.sequences import read_rows, row_targets, rows_from
from rnncast.training.defaults import TrainOptions, resolve
from rnncast.training.descent import Deadline
from rnncast.training.head import empirical_head
from rnncast.training.split import split_windows
from rnncast.training.stateful import StatefulTrainer
from rnncast.training.train import train

CONFIG = NetworkConfig(
    cell="gru", hidden_size=6, input_size=12, horizon=3, channels=("change", "mean"), direct=False, stateful=True
)
TRAINING = TrainingConfig(members=2, max_epochs=4, epoch_updates=15, batch_size=16, learning_rate=1e-2, truncation=8)


def make_trainer(values, training=TRAINING, config=CONFIG, seed=0):
    panel = make_panel({str(name): series for name, series in enumerate(values)})
    working = working_series(panel)
    split = split_windows(panel, config)
    head = empirical_head(config, working, split.folds[0].training)
    return StatefulTrainer(config, training, head, working, split.folds[0].training, seed), split


def bent(trainer, rng):
    """Weights of a network that says something at every row."""
    return (trainer.parameters + 0.2 * rng.standard_normal(len(trainer.parameters))).astype(np.float32)


def outputs_of(trainer, parameters):
    """Raw outputs (R, O) of the twin at all rows of all series, each run through by itself from its first row."""
    indptr = trainer.working.indptr
    rows = rows_from(indptr, np.zeros(len(indptr) - 1, np.int64))
    inputs = read_rows(trainer.config, trainer.working, rows).inputs
    return np.concatenate(
        [twin.forward(trainer.config.shape, parameters, inputs[a:b, :, None], True)[..., 0]
         for a, b in zip(indptr[:-1], indptr[1:], strict=True)]
    )  # fmt: skip


def test_scored_rows_get_the_state_that_comes_from_all_rows_before_them(rng):
    trainer, split = make_trainer([random_walk(rng, 200), rng.standard_normal(150)])
    parameters = bent(trainer, rng)
    windows = split.folds[0].held_out.take(np.arange(0, len(split.folds[0].held_out), 3))
    prepared = trainer.prepare(windows)
    raw = outputs_of(trainer, parameters)[windows.ends - 1].T  # (O, N)
    expected, _ = twin.loss_and_gradient(raw, prepared.targets, trainer.head)
    assert trainer.loss(prepared, parameters) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(trainer.outputs(prepared, parameters), raw, atol=1e-5)


def test_chunks_of_one_sequence_have_together_the_loss_of_the_whole(rng):
    """One stretch in one lane: the carried state makes its chunks one run, and each row that counts counts once."""
    trainer, split = make_trainer([random_walk(rng, 78)], replace(TRAINING, truncation=7))
    parameters = bent(trainer, rng)
    trainer.parameters[:] = parameters
    rows = split.folds[0].training.ends - 1
    seen = []
    trainer._chunks = (seen.append(chunk) or chunk for chunk in trainer._chunks)
    total, counted = 0.0, 0
    while counted < len(rows):
        loss, gradient = trainer._gradient(parameters)
        assert np.isfinite(gradient).all()
        total, counted = total + loss * seen[-1].counts.sum(), counted + seen[-1].counts.sum()
    assert len(seen) == 6 and not seen[0].counts.any()  # the first chunk is warm-up alone
    windows = Windows(np.zeros(len(rows), np.int64), rows + 1)
    targets = row_targets(CONFIG, trainer.working, windows, trainer._rows.scale[rows])
    expected, _ = twin.loss_and_gradient(outputs_of(trainer, parameters)[rows].T, targets, trainer.head)
    assert counted == len(rows)
    assert total / counted == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_learns_that_noise_reverts_to_its_mean(rng, cell):
    trainer, split = make_trainer([10 + rng.standard_normal(900)], config=replace(CONFIG, cell=cell))
    validation = trainer.prepare(split.folds[0].held_out)
    baseline = trainer.loss(validation)
    trainer.run(60, Deadline(None))
    assert trainer.updates == 60
    assert trainer.loss(validation) < 0.9 * baseline


def test_search_sees_no_row_of_the_validation_part(rng):
    values = random_walk(rng, 300)
    altered = values.copy()
    altered[195:] *= np.exp(0.5 * rng.standard_normal(105))
    weights = []
    for series in (values, altered):
        trainer, split = make_trainer([series])
        assert split.folds[0].training.ends.max() + CONFIG.horizon == 195
        trainer.run(20, Deadline(None))
        weights.append(trainer.average.tobytes())
    assert weights[0] == weights[1]


def test_same_seed_gives_the_same_bytes_and_another_seed_others(rng):
    values = [random_walk(rng, 300), random_walk(rng, 40)]
    weights = []
    for seed in (1, 1, 2):
        trainer, _ = make_trainer(values, seed=seed)
        trainer.run(10, Deadline(None))
        weights.append(trainer.average.tobytes())
    assert weights[0] == weights[1] != weights[2]


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_weights(rng):
    trainer, _ = make_trainer([random_walk(rng, 200)])
    trainer.run(3, Deadline(None))
    good = trainer.parameters.copy()
    trainer.working.values[:] = np.nan
    assert math.isnan(trainer.run(5, Deadline(None)))
    assert (trainer.failed_at, trainer.updates) == (4, 3)
    np.testing.assert_array_equal(trainer.parameters, good)


def test_many_short_series_are_trained_on_too(rng):
    trainer, _ = make_trainer([10 + rng.standard_normal(n) for n in rng.integers(40, 60, 50)])
    assert math.isfinite(trainer.run(20, Deadline(None)))
    assert trainer.updates == 20


@pytest.mark.parametrize("season", [1, 5])
def test_what_comes_after_the_cutoff_changes_no_byte_of_the_model(rng, tmp_path, season):
    """The whole way from rows to file, the states after the last rows included."""
    panel = make_panel({"a": random_walk(rng, 300), "b": random_walk(rng, 260)})
    cutoff = panel.times[199]
    altered = Panel(
        ids=panel.ids,
        indptr=panel.indptr,
        times=panel.times,
        values=np.where((panel.times > cutoff)[:, None], -1e6 * panel.values, panel.values),
        columns=panel.columns,
        calendar=panel.calendar,
    )
    options = TrainOptions(members=1, max_epochs=2, hidden_size=4, stateful=True, season_length=season)
    files = []
    for rows in (panel, altered):
        known = rows.until(cutoff)
        config, training, _ = resolve(options, known)
        save_model(train(known, config, training)[0], tmp_path / "m.npz")
        files.append((tmp_path / "m.npz").read_bytes())
    assert files[0] == files[1]


def test_model_keeps_the_state_after_the_last_row_of_each_series_or_none(rng):
    panel = make_panel({"a": random_walk(rng, 200), "b": rng.standard_normal(150)})
    model, _ = train(panel, CONFIG, replace(TRAINING, max_epochs=1))
    assert model.history.panel.lengths.tolist() == [200, 150]
    assert model.history.states.shape == (2, 1, 1, 1, 6, 2)
    working = working_series(panel)
    inputs = read_rows(CONFIG, working, rows_from(panel.indptr, np.zeros(2, np.int64))).inputs
    for member, states in zip(model.parameters, model.history.states, strict=True):
        for s in range(2):
            _, left = twin.forward_from(CONFIG.shape, member, inputs[panel.rows(s), :, None])
            np.testing.assert_allclose(states[..., [s]], left, atol=1e-6)
    model, _ = train(panel, CONFIG, replace(TRAINING, max_epochs=1), keep_history=False)
    assert model.history is None


def test_settings_of_a_stateful_network(rng):
    panel = make_panel({"a": random_walk(rng, 5000)})
    config, training, _ = resolve(TrainOptions(stateful=True), panel)
    assert (config.stateful, config.direct, config.channels) == (True, False, ("change", "mean"))
    assert (training.batch_size, training.truncation) == (32, 64)
    windows = resolve(TrainOptions(), panel)[1]
    assert training.epoch_updates == pytest.approx(3 * windows.epoch_updates, rel=0.1)
    config, training, _ = resolve(TrainOptions(stateful=True, season_length=48, truncation=None), panel)
    assert config.channels == ("change", "seasonal change", "mean")
    assert training.truncation == 96
    assert resolve(TrainOptions(stateful=True, truncation=10, batch_size=4), panel)[1].truncation == 10


@pytest.mark.slow
def test_remembers_what_no_window_shows():
    """The sign was shown up to 300 rows ago, the window of these settings has 160, the gradient goes back over 64."""
    values, _ = signs_after_a_pause(np.random.default_rng(0), 30_000, 300)
    options = TrainOptions(horizon=10, season_length=1, members=1, stateful=True)
    panel = make_panel({"a": values}, dated=False)
    config, training, _ = resolve(options, panel)
    model, _ = train(panel, config, training)
    assert config.input_size == 160
    assert model.record["gate"][0]["network_relative_mae"] < 0.65
    later, shown = signs_after_a_pause(np.random.default_rng(1), 60_000, 300)
    fresh = StatefulTrainer(config, training, model.head, working_series(make_panel({"a": later}, dated=False)),
                            Windows(np.zeros(1, np.int64), np.array([100])), 0)  # fmt: skip
    long_ago = shown[shown[:, 0] > 160]
    prepared = fresh.prepare(Windows(np.zeros(len(long_ago), np.int64), long_ago[:, 1] + 1))
    raw = fresh.outputs(prepared, model.parameters[0])
    got = np.sign(raw[middle_rows(config.shape)][4])
    assert (got == long_ago[:, 2]).mean() > 0.9
