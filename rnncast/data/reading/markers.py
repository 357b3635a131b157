"""Cells that stand for no observation."""

from __future__ import annotations

MISSING_MARKERS = (
    *("", ".", "-", "--", "na", "n/a", "n.a.", "n.a", "nan", "null", "none", "nil", "nd", "n.d."),
    *("#n/a", "#na", "#n/a n/a", "#div/0!", "#value!", "#ref!", "#num!", "#null!", "missing"),
)
"""In lower case; blanks around them do not count."""

SPELLINGS = tuple(
    dict.fromkeys(
        spelling for m in MISSING_MARKERS for spelling in (m, m.upper(), m.capitalize(), m.replace("nan", "NaN"))
    )
)
"""The spellings of them that pyarrow's reader is told of; others are found more slowly."""


_MARKERS = frozenset(MISSING_MARKERS)


def is_missing(cell: str) -> bool:
    """Whether a cell stands for no observation."""
    return cell.strip().lower() in _MARKERS
