"""SBML files become the same models as those written by hand, and say what they cannot become."""

import numpy as np
import pytest

pytest.importorskip("libsbml", reason="the extra oncolattice[sbml] is not installed")

from sbml_texts import (
    DAY,
    HOUR,
    MG,
    apply,
    compartments,
    listed,
    math,
    model,
    parameters,
    reaction,
    species,
)
from scipy.integrate import solve_ivp
from scipy.special import lambertw

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.companions import BodyWithCompanions
from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.immune.qcic.model import qcic
from oncolattice.ode_coupling.joint import Drive
from oncolattice.ode_coupling.pk.two_compartment import exact_amounts
from oncolattice.ode_coupling.sbml import read_sbml
from oncolattice.ode_coupling.sbml.describe import describe_ode
from oncolattice.ode_coupling.system import Body
from oncolattice.scenarios.listing import describe_text

K12, K21, K10, VOLUME = 0.795 / 3.48, 0.795 / 4.06, 0.22 / 3.48, 3.48
TIGHT = {"rtol": 1e-12, "atol": 1e-12}


def saved(tmp_path, text: str):
    path = tmp_path / "written.xml"
    path.write_text(text, encoding="utf-8")
    return path


def two_compartments(factor: float = 1.0, units: str = DAY + MG, time: str = "day") -> str:
    """Pembrolizumab-like kinetics in amounts, with a local parameter and a function."""
    k = {"k12": K12 * factor, "k21": K21 * factor}
    arguments = "".join(f"<bvar><ci> {name} </ci></bvar>" for name in ("k", "x"))
    function = math(f"<lambda>{arguments}{apply('times', 'k', 'x')}</lambda>")
    called = "<apply><ci> first_order </ci><ci> k12 </ci><ci> central </ci></apply>"
    local = (
        f'<listOfLocalParameters><localParameter id="k" value="{K10 * factor!r}"/></listOfLocalParameters>'
    )
    level = math(apply("divide", "central", "blood"))
    body = (
        listed(
            "FunctionDefinitions",
            f'<functionDefinition id="first_order">{function}</functionDefinition>',
        )
        + compartments(blood=VOLUME, tissue=4.06)
        + listed(
            "Species",
            species("central", "blood", 'initialAmount="0"', True),
            species("peripheral", "tissue", 'initialAmount="0"', True),
            species("eliminated", "blood", 'initialAmount="0"', True),
        )
        + parameters(**k, level=None)
        + listed("Rules", f'<assignmentRule variable="level">{level}</assignmentRule>')
        + listed(
            "Reactions",
            reaction("out", "central", "peripheral", called),
            reaction("back", "peripheral", "central", apply("times", "k21", "peripheral")),
            reaction("loss", "central", "eliminated", apply("times", "k", "central"), local),
        )
    )
    return model(body, units, f'timeUnits="{time}" substanceUnits="mg"')


@pytest.mark.parametrize("hours", [False, True])
def test_two_compartments_are_the_closed_form_in_days_whatever_the_unit_of_time(tmp_path, hours):
    text = two_compartments(1.0 / 24.0, HOUR + MG, "hour") if hours else two_compartments()
    sbml = read_sbml(saved(tmp_path, text), doses={"pembrolizumab": "central"})
    doses = [Dose(0.5, "pembrolizumab", 200.0, 1.0 / 48.0), Dose(21.5, "pembrolizumab", 100.0)]
    body = Body(sbml, {}, doses, **TIGHT)
    for day in (0.51, 3.0, 30.0):
        body.advance_to(day)
        exact = exact_amounts(np.array([day]), doses, K12, K21, K10)[0]
        np.testing.assert_allclose(body.y, exact, rtol=1e-8, atol=1e-8)
        assert body.output("level") == pytest.approx(exact[0] / VOLUME, rel=1e-8)
        assert body.dosed["pembrolizumab"] == pytest.approx(body.y.sum(), rel=1e-12)
    assert sbml.states[0].unit == "mg"


def prey_and_predators() -> str:
    """Rate rules, an initial assignment, a boundary species and a piecewise term."""
    prey = apply("minus", apply("times", "a", "x"), apply("times", "b", "x", "z"))
    hunters = apply("minus", apply("times", "c", "x", "z"), apply("times", "d", "z"))
    start = {"x": apply("divide", apply("plus", "d", "<cn> 0.6 </cn>"), "c"), "z": apply("root", "25")}
    body = parameters(a=1.1, b=0.4, c=0.1, d=0.4, x=None, z=None) + listed(
        "InitialAssignments",
        *(f'<initialAssignment symbol="{n}">{math(f)}</initialAssignment>' for n, f in start.items()),
    )
    return model(
        body
        + listed(
            "Rules",
            f'<rateRule variable="x">{math(prey)}</rateRule>',
            f'<rateRule variable="z">{math(hunters)}</rateRule>',
        )
    )


