"""One self-contained report of a study: report.html, figures as PNG and CSV, outcomes.csv, biomarkers.csv."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from ...abm.errors import InputError
from ...abm.snapshot import RunRecord
from ..outcomes.assessment import Clinic
from ..outcomes.death import deaths, until_death
from ..outcomes.study_table import ENDPOINTS, one_a_place, progression_endpoint
from ..outcomes.table import biomarker_rows, outcome_rows
from ..series import Row
from .page import page, picture
from .sections import lead, sections
from .study import MOST_DRAWN, Beside, Study

Progress = Callable[[str, int, int], None]


def write_report(
    records: list[RunRecord],
    out_dir: str | Path,
    *,
    ode_only: Mapping[str, Mapping[str, Any]] | None,
    title: str,
    progress: Progress | None = None,
    rows: Sequence[Row] | None = None,
    clinic: Clinic | None = None,
    law: str = "log volume",
    failures: Sequence[Row] = (),
    sensitivity: Sequence[Row] = (),
    calibration: Sequence[str] = (),
    tables: Sequence[Beside] = (),
) -> Path:
    """Write the report of runs and return the path of report.html.

    Everything is drawn before anything is written, so that bad input leaves nothing behind.

    Parameters
    ----------
    records : list of RunRecord
        One run or many, of any length, treated or not, with a body or without.
    out_dir : path
        Gets report.html, outcomes.csv, biomarkers.csv, figures/NAME.png and figures/NAME.csv; made if absent.
    ode_only : mapping or None
        arm -> {"tri_week8": array, "label": str}: patients without a lattice to show beside.
    title : str
    progress : callable, optional
        Called with (what is being drawn, how many done, how many in all).
    rows : list of dict, optional
        Outcomes of all runs of the study, of which ``records`` are all (as ``death.until_death`` leaves them) or
        examples; made from the records if absent.
    clinic : Clinic, optional
        How the runs are assessed; ``qcic_tri`` every eight weeks if absent.
    law : str
        Law of death, one of ``death.CHOICES``.
    failures, sensitivity : list of dict
        Rows of failures.csv, and of a table of sensitivities.
    calibration : list of str
        Sentences for the methods about what the population was fitted to.
    tables : list of Beside
        Further tables, each a section and a CSV file of its own.

    Raises
    ------
    InputError
        If there are no runs, a table is wrong, or the folder cannot be written to.
    """
    from ..figures.drawing import csv_text, png_bytes, write_file

    if not records and not rows:
        raise InputError("report: there are no runs to report; make one with: oncolattice run mcrc_tas102")
    clinic = clinic or Clinic()
    if rows is None:
        records = until_death(records, deaths(records, law))
        rows = outcome_rows(records, clinic, law)
    study = Study(records, list(rows), clinic, law, ode_only, failures, sensitivity, calibration, tables)
    images: dict[str, bytes] = {}
    table_files: dict[str, str] = {}
    out_dir = Path(out_dir)
    plan = _figures(study)
    pieces: dict[str, str] = {}
    for done, (name, draw) in enumerate(plan.items()):
        if progress:
            progress(name, done, len(plan))
        pieces[name] = ""
        for drawing in draw():
            own = _unused(drawing.name, images)
            images[own] = png_bytes(drawing.figure, drawing.dpi)
            table_files[own] = csv_text(drawing.table)
            pieces[name] += picture(own, images[own], drawing.caption)
    html = page(title, lead(study), sections(study, pieces))
    outcomes, biomarkers = csv_text(study.rows), csv_text(biomarker_rows(records))
    for name in images:
        write_file(out_dir / "figures" / f"{name}.png", images[name])
        write_file(out_dir / "figures" / f"{name}.csv", table_files[name])
    for table in tables:
        write_file(out_dir / f"{table.name}.csv", csv_text(list(table.rows)))
    write_file(out_dir / "outcomes.csv", outcomes)
    write_file(out_dir / "biomarkers.csv", biomarkers)
    if progress:
        progress("report.html", len(plan), len(plan))
    return write_file(out_dir / "report.html", html)


def _figures(study: Study) -> dict[str, Callable[[], list]]:
    """Return what to draw: name -> callable that returns drawings."""
    from .. import figures

    def one(draw: Callable, *given: Any) -> Callable[[], list]:
        return lambda: [d for d in [draw(*given)] if d is not None]

    few, note = _few(study.records)

    def some(draw: Callable) -> Callable[[], list]:
        return lambda: [replace(d, caption=d.caption + note) for d in [draw(few)] if d is not None]

    records, rows = study.records, study.rows
    plan = {
        "flow": one(figures.draw_flow, rows, study.failures),
        "waterfall": one(figures.draw_waterfall_rows, rows),
        "swimmer": one(figures.draw_swimmer, rows, records),
        "responders": one(figures.draw_responders, rows),
        "roc": one(figures.draw_roc, rows),
        "tornado": one(figures.draw_tornado, study.sensitivity),
    }
    if study.clinic.criterion != "qcic_tri":
        plan["best_change"] = one(figures.draw_best_change, rows)
    for endpoint in ENDPOINTS:
        plan[endpoint] = one(figures.draw_times, rows, endpoint)
    plan["forest"] = one(figures.draw_forest, rows, progression_endpoint(rows))
    if records:
        plan |= {
            "tissue": one(figures.draw_tissue, records),
            "detail": one(figures.draw_detail, records),
            "fields": lambda: figures.draw_fields(records),
            "pk": some(figures.draw_pk),
            "counts": some(figures.draw_counts),
            "immune": some(figures.draw_immune),
            "biomarkers": one(figures.draw_biomarkers, records),
            "control": some(figures.draw_control),
            "pairs": some(figures.draw_pairs),
            "accounts": some(figures.draw_accounts),
            "ledger": some(figures.draw_ledger),
            "spider": one(figures.draw_spider, records, study.clinic.every_days),
        }
        if study.expects_deaths:
            plan["survival"] = one(figures.draw_survival, records, rows, study.law)
        if study.complete and study.with_body:
            clinic = study.clinic
            plan["progression"] = one(
                figures.draw_progression, records, rows, clinic.criterion, clinic.every_days
            )
    if study.ode_only and records:
        plan["population"] = one(figures.draw_population, records, study.ode_only)
    return plan


def _unused(name: str, taken: Container[str]) -> str:
    """Return a name that no other figure has: arms may differ in signs that no file name bears."""
    return next(n for n in chain([name], (f"{name}-{k}" for k in count(2))) if n not in taken)


def _few(records: Sequence[RunRecord]) -> tuple[list[RunRecord], str]:
    """Return at most ``MOST_DRAWN`` runs an arm, and a sentence that says so where some are left out."""
    grouped: dict[str, list[RunRecord]] = {}
    for record in records:
        grouped.setdefault(record.arm, []).append(record)
    few = [record for runs in grouped.values() for record in one_a_place(runs, MOST_DRAWN)]
    if len(few) == len(records):
        return list(records), ""
    return few, f" Drawn are {len(few)} of {len(records)} runs, evenly spaced in their order."
