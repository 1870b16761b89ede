"""Draw the figures of the model pages: ``python docs/models/figures.py [MODEL ...]``, minutes on one core."""

import math
import pathlib
import sys
from collections.abc import Callable

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from oncolattice.abm.advance import Tissue
from oncolattice.abm.compile.parameters import Override
from oncolattice.abm.measures.pairs import pair_correlations
from oncolattice.abm.model import load_model
from oncolattice.abm.placement import Placement, place_scattered, place_strip
from oncolattice.abm.state import first_state

HERE = pathlib.Path(__file__).parent
BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#777777"


def tissue(name: str, shape: tuple[int, ...], rules: dict, seed: int, **values: float) -> Tissue:
    """Return a tissue of a library model with some parameters changed, scattered or in a strip."""
    model = load_model(name, {key: Override(value, None, "user") for key, value in values.items()})
    place: Callable[..., Placement] = place_strip if "depth_sites" in rules else place_scattered
    placement = place(shape, model.site_um, model.types, model.layers, rules, seed)
    return Tissue(model, first_state(model, placement, seed))


def panels(title: str) -> tuple[plt.Figure, tuple[Axes, Axes]]:
    """Return a figure of two panels under a title."""
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.5), layout="constrained")
    figure.suptitle(title, fontsize=11)
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
    return figure, tuple(axes)


def nardini2021() -> plt.Figure:
    """Density and pair correlation over scaled time, beside the stored means of the authors."""
    figure, (left, right) = panels("nardini2021: the faster the births, the later the lattice follows")
    cases = {
        0.5: (ORANGE, 0.02, {10: (0.14044, 2.280), 25: (0.29287, 1.440), 40: (0.39277, 1.204), 99: (0.44144, 1.1274)}),
        0.1: (GREEN, 0.1, {25: (0.40615, 1.0875), 99: (0.47627, 1.0437)}),
        0.01: (BLUE, 0.2, {25: (0.45731, 1.0103), 99: (0.49160, 1.0079)}),
    }  # fmt: skip
    scaled = np.linspace(0.0, 20.0, 100)
    cells = {"occupancy": 0.05, "composition": {"cell": 1.0}}
    for rate, (colour, step_h, stored) in cases.items():
        found = np.zeros((8, 100, 2))
        for seed in range(len(found)):
            values = {"proliferation": rate, "death": rate / 2, "time_step": step_h}
            run = tissue("nardini2021", (120, 120), cells, seed, **values)
            for k, time in enumerate(scaled / (rate / 2)):
                run.advance(round(time / step_h) - run.state.step)
                pairs = pair_correlations(run.state.occupant, 1)
                found[seed, k] = pairs.occupancy[0], pairs.total[0]
        for panel, column in ((left, 0), (right, 1)):
            panel.plot(scaled, found.mean(axis=0)[:, column], color=colour, label=f"{rate:g}/h")
            panel.plot(
                [scaled[k] for k in stored], [pair[column] for pair in stored.values()], "o", color=colour
            )
    growth = np.exp(scaled)
    left.plot(scaled, 0.05 * growth / (1 + 0.1 * (growth - 1)), "--", color=GREY, label="mean field")
    right.axhline(1.0, ls="--", color=GREY)
    left.plot([], [], "ko", label="published")
    left.set(xlabel="(r_p - r_d) t", ylabel="occupied share of the sites")
    right.set(xlabel="(r_p - r_d) t", ylabel="pair correlation F(1)", ylim=(0.95, 3.0))
    left.legend(frameon=False, title="division rate r_p", fontsize=8)
    return figure


def treated(seed: int, adaptive: bool, start: dict, **values: float) -> tuple[int, list[int], list[bool]]:
    """Return time to progression, cells and drug by day of one treated lattice."""
    cells = round(start["density"] * 1e4)
    resistant = math.ceil(start["resistant"] * cells)
    counts = {"counts": {"sensitive": cells - resistant, "resistant": resistant}}
    run = tissue("strobl2022", (100, 100), counts, seed, **values)
    on, above, history, drug = True, 0, [cells], [True]
    while above < 2:
        run.set_body({"drug": float(on)})
        run.advance(1)
        history.append(int(run.state.number.sum()))
        above = above + 1 if history[-1] > 1.2 * cells else 0
        if adaptive and ((on and history[-1] < 0.5 * cells) or (not on and history[-1] > cells)):
            on = not on
        drug.append(on)
    return run.state.step - 1, history, drug


