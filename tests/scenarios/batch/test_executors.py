"""Executors: every task ends once, whatever fails or dies, and options that do not fit are refused."""

import logging
import os
import pathlib
import subprocess
import sys
import time

import pytest

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.batch import executors
from oncolattice.scenarios.batch.executors import open_workers, read_slurm, usable_cores
from oncolattice.scenarios.batch.fan_out import DIED, Task, attempt, fan_out


def work(number, folder, dies=(), raises=()):
    """Note the call, then die, raise or return the square."""
    with (folder / f"{number}").open("a") as file:
        file.write("x")
    if number in dies:
        os.kill(os.getpid(), 9)
    if number in raises:
        raise InputError(f"no {number}")
    return number * number


def tasks(folder, n, **wishes):
    return [Task(i, (i, folder, *wishes.values())) for i in range(n)]


def results(kind, work_tasks, retries=0):
    with open_workers(kind, 2, len(work_tasks)) as pool:
        return sorted(
            (task.about, found, reason) for task, found, reason in fan_out(work, work_tasks, pool, retries)
        )


def calls(folder):
    return {int(path.name): len(path.read_text()) for path in folder.iterdir()}


def test_serial_does_all_in_this_process(tmp_path):
    assert results("serial", tasks(tmp_path, 5)) == [(i, i * i, "") for i in range(5)]
    assert calls(tmp_path) == dict.fromkeys(range(5), 1)


def test_a_task_that_raises_is_tried_so_often_and_told(tmp_path):
    found = results("serial", tasks(tmp_path, 4, dies=(), raises=(2,)), retries=2)
    assert found == [(0, 0, ""), (1, 1, ""), (2, None, "InputError: no 2"), (3, 9, "")]
    assert calls(tmp_path) == {0: 1, 1: 1, 2: 3, 3: 1}


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_task_that_kills_its_worker_takes_no_other_along(tmp_path):
    found = results("processes", tasks(tmp_path, 6, dies=(3,)))
    assert [reason for _, _, reason in found] == ["", "", "", DIED, "", ""]
    assert [result for _, result, _ in found] == [0, 1, 4, None, 16, 25]
    assert calls(tmp_path)[3] >= 2  # it was tried in a new pool


def test_an_attempt_gives_result_or_reason():
    assert attempt(int, "7") == (7, "")
    assert attempt(int, "x")[0] is None
    assert attempt(int, "x")[1].startswith("ValueError: invalid literal")


