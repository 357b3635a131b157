"""Season lengths: those that the calendar makes likely, if the data bear them out.

Only the rows of the panel that is given are looked at. Dimension letters: `T` rows of one series, `L` lags.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.frequency import DAY_US
from rnncast.data.panel import Panel
from rnncast.data.windows import spread_evenly
from rnncast.records import dataclass

LEAST_SEASONS = 3
"""Seasons that a series must span to be asked; as in the M4 competition."""

NORMAL_95 = 1.645
"""95 % quantile of the normal distribution: a two-sided test at 90 %, as in the M4 competition."""

COMMON_LENGTHS = (4, 7, 12, 24, 48, 52, 168)
"""Lengths tried where rows are counted rather than dated: quarters, days, months, hours, half hours, weeks."""


@dataclass(frozen=True)
class Criterion:
    """What the autocorrelation at the lag of a season must exceed.

    Attributes
    ----------
    correlation : float
        Least autocorrelation: below it a season is of no use, however significant it is in a long series.
    deviations : float
        Least autocorrelation in standard errors.
    of_divisors : float
        Most autocorrelation at the peak of a lag that divides the season, as a share of the season's own: 12 also
        repeats a cycle of 3 rows.
    of_best : float
        Least autocorrelation, as a share of that at the best lag of all from 2 on: an irregular cycle of 10 rows may
        well be like itself after 4.
    """

    correlation: float
    deviations: float
    of_divisors: float = np.inf
    of_best: float = 0.0


SUGGESTED = Criterion(correlation=0.1, deviations=NORMAL_95)
"""For a length that the calendar suggests."""

UNSUGGESTED = Criterion(correlation=0.3, deviations=3.0, of_divisors=0.8, of_best=0.6)
"""For a length that nothing but the data suggest. Seven lengths are tried."""

_MOST_SEASONS, _LEAST_ROWS = 40, 2000  # how much of the end of a series is looked at: so many seasons, or rows if more
_MOST_ROWS, _MOST_SERIES = 200_000, 64  # how much of a panel: rows of all series together, and series

_CLIP = 4.0  # a change is cut off at so many mean absolute changes: one spike would outweigh a year of days
_LEAD = 2.0  # standard errors by which a multiple of a shorter length must stand out among the other multiples


def detect_seasons(panel: Panel) -> tuple[int, ...]:
    """Season lengths of a panel in rows, ascending; none for prices.

    Each length that is likely is put to the test in every series long enough, and in a large panel in series evenly
    spaced over it. A length is taken if more than half of them have it. A multiple of a shorter season is taken for
    what it adds to that one.

    Parameters
    ----------
    panel
        The rows that may be known: those up to the cutoff.
    """
    lengths = likely_lengths(panel)
    criterion = SUGGESTED if panel.calendar.season_candidates() else UNSUGGESTED
    asked, found = dict.fromkeys(lengths, 0), dict.fromkeys(lengths, 0)
    for series in _sample(panel, lengths):
        values = panel.target[panel.rows(int(series))]
        for length in lengths:
            asked[length] += len(values) >= LEAST_SEASONS * length
        for length in seasons_of(values, lengths, criterion):
            found[length] += 1
    return tuple(length for length in lengths if 2 * found[length] > asked[length])


def detect_season(panel: Panel) -> int:
    """The season that the network works with: the shortest one, in rows; 1 if there is none."""
    return (*detect_seasons(panel), 1)[0]


def likely_lengths(panel: Panel) -> tuple[int, ...]:
    """Season lengths that are worth a test, ascending: of the calendar, or the common ones where it has no dates."""
    return panel.calendar.season_candidates() if panel.is_dated else COMMON_LENGTHS


def describe_seasons(panel: Panel, seasons: Sequence[int]) -> str:
    """What was found, or what was tested and not found, on one line."""
    if len(seasons) > 1:
        rows, every = _join([str(length) for length in seasons]), "both" if len(seasons) == 2 else "all"
        return f"season lengths {rows} rows, {every} found by the autocorrelation; the network works with {seasons[0]}"
    if seasons:
        return f"season length {name_lengths(panel, seasons)}, found by the autocorrelation"
    tested = likely_lengths(panel)
    return f"no season found; tested: {name_lengths(panel, tested)}" if tested else "no season found"


def name_lengths(panel: Panel, lengths: Sequence[int]) -> str:
    """Lengths in words: ``24 rows (a day) and 168 rows (a week)``, ``4, 7 and 12 rows``."""
    names = [_period(panel, length) for length in lengths]
    if not any(names):
        return f"{_join([str(length) for length in lengths])} rows"
    return _join([f"{length} rows{name}" for length, name in zip(lengths, names, strict=True)])


def has_season(values: NDArray[np.float64], length: int, criterion: Criterion = SUGGESTED) -> bool:
    """Whether a series (T,) has a season of `length` rows."""
    return length in seasons_of(values, (length,), criterion)


def seasons_of(values: NDArray[np.float64], lengths: Sequence[int], criterion: Criterion) -> tuple[int, ...]:
    """Those of `lengths`, ascending, that are seasons of a series (T,), by the autocorrelation of its differences.

    The test of the M4 competition (Makridakis, Spiliotis and Assimakopoulos, 2020) with Bartlett's limits, but on
    differences: in levels, the trend of a random walk looks like correlation at every lag. A multiple of a shorter
    length is tested on what is left without the mean cycle of that length: a daily cycle correlates at a week too.
    """
    lengths = [length for length in lengths if LEAST_SEASONS * length <= len(values)]
    if not lengths:
        return ()
    recent = values[-_window(lengths) - 1 :]  # (T,)
    scale = np.abs(recent).max()
    if scale == 0:
        return ()
    differences = np.diff(recent / scale)  # (T - 1,)
    bound = _CLIP * np.abs(differences).mean()
    differences = np.clip(differences, -bound, bound)
    correlations: dict[int, NDArray[np.float64]] = {}
    found = []
    for length in lengths:
        within = max((shorter for shorter in lengths if shorter < length and length % shorter == 0), default=1)
        if within not in correlations:
            correlations[within] = autocorrelation(_without_cycle(differences, within), lengths[-1] + within)  # (L,)
        if _is_season(correlations[within], length, within, len(differences), criterion):
            found.append(length)
    whole = correlations[1]  # before any cycle was taken away
    best = whole[2:].max()
    return tuple(length for length in found if whole[length] >= criterion.of_best * best)


def autocorrelation(values: NDArray[np.float64], lags: int) -> NDArray[np.float64]:
    """Autocorrelation at lags 0 to `lags`, shape (lags + 1,), by Fourier transforms; zeros for a constant series."""
    centred = values - values.mean()
    scale = np.abs(centred).max()
    if scale == 0:
        return np.zeros(lags + 1)
    padded = 1 << int(len(values) + lags).bit_length()  # what goes round the end stays beyond the lags asked for
    spectrum = np.fft.rfft(centred / scale, padded)
    covariance = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, padded)[: lags + 1]
    return np.asarray(covariance / covariance[0], dtype=np.float64)


def _is_season(correlation: NDArray[np.float64], length: int, within: int, rows: int, criterion: Criterion) -> bool:
    """Whether the correlation at a lag is high enough, and higher than beside it; `within` is a shorter length."""
    here = correlation[length]
    if not _is_peak(correlation, length):
        return False  # a slow cycle correlates at every short lag
    lead = here - max(correlation[length - within], correlation[length + within])
    if within > 1 and lead < _LEAD * np.sqrt(2 / rows):
        return False  # a shorter cycle that changes slowly correlates at all its multiples
    limit = criterion.deviations * np.sqrt((1 + 2 * np.sum(correlation[1:length] ** 2)) / rows)
    divisors = [lag for lag in range(2, length // 2 + 1) if length % lag == 0 and _is_peak(correlation, lag)]
    part = max(correlation[divisors], default=0.0)
    return bool(here > max(limit, criterion.correlation) and part <= criterion.of_divisors * here)


def _is_peak(correlation: NDArray[np.float64], lag: int) -> bool:
    return bool(correlation[lag] >= max(correlation[lag - 1], correlation[lag + 1]))


def _without_cycle(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Values (T,) less their mean at the same place of a cycle."""
    place = np.arange(len(values)) % length  # (T,)
    means = np.bincount(place, values, length) / np.bincount(place, minlength=length)  # (length,)
    return np.asarray(values - means[place])


