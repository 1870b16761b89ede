"""The tissue: a lattice of cells and fields, driven by rules that are read from a file."""

from . import kernel_cache  # noqa: F401  (must run before any kernel is imported)
