"""What leaps: pieces of time, pulses, and events of every kind, solved by hand."""

import math as m

from sbml_texts import assignments, event, formula, functions, listed, quantities, rates, sbml

from oncolattice.tests.ode_coupling.sbml.shapes import Shape, in_days, kind, room, turn


def rules(*parts: str) -> str:
    return listed("Rules", *parts)


def events(*parts: str) -> str:
    return listed("Events", *parts)


def overlap(t: float, start: float, end: float) -> float:
    """The part of a window that has passed."""
    return max(min(t, end) - start, 0.0)


def fed(t: float, times: tuple[float, ...] | range, dose: float, rate: float) -> float:
    """What is left of doses that decay."""
    return sum(dose * m.exp(-rate * (t - day)) for day in times if day <= t)


def thrown(t: float) -> float:
    """Height of a ball from 5 m at 10 m/s^2 that keeps half of its speed: it hits at 1, 2, 2.5, 2.75 s."""
    hits, speeds = (1.0, 2.0, 2.5, 2.75), (5.0, 2.5, 1.25, 0.625)
    if t < 1.0:
        return 5.0 - 5.0 * t**2
    k = max(i for i, hit in enumerate(hits) if hit <= t)
    return speeds[k] * (t - hits[k]) - 5.0 * (t - hits[k]) ** 2


def heated(t: float) -> float:
    """x' = -x, or 4 - x, switched on below 1 and off above 3: up from 1 to 3 and down again, each in ln 3."""
    phase = (t - m.log(2.0)) % (2.0 * m.log(3.0))  # from 2 down to 1 first
    if t < m.log(2.0):
        return 2.0 * m.exp(-t)
    return 4.0 - 3.0 * m.exp(-phase) if phase < m.log(3.0) else 3.0 * m.exp(m.log(3.0) - phase)


