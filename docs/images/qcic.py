"""Draw ``qcic.png``: the authors' weekly states over the lines computed here. ``python docs/images/qcic.py``."""

import csv
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from oncolattice.ode_coupling.immune.qcic.arms import arm_doses
from oncolattice.ode_coupling.immune.qcic.tables import sampled_names
from oncolattice.ode_coupling.ode_only import simulate

HERE = pathlib.Path(__file__).parent
DATA = HERE.parents[1] / "tests/published/data"
COLOURS = {"X1_C": "#0072B2", "X2_C": "#D55E00", "X3_C": "#009E73", "T8_C": "#CC79A7"}
NAMES = {
    "X1_C": "X1 drug-sensitive",
    "X2_C": "X2 drug-resistant",
    "X3_C": "X3 drug-pressure",
    "T8_C": "CTL x 100",
}


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of the tests."""
    with open(DATA / name, newline="") as lines:
        return list(csv.DictReader(lines))


def main() -> None:
    """Draw one panel an arm."""
    figure, panels = plt.subplots(1, 3, figsize=(9.6, 3.3), sharey=True, layout="constrained")
    weekly = table("qcic_weekly.csv")
    for panel, patient in zip(panels, table("qcic_patients.csv"), strict=True):
        values = {name: float(patient[name]) for name in sampled_names()}
        run = simulate(values, arm_doses(patient["arm"]), 365.0, 1.0, "paper_exact", rtol=1e-8)
        rows = [row for row in weekly if row["patient"] == patient["patient"]]
        days = [float(row["day"]) for row in rows]
        for name, colour in COLOURS.items():
            scale = 100.0 if name == "T8_C" else 1.0
            panel.plot(run["time_days"], scale * run[name], color=colour, lw=1.2, label=NAMES[name])
            panel.plot(
                days[::2],
                [scale * float(row[name]) for row in rows[::2]],
                "o",
                ms=3,
                mfc="none",
                color=colour,
            )
        panel.set(
            xlabel="time (d)", title=patient["patient"].replace("_", ", "), yscale="log", ylim=(1e6, 3e9)
        )
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("cells per litre of tumour")
    panels[0].plot([], [], "ko", ms=3, mfc="none", label="published code")
    figure.legend(
        *panels[0].get_legend_handles_labels(), frameon=False, fontsize=8, ncols=5, loc="outside lower center"
    )
    figure.savefig(HERE / "qcic.png", dpi=110)


if __name__ == "__main__":
    main()
