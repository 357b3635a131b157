"""Sentences of the verdict: what the figures say, and no more than they carry."""

from __future__ import annotations

import math
from typing import Literal

from rnncast.baselines.paths import LAST_VALUE
from rnncast.evaluation.direction import Direction
from rnncast.evaluation.evidence import Evidence
from rnncast.evaluation.significance import MOST_ORIGINS, Comparison
from rnncast.evaluation.skill import Skill

Outcome = Literal["better", "worse", "no evidence", "same", "too few origins", "unknown"]

LEAST_GAIN = 0.001
"""Skill that shows in the digits printed; what is smaller is no claim, however significant."""


def finding_text(name: str, outcome: Outcome, skill: Skill, relative_mae: float) -> str:
    """Say what came of a method against a reference that is called `name` in the sentence."""
    comparison = skill.comparison
    tested = f"{_origins(comparison.origins)}, {format_p(comparison.p_value)}"
    errors = f"errors {_gain(skill.skill)}"
    if outcome == "same":
        return f"The same errors as {name}, so there is no skill to test ({_origins(comparison.origins)})."
    if outcome == "too few origins":
        seen = f"{errors} at " if math.isfinite(skill.skill) else ""
        needed = f"{_origins(comparison.origins)}, {comparison.origins_needed} needed"
        return f"Too few origins to tell whether it beats {name} ({seen}{needed})."
    if outcome == "unknown":
        return f"Nothing can be said of skill over {name} ({_origins(comparison.origins)}, {_why_unknown(comparison)})."
    if comparison.significant and outcome == "no evidence":
        return f"Differs from {name} by less than {percent(LEAST_GAIN)}, too little to matter ({tested})."
    openings = {"better": "Beats", "worse": "Worse than", "no evidence": "No evidence of skill over"}
    end = more_origins(comparison) if outcome == "no evidence" else _unlike_typical(skill, relative_mae)
    return f"{openings[outcome]} {name}: {errors} ({_interval(skill)}{tested}){end}."


def more_origins(comparison: Comparison) -> str:
    """Say how many more origins would be needed to know; empty where that is no question."""
    more = comparison.more_origins
    if more is None:
        return ""
    return f"; to tell an effect of this size, {round_count(more)} more origins would be needed"


def _unlike_typical(skill: Skill, relative_mae: float) -> str:
    """Say that the typical error does not agree with the mean; empty where it does, or is not known."""
    typical = 1.0 - relative_mae
    if not math.isfinite(typical) or typical * math.copysign(1.0, skill.skill) >= LEAST_GAIN / 2.0:
        return ""
    return f", though in the typical forecast they are not (relative MAE {relative_mae:.3f})"


def round_count(count: int) -> str:
    """Write a rough number of origins: two digits, ``about 340``, or ``more than 10,000``."""
    if count >= MOST_ORIGINS:
        return f"more than {MOST_ORIGINS:,}"
    return f"about {int(float(f'{count:.1e}')):,}"


def last_value_text(origins: int) -> str:
    """Say that what is judged is the last value itself."""
    return f"The forecasts are the last value, so there is no skill to test ({_origins(origins)})."


def network_text(skill: Skill) -> str:
    """Say what the network alone is worth beside the last value."""
    comparison = skill.comparison
    if comparison.reason == "no difference" or not math.isfinite(skill.skill):
        return ""
    tested = format_p(comparison.p_value) if comparison.reason is None else comparison.reason
    return f"The network alone, without the blend: errors {_gain(skill.skill)} than the last value's ({tested})."