PULSES = [
    Shape("a pulse by piecewise", in_days(quantities(x=0.0), rules(*rates(
        x="piecewise(100, time >= 2 and time < 2.05, 0)"))), {"x": lambda t: 100.0 * overlap(t, 2.0, 2.05)}, atol=1e-9),
    Shape("three levels by piecewise", in_days(quantities(x=0.0), rules(*rates(
        x="piecewise(1, time < 1, 5, time < 2, 2)"))),
          {"x": lambda t: min(t, 1.0) + 5.0 * overlap(t, 1.0, 2.0) + 2.0 * max(t - 2.0, 0.0)}),
    Shape("pulses by floor", in_days(quantities(x=0.0), rules(*rates(
        x="piecewise(10, time - floor(time) < 0.01, 0)"))),
          {"x": lambda t: 10.0 * sum(overlap(t, k, k + 0.01) for k in range(8))},
          times=(0.3, 1.5, 2.5, 6.5), atol=1e-8),
    Shape("pulses by rem", in_days(quantities(x=0.0), rules(*rates(
        x="piecewise(10, rem(time, 1.25) < 0.02, 0)")), version=2),
          {"x": lambda t: 10.0 * sum(overlap(t, 1.25 * k, 1.25 * k + 0.02) for k in range(8))},
          times=(0.3, 1.0, 2.4, 7.0), atol=1e-8),
    Shape("a stair", in_days(quantities(x=0.0), rules(*rates(x="floor(time) - x"))),
          {"x": lambda t: sum(1.0 - m.exp(-(t - k)) for k in range(1, 8) if k <= t)}, times=(1.5, 2.5, 6.5), atol=1e-9),
    Shape("a sawtooth of time", in_days(quantities(x=0.0, y=0.0), rules(
        *assignments(y="time - 2 * floor(time / 2)"), *rates(x="y"))),
          {"x": lambda t: 2.0 * (t // 2.0) + 0.5 * (t % 2.0) ** 2, "y": lambda t: t % 2.0}),
    Shape("a pulse in a function of functions", in_days(
        functions(window="t, a, b: piecewise(1, t >= a and t < b, 0)", pulse="t, a, w: window(t, a, a + w) / w"),
        quantities(x=0.0), rules(*rates(x="pulse(time, 1.5, 1e-3)"))),
          {"x": lambda t: overlap(t, 1.5, 1.501) / 1e-3}, rtol=1e-6),
]  # fmt: skip

ONCE = [
    Shape("an event by the clock", in_days(quantities(x=1.0), rules(*rates(x="-x")),
                                           events(event("time >= 2", x="x + 3"))),
          {"x": lambda t: m.exp(-t) + fed(t, (2.0,), 3.0, 1.0)}, times=(0.3, 1.0, 2.5, 4.0)),
    Shape("an event of level 2", sbml(2, 4, listed("Parameters", '<parameter id="x" value="1" constant="false"/>'),
                                      rules(*rates(x="-1e-5 * x")),
                                      events(event("time >= 2e5", level=2, x="x + 3"))),
          {"x": lambda t: m.exp(-1e-5 * t) + fed(1e-5 * t, (2.0,), 3.0, 1.0)}, (3e4, 1e5, 2.5e5), per_day=86400.0),
    Shape("an event by a state", in_days(quantities(x=8.0, y=0.0), rules(*rates(x="-x", y="1")),
                                         events(event("x <= 2", y="0"))),
          {"y": lambda t: t if t < m.log(4.0) else t - m.log(4.0)}),
    Shape("a swap", in_days(quantities(x=1.0, y=5.0), rules(*rates(x="-x", y="0.1 * y")),
                            events(event("time > 1", x="y", y="x"))),
          {"x": lambda t: m.exp(-t) if t < 1.0 else 5.0 * m.exp(0.1 - (t - 1.0)),
           "y": lambda t: 5.0 * m.exp(0.1 * t) if t < 1.0 else m.exp(-1.0 + 0.1 * (t - 1.0))},
          times=(0.3, 0.9, 2.5, 4.0)),
    Shape("a delay, values of the trigger or of the end", in_days(
        quantities(x=1.0, old=0.0, new=0.0), rules(*rates(x="x")),
        events(event("time >= 1", delay="0.5", old="x"), event("time >= 1", delay="0.5", early=False, new="x"))),
          {"old": lambda t: m.e if t > 1.5 else 0.0, "new": lambda t: m.exp(1.5) if t > 1.5 else 0.0},
          times=(0.5, 1.2, 1.7, 4.0)),
    Shape("priorities", in_days(quantities(p=1.0, x=0.0), rules(*rates(x="p")), events(
        event("time >= 1", priority="1", early=False, p="10 * p"),
        event("time >= 1", priority="2", early=False, p="p + 2"))),
          {"p": lambda t: 30.0 if t > 1.0 else 1.0, "x": lambda t: min(t, 1.0) + 30.0 * max(t - 1.0, 0.0)},
          times=(0.3, 0.9, 2.5)),
    Shape("a trigger that ends before its delay does", in_days(
        quantities(x=0.0, kept=0.0, lost=0.0, held=0.0, timed=0.0), rules(*rates(x="1")), events(
            event("x >= 1 and x < 1.2", delay="0.5", kept="1"),
            event("x >= 1 and x < 1.2", delay="0.5", persistent=False, lost="1"),
            event("x >= 1", delay="0.5", persistent=False, held="1"),
            event("time >= 1", delay="0.5", persistent=False, timed="1"))),
          {"held": lambda t: float(t > 1.5), "timed": lambda t: float(t > 1.5),
           "kept": lambda t: float(t > 1.5), "lost": lambda t: 0.0}, times=(0.3, 1.3, 2.5)),
    Shape("true before the beginning, or not", in_days(quantities(x=1.0, a=0.0, b=0.0), rules(*rates(x="-x")), events(
        event("x > 0.01", initially=False, a="1"), event("x > 0.01", b="1"))),
          {"b": lambda t: 0.0, "x": lambda t: m.exp(-t)}, times=(0.3, 2.5)),
    Shape("what ends by the clock is no beginning", in_days(
        quantities(x=1.0, n=0.0), rules(*rates(x="-x")), events(event("time < 0.5 or x < 0.1", n="n + 1"))),
          {"n": lambda t: float(t > m.log(10.0))}),
    Shape("a compartment doubles", in_days(
        listed("Compartments", room("c", 2.0, constant=False)), listed("Species", kind("x", 3.0)),
        listed("Reactions", turn("r", {"x": 1}, {}, formula("0.4 * x * c"))), events(event("time > 1", c="2 * c"))),
          {"c": lambda t: 4.0 if t > 1.0 else 2.0, "x": lambda t: 3.0 * m.exp(-0.4 * t) * (0.5 if t > 1.0 else 1.0)},
          times=(0.3, 0.9, 2.5)),
]  # fmt: skip

AGAIN = [
    Shape("reset at 5", in_days(quantities(x=0.0), rules(*rates(x="1")), events(event("x >= 5", x="0"))),
          {"x": lambda t: t % 5.0}, times=(0.3, 4.9, 5.2, 23.0)),
    Shape("doubled and halved", in_days(quantities(x=1.0), rules(*rates(x="x")), events(event("x >= 2", x="1"))),
          {"x": lambda t: m.exp(t % m.log(2.0))}, times=(0.3, 1.0, 2.5, 7.1), rtol=1e-6),
    Shape("doses by rem", in_days(quantities(x=0.0), rules(*rates(x="-0.5 * x")),
                                  events(event("rem(time, 1) < 0.5", initially=False, x="x + 4")), version=2),
          {"x": lambda t: fed(t, range(9), 4.0, 0.5)}, times=(1.3, 2.7, 7.2)),
    Shape("counted by sine", in_days(quantities(n=0.0, x=0.0, w=m.pi), rules(*rates(x="n")),
                                     events(event("sin(w * time) > 0.5", n="n + 1"))),
          {"n": lambda t: float(sum(t > 2 * k + 1 / 6 for k in range(5))),
           "x": lambda t: sum(max(t - 2 * k - 1 / 6, 0.0) for k in range(5))}, times=(0.1, 1.0, 2.5, 7.0)),
    Shape("a ball bounces", in_days(quantities(h=5.0, v=0.0), rules(*rates(h="v", v="-10")),
                                    events(event("h < 0", h="0", v="-0.5 * v"))),
          {"h": thrown}, times=(0.5, 1.5, 2.3, 2.6), atol=1e-7),
    Shape("a thermostat", in_days(quantities(x=2.0, on=0.0), rules(*rates(x="4 * on - x")),
                                  events(event("x < 1", on="1"), event("x > 3", on="0"))),
          {"x": heated}, times=(0.3, 1.0, 2.5, 7.0)),
]  # fmt: skip
LEAPS = [*PULSES, *ONCE, *AGAIN]
