"""The fingerprint of a model: what it computes, in sixteen characters.

Over its parameters, its head, its configuration and its calibration; not over its file, its names, the rows it keeps or
how its training went. So a copy has the same, and a model that would forecast otherwise has another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Protocol

import numpy as np

from rnncast.model.config import NetworkConfig
from rnncast.model.model import Model

LENGTH = 16
"""Hexadecimal digits: a coincidence among a million models has odds of one in 37 million."""

_DESCRIPTION = frozenset({"columns", "calendar", "trained_until", "history", "record"})
"""Attributes of a model that tell of it and of its data, and decide no number for given rows."""


_DERIVED = frozenset({"huber_delta"})
"""Attributes computed from others, whose last digit may be the machine's."""


def fingerprint(model: Model) -> str:
    """First `LENGTH` digits of a SHA-256 over everything that decides the numbers of a forecast from given rows.

    An attribute that is None counts for nothing, so that one which a later version adds leaves the fingerprints of
    earlier models as they are.
    """
    digest = hashlib.sha256()
    for field in fields(model):
        if field.name not in _DESCRIPTION:
            _add(digest, field.name, getattr(model, field.name))
    return digest.hexdigest()[:LENGTH]


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


def _add(digest: _Digest, name: str, value: Any) -> None:
    """Feed a value under its name; numbers by their bytes, everything else as JSON."""
    if value is None:
        return
    if isinstance(value, np.ndarray):
        plain = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
        digest.update(json.dumps([name, plain.dtype.str, list(plain.shape)]).encode() + plain.tobytes())
        return
    if isinstance(value, NetworkConfig):
        value = value.identity()
    elif is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value) if field.name not in _DERIVED}
    if isinstance(value, tuple) and any(is_dataclass(part) for part in value):
        value = {str(number): part for number, part in enumerate(value)}
    if isinstance(value, Mapping):
        for key in sorted(value):
            _add(digest, f"{name}.{key}", value[key])
    else:
        digest.update(json.dumps([name, value]).encode())
