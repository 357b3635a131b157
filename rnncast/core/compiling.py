"""What is to be told of kernels that must be compiled: to a function that the program gives. No Numba here."""

from __future__ import annotations

import warnings
from collections.abc import Callable

_listener: Callable[[bool], None] | None = None
_warned = False


def tell_of_compiling(listener: Callable[[bool], None] | None) -> None:
    """Let a function be called once, before the next kernel that is compiled and not loaded; None for no function.

    It is told whether what is compiled can be kept for the next process. What it raises calls the compilation off.
    """
    global _listener
    _listener = listener


def compiling(kept: bool) -> None:
    """A kernel is about to be compiled."""
    global _listener
    listener, _listener = _listener, None
    if listener is not None:
        listener(kept)


def warn_once(text: str) -> None:
    """Give a RuntimeWarning, the first time in a process: one fault of the cache is likely to bring on others."""
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(text, RuntimeWarning, stacklevel=3)
