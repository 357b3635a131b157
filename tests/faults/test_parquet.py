"""Damaged Parquet files, inputs and ledgers: refused or read, never a crash, a hang or much memory.

A flipped bit in a file with checksums, as rnncast writes them, is noticed or changes no number. The full counts of
docs/reliability.md: ``python -m pytest -m faults tests/faults/test_parquet.py -rP``
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from crafted_models import MODELS
from in_children import check_end, counts, needs_fork, run_each
from panels import random_walk
from written_files import issued

from rnncast.data.write import render, write_table
from rnncast.evaluation.ledger import append

pytestmark = needs_fork

ROWS = 150
MODEL = MODELS / "quantile_lstm.npz"


def prices() -> dict[str, np.ndarray]:
    """Two series of prices in long layout."""
    rng = np.random.default_rng(4)
    days = np.datetime64("2020-01-01", "us") + np.arange(ROWS) * np.timedelta64(1, "D")
    return {
        "unique_id": np.array(["a"] * ROWS + ["b"] * ROWS, dtype=object),
        "ds": np.tile(days, 2),
        "y": np.concatenate([random_walk(rng, ROWS), random_walk(rng, ROWS)]),
    }


def written(**options: Any) -> bytes:
    """The prices as another program may write them."""
    table = pa.table({name: pa.array(values) for name, values in prices().items()})
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


OWN = "own"
FILES = {
    OWN: lambda: render(prices(), "parquet"),
    "plain": lambda: written(compression="none", use_dictionary=False),
    "snappy": lambda: written(compression="snappy"),
    "zstd, row groups": lambda: written(compression="zstd", row_group_size=70),
    "gzip, small pages": lambda: written(compression="gzip", data_page_size=300),
    "lz4, pages of version 2": lambda: written(compression="lz4", data_page_version="2.0", write_page_index=True),
    "encoded by differences": lambda: written(
        use_dictionary=False,
        column_encoding={"unique_id": "DELTA_BYTE_ARRAY", "ds": "DELTA_BINARY_PACKED", "y": "BYTE_STREAM_SPLIT"},
    ),
}


def run_on(folder: Path, files: list[bytes], command: list[str], after: list[str] = []) -> list[dict[str, Any]]:  # noqa: B006
    """Run a command on each file; the first is sound."""
    jobs = []
    for number, data in enumerate(files):
        path = folder / f"{number}.parquet"
        path.write_bytes(data)
        jobs.append([*command, str(path), *after])
    return run_each(jobs)


@pytest.mark.parametrize("make", FILES.values(), ids=FILES)
def test_every_form_is_read(tmp_path, make):
    own, other = run_on(tmp_path, [FILES[OWN](), make()], ["fingerprint"])
    assert (own["code"], other["code"]) == (0, 0), other
    assert own["stdout"] == other["stdout"]


@counts(30, 500)
def test_a_file_that_is_cut_off_is_refused(rng, tmp_path, count):
    whole = [make() for make in FILES.values()]
    files = [whole[0]]
    for number in range(count):
        data = whole[number % len(whole)]
        files.append(data[: int(rng.integers(len(data)))])
    sound, *results = run_on(tmp_path, files, ["inspect"])
    assert sound["code"] == 0, sound
    for number, got in enumerate(results):
        check_end(f"file {number}", got, {65}, sound)
    print(f"{count} truncations: all 65")


def flipped(rng: np.random.Generator, data: bytes) -> bytes:
    """The file with one bit changed; every third time in its end, which says what is where."""
    end = 8 + int.from_bytes(data[-8:-4], "little")
    first = len(data) - end if rng.integers(3) == 0 else 0
    place = int(rng.integers(8 * first, 8 * len(data)))
    changed = bytearray(data)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


@counts(42, 2000)
def test_a_flipped_bit_is_refused_or_read(rng, tmp_path, count):
    names = [*FILES]
    whole = {name: FILES[name]() for name in names}
    kinds = [OWN if number % 2 == 0 else names[number // 2 % len(names)] for number in range(count)]
    files = [whole[OWN], *(flipped(rng, whole[kind]) for kind in kinds)]
    sound, *results = run_on(tmp_path, files, ["fingerprint"])
    ends: Counter[str] = Counter()
    for number, (kind, got) in enumerate(zip(kinds, results, strict=True)):
        check_end(f"{kind}, file {number}", got, {0, 65}, sound)
        if kind == OWN and got["code"] == 0:
            assert got["stdout"] == sound["stdout"], f"file {number}"
        same = "the same" if got["stdout"] == sound["stdout"] else "other numbers"
        of = "with checksums" if kind == OWN else "without"
        ends[f"{of}: {'refused' if got['code'] else same}"] += 1
    assert ends["with checksums: refused"] > ends["with checksums: the same"]
    for command in (["inspect"], ["train", "--max-epochs", "0", "--horizon", "5", "-o", str(tmp_path / "m.npz"), "-q"]):
        few = files[: 1 + count // 10]
        sound, *results = run_on(tmp_path, few, command)
        for number, got in enumerate(results):
            check_end(f"file {number}", got, {0, 65}, sound)
    print(f"{count} flipped bits: {dict(sorted(ends.items()))}")


@pytest.fixture
def ledger(tmp_path) -> bytes:
    """A ledger, as `forecast --append` writes it."""
    path = tmp_path / "sound.parquet"
    for version in (0, 1):
        append(
            str(path), issued(version), levels=(80.0,), quantiles=(), model=f"{version}" * 16,
            made_at=np.datetime64("2024-03-01T00:00:00", "s"),
        )  # fmt: skip
    return path.read_bytes()


def scores(got: dict[str, Any]) -> Any:
    """What was said of a ledger but for its name; numbers to ten digits, since sums vary in the last ones."""

    def rounded(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: rounded(part) for name, part in value.items()}
        if isinstance(value, list):
            return [rounded(part) for part in value]
        return f"{value:.10g}" if isinstance(value, float) else value

    return rounded(json.loads(re.sub(r"\d+\.parquet", "", got["stdout"])))


@counts(30, 1000)
def test_a_damaged_ledger_is_refused_or_read(rng, tmp_path, ledger, count):
    outcomes = tmp_path / "outcomes.parquet"
    days = np.datetime64("2024-01-01", "us") + np.arange(200) * np.timedelta64(1, "D")
    closes = random_walk(rng, 200, start=1.0)
    closes[30:32] = 1.0  # what the ledger says was known at its cutoffs
    write_table({"date": days, "close": closes}, str(outcomes), None, io.StringIO())
    damaged = [flipped(rng, ledger) if n % 4 else ledger[: int(rng.integers(1, len(ledger)))] for n in range(count)]
    sound, *results = run_on(tmp_path, [ledger, *damaged], ["evaluate", str(outcomes), "--json", "--forecasts"])
    assert sound["code"] == 0, sound
    for number, got in enumerate(results):
        check_end(f"file {number}", got, {0, 65}, sound)
    refused = sum(got["code"] == 65 for got in results)
    other = sum(got["code"] == 0 and scores(got) != scores(sound) for got in results)
    print(f"{count} damaged ledgers: {refused} refused, {count - refused - other} the same scores, {other} others")
    assert refused > count // 2
    assert other <= count // 200  # of the unit or the zone of stamps, which have no checksum
