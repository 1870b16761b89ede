"""Sweeps: which points a study runs, and what is refused before anything runs."""

import math

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.batch.jobs import jobs_of, paths_of, share_of
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.files.study import load_study
from oncolattice.scenarios.simulate.run import key_of
from oncolattice.scenarios.store import run_path
from oncolattice.tests.helpers.race import write_race


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_race(tmp_path_factory.mktemp("sweep"))


def study(folder, *sweeps):
    """Return the study of two arms with some sweeps."""
    path = folder / "swept.toml"
    path.write_text((folder / "race.toml").read_text() + "".join(f"[[sweep]]\n{sweep}\n" for sweep in sweeps))
    return load_study(str(path))


def numbers(points, name):
    return np.array([float(dict(point)[name]) for point in points])


def test_lists_go_together_and_sweeps_are_crossed(folder):
    lists = 'parameters = { growth = [0.1, "0.2/d"], death = [0.01, 0.02] }'
    points = study(folder, lists, "parameters.kill = [1, 2, 3]").points
    expected = [
        (("growth", growth), ("death", death), ("kill", kill))
        for growth, death in (("0.1", "0.01"), ("0.2/d", "0.02"))
        for kill in ("1", "2", "3")
    ]
    assert points == expected


def test_a_grid_crosses_its_lists_and_ranges(folder):
    kill = '{ low = 0.01, high = 1, scale = "log", n = 3 }'
    grid = f'design = "grid"\nparameters = {{ growth = [0.1, 0.2], kill = {kill} }}'
    points = study(folder, grid).points
    assert [tuple(dict(p).values()) for p in points] == [
        (growth, kill) for growth in ("0.1", "0.2") for kill in ("0.01", "0.1", "1")
    ]


@pytest.mark.parametrize("design", ["latin hypercube", "sobol"])
def test_drawn_points_hit_every_stratum_of_every_range_once(design, folder):
    """n points of a Latin hypercube, and of a scrambled Sobol net, lie in n different n-ths of each axis."""
    n = 16
    head = f'design = "{design}"\nn = {n}\n'
    ranges = (
        'parameters = { growth = { low = 0.1, high = 0.3 }, kill = { low = 0.01, high = 1, scale = "log" } }'
    )
    points = study(folder, head + ranges).points
    growth, kill = numbers(points, "growth"), numbers(points, "kill")
    assert sorted(((growth - 0.1) / 0.2 * n).astype(int)) == list(range(n))
    assert sorted((np.log(kill / 0.01) / math.log(100) * n).astype(int)) == list(range(n))
    assert points == study(folder, head + ranges).points
    assert points != study(folder, head + "seed = 2\n" + ranges).points


def test_a_table_is_read_row_by_row(folder):
    (folder / "points.csv").write_text("growth,kill\n0.1,0.5\n0.2/d,0.6\n\n")
    assert study(folder, 'table = "points.csv"').points == [
        (("growth", "0.1"), ("kill", "0.5")),
        (("growth", "0.2/d"), ("kill", "0.6")),
    ]


@pytest.mark.parametrize(
    ("sweep", "reason"),
    [
        (
            "parameters = { grwth = [1] }",
            r"sweep\]\] 1, arm .*unknown parameter or key 'grwth'; did you mean 'growth'",
        ),
        ("parameters = { growth = [] }", "list of one or more values"),
        ("parameters = { growth = [0.1, 0.10] }", "a value is listed twice"),
        ("parameters = { growth = [true] }", "must be a number or text"),
        ('parameters = { growth = ["fast"] }', "is not a number with an optional unit"),
        ("parameters = { growth = [1, 2], kill = [1] }", "need one length, got growth 2, kill 1"),
        ("parameters = { growth = { low = 1, high = 2 } }", "needs 'n', the number of values"),
        ('design = "gird"\nparameters = { growth = [1] }', "unknown design 'gird'; did you mean 'grid'"),
        ('design = "grid"\nn = 3\nparameters = { growth = [1] }', "'n' does not go with design 'grid'"),
        ('design = "sobol"\nn = 6\nparameters = { growth = { low = 0, high = 1 } }', "take n = 8, not 6"),
        ('design = "sobol"\nparameters = { growth = { low = 0, high = 1 } }', "'n' is missing"),
        (
            'design = "sobol"\nn = 2\nparameters = { growth = { low = 1, high = 1 } }',
            "'high' must exceed 'low'",
        ),
        (
            'design = "sobol"\nn = 2\nparameters = { growth = { low = 0, high = 1, scale = "log" } }',
            "'low' above 0, got 0",
        ),
        ('table = "none.csv"', "none.csv: cannot be read"),
        ('table = "twice.csv"', "holds a row twice"),
        ('table = "gap.csv"', "row 3 must hold a value for each of growth, kill"),
        ("parameters = { arm = ['x'] }", "'arm' is a column of outcomes.csv"),
    ],
)
def test_a_bad_sweep_is_refused(sweep, reason, folder):
    (folder / "twice.csv").write_text("growth\n1\n1\n")
    (folder / "gap.csv").write_text("growth,kill\n1,2\n1,\n")
    with pytest.raises(InputError, match=reason):
        study(folder, sweep)


def test_a_parameter_is_varied_in_one_place(folder):
    one = "parameters = { growth = [0.1] }"
    with pytest.raises(InputError, match=r"sweep\]\] 2: 'growth' is swept twice"):
        study(folder, one, one)
    with pytest.raises(InputError, match="--set growth: the study sweeps it"):
        jobs_of(study(folder, one), ("growth=0.3/d",))


def test_arms_and_points_share_patients_and_seeds(folder):
    jobs = jobs_of(study(folder, "parameters = { growth = [0.1, 0.2] }"), (), 3)
    assert len(set(jobs)) == len(jobs) == 2 * 2 * 3
    by_point = {}
    for job in jobs:
        by_point.setdefault((job.scenario, job.sweep), []).append((job.patient, job.seed))
    assert set(map(tuple, by_point.values())) == {((1, 3), (1, 4), (1, 5))}


def test_the_path_of_a_job_is_that_of_its_run(folder):
    """Copies of one loaded scenario have the keys of scenarios that are read anew."""
    swept = study(folder, "parameters = { growth = [0.1, 0.2], rows = [32, 48] }")
    settings = ("duration_days=3",)
    scenarios = {arm: load_scenario(arm, (*swept.settings, *settings)) for arm in swept.arms}
    jobs = jobs_of(swept, settings, 2)
    paths = paths_of(jobs, scenarios, folder)
    assert len(set(paths.values())) == len(jobs) == 8
    for job in jobs:
        scenario = load_scenario(job.scenario, job.settings)
        assert paths[job] == run_path(folder, scenario.name, key_of(scenario, job.seed))


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(("n", "of"), [(10, 3), (2, 5), (12, 12)])
def test_shares_hold_every_job_once(n, of, first):
    shares = [share_of(range(n), index, of) for index in range(first, first + of)]
    assert sorted(job for share in shares for job in share) == list(range(n))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_share_that_is_none_is_refused():
    with pytest.raises(InputError, match="--index must be 0 to 3"):
        share_of(range(9), 4, 3)
