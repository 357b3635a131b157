from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.report.training import training_summary, training_verdict
from rnncast.training.defaults import TrainOptions, resolve
from rnncast.training.train import train


@pytest.fixture
def model(rng):
    panel = make_panel({"a": random_walk(rng, 90)})
    network, training, _ = resolve(TrainOptions(hidden_size=4, members=2, max_epochs=1, horizon=3), panel)
    return train(panel, network, training)[0]


def with_record(model, *, blend=1.0, season=1, **record):
    network = replace(model.network, season_length=season)
    return replace(model, blend=blend, network=network, record={**model.record, "best_epoch": 4, **record})


@pytest.mark.parametrize(
    ("relative", "expected"),
    [
        pytest.param(1.02, "no sign of skill", id="worse"),
        pytest.param(0.998, "0.998 of the last value's over 700 windows: no sign of skill", id="same"),
        pytest.param(0.97, "a small gain, but on the rows that chose when to stop, so it flatters", id="small"),
        pytest.param(0.6, ": a gain, but on the rows that chose", id="clear"),
    ],
)
def test_verdict_claims_no_more_than_the_validation_part_carries(model, relative, expected):
    trained = with_record(model, validation={"windows": 700, "relative_mae": relative})
    assert expected in training_verdict(trained)


@pytest.mark.parametrize("record", [{"blend": 0.0}, {"best_epoch": 0}], ids=["blend", "epochs"])
def test_network_that_adds_nothing_is_said_to(model, record):
    trained = with_record(model, season=12, validation={"windows": 9, "relative_mae": 1.0}, **record)
    expected = "the network found nothing to add to the last season; the model forecasts it, with intervals"
    assert expected in training_verdict(trained)
    plain = replace(trained, network=replace(trained.network, quantile_levels=(0.5,), loss="mse"))
    assert "with intervals" not in training_verdict(plain)


def test_missing_validation_part_is_said(model):
    assert "nothing is known of the skill" in training_verdict(with_record(model, validation=None))


def test_summary_counts_members_and_updates(model):
    got = training_summary(with_record(model, updates=[12, 1200]))
    assert "2 members" in got
    assert "12 to 1,200 updates" in got
    assert "best epoch 4" in got
    assert np.isfinite(model.parameters).all()
