"""SBML files run by libRoadRunner give what closed forms give, and say what they cannot."""

import math as m

import numpy as np
import pytest

pytest.importorskip("roadrunner", reason="the extra oncolattice[sbml] is not installed")

from sbml_texts import apply, compartments, listed, math, model, parameters, reaction, species
from scipy.integrate import solve_ivp
from scipy.special import lambertw

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.sbml import read_sbml, simulate
from oncolattice.ode_coupling.system import Body
from oncolattice.scenarios.command.check import check_file
from oncolattice.scenarios.command.describe import describe_text

NOW = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time"> t </csymbol>'


def saved(tmp_path, text: str):
    path = tmp_path / "written.xml"
    path.write_text(text, encoding="utf-8")
    return path


def rated(*rates: tuple[str, str], start: str = "0", more: str = "") -> str:
    """Parameters with rate rules, all from one start."""
    given = "".join(f'<parameter id="{name}" value="{start}" constant="false"/>' for name, _ in rates)
    rules = [f'<rateRule variable="{name}">{math(law)}</rateRule>' for name, law in rates]
    return model(f"<listOfParameters>{given}{more}</listOfParameters>" + listed("Rules", *rules))


def decay(amount: str = "1e-12") -> str:
    return model(
        compartments(c=2.0)
        + listed("Species", species("x", "c", f'initialAmount="{amount}"', True))
        + parameters(k=1.0)
        + listed("Reactions", reaction("r", "x", "", apply("times", "k", "x")))
    )


@pytest.mark.parametrize("amount", ["1e-12", "1", "1e9"])
def test_a_decay_is_as_exact_in_mol_as_in_cells(tmp_path, amount):
    body = Body(read_sbml(saved(tmp_path, decay(amount))))
    body.advance_to(10.0)
    assert body.get("x") == pytest.approx(float(amount) * m.exp(-10.0), rel=1e-6, abs=0.0)


@pytest.mark.parametrize("day", [1.0, 10.0])
def test_a_small_state_beside_a_large_one_is_as_exact(tmp_path, day):
    both = listed(
        "Species",
        species("a", "c", 'initialAmount="1e9"', True),
        species("b", "c", 'initialAmount="1e-9"', True),
    )
    decays = [reaction(f"r{x}", x, "", apply("times", f"k{x}", x)) for x in "ab"]
    text = model(compartments(c=2.0) + both + parameters(ka=1e-3, kb=1.0) + listed("Reactions", *decays))
    found = simulate(saved(tmp_path, text), [day], ["a", "b"])[0]
    start = np.array([1e9, 1e-9])
    assert np.all(np.abs(found - start * np.exp(np.array([-1e-3, -1.0]) * day)) <= 1e-8 * start)


def test_robertson_is_followed_to_the_published_values_at_40(tmp_path):
    """Hairer and Wanner, Solving Ordinary Differential Equations II, 10.1007/978-3-642-05221-7."""
    slow = apply("times", "<cn> 0.04 </cn>", "a")
    back = apply("times", "<cn> 1e4 </cn>", "b", "c")
    fast = apply("times", "<cn> 3e7 </cn>", "b", "b")
    text = rated(
        ("a", apply("minus", back, slow)),
        ("b", apply("minus", apply("minus", slow, back), fast)),
        ("c", fast),
    ).replace('id="a" value="0"', 'id="a" value="1"')
    found = simulate(saved(tmp_path, text), [40.0], ["a", "b", "c"])[0]
    np.testing.assert_allclose(found, [0.7158270688, 9.185534765e-6, 0.2841637457], rtol=1e-6)


def test_a_pulse_in_time_is_not_stepped_over(tmp_path):
    inside = apply("and", apply("geq", NOW, "10"), apply("lt", NOW, "10.05"))
    pulse = f"<piecewise><piece><cn> 100 </cn>{inside}</piece><otherwise><cn> 0 </cn></otherwise></piecewise>"
    body = Body(read_sbml(saved(tmp_path, rated(("x", pulse)))))
    body.advance_to(100.0)
    assert body.get("x") == pytest.approx(5.0, rel=1e-7)


def test_a_state_may_cross_zero(tmp_path):
    text = rated(("x", "<ci> y </ci>"), ("y", apply("minus", "x")), start="1")
    found = simulate(saved(tmp_path, text), [3.0], ["x", "y"])[0]
    np.testing.assert_allclose(found, [m.cos(3) + m.sin(3), m.cos(3) - m.sin(3)], rtol=1e-7)


