"""Where the options of this call stand, for those that nobody typed.

Such a value is a default: a command refuses an option without effect only where it was typed (`by_flag`), and an error
about one that stands elsewhere names that place (`place`). Every call loads this module: it imports next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import re

    from rnncast.errors import RnncastError

_WORD = r"(?<![\w-])--?[A-Za-z][A-Za-z-]*(?![\w-])"
"""An option as a message names it."""


class Source(NamedTuple):
    """Where a value stands.

    Attributes
    ----------
    kind
        Environment or file.
    name : str
        What it is called there: ``RNNCAST_HORIZON``, ``horizon``, ``[train] horizon``.
    place : str or None
        File and line.
    """

    kind: Literal["environment", "file"]
    name: str
    place: str | None = None

    def __str__(self) -> str:
        return self.name if self.place is None else f"{self.place}, {self.name}"


class Standing(NamedTuple):
    """A value that nobody typed.

    Attributes
    ----------
    value
        As the option takes it.
    source : Source
        Where it stands.
    spelled : tuple of str
        Its option as it would be typed.
    """

    value: Any
    source: Source
    spelled: tuple[str, ...]


_standing: dict[str, Standing] = {}


def forget() -> None:
    """A call begins, or is over: nothing stands."""
    _standing.clear()


def stand(values: Mapping[str, Standing]) -> None:
    """Let values hold in this call; keys are the parameters of the command."""
    _standing.update(values)


def by_flag(*names: str) -> bool:
    """Whether none of these options of the call, named as parameters, has its value from environment or file."""
    return _standing.keys().isdisjoint(names)


def switches() -> set[str]:
    """The flags that are on without having been typed."""
    return {word for one in _standing.values() if one.value is True for word in one.spelled}


def place(error: RnncastError) -> None:
    """Let an error that names an option say where its value stands, if nobody typed it."""
    import re

    by_word = {word: one.source for one in _standing.values() for word in one.spelled}
    named: list[Source] = []

    def instead(match: re.Match[str]) -> str:
        source = by_word.get(match[0])
        if source is None:
            return match[0]
        named.append(source)
        return source.name

    error.message = re.sub(_WORD, instead, error.message)
    error.args = (error.message, *error.args[1:])
    places = [source.place for source in named if source.place is not None]
    hinted = [by_word[word] for word in re.findall(_WORD, error.hint or "") if word in by_word]
    places += [str(source) for source in hinted if source not in named]
    error.where = "; ".join(dict.fromkeys(filter(None, (error.where, *places)))) or None
