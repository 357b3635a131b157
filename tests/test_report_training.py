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
    ("relative", "statistic", "expected"),
    [
        pytest.param(1.02, 3.0, "weak evidence, so 100% of the network's correction is used", id="worse"),
        pytest.param(
            0.998, 3.0, "0.998 of the last value's over 700 windows (t 3.0 over 9 blocks of time): weak", id="same"
        ),
        pytest.param(0.97, 3.0, "a small gain, but on the rows that chose when to stop, so it flatters", id="small"),
        pytest.param(0.6, 8.0, ": a gain, but on the rows that chose", id="clear"),
        pytest.param(0.6, 1.7, "weak evidence", id="chance"),
        pytest.param(0.6, None, "over 700 windows: weak evidence", id="one-block"),
    ],
)
def test_verdict_claims_no_more_than_the_validation_part_carries(model, relative, statistic, expected):
    validation = {"windows": 700, "blocks": 9, "relative_mae": relative, "t_statistic": statistic}
    assert expected in training_verdict(with_record(model, validation=validation))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param({"blend": 0.0}, "the model forecasts it, with intervals of the network", id="blend"),
        pytest.param({"best_epoch": 0}, "the model forecasts it, with intervals", id="epochs"),
    ],
)
def test_network_that_adds_nothing_is_said_to(model, record, expected):
    trained = with_record(model, season=12, validation={"windows": 9, "relative_mae": 1.0}, **record)
    got = training_verdict(trained)
    assert "the network found nothing to add to the last season" in got
    assert got.endswith(expected)
    plain = replace(trained, network=replace(trained.network, quantile_levels=(0.5,), loss="mse"))
    assert "intervals" not in training_verdict(plain)


def test_missing_validation_part_is_said(model):
    got = training_verdict(with_record(model, validation=None))
    assert got.startswith("validation: none")
    assert "the model forecasts the last value" in got


def test_summary_counts_members_and_updates(model):
    got = training_summary(with_record(model, updates=[12, 1200]))
    assert "2 members" in got
    assert "12 to 1,200 updates" in got
    assert "best epoch 4" in got
    assert np.isfinite(model.parameters).all()
