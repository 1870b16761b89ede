"""The tables of the lattice, read as the equations of a well-mixed tissue.

Sites are taken as independent: the chance that a neighbour holds a type is the fraction of sites that it occupies. A
division that seeks an empty one among m sites then succeeds with 1 - N^m (N the occupied fraction of the layer), one
that picks a site and gives up if it is taken with 1 - N; a cell that kills on contact meets as many cells as the
sites around it hold on average; a rule that senses its neighbours nonlinearly is averaged over all neighbourhoods.
"""

from .build import MeanField, mean_field

__all__ = ["MeanField", "mean_field"]
