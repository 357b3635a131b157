"""Whether forecasts go the way that the values went, set against calling the same direction every time.

Dimension letters: `N` rows of a backtest, `O` origins.

In a rising market a forecast that always says "up" is right more often than not. So the share of right directions is
tested against that of the direction that was the more frequent one in the rows scored, which nobody could know before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.paths import LAST_VALUE
from rnncast.evaluation.grouping import group_sums
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.significance import Comparison, diebold_mariano, json_number
from rnncast.records import dataclass

Floats = NDArray[np.float64]

_ROUNDING = 1e-12
"""A forecast this close to the last value, in proportion to it, is the last value."""


@dataclass(frozen=True)
class Direction:
    """How often one method's direction was right.

    Attributes
    ----------
    method : str
        Name.
    counted : int
        Forecasts that name a direction for a value that moved.
    silent, still : int
        Forecasts left out as equal to the last value; of the others, those whose value did not move.
    share : float
        Share of right directions; NaN where none is counted.
    majority : str
        ``"up"`` or ``"down"``, whichever the values counted went more often.
    majority_share : float
        Share that always saying so would have had right.
    versus_half, versus_majority : Comparison
        Tests of wrong directions against one half and against the majority's; the differences are of shares.
    """

    method: str
    counted: int
    silent: int
    still: int
    share: float
    majority: str
    majority_share: float
    versus_half: Comparison
    versus_majority: Comparison

    @property
    def standard_error(self) -> float:
        """Standard error of the share, with overlap and the series of an origin taken together; NaN if too few."""
        return self.versus_half.standard_error

    def to_dict(self) -> dict[str, object]:
        """Return the figures as JSON values."""
        return {
            "method": self.method,
            "counted": self.counted,
            "silent": self.silent,
            "still": self.still,
            "share": json_number(self.share),
            "standard_error": json_number(self.standard_error),
            "majority": self.majority,
            "majority_share": json_number(self.majority_share),
            "versus_half": self.versus_half.to_dict(),
            "versus_majority": self.versus_majority.to_dict(),
        }


def direction(backtest: Backtest, method: str) -> Direction:
    """Count how often a method's forecasts lie on that side of the last value on which the values came to lie.

    Raises
    ------
    ValueError
        The backtest lacks the method's points or the last value.
    """
    for name in (method, LAST_VALUE):
        if name not in backtest.points:
            raise ValueError(f"points are of {', '.join(backtest.points)}: expected {name} among them")
    last, point = backtest.points[LAST_VALUE], backtest.points[method]
    moved = np.abs(point - last) > _ROUNDING * np.abs(last)  # (N,) False for NaN, which says nothing
    said = np.where(moved, np.sign(point - last), 0.0)  # (N,)
    came = np.sign(backtest.actual - last)  # (N,)
    counted = (said != 0) & (came != 0)  # (N,)
    ups = int(np.sum(came[counted] > 0))
    total = int(counted.sum())
    majority = 1.0 if 2 * ups >= total else -1.0
    wrong = _origin_shares(backtest, counted, said != came)  # (O,)
    half = 0.5 * _origin_shares(backtest, counted, counted)  # (O,)
    wrong_majority = _origin_shares(backtest, counted, came != majority)
    return Direction(
        method=method,
        counted=total,
        silent=int(np.sum(said == 0)),
        still=int(np.sum((said != 0) & (came == 0))),
        share=float(np.mean(said[counted] == came[counted])) if total else float("nan"),
        majority="up" if majority > 0 else "down",
        majority_share=max(ups, total - ups) / total if total else float("nan"),
        versus_half=diebold_mariano(wrong, half, backtest.overlap),
        versus_majority=diebold_mariano(wrong, wrong_majority, backtest.overlap),
    )


def _origin_shares(backtest: Backtest, counted: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> Floats:
    """Rows (N,) counted and chosen at each origin that has any counted, divided by the mean number counted there.

    Their mean over origins (O,) is thus the share of all rows counted.
    """
    columns = np.stack([counted, counted & chosen], axis=1).astype(np.float64)  # (N, 2)
    sums = group_sums(columns, backtest.origin)  # (all origins, 2)
    kept = sums[sums[:, 0] > 0]  # (O, 2)
    return kept[:, 1] / kept[:, 0].mean() if len(kept) else np.empty(0)
