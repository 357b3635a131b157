"""How soon a training ends after SIGINT or SIGTERM, with its checkpoint written.

    python benchmarks/interruptions.py INPUT [--signals 20] [train options]

The training is started anew for each signal, which comes at a random moment of its first half minute: while it reads,
compiles, or trains. Prints the seconds until the process has ended, and whether the checkpoint opens.
"""

from __future__ import annotations

import argparse
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path


def main() -> None:
    """Print a line for each signal, and the median and the longest time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input")
    parser.add_argument("--signals", type=int, default=20)
    asked, options = parser.parse_known_args()
    rng, seconds = random.Random(0), []
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "m.npz"
        for number in range(asked.signals):
            kind = (signal.SIGINT, signal.SIGTERM)[number % 2]
            moment = rng.uniform(0.3, 30)
            took, code = interrupted(asked.input, model, options, kind, moment)
            checkpoint = Path(f"{model}.checkpoint")
            kept = zipfile.ZipFile(checkpoint).testzip() is None if checkpoint.exists() else None
            checkpoint.unlink(missing_ok=True)
            print(f"{kind.name} after {moment:5.2f} s: ended {took:.2f} s later, code {code}, checkpoint {kept}")
            seconds.append(took)
    print(f"median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s")


def interrupted(path: str, model: Path, options: list[str], kind: signal.Signals, moment: float) -> tuple[float, int]:
    """Seconds from the signal to the end, and the exit code."""
    command = [sys.executable, "-m", "rnncast", "train", path, "-o", str(model), "-q", *options]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        time.sleep(moment)
        began = time.perf_counter()
        process.send_signal(kind)
        code = process.wait()
        return time.perf_counter() - began, code


if __name__ == "__main__":
    main()
