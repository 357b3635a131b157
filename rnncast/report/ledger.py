"""What became of the rows of a ledger, in plain lines."""

from __future__ import annotations

from rnncast.data.isotime import format_stamp
from rnncast.data.summary import counted
from rnncast.evaluation.ledger_rows import LedgerRows
from rnncast.evaluation.outcomes import Outcomes
from rnncast.report.tables import number


def describe_ledger(ledger: LedgerRows, path: str) -> str:
    """Rows, cutoffs, models and times of making in one line."""
    min_made, max_made = ledger.made_at.min(), ledger.made_at.max()
    tasks = len({*zip(ledger.series.tolist(), ledger.cutoffs.tolist(), strict=True)})
    first, last = (str(stamp.astype("datetime64[m]")).replace("T", " ") for stamp in (min_made, max_made))
    what = f"{counted(len(ledger), 'row')} of {counted(tasks, 'forecast')} by {counted(len(ledger.models), 'model')}"
    made = first if first == last else f"{first} to {last}"
    return f"{path}: {what}, made {made} UTC"


def describe_outcomes(outcomes: Outcomes) -> str:
    """What is scored, and what is not, by its reason, in one line."""
    reasons = {
        "still to come": outcomes.pending,
        "that never came (the input goes on and has no row at their stamp)": outcomes.never_came,
        "of series that the input does not have": outcomes.unknown_series,
        "whose cutoff is no row of the input, or its first": outcomes.no_cutoff,
    }
    rest = [f"{count:,} {reason}" for reason, count in reasons.items() if count]
    return f"{counted(outcomes.scored, 'row')} scored" + (f"; not scored: {', '.join(rest)}" if rest else "")


def outcome_warnings(outcomes: Outcomes, zone: str | None) -> tuple[str, ...]:
    """What makes the scores doubtful: values that were revised since, and forecasts that came too late."""
    warnings = []
    if outcomes.first_revision is not None:
        name, stamp, then, now = outcomes.first_revision
        of = f" of {name!r}" if name else ""
        warnings.append(
            f"at {outcomes.revised:,} of {counted(outcomes.cutoffs, 'cutoff')} the input has another value than when "
            f"the forecast was made, first at {format_stamp(stamp, zone)}{of}: {number(then)} then, {number(now)} now; "
            "it was revised since (adjusted prices are), or another column is the target"
        )
    if outcomes.made_late:
        warnings.append(
            f"{outcomes.made_late:,} of {counted(outcomes.scored, 'scored row')} "
            f"{'was' if outcomes.made_late == 1 else 'were'} made when what was forecast had come: the model may have "
            "been trained on it"
        )
    return tuple(warnings)
