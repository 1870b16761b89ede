"""oncolattice report: what a folder of runs comes to."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ...abm.errors import InputError
from .places import check_folder_place

LEAST_VISIT_DAYS, MOST_DAYS = 0.1, 36_500
console = Console(stderr=True, highlight=False, markup=False)


def report(
    folder: Annotated[Path, typer.Argument(help="folder of run files")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="folder of the report; FOLDER/report if absent")
    ] = None,
    ode_only: Annotated[
        int, typer.Option(min=0, max=100_000, help="ODE-only patients an arm to show beside")
    ] = 0,
    criterion: Annotated[
        str, typer.Option(help="qcic_tri (volume against baseline), recist11 or irecist")
    ] = "qcic_tri",
    visits: Annotated[float, typer.Option(metavar="DAYS", help="days between assessments")] = 56.0,
    error_cv: Annotated[
        float, typer.Option(min=0, max=10, help="coefficient of variation of a measured diameter")
    ] = 0.0,
    lesions: Annotated[int, typer.Option(help="target lesions, 1 to 5")] = 1,
    immune: Annotated[bool, typer.Option("--immune", help="immune cells count in the imaged volume")] = False,
    new_lesions_per_day: Annotated[
        float, typer.Option(help="hazard of a new lesion (recist11, irecist); name its source")
    ] = 0.0,
    new_lesions_source: Annotated[str, typer.Option(help="DOI, fitted or assumed")] = "",
    death: Annotated[
        str,
        typer.Option(help="law of death: log volume or carrying capacity for all arms, or fit (by arm)"),
    ] = "log volume",
) -> None:
    """Draw the figures and tables of a folder of runs and write report.html."""
    from ...abm.errors import printable, unknown_word
    from ...analysis.outcomes.assessment import Clinic
    from ...analysis.outcomes.death import CHOICES
    from .reporting import report_folder

    check_folder_place(out or folder / "report")
    if death not in CHOICES:
        raise unknown_word("law of death", death, CHOICES, "--death")
    if not LEAST_VISIT_DAYS <= visits <= MOST_DAYS:
        raise InputError(f"--visits must be {LEAST_VISIT_DAYS:g} to {MOST_DAYS:g} days apart, got {visits:g}")
    clinic = Clinic(
        criterion,
        every_days=visits,
        error_cv=error_cv,
        lesions=lesions,
        immune=immune,
        new_lesions_per_day=new_lesions_per_day,
        new_lesions_source=new_lesions_source,
    )
    told: list[str] = []
    with console.status("reading runs and drawing figures"):
        page = report_folder(
            folder, out or folder / "report", ode_only, clinic=clinic, law=death, say=told.append
        )
    for line in told:
        console.print(printable(line), soft_wrap=True)
    print(page)
