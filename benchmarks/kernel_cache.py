"""What it costs to verify compiled kernels before they are loaded.

Whole processes that load the two kernels of a training from the cache take turns with such that take the fingerprint
for given and load without comparing a digest; and the parts of the verification are timed one by one.

    python benchmarks/kernel_cache.py [--pairs 21]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing

from numba.core.registry import cpu_target

from rnncast.core import kernel_cache, kernel_sources
from rnncast.core.warmup import warm_up

CODE = """
import sys
if sys.argv[1] == "without":
    from rnncast.core import kernel_cache, kernel_sources
    kernel_cache._checked = lambda data, label: memoryview(data)[kernel_cache._DIGEST_BYTES:]
    kernel_cache.fingerprint = lambda target: sys.argv[2]
import numpy as np
from rnncast.core.engine import Engine
from rnncast.core.shape import LSTM, Shape, parameter_count
shape = Shape(LSTM, input_size=1, hidden_size=1, layers=1, outputs=1)
parameters = np.zeros(parameter_count(shape), np.float32)
Engine(shape, 1, 2).forward(parameters, np.zeros((1, 1, 2), np.float32))
"""


def computing(mode: str, fingerprint: str) -> float:
    """Milliseconds that a process computes: less disturbed by others than what a clock shows."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", CODE, mode, fingerprint], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def timed(function: Callable[[], object]) -> float:
    """Median of 200 calls, in milliseconds."""
    seconds = []
    for _ in range(200):
        begun = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begun)
    return 1e3 * statistics.median(seconds)


def main() -> None:
    """Time both, and show them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=21)
    pairs = parser.parse_args().pairs
    warm_up()
    context = cpu_target.target_context
    fingerprint = kernel_sources.fingerprint(context.codegen().magic_tuple())
    with closing(kernel_cache.kernel_folder(context)) as folder:
        files = [folder.read(name) for _, name, _ in folder.ages() if name.startswith(("run-", "finish-"))]
    print(f"sources read and hashed, once a process {timed(kernel_sources._sources):.2f} ms")
    print(f"folder found, opened and checked, for each kernel {timed(lambda: _open(context)):.2f} ms")
    print(
        f"digests of {len(files)} kernels, {sum(map(len, files)) / 1e3:.0f} kB "
        f"{timed(lambda: [kernel_cache._digest(data, fingerprint.encode()) for data in files]):.2f} ms"
    )
    both = [(computing("with", fingerprint), computing("without", fingerprint)) for _ in range(pairs)]
    with_it, without = (statistics.median(side) for side in zip(*both, strict=True))
    difference = statistics.median(a - b for a, b in both)
    print(f"process with it {with_it:.0f} ms, without {without:.0f} ms, paired difference {difference:+.1f} ms")


def _open(context: object) -> None:
    kernel_cache.kernel_folder(context).close()


if __name__ == "__main__":
    main()
