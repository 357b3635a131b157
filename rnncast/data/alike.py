"""Series that may be one and the same: ids that hardly differ, and equal values under two ids.

Dimension letter: `S` series.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from rnncast.data.panel import Panel

_EDGE = " \t.,:;/^_'\"`\xa0"
"""What may stand before or after a name by accident. A plus or minus there has a meaning: ratings are AA and AA-."""

_BETWEEN = re.compile(r"(?<=[^\W_])[\s.,:;/_'-]+(?=[^\W_])")
"""Blanks and punctuation inside a name."""


def alike_ids(ids: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Groups of ids that differ in nothing but case, blanks, punctuation, full width or leading zeros."""
    groups: dict[str, list[str]] = {}
    for name in ids:
        groups.setdefault(_plain(name), []).append(name)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def same_values(panel: Panel) -> tuple[tuple[str, ...], ...]:
    """Groups of ids whose series hold the same values in the same order; constant series are left out."""
    if len(panel.ids) < 2:
        return ()
    starts = panel.indptr[:-1]
    changing = np.minimum.reduceat(panel.target, starts) < np.maximum.reduceat(panel.target, starts)  # (S,)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.add.reduceat(panel.target, starts)  # (S,) equal values have equal sums, whatever they are
    groups: dict[tuple[float, int, bytes], list[int]] = {}
    _, first, count = np.unique(sums[changing], return_inverse=True, return_counts=True)
    for series in np.flatnonzero(changing)[count[first] > 1].tolist():
        values = panel.target[panel.rows(series)].tobytes()
        groups.setdefault((float(sums[series]), len(values), values), []).append(series)
    return tuple(tuple(panel.ids[series] for series in group) for group in groups.values() if len(group) > 1)


def _plain(name: str) -> str:
    """A name without what people write in several ways."""
    if name.isascii() and name.isalnum() and name[0] != "0":
        return name.casefold()
    text = unicodedata.normalize("NFKC", name).casefold().strip(_EDGE)
    text = _BETWEEN.sub(_joint, text)
    return text.lstrip("0") or "0" if text.isdecimal() else text


def _joint(match: re.Match[str]) -> str:
    """Punctuation counts between two digits: 1.1 is not 11."""
    text, start, end = match.string, match.start(), match.end()
    return "." if text[start - 1].isdecimal() and text[end].isdecimal() else ""
