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


def with_record(model, *, season=1, **record):
    network = replace(model.network, season_length=season)
    return replace(model, network=network, record={**model.record, "best_epoch": 4, **record})


def group(**changes):
    figures = {"group": "all", "windows": 700, "baseline": "last value", "blend": 0.25, "t_statistic": 3.0, "blocks": 9}
    figures |= {"network_relative_mae": 0.97, "baseline_relative_mae": 1.0, "blended_relative_mae": 0.98}
    return figures | changes


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(
            [group()],
            "held-out rows: error of the network 0.970 of the last value's, blended 0.980 (700 windows, t 3.0 over 9 "
            "stretches of time); the model issues 25% network and 75% last value, with calibrated intervals",
            id="in-part",
        ),
        pytest.param(
            [group(blend=0.0)],
            "the network could not be shown to add to the last value; the model issues it alone",
            id="nothing",
        ),
        pytest.param(
            [group(blend=0.0, baseline="theta", baseline_relative_mae=0.9)],
            "could not be shown to add to theta (error 0.900 of the last value's); the model issues it alone",
            id="theta",
        ),
        pytest.param(
            [group(windows=5, group="seasonal"), group(group="all others", blend=0.0)],
            'for most series ("all others"): the network could not be shown to add',
            id="groups",
        ),
        pytest.param([], "held-out rows: none, the series are too short", id="none"),
    ],
)
def test_verdict_says_what_is_issued_and_why(model, record, expected):
    assert expected in training_verdict(with_record(model, gate=record))


def test_last_season_is_named_where_there_is_one(model):
    got = training_verdict(with_record(model, season=12, gate=[group(blend=0.0, baseline="seasonal naive")]))
    assert "could not be shown to add to the last season" in got


def test_intervals_are_said_where_there_are_some(model):
    trained = with_record(model, gate=[group()])
    assert training_verdict(replace(trained, calibration=None)).endswith(", with intervals")
    plain = replace(trained, calibration=None, network=replace(model.network, quantile_levels=(0.5,), loss="mse"))
    assert "intervals" not in training_verdict(plain)


def test_summary_counts_members_and_updates(model):
    got = training_summary(with_record(model, updates=[12, 1200]))
    assert "2 members" in got
    assert "12 to 1,200 updates" in got
    assert "best epoch 4" in got
    assert np.isfinite(model.parameters).all()
