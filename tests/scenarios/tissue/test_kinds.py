"""Kinds of tissue in a scenario: keys, expressions, and the fork of an earlier run."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from oncolattice.abm.compile.model_file import read_model
from oncolattice.abm.errors import InputError
from oncolattice.abm.model import compile_model
from oncolattice.abm.placement.strip import SIDES
from oncolattice.abm.snapshot import Snapshot
from oncolattice.abm.state import first_state
from oncolattice.scenarios.files import keys
from oncolattice.scenarios.files import tissue_keys as k
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.run import Run
from oncolattice.scenarios.store import finish_run
from oncolattice.scenarios.tissue import place as t
from oncolattice.scenarios.tissue.earlier import place_run
from oncolattice.scenarios.tissue.image import read_image
from oncolattice.scenarios.tissue.numbers import UNITS, resolve_numbers
from oncolattice.tests.helpers import store_cases
from oncolattice.tests.helpers.tissue_cases import (
    LABELS,
    LAYERS,
    MIX,
    THREE,
    TYPES,
    A,
    T,
    grey_png,
    model,
    number,
    place,
)

# --- keys -------------------------------------------------------------------------------------------------


def test_the_words_and_keys_of_a_scenario_are_those_of_the_placement():
    assert keys.SIDES == SIDES
    assert set(keys.TISSUE_KINDS) == set(k.KIND_KEYS)
    known = {key for kinds in k.KIND_KEYS.values() for key in kinds}
    assert set(keys.SCENARIO_KEYS["tissue"]) == known | set(k._EVERY_KIND)
    numbers = {
        key
        for key, (kind, *_) in keys.SCENARIO_KEYS["tissue"].items()
        if kind.startswith(("amount", "whole"))
    }
    assert {key for key, unit in UNITS.items() if isinstance(unit, str)} == numbers


@pytest.mark.parametrize(
    ("tissue", "lattice", "numbers"),
    [
        ({"kind": "scattered", "occupancy": 0.5, "composition": MIX}, (50, 60), [1350, 150, 0]),
        ({"kind": "scattered", "shares": {"A": 0.1, "T": 0.2}}, (20, 30, 40), [2400, 0, 4800]),
        ({"kind": "nodule", "radius_um": 100.0, "composition": {"A": 1.0}}, (50, 60), [81, 0, 0]),
        ({"kind": "nodule", "radius_um": 100.0, "composition": {"A": 1.0}}, (20, 30, 40), [515, 0, 0]),
        ({"kind": "nests", "occupancy": 0.5, "composition": MIX, "nest": THREE}, (50, 60), [1350, 150, 0]),
        ({"kind": "strip", "depth_sites": 2, "composition": {"A": 1.0}}, (50, 60), [100, 0, 0]),
        ({"kind": "drawn", "occupancy": 0.1, "pattern": "disc", "composition": MIX}, (20, 30, 40), [2160, 240, 0]),
    ],
)  # fmt: skip
def test_every_ruled_kind_is_placed(tissue, lattice, numbers):
    # IN_CIRCLE[5] and IN_SPHERE[5] of test_placement_kinds: 81 and 515 lattice points within five sites
    placement = place(tissue, lattice)
    assert number(placement)[1:] == numbers
    assert placement.report["kind"] == tissue["kind"]


def test_the_types_that_a_tissue_names():
    tissue = {
        "composition": {"A": 1.0}, "immune": {"B": "CD8"}, "counts": {"C": 1}, "shares": {"D": 1}, "ceil": ["E"],
        "stroma": {"type": "F", "fraction": 0.1}, "nest": {"type": "G", "count": 1},
        "table_mapping": {"x": "H", "y": "ignore"}, "label_mapping": {"1": {"I": 0.5, "J": 0.5}},
        "tile_classes": {"TUM": {"K": 1.0}, "DEB": "ignore"}, "pattern": "glands",
    }  # fmt: skip
    assert sorted(k.placed_types(tissue)) == list("ABCDEFGHIJK")


def test_a_nodule_in_stroma_takes_the_drawn_densities():
    tissue = {
        "kind": "nodule in stroma",
        "radius_um": 100.0,
        "composition": {"A": 1.0},
        "immune": {"T": "CD8"},
    }
    tables = {"tissue": tissue, "lattice": {"rows": 50, "columns": 60}}
    densities = {"T": {"core": 0.0, "margin": 100.0}}
    placement = t.place_scenario(tables, TYPES, model(), densities, 1)
    assert number(placement)[1:] == [81, 0, round((3000 - 81) * 4e-4 * 100)]
    assert not placement.occupant[1][placement.region == 0].any()
    assert placement.report["immune_densities"]["markers"] == {"T": "CD8"}


@pytest.mark.parametrize(
    ("tissue", "lattice", "words"),
    [
        ({"kind": "nodul"}, (50, 60), "unknown kind 'nodul'; did you mean 'nodule'"),
        ({"occupancy": 0.5, "nest": {}}, (50, 60), "'nest' is not for kind 'drawn' but for nodule, "),
        ({"kind": "nests", "radius_umm": 3}, (50, 60), "unknown key 'radius_umm'"),
        ({"kind": "image"}, (50, 60), "'file' is missing; kind 'image' needs one"),
        ({"kind": "drawn"}, (50, 60), "'occupancy' is missing; drawn tissue needs it"),
        ({"occupancy": 1.0}, (50, 60), "tissue.occupancy must lie between 0 and 1, got 1"),
        ({"kind": "scattered", "shares": {"A": "q"}}, (50, 60), "name 'q' is not defined"),
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(tissue, lattice, words):
    with pytest.raises((InputError, NameError), match=words):
        place(tissue, lattice)


@pytest.mark.parametrize(("dimensions", "planes"), [(2, {"planes": 4}), (3, {})])
def test_model_and_lattice_must_have_the_same_dimensions(dimensions, planes):
    tables = {
        "tissue": {"kind": "scattered", "counts": {"A": 1}},
        "lattice": {"rows": 9, "columns": 9} | planes,
    }
    with pytest.raises(
        InputError, match=rf"model has {dimensions} dimensions and the lattice {5 - dimensions}; .*planes"
    ):
        t.place_scenario(tables, TYPES, model(dimensions), {}, 1)


# --- expressions ------------------------------------------------------------------------------------------


def test_numbers_may_be_expressions_over_the_parameters_of_the_model(tmp_path):
    path = tmp_path / "m.toml"
    head = '[model]\nname = "m"\ntitle = "m"\ndimensions = 2\nlayers = ["tissue"]\nsite = "site"\ntime_step = "dt"\n'
    head += 'update = "rates"\nneighbourhood = "moore"\nboundary = "no-flux"\n[parameters]\n'
    values = {
        "site": (20, "um"),
        "dt": (1, "h"),
        "n0": (0.5, "1"),
        "fR": (0.01, "1"),
        "nests": (3, "1"),
        "r": (2, "mm"),
    }
    head += "".join(
        f'{n} = {{ value = {v}, unit = "{u}", source = "assumed" }}\n' for n, (v, u) in values.items()
    )
    head += "".join(
        f'[[cell_type]]\nname = "{name}"\ndisplay = "{name}"\nlayer = "tissue"\ncolour = "#111111"\n'
        for name in "AB"
    )
    path.write_text(head)
    compiled = compile_model(read_model(str(path)), {}, {})
    tissue = {
        "kind": "nests", "occupancy": "n0", "composition": {"A": "1 - fR", "B": "fR"}, "ceil": ["B"],
        "nest": {"type": "B", "count": "nests", "distance_um": "r / 10", "places": "row"},
    }  # fmt: skip
    assert resolve_numbers(tissue, compiled) == {
        "kind": "nests", "occupancy": 0.5, "composition": {"A": 0.99, "B": 0.01}, "ceil": ["B"],
        "nest": {"type": "B", "count": 3, "distance_um": 200.0, "places": "row"},
    }  # fmt: skip
    tables = {"tissue": tissue, "lattice": {"rows": 100, "columns": 100}}
    placement = t.place_scenario(tables, compiled.types, compiled, {}, 1)
    assert placement.report["placed"] == {"A": 4950, "B": 50}
    centres = [nest["centre_um"][1] for nest in placement.report["nests"]]
    assert np.diff(centres) == pytest.approx([200.0, 200.0])
    with pytest.raises(InputError, match=r"\[tissue\] occupancy.*unknown .*'n1'"):
        resolve_numbers({"occupancy": "n1"}, compiled)
    with pytest.raises(InputError, match=r"\[tissue\] occupancy"):
        resolve_numbers({"occupancy": "site"}, compiled)


def test_what_is_no_number_stays_as_it_is():
    tissue = {
        "pattern": "glands", "file": "a", "immune": {"T": "CD8"}, "label_mapping": {"0": "ignore", "1": "A"},
        "tile_classes": {"DEB": "ignore"}, "nest": {"type": "B", "places": "row"}, "slide": "1",
    }  # fmt: skip
    assert resolve_numbers(tissue, SimpleNamespace()) == tissue


# --- earlier runs -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """Return a short run, its file, and copies of what its state held at half a day and at the end."""
    setting = ("rows=32", "columns=32", "duration_days=1", "snapshot_days=0,0.5", "tissue.margin_um=150")
    current = Run(load_scenario("mcrc_placebo", setting), 3, tmp_path_factory.mktemp("runs"))
    state = current.simulation.coupled.tissue.state
    model, half = current.simulation.model, {}
    for progress in current.steps():
        if abs(progress.day - 0.5) < 1e-9:
            half = state.to_arrays() | {"scale": state.view(model).stats["scale"].copy()}
            half = {name: np.array(values) for name, values in half.items()}
    return SimpleNamespace(path=current.finish(), half=half, end=state.to_arrays(), model=model)


def forked(earlier, lattice=(32, 32), **more):
    tables = {
        "tissue": {"kind": "snapshot", "file": str(earlier.path)} | more,
        "lattice": dict(zip(("rows", "columns"), lattice, strict=True)),
    }
    return t.place_scenario(tables, earlier.model.types, earlier.model, {}, 9)


def test_a_fork_of_a_snapshot_is_the_tissue_of_that_day(earlier):
    placement = forked(earlier, day=0.5)
    assert np.array_equal(placement.occupant, earlier.half["tissue_occupant"])
    assert not np.array_equal(placement.occupant, earlier.end["tissue_occupant"])
    assert np.array_equal(placement.region, earlier.end["tissue_region"])
    assert placement.region_names == ("core", "margin")
    assert placement.uid is None
    free = [i for i, row in enumerate(earlier.model.tables.fields) if row["scale"] < 0]
    assert sorted(placement.fields) == sorted(earlier.model.fields[i].name for i in free)
    for i in free:
        values = placement.fields[earlier.model.fields[i].name]
        assert np.allclose(
            values, earlier.half["tissue_fields"][i], rtol=2**-13 + 1e-7, atol=0
        )  # 12 bits kept
    assert np.array_equal(forked(earlier).occupant, earlier.end["tissue_occupant"])
    assert placement.notes == []


def test_fields_of_another_unit_and_attributes_start_anew_and_that_is_said(earlier):
    free = [i for i, row in enumerate(earlier.model.tables.fields) if row["scale"] < 0]
    name, unit = earlier.model.fields[free[0]].name, earlier.model.fields[free[0]].unit
    others = tuple(
        replace(f, unit="pg/mL") if f.name == name else replace(f, name="new") if i == free[1] else f
        for i, f in enumerate(earlier.model.fields)
    )
    changed = replace(earlier.model, fields=others, attributes=(SimpleNamespace(name="age", kind="clock"),))
    tables = {
        "tissue": {"kind": "snapshot", "file": str(earlier.path)},
        "lattice": {"rows": 32, "columns": 32},
    }
    placement = t.place_scenario(tables, earlier.model.types, changed, {}, 9)
    assert name not in placement.fields
    file = earlier.path.name
    assert placement.notes == [
        f"{file}: fields of the earlier run that are not taken over: {name} ({unit} there, pg/mL here)",
        f"{file}: attributes of cells that start anew: age",
    ]


def test_an_exact_fork_is_the_final_state_to_the_last_bit(earlier):
    placement = forked(earlier, fork="exact")
    assert np.array_equal(placement.occupant, earlier.end["tissue_occupant"])
    assert np.array_equal(placement.uid, earlier.end["tissue_uid"])
    for i, field in enumerate(earlier.model.fields):
        assert placement.fields[field.name].tobytes() == earlier.end["tissue_fields"][i].tobytes()
    assert placement.report["earlier"]["fork"] == "exact"


def test_what_a_run_does_not_hold_is_refused(earlier, tmp_path):
    with pytest.raises(InputError, match=r"no snapshot of day 0.25; it holds days 0, 0.5, 1"):
        forked(earlier, day=0.25)
    with pytest.raises(InputError, match=r"only the last day, 1, is kept to the last bit, not day 0.5"):
        forked(earlier, day=0.5, fork="exact")
    with pytest.raises(InputError, match="has 32 x 32 sites of 15 um, the lattice 32 x 40"):
        forked(earlier, lattice=(32, 40))
    with pytest.raises(InputError, match="unknown fork 'exactly'"):
        forked(earlier, fork="exactly")
    with pytest.raises(InputError):
        t.place_scenario(
            {"tissue": {"kind": "snapshot", "file": str(tmp_path / "none.h5")}, "lattice": {"rows": 9, "columns": 9}},
            earlier.model.types, earlier.model, {}, 1,
        )  # fmt: skip


def test_what_identifies_the_file_of_a_tissue(earlier, tmp_path):
    assert t.tissue_provenance({"occupancy": 0.2}) == {}
    path = grey_png(tmp_path / "labels.png", LABELS)
    found = t.tissue_provenance({"kind": "image", "file": str(path)})
    assert found == {"file": "labels.png", "sha256": read_image(path).provenance["sha256"]}
    (tmp_path / "moved").mkdir()
    again = grey_png(tmp_path / "moved" / "labels.png", LABELS)
    assert t.tissue_provenance({"kind": "image", "file": str(again)}) == found
    run = t.tissue_provenance({"kind": "snapshot", "file": str(earlier.path)})
    assert run["run_key"][:12] in earlier.path.name


def test_an_exact_fork_starts_a_run_with_every_cell_as_it_was(earlier):
    state = first_state(earlier.model, forked(earlier, fork="exact"), 5)
    for name in ("tissue_occupant", "tissue_uid", "tissue_fields", "tissue_region"):
        assert state.to_arrays()[name].tobytes() == earlier.end[name].tobytes()


def test_attributes_are_carried_over_and_clocks_start_again(tmp_path):
    """Clocks and timers are kept as times of the earlier run, 56 days long; the new run begins at 0 h."""
    rng = np.random.default_rng(6)
    shape = store_cases.SHAPE
    occupant = np.array([rng.integers(0, 3, shape), 3 * rng.integers(0, 2, shape)], np.uint8)
    stored = rng.uniform(0, 1344, (3, 2, *shape)).astype(np.float32)
    block = '[[attribute]]\ncell = "A"\n{}name = "{}"\nkind = "{}"\n\n'
    kinds = {"divisions": "count", "age": "clock", "rest": "timer"}
    text = "# --- m.toml\n" + "".join(block.format("# why\n", name, kind) for name, kind in kinds.items())
    last = Snapshot(56.0, 20.0, 20.0, dict(zip(LAYERS, occupant, strict=True)), TYPES)
    report = {"regions": {"core": {}, "margin": {}}}
    head = store_cases.header(
        types=TYPES, model_text=text, tissue_report=report, weights=dict.fromkeys("ABT", 1.0)
    )
    head["columns"] |= {"count": ["A", "B", "T"]}
    checkpoint = {
        "tissue_occupant": occupant, "tissue_uid": occupant.astype(np.uint64) + np.uint64(2**63),
        "tissue_fields": rng.random((2, *shape)), "tissue_region": np.zeros(shape, np.uint8),
        "tissue_attributes": stored,
    }  # fmt: skip
    path = finish_run(tmp_path / "a.h5", head, store_cases.make_rows(3), [last], checkpoint)
    carried = np.array([[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 0, 1]])  # empty, A, B, T by attribute
    target = model()
    target.fields, target.attributes = (), [SimpleNamespace(name=n, kind=k) for n, k in kinds.items()]
    target.tables = SimpleNamespace(fields=(), carries={"carried": carried})
    placement = place_run(path, None, "exact", shape, TYPES, target, 1)
    assert placement.attributes["divisions"].tobytes() == stored[0].tobytes()
    assert np.array_equal(
        placement.attributes["age"], stored[1] - np.where(occupant == A, np.float32(1344), 0)
    )
    moved = np.isin(occupant, (A, T))
    assert np.array_equal(placement.attributes["rest"], stored[2] - np.where(moved, np.float32(1344), 0))
    assert int(placement.uid.max()) == 2**63 + 3
    checkpoint["tissue_attributes"] = stored[:2]
    path = finish_run(tmp_path / "b.h5", head, store_cases.make_rows(3), [last], checkpoint)
    with pytest.raises(InputError, match="declares 3 attributes and its state holds 2"):
        place_run(path, None, "exact", shape, TYPES, target, 1)
