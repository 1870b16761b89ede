"""Birth, death and movement with Mesa's own agents and grid, as one would write it with that library.

The rules are those of ``birth_death_move.toml``; every agent acts once a step, in random order.
"""

import mesa
from mesa.discrete_space import CellAgent, OrthogonalVonNeumannGrid

BIRTH, DEATH, MOVEMENT = 0.04, 0.02, 0.2  # probabilities a step


class TissueCell(CellAgent):
    """A cell that moves, divides and dies."""

    def __init__(self, model, cell):
        super().__init__(model)
        self.cell = cell

    def step(self) -> None:
        """Move, then divide or die; an occupied target aborts either."""
        rng = self.model.random
        if rng.random() < MOVEMENT:
            target = self.cell.neighborhood.select_random_cell()
            if target.is_empty:
                self.move_to(target)
        luck = rng.random()
        if luck < BIRTH:
            target = self.cell.neighborhood.select_random_cell()
            if target.is_empty:
                TissueCell(self.model, target)
        elif luck < BIRTH + DEATH:
            self.remove()


class MesaLattice(mesa.Model):
    """A square lattice of such cells, without flux through its edges.

    Parameters
    ----------
    side : int
        Sites along an edge.
    share : float
        Occupied share of the sites at the start.
    seed : int
    """

    def __init__(self, side: int, share: float, seed: int = 1):
        super().__init__(seed=seed)
        self.grid = OrthogonalVonNeumannGrid((side, side), torus=False, capacity=1, random=self.random)
        for cell in self.random.sample(list(self.grid.all_cells), round(share * side * side)):
            TissueCell(self, cell)

    def step(self) -> None:
        """Let every cell act once."""
        self.agents.shuffle_do("step")
