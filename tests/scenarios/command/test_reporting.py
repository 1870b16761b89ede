"""Reports of a folder of runs, with patients without a lattice beside them."""

import csv
import io
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.analysis.report.write import write_report
from oncolattice.analysis.series import run_name
from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.ode_only import simulate
from oncolattice.scenarios.command import reporting
from oncolattice.scenarios.command.reporting import (
    calibration_of,
    in_section,
    ode_only_arms,
    ode_only_tri,
    report_folder,
)
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.patients.sample import load_population, sample
from oncolattice.scenarios.simulate.run import run
from oncolattice.scenarios.store import find_runs, open_run
from oncolattice.scenarios.store.outcomes import outcome_row, table_bytes
from oncolattice.tests.helpers import synthetic

SMALL = ("rows=48", "columns=48", "margin_um=0", "duration_days=2", "snapshot_days=0")
ARMS = ("mcrc_placebo", "mcrc_tas102")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for name in ARMS:
        run(name, 1, SMALL, out=folder)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return report_folder(folder, folder / "report", ode_only=2)


def test_the_page_needs_nothing_from_outside(page):
    assert page.name == "report.html"
    html = page.read_text(encoding="utf-8")
    loads = re.findall(r"""(?:src|srcset|data|poster)\s*=\s*["']([^"']*)""", html)
    loads += re.findall(r"""<link[^>]*href\s*=\s*["']([^"']*)""", html)
    loads += re.findall(r"""url\(\s*["']?([^"')]*)""", html)
    assert len(loads) >= 5
    assert all(load.startswith(("data:", "#")) for load in loads)
    assert not re.search(r"@import|<script[^>]+src|<iframe|fetch\(", html)


def test_every_figure_is_a_picture_and_a_table_and_on_the_page(page):
    figures = page.parent / "figures"
    pictures, tables = ({path.stem for path in figures.glob(f"*.{kind}")} for kind in ("png", "csv"))
    assert pictures == tables
    assert {"spider", "counts", "tissue", "population", "pk"} <= pictures
    assert all(path.read_bytes().startswith(b"\x89PNG\r\n") for path in figures.glob("*.png"))
    for path in figures.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        assert rows
        assert all(len(row) == len(header) for row in rows)
    html = page.read_text(encoding="utf-8")
    assert html.count("data:image/png;base64,") == len(pictures)


