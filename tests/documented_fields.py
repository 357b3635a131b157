"""The tables of docs/formats.md as something that a document can be held against.

A section is a heading and a table of fields: name in code, type, meaning. Types are ``text``, ``integer``, ``number``,
``true or false``, ``null``, ``any``, a link to another section, ``list of ...``, ``map to ...``, and alternatives with
``or``; ``, optional`` behind that. A row ``all of [section]`` takes in the fields of another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Sections = Mapping[str, Mapping[str, str]]

_OPTIONAL = ", optional"
_HEADER = "| field | type | meaning |"
_BASIC = {
    "text": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
    "any": lambda value: True,
}


def sections_of(page: str) -> dict[str, dict[str, str]]:
    """Heading -> name of each field -> its type, as written."""
    sections: dict[str, dict[str, str]] = {}
    heading, inside = "", False
    for line in page.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        inside = line == _HEADER or (inside and line.startswith("|"))
        if line == _HEADER:
            assert heading not in sections, f"{heading} has two tables"
            sections[heading] = {}
        elif inside and not line.startswith("|---"):
            name, kind, _ = (cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|", 2))
            key = name if name.startswith("all of ") else name.strip("`")
            assert key not in sections[heading], f"{heading} has {key} twice"
            sections[heading][key] = kind
    return sections


def fields_of(sections: Sections, section: str) -> dict[str, str]:
    """Fields of a section, with those that it takes in."""
    fields: dict[str, str] = {}
    for name, kind in sections[section].items():
        if name.startswith("all of "):
            fields |= fields_of(sections, _linked(name.removeprefix("all of ")))
        else:
            fields[name] = kind
    return fields


def differences(value: Any, kind: str, sections: Sections, place: str = "") -> Iterator[str]:
    """Where a value is not of a type: a field that is not described, one that is missing, or another type."""
    kind = _unwrapped(kind.replace("true or false", "boolean"))
    choices = _alternatives(kind)
    if len(choices) > 1:
        own = [c for c in choices if isinstance(value, list) == c.startswith("list of ")] or choices
        yield from min((list(differences(value, choice, sections, place)) for choice in own), key=len)
    elif kind in _BASIC:
        if not _BASIC[kind](value):
            yield f"{place}: {value!r} is no {kind}"
    elif kind.startswith("list of "):
        if not isinstance(value, list):
            yield f"{place}: {value!r} is no list"
        else:
            for item in value:
                yield from differences(item, kind.removeprefix("list of "), sections, f"{place}[]")
    elif not isinstance(value, dict):
        yield f"{place}: {value!r} is no object"
    elif kind.startswith("map to "):
        for item in value.values():
            yield from differences(item, kind.removeprefix("map to "), sections, f"{place}.*")
    else:
        fields = fields_of(sections, _linked(kind))
        yield from (f"{place}.{name} is not described" for name in value if name not in fields)
        missing = (name for name in fields if name not in value and not fields[name].endswith(_OPTIONAL))
        yield from (f"{place}.{name} is described and missing" for name in missing)
        for name in fields.keys() & value.keys():
            yield from differences(value[name], fields[name].removesuffix(_OPTIONAL), sections, f"{place}.{name}")


def _linked(text: str) -> str:
    match = re.fullmatch(r"\[(.+)\]\(#.*\)", text)
    assert match, f"{text!r} is no type"
    return match[1]


def _unwrapped(kind: str) -> str:
    return kind[1:-1] if kind.startswith("(") and kind.endswith(")") else kind


def _alternatives(kind: str) -> list[str]:
    """Parts between ``or`` outside brackets."""
    parts, depth = [""], 0
    for word in kind.split(" "):
        if word == "or" and depth == 0:
            parts.append("")
            continue
        depth += word.count("(") - word.count(")")
        parts[-1] = f"{parts[-1]} {word}".strip()
    return parts
