"""Cells turned into numbers and stamps: strictly, by pyarrow's parsers over whole columns.

A column that is good as it stands is cast in one call. Only where that fails are cells told apart: which are missing,
which are bad. Whether a bad one matters is for the caller to decide, because rows after ``--until`` do not.

Dimension letter: `R` rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.arrow import filled_text, is_text, mask_to_numpy, nulls, text_array, text_scalar, to_numpy
from rnncast.data.table import MISSING_MARKERS, NUMBER


@dataclass(frozen=True)
class Cells:
    """A column, parsed.

    Attributes
    ----------
    values : float64, int64 or datetime64[us] (R,)
        What the cells say; anything where they are missing or bad.
    missing : bool (R,) or None
        Cells that stand for no value; None if there are none.
    bad : bool (R,) or None
        Cells that could not be understood; None if there are none.
    note
        What the user should know of how the cells were read.
    """

    values: NDArray[Any]
    missing: NDArray[np.bool_] | None = None
    bad: NDArray[np.bool_] | None = None
    note: str | None = None


def some(mask: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """The mask, or None if it is true nowhere."""
    return mask if mask.any() else None


def parse_numbers(column: Any) -> Cells:
    """Read a pyarrow column as float64; not finite cells are bad, but for NaN, which is missing.

    Raises
    ------
    ValueError
        The type of the column is not one of numbers or text; the message completes "column x ...".
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds = pa.types
    if is_text(column):
        return _numbers_of_text(column)
    if not (kinds.is_integer(column.type) or kinds.is_floating(column.type) or kinds.is_decimal(column.type)):
        raise ValueError(f"holds {column.type}, expected numbers")
    if kinds.is_decimal(column.type):
        column = pc.cast(column, pa.string())  # pyarrow's own way to floats is off by a unit in the last place
    try:
        floats = pc.cast(column, pa.float64())
    except pa.ArrowInvalid as error:
        raise ValueError("holds integers too large for exact arithmetic (2^53)") from error
    values = to_numpy(floats, "f8")
    missing, absent = np.isnan(values), nulls(column)
    if absent is not None:
        missing |= absent
    return Cells(values, some(missing), some(np.isinf(values) & ~missing))


def _numbers_of_text(column: Any) -> Cells:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not column.null_count:
        try:
            values = to_numpy(pc.cast(column, pa.float64()), "f8")
        except pa.ArrowInvalid:  # some cell is no number
            pass
        else:
            if np.isfinite(values).all():
                return Cells(values)
    text = filled_text(column)
    missing = mask_to_numpy(pc.is_in(pc.utf8_lower(text), text_array(MISSING_MARKERS)))
    is_number = pc.match_substring_regex(text, f"^{NUMBER.pattern}$")
    text = pc.if_else(is_number, pc.replace_substring_regex(text, r"^\+", ""), text_scalar("nan"))
    values = to_numpy(pc.cast(text, pa.float64()), "f8")
    return Cells(values, some(missing), some(~missing & ~np.isfinite(values)))


def explain_number(cell: str) -> tuple[str, str]:
    """What is wrong with a cell that is no number, and how to mend it."""
    plain = cell.strip()
    if plain.lstrip("+-").lower() in ("inf", "infinity"):
        return "is infinite", "correct it, or leave it empty to have the row left out"
    if NUMBER.fullmatch(plain):
        return "is too large for a number of double precision", "correct it, or use a larger unit"
    digits = plain.replace(",", ".").replace(" ", "").replace("\u00a0", "").replace("\u202f", "").replace("'", "")
    if plain.count(",") == 1 and plain.count(".") == 0 and NUMBER.fullmatch(digits):
        return "is not a number", "write a decimal point, and nothing between thousands: 1084.79"
    if digits.count(".") > 1 or NUMBER.fullmatch(digits):
        return "is not a number", "write numbers without marks between thousands: 1084.79"
    if plain[:1] in ("\u2212", "\u2013") or (plain[:1] + plain[-1:]) == "()":
        return "is not a number", "write negative numbers with a hyphen: -36.98"
    return "is not a number", "correct it, or leave it empty to have the row left out"
