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
    rows = m - m % 4
    columns = k - k % 2
    for i in range(0, rows, 4):
        at = c0 + i * ldc
        first = c[at : at + n]
        second = c[at + ldc : at + ldc + n]
        third = c[at + 2 * ldc : at + 2 * ldc + n]
        fourth = c[at + 3 * ldc : at + 3 * ldc + n]
        for j in range(0, columns, 2):
            p = a0 + i * row + j * column
            q = p + column
            a00, a10, a20, a30 = a[p], a[p + row], a[p + 2 * row], a[p + 3 * row]
            a01, a11, a21, a31 = a[q], a[q + row], a[q + 2 * row], a[q + 3 * row]
            above = x[x0 + j * ldx : x0 + j * ldx + n]
            below = x[x0 + (j + 1) * ldx : x0 + (j + 1) * ldx + n]
            for lane in range(n):
                b0 = above[lane]
                b1 = below[lane]
                s0 = first[lane] + (a00 * b0 + a01 * b1)
                s1 = second[lane] + (a10 * b0 + a11 * b1)
                s2 = third[lane] + (a20 * b0 + a21 * b1)
                s3 = fourth[lane] + (a30 * b0 + a31 * b1)
                first[lane] = s0
                second[lane] = s1
                third[lane] = s2
                fourth[lane] = s3
    if rows < m:
        _add_block(a, a0 + rows * row, row, column, x, x0, ldx, c, c0 + rows * ldc, ldc, m - rows, k, n)
    if columns < k:
        _add_block(a, a0 + columns * column, row, column, x, x0 + columns * ldx, ldx, c, c0, ldc, rows, k - columns, n)


@jit
def _add_block(
    a: Any, a0: int, row: int, column: int, x: Any, x0: int, ldx: int, c: Any, c0: int, ldc: int, m: int, k: int, n: int
) -> None:
    """What `add_product` does, one row and one column at a time: for the odd row and the odd column."""
    for i in range(m):
        target = c[c0 + i * ldc : c0 + i * ldc + n]
        for j in range(k):
            factor = a[a0 + i * row + j * column]
            source = x[x0 + j * ldx : x0 + j * ldx + n]
            for lane in range(n):
                target[lane] += factor * source[lane]


@jit
def add_lane_products(a: Any, a0: int, lda: int, m: int, b: Any, b0: int, k: int, s: int, c: Any, c0: int) -> None:
    """``C += A B'`` with A (m, s), whose rows begin `lda` apart, B (k, s), C (m, k); made for a small m or k."""
    for i in range(m):
        left = a[a0 + i * lda : a0 + i * lda + s]
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