def strobl2022() -> plt.Figure:
    """One patient on either therapy, and mean times to progression less the published ones."""
    figure, (left, right) = panels("strobl2022: continuous and adaptive therapy")
    start = {"density": 0.5, "resistant": 0.01}
    for adaptive, colour, label in ((False, ORANGE, "continuous"), (True, BLUE, "adaptive")):
        _, history, drug = treated(1, adaptive, start)
        left.plot(history, color=colour, label=label)
        if adaptive:
            left.fill_between(
                range(len(drug)), 0, np.where(drug, 250, np.nan), color=GREY, lw=0, label="drug on"
            )
    left.axhline(1.2 * 5000, ls="--", color=GREY)
    left.set(xlabel="time (d)", ylabel="cells", ylim=(0, 7200))
    left.legend(frameon=False, fontsize=8, ncols=3, loc="upper center")
    rows = [  # density, resistant, cost, turnover; published mean and SD, continuous and adaptive
        (0.5, 0.01, 0.0, 0.0, (348.8, 12.1), (376.0, 13.2)),
        (0.5, 0.01, 0.3, 0.0, (487.0, 17.9), (541.4, 18.6)),
        (0.5, 0.01, 0.0, 0.3, (551.7, 37.6), (638.0, 47.9)),
        (0.25, 0.1, 0.0, 0.3, (167.7, 6.0), (167.1, 5.7)),
        (0.5, 0.1, 0.0, 0.3, (199.2, 5.3), (203.5, 9.7)),
        (0.75, 0.1, 0.3, 0.0, (249.4, 4.8), (249.4, 4.8)),
    ]
    for k, (density, resistant, cost, turnover, *published) in enumerate(rows):
        start = {"density": density, "resistant": resistant}
        for adaptive, colour in ((False, ORANGE), (True, BLUE)):
            times = [treated(seed, adaptive, start, cost=cost, turnover=turnover)[0] for seed in range(50)]
            mean, spread = published[adaptive]
            error = 4 * math.hypot(np.std(times, ddof=1) / math.sqrt(50), spread / math.sqrt(1000))
            right.errorbar(np.mean(times) - mean, k + 0.2 * adaptive - 0.1, xerr=error, fmt="o", color=colour)
    labels = [", ".join(f"{value:g}" for value in row[:4]) for row in rows]
    right.set_yticks(range(len(rows)), labels, fontsize=8)
    right.axvline(0.0, ls="--", color=GREY)
    right.set(
        xlabel="mean TTP here less published (d), 4 SE",
        title="density, resistant, cost, turnover",
        ylim=(5.5, -0.5),
    )
    right.title.set_fontsize(9)
    return figure


