"""An SBML file as the body of a scenario: ports in its units, books, doses, resume, and what is refused."""

import re
import sys

import h5py
import numpy as np
import pytest
from scipy.linalg import expm
from typer.testing import CliRunner

pytest.importorskip("roadrunner")

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.command import cli
from oncolattice.scenarios.command.check import check_file
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.build import build
from oncolattice.scenarios.simulate.run import Run, key_of, run
from oncolattice.scenarios.store import open_run
from oncolattice.tests.helpers.sbml_bodies import EXAMPLE, Written, body_xml, write_example

SMALL = ("rows=32", "columns=32", "duration_days=4", "snapshot_days=0", "checkpoint_every_days=1")
FEW = ('counts = { vessel = "200", T = "80" }', 'counts = { vessel = "50", T = "40" }')
PLAIN = (
    ', exchange = "exchanged", field = "antibody", central = "central", volume = "plasma", '
    'molar_mass = "MW_antibody"',
    "",
)


def example(folder, xml=None, *changes):
    return write_example(folder, xml, FEW, *changes)


def record_of(path, seed=1, settings=SMALL):
    out = path.parent / "runs"
    return open_run(run(str(path), seed, settings, out=out))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The example as it stands, smaller."""
    return record_of(example(tmp_path_factory.mktemp("plain")))


def test_the_shipped_example_is_the_model_that_the_tests_write(plain, tmp_path):
    """Equations typed twice agree; tumour cells die, T cells come and go."""
    again = record_of(example(tmp_path, body_xml(Written())))
    assert np.array_equal(again.count, plain.count)
    for name in ("T_blood", "central", "peripheral", "cleared", "entry"):
        assert again.body[name] == pytest.approx(plain.body[name], rel=1e-8, abs=1e-9)
    assert min(plain.events[name][-1] for name in ("T: leave", "tumour: killed by T")) > 10


def test_books_close_for_cells_and_drug(plain):
    assert set(plain.ledger) == {"tumour", "T", "antibody"}
    assert max(np.abs(values).max() for values in plain.ledger.values()) <= 1e-10
    assert plain.attributes["outcome"]["ledger_residual"] <= 1e-10


def test_what_the_lattice_holds_is_what_the_body_reads(plain):
    counts = dict(zip([t.name for t in plain.types], plain.count.T, strict=True))
    assert plain.body["tumour"] * 0.01 == pytest.approx(1e5 * counts["tumour"], rel=1e-12)
    assert plain.weights["T"] == pytest.approx(
        8e8 * 0.01 / 40, rel=1e-12
    )  # the body's T cells over those placed
    assert plain.body["T_lesion"] * 0.01 == pytest.approx(plain.weights["T"] * counts["T"], rel=1e-12)


@pytest.mark.parametrize(
    "written",
    [
        Written(hours=1.0),
        Written(litres=1e-3),
        Written(cells=1e6, grams=1e-6),
        Written(cell_amounts=True),
        Written(drug_amounts=False),
        Written(hours=1.0, litres=1e-6, grams=1.0, cells=1e3, cell_amounts=True, drug_amounts=False),
    ],
)
def test_the_units_of_a_file_do_not_matter(plain, written, tmp_path):
    """Hours, microlitres, thousands of cells, grams, amounts or concentrations: the same patient."""
    found = record_of(example(tmp_path, body_xml(written)))
    assert np.array_equal(found.count, plain.count)
    for name in ("T_blood", "T_lesion", "tumour", "central", "peripheral", "cleared", "entry"):
        assert found.body[name] == pytest.approx(plain.body[name], rel=1e-7, abs=1e-9), name
    assert max(np.abs(values).max() for values in found.ledger.values()) <= 1e-10


def test_blood_alone_is_its_closed_form(tmp_path):
    """Nothing homes and nothing comes back: T' = s - d T; two doses of an hour in two compartments."""
    changes = (PLAIN, ("q2w x 2", "q2d x 2"))
    path = example(tmp_path, body_xml(Written(hours=1.0), homing=0.0, exit_rate=0.0), *changes)
    record = record_of(path, settings=(*SMALL, "back=0/d", "record_every_hours=3", "tolerance=1e-12"))
    time, rest = record.time_days, 2e6 / 0.02
    assert record.body["T_blood"] == pytest.approx(rest + (2e7 - rest) * np.exp(-0.02 * time), rel=1e-8)
    own = np.array(
        [[-0.28, 0.25, 0, 1.0], [0.2, -0.25, 0, 0], [0.08, 0, 0, 0], [0, 0, 0, 0]]
    )  # last: the infusion

    def after(day):
        y, here = np.zeros(4), 0.0
        for start in (0.0, 2.0):
            for edge, rate in ((start, 240.0 * 24.0), (start + 1 / 24, 0.0)):
                if edge < day:
                    y, here = expm(own * (edge - here)) @ y, edge
                    y[3] = rate
        return (expm(own * (day - here)) @ y)[:3]

    exact = np.array([after(day) for day in time])
    for k, name in enumerate(("central", "peripheral", "cleared")):
        assert record.body[name] == pytest.approx(exact[:, k], rel=2e-9, abs=1e-9)


