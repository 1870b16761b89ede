"""Figures: what is drawn is what the runs hold, and both files are written."""

import csv
import io
import math
import os
import resource
import subprocess
import sys
from dataclasses import replace

import matplotlib
import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.analysis import figures
from oncolattice.analysis.figures.pk import doses_of
from oncolattice.tests.helpers.synthetic import SLOPES, START_CM3, run, trial

# what is drawn of records; figures of rows and of optional series are in test_study_figures
DRAW = {
    f"draw_{name}": getattr(figures, f"draw_{name}")
    for name in (
        "biomarkers", "counts", "detail", "fields", "immune", "ledger", "pk", "population", "progression", "spider",
        "survival", "tissue", "waterfall",
    )
}  # fmt: skip
ODE_ONLY = {arm: {"tri_week8": np.linspace(-0.4, 0.9, 21), "label": "test"} for arm in SLOPES}


@pytest.fixture(scope="module")
def records():
    return trial(2, days=112.0, sites=144, snapshot_days=(0, 9.25, 56))


def draw(name, records):
    drawn = DRAW[name](records, ODE_ONLY) if name == "draw_population" else DRAW[name](records)
    return drawn if isinstance(drawn, list) else [drawn]


@pytest.mark.parametrize("name", DRAW)
def test_every_figure_writes_png_and_csv_of_one_name(name, records, tmp_path):
    before = dict(matplotlib.rcParams)
    drawn = draw(name, records)
    assert drawn
    for drawing in drawn:
        assert drawing.caption.endswith(".")
        image, table = figures.save(drawing, tmp_path)
        assert image.stem == table.stem == drawing.name
        assert image.read_bytes().startswith(b"\x89PNG")
        with table.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(drawing.table) > 0
        for axes in drawing.figure.axes:
            if axes.axison and axes.has_data() and axes.get_xticks().size and axes.get_xlabel():
                assert axes.get_window_extent().width > 40, "squeezed panel"
    assert dict(matplotlib.rcParams) == before


