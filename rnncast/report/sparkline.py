"""A series in one line of block characters: its shape at a glance.

Dimension letters: `T` values, `B` characters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

BLOCKS = "▁▂▃▄▅▆▇█"
"""From the smallest value to the largest: U+2581 to U+2588."""

FLAT = BLOCKS[3]
"""What a constant series is drawn with."""


def sparkline(values: ArrayLike, width: int = 32) -> str:
    """A series as at most `width` characters; a shorter series takes one character a value.

    A character stands for the mean of its share of the rows. Extremes would show every spike, but of a series with a
    daily cycle they show nothing else, and hide where its level goes.

    Parameters
    ----------
    values : (T,)
        Finite numbers, at least one.
    width
        Most characters.
    """
    series = np.asarray(values, dtype=np.float64)
    size = min(len(series), width)
    edges = np.arange(size) * len(series) // size  # (B,) first row of each character
    largest = np.abs(series).max()
    scaled = series / largest if largest > 0 else series  # sums stay below all bounds
    means = np.add.reduceat(scaled, edges) / np.diff(edges, append=len(series))  # (B,)
    lowest, span = means.min(), means.max() - means.min()
    if span <= 1e-12 * np.abs(means).max():  # what rounding leaves of a constant
        return FLAT * size
    levels = np.minimum((means - lowest) / span * len(BLOCKS), len(BLOCKS) - 1).astype(np.int64)  # (B,)
    return "".join(BLOCKS[level] for level in levels)
