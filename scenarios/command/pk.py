"""The command ``oncolattice pk``: concentrations of a drug of the library under a regimen."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...abm.compile.quantities import convert
from ...abm.errors import InputError, printable
from .places import check_file_place

if TYPE_CHECKING:
    import numpy as np

    from ...ode_coupling.dosing import Dose
    from ...ode_coupling.pk.drug_file import Drug

WEIGHT_KG = 70.0  # where neither the command nor the drug says more
MOST_DAYS, MOST_ROWS = 36_500, 1_000_000
TWICE = ("concentration_nM", "metabolite_concentration_nM")  # in mg/L already


def pk(
    drug: Annotated[
        str | None, typer.Argument(help="library name or drug file; all are listed if absent")
    ] = None,
    regimen: Annotated[str | None, typer.Option(help="order, as in '240 mg iv over 60 min q2w x 13'")] = None,
    days: Annotated[float, typer.Option(help="length of the table, d")] = 182.0,
    every: Annotated[float, typer.Option(help="distance between rows, d")] = 1.0,
    covariate: Annotated[
        list[str] | None, typer.Option("--covariate", metavar="NAME=VALUE", help="of the patient")
    ] = None,
    weight: Annotated[
        float | None, typer.Option(help="kg, for doses by weight or surface; the covariate or 70 if absent")
    ] = None,
    height: Annotated[float, typer.Option(help="cm, for doses by surface")] = 170.0,
    patients: Annotated[int, typer.Option(min=0, help="patients to draw; 0 is the typical one")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="seed of the patients")] = 1,
    out: Annotated[Path, typer.Option("--out", "-o", help="CSV file to write")] = Path("pk.csv"),
) -> None:
    """Write amounts and concentrations of a drug, or list the drugs of the library."""
    from ...ode_coupling.pk import library_drugs, load_drug

    if drug is None:
        for name in library_drugs():
            print(printable(f"{name:24} {load_drug(name).title}"))
        return
    found = load_drug(drug)
    if regimen is None:
        print(printable(describe_drug(found)))
        return
    from ...ode_coupling.pk import sample_patients
    from ...ode_coupling.regimens import BodySize, parse_regimen

    check_file_place(out)
    if not out.parent.is_dir():
        raise InputError(
            f"{out}: cannot be written, there is no folder {out.parent}; make it, or name another"
        )
    covariates = read_covariates(found, covariate or [])
    if weight is None:
        known = found.covariates.get("weight")
        weight = float(covariates.get("weight", known.reference if known else WEIGHT_KG))
        weight = convert(weight, known.unit, "kg", "weight") if known else weight
    times = output_times(days, every, patients)
    order = parse_regimen(regimen)
    found.check_order(order, "--regimen")
    doses = order.doses(found.name, BodySize(weight_kg=weight, height_cm=height), days)
    etas = sample_patients(found, patients, seed) if patients else None
    columns, rows = table(found, doses, times, covariates, etas)
    from ..store.file import publish

    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    publish(out, text.getvalue().encode())
    print(out)


def describe_drug(drug: "Drug") -> str:
    """Return what a drug file holds: structure, routes, covariates, parameters with unit and source, note."""
    lines = [
        f"{drug.name}: {drug.title}",
        f"structure {drug.structure}, routes {', '.join(drug.routes)}, {drug.source}",
    ]
    for covariate in drug.covariates.values():
        choices = " | ".join(covariate.levels) or f"{covariate.reference:g} {covariate.unit}"
        lines.append(f"  covariate {covariate.name:24} {choices}  {covariate.description}".rstrip())
    for name, entry in drug.parameters.items():
        spread = f" omega2 {entry.omega2:.4g}" if entry.omega2 > 0.0 else ""
        parameter = entry.parameter
        lines.append(f"  {name:28} {parameter.value:<12.6g} {parameter.unit:9}{spread:16} {parameter.source}")
    return "\n".join([*lines, *([drug.note] if drug.note else [])])


def read_covariates(drug: "Drug", words: list[str]) -> dict[str, float | str]:
    """Return the covariates that ``name=value`` words give; InputError if one is not of that form or unknown."""
    from ...abm.errors import unknown_word

    given = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"--covariate '{word}': write NAME=VALUE, as in weight=70")
        if name not in drug.covariates:
            raise unknown_word("covariate", name, drug.covariates, "--covariate")
        given[name] = drug.covariates[name].checked(value, "--covariate")
    return given


def output_times(days: float, every: float, patients: int = 0) -> "np.ndarray":
    """Return the times 0, every, ... up to days; InputError if these make no table, or one too long."""
    import numpy as np

    if not 0.0 < every <= days <= MOST_DAYS:
        raise InputError(
            f"--every must be above 0 and at most --days, and --days at most {MOST_DAYS:,}; "
            f"they are {every:g} and {days:g}"
        )
    if (rows := days / every * max(patients, 1)) > MOST_ROWS:
        raise InputError(
            f"the table would have {rows:.3g} rows, at most {MOST_ROWS:,}; take fewer, or fewer patients"
        )
    return np.arange(int(days / every * (1.0 + 1e-12)) + 1) * every


def table(
    drug: "Drug",
    doses: Sequence["Dose"],
    times_days: "np.ndarray",
    covariates: Mapping[str, float | str],
    etas: Sequence[Mapping[str, float]] | None,
) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: time, amounts, concentrations in mg/L; a block a patient where ``etas`` are given."""
    from ...ode_coupling.pk import simulate_pk

    kept: list[str] = []
    rows: list[list[str]] = []
    for number, eta in enumerate(etas if etas is not None else [{}], start=1):
        columns = simulate_pk(drug, doses, times_days, covariates, eta)
        kept = [name for name in columns if name not in TWICE]
        first = [] if etas is None else [str(number)]
        block = zip(*(columns[name].tolist() for name in kept), strict=True)
        rows += [[*first, *(f"{value:.10g}" for value in row)] for row in block]
    return ([] if etas is None else ["patient"]) + kept, rows
