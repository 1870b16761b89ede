"""The report: complete, self-contained, honest about small numbers and short runs."""

import base64
import csv
import math
import re
import time
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.analysis.outcomes.assessment import Clinic
from oncolattice.analysis.outcomes.table import outcome_rows
from oncolattice.analysis.report.write import write_report
from oncolattice.analysis.series import run_name
from oncolattice.tests.helpers.synthetic import SLOPES, run, trial

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Tags must nest; texts of table rows and everything that points outside are kept."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows, self.links, self.images = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        values = dict(attrs)
        self.links += [values[k] for k in ("href", "src") if k in values]
        if tag == "img":
            self.images.append((values["alt"], values["src"]))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    ode_only = {a: {"tri_week8": np.array([-0.9, -0.5, 0.0, 0.1, 0.5]), "label": "5 of test"} for a in SLOPES}
    steps = []
    path = write_report(
        trial(3, days=112.0, sites=144),
        folder,
        ode_only=ode_only,
        title="A <small> trial & more",
        progress=lambda *step: steps.append(step),
    )
    return path, Page(path.read_text(encoding="utf-8")), steps


def test_one_file_that_needs_nothing_outside_itself(written):
    path, page, _ = written
    assert path.name == "report.html"
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in page.links)
    text = re.sub(r"data:image/png;base64,[^\"]*", "", path.read_text(encoding="utf-8"))
    assert not re.search(r"https?://|@import|url\(|<script|<link", text)
    assert "A &lt;small&gt; trial &amp; more" in text


def test_every_picture_is_a_file_with_its_table(written):
    path, page, _ = written
    folder = path.parent / "figures"
    names = [name for name, _ in page.images]
    assert (
        sorted(names)
        == sorted(p.stem for p in folder.glob("*.png"))
        == sorted(p.stem for p in folder.glob("*.csv"))
    )
    assert {"spider", "waterfall", "tissue", "detail", "pk", "survival", "population"} < set(names)
    for name, source in page.images:
        assert base64.b64decode(source.split(",")[1]) == (folder / f"{name}.png").read_bytes()


def test_week_8_table_has_counts_and_says_which_is_which(written):
    _, page, _ = written
    start = next(k for k, row in enumerate(page.rows) if row[:2] == ["arm", "what"])
    rows = page.rows[start + 1 : start + 13]
    kinds = ["spatial (n=3)", "ODE only, this population (n=5)", "QCIC as published (n=100)"]
    assert [row[1] for row in rows[:3]] == kinds
    # slopes .009, .010, .011: all PD; ODE only -.9 CR, -.5 PR, 0 and .1 SD, .5 PD
    assert rows[0] == ["placebo", kinds[0], "0 of 3", "0 of 3", "0 of 3", "3 of 3", "0 of 3", "0"]
    assert rows[1][2:] == ["1 of 5", "1 of 5", "2 of 5", "1 of 5", "4 of 5", "0"]
    assert rows[2][4:7] == ["15 %", "85 %", "15 %"]
    assert rows[3][1:] == ["pooled trials (n=573)", "0.2 %", "0 %", "15.3 %", "84.5 %", "15.5 %", "–"]


def test_outcomes_csv(written):
    path, _, _ = written
    with (path.parent / "outcomes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:5] == ["run", "scenario", "arm", "patient", "seed"]
    assert Counter(row["arm"] for row in rows) == dict.fromkeys(SLOPES, 3)
    for row in rows:
        slope = SLOPES[row["arm"]] + 0.001 * int(row["patient"][-1])
        assert float(row["tri_week8"]) == pytest.approx(math.expm1(56 * slope), rel=1e-8)
        assert (row["pfs_days"] == "") == (row["pfs_event"] == "0")


def test_sections_and_provenance(written):
    path, page, steps = written
    text = path.read_text(encoding="utf-8")
    for words in (
        "What was run", "Week 8", "Survival", "Where the tissue came from", "Parameters", "Wall times",
        "One death function serves all arms", "not re-fitted here", "A death function of its own", "RECOURSE",
        "5 parameters, of which 1 are assumed", "rule",
    ):  # fmt: skip
        assert words in text
    assert ["tissue", "site", "15", "um"] in page.rows
    assert ["body", "K1", "5e+09 to 5e+09", "cells/L", "virtual patient"] in page.rows
    assert ["placed · DSTC", "1036"] in page.rows  # a quarter of a fifth of 144 x 144 sites, rounded down
    assert steps[0][1] == 0
    assert steps[-1] == ("report.html", steps[-1][2], steps[-1][2])


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([run("placebo", days=10.0)], id="one short untreated run"),
        pytest.param([replace(run("TAS-102", days=10.0), snapshots=())], id="no snapshots"),
        pytest.param([run("placebo", days=0.0)], id="one record"),
        pytest.param(
            [replace(run("new drug", slope=0.0, days=8.0), doses=[], body={}, ledger={}, attributes={})],
            id="bare",
        ),
    ],
)  # fmt: skip
def test_runs_shorter_than_8_weeks(records, tmp_path):
    path = write_report(records, tmp_path / "new" / "folder", ode_only=None, title="short")
    page = Page(path.read_text(encoding="utf-8"))
    (row,) = (row for row in page.rows if len(row) > 1 and row[1].startswith("spatial"))
    assert row[2:] == ["not reached"] * 5 + ["1"]
    assert "1 of 1 runs end before week 8: not reached." in path.read_text(encoding="utf-8")
    assert not (path.parent / "figures" / "waterfall.png").exists()


