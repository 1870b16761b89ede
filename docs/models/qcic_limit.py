"""Draw the well-mixed limit and print its tables: ``python docs/models/qcic_limit.py``, minutes on one core."""

import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from oncolattice.ode_coupling.ode_only import simulate
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.body_side import patient_of, schedule_of
from oncolattice.scenarios.simulate.build import Builder

HERE = pathlib.Path(__file__).parent
ARMS = {"qcic_limit": ("placebo", "#777777"), "qcic_limit_tas102": ("TAS-102", "#0072B2"),
        "qcic_limit_tas102_bev": ("TAS-102 + bevacizumab", "#D55E00")}  # fmt: skip
STATES = ("X1_C", "X2_C", "X3_C", "T8_C", "T1_C", "Treg_C", "T8_B", "D_C")
ROWS = ("tumour", "CTL", "Th1", "Treg", "CTL in blood", "dendritic cells")
DAYS, STEPS = 56, 24
SHOWN = (7, 14, 28, 42, 56)


def rows(hourly: np.ndarray) -> np.ndarray:
    """Return daily means, shape (row, day), of hourly states, shape (state, hour), the three tumour types summed."""
    means = hourly[:, 1:].reshape(len(hourly), -1, STEPS).mean(axis=2)
    return np.vstack([means[:3].sum(axis=0), means[3:]])


def compare(name: str, side: int, runs: int, *settings: str) -> tuple[np.ndarray, np.ndarray]:
    """Return daily means of lattices, shape (run, row, day), and of the ODE, shape (row, day)."""
    build = Builder(load_scenario(name, [f"rows={side}", f"columns={side}", *settings]))
    _, patient = patient_of(build.scenario)
    found = simulate(
        patient, schedule_of(build.scenario.tables), DAYS, 1 / STEPS, "conservative", burn_in_days=14
    )
    right = rows(np.array([found[state][: DAYS * STEPS + 1] for state in STATES]))
    lattice = np.empty((runs, *right.shape))
    for seed in range(1, runs + 1):
        coupled = build.build(seed).coupled
        columns = [coupled.body.model.index("states", state) for state in STATES]
        hourly = np.empty((len(STATES), DAYS * STEPS + 1))
        hourly[:, 0] = coupled.body.y[columns]
        for step in range(1, DAYS * STEPS + 1):
            coupled.step()
            hourly[:, step] = coupled.body.y[columns]
        lattice[seed - 1] = rows(hourly)
    return lattice, right


def table(title: str, lattice: np.ndarray, right: np.ndarray) -> None:
    """Print the error of the mean (standard error) on some days, its rms and its largest value over all days, in %."""
    error = 100 * (lattice.mean(axis=0) / right - 1)
    noise = 100 * lattice.std(axis=0, ddof=1) / np.sqrt(len(lattice)) / right
    print(f"\n{title}, {len(lattice)} runs\n")
    print("| | " + " | ".join(f"day {day}" for day in SHOWN) + " | rms | largest |")
    print("|---" * (len(SHOWN) + 3) + "|")
    for row, e, s in zip(ROWS, error, noise, strict=True):
        cells = [f"{e[day - 1]:+.2f} ({s[day - 1]:.2f})" for day in SHOWN]
        print(f"| {row} | {' | '.join(cells)} | {np.sqrt((e**2).mean()):.2f} | {np.abs(e).max():.2f} |")


def main() -> None:
    """Run all sizes and arms, print the tables and draw the figure."""
    figure, (left, middle, right_panel) = plt.subplots(1, 3, figsize=(11, 3.5), layout="constrained")
    days = np.arange(DAYS) + 0.5
    sizes: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for name, (arm, colour) in ARMS.items():
        lattice, right = compare(name, 256, 12)
        table(f"{arm}, 256 x 256", lattice, right)
        for panel, row, unit in ((left, 0, 4e8), (middle, 1, 1e5)):
            mean, spread = lattice[:, row].mean(axis=0) / unit, lattice[:, row].std(axis=0, ddof=1) / unit
            panel.fill_between(days, mean - spread, mean + spread, color=colour, alpha=0.2, lw=0)
            panel.plot(days, mean, color=colour, label=arm)
            panel.plot(days, right[row] / unit, "k--", lw=1, label="ODE" if name == "qcic_limit" else None)
        sizes.setdefault(256, (lattice, right))
    sizes |= {side: compare("qcic_limit", side, runs) for side, runs in ((128, 16), (64, 32))}
    print("\n| lattice | runs | tumour: rms of a run | of the mean | CTL: rms of a run | of the mean |")
    print("|---|---|---|---|---|---|")
    for side in sorted(sizes):
        lattice, right = sizes[side]
        single = [100 * np.sqrt(((lattice[:, r] / right[r] - 1) ** 2).mean()) for r in (0, 1)]
        mean = [100 * np.sqrt(((lattice[:, r].mean(axis=0) / right[r] - 1) ** 2).mean()) for r in (0, 1)]
        print(
            f"| {side} x {side} | {len(lattice)} | {single[0]:.2f} | {mean[0]:.2f} | {single[1]:.2f} | {mean[1]:.2f} |"
        )
        for r, colour, label in ((0, "#CC79A7", "tumour"), (1, "#0072B2", "CTL")):
            right_panel.loglog(side, single[r], "o", color=colour, label=label if side == 64 else None)
            right_panel.loglog(side, mean[r], "s", mfc="none", color=colour)
    grid = np.array([56.0, 290.0])
    for start, colour in ((single[0], "#CC79A7"), (single[1], "#0072B2")):
        right_panel.loglog(grid, start * 256 / grid, "-", color=colour, lw=0.8)
    right_panel.axhline(3, ls=":", color="k")
    left.set(xlabel="time (d)", ylabel="tumour cells over those of day 0", ylim=(0.5, 1.9))
    middle.set(xlabel="time (d)", ylabel="CTL (1e5 per litre)", ylim=(6, 10))
    right_panel.set(
        xlabel="side of the lattice (sites)", ylabel="error against the ODE (%)", xticks=[64, 128, 256]
    )
    right_panel.set_xticklabels(["64", "128", "256"])
    right_panel.set_yticks([0.3, 1, 3], ["0.3", "1", "3"])
    right_panel.minorticks_off()
    left.legend(frameon=False, fontsize=8)
    right_panel.legend(frameon=False, fontsize=8)
    for panel in (left, middle, right_panel):
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(HERE / "qcic_limit.png", dpi=150)


if __name__ == "__main__":
    main()
