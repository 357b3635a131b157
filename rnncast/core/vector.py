"""Vectors of the processor inside kernels: a type for Numba, load and store, arithmetic.

A `Vector` holds as many numbers as the widest registers of the machine: 64 bytes with AVX-512, 32 with AVX2, else 16.
LLVM gets ``<n x float>`` and chooses the instructions. Numbers on the other side of an operator are spread over all
lanes, so formulas read as they do for scalars.

The operations keep NaN and infinity (never ``nnan`` or ``ninf``); a product and a sum may be fused.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import llvmlite.binding
import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model

FUSED = ("contract",)
"""Flags of sums and products: they may become one instruction, and are not reordered."""

INDEX = ir.IntType(64)

_WIDE = ("avx512", "cannonlake", "cascadelake", "cooperlake", "icelake", "rapids", "tigerlake", "x86-64-v4", "znver4",
         "znver5")  # fmt: skip
_MIDDLE = ("alderlake", "broadwell", "haswell", "lake", "x86-64-v3", "znver")


def vector_bytes(cpu_name: str | None, features: str | None) -> int:
    """Bytes of the widest registers of a processor.

    Parameters
    ----------
    cpu_name, features
        As LLVM writes them, `features` as ``+avx2,-avx512f``; None for those of this machine. Numba takes them from
        ``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES``.
    """
    if cpu_name is None and features is None:
        found = llvmlite.binding.get_host_cpu_features()
        return 64 if found.get("avx512f") else 32 if found.get("avx2") else 16
    name, given = cpu_name or "", (features or "").split(",")
    wide = any(part in name for part in _WIDE) or "+avx512f" in given
    middle = any(part in name for part in _MIDDLE) or "+avx2" in given
    if wide and "-avx512f" not in given:
        return 64
    return 32 if (wide or middle) and "-avx2" not in given else 16


BYTES = vector_bytes(numba.config.CPU_NAME, numba.config.CPU_FEATURES)
"""Bytes of a vector in the kernels of this process."""


class Vector(types.Type):
    """Type of a vector of float32 or float64."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Vector({dtype})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, numba_type: Vector) -> None:
        super().__init__(manager, numba_type, llvm_type(numba_type.dtype))


def llvm_type(dtype: Any) -> ir.VectorType:
    """``<n x float>`` or ``<n x double>``."""
    element = ir.FloatType() if dtype == types.float32 else ir.DoubleType()
    return ir.VectorType(element, BYTES // item_bytes(dtype))


def item_bytes(dtype: Any) -> int:
    """Bytes of a number."""
    return int(dtype.bitwidth) // 8


def address(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """Pointer to an element of a flat array."""
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [index])


def spread(builder: Any, number: Any, vector: ir.VectorType) -> Any:
    """A number in all lanes."""
    nothing = ir.Constant(vector, ir.Undefined)
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(
        builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0)), nothing, lanes
    )


def load_vector(builder: Any, pointer: Any, vector: ir.VectorType, alignment: int) -> Any:
    """The vector at a pointer to its first number."""
    return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=alignment)


def store_vector(builder: Any, value: Any, pointer: Any, alignment: int) -> None:
    """Write a vector to a pointer to its first number."""
    builder.store(value, builder.bitcast(pointer, value.type.as_pointer()), align=alignment)


# ---- what kernels call


@intrinsic
def width(typing: Any, array: Any) -> Any:
    """``width(array)``: numbers of a vector of this array's dtype, a constant in the kernel."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(INDEX, llvm_type(array.dtype).count)

    return types.intp(array), generate


@intrinsic
def load(typing: Any, array: Any, index: Any) -> Any:
    """``load(array, i)``: the vector that begins at element i of a flat array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = address(context, builder, array, *arguments)
        return load_vector(builder, pointer, llvm_type(array.dtype), item_bytes(array.dtype))

    return Vector(array.dtype)(array, types.intp), generate


@intrinsic
def store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """``store(array, i, v)``: write a vector from element i on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = address(context, builder, array, arguments[0], arguments[1])
        store_vector(builder, arguments[2], pointer, item_bytes(array.dtype))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


@intrinsic
def splat(typing: Any, array: Any, number: Any) -> Any:
    """``splat(array, x)``: a vector of this array's dtype with x in all lanes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = context.cast(builder, arguments[1], number, array.dtype)
        return spread(builder, value, llvm_type(array.dtype))

    return Vector(array.dtype)(array, number), generate


