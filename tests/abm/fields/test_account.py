"""The account of a field against sums written out, and what it says of an unbalanced field."""

import numpy as np
import pytest

from oncolattice.abm.fields.account import Account, account, amount_unit


@pytest.mark.parametrize("per_h", [0.0, 0.5])
def test_the_entries_are_the_sums_over_the_sites(per_h):
    rng = np.random.default_rng(0)
    c, before, source, uptake, exchange = rng.random((5, 40, 33))
    book = account(c, before, source, uptake, exchange, 0.2, 3.0, per_h)
    expected = (
        source.sum(),
        (exchange * (3.0 - c)).sum(),
        (uptake * c).sum(),
        0.2 * c.sum(),
        0.0,
        per_h * (c - before).sum(),
        (uptake * c + exchange * c + (0.2 + per_h) * c).sum(),
    )
    assert book == pytest.approx(expected, rel=1e-12)


def test_sums_run_by_rows_and_then_over_rows():
    """Adding 1 to 1e16 is lost, adding two rows of 1 + 1e16 - 1e16 is not."""
    source = np.tile([1.0, 1e16, -1e16, 1.0], (3, 1))
    zero = np.zeros(source.shape)
    by_rows = sum(((row[0] + row[1]) + row[2]) + row[3] for row in source)
    by_columns = sum(sum(column) for column in source.T)
    assert account(zero, zero, source, zero, zero, 0.0, 0.0, 0.0).secreted == by_rows == 3.0 != by_columns


def test_imbalance_is_relative_to_the_turnover():
    assert Account(2.0, 3.0, 1.0, 2.0, -1.0, 1.0, 50.0).imbalance == 0.0
    assert Account(2.0, 3.0, 1.0, 2.0, -1.0, 0.5, 50.0).imbalance == pytest.approx(0.5 / 50.0)
    assert Account(2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0).imbalance == pytest.approx(1.0)
    assert Account(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0).imbalance == 0.0


def test_amounts_are_concentration_times_volume():
    """1 nM in a cube of 10 um is 1e-9 mol/L x 1e-12 L = 1e-21 mol; 1 ng/mL there is 1e-9 g; pressure stays pressure."""
    for unit, expected, amount in (
        ("nM", "fmol", 1e-6), ("uM", "fmol", 1e-3), ("ng/mL", "pg", 1e-6), ("cells/mm3", "cells", 1e-6),
        ("mmHg", "mmHg mm3", 1e-6), ("1", "mm3", 1e-6),
    ):  # fmt: skip
        unit_of_amount, each = amount_unit(unit, 10.0)
        assert unit_of_amount == expected
        assert each == pytest.approx(amount, rel=1e-12)
