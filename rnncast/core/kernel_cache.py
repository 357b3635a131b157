"""Compiled kernels on disk, a file for each kernel and signature; in place of Numba's own cache.

A file holds a SHA-256 digest and a pickle. The digest is taken over the pickle and over the name of what it holds
(kernel, signature, fingerprint of all that the kernels are made of), and is compared before anything else is done with
the file: Numba's cache would crash on half a file, and run what flipped bits make of machine code. A file that does not
pass is removed, and the kernel is compiled again. Whatever happens to the cache, kernels work.
"""

from __future__ import annotations

import hashlib
import pickle
from contextlib import closing
from typing import Any

from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

from rnncast.core.compiling import compiling, warn_once
from rnncast.core.kernel_folder import PREFIX, VARIABLE, Folder, NoFolderError, open_folder, sweep
from rnncast.core.kernel_sources import fingerprint

_FORMAT = "rnncast kernel 1"
_DIGEST_BYTES = 32


class _DamagedError(Exception):
    """A file does not hold what was written, or not what its name says."""


class KernelCache(_Cache):  # type: ignore[misc]
    """What Numba asks for the compiled code of one function, and hands it to.

    Attributes
    ----------
    failure : OSError or None
        Why what was compiled last could not be kept.
    """

    def __init__(self, function: Any) -> None:
        self.failure: OSError | None = None
        self._function = function
        self._enabled = True

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled code of a signature; None where it must be compiled."""
        if not self._enabled:
            return None
        # All that compiled code needs of Numba. What compiling needs is loaded, in a quarter of a second, as it begins.
        rtsys.initialize(target_context)
        found, usable = None, True
        try:
            found = self._load(sig, target_context)
        except NoFolderError as reason:
            usable = False
            warn_once(f"kernels are compiled anew in each run: {reason} ({VARIABLE} names another place)")
        if found is None:
            compiling(usable)
        return found

    def _load(self, sig: Any, target_context: Any) -> Any:
        folder_name, name, label = self._names(sig, target_context.codegen())
        with closing(open_folder(folder_name)) as folder:
            folder.used()
            try:
                payload = _checked(folder.read(name), label)
                return CompileResult._rebuild(target_context, *pickle.loads(payload))
            except FileNotFoundError:
                return None
            except Exception as error:  # what a whole pickle does, under versions that we do not know, may fail anyhow
                folder.remove(name)
                said = str(error) or type(error).__name__
                warn_once(f"a compiled kernel in {folder.path} is compiled again: {said.splitlines()[0]}")
                return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code on disk, if it can be."""
        if not self._enabled or data.library.has_dynamic_globals:  # those are addresses in this process
            return
        try:
            folder_name, name, label = self._names(sig, data.codegen)
            with closing(open_folder(folder_name)) as folder:
                payload = dumps(data._reduce())
                folder.write(name, (_digest(payload, label), payload))
            self.failure = None
            sweep(folder_name)
        except NoFolderError:
            pass  # it was said when the kernel was looked for
        except OSError as error:
            self.failure = error
            warn_once(f"compiled kernels cannot be kept: {error.strerror} ({VARIABLE} names another place)")

    def _names(self, sig: Any, codegen: Any) -> tuple[str, str, bytes]:
        """Name of the folder, name of the file, and digest of what that stands for.

        The function's own file counts as well: it may lie outside of the core.
        """
        function = self._function
        whole = fingerprint(codegen.magic_tuple())
        if function.__closure__ is not None:  # its cells may hold anything
            raise NoFolderError(f"{function.__qualname__} is a closure")
        try:
            with open(function.__code__.co_filename, "rb") as file:
                source = hashlib.sha256(file.read()).hexdigest()
        except OSError:
            raise NoFolderError(f"there is no source of {function.__qualname__}") from None
        place = f"{function.__module__}.{function.__qualname__}:{function.__code__.co_firstlineno}"
        label = hashlib.sha256("\0".join((_FORMAT, whole, source, place, str(sig))).encode()).digest()
        return PREFIX + whole, f"{function.__name__}-{label.hex()[:16]}.kernel", label

    @property
    def cache_path(self) -> None:
        """Numba shows it among its statistics; the folder is only known when a target is."""
        return None

    def enable(self) -> None:
        """Use the disk."""
        self._enabled = True

    def disable(self) -> None:
        """Leave the disk alone."""
        self._enabled = False

    def flush(self) -> None:
        """Numba asks for it when a function is to be compiled anew; what lies on disk is right by its name."""


def kernel_folder(target_context: Any) -> Folder:
    """The folder of this process's kernels, to be closed; NoFolderError where there is none."""
    return open_folder(PREFIX + fingerprint(target_context.codegen().magic_tuple()))


def _digest(payload: bytes | memoryview, label: bytes) -> bytes:
    digest = hashlib.sha256(label)
    digest.update(payload)
    return digest.digest()


def _checked(data: bytes, label: bytes) -> memoryview:
    """The pickle in a file, if it is the one that was written under this label."""
    payload = memoryview(data)[_DIGEST_BYTES:]
    if data[:_DIGEST_BYTES] != _digest(payload, label):
        raise _DamagedError("its file was damaged")
    return payload
