"""The one place where Numba's options stand: `jit` for what kernels call, `jit_entry` for what Python calls.

Options: no GIL, disk cache, NumPy's error model (a division by zero gives inf or NaN, no exception), no bounds check,
and the fastmath flags that keep NaN and infinity visible (never ``nnan`` or ``ninf``).

What Python calls is kept on disk (see `kernel_cache`), and contains the code of all that it calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numba.extending
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder

from rnncast.core.kernel_cache import KernelCache

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


def jit(function: _Function) -> _Function:
    """Compile a function that only other kernels call; Python cannot call it."""
    return _compile(function, **_PART)


def jit_entry(function: _Function, **more: Any) -> _Function:
    """Compile a function that Python calls, at its first call, or load what an earlier process compiled."""
    kernel: Any = _compile(function, no_cfunc_wrapper=True, **more)
    if not numba.config.DISABLE_JIT:  # else it is the function itself
        kernel._cache = KernelCache(function)
    return cast(_Function, kernel)


def jit_in_order(function: _Function) -> _Function:
    """As `jit`, with sums and products in the order in which they are written."""
    return _compile(function, **_PART, fastmath={"contract", "nsz"})


def jit_rounded(function: _Function) -> _Function:
    """As `jit`, with every operation rounded by itself, as NumPy does it."""
    return _compile(function, **_PART, fastmath=False)


def jit_entry_rounded(function: _Function) -> _Function:
    """As `jit_entry`, with every operation rounded by itself, as NumPy does it."""
    return jit_entry(function, fastmath=False)


def _compile(function: _Function, **more: Any) -> _Function:
    """Numba's dispatcher of `function` with the options of this module and others."""
    return cast(_Function, numba.njit(**{**_OPTIONS, **more})(function))


def overload(stub: Callable[..., Any]) -> Callable[[_Function], _Function]:
    """Register a chooser of implementations, by type, for `stub` inside kernels (Numba's `overload`)."""
    return cast(
        "Callable[[_Function], _Function]",
        numba.extending.overload(stub, jit_options={"fastmath": _OPTIONS["fastmath"]}),
    )


def is_float32(numba_type: object) -> bool:
    """Whether a Numba type, as an overload gets it, is float32 or a vector of it."""
    return bool(getattr(numba_type, "dtype", numba_type) == numba.types.float32)
