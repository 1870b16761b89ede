"""The command line: oncolattice run | batch | report | list | describe | check | schema | body | pk."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from ...abm.errors import InputError, printable, unknown_word
from .body import body
from .pk import pk
from .places import check_folder_place
from .report import report

app = typer.Typer(
    help="Spatial tumour-immune simulation coupled to the body.", no_args_is_help=True, add_completion=False,
    rich_markup_mode="rich", pretty_exceptions_enable=False,
)  # fmt: skip
console = Console(stderr=True, highlight=False, markup=False)

Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE[UNIT]", help="set a parameter or key")
]
MOST_RUNS, MOST_SEED = 1_000_000, 2**62  # as in limits.py, which takes longer to import
TRACEBACK = "ONCOLATTICE_TRACEBACK"
Out = Annotated[Path, typer.Option("--out", "-o", help="folder for results")]


def say(word: str, style: str, text: str) -> None:
    """Print one sentence on standard error after a coloured word; brackets in it are no markup."""
    console.print(Text.assemble((word, style), " ", printable(text)), soft_wrap=True)


def _version(wanted: bool) -> None:
    if wanted:
        from ... import __version__

        print(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version and stop")
    ] = False,
) -> None:
    """Spatial tumour-immune simulation coupled to the body."""


@app.command(epilog="Example: oncolattice run mcrc_tas102 --seed 1 --set duration_days=56 --out runs")
def run(
    scenario: Annotated[str, typer.Argument(help="library name or scenario file")],
    seed: Annotated[int, typer.Option(help="seed of placement and luck, 0 or more")] = 1,
    settings: Settings = None,
    tissue: Annotated[
        Path | None, typer.Option(help="cell table (CSV) to place instead of drawn tissue")
    ] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="PHENOTYPE=TYPE", help="map a phenotype of the table")
    ] = None,
    image: Annotated[
        str | None, typer.Option(help="which image of the table, where it holds several")
    ] = None,
    out: Out = Path("runs"),
    resume: Annotated[
        bool, typer.Option("--resume", help="continue an interrupted run, bit for bit")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, max=256, help="threads inside the run (same numbers)")] = 1,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no progress bar")] = False,
) -> None:
    """Run one scenario and write one HDF5 file."""
    from ...ode_coupling.system import BodyError
    from ..files.limits import duration_notes
    from ..files.scenario import load_scenario
    from ..simulate.run import prepare
    from ..store import discard_segments, open_run, parts_folder
    from ..tissue.place import apply_mapping, check_mapped, table_of
    from .progress import follow

    check_folder_place(out)
    if (mapping or image) and tissue is None:
        raise InputError("--map and --image go with a cell table; give the table with --tissue FILE")
    loaded = load_scenario(scenario, settings or [])
    place = loaded.tables["tissue"]
    if image is not None:
        place["image"] = image
    named = apply_mapping(place, mapping or [])
    if named and tissue:
        check_mapped(table_of(tissue, place), named, "--map")
    current = prepare(loaded, seed, out, tissue, threads, resume)
    if isinstance(current, Path):
        console.print(f"{current}: already complete, nothing to do", soft_wrap=True)
        for note in open_run(current, snapshots=False).attributes["tissue_report"].get("notes", []):
            say("note:", "yellow", note)
        print(current)
        _shout(current)
        return
    duration = duration_notes(loaded.tables["scenario"]["duration_days"], current.simulation.model.dt_h)
    for warning in (*loaded.notes, *duration, *current.warnings):
        say("note:", "yellow", warning)
    assert current.path is not None
    parts = parts_folder(current.path)
    try:
        if not follow(current, quiet):
            current.checkpoint()
            day = current.progress().day
            console.print(f"stopped on day {day:.1f}; continue with the same command and --resume")
            raise typer.Exit(130)
        path = current.finish()
        assert path is not None
        print(path)
    except BodyError as error:
        discard_segments(parts)  # going on would end at the same point
        raise InputError(f"{error}; set body parameters nearer to their defaults") from None
    finally:
        with suppress(OSError):  # there, and holds segments to resume from
            parts.rmdir()
    _shout(current.path)


def _shout(path: Path) -> None:
    """Say where the books of a run do not close, and exit with 1; the file is kept, to see why."""
    from ..store import open_books

    if problems := open_books(path):
        for problem in problems:
            say("warning:", "red", f"{path}: {problem}")
        raise typer.Exit(1)


@app.command(epilog="Example: oncolattice batch demo --out demo")
def batch(
    study: Annotated[str, typer.Argument(help="study file, or scenario (a study of one arm)")],
    out: Out = Path("runs"),
    settings: Settings = None,
    replicates: Annotated[
        int,
        typer.Option(
            min=0, max=MOST_RUNS, help="seeds an arm and patient, in one file for tissues without a body"
        ),
    ] = 0,
    seed: Annotated[
        int | None, typer.Option(min=0, max=MOST_SEED, help="first seed; of the study if absent")
    ] = None,
    keep_runs: Annotated[
        bool, typer.Option("--keep-runs", help="write a file a run for replicates, too")
    ] = False,
    workers: Annotated[int, typer.Option(min=0, max=1024, help="runs at a time; 0 is one a usable core")] = 0,
    executor: Annotated[str, typer.Option(help="serial, processes or dask")] = "processes",
    scheduler: Annotated[
        str | None, typer.Option(help="dask: address (tcp://...) or TOML file with a [slurm] table")
    ] = None,
    index: Annotated[
        int | None, typer.Option(min=0, help="do one part of the study, such as $SLURM_ARRAY_TASK_ID")
    ] = None,
    of: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_RUNS, help="number of parts; $SLURM_ARRAY_TASK_COUNT if absent"),
    ] = None,
    retries: Annotated[
        int, typer.Option(min=0, max=100, help="times that a run which failed is tried again")
    ] = 0,
    rerun_corrupt: Annotated[
        bool, typer.Option("--rerun-corrupt", help="move damaged run files to quarantine/ and run them again")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only say how many runs, and what they would take")
    ] = False,
    well_mixed: Annotated[
        bool, typer.Option("--well-mixed", help="the same patients and doses as ODE, without a lattice")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no progress bar")] = False,
) -> None:
    """Run every arm of a study for every patient; finished runs are kept, interrupted ones continued."""
    from ..batch.executors import EXECUTORS
    from ..batch.study import Order, plan_study, run_study

    check_folder_place(out)
    if executor not in EXECUTORS:
        raise unknown_word("executor", executor, EXECUTORS, "--executor")
    order = Order(
        out, tuple(settings or ()), replicates, seed, keep_runs, workers, quiet, executor, scheduler, index, of,
        retries, rerun_corrupt,
    )  # fmt: skip
    if well_mixed:
        from ..batch.well_mixed import run_well_mixed

        print(run_well_mixed(study, order.settings, out))
        return
    if dry_run:
        with console.status("timing the first steps of every arm"):
            plan = plan_study(study, order)
        print(plan.text())
        plan.refuse()
        return
    try:
        failures = run_study(study, order, console)
    except KeyboardInterrupt:
        console.print("stopped; the same command continues where the runs were")
        raise typer.Exit(130) from None
    if failures:
        raise typer.Exit(1)


@app.command("list", epilog="Example: oncolattice list")
def list_() -> None:
    """List scenarios, studies, models, populations."""
    from .describe import catalogue

    for kind, rows in catalogue().items():
        print(kind)
        for name, title in rows:
            print(printable(f"  {name:24} {title}"))


@app.command(epilog="Example: oncolattice describe mcrc_tas102 --assumed")
def describe(
    name: Annotated[str, typer.Argument(help="model, scenario, study, population, body or drug")],
    assumed: Annotated[
        bool, typer.Option("--assumed", help="only parameters whose source is 'assumed'")
    ] = False,
    mean_field: Annotated[
        bool,
        typer.Option("--mean-field", help="the same rules as a well-mixed ODE, and what that leaves out"),
    ] = False,
    settings: Settings = None,
) -> None:
    """Print what a model or scenario holds: types, fields, rules in words, parameters with unit and source."""
    if mean_field:
        from .mean_field import print_mean_field

        print_mean_field(name, settings, Console())
        return
    if settings:
        raise InputError("--set goes with --mean-field here; a scenario's numbers are set by run and batch")
    from .describe import describe_text

    print(printable(describe_text(name, assumed)))


@app.command(epilog="Example: oncolattice check runs/mcrc_tas102-0123456789ab.h5")
def check(
    files: Annotated[list[Path], typer.Argument(help="TOML, SBML and run files, or library names")],
) -> None:
    """Check files; exit with 2 if any is wrong."""
    from .check import check_file

    wrong = False
    for path in files:
        problems = check_file(path)
        wrong = wrong or bool(problems)
        for problem in problems or ["ok"]:
            print(printable(f"{path}: {problem}" if str(path) not in problem else problem))
    if wrong:
        raise typer.Exit(2)


@app.command(epilog="Example: oncolattice schema scenario > scenario.schema.json")
def schema(kind: Annotated[str, typer.Argument(help="model, scenario or study")]) -> None:
    """Print the JSON Schema of a file, for editors."""
    from .check import json_schema

    print(json.dumps(json_schema(kind), indent=2))


app.command(epilog="Example: oncolattice report runs --criterion recist11 --error-cv 0.08")(report)
app.command(
    epilog="Example: oncolattice pk nivolumab --regimen '240 mg iv over 60 min q2w x 13' --out pk.csv"
)(pk)


app.command(epilog="Example: oncolattice body qcic --arm tas102 --patient patient.json --out traj.csv")(body)


def main(entry: Callable[..., object] = app) -> None:
    """Run the command line; a user's mistake is one sentence and exit code 2, a defect one sentence and 1."""
    try:
        try:
            check_words(sys.argv[1:])
            entry(standalone_mode=True)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        sys.exit(told(error))


