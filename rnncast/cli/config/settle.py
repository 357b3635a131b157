"""The options of one call that were not typed, looked up in the environment and in a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rnncast.cli.config import sources
from rnncast.cli.config.environment import from_environment, unknown_variables
from rnncast.cli.config.file import ConfigFile, default_file, read_file
from rnncast.cli.config.keys import from_file, switches_from_file
from rnncast.cli.config.settings import SWITCHES, Program, file_settings, settings_of
from rnncast.cli.config.sources import Standing
from rnncast.errors import UsageError, typed_name
from rnncast.records import dataclass


@dataclass(frozen=True)
class Settled:
    """What was found.

    Attributes
    ----------
    typed
        Parameters of the options that were typed.
    standing : dict
        Values that stand elsewhere, by parameter.
    file
        The file of options that counts, if there is one.
    warnings : list of str
        What stands in the environment and has no effect.
    """

    typed: Collection[str]
    standing: Mapping[str, Standing]
    file: ConfigFile | None
    warnings: Sequence[str]


def settle(command: Any, context: Any, typed: Mapping[str, Any]) -> Settled:
    """Look up what was not typed, let it hold, and give it to the parser as defaults.

    Parameters
    ----------
    command, context
        The command that runs, and how it was called.
    typed : dict
        What the parser found on the command line, by parameter.
    """
    program = Program.of(command, context)
    settings = settings_of(command)
    switches = {key: settings[key] for key in SWITCHES if key in settings}
    sources.stand(from_environment(program, switches, typed))  # from here on errors are shown as they are to be
    standing = from_environment(program, settings | file_settings(command), typed)
    file = _chosen_file(typed, standing)
    if file is not None:
        sources.stand(switches_from_file(file, program, switches))
        kept = from_file(file, program, settings)
        standing = {name: one for name, one in kept.items() if name not in typed} | standing
    sources.forget()
    sources.stand(standing)
    context.default_map = {name: one.value for name, one in standing.items()}
    return Settled(typed.keys(), standing, file, unknown_variables(program, settings))


def _chosen_file(typed: Mapping[str, Any], standing: Mapping[str, Standing]) -> ConfigFile | None:
    """The file that counts: one that is named, else the one that lies in the current folder; None for none."""
    named = {name: (typed[name], typed_name(name)) for name in ("config", "no_config") if name in typed}
    named = named or {
        name: (standing[name].value, standing[name].source.name) for name in ("config", "no_config") if name in standing
    }
    ignore, word = named.get("no_config", (False, ""))
    if ignore and "config" in named:
        raise UsageError(f"{named['config'][1]} and {word} contradict each other", hint="leave one of them out")
    if ignore:
        return None
    if "config" in named:
        return read_file(*named["config"])
    path = default_file()
    return None if path is None else read_file(path)
