"""Strategies that plant one fault in a generated file, and know where it stands and what may be read all the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from generated_files import GeneratedFile, Sheet, doubts_of_cells, good_files
from hypothesis import strategies as st
from strict_reader import MISSING, PER_SECOND, NotStrict, Series, read_strictly


@dataclass(frozen=True)
class DamagedFile:
    """A file with one fault.

    Attributes
    ----------
    lines
        Where the fault stands, if that is certain; any of them may be named.
    column
        Name of the column, if it has one and the fault is one of a cell.
    says
        How the message may begin, if it is known.
    allowed
        What may be read all the same; None if the file has to be refused.
    spare
        Rows more than the allowed ones that may be read.
    """

    fault: str
    data: bytes
    file: GeneratedFile
    lines: tuple[int, ...] = ()
    column: str | None = None
    says: tuple[str, ...] = ()
    allowed: Series | None = None
    spare: int = 0

    def __repr__(self) -> str:
        return (
            f"DamagedFile({self.fault!r}, data={self.data!r}, options={self.file.options!r}, lines={self.lines}, "
            f"column={self.column!r}, says={self.says!r}, allowed={self.allowed!r}, spare={self.spare}, "
            f"doubts={sorted(self.file.doubts)}, dialect={self.file.dialect!r})"
        )


HERE = "\ue000"
"""Stands in a text for something that is no character of it."""

TEXTS = ["closed", "61.17*", "0x10", "1_000", "+-5", "see note", "1e5e5", "1.2.3.4", "١٢"]
INFINITIES = ["inf", "-inf", "Infinity", "1e999", "-1E+400", "∞"]
MISPLACED = ["1T08T4D79", "12T34D5", "1TT234", "1T2345D6", "0T0T1"]
"""T stands for the mark between thousands, D for the decimal mark."""

Fault = Callable[[st.DrawFn, GeneratedFile], DamagedFile]


def _is_plain_without(file: GeneratedFile, changed: Sequence[int]) -> bool:
    """Whether the rows that are not changed leave no doubt how the file is written."""
    others = [file.sheet.records[row] for row in file.rows if row not in changed]
    return not file.doubts and not doubts_of_cells(file.dialect, others)


def _with_bad_cell(fault: str, file: GeneratedFile, record: int, column: int, cell: str) -> DamagedFile:
    return _with_bad_cells(fault, file, {record: cell}, column)


def _with_bad_cells(fault: str, file: GeneratedFile, cells: dict[int, str], column: int) -> DamagedFile:
    """Cells of a column replaced, of which the first is to be named."""
    sheet, (first, cell) = file.sheet, next(iter(cells.items()))
    for record, text in cells.items():
        sheet = _with_record(sheet, record, _replaced(sheet.records[record], column, text))
    name = sheet.records[0][column] if file.dialect.has_header else None
    says = tuple(repr(text) for text in (cell, cell.join(sheet.blanks))) if cell else ()
    lines = (sheet.line(first),) if _is_plain_without(file, list(cells)) else ()
    return DamagedFile(fault, replace(file, sheet=sheet).data, file, lines, name, says)


def _replaced(record: Sequence[str], column: int, cell: str) -> list[str]:
    return [*record[:column], cell, *record[column + 1 :]]


def _with_record(sheet: Sheet, place: int, record: Sequence[str]) -> Sheet:
    return replace(sheet, records=(*sheet.records[:place], tuple(record), *sheet.records[place + 1 :]))


def _valued(file: GeneratedFile, column: int) -> list[int]:
    """Records with a number in a column."""
    return [row for row in file.rows if file.sheet.records[row][column].strip().lower() not in MISSING]


def _a_number(draw: st.DrawFn, file: GeneratedFile) -> tuple[int, int]:
    """Record and column of some number of a series; not that of the first row, by which a header is told."""
    column = draw(st.sampled_from(file.dialect.targets))
    return draw(st.sampled_from(_valued(file, column)[1:] or _valued(file, column))), column


def _replaced_number(fault: str, cells: Sequence[str]) -> Fault:
    def plant(draw: st.DrawFn, file: GeneratedFile) -> DamagedFile:
        record, column = _a_number(draw, file)
        cell = draw(st.sampled_from([cell for cell in cells if cell.isascii() or file.dialect.encoding != "cp1252"]))
        cell = cell.replace("D", file.dialect.decimal).replace("T", file.dialect.thousands or _other_mark(file))
        return _with_bad_cell(fault, file, record, column, cell)

    return plant


def _other_mark(file: GeneratedFile) -> str:
    return "," if file.dialect.decimal == "." else "."


def _of_another_length(fault: str, file: GeneratedFile, place: int, record: Sequence[str]) -> DamagedFile:
    sheet = _with_record(file.sheet, place, record)
    found, expected = len(record), len(file.sheet.records[0])
    says = f"the row has {found} {'field' if found == 1 else 'fields'}, the header {expected}"
    lines = (sheet.line(place),) if _is_plain_without(file, [place]) else ()
    return DamagedFile(fault, replace(file, sheet=sheet).data, file, lines, says=(says,))


def _field_too_many(draw: st.DrawFn, file: GeneratedFile) -> DamagedFile:
    place = draw(st.sampled_from(file.rows[1:]))
    return _of_another_length("field too many", file, place, (*file.sheet.records[place], "more"))


def _field_too_few(draw: st.DrawFn, file: GeneratedFile) -> DamagedFile:
    place = draw(st.sampled_from([row for row in file.rows[1:] if any(file.sheet.records[row][:-1])]))
    return _of_another_length("field too few", file, place, file.sheet.records[place][:-1])


def _impossible_date(draw: st.DrawFn, file: GeneratedFile) -> DamagedFile:
    pattern = file.dialect.stamps.pattern
    record, time = draw(st.sampled_from(file.rows[1:])), file.dialect.time
    assert time is not None
    if pattern == "quarter":
        cell = "1995Q5"
    elif "%d" in pattern:
        february = {"%d": "30", "%m": "02", "%b": "Feb", "%B": "February"}
        cell = datetime(1995, 1, 1).strftime(re.sub("%[dmbB]", lambda part: february[part[0]], pattern))
    else:
        cell = datetime(1995, 1, 1).strftime(pattern.replace("%m", "13"))
    cell += ".000" * file.dialect.stamps.fraction + "Z" * file.dialect.stamps.offset
    return _with_bad_cell("impossible date", file, record, time, cell)


def _text_for_a_stamp(draw: st.DrawFn, file: GeneratedFile) -> DamagedFile:
    record, time = draw(st.sampled_from(file.rows[1:])), file.dialect.time
    assert time is not None
    cell = draw(st.sampled_from(["tomorrow", "Total", "12:30", "1.5", "32/13/2020", "2020-01-01x"]))
    return _with_bad_cell("text for a stamp", file, record, time, cell)


def _another_form(draw: st.DrawFn, file: GeneratedFile) -> DamagedFile:
    other = "%d/%m/%Y" if file.dialect.stamps.pattern.startswith("%Y-%m-%d") else "%Y-%m-%d"
    first = draw(st.integers(len(file.rows) // 2 + 1, len(file.rows) - 1))
    time = file.dialect.time
    assert time is not None
    stamps = {
        record: (datetime(2031, 12, 31) - timedelta(days=day)).strftime(other)
        for day, record in enumerate(file.rows[first:])
    }
    return _with_bad_cells("another form of stamps", file, stamps, time)


def _missing_stamp(draw: st.DrawFn, file: GeneratedFile) -> DamagedFile:
    record, _ = _a_number(draw, file)  # a row without a value as well would be a blank one
    time = file.dialect.time
    assert time is not None
    damaged = _with_bad_cell("missing stamp", file, record, time, draw(st.sampled_from(["", "NA", "-", "null"])))
    return replace(damaged, says=())


def _duplicate_stamp(draw: st.DrawFn, file: GeneratedFile) -> DamagedFile:
    record, _ = _a_number(draw, file)
    place = draw(st.integers(record + 1, len(file.sheet.records)))
    records = list(file.sheet.records)
    records.insert(place, records[record])
    sheet = replace(file.sheet, records=tuple(records))
    lines = (sheet.line(record), sheet.line(place)) if not file.doubts else ()
    return DamagedFile("duplicate stamp", replace(file, sheet=sheet).data, file, lines)


def _mixed_marks(draw: st.DrawFn, file: GeneratedFile) -> DamagedFile:
    return _with_bad_cell("mixed decimal marks", file, *_a_number(draw, file), f"61{_other_mark(file)}17")


def _lonely_unit(draw: st.DrawFn, file: GeneratedFile) -> DamagedFile:
    record, column = _a_number(draw, file)
    cell = draw(st.sampled_from(["$@", "@%", "@ €", "USD @"])).replace("@", file.sheet.records[record][column])
    return _with_bad_cell("unit on one cell", file, record, column, cell)


def _planted(draw: st.DrawFn, file: GeneratedFile) -> tuple[Sheet, int, int]:
    """A sheet with `HERE` inside of a number or a stamp; its record and column."""
    record, column = _a_number(draw, file)
    if file.dialect.time is not None and draw(st.booleans()):
        column = file.dialect.time
    cell = file.sheet.records[record][column]
    place = draw(st.integers(1, max(len(cell) - 1, 1)))
    planted = _replaced(file.sheet.records[record], column, cell[:place] + HERE + cell[place:])
    return _with_record(file.sheet, record, planted), record, column


def _lines_of(sheet: Sheet, record: int) -> tuple[int, ...]:
    """Lines that a record goes over; a fault of its text, rather than of a cell, may be placed in any."""
    return tuple(range(sheet.line(record), sheet.line(record + 1)))


def _nul_byte(draw: st.DrawFn, file: GeneratedFile) -> DamagedFile:
    sheet, record, _ = _planted(draw, file)
    data = sheet.encode(sheet.text().replace(HERE, "\0"))
    return DamagedFile("NUL byte", data, file, _lines_of(sheet, record))


def _stray_quote(draw: st.DrawFn, file: GeneratedFile) -> DamagedFile:
    sheet, record, column = _planted(draw, file)
    longer = _replaced(sheet.records[record], column, sheet.records[record][column] + "0")  # the mark is not the last
    data = sheet.encode(_with_record(sheet, record, longer).text().replace(HERE, '"'))
    return DamagedFile("stray quote", data, file, _lines_of(sheet, record))


def _wrong_bytes(draw: st.DrawFn, file: GeneratedFile) -> DamagedFile:
    sheet, record, _ = _planted(draw, file)
    before, after = sheet.text().split(HERE)
    wide = {"utf-16-le": b"\x00\xd8", "utf-16-be": b"\xd8\x00"}
    wrong = wide.get(file.sheet.encoding) or draw(st.sampled_from([b"\x81", b"\xff", b"\xe9", b"\xe2\x82"]))
    mark = len(sheet.encode(""))
    data = sheet.encode(before) + wrong + sheet.encode(after)[mark:]
    lines = _lines_of(sheet, record) if _is_plain_without(file, [record]) else ()
    return DamagedFile("wrong bytes", data, file, lines)


def _truncated(draw: st.DrawFn, file: GeneratedFile) -> DamagedFile:
    text = file.sheet.text()
    lines = [*file.sheet.preamble, *file.sheet.lines()]
    starts = [len(file.sheet.line_end.join([*lines[: len(file.sheet.preamble) + row], ""])) for row in file.rows]
    cut = draw(st.integers(starts[0] + 1, len(text) - 1))
    data = file.sheet.encode(text[:cut])
    if file.sheet.encoding.startswith("utf-16") and draw(st.booleans()):
        return DamagedFile("truncated", data[:-1], file)
    whole = max(start for start in starts if start < cut)  # the last row is cut, or lacks but its line end
    try:
        allowed = read_strictly(file.sheet.encode(text[:whole]), file.dialect)
    except NotStrict:
        allowed = {}
    return DamagedFile("truncated", data, file, allowed=allowed, spare=len(file.dialect.targets))


def _has_stamps(file: GeneratedFile) -> bool:
    return file.dialect.time is not None


def _has_dates(file: GeneratedFile) -> bool:
    return _has_stamps(file) and file.dialect.stamps.pattern not in ("step", *PER_SECOND)


def _has_several_columns(file: GeneratedFile) -> bool:
    return len(file.sheet.records[0]) > 1 and any(any(file.sheet.records[row][:-1]) for row in file.rows[1:])


def _repeats_are_faults(file: GeneratedFile) -> bool:
    """Free text could be taken for the names of several series that have the same stamps."""
    named = file.dialect.id is not None or file.dialect.wide
    return _has_stamps(file) and (named or "note" not in file.sheet.records[0] and file.dialect.has_header)


def _shows_its_mark(file: GeneratedFile) -> bool:
    """Whether every column of numbers has two cells with a decimal mark that marks no thousands."""
    shown = re.compile(rf".*{re.escape(file.dialect.decimal)}([0-9]{{1,2}}|[0-9]{{4,}})[^0-9]*")
    return all(
        sum(shown.fullmatch(file.sheet.records[row][column]) is not None for row in _valued(file, column)) > 2
        for column in file.dialect.targets
    )


def _has_no_unit(file: GeneratedFile) -> bool:
    return not file.dialect.unit and all(len(_valued(file, column)) > 2 for column in file.dialect.targets)


def _always(file: GeneratedFile) -> bool:
    return True


FAULTS: dict[str, tuple[Callable[[GeneratedFile], bool], Fault]] = {
    "field too many": (_always, _field_too_many),
    "field too few": (_has_several_columns, _field_too_few),
    "text in a number column": (_always, _replaced_number("text in a number column", TEXTS)),
    "infinity": (_always, _replaced_number("infinity", INFINITIES)),
    "thousands in the wrong place": (_always, _replaced_number("thousands in the wrong place", MISPLACED)),
    "mixed decimal marks": (_shows_its_mark, _mixed_marks),
    "unit on one cell": (_has_no_unit, _lonely_unit),
    "impossible date": (_has_dates, _impossible_date),
    "text for a stamp": (_has_stamps, _text_for_a_stamp),
    "another form of stamps": (_has_stamps, _another_form),
    "missing stamp": (_has_stamps, _missing_stamp),
    "duplicate stamp": (_repeats_are_faults, _duplicate_stamp),
    "NUL byte": (_always, _nul_byte),
    "stray quote": (_always, _stray_quote),
    "wrong bytes": (_always, _wrong_bytes),
    "truncated": (_always, _truncated),
}


@st.composite
def damaged_files(draw: st.DrawFn, files: st.SearchStrategy[GeneratedFile] | None = None) -> DamagedFile:
    """Files with one fault; without `files`, any of six rows or more."""
    file = draw(good_files(least=6) if files is None else files)
    possible = [name for name, (is_possible, _) in FAULTS.items() if is_possible(file)]
    return FAULTS[draw(st.sampled_from(possible))][1](draw, file)
