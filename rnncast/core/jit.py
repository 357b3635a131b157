"""The one place where Numba's options stand: `jit` for what kernels call, `jit_entry` for what Python calls.

Options: no GIL, disk cache, NumPy's error model (a division by zero gives inf or NaN, no exception), no bounds check,
and the fastmath flags that keep NaN and infinity visible (never ``nnan`` or ``ninf``).

What Python calls is kept on disk, and contains the code of all that it calls. Numba notices only changes in a kernel's
own file, so the cache folder's name carries a hash of all sources of the core: another source, another folder.
"""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numba.extending
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder

_Function = TypeVar("_Function", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "boundscheck": False,
    "fastmath": {"contract", "nsz", "arcp", "reassoc"},
}


class _NoMachineCode:
    """Where there is no machine code, there is no place either that takes the address of a Python environment."""

    @staticmethod
    def set_env(name: str, environment: object) -> None:
        pass


class _PartLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Code of a kernel that is a part of others: they optimise it and make machine code of it, once, with their own.

    Numba would do both for each part as well, and again for the parts of parts: twice the time that compiling takes.
    """

    @property
    def codegen(self) -> Any:
        return _NoMachineCode

    def get_pointer_to_function(self, name: str) -> int:
        return 0  # nothing calls it but what it is linked into

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class _PartCompiler(CompilerBase):  # type: ignore[misc]
    """Numba's compiler for machine code, up to the code of LLVM."""

    def define_pipelines(self) -> list[Any]:
        state = self.state
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        return [DefaultPassBuilder.define_nopython_pipeline(state)]


_PART: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": _PartCompiler}
"""Of kernels that are a part of others: nothing but other kernels can call them."""


def _cache_base() -> Path:
    """Folder under which kernels are kept: NUMBA_CACHE_DIR, else the user's cache folder of the platform."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"])
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _cache_folder() -> Path | None:
    """Private folder of the compiled kernels of exactly these sources; None if it cannot be made or is not ours."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    try:
        folder = _cache_base() / "rnncast" / f"kernels-{digest.hexdigest()[:16]}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The cache is made of pickles: nobody else may be able to write there.
        status = folder.stat()
        foreign = hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022)
    except (OSError, RuntimeError):  # RuntimeError: there is no home folder
        return None
    return None if foreign or not os.access(folder, os.W_OK) else folder


_FOLDER = _cache_folder()
_warned = False


def jit(function: _Function) -> _Function:
    """Compile a function that only other kernels call; Python cannot call it."""
    return _compile(function, **_PART)


def jit_entry(function: _Function) -> _Function:
    """Compile a function that Python calls, at its first call."""
    return _compile(function, cache=_FOLDER is not None, no_cfunc_wrapper=True)


def jit_in_order(function: _Function) -> _Function:
    """As `jit`, with sums and products in the order in which they are written."""
    return _compile(function, **_PART, fastmath={"contract", "nsz"})


def _compile(function: _Function, **more: Any) -> _Function:
    """Numba's dispatcher of `function` with the options of this module and others.

    If no place is writable for the disk cache, kernels are compiled anew in each process and one RuntimeWarning
    says so.
    """
    options = {**_OPTIONS, **more}
    if not options.get("cache"):
        if _FOLDER is None:
            _warn_once()
        return cast(_Function, numba.njit(**options)(function))
    before = numba.config.CACHE_DIR
    # Numba reads its cache folder when a function is decorated; other users of Numba keep theirs.
    numba.config.CACHE_DIR = str(_FOLDER)
    try:
        return cast(_Function, numba.njit(**options)(function))
    except RuntimeError:  # "no locator available"
        _warn_once()
        return cast(_Function, numba.njit(**{**options, "cache": False})(function))
    finally:
        numba.config.CACHE_DIR = before


def overload(stub: Callable[..., Any]) -> Callable[[_Function], _Function]:
    """Register a chooser of implementations, by type, for `stub` inside kernels (Numba's `overload`)."""
    return cast(
        "Callable[[_Function], _Function]",
        numba.extending.overload(stub, jit_options={"fastmath": _OPTIONS["fastmath"]}),
    )


def is_float32(numba_type: object) -> bool:
    """Whether a Numba type, as an overload gets it, is float32 or a vector of it."""
    return bool(getattr(numba_type, "dtype", numba_type) == numba.types.float32)


def _warn_once() -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            "no writable folder of one's own for compiled kernels: they are compiled anew in each run",
            RuntimeWarning,
            4,
        )
