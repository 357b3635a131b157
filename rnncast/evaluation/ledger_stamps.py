"""Stamps of a ledger read back: ISO 8601 as `forecast` writes them, typed columns of Parquet, or integer steps.

Dimension letter: `N` rows.
"""

from __future__ import annotations

import re
from typing import Any

from numpy.typing import NDArray

from rnncast.data.reading.arrow import is_text, one_chunk, to_numpy
from rnncast.data.reading.forms import ISO
from rnncast.data.reading.timestamps import StampParser
from rnncast.errors import DataError
from rnncast.records import dataclass


@dataclass(frozen=True)
class Stamps:
    """A column of stamps.

    Attributes
    ----------
    values : datetime64[us] or int64 (N,)
        In UTC where they have a zone.
    is_dated, is_zoned : bool
        Whether they are dates rather than integer steps, and whether they name a zone.
    """

    values: NDArray[Any]
    is_dated: bool
    is_zoned: bool

    @property
    def kind(self) -> str:
        """What they are, in words."""
        if not self.is_dated:
            return "integer steps"
        return f"stamps {'with' if self.is_zoned else 'without'} a zone"


def read_stamps(column: Any, path: str) -> Stamps:
    """Stamps of a pyarrow column; DataError for what is none.

    A ledger says few stamps many times: each distinct text is read once.
    """
    import pyarrow.compute as pc

    codes = None
    if is_text(column):
        encoded = one_chunk(pc.dictionary_encode(column))
        column, codes = encoded.dictionary, to_numpy(encoded.indices, "i4")
    parser = _parser(column)
    try:
        cells = parser.parse(column)
    except ValueError as error:
        raise DataError(f"a column of stamps {error}", where=path) from error
    wrong = [mask for mask in (cells.missing, cells.bad) if mask is not None and mask.any()]
    if wrong:
        row = int(wrong[0].argmax())
        raise DataError(
            f"{str(column[row].as_py() or '')!r} is no stamp like the others of the ledger",
            where=path,
            hint="restore the ledger from a copy: a program that saved it may have written its stamps in another form",
        )
    values = cells.values if codes is None else cells.values[codes]
    return Stamps(values.view("datetime64[us]") if parser.is_dated else values, parser.is_dated, parser.zoned)


def _parser(column: Any) -> StampParser:
    if not is_text(column) or not len(column):
        return StampParser()
    first = str(column[0].as_py())
    if re.fullmatch(r"[+-]?[0-9]+", first):
        return StampParser(ISO, is_dated=False)
    match = ISO.regex.fullmatch(first)
    return StampParser(ISO, zoned=bool(match and match["zone"]))
