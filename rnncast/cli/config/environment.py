"""``RNNCAST_*``: an option as a variable, for every command that has it or for one."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping

from rnncast.cli.config.command import PREFIX
from rnncast.cli.config.settings import TYPED_ONLY, Program, Setting, UnfitError
from rnncast.cli.config.sources import Source, Standing
from rnncast.cli.mistyped import nearest
from rnncast.errors import UsageError

ALIASES = {"threads": "RNNCAST_NUM_THREADS"}
"""Options whose variable has a second name, which counts after the first."""

FOREIGN = frozenset({"RNNCAST_CACHE_DIR", "RNNCAST_VERSION"})
"""Variables that are no option: the folder of the kernels; what images of containers call a release."""


def present() -> list[str]:
    """The variables of this program that are set; an empty one is not."""
    return [name for name, value in os.environ.items() if name.startswith(PREFIX) and value]


def variable(key: str, command: str = "") -> str:
    """Name of the variable of an option: for all commands, or for one."""
    words = f"{command}_{key}" if command else key
    return PREFIX + words.upper().replace("-", "_")


def variables(key: str, command: str) -> tuple[str, ...]:
    """Variables that hold for an option of a command, the first that is set counts."""
    return (variable(key, command), variable(key), *([ALIASES[key]] if key in ALIASES else []))


def from_environment(program: Program, settings: Mapping[str, Setting], given: Collection[str]) -> dict[str, Standing]:
    """Values of the options that were not typed, by parameter.

    Raises
    ------
    UsageError
        A variable whose value its option does not take, or two that name one option.
    """
    found: dict[str, tuple[int, Standing]] = {}
    for rank, name, setting in _set(program, settings):
        if setting.name in given:
            continue
        known = found.get(setting.name)
        if known is not None and known[0] == rank:
            raise UsageError(f"{known[1].source.name} and {name} set the same option", hint="unset one of them")
        if known is not None and known[0] < rank:
            continue
        try:
            value = setting.from_text(os.environ[name])
        except UnfitError as unfit:
            if rank and program.takes_elsewhere(setting.key, Setting.from_text, os.environ[name]):
                continue
            raise _unfit(name, unfit) from None
        found[setting.name] = (rank, Standing(value, Source("environment", name), setting.spelled))
    return {name: standing for name, (_, standing) in found.items()}


def _set(program: Program, settings: Mapping[str, Setting]) -> Iterator[tuple[int, str, Setting]]:
    """Variables that are set and name an option of this command, with their rank: the lower counts."""
    for setting in settings.values():
        for rank, name in enumerate(variables(setting.key, program.own)):
            if os.environ.get(name):
                yield rank, name, setting


def _unfit(name: str, unfit: UnfitError) -> UsageError:
    hint = f"did you mean {unfit.near}?" if unfit.near else f"unset {name}, or give another value"
    return UsageError(f"{name} must be {unfit.expected}, found {os.environ[name]!r}", hint=hint)


def unknown_variables(program: Program, settings: Mapping[str, Setting]) -> list[str]:
    """A warning for each variable that no command knows; environments are shared, so it is no error."""
    own = {name for key in (*settings, "config", "no-config") for name in variables(key, program.own)}
    strange = [name for name in present() if name not in own and name not in FOREIGN]
    if not strange:
        return []
    known = own | {
        name
        for command, others in program.others().items()
        for key in (*others, "config", "no-config")
        for name in variables(key, command)
    }
    return [_warning(name, known) for name in strange if name not in known]


def _warning(name: str, known: Collection[str]) -> str:
    key = name.removeprefix(PREFIX).lower().replace("_", "-")
    if key in TYPED_ONLY:
        return f"{name} has no effect: --{key} is given on the command line only"
    near = nearest(name.removeprefix(PREFIX), [other.removeprefix(PREFIX) for other in known])
    return f"{name} is not known and has no effect" + (f"; did you mean {PREFIX}{near}?" if near else "")
