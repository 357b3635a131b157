"""Damaged, crafted and foreign model files: refused, or used as what they were; no crash, no code run, little memory.

The full counts of docs/reliability.md: ``python -m pytest -m faults tests/faults/test_model_file.py -rP``
"""

from __future__ import annotations

import copy
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import crafted_models
import numpy as np
import pytest
from cli_cases import call
from crafted_models import MODELS, SOUND
from in_children import check_end, counts, needs_fork, run_each

from rnncast.cli.inputs import open_model
from rnncast.errors import ModelFileError
from rnncast.model.artifact import load_model, save_model

SMALLEST = min(MODELS.glob("*.npz"), key=lambda path: path.stat().st_size)


def content(path: Path) -> bytes:
    """Everything that a model holds, as the bytes of a file."""
    again = path.parent / "again.npz"
    save_model(load_model(path), again)
    return again.read_bytes()


def test_every_truncation_is_refused(tmp_path):
    path = tmp_path / "m.npz"
    path.write_bytes(SMALLEST.read_bytes())
    size = path.stat().st_size
    for length in range(size - 1, -1, -1):
        os.truncate(path, length)
        with pytest.raises(ModelFileError):
            open_model(str(path))
    print(f"{size:,} truncations: all refused")


@counts(400, 10_000)
def test_a_flipped_bit_is_noticed_or_changes_nothing(rng, tmp_path, count):
    path, data = tmp_path / "m.npz", SMALLEST.read_bytes()
    path.write_bytes(data)
    expected, refused = content(path), 0
    for place in rng.choice(8 * len(data), count, replace=False):
        damaged = bytearray(data)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            open_model(str(path))
        except ModelFileError:
            refused += 1
        else:
            assert content(path) == expected, f"bit {place}"
    print(f"{count:,} flipped bits: {refused:,} refused, {count - refused:,} loaded with the same content")
    assert 0 < refused < count


def test_crafted_files_are_refused(tmp_path):
    path, marker = tmp_path / "m.npz", tmp_path / "unpickled"
    crafted = dict(crafted_models.refused(marker))
    assert len(crafted) >= 100
    for name, data in crafted.items():
        path.write_bytes(data)
        got = call("forecast", path)
        assert (got.code, got.out) == (65, ""), (name, got.err)
        assert len(got.err.splitlines()) <= 6, (name, got.err)
    assert not marker.exists()


@needs_fork
@pytest.mark.parametrize("full", [False, pytest.param(True, marks=pytest.mark.faults)], ids=["short", "full"])
def test_crafted_files_take_little_memory_and_time(tmp_path, full):
    marker = tmp_path / "unpickled"
    crafted = dict(crafted_models.refused(marker) if full else crafted_models.large())
    commands = ("forecast", "inspect", "evaluate") if full else ("forecast",)
    jobs = [["forecast", str(SOUND)]]
    for number, data in enumerate(crafted.values()):
        (tmp_path / f"{number}.npz").write_bytes(data)
    for command in commands:
        more = [str(MODELS / "series.csv")] if command == "evaluate" else []
        jobs += [[command, str(tmp_path / f"{number}.npz"), *more] for number in range(len(crafted))]
    sound, *results = run_each(jobs)
    assert sound["code"] == 0, sound
    for name, got in zip([*crafted] * len(commands), results, strict=True):
        check_end(name, got, {65}, sound)
    assert not marker.exists()
    most = max(got["memory"] for got in results) - sound["memory"]
    print(f"{len(crafted)} crafted files, {', '.join(commands)}: all 65, at most {most:.0f} MiB over the baseline")


@needs_fork
@pytest.mark.faults
def test_unusual_files_are_refused_or_used(tmp_path):
    unusual, jobs = crafted_models.unusual(), [["forecast", str(SOUND)]]
    for number, data in enumerate(unusual.values()):
        (tmp_path / f"{number}.npz").write_bytes(data)
    for command in ("forecast", "inspect"):
        jobs += [[command, str(tmp_path / f"{number}.npz")] for number in range(len(unusual))]
    sound, *results = run_each(jobs)
    for name, got in zip([*unusual] * 2, results, strict=True):
        check_end(name, got, {0, 65}, sound)
    print(
        f"{len(unusual)} unusual files, forecast and inspect: {sum(got['code'] == 65 for got in results)} runs refused"
    )


def test_a_pickle_would_be_noticed(tmp_path):
    """The payload of the crafted files makes its mark wherever it is unpickled."""
    path = tmp_path / "m.npz"
    name, data = next(crafted_models.refused(tmp_path / "unpickled"))
    assert name == "objects in spread.npy"
    path.write_bytes(data)
    with np.load(path, allow_pickle=True) as arrays:
        arrays["spread"][0].close()
    assert (tmp_path / "unpickled").exists()


VALUES = (
    *(None, True, "x", "9" * 5000, "\x1b[31m"),
    *(7, 0, -1, 10**6, 10**30, -(10**30), 1.5),
    *([], {}, [None], [["x"]], {"a": [1]}),
)
"""What is put in the place of each value of the description; `...` leaves it out."""


def changed_descriptions(path: Path) -> Iterator[tuple[str, bytes]]:
    """The description with each of its values changed to each of `VALUES`, or left out."""
    meta = crafted_models.meta_of(crafted_models.members_of(path))
    for place in places(meta):
        for value in (*VALUES, ...):
            changed = copy.deepcopy(meta)
            owner = changed
            for key in place[:-1]:
                owner = owner[key]
            if value is ...:
                del owner[place[-1]]
            else:
                owner[place[-1]] = value
            yield f"{place} {value!r:.30}", crafted_models.as_meta(json.dumps(changed))


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the values of a description stand; of a list the first two."""
    keys = value if isinstance(value, dict) else range(min(2, len(value))) if isinstance(value, list) else ()
    for key in keys:
        yield (*before, key)
        yield from places(value[key], (*before, key))


@counts(50, 10_000)
def test_a_description_with_a_changed_value_is_refused_or_used(rng, tmp_path, count):
    path, refused, runs = tmp_path / "m.npz", 0, 0
    members = crafted_models.members_of()
    every = list(changed_descriptions(SOUND))
    for chosen in rng.permutation(len(every))[:count]:
        name, meta = every[chosen]
        path.write_bytes(crafted_models.packed(members | {"meta.npy": meta}))
        for command in (
            ["forecast"],
            ["inspect"],
            ["inspect", "--format", "markdown"],
            ["inspect", "--format", "json"],
        ):
            got = call(*command, path)
            assert got.code in (0, 65), (name, command, got.err)
            refused, runs = refused + (got.code == 65), runs + 1
    print(f"{min(count, len(every)):,} descriptions with one value changed: {refused:,} of {runs:,} runs refused it")
    assert 0 < refused < runs


def open_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))  # such names are short


SPECIAL = {
    "folder": (Path.mkdir, 66),
    "socket": (open_socket, 66),
    "link to nothing": (lambda path: path.symlink_to("nothing"), 66),
    "link to itself": (lambda path: path.symlink_to(path), 66),
    "link to zeros": (lambda path: path.symlink_to("/dev/zero"), 65),
    "link to nulls": (lambda path: path.symlink_to("/dev/null"), 65),
}


@pytest.mark.skipif(os.name != "posix", reason="there are no such files")
@pytest.mark.parametrize(("make", "code"), SPECIAL.values(), ids=SPECIAL)
def test_what_is_no_regular_file(tmp_path, monkeypatch, make, code):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "m.npz")
    got = call("forecast", "m.npz")
    assert got.code == code, got.err
    assert len(got.err.splitlines()) <= 6
