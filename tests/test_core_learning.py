"""The classic network learns as it does in PyTorch: the same loss curve, epoch by epoch."""

import numpy as np
import pytest
from core_cases import FIXTURES

from rnncast.core.engine import Engine
from rnncast.core.optimiser import adamw_step
from rnncast.core.shape import RNN_TANH, Shape
from rnncast.core.twin import optimiser_step

BATCH = 32


def train(step_function, stored):
    """Losses (epochs,) and final parameters of plain Adam on the stored data, batches and start."""
    inputs = np.ascontiguousarray((stored["codes"] / 32.0).transpose(1, 2, 0))  # (T, F, N)
    targets = np.ascontiguousarray(stored["targets"].T)  # (O, N)
    steps, features, count = inputs.shape
    engine = Engine(Shape(RNN_TANH, features, 20, 1, len(targets)), steps, BATCH, np.float64)
    parameters = stored["start"].copy()
    first, second, average, decay = (np.zeros_like(parameters) for _ in range(4))
    curve = np.zeros(len(stored["order"]))
    number = 0
    for epoch, order in enumerate(stored["order"]):
        for batch in order.reshape(-1, BATCH):
            number += 1
            loss, gradient = engine.loss_and_gradient(parameters, inputs[:, :, batch], targets[:, batch])
            step_function(
                parameters, gradient, first, second, average, decay, number, float(stored["learning_rate"]),
                0.9, 0.999, 1e-8, 0.0, np.inf, 0.99,
            )  # fmt: skip
            curve[epoch] += loss * BATCH / count
    return curve, parameters


@pytest.mark.parametrize("step_function", [adamw_step, optimiser_step], ids=["kernel", "twin"])
def test_classic_network_follows_pytorch(step_function):
    with np.load(FIXTURES / "core_classic.npz") as file:
        stored = dict(file)
    got, parameters = train(step_function, stored)
    expected = stored["curve"]
    assert expected.size == 100
    assert expected[-1] < 0.02 * expected[0]  # it does learn
    np.testing.assert_allclose(got, expected, rtol=1e-4)
    np.testing.assert_allclose(parameters, stored["end"], rtol=1e-4, atol=1e-6)
