"""The one product of matrices, and the transpose, written in LLVM: tiles of rows and vectors held in registers.

Numba's own loops reach a third to a half of the machine's rate of products; these reach nearly all of it (figures in
docs/performance.md). A tile of the result stays in registers while the products of its rows and columns are summed, so
that each number loaded serves several sums: the method of Goto and van de Geijn (2008), without packing, as all that a
step works on lies in cache.

Letters: M rows, N columns of the result, K products in a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from rnncast.core.vector import BYTES, FUSED, INDEX, address, item_bytes, llvm_type, load_vector, spread, store_vector

KEEP, ZERO, BIASED = 0, 1, 2
"""What a result begins with: what is there, zero, or a number for each row."""

TILE_ROWS = {64: (8, 4, 1), 32: (6, 4, 1), 16: (6, 4, 1)}[BYTES]
"""Rows of a tile of two vectors: as many as the registers hold (32 with AVX-512, else 16), then what is left over."""

NARROW_ROWS = (8, 1)
"""Rows of a tile of one vector."""

LONG_VECTORS = 8
"""Vectors of a tile of one row, for a result that has no other: as many sums as hide the time that one takes."""


class Term(NamedTuple):
    """A product A X: A (M, K) with any steps, X (K, N) with rows of numbers that lie side by side; LLVM values."""

    a: Any
    row: Any
    column: Any
    x: Any
    pitch: Any
    count: Any


def _index(value: int) -> Any:
    return ir.Constant(INDEX, value)


def _sum_products(builder: Any, sums: list[Any], term: Term, rows: int, vector: ir.VectorType, alignment: int) -> Any:
    """Add a term to the sums of a tile, row by row: a loop over K whose sums stay in registers."""
    columns = len(sums) // rows
    function, before = builder.function, builder.block
    head, body, done = (function.append_basic_block(name) for name in ("sum", "products", "summed"))
    starts = [builder.gep(term.a, [builder.mul(term.row, _index(m))]) for m in range(rows)]
    builder.branch(head)
    builder.position_at_end(head)
    k = builder.phi(INDEX)
    k.add_incoming(_index(0), before)
    carried = [builder.phi(vector) for _ in sums]
    for phi, value in zip(carried, sums, strict=True):
        phi.add_incoming(value, before)
    builder.cbranch(builder.icmp_signed("<", k, term.count), body, done)
    builder.position_at_end(body)
    line = builder.gep(term.x, [builder.mul(k, term.pitch)])
    numbers = [
        load_vector(builder, builder.gep(line, [_index(n * vector.count)]), vector, alignment) for n in range(columns)
    ]
    step = builder.mul(k, term.column)
    for m in range(rows):
        weight = spread(builder, builder.load(builder.gep(starts[m], [step])), vector)
        for n in range(columns):
            phi = carried[m * columns + n]
            phi.add_incoming(builder.fadd(phi, builder.fmul(weight, numbers[n], flags=FUSED), flags=FUSED), body)
    k.add_incoming(builder.add(k, _index(1)), body)
    builder.branch(head)
    builder.position_at_end(done)
    return carried


def _first_sums(builder: Any, start: Any, bias: Any, places: list[Any], rows: int, vector: Any, alignment: int) -> Any:
    """What the sums of a tile begin with, see `KEEP`, `ZERO` and `BIASED`."""
    columns, function = len(places) // rows, builder.function
    kept, biased, joined = (function.append_basic_block(name) for name in ("kept", "biased", "joined"))
    choice = builder.switch(start, joined)
    choice.add_case(_index(KEEP), kept)
    choice.add_case(_index(BIASED), biased)
    before = builder.block
    builder.position_at_end(kept)
    old = [load_vector(builder, place, vector, alignment) for place in places]
    builder.branch(joined)
    builder.position_at_end(biased)
    given = [spread(builder, builder.load(builder.gep(bias, [_index(m)])), vector) for m in range(rows)]
    builder.branch(joined)
    builder.position_at_end(joined)
    sums = []
    for place in range(len(places)):
        phi = builder.phi(vector)
        phi.add_incoming(ir.Constant(vector, [0.0] * vector.count), before)
        phi.add_incoming(old[place], kept)
        phi.add_incoming(given[place // columns], biased)
        sums.append(phi)
    return sums


def _while(builder: Any, condition: Callable[[], Any], body: Callable[[], None]) -> None:
    blocks = [builder.function.append_basic_block(name) for name in ("while", "do", "end")]
    builder.branch(blocks[0])
    builder.position_at_end(blocks[0])
    builder.cbranch(condition(), blocks[1], blocks[2])
    builder.position_at_end(blocks[1])
    body()
    builder.branch(blocks[0])
    builder.position_at_end(blocks[2])


def _begin(module: Any, name: str, arguments: Sequence[Any]) -> Any:
    """A function of a module that other modules do not see and that stays one function."""
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), name)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    function.attributes.add("nounwind")
    return function


def _product_function(module: Any, dtype: Any) -> Any:
    """``C = start + A X + B Y`` for matrices of any size; N is a whole number of vectors."""
    name = f"rnncast_product_{dtype}"
    if name in module.globals:
        return module.globals[name]
    vector, alignment = llvm_type(dtype), item_bytes(dtype)
    pointer = vector.element.as_pointer()
    term = [pointer, INDEX, INDEX, pointer, INDEX, INDEX]
    function = _begin(module, name, [INDEX, pointer, *term, *term, pointer, INDEX, INDEX, INDEX])
    start, bias, *operands = function.args
    terms = Term(*operands[:6]), Term(*operands[6:12])
    target, pitch, rows, columns = operands[12:]
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    row, column = builder.alloca(INDEX), builder.alloca(INDEX)

    def tile(height: int, vectors: int) -> None:
        m, n = builder.load(row), builder.load(column)
        corner = builder.gep(target, [builder.add(builder.mul(m, pitch), n)])
        lines = [builder.gep(corner, [builder.mul(pitch, _index(i))]) for i in range(height)]
        places = [builder.gep(line, [_index(j * vector.count)]) for line in lines for j in range(vectors)]
        sums = _first_sums(builder, start, builder.gep(bias, [m]), places, height, vector, alignment)
        for one in terms:
            a = builder.gep(one.a, [builder.mul(m, one.row)])
            moved = one._replace(a=a, x=builder.gep(one.x, [n]))
            sums = _sum_products(builder, sums, moved, height, vector, alignment)
        for value, place in zip(sums, places, strict=True):
            store_vector(builder, value, place, alignment)
        builder.store(builder.add(m, _index(height)), row)

    def strip(heights: Sequence[int], vectors: int) -> None:
        builder.store(_index(0), row)
        for height in heights:

            def fits(height: int = height) -> Any:
                left = builder.sub(rows, builder.load(row))
                enough = builder.icmp_signed(">=", left, _index(height))
                # 8 rows are two tiles of 4 rather than one of 6 and two of 1
                return builder.and_(enough, builder.icmp_signed("!=", left, _index(8))) if height == 6 else enough

            _while(builder, fits, lambda height=height: tile(height, vectors))  # type: ignore[misc]
        builder.store(builder.add(builder.load(column), _index(vectors * vector.count)), column)

    builder.store(_index(0), column)
    for heights, vectors in (((1,), LONG_VECTORS), (TILE_ROWS, 2), (NARROW_ROWS, 1)):

        def is_left(vectors: int = vectors) -> Any:
            left = builder.sub(columns, builder.load(column))
            enough = builder.icmp_signed(">=", left, _index(vectors * vector.count))
            alone = builder.icmp_signed("==", rows, _index(1))
            return builder.and_(enough, alone) if vectors == LONG_VECTORS else enough

        _while(builder, is_left, lambda heights=heights, vectors=vectors: strip(heights, vectors))  # type: ignore[misc]
    builder.ret_void()
    return function


def _transpose_function(module: Any, dtype: Any) -> Any:
    """Blocks of as many rows as a vector has lanes, turned in registers by log2 of that many shuffles a row."""
    name = f"rnncast_transpose_{dtype}"
    if name in module.globals:
        return module.globals[name]
    vector, alignment = llvm_type(dtype), item_bytes(dtype)
    pointer, lanes = vector.element.as_pointer(), vector.count
    function = _begin(module, name, [pointer, INDEX, pointer, INDEX, INDEX])
    source, columns, target, pitch, rows = function.args
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    row, column = builder.alloca(INDEX), builder.alloca(INDEX)
    halves = [
        ir.Constant(
            ir.VectorType(ir.IntType(32), lanes), [i + j * lanes for i in range(s, s + lanes // 2) for j in (0, 1)]
        )
        for s in (0, lanes // 2)
    ]  # one lane of each of two vectors in turn, from their lower and from their upper halves

    def block() -> None:
        m, n = builder.load(row), builder.load(column)
        found = [
            load_vector(
                builder,
                builder.gep(source, [builder.add(builder.mul(builder.add(m, _index(i)), columns), n)]),
                vector,
                alignment,
            )
            for i in range(lanes)
        ]
        width = lanes
        while width > 1:
            pairs = zip(found[: lanes // 2], found[lanes // 2 :], strict=True)
            found = [builder.shuffle_vector(*pair, half) for pair in pairs for half in halves]
            width //= 2
        for i, value in enumerate(found):
            place = builder.gep(target, [builder.add(builder.mul(builder.add(n, _index(i)), pitch), m)])
            store_vector(builder, value, place, alignment)
        builder.store(builder.add(n, _index(lanes)), column)

    def strip() -> None:
        builder.store(_index(0), column)
        _while(builder, lambda: builder.icmp_signed("<", builder.load(column), columns), block)
        builder.store(builder.add(builder.load(row), _index(lanes)), row)

    builder.store(_index(0), row)
    _while(builder, lambda: builder.icmp_signed("<", builder.load(row), rows), strip)
    builder.ret_void()
    return function


@intrinsic
def multiply(
    typing: Any, start: Any, p: Any, bias: Any, a: Any, a0: Any, a_row: Any, a_column: Any, x: Any, x0: Any,
    x_pitch: Any, k: Any, b: Any, b0: Any, b_row: Any, b_column: Any, y: Any, y0: Any, y_pitch: Any, j: Any,
    c: Any, c0: Any, c_pitch: Any, m: Any, n: Any,
) -> Any:  # fmt: skip
    """``C = start + A X + B Y`` on flat arrays; see `rnncast.core.matrix`, which is what kernels call."""
    number = types.intp
    term = (a, number, number, number, x, number, number, number)
    signature = types.void(number, p, number, *term, *term, c, number, number, number, number)

    def generate(context: Any, builder: Any, found: Any, given: Any) -> Any:
        def at(array: int) -> Any:
            return address(context, builder, found.args[array], given[array], given[array + 1])

        arguments = [given[0], at(1)]
        for first in (3, 11):
            arguments += [
                at(first),
                given[first + 2],
                given[first + 3],
                at(first + 4),
                given[first + 6],
                given[first + 7],
            ]
        builder.call(_product_function(builder.module, c.dtype), [*arguments, at(19), *given[21:]])
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def turn(typing: Any, w: Any, source: Any, columns: Any, target: Any, pitch: Any, rows: Any) -> Any:
    """Write the transpose of (rows, columns) at `source` to `target`; see `rnncast.core.matrix.transpose`."""
    number = types.intp

    def generate(context: Any, builder: Any, found: Any, given: Any) -> Any:
        places = [address(context, builder, w, given[0], given[place]) for place in (1, 3)]
        function = _transpose_function(builder.module, w.dtype)
        builder.call(function, [places[0], given[2], places[1], given[4], given[5]])
        return context.get_dummy_value()

    return types.void(w, number, number, number, number, number), generate
