"""An option as environment and file name it, and its values from either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from rnncast.records import dataclass

TYPED_ONLY = frozenset({"help", "version", "config", "no-config", "show-config", "completion"})
"""Options that ask for something else than the work of a command, or say where the others stand."""

WRITTEN = frozenset({"output", "append", "save_forecasts", "checkpoint"})
"""Parameters that name a file to write."""

SWITCHES = ("json", "quiet", "debug")
"""Options that say how errors are shown, so that they are looked up before anything can be wrong."""

_SWITCH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class UnfitError(Exception):
    """A value that an option does not take: what it takes, and the nearest of it."""

    def __init__(self, expected: str, near: str | None = None) -> None:
        super().__init__(expected)
        self.expected = expected
        self.near = near


@dataclass(frozen=True)
class Setting:
    """An option under one of its names.

    Attributes
    ----------
    parameter
        The option of the command line.
    key : str
        Its name without the dashes.
    negative : bool
        Whether the name turns off, as ``no-skip-bad`` does.
    """

    parameter: Any
    key: str
    negative: bool = False

    @property
    def name(self) -> str:
        """Name of the parameter of the command."""
        return str(self.parameter.name)

    @property
    def kind(self) -> str:
        """Type of the option: boolean, int, float, choice or str."""
        return str(self.parameter.type.name)

    @property
    def choices(self) -> tuple[str, ...]:
        """The words that it takes; none where it takes others."""
        return tuple(getattr(self.parameter.type, "choices", ()))

    @property
    def spelled(self) -> tuple[str, ...]:
        """As it is typed."""
        return (*self.parameter.opts, *self.parameter.secondary_opts)

    def from_text(self, text: str) -> Any:
        """Value of a variable; UnfitError if it is none. A list is divided at its commas."""
        if self.kind == "boolean":
            on = _SWITCH.get(text.strip().lower())
            if on is None:
                raise UnfitError("1, 0, true, false, yes or no")
            return on is not self.negative
        readers: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "choice": self._choice}
        read = readers.get(self.kind, str)
        parts = text.split(",") if self.parameter.multiple else [text]
        try:
            values = [read(part) for part in parts]
        except ValueError:
            raise UnfitError(self._expected("numbers between commas")) from None
        return values if self.parameter.multiple else values[0]

    def from_toml(self, value: Any) -> Any:
        """Value of a key; UnfitError if it is none."""
        if self.kind == "boolean":
            if not isinstance(value, bool):
                raise UnfitError("true or false")
            return value is not self.negative
        if not self.parameter.multiple:
            return self._one(value)
        values = value if isinstance(value, list) else [value]
        if not values:
            raise UnfitError(self._expected("a number, or a list of them"))
        return [self._one(one) for one in values]

    def _one(self, value: Any) -> Any:
        is_int = isinstance(value, int) and not isinstance(value, bool)
        try:
            if self.kind == "int" and is_int:
                return value
            if self.kind == "float" and (is_int or isinstance(value, float)):
                return float(value)
            if self.kind == "choice" and isinstance(value, str):
                return self._choice(value)
            if self.kind == "str" and (is_int or isinstance(value, str | date)) and "\0" not in str(value):
                return value.isoformat() if isinstance(value, date) else str(value)
        except OverflowError:
            pass
        raise UnfitError(self._expected("a number, or a list of them"))

    def _choice(self, text: str) -> str:
        if text not in self.choices:
            from rnncast.cli.mistyped import nearest

            raise UnfitError(self._expected(""), nearest(text, self.choices))
        return text

    def _expected(self, several: str) -> str:
        if self.parameter.multiple:
            return several
        words = {"int": "a whole number", "float": "a number", "choice": f"one of {', '.join(self.choices)}"}
        return words.get(self.kind, "text")


def settings_of(command: Any) -> dict[str, Setting]:
    """The options of a command that may stand elsewhere than on the command line, by each of their names."""
    return {one.key: one for one in _settings(command) if one.key not in TYPED_ONLY}


def file_settings(command: Any) -> dict[str, Setting]:
    """The options that say which file counts: in the environment they may stand, in a file not."""
    return {one.key: one for one in _settings(command) if one.key in ("config", "no-config")}


def _settings(command: Any) -> Iterator[Setting]:
    options = (parameter for parameter in command.params if parameter.param_type_name == "option")
    for parameter in options:
        for words, negative in ((parameter.opts, False), (parameter.secondary_opts, True)):
            yield from (Setting(parameter, word[2:], negative) for word in words if word.startswith("--"))


@dataclass(frozen=True)
class Program:
    """The commands, each loaded only when what it takes is asked for.

    Attributes
    ----------
    group
        The program that holds the command that runs; None where that stands alone.
    own : str
        Name of the command that runs.
    arguments : tuple of str
        What that takes without a dash.
    """

    group: Any
    own: str
    arguments: tuple[str, ...]

    @classmethod
    def of(cls, command: Any, context: Any) -> Program:
        """That of a command in its call."""
        arguments = tuple(str(one.name) for one in command.params if one.param_type_name == "argument")
        return cls(context.parent.command if context.parent is not None else None, str(context.info_name), arguments)

    @property
    def names(self) -> list[str]:
        """Names of all commands."""
        return list(self.group.commands) if self.group is not None else [self.own]

    def settings(self, name: str) -> dict[str, Setting]:
        """What a command takes."""
        return settings_of(self.group.commands[name]) if self.group is not None else {}

    def others(self) -> dict[str, dict[str, Setting]]:
        """What the other commands take."""
        return {name: self.settings(name) for name in self.names if name != self.own}

    def owners(self, key: str) -> list[str]:
        """Other commands that take an option."""
        return [name for name, settings in self.others().items() if key in settings]

    def takes_elsewhere(self, key: str, read: Callable[[Setting, Any], Any], value: Any) -> bool:
        """Whether another command takes this value for its option of the same name, as with ``format``."""
        for settings in self.others().values():
            if key in settings:
                try:
                    read(settings[key], value)
                except UnfitError:
                    continue
                return True
        return False
