import numpy as np
import pytest

from rnncast.core import twin
from rnncast.core.shape import GRU, LSTM, RNN_TANH, Shape, parameter_count, state_shape
from rnncast.model import running
from rnncast.model.running import (
    Work,
    forward_pass,
    kernels_pay,
    run_states,
    run_through,
    state_outputs,
    zero_states,
)

LENGTHS = np.array([7, 0, 12, 3, 7, 1])
INDPTR = np.concatenate(([0], np.cumsum(LENGTHS))).astype(np.int64)
SHAPES = {
    "rnn": Shape(RNN_TANH, 2, 5, 1, 6, output_group=3),
    "gru": Shape(GRU, 2, 5, 2, 6, output_group=3),
    "lstm": Shape(LSTM, 2, 5, 2, 6, output_group=3),
    "linked": Shape(LSTM, 2, 5, 3, 6, output_group=3, residual=1, dilations=(1, 2, 3)),
}


@pytest.fixture(params=SHAPES)
def shape(request):
    return SHAPES[request.param]


def make(shape, rng):
    """Parameters (P,), inputs (N, F) and a state (parts, L, depth, H, S)."""
    parameters = (0.4 * rng.standard_normal(parameter_count(shape))).astype(np.float32)
    state = (0.4 * rng.standard_normal(state_shape(shape, len(LENGTHS)))).astype(np.float32)
    return parameters, rng.standard_normal((INDPTR[-1], 2)).astype(np.float32), state


@pytest.mark.parametrize("kernels", [False, True], ids=["numpy", "kernels"])
def test_sequences_of_any_length_run_as_each_alone(shape, kernels, rng, monkeypatch):
    monkeypatch.setattr(running, "MOST_STEPS", 4)
    parameters, inputs, state = make(shape, rng)
    wanted = rng.random(INDPTR[-1]) > 0.4
    forward = forward_pass(shape, len(LENGTHS), kernels=kernels, every_step=True)
    after, got = run_through(shape, forward, parameters, inputs, INDPTR, state, wanted)
    outputs = []
    for s, length in enumerate(LENGTHS):
        if length == 0:
            np.testing.assert_array_equal(after[..., s], state[..., s])
            continue
        x = inputs[INDPTR[s] : INDPTR[s + 1], :, None]
        alone, left = twin.forward_from(shape, parameters, x, True, state=state[..., [s]])
        np.testing.assert_allclose(after[..., [s]], left, atol=1e-6)
        outputs.append(alone[..., 0])
    np.testing.assert_allclose(got, np.concatenate(outputs)[wanted].T, atol=1e-6)


def test_outputs_of_a_state_are_those_of_the_step_that_left_it(shape, rng):
    parameters, inputs, state = make(shape, rng)
    outputs, left = twin.forward_from(shape, parameters, inputs[:6].reshape(1, 6, 2).transpose(0, 2, 1), state=state)
    np.testing.assert_array_equal(state_outputs(shape, parameters, left), outputs)


@pytest.mark.parametrize("limit", ["TWIN_STEPS", "TWIN_VALUES"])
def test_all_members_run_by_numpy_or_by_the_kernels(limit, rng, monkeypatch):
    shape = SHAPES["lstm"]
    parameters = np.stack([make(shape, rng)[0] for _ in range(3)])
    inputs = make(shape, rng)[1]
    states = zero_states(shape, 3, len(LENGTHS))
    expected = run_states(shape, parameters, inputs, INDPTR, states)
    assert expected.shape == (3, *state_shape(shape, len(LENGTHS)))
    assert not states.any()
    for kernels in (False, True):
        np.testing.assert_allclose(
            run_states(shape, parameters, inputs, INDPTR, states, kernels), expected, atol=1e-6 if kernels else 0
        )
    monkeypatch.setattr(running, limit, 1e-9)
    by_size = run_states(shape, parameters, inputs, INDPTR, states)
    np.testing.assert_array_equal(by_size, run_states(shape, parameters, inputs, INDPTR, states, True))


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        pytest.param(Work(running.TWIN_STEPS // 4, 0), False, id="few-steps"),
        pytest.param(Work(running.TWIN_STEPS, 0), True, id="many-steps"),
        pytest.param(Work(1, int(running.TWIN_VALUES / 80)), False, id="few-values"),
        pytest.param(Work(1, int(running.TWIN_VALUES / 20)), True, id="many-values"),
        pytest.param(Work(running.TWIN_STEPS // 3, int(running.TWIN_VALUES / 100)), True, id="both-together"),
    ],
)
def test_kernels_pay_from_so_much_work_on(work, expected):
    shape = SHAPES["lstm"]  # of 2 layers, with 20 rows of gates each
    assert kernels_pay(shape, work) is expected


def test_parts_are_bounded(monkeypatch):
    monkeypatch.setattr(running, "AT_ONCE", 60)
    parts = list(running._parts(LENGTHS, 2))
    assert max(end - begin for begin, end in parts) == 5
    assert [begin for begin, _ in parts] == [0, *(end for _, end in parts[:-1])]
    assert set(LENGTHS[LENGTHS > 0]) <= {end for _, end in parts}