def test_rate_rules_return_lotka_and_volterra(tmp_path):
    sbml = read_sbml(saved(tmp_path, prey_and_predators()))
    np.testing.assert_allclose(sbml.initial, [10.0, 5.0], rtol=1e-14)
    truth = solve_ivp(
        lambda t, y: [1.1 * y[0] - 0.4 * y[0] * y[1], 0.1 * y[0] * y[1] - 0.4 * y[1]],
        (0.0, 20.0), [10.0, 5.0], method="DOP853", rtol=1e-12, atol=1e-12,
    ).y[:, -1]  # fmt: skip
    body = Body(sbml, **TIGHT)
    body.advance_to(20.0)
    np.testing.assert_allclose(body.y, truth, rtol=1e-8)
    conserved = [0.1 * x - 0.4 * np.log(x) + 0.4 * z - 1.1 * np.log(z) for x, z in (sbml.initial, body.y)]
    assert conserved[0] == pytest.approx(conserved[1], rel=1e-9)


def enzyme(extra: str = "", law: str = "", boundary: bool = False) -> str:
    """Michaelis-Menten loss of a concentration in 2 L, two molecules an event."""
    rate = law or apply("divide", apply("times", "room", "V", "S"), apply("plus", "K", "S"))
    body = (
        compartments(room=2.0)
        + listed(
            "Species",
            species("S", "room", 'initialAmount="20"', False, boundary),
            species("P", "room", 'initialConcentration="0"', False),
        )
        + parameters(V=3.0, K=4.0)
    )
    return model(body + extra + listed("Reactions", reaction("turnover", "S", "P", rate, count=2.0)))


def test_concentrations_follow_michaelis_and_menten(tmp_path):
    sbml = read_sbml(saved(tmp_path, enzyme()))
    np.testing.assert_allclose(sbml.initial, [10.0, 0.0])
    body = Body(sbml, **TIGHT)
    for day in (0.5, 2.0, 4.0):
        body.advance_to(day)
        exact = 4.0 * lambertw(10.0 / 4.0 * np.exp((10.0 - 6.0 * day) / 4.0)).real
        assert body.get("S") == pytest.approx(exact, rel=1e-8)
        assert body.get("S") + body.get("P") == pytest.approx(10.0, rel=1e-12)
        assert body.output("turnover") == pytest.approx(2.0 * 3.0 * exact / (4.0 + exact), rel=1e-8)


def test_a_boundary_species_stays_and_becomes_a_parameter(tmp_path):
    sbml = read_sbml(saved(tmp_path, enzyme(boundary=True)))
    assert [v.name for v in sbml.states] == ["P"]
    body = Body(sbml, {"S": 4.0}, **TIGHT)
    body.advance_to(2.0)
    assert body.get("P") == pytest.approx(2.0 * 3.0 * 4.0 / 8.0 * 2.0, rel=1e-10)


def test_piecewise_time_and_functions_are_those_of_mathml(tmp_path):
    """A rate rule that is a sum of known terms: its integral is known."""
    now = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time"> t </csymbol>'
    early = f"<piece><cn> 2 </cn>{apply('lt', now, '1')}</piece>"
    pulse = f"<piecewise>{early}<otherwise><cn> 0 </cn></otherwise></piecewise>"
    terms = apply(
        "plus", pulse, apply("exp", "<cn> 0 </cn>"), apply("power", "2", "3"), apply("log", "100"),
        apply("ln", "<exponentiale/>"),
        apply("abs", apply("minus", "3")), apply("floor", "1.7"), apply("ceiling", "1.2"), apply("cos", "<pi/>"),
        "<apply><root/><degree><cn> 3 </cn></degree><cn> 27 </cn></apply>", "<cn type=\"e-notation\"> 1 <sep/> 1 </cn>",
        "<cn type=\"rational\"> 1 <sep/> 4 </cn>",
    )  # fmt: skip
    body = Body(
        read_sbml(
            saved(
                tmp_path,
                model(
                    '<listOfParameters><parameter id="q" value="0" constant="false"/></listOfParameters>'
                    + listed("Rules", f'<rateRule variable="q">{math(terms)}</rateRule>')
                ),
            )
        ),
        **TIGHT,
    )
    body.advance_to(1.0)  # ends where the pulse does
    body.advance_to(3.0)
    each = 1.0 + 8.0 + 2.0 + 1.0 + 3.0 + 1.0 + 2.0 - 1.0 + 3.0 + 10.0 + 0.25
    assert body.get("q") == pytest.approx(2.0 + 3.0 * each, rel=1e-6)


