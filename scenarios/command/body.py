"""The command ``oncolattice body``: one patient without a tissue, every state of the body in a CSV file."""

import csv
import io
import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ...abm.compile.toml_text import read_text
from ...abm.errors import InputError, unknown_word
from .places import check_file_place

MODELS = ("qcic",)
PUBLISHED_STATES = 57  # the two that follow add up what has been eliminated
RTOL = 1e-10  # what the published trajectories need to be met to 1e-6, tails of the drugs included
RTOL_RANGE = (1e-13, 1e-3)
MOST_DAYS, MOST_ROWS = 36_500, 1e6
VALUES = "vp_parameters"  # key of a file that says more than the values


def body(
    model: Annotated[str, typer.Argument(help="model of the body: qcic")],
    out: Annotated[Path, typer.Option("--out", "-o", help="CSV file to write")],
    arm: Annotated[str, typer.Option(help="placebo, tas102 or tas102_bev")] = "placebo",
    patient: Annotated[
        Path | None, typer.Option(help="JSON file of parameter values; the published baseline if absent")
    ] = None,
    days: Annotated[float, typer.Option(help="horizon, days")] = 365.0,
    every: Annotated[float, typer.Option(help="interval of the rows, days")] = 7.0,
    schedule: Annotated[
        str,
        typer.Option(help="published, or clinical (bevacizumab on days 1 and 15 of 28, until progression)"),
    ] = "published",
    variant: Annotated[
        str, typer.Option(help="paper_exact, conservative, corrected or persister")
    ] = "paper_exact",
    rtol: Annotated[float, typer.Option(help="relative tolerance of the integration")] = RTOL,
) -> None:
    """Integrate a body model for one patient and write its states, one row a time."""
    from ...ode_coupling.immune.qcic.arms import arm_doses
    from ...ode_coupling.ode_only import simulate
    from ...ode_coupling.system import BodyError
    from ..store.file import publish

    if model not in MODELS:
        raise unknown_word("body model", model, MODELS, "body")
    check_file_place(out)
    low, high = RTOL_RANGE
    if not low <= rtol <= high:
        raise InputError(f"--rtol must lie in {low:g} to {high:g}, it is {rtol:g}")
    if not (0.0 <= days <= MOST_DAYS and 0.0 < every < math.inf and days / every <= MOST_ROWS):
        raise InputError(
            f"--days must be 0 to {MOST_DAYS:,}, --every above 0 and the rows at most {MOST_ROWS:g}; "
            f"they are {days:g} and {every:g}"
        )
    values = read_patient(patient) if patient else {}
    clinical = schedule == "clinical"
    doses = arm_doses(arm, schedule, days if clinical else None, values)
    try:
        run = simulate(values, doses, days, every, variant, rtol=rtol, until_progression=clinical)
    except BodyError as error:
        whose = f"{patient}: " if patient else ""
        raise InputError(
            f"{whose}{error}; nothing was written; set parameters nearer to their defaults"
        ) from None
    publish(out, table_text(run).encode())
    print(out)


def read_patient(path: Path) -> dict[str, float]:
    """Return the parameter values of a patient file.

    The file is a JSON object of parameter names and values, or one that holds such an object under
    ``vp_parameters`` and describes it in other entries, which are not read. All 21 parameters that vary between
    patients must be there; the others may be, and keep their published values where they are not.

    Raises
    ------
    InputError
        The file cannot be read or is no such object; a name is unknown, missing or there twice; a value is
        not a finite number from 0 on.
    """
    from ...ode_coupling.immune.qcic.tables import parameter_names, sampled_names

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InputError(f"{path}: '{twice[0]}' occurs twice; keep one of them")
        return dict(pairs)

    try:
        content = json.loads(read_text(path), object_pairs_hook=once)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:  # no text, no JSON, numbers or nesting without end
        raise InputError(f"{path}: is no JSON file ({error})") from None
    if isinstance(content, dict) and VALUES in content:
        content = content[VALUES]
    if not isinstance(content, dict):
        raise InputError(f"{path}: must hold one JSON object of parameter names and values")
    for name in content:
        if name not in parameter_names():
            raise unknown_word("parameter", name, parameter_names(), str(path))
    if missing := [name for name in sampled_names() if name not in content]:
        raise InputError(
            f"{path}: {len(missing)} of the {len(sampled_names())} parameters that vary between patients "
            f"{'is' if len(missing) == 1 else 'are'} missing: {', '.join(missing)}"
        )
    return {name: _number(value, name, path) for name, value in content.items()}


def _number(value: Any, name: str, path: Path) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0.0 <= value <= sys.float_info.max:
        raise InputError(f"{path}: '{name}' must be a finite number from 0 on, not {json.dumps(value)[:60]}")
    return float(value)


def table_text(run: Mapping[str, Any]) -> str:
    """Return the CSV of a trajectory: time_days, then the published states, numbers to the last digit."""
    from ...ode_coupling.immune.qcic.tables import table_rows

    columns = ["time_days", *(row["name"] for row in table_rows("states.csv")[:PUBLISHED_STATES])]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(map(repr, run[name].tolist()) for name in columns), strict=True))
    return text.getvalue()
