"""Run a program and write down the wall seconds and the most resident memory that it took.

    python measured.py FILE COMMAND...

FILE gets a JSON document. A child's peak of memory begins with that of the process that starts it, so a large one
starts its children through this small one.
"""

import json
import os
import sys
import time


def main() -> int:
    """Run the command; return its exit status."""
    began = time.perf_counter()
    child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - began
    unit = 1e6 if sys.platform == "darwin" else 1e6 / 1024
    found = {
        "seconds": seconds,
        "computed_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / unit,
    }
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(found, file)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
