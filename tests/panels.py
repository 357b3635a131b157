"""Small panels for tests."""

from collections.abc import Mapping

import numpy as np

from rnncast.data.calendar import learn_calendar
from rnncast.data.panel import Columns, Panel


def make_panel(series: Mapping[str, np.ndarray], *, dated: bool = True) -> Panel:
    """Panel of the series given: weekdays from 2020-01-01 on, or integer steps from 1, a value a row."""
    lengths = [len(values) for values in series.values()]
    indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    if dated:
        days = np.busday_offset("2020-01-01", np.arange(max(lengths)), roll="forward").astype("datetime64[us]")
        times = np.concatenate([days[:n] for n in lengths])
    else:
        times = np.concatenate([np.arange(1, n + 1, dtype=np.int64) for n in lengths])
    return Panel(
        ids=tuple(series),
        indptr=indptr,
        times=times,
        values=np.concatenate(list(series.values())).astype(np.float64)[:, None],
        columns=Columns(time="date", id="ticker" if len(series) > 1 else None, target="close"),
        calendar=learn_calendar(times, indptr),
    )


def random_walk(rng: np.random.Generator, rows: int, *, start: float = 100.0, volatility: float = 0.01) -> np.ndarray:
    """Geometric random walk (rows,)."""
    return start * np.exp(np.cumsum(volatility * rng.standard_normal(rows)))


def signs_after_a_pause(rng: np.random.Generator, rows: int, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise in which a sign is shown, a mark comes after a pause of 10 to `longest` rows, and then the sign decides.

    The sign (+1 or -1) is four rows at +8 or -8; the mark is the same for both; from the sixth row after it on ten rows
    go up or down by 8 as the sign was.

    Returns
    -------
    values (rows,), and for each sign the rows of its pause, the last row before the ten, and the sign (N, 3)
    """
    values, shown, at = 0.3 * rng.standard_normal(rows), [], 50
    while at + longest + 80 < rows:
        sign, pause = rng.choice([-1, 1]), int(np.exp(rng.uniform(np.log(10), np.log(longest))))
        values[at : at + 4] += 8 * sign
        mark = at + 4 + pause
        values[mark : mark + 2] += [8, -8]
        values[mark + 6 : mark + 16] += 8 * sign
        shown.append((pause, mark + 5, sign))
        at = mark + 16 + rng.integers(10, 20)
    return values, np.array(shown)