def _sample(panel: Panel, lengths: Sequence[int]) -> NDArray[np.int64]:
    """Series long enough for the shortest length; of very many, some evenly spaced, so that the time is bounded."""
    if not lengths:
        return np.zeros(0, dtype=np.int64)
    long_enough = np.flatnonzero(panel.lengths >= LEAST_SEASONS * lengths[0])
    each = min(_window(lengths), int(panel.lengths.max()))
    most = min(max(_MOST_ROWS // each, 1), _MOST_SERIES)
    return long_enough[spread_evenly(len(long_enough), most)]


def _window(lengths: Sequence[int]) -> int:
    """Rows at the end of a series that are looked at."""
    return max(_MOST_SEASONS * lengths[-1], _LEAST_ROWS)


def _period(panel: Panel, length: int) -> str:
    """The time that a season takes, in brackets; nothing where it has no name."""
    frequency, candidates = panel.calendar.frequency, panel.calendar.season_candidates()
    if length not in candidates:
        return ""
    names = {"day": ("a week", "a year"), "business": ("a week", "a year"), "week": ("a year",), "month": ("a year",)}
    # Steps of the clock: rows of a day and of a week, or of a week alone where a day has one row or no whole number
    known = names.get(frequency.family, ("a day", "a week")[-len(candidates) :])
    if frequency.family == "clock" and length * frequency.count == DAY_US:
        known = ("a day", "a week")
    place = candidates.index(length)
    return f" ({known[place]})" if place < len(known) else ""


def _join(words: Sequence[str]) -> str:
    """``4, 7 and 12``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
