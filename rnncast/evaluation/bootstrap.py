"""Intervals about figures of a backtest by resampling blocks of neighbouring origins.

Dimension letters: `O` origins, `M` columns, `R` resamples.

Blocks keep together what overlapping horizons and slow swings of volatility tie together. A percentile interval from
few blocks is too narrow; it is widened by what Student's t is wider than the normal, with as many degrees of freedom
as there are blocks less one.

Sources: Kuensch (1989), "The jackknife and the bootstrap for general stationary observations" (blocks); Politis &
Romano (1992), "A circular block-resampling procedure for stationary data"; Hesterberg (2015), "What teachers should
know about the bootstrap" (expanded percentiles); Korn & Graubard (1998), "Confidence intervals for proportions with
small expected number of positive counts estimated from survey data" (effective sample size); Wilson (1927), "Probable
inference, the law of succession, and statistical inference" (interval for a share).
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rnncast.core.student_t import student_t_quantile
from rnncast.evaluation.significance import SIGNIFICANCE, fewest_origins
from rnncast.records import dataclass

Floats = NDArray[np.float64]

RESAMPLES = 2000

SEED = 20190703
"""The same figures give the same interval."""

FEWEST_BLOCKS = 3.0
"""Blocks that an interval is widened for where there are fewer: Student's t below has no variance."""

_AT_ONCE = 2**21  # numbers held at once


@dataclass(frozen=True)
class BlockBootstrap:
    """Resamples of origins, the same for every figure of a backtest.

    Attributes
    ----------
    origins : int
        Number of origins, O.
    lag : int
        Neighbouring origins whose horizons overlap.
    """

    origins: int
    lag: int

    @property
    def length(self) -> int:
        """Origins of a block: the cube root of O, but at least one more than overlap.

        Twice that where at least six such blocks are left: a block that overlap spans whole counts half of it only.
        """
        span = self.lag + 1
        twice = min(2 * span, self.origins // 6) if self.lag else span
        return max(span, twice, round(math.cbrt(self.origins)))

    @property
    def blocks(self) -> float:
        """Blocks that the origins make, O / length."""
        return self.origins / self.length

    @property
    def enough(self) -> bool:
        """Whether there are origins enough for an interval: as many as a test needs."""
        return self.origins >= fewest_origins(self.lag)

    def sums(self, values: Floats) -> Floats:
        """Sums over the origins of each resample, shape (R, M), of values (O, M).

        A resample is blocks that begin anywhere, the last one cut to make O origins; past the end, a block goes on at
        the beginning. NaN where origins are too few for an interval.
        """
        if not self.enough:
            return np.full((RESAMPLES, values.shape[1]), np.nan)
        generator = np.random.default_rng(SEED)
        whole, rest = divmod(self.origins, self.length)
        blocks = _circular_sums(values, self.length)  # (O, M)
        result = np.empty((RESAMPLES, values.shape[1]))  # (R, M)
        chunk = max(_AT_ONCE // self.origins, 1)
        for first in range(0, RESAMPLES, chunk):
            rows = min(chunk, RESAMPLES - first)
            starts = generator.integers(0, self.origins, (rows, whole)) + self.origins * np.arange(rows)[:, None]
            times = np.bincount(starts.ravel(), minlength=rows * self.origins)  # how often each block is drawn
            result[first : first + rows] = times.reshape(rows, self.origins).astype(np.float64) @ blocks
        if rest:
            result += _circular_sums(values, rest)[generator.integers(0, self.origins, RESAMPLES)]
        return result

    def interval(self, figures: Floats) -> tuple[float, float]:
        """95 % interval from a figure's values in the resamples (R,); NaN where origins are too few."""
        if not self.enough or not np.all(np.isfinite(figures)):
            return float("nan"), float("nan")
        tail = NormalDist().cdf(-_widening(self.blocks))
        low, high = np.quantile(figures, [tail, 1.0 - tail])
        return float(low), float(high)

    def share_interval(self, share: float, figures: Floats, rows: int, origins: int) -> tuple[float, float]:
        """95 % interval of a share of `rows` forecasts from its values in the resamples (R,).

        Resamples of a share that is 0 or 1 are all alike, so their spread only says how many independent forecasts the
        share is worth, at most `rows`; with none to be seen it is one for each origin that does not overlap. Wilson's
        interval for that many has the rest.

        Parameters
        ----------
        share, figures, rows
            The share, what it is in each resample (NaN in one without any of its rows), and the number of its rows.
        origins
            Origins that have any of them; with too few the bounds are NaN.
        """
        drawn = figures[np.isfinite(figures)]
        if origins < fewest_origins(self.lag) or len(drawn) < RESAMPLES / 2:
            return float("nan"), float("nan")
        variance, spread = float(np.var(drawn)), share * (1.0 - share)
        worth = spread / variance if spread > 0 and variance > 0 else origins / (self.lag + 1)
        worth = min(worth, rows)
        size = _widening(origins / self.length) ** 2 / worth
        centre = (share + size / 2.0) / (1.0 + size)
        half = math.sqrt(size * (spread + size / 4.0)) / (1.0 + size)
        return max(centre - half, 0.0), min(centre + half, 1.0)


def _widening(blocks: float) -> float:
    """Standard errors that a 95 % interval reaches to either side: 1.96, and more where there are few blocks."""
    blocks = max(blocks, FEWEST_BLOCKS)
    student = student_t_quantile(1.0 - SIGNIFICANCE / 2.0, np.array(blocks - 1.0))
    return float(student) * math.sqrt(blocks / (blocks - 1.0))


def _circular_sums(values: Floats, length: int) -> Floats:
    """Sums (O, M) over the `length` rows of values (O, M) that begin at each row, the first following the last."""
    wrapped = np.concatenate((values, values[: length - 1]))  # (O + length - 1, M)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(wrapped, length, axis=0).sum(axis=-1))
