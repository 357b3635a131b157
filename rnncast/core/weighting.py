"""How much each window counts in a loss. No Numba here.

Letters: T steps, B batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnncast.core.loss_table import QUANTILE, LossTable


def window_factors(table: LossTable, batch: int, output_steps: int, weights: ArrayLike | None) -> NDArray[np.float64]:
    """Factor of each window (B,) that makes the sum over steps, targets and quantiles the weighted mean over windows.

    A likelihood is one number a target, however many raw outputs it has; the pinball loss is doubled.

    Raises
    ------
    ValueError
        Weights are not (B,), negative, or all zero.
    """
    terms, factor = (table.outputs, 2.0) if table.kind == QUANTILE else (table.horizon, 1.0)
    scale = factor / (terms * output_steps)
    if weights is None:
        return np.full(batch, scale / batch)
    given = np.array(weights, np.float64)
    if given.shape != (batch,) or (given < 0).any() or given.sum() == 0:
        raise ValueError(f"weights have shape ({batch},), are not negative and not all zero")
    return np.asarray(given * (scale / given.sum()))


def step_factors(factors: NDArray[np.float64], steps: int, lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """Factors (T * B) for outputs at every step, zero before a window begins; in all a window counts as before."""
    begun = np.arange(steps)[:, None] >= steps - lengths  # (T, B)
    return np.asarray(begun * (factors * steps / lengths)).reshape(-1)
