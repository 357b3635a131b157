"""Kernels and twin against outputs and gradients of PyTorch's and Keras's own layers (fixtures/make_reference.py)."""

import numpy as np
import pytest
from core_cases import CELLS, FIXTURES, relative_error, worst_block_error

from rnncast.core import twin
from rnncast.core.engine import Engine
from rnncast.core.shape import Shape

CASES = [
    f"{library}.{cell}.{layers}.{when}"
    for library in ("torch", "keras")
    for cell in CELLS
    for layers in (1, 2)
    for when in ("every", "last")
    if (library, cell) != ("torch", "rnn_sigmoid")
]


@pytest.fixture(scope="module")
def reference():
    with np.load(FIXTURES / "core_reference.npz") as stored:
        return dict(stored)


def test_every_stored_case_is_used(reference):
    assert sorted({name.rsplit(".", 1)[0] for name in reference}) == sorted(CASES)


@pytest.mark.parametrize("case", CASES)
def test_outputs_and_gradients(case, reference):
    _, cell, layers, when = case.split(".")
    given = {key: reference[f"{case}.{key}"] for key in ("parameters", "inputs", "doutputs")}
    steps, features, batch = given["inputs"].shape
    outputs = reference[f"{case}.outputs"]
    shape = Shape(CELLS[cell], features, 5, int(layers), outputs.shape[-2])
    every = when == "every"
    engine = Engine(shape, steps, batch, np.float64, every_step=every)
    for got, (gradient, dinputs) in (
        (engine.forward(given["parameters"], given["inputs"]), engine.vjp(*given.values())),
        (twin.forward(shape, given["parameters"], given["inputs"], every), twin.backward(shape, *given.values())),
    ):
        assert relative_error(got, outputs) < 1e-12
        assert worst_block_error(shape, gradient, reference[f"{case}.gradient"]) < 1e-12
        assert relative_error(dinputs, reference[f"{case}.dinputs"]) < 1e-12
