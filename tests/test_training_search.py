import numpy as np
from panels import make_panel, random_walk

from rnncast.data.transform import working_series
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.training.search import search
from rnncast.training.split import split_windows

CONFIG = NetworkConfig(cell="gru", hidden_size=8, input_size=20, horizon=5)
TRAINING = TrainingConfig(members=1, max_epochs=12, epoch_updates=20, patience=3)


def searched(values):
    panel = make_panel({"a": values})
    reports = []
    split = split_windows(panel, CONFIG)
    found = search(CONFIG, TRAINING, working_series(panel), split.folds[0], reports.append)
    return found, reports, split


def test_epoch_with_the_least_loss_is_found_with_its_weights(rng):
    found, reports, split = searched(10.0 + rng.standard_normal(800))
    losses = found.record["search_losses"]
    assert found.epochs == int(np.argmin(losses)) > 0
    assert losses[found.epochs] < 0.9 * losses[0]
    prepared = found.trainer.prepare(split.folds[0].held_out)
    assert found.trainer.loss(prepared, found.weights) == losses[found.epochs]
    assert [report.validation_loss for report in reports] == losses[1:]


def test_search_ends_when_patience_does(rng):
    found, reports, _ = searched(random_walk(rng, 800))
    assert len(reports) == min(found.epochs + TRAINING.patience, TRAINING.max_epochs)
