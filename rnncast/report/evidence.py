"""The evidence of a backtest as tables and sentences: skill, coverage in calm and wild times, direction, lag plot."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rnncast.baselines.paths import LAST_VALUE
from rnncast.evaluation.copycat import Copycat
from rnncast.evaluation.coverage import Coverage
from rnncast.evaluation.direction import Direction
from rnncast.evaluation.evidence import Evidence
from rnncast.evaluation.many import ManyTests
from rnncast.evaluation.skill import Skill
from rnncast.evaluation.wording import format_p, percent, round_count
from rnncast.report.tables import ABSENT, TextTable, numbers

_MOST_NAMED = 5
"""Series named in a sentence."""


def evidence_tables(evidence: Evidence) -> list[TextTable]:
    """Tables of skill, of that of the intervals, and of coverage by volatility, as far as there are figures."""
    shown = [s for s in evidence.skills if s.method == evidence.method or s.reference == LAST_VALUE]
    tables = [_skill_table(shown, "skill: how much lower the mean scaled error is than that of each baseline")]
    if evidence.interval_skills:
        level = f"{evidence.interval_level:.12g} %"
        title = f"skill of the {level} intervals: how much lower their mean scaled interval score is"
        tables.append(_skill_table(evidence.interval_skills, title))
    cells = [cell for cell in evidence.coverages if cell.part != "step"]
    if any(cell.part == "volatility" for cell in cells):
        tables.append(_volatility_table(cells, evidence.method))
    return tables


def evidence_lines(evidence: Evidence) -> list[str]:
    """Sentences on direction, on the lag plot, and on single series, as far as there is something to say."""
    lines = [_direction_line(found) for found in evidence.directions.values()]
    lines += [_copycat_line(found) for found in evidence.copycats.values()]
    if len(evidence.series.series) > 1:
        lines.append(_series_line(evidence.series))
    return [line for line in lines if line]


def _skill_table(skills: Sequence[Skill], title: str) -> TextTable:
    rows = []
    for skill in skills:
        test = skill.comparison
        more = test.more_origins
        outcome = test.reason or format_p(test.p_value)
        needed = round_count(more).removeprefix("about ") if more else ABSENT
        cells = (_signed(skill.skill), _range(skill.low, skill.high, signed=True), outcome, needed)
        rows.append((skill.method, skill.reference, *cells))
    header = ("method", "against", "lower by", "95 % interval", "test", "more origins to tell")
    return TextTable(header, tuple(rows), (False, False, True, True, False, True), title, keys=2)


def _volatility_table(cells: list[Coverage], method: str) -> TextTable:
    scores = numbers([cell.score for cell in cells])
    rows = tuple(
        (
            f"{cell.level:.12g} %",
            str(cell.name or "all"),
            f"{cell.rows:,}",
            percent(cell.coverage),
            _range(cell.low, cell.high),
            score,
            cell.fault or "",
        )
        for cell, score in zip(cells, scores, strict=True)
    )
    header = ("level", "volatility", "forecasts", "inside", "95 % interval", "scaled score", "")
    title = f"coverage of {method}'s intervals by volatility at the cutoff, in thirds of each series"
    return TextTable(header, rows, (True, False, True, True, True, True, False), title, keys=2)


def _direction_line(found: Direction) -> str:
    left_out = [
        f"{count:,} {what}"
        for count, what in (
            (found.silent, "forecasts equal to the last value"),
            (found.still, "values that did not move"),
        )
        if count
    ]
    without = f"; left out: {' and '.join(left_out)}" if left_out else ""
    if not found.counted:
        return ""
    error = found.standard_error
    doubt = f", standard error {percent(error)}" if math.isfinite(error) else ""
    test = found.versus_half
    half = f"; against one half {format_p(test.p_value)}" if test.reason is None else ""
    right = f"{percent(found.share)} of {found.counted:,} right{doubt}"
    always = f"always {found.majority} {percent(found.majority_share)}"
    return f"direction of {found.method}: {right}; {always}{half}{without}"


def _copycat_line(found: Copycat) -> str:
    """What a chart of levels shows of a forecast, and what its changes show."""
    if found.outcome == "same" or not math.isfinite(found.changes):
        return ""
    levels = ""
    if math.isfinite(found.levels) and math.isfinite(found.levels_of_last_value):
        levels = (
            f"at step {found.step} its levels correlate {found.levels:.3f} with the actual ones, "
            f"the last value's {found.levels_of_last_value:.3f}; "
        )
    test = found.changes_test
    tested = format_p(test.p_value) if test.reason is None else test.reason
    changes = f"its changes correlate {found.changes:.2f} with those that came ({tested})"
    near = f"its distance from the last value is {found.ratio:.2f} of that from what came"
    ends = {
        "copycat": f": {near}; on a chart it follows the prices, one step late, and knows nothing of the next change",
        "informed": ": it knows something of the next change, which a chart of levels does not show",
    }
    return f"lag plot of {found.method}: {levels}{changes}{ends.get(found.outcome, '')}"


def _series_line(found: ManyTests) -> str:
    if not found.tested:
        return ""
    better, worse = len(found.names(better=True)), len(found.names(better=False))
    counts = f"of {found.tested:,} tested against the last value {better:,} better and {worse:,} worse at 5 %"
    chance = f"chance alone would bring about {found.by_chance:.2g} of each"
    sure = found.names(better=True, measure="holm")
    if not sure:
        return f"single series: {counts}, {chance}; corrected for their number (Holm), none is better"
    more = f" and {len(sure) - _MOST_NAMED:,} more" if len(sure) > _MOST_NAMED else ""
    named = ", ".join(sure[:_MOST_NAMED])
    return f"single series: {counts}, {chance}; better even if corrected for their number (Holm): {named}{more}"


def _signed(share: float) -> str:
    """Share in per cent with its sign; a minus is a loss."""
    return f"{_rounded(share):+.1f} %" if math.isfinite(share) else ABSENT


def _range(low: float, high: float, *, signed: bool = False) -> str:
    if not (math.isfinite(low) and math.isfinite(high)):
        return ABSENT
    sign = "+" if signed else ""
    return f"{_rounded(low):{sign}.1f} to {_rounded(high):{sign}.1f} %"


def _rounded(share: float) -> float:
    """Share in per cent with one decimal, and zero without a minus."""
    return round(100.0 * share, 1) + 0.0
