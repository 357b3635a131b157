"""Frozen dataclasses that are made fast: `dataclass` of the standard library, with shared methods.

The standard library writes and compiles six methods for each frozen class, some 0.65 ms of a start. The same methods
in a general form, shared by all of them, cost nothing there, and microseconds for each instance. Classes that are not
frozen are made as ever.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, eq: bool = True) -> Any:
        """As `dataclasses.dataclass`, whose functions work on what is made: `fields`, `replace`, `asdict`."""

        def make(cls: type) -> type:
            return _frozen(cls, eq) if frozen else dataclasses.dataclass(eq=eq)(cls)

        return make if cls is None else make(cls)


def _frozen(cls: type, eq: bool) -> type:
    shared: dict[str, Callable[..., Any]] = {
        "__init__": _init,
        "__repr__": _repr,
        "__setattr__": _refuse,
        "__delattr__": _refuse,
    }
    if eq:
        shared |= {"__eq__": _equal, "__hash__": _hash}
    for name, method in shared.items():
        if name not in cls.__dict__:
            setattr(cls, name, method)
    if eq and cls.__dict__.get("__hash__") is None:  # as it is where a class has an equality of its own
        setattr(cls, "__hash__", _hash)  # noqa: B010
    made: type = dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
    return made


def _init(self: Any, *values: Any, **named: Any) -> None:
    every = dataclasses.fields(self)
    taken = [field for field in every if field.init]
    if len(values) > len(taken):
        raise TypeError(f"{type(self).__name__} takes {len(taken)} values, got {len(values)}")
    given = dict(zip((field.name for field in taken), values, strict=False))
    if wrong := [name for name in named if name in given or name not in {field.name for field in taken}]:
        raise TypeError(f"{type(self).__name__} got an unexpected value for {wrong[0]!r}")
    given |= named
    own = self.__dict__
    for field in every:
        if field.name in given:
            own[field.name] = given[field.name]
        elif field.default is not MISSING:
            own[field.name] = field.default
        elif field.default_factory is not MISSING:
            own[field.name] = field.default_factory()
        elif field.init:
            raise TypeError(f"{type(self).__name__} needs a value for {field.name!r}")
    if hasattr(self, "__post_init__"):
        self.__post_init__()


def _repr(self: Any) -> str:
    values = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self) if f.repr)
    return f"{type(self).__qualname__}({values})"


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, field.name) for field in dataclasses.fields(self) if field.compare)


def _equal(self: Any, other: object) -> Any:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _refuse(self: Any, name: str, *value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}" if value else f"cannot delete field {name!r}")
