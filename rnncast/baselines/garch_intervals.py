"""Quantiles over several steps from GARCH(1,1) with Student's t innovations, with parameters kept between origins.

Dimension letters: `T` changes, `S` series, `K` horizon steps, `Q` quantiles, `N` simulated paths.

The change over k steps has the variance ``h_1 + ... + h_k`` with ``h_{j+1} = omega + (alpha + beta) h_j``, from the
last row on. It is Student's t for one step; for more, the sum of t's with a common past has no simple distribution, and
no fourth moment where nu is 4 or less, as for many prices. So whenever parameters are estimated paths are simulated,
and their quantiles, in units of the root of that variance, are used until the next estimate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.garch import Garch, fit_garch, variances
from rnncast.core.student_t import student_t_quantile
from rnncast.records import dataclass

Floats = NDArray[np.float64]

REFIT_EVERY = 50
"""Origins after which parameters are estimated again; they are filtered with the rows shown in between."""

FEWEST_ROWS = 100
"""Rows without which nothing is estimated."""

MOST_CHANGES = 1000
"""Changes at the end of a history from which parameters are estimated, and variances filtered."""

MOST_STILL = 0.5
"""Share of changes that are zero from which on a series stands still: its likelihood has no peak."""

SMALLEST = 1e-100
"""Largest change of a series from which on its squares, and those of the inverse, are safely within floats."""

PATHS = 4096
"""Simulated paths. Paths up and down are equally likely, so that a quantile of sizes has twice as many behind it: the
half width of a 95 % interval is known to about 1.5 %."""

SEED = 1987


@dataclass(frozen=True)
class _Fit:
    """What is kept of a series: parameters as scalars, shape of the quantiles (K, Q), and when they were estimated."""

    parameters: tuple[float, float, float, float]
    shape: Floats
    origin: int
    logarithmic: bool


class GarchIntervals:
    """Quantiles at one origin after the other, with each series' parameters estimated anew after `REFIT_EVERY`.

    Parameters
    ----------
    horizon
        Number of steps, K.
    levels : float64 (Q,)
        Probabilities, ascending.
    """

    def __init__(self, horizon: int, levels: Floats) -> None:
        self._horizon, self._levels = horizon, levels
        self._fits: dict[int, _Fit] = {}
        self._origin = -1

    def at(self, series: Sequence[int], changes: Sequence[Floats], logarithmic: Sequence[bool]) -> dict[int, Floats]:
        """Quantiles (K, Q) of the change from the last row on, by series; without those that nothing can be said of.

        These are the series of fewer than `FEWEST_ROWS` rows, those that stand still in at least half of them, and
        those whose squared changes leave the range of floats.

        Parameters
        ----------
        series
            Number of each series, the same at every origin: it also seeds its simulated paths.
        changes : sequence of float64 (T_s,)
            From row to row, up to the origin and in working units, of each series.
        logarithmic
            Whether they are changes of logarithms: parameters are in those units.
        """
        self._origin += 1
        shown = {
            number: (rows[-MOST_CHANGES:], kind)
            for number, rows, kind in zip(series, changes, logarithmic, strict=True)
            if _can_be_fitted(rows[-MOST_CHANGES:])
        }
        if not shown:
            return {}
        stale = [number for number, (_, kind) in shown.items() if self._is_stale(number, kind)]
        if stale:
            self._estimate({number: shown[number] for number in stale})
        count, columns = _in_columns([rows for rows, _ in shown.values()])  # (S,), (T, S)
        parameters = np.array([self._fits[number].parameters for number in shown]).T  # (4, S)
        ahead = variances_ahead(Garch(*parameters), variances(Garch(*parameters), columns, count), self._horizon)
        widths = np.sqrt(np.cumsum(ahead, axis=0))  # (K, S)
        return {number: widths[:, [i]] * self._fits[number].shape for i, number in enumerate(shown)}

    def _is_stale(self, number: int, logarithmic: bool) -> bool:
        fit = self._fits.get(number)
        return fit is None or self._origin - fit.origin >= REFIT_EVERY or fit.logarithmic != logarithmic

    def _estimate(self, shown: dict[int, tuple[Floats, bool]]) -> None:
        count, columns = _in_columns([rows for rows, _ in shown.values()])  # (S,), (T, S)
        garch = fit_garch(columns, count)
        following = variances(garch, columns, count)  # (S,)
        for i, (number, (_, kind)) in enumerate(shown.items()):
            one = Garch(garch.omega[[i]], garch.alpha[[i]], garch.beta[[i]], garch.nu[[i]])
            rng = np.random.default_rng((SEED, number))
            shape = standardised_quantiles(one, following[[i]], self._horizon, self._levels, rng)
            parameters = float(one.omega[0]), float(one.alpha[0]), float(one.beta[0]), float(one.nu[0])
            self._fits[number] = _Fit(parameters, shape, self._origin, kind)


def variances_ahead(garch: Garch, variance: Floats, horizon: int) -> Floats:
    """Expected variance of each of the next changes, shape (K, S), from that of the first (S,)."""
    ahead = [variance]
    for _ in range(horizon - 1):
        ahead.append(garch.omega + (garch.alpha + garch.beta) * ahead[-1])
    return np.stack(ahead)


def standardised_quantiles(
    garch: Garch, variance: Floats, horizon: int, levels: Floats, rng: np.random.Generator
) -> Floats:
    """Quantiles of the sum of the next changes of one series over the root of its variance, shape (K, Q).

    Exact for the first step, from `PATHS` simulated paths beyond it.

    Parameters
    ----------
    garch, variance : float64 (1,)
        Parameters of the series, and the variance of its next change.
    horizon, levels
        Number of steps K, and probabilities (Q,).
    rng
        Source of the paths.
    """
    unit = np.sqrt((garch.nu - 2.0) / garch.nu)  # (1,) a t variable times this has unit variance
    total, squared = np.zeros(PATHS), np.broadcast_to(variance, PATHS)  # (N,), (N,)
    sizes = np.empty((horizon, PATHS))  # (K, N)
    for k in range(horizon):
        change = np.sqrt(squared) * unit * rng.standard_t(garch.nu[0], PATHS)  # (N,)
        total = total + change
        sizes[k] = np.abs(total)
        squared = garch.omega + garch.alpha * np.square(change) + garch.beta * squared
    deviation = np.sqrt(np.cumsum(variances_ahead(garch, variance, horizon), axis=0))  # (K, 1)
    widths = np.quantile(sizes, np.abs(2.0 * levels - 1.0), axis=1).T / deviation  # (K, Q)
    quantiles = np.where(levels == 0.5, 0.0, np.sign(levels - 0.5) * widths)  # (K, Q)
    quantiles[0] = [float(student_t_quantile(level, garch.nu)[0] * unit[0]) for level in levels.tolist()]
    return quantiles


def _can_be_fitted(changes: Floats) -> bool:
    enough = len(changes) + 1 >= FEWEST_ROWS and np.mean(changes == 0) < MOST_STILL
    return bool(enough and SMALLEST < np.abs(changes).max() < 1 / SMALLEST)


def _in_columns(changes: Sequence[Floats]) -> tuple[NDArray[np.int64], Floats]:
    """Lengths (S,) of the changes of several series, and the changes in columns (T, S) with zeros after them."""
    count = np.array([len(rows) for rows in changes], dtype=np.int64)  # (S,)
    columns = np.zeros((int(count.max()), len(changes)))  # (T, S)
    for i, rows in enumerate(changes):
        columns[: len(rows), i] = rows
    return count, columns
