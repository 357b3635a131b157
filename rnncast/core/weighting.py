"""How much each window, or each step of each window, counts in a loss. No Numba here.

Letters: T steps, B batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnncast.core.loss_table import QUANTILE, LossTable


def window_factors(table: LossTable, batch: int, output_steps: int, weights: ArrayLike | None) -> NDArray[np.float64]:
    """Factor of each window (B,) that makes the sum over steps, targets and quantiles the weighted mean over windows.

    A likelihood is one number a target, however many raw outputs it has; the pinball loss is doubled. With weights
    (T, B) each step of a window has a factor of its own (T * B), and the mean is over them all.

    Raises
    ------
    ValueError
        Weights are neither (B,) nor (T, B) with T output steps, negative, or all zero.
    """
    terms, factor = (table.outputs, 2.0) if table.kind == QUANTILE else (table.horizon, 1.0)
    scale = factor / terms
    if weights is None:
        return np.full(batch, scale / (output_steps * batch))
    given = np.array(weights, np.float64)
    by_step = given.ndim == 2
    shape = (output_steps, batch) if by_step else (batch,)
    if given.shape != shape or (given < 0).any() or given.sum() == 0:
        raise ValueError(f"weights have shape {shape}, are not negative and not all zero")
    return np.asarray(given * (scale / (given.sum() * (1 if by_step else output_steps)))).reshape(-1)


def step_factors(factors: NDArray[np.float64], steps: int, lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """Factors (T * B) for outputs at every step, zero before a window begins; in all a window counts as before."""
    begun = np.arange(steps)[:, None] >= steps - lengths  # (T, B)
    return np.asarray(begun * (factors * steps / lengths)).reshape(-1)
