"""Gradients of the kernels against central differences, in float64, over every parameter and every input."""

import numpy as np
import pytest
from core_cases import CELLS, LOSSES, blocks, make_problem, relative_error, worst_block_error

from rnncast.core.engine import Engine
from rnncast.core.shape import IDENTITY, SIGMOID, TANH

STEP = 1e-5
LARGEST_ERROR = 1e-6


def central_differences(function, at):
    """Gradient of a function of one array, entry by entry."""
    gradient = np.empty_like(at)
    for index in np.ndindex(at.shape):
        moved = at.copy()
        moved[index] = at[index] + STEP
        above = function(moved)
        moved[index] = at[index] - STEP
        gradient[index] = (above - function(moved)) / (2 * STEP)
    return gradient


def make_engine(problem):
    steps, _, batch = problem.inputs.shape
    return Engine(problem.shape, steps, batch, np.float64, every_step=problem.every_step, loss=problem.table)


def check_loss_gradient(problem):
    engine = make_engine(problem)
    _, inputs, targets, weights = problem.parameters, problem.inputs, problem.targets, problem.weights
    value, got = engine.loss_and_gradient(problem.parameters, inputs, targets, weights)
    assert value == engine.loss(problem.parameters, inputs, targets, weights)
    got = got.copy()
    expected = central_differences(lambda p: engine.loss(p, inputs, targets, weights), problem.parameters)
    assert worst_block_error(problem.shape, got, expected) < LARGEST_ERROR


def check_products(problem, rng):
    """The vector-Jacobian product: parameters and inputs."""
    engine = make_engine(problem)
    doutputs = rng.standard_normal(engine.forward(problem.parameters, problem.inputs).shape)
    got, got_inputs = engine.vjp(problem.parameters, problem.inputs, doutputs)
    expected = central_differences(lambda p: (doutputs * engine.forward(p, problem.inputs)).sum(), problem.parameters)
    assert worst_block_error(problem.shape, got, expected) < LARGEST_ERROR
    expected = central_differences(lambda x: (doutputs * engine.forward(problem.parameters, x)).sum(), problem.inputs)
    assert relative_error(got_inputs, expected) < LARGEST_ERROR


@pytest.mark.parametrize("every_step", [False, True], ids=["last_step", "every_step"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_cells_and_stacks(cell, layers, every_step, rng):
    problem = make_problem(rng, cell, layers=layers, every_step=every_step)
    check_loss_gradient(problem)
    check_products(problem, rng)


@pytest.mark.parametrize("every_step", [False, True], ids=["last_step", "every_step"])
@pytest.mark.parametrize("cell", CELLS)
def test_dilations_and_residual_links(cell, every_step, rng):
    problem = make_problem(rng, cell, layers=3, steps=6, every_step=every_step, dilations=(2, 1, 4), residual=1)
    check_loss_gradient(problem)
    check_products(problem, rng)


@pytest.mark.parametrize("every_step", [False, True], ids=["last_step", "every_step"])
@pytest.mark.parametrize("loss", LOSSES)
def test_losses(loss, every_step, rng):
    check_loss_gradient(make_problem(rng, "lstm", loss=loss, every_step=every_step, horizon=3))


@pytest.mark.parametrize("loss", ["mse", "quantile", "student-t"])
@pytest.mark.parametrize("activation", [IDENTITY, SIGMOID, TANH], ids=["identity", "sigmoid", "tanh"])
def test_output_activations(activation, loss, rng):
    problem = make_problem(rng, "gru", activation=activation, loss=loss, every_step=True)
    check_loss_gradient(problem)
    check_products(problem, rng)


@pytest.mark.parametrize(
    ("loss", "horizon", "group"),
    [
        pytest.param("mse", 2, 1, id="mse_group1"),
        pytest.param("mse", 10, 5, id="mse_group5"),
        pytest.param("quantile", 1, 1, id="quantile_group1"),
        pytest.param("quantile", 2, 5, id="quantile_group5"),
        pytest.param("student-t", 2, 3, id="student-t"),
    ],
)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_direct_connection(cell, layers, loss, horizon, group, rng):
    problem = make_problem(rng, cell, layers=layers, loss=loss, horizon=horizon, direct_group=group)
    assert "direct.weight" in dict(blocks(problem.shape, problem.parameters))
    check_loss_gradient(problem)
    check_products(problem, rng)


@pytest.mark.parametrize("activation", [SIGMOID, TANH], ids=["sigmoid", "tanh"])
def test_direct_connection_under_an_activation(activation, rng):
    problem = make_problem(rng, "lstm", activation=activation, loss="quantile", direct_group=5)
    check_loss_gradient(problem)
    check_products(problem, rng)


def test_one_step_one_unit(rng):
    problem = make_problem(rng, "lstm", steps=1, hidden=1, features=1, batch=1, horizon=1, layers=2)
    check_products(problem, rng)
