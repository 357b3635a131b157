"""What a user may say of an input: names of columns, how its text is written, and what to do with its faults."""

from __future__ import annotations

from rnncast.errors import UsageError
from rnncast.records import dataclass

SPACE = "space"
"""How ``--thousands`` names a blank, an ordinary one or one of those that do not break a line."""

DECIMALS = (".", ",")
THOUSANDS = (",", ".", "'", SPACE, "none")
TIME_UNITS = ("s", "ms", "us", "ns", "excel", "step")
FILES = ("series", "parts")
DUPLICATES = ("error", "first", "last", "mean")
MISSING = ("drop", "ffill", "error")


@dataclass(frozen=True)
class ReadOptions:
    """Options of reading; None leaves a thing to be found in the file.

    Attributes
    ----------
    id_col, time_col, target_col
        Names of columns.
    freq
        Name of the step between rows.
    until
        Last date or step to let in; rows after it are left out before anything is derived from the others.
    sep
        Character between fields.
    decimal, thousands
        Marks in numbers: one of `DECIMALS`, one of `THOUSANDS`.
    encoding
        Encoding of text, by one of Python's names.
    header
        Line of the header, from 1, as text; ``none`` for a file without one.
    dayfirst
        Whether 01/02/2024 is the first of February; false for the second of January.
    time_unit
        Unit of UNIX times, or ``excel`` for days as Excel counts them, or ``step``; one of `TIME_UNITS`.
    time_zone
        Zone of stamps that name none, and in which stamps are written.
    wide
        Whether each column of numbers is a series.
    files
        Whether several files without an id column are series of their own, or parts of one; one of `FILES`.
    duplicates, missing
        What becomes of a stamp that occurs again, and of a row without a value; one of `DUPLICATES`, `MISSING`.
    holidays
        File of dates that are closed.
    irregular
        Whether stamps without a regular step are taken as they are.
    """

    id_col: str | None = None
    time_col: str | None = None
    target_col: str | None = None
    freq: str | None = None
    until: str | None = None
    sep: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    header: str | None = None
    dayfirst: bool | None = None
    time_unit: str | None = None
    time_zone: str | None = None
    wide: bool = False
    files: str | None = None
    duplicates: str = "error"
    missing: str = "drop"
    holidays: str | None = None
    irregular: bool = False

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("--decimal", self.decimal, DECIMALS),
            ("--thousands", self.thousands, THOUSANDS),
            ("--time-unit", self.time_unit, TIME_UNITS),
            ("--files", self.files, FILES),
            ("--duplicates", self.duplicates, DUPLICATES),
            ("--missing", self.missing, MISSING),
        ):
            if value is not None and value not in allowed:
                raise UsageError(f"{name} must be one of {' '.join(allowed)}, found {value!r}")
        self._check_marks()
        self._check_names()

    def _check_marks(self) -> None:
        mark = self.separator
        if mark is not None and (len(mark) != 1 or mark in '"\r\n' or not mark.isascii()):
            raise UsageError(
                f"--sep must be one character that is no quotation mark, found {self.sep!r}",
                hint="for instance --sep ';', or --sep tab",
            )
        if self.decimal is not None and self.decimal == self.thousands:
            raise UsageError(f"--decimal and --thousands are both {self.decimal!r}", hint="leave one of them out")
        if self.header is not None and self.header != "none" and (not self.header.isdecimal() or int(self.header) < 1):
            raise UsageError(f"--header must be the number of a line or none, found {self.header!r}")

    def _check_names(self) -> None:
        if self.wide and (self.id_col or self.target_col):
            other = "--id-col" if self.id_col else "--target-col"
            raise UsageError(
                f"--wide and {other} contradict each other",
                hint="in wide layout each column of numbers is a series: leave one of the two out",
            )
        if self.irregular and self.freq is not None:
            raise UsageError("--irregular and --freq contradict each other", hint="leave one of them out")

    @property
    def separator(self) -> str | None:
        """The character between fields; ``tab`` stands for it."""
        return "\t" if self.sep in ("tab", "\\t") else self.sep
