"""The direct connection from the input window to the outputs, kernels and twin: what it adds and what it refuses."""

import numpy as np
import pytest
from core_cases import CELLS, make_problem

from rnncast.core import twin
from rnncast.core.engine import Engine
from rnncast.core.shape import parameter_count

STEPS, FEATURES = 4, 3


def make_direct(rng, cell="lstm", *, group=5, batch=7):
    """A problem of 2 horizon steps and 5 quantiles whose window of 4 steps is connected to its outputs."""
    return make_problem(
        rng, cell, steps=STEPS, features=FEATURES, horizon=2, batch=batch, loss="quantile", direct_group=group
    )


def make_engine(problem, dtype=np.float64):
    steps, _, batch = problem.inputs.shape
    return Engine(problem.shape, steps, batch, dtype, loss=problem.table)


def engine_forward(problem):
    return make_engine(problem).forward(problem.parameters, problem.inputs)


def twin_forward(problem):
    return twin.forward(problem.shape, problem.parameters, problem.inputs)


FORWARD = pytest.mark.parametrize("forward", [engine_forward, twin_forward], ids=["kernel", "twin"])


@FORWARD
@pytest.mark.parametrize("group", [1, 5])
@pytest.mark.parametrize("cell", CELLS)
def test_alone_it_is_the_linear_map(cell, group, forward, rng):
    """Without weights from the states: D x + c in the middle outputs, c in the others."""
    problem = make_direct(rng, cell, group=group, batch=70)
    weights = twin.unpack(problem.shape, problem.parameters)
    weights["output.weight"][:] = 0
    expected = np.repeat(weights["output.bias"][:, None], 70, axis=1)  # (O, B)
    for n, window in enumerate(problem.inputs.transpose(2, 0, 1)):  # (T, F)
        for k, row in enumerate(weights["direct.weight"]):
            expected[k * group + (group - 1) // 2, n] += np.sum(row.reshape(STEPS, FEATURES) * window)
    np.testing.assert_allclose(forward(problem), expected, rtol=1e-13, atol=1e-14)


@FORWARD
@pytest.mark.parametrize("k", [0, 1])
@pytest.mark.parametrize(("t", "f"), [(0, 0), (1, 2), (3, 1)])
def test_one_weight_carries_one_input(t, f, k, forward, rng):
    """Weight (k, t * F + f) takes feature f of step t to output k * Q + (Q - 1) / 2, and nothing else anywhere."""
    problem = make_direct(rng)
    weights = twin.unpack(problem.shape, problem.parameters)
    weights["output.weight"][:] = weights["output.bias"][:] = weights["direct.weight"][:] = 0
    weights["direct.weight"][k, t * FEATURES + f] = 1
    expected = np.zeros((10, 7))
    expected[5 * k + 2] = problem.inputs[t, f]
    np.testing.assert_array_equal(forward(problem), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("cell", CELLS)
def test_zero_weights_change_no_byte(cell, dtype, rng):
    """With D = 0 outputs, loss and the other parameters' gradient are those of the network without it."""
    problem = make_direct(rng, cell, batch=70)
    without = problem._replace(shape=problem.shape._replace(direct_steps=0, output_group=1))
    count = parameter_count(without.shape)
    problem.parameters[count:] = 0
    without = without._replace(parameters=problem.parameters[:count].copy())
    got, expected = make_engine(problem, dtype), make_engine(without, dtype)
    np.testing.assert_array_equal(
        got.forward(problem.parameters, problem.inputs), expected.forward(without.parameters, without.inputs)
    )
    got_loss, got_gradient = got.loss_and_gradient(problem.parameters, problem.inputs, problem.targets)
    expected_loss, expected_gradient = expected.loss_and_gradient(without.parameters, problem.inputs, problem.targets)
    assert got_loss == expected_loss
    np.testing.assert_array_equal(got_gradient[:count], expected_gradient)
    assert np.abs(got_gradient[count:]).min() > 0


def test_a_smaller_batch_is_not_touched_by_a_larger_one(rng):
    problem = make_direct(rng, batch=70)
    used, fresh = make_engine(problem), make_engine(problem)
    small = problem.inputs[:, :, :5], problem.targets[:, :5]
    used.loss_and_gradient(problem.parameters, problem.inputs, problem.targets)
    used.vjp(problem.parameters, problem.inputs, np.ones((10, 70)))
    expected = fresh.loss_and_gradient(problem.parameters, *small)
    got = used.loss_and_gradient(problem.parameters, *small)
    assert got[0] == expected[0]
    np.testing.assert_array_equal(got[1], expected[1])


@pytest.mark.parametrize("steps", [3, 5])
def test_windows_of_another_length_are_refused(steps, rng):
    problem = make_direct(rng)
    engine = Engine(problem.shape, 5, 7, np.float64, loss=problem.table)
    assert engine.loss(problem.parameters, problem.inputs, problem.targets) > 0  # T may be the largest or less
    inputs = np.zeros((steps, FEATURES, 7))
    for call in (
        lambda: engine.forward(problem.parameters, inputs),
        lambda: engine.loss(problem.parameters, inputs, problem.targets),
        lambda: engine.loss_and_gradient(problem.parameters, inputs, problem.targets),
        lambda: engine.vjp(problem.parameters, inputs, np.zeros((10, 7))),
        lambda: twin.forward(problem.shape, problem.parameters, inputs),
        lambda: twin.backward(problem.shape, problem.parameters, inputs, np.zeros((10, 7))),
    ):
        with pytest.raises(ValueError, match="T = 4 steps"):
            call()


def test_outputs_at_every_step_are_refused_by_the_twin(rng):
    problem = make_direct(rng)
    with pytest.raises(ValueError, match="direct_steps"):
        twin.forward(problem.shape, problem.parameters, problem.inputs, every_step=True)
    with pytest.raises(ValueError, match="direct_steps"):
        twin.backward(problem.shape, problem.parameters, problem.inputs, np.zeros((STEPS, 10, 7)))


def test_a_missing_value_reaches_the_loss_and_the_gradient(rng):
    problem = make_direct(rng)
    problem.inputs[1, 2, 3] = np.nan
    value, gradient = make_engine(problem).loss_and_gradient(problem.parameters, problem.inputs, problem.targets)
    assert np.isnan(value)
    assert np.isnan(gradient).all()
