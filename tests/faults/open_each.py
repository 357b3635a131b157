"""Runs command lines one after the other, each in a child of its own, and says how each ended: a program of its own.

    python tests/faults/open_each.py < jobs.json > results.json

Reads a list of lists of words. A result has the exit code (of a signal its negative number), what was written to
stdout and stderr, the seconds, and the largest memory in MiB. Beside the commands there is ``fingerprint FILE``, which
reads a file of data and tells its rows from others. The children are forked after the heavy imports, so that a thousand
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
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        began, child = time.monotonic(), os.fork()
        if child == 0:
            _become(words, out.fileno(), errors.fileno())
        _, status, used = os.wait4(child, 0)
        texts = [os.pread(stream.fileno(), 1 << 20, 0).decode("utf-8", "replace") for stream in (out, errors)]
        return {
            "words": words,
            "code": os.waitstatus_to_exitcode(status),
            "stdout": texts[0],
            "stderr": texts[1],
            "seconds": round(time.monotonic() - began, 3),
            "memory": used.ru_maxrss / 1024,
        }


def _fingerprint(path: str) -> int:
    """Print what tells the rows of a file from others."""
    from rnncast.data.options import ReadOptions
    from rnncast.data.read import read_input
    from rnncast.errors import RnncastError

    try:
        print(read_input([path], ReadOptions()).panel.fingerprint())
    except RnncastError as error:
        return error.exit_code
    return 0


def _become(words: list[str], out: int, errors: int) -> None:
    """Be the command; never returns."""
    code = 99
    try:
        for stream, handle in enumerate((os.open(os.devnull, os.O_RDONLY), out, errors)):
            os.dup2(handle, stream)
        held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + SPARE_MEMORY,) * 2)
        signal.alarm(SECONDS)
        from rnncast.cli.main import main

        code = _fingerprint(words[1]) if words[0] == "fingerprint" else main(words)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def main() -> None:
    """Run what stdin asks for."""
    import pyarrow.parquet  # noqa: F401

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
