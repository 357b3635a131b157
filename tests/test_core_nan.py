"""NaN in data never goes unseen, whatever the cell, the loss and the place."""

import numpy as np
import pytest
from core_cases import CELLS, LOSSES, make_problem

from rnncast.core import twin
from rnncast.core.engine import Engine
from rnncast.core.optimiser import adamw_step

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def check_refused(problem, dtype, inputs, targets, weights=None):
    """The loss is NaN, the gradient is NaN, and an optimiser step on it alters no parameter."""
    steps, _, batch = inputs.shape
    engine = Engine(problem.shape, steps, batch, dtype, every_step=problem.every_step, loss=problem.table)
    parameters = problem.parameters.astype(dtype)
    before = parameters.copy()
    value, gradient = engine.loss_and_gradient(parameters, inputs, targets, weights)
    assert np.isnan(value)
    assert np.isnan(gradient).all()
    assert np.isnan(engine.loss(parameters, inputs, targets, weights))
    first, second, average, decay = (np.zeros_like(parameters) for _ in range(4))
    norm = adamw_step(parameters, gradient, first, second, average, decay, 1, 0.01, 0.9, 0.999, 1e-8, 0.01, 1.0, 0.9)
    assert np.isnan(norm)
    np.testing.assert_array_equal(parameters, before)
    assert not first.any() and not second.any() and not average.any()


@DTYPES
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("step", [0, 3], ids=["first_step", "last_step"])
def test_in_one_input(step, cell, dtype, rng):
    problem = make_problem(rng, cell, layers=2, batch=40, loss="quantile")
    inputs = problem.inputs.copy()
    inputs[step, 1, 37] = np.nan
    check_refused(problem, dtype, inputs, problem.targets)
    for got in (
        Engine(problem.shape, 4, 40, dtype).forward(problem.parameters, inputs)
        if problem.table.outputs == problem.shape.outputs and problem.table.levels.size == 1
        else Engine(problem.shape, 4, 40, dtype, loss=problem.table).forward(problem.parameters, inputs),
        twin.forward(problem.shape, problem.parameters.astype(dtype), inputs),
    ):
        assert np.isnan(got[:, 37]).all()
        assert np.isfinite(np.delete(got, 37, axis=1)).all()


@DTYPES
@pytest.mark.parametrize("every_step", [False, True], ids=["last_step", "every_step"])
@pytest.mark.parametrize("loss", LOSSES)
def test_in_one_target(loss, every_step, dtype, rng):
    problem = make_problem(rng, "lstm", batch=5, loss=loss, every_step=every_step)
    targets = problem.targets.copy()
    targets.reshape(-1)[3] = np.nan
    check_refused(problem, dtype, problem.inputs, targets)


@pytest.mark.parametrize("loss", LOSSES)
def test_under_a_weight_of_zero(loss, rng):
    problem = make_problem(rng, "lstm", batch=5, loss=loss)
    targets, weights = problem.targets.copy(), np.ones(5)
    targets[0, 3] = np.nan
    weights[3] = 0
    check_refused(problem, np.float64, problem.inputs, targets, weights)


def test_in_a_weight(rng):
    problem = make_problem(rng, "gru", batch=5)
    check_refused(problem, np.float64, problem.inputs, problem.targets, np.array([1, np.nan, 1, 1, 1.0]))


@pytest.mark.parametrize("loss", LOSSES)
def test_an_infinite_target_poisons_the_gradient(loss, rng):
    problem = make_problem(rng, "gru", batch=5, loss=loss)
    targets = problem.targets.copy()
    targets[0, 2] = np.inf
    engine = Engine(problem.shape, 4, 5, np.float64, loss=problem.table)
    value, gradient = engine.loss_and_gradient(problem.parameters, problem.inputs, targets)
    assert not np.isfinite(value)
    assert np.isnan(gradient).all()