def test_concentrations_follow_michaelis_and_menten(tmp_path):
    rate = apply("divide", apply("times", "room", "V", "S"), apply("plus", "K", "S"))
    text = model(
        compartments(room=2.0)
        + listed("Species", species("S", "room", 'initialAmount="20"', False))
        + parameters(V=6.0, K=4.0)
        + listed("Reactions", reaction("turnover", "S", "", rate))
    )
    times = [0.5, 2.0, 4.0]
    exact = [4.0 * lambertw(2.5 * m.exp((10.0 - 6.0 * t) / 4.0)).real for t in times]
    found = simulate(saved(tmp_path, text), times, {"S": "concentration"})[:, 0]
    np.testing.assert_allclose(found, exact, rtol=1e-7)


def test_a_dose_enters_and_a_resumed_body_is_the_same_bit_for_bit(tmp_path):
    sbml = read_sbml(saved(tmp_path, decay("0")), doses={"drug": "x"})
    doses = [Dose(0.5, "drug", 3.0, 1.0), Dose(2.0, "drug", 5.0)]
    whole, first, second = (Body(sbml, {}, doses) for _ in range(3))
    for day in (1.0, 2.5, 4.0):
        whole.advance_to(day)
    first.advance_to(1.0)
    first.advance_to(2.5)
    second.restore(first.state())
    second.advance_to(4.0)
    assert whole.y.tobytes() == second.y.tobytes()
    exact = 3.0 * (1.0 - m.exp(-1.0)) * m.exp(-2.5) + 5.0 * m.exp(-2.0)
    assert whole.get("x") == pytest.approx(exact, rel=1e-7)


def test_the_commands_know_a_file(tmp_path):
    path = str(saved(tmp_path, decay()))
    assert check_file(path) == []
    assert "body states" in describe_text(path, False)


ALGEBRAIC = listed("Rules", f"<algebraicRule>{math(apply('minus', 'k', 'x'))}</algebraicRule>")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<sbml", "is not XML"),
        ("<html/>", "is no SBML"),
        ('<!DOCTYPE s [<!ENTITY a "b">]>' + decay().split("\n", 1)[1], "declares an entity"),
        (decay().replace('level="3"', 'level="4"', 1), "Level 4"),
        (decay().replace("<ci> k </ci>", "<ci> q </ci>"), "not valid SBML.*q"),
        (decay().replace('fast="false"', 'fast="true"'), "reaction 'r': fast reactions"),
        (decay().replace("<listOfReactions>", ALGEBRAIC + "<listOfReactions>"), "algebraic rule"),
        (decay("NaN"), 'initialAmount = "NaN"'),
        (decay().replace('multiplier="86400"', 'multiplier="0"'), "above 0"),
        (decay().replace('multiplier="86400"', 'scale="400"').replace('scale="0" scale', "scale"), "above 0"),
        (decay().replace('kind="second" exponent="1"', 'kind="second" exponent="0"'), "multiple of a second"),
        (rated(("x", apply("plus", *["1"] * 3000))), "terms side by side"),
        (rated(("x", "<apply><minus/>" * 2000 + "<cn>1</cn>" + "</apply>" * 2000)), "nests more than"),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_sbml(saved(tmp_path, text))


def test_effector_cells_and_tumour_of_kuznetsov(tmp_path):
    """Kuznetsov et al. 1994 (10.1007/BF02460644), their estimates, against an implicit method of another package."""
    s, p, g, mu, d, a, b, n = 1.3e4, 0.1245, 2.019e7, 3.422e-10, 0.0412, 0.18, 2e-9, 1.101e-7
    values = {"s": s, "p": p, "g": g, "mu": mu, "d": d, "a": a, "b": b, "n": n}
    constants = "".join(f'<parameter id="{k}" value="{v!r}" constant="true"/>' for k, v in values.items())
    won = apply("divide", apply("times", "p", "E", "T"), apply("plus", "g", "T"))
    effector = apply("minus", apply("minus", apply("plus", "s", won), apply("times", "mu", "E", "T")),
                     apply("times", "d", "E"))  # fmt: skip
    grown = apply("times", "a", "T", apply("minus", "1", apply("times", "b", "T")))
    tumour = apply("minus", grown, apply("times", "n", "E", "T"))
    text = rated(("E", effector), ("T", tumour), start="5e5", more=constants)
    truth = solve_ivp(
        lambda _, y: [s + p * y[0] * y[1] / (g + y[1]) - mu * y[0] * y[1] - d * y[0],
                      a * y[1] * (1 - b * y[1]) - n * y[0] * y[1]],
        (0.0, 100.0), [5e5, 5e5], method="Radau", rtol=1e-10, atol=1e-4,
    ).y[:, -1]  # fmt: skip
    found = simulate(saved(tmp_path, text), [100.0], ["E", "T"])[0]
    np.testing.assert_allclose(found, truth, rtol=1e-6)
