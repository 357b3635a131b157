"""The kernels' hyperbolic tangent and logistic function, seen through a network that is nothing else."""

import numpy as np
import pytest

from rnncast.core.engine import Engine
from rnncast.core.shape import IDENTITY, RNN_SIGMOID, RNN_TANH, Shape

FUNCTIONS = {"tanh": (RNN_TANH, np.tanh), "sigmoid": (RNN_SIGMOID, lambda x: 0.5 + 0.5 * np.tanh(0.5 * x))}
# input weight 1, bias 0, recurrent weight 0, output weight 1, output bias 0: the output is f(x)
PASS_THROUGH = np.array([1.0, 0.0, 0.0, 1.0, 0.0])


def apply(name, x, dtype):
    """The activation of the numbers x (N,)."""
    engine = Engine(Shape(FUNCTIONS[name][0], 1, 1, 1, 1, IDENTITY), 1, x.size, dtype)
    return engine.forward(PASS_THROUGH, x.reshape(1, 1, -1))[0]


@pytest.mark.parametrize(("dtype", "error"), [(np.float32, 3e-7), (np.float64, 4e-16)], ids=["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_close_to_the_exact_function(name, dtype, error):
    x = np.concatenate([np.linspace(-30, 30, 20001), np.geomspace(1e-30, 1e30, 301), [0.0]]).astype(dtype)
    got = apply(name, x, dtype)
    expected = FUNCTIONS[name][1](x.astype(np.float64))
    np.testing.assert_allclose(got, expected, rtol=0, atol=error)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bounded_in_float32(name):
    got = apply(name, np.linspace(-100, 100, 40001), np.float32)
    lower = -1 if name == "tanh" else 0
    assert got.min() >= lower
    assert got.max() <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_nan_stays_nan_and_infinity_saturates(name, dtype):
    got = apply(name, np.array([np.nan, np.inf, -np.inf]), dtype)
    assert np.isnan(got[0])
    np.testing.assert_allclose(got[1:], FUNCTIONS[name][1](np.array([np.inf, -np.inf])), atol=3e-7)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64_is_good_to_four_units_in_the_last_place(name, rng):
    x = np.concatenate([np.linspace(-20, 20, 4001), np.geomspace(1e-8, 700, 2000), -np.geomspace(1e-8, 700, 2000)])
    got = apply(name, x, np.float64)
    exact = x.astype(np.longdouble)
    expected = np.tanh(exact) if name == "tanh" else 1 / (1 + np.exp(-exact))
    assert np.max(np.abs(got - expected) / np.spacing(np.abs(expected).astype(np.float64))) <= 4
