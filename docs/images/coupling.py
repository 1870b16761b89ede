"""Draw the figure of the coupling page: ``python docs/images/coupling.py``, half a minute on one core.

Left, the residual of every species of the ledger through a treated patient's year; right, the error of the splitting
against the matrix exponential of body and lattice together.
"""

import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.run import Run
from oncolattice.tests.analytic.test_coupling_order import error, exact

OUT = pathlib.Path(__file__).parent / "coupling.png"
BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#777777"
COLOURS = (BLUE, "#56B4E9", "#003F5C", ORANGE, "#E69F00", PINK, GREEN, GREY, "#000000")
DAYS, ROUND_OFF, HELD = 365, 2.0**-53, 1e-10


def books(panel: Axes) -> None:
    """Draw the residuals of a year."""
    run = Run(load_scenario("mcrc_tas102_bev", [f"duration_days={DAYS}", "record_every_hours=24"]), 1)
    coupled, days, found = run.simulation.coupled, [], []
    for progress in run.steps():
        days.append(progress.day)
        found.append(coupled.ledger.worst.copy())
    table = np.array(found)
    for k, name in enumerate(coupled.ledger.species):
        panel.semilogy(days, table[:, k], color=COLOURS[k % len(COLOURS)], lw=1.3, label=name)
    panel.axhline(HELD, color=GREY, lw=0.9, ls="--")
    panel.axhline(ROUND_OFF, color=GREY, lw=0.9, ls=":")
    panel.text(DAYS, HELD * 1.4, "held by the tests", ha="right", va="bottom", fontsize=8, color=GREY)
    panel.text(DAYS, ROUND_OFF / 1.4, "one rounding", ha="right", va="top", fontsize=8, color=GREY)
    panel.set(xlabel="day", ylabel="worst residual so far", ylim=(2e-17, 1e-9), xlim=(0, DAYS))
    panel.set_title("Books of a year (TAS-102 + bevacizumab)", fontsize=10)
    panel.legend(fontsize=7, ncols=3, frameon=False, loc="center right", bbox_to_anchor=(1.0, 0.68))
    print("worst of the year:", dict(zip(coupled.ledger.species, coupled.ledger.worst.tolist(), strict=True)))


def order(panel: Axes) -> None:
    """Draw the error of both splittings over the time step."""
    truth, steps = exact(), np.array([1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125])
    for name, colour, slope in (("lie", ORANGE, 1), ("strang", BLUE, 2)):
        found = np.array([error(name, step, truth)[0] for step in steps.tolist()])
        panel.loglog(steps, found, "o", color=colour, ms=5, label=f"{name}: measured")
        panel.loglog(
            steps, found[-1] * (steps / steps[-1]) ** slope, color=colour, lw=1, label=f"order {slope}"
        )
        print(name, found, found[:-1] / found[1:])
    panel.set(xlabel="time step, h", ylabel="largest error, share of the dose")
    panel.set_title("Splitting of body and tissue, agents frozen", fontsize=10)
    panel.legend(fontsize=8, frameon=False)


def main() -> None:
    """Draw and write the figure."""
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.6), layout="constrained")
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
    books(axes[0])
    order(axes[1])
    figure.savefig(OUT, dpi=110)


if __name__ == "__main__":
    main()
