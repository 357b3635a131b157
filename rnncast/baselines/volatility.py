"""How far a series has moved of late: exponentially weighted volatility.

Source: J.P. Morgan/Reuters (1996), "RiskMetrics technical document", section 5.3: the mean of squared changes with
weights that fall by a constant factor from row to row, around a mean of zero.

Dimension letters: `T` changes, `B` histories.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DECAY = 0.94
"""Factor from a change's weight to that of the one before it: RiskMetrics' for daily data."""


def ewma_volatility(changes: Floats, counted: NDArray[np.bool_] | None = None, decay: float = DECAY) -> Floats:
    """Root of the weighted mean square of changes, the last of which weighs most.

    Parameters
    ----------
    changes : (T, B) or (T,)
        From row to row, in time.
    counted : bool, like `changes`
        Which of them count; None for all. A history without any has a volatility of zero.
    decay
        Factor of the weights from each row to the one before, above 0 and at most 1.

    Returns
    -------
    float64 (B,), or a scalar array for (T,)
    """
    if counted is not None:
        changes = np.where(counted, changes, 0.0)  # (T, B)
    largest = np.abs(changes).max(axis=0, initial=0.0)  # (B,) squares of tiny changes would vanish
    unit = np.divide(changes, largest, out=np.zeros(np.shape(changes)), where=largest > 0)
    return np.asarray(largest * np.sqrt(_weighted_mean(unit * unit, counted, decay)))


def ewma_change(changes: Floats, counted: NDArray[np.bool_] | None = None, decay: float = DECAY) -> Floats:
    """Weighted mean of absolute changes, (B,); as `ewma_volatility`, but one jump among calm rows does not rule it."""
    return _weighted_mean(np.abs(changes), counted, decay)


def relative_volatility(history: Floats) -> float:
    """Volatility at the end of a history (n,) divided by that of the whole history; NaN where it never moved.

    Changes are logarithmic where all rows are positive, so that a price that has multiplied still has one measure.
    """
    rows = np.log(history) if np.all(history > 0) else np.asarray(history, dtype=np.float64)  # (n,)
    changes = np.diff(rows)  # (n - 1,)
    whole = float(ewma_volatility(changes, decay=1.0))
    return float(ewma_volatility(changes)) / whole if whole > 0 else float("nan")


def _weighted_mean(values: Floats, counted: NDArray[np.bool_] | None, decay: float) -> Floats:
    """Mean (B,) of values (T, B) with weights that fall by `decay` from each row to the one before; 0 without any."""
    weights = decay ** np.arange(len(values) - 1, -1, -1.0)  # (T,)
    if counted is None:
        total = np.full(np.shape(values)[1:], weights.sum())  # (B,)
        summed = np.tensordot(weights, values, 1)  # (B,)
    else:
        total, summed = np.tensordot(weights, counted, 1), np.tensordot(weights, np.where(counted, values, 0.0), 1)
    return np.asarray(np.divide(summed, total, out=np.zeros(np.shape(total)), where=total > 0))
