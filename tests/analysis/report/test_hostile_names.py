r"""Names are text: no mathtext, no markup, no file of another's, whatever an arm is called."""

import re
from collections import Counter
from dataclasses import replace

import pytest
from matplotlib.text import Text

from oncolattice.abm.errors import printable
from oncolattice.analysis import figures
from oncolattice.analysis.figures.drawing import png_bytes
from oncolattice.analysis.figures.style import LONGEST_LINE
from oncolattice.analysis.outcomes.table import outcome_rows
from oncolattice.analysis.report.write import write_report
from oncolattice.tests.analysis.report.test_report import Page
from oncolattice.tests.helpers.synthetic import run, trial

NAMES = (
    "$\\frac{1}{$", "50 % & $5", "<b>bold</b><script>", "[red]x[/red]", "C:\\new\\table", "\x1b[31mred", "", "_hidden",
    "a" * 300, "../../up", 'quo"te', "x$y", "x y", "nul\x00l", "{0}", "%s",
)  # fmt: skip


def named(name, number, **given):
    record = run("placebo", f"p{number:03d}", number, days=60.0, step=1.0, sites=16, **given)
    return replace(
        record,
        arm=name,
        scenario=name,
        patient=f"{name}-{number}",
        attributes=record.attributes | {"title": name},
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names") / "report"
    runs = [named(name, k) for k, name in enumerate(NAMES, start=1)]
    runs = [r if r.arm.startswith("x") else replace(r, snapshots=()) for r in runs]
    return runs, write_report(runs, folder, ode_only=None, title=NAMES[2])


def test_the_page_holds_the_names_as_text(page):
    _, path = page
    text = path.read_text(encoding="utf-8")
    read = Page(text)
    assert "<script" not in text
    assert "<b>bold" not in text
    cells = Counter(cell for row in read.rows for cell in row)
    for name in NAMES:
        if "\x00" not in name:  # which HTML cannot hold
            assert cells[name] > 0, name


def test_every_figure_has_files_of_its_own_in_the_folder(page):
    _, path = page
    names = [name for name, _ in Page(path.read_text(encoding="utf-8")).images]
    assert len(set(names)) == len(names)
    assert [name for name in names if name.startswith("fields-")] == ["fields-x-y", "fields-x-y-2"]
    assert sorted(names) == sorted(p.stem for p in (path.parent / "figures").glob("*.png"))
    assert {p.name for p in path.parent.parent.iterdir()} == {"report"}
    assert all(re.fullmatch(r"[a-z0-9-]{1,80}", name) for name in names)


@pytest.mark.parametrize("name", NAMES)
def test_figures_show_names_letter_by_letter(name):
    drawing = figures.draw_spider([named(name, 1), named("other", 2)])
    (legend,) = drawing.figure.legends
    assert legend.get_texts()[0].get_text() == name
    png_bytes(drawing.figure)
    texts = drawing.figure.findobj(Text)
    assert not any(t.get_parse_math() for t in texts)
    shown = legend.get_texts()[0].get_text()
    assert shown == printable(name) if len(name) <= LONGEST_LINE else shown == "a" * (LONGEST_LINE - 1) + "…"


@pytest.mark.parametrize("draw", ["draw_forest", "draw_ledger", "draw_immune"])
def test_numbers_of_logarithmic_axes_are_plain(draw, records_of_two):
    given = records_of_two
    drawing = getattr(figures, draw)(given[draw == "draw_forest"])
    png_bytes(drawing.figure)
    labels = [
        t.get_text()
        for axes in drawing.figure.axes
        for t in (*axes.get_xticklabels(), *axes.get_yticklabels())
    ]
    assert any(re.fullmatch(r"[\d.e+-]+", label) for label in labels)
    assert not any("$" in label for label in labels)


@pytest.fixture(scope="module")
def records_of_two():
    runs = trial(4, days=120.0, step=1.0, sites=16)
    return runs, outcome_rows(runs)


def test_a_terminal_shows_escapes_and_does_not_obey_them():
    assert printable("\x1b[31mred\x07\u202e é µ\n") == "\\x1b[31mred\\x07\\u202e é µ\n"
