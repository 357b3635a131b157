from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.data.transform import working_series
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.network import with_share
from rnncast.training.search import best_share, search
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
    assert found.trainer.loss(prepared, with_share(CONFIG, found.weights, 1 / found.share)) == pytest.approx(
        losses[found.epochs], rel=1e-5
    )
    assert [report.validation_loss for report in reports] == losses[1:]


def test_search_ends_when_patience_does(rng):
    found, reports, _ = searched(random_walk(rng, 800))
    assert len(reports) == min(found.epochs + TRAINING.patience, TRAINING.max_epochs)


def test_share_of_the_correction_that_errs_least_is_found(rng):
    """Noise around its mean: a network with four times the correction that was learnt is to be held back."""
    found, _, split = searched(10.0 + rng.standard_normal(1500))
    assert found.share > 0.7
    fold = split.folds[0]
    prepared = found.trainer.prepare(fold.held_out)
    bold = with_share(CONFIG, found.weights, 4.0 / found.share)
    assert best_share(found.trainer, prepared, bold, fold.clock) == pytest.approx(0.2, abs=0.11)
    wrong = with_share(CONFIG, found.weights, -1.0)
    assert best_share(found.trainer, prepared, wrong, fold.clock) == 0.0


def test_share_needs_evidence_over_time(rng):
    """A correction that helps in one stretch of time alone is not borne out; with too few stretches nobody can say."""
    found, _, split = searched(10.0 + rng.standard_normal(1500))
    fold = split.folds[0]
    prepared = found.trainer.prepare(fold.held_out)
    helps = np.where(fold.clock == 3, prepared.targets, 0.01 * rng.standard_normal(prepared.targets.shape))
    once = replace(prepared, targets=helps.astype(np.float32))
    assert best_share(found.trainer, once, found.weights, fold.clock) == 0.0
    assert best_share(found.trainer, prepared, found.weights, fold.clock * 0) > 0.7
