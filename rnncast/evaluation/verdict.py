"""The verdict: what a backtest's figures say of the model, in one or two sentences and no more than they carry.

"Beats" and "worse" need a significant test and a typical error (relative MAE) on the same side; everything else is no
evidence. The best simple baseline is named when it is not the last value: to beat the last value on a series with a
season proves nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from rnncast.baselines.paths import LAST_VALUE
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.scores import Scores, compare_methods
from rnncast.evaluation.significance import Comparison, json_number

SIGNIFICANCE = 0.05
"""Two-sided probability below which a difference counts as evidence."""

Outcome = Literal["better", "worse", "no evidence", "same", "too few origins", "unknown"]


@dataclass(frozen=True)
class Finding:
    """What the figures say of a method against one reference.

    Attributes
    ----------
    reference : str
        Name of the reference.
    outcome : str
        ``better``, ``worse``, ``no evidence``, ``same``, ``too few origins``, ``unknown``.
    relative_mae : float
        Relative MAE of the method to the reference (geometric mean over tasks).
    comparison : Comparison
        The test behind it.
    text : str
        One sentence.
    """

    reference: str
    outcome: Outcome
    relative_mae: float
    comparison: Comparison
    text: str

    def to_dict(self) -> dict[str, object]:
        """Return the finding as JSON values."""
        return {
            "reference": self.reference,
            "outcome": self.outcome,
            "relative_mae": json_number(self.relative_mae),
            "test": self.comparison.to_dict(),
            "text": self.text,
        }


@dataclass(frozen=True)
class Verdict:
    """Findings about one method, and the sentence to print.

    Attributes
    ----------
    method : str
        What is judged.
    last_value : Finding
        Against the last value.
    best_baseline : Finding or None
        Against the best simple baseline, where that is another one.
    """

    method: str
    last_value: Finding
    best_baseline: Finding | None

    @property
    def outcome(self) -> Outcome:
        """Outcome against the last value."""
        return self.last_value.outcome

    @property
    def text(self) -> str:
        """One or two sentences."""
        return " ".join(f.text for f in (self.last_value, self.best_baseline) if f)

    def to_dict(self) -> dict[str, object]:
        """Return the verdict as JSON values."""
        best = self.best_baseline.to_dict() if self.best_baseline else None
        return {
            "method": self.method,
            "outcome": self.outcome,
            "text": self.text,
            "last_value": self.last_value.to_dict(),
            "best_baseline": best,
        }


def judge(backtest: Backtest, scores: Scores, method: str = "rnncast") -> Verdict:
    """Judge one method of a backtest from its scores.

    The best simple baseline is the one with the lowest relative MAE among the backtest's other methods (the first of
    equals), chosen after the fact, which leans against the method that is judged.
    """
    if method not in scores.methods or LAST_VALUE not in scores.methods:
        raise ValueError(f"methods are {', '.join(scores.methods)}: expected {method} and {LAST_VALUE} among them")
    own = scores.methods[method]
    comparison = own.comparison or compare_methods(backtest, method, LAST_VALUE)
    first = describe(LAST_VALUE, own.relative_mae, comparison)
    best = best_baseline(scores, method)
    if best == LAST_VALUE:
        return Verdict(method, first, None)
    relative = own.relative_mae / scores.methods[best].relative_mae
    second = describe(best, relative, compare_methods(backtest, method, best), best=True)
    return Verdict(method, first, second)


def best_baseline(scores: Scores, method: str) -> str:
    """Name of the method, other than `method`, with the lowest relative MAE; the last value where none is below it."""
    best = LAST_VALUE
    for name, other in scores.methods.items():
        if name != method and other.relative_mae < scores.methods[best].relative_mae:  # False for NaN
            best = name
    return best


def describe(reference: str, relative_mae: float, comparison: Comparison, *, best: bool = False) -> Finding:
    """Say in one sentence what the figures are; `best` where the reference was chosen as the best simple baseline."""
    outcome = _outcome(relative_mae, comparison)
    name = f"{reference}, the best simple baseline," if best else f"the {reference}"
    openings: dict[Outcome, str] = {
        "better": f"Beats {name}",
        "worse": f"Worse than {name}",
        "no evidence": f"No evidence of skill over {name}",
        "same": f"The same errors as {name} and so no skill over it",
        "too few origins": f"Too few origins to tell whether it beats {name}",
        "unknown": f"Nothing can be said of skill over {name}",
    }
    measure = "relative MAE to it" if best else "relative MAE"
    text = f"{openings[outcome].removesuffix(',')} ({_figures(outcome, measure, relative_mae, comparison)})."
    return Finding(reference, outcome, relative_mae, comparison, text)


def _outcome(relative_mae: float, comparison: Comparison) -> Outcome:
    reasons: dict[str | None, Outcome] = {"no difference": "same", "too few origins": "too few origins"}
    if comparison.reason in reasons:
        return reasons[comparison.reason]
    if comparison.reason or not math.isfinite(relative_mae) or not math.isfinite(comparison.p_value):
        return "unknown"
    if comparison.p_value < SIGNIFICANCE:
        if comparison.difference < 0 and relative_mae < 1:
            return "better"
        if comparison.difference > 0 and relative_mae > 1:
            return "worse"
    return "no evidence"


def _figures(outcome: Outcome, measure: str, relative_mae: float, comparison: Comparison) -> str:
    """Figures that go into the brackets: relative MAE, origins, p, and the reason where there is no p."""
    parts = []
    if outcome != "same" and math.isfinite(relative_mae):
        parts.append(f"{measure} {relative_mae:.3f}")
    origins = f"{comparison.origins} origin{'' if comparison.origins == 1 else 's'}"
    if outcome == "too few origins":
        origins += f", {comparison.origins_needed} needed"
    parts.append(origins)
    if comparison.reason == "no variation":
        parts.append("the difference is the same at each")
    elif comparison.reason == "no loss":
        parts.append("errors that can be scaled are missing")
    elif math.isfinite(comparison.p_value):
        parts.append(format_p(comparison.p_value))
        if outcome == "no evidence" and comparison.p_value < SIGNIFICANCE:  # mean and typical error disagree
            parts.append(f"the mean scaled error is {'lower' if comparison.difference < 0 else 'higher'}")
    return ", ".join(parts)


def format_p(p_value: float) -> str:
    """Write a probability so that it never reads as zero: ``p = 0.41``, ``p = 0.032``, ``p < 0.001``."""
    if p_value < 0.001:
        return "p < 0.001"
    if p_value < 0.1:
        return f"p = {p_value:.3f}"
    return f"p = {p_value:.2f}"
