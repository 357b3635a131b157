"""Model files that somebody made to do harm, or that a broken program wrote: name -> bytes.

All are changes of one sound model. `refused` gives those that are none; `unusual` those that may be one, of numbers
that no training gives: such a file may be refused, or be used like any other.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnncast.model.artifact import FORMAT_VERSION

MODELS = Path(__file__).parent.parent / "fixtures" / "models" / f"format_{FORMAT_VERSION}"
VERSION = f'"format_version": {FORMAT_VERSION}'
SOUND, STATEFUL = MODELS / "panel_with_zone.npz", MODELS / "stateful_gru.npz"

Members = dict[str, bytes]
MIB = 1 << 20
SINGLE_WEIGHTS = "layer0.input_weight.npy"


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.marker, "w")


def members_of(path: Path = SOUND) -> Members:
    """Members of a model file."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members: Members, method: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of these members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return stream.getvalue()


def npy(array: Any, **options: Any) -> bytes:
    """An array as a file of its own."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asanyarray(array), **options)
    return stream.getvalue()


def declaring(header: str | bytes, data: bytes = b"", magic: bytes = b"\x93NUMPY\x01\x00") -> bytes:
    """An array with any header."""
    text = header.encode() if isinstance(header, str) else header
    size = struct.pack("<H", len(text)) if magic[6:7] == b"\x01" else struct.pack("<I", len(text))
    return magic + size + text + data


def array_of(data: bytes) -> np.ndarray:
    """Inverse of `npy`."""
    return np.lib.format.read_array(io.BytesIO(data))


def meta_of(members: Members) -> dict[str, Any]:
    """The description in a model file."""
    described: dict[str, Any] = json.loads(array_of(members["meta.npy"]).tobytes())
    return described


def as_meta(text: str | bytes) -> bytes:
    """A description as a member."""
    return npy(np.frombuffer(text.encode() if isinstance(text, str) else text, dtype=np.uint8))


def with_meta(change: Callable[[dict[str, Any]], object], path: Path = SOUND) -> bytes:
    """The model with a changed description."""
    members = members_of(path)
    meta = meta_of(members)
    change(meta)
    return packed(members | {"meta.npy": as_meta(json.dumps(meta))})


def with_text(change: Callable[[str], str]) -> bytes:
    """The model with a changed text of its description."""
    members = members_of()
    return packed(members | {"meta.npy": as_meta(change(json.dumps(meta_of(members))))})


def with_array(name: str, change: Callable[[np.ndarray], Any], path: Path = SOUND) -> bytes:
    """The model with a changed array."""
    members = members_of(path)
    changed = change(array_of(members[name]).copy())
    return packed(members | {name: changed if isinstance(changed, bytes) else npy(changed)})


def refused(marker: Path) -> Iterator[tuple[str, bytes]]:
    """Files that are no model; those with a pickle would make the file `marker`."""
    for part in (_pickles(str(marker)), _headers(), _arrays(), _descriptions(), _archives(), _no_archives(), large()):
        yield from part


def large() -> Iterator[tuple[str, bytes]]:
    """Those of them that unpack to much, or are much."""
    yield from _bombs()
    yield from _huge_descriptions()


def _pickles(marker: str) -> Iterator[tuple[str, bytes]]:
    objects = np.array([Payload(marker)], dtype=object)
    payload, members = pickle.dumps(Payload(marker)), members_of()
    for name in ("spread.npy", "meta.npy", SINGLE_WEIGHTS, "history.times.npy"):
        yield f"objects in {name}", packed(members | {name: npy(objects, allow_pickle=True)})
    yield "a pickle for an array", packed(members | {"spread.npy": payload})
    yield "a pickle for the description", packed(members | {"meta.npy": payload})
    yield "a pickle beside the arrays", packed(members | {"model.pkl": payload})
    yield "a pickle for the file", payload
    header = "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,)}\n"
    yield "a structure with an object", packed(members | {"spread.npy": declaring(header, payload)})


def _bombs() -> Iterator[tuple[str, bytes]]:
    members, zeros = members_of(), npy(np.zeros((40 * MIB // 8, 1)))
    deflated, bz2, lzma = zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA
    yield "1000:1, rows", packed(members | {"history.values.npy": zeros}, deflated)
    yield "1000:1, weights", packed(members | {SINGLE_WEIGHTS: npy(np.zeros(10 * MIB, np.float32))}, deflated)
    yield "1000:1, description", packed(members | {"meta.npy": as_meta(b" " * 40 * MIB)}, deflated)
    yield "1000:1, small description", packed(members | {"meta.npy": as_meta(b" " * 7 * MIB)}, deflated)
    yield "1000:1, a member that is not known", packed(members | {"bomb.npy": zeros}, deflated)
    yield "1000:1, bzip2", packed(members | {"history.values.npy": zeros}, bz2)
    yield "1000:1, lzma", packed(members | {"history.values.npy": zeros}, lzma)
    inner = packed({"history.values.npy": zeros}, deflated)
    yield "a bomb in an archive in the archive", packed(members | {"inner.zip": inner}, deflated)
    yield "an archive for an array", packed(members | {"spread.npy": inner}, deflated)
    yield "5,000 members", packed(members | {f"{number}.npy": b"" for number in range(5_000)})
    sizes = _central_sizes(packed(members))
    yield "2^32 - 2 bytes declared in the directory", sizes(0xFFFFFFFE)
    yield "2^32 - 1 bytes declared in the directory", sizes(0xFFFFFFFF)


def _central_sizes(data: bytes) -> Callable[[int], bytes]:
    def sized(size: int) -> bytes:
        changed = bytearray(data)
        for place in central(data):
            struct.pack_into("<I", changed, place + 24, size)
        return bytes(changed)

    return sized


def central(data: bytes) -> list[int]:
    """Places of the entries in the directory of an archive without a comment."""
    places, place = [], struct.unpack_from("<I", data, len(data) - 6)[0]
    while data[place : place + 4] == b"PK\x01\x02":
        places.append(place)
        place += 46 + sum(struct.unpack_from("<HHH", data, place + 28))
    return places


HEADERS = {
    "2^45 numbers": "{'descr': '<f8', 'fortran_order': False, 'shape': (35184372088832,)}\n",
    "2^45 rows": "{'descr': '<f8', 'fortran_order': False, 'shape': (35184372088832, 1)}\n",
    "2^62 numbers": "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904,)}\n",
    "2^64 numbers": "{'descr': '<f8', 'fortran_order': False, 'shape': (18446744073709551616,)}\n",
    "a negative length": "{'descr': '<f8', 'fortran_order': False, 'shape': (-3,)}\n",
    "a negative length of rows": "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 1)}\n",
    "no number beside 2^62": "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4611686018427387904)}\n",
    "40 dimensions": f"{{'descr': '<f8', 'fortran_order': False, 'shape': {(1,) * 40}}}\n",
    "a fraction of a length": "{'descr': '<f8', 'fortran_order': False, 'shape': (3.0,)}\n",
    "a length that is text": "{'descr': '<f8', 'fortran_order': False, 'shape': ('3',)}\n",
    "a number for a shape": "{'descr': '<f8', 'fortran_order': False, 'shape': 3}\n",
    "a call for a shape": "{'descr': '<f8', 'fortran_order': False, 'shape': (len('abc'),)}\n",
    "an import for a type": "{'descr': __import__('os'), 'fortran_order': False, 'shape': (3,)}\n",
    "a type that is a pointer": "{'descr': '|V0', 'fortran_order': False, 'shape': (3,)}\n",
    "2^31 bytes a number": "{'descr': '|S2147483647', 'fortran_order': False, 'shape': (1,)}\n",
    "a type of types": "{'descr': [('a', [('b', [('c', '<f8')])])], 'fortran_order': False, 'shape': (3,)}\n",
    "no type": "{'fortran_order': False, 'shape': (3,)}\n",
    "one name more": "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'x': 1}\n",
    "an order that is text": "{'descr': '<f8', 'fortran_order': 'no', 'shape': (3,)}\n",
    "a header that is nested": "(" * 5000 + ")" * 5000,
    "a header that is a list": "[" * 90 + "]" * 90,
    "a long header": "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}" + " " * 60_000 + "\n",
    "no header": "",
    "a header of nulls": "\0" * 118,
    "an open text in the header": "{'descr': '<f8",
}


def _headers() -> Iterator[tuple[str, bytes]]:
    members, numbers = members_of(), np.ones(3).tobytes()
    for name, header in HEADERS.items():
        place = "history.values.npy" if "rows" in name else "spread.npy"
        yield name, packed(members | {place: declaring(header, numbers)})
    plain = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}\n"
    for version in (b"\x02\x00", b"\x03\x00", b"\x09\x09", b"\x01\x01"):
        magic = b"\x93NUMPY" + version
        yield f"array format {version.hex()}", packed(members | {"spread.npy": declaring(plain, numbers, magic)})
    yield "another magic", packed(members | {"spread.npy": declaring(plain, numbers, b"\x93NUMPX\x01\x00")})
    yield "an array of no bytes", packed(members | {"spread.npy": b""})
    yield "an array that is cut off", packed(members | {"spread.npy": members["spread.npy"][:-1]})
    yield "an array with a tail", packed(members | {"spread.npy": members["spread.npy"] + b"\0"})


TYPES = ("<f8", "<f2", ">f4", "<c8", "<i4", "|b1", "<M8[us]", "<U1", "|S4", "|V4")


def _arrays() -> Iterator[tuple[str, bytes]]:
    for kind in TYPES:
        yield f"weights of type {kind}", with_array(SINGLE_WEIGHTS, lambda a, t=kind: np.zeros(a.shape, t))
    shapes: dict[str, Callable[[np.ndarray], Any]] = {
        "one row more": lambda a: np.concatenate((a, a[:1])),
        "one dimension more": lambda a: a[None],
        "turned": lambda a: np.ascontiguousarray(a.T),
        "no number": lambda a: a[:0],
        "Fortran order": lambda a: np.asfortranarray(np.concatenate((a, a))[:1] if a.shape[0] > 1 else a),
    }
    for name, change in shapes.items():
        yield f"weights, {name}", with_array(SINGLE_WEIGHTS, change)
    for place in (SINGLE_WEIGHTS, "output.bias.npy", "spread.npy", "base_gap.npy", "calibration.scores.npy",
                  "history.values.npy"):  # fmt: skip
        for bad in (np.nan, np.inf):
            yield f"{bad} in {place}", with_array(place, lambda a, b=bad: _with_first(a, b))
    yield "nan in a state", with_array("history.states.npy", lambda a: _with_first(a, np.nan), STATEFUL)
    yield "times that go back", with_array("history.times.npy", lambda a: a[::-1].copy())
    yield "times that stand still", with_array("history.times.npy", np.zeros_like)
    yield "rows of no series", with_array("history.indptr.npy", lambda a: a + 1)
    yield "rows of a series that go back", with_array("history.indptr.npy", lambda a: a[[0, 2, 1]])
    yield "a truth that is neither", with_array("history.logarithmic.npy", lambda a: npy(a)[:-1] + b"\x07")
    members = members_of()
    for name in members:
        yield f"without {name}", packed({other: data for other, data in members.items() if other != name})


def _with_first(array: np.ndarray, value: float) -> np.ndarray:
    array.reshape(-1)[0] = value
    return array


TEXTS = {
    "nothing": "",
    "null": "null",
    "a list": "[]",
    "a text": '"rnncast"',
    "a number": "1",
    "an open object": "{",
    "NaN": '{"format": NaN}',
    "100,000 lists in one another": "[" * 100_000 + "]" * 100_000,
    "an integer of 10,000 digits": '{"format": "rnncast", "format_version": ' + "9" * 10_000 + "}",
    "only the format": '{"format": "rnncast", "format_version": 2}',
    "the format of another program": '{"format": "other", "format_version": 2}',
}
CHANGES: dict[str, Callable[[str], str]] = {
    "a version beyond all": lambda text: text.replace(VERSION, '"format_version": 1e999'),
    "a version that is text": lambda text: text.replace(VERSION, '"format_version": "2"'),
    "a newer version": lambda text: text.replace(VERSION, f'"format_version": {FORMAT_VERSION + 1}'),
    "version 0": lambda text: text.replace(VERSION, '"format_version": 0'),
    "NaN in the record": lambda text: text.replace('"best_epoch": ', '"x": NaN, "best_epoch": '),
    "Infinity in the record": lambda text: text.replace('"best_epoch": ', '"x": -Infinity, "best_epoch": '),
    "1e999 in the record": lambda text: text.replace('"best_epoch": ', '"x": 1e999, "best_epoch": '),
    "a deep record": lambda text: text.replace('"best_epoch": ', f'"x": {"[" * 900}{"]" * 900}, "best_epoch": '),
    "a name twice": lambda text: text.replace('"members": ', '"members": 3, "members": ', 1),
    "half a character in an id": lambda text: text.replace('"north"', '"\\ud800"'),
    "half a character in a name": lambda text: text.replace('"best_epoch": ', '"\\udfff": 1, "best_epoch": '),
    "an id twice": lambda text: text.replace('"north"', '"south"'),
    "a byte-order mark": lambda text: "\ufeff" + text,
    "a tail": lambda text: text + "{}",
}


def _descriptions() -> Iterator[tuple[str, bytes]]:
    members = members_of()
    for name, text in TEXTS.items():
        yield f"description: {name}", packed(members | {"meta.npy": as_meta(text)})
    for name, change in CHANGES.items():
        yield f"description: {name}", with_text(change)
    text = json.dumps(meta_of(members))
    yield "description: UTF-16", packed(members | {"meta.npy": as_meta(text.encode("utf-16"))})
    latin = text.replace("north", "n\xf6rd").encode("latin-1")
    yield "description: Latin-1", packed(members | {"meta.npy": as_meta(latin)})


def _huge_descriptions() -> Iterator[tuple[str, bytes]]:
    members = members_of()
    text = json.dumps(meta_of(members))
    huge = {"lists": "[],", "objects": "{},", "integers": "-6,", "texts": '"ab",', "fractions": "1.5,"}
    for name, part in huge.items():
        for size in (7, 9):
            filled = '{"x": [' + part * (size * MIB // len(part)) + "0], " + text[1:]
            yield f"description: {size} MiB of {name}", packed(members | {"meta.npy": as_meta(filled)})
    names = ", ".join(f'"{number:06x}": 0' for number in range(500_000))
    yield "description: 500,000 names", packed(members | {"meta.npy": as_meta("{" + names + ", " + text[1:])})
    escaped = '{"x": "' + '\\"' * (3 * MIB)
    yield "description: an open text of 3 Mi quotes", packed(members | {"meta.npy": as_meta(escaped)})


NAMES = ("../e.npy", "/tmp/e.npy", "..\\e.npy", "C:\\e.npy", "meta.npy/", "META.npy", "meta", "", "\u202enpy.x")


def _archives() -> Iterator[tuple[str, bytes]]:
    members, data = members_of(), packed(members_of())
    for name in NAMES:
        yield f"a member {ascii(name)}", packed(members | {name: npy(np.zeros(1))})
    yield "a link among the members", _with_link(members)
    with io.BytesIO() as stream:
        with zipfile.ZipFile(stream, "w") as archive:
            for name, content in [*members.items(), ("meta.npy", members["meta.npy"])]:
                archive.writestr(zipfile.ZipInfo(name + ("_" if name in archive.namelist() else "")), content)
        yield "a member twice", stream.getvalue().replace(b"meta.npy_", b"meta.npy\0")
    for name, (offset, form, value) in {
        "encrypted": (8, "<H", 1),
        "strongly encrypted": (8, "<H", 0x41),
        "patched": (8, "<H", 0x20),
        "method 99": (10, "<H", 99),
        "method deflate for what is stored": (10, "<H", 8),
        "method bzip2 for what is stored": (10, "<H", 12),
        "method lzma for what is stored": (10, "<H", 14),
        "version 99 needed": (6, "<H", 990),
        "another checksum": (16, "<I", 1),
        "a smaller size": (24, "<I", 10),
        "another packed size": (20, "<I", 10),
        "a gigantic packed size": (20, "<I", 0xFFFFFFF0),
        "a place beyond the end": (42, "<I", 0x7FFFFFFF),
        "the place of another member": (42, "<I", 0),
        "a long extra field": (30, "<H", 0xFFFF),
        "a long name": (28, "<H", 0xFFFF),
        "a long comment": (32, "<H", 0xFFFF),
    }.items():
        changed = bytearray(data)
        struct.pack_into(form, changed, central(data)[1] + offset, value)
        yield f"a member, {name}", bytes(changed)
    yield from _ends(data)
    yield "zip64 sizes of 2^63", _with_extra(data, struct.pack("<HHQQ", 1, 16, 1 << 63, 1 << 63))
    yield "zip64 field that is cut off", _with_extra(data, struct.pack("<HHI", 1, 16, 1))


def _ends(data: bytes) -> Iterator[tuple[str, bytes]]:
    end = len(data) - 22
    for name, (offset, form, value) in {
        "a directory of another size": (12, "<I", 10),
        "a directory beyond the end": (16, "<I", 0x7FFFFFF0),
        "a comment that is not there": (20, "<H", 500),
    }.items():
        changed = bytearray(data)
        struct.pack_into(form, changed, end + offset, *[value] * (len(form) - 1))
        yield f"the end: {name}", bytes(changed)
    yield "the end: a comment", data[:-2] + struct.pack("<H", 60_000) + b"x" * 60_000
    yield "the end: a tail", data + b"x" * 1000
    yield "the end: two of them", data + data[end:]
    yield "the end alone", data[end:]
    yield "garbage before the archive", b"#!/bin/sh\nexit 1\n" + data


def _with_extra(data: bytes, extra: bytes) -> bytes:
    """The archive with the extra field of its first member's entry in the directory, and sizes that refer to it."""
    place = central(data)[0]
    name = struct.unpack_from("<H", data, place + 28)[0]
    entry = bytearray(data[place : place + 46 + name])
    struct.pack_into("<II", entry, 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", entry, 30, len(extra))
    old = 46 + sum(struct.unpack_from("<HHH", data, place + 28))
    end = bytearray(data[-22:])
    struct.pack_into("<I", end, 12, struct.unpack_from("<I", end, 12)[0] + len(entry) + len(extra) - old)
    return data[:place] + bytes(entry) + extra + data[place + old : -22] + bytes(end)


def _with_link(members: Members) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            if name == "spread.npy":
                info.external_attr, content = 0o120777 << 16, b"/etc/passwd"
            archive.writestr(info, content)
    return stream.getvalue()


def _no_archives() -> Iterator[tuple[str, bytes]]:
    yield "an empty file", b""
    yield "a file of nulls", b"\0" * MIB
    yield "a text", b"date,close\n2024-01-01,1\n"
    yield "an array", npy(np.zeros(3))
    yield "an empty archive", packed({})
    yield "the magic alone", b"PK\x03\x04"


def unusual() -> Mapping[str, bytes]:
    """Files that may be models."""
    changes: dict[str, Callable[[dict[str, Any]], object]] = {}
    for name in ("hidden_size", "layers", "input_size", "horizon", "season_length"):
        for value in (0, 2, 1 << 12, 100_000, 10**9, 10**30):
            changes[f"{name} {value}"] = lambda meta, n=name, v=value: meta["network"].update({n: v})
    for value in (0, 2, 10**9, 10**30):
        changes[f"{value} members"] = lambda meta, v=value: meta.update(members=v)
    for value in ("9999999YE", "1ns", "99999999999999h", "B", "1", "0D", "YE-XXX", "\0", "30000D"):
        changes[f"step {ascii(value)}"] = lambda meta, v=value: meta["calendar"].update(freq=v)
    for value in ("../../etc/passwd", "/etc/passwd", "Europe", "UTC", "\0", "x" * 5000):
        changes[f"zone {ascii(value)[:40]}"] = lambda meta, v=value: meta["calendar"].update(zone=v)
    for value in ("999999999-01-01", "NaT", "", "-9999-01-01", "today", "2024-04-01T23:00:00.000000000001"):
        changes[f"trained until {ascii(value)}"] = lambda meta, v=value: meta.update(trained_until=v)
    changes["closed nearly always"] = lambda meta: meta["calendar"].update(
        freq="B", closures=[f"{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 32)]
    )
    changes["many levels"] = lambda meta: meta["network"].update(
        quantile_levels=(np.arange(1, 100_000) / 100_000).tolist()
    )
    found = {name: with_meta(change) for name, change in changes.items()}
    data = packed(members_of())
    for name, place in {"a member of another disk": central(data)[1] + 34, "a disk of many": len(data) - 18,
                        "another number of members": len(data) - 14}.items():  # fmt: skip
        changed = bytearray(data)
        struct.pack_into("<H", changed, place, 3)
        found[name] = bytes(changed)
    for value in (1e308, -1e308, 5e-324, 1e-300):
        found[f"rows of {value}"] = with_array("history.values.npy", lambda a, v=value: np.full_like(a, v))
        found[f"last row of {value}"] = with_array("history.values.npy", lambda a, v=value: _with_last(a, v))
    for value in (3e38, -3e38, 1e-45):
        found[f"weights of {value}"] = with_array(SINGLE_WEIGHTS, lambda a, v=value: np.full_like(a, v))
        found[f"output of {value}"] = with_array("output.bias.npy", lambda a, v=value: np.full_like(a, v))
    for value in (1e308, 5e-324, -1.0):
        found[f"spread of {value}"] = with_array("spread.npy", lambda a, v=value: np.full_like(a, v))
        found[f"scores of {value}"] = with_array("calibration.scores.npy", lambda a, v=value: np.full_like(a, v))
    for name, shift in {"the first stamps": -(1 << 62), "the last stamps": 1 << 62, "far stamps": 1 << 58}.items():
        found[name] = with_array("history.times.npy", lambda a, s=shift: a + s)
    found["no stamp"] = with_array("history.times.npy", lambda a: _with_first(a, np.iinfo(np.int64).min))
    return found


def _with_last(array: np.ndarray, value: float) -> np.ndarray:
    array.reshape(-1)[-1] = value
    return array
