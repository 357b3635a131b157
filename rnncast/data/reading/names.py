"""Names of series as numbers, for columns of text, of a dictionary, or of anything that can be written as text.

Dimension letter: `R` rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.reading.arrow import from_numpy, is_text, mask_to_numpy, nulls, one_chunk, to_numpy
from rnncast.data.reading.cells import Cells, some

_FEW_RUNS = 0.25  # share of rows that begin a run, up to which it is worth to number runs


class NameParser:
    """Reads columns as numbers of names, int32 (R,); an empty name is missing, blanks around names do not count."""

    @property
    def csv_type(self) -> Any | None:
        """Text."""
        return None

    @property
    def in_order(self) -> bool:
        """No: pieces have names of their own."""
        return False

    def parse(self, column: Any) -> Cells:
        """Numbers and names of a pyarrow column."""
        import pyarrow as pa

        array = one_chunk(column.unify_dictionaries() if isinstance(column, pa.ChunkedArray) else column)
        if pa.types.is_dictionary(array.type):
            if pa.types.is_binary(array.type.value_type):
                raise ValueError(f"holds {array.type}, expected names")
            codes = array.indices if array.indices.type == pa.int32() else array.indices.cast(pa.int32())
            return _named(to_numpy(codes, "i4"), array.dictionary.to_pylist(), nulls(array))
        import pyarrow.compute as pc  # what is a dictionary already needs nothing of it

        if not is_text(array):
            kinds, dtype = pa.types, array.type
            if not (
                kinds.is_integer(dtype) or kinds.is_floating(dtype) or kinds.is_boolean(dtype) or kinds.is_date(dtype)
            ):
                raise ValueError(f"holds {dtype}, expected names")
            array = pc.cast(array, pa.string())
        if array.null_count:
            return self.parse(pc.dictionary_encode(array))
        changes = mask_to_numpy(pc.not_equal(array[1:], array[:-1]))  # (R - 1,)
        starts = np.concatenate(([0], np.flatnonzero(changes) + 1))[: len(array)]  # of runs of one name
        if len(starts) > _FEW_RUNS * len(array):
            return self.parse(pc.dictionary_encode(array))
        few = self.parse(pc.dictionary_encode(array.take(from_numpy(starts))))
        lengths = np.diff(starts, append=len(array))
        missing = None if few.missing is None else np.repeat(few.missing, lengths)
        return Cells(np.repeat(few.values, lengths), missing, names=few.names)


def _named(codes: NDArray[np.int32], names: list[Any], absent: NDArray[np.bool_] | None) -> Cells:
    """Cells of a dictionary, whose names may be empty, occur twice, or differ in blanks alone."""
    texts = ["" if name is None else str(name).strip() for name in names]
    distinct = {name: code for code, name in enumerate(dict.fromkeys(name for name in texts if name))}
    missing = absent
    if absent is not None:
        codes = np.where(absent, np.int32(0), codes)
    if list(distinct) != texts:
        empty = np.array([not text for text in texts] or [True])
        new = np.array([distinct.get(text, 0) for text in texts] or [0], dtype=np.int32)
        missing = empty[codes] if absent is None else absent | empty[codes]
        codes = new[codes]
    return Cells(codes, some(missing), names=tuple(distinct) or ("",))
