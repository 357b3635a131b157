"""Whether one method's losses differ from another's by more than chance: Diebold-Mariano over forecast origins.

Dimension letters: `N` rows of a backtest, `O` origins, `J` cosines.

The sample is the origins, not the rows: the steps of one forecast and the series at one date are not independent, so
losses are first averaged over both. Neighbouring origins whose horizons overlap are correlated up to the number of
origins that fit into a horizon. The usual variance, a plain sum of that many autocovariances, is too small where
origins are few, and the test then finds too much (docs/evidence.md has figures). The variance here is the mean square
of the first J cosine terms of the differences, and Student's t on J degrees of freedom takes its uncertainty into
account; the statistic with the usual variance stands beside it for comparison with other programs.

Sources: Diebold & Mariano (1995), "Comparing predictive accuracy"; Harvey, Leybourne & Newbold (1997), "Testing the
equality of prediction mean squared errors"; Mueller (2007), "A theory of robust long-run variance estimation", and
Lazarus, Lewis, Stock & Watson (2018), "HAR inference: recommendations for practice" (equal-weighted cosines).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rnncast.core.student_t import student_t_quantile, student_t_two_sided
from rnncast.records import dataclass

Floats = NDArray[np.float64]

SIGNIFICANCE = 0.05
"""Two-sided probability below which a difference counts as evidence."""

POWER = 0.8
"""Chance of finding an effect of the size seen, for which `more_origins` are counted."""

MIN_ORIGINS = 8
"""Fewest origins for a test, whatever the overlap."""

ORIGINS_PER_OVERLAP = 4
"""Fewest origins for each origin that a horizon spans: with fewer there are not two cosines."""

MOST_ORIGINS = 10_000
"""More origins than this are not counted: nobody has them."""

_NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class Comparison:
    """Outcome of one Diebold-Mariano test of a method against a reference.

    Attributes
    ----------
    difference : float
        Mean loss of the method minus that of the reference; negative if the method is better.
    standard_error : float
        Of that mean; NaN where there is no test.
    statistic : float
        t statistic, NaN where there is no test.
    p_value : float
        Two-sided, NaN where there is no test.
    origins : int
        Number of origins, O.
    lag : int
        Neighbouring origins whose horizons overlap.
    classic : tuple of float
        Statistic and p value of Harvey, Leybourne & Newbold (1997); NaN where there is no test.
    reason : str or None
        Why there is no test: ``"too few origins"``, ``"no difference"``, ``"no variation"``, ``"no loss"``.
    """

    difference: float
    standard_error: float
    statistic: float
    p_value: float
    origins: int
    lag: int
    classic: tuple[float, float] = (float("nan"), float("nan"))
    reason: str | None = None

    @property
    def significant(self) -> bool:
        """Whether there was a test, and it found a difference."""
        return self.p_value < SIGNIFICANCE  # False for NaN

    @property
    def origins_needed(self) -> int:
        """Fewest origins with which a test would have been made."""
        return fewest_origins(self.lag)

    @property
    def more_origins(self) -> int | None:
        """Further origins with which an effect of the size seen would be found with a probability of `POWER`.

        None where it is found already, where there is no test, or no effect. `MOST_ORIGINS` stands for more than that.
        The least O for which ``(t_J(0.975) + t_J(0.8)) sqrt(V / O)`` is below the difference, V the long-run variance
        and J the degrees of freedom with O origins.
        """
        if not self.p_value >= SIGNIFICANCE or self.difference == 0:
            return None
        origins = np.arange(self.origins + 1, self.origins + MOST_ORIGINS)  # (candidates,)
        freedom = degrees_of_freedom(origins, self.lag).astype(np.float64)
        sizes = student_t_quantile(1.0 - SIGNIFICANCE / 2.0, freedom) + student_t_quantile(POWER, freedom)
        deviation = self.standard_error * math.sqrt(self.origins)
        enough = np.flatnonzero(sizes * deviation / np.sqrt(origins) <= abs(self.difference))
        return int(enough[0]) + 1 if len(enough) else MOST_ORIGINS

    def to_dict(self) -> dict[str, object]:
        """Return the fields as JSON values: a missing number is None, never NaN."""
        return {
            "loss_difference": json_number(self.difference),
            "standard_error": json_number(self.standard_error),
            "statistic": json_number(self.statistic),
            "p_value": json_number(self.p_value),
            "origins": self.origins,
            "overlapping_origins": self.lag,
            "more_origins": self.more_origins,
            "harvey_leybourne_newbold": dict(
                zip(("statistic", "p_value"), map(json_number, self.classic), strict=True)
            ),
            "reason": self.reason,
        }


def fewest_origins(lag: int) -> int:
    """Origins that a test needs where `lag` neighbours of each overlap with it."""
    return max(MIN_ORIGINS, ORIGINS_PER_OVERLAP * (lag + 1))


def degrees_of_freedom(origins: NDArray[np.int64], lag: int) -> NDArray[np.int64]:
    """Cosines J that enter the variance, of the shape of `origins`.

    Without overlap all O - 1, which makes it the sample variance. With it ``O // (2 (lag + 1))``: the spectrum of a
    moving average of that order is level up to that frequency.
    """
    return origins - 1 if lag == 0 else np.maximum(origins // (2 * (lag + 1)), 1)


def diebold_mariano(losses: Floats, reference_losses: Floats, lag: int) -> Comparison:
    """Test whether two methods' losses (O,) differ, in ascending order of their origins.

    With ``d = losses - reference_losses`` and the cosine terms ``c_j = sqrt(2 / O) sum_t d_t cos(pi j (t - 1/2) / O)``
    the statistic is ``mean(d) / sqrt(V / O)`` with ``V = mean_{j <= J} c_j^2``, compared with Student's t on J degrees
    of freedom; J is that of `degrees_of_freedom`. Without overlap it is the paired t test.

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
    count, nan = len(d), float("nan")
    difference = float(np.mean(d)) if count else nan
    reason = _why_untested(d, losses, reference_losses, lag)
    if reason:
        return Comparison(difference, nan, nan, nan, count, lag, reason=reason)
    size = float(np.max(np.abs(d)))  # the statistic has no unit, and squares of tiny losses would vanish
    unit = d / size  # (O,)
    error = math.sqrt(max(long_run_variance(unit, lag), _NEGLIGIBLE**2) / count)  # not zero, however d is arranged
    statistic = float(unit.mean()) / error
    freedom = int(degrees_of_freedom(np.array(count), lag))
    p_value = student_t_two_sided(statistic, freedom)
    return Comparison(difference, error * size, statistic, p_value, count, lag, _classic(unit, lag))


