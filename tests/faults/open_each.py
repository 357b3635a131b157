"""Runs command lines one after the other, each in a child of its own, and says how each ended: a program of its own.

    python tests/faults/open_each.py < jobs.json > results.json

Reads a list of lists of words. A result has the exit code (of a signal its negative number), what was written to
stderr, the seconds, and the largest memory in MiB. The children are forked after the heavy imports, so that a thousand
files take minutes rather than hours; limits of memory and time end a child by a signal.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import time
from typing import Any

SECONDS = 30
SPARE_MEMORY = 2 << 30


def run(words: list[str]) -> dict[str, Any]:
    """Run one command line in a child."""
    with tempfile.TemporaryFile() as errors:
        began, child = time.monotonic(), os.fork()
        if child == 0:
            _become(words, errors.fileno())
        _, status, used = os.wait4(child, 0)
        errors.seek(0)
        return {
            "words": words,
            "code": os.waitstatus_to_exitcode(status),
            "stderr": errors.read().decode("utf-8", "replace")[:2000],
            "seconds": round(time.monotonic() - began, 3),
            "memory": used.ru_maxrss / 1024,
        }


def _become(words: list[str], errors: int) -> None:
    """Be the command; never returns."""
    code = 99
    try:
        out = os.open(os.devnull, os.O_RDWR)
        for stream, handle in enumerate((out, out, errors)):
            os.dup2(handle, stream)
        held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + SPARE_MEMORY,) * 2)
        signal.alarm(SECONDS)
        from rnncast.cli.main import main

        code = main(words)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def main() -> None:
    """Run what stdin asks for."""
    import rnncast.cli.forecast
    import rnncast.cli.inspect
    import rnncast.cli.train
    import rnncast.data.read
    import rnncast.forecasting.predict
    import rnncast.model.artifact  # noqa: F401

    jobs = json.load(sys.stdin)
    json.dump([run(words) for words in jobs], sys.stdout)


if __name__ == "__main__":
    main()