def test_no_global_plotting_state():
    code = (
        "import sys; from oncolattice.tests.helpers.synthetic import run;"
        "from oncolattice.analysis import figures;"
        "figures.draw_spider([run(days=3.0)]); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("backend", "shown"), [("nonsense", "agg"), ("svg", "svg"), ("", "agg")])
def test_the_backend_of_a_kernel_does_not_matter_and_stays_its_own(backend, shown):
    code = (
        "import os; from oncolattice.tests.helpers.synthetic import run;"
        "from oncolattice.analysis import figures;"
        "image = figures.png_bytes(figures.draw_spider([run(days=3.0)]).figure);"
        "assert image.startswith(b'\\x89PNG');"
        f"assert os.environ['MPLBACKEND'] == {backend!r};"
        "import matplotlib.pyplot as plt;"
        f"assert plt.get_backend() == {shown!r}, plt.get_backend()"
    )
    environment = {k: v for k, v in os.environ.items() if k != "DISPLAY"} | {"MPLBACKEND": backend}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_heavy_packages_come_only_with_the_figures():
    code = (
        "import sys, oncolattice.analysis.report.write, oncolattice.analysis.biomarkers;"
        "assert not {'matplotlib', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_spider_table_is_the_closed_form(records):
    table = draw("draw_spider", records)[0].table
    assert len(table) == len(records) * 113
    for row in table:
        slope = SLOPES[row["arm"]] + 0.001 * int(row["patient"][-1])
        assert row["tumour_volume_cm3"] == pytest.approx(START_CM3 * math.exp(slope * row["day"]), rel=1e-12)
        assert row["TRI"] == pytest.approx(math.expm1(slope * row["day"]), abs=1e-12)


def test_spider_survives_a_tumour_that_vanishes(tmp_path):
    gone = run(days=60.0)
    gone = replace(gone, tumour_volume_cm3=np.where(gone.time_days < 30, 2.0, 0.0))
    figures.save(figures.draw_spider([gone]), tmp_path)
    assert figures.draw_waterfall([gone]).table[0]["class"] == "CR"


def test_waterfall_is_ordered_within_arms(records):
    table = draw("draw_waterfall", records)[0].table
    for arm in SLOPES:
        bars = [row for row in table if row["arm"] == arm]
        assert [b["order"] for b in bars] == [1, 2]
        expected = [math.expm1(56 * (SLOPES[arm] + 0.001 * k)) for k in (2, 1)]
        assert [b["TRI"] for b in bars] == pytest.approx(expected, abs=1e-12)


def test_tissue_table_counts_the_sites_of_the_picture(records):
    table = draw("draw_tissue", records)[0].table
    shown = next(r for r in records if r.arm == "placebo" and r.patient == table[0]["patient"])
    assert shown.snapshots
    assert shown.types
    for snapshot in shown.snapshots:
        for info in shown.types:
            cells = int((snapshot.layers[info.layer] == info.id).sum())
            (row,) = (
                r
                for r in table
                if (r["arm"], r["day"], r["type"]) == ("placebo", snapshot.time_days, info.name)
            )
            assert row["cells"] == cells
            assert row["per_mm2"] == pytest.approx(cells / (144 * 0.015) ** 2)


def test_tissue_says_when_treatment_is(records):
    titles = [axes.get_title(loc="left") for axes in draw("draw_tissue", records)[0].figure.axes]
    assert titles[4:8] == [
        "day 0, before treatment",
        "day 9.25, on treatment",
        "day 56, on treatment",
        "day 112, on treatment",
    ]
    assert titles[0] == "day 0"  # placebo


def test_detail_counts_the_middle_window_alone(records):
    drawing = draw("draw_detail", records)[0]
    shown = next(r for r in records if r.arm == "placebo" and r.patient == drawing.table[0]["patient"])
    middle = shown.snapshots[0].layers["tissue"][37:107, 37:107]  # 1050 um of 144 sites of 15 um
    (row,) = (r for r in drawing.table if (r["arm"], r["day"], r["type"]) == ("placebo", 0.0, "DRTC"))
    assert row["cells"] == int((middle == 2).sum()) > 0


def test_field_table_holds_means_and_an_absent_drug_is_not_drawn(records):
    drawings = {d.name: d for d in draw("draw_fields", records)}
    assert set(drawings) == {"fields-placebo", "fields-tas-102", "fields-tas-102-bevacizumab"}
    drawing = drawings["fields-tas-102"]
    shown = next(r for r in records if r.arm == "TAS-102" and r.patient == drawing.table[0]["patient"])
    for row in drawing.table:
        (field,) = (s.fields[row["field"]] for s in shown.snapshots if s.time_days == row["day"])
        assert row["mean"] == pytest.approx(field.mean(dtype=float), rel=1e-12)
        assert row["unit"] == shown.field_units[row["field"]]
    texts = [t.get_text() for axes in drawing.figure.axes for t in axes.texts]
    assert sum(t.startswith("absent") for t in texts) == 3  # days 0, 56 and 112, not 9.25


def test_doses_are_matched_to_plasma_by_the_coupling_table():
    record = run("TAS-102 + bevacizumab", days=28.0)
    assert doses_of(record, "plasma trifluridine") == [1, 2, 3, 4, 5, 8, 9, 10, 11, 12]
    assert doses_of(record, "plasma bevacizumab") == [1, 16]
    silent = replace(record, attributes={})
    assert doses_of(silent, "plasma bevacizumab") == [1, 16]  # by its name


def test_pk_table_is_every_record_of_the_treated_runs(records):
    table = draw("draw_pk", records)[0].table
    treated = [r for r in records if r.doses]
    assert {row["arm"] for row in table} == {"TAS-102", "TAS-102 + bevacizumab"}
    series = [
        row["plasma"] for row in table if row["run"] == table[0]["run"] and row["drug"] == "trifluridine"
    ]
    assert series == treated[0].body["plasma trifluridine"].tolist()


def test_biomarker_table_and_ledger_table(records):
    rows = draw("draw_biomarkers", records)[0].table
    assert {r["visit"] for r in rows} == {"day 0", "week 8"}
    first = next(r for r in rows if r["biomarker"] == "Treg_density")
    assert first["value"] == pytest.approx(records[0].count[0, 7] / (144 * 0.015) ** 2)
    worst = draw("draw_ledger", records)[0].table[-1]
    assert worst["species"] == "CTL"
    assert worst["residual"] == pytest.approx(1e-15 * records[-1].time_days.size)


def test_boxes_replace_medians_from_eight_runs():
    """A box is five lines (two whiskers, two caps, the median) and its frame; a median is one bar."""
    many = [run("placebo", f"p{k:03d}", k, days=57.0, sites=32) for k in range(1, 10)]
    for number, per_visit in ((7, 1), (8, 6)):
        drawing = figures.draw_biomarkers(many[:number])
        axes = next(a for a in drawing.figure.axes if a.get_title(loc="left") == "CTL density")
        marks = [line for line in axes.lines if line.get_marker() != "o"]
        assert len(marks) == 2 * per_visit
        values = {day: [r["value"] for r in drawing.table if (r["visit"], r["biomarker"]) == (day, "CTL_density")]
                  for day in ("day 0", "week 8")}  # fmt: skip
        levels = [set(line.get_ydata()) for line in marks]
        assert all({np.median(own)} in levels for own in values.values())


def test_survival_table_has_numbers_at_risk(records):
    table = draw("draw_survival", records)[0].table
    drawn = [r for r in table if r["kind"].startswith("Kaplan") and r["arm"] == "placebo"]
    assert drawn[0] == {**drawn[0], "month": 0.0, "survival": 1.0, "at_risk": 2}
    assert {r["survival"] for r in table if r["kind"] == "RECOURSE OS" and r["month"] == 6} == {0.439, 0.582}


def test_progression_of_one_run(tmp_path):
    drawing = figures.draw_progression([run(slope=0.002, days=120.0)])
    ours = [(r["month"], r["survival"], r["at_risk"]) for r in drawing.table if r["kind"] == "TRI at visits"]
    assert ours == [(0.0, 1.0, 1), (pytest.approx(112 / 30.4375), 0.0, 1)]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("draw_waterfall", {}),
        ("draw_progression", {}),
        ("draw_pk", {}),
        ("draw_tissue", {"snapshots": ()}),
        ("draw_detail", {}),  # a section smaller than two windows
        ("draw_biomarkers", {"snapshots": ()}),
        ("draw_immune", {"body": {}}),
        ("draw_ledger", {"ledger": {}}),
    ],
)
def test_nothing_to_draw_is_none(name, change):
    assert DRAW[name]([replace(run("placebo", days=20.0), **change)]) is None


def test_csv_leaves_what_is_undefined_empty():
    text = figures.drawing.csv_text([{"a": math.nan, "b": None}, {"a": 0.1, "c": "x, y"}])
    assert list(csv.reader(io.StringIO(text))) == [["a", "b", "c"], ["", "", ""], ["0.1", "", "x, y"]]


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written .* give permission there"):
        figures.save(figures.draw_spider([run(days=3.0)]), tmp_path / "file" / "figures")


def test_a_full_disk_leaves_no_half_figure(tmp_path):
    """A limit on the size of files stands for a disk that is full after 1,000 bytes; what was there stays."""
    drawing = figures.draw_spider([run(days=3.0)])
    figures.save(drawing, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(before[f"{drawing.name}.png"]) > 1000
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(InputError, match="cannot be written"):
            figures.save(drawing, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
