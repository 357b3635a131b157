"""The wrapper of the kernels: what it accepts, what it refuses, and what does not change the results."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from core_cases import CELLS, make_problem
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncast.core import memory
from rnncast.core.engine import Engine
from rnncast.core.layout import GROUPS
from rnncast.core.shape import LSTM, Shape


def make_engine(problem, dtype=np.float64):
    steps, _, batch = problem.inputs.shape
    return Engine(problem.shape, steps, batch, dtype, every_step=problem.every_step, loss=problem.table)


@settings(max_examples=30, deadline=None)
@given(
    cell=st.sampled_from(list(CELLS)),
    batch=st.integers(2, 140),
    hidden=st.integers(1, 9),
    split=st.integers(1, 139),
    seed=st.integers(0, 99),
)
def test_order_and_split_of_a_batch_do_not_matter(cell, batch, hidden, split, seed):
    """A permuted batch gives permuted outputs and the same loss; two parts give the weighted mean of losses."""
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, cell, batch=batch, hidden=hidden, loss="quantile")
    engine = make_engine(problem)
    outputs = engine.forward(problem.parameters, problem.inputs)
    loss, gradient = engine.loss_and_gradient(problem.parameters, problem.inputs, problem.targets)
    gradient = gradient.copy()

    order = rng.permutation(batch)
    got = engine.forward(problem.parameters, problem.inputs[:, :, order])
    np.testing.assert_allclose(got, outputs[:, order], rtol=1e-12, atol=1e-13)
    got_loss, got_gradient = engine.loss_and_gradient(
        problem.parameters, problem.inputs[:, :, order], problem.targets[:, order]
    )
    assert got_loss == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(got_gradient, gradient, rtol=1e-9, atol=1e-12)

    cut = 1 + split % (batch - 1)
    total, total_gradient = 0.0, np.zeros_like(gradient)
    for part in (slice(0, cut), slice(cut, batch)):
        share = (part.stop - part.start) / batch
        part_loss, part_gradient = engine.loss_and_gradient(
            problem.parameters, problem.inputs[:, :, part], problem.targets[:, part]
        )
        total += share * part_loss
        total_gradient += share * part_gradient
    assert total == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(total_gradient, gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_runs_do_not_touch_each_other(cell, rng):
    """After runs of other modes and sizes, an engine gives the same bytes as a fresh one."""
    problem = make_problem(rng, cell, batch=70, layers=2, loss="quantile", every_step=True)
    used, fresh = make_engine(problem), make_engine(problem)
    small = problem.inputs[:2, :, :5], problem.targets[:2, :, :5]
    used.loss_and_gradient(problem.parameters, problem.inputs, problem.targets)
    used.forward(problem.parameters, problem.inputs)
    used.loss(problem.parameters, *small)
    expected = fresh.loss_and_gradient(problem.parameters, *small)
    got = used.loss_and_gradient(problem.parameters, *small)
    assert got[0] == expected[0]
    np.testing.assert_array_equal(got[1], expected[1])


def test_same_bytes_twice(rng):
    problem = make_problem(rng, "lstm", batch=70, hidden=17, loss="quantile")
    engine = make_engine(problem, np.float32)
    first = engine.loss_and_gradient(problem.parameters, problem.inputs, problem.targets)[1].tobytes()
    assert engine.loss_and_gradient(problem.parameters, problem.inputs, problem.targets)[1].tobytes() == first


def test_every_step_ends_with_the_last_step(rng):
    problem = make_problem(rng, "gru", batch=5, every_step=True)
    every = make_engine(problem).forward(problem.parameters, problem.inputs)
    last = Engine(problem.shape, 4, 5, np.float64).forward(problem.parameters, problem.inputs)
    np.testing.assert_array_equal(every[-1], last)
    shorter = make_engine(problem).forward(problem.parameters, problem.inputs[:2])
    np.testing.assert_array_equal(every[:2], shorter)


def test_read_only_strided_and_other_dtypes_are_taken(rng):
    problem = make_problem(rng, "gru", batch=6)
    expected = make_engine(problem, np.float32).forward(problem.parameters, problem.inputs)
    inputs = np.asfortranarray(problem.inputs.astype(np.float32))
    parameters = problem.parameters.astype(np.float32)
    inputs.flags.writeable = parameters.flags.writeable = False
    got = make_engine(problem, np.float32).forward(parameters, inputs)
    np.testing.assert_array_equal(got, expected)


def test_the_gradient_buffer_is_reused_and_vjp_is_not(rng):
    problem = make_problem(rng, "gru", batch=6)
    engine = make_engine(problem)
    first = engine.loss_and_gradient(problem.parameters, problem.inputs, problem.targets)[1]
    assert engine.loss_and_gradient(problem.parameters, problem.inputs, problem.targets)[1] is first
    doutputs = np.ones((2, 6))
    one, two = (engine.vjp(problem.parameters, problem.inputs, doutputs)[0] for _ in range(2))
    assert not np.shares_memory(one, two)
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"parameters": np.zeros(3)}, "parameters", id="parameters"),
        pytest.param({"inputs": np.zeros((4, 3, 5))}, "inputs", id="features"),
        pytest.param({"inputs": np.zeros((5, 2, 5))}, "inputs", id="too_many_steps"),
        pytest.param({"inputs": np.zeros((4, 2, 6))}, "inputs", id="too_many_windows"),
        pytest.param({"inputs": np.zeros((4, 2, 0))}, "inputs", id="no_window"),
        pytest.param({"inputs": np.zeros((4, 2))}, "inputs", id="two_dimensions"),
        pytest.param({"targets": np.zeros((3, 5))}, "targets", id="targets"),
        pytest.param({"weights": np.ones(4)}, "weights", id="weights_shape"),
        pytest.param({"weights": -np.ones(5)}, "weights", id="weights_negative"),
        pytest.param({"weights": np.zeros(5)}, "weights", id="weights_zero"),
    ],
)
def test_wrong_arrays_are_refused_by_name(change, message, rng):
    problem = make_problem(rng, "gru", batch=5)
    arrays = {"parameters": problem.parameters, "inputs": problem.inputs, "targets": problem.targets}
    assert make_engine(problem).loss(**arrays) > 0
    with pytest.raises(ValueError, match=message):
        make_engine(problem).loss(**(arrays | change))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"steps": 0}, "steps", id="steps"),
        pytest.param({"batch": 0}, "steps and batch", id="batch"),
        pytest.param({"dtype": np.int32}, "dtype", id="dtype"),
        pytest.param({"shape": Shape(LSTM, 1, 2, 1, 1, 0, 3), "every_step": True}, "direct_steps", id="direct_every"),
        pytest.param({"shape": Shape(LSTM, 1, 2, 1, 1, 0, 4)}, "direct_steps", id="direct_steps"),
        pytest.param({"loss": make_problem(np.random.default_rng(0), horizon=3).table}, "outputs", id="loss"),
    ],
)
def test_impossible_engines_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Engine(**({"shape": Shape(LSTM, 1, 2, 1, 1), "steps": 3, "batch": 3} | arguments))


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("cell", CELLS)
def test_same_bytes_for_any_number_of_threads(cell, dtype, rng, monkeypatch):
    monkeypatch.setattr(memory, "WORTH_SHARING", 0)
    problem = make_problem(rng, cell, layers=2, hidden=34, batch=150, steps=5, loss="quantile", direct_group=5)
    results = []
    for count in (1, 2, 3, 4, 8):
        run = Engine(problem.shape, 5, 150, dtype, loss=problem.table, threads=count)
        loss, gradient = run.loss_and_gradient(problem.parameters, problem.inputs, problem.targets, problem.weights)
        outputs = run.forward(problem.parameters, problem.inputs)
        products = run.vjp(problem.parameters, problem.inputs, outputs)
        results.append([np.float64(loss).tobytes(), *(part.tobytes() for part in (gradient, outputs, *products))])
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("every_step", [False, True], ids=["last step", "every step"])
@pytest.mark.parametrize("loss", ["mse", "quantile", "student-t"])
def test_score_of_outputs_is_the_loss_of_the_inputs(rng, loss, every_step):
    problem = make_problem(rng, "gru", batch=70, loss=loss, every_step=every_step)
    run = Engine(problem.shape, len(problem.inputs), 70, np.float64, loss=problem.table, every_step=every_step)
    expected = run.loss(problem.parameters, problem.inputs, problem.targets)
    assert run.score(run.forward(problem.parameters, problem.inputs), problem.targets) == expected


def test_the_kernel_is_compiled_where_signals_are_heard(rng, monkeypatch):
    """A long run goes on in another thread, and this one waits; what compiles in another thread cannot be stopped."""
    problem, kernel, calls = make_problem(rng, "gru"), memory.run, []

    def run(*arguments):
        calls.append((threading.current_thread() is threading.main_thread(), int(arguments[3][GROUPS])))
        kernel(*arguments)

    monkeypatch.setattr(memory, "_compiled", set())
    monkeypatch.setattr(memory, "HEARD", 0)
    monkeypatch.setattr(memory, "run", run)
    engine = Engine(problem.shape, *problem.inputs.shape[::2], loss=problem.table)
    got = engine.loss(problem.parameters, problem.inputs, problem.targets)
    assert calls == [(True, 0), (False, 1)]
    assert np.isfinite(got)


COMPILES = """
import collections, gc, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from core_cases import make_problem
from numba.core.dispatcher import Dispatcher
from rnncast.core.engine import Engine
rng = np.random.default_rng(3)
for problem in make_problem(rng, "gru", every_step=True), make_problem(rng, "gru", loss="quantile", direct_group=5):
    steps, _, batch = problem.inputs.shape
    engine = Engine(problem.shape, steps, batch, every_step=problem.every_step, loss=problem.table)
    engine.loss_and_gradient(problem.parameters, problem.inputs, problem.targets)
    engine.vjp(problem.parameters, problem.inputs, engine.forward(problem.parameters, problem.inputs))
    engine.forward(problem.parameters, problem.inputs[:, :, :1])
for kernel in gc.get_objects():
    if isinstance(kernel, Dispatcher) and kernel.__module__.startswith("rnncast.core") and kernel.signatures:
        print(kernel.__module__, kernel.__name__, len(kernel.signatures))
"""


def test_each_kernel_is_compiled_once_a_dtype(tmp_path):
    """A literal or a read-only array in a call would make Numba compile a kernel once more, unseen."""
    command = [sys.executable, "-c", COMPILES, str(Path(__file__).parent)]
    environment = {**os.environ, "RNNCAST_CACHE_DIR": str(tmp_path)}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ran.returncode == 0, ran.stderr
    compiled = {}
    for module, name, count in map(str.split, ran.stdout.splitlines()):
        compiled[f"{module}.{name}"] = int(count)
    assert len(compiled) > 10
    assert {name: count for name, count in compiled.items() if count > 1} == {}
    assert len(list(tmp_path.rglob("*.kernel"))) == 3  # what Python calls: `run`, `finish`, `run_window`
