"""What a batch adds to its runs: efficiency of two processes, Dask against them, and the index of many files.

Run `python -m benchmarks.bench_batch [--quick] [--csv FILE]` from the repository root.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from oncolattice.benchmarks.harness import Bench, begin
from oncolattice.scenarios.batch.executors import open_workers
from oncolattice.scenarios.batch.fan_out import Task, fan_out
from oncolattice.scenarios.batch.jobs import Job, jobs_of, recorded_job
from oncolattice.scenarios.batch.pilot import peak_memory
from oncolattice.scenarios.files.study import Study
from oncolattice.scenarios.store.index import INDEX_FILE, index_folder, write_index

SCENARIO, SETTINGS = "strobl2022_adaptive", ("duration_days=200",)
RUNS, QUICK_RUNS, FILES, QUICK_FILES, TARGET_FILES = 400, 80, 1000, 200, 10_000
WORKERS, EFFICIENCY, DASK = 2, 0.9, 1.1


def cpu_recorded(job: Job, out: str) -> tuple[float, float]:
    """Run a job to its file; return processor time and wall time of the worker, s."""
    cpu, wall = time.process_time(), time.perf_counter()
    recorded_job(job, out)
    return time.process_time() - cpu, time.perf_counter() - wall


def spread(kind: str, workers: int, runs: int) -> tuple[float, float, float]:
    """Return wall seconds of a batch after its start, and processor and wall seconds of its runs together."""
    jobs = jobs_of(Study("bench", "bench", [SCENARIO], patients=runs + 2 * workers), SETTINGS)
    with tempfile.TemporaryDirectory() as out, open_workers(kind, workers, runs) as pool:
        # every worker has loaded its kernels before the clock starts
        for _ in fan_out(cpu_recorded, [Task(job, (job, out)) for job in jobs[runs:]], pool):
            pass
        began, cpu, busy = time.perf_counter(), 0.0, 0.0
        for _, spent, reason in fan_out(cpu_recorded, [Task(job, (job, out)) for job in jobs[:runs]], pool):
            assert not reason, reason
            cpu, busy = cpu + spent[0], busy + spent[1]
        return time.perf_counter() - began, cpu, busy


def efficiency(bench: Bench, runs: int) -> None:
    """Add wall times of one process, two processes and Dask, and what their workers were busy with."""
    at = f"{runs} runs of {SCENARIO}"
    alone, alone_cpu, _ = spread("serial", 1, runs)
    bench.row(at, "one process", alone / runs * 1e3, "ms a run", f"processor {alone_cpu / runs * 1e3:.3g}")
    walls = {}
    for kind in ("processes", "dask"):
        walls[kind], cpu, busy = spread(kind, WORKERS, runs)
        bench.row(
            at,
            f"{kind}, {WORKERS}",
            walls[kind] / runs * 1e3,
            "ms a run",
            f"processor {cpu / runs * 1e3:.3g}",
        )
        bench.row(
            at, f"{kind}: of ideal", 100 * alone / (WORKERS * walls[kind]), "%", f"aim {100 * EFFICIENCY:g}"
        )
        bench.row(
            at, f"{kind}: workers busy", 100 * busy / (WORKERS * walls[kind]), "%", "load of others left out"
        )
    bench.row(at, "Dask over processes", walls["dask"] / walls["processes"], "1", f"aim {DASK:g}")


def timed(task: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    began = time.perf_counter()
    task()
    return time.perf_counter() - began


def index(bench: Bench, files: int) -> None:
    """Add the time to index a folder for the first time and again, drawn out to the number aimed at."""
    (job,) = jobs_of(Study("bench", "bench", [SCENARIO]), ("duration_days=5",))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = folder / recorded_job(job, name).file
        for i in range(files - 1):
            shutil.copy(made, folder / f"run-{i:012x}.h5")
        first = timed(lambda: write_index(folder, index_folder(folder)[0].values()))
        again = timed(lambda: index_folder(folder))
        assert len((folder / INDEX_FILE).read_text().splitlines()) == files + 1
    scale = TARGET_FILES / files
    at = f"{files} run files, x {scale:g}"
    bench.row(at, "first index", first * scale, "s", "aim 60 with the report")
    bench.row(at, "index again", again * scale, "s")
    bench.row(at, "peak memory of this process", peak_memory() / 1e6, "MB", "aim 2000")


def main() -> None:
    """Measure and print."""
    bench = begin("batch", __doc__)
    efficiency(bench, QUICK_RUNS if bench.quick else RUNS)
    index(bench, QUICK_FILES if bench.quick else FILES)
    bench.finish()


if __name__ == "__main__":
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    main()
