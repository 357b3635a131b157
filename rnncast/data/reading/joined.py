"""Several inputs as one: the observations of their files one after the other, and which series each belongs to.

Dimension letters: `N` observations of all files.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rnncast.data.options import ReadOptions
from rnncast.data.panel import Columns
from rnncast.data.reading.cells import Cells, CellsBuilder
from rnncast.data.reading.files import File
from rnncast.data.reading.headings import TARGET_NAMES, canonical
from rnncast.data.reading.loaded import WIDE_ID, WIDE_TARGET, Loaded
from rnncast.data.reading.stamp_parts import east_of_utc
from rnncast.data.reading.timestamps import parse_until
from rnncast.errors import DataError
from rnncast.records import dataclass

_TIME_KEYS = frozenset({"year", "month", "day", "date", "hour", "dt", "ds", "week", "quarter"})
"""Names of folders that divide a data set by time, and so name no series."""

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, eq=False)
class Joined:
    """Observations of all files of an input.

    Attributes
    ----------
    parts : tuple of Loaded
        The files.
    columns : Columns
        Names of the columns.
    values, times, ids : Cells
        As in `Loaded`, of all files, shapes (N,).
    notes
        What the user should know.
    """

    parts: tuple[Loaded, ...]
    columns: Columns
    values: Cells
    times: Cells | None
    ids: Cells | None
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """The input, for messages."""
        return self.parts[0].name if len(self.parts) == 1 else f"{self.parts[0].name} and {len(self.parts) - 1} more"

    @property
    def is_dated(self) -> bool:
        """Whether rows carry stamps."""
        return self.times is not None and self.parts[0].stamps.is_dated

    @property
    def in_utc(self) -> bool:
        """Whether the stamps are in UTC."""
        return self.parts[0].in_utc

    def zones(self, rows: NDArray[np.bool_] | None) -> set[str]:
        """Zones and offsets that the stamps of some rows (N,) name; None for all of them."""
        found: set[str] = set()
        for part, start in zip(self.parts, self._starts, strict=True):
            stamps, size = part.stamps, len(part)
            if rows is None or sum(map(len, stamps.zone_codes)) != part.file_rows:
                found |= set(stamps.zones)
                continue
            codes = np.resize(np.concatenate(stamps.zone_codes), size)  # in wide layout once for each column
            met = np.unique(codes[rows[start : start + size]])
            found |= {stamps.zones[code] for code in met if code >= 0}
        return found

    @property
    def typed_zone(self) -> str | None:
        """Zone that the type of the time column names; None where the cells do, or none."""
        stamps = self.parts[0].stamps
        return stamps.zones[0] if stamps.zones and not stamps.zone_codes else None

    def offsets(self) -> NDArray[np.int64]:
        """Microseconds east of UTC (N,) in which each stamp is written; 0 where it is written in UTC."""
        pieces = []
        for part in self.parts:
            east = np.array([east_of_utc(zone) or 0 for zone in part.stamps.zones] + [0], dtype=np.int64)
            codes = part.stamps.zone_codes
            own = east[np.concatenate(codes)] if codes and sum(map(len, codes)) == part.file_rows else east[-1:]
            pieces.append(np.resize(own, len(part)))
        return np.concatenate(pieces)

    @cached_property
    def _starts(self) -> list[int]:
        return [sum(map(len, self.parts[:number])) for number in range(len(self.parts))]

    def _part(self, row: int) -> tuple[Loaded, int]:
        number = bisect_right(self._starts, row) - 1
        return self.parts[number], row - self._starts[number]

    def name_of(self, row: int) -> str:
        """The file that a row stands in."""
        return self._part(row)[0].name

    def place(self, row: int) -> str:
        """File and line of a row."""
        part, own = self._part(row)
        return part.place(own)

    def column_name(self, row: int, role: str) -> str:
        """Name of the column that holds the cell of a role."""
        part, own = self._part(row)
        return part.column_name(own, role)

    def cell(self, row: int, role: str) -> str:
        """The cell as it stands in the file."""
        part, own = self._part(row)
        return part.cell(own, role)

    def part_of(self, row: int) -> Loaded:
        """The file that a row comes from."""
        return self._part(row)[0]


def join(files: Sequence[File], parts: Sequence[Loaded], options: ReadOptions) -> Joined:
    """Put the files of an input together.

    Parameters
    ----------
    files, parts
        The files, and what was read of each.
    options
        What the user said: what files without an id column are, and which folders name the series.

    Raises
    ------
    DataError
        The files do not fit together, or could be read in two ways.
    """
    first = parts[0]
    key = _key(files, options.id_col)
    if len(parts) == 1 and key is None:
        return Joined((first,), first.columns, first.values, first.times, first.ids, first.notes)
    _check(parts)
    if options.files is not None and first.ids is not None:
        raise DataError(
            "--files has no effect: the files have an id column", where=first.name, hint="leave --files out"
        )
    columns = first.columns
    notes = _joined_notes(parts)
    targets = {part.columns.target for part in parts}
    if len(targets) > 1:  # each file has a name of its own for its one column
        columns = replace(columns, target=WIDE_TARGET)
    ids = [part.ids for part in parts]
    if key is not None and first.ids is not None and key != options.id_col:
        notes.append(f"the folders {key}=... are not used: the files have an id column, {first.columns.id!r}")
    elif first.ids is None or key is not None:
        named, names = _named_by_files(files, parts, options, key)
        columns = replace(columns, id=named)
        ids = [None if named is None else _all(name, len(part)) for name, part in zip(names, parts, strict=True)]
        if named is not None:
            where = f"folders {named}=..." if named != WIDE_ID else "names of the files"
            notes.append(f"series are named by the {where}: {len(set(names)):,} in {len(files):,} files")
    return Joined(
        tuple(parts),
        columns,
        _together([part.values for part in parts]),
        None if first.times is None else _together([part.times for part in parts if part.times is not None]),
        None if ids[0] is None else _together([own for own in ids if own is not None]),
        tuple(notes),
    )


def _check(parts: Sequence[Loaded]) -> None:
    """DataError for files whose columns do not agree."""
    first = parts[0]
    for part in parts[1:]:
        for what, ours, theirs in (
            ("the time column", first.columns.time, part.columns.time),
            ("the id column", first.columns.id or "", part.columns.id or ""),
            ("the layout", "wide" if first.roles.wide else "long", "wide" if part.roles.wide else "long"),
            ("the time column", _kind(first), _kind(part)),
            ("the target", _known_target(first), _known_target(part)),
        ):
            if canonical(ours) != canonical(theirs):
                raise DataError(
                    f"the files do not agree: {what} is {ours or 'absent'} in {first.name} and {theirs or 'absent'} in "
                    f"{part.name}",
                    where=part.name,
                    hint="give all files the same columns, or name them with --time-col, --id-col, --target-col",
                )


def _known_target(part: Loaded) -> str:
    """Name of the target where it says what it is: close and adj close are not the same."""
    return part.columns.target if canonical(part.columns.target) in TARGET_NAMES else "named by its column"


def _kind(part: Loaded) -> str:
    if part.times is None:
        return "absent"
    return "of steps" if not part.stamps.is_dated else "in UTC" if part.in_utc else "without a zone"


def _key(files: Sequence[File], asked: str | None) -> str | None:
    """Name of the folders that name the series; DataError if the files do not agree on it."""
    keys = [tuple(key for key, _ in file.partition if canonical(key) not in _TIME_KEYS) for file in files]
    for file, own in zip(files, keys, strict=True):
        if own != keys[0]:
            raise DataError(
                f"the files do not agree: {file.path} and {files[0].path} lie in folders of different kinds",
                where=file.path,
                hint="name the folder of one data set",
            )
        if _NO_VALUE in dict(file.partition).values():
            raise DataError("the folder names no series", where=file.path, hint="give those rows the name of a series")
    if asked is not None:
        return asked if asked in dict(files[0].partition) else None
    if len(keys[0]) > 1:
        raise DataError(
            f"several folders could name the series: {', '.join(keys[0])}",
            where=files[0].path,
            hint="name it with --id-col",
        )
    return keys[0][0] if keys[0] else None


def _named_by_files(
    files: Sequence[File], parts: Sequence[Loaded], options: ReadOptions, key: str | None
) -> tuple[str | None, list[str]]:
    """Name of the id column and the series of each file; None if the files are parts of one series."""
    if key is not None:
        return key, [dict(file.partition).get(key, "") for file in files]
    names, layout = [file.stem for file in files], options.files
    if layout is None and files[0].partition:
        layout = "parts"  # folders of years and months
    repeated = len(set(names)) < len(names)
    if layout is None and (repeated or _follow_each_other(parts, options.until)):
        why = "some have the same name" if repeated else "the rows of each begin after those of another end"
        raise DataError(
            f"{len(files)} files without an id column may be series of their own or parts of one series: {why}",
            where=files[0].path,
            hint="--files series or --files parts says which",
        )
    if repeated and layout == "series":
        hint = "give each file a name of its own"
        raise DataError("two files have the same name, and would be one series", where=files[0].path, hint=hint)
    return (None if layout == "parts" else WIDE_ID), names


def _follow_each_other(parts: Sequence[Loaded], until: str | None) -> bool:
    """Whether no two files have a time in common, of those that count."""
    spans = []
    for part in parts:
        if part.times is None or not len(part):
            return False
        values = part.times.values
        if until is not None:
            last = parse_until(until, part.stamps.is_dated)
            values = values[values <= (last.astype(np.int64) if isinstance(last, np.datetime64) else last)]
        if len(values):
            spans.append((int(values.min()), int(values.max())))
    spans.sort()
    return len(spans) > 1 and all(end < start for (_, end), (start, _) in zip(spans, spans[1:], strict=False))


def _all(name: str, rows: int) -> Cells:
    return Cells(np.zeros(rows, np.int32), names=(name,))


def _together(pieces: Sequence[Cells]) -> Cells:
    builder = CellsBuilder(sum(len(piece) for piece in pieces))
    for piece in pieces:
        builder.add(piece)
    return builder.cells()


def _joined_notes(parts: Sequence[Loaded]) -> list[str]:
    """What there is to say of the files, each thing once."""
    said: dict[str, list[str]] = {}
    for part in parts:
        for note in part.notes:
            said.setdefault(note, []).append(part.name)
    more = {note: f" and {len(names) - 1} more" if names[1:] else "" for note, names in said.items()}
    return [f"{note} (in {names[0]}{more[note]})" for note, names in said.items()]
