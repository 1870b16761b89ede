"""Drug crosses by amounts: nothing is lost, two boxes follow their ODE, levels stay positive unclipped."""

import numpy as np
import pytest
from tiny import rule

from oncolattice.abm.errors import InputError
from oncolattice.abm.state import State
from oncolattice.ode_coupling.couple import CoupledRun
from oncolattice.ode_coupling.ports import Flux
from oncolattice.tests.helpers.boxes import (
    LIVING,
    MOLAR,
    SITE_UM,
    boxes,
    drug_model,
    litres,
    ports_of,
    vessels_and_cells,
)


def opened(tissue, body, ports) -> CoupledRun:
    run = CoupledRun(tissue, body, ports)
    run.open()
    return run


def total(run: CoupledRun) -> float:
    """Return the drug of body and tissue, mg, from the field itself."""
    state, flux = run.tissue.state, run.ports.drugs[0].flux
    in_tissue = state.fields[0].sum() * SITE_UM**3 * 1e-24 * MOLAR * 1e3 * flux.scale
    return float(in_tissue + sum(run.body.get(name) for name in ("central", "peripheral", "eliminated")))


SLOW = pytest.mark.slow


@pytest.mark.parametrize("weight", [pytest.param(1.0, marks=SLOW), pytest.param(1e3, marks=SLOW), 1e6])
def test_the_total_of_a_closed_pair_is_constant_over_ten_thousand_steps(weight):
    model = drug_model(behaviours=LIVING)
    occupant = vessels_and_cells(cells=0.3, t_cells=0.05)
    tissue, body, flux, _ = boxes(
        model, occupant, scale=weight, k12=5.0, k21=3.0, outflow=0.05, supply=20.0 * weight
    )
    body.set("T_blood", 400.0 * weight)
    run = opened(tissue, body, ports_of(flux, weight))
    first, worst = total(run), 0.0
    for step in range(10_000):
        run.step()
        if step % 250 == 0:
            worst = max(worst, abs(total(run) / first - 1.0))
    events = dict(zip(model.events, tissue.state.events.tolist(), strict=True))
    assert min(events["A: divide"], events["A: die apoptosis"], events["T: leave"]) > 100
    assert worst <= 1e-10
    assert run.ledger.worst.max() <= 1e-10
    assert run.lesions[0].exchanges[0].crossed > 0.1 * first


@pytest.mark.parametrize(("partition", "plasma"), [(1.0, 2.0), (0.3, 0.5), (4.0, 5.0)])
def test_plasma_follows_the_two_compartment_ode(partition, plasma):
    """V_p C_p' = -k f V_t (K C_p - C_t): plasma falls to its share with rate k f (1 + K V_t / V_p)."""
    k, dt = 2.0, 0.25
    tissue, body, flux, volume = boxes(
        drug_model(dt, k, diffusivity=1e6, order=2), vessels_and_cells(), plasma=plasma
    )
    run = opened(tissue, body, ports_of(Flux("drug", "central", volume, MOLAR, flux.scale, partition)))
    ratio, shared = partition * litres(tissue, flux.scale) / volume, k / 16.0
    first = body.get("central")
    for _ in range(96):
        run.step()
        hours = tissue.state.step * dt
        left = (1.0 + ratio * np.exp(-shared * (1.0 + ratio) * hours)) / (1.0 + ratio)
        assert body.get("central") / first == pytest.approx(left, rel=0.01)
    assert tissue.state.fields[0].mean() == pytest.approx(
        partition * body.get("central") / volume / MOLAR * 1e6, rel=0.02
    )


def test_what_flows_back_is_credited():
    tissue, body, flux, _ = boxes(drug_model(exchange=5.0), vessels_and_cells(), k10=20.0)
    run = opened(tissue, body, ports_of(flux))
    crossed = []
    for _ in range(60):
        run.step()
        crossed.append(run.lesions[0].exchanges[0].crossed)
    flow = np.diff(crossed)
    assert flow[0] > 0 > flow[-1]
    assert body.get("eliminated") > 0.9 * run.ledger.opening[0]
    assert run.ledger.worst.max() <= 1e-12


@pytest.mark.parametrize("plasma", [1e-4, 1e-2, 1.0])
@pytest.mark.parametrize("exchange", [1.0, 1e3, 1e6])
def test_levels_stay_positive_however_stiff_the_exchange(exchange, plasma):
    """Nothing is clipped (the books close), nothing is negative, and plasma settles at its share."""
    tissue, body, flux, _ = boxes(drug_model(exchange=exchange, order=2), vessels_and_cells(), plasma=plasma)
    run = opened(tissue, body, ports_of(flux))
    first = body.get("central")
    for _ in range(200):
        run.step()
        assert 0.0 < body.get("central") < first
        assert tissue.state.fields.min() >= 0.0
    assert body.get("central") / first == pytest.approx(plasma / (1.0 + plasma), rel=1e-4)
    assert run.ledger.worst.max() <= 1e-12


