"""The description in a model file: JSON that is not trusted, read strictly and held against what a training writes.

What would fail later and less plainly fails here: an unknown token, a name given twice, a number that is none, a value
of another kind than the one that is read. Names that are not known are let through, and are shown by ``inspect``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from rnncast.errors import ModelFileError

MOST_PARTS = 100_000
"""Values of a description beside the ids; a long training writes a loss for each epoch."""

DEEPEST = 16
"""Lists and objects in one another; a training writes four."""

Description = Mapping[str, Any]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_version(value: object) -> bool:
    return _is_count(value) and value != 0


def _is_number(value: object) -> bool:
    return isinstance(value, float) or (_is_count(value) and cast(int, value) < 1 << 63)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _are_updates(value: object) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(map(_is_count, value))


def _are_losses(value: object) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(map(_is_number, value))


class _Maybe:
    """A value that may be null or absent; `kind` is what it is otherwise."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind


_FOLD = {"purpose": _is_text, "windows": _is_count} | {
    name: _Maybe(_is_text) for name in ("trained_until", "from", "until")
}
_GROUP = {"group": _is_text, "baseline": _is_text, "t_statistic": _Maybe(_is_number)} | {
    **{name: _is_number for name in ("blend", "network_relative_mae", "baseline_relative_mae", "blended_relative_mae")},
    **{name: _is_count for name in ("windows", "blocks")},
}
_RECORD = {
    "training": {"learning_rate": _is_number, "batch_size": _is_count, "seed": _is_count, "preset": _Maybe(_is_text)},
    **{name: _is_count for name in ("series", "rows", "windows", "best_epoch")},
    "updates": _are_updates,
    "folds": _Maybe([_FOLD]),
    "gate": _Maybe([_GROUP]),
    "coverage": _Maybe([{"level": _is_number, "coverage": _is_number, "windows": _is_count}]),
    "versions": _Maybe(_is_object),
    "continued": _Maybe([{"from": _is_text, "fold": _FOLD, "losses": _are_losses, "epochs": _is_count}]),
    **{name: _Maybe(_is_text) for name in ("fallback", "coverage_note", "data_fingerprint")},
}
_NETWORK = {
    **{name: _is_text for name in ("cell", "activation", "loss")},
    **{name: _is_count for name in ("hidden_size", "layers", "input_size", "horizon", "season_length")},
    **{"quantile_levels": [_is_number], "channels": [_is_text], "direct": _is_flag, "stateful": _Maybe(_is_flag)},
    **{name: _Maybe(_is_count) for name in ("recurrent_size", "long_season")},
}
_WHOLE = {
    "package_version": _is_text,
    "network": _NETWORK,
    "members": _is_count,
    "gate": _Maybe([{"baseline": _is_text, "share": _is_number}]),
    "blend": _Maybe(_is_number),
    "calibration": _Maybe({name: _is_number for name in ("decay", "persistence", "width")}),
    "columns": {"time": _is_text, "id": _Maybe(_is_text), "target": _is_text, "wide": _Maybe(_is_flag)},
    "calendar": _is_object,
    "trained_until": _is_text,
    "history": _Maybe({"ids": [_is_text], "dated": _is_flag}),
    "record": _RECORD,
}


def read_description(text: bytes, newest: int, series: int) -> dict[str, Any]:
    """The description of a model, checked but for what its parts check themselves.

    Parameters
    ----------
    text
        JSON.
    newest
        Newest version of the format that is understood.
    series
        Ids that there may be.

    Raises
    ------
    ModelFileError
        The file was written by a later version of rnncast.
    ValueError, or another of `rnncast.data.npz.DAMAGED`
        It is no description of a model.
    """
    _check_parts(text, MOST_PARTS + series)
    meta = json.loads(text.decode(), parse_constant=_refuse, object_pairs_hook=_named_once)
    if not isinstance(meta, dict) or meta["format"] != "rnncast" or not _is_version(meta["format_version"]):
        raise ValueError("the description is not that of a model")
    if meta["format_version"] > newest:
        raise ModelFileError(
            f"the model has format version {meta['format_version']}, this rnncast reads up to {newest}",
            hint=f"update rnncast: the file was written by version {str(meta['package_version'])[:40]}",
        )
    _check_sound(meta, 0)
    _check_kind(meta, _WHOLE, "the description")
    return meta


def _check_parts(text: bytes, most: int) -> None:
    """ValueError for so many values that in Python they would take many times the memory of the text."""
    plain = np.frombuffer(text.replace(b"\\\\", b"").replace(b'\\"', b""), np.uint8)
    outside = np.cumsum(plain == ord('"'), dtype=np.uint8) % 2 == 0  # of strings
    if np.count_nonzero(outside & np.isin(plain, list(b"[{:,"))) > most:
        raise ValueError(f"the description has more than {most} parts")


def _refuse(token: str) -> None:
    raise ValueError(f"{token} stands where a number is expected")


def _named_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise ValueError("a name stands in the description twice")
    return named


def _check_sound(value: Any, depth: int) -> None:
    """ValueError for what cannot be written out again: numbers beyond all bounds, half characters, a deep nest."""
    if depth > DEEPEST:
        raise ValueError("the description is nested too deeply")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("the description holds a number beyond all bounds")
    if isinstance(value, str):
        value.encode()  # UnicodeEncodeError, a ValueError, for half of a pair of surrogates
    for part in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_sound(part, depth + 1)


def _check_kind(value: Any, kind: Any, where: str) -> None:
    """ValueError for a value that is not of a kind: a test, a list of one kind, or an object of named ones."""
    if isinstance(kind, _Maybe):
        if value is not None:
            _check_kind(value, kind.kind, where)
    elif isinstance(kind, dict):
        if not isinstance(value, dict):
            raise _unexpected(value, where)
        for name, part in kind.items():
            if name not in value and not isinstance(part, _Maybe):
                raise ValueError(f"{where} lacks {name}")
            _check_kind(value.get(name), part, name)
    elif isinstance(kind, list):
        if not isinstance(value, list):
            raise _unexpected(value, where)
        for part in value:
            _check_kind(part, kind[0], where)
    elif not cast(Callable[[object], bool], kind)(value):
        raise _unexpected(value, where)


def _unexpected(value: object, where: str) -> ValueError:
    return ValueError(f"{where} is {str(value)[:40]!r}, and no training writes that")
