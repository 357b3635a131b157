"""What a network is trained to minimise: the kind of loss, and the tables that turn raw outputs into predictions.

No Numba here. Letters: K horizon steps, Q quantiles, m = (Q - 1) / 2 the median's index, G raw outputs of a step.
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
STUDENT_T: Final = 4

SOFTPLUS_SHIFT: Final = float(np.log(np.expm1(1.0)))
"""``softplus(0 + SOFTPLUS_SHIFT) = 1``: at raw output 0 what is positive is its base."""

SCALE, LOCATION, FREEDOM = 0, 1, 2
"""Raw outputs of a step for `STUDENT_T`: the location in the middle, as the median of the quantiles."""

LEAST_SCALE: Final = 1e-3
"""Share of its base that a scale keeps whatever the raw output: where errors are zero a density has no bound."""


def outputs_a_step(kind: int, levels: int) -> int:
    """Raw outputs G that the network gives for a horizon step: a quantile each, or the three of a distribution."""
    return 3 if kind == STUDENT_T else levels


@dataclass(frozen=True, eq=False)
class LossTable:
    """Loss and head of a network with O = K * G outputs, output k * G + j for horizon step k.

    For `STUDENT_T` G is 3: scale, location and degrees of freedom of a distribution; else G = Q, a quantile each.

    Parameters
    ----------
    kind
        `MSE`, `MAE`, `HUBER`, `QUANTILE` or `STUDENT_T`.
    levels
        Quantile levels (Q,), ascending, Q odd: those trained, of `STUDENT_T` those that forecasts are given at. One
        level (any) for the other losses, where it has no effect.
    spread
        Factor of the median, location or prediction (K,): ``prediction_k = spread[k] * raw[k]``.
    base_gap
        What raw outputs of 0 mean (K, G): the distance between neighbouring quantiles; of `STUDENT_T` the scale, and by
        how much the degrees of freedom exceed 2. The entry in the middle is unused.
    huber_delta
        Error from which the Huber loss is linear.

    Raises
    ------
    ValueError
        If a shape does not fit, levels do not ascend inside (0, 1), a gap is negative (of `STUDENT_T`: or zero), or
        anything is not finite.
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
        if self.kind not in (MSE, MAE, HUBER, QUANTILE, STUDENT_T):
            raise ValueError(f"kind is one of the codes 0 to 4, got {self.kind}")
        if self.base_gap.shape != (self.horizon, self.group):
            raise ValueError(f"base_gap has shape {(self.horizon, self.group)}, got {self.base_gap.shape}")
        if self.levels.size % 2 == 0 or (self.kind not in (QUANTILE, STUDENT_T) and self.levels.size != 1):
            raise ValueError(f"levels are odd in number (one for a point forecast), got {self.levels.size}")
        if not (np.all(np.diff(self.levels) > 0) and 0 < self.levels[0] and self.levels[-1] < 1):
            raise ValueError(f"levels ascend inside (0, 1), got {self.levels.tolist()}")
        if not (np.all(self.base_gap >= 0) and self.huber_delta > 0 and np.isfinite(self.huber_delta)):
            raise ValueError("base_gap is not negative, huber_delta is positive and finite")
        if self.kind == STUDENT_T and not np.all(self.base_gap[:, [SCALE, FREEDOM]] > 0):
            raise ValueError("base_gap of a scale and of degrees of freedom is positive")

    @property
    def horizon(self) -> int:
        """Horizon steps K."""
        return int(self.spread.size)

    @property
    def group(self) -> int:
        """Raw outputs G of a horizon step."""
        return outputs_a_step(self.kind, int(self.levels.size))

    @property
    def outputs(self) -> int:
        """Outputs O = K * G that the network needs."""
        return self.horizon * self.group


def point_table(kind: int, horizon: int, spread: ArrayLike = 1.0, huber_delta: float = 1.0) -> LossTable:
    """Table of a loss without quantiles: `MSE`, `MAE` or `HUBER` on K = `horizon` outputs."""
    return LossTable(
        kind,
        np.array([0.5]),
        np.broadcast_to(np.asarray(spread, np.float64), (horizon,)),  # (K,)
        np.zeros((horizon, 1)),  # (K, 1)
        huber_delta,
    )
