"""Long series divided into stretches, and stretches read side by side, chunk after chunk.

A stretch is run into: the rows before its first row that counts are read without being trained on, so that the state,
which is zero where reading begins, is one that a sequence has. Each of the lanes reads a stretch to its end and takes
up the next one of the queue; a pass of the queue has every stretch once, in a new order.

Dimension letters: `N` stretches, `T` rows of a chunk, `B` lanes, `R` rows of the panel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnncast.core.layout import VECTOR
from rnncast.data.windows import Windows

LEAST_CHUNKS = 8
"""Chunks that a stretch of a divided series has at least: shorter ones remember less, and are run into more often."""


class Stretches(NamedTuple):
    """Rows of a panel, all of one series each: read from `starts` (N,), trained on from `begins` to before `stops`."""

    starts: NDArray[np.int64]
    begins: NDArray[np.int64]
    stops: NDArray[np.int64]


class Chunk(NamedTuple):
    """T rows of each lane.

    Attributes
    ----------
    rows : int64 (T, B)
        Rows of the panel; a lane whose stretch has ended stands still at its last row.
    counts : bool (T, B)
        Whether a row is trained on.
    fresh : bool (B,)
        Whether a lane begins a stretch, with a state of zero.
    """

    rows: NDArray[np.int64]
    counts: NDArray[np.bool_]
    fresh: NDArray[np.bool_]


def stretches_of(indptr: NDArray[np.int64], windows: Windows, truncation: int, most: int) -> Stretches:
    """Divide the rows at which windows end, a range in each series.

    A stretch has the rows that `most` lanes would share out, but at least `LEAST_CHUNKS` chunks; a series is divided
    evenly. It is run into from a chunk before it, and as many rows more as fill the chunks up, or from the series'
    first row.
    """
    length = max(-(-len(windows) // most), LEAST_CHUNKS * truncation)
    series, first, count = np.unique(windows.series, return_index=True, return_counts=True)
    pieces = -(-count // length)  # stretches of each series
    place = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)  # (N,) which one of its series
    begin, rows, of = (np.repeat(numbers, pieces) for numbers in (windows.ends[first] - 1, count, pieces))  # (N,) each
    begins, stops = begin + place * rows // of, begin + (place + 1) * rows // of
    run_in = truncation + (begins - stops) % truncation
    return Stretches(np.maximum(begins - run_in, np.repeat(indptr[series], pieces)), begins, stops)


def lanes_of(stretches: Stretches, most: int) -> int:
    """Lanes that read them side by side: so many that few stand still at the end, in whole vectors where they can."""
    lanes = min(most, len(stretches.starts))
    return lanes // VECTOR * VECTOR if lanes > VECTOR else lanes


def chunks(stretches: Stretches, steps: int, lanes: int, rng: np.random.Generator) -> Iterator[Chunk]:
    """Endless stream of chunks of `steps` rows in each lane."""
    queue = _queue(len(stretches.starts), rng)
    current = np.array([next(queue) for _ in range(lanes)])  # (B,)
    at = stretches.starts[current]  # (B,)
    fresh = np.ones(lanes, dtype=bool)  # (B,)
    while True:
        rows = at + np.arange(steps)[:, None]  # (T, B)
        stops = stretches.stops[current]  # (B,)
        counts = (rows >= stretches.begins[current]) & (rows < stops)  # (T, B)
        yield Chunk(np.minimum(rows, stops - 1), counts, fresh)
        at = at + steps
        fresh = at >= stops  # (B,)
        for lane in np.flatnonzero(fresh):
            current[lane] = next(queue)
            at[lane] = stretches.starts[current[lane]]


def _queue(count: int, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(count).tolist()
