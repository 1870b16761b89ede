"""Radiotherapy of lattice cells: survival by the linear-quadratic law, fractions of one step, exact resumption.

Counts accept |z| < 4.5, a false alarm in 150,000.
"""

import itertools
import math

import numpy as np
import pytest
from engine_cases import Z

from oncolattice.abm.cells.sense import rates_at
from oncolattice.abm.compile.model_file import LIBRARY
from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.tumour.linear_quadratic import oxygen_factor
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.build import build
from oncolattice.scenarios.simulate.replicate import replicate
from oncolattice.scenarios.simulate.run import Run, run
from oncolattice.scenarios.treatment.radiation import NEVER, Radiation

ALPHA, BETA = 0.22, 0.22 / 8.1
MODEL = """
[model]
name = "still"
title = "Cells that do nothing but survive radiation or not"
dimensions = 2
layers = ["tissue"]
site = "site"
time_step = "time_step"
update = "rates"
neighbourhood = "moore"
boundary = "no-flux"
include = ["drugs/radiotherapy.toml"]

[parameters]
site = { value = 20, unit = "um", source = "assumed", description = "lattice pitch" }
time_step = { value = 1, unit = "h", source = "assumed", description = "time step" }

[[cell_type]]
name = "tumour"
display = "Tumour cell"
layer = "tissue"
colour = "#1f77b4"
"""
SCENARIO = """
[scenario]
name = "still"
title = "Radiotherapy of cells at rest"
arm = "radiotherapy"
model = "still.toml"
duration_days = 6

[lattice]
rows = 256
columns = 256

[tissue]
kind = "scattered"
occupancy = 0.9
composition = { tumour = 1 }

[radiotherapy]
dose_Gy = 2
fractions = 4
source = "assumed"

[output]
record_every_hours = 24
snapshot_days = []
checkpoint_every_days = 2
"""


@pytest.fixture
def still(tmp_path):
    (tmp_path / "still.toml").write_text(MODEL)
    path = tmp_path / "scenario.toml"
    path.write_text(SCENARIO)
    return str(path)


def survivors(name: str, *settings: str) -> tuple[int, int, np.ndarray]:
    done = run(name, 5, settings)
    first = int(build(load_scenario(name, settings), 5).tissue.state.counts(done.simulation.model)[0])
    state = done.simulation.tissue.state
    return first, int(state.counts(done.simulation.model)[0]), state.events


@pytest.mark.parametrize("dose", [1.0, 2.0, 3.5])
def test_survival_after_four_fractions(still, dose):
    """exp(-4 (alpha d + beta d^2)) of about 59,000 cells, and the two kinds of death in the ratio alpha : beta d."""
    first, left, events = survivors(still, f"dose_Gy={dose}")
    share = math.exp(-4 * (ALPHA * dose + BETA * dose**2))
    assert abs(left - first * share) < Z * math.sqrt(first * share * (1 - share))
    died = events[-2:]
    assert died.sum() == first - left
    single = ALPHA / (ALPHA + BETA * dose)
    assert abs(died[0] - died.sum() * single) < Z * math.sqrt(died.sum() * single * (1 - single))


def test_survival_does_not_depend_on_the_time_step(still):
    for step in ("0.25h", "2h", "6h"):
        first, left, _ = survivors(still, f"time_step={step}")
        share = math.exp(-4 * (ALPHA * 2 + BETA * 4))
        assert abs(left - first * share) < Z * math.sqrt(first * share * (1 - share))


def test_survival_under_incomplete_repair(still):
    """Two fractions a day, one half-time apart: each second one meets half of the dose of the first."""
    settings = ("per_day=2", "interval_hours=3", "repair_half_time_hours=3", "fractions=4", "alpha_beta=2Gy")
    first, left, _ = survivors(still, *settings)
    beta, night = ALPHA / 2, 2.0**-8  # 24 h are eight half-times
    unrepaired = [0.0, 0.5, night + 0.5 * night, 0.5 + 0.5 * night + 0.25 * night]
    square = sum(4 * (1 + 2 * part) for part in unrepaired)
    share = math.exp(-(ALPHA * 8 + beta * square))
    sd = math.sqrt(first * share * (1 - share))
    assert abs(left - first * share) < Z * sd
    complete = math.exp(-(ALPHA * 8 + beta * 16))
    assert abs(left - first * complete) > 2 * Z * sd  # the test can tell the two apart


