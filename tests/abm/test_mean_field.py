"""The mean field against closed forms, brute force over neighbourhoods and published numbers."""

import functools
import io
import itertools
import math

import numpy as np
import pytest
from mean_field_cases import ABORT, EMPTY, HIERARCHY, block, does, senses, write_model
from rich.console import Console

from oncolattice.abm.errors import InputError
from oncolattice.abm.mean_field import mean_field
from oncolattice.abm.model import Model
from oncolattice.ode_coupling.system import Body
from oncolattice.scenarios.command.mean_field import print_mean_field

SITES = {(2, "von Neumann"): 4, (2, "moore"): 8, (3, "von Neumann"): 6, (3, "moore"): 26}


@pytest.fixture
def write(tmp_path):
    """Return ``write_model`` for a file of this test."""
    return functools.partial(write_model, tmp_path / "model.toml")


def slopes(model: Model, **share: float) -> dict[str, float]:
    """Return dy/dt (1/d) by state at fractions by type."""
    field = mean_field(model, share)
    return dict(zip([s.name for s in field.ode.states], field.slope(field.ode.initial), strict=True))


@pytest.mark.parametrize(("dimensions", "neighbourhood"), SITES)
@pytest.mark.parametrize("filled", [0.0, 0.07, 0.5, 0.93, 1.0])
def test_division_into_an_empty_neighbour_is_r_c_one_minus_c_to_the_m(
    write, dimensions, neighbourhood, filled
):
    blocks = does("C", "divide", "0.7*one", target=EMPTY) + does("C", "die age", "0.2*one")
    model = write("C@t", blocks, dimensions=dimensions, neighbourhood=neighbourhood)
    m = SITES[dimensions, neighbourhood]
    assert slopes(model, C=filled)["C"] == pytest.approx(
        0.7 * filled * (1 - filled**m) - 0.2 * filled, abs=1e-15
    )


@pytest.mark.parametrize(("dimensions", "neighbourhood"), SITES)
def test_division_that_aborts_is_logistic_whatever_the_neighbourhood(write, dimensions, neighbourhood):
    blocks = does("C", "divide", "0.7*one", target=ABORT) + does("C", "die age", "0.2*one")
    model = write("C@t", blocks, dimensions=dimensions, neighbourhood=neighbourhood)
    for filled in (0.1, 0.6, 1.0):
        assert slopes(model, C=filled)["C"] == pytest.approx(filled * (0.7 * (1 - filled) - 0.2), abs=1e-15)


@pytest.mark.parametrize(("dimensions", "rings", "m"), [(2, 1, 8), (2, 3, 48), (3, 2, 124)])
def test_rings_widen_the_reach(write, dimensions, rings, m):
    model = write(
        "C@t", does("C", "divide", "one", rings=str(rings)), dimensions=dimensions, neighbourhood="moore"
    )
    assert slopes(model, C=0.9)["C"] == pytest.approx(0.9 * (1 - 0.9**m), rel=1e-13)


def test_two_types_share_their_layer_and_the_other_layer_is_none_of_their_business(write):
    blocks = does("A", "divide", "one") + does("B", "die age", "0.1*one") + does("T", "divide", "2*one")
    found = slopes(write("A@t B@t T@i", blocks), A=0.3, B=0.2, T=0.4)
    assert found["A"] == pytest.approx(0.3 * (1 - 0.5**4))
    assert found["B"] == pytest.approx(-0.02)
    assert found["T"] == pytest.approx(2 * 0.4 * (1 - 0.4**4))


def test_killing_meets_the_neighbours_and_the_own_site_of_other_layers(write):
    """9 sites of another layer, 8 of the own; the dead leave a body, on contact with Moore neighbours."""
    blocks = does("T", "kill A", "0.3*one", leaves="D") + does("T", "kill U", "0.5*one")
    found = slopes(write("A@t D@t T@i U@i", blocks, neighbourhood="moore"), A=0.2, T=0.1, U=0.3)
    assert found["A"] == pytest.approx(-9 * 0.3 * 0.2 * 0.1)
    assert found["D"] == pytest.approx(-found["A"])
    assert found["U"] == pytest.approx(-8 * 0.5 * 0.3 * 0.1)
    assert found["T"] == 0.0


