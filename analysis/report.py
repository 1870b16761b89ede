"""One self-contained report of any number of runs: report.html, figures as PNG and CSV, outcomes.csv."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..abm.errors import InputError
from ..abm.response import WEEK_8_DAYS
from ..abm.snapshot import RunRecord
from . import report_tables as tables
from .outcomes import class_counts, outcome
from .report_page import cards, page, paragraph, picture
from .series import arms, end_day, week8_tri
from .survival import DEATH

Progress = Callable[[str, int, int], None]


def write_report(
    records: list[RunRecord],
    out_dir: str | Path,
    *,
    ode_only: Mapping[str, Mapping[str, Any]] | None,
    title: str,
    progress: Progress | None = None,
) -> Path:
    """Write the report of runs and return the path of report.html.

    Everything is drawn before anything is written, so that bad input leaves nothing behind.

    Parameters
    ----------
    records : list of RunRecord
        One run or many, of any length, treated or not.
    out_dir : path
        Gets report.html, outcomes.csv, figures/NAME.png and figures/NAME.csv; made if absent.
    ode_only : mapping or None
        arm -> {"tri_week8": array, "label": str}: patients without a lattice to show beside.
    title : str
    progress : callable, optional
        Called with (what is being drawn, how many done, how many in all).

    Raises
    ------
    InputError
        If there are no runs, or the folder cannot be written to.
    """
    from .figures.drawing import csv_text, png_bytes, write_file

    if not records:
        raise InputError("report: there are no runs to report; make one with: oncolattice run mcrc_tas102")
    out_dir, images, table_files = Path(out_dir), {}, {}
    plan = _figures(records, ode_only)
    pieces: dict[str, str] = {}
    for done, (name, draw) in enumerate(plan.items()):
        if progress:
            progress(name, done, len(plan))
        pieces[name] = ""
        for drawing in draw():
            images[drawing.name] = png_bytes(drawing.figure, drawing.dpi)
            table_files[drawing.name] = csv_text(drawing.table)
            pieces[name] += picture(drawing.name, images[drawing.name], drawing.caption)
    html = page(title, _lead(records), _sections(records, ode_only, pieces))
    outcomes = csv_text([outcome(record) for record in records])
    for name in images:
        write_file(out_dir / "figures" / f"{name}.png", images[name])
        write_file(out_dir / "figures" / f"{name}.csv", table_files[name])
    write_file(out_dir / "outcomes.csv", outcomes)
    if progress:
        progress("report.html", len(plan), len(plan))
    return write_file(out_dir / "report.html", html)


def _figures(
    records: list[RunRecord], ode_only: Mapping[str, Mapping[str, Any]] | None
) -> dict[str, Callable]:
    """Return what to draw, in the order of the page: name -> callable that returns drawings."""
    from . import figures

    def one(draw: Callable, *more: Any) -> Callable:
        return lambda: [d for d in [draw(records, *more)] if d is not None]

    plan = {
        "spider": one(figures.draw_spider),
        "waterfall": one(figures.draw_waterfall),
        "tissue": one(figures.draw_tissue),
        "detail": one(figures.draw_detail),
        "fields": lambda: figures.draw_fields(records),
        "pk": one(figures.draw_pk),
        "counts": one(figures.draw_counts),
        "immune": one(figures.draw_immune),
        "biomarkers": one(figures.draw_biomarkers),
        "survival": one(figures.draw_survival),
        "progression": one(figures.draw_progression),
        "ledger": one(figures.draw_ledger),
    }
    return ({"population": one(figures.draw_population, ode_only)} if ode_only else {}) | plan


def _lead(records: Sequence[RunRecord]) -> str:
    patients = len({(r.patient, r.seed) for r in records})
    days = max(end_day(r) for r in records)
    titles = list(dict.fromkeys(str(r.attributes["title"]) for r in records if r.attributes.get("title")))
    values = [
        (f"{len(records)}", f"runs, {patients} patient{'s' if patients > 1 else ''}, up to {days:g} days")
    ]
    for arm, runs in arms(records).items():
        counts = class_counts([week8_tri(r) for r in runs])
        reached = len(runs) - counts["NE"]
        value = f"{counts['PD']} of {reached}" if reached else "not reached"
        values.append((value, f"{arm}: progressive disease at week 8"))
    return (paragraph("; ".join(titles), "lead") if titles else "") + cards(values)


def _sections(
    records: list[RunRecord], ode_only: Mapping[str, Mapping[str, Any]] | None, pieces: Mapping[str, str]
) -> dict[str, str]:
    return {
        "What was run": tables.runs_table(records) + tables.versions_table(records),
        "Week 8": _week8_words(records, ode_only)
        + tables.week8_table(records, ode_only)
        + pieces.get("population", ""),
        "Tumour volume": pieces["spider"]
        + (pieces["waterfall"] or _absent("No run reached week 8, so there is no waterfall.")),
        "Tissue": pieces["tissue"] + pieces["detail"] or _absent("These runs hold no snapshot."),
        "Fields": pieces["fields"] or _absent("These runs hold no map of a field."),
        "Drugs": pieces["pk"] or _absent("No dose was given in these runs."),
        "Cells and immune system": pieces["counts"] + pieces["immune"],
        "Biomarkers": (pieces["biomarkers"] or _absent("No snapshot was taken on day 0 or at week 8."))
        + tables.biomarkers_text(records),
        "Survival": _survival_words() + tables.survival_table(records)
        + pieces["survival"]
        + (pieces["progression"] or _absent("No run reached a visit, so progression was not assessed.")),
        "Ledger": (pieces["ledger"] + tables.ledger_text(records)) if pieces["ledger"]
        else _absent("These runs hold no ledger."),
        "Where the tissue came from": tables.tissue_table(records),
        "Parameters": tables.parameters_text(records),
        "Wall times": tables.wall_table(records),
    }  # fmt: skip


def _absent(words: str) -> str:
    return paragraph(words, "lead")


def _week8_words(records: Sequence[RunRecord], ode_only: Mapping[str, Mapping[str, Any]] | None) -> str:
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
    short = sum(end_day(r) < WEEK_8_DAYS for r in records)
    note = f"{short} of {len(records)} runs end before week 8: not reached." if short else ""
    return paragraph(words) + (paragraph(note, "note") if note else "")


def _survival_words() -> str:
    return paragraph(
        "One death function serves all arms: the chance of death on a day is logistic((ln(V/V0) − "
        f"{DEATH.mu:.2f})/{DEATH.sigma:g}), {DEATH.note}. The survival of an arm is the mean over its "
        "patients of the "
        "product of daily chances; a run that ends is censored there. Month = 30.4375 days.",
    ) + paragraph(
        "What differs between arms here is a result of the tumours alone. A death function of its own "
        "for each arm "
        "would be a fit: it could match any curve, and no hazard ratio could be claimed from it.",
        "note",
    )
