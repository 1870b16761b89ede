"""The books: every exchanged species, what is there and what should be there."""

from collections.abc import Sequence

import numpy as np


class Ledger:
    """Double-entry bookkeeping of amounts that cross between tissue and body.

    For every species ``stock = opening + booked``: the stock is measured (counted cells, integrated amounts),
    the bookings are what each process reported. The residual is their difference relative to the larger
    of the stock and the gross flow.

    Parameters
    ----------
    species : sequence of str
    """

    def __init__(self, species: Sequence[str]):
        self.species = tuple(species)
        n = len(self.species)
        self.opening, self.booked, self.gross = np.zeros(n), np.zeros(n), np.zeros(n)

    def open(self, stock: np.ndarray) -> None:
        """Start the books with the stock at time 0, shape (species,)."""
        self.opening[:] = stock

    def book(self, species: int, amount: float) -> None:
        """Book a signed change of a species by a source or sink (birth, death, dose, flow inside the body)."""
        self.booked[species] += amount
        self.gross[species] += abs(amount)

    def transfer(self, species: int, amount: float) -> None:
        """Note an amount that crossed between tissue and body: gross flow, no change of the total."""
        self.gross[species] += abs(amount)

    def residual(self, stock: np.ndarray) -> np.ndarray:
        """Return the relative residual of every species for the measured stock, shape (species,)."""
        scale = np.maximum(np.maximum(np.abs(stock), self.gross), np.finfo(float).tiny)
        return np.abs(stock - self.opening - self.booked) / scale

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the books as named arrays, exact."""
        return {f"ledger_{name}": getattr(self, name).copy() for name in ("opening", "booked", "gross")}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over the books that ``to_arrays`` returned."""
        for name in ("opening", "booked", "gross"):
            getattr(self, name)[:] = arrays[f"ledger_{name}"]
