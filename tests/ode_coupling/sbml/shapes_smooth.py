"""Growth, kinetics and the bookkeeping of SBML, solved by hand."""

import math as m

import numpy as np
from sbml_texts import assignments, formula, functions, initials, listed, parameters, quantities, rates, sbml
from scipy.linalg import expm
from scipy.special import lambertw

from oncolattice.tests.ode_coupling.sbml.shapes import Shape, in_days, kind, room, turn

AVOGADRO = 6.02214179e23  # SBML Level 3 Version 1, section 3.4.6
C2 = listed("Compartments", room("c", 2.0))
SECONDS = (1e4, 4e4, 2e5)


def rules(*parts: str) -> str:
    return listed("Rules", *parts)


def oral(time: float) -> float:
    """Three amounts in a row, the last one fed by two exponentials (Bateman)."""
    return 10.0 * 1.5 / (1.5 - 0.4) * (m.exp(-0.4 * time) - m.exp(-1.5 * time))


def exchanged(time: float) -> np.ndarray:
    return expm(time * np.array([[-0.5 - 0.8, 0.3], [0.8, -0.3]])) @ [4.0, 0.0]


def unequal(time: float) -> float:
    """A + B -> C from 3 and 2, rate 0.5."""
    e = m.exp(0.5 * (3.0 - 2.0) * time)
    return 3.0 * 2.0 * (e - 1.0) / (3.0 * e - 2.0)


def chased(time: float) -> float:
    """x' = 1000 (cos t - x) from 0."""
    rate = 1000.0
    return (rate**2 * (m.cos(time) - m.exp(-rate * time)) + rate * m.sin(time)) / (rate**2 + 1.0)


LEVEL_1 = [
    Shape(
        "level 1 version 1: decay of a specie",
        sbml(1, 1,
             '<listOfCompartments><compartment name="c" volume="2"/></listOfCompartments>'
             '<listOfSpecies><specie name="x" compartment="c" initialAmount="6"/></listOfSpecies>'
             '<listOfParameters><parameter name="k" value="4e-5"/></listOfParameters>'
             '<listOfReactions><reaction name="r" reversible="false"><listOfReactants><specieReference specie="x"/>'
             '</listOfReactants><kineticLaw formula="k * x"/></reaction></listOfReactions>'),
        {"x": lambda t: 3.0 * m.exp(-2e-5 * t)}, SECONDS, per_day=86400.0,
    ),
    Shape(
        "level 1 version 2: rules of parameters and a compartment",
        sbml(1, 2,
             '<listOfCompartments><compartment name="c" volume="1"/></listOfCompartments>'
             '<listOfParameters><parameter name="y" value="1"/><parameter name="z" value="0"/></listOfParameters>'
             '<listOfRules><parameterRule name="y" type="rate" formula="-1e-5 * pow(y, 2)"/>'
             '<parameterRule name="z" formula="sqrt(y) + log(exp(2))"/>'
             '<compartmentVolumeRule compartment="c" type="rate" formula="1e-5 * c"/></listOfRules>'),
        {"y": lambda t: 1.0 / (1.0 + 1e-5 * t), "z": lambda t: 2.0 + (1.0 + 1e-5 * t) ** -0.5,
         "c": lambda t: m.exp(1e-5 * t)}, SECONDS, per_day=86400.0,
    ),
]  # fmt: skip

BARE = '<listOfCompartments><compartment id="c" size="2"/></listOfCompartments>'


def bare(name: str, amount: float) -> str:
    return f'<species id="{name}" compartment="c" initialAmount="{amount!r}" hasOnlySubstanceUnits="true"/>'


LEVEL_2 = [
    Shape(
        "level 2 version 1: there and back",
        sbml(2, 1, BARE, listed("Species", bare("a", 5.0), bare("b", 1.0)),
             listed("Reactions", turn("r", {"a": 1}, {"b": 1}, formula("3e-5 * a - 1e-5 * b"), 2, False))),
        {"a": lambda t: 1.5 + 3.5 * m.exp(-4e-5 * t), "b": lambda t: 4.5 - 3.5 * m.exp(-4e-5 * t)},
        SECONDS, per_day=86400.0,
    ),
    Shape(
        "level 2 version 4: Bateman's chain",
        sbml(2, 4, BARE, listed("Species", bare("gut", 10.0), bare("blood", 0.0)),
             listed("Reactions", turn("r1", {"gut": 1}, {"blood": 1}, formula("1.5e-5 * gut"), 2, False),
                    turn("r2", {"blood": 1}, {}, formula("0.4e-5 * blood"), 2, False))),
        {"gut": lambda t: 10.0 * m.exp(-1.5e-5 * t), "blood": lambda t: oral(1e-5 * t)}, SECONDS, per_day=86400.0,
    ),
    Shape(
        "level 2 version 5: stoichiometryMath",
        sbml(2, 5, BARE, listed("Species", bare("a", 5.0), bare("b", 1.0)),
             listed("Parameters", '<parameter id="p" value="1.5"/>'),
             listed("Reactions", turn("r", {"a": 1}, {"b": 1}, formula("2e-5 * a"), 2, False).replace(
                 '<speciesReference species="b" stoichiometry="1"/>',
                 f'<speciesReference species="b"><stoichiometryMath>{formula("2 * p + 1")}'
                 "</stoichiometryMath></speciesReference>"))),
        {"a": lambda t: 5.0 * m.exp(-2e-5 * t), "b": lambda t: 1.0 + 20.0 * (1.0 - m.exp(-2e-5 * t))},
        SECONDS, per_day=86400.0,
    ),
]  # fmt: skip

