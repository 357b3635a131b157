"""The products and transposes of the kernels against NumPy, over all ends that tiles leave over."""

import numpy as np
import pytest

from rnncast.core import matrix
from rnncast.core.jit import jit_entry
from rnncast.core.vector import vector_bytes

STARTS = {"keep": matrix.KEEP, "zero": matrix.ZERO, "bias": matrix.BIASED}


@jit_entry
def run_multiply(start, p, bias, a, row, column, x, k, b, y, j, c, m, n):
    """C (m, n) = start + A X + B Y; B lies in rows, A as its steps say, all from the first element on."""
    matrix.multiply(
        start, p, bias, a, matrix.NONE, row, column, x, matrix.NONE, n, k,
        b, matrix.NONE, j, matrix.ONE, y, matrix.NONE, n, j, c, matrix.NONE, n, m, n,
    )  # fmt: skip


@jit_entry
def run_transpose(w, rows, lanes, target, pitch):
    matrix.transpose(w, matrix.NONE, rows, lanes, target, pitch)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("turned", [False, True], ids=["rows", "turned"])
def test_products_of_all_sizes(dtype, start, turned, rng):
    for m in (*range(1, 26), 64):
        n, k, j = 16 * int(rng.integers(1, 5)), int(rng.integers(0, 20)), int(rng.integers(0, 20))
        a, x, b, y, c = (
            rng.integers(-4, 5, size).astype(dtype) for size in ((m, k), (k, n), (m, j), (j, n), (m, n))
        )  # whole numbers: sums are exact
        bias = rng.integers(-4, 5, m + 3).astype(dtype)
        flat = (a.T if turned else a).ravel()
        steps = (1, m) if turned else (k, 1)
        got = c.ravel().copy()
        run_multiply(STARTS[start], bias, 3, flat, *steps, x.ravel(), k, b.ravel(), y.ravel(), j, got, m, n)
        begin = {"keep": c, "zero": 0 * c, "bias": bias[3:, None] + 0 * c}[start]
        np.testing.assert_array_equal(got.reshape(m, n), begin + a @ x + b @ y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 4, 15, 16, 17, 40])
@pytest.mark.parametrize("lanes", [16, 48])
def test_transposes(dtype, rows, lanes, rng):
    pitch = -(-rows // 16) * 16
    w = np.zeros((pitch + 16) * lanes + lanes * pitch + 16, dtype)
    w[: (pitch + 16) * lanes] = rng.standard_normal((pitch + 16) * lanes)
    target = (pitch + 16) * lanes
    given = w[: rows * lanes].reshape(rows, lanes).copy()
    run_transpose(w, rows, lanes, target, pitch)
    np.testing.assert_array_equal(w[target : target + lanes * pitch].reshape(lanes, pitch)[:, :rows], given.T)
    assert not w[target + lanes * pitch :].any()


@pytest.mark.parametrize(
    ("name", "features", "expected"),
    [
        ("haswell", None, 32),
        ("generic", None, 16),
        ("znver3", "", 32),
        ("znver4", None, 64),
        ("skylake-avx512", None, 64),
        ("skylake", None, 32),
        ("sapphirerapids", None, 64),
        ("apple-m1", None, 16),
        ("generic", "+sse2,+avx2", 32),
        ("znver4", "-avx512f", 32),
        ("znver4", "-avx512f,-avx2", 16),
        (None, "+avx512f", 64),
    ],
)
def test_vectors_are_as_wide_as_the_processor_named(name, features, expected):
    assert vector_bytes(name, features) == expected
