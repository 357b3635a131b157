"""All evidence of a backtest in one value: skill, direction, lag plot, single series, coverage.

What is judged are the forecasts as issued and, where the backtest has it and it differs, the network alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnncast.baselines.paths import LAST_VALUE
from rnncast.evaluation.adaptive import ADAPTIVE
from rnncast.evaluation.copycat import Copycat, copycat
from rnncast.evaluation.coverage import Coverage, coverages
from rnncast.evaluation.direction import Direction, direction
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.many import ManyTests, each_series
from rnncast.evaluation.skill import Skill, interval_skills, point_skills
from rnncast.forecasting.result import METHOD, NETWORK
from rnncast.records import dataclass


@dataclass(frozen=True)
class Evidence:
    """Evidence about one method, and about the network alone.

    Attributes
    ----------
    method : str
        What is judged.
    skills : tuple of Skill
        Against each baseline, on scaled absolute errors; those of the network alone follow.
    interval_skills : tuple of Skill
        Against each baseline with intervals, on scaled interval scores at `interval_level`.
    interval_level : float or None
        The widest level in per cent; None without intervals.
    coverages : tuple of Coverage
        Of the method's intervals.
    corrected : tuple of Coverage
        Of its intervals corrected as outcomes came in, where the backtest has them.
    directions : Mapping of str to Direction
        By method.
    copycats : Mapping of str to Copycat
        By method.
    series : ManyTests
        Every series against the last value.
    """

    method: str
    skills: tuple[Skill, ...]
    interval_skills: tuple[Skill, ...]
    interval_level: float | None
    coverages: tuple[Coverage, ...]
    corrected: tuple[Coverage, ...]
    directions: Mapping[str, Direction]
    copycats: Mapping[str, Copycat]
    series: ManyTests

    def skill(self, reference: str, method: str | None = None) -> Skill:
        """Skill of a method (by default the one judged) against a reference that it was set against."""
        method = method or self.method
        return next(s for s in self.skills if (s.method, s.reference) == (method, reference))

    @property
    def network_alone(self) -> bool:
        """Whether the network without the blend stands beside, with other forecasts."""
        return NETWORK in self.directions

    def coverage(self, level: float) -> Coverage:
        """Coverage at a level over all rows."""
        return next(c for c in self.coverages if (c.level, c.part) == (level, "all"))

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON values."""
        return {
            "method": self.method,
            "skill": [skill.to_dict() for skill in self.skills],
            "interval_skill": {
                "level": self.interval_level,
                "versus": [skill.to_dict() for skill in self.interval_skills],
            },
            "coverage": [coverage.to_dict() for coverage in self.coverages],
            "adaptive_coverage": [coverage.to_dict() for coverage in self.corrected],
            "direction": {name: found.to_dict() for name, found in self.directions.items()},
            "copycat": {name: found.to_dict() for name, found in self.copycats.items()},
            "each_series": self.series.to_dict(),
        }


def gather_evidence(backtest: Backtest, method: str = METHOD) -> Evidence:
    """Gather the evidence about one method of a backtest, which must have its points and the last value's."""
    for name in (method, LAST_VALUE):
        if name not in backtest.points:
            raise ValueError(f"methods are {', '.join(backtest.points)}: expected {method} and {LAST_VALUE} among them")
    own = [method, NETWORK] if _differs(backtest, method) else [method]
    levels = [level for level, _, _ in backtest.central_levels] if method in backtest.quantiles else []
    widest = levels[-1] if levels else None
    return Evidence(
        method=method,
        skills=tuple(skill for name in own for skill in point_skills(backtest, name)),
        interval_skills=interval_skills(backtest, method, widest) if widest else (),
        interval_level=widest,
        coverages=coverages(backtest, method),
        corrected=coverages(backtest, ADAPTIVE) if method == METHOD and ADAPTIVE in backtest.quantiles else (),
        directions={name: direction(backtest, name) for name in own},
        copycats={name: copycat(backtest, name) for name in own},
        series=each_series(backtest, method),
    )


def _differs(backtest: Backtest, method: str) -> bool:
    """Whether the network alone is there, and says something else than what is judged."""
    alone = backtest.points.get(NETWORK)
    return alone is not None and method != NETWORK and not np.array_equal(alone, backtest.points[method])
