"""A hint to the processor that numbers will soon be read: half rows in turn defeat its own guesses.

Without it a cycle in main memory costs half as much again.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from .grids import Array

LINE = 8  # numbers of a cache line
LARGE = 50_000  # sites from which the arrays leave the nearer caches


@intrinsic
def _hint(typing_context, values, index):
    """Emit the instruction for one cache line."""

    def emit(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        at = builder.bitcast(builder.gep(array.data, [arguments[1]]), cgutils.voidptr_t)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(call, [at, number(0), number(2), number(1)])  # to read, nearest but one cache, data
        return context.get_dummy_value()

    return types.void(values, index), emit


def prefetch(values: Array, start: int, stop: int) -> None:
    """Ask for the numbers from start to stop (exclusive); places outside the array do no harm."""


@overload(prefetch, jit_options={"nogil": True})
def _prefetch(values, start, stop):
    def hint(values, start, stop):
        for at in range(start, stop, LINE):
            _hint(values, at)  # type: ignore[call-arg]

    return hint
