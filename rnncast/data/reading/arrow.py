"""Passage between pyarrow's columns and NumPy that does not import pandas.

pyarrow imports pandas, half a second, whenever it makes an array or a scalar from Python values and for most of its own
conversions to NumPy. So values go over in buffers here.

Shapes: `R` rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_numpy(column: Any, dtype: str) -> NDArray[Any]:
    """Values (R,) of a column of a primitive type, without a copy and read-only; anything where it is null."""
    array = one_chunk(column)
    data = array.buffers()[1]
    if data is None or not len(array):
        return np.zeros(len(array), dtype)
    return np.frombuffer(data, dtype, len(array), array.offset * np.dtype(dtype).itemsize)


def mask_to_numpy(column: Any) -> NDArray[np.bool_]:
    """Values (R,) of a boolean column without nulls."""
    array = one_chunk(column)
    return _bits(array.buffers()[1], array.offset, len(array))


def nulls(column: Any) -> NDArray[np.bool_] | None:
    """Which cells (R,) are null; None if none is."""
    if column.null_count == 0:
        return None
    array = one_chunk(column)
    if array.null_count == len(array):
        return np.ones(len(array), dtype=bool)  # a column of type null has no bitmap
    return ~_bits(array.buffers()[0], array.offset, len(array))


def _bits(buffer: Any, offset: int, length: int) -> NDArray[np.bool_]:
    if not length:
        return np.zeros(0, dtype=bool)
    packed = np.frombuffer(buffer, np.uint8, (offset + length + 7) // 8)
    return np.unpackbits(packed, count=offset + length, bitorder="little")[offset:].astype(bool)


def one_chunk(column: Any) -> Any:
    """The pyarrow Array that a ChunkedArray amounts to."""
    import pyarrow as pa

    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    array = column.combine_chunks()
    return array.chunk(0) if isinstance(array, pa.ChunkedArray) else array


def text_array(texts: Sequence[str]) -> Any:
    """Texts as a pyarrow Array of strings."""
    import pyarrow as pa

    encoded = [text.encode() for text in texts]
    offsets = np.concatenate(([0], np.cumsum([len(text) for text in encoded]))).astype(np.int32)
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"".join(encoded)))


def text_scalar(text: str) -> Any:
    """Text as a pyarrow scalar."""
    return text_array([text])[0]


def is_text(column: Any) -> bool:
    """Whether a column holds text."""
    import pyarrow as pa

    kinds = pa.types
    return any(test(column.type) for test in (kinds.is_string, kinds.is_large_string, kinds.is_string_view))


def filled_text(column: Any) -> Any:
    """Text column without blanks around its cells and with empty ones for nulls."""
    import pyarrow.compute as pc

    return pc.utf8_trim_whitespace(pc.fill_null(column, text_scalar("")) if column.null_count else column)


def from_numpy(values: NDArray[Any]) -> Any:
    """Column of a table, shape (R,), as a pyarrow Array; NaN and NaT become nulls."""
    import pyarrow as pa

    if values.dtype.kind in "OU":
        return text_array([str(value) for value in values.tolist()])
    dtype: Any = pa.int64()
    absent = np.zeros(len(values), dtype=bool)
    if values.dtype.kind == "M":
        data, dtype, absent = values.astype("datetime64[us]").view(np.int64), pa.timestamp("us"), np.isnat(values)
    elif values.dtype.kind == "f":
        data, dtype, absent = values.astype(np.float64), pa.float64(), np.isnan(values)
    else:
        data = values.astype(np.int64)
    valid = pa.py_buffer(np.packbits(~absent, bitorder="little").tobytes()) if absent.any() else None
    return pa.Array.from_buffers(dtype, len(data), [valid, pa.py_buffer(data.tobytes())])