GROWTH = [
    Shape("decay", in_days(C2, listed("Species", kind("x", 8.0, amount=True)),
                           listed("Reactions", turn("r", {"x": 1}, {}, formula("0.7 * x")))),
          {"x": lambda t: 8.0 * m.exp(-0.7 * t)}),
    Shape("logistic", in_days(quantities(x=0.5), rules(*rates(x="1.2 * x * (1 - x / 20)"))),
          {"x": lambda t: 20.0 / (1.0 + 39.0 * m.exp(-1.2 * t))}),
    Shape("Gompertz", in_days(quantities(x=0.5), rules(*rates(x="0.6 * x * ln(20 / x)"))),
          {"x": lambda t: 20.0 * m.exp(m.log(0.5 / 20.0) * m.exp(-0.6 * t))}),
    Shape("Gompertz by a rate that fades", in_days(quantities(x=0.5, g=2.0), rules(*rates(x="g * x", g="-0.5 * g"))),
          {"x": lambda t: 0.5 * m.exp(4.0 * (1.0 - m.exp(-0.5 * t))), "g": lambda t: 2.0 * m.exp(-0.5 * t)}),
    Shape("von Bertalanffy", in_days(quantities(x=1.0), rules(*rates(x="3 * x ** (2 / 3) - x"))),
          {"x": lambda t: (3.0 - 2.0 * m.exp(-t / 3.0)) ** 3}),
    Shape("autocatalysis", in_days(C2, listed("Species", kind("x", 1.0, amount=True), kind("y", 9.0, amount=True)),
                                   listed("Reactions", turn("r", {"x": 1, "y": 1}, {"x": 2}, formula("0.2*x*y")))),
          {"x": lambda t: 10.0 / (1.0 + 9.0 * m.exp(-2.0 * t))}),
    Shape("a pair of second order", in_days(
        C2, listed("Species", *(kind(n, x, amount=True) for n, x in (("a", 3.0), ("b", 2.0), ("ab", 0.0)))),
        listed("Reactions", turn("r", {"a": 1, "b": 1}, {"ab": 1}, formula("0.5*a*b")))),
          {"ab": unequal, "a": lambda t: 3.0 - unequal(t)}),
    Shape("two of one kind", in_days(C2, listed("Species", kind("a", 3.0, amount=True), kind("aa", 0.0, amount=True)),
                                     listed("Reactions", turn("r", {"a": 2}, {"aa": 0.5}, formula("0.5 * a ** 2")))),
          {"a": lambda t: 3.0 / (1.0 + 3.0 * t), "aa": lambda t: 0.25 * (3.0 - 3.0 / (1.0 + 3.0 * t))}),
    Shape("Michaelis and Menten", in_days(quantities(s=10.0, p=0.0),
                                          rules(*rates(s="-3 * s / (4 + s)"), *assignments(p="10 - s")), version=2),
          {"s": lambda t: 4.0 * lambertw(2.5 * m.exp(2.5 - 0.75 * t)).real,
           "p": lambda t: 10.0 - 4.0 * lambertw(2.5 * m.exp(2.5 - 0.75 * t)).real}),
    Shape("two compartments", in_days(quantities(u=4.0, v=0.0), rules(*rates(u="-1.3*u + 0.3*v", v="0.8*u - 0.3*v"))),
          {"u": lambda t: exchanged(t)[0], "v": lambda t: exchanged(t)[1]}),
    Shape("damped oscillation", in_days(quantities(x=1.0, v=0.0), rules(*rates(x="v", v="-4.25 * x - v"))),
          {"x": lambda t: m.exp(-0.5 * t) * (m.cos(2.0 * t) + 0.25 * m.sin(2.0 * t))}, atol=1e-8),
    Shape("a stiff one chases a slow one", in_days(quantities(x=0.0), rules(*rates(x="1000 * (cos(time) - x)"))),
          {"x": chased}, atol=1e-8),
    Shape("1e-6 beside 1e6", in_days(quantities(a=1e6, b=1e-6), rules(*rates(a="-0.1 * a", b="-b"))),
          {"a": lambda t: 1e6 * m.exp(-0.1 * t), "b": lambda t: 1e-6 * m.exp(-t)}),
    Shape("1e-12 beside 1e12", in_days(quantities(a=1e12, b=1e-12), rules(*rates(a="-0.1 * a", b="-b"))),
          {"a": lambda t: 1e12 * m.exp(-0.1 * t), "b": lambda t: 1e-12 * m.exp(-t)},
          atol=1e-15),  # a thousandth of 1e-9 times 1e12 * 1e-15
]  # fmt: skip


