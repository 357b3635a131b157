"""Products of small row-major matrices that lie in flat vectors, and what else is done row by row.

The number of columns N of a product is a whole number of vectors (lanes of a shard, or a padded width). Constants that
are handed to another kernel are NumPy integers: Numba compiles a kernel once more for a literal one.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rnncast.core import tiles
from rnncast.core.jit import jit
from rnncast.core.vector import load, splat, store, total, where_below, width

KEEP: Final[Any] = np.int64(tiles.KEEP)
ZERO: Final[Any] = np.int64(tiles.ZERO)
BIASED: Final[Any] = np.int64(tiles.BIASED)
NONE: Final[Any] = np.int64(0)
ONE: Final[Any] = np.int64(1)


@jit
def multiply(
    start: int, p: Any, bias: int, a: Any, a0: int, a_row: int, a_column: int, x: Any, x0: int, x_pitch: int, k: int,
    b: Any, b0: int, b_row: int, b_column: int, y: Any, y0: int, y_pitch: int, j: int,
    c: Any, c0: int, c_pitch: int, m: int, n: int,
) -> None:  # fmt: skip
    """``C = start + A X + B Y`` with C (m, n), A (m, k), X (k, n), B (m, j), Y (j, n).

    `start` is `KEEP` (what is in C), `ZERO`, or `BIASED`: ``p[bias + i]`` in row i. `a0`, `x0`, ... are the offsets of
    the first elements. A and B have steps from row to row and from column to column (so that a transpose needs no
    copy); the rows of X, Y and C begin `..._pitch` apart.
    """
    tiles.multiply(
        start, p, bias, a, a0, a_row, a_column, x, x0, x_pitch, k, b, b0, b_row, b_column, y, y0, y_pitch, j,
        c, c0, c_pitch, m, n,
    )  # fmt: skip


@jit
def add_product(
    start: int, a: Any, a0: int, row: int, column: int, x: Any, x0: int, x_pitch: int,
    c: Any, c0: int, c_pitch: int, m: int, k: int, n: int,
) -> None:  # fmt: skip
    """``C = start + A X``, `start` being `KEEP` or `ZERO`; see `multiply`."""
    multiply(
        start, a, a0, a, a0, row, column, x, x0, x_pitch, k, a, a0, NONE, NONE, x, x0, NONE, NONE,
        c, c0, c_pitch, m, n,
    )  # fmt: skip


@jit
def transpose(w: Any, source: int, rows: int, lanes: int, target: int, pitch: int) -> None:
    """Write the transpose (lanes, rows) of a matrix (rows, lanes) to `target`, with rows `pitch` apart.

    Rows are taken up to the next whole vector: those beyond the matrix become columns that nobody may use.
    """
    tiles.turn(w, source, lanes, target, pitch, rows)


@jit
def add_lane_sums(w: Any, a: int, rows: int, lanes: int, sums: Any, place: int) -> None:
    """Add the rows (rows, lanes) of A to as many vectors of `sums`, lane upon lane; see `add_totals`."""
    step = width(w)
    for r in range(rows):
        value = load(sums, place + r * step)
        for n in range(a + r * lanes, a + (r + 1) * lanes, step):
            value = value + load(w, n)
        store(sums, place + r * step, value)


@jit
def add_lane_products(w: Any, a: int, rows: int, lanes: int, x: int, columns: int, sums: Any, place: int) -> None:
    """Add ``A X'`` to (rows * columns) vectors of `sums`, whose lanes are still to be summed; made for few columns."""
    step = width(w)
    for r in range(rows):
        for i in range(columns):
            at = place + (r * columns + i) * step
            value = load(sums, at)
            for n in range(0, lanes, step):
                value = value + load(w, a + r * lanes + n) * load(w, x + i * lanes + n)
            store(sums, at, value)


@jit
def add_totals(sums: Any, start: int, count: int, target: Any, place: int) -> None:
    """Add the totals of `count` vectors of `sums` to as many numbers of `target`."""
    step = width(sums)
    for n in range(count):
        target[place + n] += total(load(sums, start + n * step))


@jit
def add_rows(sums: Any, start: int, pitch: int, target: Any, place: int, rows: int, columns: int) -> None:
    """Add a matrix (rows, columns), whose rows begin `pitch` apart, to one in `target` without gaps."""
    for r in range(rows):
        given = sums[start + r * pitch : start + r * pitch + columns]
        wanted = target[place + r * columns : place + (r + 1) * columns]
        for n in range(columns):
            wanted[n] += given[n]


@jit
def keep_begun(w: Any, at: int, rows: int, lanes: int, begins: int, t: int) -> None:
    """Set the numbers of (rows, lanes) to zero in the lanes that begin after step t; `begins` (lanes) says when."""
    step = width(w)
    now = w.dtype.type(t + 0.5)
    zero = splat(w, 0.0)
    for n in range(0, lanes, step):
        begin = load(w, begins + n)
        for place in range(at + n, at + n + rows * lanes, lanes):
            store(w, place, where_below(begin, now, load(w, place), zero))


@jit
def fill_zero(w: Any, start: int, count: int) -> None:
    """Set `count` numbers of `w` from `start` to zero."""
    target = w[start : start + count]
    zero = w.dtype.type(0)
    for n in range(count):
        target[n] = zero


@jit
def add(w: Any, target: int, one: int, other: int, count: int) -> None:
    """Put the sums of the `count` numbers of `w` from `one` and from `other`, whole vectors, at `target`."""
    for n in range(0, count, width(w)):
        store(w, target + n, load(w, one + n) + load(w, other + n))
