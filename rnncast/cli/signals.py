"""SIGINT, SIGTERM, SIGHUP: the first unwinds the stack, files stay whole and a checkpoint is left; the second ends all.

An exception that is raised while a library compiles or frees something can be swallowed there. So what was heard is
kept, and `raise_again` raises it at the next place where the work may end.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Any, NoReturn, Self

HUNG_UP, INTERRUPTED, TERMINATED = 129, 130, 143
"""Exit codes: 128 and the number of the signal."""

_WORDS = {HUNG_UP: "the terminal was closed", INTERRUPTED: "interrupted", TERMINATED: "terminated"}
_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived; unwinds the stack, so that half-written files are removed.

    Attributes
    ----------
    number : int
        The signal.
    """

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__(number)
        self.number = number


class Signals:
    """Hears the signals of one call; a context manager. In another thread than the first it hears none."""

    def __init__(self) -> None:
        self.heard: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        global _now
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup asks for, and a shell's background
                    self._before[number] = signal.signal(number, self._hear)
        _now = self
        return self

    def __exit__(self, *details: object) -> None:
        global _now
        _now = None
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: object) -> None:
        if self.heard is not None:
            os._exit(128 + number)
        self.heard = number
        _raise(number)


_now: Signals | None = None


def raise_again() -> None:
    """Raise for a signal that was heard and did not end the work."""
    if _now is not None and _now.heard is not None:
        _raise(_now.heard)


def stop_of(number: int) -> BaseException:
    """The exception that a signal raises."""
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated(number)


def code_and_word(stop: BaseException) -> tuple[int, str]:
    """Exit code of such an exception, and what it is called."""
    code = 128 + stop.number if isinstance(stop, Terminated) else INTERRUPTED
    return code, _WORDS[code]


def _raise(number: int) -> NoReturn:
    raise stop_of(number)
