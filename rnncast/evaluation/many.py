"""A test for every series, and how many of their findings chance alone would bring.

Of 100 series that nobody can predict, five are found better or worse at 5 % all the same. So findings are counted
beside what chance would bring, the claim that some series are predictable rests on Holm's correction (it holds
whatever the series have in common), and a list of such series on the false discovery rate.

Sources: Holm (1979), "A simple sequentially rejective multiple test procedure"; Benjamini & Hochberg (1995),
"Controlling the false discovery rate"; Benjamini & Yekutieli (2001), theorem 1.2 (the latter holds for tests that
depend on each other positively, as those of prices that move together).

Dimension letters: `N` rows of a backtest, `O` origins, `S` series tested.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.paths import LAST_VALUE
from rnncast.evaluation import metrics
from rnncast.evaluation.grouping import group_sums, rows_by_group
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.significance import (
    SIGNIFICANCE,
    Comparison,
    diebold_mariano,
    json_number,
    overlapping_origins,
)
from rnncast.records import dataclass

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SeriesTest:
    """One series against the last value.

    Attributes
    ----------
    name : str
        Of the series.
    skill : float
        1 minus its mean absolute error divided by the last value's; NaN where that is zero.
    comparison : Comparison
        The test.
    holm, false_discovery : float
        p value after Holm's correction, and the least false discovery rate of a list that has the series (Benjamini and
        Hochberg's adjusted p value); NaN where there is no test.
    """

    name: str
    skill: float
    comparison: Comparison
    holm: float = float("nan")
    false_discovery: float = float("nan")

    def to_dict(self) -> dict[str, object]:
        """Return the figures as JSON values."""
        return {
            "id": self.name,
            "skill": json_number(self.skill),
            "p_value": json_number(self.comparison.p_value),
            "holm": json_number(self.holm),
            "false_discovery_rate": json_number(self.false_discovery),
            "origins": self.comparison.origins,
            "reason": self.comparison.reason,
        }


@dataclass(frozen=True)
class ManyTests:
    """Tests of every series of a backtest.

    Attributes
    ----------
    method : str
        What is tested against the last value.
    series : tuple of SeriesTest
        In the order of the backtest.
    """

    method: str
    series: tuple[SeriesTest, ...]

    @property
    def tested(self) -> int:
        """Series of which there is a test."""
        return sum(test.comparison.reason is None for test in self.series)

    @property
    def by_chance(self) -> float:
        """Series better, and as many worse, to be expected of tests alone."""
        return self.tested * SIGNIFICANCE / 2.0

    def names(self, *, better: bool, measure: str = "p_value") -> tuple[str, ...]:
        """Series found better (or worse) by the p value, ``holm`` or ``false_discovery``."""
        return tuple(
            test.name
            for test in self.series
            if (test.comparison.p_value if measure == "p_value" else getattr(test, measure)) < SIGNIFICANCE
            and (test.comparison.difference < 0) == better
        )

    def to_dict(self) -> dict[str, object]:
        """Return counts and every test as JSON values."""
        sides = {"better": True, "worse": False}
        return {
            "method": self.method,
            "tested": self.tested,
            "expected_by_chance": self.by_chance,
            **{side: len(self.names(better=better)) for side, better in sides.items()},
            **{f"{side}_holm": list(self.names(better=b, measure="holm")) for side, b in sides.items()},
            **{
                f"{side}_false_discovery": list(self.names(better=b, measure="false_discovery"))
                for side, b in sides.items()
            },
            "series": [test.to_dict() for test in self.series],
        }


def each_series(backtest: Backtest, method: str) -> ManyTests:
    """Test a method's absolute errors, averaged over the steps of an origin, against the last value's, by series."""
    errors = [metrics.absolute_error(backtest.actual, backtest.points[name]) for name in (method, LAST_VALUE)]
    found = []
    for rows in rows_by_group(backtest.series):
        columns = np.stack([np.ones(len(rows)), *(error[rows] for error in errors)], axis=1)  # (rows, 3)
        sums = group_sums(columns, backtest.origin[rows])  # (O, 3)
        own, reference = sums[:, 1] / sums[:, 0], sums[:, 2] / sums[:, 0]  # (O,), (O,)
        skill = 1.0 - float(metrics.divide(own.mean(), float(reference.mean())))
        name = backtest.ids[int(backtest.series[rows[0]])]
        lag = overlapping_origins(backtest.series[rows], backtest.cutoffs[rows], backtest.times[rows])
        found.append(SeriesTest(name, skill, diebold_mariano(own, reference, lag)))
    return ManyTests(method, _corrected(found))


def _corrected(tests: list[SeriesTest]) -> tuple[SeriesTest, ...]:
    """The tests with both corrections, over those that have a p value."""
    places = [place for place, test in enumerate(tests) if test.comparison.reason is None]
    p_values = np.array([tests[place].comparison.p_value for place in places])  # (S,)
    corrected = list(tests)
    for place, holm, rate in zip(places, holm_adjusted(p_values), false_discovery_rates(p_values), strict=True):
        corrected[place] = replace(tests[place], holm=float(holm), false_discovery=float(rate))
    return tuple(corrected)


def holm_adjusted(p_values: Floats) -> Floats:
    """Holm's adjusted p values (S,): ``max_{i <= j} min(1, (S - i + 1) p_(i))`` for the j-th smallest."""
    order = np.argsort(p_values, kind="stable")  # (S,)
    count = len(p_values)
    adjusted = np.empty(count)  # (S,)
    adjusted[order] = np.minimum(np.maximum.accumulate(np.arange(count, 0, -1) * p_values[order]), 1.0)
    return adjusted


def false_discovery_rates(p_values: Floats) -> Floats:
    """Benjamini and Hochberg's adjusted p values (S,): ``min_{i >= j} S p_(i) / i`` for the j-th smallest."""
    order = np.argsort(p_values, kind="stable")  # (S,)
    count = len(p_values)
    ratios = count * p_values[order] / np.arange(1, count + 1)  # (S,)
    adjusted = np.empty(count)  # (S,)
    adjusted[order] = np.minimum.accumulate(ratios[::-1])[::-1]
    return adjusted
