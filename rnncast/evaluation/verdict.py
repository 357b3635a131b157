"""The verdict: what a backtest's figures say of the model, in a few sentences and no more than they carry.

"Beats" and "worse" need a significant test and a mean scaled error that differs by what shows in print; everything else
is no evidence. Where the typical error (relative MAE) does not agree, that is said. The best simple baseline is named
when it is not the last value: to beat the last value on a series with a season proves nothing.
"""

from __future__ import annotations

import math
from dataclasses import replace

from rnncast.baselines.paths import LAST_VALUE
from rnncast.evaluation.evidence import Evidence, gather_evidence
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.scores import Scores
from rnncast.evaluation.significance import Comparison, json_number
from rnncast.evaluation.skill import Skill
from rnncast.evaluation.wording import (
    LEAST_GAIN,
    Outcome,
    called,
    direction_text,
    finding_text,
    interval_text,
    last_value_text,
    lowest_skill,
    network_text,
)
from rnncast.forecasting.result import NETWORK
from rnncast.records import dataclass


@dataclass(frozen=True)
class Finding:
    """What the figures say of a method against one reference.

    Attributes
    ----------
    outcome : str
        ``better``, ``worse``, ``no evidence``, ``same``, ``too few origins``, ``unknown``.
    relative_mae : float
        Relative MAE of the method to the reference (geometric mean over tasks).
    skill : Skill
        How much lower the mean scaled errors are, and the test behind it.
    text : str
        One sentence.
    """

    outcome: Outcome
    relative_mae: float
    skill: Skill
    text: str

    @property
    def reference(self) -> str:
        """Name of the reference."""
        return self.skill.reference

    @property
    def comparison(self) -> Comparison:
        """The test behind the outcome."""
        return self.skill.comparison

    def to_dict(self) -> dict[str, object]:
        """Return the finding as JSON values."""
        return {
            "reference": self.reference,
            "outcome": self.outcome,
            "skill": json_number(self.skill.skill),
            "interval": [json_number(self.skill.low), json_number(self.skill.high)],
            "relative_mae": json_number(self.relative_mae),
            "test": self.comparison.to_dict(),
            "text": self.text,
        }


@dataclass(frozen=True)
class Verdict:
    """Findings about one method, and the paragraph to print.

    Attributes
    ----------
    method : str
        What is judged.
    last_value : Finding
        Against the last value.
    best_baseline : Finding or None
        Against the best simple baseline, where that is another one.
    network : Finding or None
        The network alone against the last value, where it says something else than what is issued.
    intervals, direction : str
        A sentence on each; empty where there is nothing to say.
    issued : str
        What the forecasts are made of, in words; empty where it is not known.
    """

    method: str
    last_value: Finding
    best_baseline: Finding | None
    network: Finding | None
    intervals: str
    direction: str
    issued: str = ""

    @property
    def outcome(self) -> Outcome:
        """Outcome against the last value; ``worse`` where the best simple baseline is surely better."""
        beaten = self.best_baseline is not None and self.best_baseline.outcome == "worse"
        return "worse" if beaten else self.last_value.outcome

    @property
    def text(self) -> str:
        """Two to six sentences."""
        findings = (self.last_value, self.best_baseline, self.network)
        said = f"Issued: {self.issued}." if self.issued else ""
        sentences = [said, *(found.text for found in findings if found), self.intervals, self.direction]
        return " ".join(sentence for sentence in sentences if sentence)

    def to_dict(self) -> dict[str, object]:
        """Return the verdict as JSON values."""
        return {
            "method": self.method,
            "outcome": self.outcome,
            "text": self.text,
            "issued": self.issued or None,
            "last_value": self.last_value.to_dict(),
            "best_baseline": self.best_baseline.to_dict() if self.best_baseline else None,
            "network": self.network.to_dict() if self.network else None,
            "intervals": self.intervals or None,
            "direction": self.direction or None,
        }


def judge(backtest: Backtest, scores: Scores, evidence: Evidence | None = None, issued: str = "") -> Verdict:
    """Judge the forecasts issued in a backtest from its scores and its evidence, which is gathered where it is None.

    `issued` says in words what they are made of.

    The best simple baseline is the one with the lowest mean scaled error, chosen after the fact, which leans against
    the method that is judged.
    """
    evidence = evidence or gather_evidence(backtest)
    own = tuple(skill for skill in evidence.skills if skill.method == evidence.method)
    versus_last = evidence.skill(LAST_VALUE)
    best = lowest_skill(own)
    rival = best if best and best.skill < versus_last.skill else None
    first = describe(versus_last, _relative(scores, versus_last))
    if evidence.copycats[evidence.method].outcome == "same":
        first = replace(first, text=last_value_text(first.comparison.origins))
    network = None
    if evidence.network_alone:
        skill = evidence.skill(LAST_VALUE, NETWORK)
        found = describe(skill, _relative(scores, skill))
        network = Finding(found.outcome, found.relative_mae, skill, network_text(skill))
    return Verdict(
        method=evidence.method,
        last_value=first,
        best_baseline=describe(rival, _relative(scores, rival), best=True) if rival else None,
        network=network,
        intervals=interval_text(evidence),
        direction=direction_text(evidence.directions[evidence.method]),
        issued=issued,
    )


def describe(skill: Skill, relative_mae: float, *, best: bool = False) -> Finding:
    """Say in one sentence what the figures are; `best` where the reference was chosen as the best simple baseline."""
    outcome = _outcome(skill)
    name = f"{skill.reference}, the best simple baseline" if best else called(skill.reference)
    return Finding(outcome, relative_mae, skill, finding_text(name, outcome, skill, relative_mae))


def _relative(scores: Scores, skill: Skill) -> float:
    """Relative MAE of a method to its reference, from those of both to the last value."""
    reference = scores.methods[skill.reference].relative_mae
    return scores.methods[skill.method].relative_mae / reference if reference > 0 else float("nan")


def _outcome(skill: Skill) -> Outcome:
    comparison = skill.comparison
    reasons: dict[str | None, Outcome] = {"no difference": "same", "too few origins": "too few origins"}
    if comparison.reason in reasons:
        return reasons[comparison.reason]
    if comparison.reason or not math.isfinite(skill.skill):
        return "unknown"
    if not comparison.significant or abs(skill.skill) < LEAST_GAIN:
        return "no evidence"
    return "better" if skill.skill > 0 else "worse"