def _why_untested(d: Floats, losses: Floats, reference_losses: Floats, lag: int) -> str | None:
    """Reason why the differences (O,) of two methods' losses (O,) cannot be tested, or None."""
    if len(d) == 0 or not np.all(np.isfinite(d)):
        return "no loss"
    negligible = _NEGLIGIBLE * float(np.max(np.abs(losses) + np.abs(reference_losses)))
    if np.all(np.abs(d) <= negligible):
        return "no difference"
    if len(d) < fewest_origins(lag):
        return "too few origins"
    if np.ptp(d) <= negligible:
        return "no variation"
    return None


def long_run_variance(d: Floats, lag: int) -> float:
    """Variance of ``sqrt(O) mean(d)`` for values (O,) of which `lag` neighbours are correlated: mean of c_j^2."""
    count = len(d)
    terms = np.arange(1, int(degrees_of_freedom(np.array(count), lag)) + 1)  # (J,)
    centred = d - d.mean()  # (O,) cosines do not see the mean; rounding would
    waves = np.fft.rfft(centred, 2 * count)[terms] * np.exp(-0.5j * np.pi * terms / count)  # (J,)
    return float(np.mean(np.square(waves.real)) * 2.0 / count)


def _classic(d: Floats, lag: int) -> tuple[float, float]:
    """Statistic and p value of Harvey, Leybourne & Newbold (1997) for differences (O,).

    With autocovariances g_j (divisor O) and H = lag + 1 it is
    ``mean(d) / sqrt((g_0 + 2 sum_{j<=lag} g_j) / O) * sqrt((O + 1 - 2 H + H (H - 1) / O) / O)``, on O - 1 degrees of
    freedom. Where the sum is not positive, weights ``1 - j / H`` (Bartlett) make it so.
    """
    count, span = len(d), lag + 1
    centred = d - d.mean()  # (O,)
    covariances = np.array([centred[j:] @ centred[: count - j] for j in range(span)]) / count  # (lag + 1,)
    variance = covariances[0] + 2.0 * covariances[1:].sum()
    if variance <= 0:
        weights = 1.0 - np.arange(1, span) / span  # (lag,)
        variance = covariances[0] + 2.0 * (weights @ covariances[1:])
    correction = (count + 1 - 2 * span + span * (span - 1) / count) / count
    error = math.sqrt(max(float(variance), _NEGLIGIBLE**2) / count)
    statistic = float(d.mean()) / error * math.sqrt(correction)
    return statistic, student_t_two_sided(statistic, count - 1)


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


def json_number(value: float) -> float | None:
    """Return the value, or None where it is not finite: JSON has no token for those."""
    return value if math.isfinite(value) else None