def odd(**changed):
    return replace(run(days=60.0, step=1.0, sites=16), **changed)


TIME = np.arange(61.0)


@pytest.mark.parametrize(
    ("record", "week8", "deaths"),
    [
        pytest.param(odd(tumour_volume_cm3=0.0 * TIME), "NE", None, id="no tumour"),
        pytest.param(odd(tumour_volume_cm3=math.nan * TIME), "NE", None, id="no volume"),
        pytest.param(odd(tumour_volume_cm3=np.where(TIME > 20, math.nan, 2.0)), "NE", 0, id="volume lost"),
        pytest.param(odd(tumour_volume_cm3=np.where(TIME > 0, 1e9, 2.0)), "NE", 1, id="dead at once"),
        pytest.param(odd(types=(), count=np.zeros((61, 0), dtype=int), snapshots=()), "PD", 0, id="no types"),
        pytest.param(
            odd(body={"T8_A": math.nan * TIME}, ledger={"x": math.nan * TIME}), "PD", 0, id="body lost"
        ),
    ],
)
def test_odd_runs_make_a_page(record, week8, deaths, tmp_path):
    write_report([record], tmp_path, ode_only=None, title="odd")
    with (tmp_path / "outcomes.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["class_week8"], row["os_event"]) == (week8, "" if deaths is None else str(deaths))
    if deaths:
        assert float(row["os_days"]) < 1.0
        assert (row["last_visit_days"], row["best_response"]) == ("0", "NE")


@pytest.mark.parametrize(("value", "words"), [(math.inf, "inf cm3 on day 21"), (-1.0, "-1 cm3 on day 21")])
def test_a_volume_that_no_tumour_has_is_refused(value, words, tmp_path):
    with pytest.raises(InputError, match=words):
        write_report(
            [odd(tumour_volume_cm3=np.where(TIME > 20, value, 2.0))], tmp_path, ode_only=None, title="x"
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("residual", [2e-10, math.nan])
def test_books_that_do_not_close_are_told_at_the_top_with_the_run(residual, tmp_path, unpainted):
    good, bad = (run(days=3.0, step=1.0, sites=8, patient=f"p00{k}", seed=k) for k in (1, 2))
    bad = replace(bad, ledger=bad.ledger | {"CTL": np.array([0.0, residual, 0.0, 0.0])})
    text = write_report([good, bad], tmp_path, ode_only=None, title="x").read_text(encoding="utf-8")
    note = re.search(r'<p class="note">The books of 1 of 2 runs do not close.*?</p>', text)[0]
    assert f"{run_name(bad)} (CTL: {residual:.1e})" in note
    assert run_name(good) not in note
    assert text.index(note) < text.index("<nav>")
    closed = write_report([good], tmp_path, ode_only=None, title="x").read_text(encoding="utf-8")
    assert "do not close" not in closed


def test_runs_of_different_models_and_versions(tmp_path, unpainted):
    first, second = run("placebo", days=60.0), run("TAS-102", "p002", days=20.0)
    types = first.types[:7]  # no Treg
    first = replace(
        first, types=types, count=first.count[:, :7],
        attributes={**first.attributes, "versions": {"numpy": "1.9"}},
        snapshots=tuple(replace(s, types=types) for s in first.snapshots),
    )  # fmt: skip
    path = write_report([first, second], tmp_path, ode_only=None, title="mixed")
    text = path.read_text(encoding="utf-8")
    assert "These runs mix versions of numpy." in text
    assert "Treg_density was skipped in 1 of 2 runs, whose models lack Treg." in text
    assert "1 of 2 runs end before week 8" in text


def test_many_runs_are_summarised(tmp_path, unpainted):
    runs = [run("placebo", f"p{k:03d}", k, days=3.0, sites=16, snapshot_days=()) for k in range(1, 45)]
    page = Page(write_report(runs, tmp_path, ode_only=None, title="many").read_text(encoding="utf-8"))
    assert ["placebo", "44", "0.5", "12", "0.2", "12.7", "0.25"] in page.rows


def test_no_runs_are_refused(tmp_path):
    with pytest.raises(InputError, match="no runs to report"):
        write_report([], tmp_path, ode_only=None, title="none")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, unpainted):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written \(Not a directory\).*another --out folder"):
        write_report([run(days=3.0)], tmp_path / "file", ode_only=None, title="x")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("criterion", ["recist11", "irecist"])
def test_a_criterion_is_named_and_not_mixed(criterion, tmp_path, unpainted):
    clinic = Clinic(
        criterion, error_cv=0.07, lesions=3, new_lesions_per_day=0.002, new_lesions_source="assumed"
    )
    path = write_report(trial(2, days=120.0, sites=16), tmp_path, ode_only=None, title="x", clinic=clinic)
    text = path.read_text(encoding="utf-8")
    assert f"Criterion {criterion}" in text
    assert "0.002 a day" in text
    assert (tmp_path / "figures" / "best-change.png").exists()
    with (tmp_path / "outcomes.csv").open() as file:
        assert {row["criterion"] for row in csv.DictReader(file)} == {criterion}


def test_no_new_lesions_are_said_to_make_progression_late(tmp_path, unpainted):
    path = write_report(
        [run(days=60.0, sites=16)], tmp_path, ode_only=None, title="x", clinic=Clinic("recist11")
    )
    assert "No new lesion ever comes" in path.read_text(encoding="utf-8")


def test_a_tissue_alone_has_no_survival_and_says_so(tmp_path, unpainted):
    runs = [replace(r, body={}, weights={}, ledger={}, doses=[]) for r in trial(2, days=60.0, sites=16)]
    path = write_report(runs, tmp_path, ode_only=None, title="alone")
    text = path.read_text(encoding="utf-8")
    for words in (
        "These runs have no body, so no law of death applies", "The tissue stands alone", "These runs hold no ledger",
        "sphere equivalent", "No controller treated", "No dose was given",
    ):  # fmt: skip
        assert words in text
    assert not list((tmp_path / "figures").glob("*surviv*"))
    with (tmp_path / "outcomes.csv").open() as file:
        assert {row["os_event"] for row in csv.DictReader(file)} == {""}


def test_a_law_of_each_arm_is_labelled_a_fit(tmp_path, unpainted):
    runs = [fitted(arm) for arm in ("placebo", "TAS-102")]
    path = write_report(runs, tmp_path, ode_only=None, title="fit", law="fit")
    text = path.read_text(encoding="utf-8")
    assert "This is a FIT" in text
    assert "no hazard ratio between arms may be claimed" in text
    assert "One death function serves all arms" not in text


def fitted(arm):
    record = run(arm, days=60.0, sites=16)
    cells = [{"type": f"D{k}TC", "tissue": f"X{n}_C"} for n, k in enumerate("SRP", start=1)]
    own = [
        {"name": n, "value": v, "unit": "1", "source": "virtual patient", "owner": "body"}
        for n, v in (("K1", 3e9), ("K2", 2e9), ("K3", 1.5e9), ("V_C", 0.8))
    ]
    text = {"coupling": record.attributes["scenario_text"]["coupling"] | {"cells": cells}}
    weights = dict.fromkeys(("DSTC", "DRTC", "DPTC"), 1e6)
    return replace(
        record, attributes=record.attributes | {"scenario_text": text}, parameters=own, weights=weights
    )


def test_failures_and_sensitivities_are_shown(tmp_path, unpainted):
    failures = [
        {"run": "x-1", "arm": "placebo", "reason": "killed <9>", "command": "oncolattice run x --seed 1"}
    ]
    table = [{"parameter": "beta", "value": 0.8, "method": "PRCC", "outcome": "TRI"}]
    path = write_report([run(days=10.0, sites=16)], tmp_path, ode_only=None, title="x", failures=failures,
                        sensitivity=table)  # fmt: skip
    page = Page(path.read_text(encoding="utf-8"))
    assert ["x-1", "placebo", "killed <9>", "oncolattice run x --seed 1"] in page.rows
    assert "tornado" in [name for name, _ in page.images]
    assert "1 run failed and is left out" in path.read_text(encoding="utf-8")


def test_rows_alone_make_a_report(tmp_path, unpainted):
    rows = outcome_rows(trial(4, days=120.0, step=1.0, sites=16))
    path = write_report([], tmp_path, ode_only=None, title="rows", rows=rows)
    page = Page(path.read_text(encoding="utf-8"))
    names = {name for name, _ in page.images}
    assert {"flow", "waterfall", "swimmer", "km-time-to-progression", "forest"} <= names
    assert "The study has 12 runs; 0 of them were read in full" in path.read_text(encoding="utf-8")
    assert (tmp_path / "outcomes.csv").read_text(encoding="utf-8").count("\n") == 13


@pytest.mark.slow
def test_ten_thousand_rows_within_a_minute(tmp_path):
    base = outcome_rows(trial(1, days=120.0, step=1.0, sites=16))
    rng, rows = np.random.default_rng(2), []
    for k in range(10_000):
        row = base[k % 3] | {"run": f"r{k}", "patient": f"p{k // 3}", "seed": k // 3}
        rows.append(row | {"tri_week8": rng.normal(0.1, 0.3), "CTL_density_day0": rng.lognormal(3, 1)})
    began = time.process_time()
    write_report([], tmp_path, ode_only=None, title="many", rows=rows)
    assert time.process_time() - began < 60.0
