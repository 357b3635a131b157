"""Whether one method's losses differ from another's by more than chance: Diebold-Mariano over forecast origins.

Dimension letters: `N` rows of a backtest, `O` origins.

The sample is the origins, not the rows: the steps of one forecast and the series at one date are not independent, so
losses are first averaged over both. Neighbouring origins whose horizons overlap are correlated up to the number of
origins that fit into a horizon; that many autocovariances enter the variance.

Sources: Diebold & Mariano (1995), "Comparing predictive accuracy"; Harvey, Leybourne & Newbold (1997), "Testing the
equality of prediction mean squared errors" (the small-sample correction, and Student's t in place of the normal).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncast.core.student_t import student_t_two_sided

Floats = NDArray[np.float64]

MIN_ORIGINS = 8
"""Fewest origins for a test, whatever the overlap."""

ORIGINS_PER_OVERLAP = 3
"""Fewest origins for each origin that a horizon spans: with fewer, the autocovariances are mostly noise."""

_NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class Comparison:
    """Outcome of one Diebold-Mariano test of a method against a reference.

    Attributes
    ----------
    difference : float
        Mean loss of the method minus that of the reference; negative if the method is better.
    statistic : float
        Corrected t statistic, NaN where there is no test.
    p_value : float
        Two-sided, NaN where there is no test.
    origins : int
        Number of origins, O.
    lag : int
        Neighbouring origins whose horizons overlap.
    reason : str or None
        Why there is no test: ``"too few origins"``, ``"no difference"``, ``"no variation"``, ``"no loss"``.
    """

    difference: float
    statistic: float
    p_value: float
    origins: int
    lag: int
    reason: str | None = None

    @property
    def origins_needed(self) -> int:
        """Fewest origins with which a test would have been made."""
        return max(MIN_ORIGINS, ORIGINS_PER_OVERLAP * (self.lag + 1))

    def to_dict(self) -> dict[str, object]:
        """Return the fields as JSON values: a missing number is None, never NaN."""
        return {
            "loss_difference": json_number(self.difference),
            "statistic": json_number(self.statistic),
            "p_value": json_number(self.p_value),
            "origins": self.origins,
            "overlapping_origins": self.lag,
            "reason": self.reason,
        }


def diebold_mariano(losses: Floats, reference_losses: Floats, lag: int) -> Comparison:
    """Test whether two methods' losses (O,) differ, in ascending order of their origins.

    With ``d = losses - reference_losses``, its autocovariances g_j (divisor O) and H = lag + 1 the statistic is
    ``mean(d) / sqrt((g_0 + 2 sum_{j<=lag} g_j) / O) * sqrt((O + 1 - 2 H + H (H - 1) / O) / O)``, compared with
    Student's t on O - 1 degrees of freedom. Where the sum is not positive, weights ``1 - j / H`` (Bartlett) make it so.

    Parameters
    ----------
    losses, reference_losses
        Mean loss at each origin, shape (O,).
    lag
        ``ceil(h / step) - 1`` for a horizon of h rows and origins `step` rows apart.
    """
    if np.shape(losses) != np.shape(reference_losses) or np.ndim(losses) != 1 or lag < 0:
        shapes = f"{np.shape(losses)} and {np.shape(reference_losses)}"
        raise ValueError(f"losses {shapes}, lag {lag}: expected (O,) twice, and 0 or more")
    d = np.asarray(losses, dtype=np.float64) - reference_losses  # (O,)
    count = len(d)
    difference = float(np.mean(d)) if count else float("nan")
    untested = Comparison(difference, float("nan"), float("nan"), count, lag, "no loss")
    if count == 0 or not np.all(np.isfinite(d)):
        return untested
    negligible = _NEGLIGIBLE * float(np.max(np.abs(losses) + np.abs(reference_losses)))
    if np.all(np.abs(d) <= negligible):
        return Comparison(difference, float("nan"), float("nan"), count, lag, "no difference")
    if count < untested.origins_needed:
        return Comparison(difference, float("nan"), float("nan"), count, lag, "too few origins")
    if np.ptp(d) <= negligible:
        return Comparison(difference, float("nan"), float("nan"), count, lag, "no variation")
    span = lag + 1
    correction = (count + 1 - 2 * span + span * (span - 1) / count) / count
    unit = d / np.max(np.abs(d))  # (O,) the statistic has no unit, and squares of tiny losses would vanish
    statistic = float(unit.mean()) / math.sqrt(_long_run_variance(unit, lag) / count) * math.sqrt(correction)
    return Comparison(difference, statistic, student_t_two_sided(statistic, count - 1), count, lag)


def overlapping_origins(series: NDArray[np.int64], cutoffs: NDArray[np.generic], times: NDArray[np.generic]) -> int:
    """Count how many later cutoffs of its series lie before the end of a forecast, at most; from the rows (N,).

    For a horizon of h rows and cutoffs `step` rows apart this is ``ceil(h / step) - 1``.
    """
    order = np.lexsort((times, cutoffs, series))  # the last row of a forecast comes last
    series, cutoffs, times = series[order], cutoffs[order], times[order]
    last = np.flatnonzero(np.append((series[1:] != series[:-1]) | (cutoffs[1:] != cutoffs[:-1]), True))  # (forecasts,)
    most = 0
    for own in np.split(last, np.flatnonzero(np.diff(series[last])) + 1):
        starts, ends = cutoffs[own], times[own]  # (O,), (O,)
        inside = np.searchsorted(starts, ends, side="left") - np.arange(len(starts)) - 1  # (O,)
        most = max(most, int(inside.max()))
    return most


def _long_run_variance(d: Floats, lag: int) -> float:
    centred = d - d.mean()  # (O,)
    covariances = np.array([centred[j:] @ centred[: len(d) - j] for j in range(lag + 1)]) / len(d)  # (lag + 1,)
    variance = covariances[0] + 2.0 * covariances[1:].sum()
    if variance <= 0:
        weights = 1.0 - np.arange(1, lag + 1) / (lag + 1)  # (lag,)
        variance = covariances[0] + 2.0 * (weights @ covariances[1:])
    return float(variance)


def json_number(value: float) -> float | None:
    """Return the value, or None where it is not finite: JSON has no token for those."""
    return value if math.isfinite(value) else None
