"""Parquet files opened and read so that damage shows: pages are held against checksums, columns against their types.

A page has a checksum where the writer gave it one, as rnncast does. Without, what is damaged inside a page and can
still be decoded is another number, and nothing tells.
"""

from __future__ import annotations

from typing import Any


def open_parquet(source: Any, **options: Any) -> Any:
    """A `pyarrow.parquet.ParquetFile` of a path or buffer; one of `damages` for what is none.

    `pyarrow.parquet.read_table` imports pandas, this does not.
    """
    import pyarrow.parquet as pq

    return pq.ParquetFile(source, page_checksum_verification=True, **options)


def read_sound(file: Any, columns: list[str] | None = None) -> Any:
    """Columns of a file as a pyarrow Table whose values are what its types say; one of `damages` for others."""
    table = file.read(columns=columns)
    table.validate(full=True)  # lengths, places and UTF-8: what is decoded from a damaged page may be none of its type
    return table


def damages(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """What opening or reading a damaged file may raise, and what else is to be caught."""
    import pyarrow as pa

    return (pa.ArrowException, OSError, UnicodeDecodeError, *more)
