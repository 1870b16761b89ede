"""Where the runs of a batch are done: this process, processes, or Dask on this or other machines."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ...abm.compile.model_file import check_keys, read_toml
from ...abm.errors import InputError, unknown_word

EXECUTORS = ("serial", "processes", "dask")
THREADS = "NUMBA_NUM_THREADS"
SLURM_KEYS: dict[str, tuple[str, bool, str]] = {
    "jobs": ("whole >= 1 <= 100000", True, "jobs to submit"),
    "cores": ("whole >= 1 <= 10000", True, "cores a job; as many runs at a time"),
    "memory": ("text", True, "memory a job, such as 16GB"),
    "walltime": ("text", True, "longest time of a job, such as 02:00:00"),
    "queue": ("text", False, "partition"),
    "account": ("text", False, "account that is charged"),
    "interface": ("text", False, "network interface, such as ib0"),
    "prologue": ("texts", False, "lines of the job script before the workers start"),
    "extra": ("texts", False, "further #SBATCH lines, without #SBATCH"),
}
_AHEAD = 2  # runs that wait at the processes, so that none idles while the parent writes
_DASK_AHEAD = 2  # tasks a worker that Dask is given, so that it can keep all busy
_DASK_SECONDS = 2.0  # a task costs Dask 10 to 20 ms of processor time
_PATIENT_SECONDS = 20.0
_FOREIGN_WINDOW = 1000  # tasks for a scheduler whose workers come and go


class Workers:
    """An executor that can be replaced when a process of it died.

    Parameters
    ----------
    make : callable
        Returns a fresh executor.
    count : int
        How many tasks run at a time.
    window : int
        How many tasks may be submitted and unfinished.
    bundle_seconds : float
        Shorter runs are put together to tasks that take about this long; 0 for a task a run.

    Attributes
    ----------
    executor : Executor
    """

    def __init__(self, make: Callable[[], Executor], count: int, window: int, bundle_seconds: float = 0.0):
        self._make, self.count, self.window, self.bundle_seconds = make, count, window, bundle_seconds
        self.executor = make()

    def renew(self) -> None:
        """Replace an executor that is broken."""
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self._make()


class SerialExecutor(Executor):
    """Does every task at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Return a future that is done."""
        future: Future = Future()
        with _CaughtBy(future):
            future.set_result(fn(*args, **kwargs))
        return future


class _CaughtBy:
    """Gives an error to a future; what is meant to end the process goes on its way."""

    def __init__(self, future: Future):
        self._future = future

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        self._future.set_exception(error)
        return True


def usable_cores() -> int:
    """Return the cores that this process may use: SLURM's allocation, its affinity, else all there are."""
    granted = os.environ.get("SLURM_CPUS_PER_TASK", "")
    if granted.isdecimal() and int(granted):
        return int(granted)
    if hasattr(os, "process_cpu_count"):  # Python 3.13; knows PYTHON_CPU_COUNT, too
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


@contextmanager
def open_workers(kind: str, count: int, most: int, scheduler: str | None = None) -> Iterator[Workers]:
    """Open an executor by name, with one thread a run, and close it.

    Parameters
    ----------
    kind : str
        serial, processes or dask.
    count : int
        Runs at a time; 0 is one a usable core.
    most : int
        Tasks there are: no more workers are started.
    scheduler : str, optional
        dask: address of a scheduler that runs already, or a TOML file with a [slurm] table.

    Raises
    ------
    InputError
        Unknown executor, an option that does not go with it, or Dask is not installed or not reachable.
    """
    if kind not in EXECUTORS:
        raise unknown_word("executor", kind, EXECUTORS, "--executor")
    if scheduler and kind != "dask":
        raise InputError(f"--scheduler goes with --executor dask, not with '{kind}'")
    count = max(1, min(count or usable_cores(), most))
    if kind == "serial":
        yield Workers(SerialExecutor, 1, 1)
        return
    with one_thread_a_run():
        if kind == "dask":
            with _dask(count, scheduler) as workers:
                yield workers
            return
        workers = Workers(lambda: _processes(count), count, count + _AHEAD)
        try:
            yield workers
        except BaseException:
            workers.executor.shutdown(wait=False, cancel_futures=True)
            raise
        workers.executor.shutdown()


