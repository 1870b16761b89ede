"""A hint to the processor that numbers will soon be read: half rows in turn defeat its own guesses.

Without it a cycle in main memory costs half as much again.
"""

from numba import njit

from ..cells.pointers import pointer
from ..cells.pointers import prefetch as prefetch_line
from .grids import Array

LINE = 8  # numbers of a cache line
LARGE = 50_000  # sites from which the arrays leave the nearer caches


@njit(cache=True, nogil=True)
def prefetch(values: Array, start: int, stop: int) -> None:
    """Ask for the numbers from start to stop (exclusive); places outside the array do no harm."""
    numbers = pointer(values)
    for at in range(start, stop, LINE):
        prefetch_line(numbers, at)
