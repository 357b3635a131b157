"""The forms in which people write stamps, as patterns that Python's and pyarrow's regular expressions both read.

A form says which parts a cell has and in which order; whether the parts make a date that exists is checked later.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from rnncast.records import dataclass

_HOUR, _MINUTE = r"(?P<hour>[0-9]{1,2})", r"(?P<minute>[0-9]{2})"
_SECOND = r"(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,12}))?"
_CLOCK = rf"{_HOUR}(?::{_MINUTE}(?::{_SECOND})?)?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
_ZONE = r"(?: ?(?P<zone>Z|z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2}))?"
_TIME = rf"(?:(?:[T ]|, ?|  ){_CLOCK}{_ZONE})?"
_WEEKDAY = r"(?:(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?"
_YEAR4, _YEAR2 = r"(?P<year>[0-9]{4})", r"(?P<year>[0-9]{2})"
_MONTH, _DAY = r"(?P<month>[0-9]{1,2})", r"(?P<day>[0-9]{1,2})"
_NAME = (
    r"(?P<name>(?i:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec|january|february|march|april|august|september"
    r"|october|november|december))\.?"
)
_IN_NAMES = "aeouAEOU"  # each name of a month has one of these
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class Form:
    """One way to write stamps.

    Attributes
    ----------
    label
        In words, for messages: ``DD/MM/YYYY``.
    pattern
        What a cell looks like; groups name its parts.
    order
        Order of day, month and year where it is a convention: ``dmy``, ``mdy`` or ``ymd``; empty where it is plain.
    marks
        Characters of which each cell has at least one, so that most forms need not be compiled for most files; empty
        for any.
    """

    label: str
    pattern: str
    order: str = ""
    marks: str = ""

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The pattern, compiled, over a whole cell."""
        return re.compile(rf"(?:{self.pattern})")

    @cached_property
    def anchored(self) -> str:
        """The pattern for pyarrow, over a whole cell."""
        return f"^(?:{self.pattern})$"

    def fits(self, cell: str) -> bool:
        """Whether a cell, without blanks around it, is written so."""
        if self.marks and not any(mark in cell for mark in self.marks):
            return False
        return self.regex.fullmatch(cell) is not None


def _numeric(mark: str) -> tuple[Form, ...]:
    """Dates of three numbers with one mark between them."""
    m = re.escape(mark)
    return (
        Form(f"YYYY{mark}MM{mark}DD", rf"{_YEAR4}{m}{_MONTH}{m}{_DAY}{_TIME}", marks=mark),
        Form(f"DD{mark}MM{mark}YYYY", rf"{_DAY}{m}{_MONTH}{m}{_YEAR4}{_TIME}", "dmy", mark),
        Form(f"MM{mark}DD{mark}YYYY", rf"{_MONTH}{m}{_DAY}{m}{_YEAR4}{_TIME}", "mdy", mark),
        Form(f"DD{mark}MM{mark}YY", rf"{_DAY}{m}{_MONTH}{m}{_YEAR2}{_TIME}", "dmy", mark),
        Form(f"MM{mark}DD{mark}YY", rf"{_MONTH}{m}{_DAY}{m}{_YEAR2}{_TIME}", "mdy", mark),
        Form(f"YY{mark}MM{mark}DD", rf"{_YEAR2}{m}{_MONTH}{m}{_DAY}{_TIME}", "ymd", mark),
    )


ISO = Form("ISO 8601", rf"{_YEAR4}-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}}){_TIME}")
_FORMS = (
    ISO,
    *(form for mark in "-/." for form in _numeric(mark)),
    Form(
        "YYYYMMDD hhmmss",
        r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})[T ](?P<hour>[0-9]{2}):?(?P<minute>[0-9]{2})"
        rf"(?::?(?P<second>[0-9]{{2}})(?:[.,]?(?P<fraction>[0-9]{{1,9}}))?)?{_ZONE}",
    ),
    Form("day, name of the month, year", rf"{_WEEKDAY}{_DAY}[ /-]{_NAME}[ /-],?{_YEAR4}{_TIME}", marks=_IN_NAMES),
    Form("day, name of the month, YY", rf"{_DAY}[ /-]{_NAME}[ /-]{_YEAR2}{_TIME}", marks=_IN_NAMES),
    Form(
        "name of the month, day, year",
        rf"{_WEEKDAY}{_NAME}[ /-]{_DAY}(?:st|nd|rd|th)?[, /-] ?{_YEAR4}{_TIME}",
        marks=_IN_NAMES,
    ),
    Form("year, name of the month, day", rf"{_YEAR4}[ /-]{_NAME}[ /-]{_DAY}{_TIME}", marks=_IN_NAMES),
    Form("YYYY-MM", rf"{_YEAR4}[-/](?P<month>[0-9]{{2}})"),  # 2020.01 is a price
    Form("YYYYMmm", rf"{_YEAR4}[Mm](?P<month>[0-9]{{2}})", marks="Mm"),
    Form("MM/YYYY", rf"(?P<month>[0-9]{{2}})[-/]{_YEAR4}"),
    Form("name of the month, year", rf"{_NAME}[ /-]{_YEAR4}", marks=_IN_NAMES),
    Form("year, name of the month", rf"{_YEAR4}[ /-]{_NAME}", marks=_IN_NAMES),
    Form("YYYYQq", rf"{_YEAR4}[ -]?[Qq](?P<quarter>[1-4])", marks="Qq"),
    Form("Qq YYYY", rf"[Qq](?P<quarter>[1-4])[ /-]?{_YEAR4}", marks="Qq"),
    Form("YYYY-Www", rf"{_YEAR4}-?W(?P<week>[0-9]{{2}})(?:-?(?P<weekday>[1-7]))?", marks="W"),
)

CLOCK = Form("time of day", rf"{_HOUR}:{_MINUTE}(?::{_SECOND})?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?", marks=":")
"""A time of day alone, in a column beside the date's."""

_LONGEST = 64  # characters of a stamp
_HINTED = re.compile(r"[0-9].*[./-].*[0-9]|[A-Za-z]{3,}.*[0-9]{2}")


@lru_cache(maxsize=4096)
def forms_of(cell: str) -> tuple[Form, ...]:
    """All forms in which a cell, without blanks around it, may be written; most cells have one or none."""
    if len(cell) > _LONGEST:
        return ()
    if not _HINTED.search(cell) and not cell[:4].isdigit() and cell[:1] not in "Qq":
        return ()
    return tuple(form for form in _FORMS if form.fits(cell))


def is_stamp(cell: str) -> bool:
    """Whether a cell is written like a stamp."""
    return bool(forms_of(cell.strip()))