def test_a_burn_in_lets_blood_settle_while_the_tumour_stands_still(tmp_path):
    xml = body_xml(Written(litres=1e-3, cell_amounts=True), homing=0.0, exit_rate=0.0)
    path = example(tmp_path, xml, ("tolerance = 1e-8", "tolerance = 1e-12\nburn_in_days = 3"))
    coupled = build(load_scenario(str(path), SMALL), 1).coupled
    rest = 2e6 / 0.02
    assert coupled.body.t == 0.0
    assert coupled.body.get("T_blood") == pytest.approx(rest + (2e7 - rest) * np.exp(-0.06), rel=1e-9)
    assert coupled.ports.cells[1].weight == pytest.approx(8e8 * 0.01 / 40, rel=1e-12)


def test_arrivals_are_the_rate_of_the_reaction_and_leave_blood(tmp_path):
    """Whatever enters is debited: blood's loss is supply less what the ledger's cells of the lattice gained."""
    path = example(tmp_path, body_xml(Written(), supply=0.0), PLAIN)
    record = record_of(path, settings=(*SMALL, "life=0/d", "killing=0/d"))
    total = 5 * record.body["T_blood"] + 0.01 * record.body["T_lesion"]
    died = 0.02 * np.trapezoid(5 * record.body["T_blood"], record.time_days)
    assert total[0] - total[-1] == pytest.approx(died, rel=2e-3)  # six-hourly trapezoids
    arrived = (record.count[-1] - record.count[0])[2] + record.events["T: leave"][-1]
    expected = np.trapezoid(record.body["entry"], record.time_days) / record.weights["T"]
    assert abs(arrived - expected) < 4.5 * np.sqrt(expected)
    assert expected > 5


def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path):
    path = example(tmp_path, body_xml(Written(hours=1.0, litres=1e-3, cell_amounts=True)))
    scenario = load_scenario(str(path), SMALL)
    straight = run(scenario, 3, out=tmp_path / "a")
    broken = Run(scenario, 3, tmp_path / "b")
    for step in broken.steps():
        if step.day >= 2.6:
            break
    resumed = run(scenario, 3, out=tmp_path / "b", resume=True)
    with h5py.File(straight) as a, h5py.File(resumed) as b:
        assert a.attrs["digest"] == b.attrs["digest"]
        for name in ("series/count", "series/body", "series/ledger", "series/events"):
            assert np.array_equal(a[name][...], b[name][...])


def test_threads_do_not_matter(tmp_path):
    scenario = load_scenario(str(example(tmp_path)), SMALL)
    digests = []
    for threads in (1, 2):
        current = Run(scenario, 2, threads=threads)
        for _ in current.steps():
            pass
        digests.append(current.digest())
    assert digests[0] == digests[1]


def test_one_number_of_the_file_makes_another_key(tmp_path):
    path = example(tmp_path)
    first = key_of(load_scenario(str(path)), 1)
    assert key_of(load_scenario(str(path)), 1) == first
    old = 'name="death of T cells in blood" value="0.02"'
    text = (tmp_path / "immune.xml").read_text()
    assert old in text
    (tmp_path / "immune.xml").write_text(text.replace(old, old.replace("2", "3")))
    assert key_of(load_scenario(str(path)), 1) != first


def test_parameters_of_the_file_are_set_in_any_unit_and_drawn_for_patients(tmp_path):
    path = example(tmp_path, body_xml(Written(hours=1.0)))
    body = build(load_scenario(str(path), ("homing=0.24/d", "k10=0.01")), 1).coupled.body
    values = dict(zip([p.name for p in body.model.parameters], body.p, strict=True))
    assert values["homing"] == pytest.approx(0.01, rel=1e-12)
    assert values["k10"] == 0.01
    with pytest.raises(InputError, match="homing: wrong dimension"):
        build(load_scenario(str(path), ("homing=0.24 L",)), 1)


def test_patients_are_drawn_in_the_units_of_their_population(tmp_path):
    drawn = []
    for hours in (1.0, 24.0):
        folder = tmp_path / str(hours)
        path = example(folder, body_xml(Written(hours=hours)))
        (folder / "people.toml").write_text(
            '[population]\nname = "people"\ntitle = "people"\nsource = "assumed"\n\n[parameters]\n'
            'homing = { min = 0.02, max = 0.06, a = 2, b = 2, unit = "1/d", source = "assumed" }\n'
        )
        patient = '\n[patient]\npopulation = "people.toml"\nnumber = 2\npopulation_seed = 1\n'
        path.write_text(path.read_text() + patient)
        body = build(load_scenario(str(path)), 1).coupled.body
        drawn.append(float(body.p[body.model.index("parameters", "homing")]))
    assert 0.02 < drawn[1] < 0.06
    assert drawn[0] * 24 == pytest.approx(drawn[1], rel=1e-12)


