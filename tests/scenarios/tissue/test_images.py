"""Several images in one cell table: refused by name, one of them chosen."""

import h5py
import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.run import key_of
from oncolattice.scenarios.tissue import place as t
from oncolattice.tests.helpers.tissue_cases import place

RNG = np.random.default_rng(8)
CELLS = 30  # of an image
X, Y = RNG.uniform(0, 600, (2, 2 * CELLS)).round(1)
KIND = RNG.permuted(np.repeat(["tum", "cd8"], CELLS)).tolist()
IMAGE = ["one"] * CELLS + ["two"] * CELLS
SPELT = (
    *(
        "imageid",
        "ImageId",
        "image_id",
        "Image",
        "Image Name",
        "ImageNumber",
        "library_id",
        "LibraryID",
        "sample",
    ),
    *(
        "sample_id",
        "SampleID",
        "Sample Name",
        "slide",
        "Slide ID",
        "slide_name",
        "ROI",
        "roi_id",
        "fov",
        "FOV_ID",
    ),
    *(
        "core",
        "TMA core",
        "acquisition_ID",
        "patient",
        "donor_id",
        "batch",
        "orig.ident",
        "Metadata_Slide",
        "scene",
    ),
    *("File Name", "filename", "region_id", "section", "PointNum", "unique_region", "tissue_id", "puck"),
)


def table(path, extra, header=("x_um", "y_um", "phenotype"), rows=range(2 * CELLS)):
    """Write a table with further columns before the usual ones."""
    lines = [",".join([*extra, *header])]
    lines += [",".join(map(str, [*(v[i] for v in extra.values()), X[i], Y[i], KIND[i]])) for i in rows]
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("name", SPELT)
def test_two_images_are_refused_by_name_however_the_column_is_spelt(tmp_path, name):
    path = table(tmp_path / "a.csv", {name: IMAGE}, rows=RNG.permutation(2 * CELLS))
    with pytest.raises(
        InputError, match=r"2 images \(column .*'one' \(30 cells\), 'two' \(30 cells\).*tissue.image"
    ):
        t.read_cell_table(path)
    table(path, {name: ["one"] * 2 * CELLS})
    assert len(t.read_cell_table(path).x_um) == 2 * CELLS


def test_the_chosen_image_is_that_image_alone(tmp_path):
    whole = table(tmp_path / "a.csv", {"Image": IMAGE})
    alone = table(tmp_path / "b.csv", {}, rows=range(CELLS, 2 * CELLS))
    chosen, only = t.read_cell_table(whole, image="two"), t.read_cell_table(alone)
    assert np.array_equal(chosen.x_um, only.x_um)
    assert np.array_equal(chosen.y_um, only.y_um)
    assert chosen.phenotype == only.phenotype
    assert chosen.provenance["image"] == {"column": "Image", "name": "two", "cells": CELLS, "images": 2}
    everything = t.read_cell_table(whole, image_column="none")
    assert len(everything.x_um) == 2 * CELLS
    with pytest.raises(InputError, match=r"unknown image 'too'; did you mean 'two'\? \(valid: one, two\)"):
        t.read_cell_table(whole, image="too")
    with pytest.raises(InputError, match="unknown column 'image'; did you mean 'Image'"):
        t.read_cell_table(whole, image_column="image")
    with pytest.raises(InputError, match="no column tells images apart, so that 'two' cannot be chosen"):
        t.read_cell_table(alone, image="two")


def test_regions_that_every_patient_numbers_anew_are_told_apart_by_both(tmp_path):
    patient, region = ["p"] * CELLS + ["q"] * CELLS, [1 + i % 2 for i in range(2 * CELLS)]
    path = table(tmp_path / "a.csv", {"patient": patient, "roi": region, "group": patient})
    with pytest.raises(
        InputError, match=r"holds 4 images \(column patient and roi\): 'p/1' \(15 cells\), 'p/2'"
    ):
        t.read_cell_table(path)
    assert t.read_cell_table(path, image="q/2").x_um.tolist() == X[CELLS + 1 :: 2].tolist()
    # a patient with one image each adds nothing to the images
    table(path, {"sample": IMAGE, "patient": patient})
    with pytest.raises(InputError, match=r"holds 2 images \(column sample\)"):
        t.read_cell_table(path)