def test_a_worker_ends_with_its_parent(tmp_path):
    """The parent is killed without a word while its worker sleeps; the worker is gone within seconds."""
    script = (
        "import os, time\nfrom oncolattice.scenarios.batch.executors import open_workers\n"
        "if __name__ == '__main__':\n"
        "    with open_workers('processes', 1, 1) as pool:\n"
        "        print(pool.executor.submit(os.getpid).result(), flush=True)\n"
        "        pool.executor.submit(time.sleep, 60)\n        time.sleep(60)\n"
    )
    (tmp_path / "parent.py").write_text(script)
    with subprocess.Popen(
        [sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, text=True
    ) as parent:
        worker = int(parent.stdout.readline())
        os.kill(worker, 0)
        parent.kill()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and alive(worker):
        time.sleep(0.05)
    assert not alive(worker)


def alive(pid):
    """Return whether a process runs; one that ended and waits for its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = f"/proc/{pid}/stat"
    try:
        with open(state) as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_allocation_decides_how_many_cores_are_used(monkeypatch):
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "7")
    assert usable_cores() == 7
    monkeypatch.delenv("SLURM_CPUS_PER_TASK")
    monkeypatch.setattr(executors.os, "process_cpu_count", lambda: 3, raising=False)
    assert usable_cores() == 3
    monkeypatch.delattr(executors.os, "process_cpu_count")
    monkeypatch.setattr(executors.os, "sched_getaffinity", lambda _: {0, 5}, raising=False)
    assert usable_cores() == 2


def test_workers_have_one_thread_and_the_parent_keeps_its_own(monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "2")
    with open_workers("processes", 1, 1) as pool:
        assert pool.executor.submit(os.getenv, "NUMBA_NUM_THREADS").result() == "1"
    assert os.environ["NUMBA_NUM_THREADS"] == "2"


@pytest.mark.parametrize(
    ("kind", "scheduler", "reason"),
    [
        ("proceses", None, "unknown executor 'proceses'; did you mean 'processes'"),
        ("serial", "tcp://x:1", "--scheduler goes with --executor dask"),
    ],
)
def test_what_does_not_fit_is_refused(kind, scheduler, reason):
    with pytest.raises(InputError, match=reason), open_workers(kind, 1, 1, scheduler):
        pass


def test_dask_that_is_not_there_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(InputError, match=r"pip install 'oncolattice\[dask\]'"), open_workers("dask", 1, 1):
        pass


SLURM = '[slurm]\njobs = 2\ncores = 4\nmemory = "8GB"\nwalltime = "00:30:00"\nqueue = "short"\n'


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[slurm]", "[slrm]", r"holds one \[slurm\] table, found slrm"),
        ("cores", "core", "unknown key 'core'; did you mean 'cores'"),
        ("jobs = 2", "jobs = 0", "'jobs' must be 1 to 100000 .*, got 0"),
        ('memory = "8GB"\n', "", "'memory' is missing"),
    ],
)
def test_a_bad_cluster_file_is_refused(old, new, reason, tmp_path):
    path = tmp_path / "cluster.toml"
    path.write_text(SLURM.replace(old, new))
    with pytest.raises(InputError, match=reason):
        read_slurm(path)


def test_the_job_script_asks_for_what_the_file_says(tmp_path):
    """In a process of its own: the cluster starts a scheduler, and threads that this one would keep."""
    pytest.importorskip("dask_jobqueue")
    (tmp_path / "cluster.toml").write_text(SLURM)
    for command in ("sbatch", "scancel"):
        (tmp_path / command).write_text("#!/bin/sh\necho Submitted batch job 1\n")
        (tmp_path / command).chmod(0o755)
    script = (
        "from pathlib import Path\nfrom oncolattice.scenarios.batch.executors import slurm_cluster\n"
        "if __name__ == '__main__':\n"
        "    with slurm_cluster(Path('cluster.toml')) as cluster:\n        print(cluster.job_script())\n"
    )
    (tmp_path / "script.py").write_text(script)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for line in (
        "-p short",
        "--cpus-per-task=4",
        "-t 00:30:00",
        "export NUMBA_NUM_THREADS=1",
        "--nworkers 4",
    ):
        assert line in done.stdout


def test_a_scheduler_that_runs_already_is_used_by_its_address(tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
        ) as cluster,
        open_workers("dask", 0, 6, cluster.scheduler_address) as pool,
    ):
        assert pool.count == 2
        done = fan_out(work, tasks(tmp_path, 6), pool, 0)
        assert sorted(found for _, found, _ in done) == [0, 1, 4, 9, 16, 25]
    assert calls(tmp_path) == dict.fromkeys(range(6), 1)


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    distributed = pytest.importorskip("distributed")
    client = distributed.Client
    monkeypatch.setattr(distributed, "Client", lambda address, timeout: client(address, timeout="1s"))
    reason = r"--scheduler tcp://127\.0\.0\.1:9: no Dask scheduler answers there.*give tcp://HOST:PORT"
    with pytest.raises(InputError, match=reason), open_workers("dask", 1, 1, "tcp://127.0.0.1:9"):
        pass


SBATCH = """#!/bin/sh
for script; do :; done
cp "$script" {folder}/job.$$
setsid sh {folder}/job.$$ > {folder}/log.$$ 2>&1 &
echo $! >> {folder}/pids
echo "Submitted batch job $!"
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX shell")
def test_slurm_jobs_are_submitted_and_cancelled(tmp_path, monkeypatch):
    """A stand-in for sbatch starts the job's script on this machine; what is tested is all but SLURM itself."""
    pytest.importorskip("dask_jobqueue")
    commands, done = tmp_path / "bin", tmp_path / "done"
    commands.mkdir()
    done.mkdir()
    for name, text in {"sbatch": SBATCH, "scancel": "#!/bin/sh\nkill -- -$1\n"}.items():
        (commands / name).write_text(text.format(folder=tmp_path))
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "cluster.toml"
    file.write_text(
        '[slurm]\njobs = 2\ncores = 1\nmemory = "1GB"\nwalltime = "00:05:00"\nqueue = "short"\n'
        'interface = "lo"\nextra = ["--constraint=fast"]\n'
        f'prologue = ["export PYTHONPATH={pathlib.Path(__file__).parents[3]}"]\n'
    )
    with open_workers("dask", 0, 4, str(file)) as pool:
        found = fan_out(work, tasks(done, 4), pool, 0)
        assert sorted(square for _, square, _ in found) == [0, 1, 4, 9]
    assert calls(done) == dict.fromkeys(range(4), 1)
    scripts = [path.read_text() for path in tmp_path.glob("job.*")]
    assert len(scripts) == 2
    for script in scripts:
        assert {"#SBATCH -p short", "#SBATCH -t 00:05:00", "#SBATCH --constraint=fast"} <= set(
            script.splitlines()
        )
        assert "export NUMBA_NUM_THREADS=1" in script
    deadline = time.monotonic() + 20.0
    while any(alive(int(pid)) for pid in (tmp_path / "pids").read_text().split()):
        assert time.monotonic() < deadline, "a job outlived the batch"
        time.sleep(0.1)


def test_who_waits_for_a_queue_is_told(capsys):
    class Client:
        asked = ()

        def wait_for_workers(self, n, timeout=None):
            self.asked = (*self.asked, timeout)
            if timeout is not None:
                raise TimeoutError

    client = Client()
    executors.await_worker(client)
    assert client.asked == (20.0, None)
    assert "no Dask worker has started yet" in capsys.readouterr().err
