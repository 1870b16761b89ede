"""A progress bar with the simulated day, the counts and the speed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ...abm.errors import printable
from ..simulate.run import Run


@contextmanager
def interrupts_noted() -> Iterator[list[int]]:
    """Note the first Ctrl-C in the list that is yielded; a second one raises.

    A step that is cut short leaves body and tissue at different times, from which no run could go on.
    """
    noted: list[int] = []

    def note(number: int, _: object) -> None:
        noted.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


def follow(run: Run, quiet: bool = False) -> bool:
    """Advance a run, showing a progress bar on standard error; return whether it reached its end.

    Ctrl-C stops it between two steps. Speed is in simulated days per second of wall time.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.fields[name]}", markup=False),
        BarColumn(),
        TextColumn(
            "day {task.completed:.0f}/{task.total:.0f}  {task.fields[counts]}  {task.fields[speed]}",
            markup=False,
        ),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=console, disable=quiet, transient=not console.is_terminal)
    with interrupts_noted() as noted, bar:
        first = run.progress()
        name = printable(f"{run.simulation.scenario.name} seed {run.simulation.seed}")
        task = bar.add_task("", total=first.end_day, name=name, counts="", speed="")
        groups = {info.name: info.group for info in run.simulation.model.types}
        for step in run.steps():
            by_group: dict[str, int] = {}
            for type_name, n in step.counts.items():
                by_group[groups[type_name]] = by_group.get(groups[type_name], 0) + n
            counts = " ".join(f"{group} {n:,}" for group, n in by_group.items() if group != "host")
            speed = (step.day - first.day) / max(run.wall["simulate"], 1e-9)
            bar.update(task, completed=step.day, counts=printable(counts), speed=f"{speed:.0f} d/s")
            if noted and step.day < step.end_day:
                return False
    return True