def test_parts_that_lie_on_each_other_are_images_whatever_their_column_is_called(tmp_path):
    path = table(tmp_path / "a.csv", {"what": IMAGE})
    with pytest.raises(InputError, match=r"holds 2 images \(column what\)"):
        t.read_cell_table(path)
    # side by side in one plane, or mixed among the rows: a property of cells of one image
    by_x = sorted(range(2 * CELLS), key=lambda i: X[i])
    place_of = {i: "left" if n < CELLS else "right" for n, i in enumerate(by_x)}
    table(path, {"side": place_of}, rows=by_x)
    assert len(t.read_cell_table(path).x_um) == 2 * CELLS
    table(path, {"what": IMAGE}, rows=RNG.permutation(2 * CELLS))
    assert len(t.read_cell_table(path).x_um) == 2 * CELLS
    # sorted by the phenotype's own group: its parts do not hold the same phenotypes
    by_kind = sorted(range(2 * CELLS), key=lambda i: KIND[i])
    table(path, {"lineage": ["tumour" if k == "tum" else "immune" for k in KIND]}, rows=by_kind)
    assert len(t.read_cell_table(path).x_um) == 2 * CELLS


def test_measured_numbers_and_names_of_cells_are_no_images(tmp_path):
    unique = {"sample_barcode": [f"c{i}" for i in range(2 * CELLS)], "image_mean": list(range(2 * CELLS))}
    path = table(
        tmp_path / "a.csv", unique | {"fov_intensity": [i % 7 for i in range(2 * CELLS)], "slide_shift": X}
    )
    assert not t.read_cell_table(path).notes
    table(path, {"cell_id": [i % CELLS for i in range(2 * CELLS)]}, rows=RNG.permutation(2 * CELLS))
    (note,) = t.read_cell_table(path).notes
    assert note.startswith("a.csv: 30 of 60 values of 'cell_id' repeat: if the table holds several images")


@pytest.mark.parametrize("kind", ["text", "whole", "categorical"])
def test_an_anndata_file_of_two_images(tmp_path, kind):
    path, values = tmp_path / "a.h5ad", IMAGE if kind != "whole" else [1 + (i == "two") for i in IMAGE]
    with h5py.File(path, "w") as file:
        obs = file.create_group("obs")
        obs["x_um"], obs["y_um"], obs["phenotype"] = X, Y, KIND
        if kind == "categorical":
            column = obs.create_group("library_id")
            column["categories"], column["codes"] = (
                ["one", "two"],
                np.array([i == "two" for i in IMAGE], np.int8),
            )
        else:
            obs["library_id"] = values
    first, second = dict.fromkeys(map(str, values))
    with pytest.raises(InputError, match=rf"'{first}' \(30 cells\), '{second}' \(30 cells\)"):
        t.read_cell_table(path)
    assert t.read_cell_table(path, image=second).x_um.tolist() == X[CELLS:].tolist()


def test_libraries_without_a_column_are_refused(tmp_path):
    path = tmp_path / "a.h5ad"
    with h5py.File(path, "w") as file:
        obs = file.create_group("obs")
        obs["x_um"], obs["y_um"], obs["phenotype"] = X, Y, KIND
        file.create_group("uns/spatial/one")
        file.create_group("uns/spatial/two")
    with pytest.raises(InputError, match=r"uns\['spatial'\] names 2 images \(one, two\) and no column"):
        t.read_cell_table(path)
    assert len(t.read_cell_table(path, image_column="none").x_um) == 2 * CELLS


def test_the_choice_is_in_the_scenario_the_key_and_the_report(tmp_path):
    path = table(tmp_path / "a.csv", {"fov": IMAGE})
    tissue = {
        "kind": "table", "file": str(path), "table_mapping": {"tum": "A", "cd8": "T"}, "table_fill": "none",
    }  # fmt: skip
    with pytest.raises(InputError, match="holds 2 images"):
        place(tissue)
    one, two = (place(tissue | {"image": name}) for name in ("one", "two"))
    for placement, name in ((one, "one"), (two, "two")):
        assert placement.report["table"]["image"]["name"] == name
        assert placement.report["collisions"]["cells"] == CELLS
    assert not np.array_equal(one.occupant, two.occupant)
    loaded = [load_scenario("mcrc_placebo", [f"tissue.image={name}"]) for name in ("one", "two")]
    assert len({key_of(scenario, 1, path) for scenario in loaded}) == 2
    with pytest.raises(InputError, match="'image' chooses an image of a cell table"):
        place({"kind": "scattered", "shares": {"A": 0.5}, "image": "one"})
