"""Stir a layer: put everyone on it on a random site, which is what a well-mixed equation assumes."""

import numpy as np
from numba import njit

from ..lattice import LAYERS, SITES, Lattice
from ..tables import Tables, View
from . import draws


@njit(cache=True, nogil=True)
def stir_layers(keys: np.ndarray, view: View, lattice: Lattice, tables: Tables) -> None:
    """Permute the places of every layer that the model stirs, identities and attributes included.

    All permutations are equally likely (Fisher and Yates), and that of a step depends on the seed and the step
    alone.
    """
    sites, occupant, uid, attributes = lattice.size[SITES], view.occupant, view.uid, view.attributes
    for layer in range(lattice.size[LAYERS]):
        if not tables.stirred[layer]:
            continue
        key = draws.mix(keys[draws.STIR] ^ np.uint64(layer))
        for i in range(sites - 1, 0, -1):
            j = draws.below(draws.mix(key + np.uint64(i)), i + 1)
            here, there = layer * sites + i, layer * sites + j
            occupant[here], occupant[there] = occupant[there], occupant[here]
            uid[here], uid[there] = uid[there], uid[here]
            for a in range(attributes.shape[0]):
                attributes[a, here], attributes[a, there] = attributes[a, there], attributes[a, here]