@intrinsic
def total(typing: Any, value: Any) -> Any:
    """``total(v)``: sum of all lanes, in a fixed order."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector, count = arguments[0], llvm_type(value.dtype).count
        while count > 1:  # halves on top of each other
            lanes = [ir.Constant(ir.VectorType(ir.IntType(32), count // 2), list(range(start, start + count // 2)))
                     for start in (0, count // 2)]  # fmt: skip
            nothing = ir.Constant(vector.type, ir.Undefined)
            low, high = (builder.shuffle_vector(vector, nothing, half) for half in lanes)
            vector, count = builder.fadd(low, high), count // 2
        return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    return value.dtype(value), generate


# ---- what kernels call for vectors and for single numbers


@intrinsic
def clamp(typing: Any, value: Any, limit: Any) -> Any:
    """``clamp(v, limit)``: brought into [-limit, limit]; NaN stays NaN, since no comparison with it holds."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        edge = _as_wide(context, builder, arguments[1], limit, value)
        below = builder.select(builder.fcmp_ordered(">", arguments[0], edge), edge, arguments[0])
        edge = builder.fneg(edge)
        return builder.select(builder.fcmp_ordered("<", below, edge), edge, below)

    return value(value, limit), generate


@intrinsic
def where_below(typing: Any, value: Any, limit: Any, below: Any, other: Any) -> Any:
    """``where_below(v, limit, a, b)``: a where v < limit, else b, also where v is NaN."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        edge = _as_wide(context, builder, arguments[1], limit, value)
        return builder.select(builder.fcmp_ordered("<", arguments[0], edge), arguments[2], arguments[3])

    return value(value, limit, value, value), generate


@intrinsic
def magnitude(typing: Any, value: Any) -> Any:
    """``magnitude(v)``: the absolute value."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _call(builder, "llvm.fabs", arguments)

    return value(value), generate


@intrinsic
def with_sign_of(typing: Any, value: Any, sign: Any) -> Any:
    """``with_sign_of(v, s)``: the size of v with the sign of s."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _call(builder, "llvm.copysign", arguments)

    return value(value, value), generate


@intrinsic
def power_of_two(typing: Any, value: Any) -> Any:
    """``power_of_two(k)``: 2^k for whole float64 numbers from -1022 to 1023, by the bits of the exponent."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        shape = arguments[0].type
        whole = INDEX if not isinstance(shape, ir.VectorType) else ir.VectorType(INDEX, shape.count)
        # beside 1.5 * 2^52 the lowest bits of the fraction are a whole number
        shifted = builder.fadd(arguments[0], _everywhere(shape, 1.5 * 2.0**52 + 1023.0))
        bits = builder.shl(builder.bitcast(shifted, whole), _everywhere(whole, 52))
        return builder.bitcast(bits, shape)

    return value(value), generate


@intrinsic
def nearest_whole(typing: Any, value: Any) -> Any:
    """``nearest_whole(v)``: rounded, half to even."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _call(builder, "llvm.rint", arguments)

    return value(value), generate


def _everywhere(shape: Any, number: float) -> Any:
    """A constant, of a vector in all lanes."""
    return ir.Constant(shape, [number] * shape.count if isinstance(shape, ir.VectorType) else number)


def _as_wide(context: Any, builder: Any, number: Any, number_type: Any, other: Any) -> Any:
    """A number in the type of another operand: a vector, or a number."""
    if not isinstance(other, Vector):
        return context.cast(builder, number, number_type, other)
    return spread(builder, context.cast(builder, number, number_type, other.dtype), llvm_type(other.dtype))


def _call(builder: Any, name: str, arguments: Any) -> Any:
    """A function of LLVM that has a form for every type."""
    shape = arguments[0].type
    element = shape.element if isinstance(shape, ir.VectorType) else shape
    suffix = (f"v{shape.count}" if isinstance(shape, ir.VectorType) else "") + (
        "f32" if element == ir.FloatType() else "f64"
    )
    wanted = ir.FunctionType(shape, [shape] * len(arguments))
    return builder.call(cgutils.get_or_insert_function(builder.module, wanted, f"{name}.{suffix}"), arguments)


def _register(function: Callable[..., Any], instruction: str) -> None:
    """Let an operator take vectors, and a vector with a number."""

    @infer_global(function)
    class _Template(AbstractTemplate):  # type: ignore[misc]
        def generic(self, given: Any, keywords: Any) -> Any:
            vectors = [one for one in given if isinstance(one, Vector)]
            if len(given) != 2 or not vectors:
                return None
            others = [one for one in given if not isinstance(one, (Vector, types.Number))]
            if others or any(one != vectors[0] for one in vectors):
                return None
            return signature(vectors[0], *given)

    def generate(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
        dtype = found.return_type.dtype
        sides = [
            value
            if isinstance(one, Vector)
            else spread(builder, context.cast(builder, value, one, dtype), llvm_type(dtype))
            for one, value in zip(found.args, arguments, strict=True)
        ]
        return getattr(builder, instruction)(*sides, flags=FUSED)

    for left, right in ((Vector, Vector), (Vector, types.Number), (types.Number, Vector)):
        lower_builtin(function, left, right)(generate)


for _function, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _register(_function, _instruction)
