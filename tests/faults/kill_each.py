"""Kills children that write files, at every call and at random moments, and says what they left: a program of its own.

    python tests/faults/kill_each.py FOLDER EVERY TIMED SEED

For each kind of file a child puts the new content over the old one and ends by SIGKILL at its k-th call, for every k
(or each EVERY-th); then TIMED children, which write old and new in turn, are killed from outside after a random time.
After each kill the file is compared with the old and the new one, read by its reader, and written once more. Prints a
JSON list: what each kill left, and whether the reader and the next run ended well. Children are forked, so this process
uses no thread.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # as pytest does for the tests

from failing_os import KILL, Fault, failing_os  # noqa: E402
from written_files import KINDS, NEW, OLD, Kind  # noqa: E402

LONGEST = 0.08
"""Seconds after which a child is killed at the latest."""

Outcome = dict[str, Any]


def in_child(work: Callable[[], object]) -> int:
    """Process that does the work and ends."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def ended(child: int) -> int:
    """Exit code of a process, of a signal its negative number."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def contents(kind: Kind, path: Path) -> tuple[bytes, bytes]:
    """The old and the new file."""
    found = []
    for version in (OLD, NEW):
        if ended(in_child(lambda v=version: kind.write(path, v))) != 0:
            raise SystemExit(f"{kind.name} could not be written")
        found.append(path.read_bytes())
    return found[0], found[1]


def look(name: str, place: str, path: Path, states: dict[bytes, str]) -> Outcome:
    """What a kill left: the state of the file, whether it is read and written again, and what lies beside it then."""
    kind, state = KINDS[name], states.get(path.read_bytes(), "other")
    read = ended(in_child(lambda: kind.read(path)))
    if "ledger" in name:  # its next run adds to the old one
        path.write_bytes(next(data for data, found in states.items() if found == "old"))
    again = ended(in_child(lambda: kind.write(path, NEW)))
    whole = states.get(path.read_bytes()) == "new"
    left = sorted(set(os.listdir(path.parent)) - {path.name})
    return {"kind": name, "place": place, "state": state, "read": read, "again": again, "whole": whole, "left": left}


def at_every_call(name: str, folder: Path, every: int) -> list[Outcome]:
    """Kills before each call; of a write after half of it."""
    kind, found = KINDS[name], []
    path = folder / kind.name
    old, new = contents(kind, path)
    for at in range(1, 1000, every):
        path.write_bytes(old)

        def write(at: int = at) -> None:
            with failing_os(Fault(at, KILL)):
                kind.write(path, NEW)

        code = ended(in_child(write))
        if code == 0:
            return found
        assert code == -signal.SIGKILL, code
        found.append(look(name, f"call {at}", path, {old: "old", new: "new"}))
    raise SystemExit(f"{name} made more than 1000 calls")


def at_any_time(name: str, folder: Path, delay: float) -> Outcome:
    """A kill while old and new are written in turn."""
    kind = KINDS[name]
    path = folder / kind.name
    old, new = contents(kind, path)

    def write_for_ever() -> None:
        while True:
            for version in (OLD, NEW):
                kind.write(path, version)

    path.write_bytes(new)
    child = in_child(write_for_ever)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    assert ended(child) == -signal.SIGKILL
    return look(name, f"after {1000 * delay:.1f} ms", path, {old: "old", new: "new"})


def main() -> None:
    """Kill, and print what was found."""
    folder, (every, timed, seed) = Path(sys.argv[1]), map(int, sys.argv[2:5])
    rng, found = random.Random(seed), []
    for name in KINDS:
        place = folder / name.replace(", ", "_").replace(" ", "_")
        place.mkdir()
        found += at_every_call(name, place, every)
    names = [name for name in KINDS if "ledger" not in name]  # which would begin anew, and is removed for that
    for number in range(timed):
        name = names[number % len(names)]
        place = folder / f"{number}"
        place.mkdir()
        found.append(at_any_time(name, place, rng.uniform(0, LONGEST)))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
