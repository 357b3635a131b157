"""How many threads compute, and a pool that keeps them ready. No Numba here.

Kernels let go of the interpreter's lock, so plain threads run them side by side.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

VARIABLE = "RNNCAST_NUM_THREADS"
"""Environment variable that names the number of threads."""

_CGROUP = "/sys/fs/cgroup/cpu.max"
_asked: int | None = None


def set_threads(count: int | None) -> None:
    """Let so many threads compute in this process; None leaves it to the environment and the machine.

    Raises
    ------
    ValueError
        Less than one.
    """
    global _asked
    if count is not None and count < 1:
        raise ValueError(f"at least one thread, got {count}")
    _asked = count


def threads() -> int:
    """Threads that compute: as asked for, else as `VARIABLE` says, else the cores that this process may use.

    Raises
    ------
    ValueError
        The variable holds no positive integer.
    """
    if _asked is not None:
        return _asked
    named = os.environ.get(VARIABLE)
    if not named:
        return available_cores()
    if not named.isdecimal() or int(named) < 1:
        raise ValueError(f"{VARIABLE} must be a positive integer, found {named!r}")
    return int(named)


def available_cores() -> int:
    """Cores that this process may use: those of its affinity, within the quota of its control group."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        cores = os.cpu_count() or 1
    quota = _quota()
    return cores if quota is None else max(1, min(cores, round(quota)))


def _quota() -> float | None:
    """Cores that the control group (version 2) allows; None where it sets no limit."""
    try:
        with open(_CGROUP, encoding="ascii") as file:
            limit, period = file.read().split()
        return None if limit == "max" else int(limit) / int(period)
    except (OSError, ValueError):
        return None


@cache
def _pool(count: int) -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # where one thread computes it is not loaded

    return ThreadPoolExecutor(count, thread_name_prefix="rnncast")


def side_by_side(work: Callable[[int], Iterable[None]], count: int) -> None:
    """Go through ``work(0) ... work(count - 1)``, each in a thread; the first in this one.

    Between two steps of a work this thread hears signals, and the others see that one has failed or was interrupted,
    and stop. All have ended when this returns, or raises what one of them raised.
    """
    ended: list[BaseException] = []

    def go(number: int) -> None:
        try:
            for _ in work(number):
                if ended:
                    return
        except BaseException as error:
            ended.append(error)
            raise

    others = [_pool(count - 1).submit(go, number) for number in range(1, count)] if count > 1 else []
    try:
        go(0)
    finally:
        for other in others:
            other.exception()  # waits
    for other in others:
        other.result()
