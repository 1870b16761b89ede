"""Systemic models from SBML files, as compiled `OdeModel`s (needs the extra ``oncolattice[sbml]``)."""

from .read import read_sbml

__all__ = ["read_sbml"]
