"""Windows of a panel, gathered and normalised where the network reads them: the kernel's form of `model.inputs`.

Letters: T steps, F features, S lanes, K targets.
"""

from __future__ import annotations

from typing import Any

from rnncast.core.jit import jit
from rnncast.core.layout import AT_INPUTS, AT_TARGETS, FEATURES, LANES, LEAD, STEPS
from rnncast.core.matrix import ONE, fill_zero


@jit
def take_windows(plan: Any, series: Any, normalising: Any, targets: int, first: int, used: int, w: Any) -> None:
    """Put the inputs (T, F, S) and `targets` rows (K, S) of `used` windows, the first of them `first`, in their places.

    A window ends with row e; with a the value there and s its mean absolute change over one step, or over a season if
    it has more rows than one, inputs are ``(v[r] - a) / s`` or ``(v[r] - v[r - lag]) / s``, and targets the distance
    from the naive path (the last season or seasons, else the last value), ``(v[e + 1 + k] - naive_k) / s``. A series
    that is shorter than the window repeats its first row in front; a change that is not known is zero.
    """
    lanes = plan[LANES]
    steps = plan[LEAD] + plan[STEPS]
    fill_zero(w, plan[AT_INPUTS], steps * plan[FEATURES] * lanes)
    for lane in range(used):
        end = series.ends[first + lane]
        origin = max(series.starts[first + lane], end - normalising.history)
        rows = series.values[origin:]
        count = end - origin
        share = _short_share(rows, count, normalising)
        scale = _scale(rows, count, share, series.logarithmic[first + lane], normalising)
        _take_inputs(rows, count, share, scale, normalising, w, plan[AT_INPUTS] + lane, steps, lanes)
        _take_phases(series, origin, count, normalising, w, plan[AT_INPUTS] + lane, steps, lanes)
        _take_targets(rows, count, share, scale, normalising, w, plan[AT_TARGETS] + lane, targets, lanes)


@jit
def _short_share(rows: Any, count: int, normalising: Any) -> float:
    """Share of the last season in the naive path, the last long one having the rest; see `transform.weigh_seasons`."""
    season = normalising.season
    long = normalising.long_season
    if long == 0 or count < long + season:
        return 1.0
    largest = 0.0
    for n in range(long, count):
        largest = max(largest, abs(rows[n] - rows[n - long]), abs(rows[n] - rows[n - season]))
    if not largest > 0.0:
        return 1.0
    above = 0.0
    below = 0.0
    for n in range(long, count):
        by_long = (rows[n] - rows[n - long]) / largest
        apart = by_long - (rows[n] - rows[n - season]) / largest
        above += by_long * apart
        below += apart * apart
    if not below > 0.0:
        return 1.0
    return min(max(above / below, 0.0), 1.0)


@jit
def _scale(rows: Any, count: int, share: float, logarithmic: bool, normalising: Any) -> float:
    """Mean absolute change of the first `count` rows, floored; see `data.transform.local_scale`."""
    season = normalising.season
    scale = _mean_change(rows, count, ONE)
    if count > season > 1:
        long = normalising.long_season
        if long > 0 and count >= long + season:
            seasonal = _mean_error(rows, count, share, season, long)
        else:
            seasonal = _mean_change(rows, count, season)
        scale = max(seasonal, normalising.floor_season * scale)
    floor = normalising.floor_logarithmic
    if not logarithmic:
        largest = 0.0
        for n in range(count):
            largest = max(largest, abs(rows[n]))
        floor = max(normalising.floor_level * largest, normalising.smallest)
    return scale if not scale < floor else floor  # NaN stays NaN


@jit
def _mean_change(rows: Any, count: int, lag: int) -> float:
    total = 0.0
    for n in range(lag, count):
        total += abs(rows[n] - rows[n - lag])
    return total / max(count - lag, 1)


@jit
def _mean_error(rows: Any, count: int, share: float, season: int, long: int) -> float:
    total = 0.0
    for n in range(long, count):
        total += abs(share * (rows[n] - rows[n - season]) + (1.0 - share) * (rows[n] - rows[n - long]))
    return total / (count - long)


@jit
def _take_inputs(
    rows: Any, count: int, share: float, scale: float, normalising: Any, w: Any, at: int, steps: int, lanes: int
) -> None:
    """Channels of one window, into lane `at` of (T, F, S)."""
    anchor = rows[count - 1]
    features = normalising.lags.size
    for channel in range(features):
        lag = normalising.lags[channel]
        if lag < 0:
            continue
        for t in range(steps):
            row = count - steps + t
            value = 0.0
            if lag == 0:
                value = (rows[max(row, 0)] - anchor) / scale
            elif row >= lag:
                value = (rows[row] - rows[row - lag]) / scale
                if lag == normalising.season and 0 < normalising.long_season <= row:
                    value = share * value + (1.0 - share) * ((rows[row] - rows[row - normalising.long_season]) / scale)
            w[at + (t * features + channel) * lanes] = _within(value, normalising.input_limit)


@jit
def _take_phases(
    series: Any, origin: int, count: int, normalising: Any, w: Any, at: int, steps: int, lanes: int
) -> None:
    """Channels of one window that are not made of its values, into lane `at` of (T, F, S)."""
    features = normalising.lags.size
    for channel in range(features):
        lag = normalising.lags[channel]
        if lag < 0:
            phase = (-lag - ONE) * series.values.size + origin
            for t in range(steps):
                w[at + (t * features + channel) * lanes] = series.phases[phase + max(count - steps + t, 0)]


@jit
def _take_targets(
    rows: Any, count: int, share: float, scale: float, normalising: Any, w: Any, at: int, targets: int, lanes: int
) -> None:
    """What the rows after one window add to its naive path, into lane `at` of (K, S)."""
    season = normalising.season
    long = normalising.long_season
    for k in range(targets):
        row = count + k
        error = rows[row] - (rows[count - season + k % season] if count >= season else rows[count - 1])
        if 0 < long <= count:
            error = share * error + (1.0 - share) * (rows[row] - rows[count - long + k % long])
        w[at + k * lanes] = _within(error / scale, normalising.target_limit)


@jit
def _within(value: float, limit: float) -> float:
    """`value`, drawn in to -limit .. limit; NaN stays NaN."""
    if value > limit:
        return limit
    return -limit if value < -limit else value
