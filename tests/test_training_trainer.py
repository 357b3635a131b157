import math
from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.core import twin
from rnncast.core.twin_student_t import student_t_parameters
from rnncast.data.transform import working_series
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.training.head import empirical_head
from rnncast.training.split import split_windows
from rnncast.training.trainer import Deadline, Trainer, prepare

CONFIG = NetworkConfig(cell="gru", hidden_size=8, input_size=12, horizon=3)
TRAINING = TrainingConfig(members=1, max_epochs=4, epoch_updates=15, batch_size=32, learning_rate=1e-2)


def mean_reverting(rng, rows):
    """Noise around 10: the last value is a poor forecast, the mean a good one."""
    return 10.0 + rng.standard_normal(rows)


def make_trainer(values, config=CONFIG, training=TRAINING, seed=0):
    panel = make_panel({"a": values})
    working = working_series(panel)
    fold = split_windows(panel, config).folds[0]
    trainer = Trainer(config, training, empirical_head(config, working, fold.training), working, fold.training, seed)
    return trainer, prepare(config, working, fold.held_out)


def test_loss_before_the_first_update_is_that_of_the_baseline(rng):
    trainer, validation = make_trainer(random_walk(rng, 300))
    levels = np.asarray(CONFIG.quantile_levels)[None, :, None]
    gaps = trainer.head.base_gap
    quantiles = np.stack(
        [-gaps[:, 1] - gaps[:, 0], -gaps[:, 1], 0 * gaps[:, 2], gaps[:, 3], gaps[:, 3] + gaps[:, 4]], 1
    )
    error = validation.targets[:, None] - quantiles[:, :, None]  # (K, Q, N)
    expected = 2 * np.maximum(levels * error, (levels - 1) * error).mean()
    assert trainer.loss(validation) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_learns_that_noise_reverts_to_its_mean(rng, cell):
    config = NetworkConfig(cell=cell, hidden_size=8, input_size=12, horizon=3)
    trainer, validation = make_trainer(mean_reverting(rng, 600), config)
    baseline = trainer.loss(validation)
    trainer.run(60, Deadline(None))
    assert trainer.updates == 60
    assert trainer.loss(validation) < 0.9 * baseline


def test_learns_the_tails_of_a_heavy_tailed_walk(rng):
    """Steps of Student's t with 3 degrees of freedom: begun thrice too wide and nearly normal, learnt all the same."""
    config = NetworkConfig(cell="gru", hidden_size=8, input_size=60, horizon=2, loss="student-t", direct=False)
    trainer, validation = make_trainer(-500 + np.cumsum(rng.standard_t(3, 6000)), config)
    fitted = trainer.head.base_gap
    wrong = replace(trainer.head, base_gap=np.column_stack([3 * fitted[:, 0], fitted[:, 1], np.full(2, 30.0)]))
    training = replace(TRAINING, max_epochs=1, epoch_updates=250, batch_size=128, learning_rate=2e-2)
    trainer = Trainer(config, training, wrong, trainer.working, trainer.windows, 0)
    before = trainer.loss(validation)
    trainer.run(250, Deadline(None))
    assert trainer.loss(validation) < before - 0.1
    raw = twin.forward(config.shape, trainer.average, validation.inputs).reshape(2, 3, -1).astype(np.float64)
    _, scale, freedom = (np.median(values, axis=1) for values in student_t_parameters(raw, wrong))
    # a window is normalised by its mean absolute step: of Student's t with 3 degrees of freedom, 2 sqrt(3) / pi
    assert scale[0] == pytest.approx(math.pi / (2 * math.sqrt(3)), rel=0.15)
    assert 2.0 < freedom[0] < 5.0
    quantiles = twin.head_quantiles(raw.reshape(6, -1), wrong)  # (K, Q, N)
    below = (validation.targets[:, None] <= quantiles).mean(axis=2)
    np.testing.assert_allclose(below, np.broadcast_to(config.quantile_levels, below.shape), atol=0.04)


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_point_losses_learn_too(rng, loss):
    config = NetworkConfig(cell="gru", hidden_size=8, input_size=12, horizon=3, loss=loss, quantile_levels=(0.5,))
    trainer, validation = make_trainer(mean_reverting(rng, 600), config)
    baseline = trainer.loss(validation)
    trainer.run(60, Deadline(None))
    assert trainer.loss(validation) < 0.9 * baseline


def test_same_seed_gives_the_same_bytes_and_another_seed_others(rng):
    values = random_walk(rng, 200)
    weights = []
    for seed in (1, 1, 2):
        trainer, _ = make_trainer(values, seed=seed)
        trainer.run(5, Deadline(None))
        weights.append(trainer.average)
    assert weights[0].tobytes() == weights[1].tobytes() != weights[2].tobytes()


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_weights(rng):
    trainer, _ = make_trainer(random_walk(rng, 200))
    trainer.run(3, Deadline(None))
    good = trainer.parameters.copy()
    trainer.working.values[:] = np.nan
    loss = trainer.run(5, Deadline(None))
    assert math.isnan(loss)
    assert trainer.failed_at == 4
    assert trainer.updates == 3
    np.testing.assert_array_equal(trainer.parameters, good)
    assert np.isfinite(trainer.average).all()


def test_deadline_runs_from_the_first_update_on(rng):
    """Compiling and preparing are not training: one update is made whatever the limit, and none after it."""
    trainer, _ = make_trainer(random_walk(rng, 200))
    deadline = Deadline(1e-9)
    assert math.isfinite(trainer.run(5, deadline))
    assert trainer.updates == 1
    assert math.isnan(trainer.run(5, deadline))
    assert trainer.updates == 1
