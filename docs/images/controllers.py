"""Draw controllers.png: ``python docs/images/controllers.py``, under a minute on one core."""

import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.run import Run

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#777777"
STROBL = ["cost=0.3", "turnover=0.3", "output.checkpoint_every_days=10000"]
BODY = [
    "rows=32",
    "columns=32",
    "least_immune=5",
    "margin_um=50",
    "duration_days=84",
    "checkpoint_every_days=1000",
]


def finished(name: str, settings: list[str], seed: int) -> tuple[Run, dict[str, np.ndarray]]:
    """Return a run at its end, and its rows."""
    run = Run(load_scenario(name, settings), seed)
    for _ in run.steps():
        pass
    return run, run.recorder.take()[0]


def adaptive(axes: Axes) -> None:
    """Cells over time under daily exact and under monthly, noisy, late results; visits as dots, pauses thin."""
    cases = (
        ("strobl2022_adaptive", BLUE, "daily, exact"),
        ("strobl2022_adaptive_clinic", ORANGE, "every 28 d, CV 10 %, 7 d late"),
    )
    for name, colour, label in cases:
        _, rows = finished(name, STROBL, 4)
        cells, on = rows["count"].sum(axis=1) / rows["count"][0].sum(), rows["control"][:, 0] > 0
        axes.plot(rows["time"], cells, color=colour, linewidth=0.8, label=label)
        axes.plot(rows["time"], np.where(on, cells, np.nan), color=colour, linewidth=2.4)
        if "clinic" in name:
            seen = rows["visit"]
            axes.plot(seen[:, 0], seen[:, 2] / rows["count"][0].sum(), "o", color=colour, markersize=3.5)
    axes.axhline(1.2, color=GREY, linewidth=0.8, linestyle=":")
    axes.set(xlabel="day", ylabel="cells over those at the start", title="thick: treated; dots: as measured")
    axes.legend(frameon=False, fontsize=8)


def neutrophils(axes: Axes) -> None:
    """Neutrophils under the plan and under doses that follow them."""
    never = [f"controller.{key}=1" for key in ("hold_below", "reduce_below", "resume_from")]
    for settings, colour, label in (([*BODY, *never], GREY, "as planned"), (BODY, BLUE, "held and reduced")):
        run, rows = finished("mcrc_neutropenia", settings, 1)
        count = rows["body"][:, run.recorder.columns["body"].index("ANC")] / 1e9
        axes.plot(rows["time"], count, color=colour, label=label)
        if settings is BODY:
            axes.plot(rows["visit"][:, 0], rows["visit"][:, 2] / 1e9, "o", color=colour, markersize=3.5)
    for grade, bound in ((3, 1.0), (4, 0.5)):
        axes.axhline(bound, color=GREY, linewidth=0.8, linestyle=":")
        axes.annotate(f"grade {grade}", (84, bound), fontsize=7, color=GREY, ha="right", va="bottom")
    axes.set_yscale("log")
    axes.set_yticks([0.5, 1, 2, 5], ["0.5", "1", "2", "5"])
    axes.minorticks_off()
    axes.set(xlabel="day", ylabel="neutrophils, 1e9/L", title="TAS-102 dosed by neutrophils")
    axes.legend(frameon=False, fontsize=8)


def main() -> None:
    """Draw both panels."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.8, 3.6), layout="constrained")
    adaptive(left)
    neutrophils(right)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.title.set_fontsize(9)
    figure.savefig(pathlib.Path(__file__).with_name("controllers.png"), dpi=110)


if __name__ == "__main__":
    main()