def test_outcomes_begin_with_what_identifies_a_run(page, folder):
    with (page.parent / "outcomes.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header[:5] == ["run", "scenario", "arm", "patient", "seed"]
    assert sorted(row[1] for row in rows) == sorted(ARMS)
    assert {row[3] for row in rows} == {"qcic_treated-1"}


def test_a_second_report_takes_no_notice_of_the_first(page, folder, unpainted):
    """Nor does it matter if the report lies among the runs."""
    before = len(find_runs(folder))
    assert report_folder(folder, folder).parent == folder
    assert len(find_runs(folder)) == before


def test_a_copy_of_a_run_is_counted_once_and_open_books_are_told(folder, tmp_path, monkeypatch):
    (tmp_path / "copies").mkdir()
    for path in find_runs(folder):
        shutil.copy(path, tmp_path / path.name)
        shutil.copy(path, tmp_path / "copies" / path.name)
    told, written = [], []
    monkeypatch.setattr(
        "oncolattice.analysis.report.write.write_report", lambda *_, rows, **__: written.append(rows)
    )
    report_folder(tmp_path, tmp_path / "report", say=told.append)
    assert sorted(row["scenario"] for row in written[0]) == sorted(ARMS)
    assert told == [f"{len(ARMS)} of {2 * len(ARMS)} runs lie there more than once and are counted once"]
    told.clear()
    bad = synthetic.run(days=3.0, sites=8)
    bad = replace(bad, ledger={"CTL": 1e-9 + bad.time_days})
    monkeypatch.setattr(reporting, "read_records", lambda paths: [bad])
    reporting.report_folder(tmp_path, tmp_path / "report", say=told.append)
    assert len(told) == 1
    assert told[0].startswith("The books of 1 of 1 runs do not close")
    assert run_name(bad) in told[0]
    monkeypatch.setattr(reporting, "read_records", lambda paths: [reporting.thinned(bad, bad)])
    reporting.report_folder(tmp_path, tmp_path / "report", say=told.append)
    assert told[1] == told[0], "a thinned run remembers its residuals"


def test_the_rows_of_a_report_are_those_of_the_batch(page, folder):
    """What both tables state of a run is the same text."""
    with (page.parent / "outcomes.csv").open(newline="", encoding="utf-8") as file:
        mine = {row["run"]: row for row in csv.DictReader(file)}
    records = [open_run(path) for path in find_runs(folder)]
    for record, path in zip(records, find_runs(folder), strict=True):
        key, found = record.attributes["run_key"], record.attributes["outcome"]
        theirs = outcome_row(record.scenario, record.arm, record.seed, key, found, record.patient)
        (line,) = csv.DictReader(io.StringIO(table_bytes(list(theirs), [theirs]).decode()))
        row = mine.pop(path.stem)
        same = {name: name for name in ("run", "scenario", "arm", "patient", "seed", "days", "tri_week8")}
        same |= {"best_tri": "tri_best"} | {n: f"own_{n}" for n in line if n not in (*same, "best_tri")}
        assert {n: line[n] for n in same if n in line} == {n: row[same[n]] for n in same if n in line}
    assert not mine


def test_a_folder_without_runs_writes_nothing(tmp_path):
    with pytest.raises(InputError, match="no finished run"):
        report_folder(tmp_path, tmp_path / "report")
    assert list(tmp_path.iterdir()) == []


def direct(doses, patients, **changed):
    population = sample(load_population("qcic_treated"), patients, 2025)
    runs = [
        simulate(patient | changed, doses, 56.0, 56.0, "conservative", 14.0, 1e-6) for patient in population
    ]
    return np.array([found["tumour_volume_cm3"][-1] / found["tumour_volume_cm3"][0] - 1 for found in runs])


TAS102 = [
    Dose(float(28 * cycle + day), "TAS102", 95.0, 0.1)
    for cycle in range(2)
    for day in (1, 2, 3, 4, 5, 8, 9, 10, 11, 12)
]


def test_patients_without_a_lattice_are_those_of_the_equations():
    for name, doses in zip(ARMS, ([], TAS102), strict=True):
        found = ode_only_tri(load_scenario(name, ("duration_days=182",)).tables, 3)
        assert found == pytest.approx(direct(doses, 3), rel=1e-9)


def test_arms_of_another_schedule_differ():
    placebo, treated = (ode_only_tri(load_scenario(name).tables, 3) for name in ARMS)
    assert (treated < placebo).all()


def test_a_short_run_has_patients_treated_to_week_8(folder):
    """The runs end on day 2; the comparison is read on day 56 and needs the doses up to it."""
    records = [open_run(path) for path in find_runs(folder)]
    found = ode_only_arms(records, 2)
    assert set(found) == {"placebo", "TAS-102"}
    assert found["TAS-102"]["tri_week8"] == pytest.approx(direct(TAS102, 2), rel=1e-9)
    assert "qcic_treated" in found["placebo"]["label"]


def test_what_the_user_set_holds_without_a_lattice_too(tmp_path):
    record = open_run(run("mcrc_placebo", 1, (*SMALL, "duration_days=0.25", "beta_X2=0.02/d"), out=tmp_path))
    found = ode_only_arms([record], 2)["placebo"]["tri_week8"]
    assert found == pytest.approx(direct([], 2, beta_X2=0.02), rel=1e-9)
    assert (np.abs(found - direct([], 2)) > 0.01).all()


def test_the_comparison_beside_a_sweep_says_for_which_point_it_holds(tmp_path):
    """Two runs of one arm at two values: the patients without a lattice have the first."""
    records = [
        open_run(
            run("mcrc_placebo", 1, (*SMALL, "duration_days=0.25", f"beta_X2={beta}/d"), out=tmp_path / beta)
        )
        for beta in ("0.02", "0.03")
    ]
    found = ode_only_arms(records, 2)["placebo"]
    assert found["label"].endswith(", at beta_X2 = 0.02 alone of what the sweep set")
    assert found["tri_week8"] == pytest.approx(direct([], 2, beta_X2=0.02), rel=1e-9)
    assert "sweep" not in ode_only_arms(records[:1], 2)["placebo"]["label"]


def test_a_block_is_shown_by_its_middle_plane(tmp_path):
    """A run in three dimensions has a report, whose tissue is the middle plane of the snapshot."""
    settings = ("rows=20", "columns=24", "planes=18", "duration_days=1")
    path = run("spqsp_nsclc", 1, settings, out=tmp_path)
    assert report_folder(tmp_path, tmp_path / "report").is_file()
    block = open_run(path).snapshots[-1]
    plane = in_section(open_run(path)).snapshots[-1]
    for name, layer in block.layers.items():
        assert layer.shape == (18, 20, 24)
        assert np.array_equal(plane.layers[name], layer[9])


def test_what_the_population_was_fitted_to_is_said(folder):
    (sentence,) = calibration_of([open_run(path) for path in find_runs(folder)])
    fitted = [law.name for law in load_population("qcic_treated").laws if law.factor_source == "fitted"]
    assert fitted
    assert all(name in sentence for name in ("qcic_treated", *fitted))


def test_of_very_many_runs_the_table_of_the_batch_is_believed(folder, tmp_path, monkeypatch, unpainted):
    """With a limit of one opened run: two rows, one of them read in full for each arm."""
    for path in find_runs(folder):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    names = [path.stem for path in find_runs(tmp_path)]
    head = "run,scenario,arm,patient,seed,days,ttp_days,ttp_event\n"
    more = "".join(f"x-{k},x,placebo,p{k},{k},100,{10 + k},1\n" for k in range(5))
    lines = "".join(
        f"{n},{n.rpartition('-')[0]},{'placebo' if 'placebo' in n else 'TAS-102'},p,1,2,,0\n" for n in names
    )
    (tmp_path / "outcomes.csv").write_text(head + lines + more, encoding="utf-8")
    (tmp_path / "failures.csv").write_text("run,arm,reason\nx-9,placebo,killed\n", encoding="utf-8")
    monkeypatch.setattr(reporting, "MOST_OPENED", 1)
    told = []
    page = report_folder(tmp_path, tmp_path / "report", say=told.append)
    text = page.read_text(encoding="utf-8")
    assert [line for line in told if "outcomes.csv" in line] == [
        "2 run files: 2 were opened, the rest are rows of outcomes.csv, which know no deaths"
    ]
    assert "Deaths were not drawn." in text
    assert "The study has 7 runs; 2 of them were read in full" in text
    assert "Failed runs: 1" in text
    with (page.parent / "figures" / "flow.csv").open(encoding="utf-8") as file:
        flow = {(row["arm"], row["stage"]): int(row["runs"]) for row in csv.DictReader(file)}
    assert (flow["placebo", "planned"], flow["placebo", "progressed"], flow["TAS-102", "completed"]) == (
        7,
        5,
        1,
    )


def test_the_twin_of_a_study_is_shown_beside_it(tmp_path, unpainted):
    """Differences at week 8 are those of the numbers in the two tables, arm by arm."""
    records = synthetic.trial(patients=3)
    volumes = [r.tumour_volume_cm3 for r in records]
    mine = [
        float(np.interp(56.0, r.time_days, v)) / v[0] - 1.0 for r, v in zip(records, volumes, strict=True)
    ]
    lines = ["arm,patient,tri_week8"]
    lines += [f"{r.arm},{r.patient},{float(value) - 0.1!r}" for r, value in zip(records, mine, strict=True)]
    (tmp_path / "well_mixed.csv").write_text("\n".join(lines))
    (table,) = reporting._beside_ode(tmp_path, records)
    assert [row["arm"] for row in table.rows] == list(dict.fromkeys(r.arm for r in records))
    for row in table.rows:
        own = [value for r, value in zip(records, mine, strict=True) if r.arm == row["arm"]]
        assert row["patients"] == len(own) == 3
        assert row["lattice, mean change"] == pytest.approx(np.mean(own), rel=1e-12)
        assert row["difference"] == pytest.approx(0.1, rel=1e-9)
        assert row["standard deviation"] == pytest.approx(0.0, abs=1e-9)
        assert row["lattice, PD %"] == pytest.approx(100 * np.mean(np.array(own) >= 0.2))
    assert reporting._beside_ode(tmp_path / "elsewhere", records) == []
    page = write_report(records, tmp_path / "report", ode_only=None, title="three", tables=[table])
    assert "Beside the equations" in page.read_text(encoding="utf-8")
    with open(page.parent / "beside_equations.csv", newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(table.rows)


def test_predictions_need_two_arms_of_enough_patients():
    assert reporting._beside_trials(synthetic.trial(patients=3)) == []


def test_predictions_are_of_all_runs_though_most_are_thinned():
    records = synthetic.trial(patients=20)
    thin = [r if int(r.patient[1:]) <= 12 else reporting.thinned(r, r) for r in records]
    (whole,), (found,) = reporting._beside_trials(records), reporting._beside_trials(thin)
    expected = [row["predicted"] for row in whole.rows]
    # volumes are daily in thinned runs
    assert [row["predicted"] for row in found.rows] == pytest.approx(expected, rel=1e-3, nan_ok=True)
    few = reporting._beside_trials([r for r in records if int(r.patient[1:]) <= 12])[0].rows
    assert [row["predicted"] for row in few] != [row["predicted"] for row in found.rows]


def test_the_response_is_shown_by_what_a_sweep_set():
    def with_section(value):
        given = {"user_parameters": {"section": [value, None]}}
        return [replace(r, attributes=r.attributes | given) for r in synthetic.trial(patients=3)]

    (table,) = reporting._by_point([*with_section(5.0), *with_section(75.0)])
    assert [(row["arm"], row["section"], row["runs"]) for row in table.rows[:2]] == [
        ("placebo", 5.0, 3),
        ("TAS-102", 5.0, 3),
    ]
    assert len(table.rows) == 6
    own = [r for r in synthetic.trial(patients=3) if r.arm == "placebo"]
    expected = [
        float(np.interp(56.0, r.time_days, r.tumour_volume_cm3)) / r.tumour_volume_cm3[0] - 1.0 for r in own
    ]
    assert table.rows[0]["mean change"] == pytest.approx(np.mean(expected), rel=1e-9)
    assert reporting._by_point(synthetic.trial(patients=3)) == []
