"""A disk that fails at any call: the old file stays whole, or the new one is there whole; the error says which disk.

The full counts of docs/reliability.md: ``python -m pytest -m faults tests/faults/test_atomic_faults.py -rP``
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from failing_os import Fault, failing_os
from written_files import KINDS, NEW, OLD, Kind

from rnncast.cli.boundary import as_known
from rnncast.data.write import atomic_write

CODES = {"ENOSPC": 74, "EIO": 74, "EDQUOT": 74, "EACCES": 73, "EROFS": 73}
"""Error of the system -> exit code."""

MUST_FAIL = {"write", "fsync", "fchmod", "replace"}
"""Calls whose failure has to be told; but a folder that may not be synchronised is no fault."""


def contents(kind: Kind, folder: Path) -> tuple[bytes, bytes]:
    """The old and the new file of a kind."""
    path = folder / kind.name
    kind.write(path, OLD)
    old = path.read_bytes()
    kind.write(path, NEW)
    new = path.read_bytes()
    assert old != new
    return old, new


def try_to_write(kind: Kind, path: Path, fault: Fault) -> int:
    """Write the new content; the exit code that the failure would give."""
    try:
        with failing_os(fault):
            kind.write(path, NEW)
    except Exception as error:
        return as_known(error).exit_code
    return 0


def check_fault(kind: Kind, path: Path, fault: Fault, expected: int, old: bytes, new: bytes) -> None:
    """One call fails, or all from it on."""
    path.write_bytes(old)
    code = try_to_write(kind, path, fault)
    place = (kind.name, fault.at, fault.calls[-3:], code)
    if not fault.failed:
        assert code == 0, place
    elif "ledger" in kind.name and fault.failed[0] == "open":
        assert code in (0, 73, 74), place  # of the lock: it cannot be created
    elif MUST_FAIL.isdisjoint(fault.failed) or (fault.gave_the_name and expected == 73):
        assert code in (0, expected), place  # there is another way, or nothing is lost
    else:
        assert code == expected, place
    named = code == 0 or fault.gave_the_name
    assert path.read_bytes() == (new if named else old), place
    left = set(os.listdir(path.parent)) - {path.name}
    assert not left or "unlink" in fault.failed, (place, left)
    for name in left:
        os.unlink(path.parent / name)


@pytest.mark.parametrize(
    "names",
    [pytest.param(["ENOSPC"], id="short"), pytest.param([*CODES], id="full", marks=pytest.mark.faults)],
)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_failing_call_leaves_a_whole_file(tmp_path, kind, names):
    old, new = contents(kind, tmp_path)
    path, places = tmp_path / kind.name, 0
    for name in names:
        for persistent in (False, True):
            fault = Fault(1, getattr(errno, name), persistent)
            check_fault(kind, path, fault, CODES[name], old, new)
            while fault.was_reached:
                places += 1
                kind.read(path)
                fault = Fault(fault.at + 1, fault.code, persistent)
                check_fault(kind, path, fault, CODES[name], old, new)
    assert places >= 10 * len(names)
    print(f"{kind.name}: {places} faults ({', '.join(names)}; once, and from then on): old or new, whole")


@pytest.mark.parametrize("name", CODES)
def test_a_new_file_is_there_whole_or_not_at_all(tmp_path, name):
    path, fault = tmp_path / "a.bin", Fault()
    while fault.at == 0 or fault.was_reached:
        path.unlink(missing_ok=True)
        fault = Fault(fault.at + 1, getattr(errno, name))
        try:
            with failing_os(fault):
                atomic_write(path, lambda file: file.write(b"new" * 10_000), clobber=False)
        except Exception as error:
            assert as_known(error).exit_code == CODES[name]
        assert path.exists() == fault.gave_the_name
        assert not path.exists() or path.read_bytes() == b"new" * 10_000
        left = set(os.listdir(tmp_path)) - {path.name}
        assert not left or "unlink" in fault.failed
        for other in left:
            os.unlink(tmp_path / other)
    assert fault.at > 5
