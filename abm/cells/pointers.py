"""Arrays as bare pointers inside kernels.

Numba counts references to every array that a function is handed, which costs more than most of what a cell
does. A kernel therefore turns its arrays into pointers once and hands those on; they are indexed like flat
arrays. Uncompiled, everything stays a NumPy array. The kernel that owns the arrays outlives its pointers.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.imputils import impl_ret_untracked
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array


@intrinsic
def _data(_context, array):
    if not isinstance(array, types.Array) or array.layout != "C":
        return None

    def generate(context, builder, signature, args):
        data = make_array(signature.args[0])(context, builder, args[0]).data
        return impl_ret_untracked(context, builder, signature.return_type, data)

    return types.CPointer(array.dtype)(array), generate


@intrinsic
def _row(_context, pointer, index):
    if not isinstance(pointer, types.CPointer) or not isinstance(pointer.dtype, types.Record):
        return None

    def generate(_target, builder, _signature, args):
        return builder.gep(args[0], [args[1]])

    return pointer.dtype(pointer, types.intp), generate


@intrinsic
def _eight(_context, pointer, index):
    if pointer != types.CPointer(types.uint8):
        return None

    def generate(_target, builder, _signature, args):
        first = builder.bitcast(builder.gep(args[0], [args[1]]), ir.IntType(64).as_pointer())
        return builder.load(first, align=1)

    return types.uint64(pointer, types.intp), generate


@intrinsic
def _lowest(_context, bits):
    def generate(_target, builder, _signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic
def _set_bits(_context, bits):
    def generate(_target, builder, _signature, args):
        return builder.ctpop(args[0])

    return types.int64(types.uint64), generate


@intrinsic
def _prefetch(_context, pointer, index):
    if not isinstance(pointer, types.CPointer):
        return None

    def generate(_target, builder, _signature, args):
        byte = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        llvm = builder.module.globals.get("llvm.prefetch.p0") or ir.Function(
            builder.module, kind, "llvm.prefetch.p0"
        )
        address = builder.bitcast(builder.gep(args[0], [args[1]]), byte)
        builder.call(llvm, [address, ir.Constant(number, 0), ir.Constant(number, 2), ir.Constant(number, 1)])

    return types.void(pointer, types.intp), generate


def eight(numbers: Any, index: int) -> np.uint64:
    """Return eight bytes of a pointer to bytes as one number, the first one lowest."""
    return np.uint64(int.from_bytes(numbers[index : index + 8].tobytes(), "little"))


def lowest(bits: np.uint64) -> int:
    """Return the place of the lowest bit that is set (there must be one)."""
    return (int(bits) & -int(bits)).bit_length() - 1


def set_bits(bits: np.uint64) -> int:
    """Return how many bits are set."""
    return int(bits).bit_count()


def prefetch(numbers: Any, index: int) -> None:
    """Ask for a number to be brought near the processor (uncompiled: nothing)."""


def pointer(array: np.ndarray) -> Any:
    """Return a pointer to the first element of a contiguous array (uncompiled: the flat array)."""
    return array.reshape(-1)


def row(records: Any, index: int) -> Any:
    """Return one record of a pointer to records (uncompiled: of the array)."""
    return records[index]


@overload(pointer, inline="always")
def _pointer(array):
    return lambda array: _data(array)  # type: ignore[call-arg]


@overload(row, inline="always")
def _row_of(records, index):
    return lambda records, index: _row(records, index)  # type: ignore[call-arg]


@overload(eight, inline="always")
def _eight_of(numbers, index):
    return lambda numbers, index: _eight(numbers, index)  # type: ignore[call-arg]


@overload(lowest, inline="always")
def _lowest_of(bits):
    return lambda bits: _lowest(bits)  # type: ignore[call-arg]


@overload(set_bits, inline="always")
def _set_bits_of(bits):
    return lambda bits: _set_bits(bits)  # type: ignore[call-arg]


@overload(prefetch, inline="always")
def _prefetch_of(numbers, index):
    return lambda numbers, index: _prefetch(numbers, index)  # type: ignore[call-arg]
