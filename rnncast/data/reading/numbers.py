"""Numbers as people write them: decimal point or comma, marks between thousands, brackets, signs of a currency.

How a column is written is decided from all of its cells, by their shapes (every digit a 9): a mark that could divide
thousands as well as decimals in every cell is an error, not a guess. Then whole columns are parsed by pyarrow.

Dimension letter: `R` rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from rnncast.data.reading.arrow import filled_text, is_text, mask_to_numpy, nulls, text_array, text_scalar, to_numpy
from rnncast.data.reading.cells import Cells, some
from rnncast.data.reading.markers import MISSING_MARKERS, is_missing
from rnncast.records import dataclass

BLANKS = " \u00a0\u202f\u2009"
APOSTROPHES = "'\u2019"
_GROUPS = {"": "", ",": ",", ".": r"\.", "space": f"[{BLANKS}]", "'": f"[{APOSTROPHES}]"}
_AFFIXES = "$€£¥%"
_MINUS = "\u2212\u2013-"  # the hyphen last, as classes of characters want it
_SHAPE = (  # compiled where it is needed: plain numbers are known without it
    rf"(?P<open>\(?)(?P<sign>[+{_MINUS}]?)(?P<before>[{_AFFIXES}]?) ?(?P<inner>[+{_MINUS}]?)"
    rf"(?P<core>[0-9.,][0-9.,{BLANKS}{APOSTROPHES}]*?(?:[eE][+-]?[0-9]+)?) ?(?P<after>[{_AFFIXES}]?)(?P<last>-?)"
    r"(?P<close>\)?)"
)


@dataclass(frozen=True)
class NumberStyle:
    """How the numbers of a column are written.

    Attributes
    ----------
    decimal
        ``.`` or ``,``.
    thousands
        Mark that may stand between groups of three digits; ``space`` for blanks of any kind, empty for none.
    affix
        Sign of a currency, or ``%``, that stands in every cell; empty for none.
    """

    decimal: str = "."
    thousands: str = ""
    affix: str = ""

    @cached_property
    def core(self) -> str:
        """Pattern of a number without sign and affix."""
        whole = "[0-9]+"
        if self.thousands:
            group = _GROUPS[self.thousands]
            whole = f"(?:[0-9]+|[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+)"
        mark = re.escape(self.decimal)
        return rf"(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?"

    def role(self, mark: str) -> str:
        """What a mark is: decimal, thousands, or nothing."""
        return "decimal" if mark == self.decimal else "thousands" if mark == self.thousands else ""

    def describe(self) -> str:
        """In words, for what is not plain."""
        words = []
        if self.decimal == ",":
            words.append("decimal commas")
        if self.thousands:
            named = {",": "commas", ".": "points", "space": "blanks", "'": "apostrophes"}
            words.append(f"{named[self.thousands]} between thousands")
        if self.affix:
            words.append("per cent" if self.affix == "%" else f"the sign {self.affix}")
        return " and ".join(words)


PLAIN = NumberStyle()
_STYLES = tuple(
    NumberStyle(decimal, thousands)
    for thousands in ("", ",", ".", "space", "'")
    for decimal in (".", ",")
    if thousands != decimal
)
"""Simplest first."""


class AmbiguousNumbers(ValueError):
    """Cells that can be read in two ways; the message says which."""


def shapes_of(texts: Iterable[Any]) -> Counter[str]:
    """How often each shape occurs in pyarrow text arrays: digits as 9, but for a leading 0."""
    import pyarrow.compute as pc

    counts: Counter[str] = Counter()
    for text in texts:
        shape = pc.replace_substring_regex(filled_text(text), r"^([^0-9]*)0", r"\1z")
        shape = pc.replace_substring_regex(shape, "[0-9]", "9")
        for entry in pc.value_counts(shape).to_pylist():
            counts[entry["values"].replace("z", "0") if "z" in entry["values"] else entry["values"]] += entry["counts"]
    return counts


def shape_of(cell: str) -> str:
    """Shape of one cell."""
    digits = re.sub("[0-9]", "9", plain := cell.strip())
    first = re.search("[0-9]", plain)
    return digits if first is None or first[0] != "0" else digits[: first.start()] + "0" + digits[first.end() :]


def find_style(
    shapes: Counter[str], separator: str = "", decimal: str | None = None, thousands: str | None = None
) -> tuple[NumberStyle, bool]:
    """Style of a column of these shapes, and whether they prove it.

    Parameters
    ----------
    shapes
        From `shapes_of`.
    separator
        Character between the fields of the file. Where it is a comma, the point is not a mark of thousands.
    decimal, thousands
        Marks that the user named.

    Raises
    ------
    AmbiguousNumbers
        A mark divides thousands as well as decimals in every cell that has it.
    """
    affix, cores = _cores(shapes)
    styles = [style for style in _STYLES if _allowed(style, decimal, thousands)]
    fits = [sum(n for core, n in cores.items() if re.fullmatch(style.core, core)) for style in styles]
    best = max(fits, default=0)
    if not best:
        return NumberStyle(decimal or ".", "" if thousands in (None, "none") else thousands or "", affix), False
    found = [style for style, fit in zip(styles, fits, strict=True) if fit == best]
    read = [core for core in cores if any(re.fullmatch(style.core, core) for style in found)]
    marks = [mark for mark in ".," if any(mark in core for core in read)]
    if separator == "," and "," not in marks and decimal is None:  # whoever writes decimal commas separates by others
        found = [style for style in found if style.decimal == "."] or found
    for mark in marks:
        if len({style.role(mark) for style in found}) > 1:
            example = next(core for core in read if mark in core)
            other = next((core for core in read if not re.fullmatch(found[0].core, core)), None)
            if other is not None:
                first = next(core for core in read if re.fullmatch(found[0].core, core))
                raise AmbiguousNumbers(f"is written in two ways: some cells like {first!r}, some like {other!r}")
            raise AmbiguousNumbers(
                f"can be read in two ways: {mark!r} may be the decimal mark or stand between thousands, as in "
                f"{example!r} (a 9 is any digit)"
            )
    style = found[0]
    return NumberStyle(style.decimal, style.thousands, affix), bool(marks) or decimal is not None


def _allowed(style: NumberStyle, decimal: str | None, thousands: str | None) -> bool:
    wanted = "" if thousands == "none" else thousands
    return decimal in (None, style.decimal) and wanted in (None, style.thousands)


def _cores(shapes: Counter[str]) -> tuple[str, Counter[str]]:
    """The affix of most cells, and the shapes without signs and affixes."""
    cores: Counter[str] = Counter()
    affixes: Counter[str] = Counter()
    for shape, count in shapes.items():
        match = re.fullmatch(_SHAPE, shape)
        if match is None or is_missing(shape):
            continue
        cores[match["core"]] += count
        affixes[match["before"] or match["after"]] += count
    common = affixes.most_common(1)
    return (common[0][0] if common else ""), cores


@dataclass
class NumberParser:
    """Reads columns as float64, strictly; cells that are not finite are bad, but for NaN, which is missing.

    Attributes
    ----------
    style
        How cells of text are written.
    met_brackets
        Whether a negative number in brackets was met.
    """

    style: NumberStyle = PLAIN
    met_brackets: bool = False

    @property
    def csv_type(self) -> Any | None:
        """Double precision, if a reader with this decimal mark can convert the cells itself."""
        import pyarrow as pa

        return None if self.style.thousands or self.style.affix else pa.float64()

    @property
    def in_order(self) -> bool:
        """No: cells are read one by one."""
        return False

    def parse(self, column: Any) -> Cells:
        """Values of a pyarrow column.

        Raises
        ------
        ValueError
            The type of the column is not one of numbers or text; the message completes "column x ...".
        """
        import pyarrow as pa

        if column.type != pa.float64():
            if is_text(column):
                return self._of_text(column)
            if pa.types.is_null(column.type):
                return Cells(np.zeros(len(column)), np.ones(len(column), dtype=bool))
            column = self._of_typed(column)
        values = to_numpy(column, "f8")
        absent = nulls(column)
        finite = np.isfinite(values)
        if absent is None and finite.all():
            return Cells(values)
        missing = np.isnan(values) if absent is None else np.isnan(values) | absent
        return Cells(values, some(missing), some(~finite & ~missing))

    def _of_typed(self, column: Any) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        kinds = pa.types
        if not (kinds.is_integer(column.type) or kinds.is_floating(column.type) or kinds.is_decimal(column.type)):
            raise ValueError(f"holds {column.type}, expected numbers")
        if kinds.is_decimal(column.type):
            column = pc.cast(column, pa.string())  # pyarrow's own way to floats is off by a unit in the last place
        try:
            return pc.cast(column, pa.float64())
        except pa.ArrowInvalid as error:
            raise ValueError("holds integers too large for exact arithmetic (2^53)") from error

    def _of_text(self, column: Any) -> Cells:
        import pyarrow as pa
        import pyarrow.compute as pc

        text = filled_text(column)
        missing = mask_to_numpy(pc.is_in(pc.utf8_lower(text), text_array(MISSING_MARKERS)))
        lacking = None
        if self.style.affix:
            lacking = pc.invert(pc.match_substring(text, self.style.affix))
        text = self._unsigned(text)
        is_number = pc.match_substring_regex(text, f"^-?{self.style.core}$")
        if lacking is not None:
            is_number = pc.and_not(is_number, lacking)
        text = pc.if_else(is_number, self._plain(text), text_scalar("nan"))
        values = to_numpy(pc.cast(text, pa.float64()), "f8")
        return Cells(values, some(missing), some(~missing & ~np.isfinite(values)))

    def _unsigned(self, text: Any) -> Any:
        """Cells with a hyphen in front if they are negative, and without a plus sign or affix."""
        import pyarrow.compute as pc

        if mask_to_numpy(pc.match_substring_regex(text, r"^\([^()]*[0-9][^()]*\)$")).any():
            self.met_brackets = True
        affix = re.escape(self.style.affix)
        sign = f"[+{_MINUS}]"
        for pattern, replacement in (
            (r"^\(([^()]*)\)$", r"-\1"),
            (rf"^({sign}?){affix} ?({sign}?[0-9.])" if affix else "^$", r"\1\2"),
            (rf"([0-9.]) ?{affix}(-?)$" if affix else "^$", r"\1\2"),
            (rf"^[{_MINUS[:2]}]([0-9.])", r"-\1"),
            (r"^\+([0-9.,])", r"\1"),
            (r"^([0-9.,].*)-$", r"-\1"),
        ):
            if pattern != "^$":
                text = pc.replace_substring_regex(text, pattern, replacement)
        return text

    def _plain(self, text: Any) -> Any:
        """Cells of this style with a decimal point and nothing between thousands."""
        import pyarrow.compute as pc

        if self.style.thousands:
            text = pc.replace_substring_regex(text, _GROUPS[self.style.thousands], "")
        return pc.replace_substring(text, ",", ".") if self.style.decimal == "," else text


def explain_number(cell: str) -> tuple[str, str]:
    """What is wrong with a cell that is no number, and how to mend it."""
    plain = cell.strip()
    if plain.lstrip("+-").lower() in ("inf", "infinity"):
        return "is infinite", "correct it, or leave it empty to have the row left out"
    if re.fullmatch(PLAIN.core, plain.lstrip("+-")):
        return "is too large for a number of double precision", "correct it, or use a larger unit"
    if re.fullmatch(_SHAPE, plain):
        others = [style for style in _STYLES if re.fullmatch(style.core, plain)]
        hint = "correct it; marks in numbers are named with --decimal and --thousands" if others else "correct it"
        return "is not a number as the others are", hint
    return "is not a number", "correct it, or leave it empty to have the row left out"
