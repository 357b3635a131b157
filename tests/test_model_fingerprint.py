"""The fingerprint of a model: the same for the same numbers, another for others."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.data.panel import Columns
from rnncast.model.artifact import load_model, save_model
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.fingerprint import fingerprint
from rnncast.model.gate import Blend, same_for_all
from rnncast.model.model import Model
from rnncast.model.network import loss_table
from rnncast.records import dataclass
from rnncast.training.train import train


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(3)
    panel = make_panel({"a": random_walk(rng, 120), "b": random_walk(rng, 100)})
    network = NetworkConfig(hidden_size=4, input_size=10, horizon=3)
    found, _ = train(panel, network, TrainingConfig(members=2, max_epochs=1, epoch_updates=2))
    return found


def test_is_sixteen_digits_and_that_of_a_copy(model, tmp_path):
    own = fingerprint(model)
    assert len(own) == 16 and set(own) <= set("0123456789abcdef")
    save_model(model, tmp_path / "m.npz")
    shutil.copy(tmp_path / "m.npz", tmp_path / "copy.npz")
    assert fingerprint(load_model(tmp_path / "copy.npz")) == own


def test_does_not_depend_on_what_decides_no_number(model):
    other = replace(
        model,
        history=None,
        columns=Columns("t", None, "y"),
        trained_until="2030-01-01",
        record={**model.record, "seconds": 3.0},
    )
    assert fingerprint(other) == fingerprint(model)


def changed(array):
    other = array.copy()
    other.flat[-1] = np.nextafter(other.flat[-1], np.inf, dtype=array.dtype)
    return other


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda m: replace(m, parameters=changed(m.parameters)), id="one-bit-of-a-parameter"),
        pytest.param(lambda m: replace(m, gate=(Blend("drift", 0.25), *m.gate[1:])), id="gate"),
        pytest.param(lambda m: replace(m, calibration=None), id="calibration"),
        pytest.param(lambda m: replace(m, head=replace(m.head, spread=changed(m.head.spread))), id="spread"),
        pytest.param(lambda m: replace(m, head=replace(m.head, base_gap=changed(m.head.base_gap))), id="gaps"),
        pytest.param(lambda m: replace(m, network=replace(m.network, activation="tanh", cell="gru")), id="cell"),
        pytest.param(lambda m: replace(m, parameters=m.parameters[:1]), id="a-member-less"),
        pytest.param(lambda m: replace(m, parameters=m.parameters.reshape(1, -1)), id="shape-alone"),
    ],
)
def test_depends_on_what_decides_a_number(model, change):
    assert fingerprint(change(model)) != fingerprint(model)


def test_an_attribute_of_a_later_version_counts_once_it_is_there(model):
    @dataclass(frozen=True)
    class Later(Model):
        later: np.ndarray | None = None

    values = {name: getattr(model, name) for name in Model.__dataclass_fields__}
    assert fingerprint(Later(**values)) == fingerprint(model)
    assert fingerprint(Later(**values, later=np.ones(3))) != fingerprint(model)


def test_configuration_of_earlier_versions_keeps_its_identity():
    """A key that was added later changes nothing as long as it says what held before."""
    known = {
        "cell": "lstm", "activation": "tanh", "hidden_size": 32, "layers": 1, "input_size": 30, "horizon": 10,
        "season_length": 1, "loss": "quantile", "quantile_levels": (0.025, 0.1, 0.5, 0.9, 0.975),
        "channels": ("level", "change"), "direct": True,
    }  # fmt: skip
    assert NetworkConfig().identity() == known
    stateful = NetworkConfig(stateful=True, direct=False, channels=("change", "mean"))
    assert stateful.identity()["stateful"] is True


def test_is_the_same_in_every_release(model):
    """A hand-made model, whose fingerprint must never change: ledgers hold it."""
    network = NetworkConfig(hidden_size=4, input_size=10, horizon=3)
    fixed = Model(
        network=network,
        parameters=np.arange(8, dtype=np.float32).reshape(2, 4),
        head=loss_table(network, np.ones(3), np.full((3, 5), 0.5)),
        gate=same_for_all(Blend("last value", 0.5)),
        calibration=None,
        columns=model.columns,
        calendar=model.calendar,
        trained_until=model.trained_until,
        history=None,
        record={},
    )
    assert fingerprint(fixed) == "71b63438fecc997c"
