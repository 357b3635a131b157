"""The kernels against their NumPy twin: outputs, losses, gradients."""

import subprocess
import sys

import numpy as np
import pytest
from core_cases import CELLS, LOSSES, make_problem, relative_error, worst_block_error

from rnncast.core import twin
from rnncast.core.engine import Engine

DTYPES = {"float64": (np.float64, 1e-10), "float32": (np.float32, 1e-4)}
SIZES = {"batch1_hidden1": (1, 1), "batch7_hidden5": (7, 5), "batch33_hidden16": (33, 16), "batch65_hidden17": (65, 17)}


def check_against_twin(problem, dtype, tolerance, rng):
    """Everything that an engine computes beside the twin's."""
    parameters, inputs, targets = (
        np.asarray(array, dtype) for array in (problem.parameters, problem.inputs, problem.targets)
    )
    steps, _, batch = inputs.shape
    engine = Engine(problem.shape, steps, batch, dtype, every_step=problem.every_step, loss=problem.table)

    got = engine.forward(parameters, inputs)
    expected = twin.forward(problem.shape, parameters, inputs, problem.every_step)
    assert got.dtype == expected.dtype == dtype
    assert relative_error(got, expected) < tolerance

    expected_loss, draw = twin.loss_and_gradient(expected, targets, problem.table, problem.weights)
    expected_gradient, _ = twin.backward(problem.shape, parameters, inputs, draw)
    got_loss, got_gradient = engine.loss_and_gradient(parameters, inputs, targets, problem.weights)
    assert abs(got_loss - expected_loss) < tolerance * abs(expected_loss)
    assert worst_block_error(problem.shape, got_gradient, expected_gradient) < tolerance

    doutputs = rng.standard_normal(got.shape).astype(dtype)
    got_gradient, got_inputs = engine.vjp(parameters, inputs, doutputs)
    expected_gradient, expected_inputs = twin.backward(problem.shape, parameters, inputs, doutputs)
    assert worst_block_error(problem.shape, got_gradient, expected_gradient) < tolerance
    assert relative_error(got_inputs, expected_inputs) < tolerance


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("every_step", [False, True], ids=["last_step", "every_step"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cell", CELLS)
def test_cells_and_sizes(cell, size, every_step, dtype, rng):
    batch, hidden = SIZES[size]
    problem = make_problem(rng, cell, layers=2, batch=batch, hidden=hidden, steps=9, every_step=every_step)
    check_against_twin(problem, *DTYPES[dtype], rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("every_step", [False, True], ids=["last_step", "every_step"])
@pytest.mark.parametrize("residual", [0, 1], ids=["plain", "residual"])
@pytest.mark.parametrize("cell", CELLS)
def test_dilations_and_residual_links(cell, residual, every_step, dtype, rng):
    problem = make_problem(
        rng, cell, layers=3, batch=33, hidden=5, steps=9, every_step=every_step, dilations=(1, 3, 12), residual=residual
    )
    check_against_twin(problem, *DTYPES[dtype], rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", [0, 1, 2], ids=["identity", "sigmoid", "tanh"])
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_and_activations(loss, activation, dtype, rng):
    problem = make_problem(rng, "gru", batch=65, hidden=5, loss=loss, activation=activation, horizon=3, every_step=True)
    check_against_twin(problem, *DTYPES[dtype], rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("loss", "group"), [("mse", 1), ("quantile", 1), ("quantile", 5), ("student-t", 3)])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cell", CELLS)
def test_direct_connection(cell, size, loss, group, dtype, rng):
    batch, hidden = SIZES[size]
    problem = make_problem(
        rng, cell, layers=2, batch=batch, hidden=hidden, steps=9, features=3, horizon=3, loss=loss, direct_group=group
    )
    check_against_twin(problem, *DTYPES[dtype], rng)


@pytest.mark.parametrize("activation", [1, 2], ids=["sigmoid", "tanh"])
def test_direct_connection_under_an_activation(activation, rng):
    problem = make_problem(rng, "gru", batch=65, loss="quantile", activation=activation, horizon=3, direct_group=5)
    check_against_twin(problem, *DTYPES["float64"], rng)


def test_weights_of_one_are_no_weights(rng):
    problem = make_problem(rng, "lstm", batch=7, loss="quantile")
    outputs = twin.forward(problem.shape, problem.parameters, problem.inputs)
    expected, _ = twin.loss_and_gradient(outputs, problem.targets, problem.table)
    engine = Engine(problem.shape, 4, 7, np.float64, loss=problem.table)
    for weights in (None, np.full(7, 3.0)):
        got = engine.loss(problem.parameters, problem.inputs, problem.targets, weights)
        assert got == pytest.approx(expected, rel=1e-12)


def test_twin_loads_no_numba():
    code = "import sys, rnncast.core.twin; print('numba' in sys.modules, 'llvmlite' in sys.modules)"
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert got.split() == ["False", "False"]
