"""Windows that begin late, and states carried from one run to the next: against the twin, and against plain runs."""

import numpy as np
import pytest
from core_cases import CELLS, LOSSES, make_problem, relative_error, worst_block_error
from test_core_gradients import LARGEST_ERROR, central_differences

from rnncast.core import memory, twin
from rnncast.core.engine import Engine
from rnncast.core.shape import state_shape

DTYPES = {"float64": (np.float64, 1e-10), "float32": (np.float32, 1e-4)}
NETWORKS = {
    "plain": {},
    "dilated": {"dilations": (3, 1, 4), "residual": 1},
}


def make(problem, dtype=np.float64, **options):
    steps, _, batch = problem.inputs.shape
    return Engine(problem.shape, steps, batch, dtype, every_step=problem.every_step, loss=problem.table, **options)


def lengths_of(problem, rng):
    steps, _, batch = problem.inputs.shape
    return rng.integers(1, steps + 1, batch)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("every_step", [False, True], ids=["last_step", "every_step"])
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("cell", CELLS)
def test_lengths_as_in_the_twin(cell, network, every_step, dtype, rng):
    problem = make_problem(rng, cell, layers=3, batch=70, hidden=5, steps=9, every_step=every_step, **NETWORKS[network])
    kind, tolerance = DTYPES[dtype]
    parameters, inputs = problem.parameters.astype(kind), problem.inputs.astype(kind)
    lengths, run = lengths_of(problem, rng), make(problem, kind)
    got = run.forward(parameters, inputs, lengths=lengths)
    assert relative_error(got, twin.forward(problem.shape, parameters, inputs, every_step, lengths=lengths)) < tolerance
    doutputs = rng.standard_normal(got.shape).astype(kind)
    gradient, dinputs = run.vjp(parameters, inputs, doutputs, lengths=lengths)
    wanted, dwanted = twin.backward(problem.shape, parameters, inputs, doutputs, lengths=lengths)
    assert worst_block_error(problem.shape, gradient, wanted) < tolerance
    assert relative_error(dinputs, dwanted) < tolerance


@pytest.mark.parametrize("every_step", [False, True], ids=["last_step", "every_step"])
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_ragged_batch_is_each_of_its_windows_alone(cell, network, every_step, rng):
    problem = make_problem(rng, cell, layers=3, batch=20, steps=7, every_step=every_step, **NETWORKS[network])
    lengths, weights = lengths_of(problem, rng), problem.weights / problem.weights.sum()
    loss, gradient = 0.0, np.zeros_like(problem.parameters)
    for n, length in enumerate(lengths):
        targets = problem.targets[-length:, :, [n]] if every_step else problem.targets[:, [n]]
        part, slope = make(problem).loss_and_gradient(problem.parameters, problem.inputs[-length:, :, [n]], targets)
        loss, gradient = loss + weights[n] * part, gradient + weights[n] * slope
    got, slope = make(problem).loss_and_gradient(
        problem.parameters, problem.inputs, problem.targets, problem.weights, lengths=lengths
    )
    assert got == pytest.approx(loss, rel=1e-12)
    assert worst_block_error(problem.shape, slope, gradient) < 1e-11