def check_words(words: Sequence[str]) -> None:
    """Refuse arguments that are no text: half a character, or one that controls a terminal.

    Raises
    ------
    InputError
    """
    for word in words:
        if not all(char.isprintable() or char in "\t\n " for char in word):
            raise InputError(f"{word!r}: an argument must be plain text in UTF-8, file names too; rename it")


def told(error: Exception) -> int:
    """Tell what went wrong in one sentence; return the exit code."""
    from ...ode_coupling.system import BodyError

    match error:
        case InputError() | BodyError():
            sentence, code = str(error), 2
        case MemoryError():
            sentence = f"there is not enough memory ({error or 'out of memory'}); take a smaller lattice or fewer runs"
            code = 2
        case BrokenPipeError():  # whoever read it, such as head, has seen enough
            _drop_output()
            return 1
        case OSError(filename=None):
            _drop_output()
            sentence, code = (
                f"output cannot be written ({error.strerror}); free space, or name another place",
                2,
            )
        case OSError():
            sentence, code = f"{error.filename}: {error.strerror}; check the path and its permissions", 2
        case _:
            what = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
            sentence, code = (
                f"a defect of the program, {what}; {TRACEBACK}=1 before the command shows where",
                1,
            )
    say("error:", "red", sentence)
    return code


def _drop_output() -> None:
    """Send what standard output still holds nowhere: Python flushes it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
