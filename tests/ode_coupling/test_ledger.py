"""The books: an exact balance shows none, a clipped or doubled amount shows."""

import numpy as np
import pytest

from oncolattice.ode_coupling.ledger import Ledger


def test_balanced_books_have_no_residual():
    ledger = Ledger(["CTL", "drug"])
    ledger.open(np.array([10.0, 0.0]))
    ledger.book(0, 5.0)
    ledger.book(0, -2.0)
    ledger.transfer(0, 100.0)
    ledger.book(1, 3.0)
    assert ledger.residual(np.array([13.0, 3.0])).max() == 0.0


def test_a_cell_made_out_of_nothing_shows_relative_to_the_larger_of_stock_and_flow():
    ledger = Ledger(["CTL"])
    ledger.open(np.array([10.0]))
    ledger.transfer(0, 1000.0)
    assert ledger.residual(np.array([11.0]))[0] == pytest.approx(1.0 / 1000.0)


def test_books_go_on_from_their_arrays():
    ledger, again = Ledger(["a", "b"]), Ledger(["a", "b"])
    ledger.open(np.array([1.0, 2.0]))
    ledger.book(1, 0.1)
    again.restore(ledger.to_arrays())
    assert np.array_equal(again.residual(np.array([3.0, 4.0])), ledger.residual(np.array([3.0, 4.0])))
