"""Fields of a tissue: sources read off the cells, steady start, exact account of a transient step."""

import numpy as np
import pytest
from tiny import behaviour, parameters, rule, scattered, tiny_model, tissue_of

from oncolattice.abm.errors import InputError
from oncolattice.abm.fields.sources import fill_sources

NUMBERS = parameters(
    D=(2000.0, "um^2/h"), k=(0.3, "1/h"), tol=(1e-10, "1"), s=(0.7, "nM/h"), u=(0.2, "1/h"), half=(2.0, "1"),
    interval=(2.0, "h"), d=(0.05, "1/h"), one=(1.0, "nM"),
)  # fmt: skip
FIELD = """
[[field]]
name = "F"
unit = "nM"
diffusivity = "D"
decay = "k"
solver = "transient"
update_interval = "interval"
tolerance = "tol"
"""
CELLS = (
    behaviour("A", "secrete F", "s")
    + rule("A", "secrete F", "contact T", "increases", "half", fold="half")
    + behaviour("T", "take_up F", "u")
    + behaviour("A", "die x", "d")
)


def tissue(field: str = FIELD):
    occupant = scattered((40, 44), 0.3, 1, 0)
    occupant[1] = scattered((40, 44), 0.2, 3, 1, seed=1)[1]
    return tissue_of(tiny_model(NUMBERS, field + CELLS), occupant)


def sources_and_sinks(t) -> tuple[np.ndarray, np.ndarray]:
    """Return the source and the sink, decay included, of the only field at every site."""
    maps = np.zeros((3, t.state.region.size))
    scratch = np.zeros((3, len(t.model.types) + 1))
    view, lattice = t.state.view(t.model), t.state.lattice(t.model)
    fill_sources(0, view, lattice, t.model.tables, scratch, *maps)
    sink = maps[1] + maps[2] + t.model.tables.fields[0]["decay"]
    return maps[0].reshape(t.state.shape), sink.reshape(t.state.shape)


def test_sources_and_sinks_are_those_of_the_cells():
    t = tissue()
    occupant = t.state.occupant
    source, sink = sources_and_sinks(t)
    padded = np.pad(occupant[1] == 3, 1)
    touching = sum(padded[j : j + 40, i : i + 44] for j in range(3) for i in range(3)).astype(float)
    expected = np.where(occupant[0] == 1, 0.7 * (1 + touching / (2.0 + touching)), 0.0)
    assert source == pytest.approx(expected, rel=1e-12)
    assert sink == pytest.approx(0.3 + 0.2 * (occupant[1] == 3), rel=1e-12)


def test_a_transient_field_starts_at_the_steady_state_and_keeps_its_books():
    t = tissue()
    source, sink = sources_and_sinks(t)
    c = t.state.fields[0].copy()
    assert (sink * c).sum() == pytest.approx(source.sum(), rel=1e-10)  # secreted = taken up + decayed
    t.step()
    t.step()
    source, sink = sources_and_sinks(t)
    new = t.state.fields[0]
    assert new.min() > 0
    change = (new - c).sum() / 2.0
    assert change == pytest.approx(source.sum() - (sink * new).sum(), rel=1e-9, abs=1e-9 * source.sum())


def test_a_declared_start_is_kept():
    t = tissue(FIELD + 'initial = "one"\n')
    assert np.all(t.state.fields[0] == 1.0)
    t.step()
    t.step()
    assert t.state.fields[0].std() > 0


def test_a_field_that_nothing_takes_up_has_no_steady_state_and_says_so():
    endless = FIELD.replace("transient", "quasi-steady").replace('decay = "k"', 'decay = "none"')
    model = tiny_model(NUMBERS + parameters(none=(0.0, "1/h")), endless + behaviour("A", "secrete F", "s"))
    with pytest.raises(InputError, match=r"field 'F' has no solution.*give it a decay"):
        tissue_of(model, scattered((40, 44), 0.3, 1, 0))


SCALED = (
    FIELD.replace('"transient"', '"quasi-steady"').replace(
        '"k"', '"k"\nnormalise = "tissue mean"\nscale = "drug"'
    )
    + 'vessel_type = "V"\nvessel_exchange = "x"\nvessel_level = "one"\n'
    + '[[body_signal]]\nname = "drug"\nunit = "nM"\ndefault = "none"\n'
)
MORE = NUMBERS + parameters(x=(0.8, "1/h"), none=(0.0, "nM"))


def test_the_account_of_a_scaled_field_is_that_of_the_field_that_is_there():
    """Its mean is the body signal, hour by hour, so that decay takes k times the integral of the signal; without
    signal there is nothing to account for, whatever the pattern."""
    occupant = scattered((40, 44), 0.1, 4, 0)
    occupant[1] = scattered((40, 44), 0.2, 3, 1, seed=1)[1]
    t = tissue_of(
        tiny_model(MORE, SCALED + behaviour("T", "take_up F", "u") + behaviour("V", "divide", "d")), occupant
    )
    levels = [0.0, 0.0, 0.0, 7.0, 50.0, 11.0, 0.0]  # a pulse that begins and ends within an update of 2 h
    for hour, level in enumerate(levels, start=1):
        t.set_body({"drug": level})
        t.step()
        secreted, delivered, taken_up, decayed, through, change = t.state.field_account[0]
        assert decayed == pytest.approx(0.3 * sum(levels[:hour]) * 40 * 44, rel=1e-8)
        assert delivered == pytest.approx(taken_up + decayed, rel=1e-8)
        assert secreted == through == change == 0.0
    assert taken_up > 0.1 * decayed


def test_the_account_does_not_depend_on_how_many_steps_a_call_takes():
    model = tiny_model(MORE, SCALED + behaviour("T", "take_up F", "u") + behaviour("V", "divide", "d"))
    occupant = scattered((40, 44), 0.1, 4, 0)
    one, several = tissue_of(model, occupant), tissue_of(model, occupant)
    for t in (one, several):
        t.set_body({"drug": 3.0})
    several.advance(9)
    for _ in range(9):
        one.step()
    np.testing.assert_allclose(one.state.field_account, several.state.field_account, rtol=1e-12)
    assert one.state.field_account[0, 3] > 0.0
