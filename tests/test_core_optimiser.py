"""The optimiser step against its twin and against PyTorch's AdamW."""

import numpy as np
import pytest
from core_cases import FIXTURES

from rnncast.core.optimiser import adamw_step
from rnncast.core.twin import optimiser_step

STEP_FUNCTIONS = pytest.mark.parametrize("step_function", [adamw_step, optimiser_step], ids=["kernel", "twin"])


def make_state(rng, size=37, dtype=np.float64):
    """Parameters, gradient, first and second moment, average, decay."""
    arrays = [rng.standard_normal(size) for _ in range(6)]
    arrays[3] = np.abs(arrays[3])
    arrays[5] = (np.arange(size) % 2).astype(float)
    return [array.astype(dtype) for array in arrays]


@STEP_FUNCTIONS
@pytest.mark.parametrize(
    ("name", "clip", "tolerance"),
    # PyTorch divides by the norm + 1e-6 where it clips
    [pytest.param("free", np.inf, 1e-12, id="free"), pytest.param("clipped", 1.5, 1e-5, id="clipped")],
)
def test_follows_pytorch(step_function, name, clip, tolerance):
    with np.load(FIXTURES / "core_adamw.npz") as stored:
        parameters, gradients, expected = stored["start"].copy(), stored["gradients"], stored[name]
    first, second, average = (np.zeros(12) for _ in range(3))
    decay = np.repeat([1.0, 0.0], [8, 4])
    for step, gradient in enumerate(gradients, 1):
        got = step_function(
            parameters, gradient, first, second, average, decay, step, 0.05, 0.85, 0.97, 1e-7, 0.1, clip, 0.5
        )
        assert got == pytest.approx(np.linalg.norm(gradient))
        np.testing.assert_allclose(parameters, expected[step - 1], rtol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)], ids=["float64", "float32"])
@pytest.mark.parametrize("clip", [np.inf, 0.5], ids=["free", "clipped"])
def test_kernel_against_twin(clip, dtype, tolerance, rng):
    got, expected = make_state(rng, dtype=dtype), None
    expected = [array.copy() for array in got]
    for step in (1, 2, 50):
        settings = (step, 0.01, 0.9, 0.999, 1e-8, 0.1, clip, 0.9)
        norms = [function(*arrays, *settings) for function, arrays in ((adamw_step, got), (optimiser_step, expected))]
        assert norms[0] == pytest.approx(norms[1], rel=tolerance)
    for mine, reference in zip(got, expected, strict=True):
        np.testing.assert_allclose(mine, reference, rtol=tolerance, atol=tolerance)


@STEP_FUNCTIONS
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_not_finite_alters_nothing(step_function, bad, rng):
    state = make_state(rng)
    state[1][5] = bad
    before = [array.tobytes() for array in state]
    norm = step_function(*state, 3, 0.01, 0.9, 0.999, 1e-8, 0.1, 1.0, 0.9)
    assert not np.isfinite(norm)
    assert [array.tobytes() for array in state] == before


@STEP_FUNCTIONS
def test_the_gradient_is_left_alone(step_function, rng):
    state = make_state(rng)
    before = state[1].copy()
    step_function(*state, 1, 0.01, 0.9, 0.999, 1e-8, 0.1, 0.1, 0.9)
    np.testing.assert_array_equal(state[1], before)


@STEP_FUNCTIONS
def test_average_without_decay_is_the_parameters(step_function, rng):
    state = make_state(rng)
    step_function(*state, 1, 0.01, 0.9, 0.999, 1e-8, 0.1, 1.0, 0.0)
    np.testing.assert_allclose(state[4], state[0], rtol=1e-15, atol=1e-16)