def test_what_stands_before_a_window_has_no_effect(rng):
    problem = make_problem(rng, "lstm", layers=2, batch=40, steps=6)
    lengths = lengths_of(problem, rng)
    inputs = problem.inputs.copy()
    inputs[np.arange(6)[:, None, None] + np.zeros((6, 2, 40)) < 6 - lengths] = 1e6
    results = [
        make(problem).loss_and_gradient(problem.parameters, x, problem.targets, lengths=lengths)[1].copy()
        for x in (problem.inputs, inputs)
    ]
    np.testing.assert_allclose(*results, rtol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("cell", CELLS)
def test_two_runs_with_a_carried_state_are_one(cell, network, dtype, rng):
    problem = make_problem(rng, cell, layers=3, batch=37, steps=11, every_step=True, **NETWORKS[network])
    kind, tolerance = DTYPES[dtype]
    parameters, inputs, run = problem.parameters.astype(kind), problem.inputs.astype(kind), make(problem, kind)
    whole = run.forward(parameters, inputs)
    assert run.state is None
    outputs, state = [], run.zero_state(37)
    for part in (slice(0, 2), slice(2, 3), slice(3, 11)):  # shorter than the dilations, too
        outputs.append(run.forward(parameters, inputs[part], state=state))
        expected, left = twin.forward_from(problem.shape, parameters, inputs[part], True, state=state)
        assert relative_error(outputs[-1], expected) < tolerance
        assert relative_error(run.state, left) < tolerance
        state = run.state
    assert relative_error(np.concatenate(outputs), whole) < tolerance


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("cell", CELLS)
def test_gradient_with_a_carried_state(cell, network, rng):
    problem = make_problem(rng, cell, layers=3, batch=3, steps=5, every_step=True, **NETWORKS[network])
    state = rng.standard_normal(state_shape(problem.shape, 3)) * 0.5
    run = make(problem)
    _, gradient = run.loss_and_gradient(problem.parameters, problem.inputs, problem.targets, state=state)
    got = gradient.copy()
    expected = central_differences(
        lambda p: run.loss(p, problem.inputs, problem.targets, state=state), problem.parameters
    )
    assert worst_block_error(problem.shape, got, expected) < LARGEST_ERROR
    doutputs = rng.standard_normal((5, problem.shape.outputs, 3))
    got, dinputs = run.vjp(problem.parameters, problem.inputs, doutputs, state=state)
    expected, dexpected = twin.backward(problem.shape, problem.parameters, problem.inputs, doutputs, state=state)
    assert worst_block_error(problem.shape, got, expected) < 1e-10
    assert relative_error(dinputs, dexpected) < 1e-10


@pytest.mark.parametrize("loss", LOSSES)
def test_each_step_can_have_a_weight_of_its_own(loss, rng):
    """With a state carried in, as for sequences some of whose steps have no target; against differences and twin."""
    problem = make_problem(rng, "lstm", layers=2, batch=20, steps=5, loss=loss, every_step=True)
    state = rng.standard_normal(state_shape(problem.shape, 20)) * 0.5
    weights = rng.uniform(0.0, 2.0, (5, 20)) * (rng.random((5, 20)) > 0.3)
    run = make(problem)
    value, gradient = run.loss_and_gradient(problem.parameters, problem.inputs, problem.targets, weights, state=state)
    got = gradient.copy()
    outputs = twin.forward(problem.shape, problem.parameters, problem.inputs, True, state=state)
    expected, doutputs = twin.loss_and_gradient(outputs, problem.targets, problem.table, weights)
    assert value == pytest.approx(expected, rel=1e-12)
    wanted, _ = twin.backward(problem.shape, problem.parameters, problem.inputs, doutputs, state=state)
    assert worst_block_error(problem.shape, got, wanted) < 1e-10
    differences = central_differences(
        lambda p: run.loss(p, problem.inputs, problem.targets, weights, state=state), problem.parameters
    )
    assert worst_block_error(problem.shape, got, differences) < LARGEST_ERROR


def test_a_step_of_no_weight_has_no_effect_and_equal_weights_are_none(rng):
    problem = make_problem(rng, "gru", batch=18, steps=4, every_step=True, loss="quantile")
    run, weights = make(problem), np.ones((4, 18))
    plain = run.loss(problem.parameters, problem.inputs, problem.targets)
    assert run.loss(problem.parameters, problem.inputs, problem.targets, weights) == pytest.approx(plain, rel=1e-12)
    weights[1:3, 5] = 0.0
    targets = problem.targets.copy()
    targets[1:3, :, 5] = 1e6
    first, second = (
        run.loss_and_gradient(problem.parameters, problem.inputs, given, weights)[1].tobytes()
        for given in (problem.targets, targets)
    )
    assert first == second


def test_weights_of_steps_are_checked(rng):
    problem = make_problem(rng, "gru", every_step=True)
    data = problem.parameters, problem.inputs, problem.targets
    for weights, message in ((np.ones((3, 3)), "weights have shape"), (np.zeros((4, 3)), "weights have shape")):
        with pytest.raises(ValueError, match=message):
            make(problem).loss(*data, weights)
    with pytest.raises(ValueError, match="without lengths"):
        make(problem).loss(*data, np.ones((4, 3)), lengths=[1, 2, 3])
    at_the_end = make_problem(rng, "gru")
    with pytest.raises(ValueError, match="outputs at every step"):
        make(at_the_end).loss(at_the_end.parameters, at_the_end.inputs, at_the_end.targets, np.ones((4, 3)))


def test_threads_alter_nothing(rng, monkeypatch):
    monkeypatch.setattr(memory, "WORTH_SHARING", 0)
    problem = make_problem(rng, "lstm", layers=2, hidden=34, batch=150, every_step=True, dilations=(1, 2))
    lengths, state = lengths_of(problem, rng), rng.standard_normal(state_shape(problem.shape, 150))
    for more in ({"lengths": lengths}, {"state": state}):
        results = []
        for count in (1, 2, 4):
            run = make(problem, np.float32, threads=count)
            loss, gradient = run.loss_and_gradient(problem.parameters, problem.inputs, problem.targets, **more)
            left = b"" if run.state is None else run.state.tobytes()
            results.append((loss, gradient.tobytes(), left))
        assert results[0] == results[1] == results[2]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"lengths": [1, 2]}, "lengths have shape"),
        ({"lengths": [0, 1, 2]}, "lengths have shape"),
        ({"lengths": [5, 1, 2]}, "lengths have shape"),
        ({"state": np.zeros((2, 1, 1, 4, 3))}, "state have shape"),
        ({"lengths": [1, 1, 1], "state": np.zeros((1, 1, 1, 4, 3))}, "do not go together"),
    ],
)
def test_impossible_sequences_are_refused(more, message, rng):
    problem = make_problem(rng, "gru")
    with pytest.raises(ValueError, match=message):
        make(problem).forward(problem.parameters, problem.inputs, **more)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("every_step", [False, True], ids=["last_step", "every_step"])
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("cell", CELLS)
def test_one_window_alone_is_what_it_is_among_others(cell, network, every_step, dtype, rng):
    problem = make_problem(
        rng, cell, layers=3, hidden=19, batch=2, steps=9, every_step=every_step, activation=1, **NETWORKS[network]
    )
    kind, tolerance = DTYPES[dtype]
    parameters, inputs, run = problem.parameters.astype(kind), problem.inputs.astype(kind), make(problem, kind)
    state = (0.5 * rng.standard_normal(state_shape(problem.shape, 2))).astype(kind)
    for more in ({}, {"lengths": np.array([4, 9])}, {"state": state}):
        both, left = run.forward(parameters, inputs, **more), run.state
        for n in range(2):
            alone = {name: value[..., [n]] for name, value in more.items()}
            got = run.forward(parameters, inputs[:, :, [n]], **alone)
            begun = 9 - more["lengths"][n] if "lengths" in more and every_step else 0  # before it outputs say nothing
            assert relative_error(got[begun:], both[begun:, ..., [n]]) < tolerance
            assert left is None or relative_error(run.state, left[..., [n]]) < tolerance
