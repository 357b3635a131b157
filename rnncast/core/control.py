"""Threads inside a kernel: words that they and Python share, and the place where they meet.

The words are whole numbers (`WORDS`,) that are read and written as one (atomically), in the same order for all threads
(sequentially consistent). Threads that wait look a while for the others to come, which takes well under a microsecond
where each has a core, and then let others have theirs.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from rnncast.core.control_words import ABANDON, ARRIVED, ASKED, BROKEN, ROUND
from rnncast.core.jit import jit
from rnncast.core.matrix import ONE
from rnncast.core.vector import INDEX, address

_LOOKS = 4000
"""Looks for the others before a thread lets another have its core, some tens of microseconds."""

_YIELD = "rnncast_yield_core"
_ON_X86 = platform.machine().lower() in ("x86_64", "amd64", "i386", "i686")


def _name_yield() -> None:
    """Let kernels, also those from the cache, find the system's call that lets another thread have the core."""
    if sys.platform == "win32":
        function = ctypes.WinDLL("kernel32").SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    llvmlite.binding.add_symbol(_YIELD, ctypes.cast(function, ctypes.c_void_p).value)


_name_yield()


@intrinsic
def read(typing: Any, control: Any, word: Any) -> Any:
    """``read(control, word)``: its value now."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(address(context, builder, control, *arguments), "seq_cst", 8)

    return types.int64(control, types.intp), generate


@intrinsic
def write(typing: Any, control: Any, word: Any, value: Any) -> Any:
    """``write(control, word, value)``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = address(context, builder, control, arguments[0], arguments[1])
        builder.store_atomic(arguments[2], place, "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(control, types.intp, types.int64), generate


@intrinsic
def _increase(typing: Any, control: Any, word: Any) -> Any:
    """``_increase(control, word)``: add one; its value before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = address(context, builder, control, *arguments)
        return builder.atomic_rmw("add", place, ir.Constant(INDEX, 1), "seq_cst")

    return types.int64(control, types.intp), generate


@intrinsic
def _pause(typing: Any) -> Any:
    """``_pause()``: tell the processor that this is a loop that waits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if _ON_X86:
            pause = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, pause, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def _yield_core(typing: Any) -> Any:
    """``_yield_core()``: let another thread have this core."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, function, _YIELD), [])
        return context.get_dummy_value()

    return types.void(), generate


@jit
def abandoned(control: Any) -> bool:
    """Whether what is computed is of no use any more."""
    return read(control, ASKED) == ABANDON  # type: ignore[no-any-return]


@jit
def meet(control: Any, shares: int) -> None:
    """Wait until all `shares` threads are here (a barrier); what each wrote before, all can read after."""
    if shares > 1:
        now = read(control, ROUND)
        if _increase(control, ARRIVED) == shares - 1:
            write(control, ARRIVED, now - now)
            write(control, ROUND, now + ONE)
        looks = 0
        while read(control, ROUND) == now and read(control, BROKEN) == 0:
            looks += 1
            if looks < _LOOKS:
                _pause()
            else:
                _yield_core()
