"""Draw ``mcrc_trial.png``: curves without a lattice over those of RECOURSE and SUNLIGHT.

``python docs/images/mcrc_trial.py RECOURSE.csv CURVES.csv``: pseudo-patients of RECOURSE (curve, arm, time in months,
event; kmdata) and digitised curves (trial, arm, time_months, survival).
"""

import csv
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from oncolattice.analysis.calibrate.endpoints import expected_survival, progression
from oncolattice.analysis.outcomes.death import LAWS
from oncolattice.analysis.survival import DAYS_PER_MONTH, Times, kaplan_meier
from oncolattice.scenarios.patients.cohort import make_cohort
from oncolattice.scenarios.patients.ode_trial import run_ode_trial
from oncolattice.scenarios.patients.sample import load_population
from oncolattice.scenarios.patients.trial_prediction import courses_of_trial

HERE = pathlib.Path(__file__).parent
COLOURS = {"placebo": "#000000", "TAS-102": "#0072B2", "TAS-102 + bevacizumab": "#D55E00"}


def rows(path: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with open(path, newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def draw_real(panel, patients: list[dict[str, str]], curve: str) -> None:
    """Draw the Kaplan-Meier curves of RECOURSE."""
    for arm in ("placebo", "TAS-102"):
        plain = arm.lower().replace("-", "")
        own = [r for r in patients if r["curve"] == curve and r["arm"].replace("-", "") == plain]
        times = Times([float(r["time"]) for r in own], [int(r["event"]) for r in own])
        panel.step(*kaplan_meier(times), where="post", color=COLOURS[arm], lw=1.0, ls=":")


def main(recourse: str, curves: str) -> None:
    """Draw progression, and survival of both populations."""
    figure, panels = plt.subplots(1, 3, figsize=(10.2, 3.4), sharey=True, layout="constrained")
    patients = rows(recourse)
    sunlight = [r for r in rows(curves) if "SUNLIGHT" in r["trial"] and r["arm"] == "TAS-102+bev"]
    for panel, name in zip(panels[1:], ("mcrc_week8", "mcrc_persister"), strict=True):
        trial = run_ode_trial(load_population(name), 2000, 2025, every_days=4.0, rtol=1e-5)
        courses = courses_of_trial(trial, make_cohort(trial))
        for arm, course in courses.items():
            months = course.time_days / DAYS_PER_MONTH
            panel.plot(months, expected_survival(course, LAWS["log volume"]), color=COLOURS[arm], label=arm)
            if name == "mcrc_week8":
                time, free = kaplan_meier(progression(course))
                end = np.append(time / DAYS_PER_MONTH, 12.0)
                panels[0].step(end, np.append(free, free[-1]), where="post", color=COLOURS[arm], label=arm)
        draw_real(panel, patients, "RECOURSE_1A")
        points = sorted((float(r["time_months"]), float(r["survival"])) for r in sunlight)
        scale = 100.0 if max(s for _, s in points) > 2.0 else 1.0
        panel.plot(
            [m for m, _ in points],
            [s / scale for _, s in points],
            color=COLOURS["TAS-102 + bevacizumab"],
            lw=1.0,
            ls=":",
        )
        panel.set_title(f"Overall survival, {name}", fontsize=10)
    draw_real(panels[0], patients, "RECOURSE_2A")
    panels[0].set_title("Without progression, mcrc_week8", fontsize=10)
    panels[0].set_ylabel("share of patients")
    for panel in panels:
        panel.set(xlim=(0, 12), ylim=(0, 1.01), xlabel="months", xticks=range(0, 13, 3))
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].plot([], [], color="grey", ls=":", lw=1.0, label="RECOURSE, SUNLIGHT")
    panels[0].legend(frameon=False, fontsize=8)
    figure.savefig(HERE / "mcrc_trial.png", dpi=150)


if __name__ == "__main__":
    main(*sys.argv[1:])
