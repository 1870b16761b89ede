"""Every biomarker: counted by hand, defined everywhere, blind to orientation."""

import math

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.abm.snapshot import Snapshot
from oncolattice.analysis.biomarkers import BIOMARKERS, biomarker, measure, skipped
from oncolattice.tests.helpers.synthetic import TYPES, snapshot

DSTC, CTL, TH1, TREG = 1, 6, 7, 8
# 5 x 5 sites of 20 um: 0.01 mm2; 4 CTL, 3 Th1, 2 Treg
TISSUE = [[1, 1, 0, 0, 0], [1, 2, 0, 4, 0], [0, 0, 5, 4, 0], [0, 3, 0, 0, 0], [0, 0, 0, 0, 1]]
IMMUNE = [[6, 0, 0, 0, 7], [0, 8, 0, 0, 0], [0, 6, 6, 0, 7], [7, 0, 0, 0, 0], [0, 0, 6, 0, 8]]
BY_HAND = {
    "CTL_density": 400.0,
    "Th1_density": 300.0,
    "Treg_density": 200.0,
    "CTL_per_Treg": 2.0,
    "Th1_per_Treg": 1.5,
}


def section(tissue, immune, types=TYPES, site_um=20.0):
    layers = {"tissue": np.array(tissue, dtype=np.uint8), "immune": np.array(immune, dtype=np.uint8)}
    return Snapshot(0.0, site_um, 20.0, layers, types)


def test_counts_by_hand_cover_every_biomarker():
    assert measure(section(TISSUE, IMMUNE)) == pytest.approx(BY_HAND, rel=1e-12)
    assert set(BY_HAND) == set(BIOMARKERS), "a new biomarker needs its count by hand here"


@pytest.mark.parametrize("name", BIOMARKERS)
def test_defined_on_empty_and_one_cell_sections(name):
    empty = np.zeros((4, 4), dtype=np.uint8)
    for kind in (0, DSTC, CTL, TH1, TREG):
        immune, tissue = empty.copy(), empty.copy()
        (tissue if kind == DSTC else immune)[0, 0] = kind
        value = measure(section(tissue, immune), [name])[name]
        assert math.isnan(value) or 0.0 <= value < math.inf
    nowhere = section(np.zeros((0, 0)), np.zeros((0, 0)))
    assert math.isnan(measure(nowhere, [name])[name])


def test_empty_section_has_density_zero_and_no_ratio():
    values = measure(section(np.zeros((5, 5)), np.zeros((5, 5))))
    assert [values[n] for n in ("CTL_density", "Th1_density", "Treg_density")] == [0.0, 0.0, 0.0]
    assert math.isnan(values["CTL_per_Treg"])
    assert math.isnan(values["Th1_per_Treg"])


def test_blind_to_rotation_reflection_and_order_of_types():
    original = snapshot(0, {"DSTC": 300, "CTL": 41, "Th1": 23, "Treg": 7}, sites=32)
    expected = measure(original)
    turns = [lambda a: np.rot90(a), lambda a: a[::-1], lambda a: a.T, lambda a: a[:, ::-1]]
    for turn in turns:
        layers = {name: np.ascontiguousarray(turn(grid)) for name, grid in original.layers.items()}
        assert measure(Snapshot(0.0, 15.0, 15.0, layers, TYPES[::-1])) == expected


def test_a_model_without_a_type_skips_and_reports():
    types = tuple(t for t in TYPES if t.name != "Treg")
    found = measure(section(TISSUE, np.where(np.array(IMMUNE) == TREG, 0, IMMUNE), types))
    assert found == pytest.approx({"CTL_density": 400.0, "Th1_density": 300.0})
    assert skipped(types) == {n: ["Treg"] for n in ("Treg_density", "CTL_per_Treg", "Th1_per_Treg")}
    assert skipped(TYPES) == {}
    assert math.isnan(measure(section(TISSUE, IMMUNE, types), ["Treg_density"])["Treg_density"])


def test_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'CTL_density'"):
        measure(section(TISSUE, IMMUNE), ["CTL_densty"])


def test_a_name_can_be_declared_once():
    def CTL_density(snapshot):
        return 0.0

    with pytest.raises(ValueError, match="declared twice"):
        biomarker(unit="1", needs=())(CTL_density)


@pytest.mark.parametrize("marker", BIOMARKERS.values(), ids=lambda m: m.name)
def test_every_biomarker_says_what_it_is(marker):
    assert marker.unit
    assert marker.needs
    assert marker.definition.endswith(".")