def baker2010() -> plt.Figure:
    """Density against the logistic law, and front speeds beside the reference bands."""
    figure, (left, right) = panels("baker2010: daughters in one another's way")
    for rate, colour in ((0.1, ORANGE), (0.05, GREEN), (0.01, BLUE)):
        found = np.zeros((8, 100))
        every = round(0.1 / rate)
        for seed in range(len(found)):
            cells = {"occupancy": 0.05, "composition": {"cell": 1.0}}
            run = tissue("baker2010", (100, 100), cells, seed, proliferation=rate)
            for k in range(100):
                found[seed, k] = run.state.number[1] / 1e4
                run.advance(every)
        left.plot(np.arange(100) * every * rate, found.mean(axis=0), color=colour, label=f"{rate:g}")
    time = np.linspace(0, 10, 101)
    left.plot(time, 1 / (1 + 19 * np.exp(-time)), "--", color=GREY, label="logistic")
    left.set(xlabel="P_p x steps", ylabel="occupied share of the sites")
    left.legend(frameon=False, title="P_p (P_m = 1)", fontsize=8)
    cases = [  # motility, proliferation, columns, steps, band, what the speed is divided by
        (1.0, 0.1, 220, 320, (0.84, 0.97), math.sqrt(0.1), "P_m 1\nP_p .1"),
        (1.0, 0.05, 260, 480, (0.84, 0.97), math.sqrt(0.05), "P_m 1\nP_p .05"),
        (1.0, 0.01, 360, 1200, (0.84, 0.97), math.sqrt(0.01), "P_m 1\nP_p .01"),
        (0.0, 0.1, 280, 1600, (0.598, 0.678), 0.1, "P_m 0\nP_p .1"),
        (0.0, 0.3, 300, 600, (0.572, 0.652), 0.3, "P_m 0\nP_p .3"),
    ]
    for k, (motility, rate, columns, steps, band, unit, _) in enumerate(cases):
        strip = {"side": "x", "depth_sites": 10, "composition": {"cell": 1.0}}
        run = tissue("baker2010", (400, columns), strip, 1, motility=motility, proliferation=rate)
        run.advance(steps // 2)
        first = run.state.number[1]
        run.advance(steps - steps // 2)
        speed = (run.state.number[1] - first) / 800 / (steps - steps // 2)
        right.fill_between(
            [k - 0.3, k + 0.3], *band, color=GREY, alpha=0.4, lw=0, label=None if k else "reference"
        )
        right.plot(k, speed / unit, "o", color=BLUE, label=None if k else "here")
    right.set_xticks(range(len(cases)), [case[-1] for case in cases], fontsize=8)
    right.set(ylabel="front speed / 2 sqrt(D P_p), or / P_p at P_m = 0", ylim=(0.5, 1.0))
    right.yaxis.label.set_fontsize(8)
    right.legend(frameon=False, fontsize=8)
    return figure


def eden() -> plt.Figure:
    """A piece of the front, and how its squared width grows."""
    figure, (left, right) = panels("eden: a surface of the KPZ class")
    times = np.geomspace(4, 100, 12).round()
    found = np.zeros((3, times.size))
    strip = {"side": "y", "depth_sites": 1, "composition": {"cell": 1.0}}
    for seed in range(len(found)):
        run = tissue("eden", (2 * 155, 2048), strip, seed)
        for k, time in enumerate(times):
            run.advance(round(4 * time) - run.state.step)
            taken = run.state.occupant[0] != 0
            below, above = np.argmax(taken, axis=0), np.argmax(taken[::-1], axis=0)
            found[seed, k] = (below.var() + above.var()) / 2
            if not seed and k % 4 == 3:
                left.plot(155 - below[:300], color=(BLUE, GREEN, ORANGE)[k // 4], lw=1, label=f"{time:g} h")
    width = found.mean(axis=0)
    slope, start = np.polyfit(times ** (2 / 3), width, 1)
    right.loglog(times, width, "o", color=BLUE, label="here, three lattices")
    right.loglog(
        times, start + slope * times ** (2 / 3), color=GREY, label=f"{start:.2f} + {slope:.2f} t^(2/3)"
    )
    left.set(xlabel="column (sites)", ylabel="outermost cell (sites)")
    left.legend(frameon=False, fontsize=8)
    right.set(xlabel="time (h, mean division times)", ylabel="squared width of the front (sites$^2$)")
    right.legend(frameon=False, fontsize=8)
    return figure


def spqsp_nsclc() -> plt.Figure:
    """Shares of the hierarchy from stem cells alone, and its growth."""
    figure, (left, right) = panels("spqsp_nsclc: the hierarchy settles")
    days = np.arange(0, 101, 2)
    run = tissue("spqsp_nsclc", (96, 96, 96), {"counts": {"stem": 150}}, 1)
    numbers = np.zeros((days.size, 3))
    for k, day in enumerate(days):
        run.advance(int(4 * day) - run.state.step)
        numbers[k] = run.state.number[1:4]
    published = {"stem": 0.00404, "progenitor": 0.67010, "senescent": 0.32586}
    for k, (name, colour) in enumerate(zip(published, (PINK, ORANGE, GREY), strict=True)):
        left.semilogy(days, numbers[:, k] / numbers.sum(axis=1), color=colour, label=name)
        left.axhline(published[name], ls=":", color=colour)
        right.semilogy(days, np.maximum(numbers[:, k], 1), color=colour, label=name)
    right.plot(days, 150 * np.exp(0.01 * days), "--", color="black", lw=1, label="150 exp(0.01/d t)")
    left.plot([], [], ":", color="black", label="published")
    left.set(xlabel="time (d)", ylabel="share of the cancer cells", ylim=(2e-3, 1.5))
    right.set(xlabel="time (d)", ylabel="cells")
    for panel in (left, right):
        panel.legend(frameon=False, fontsize=8)
    return figure


FIGURES = {draw.__name__: draw for draw in (nardini2021, strobl2022, baker2010, eden, spqsp_nsclc)}

if __name__ == "__main__":
    for name in sys.argv[1:] or FIGURES:
        FIGURES[name]().savefig(HERE / f"{name}.png", dpi=110)
