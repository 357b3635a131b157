import numpy as np
import pytest

from rnncast.core import twin
from rnncast.core.shape import GRU, LSTM, RNN_TANH, Shape
from rnncast.model.config import INTERVAL_LOSSES, NetworkConfig
from rnncast.model.network import decay_mask, initial_parameters, loss_table, with_share

SHAPES = {
    "rnn": Shape(RNN_TANH, 2, 5, 2, 6),
    "gru": Shape(GRU, 2, 5, 2, 6),
    "lstm": Shape(LSTM, 2, 5, 2, 6),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_new_network_puts_out_zero_whatever_it_reads(shape, rng):
    parameters = initial_parameters(shape, rng)
    got = twin.forward(shape, parameters, rng.standard_normal((8, 2, 3)).astype(np.float32))
    np.testing.assert_array_equal(got, 0.0)
    assert parameters.any()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_recurrent_weights_are_orthogonal_gate_by_gate(shape, rng):
    parameters = initial_parameters(shape, rng, np.float64)
    weight = twin.unpack(shape, parameters)["layer1.recurrent_weight"]
    for gate in weight.reshape(-1, 5, 5):
        np.testing.assert_allclose(gate @ gate.T, np.eye(5), atol=1e-12)


def test_only_the_forget_gate_starts_with_a_bias(rng):
    shape = SHAPES["lstm"]
    bias = twin.unpack(shape, initial_parameters(shape, rng))["layer0.bias"].reshape(4, 5)
    np.testing.assert_array_equal(bias, np.array([[0.0], [1.0], [0.0], [0.0]]) * np.ones(5))


def test_named_parts_share_memory_and_cover_every_parameter(rng):
    shape = SHAPES["gru"]
    vector = np.zeros(len(initial_parameters(shape, rng)))
    for view in twin.unpack(shape, vector).values():
        view += 1.0
    np.testing.assert_array_equal(vector, 1.0)


def test_decay_spares_the_biases():
    shape = SHAPES["gru"]
    mask = twin.unpack(shape, decay_mask(shape))
    assert {name for name, view in mask.items() if not view.any()} == {
        *(f"layer{i}.{bias}" for i in (0, 1) for bias in ("bias", "recurrent_bias")),
        "output.bias",
    }


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "recurrent alone"])
@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("loss", INTERVAL_LOSSES)
def test_share_of_a_network_scales_the_median_and_keeps_the_gaps(rng, loss, direct, share):
    config = NetworkConfig(cell="gru", hidden_size=5, input_size=7, horizon=3, direct=direct, loss=loss)
    head = loss_table(config, np.array([1.0, 1.5, 2.0]), np.ones((3, config.shape.output_group)))
    parameters = rng.standard_normal(len(initial_parameters(config.shape, rng))).astype(np.float32)
    inputs = rng.standard_normal((7, 2, 4)).astype(np.float32)

    def quantiles(of):
        return twin.head_quantiles(twin.forward(config.shape, of, inputs).astype(np.float64), head)

    got, whole = quantiles(with_share(config, parameters, share)), quantiles(parameters)
    np.testing.assert_allclose(got[:, 2], share * whole[:, 2], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.diff(got, axis=1), np.diff(whole, axis=1), rtol=1e-4, atol=1e-5)
