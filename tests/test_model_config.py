import json

import pytest

from rnncast.core.shape import GRU, RNN_SIGMOID
from rnncast.errors import UsageError
from rnncast.model.config import NetworkConfig, TrainingConfig


def test_dict_round_trip_through_json():
    expected = NetworkConfig(cell="gru", hidden_size=7, layers=2, horizon=3, quantile_levels=(0.1, 0.5, 0.9))
    got = NetworkConfig.from_dict(json.loads(json.dumps(expected.to_dict())))
    assert got == expected


def test_what_earlier_files_do_not_say_of_a_network_is_known():
    values = NetworkConfig().to_dict()
    del values["stateful"]
    assert NetworkConfig.from_dict(values) == NetworkConfig()
    for wrong in ({**values, "extra": 1}, {name: values[name] for name in values if name != "cell"}):
        with pytest.raises(TypeError, match="has keys"):
            NetworkConfig.from_dict(wrong)


def test_shape_counts_an_output_for_each_step_and_quantile():
    shape = NetworkConfig(cell="gru", hidden_size=7, layers=2, horizon=3, quantile_levels=(0.1, 0.5, 0.9)).shape
    assert shape.cell == GRU
    assert shape.outputs == 9
    assert NetworkConfig(cell="rnn", activation="sigmoid").shape.cell == RNN_SIGMOID


def test_three_outputs_a_step_make_a_distribution_with_any_number_of_levels():
    shape = NetworkConfig(loss="student-t", horizon=3, quantile_levels=(0.1, 0.25, 0.5, 0.75, 0.9)).shape
    assert (shape.outputs, shape.output_group) == (9, 3)


def test_history_covers_window_and_season():
    assert NetworkConfig(input_size=20, season_length=24).history_rows == 44
    assert NetworkConfig(input_size=20).history_rows == 20


@pytest.mark.parametrize(
    ("values", "option"),
    [
        ({"cell": "transformer"}, "--cell"),
        ({"activation": "sigmoid"}, "--activation"),
        ({"loss": "r2"}, "--loss"),
        ({"hidden_size": 0}, "--hidden-size"),
        ({"layers": 33}, "--layers"),
        ({"input_size": 1}, "--input-size"),
        ({"horizon": 0}, "--horizon"),
        ({"season_length": 0}, "--season-length"),
        ({"season_length": 60_000}, "--season-length"),
        ({"quantile_levels": (0.1, 0.5)}, "--level"),
        ({"quantile_levels": (0.0, 0.5, 1.0)}, "--level"),
        ({"quantile_levels": (0.2, 0.5, 0.9)}, "--level"),
        ({"channels": ("volume",)}, "channels"),
        ({"channels": ("mean",)}, "channels"),
        ({"stateful": True, "direct": False, "channels": ("level",)}, "channels"),
        ({"stateful": True, "direct": False, "channels": ("seasonal change",)}, "channels"),
        ({"stateful": True, "channels": ("change",)}, "direct"),
        ({"stateful": 1, "direct": False, "channels": ("change",)}, "stateful"),
    ],
    ids=str,
)
def test_impossible_networks_are_refused_by_the_option_at_fault(values, option):
    with pytest.raises(UsageError, match=option):
        NetworkConfig(**values)


@pytest.mark.parametrize(
    ("values", "option"),
    [
        ({"members": 0}, "--members"),
        ({"max_epochs": -1}, "--max-epochs"),
        ({"batch_size": 0}, "--batch-size"),
        ({"seed": -1}, "--seed"),
        ({"learning_rate": 0.0}, "--learning-rate"),
        ({"time_limit": 0.0}, "--time-limit"),
        ({"truncation": 0}, "--truncation"),
        ({"truncation": 10_001}, "--truncation"),
    ],
    ids=str,
)
def test_impossible_training_is_refused_by_the_option_at_fault(values, option):
    with pytest.raises(UsageError, match=option):
        TrainingConfig(**values)