def test_a_division_attempt_can_kill_beget_and_leave_remains(write):
    """Of successful attempts 30 % kill (a body stays), of the rest a quarter begets the other type."""
    blocks = (
        does("A", "divide", "one", target=ABORT)
        + does("A", "die_dividing drug", "0.3", leaves="D")
        + does("A", "beget B", "0.25")
        + does("B", "become A", "0.5*one")
        + does("A", "leave", "0.01*one")
    )
    found = slopes(write("A@t B@t D@t", blocks), A=0.4, B=0.1)
    attempts = 0.4 * (1 - 0.5)
    assert found["A"] == pytest.approx(attempts * (0.7 * 0.75 - 0.3) + 0.05 - 0.004)
    assert found["B"] == pytest.approx(attempts * 0.7 * 0.25 - 0.05)
    assert found["D"] == pytest.approx(attempts * 0.3)


def test_a_counter_becomes_classes_and_the_hierarchy_its_published_fractions(write):
    """Stem .00404, progenitor .67010, senescent .32586, growth .01/d (10.3390/cancers13153751, NSCLC)."""
    field = mean_field(write("stem@t progenitor@t senescent@t", HIERARCHY, neighbourhood="moore"))
    names = [state.name for state in field.ode.states]
    assert len(names) == 11
    tiny = 1e-9  # so thin a tissue that every division finds a site
    growth = np.array([field.slope(tiny * unit) / tiny for unit in np.eye(11)]).T
    values, vectors = np.linalg.eig(growth)
    first = np.argmax(values.real)
    share = np.abs(vectors[:, first]) / np.abs(vectors[:, first]).sum()
    assert values[first].real == pytest.approx(0.01, abs=1e-9)
    assert share[names.index("stem")] == pytest.approx(0.00404, abs=5e-6)
    assert share[names.index("senescent")] == pytest.approx(0.32586, abs=5e-6)
    progenitors = [share[k] for k, name in enumerate(names) if name.startswith("progenitor[")]
    assert len(progenitors) == 9
    assert sum(progenitors) == pytest.approx(0.67010, abs=5e-6)


def test_own_counter_scales_a_rate_and_a_kill_uses_one_up(write):
    """A killer with two kills left: rate 0.4 per contact times k / (2 + k); then it is exhausted."""
    blocks = (
        does("T", "kill A", "0.4*one")
        + block("attribute", name="kills", cell="T", kind="count", unit="1", initial="2")
        + block("change", attribute="kills", on="kill A", add="-1", at_zero="become E")
        + senses("T", "kill A", "own kills", "drives", "2")
    )
    found = slopes(write("A@t T@i E@i", blocks), **{"A": 0.5, "T[kills=2]": 0.1, "T[kills=1]": 0.2})
    two, one = 0.4 / 2 * 5 * 0.5 * 0.1, 0.4 / 3 * 5 * 0.5 * 0.2
    assert found["A"] == pytest.approx(-two - one)
    assert (found["T[kills=2]"], found["T[kills=1]"], found["E"]) == pytest.approx((-two, two - one, one))


