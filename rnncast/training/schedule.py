"""Learning rate and decay of the average by update, and the stream of batches."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

WARM_UP_SHARE = 0.1
"""Share of all updates over which the learning rate rises."""

FINAL_SHARE = 0.05
"""Learning rate of the last update, as a share of the highest."""


def learning_rate(update: int, total: int, highest: float) -> float:
    """Linear warm-up, then half a cosine (Loshchilov and Hutter 2017, equation 5, without restarts).

    Parameters
    ----------
    update
        Number of this update, from 1.
    total
        Updates that the schedule spans; beyond it the rate stays at its end.
    highest
        Rate at the end of the warm-up.
    """
    warm_up = max(1, round(WARM_UP_SHARE * total))
    if update <= warm_up:
        return highest * update / warm_up
    progress = min(1.0, (update - warm_up) / max(1, total - warm_up))
    return highest * (FINAL_SHARE + (1.0 - FINAL_SHARE) * 0.5 * (1.0 + math.cos(math.pi * progress)))


def average_decay(update: int, decay: float) -> float:
    """Decay of the weights' moving average; shorter at first, so that the random start is forgotten."""
    return min(decay, update / (update + 10.0))


def batches(windows: int, batch_size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Endless stream of batches (B,) of window numbers: each pass takes every window once, in a new order.

    A batch runs on into the next pass, so all batches have the same size; only where there are fewer windows than a
    batch holds is a batch one whole pass.
    """
    size = min(batch_size, windows)
    queue = np.empty(0, dtype=np.int64)
    while True:
        while len(queue) < size:
            queue = np.concatenate((queue, rng.permutation(windows)))
        yield queue[:size]
        queue = queue[size:]
