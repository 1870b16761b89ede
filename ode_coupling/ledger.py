"""The books: every exchanged species, what is there and what should be there."""

from collections.abc import Sequence

import numpy as np

from .books import keep_worst, residuals

ACCOUNTS = ("opening", "booked", "gross", "worst")


class Ledger:
    """Double-entry bookkeeping of amounts that cross between tissue and body.

    For every species ``stock = opening + booked``: the stock is measured (counted cells, integrated amounts),
    the bookings are what each process reported. The residual is their difference relative to the larger
    of the stock and the gross flow.

    Parameters
    ----------
    species : sequence of str

    Attributes
    ----------
    opening, booked, gross, worst : ndarray of float64, shape (species,)
        Stock at time 0, net and gross of what was booked since, and the largest residual of any step.
    """

    def __init__(self, species: Sequence[str]):
        self.species = tuple(species)
        n = len(self.species)
        self.opening, self.booked, self.gross = np.zeros(n), np.zeros(n), np.zeros(n)
        self.worst = np.zeros(n)

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
        out = np.zeros(len(self.species))
        residuals(stock, self.opening, self.booked, self.gross, out)
        return out

    def note(self, stock: np.ndarray) -> None:
        """Compare the books with the stock after a step and keep the worst residual of every species."""
        keep_worst(stock, self.opening, self.booked, self.gross, self.worst)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the books as named arrays, exact."""
        return {f"ledger_{name}": getattr(self, name).copy() for name in ACCOUNTS}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over the books that ``to_arrays`` returned."""
        for name in ACCOUNTS:
            getattr(self, name)[:] = arrays[f"ledger_{name}"]