def test_values_pass_on_as_the_lattice_passes_them(write):
    """A begotten cell and what remains of a victim inherit the counter; zero ends the mother, not the begotten."""
    blocks = (
        does("A", "divide", "one", target=ABORT)
        + does("A", "beget B", "0.25")
        + does("B", "become A", "2*one")
        + does("T", "kill B", "0.5*one", leaves="D")
        + block("attribute", name="n", cell=["A", "B", "D"], kind="count", unit="1", initial="1")
        + block("change", attribute="n", cell="A", on="divide", add="-1", at_zero="die old")
        + block("change", attribute="n", cell="B", on="become A", set="3")
        + senses("D", "die gone", "own n", "drives", "1")
        + does("D", "die gone", "one")
    )
    found = slopes(
        write("A@t B@t D@t T@i", blocks), **{"A[n=1]": 0.4, "B[n=0]": 0.1, "T": 0.2, "D[n=1]": 0.1}
    )
    attempts, killed = 0.4 * (1 - 0.6), 0.5 * 5 * 0.2 * 0.1
    assert found["A[n=1]"] == pytest.approx(-attempts)
    assert found["A[n=3]"] == pytest.approx(2 * 0.1)
    assert found["B[n=0]"] == pytest.approx(0.25 * attempts - 0.2 - killed)
    assert found["D[n=0]"] == pytest.approx(killed)
    assert found["D[n=1]"] == pytest.approx(-0.1 / 2)


def hill(x: float, power: float) -> float:
    """x^n / (1 + x^n)."""
    return x**power / (1 + x**power)


def mean_over_neighbours(near: dict[str, float], own: dict[str, float], other: dict[str, float] | None, what):
    """Average ``what(own-layer neighbours, other-layer sites)`` over every arrangement of 4 and 5 sites."""
    total = 0.0
    sites = [{**own, "": 1 - sum(own.values())}] * 4
    if other is not None:
        sites = sites + [{**other, "": 1 - sum(other.values())}] * 5
    for cells in itertools.product(*(site.keys() for site in sites)):
        chance = math.prod(site[cell] for site, cell in zip(sites, cells, strict=True))
        total += chance * what(cells[:4], cells[4:])
    return total


def test_rules_on_contacts_and_crowding_are_exact_over_all_neighbourhoods(write):
    """Division: Hill in like neighbours and step in crowding, so that the rate and the room go together."""
    blocks = (
        does("A", "divide", "one", target=EMPTY)
        + senses("A", "divide", "contact A", "increases", "2", power="2", fold="5")
        + senses("A", "divide", "crowding", "decreases", "0.75", response="step")
        + senses("A", "divide", "contact T", "decreases", "1.5", power="3", fold="0.2")
    )
    own, other = {"A": 0.35, "B": 0.25}, {"T": 0.3}

    def rate(near, far):
        crowding = sum(map(bool, near)) / 4
        up = 1 + 4 * hill(near.count("A") / 2, 2)
        down = (1 - (crowding >= 0.75)) * (1 - 0.8 * hill(far.count("T") / 1.5, 3))
        return up * down * (crowding < 1)

    expected = 0.35 * mean_over_neighbours({}, own, other, rate)
    found = slopes(write("A@t B@t T@i", blocks), **own, **other)
    assert found["A"] == pytest.approx(expected, rel=1e-12)
    # the product of the means is another number: the test would see it
    assert abs(0.35 * rate(["A", "B"], ["T"]) - expected) > 1e-2


def test_abortive_division_shares_its_neighbourhood_with_its_rules(write):
    blocks = does("A", "divide", "one", target=ABORT) + senses(
        "A", "divide", "crowding", "drives", "0.4", power="4"
    )
    own = {"A": 0.5}
    expected = 0.5 * mean_over_neighbours(
        {}, own, None, lambda near, _: (n := near.count("A") / 4) and hill(n / 0.4, 4) * (1 - n)
    )
    assert slopes(write("A@t", blocks), A=0.5)["A"] == pytest.approx(expected, rel=1e-12)


def test_killing_that_saturates_in_contacts_is_exact(write):
    """Rate per contact falls with the number of targets met: E[n k(n)] is not E[n] k(E[n])."""
    blocks = does("T", "kill A", "one") + senses("T", "kill A", "contact A", "decreases", "1")
    other, own = {"A": 0.3, "B": 0.3}, {"T": 0.2}
    per_cell = mean_over_neighbours(
        {}, own, other, lambda _, far: (n := far.count("A")) and n * (1 - hill(n, 1.0))
    )
    found = slopes(write("A@t B@t T@i", blocks), **other, **own)
    assert found["A"] == pytest.approx(-0.2 * per_cell, rel=1e-12)
    assert found["B"] == 0.0


