"""Show how far a batch is: a bar with the time left on a terminal, a line now and then elsewhere."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

LINE_EVERY_SECONDS = 60.0


class Follower:
    """A context in which runs are counted.

    Parameters
    ----------
    console : Console, optional
        Nothing is shown without one.
    total : int
        Runs to do.
    """

    def __init__(self, console: Console | None, total: int):
        self._console, self._total = console, total
        self._done = self._failed = 0
        self._began = self._said = time.monotonic()
        columns = (
            TextColumn("runs"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            TimeElapsedColumn(),
        )
        shown = console is not None and console.is_terminal
        self._bar = Progress(*columns, console=console, disable=not shown)
        self._task = self._bar.add_task("", total=total, left="")

    def __enter__(self) -> "Follower":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def advance(self, done: int, failed: int = 0) -> None:
        """Count runs that ended, and how many of them failed."""
        self._done += done
        self._failed += failed
        spent = time.monotonic() - self._began
        left = f"{duration(spent / max(self._done, 1) * (self._total - self._done))} left"
        failures = f", {self._failed} failed" if self._failed else ""
        self._bar.update(self._task, completed=self._done, left=left + failures)
        if self._bar.disable and self._console and time.monotonic() - self._said > LINE_EVERY_SECONDS:
            self._said = time.monotonic()
            self._console.print(f"{self._done} of {self._total} runs{failures}, {left}", markup=False)


def duration(seconds: float) -> str:
    """Return a time in words, in the two largest units that fit."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def size(count: float) -> str:
    """Return a number of bytes in words."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