def interval_text(evidence: Evidence) -> str:
    """Say what share of values the intervals held, and how they score beside the best simple ones."""
    levels = list(dict.fromkeys(found.level for found in evidence.coverages))
    if not levels or evidence.interval_level is None:
        return ""
    parts = []
    for level in dict.fromkeys((levels[0], levels[-1])):
        found = evidence.coverage(level)
        words = {"too few": "fewer than they should", "too many": "more than they should", None: ""}[found.fault]
        sure = f" ({words}: {100.0 * found.low:.1f} to {percent(found.high)})" if words else ""
        parts.append(f"{level:.12g} % intervals held {percent(found.coverage)}{sure}")
    text = f"The {' and the '.join(parts)} of the values{_corrected(evidence)}"
    best = lowest_skill(evidence.interval_skills)
    if best is None:
        return text + "."
    comparison = best.comparison
    score = f"their interval score at {evidence.interval_level:.12g} %"
    if comparison.reason == "no difference":
        return f"{text}; {score} is that of {called(best.reference)}."
    name = f"that of {called(best.reference)}, the best simple one"
    tested = format_p(comparison.p_value) if comparison.reason is None else comparison.reason
    known = "" if comparison.reason else ", which is no evidence"
    if comparison.significant:
        known = ", and so surely better" if best.skill > 0 else ", and so surely worse"
    return f"{text}; {score} is {_gain(best.skill)} than {name} ({tested}){known}."


def _corrected(evidence: Evidence) -> str:
    """Say what share the widest intervals held once they were corrected as outcomes came in."""
    for cell in evidence.corrected:
        if (cell.level, cell.part) == (evidence.interval_level, "all"):
            held = percent(cell.coverage)
            if held != percent(evidence.coverage(cell.level).coverage):
                return f" ({held} at {cell.level:.12g} % when corrected as outcomes came in)"
    return ""


def direction_text(found: Direction) -> str:
    """Say how often the direction was right, beside always saying the more frequent one."""
    if not found.counted:
        return ""
    share = f"Direction right in {percent(found.share)} of {found.counted:,} moves"
    comparison = found.versus_majority
    always = f"always saying {found.majority} in {percent(found.majority_share)}"
    if comparison.reason == "no difference":
        return f"{share}, the same as always saying {found.majority}."
    if comparison.reason:
        return f"{share}, {always} ({comparison.reason})."
    word = "no evidence of either being better"
    if comparison.significant:
        word = "evidence of a sense of direction" if comparison.difference < 0 else "worse than that"
    return f"{share}, {always}: {word} ({format_p(comparison.p_value)})."


def lowest_skill(skills: tuple[Skill, ...]) -> Skill | None:
    """Pick the hardest reference to beat, chosen after the fact; None where no skill is a number."""
    usable = [skill for skill in skills if math.isfinite(skill.skill)]
    return min(usable, key=lambda skill: skill.skill, default=None)


def called(reference: str) -> str:
    """How a sentence calls a reference."""
    return f"the {reference}" if reference == LAST_VALUE else reference


def format_p(p_value: float) -> str:
    """Write a probability so that it never reads as zero: ``p = 0.41``, ``p = 0.032``, ``p < 0.001``."""
    if p_value < 0.001:
        return "p < 0.001"
    if p_value < 0.1:
        return f"p = {p_value:.3f}"
    return f"p = {p_value:.2f}"


def percent(share: float) -> str:
    """Write a share in per cent with one decimal."""
    return f"{100.0 * share:.1f} %"


def _gain(skill: float) -> str:
    """Skill in words: ``4.9 % lower``; what rounds to nothing is ``less than 0.1 % lower``."""
    size = f"{100.0 * abs(skill):.1f} %" if abs(skill) >= LEAST_GAIN / 2.0 else f"less than {percent(LEAST_GAIN)}"
    return f"{size} {'higher' if skill < 0 else 'lower'}"


def _interval(skill: Skill) -> str:
    """Interval of a skill in words: ``1.2 % higher to 2.8 % lower``, ``28.2 to 30.3 % lower``."""
    if not math.isfinite(skill.low):
        return ""
    if skill.low * skill.high <= 0:
        return f"95 % interval {_gain(skill.low)} to {_gain(skill.high)}, "
    least, most = sorted(100.0 * abs(bound) for bound in (skill.low, skill.high))
    return f"95 % interval {least:.1f} to {most:.1f} % {'lower' if skill.low > 0 else 'higher'}, "


def _origins(count: int) -> str:
    return f"{count:,} origin{'' if count == 1 else 's'}"


def _why_unknown(comparison: Comparison) -> str:
    if comparison.reason == "no variation":
        return "the difference is the same at each"
    if comparison.reason == "no loss":
        return "errors that can be scaled are missing"
    return format_p(comparison.p_value)
