"""Arrays as bare pointers inside kernels.

Numba counts references to every array that a function is handed, which costs more than most of what a cell
does. A kernel therefore turns its arrays into pointers once and hands those on; they are indexed like flat
arrays. Uncompiled, everything stays a NumPy array. The kernel that owns the arrays outlives its pointers.
"""

from typing import Any

import numpy as np
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
