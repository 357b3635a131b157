"""What the record of a training says of its folds, its gate and its intervals, as tables; what is absent is left out.

The keys are those that training writes; a model of an earlier version lacks some of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rnncast.report.tables import ABSENT, TextTable

Record = Mapping[str, Any]


def fold_table(record: Record) -> TextTable | None:
    """Which rows each part of the training was judged on, and on which its network was trained."""
    rows = [
        (
            str(fold["purpose"]),
            str(fold["trained_until"] or ABSENT),
            str(fold["from"] or ABSENT),
            str(fold["until"] or ABSENT),
            f"{int(fold['windows']):,}",
        )
        for fold in record.get("folds") or ()
    ]
    header = ("fold", "trained until", "from", "until", "windows")
    return _table("folds", header, rows, words=4)


def gate_table(record: Record) -> TextTable | None:
    """How much of the network is used in each group of series, and the errors that decided it."""
    rows = [
        (
            str(group["group"]),
            str(group["baseline"]),
            f"{float(group['blend']):.2f}",
            *(
                f"{float(group[name]):.3f}"
                for name in ("network_relative_mae", "baseline_relative_mae", "blended_relative_mae")
            ),
            ABSENT if group["t_statistic"] is None else f"{float(group['t_statistic']):.1f}",
            f"{int(group['blocks']):,}",
            f"{int(group['windows']):,}",
        )
        for group in record.get("gate") or ()
    ]
    header = ("group", "baseline", "blend", "network", "baseline alone", "blended", "t", "blocks", "windows")
    return _table("gate: errors relative to the last value's", header, rows, words=2)


def coverage_table(record: Record) -> TextTable | None:
    """Share of values inside each interval, on the fold that calibrated none of them."""
    rows = [
        (f"{float(found['level']):.12g} %", f"{float(found['coverage']):.3f}", f"{int(found['windows']):,}")
        for found in record.get("coverage") or ()
    ]
    return _table("coverage", ("interval", "inside", "windows"), rows, words=1)


def continued_table(record: Record) -> TextTable | None:
    """How the model went on with fresh rows, time after time; no epochs where these did not bear them out."""
    rows = [
        (
            str(entry["from"]),
            str(entry["fold"]["from"] or ABSENT),
            str(entry["fold"]["until"] or ABSENT),
            f"{int(entry['fold']['windows']):,}",
            f"{float(entry['losses'][0]):.4f}",
            f"{min(float(loss) for loss in entry['losses']):.4f}",
            f"{int(entry['epochs'])}",
        )
        for entry in record.get("continued") or ()
    ]
    header = ("from model", "judged from", "until", "windows", "loss before", "best", "epochs")
    return _table("went on", header, rows, words=3)


def versions_of(record: Record) -> tuple[tuple[str, str], ...]:
    """Name and version of what trained the model."""
    return tuple((str(name), str(version)) for name, version in (record.get("versions") or {}).items())


def remarks_of(record: Record) -> dict[str, str]:
    """What the record says of its folds and of its coverage in words, by the name of the table."""
    said = {"folds": record.get("fallback"), "coverage": record.get("coverage_note")}
    return {name: str(text) for name, text in said.items() if text}


def _table(title: str, header: Sequence[str], rows: Sequence[tuple[str, ...]], *, words: int) -> TextTable | None:
    """A table whose first columns are words; None without a row."""
    if not rows:
        return None
    return TextTable(tuple(header), tuple(rows), tuple(column >= words for column in range(len(header))), title)
