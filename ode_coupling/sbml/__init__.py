"""Models from SBML files, run by libRoadRunner (needs the extra ``oncolattice[sbml]``)."""

from .read import read_sbml
from .simulate import simulate

__all__ = ["read_sbml", "simulate"]
