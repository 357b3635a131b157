"""How many threads compute, and a pool that keeps them ready. No Numba here.

Kernels let go of the interpreter's lock, so plain threads run them side by side.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnncast.core.control_words import ABANDON, ASKED, BROKEN, END

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

VARIABLE = "RNNCAST_NUM_THREADS"
"""Environment variable that names the number of threads."""

MOST_THREADS = 256
"""Threads that compute, at most: more count as so many."""

_CGROUP = "/sys/fs/cgroup/cpu.max"
_asked: int | None = None

Result = TypeVar("Result")


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

    Notes
    -----
    A job of a `Team` has its share of them.
    """
    team = _team.get()
    if team is not None:
        return team.share
    if _asked is not None:
        return min(_asked, MOST_THREADS)
    named = os.environ.get(VARIABLE)
    if not named:
        return min(available_cores(), MOST_THREADS)
    if not named.isdecimal() or int(named) < 1:
        raise ValueError(f"{VARIABLE} must be a positive integer, found {named!r}")
    return min(int(named), MOST_THREADS)


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
def _pool() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # where one thread computes it is not loaded

    # each thread is made when it is first needed; calls that wait for each other must all find one
    return ThreadPoolExecutor(2 * MOST_THREADS, thread_name_prefix="rnncast")


class Work(NamedTuple):
    """Calls of a kernel that belong together, one a thread, and the words (see `control`) that they share."""

    calls: Sequence[Callable[[], None]]
    control: NDArray[np.int64]


def run_short(work: Work) -> None:
    """Make the calls side by side, the first in this thread; signals are heard afterwards."""
    with _of_the_team([work]):
        others = _start(work.calls[1:], [work]) if len(work.calls) > 1 else []
        try:
            work.calls[0]()
        finally:
            for other in others:
                other.exception()  # waits
        for other in others:
            other.result()


def run_long(works: Sequence[Work], seconds: float | None = None) -> None:
    """Make all calls side by side in other threads, while this one hears signals.

    After `seconds` the works are asked to end; on a signal that raises, and if a call fails, they are told to abandon
    what they do, and the exception goes on when they have.
    """
    with _of_the_team(works):
        _run_long(works, seconds)


def _run_long(works: Sequence[Work], seconds: float | None) -> None:
    from concurrent.futures import FIRST_EXCEPTION, wait

    running: list[Future[None]] = []
    try:
        running = _start([call for work in works for call in work.calls], works)
        limit = None if seconds is None else min(seconds, threading.TIMEOUT_MAX)
        done, others = wait(running, limit, FIRST_EXCEPTION)
        if others and not any(one.exception() for one in done):
            _tell(works, ASKED, END)
            done, others = wait(running, return_when=FIRST_EXCEPTION)
        if others:
            _tell(works, ASKED, ABANDON)
            _tell(works, BROKEN, 1)
            wait(others)
    except BaseException:
        _tell(works, ASKED, ABANDON)
        wait(running)
        raise
    for one in running:
        one.result()


def _start(calls: Sequence[Callable[[], None]], works: Sequence[Work]) -> list[Future[None]]:
    """Start the calls in threads of the pool; if not all can be, nobody waits for those that are missing."""
    running: list[Future[None]] = []
    try:
        for call in calls:
            running.append(_pool().submit(call))
    except BaseException:
        _tell(works, ASKED, ABANDON)
        _tell(works, BROKEN, 1)
        for one in running:
            one.exception()
        raise
    return running


def _tell(works: Sequence[Work], word: int, value: int) -> None:
    for work in works:
        work.control[word] = value


class CalledOff(BaseException):
    """What a job meets at its next run of a kernel once its team is called off; no error of anybody's."""


class Team:
    """Jobs side by side in threads of their own, each of which computes with its share of the cores.

    A context manager: at its end, on a signal above all, what still runs is abandoned and what has not begun never is.

    Parameters
    ----------
    size
        Jobs at once; the threads that compute are shared out evenly between them.
    """

    def __init__(self, size: int) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self.share = max(1, threads() // size)
        self._called_off = False
        self._running: list[Work] = []
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(size, "rnncast-job", initializer=_team.set, initargs=(self,))

    def submit(self, job: Callable[[], Result]) -> Future[Result]:
        """Let a job begin as soon as one of the threads is free."""
        return self._threads.submit(job)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        with self._lock:
            self._called_off = True
            _tell(self._running, ASKED, ABANDON)
            _tell(self._running, BROKEN, 1)
        self._threads.shutdown(cancel_futures=True)

    def begin(self, works: Sequence[Work]) -> None:
        """Works of a job begin; they are told if the team is called off."""
        with self._lock:
            if self._called_off:
                raise CalledOff
            self._running += works

    def end(self, works: Sequence[Work]) -> None:
        """They have ended; if they were told to, what they leave is of no use."""
        with self._lock:
            self._running = [work for work in self._running if not any(work is one for one in works)]
            if self._called_off:
                raise CalledOff


_team: ContextVar[Team | None] = ContextVar("team", default=None)


@contextmanager
def _of_the_team(works: Sequence[Work]) -> Iterator[None]:
    """Let the team of this thread, if it is in one, call the works off."""
    team = _team.get()
    if team is None:
        yield
        return
    team.begin(works)
    try:
        yield
    finally:
        team.end(works)