def test_too_many_neighbourhoods_are_replaced_by_the_mean_one_and_named(write):
    types = "A@t B@t C@t D@t E@t F@t"
    rules = "".join(
        senses("A", "die x", f"contact {t}", "decreases", "9", response="linear") for t in "ABCDEF"
    )
    model = write(types, does("A", "die x", "one") + rules, dimensions=3, neighbourhood="moore")
    field = mean_field(model, {"A": 0.1, "B": 0.2})
    assert any("mean neighbourhood" in note and "A: die x" in note for note in field.notes)
    assert field.ode.states[0].name == "A"
    assert field.slope(field.ode.initial)[0] == pytest.approx(-0.1 * (1 - 2.6 / 9) * (1 - 5.2 / 9))


BODY = block("body_signal", name="drug", unit="nM", default="0.5*nM") + block(
    "body_signal", name="free", unit="1", default="1", free_of="drug", affinity="2*nM"
)
NM = 'nM = { value = 1, unit = "nM", source = "assumed" }\n'


def test_body_signals_are_parameters_and_bound_drugs_follow(write):
    """Unbound fraction 1 / (1 + 0.5/2) = 0.8 at the default and 0.5 at 2 nM."""
    blocks = (
        BODY + does("A", "die x", "one") + senses("A", "die x", "body free", "drives", "1", response="linear")
    )
    body = Body(mean_field(write("A@t", blocks, NM), {"A": 0.4}).ode)
    found = []
    for level in (0.5, 2.0):
        body.p[body.model.index("parameters", "body drug")] = level
        dy = np.zeros(1)
        body.model.rhs(0.0, body.y, body.p, body.u, dy)
        found.append(dy[0])
    assert found == pytest.approx([-0.32, -0.2])


DIFFUSING = (
    '[[field]]\nname = "F"\nunit = "nM"\ndiffusivity = "1000*area"\ndecay = "0.5/hour"\nsolver = "quasi-steady"\n'
    'update_interval = "time_step"\ntolerance = "1e-6"\n'
)
UNITS = (
    NM + 'area = { value = 1, unit = "um^2/h", source = "assumed" }\n'
    'hour = { value = 1, unit = "h", source = "assumed" }\n'
)


def test_a_field_is_source_over_sink_also_when_secretion_senses_it(write):
    """c = 3 A (1 - h(c)) / (0.5 + 2 B), h = c / (1 + c): a quadratic, solved by hand."""
    blocks = (
        DIFFUSING
        + does("A", "secrete F", "3*nM/hour")
        + senses("A", "secrete F", "field F", "decreases", "nM")
        + does("B", "take_up F", "2/hour")
        + does("B", "die x", "one")
        + senses("B", "die x", "field F", "drives", "nM", response="linear")
    )
    a, b = 0.4, 0.1
    sink = 0.5 + 2 * b
    c = (-1 + math.sqrt(1 + 4 * 3 * a / sink)) / 2  # c (1 + c) sink = 3 a
    model = write("A@t B@t", blocks, UNITS)
    assert slopes(model, A=a, B=b)["B"] == pytest.approx(-b * c, rel=1e-10)
    assert any("field F" in note for note in mean_field(model).notes)


def test_equations_read_like_a_textbook(write):
    numbers = (
        'r = { value = 0.7, unit = "1/d", source = "10.1098/rsif.2020.0987", description = "birth" }\n'
        'd = { value = 0.2, unit = "1/d", source = "assumed" }\n'
    )
    lines = mean_field(
        write("C@t", does("C", "divide", "r") + does("C", "die age", "d"), numbers)
    ).equations()
    assert lines == [
        "dC/dt = r C (1 - C^4) - d C",
        "r = 0.7 1/d  [10.1098/rsif.2020.0987]  birth",
        "d = 0.2 1/d  [assumed]",
    ]
    abort = mean_field(write("C@t", does("C", "divide", "r", target=ABORT), numbers)).equations()
    assert abort[0] == "dC/dt = r C (1 - C)"