def test_uptake_and_decay_are_sinks_of_the_books():
    model = drug_model(uptake=0.5, decay=0.05)
    tissue, body, flux, _ = boxes(model, vessels_and_cells(cells=0.4))
    run = opened(tissue, body, ports_of(flux))
    first = total(run)
    for _ in range(100):
        run.step()
    gone = -run.ledger.booked[0]
    assert gone > 0.3 * first
    assert total(run) + gone == pytest.approx(first, rel=1e-12)


def test_a_sink_per_cell_saturates_by_a_rule():
    """v = k c / (1 + c / K): at c of about 50 K the cells take K k each, not k c."""
    half_level = 1.0
    model = drug_model(uptake=0.5, behaviours=rule("A", "take_up drug", "field drug", "decreases", "K"))
    tissue, body, flux, _ = boxes(model, vessels_and_cells(cells=0.4), plasma=20.0, nM=50.0)
    run = opened(tissue, body, ports_of(flux))
    for _ in range(100):
        run.step()
    before, level, cells = run.ledger.booked[0], tissue.state.fields[0].mean(), int(tissue.state.number[1])
    run.step()
    taken = (before - run.ledger.booked[0]) / run.lesions[0].exchanges[0].amount_per_unit
    assert level > 20.0 * half_level
    assert taken == pytest.approx(cells * 0.5 * level / (1.0 + level / half_level), rel=0.02)


def test_one_way_coupling_warns_and_the_ledger_shows_what_it_creates():
    tissue, body, flux, volume = boxes(drug_model(), vessels_and_cells())
    one_way = Flux("drug", "central", volume, MOLAR, flux.scale, one_way=True)
    run = opened(tissue, body, ports_of(one_way))
    assert any("creates drug" in note for note in tissue.notes)
    first = body.get("central")
    for _ in range(50):
        run.step()
    assert body.get("central") == first
    created = total(run) - first
    assert created == pytest.approx(run.lesions[0].exchanges[0].crossed, rel=1e-10)
    assert run.residuals()[0] == pytest.approx(created / total(run), rel=1e-9)


def test_goes_on_from_its_arrays_to_the_last_bit():
    def fresh() -> CoupledRun:
        tissue, body, flux, _ = boxes(
            drug_model(behaviours=LIVING, uptake=0.1), vessels_and_cells(cells=0.3, t_cells=0.05), k10=1.0
        )
        body.set("T_blood", 4e8)
        return opened(tissue, body, ports_of(flux, 1e6))

    straight, first, second = fresh(), fresh(), fresh()
    for _ in range(30):
        straight.step()
    for _ in range(13):
        first.step()
    arrays = {key: np.array(value) for key, value in first.to_arrays().items()}
    second.tissue.state = State.from_arrays(arrays)
    second.restore(arrays)
    for _ in range(17):
        second.step()
    a, b = straight.to_arrays(), second.to_arrays()
    assert a.keys() == b.keys()
    assert all(np.array_equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ('unit = "uM"', "unit 'nM', it has 'uM'"),
        ('solver = "quasi-steady"', "solver = 'transient'"),
        ("initial = ", "an 'initial' level"),
        ('update_interval = "longer"', "update_interval of one time_step"),
        ('normalise = "tissue mean"', "neither scale nor normalise"),
        ("vessel_type = \nvessel_exchange = \nvessel_level = ", "a vessel_type"),
    ],
)
def test_a_field_that_cannot_be_exchanged_is_refused(field, message):
    tissue, body, flux, _ = boxes(drug_model(field=field), vessels_and_cells())
    with pytest.raises(InputError, match=message):
        CoupledRun(tissue, body, ports_of(flux))


def test_wrong_names_and_numbers_of_a_flux_are_refused():
    tissue, body, _, _ = boxes(drug_model(), vessels_and_cells())
    for bad in (Flux("drugs", "central", 1.0, MOLAR, 1.0), Flux("drug", "centre", 1.0, MOLAR, 1.0)):
        with pytest.raises(InputError, match="did you mean"):
            CoupledRun(tissue, body, ports_of(bad))
    for numbers in ((0.0, MOLAR, 1.0), (1.0, -1.0, 1.0), (1.0, MOLAR, float("nan"))):
        with pytest.raises(InputError, match="must be positive"):
            Flux("drug", "central", *numbers)


def test_without_a_scale_the_lattice_stands_for_the_lesion():
    tissue, body, _, _ = boxes(drug_model(), vessels_and_cells())
    run = CoupledRun(tissue, body, ports_of(Flux("drug", "central", 1.0, MOLAR)))
    # 1 L of lesion at 1 nM throughout holds 1e-9 mol, 300 g/mol: 3e-4 mg
    assert run.lesions[0].exchanges[0].amount_per_unit * 256 == pytest.approx(3e-4, rel=1e-12)