def steps(count: int) -> str:
    """The sum of 1 to count, over a thousand, side by side."""
    return f"<apply><plus/>{''.join(f'<cn> {i / 1000} </cn>' for i in range(1, count + 1))}</apply>"


def summed(count: int) -> Shape:
    law = formula("1").replace("<cn> 1 </cn>", steps(count))
    text = in_days(quantities(x=0.0), rules(f'<rateRule variable="x">{law}</rateRule>'))
    return Shape(f"{count} terms", text, {"x": lambda t: count * (count + 1) / 2000.0 * t})


WORDS = [
    summed(300),
    summed(1999),
    Shape("functions of functions", in_days(functions(twice="a: 2 * a", sum3="a, b, c: a + b + c",
                                                      all3="a, b: sum3(twice(a), twice(twice(b)), -a)"),
                                            quantities(x=0.0), rules(*rates(x="all3(x, 0.75)"))),
          {"x": lambda t: 3.0 * (m.exp(t) - 1.0)}),
    Shape("rules upon rules", in_days(quantities(x=1.0, y=None, z=None),
                                      rules(*assignments(z="y + x", y="2 * x"), *rates(x="-z"))),
          {"x": lambda t: m.exp(-3.0 * t), "y": lambda t: 2.0 * m.exp(-3.0 * t), "z": lambda t: 3.0 * m.exp(-3.0 * t)},
          times=(0.3, 1.0, 2.5)),
    Shape("initial assignments", in_days(
        C2, listed("Species", kind("x", 1.0)),
        listed("Parameters", *(f'<parameter id="{n}" value="1" constant="{w}"/>' for n, w in
                               (("k", "true"), ("half", "true"), ("y", "false")))),
        initials(x="half * 8", half="1 / 2", k="half / 5", y="x + k"), rules(*rates(y="-k * y")),
        listed("Reactions", turn("r", {"x": 1}, {}, formula("c * k * x")))),
          {"x": lambda t: 4.0 * m.exp(-0.1 * t), "y": lambda t: 4.1 * m.exp(-0.1 * t)}),
    Shape("a stoichiometry from an initial assignment", in_days(
        C2, listed("Species", kind("a", 5.0, amount=True), kind("b", 0.0, amount=True)), parameters(p=1.5),
        initials(n="2 * p"),
        listed("Reactions", turn("r", {"a": 1}, {"b": 1}, formula("0.5 * a")).replace(
            '<speciesReference species="b"', '<speciesReference id="n" species="b"'))),
          {"a": lambda t: 5.0 * m.exp(-0.5 * t), "b": lambda t: 15.0 * (1.0 - m.exp(-0.5 * t))}),
    Shape("local parameters hide global ones", in_days(
        C2, listed("Species", kind("x", 8.0, amount=True)), parameters(k=100.0),
        listed("Reactions", turn("r", {"x": 1}, {}, formula("k * x") + listed(
            "LocalParameters", '<localParameter id="k" value="0.25"/>')))),
          {"x": lambda t: 8.0 * m.exp(-0.25 * t)}),
    Shape("time and Avogadro's number", in_days(quantities(x=0.0), rules(*rates(x="avogadro * 1e-23 * time"))),
          {"x": lambda t: 0.5e-23 * AVOGADRO * t**2}),
    Shape("rateOf", in_days(quantities(x=4.0, y=0.0, z=0.0), rules(
        *assignments(y="rateOf(x) / 2"), *rates(x="-0.5 * x", z="rateOf(x)")), version=2),
          {"y": lambda t: -m.exp(-0.5 * t), "z": lambda t: 4.0 * (m.exp(-0.5 * t) - 1.0)}),
    Shape("max, min, implies, quotient and rem", in_days(quantities(x=0.0, y=0.0, z=0.0, w=0.0), rules(*rates(
        x="max(1, time, 3 - time)", y="piecewise(1, implies(time > 1, time > 2), 0)",
        z="quotient(time, 2)", w="min(rem(time, 2), 1)")), version=2),
          {"x": lambda t: 3.0 * min(t, 1.5) - 0.5 * min(t, 1.5) ** 2 + (0.5 * (t**2 - 2.25) if t > 1.5 else 0.0),
           "y": lambda t: min(t, 1.0) + max(t - 2.0, 0.0),
           "z": lambda t: sum(max(t - jump, 0.0) for jump in (2.0, 4.0)),
           "w": lambda t: 1.5 * (t // 2.0) + (0.5 * (t % 2.0) ** 2 if t % 2.0 < 1.0 else t % 2.0 - 0.5)},
          times=(0.3, 1.2, 2.7), atol=1e-9),
]  # fmt: skip

MINUTE = (
    '<unitDefinition id="u"><listOfUnits><unit kind="second" exponent="1" scale="0" multiplier="60"/>{}'
    "</listOfUnits></unitDefinition>"
)
SIXTY = '<unit kind="dimensionless" exponent="1" scale="0" multiplier="60"/>'


def clocked(factor: str) -> str:
    units = f"<listOfUnitDefinitions>{MINUTE.format(factor)}</listOfUnitDefinitions>"
    return sbml(3, 1, units, quantities(x=8.0), rules(*rates(x="-0.05 * x")), attributes='timeUnits="u"')


GROWN = listed("Compartments", room("c", 2.0, constant=False))
BOOKS = [
    Shape("a minute of 60 seconds", clocked(""), {"x": lambda t: 8.0 * m.exp(-0.05 * t)},
          (3.0, 40.0, 90.0), per_day=1440.0),
    Shape("an hour of 60 times 60 seconds", clocked(SIXTY), {"x": lambda t: 8.0 * m.exp(-0.05 * t)},
          (3.0, 40.0), per_day=24.0),
    Shape("a constant species is diluted", in_days(
        GROWN, listed("Species", kind("x", 3.0, constant=True, boundary=True)), quantities(y=0.0),
        rules(*rates(c="1", y="x"))),
          {"x": lambda t: 6.0 / (2.0 + t), "y": lambda t: 6.0 * m.log(1.0 + 0.5 * t)}),
    Shape("a species decays and is diluted", in_days(
        GROWN, listed("Species", kind("x", 3.0)), rules(*rates(c="0.2 * c")),
        listed("Reactions", turn("r", {"x": 1}, {}, formula("0.3 * x * c")))),
          {"x": lambda t: 3.0 * m.exp(-0.5 * t), "c": lambda t: 2.0 * m.exp(0.2 * t)}),
    Shape("a compartment by an assignment rule", in_days(
        GROWN.replace('size="2.0"', ""), listed("Species", kind("x", 3.0, amount=True), kind("y", 5.0)),
        rules(*assignments(c="2 + time")), listed("Reactions", turn("r", {"x": 1}, {}, formula("0.3 * x")))),
          {"x": lambda t: 3.0 * m.exp(-0.3 * t), "y": lambda t: 10.0 / (2.0 + t), "c": lambda t: 2.0 + t}),
    Shape("a boundary species feeds", in_days(
        C2, listed("Species", kind("s", 4.0, boundary=True), kind("p", 0.0)),
        listed("Reactions", turn("r", {"s": 1}, {"p": 1}, formula("0.6 * s - 0.8 * p")))),
          {"p": lambda t: 3.0 * (1.0 - m.exp(-0.4 * t))}),
    Shape("a boundary species under a rate rule", in_days(
        C2, listed("Species", kind("s", 4.0, boundary=True), kind("p", 0.0)), rules(*rates(s="-s")),
        listed("Reactions", turn("r", {"s": 1}, {"p": 1}, formula("0.6 * s")))),
          {"s": lambda t: 4.0 * m.exp(-t), "p": lambda t: 1.2 * (1.0 - m.exp(-t))}),
    Shape("an amount beside a concentration", in_days(
        listed("Compartments", room("c", 2.0), room("d", 0.5)),
        listed("Species", kind("n", 6.0, "c", amount=True), kind("x", 0.0, "d")),
        listed("Reactions", turn("r", {"n": 1}, {"x": 1}, formula("0.4 * n")))),
          {"n": lambda t: 6.0 * m.exp(-0.4 * t), "x": lambda t: 12.0 * (1.0 - m.exp(-0.4 * t))}),
    Shape("conversion factors", in_days(
        C2, listed("Species", kind("a", 4.0, amount=True), kind("b", 0.0, amount=True, more='conversionFactor="own"')),
        parameters(all=0.5, own=3.0), listed("Reactions", turn("r", {"a": 1}, {"b": 1}, formula("0.4 * a"))),
        more='conversionFactor="all"'),
          {"a": lambda t: 4.0 * m.exp(-0.2 * t), "b": lambda t: 24.0 * (1.0 - m.exp(-0.2 * t))}),
]  # fmt: skip
SMOOTH = [*LEVEL_1, *LEVEL_2, *GROWTH, *WORDS, *BOOKS]
