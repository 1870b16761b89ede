"""The words of a report: what stands in which section, and what is said where something is missing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...abm.measures.response import WEEK_8_DAYS
from ..outcomes.study_table import ENDPOINTS, by_arm, numbers_of
from ..outcomes.table import class_counts
from ..series import Row
from . import response as study_tables
from . import tables
from .methods import methods
from .page import cards, paragraph, table
from .study import Study
from .survival import survival_table


def lead(study: Study) -> str:
    """Return titles of the scenarios and the cards at the top."""
    rows = study.rows
    patients = len({(row["patient"], row["seed"]) for row in rows})
    days = numbers_of(rows, "days")
    titles = dict.fromkeys(str(r.attributes["title"]) for r in study.records if r.attributes.get("title"))
    until = f", up to {np.nanmax(days):g} days" if not np.isnan(days).all() else ""
    values = [(f"{len(rows)}", f"runs, {patients} patient{'s' if patients > 1 else ''}{until}")]
    for arm, runs in by_arm(rows).items():
        counts = class_counts(numbers_of(runs, "tri_week8"))
        reached = len(runs) - counts["NE"]
        value = f"{counts['PD']} of {reached}" if reached else "not reached"
        values.append((value, f"{arm}: progressive disease at week 8"))
    books = tables.books_words(study.records)
    warned = paragraph(books, "note") if books else ""
    return (paragraph("; ".join(titles), "lead") if titles else "") + warned + cards(values)


def sections(study: Study, pieces: Mapping[str, str]) -> dict[str, str]:
    """Return the sections of the page in their order, by heading.

    Parameters
    ----------
    study : Study
    pieces : mapping
        HTML of the figures by their name in the plan; empty or absent where there was nothing to draw.
    """

    def piece(*names: str, absent: str = "") -> str:
        found = "".join(pieces.get(name, "") for name in names)
        return found or (missing(absent) if absent else "")

    records, rows, clinic = study.records, study.rows, study.clinic
    page = {
        "What was run": tables.runs_table(records) + tables.versions_table(records) + _examples(study),
        "Flow": piece("flow") + study_tables.failures_table(study.failures),
        "Methods": methods(records, rows, clinic, study.law, len(study.failures), study.calibration),
        "Week 8": _week8_words(rows, study.ode_only)
        + tables.week8_table(rows, study.ode_only)
        + piece("population")
        + piece("waterfall", absent="No run reached week 8, so there is no waterfall."),
        "Response": study_tables.response_table(rows, clinic) + piece("best_change"),
        "Tumour volume": piece("spider", absent="No run was read in full, so there are no curves."),
        "Course of every patient": piece("swimmer"),
        "Tissue": piece("tissue", "detail", absent="These runs hold no snapshot."),
        "Fields": piece("fields", "accounts", absent="These runs hold no map of a field."),
        "Drugs": piece("pk", absent="No dose was given in these runs, or no plasma level was recorded."),
        "Control": piece("control", absent="No controller treated in these runs."),
        "Cells and immune system": piece("counts", "immune"),
        "Mixing": piece("pairs", absent="These runs hold no pair correlations."),
        "Biomarkers": piece("biomarkers", absent="No snapshot was taken on day 0 or at week 8.")
        + tables.biomarkers_text(records),
        "Biomarkers against response": piece(
            "responders", "roc", absent="Too few runs of each kind have a biomarker and a response at week 8."
        ),
        "Progression and survival": study_tables.endpoints_table(rows) + piece(*ENDPOINTS)
        + piece("forest", absent="There are no two arms with enough progressions, so there is no forest."),
        "Survival": _survival(study, piece),
        "Sensitivity": piece("tornado", absent="No table of sensitivities was given."),
    }  # fmt: skip
    for beside in study.tables:
        columns = list(beside.rows[0]) if beside.rows else []
        page[beside.heading] = paragraph(beside.words) + table(
            columns, [[_shown(row[c]) for c in columns] for row in beside.rows]
        )
    if records:
        page |= {
            "Ledger": piece("ledger") + tables.ledger_text(records) if pieces.get("ledger")
            else missing("These runs hold no ledger: there is no body to exchange with."),
            "Where the tissue came from": tables.tissue_table(records),
            "Parameters": tables.parameters_text(records),
            "Wall times": tables.wall_table(records),
        }  # fmt: skip
    return page


def _shown(value: Any) -> Any:
    return f"{value:.3g}" if isinstance(value, float) else value


def missing(words: str) -> str:
    """Return a line that says why something is not shown."""
    return paragraph(words, "lead")


def _examples(study: Study) -> str:
    if study.complete:
        return ""
    return paragraph(
        f"The study has {len(study.rows)} runs; {len(study.records)} of them were read in full, and the figures of "
        "single runs, tissue, fields, cells and parameters show those. All tables of outcomes have all runs.",
        "note",
    )


def _week8_words(rows: Sequence[Row], ode_only: Mapping[str, Mapping[str, Any]] | None) -> str:
    words = (
        "Classes by the criterion qcic_tri: CR below −80 %, PR from −80 to −30 %, SD from −30 to +20 %, "
        "PD from +20 % change of tumour VOLUME from baseline on day 56. These are numbers of RECIST "
        "applied to volume; the pooled trials were read by RECIST 1.1 on diameters. Spatial rows are "
        "the runs of this report, as counts, because percentages of so few mean nothing. "
    )
    if ode_only:
        labels = sorted({str(beside["label"]) for beside in ode_only.values()})
        words += f"ODE-only rows have no lattice: {'; '.join(labels)}. "
    words += (
        "Published rows are percentages: the QCIC model, whose three arms are three different "
        "populations, and the trials that it pooled (10.1038/s41540-025-00513-1)."
    )
    short = int(np.count_nonzero(numbers_of(rows, "days") < WEEK_8_DAYS - 1e-9))
    note = f"{short} of {len(rows)} runs end before week 8: not reached." if short else ""
    return paragraph(words) + (paragraph(note, "note") if note else "")


def _survival(study: Study, piece) -> str:
    if study.records and not study.with_body:
        return missing(
            "These runs have no body, so no law of death applies to them: overall survival is left out."
        )
    words = study_tables.law_words(study.law, study.rows)
    if not study.expects_deaths:
        return words
    return (
        words
        + _expected_words(study.law)
        + survival_table(study.records, study.rows, study.law)
        + piece("survival")
        + piece("progression", absent="No run reached a visit, so progression was not assessed.")
    )


def _expected_words(law: str) -> str:
    return paragraph(
        f"One death function serves all arms, '{law}'; it was fitted elsewhere and is not re-fitted here. The expected "
        "survival of an arm is the mean over its patients of exp(−integrated hazard); a run that ends is censored "
        "there. Every death that is counted in this report is the one that was drawn for a run by this function, the "
        "same in all figures and tables, and nothing is seen of a patient after it. Month = 30.4375 days.",
    ) + paragraph(
        "What differs between arms here is a result of the tumours alone. A death function of its own "
        "for each arm "
        "would be a fit: it could match any curve, and no hazard ratio could be claimed from it.",
        "note",
    )
