"""What a backtest came to: its scores, the evidence and the verdict, as a table, as text and as JSON values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rnncast.cli.output import Output
from rnncast.records import dataclass

if TYPE_CHECKING:
    from rnncast.data.panel import Columns
    from rnncast.evaluation.evidence import Evidence
    from rnncast.evaluation.issued import Backtest
    from rnncast.evaluation.scores import Scores
    from rnncast.evaluation.verdict import Verdict
    from rnncast.report.tables import TextTable


@dataclass(frozen=True)
class Outcome:
    """A backtest with what it says.

    Attributes
    ----------
    backtest, scores, evidence, verdict
        The forecasts, their scores, what speaks for and against them, and the paragraph.
    columns : Columns
        Names of the input's columns.
    """

    backtest: Backtest
    scores: Scores
    evidence: Evidence
    verdict: Verdict
    columns: Columns

    def document(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return {
            "scores": self.scores.to_dict(),
            "evidence": self.evidence.to_dict(),
            "verdict": self.verdict.to_dict(),
            "remarks": list(self.remarks()),
        }

    def remarks(self) -> tuple[str, ...]:
        """Why figures are missing or rest on fewer tasks."""
        from rnncast.report.scores import remarks

        return remarks(self.scores)

    def save(self, path: str, out: Output) -> None:
        """Write every forecast and what came."""
        from rnncast.data.write import write_table
        from rnncast.report.scores import forecast_table

        columns, backtest = self.columns, self.backtest
        table = forecast_table(backtest, (columns.id, columns.time, columns.target))
        write_table(table, path, None, out.stdout, zones=dict.fromkeys(table, backtest.zone))
        out.note(f"wrote {len(backtest.actual):,} rows to {path}")

    def show(self, out: Output, form: str, further: Iterable[TextTable] = ()) -> None:
        """Tables, evidence and verdict on stdout; `further` tables come after those of the scores.

        As csv or ndjson the scores alone, a row for each method.
        """
        from rnncast.data.write import write_table
        from rnncast.report.evidence import evidence_lines, evidence_tables
        from rnncast.report.scores import metric_table, score_tables

        if form != "text":
            write_table(metric_table(self.scores), None, form, out.stdout)
            return
        for table in (*score_tables(self.scores, self.evidence), *evidence_tables(self.evidence), *further):
            out.table(table)
            out.line()
        for line in evidence_lines(self.evidence):
            out.prose(line)
            out.line()
        out.prose(self.verdict.text)


def outcome_of(backtest: Backtest, columns: Columns, issued: str = "") -> Outcome:
    """Score and judge what was issued, with intervals corrected as outcomes came in beside its own.

    `issued` says in words what the forecasts are made of.
    """
    from rnncast.evaluation.adaptive import with_adaptive
    from rnncast.evaluation.evidence import gather_evidence
    from rnncast.evaluation.scores import score_backtest
    from rnncast.evaluation.verdict import judge

    backtest = with_adaptive(backtest)
    scores, evidence = score_backtest(backtest), gather_evidence(backtest)
    return Outcome(backtest, scores, evidence, judge(backtest, scores, evidence, issued), columns)
