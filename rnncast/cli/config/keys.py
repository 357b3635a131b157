"""Keys of a file as options: at the top for every command that has them, in a table for one.

A file that merely lies in the current folder sets options and does nothing else: it names no file to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from rnncast.cli.config.file import IGNORE, ConfigFile
from rnncast.cli.config.settings import SWITCHES, TYPED_ONLY, WRITTEN, Program, Setting, UnfitError
from rnncast.cli.config.sources import Source, Standing
from rnncast.cli.mistyped import nearest
from rnncast.errors import UsageError
from rnncast.records import dataclass


def from_file(file: ConfigFile, program: Program, settings: Mapping[str, Setting]) -> dict[str, Standing]:
    """Values for the options of one command, by parameter; a key of its table counts before one at the top.

    Keys of other tables are looked at when their command runs.

    Raises
    ------
    UsageError
        A key or table that there is not, or a value that its option does not take.
    """
    top = _Table(file, program, settings)
    keys: dict[str, Any] = {}
    for key, value in file.keys.items():
        if key in program.names:
            if not isinstance(value, dict):
                top.refuse(key, f"{key} must be a table", f"as [{key}], with its options on the lines below")
        elif isinstance(value, dict) and key not in settings and key not in TYPED_ONLY:
            top.refuse_table(key)
        else:
            keys[key] = value
    own = _Table(file, program, settings, program.own)
    return top.values(keys) | own.values(file.keys.get(program.own, {}))


def switches_from_file(file: ConfigFile, program: Program, settings: Mapping[str, Setting]) -> dict[str, Standing]:
    """Those of `SWITCHES` that are on; nothing is refused here."""
    own = file.keys.get(program.own, {})
    tables = {"": file.keys, program.own: own if isinstance(own, dict) else {}}
    return {
        settings[key].name: Standing(True, Source("file", key, file.place(key, table)), settings[key].spelled)
        for table, keys in tables.items()
        for key in SWITCHES
        if key in settings and keys.get(key) is True
    }


@dataclass(frozen=True)
class _Table:
    """Keys that stand in one table, or at the top.

    Attributes
    ----------
    file, program, settings
        The file, the commands, and the options of the one that runs.
    name : str
        The table; empty for the top.
    """

    file: ConfigFile
    program: Program
    settings: Mapping[str, Setting]
    name: str = ""

    def values(self, keys: Mapping[str, Any]) -> dict[str, Standing]:
        """Values of the keys that are options of the command."""
        found: dict[str, Standing] = {}
        for key, value in keys.items():
            setting = self.settings.get(key)
            if setting is None:
                self._check_foreign(key)
                continue
            if (other := found.get(setting.name)) is not None:
                fault = f"{other.source.name} and {self._called(key)} set the same option"
                self.refuse(key, fault, "keep one of them")
            standing = self._standing(setting, value)
            if standing is not None:
                found[setting.name] = standing
        return found

    def _standing(self, setting: Setting, value: Any) -> Standing | None:
        """Value of an option; None where it is one for another command, as forms of output are."""
        key, called = setting.key, self._called(setting.key)
        if setting.name in WRITTEN and not self.file.is_named:
            fault = f"{called} names a file to write, which a file that merely lies in this folder may not do"
            self.refuse(key, fault, f"type --{key}, or name the file: --config {self.file.path}")
        try:
            source = Source("file", called, self.file.place(key, self.name))
            return Standing(setting.from_toml(value), source, setting.spelled)
        except UnfitError as unfit:
            if not self.name and self.program.takes_elsewhere(key, Setting.from_toml, value):
                return None
            hint = f"did you mean {unfit.near}?" if unfit.near else IGNORE
            self.refuse(key, f"{called} must be {unfit.expected}, found {_shown(value)}", hint)

    def _check_foreign(self, key: str) -> None:
        """UsageError for a key that is no option of this command, unless it stands at the top and is one of another."""
        if key in TYPED_ONLY:
            self.refuse(key, f"{key} cannot stand in a file", f"type --{key}")
        owners = self.program.owners(key)
        if owners and not self.name:
            return
        if key in self.program.arguments:
            self.refuse(key, f"{key} cannot stand in a file", f"name it after rnncast {self.program.own}")
        if owners:
            hint = f"{' and '.join(owners)} can take it: move it to [{owners[0]}]"
            self.refuse(key, f"{self.name} has no option {key!r}", hint)
        known = set(self.settings) if self.name else set(self.settings).union(*self.program.others().values())
        near = nearest(key, known)
        hint = f"did you mean {near!r}?" if near else f"rnncast {self.program.own} --show-config shows what there is"
        self.refuse(key, f"there is no option {key!r}" + (f" for [{self.name}]" if self.name else ""), hint)

    def refuse_table(self, key: str) -> NoReturn:
        """Refuse a table that is named after no command."""
        near = nearest(key, self.program.names)
        tables = ", ".join(f"[{name}]" for name in self.program.names)
        hint = f"did you mean [{near}]?" if near else f"there are {tables}; what holds for all stands above the tables"
        self.refuse(key, f"there is no command {key!r} for a table", hint)

    def refuse(self, key: str, message: str, hint: str) -> NoReturn:
        """Refuse what stands at a key."""
        raise UsageError(message, where=self.file.place(key, self.name), hint=hint)

    def _called(self, key: str) -> str:
        return f"[{self.name}] {key}" if self.name else key


def _shown(value: Any) -> str:
    """A value as the file says it, if that is short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    text = repr(value) if isinstance(value, str | int | float | list) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
