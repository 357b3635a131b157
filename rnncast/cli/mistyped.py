"""Mistyped words of the command line, and the nearest real ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rnncast.errors import UsageError


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like a word, whatever its case; None if none is."""
    from difflib import get_close_matches  # only for who mistyped

    by_lower = {candidate.lower(): candidate for candidate in candidates}
    near = get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[near[0]] if near else None


def refuse_single_dash(words: Sequence[str], parameters: Iterable[Any], help_names: Sequence[str]) -> None:
    """UsageError for ``-horizon``, which would be read as ``-h`` and other letters."""
    parameters = [one for one in parameters if one.param_type_name == "option"]
    known = {word for one in parameters for word in (*one.opts, *one.secondary_opts)} | set(help_names)
    valued = {word for one in parameters if not one.is_flag for word in one.opts}
    iterator = iter(words)
    for word in iterator:
        if word == "--":
            return
        if word in valued:
            next(iterator, None)
            continue
        if word[:1] != "-" or word[1:2] in ("-", "") or len(word) == 2:
            continue
        typed = word.partition("=")[0]
        if f"-{typed}" in known or word[:2] == "-h" or word[:2] not in known:
            near = nearest(f"-{typed}", known) or (word[:2] if word[:2] in known else None)
            raise UsageError(f"there is no option {typed}", hint=f"did you mean {near}?" if near else None)


def as_usage_error(error: Any) -> UsageError:
    """A fault that Typer found in the command line, in this program's words."""
    context: Any = getattr(error, "ctx", None)
    see = f"{context.command_path if context is not None else 'rnncast'} --help shows what there is"
    if hasattr(error, "possibilities"):
        return _no_option(error.option_name, context, see)
    message = str(error.format_message()).strip()
    if found := re.match(r"""No such command (['"])(.*)\1\.""", message):
        return _no_command(found[2], context.command.commands, see)
    if message.startswith("Missing command"):
        return UsageError("a command is missing", hint=f"{_listed(list(context.command.commands), 'or')}; {see}")
    choices = getattr(getattr(getattr(error, "param", None), "type", None), "choices", ())
    if choices and (wrong := re.search(r": '(.*)' is not ", message)):
        near = nearest(wrong[1], choices)
        see = f"did you mean {near!r}?" if near else see
    return UsageError(message.rstrip("."), hint=see)


def _no_option(name: str, context: Any, see: str) -> UsageError:
    """An option that there is not, or that belongs to another command or after its word."""
    message = f"there is no option {name}"
    if context is None:
        return UsageError(message, hint=see)
    group = getattr(context.parent or context, "command", None)
    by_command = {other: _words(command.params) for other, command in getattr(group, "commands", {}).items()}
    owners = [other for other, words in by_command.items() if name in words]
    if owners and context.parent is None:
        hint = f"as in rnncast {owners[0]} ... {name}; {_having(owners)} it"
        return UsageError(f"{name} comes after the command", hint=hint)
    if owners:
        return UsageError(f"{context.info_name} has no option {name}", hint=f"{_having(owners)} it")
    near = nearest(name, _words(context.command.get_params(context)))
    if near is None and context.parent is None:
        near = nearest(name, {word for words in by_command.values() for word in words})
        near = f"{near}, after the command" if near else None
    return UsageError(message, hint=f"did you mean {near}?" if near else see)


def _no_command(word: str, commands: Mapping[str, Any], see: str) -> UsageError:
    near = nearest(word, commands)
    if word == "help":
        hint = "rnncast --help, or rnncast train --help"
    elif near is None and os.path.exists(word):
        takers = [name for name, one in commands.items() if any(p.param_type_name == "argument" for p in one.params)]
        hint = f"the command comes first: {_listed(takers, 'or')} {word}"
    else:
        hint = f"did you mean {near!r}?" if near else see
    return UsageError(f"there is no command {word!r}", hint=hint)


def _words(parameters: Iterable[Any]) -> set[str]:
    """The options among parameters, as they are typed."""
    return {word for one in parameters if one.param_type_name == "option" for word in (*one.opts, *one.secondary_opts)}


def _having(names: Sequence[str]) -> str:
    return f"{_listed(names)} {'has' if len(names) == 1 else 'have'}"


def _listed(names: Sequence[str], word: str = "and") -> str:
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), names[-1])))