def test_classes_and_kills_in_the_equations(write):
    lines = mean_field(write("stem@t progenitor@t senescent@t", HIERARCHY)).equations()
    assert "dstem/dt = (0.2*one) stem (1 - N^4) (1 - 0.95)" in lines
    assert "N = stem + progenitor[divisions_left=9]" in next(line for line in lines if line.startswith("N ="))
    assert "dsenescent/dt = - one senescent + 2 (0.5*one) progenitor[divisions_left=1] (1 - N^4)" in lines


def test_every_stand_in_is_named(write):
    attributes = block("attribute", name="age", cell="A", kind="clock", unit="h", initial="0*hour")
    blocks = (
        DIFFUSING.replace(
            'decay = "0.5/hour"', 'decay = "0/hour"\nboundary = "fixed"\nboundary_level = "4*nM"'
        )
        + attributes
        + does("A", "migrate", "1/hour")
        + does("A", "die x", "one")
        + senses("A", "die x", "own age", "increases", "hour", fold="2")
        + senses("A", "die x", "field F", "drives", "8*nM", response="linear")
    )
    field = mean_field(write("A@t", blocks, UNITS, boundary="no-flux"), {"A": 0.5})
    for word in ("update", "edges", "migration", "field F", "own age"):
        assert any(note.startswith(word) for note in field.notes), word
    assert field.ode.states[0].name == "A"
    assert field.slope(field.ode.initial)[0] == pytest.approx(-0.25)  # 4/8, age 0


def test_per_step_probabilities_offer_the_map(write):
    blocks = does("C", "divide", "one", target=ABORT) + does("C", "die x", "0.5*one")
    model = write("C@t", blocks, update="per-step probabilities")
    field = mean_field(model, {"C": 0.2})
    p = 0.1 / 24  # one a day, in steps of 0.1 h
    assert field.step(np.array([0.2]))[0] == pytest.approx(0.2 + p * 0.2 * 0.8 - 0.5 * p * 0.2, rel=1e-14)
    assert any("p/dt" in note for note in field.notes)
    with pytest.raises(InputError, match="per-step probabilities"):
        mean_field(write("C@t", blocks)).step(np.array([0.2]))


def test_a_counter_without_end_and_a_wrong_start_are_refused(write):
    endless = (
        does("C", "divide", "one")
        + block("attribute", name="age", cell="C", kind="count", unit="1", initial="0")
        + block("change", attribute="age", on="divide", add="1")
        + senses("C", "divide", "own age", "decreases", "9")
    )
    with pytest.raises(InputError, match="age of C takes more than 100 values"):
        mean_field(write("C@t", endless))
    model = write("C@t", does("C", "divide", "one"))
    with pytest.raises(InputError, match="unknown cell type or state 'D'"):
        mean_field(model, {"D": 0.1})
    with pytest.raises(InputError, match=r"C = 1\.5"):
        mean_field(model, {"C": 1.5})


def test_a_counter_that_nothing_reads_costs_no_class(write):
    blocks = does("C", "divide", "one") + block(
        "attribute", name="n", cell="C", kind="count", unit="1", initial="0"
    )
    blocks += block("change", attribute="n", on="divide", add="1")
    assert [state.name for state in mean_field(write("C@t", blocks)).ode.states] == ["C"]


def test_the_command_line_prints_equations_numbers_and_notes():
    console = Console(file=io.StringIO(), width=60)
    print_mean_field("mcrc", ["beta_X1 = 0.08/d"], console)
    lines = console.file.getvalue().splitlines()
    assert any(line.startswith("dDSTC/dt") for line in lines)
    assert any(line.startswith("beta_X1 = 0.08 1/d  [user]") for line in lines)
    assert any(line.startswith("  - field oxygen: quasi-steady") for line in lines)
    with pytest.raises(InputError, match="name=value"):
        print_mean_field("mcrc", ["beta_X1"], console)
