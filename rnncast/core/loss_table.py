"""What a network is trained to minimise: the kind of loss, and the tables that turn raw outputs into predictions.

No Numba here. Letters: K horizon steps, Q quantiles, m = (Q - 1) / 2 the median's index.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

MSE: Final = 0
MAE: Final = 1
HUBER: Final = 2
QUANTILE: Final = 3


@dataclass(frozen=True)
class LossTable:
    """Loss and head of a network with O = K * Q outputs, output k * Q + j for horizon step k and quantile j.

    Parameters
    ----------
    kind
        `MSE`, `MAE`, `HUBER` or `QUANTILE`.
    levels
        Quantile levels (Q,), ascending, Q odd. One level (any) for the other losses, where it has no effect.
    spread
        Factor of the median or prediction (K,): ``prediction_k = spread[k] * raw[k]``.
    base_gap
        Distance between neighbouring quantiles at raw output 0 (K, Q); entry m is unused.
    huber_delta
        Error from which the Huber loss is linear.

    Raises
    ------
    ValueError
        If a shape does not fit, levels do not ascend inside (0, 1), a gap is negative, or anything is not finite.
    """

    kind: int
    levels: NDArray[np.float64]
    spread: NDArray[np.float64]
    base_gap: NDArray[np.float64]
    huber_delta: float = 1.0

    def __post_init__(self) -> None:
        """Convert the arrays to float64 and check them."""
        for name, dimensions in (("levels", 1), ("spread", 1), ("base_gap", 2)):
            array = np.array(getattr(self, name), np.float64, order="C")
            if array.ndim != dimensions or array.size == 0 or not np.isfinite(array).all():
                raise ValueError(f"{name} has {dimensions} dimension(s), at least one entry, and finite entries only")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if self.kind not in (MSE, MAE, HUBER, QUANTILE):
            raise ValueError(f"kind is one of the codes 0 to 3, got {self.kind}")
        if self.base_gap.shape != (self.horizon, self.levels.size):
            raise ValueError(f"base_gap has shape {(self.horizon, self.levels.size)}, got {self.base_gap.shape}")
        if self.levels.size % 2 == 0 or (self.kind != QUANTILE and self.levels.size != 1):
            raise ValueError(f"an odd number of levels (one unless the loss is QUANTILE), got {self.levels.size}")
        if not (np.all(np.diff(self.levels) > 0) and 0 < self.levels[0] and self.levels[-1] < 1):
            raise ValueError(f"levels ascend inside (0, 1), got {self.levels.tolist()}")
        if not (np.all(self.base_gap >= 0) and self.huber_delta > 0 and np.isfinite(self.huber_delta)):
            raise ValueError("base_gap is not negative, huber_delta is positive and finite")

    @property
    def horizon(self) -> int:
        """Horizon steps K."""
        return int(self.spread.size)

    @property
    def outputs(self) -> int:
        """Outputs O = K * Q that the network needs."""
        return int(self.spread.size * self.levels.size)


def point_table(kind: int, horizon: int, spread: ArrayLike = 1.0, huber_delta: float = 1.0) -> LossTable:
    """Table of a loss without quantiles: `MSE`, `MAE` or `HUBER` on K = `horizon` outputs."""
    return LossTable(
        kind,
        np.array([0.5]),
        np.broadcast_to(np.asarray(spread, np.float64), (horizon,)),  # (K,)
        np.zeros((horizon, 1)),  # (K, 1)
        huber_delta,
    )
