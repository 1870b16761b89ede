"""The tables of a study: response by a criterion, endpoints, failures."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from ...abm.measures.response import ASSESSED
from ..outcomes.assessment import Clinic
from ..outcomes.death import LAWS
from ..outcomes.study_table import ENDPOINTS, by_arm, numbers_of, times_of
from ..series import Row
from ..survival import DAYS_PER_MONTH, survival_curve
from .page import folded, paragraph, table

MOST_FAILURES = 50
RESPONSES = {
    "qcic_tri": ("CR", "PR", "SD", "PD", "NE"),
    "recist11": ("CR", "PR", "SD", "PD", "NE"),
    "irecist": ("iCR", "iPR", "iSD", "iUPD", "iCPD", "NE"),
}


def clinic_words(clinic: Clinic) -> str:
    """Return how the runs were assessed, in words."""
    error = (
        f"diameters err by a CV of {clinic.error_cv:g}"
        if clinic.error_cv
        else "sizes are measured without error"
    )
    words = f"Criterion {clinic.criterion}: {ASSESSED[clinic.criterion]}. "
    words += f"Visits every {clinic.every_days:g} days; {error}. "
    if clinic.criterion != "qcic_tri":
        number = "lesion" if clinic.lesions == 1 else "equal lesions"
        words += f"The volume is that of {clinic.lesions} {number}, spherical, read as 5 mm where smaller. "
        words += (
            f"New lesions come at {clinic.new_lesions_per_day:g} a day at the baseline volume, with the "
            f"{clinic.new_lesions_power:g}th power of the relative volume ({clinic.new_lesions_source}). "
            if clinic.new_lesions_per_day
            else "No new lesion ever comes, so progression is found later than in a trial. "
        )
    return words + ("Immune cells count in the imaged volume. " if clinic.immune else "")


def response_table(rows: Sequence[Row], clinic: Clinic) -> str:
    """Return best responses by arm and medians of depth, early shrinkage and growth."""
    names = RESPONSES[clinic.criterion]
    lines = []
    for arm, runs in by_arm(rows).items():
        counts = Counter(str(row.get("best_response", "NE")) for row in runs)
        responded = sum(counts[n] for n in names if n.removeprefix("i") in ("CR", "PR"))
        rates = [_median(numbers_of(runs, k)) for k in ("depth", "growth_per_day", "decay_per_day")]
        early = numbers_of(runs, "ets_week8")
        shrunk = f"{int(np.nansum(early))} of {int((~np.isnan(early)).sum())}"
        depth = "–" if np.isnan(rates[0]) else f"{100 * rates[0]:+.0f} %"
        found = [*(counts[n] for n in names), f"{responded} of {len(runs)}", shrunk, depth]
        lines.append([arm, len(runs), *found, *(_text(r) for r in rates[1:])])
    columns = ["arm", "runs", *names, "responded", "shrunk ≥ 20 % by week 8", "depth (median)"]
    return paragraph(clinic_words(clinic)) + table(
        [*columns, "growth g (1/d)", "decay d (1/d)"], lines
    ) + paragraph(
        "Best responses up to progression. g and d are the rates of exp(−d t) + exp(g t) − 1 fitted to the sums of "
        "diameters at visits, medians of an arm; they need two visits."
    )  # fmt: skip


def endpoints_table(rows: Sequence[Row]) -> str:
    """Return events and medians (95 % limits, log) of every endpoint that the rows have, by arm; months."""
    lines, kinds = [], []
    for endpoint in ENDPOINTS:
        for k, (arm, runs) in enumerate(by_arm(rows).items()):
            times = times_of(runs, endpoint)
            if times is None or not times.time.max() > 0.0:
                continue
            median = survival_curve(times).median()
            values = [v / DAYS_PER_MONTH for v in (median.estimate, median.lower, median.upper)]
            between = f"{_text(values[1])} to {_text(values[2])}"
            middle = "not reached" if values[0] != values[0] else _text(values[0])
            events = f"{int(times.observed.sum())} of {times.time.size}"
            lines.append([endpoint if k == 0 else "", arm, events, middle, between])
            kinds.append("first" if k == 0 else "")
    if not lines:
        return paragraph("Nobody was followed to a visit, and no stopping rule was set.", "lead")
    return table(["endpoint", "arm", "events", "median (months)", "95 % limits"], lines, kinds)


def law_words(law: str, rows: Sequence[Row]) -> str:
    """Return which law of death was used and what may be claimed from it."""
    used = {str(row.get("death_law", "")) for row in rows} - {"", "nan"}
    if not used:
        return paragraph(
            "These runs do not have what the law of death reads, so overall survival is left out.", "lead"
        )
    words = (
        f"Deaths are drawn by the law '{law}': the chance of death a day, made a hazard and integrated, so that the "
        "result does not depend on how often the runs were recorded. "
    )
    if law in LAWS:
        numbers = f"logistic((burden − {LAWS[law].mu:g})/{LAWS[law].sigma:g})"
        return paragraph(words + f"One law serves all arms: {numbers}, {LAWS[law].note}.")
    return paragraph(
        words
        + "This is a FIT: every arm has a law of its own, fitted to the published survival of that arm. It "
        "reproduces what it was given; no hazard ratio between arms may be claimed from it.",
        "note",
    )


def failures_table(failures: Sequence[Mapping[str, object]]) -> str:
    """Return the runs that failed, with reason and the command that repeats each."""
    if not failures:
        return paragraph("No run is recorded as failed.", "lead")
    columns = list(dict.fromkeys(key for row in failures for key in row))
    lines = [[row.get(name, "") for name in columns] for row in failures[:MOST_FAILURES]]
    words = f"Failed runs: {len(failures)}; none of them is in the figures and tables."
    if len(failures) > MOST_FAILURES:
        words += f" The first {MOST_FAILURES} are listed, failures.csv has all."
    return paragraph(words, "note") + folded("Failed runs", table(columns, lines))


def _median(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else float("nan")


def _text(value: float) -> str:
    return "–" if value != value else f"{value:.3g}"
