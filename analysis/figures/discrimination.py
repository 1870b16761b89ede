"""Biomarkers against disease control: boxes of responders and others, and ROC curves."""

import math
from collections.abc import Sequence

import numpy as np

from ..outcomes.study_table import biomarker_names, by_arm, numbers_of
from ..series import Row
from ..statistics.group_tests import compare_biomarkers
from ..statistics.roc import auc, roc_curve
from .drawing import Drawing
from .style import ARM_COLOURS, CLASS_COLOURS, new_figure, styled

CONTROLLED = ("CR", "PR", "SD")
LABELS = {"day0": "day 0", "week8": "week 8"}
LEAST = 3  # runs of each kind
STYLES = ("-", "--", "-.", ":")


def controlled(rows: Sequence[Row]) -> np.ndarray:
    """Return disease control at week 8 by ``qcic_tri``: 1, 0, or NaN where week 8 was not reached."""
    kinds = [str(row.get("class_week8", "NE")) for row in rows]
    return np.array([math.nan if k in ("NE", "", "nan") else float(k in CONTROLLED) for k in kinds])


def _measured(rows: Sequence[Row], label: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return by biomarker the values and labels of the runs that have both, if enough of each kind do."""
    found = {}
    for name in biomarker_names(rows, label):
        value, kind = numbers_of(rows, f"{name}_{label}"), controlled(rows)
        there = ~np.isnan(value) & ~np.isnan(kind)
        value, kind = value[there], kind[there]
        if min(np.count_nonzero(kind == 1.0), np.count_nonzero(kind == 0.0)) >= LEAST:
            found[name] = (value, kind)
    return found


@styled
def draw_responders(rows: Sequence[Row]) -> Drawing | None:
    """Draw biomarkers of runs with and without disease control at week 8 as boxes, by visit, arms pooled.

    Returns
    -------
    Drawing or None
        None with fewer than three runs of each kind. Table: that of ``compare_biomarkers`` by visit, with
        Hodges-Lehmann shift, p and its adjustments.
    """
    measured = {label: _measured(rows, label) for label in LABELS}
    names = list(dict.fromkeys(name for found in measured.values() for name in found))
    if not names:
        return None
    table: list[Row] = []
    figure = new_figure(3.2, width=max(2.1 * len(names), 5.0))
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for label, found in measured.items():
        for name, (value, kind) in found.items():
            (row,) = compare_biomarkers({name: value}, kind)
            plain = {k: v for k, v in row.items() if k not in ("p_holm", "p_bh")}
            table.append({"visit": LABELS[label]} | plain)
    _adjust(table)
    for axes, name in zip(panels, names, strict=True):
        ticks = []
        for k, (label, found) in enumerate(measured.items()):
            if name not in found:
                continue
            value, kind = found[name]
            for j, (which, shade) in enumerate(((1.0, CLASS_COLOURS["PR"]), (0.0, CLASS_COLOURS["PD"]))):
                axes.boxplot(
                    value[kind == which], positions=[2.5 * k + j], widths=0.7, showfliers=False,
                    manage_ticks=False, patch_artist=True, boxprops={"facecolor": shade, "alpha": 0.7},
                    medianprops={"color": "#000000", "lw": 1.8},
                )  # fmt: skip
            p = next(r["p_holm"] for r in table if (r["visit"], r["biomarker"]) == (LABELS[label], name))
            ticks.append((2.5 * k + 0.5, f"{LABELS[label]}\np = {p:.2g}"))
        axes.set_xticks([t for t, _ in ticks], [text for _, text in ticks])
        axes.set(title=name.replace("_per_", " / ").replace("_", " "), ylabel=_unit(name), xlim=(-0.8, 4.3))
        axes.grid(axis="y")
    caption = (
        "Left box (blue): disease control at week 8 by qcic_tri; right box (orange): progression. Arms pooled. p is "
        "Mann-Whitney's, adjusted by Holm for all comparisons shown; with chosen numbers of runs it says how well "
        "they settle the difference. Week 8 is measured together with the response: no prediction."
    )
    return Drawing("responders", figure, table, caption)


def _adjust(table: list[Row]) -> None:
    from ..statistics.group_tests import adjust

    p = [row["p"] for row in table]
    for key, method in (("p_holm", "holm"), ("p_bh", "benjamini-hochberg")):
        for row, value in zip(table, adjust(p, method), strict=True):
            row[key] = float(value)


def _unit(name: str) -> str:
    return "cells/mm²" if name.endswith("density") else "ratio (1)"


@styled
def draw_roc(rows: Sequence[Row]) -> Drawing | None:
    """Draw ROC curves of day-0 biomarkers for disease control at week 8, a panel an arm.

    Returns
    -------
    Drawing or None
        None with fewer than three runs of each kind in every arm. Table: arm, visit, biomarker, runs, auc and
        its DeLong limits; week 8 is in the table alone.
    """
    arms = {arm: _measured(runs, "day0") for arm, runs in by_arm(rows).items()}
    arms = {arm: found for arm, found in arms.items() if found}
    if not arms:
        return None
    table: list[Row] = []
    for label in LABELS:
        for arm, runs in by_arm(rows).items():
            for name, (value, kind) in _measured(runs, label).items():
                area = auc(value, kind)
                table.append(
                    {"arm": arm, "visit": LABELS[label], "biomarker": name, "runs": value.size}
                    | {"auc": area.value, "low": area.lower, "high": area.upper}
                )
    figure = new_figure(4.0, width=max(3.5 * len(arms), 4.5))
    panels = figure.subplots(1, len(arms), sharey=True, squeeze=False)[0]
    for axes, (arm, found) in zip(panels, arms.items(), strict=True):
        for k, (name, (value, kind)) in enumerate(found.items()):
            curve = roc_curve(value, kind)
            area_row = next(
                r for r in table if (r["arm"], r["visit"], r["biomarker"]) == (arm, "day 0", name)
            )
            words = name.replace("_per_", " / ").replace("_", " ")
            text = f"{words}: {area_row['auc']:.2f} ({area_row['low']:.2f}–{area_row['high']:.2f})"
            axes.step(
                1.0 - curve.specificity, curve.sensitivity, where="post", color=ARM_COLOURS[1 + k % 6],
                ls=STYLES[k % 4], label=text,
            )  # fmt: skip
        axes.plot([0, 1], [0, 1], color="#BBBBBB", lw=0.9)
        axes.set(title=arm, xlabel="1 − specificity (1)", aspect="equal", xlim=(0, 1), ylim=(0, 1.01))
        axes.legend(loc="lower right", fontsize=7)
    panels[0].set_ylabel("sensitivity (1)")
    caption = (
        "Day-0 biomarkers for disease control at week 8 by qcic_tri; area with DeLong's 95 % limits. A higher value "
        "always speaks for control: an area below one half says that a lower one does. No cutoff was chosen."
    )
    return Drawing("roc", figure, table, caption)
