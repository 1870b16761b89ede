"""The body: pharmacokinetics, systemic-immune ODEs and their coupling to tissue."""

from ..abm import kernel_cache  # noqa: F401  (must run before any kernel is imported)