class Listener:
    """Stands for a tissue: notes what it is told."""

    def __init__(self):
        self.told = {}

    def set_body(self, signals):
        self.told |= signals


def test_signals_last_for_one_step(still):
    scenario = load_scenario(still, ("per_day=2", "first_day=0.25", "fractions=9", "duration_days=8"))
    radiation = Radiation(scenario.tables, build(scenario, 1).model)
    listener, doses = Listener(), []
    for step in range(8 * 24):
        if step == 0 or radiation.next(step - 1) == step:
            radiation.attend(listener, step)
        doses.append(listener.told["radiation_linear"])
        assert listener.told["radiation_quadratic"] == 2 * listener.told["radiation_linear"]
    expected = [24 * day + hour for day in range(5) for hour in (6, 12)][:9]
    assert np.flatnonzero(doses).tolist() == expected
    assert sum(doses) == 18.0  # Gy/h over steps of one hour
    assert radiation.next(8 * 24) == NEVER


def test_weekends_are_free(still):
    scenario = load_scenario(still, ("fractions=12", "duration_days=20"))
    radiation = Radiation(scenario.tables, build(scenario, 1).model)
    assert [step // 24 for step in radiation.levels] == [0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 14, 15]


def test_the_oxygen_effect_is_that_of_alper_and_howard_flanders():
    """In every cell alpha d counts by the oxygen factor of its site, beta d^2 by its square."""
    simulation = build(load_scenario("radiotherapy", ("duration_days=1",)), 1)
    tissue, model = simulation.tissue, simulation.model
    tissue.refresh()
    tissue.set_body({"radiation_linear": 4.0, "radiation_quadratic": 8.0})
    state = tissue.state
    places = np.flatnonzero(state.occupant.reshape(-1))
    oxygen = state.fields[0].reshape(-1)[places]
    factor = oxygen_factor(oxygen)
    assert factor.min() < 0.5 < 0.8 < factor.max()  # the nodule has a hypoxic core
    names = [slot["event"] for slot in model.tables.slots]
    for kind, level, power in (("linear", ALPHA * 4.0, 1), ("quadratic", BETA * 8.0, 2)):
        slot = names.index(model.events.index(f"tumour: die radiation_{kind}"))
        found = np.zeros(places.size)
        rates_at(slot, places, tissue._view, tissue._lattice, model.tables, found)
        np.testing.assert_allclose(found, level * factor**power, rtol=1e-12)


def test_hypoxia_protects():
    """With the oxygen effect more cells outlive a fraction than without, and those lie deeper."""
    left = {}
    for enhancement in (1, 3):
        done = run("radiotherapy", 2, ("duration_days=1", f"oxygen_enhancement={enhancement}"))
        state = done.simulation.tissue.state
        rows, columns = np.nonzero(state.occupant[0])
        left[enhancement] = (rows.size, np.hypot(rows - 35.5, columns - 35.5).mean())
    assert left[3][0] > 1.1 * left[1][0]
    assert left[3][1] < left[1][1] - 0.2


def test_an_interrupted_course_goes_on_bit_for_bit(tmp_path):
    """Interrupted at the step of the third fraction, day 2.375, with the signals of that step in the checkpoint."""
    settings = ("rows=48", "columns=48", "duration_days=3", "checkpoint_every_days=1.1875", "snapshot_days=0")
    scenario = load_scenario("radiotherapy", settings)
    whole = Run(scenario, 3)
    for _ in whole.steps():
        pass
    broken = Run(scenario, 3, tmp_path)
    for progress in itertools.takewhile(lambda p: p.day < 2.4, broken.steps()):
        assert progress.day < 2.4
    resumed = Run(scenario, 3, tmp_path, resume=True)
    assert resumed.step == 114
    assert resumed.simulation.tissue.state.body.tolist() == pytest.approx([4.0, 8.0], rel=0.1)
    for _ in resumed.steps():
        pass
    assert resumed.digest() == whole.digest()
    assert replicate(build(scenario, 3)).digest == whole.digest()


def test_every_stride_gives_the_same_run():
    scenario = load_scenario("radiotherapy", ("rows=48", "columns=48", "duration_days=3"))
    digests = set()
    for stride in (1, 7, 144):
        current = Run(scenario, 3)
        current.open()
        while current.step < 144:
            current.advance(stride)
        digests.add(current.digest())
    assert len(digests) == 1


def test_radiotherapy_of_a_tissue_with_a_body(tmp_path):
    """One fraction on a coupled tissue: the deaths of its step are Poisson-binomial around the law."""
    text = (LIBRARY / "mcrc.toml").read_text(encoding="utf-8")
    assert 'include = ["drugs/trifluridine.toml"' in text
    text = text.replace('include = ["', 'include = ["drugs/radiotherapy.toml", "')
    (tmp_path / "mcrc.toml").write_text(text)
    path = tmp_path / "irradiated.toml"
    path.write_text(
        '[scenario]\nextends = "mcrc_placebo"\nname = "irradiated"\nmodel = "mcrc.toml"\nduration_days = 1\n'
        '[radiotherapy]\ndose_Gy = 3\nfractions = 1\nfirst_day = 0.5\nsource = "assumed"\n'
    )
    done = run(load_scenario(str(path), ("rows=96", "columns=96")), 1)
    state, model = done.simulation.tissue.state, done.simulation.model
    names = [i for i, event in enumerate(model.events) if "radiation" in event]
    tumour = [info.name for info in model.types if info.group == "tumour"]
    assert len(names) == 2 * len(tumour)
    before = Run(load_scenario(str(path), ("rows=96", "columns=96")), 1)
    before.open()
    before.advance(12)
    assert before.simulation.tissue.state.body.max() > 0
    exposed = sum(before.simulation.tissue.state.counts(model)[model.type_id(n, "test") - 1] for n in tumour)
    died = state.events[names].sum()
    share = 1 - math.exp(-(ALPHA * 3 + BETA * 9))
    # other deaths and divisions of that hour take up to 2 % of the cells out of the radiation's reach
    sd = math.sqrt(exposed * share * (1 - share))
    assert exposed * share * 0.97 - Z * sd < died < exposed * share + Z * sd
    assert done.simulation.course.residuals().max() <= 1e-10


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (("dose_Gy=0",), "dose_Gy"),
        (("fractions=0",), "fractions"),
        (("week=0,9",), "1 to 7"),
        (("first_day=-1",), "first_day must be 0 to 36500"),
        (("repair_half_time_hours=-2",), "repair_half_time_hours"),
        (("per_day=2", "interval_hours=0.25"), "one|two fractions"),
        (("per_day=5", "interval_hours=6"), "do not fit"),
    ],
)
def test_bad_input(still, settings, says):
    with pytest.raises(InputError, match=says):
        build(load_scenario(still, settings), 1)


def test_a_model_that_radiation_cannot_act_on(tmp_path, still):
    path = tmp_path / "wrong.toml"
    path.write_text(
        '[scenario]\nextends = "strobl2022_continuous"\nname = "wrong"\n'
        '[radiotherapy]\ndose_Gy = 2\nfractions = 1\nsource = "assumed"\n'
    )
    with pytest.raises(InputError, match="update = 'rates'"):
        build(load_scenario(str(path)), 1)
    bare = MODEL.replace('include = ["drugs/radiotherapy.toml"]\n', "")
    (tmp_path / "still.toml").write_text(bare)
    with pytest.raises(InputError, match="radiation_linear"):
        build(load_scenario(still), 1)


def test_a_signal_that_a_controller_sets(tmp_path, still):
    path = tmp_path / "twice.toml"
    path.write_text(
        '[scenario]\nextends = "scenario.toml"\nname = "twice"\n'
        '[controller]\nkind = "continuous"\nsignal = "radiation_linear"\n'
    )
    with pytest.raises(InputError, match="controller"):
        build(load_scenario(str(path)), 1)
