"""Products of small row-major matrices that lie in flat vectors.

Rows are slices of the flat vectors: inside a slice Numba knows the index to be non-negative and LLVM vectorises the
loop over lanes (an index ``offset + n`` into the flat vector is scalar code, five times slower). Blocks of two rows by
two columns: 36 GF/s at 32 lanes and 51 GF/s at 64, as much as blocks of 4 x 4 gave.
"""

from __future__ import annotations

from typing import Any

from rnncast.core.jit import jit


@jit
def add_product(
    a: Any, a0: int, row: int, column: int, x: Any, x0: int, ldx: int, c: Any, c0: int, ldc: int, m: int, k: int, n: int
) -> None:
    """``C += A X`` with A (m, k), X (k, n), C (m, n).

    `a0`, `x0`, `c0` are the offsets of the first elements; A has steps `row` and `column` (so that a transposed A needs
    no copy), X and C have rows of length n that begin `ldx` and `ldc` apart.
    """
    for i in range(0, m - 1, 2):
        first = c[c0 + i * ldc : c0 + i * ldc + n]
        second = c[c0 + (i + 1) * ldc : c0 + (i + 1) * ldc + n]
        for j in range(0, k - 1, 2):
            p = a0 + i * row + j * column
            q = x0 + j * ldx
            _two_by_two(
                a[p],
                a[p + column],
                a[p + row],
                a[p + row + column],
                x[q : q + n],
                x[q + ldx : q + ldx + n],
                first,
                second,
            )
        if k % 2 == 1:
            p = a0 + i * row + (k - 1) * column
            q = x0 + (k - 1) * ldx
            _one_by_one(a[p], x[q : q + n], first)
            _one_by_one(a[p + row], x[q : q + n], second)
    if m % 2 == 1:
        last = c[c0 + (m - 1) * ldc : c0 + (m - 1) * ldc + n]
        for j in range(k):
            q = x0 + j * ldx
            _one_by_one(a[a0 + (m - 1) * row + j * column], x[q : q + n], last)


@jit
def _two_by_two(a00: Any, a01: Any, a10: Any, a11: Any, x0: Any, x1: Any, c0: Any, c1: Any) -> None:
    for n in range(c0.size):
        p = x0[n]
        q = x1[n]
        first = c0[n] + (a00 * p + a01 * q)
        second = c1[n] + (a10 * p + a11 * q)
        c0[n] = first
        c1[n] = second


@jit
def _one_by_one(a: Any, x: Any, c: Any) -> None:
    for n in range(c.size):
        c[n] += a * x[n]


@jit
def add_lane_products(a: Any, a0: int, m: int, b: Any, b0: int, k: int, s: int, c: Any, c0: int) -> None:
    """``C += A B'`` with A (m, s), B (k, s), C (m, k), all contiguous; made for a small k."""
    for i in range(m):
        left = a[a0 + i * s : a0 + (i + 1) * s]
        for j in range(k):
            right = b[b0 + j * s : b0 + (j + 1) * s]
            total = a.dtype.type(0)
            for n in range(s):
                total += left[n] * right[n]
            c[c0 + i * k + j] += total


@jit
def add_row_sums(a: Any, a0: int, m: int, s: int, c: Any, c0: int) -> None:
    """``c_i += sum_s A_is`` with A (m, s), contiguous."""
    for i in range(m):
        left = a[a0 + i * s : a0 + (i + 1) * s]
        total = a.dtype.type(0)
        for n in range(s):
            total += left[n]
        c[c0 + i] += total


@jit
def transpose(a: Any, a0: int, m: int, n: int, t0: int) -> None:
    """Write the transpose (n, m) of A (m, n) to `t0`, both in the flat vector `a`."""
    for i in range(m):
        source = a[a0 + i * n : a0 + (i + 1) * n]
        for j in range(n):
            a[t0 + j * m + i] = source[j]


@jit
def fill_rows(w: Any, start: int, values: Any, first: int, rows: int, s: int) -> None:
    """Fill row i of a matrix (rows, s) at `start` of `w` with ``values[first + i]``."""
    for i in range(rows):
        value = values[first + i]
        target = w[start + i * s : start + (i + 1) * s]
        for n in range(s):
            target[n] = value


@jit
def fill_zero(w: Any, start: int, count: int) -> None:
    """Set `count` numbers of `w` from `start` to zero."""
    target = w[start : start + count]
    zero = w.dtype.type(0)
    for n in range(count):
        target[n] = zero


@jit
def add_in_place(w: Any, start: int, other: int, count: int) -> None:
    """Add the `count` numbers of `w` from `other` to those from `start`."""
    target = w[start : start + count]
    source = w[other : other + count]
    for n in range(count):
        target[n] += source[n]
