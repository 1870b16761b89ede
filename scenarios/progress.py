"""A progress bar with the simulated day, the counts and the speed."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from .run import Run


def follow(run: Run, quiet: bool = False) -> None:
    """Advance a run to its end, showing a progress bar on standard error.

    Speed is in simulated days per second of wall time.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.fields[name]}"),
        BarColumn(),
        TextColumn("day {task.completed:.0f}/{task.total:.0f}  {task.fields[counts]}  {task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=quiet, transient=not console.is_terminal) as bar:
        first = run.progress()
        name = f"{run.simulation.scenario.name} seed {run.simulation.seed}"
        task = bar.add_task("", total=first.end_day, name=name, counts="", speed="")
        groups = {info.name: info.group for info in run.simulation.model.types}
        for step in run.steps():
            by_group: dict[str, int] = {}
            for type_name, n in step.counts.items():
                by_group[groups[type_name]] = by_group.get(groups[type_name], 0) + n
            counts = " ".join(f"{group} {n:,}" for group, n in by_group.items() if group != "host")
            speed = (step.day - first.day) / max(run.wall["simulate"], 1e-9)
            bar.update(task, completed=step.day, counts=counts, speed=f"{speed:.0f} d/s")