def test_a_free_quantity_is_an_input_and_units_are_read(tmp_path):
    law = math(apply("times", "time", "supply"))  # a constant may well be called time
    body = parameters(time=0.5, supply=None, q=None) + listed(
        "Rules", f'<rateRule variable="q">{law}</rateRule>'
    )
    with pytest.raises(InputError, match="rate rule of 'q': has no finite value at time 0"):
        read_sbml(saved(tmp_path, model(body)))
    sbml = read_sbml(
        saved(
            tmp_path,
            model(body.replace('id="q" constant', 'id="q" value="0" units="mg" constant'), attributes=""),
        )
    )
    assert [v.name for v in sbml.inputs] == ["supply"]
    assert sbml.states[0].unit == "mg"
    assert "days are assumed" in sbml.notes
    run = Body(sbml)
    run.set_input("supply", 4.0)
    run.advance_to(2.0)
    assert run.get("q") == pytest.approx(4.0, rel=1e-12)


def test_the_same_file_is_compiled_once(tmp_path):
    path = saved(tmp_path, enzyme())
    assert read_sbml(path).rhs is read_sbml(path).rhs


def test_the_description_lists_everything(tmp_path):
    text = describe_ode(read_sbml(saved(tmp_path, two_compartments()), doses={"drug": "central"}))
    for word in ("ODE model written; time in d", "central", "dose_rate_drug", "level", "loss_k", "mg"):
        assert word in text


def test_the_command_describes_a_file(tmp_path):
    assert "dose" not in describe_text(str(saved(tmp_path, two_compartments())), False)
    assert "peripheral  0" in describe_text(str(saved(tmp_path, two_compartments())), False)


def test_an_imported_drug_is_a_companion_of_the_body(tmp_path):
    sbml = read_sbml(saved(tmp_path, two_compartments()), doses={"antibody": "central"})
    doses = [Dose(0.2, "antibody", 200.0)]
    drive = Drive("antibody.level", "PD1_occupancy", half=2.0)
    body = BodyWithCompanions(Body(qcic()), {"antibody": Body(sbml, {}, doses, **TIGHT)}, [drive])
    body.advance_to(1.0)
    level = exact_amounts(np.array([1.0]), doses, K12, K21, K10)[0, 0] / VOLUME
    assert body.output("PD1_occupancy") == pytest.approx(level / (level + 2.0), rel=1e-8)


WHEN = f'<trigger initialValue="true" persistent="true">{math(apply("geq", "V", "1"))}</trigger>'
THEN = f'<eventAssignment variable="P">{math("<cn> 1 </cn>")}</eventAssignment>'
EVENT = listed(
    "Events",
    f'<event id="dose" useValuesFromTriggerTime="true">{WHEN}{listed("EventAssignments", THEN)}</event>',
)


def test_events_are_refused_by_name_or_left_out_with_a_note(tmp_path):
    path = saved(tmp_path, enzyme().replace("</model>", EVENT + "</model>"))
    with pytest.raises(
        InputError, match=r"event 'dose' \(when V >= 1\) is not imported; give what it does as a Dose"
    ):
        read_sbml(path)
    assert "event 'dose' (when V >= 1) is left out" in read_sbml(path, events="ignore").notes
    with pytest.raises(InputError, match="unknown way with events 'skip'"):
        read_sbml(path, events="skip")


def rules(*parts: str) -> str:
    return listed("Rules", *parts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<sbml", "not valid SBML, line"),
        ("<html/>", "written.xml: "),
        (enzyme(law=apply("times", "V", "Q")), "not valid SBML.*Q"),
        (enzyme(law=apply("factorial", "S")), "reaction 'turnover': the function 'factorial' is not imported"),
        (enzyme().replace('fast="false"', 'fast="true"'), "reaction 'turnover': fast reactions are not imported"),
        (
            enzyme(rules(f"<algebraicRule>{math(apply('minus', 'V', 'K'))}</algebraicRule>")).replace(
                'id="V" value="3.0" constant="true"', 'id="V" value="3.0" constant="false"'
            ),
            "an algebraic rule is not imported; solve it",
        ),
        (enzyme().replace('initialAmount="20"', ""), "species 'S': has no finite value at time 0; give it one"),
        (
            enzyme(
                listed(
                    "InitialAssignments",
                    f'<initialAssignment symbol="P">{math(apply("ln", apply("minus", "K")))}</initialAssignment>',
                )
            ),
            "species 'P': has no finite value at time 0",
        ),
    ],
)  # fmt: skip
def test_what_is_not_imported_is_named(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_sbml(saved(tmp_path, text))


def test_a_compartment_that_grows_asks_for_amounts(tmp_path):
    grown = enzyme(rules(f'<rateRule variable="room">{math("<cn> 1 </cn>")}</rateRule>')).replace(
        'units="litre" constant="true"', 'units="litre" constant="false"'
    )
    with pytest.raises(InputError, match="species 'S': compartment 'room' changes its size"):
        read_sbml(saved(tmp_path, grown))


def test_a_wrong_path_or_species_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_sbml(tmp_path / "none.xml")
    with pytest.raises(InputError, match=r"unknown species that changes 'Central'.*did you mean 'central'"):
        read_sbml(saved(tmp_path, two_compartments()), doses={"drug": "Central"})
