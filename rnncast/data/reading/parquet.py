"""Parquet files opened and read so that damage shows.

Pages are held against checksums, which they have where the writer gave them one, as rnncast does. The description at
the end of a file has none; there what is said twice is compared. Without checksums, what is damaged inside a page and
can still be decoded is another number, and nothing tells.
"""

from __future__ import annotations

from typing import Any


def open_parquet(source: Any, **options: Any) -> Any:
    """A `pyarrow.parquet.ParquetFile` of a path or buffer; one of `damages` for what is none.

    `pyarrow.parquet.read_table` imports pandas, this does not.
    """
    import pyarrow.parquet as pq

    file = pq.ParquetFile(source, page_checksum_verification=True, **options)
    _check_columns(file)
    return file


def _check_columns(file: Any) -> None:
    """ArrowInvalid for names and types that are not those which Arrow, where it wrote the file, notes once more."""
    from base64 import b64decode

    import pyarrow as pa

    noted = (file.metadata.metadata or {}).get(b"ARROW:schema")
    if noted is None:
        return
    there, here = pa.ipc.read_schema(pa.py_buffer(b64decode(noted))), file.schema_arrow
    if there.names != here.names or any(_differ(*types) for types in zip(there.types, here.types, strict=True)):
        raise pa.ArrowInvalid("its columns are described twice, and otherwise")


def _differ(noted: Any, found: Any) -> bool:
    """Whether no writer makes the one type of the other: text or a stamp of something else, a zone of none."""
    import pyarrow as pa

    kinds = pa.types
    noted, found = (dtype.value_type if kinds.is_dictionary(dtype) else dtype for dtype in (noted, found))
    is_stamp = kinds.is_timestamp(found)
    texts = [
        kinds.is_string(dtype) or kinds.is_large_string(dtype) or kinds.is_string_view(dtype)
        for dtype in (noted, found)
    ]
    if kinds.is_timestamp(noted) != is_stamp or texts[0] != texts[1]:
        return True
    return is_stamp and noted.tz is None and found.tz is not None


def read_sound(file: Any, columns: list[str] | None = None) -> Any:
    """Columns of a file as a pyarrow Table whose values are what its types say; one of `damages` for others."""
    import pyarrow as pa

    table = file.read(columns=columns)
    if table.num_rows != file.metadata.num_rows:  # a part of it that says it has fewer rows than it has
        raise pa.ArrowInvalid("its numbers of rows contradict each other")
    table.validate(full=True)  # lengths, places and UTF-8: what is decoded from a damaged page may be none of its type
    return table


def damages(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """What opening or reading a damaged file may raise, and what else is to be caught."""
    import pyarrow as pa

    return (pa.ArrowException, OSError, UnicodeDecodeError, *more)