@contextmanager
def one_thread_a_run() -> Iterator[None]:
    """Let processes that start now use one thread: threads beside other load collapse."""
    before = os.environ.get(THREADS)
    os.environ[THREADS] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[THREADS]
        else:
            os.environ[THREADS] = before


def _processes(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), start_worker)


def start_worker() -> None:
    """Let Ctrl-C end a worker without a word, and let it end with its parent, however that ends.

    Its checkpoints are on disk, and the next call must not meet a worker that still writes.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


@contextmanager
def _dask(count: int, scheduler: str | None) -> Iterator[Workers]:
    try:
        import dask
        import distributed
    except ImportError as error:
        raise InputError(
            f"--executor dask: {error.name} is not installed; install it with: pip install 'oncolattice[dask]'"
        ) from None
    with ExitStack() as stack:
        # a nanny hands its workers these variables before they start; Numba's is not among Dask's own
        environ = f"distributed.nanny.pre-spawn-environ.{THREADS}"
        quiet = {"logging.distributed": "critical", "distributed.worker.profile.enabled": False}
        stack.enter_context(dask.config.set({environ: 1, **quiet}))
        if scheduler is None:
            cluster = distributed.LocalCluster(
                n_workers=count, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
            )
            address = stack.enter_context(cluster)
        elif scheduler.endswith(".toml"):
            address = stack.enter_context(slurm_cluster(Path(scheduler)))
        else:
            address = scheduler
        try:
            client = stack.enter_context(distributed.Client(address, timeout="20s"))
        except (OSError, ValueError, TimeoutError) as error:
            raise InputError(
                f"--scheduler {scheduler}: no Dask scheduler answers there ({error}); give tcp://HOST:PORT"
            ) from None
        window = _DASK_AHEAD * count
        if scheduler is not None:
            await_worker(client)
            count, window = max(1, sum(client.nthreads().values())), _FOREIGN_WINDOW
            _same_sources(client)
        yield Workers(lambda: client.get_executor(pure=False), count, window, _DASK_SECONDS)


def await_worker(client: Any) -> None:
    """Wait for a Dask worker, and say so where none comes soon: jobs may stand in a queue for hours."""
    try:
        client.wait_for_workers(1, timeout=_PATIENT_SECONDS)
    except TimeoutError:
        print(
            "no Dask worker has started yet, waiting for the first (squeue shows jobs that wait)",
            file=sys.stderr,
        )
        client.wait_for_workers(1)


def _same_sources(client: Any) -> None:
    """Refuse workers whose installation would give other numbers."""
    from ...abm.kernel_cache import source_hash

    for worker, found in client.run(source_hash).items():
        if found != source_hash():
            raise InputError(
                f"Dask worker {worker}: another version of oncolattice is installed there; install the same everywhere"
            )


def slurm_cluster(path: Path) -> Any:
    """Return a Dask cluster whose workers are SLURM jobs, as many as the file asks for.

    Raises
    ------
    InputError
        The file is wrong, or dask-jobqueue is not installed.
    """
    table = read_slurm(path)
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError:
        raise InputError(
            "--scheduler: dask-jobqueue is not installed; install it with: pip install 'oncolattice[dask]'"
        ) from None
    cluster = SLURMCluster(
        cores=table["cores"],
        processes=table["cores"],
        memory=table["memory"],
        walltime=table["walltime"],
        queue=table.get("queue"),
        account=table.get("account"),
        interface=table.get("interface"),
        job_script_prologue=[f"export {THREADS}=1", *table.get("prologue", [])],
        job_extra_directives=table.get("extra", []),
    )
    cluster.scale(jobs=table["jobs"])
    return cluster


def read_slurm(path: Path) -> Mapping[str, Any]:
    """Return the [slurm] table of a file.

    Raises
    ------
    InputError
        No such table, an unknown or missing key, or a number below 1.
    """
    tables, _ = read_toml(path)
    if list(tables) != ["slurm"]:
        raise InputError(
            f"{path}: a scheduler file holds one [slurm] table, found {', '.join(tables) or 'none'}"
        )
    check_keys(tables["slurm"], SLURM_KEYS, f"{path.name} [slurm]")
    return tables["slurm"]
