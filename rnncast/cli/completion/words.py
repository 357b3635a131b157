"""What a shell can complete: the commands, their options, and what stands after each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rnncast.records import dataclass

_FILES = ("FILE", "LEDGER")
"""How help calls what is a file."""


@dataclass(frozen=True)
class Value:
    """What stands after an option, or without one.

    Attributes
    ----------
    label : str
        What help calls it.
    choices : tuple of str
        The words that it may be, if they are known.
    is_file, is_model : bool
        Whether it is a file, and one that ends in ``.npz``.
    """

    label: str
    choices: tuple[str, ...] = ()
    is_file: bool = False
    is_model: bool = False


@dataclass(frozen=True)
class Option:
    """An option.

    Attributes
    ----------
    words : tuple of str
        As it is typed.
    help : str
        Its line of help, without the default.
    value
        What stands after it; None for a flag.
    repeats : bool
        Whether it may be given again.
    """

    words: tuple[str, ...]
    help: str
    value: Value | None
    repeats: bool = False


@dataclass(frozen=True)
class Command:
    """A command with what it takes; the program itself has no name."""

    name: str
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Value, ...] = ()


def described(group: Any, context: Any) -> tuple[Command, ...]:
    """The program, and then its commands."""
    program = Command("", "", tuple(_options(group.get_params(context))))
    commands = [(name, group.commands[name]) for name in group.commands]
    return program, *(
        Command(
            name,
            command.short_help or "",
            tuple(_options(command.get_params(context))),
            tuple(_value(one) for one in command.params if one.param_type_name == "argument"),
        )
        for name, command in commands
    )


def _options(parameters: Iterable[Any]) -> Iterable[Option]:
    for one in parameters:
        if one.param_type_name == "option":
            text = (one.help or "").split("  [")[0].rstrip(".")
            value = None if one.is_flag else _value(one)
            yield Option((*one.opts, *one.secondary_opts), text, value, one.multiple)


def _value(parameter: Any) -> Value:
    """What a parameter takes, told from its type and from what help calls it, such as ``never|always|N``."""
    label = str(parameter.metavar or parameter.name).strip("[].")
    if parameter.param_type_name == "argument":
        return Value(label, is_file=True, is_model=label == "MODEL")
    choices = tuple(getattr(parameter.type, "choices", ())) or _words_of(parameter.metavar)
    return Value(label, choices, is_file=label in (*_FILES, "MODEL"), is_model=label == "MODEL")


def _words_of(metavar: str | None) -> tuple[str, ...]:
    return tuple(word for word in (metavar or "").split("|") if word.islower())
