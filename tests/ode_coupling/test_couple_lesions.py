"""One body, several lesions: the books close over all of them, each has its share, one alone is as before."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import tissue_of

from oncolattice.abm.errors import InputError
from oncolattice.abm.state import State
from oncolattice.ode_coupling.couple import CoupledRun
from oncolattice.tests.helpers.boxes import LIVING, boxes, drug_model, ports_of, vessels_and_cells

WEIGHTS = (1e6, 3e5)
FRACTIONS = (0.75, 0.25)
SIDES = (16, 24)


def lesions(turn=(0, 1), **drug) -> CoupledRun:
    model = drug_model(**({"behaviours": LIVING, "uptake": 0.1} | drug))
    occupants = [vessels_and_cells(side, cells=0.3, t_cells=0.05) for side in SIDES]
    first, body, flux, _ = boxes(
        model, occupants[0], seed=1, k12=3.0, k21=2.0, outflow=2.0, supply=4e8, plasma=3.0
    )
    tissues = [first, tissue_of(model, occupants[1], seed=2)]
    body.set("T_blood", 2e9)
    base = ports_of(flux, WEIGHTS[0])
    cells = tuple(replace(cell, weight=WEIGHTS[1]) for cell in base.cells)
    other = replace(flux, scale=0.3 * flux.scale)
    ports = [base, replace(base, cells=cells, drugs=(replace(base.drugs[0], flux=other),))]
    run = CoupledRun([tissues[i] for i in turn], body, [ports[i] for i in turn], [FRACTIONS[i] for i in turn])
    run.open()
    return run


def test_the_books_close_over_all_lesions():
    run = lesions()
    for _ in range(200):
        run.step()
    assert run.ledger.worst.max() <= 1e-10
    counts = [lesion.tissue.state.number for lesion in run.lesions]
    for column, state in ((1, "A_tissue"), (3, "T_tissue")):
        amount = sum(weight * number[column] for weight, number in zip(WEIGHTS, counts, strict=True))
        assert run.body.get(state) == pytest.approx(amount, rel=1e-12)
    assert min(lesion.exchanges[0].crossed for lesion in run.lesions) > 0.0


def test_each_lesion_receives_its_share_of_the_flux():
    """Poisson arrivals: |z| < 4.5 for either lesion against its fraction of what left blood."""
    run = lesions()
    expected = np.zeros(2)
    for _ in range(200):
        expected += np.array(FRACTIONS) * run.body.output("arrival_T") / 24.0 / np.array(WEIGHTS)
        run.step()
    events = {name: i for i, name in enumerate(run.tissue.model.events)}
    for lesion, due in zip(run.lesions, expected, strict=True):
        state = lesion.tissue.state
        here = int(state.number[3]) + int(state.events[events["T: leave"]])
        first = int((vessels_and_cells(state.shape[0], t_cells=0.05)[1] == 3).sum())
        came = here - first + int(lesion.refused[1])
        assert abs(came - due) / np.sqrt(due) < 4.5


def test_a_list_of_one_lesion_is_that_lesion():
    runs = []
    for listed in (False, True):
        tissue, body, flux, _ = boxes(drug_model(behaviours=LIVING), vessels_and_cells(cells=0.3))
        ports = ports_of(flux, 1e6)
        run = CoupledRun([tissue], body, [ports], [1.0]) if listed else CoupledRun(tissue, body, ports)
        run.open()
        for _ in range(20):
            run.step()
        runs.append(run.to_arrays())
    assert runs[0].keys() == runs[1].keys() > {"tissue_occupant"}
    assert all(np.array_equal(runs[0][key], runs[1][key]) for key in runs[0])


def test_two_lesions_go_on_from_their_arrays_to_the_last_bit():
    straight, first, second = lesions(), lesions(), lesions()
    for _ in range(20):
        straight.step()
    for _ in range(9):
        first.step()
    arrays = {key: np.array(value) for key, value in first.to_arrays().items()}
    second.tissue.state = State.from_arrays(arrays)
    second.restore(arrays)
    for _ in range(11):
        second.step()
    a, b = straight.to_arrays(), second.to_arrays()
    assert a.keys() == b.keys()
    assert all(np.array_equal(a[key], b[key]) for key in a)


def test_the_order_of_the_list_is_of_second_order():
    """Lesions take turns in going first, so that halving the step divides what the order matters by four."""
    unequal = []
    for dt_h in (0.5, 0.25, 0.125):
        crossed = []
        for order in ((0, 1), (1, 0)):
            run = lesions(order, behaviours="", dt_h=dt_h, order=2, exchange=2.0, diffusivity=200.0)
            for _ in range(round(4.0 / dt_h)):
                run.step()
            crossed.append(sorted(lesion.exchanges[0].crossed for lesion in run.lesions))
        unequal.append(abs(crossed[0][0] - crossed[1][0]) / crossed[0][0])
    assert 0.0 < unequal[0] < 1e-2
    assert np.divide(unequal[:-1], unequal[1:]) == pytest.approx([4.0, 4.0], abs=0.6)


def test_lesions_that_do_not_fit_are_refused():
    run = lesions()
    tissues, ports = [lesion.tissue for lesion in run.lesions], [lesion.ports for lesion in run.lesions]
    cases = [
        ((tissues, run.body, ports, [1.0]), "every lesion needs"),
        ((tissues, run.body, ports, [0.5, 0.6]), "1 in all"),
        ((tissues, run.body, ports, [1.5, -0.5]), "above 0"),
        (([tissues[0], tissues[0]], run.body, ports, [0.5, 0.5]), "seed"),
        ((tissues, run.body, [ports[0], replace(ports[1], splitting="lie")], [0.5, 0.5]), "differ in"),
    ]
    for arguments, message in cases:
        with pytest.raises(InputError, match=message):
            CoupledRun(*arguments)
