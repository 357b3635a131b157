"""Recurrent layers that take the end of the window alone, and a direct connection that takes some of its features."""

import numpy as np
import pytest
from core_cases import CELLS, make_problem

from rnncast.core import twin
from rnncast.core.engine import Engine
from rnncast.core.shape import parameter_count

STEPS, TAKEN = 9, 4


def make_short(rng, cell="lstm", *, batch=7, direct=True, features=0, **settings):
    """A problem whose recurrent layers take 4 of 9 steps, and the direct connection so many of 3 features, or all."""
    problem = make_problem(
        rng, cell, steps=STEPS, features=3, horizon=2, batch=batch, loss="quantile", direct_group=5 * direct, **settings
    )
    shape = problem.shape._replace(recurrent_steps=TAKEN, direct_features=features)
    return problem._replace(shape=shape, parameters=problem.parameters[: parameter_count(shape)])


def make_engine(problem, dtype=np.float64, every_step=False):
    return Engine(problem.shape, STEPS, problem.inputs.shape[2], dtype, loss=problem.table, every_step=every_step)


STACKS = pytest.mark.parametrize(
    "stack",
    [{}, {"layers": 3, "dilations": (1, 2, 3), "residual": 1}],
    ids=["one layer", "dilated stack with links"],
)


@STACKS
@pytest.mark.parametrize("batch", [1, 7, 70])
@pytest.mark.parametrize("cell", CELLS)
def test_without_a_direct_connection_the_start_of_the_window_does_nothing(cell, batch, stack, rng):
    problem = make_short(rng, cell, batch=batch, direct=False, **stack)
    whole = problem.shape._replace(recurrent_steps=0)
    end = problem.inputs[-TAKEN:]
    expected = Engine(whole, TAKEN, batch, np.float64, loss=problem.table).forward(problem.parameters, end)
    np.testing.assert_array_equal(make_engine(problem).forward(problem.parameters, problem.inputs), expected)
    got = twin.forward(problem.shape, problem.parameters, problem.inputs)
    np.testing.assert_array_equal(got, twin.forward(whole, problem.parameters, end))


@STACKS
@pytest.mark.parametrize("features", [0, 1, 2], ids=["all features", "one feature", "two features"])
@pytest.mark.parametrize("batch", [1, 7, 70])
@pytest.mark.parametrize("cell", CELLS)
def test_kernels_and_twin_agree(cell, batch, features, stack, rng):
    problem = make_short(rng, cell, batch=batch, features=features, **stack)
    engine = make_engine(problem)
    outputs = twin.forward(problem.shape, problem.parameters, problem.inputs)
    np.testing.assert_allclose(engine.forward(problem.parameters, problem.inputs), outputs, rtol=1e-11, atol=1e-12)
    doutputs = rng.standard_normal(outputs.shape)
    got = engine.vjp(problem.parameters, problem.inputs, doutputs)
    expected = twin.backward(problem.shape, problem.parameters, problem.inputs, doutputs)
    loss, gradient = engine.loss_and_gradient(problem.parameters, problem.inputs, problem.targets)
    assert loss == pytest.approx(engine.loss(problem.parameters, problem.inputs, problem.targets), rel=1e-12)
    assert gradient.shape == got[0].shape
    for mine, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("features", [0, 2], ids=["all features", "two features"])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_the_twin_are_those_of_central_differences(cell, features, rng):
    problem = make_short(rng, cell, batch=3, features=features)
    doutputs = rng.standard_normal((10, 3))
    gradient, dinputs = twin.backward(problem.shape, problem.parameters, problem.inputs, doutputs)

    def value(parameters, inputs):
        return np.sum(doutputs * twin.forward(problem.shape, parameters, inputs))

    for place in rng.choice(len(gradient), size=40, replace=False):
        step = np.zeros_like(gradient)
        step[place] = 1e-6
        change = value(problem.parameters + step, problem.inputs) - value(problem.parameters - step, problem.inputs)
        assert change / 2e-6 == pytest.approx(gradient[place], rel=1e-6, abs=1e-8)
    for place in np.ndindex(STEPS, 3):
        step = np.zeros_like(problem.inputs)
        step[(*place, 1)] = 1e-6
        change = value(problem.parameters, problem.inputs + step) - value(problem.parameters, problem.inputs - step)
        assert change / 2e-6 == pytest.approx(dinputs[(*place, 1)], rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("batch", [1, 7])
def test_windows_of_their_own_length_begin_where_the_layers_do_at_the_earliest(batch, rng):
    problem = make_short(rng, batch=batch, direct=False)
    lengths = np.array([TAKEN - 1, STEPS, TAKEN, 1, TAKEN + 1, 2, 3])[:batch]
    got = make_engine(problem).forward(problem.parameters, problem.inputs, lengths=lengths)
    whole = problem.shape._replace(recurrent_steps=0)
    engine = Engine(whole, TAKEN, batch, np.float64, loss=problem.table)
    expected = engine.forward(problem.parameters, problem.inputs[-TAKEN:], lengths=np.minimum(lengths, TAKEN))
    np.testing.assert_array_equal(got, expected)
    got = twin.forward(problem.shape, problem.parameters, problem.inputs, lengths=lengths)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("batch", [1, 7])
def test_a_direct_connection_does_not_see_the_other_features(batch, rng):
    problem = make_short(rng, batch=batch, features=2)
    weights = twin.unpack(problem.shape, problem.parameters)
    weights["output.weight"][:] = 0
    changed = problem.inputs.copy()
    changed[:, 2] += 1
    for forward in (make_engine(problem).forward, lambda *given: twin.forward(problem.shape, *given)):
        got = forward(problem.parameters, changed)
        np.testing.assert_array_equal(got, forward(problem.parameters, problem.inputs))


def test_more_steps_than_the_window_has_are_all_of_them(rng):
    problem = make_short(rng)
    whole = problem._replace(shape=problem.shape._replace(recurrent_steps=0))
    more = problem._replace(shape=problem.shape._replace(recurrent_steps=STEPS + 5))
    expected = make_engine(whole).forward(problem.parameters, problem.inputs)
    np.testing.assert_array_equal(make_engine(more).forward(problem.parameters, problem.inputs), expected)


def test_what_makes_no_sense_is_refused(rng):
    problem = make_short(rng, direct=False)
    with pytest.raises(ValueError, match="recurrent_steps"):
        make_engine(problem, every_step=True)
    with pytest.raises(ValueError, match="recurrent_steps"):
        twin.forward(problem.shape, problem.parameters, problem.inputs, every_step=True)
    with pytest.raises(ValueError, match="recurrent_steps"):
        make_engine(problem._replace(shape=problem.shape._replace(recurrent_steps=-1)))
    with pytest.raises(ValueError, match="direct_features"):
        make_engine(problem._replace(shape=problem.shape._replace(direct_features=4)))