def test_batch_report_describe_and_check(tmp_path, unpainted):
    path = example(tmp_path)
    words = [word for setting in SMALL for word in ("--set", setting)]
    done = CliRunner().invoke(
        cli.app,
        ["batch", str(path), "--replicates", "2", "--workers", "2", "--out", str(tmp_path / "b"), *words],
    )
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "b").glob("*.h5"))) == 2
    done = CliRunner().invoke(cli.app, ["report", str(tmp_path / "b"), "--ode-only", "3"])
    assert done.exit_code == 0, done.output
    assert "immune.xml" in (tmp_path / "b" / "report" / "report.html").read_text(encoding="utf-8")
    assert check_file(path) == []
    done = CliRunner().invoke(cli.app, ["describe", str(path)])
    assert done.exit_code == 0
    assert re.search(r"T_blood.*cells/L", done.output)
    done = CliRunner().invoke(cli.app, ["batch", str(path), "--well-mixed", "--out", str(tmp_path / "w")])
    assert "the body of this scenario is the file immune.xml" in str(done.exception) + done.output


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('tissue = "T_lesion"', 'tissue = "T_lession"', "unknown species 'T_lession'; did you mean 'T_lesion'"),
        ('blood = "T_blood"', 'blood = "T_blod"', "unknown body state 'T_blod'; did you mean 'T_blood'"),
        ('arrival = "entry"', 'arrival = "entri"', "unknown body output 'entri'; did you mean 'entry'"),
        ('arrival = "entry"', 'arrival = "k10"', "unknown body output 'k10'"),
        ('blood_volume = "blood"', 'blood_volume = "k10"', "'k10' is in 1/d .* cannot be turned into L"),
        ('blood = "T_blood"', 'blood = "central"', "unknown body state 'central'"),
        ('tissue = "tumour"', 'tissue = "growth"', "unknown species 'growth'"),
        ('antibody = "central"', 'antibody = "k10"', "k10"),
        ('antibody = "central"', "antibody = 3", "must name a species of the file, got 3"),
        ('doses = { antibody = "central" }', "", "unknown drug 'antibody'"),
        ('"peripheral", "cleared"]', '"peripheral"]', "books cannot close; add 'cleared'"),
        ('model = "immune.xml"', 'model = "nowhere.xml"', "nowhere.xml: no such file"),
        ('volume = "plasma"', 'volume = "plasm"', "plasm"),
        ('order = "240 mg iv over 60 min q2w x 2"', 'order = "1e9 cells iv"', "the order comes out in cells"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(old, new, message, tmp_path):
    path = example(tmp_path, None, (old, new))
    problems = check_file(path)
    assert problems
    assert re.search(message, problems[0]), problems
    with pytest.raises(InputError, match=message):
        run(str(path), 1, SMALL, out=tmp_path / "runs")
    assert not list(tmp_path.glob("runs/*.h5"))


def test_moles_are_dosed_by_amount(tmp_path):
    """A file that counts the drug in nmol: an order in mg is refused, an amount in nmol is given and crosses."""
    xml = body_xml(Written()).replace('<unit kind="gram" exponent="1" scale="0" multiplier="0.001"/>',
                                      '<unit kind="mole" exponent="1" scale="-9" multiplier="1"/>')  # fmt: skip
    path = example(tmp_path, xml)
    with pytest.raises(
        InputError, match="comes out in mg, and the file counts antibody in nmol; give 'amount'"
    ):
        load_scenario(str(path))
    mg = record_of(example(tmp_path / "mg", body_xml(Written())))
    order = 'order = "240 mg iv over 60 min q2w x 2"'
    nmol = 240 / 146e3 * 1e6
    keys = f"amount = {nmol!r}\ndays = [1]\ncycle_days = 14\ncycles = 2\ninfusion_days = {1 / 24!r}\nfirst_day = 0"
    found = record_of(example(tmp_path, xml, (order, keys)))
    assert found.body["central"] == pytest.approx(mg.body["central"] * nmol / 240, rel=1e-7, abs=1e-9)
    assert np.array_equal(found.count, mg.count)


def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "roadrunner", None)
    from oncolattice.scenarios.files import systemic

    systemic._imported.cache_clear()
    assert 'pip install "oncolattice[sbml]"' in check_file(example(tmp_path))[0]


def test_the_example_lies_beside_its_page():
    assert {path.name for path in EXAMPLE.iterdir()} == {"immune.toml", "immune.xml", "tissue.toml"}
