"""What compiled kernels are made of and for: sources, versions, processor and settings, as one fingerprint.

Numba notices a change in a kernel's own file alone; a kernel contains the code of all that it calls.
"""

from __future__ import annotations

import hashlib
import os
import sys
from functools import cache
from pathlib import Path

import llvmlite
import numba
import numpy as np

from rnncast import __version__
from rnncast.core.kernel_folder import NoFolderError

_SETTINGS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")
"""Settings of Numba (``NUMBA_OPT`` and so on) that alter the code and are no part of a kernel's options."""

_CORE = Path(__file__).parent

_Stamps = list[tuple[str, int, int, int]]


def _stamps() -> _Stamps:
    found = []
    with os.scandir(_CORE) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                status = entry.stat()
                found.append((entry.name, status.st_mtime_ns, status.st_ctime_ns, status.st_size))
    return sorted(found)


def _sources() -> tuple[bytes | None, _Stamps]:
    """Digest of the core's sources, and their stamps before they were read; nothing where there are no sources."""
    try:
        stamps = _stamps()
        digest = hashlib.sha256()
        for name, *_ in stamps:
            digest.update(hashlib.sha256((_CORE / name).read_bytes()).digest())
    except OSError:
        return None, []
    return (digest.digest() if stamps else None), stamps


# Read where the first kernel's module is loaded: the digest is that of the code which this process runs.
_DIGEST, _STAMPS = _sources()


def fingerprint(target: tuple[str, ...]) -> str:
    """Fingerprint of the kernels of this process for a target of LLVM (triple, processor, its features).

    Raises
    ------
    NoFolderError
        It cannot be told: there are no sources, or they are others than when the process began.
    """
    try:
        same = _stamps() == _STAMPS
    except OSError:
        same = False
    if _DIGEST is None or not same:
        raise NoFolderError(
            "there are no sources of the kernels" if _DIGEST is None else "rnncast was altered while it ran"
        )
    return _fingerprint(_DIGEST, target)


@cache
def _fingerprint(digest: bytes, target: tuple[str, ...]) -> str:
    parts = [digest.hex(), __version__, numba.__version__, llvmlite.__version__, np.__version__, sys.version, *target]
    parts += [f"{name}={getattr(numba.config, name, None)}" for name in _SETTINGS]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
