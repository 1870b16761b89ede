"""Do many tasks on workers that may fail or die: each is finished once, or given up with a reason."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from .executors import SerialExecutor, Workers

DIED = "its worker died (killed, or out of memory)"
SHARED_DEATHS = 2  # after so many among others a task is done alone, where a death is its own


@dataclass(eq=False)
class Task:
    """A piece of work.

    Attributes
    ----------
    about : object
        What the caller knows it by.
    arguments : tuple
    failed, deaths, deaths_alone : int
        How often it raised, and how often a worker died while it was out, among others and alone.
    """

    about: Any
    arguments: tuple[Any, ...]
    failed: int = 0
    deaths: int = 0
    deaths_alone: int = 0


def fan_out(
    work: Callable[..., Any],
    tasks: Iterable[Task],
    workers: Workers,
    retries: int = 0,
    split: Callable[[Task], Sequence[Task]] | None = None,
) -> Iterator[tuple[Task, Any, str]]:
    """Yield (task, result, reason) as tasks end; the reason is empty if there is a result.

    Parameters
    ----------
    work : callable
        Called with the arguments of each task.
    tasks : iterable of Task
        Drawn as workers become free.
    workers : Workers
        A pool in which a process died is replaced. What was out is done again; what was out at several
        deaths is then done alone, so that a task that kills its worker takes no other one along.
    retries : int
        How often a task that raised, or died alone a second time, is tried again.
    split : callable, optional
        Cuts a task into smaller ones before it is done alone.
    """
    source, waiting, suspects = iter(tasks), deque[Task](), deque[Task]()
    out: dict[Future, Task] = {}
    ended: SimpleQueue[Future] = SimpleQueue()
    single = False

    def submit(task: Task) -> bool:
        try:
            future = workers.executor.submit(work, *task.arguments)
        except BrokenExecutor:
            return False
        out[future] = task
        future.add_done_callback(ended.put)
        return True

    def more() -> bool:
        waiting.extend(() if waiting else itertools.islice(source, 1))
        return bool(waiting)

    while out or suspects or more():
        broken = False
        while not single and not broken and len(out) < workers.window and more():
            broken = not submit(waiting[0])
            if not broken:
                waiting.popleft()
        if suspects and not out and not waiting:
            single, broken = True, not submit(suspects[0])
            if not broken:
                suspects.popleft()
        if out:
            future = ended.get()
            task, error = out.pop(future), _error(future)
            if error is None:
                yield task, future.result(), ""
            elif isinstance(error, BrokenExecutor | CancelledError):
                broken = True
                died = [task, *out.values()]
                while out:
                    other = ended.get()
                    task = out.pop(other)
                    if _error(other) is None:
                        died.remove(task)
                        yield task, other.result(), ""
                for task in died:
                    if not single:
                        task.deaths += 1
                        again = suspects if task.deaths >= SHARED_DEATHS else waiting
                        again.extend(split(task) if split and again is suspects else [task])
                    elif task.deaths_alone < max(retries, 1):
                        task.deaths_alone += 1
                        suspects.append(task)
                    else:
                        yield task, None, DIED
            elif task.failed < retries:
                task.failed += 1
                waiting.append(task)
            else:
                yield task, None, reason_of(error)
        if broken:
            workers.renew()
        single = single and bool(out)


def _error(future: Future) -> BaseException | None:
    return CancelledError() if future.cancelled() else future.exception()


def attempt(work: Callable[..., Any], *arguments: Any) -> tuple[Any, str]:
    """Return what a call returns, and why there is nothing: one of several calls of a task may fail."""
    future = SerialExecutor().submit(work, *arguments)
    error = future.exception()
    return (None, reason_of(error)) if error else (future.result(), "")


def reason_of(error: BaseException) -> str:
    """Return the kind and the text of an error."""
    return f"{type(error).__name__}: {error}"
