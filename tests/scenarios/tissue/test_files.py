"""Tissue read from files: labelled images, cell tables and maps of tissue classes."""

import collections
import csv

import h5py
import numpy as np
import pytest
from PIL import Image
from shared import beside

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.tissue import place as t
from oncolattice.scenarios.tissue.image import read_image, read_tiles
from oncolattice.tests.helpers.tissue_cases import CODES, LABELS, MAPPING, A, B, T, grey_png, number, place

TILES = "crc_orion_lin2023_tissue_tiles_example2.csv"

# --- images -----------------------------------------------------------------------------------------------


def expected(labels=LABELS):
    return np.array([A * (labels == 7) + B * (labels == 255), T * (labels == 9)])


def from_image(path, lattice=(50, 60), mapping=MAPPING, **more):
    return place(
        {"kind": "image", "file": str(path), "pixel_um": 20.0, "label_mapping": mapping} | more, lattice
    )


def test_a_grey_png_becomes_tissue_and_the_tissue_the_png(tmp_path):
    path = grey_png(tmp_path / "labels.png", LABELS)
    placement = from_image(path)
    assert np.array_equal(placement.occupant, expected())
    back = (
        7 * (placement.occupant[0] == A)
        + 255 * (placement.occupant[0] == B)
        + 9 * (placement.occupant[1] == T)
    )
    again = from_image(grey_png(tmp_path / "again.png", back.astype(np.uint8)))
    assert np.array_equal(again.occupant, placement.occupant)
    assert placement.report["image"]["sha256"] == again.report["image"]["sha256"]
    assert placement.report["labels"]["255"]["pixels"] == (LABELS == 255).sum()


COLOURS = {0: (0, 0, 0), 7: (213, 94, 0), 255: (0, 158, 115), 9: (1, 2, 3)}
HEX = {"#000000": "ignore", "#D55E00": "A", "#009E73": "B", "#010203": "T"}


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_and_tiff(tmp_path, mode, suffix):
    path, mapping = tmp_path / f"labels.{suffix}", MAPPING
    if mode in ("RGB", "RGBA"):
        mapping = HEX
        image = Image.fromarray(
            np.array([COLOURS.get(v, (0, 0, 0)) for v in range(256)], np.uint8)[LABELS]
        ).convert(mode)
    elif mode == "I;16":
        image = Image.fromarray(LABELS.astype(np.uint16) * 257)
        mapping = {str(257 * int(code)): target for code, target in MAPPING.items()}
    else:
        image = Image.fromarray(LABELS)
        if mode == "P":
            image = Image.frombytes("P", image.size, LABELS.tobytes())
            image.putpalette([(37 * i) % 256 for i in range(768)])
    image.save(path)
    assert np.array_equal(from_image(path, mapping=mapping).occupant, expected())


def test_a_black_and_white_image(tmp_path):
    path = tmp_path / "mask.png"
    Image.fromarray(LABELS == 7).save(path)
    placement = from_image(path, mapping={"0": "ignore", "255": "A"})
    assert np.array_equal(placement.occupant[0] == A, LABELS == 7)


def test_the_pages_of_a_tiff_are_planes(tmp_path):
    path = tmp_path / "stack.tif"
    planes = np.random.default_rng(5).choice(list(CODES), (4, 20, 30)).astype(np.uint8)
    first, *rest = (Image.fromarray(plane) for plane in planes)
    first.save(path, save_all=True, append_images=rest)
    assert np.array_equal(from_image(path, (4, 20, 30)).occupant, expected(planes))
    doubled = from_image(path, (8, 20, 30), page_um=40.0)
    assert np.array_equal(doubled.occupant, np.repeat(expected(planes), 2, axis=1))
    with pytest.raises(InputError, match="the image is 3-D and the lattice 2-D"):
        from_image(path, (20, 30))
    odd = tmp_path / "odd.tif"
    first.save(odd, save_all=True, append_images=[Image.fromarray(planes[0, :5])])
    with pytest.raises(InputError, match="pages differ in size or mode"):
        read_image(odd)


def test_what_is_no_label_image_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such image"):
        read_image(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(InputError, match="not a readable image"):
        read_image(tmp_path / "text.png")
    whole = grey_png(tmp_path / "whole.png", LABELS).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a readable image"):
        read_image(tmp_path / "cut.png")
    Image.fromarray(LABELS).save(tmp_path / "lossy.jpg")
    with pytest.raises(InputError, match="a JPEG file; save labels as PNG or TIFF"):
        read_image(tmp_path / "lossy.jpg")
    Image.fromarray(np.zeros((4, 4, 4), np.uint8)).save(tmp_path / "clear.png")
    with pytest.raises(InputError, match="some pixels are transparent"):
        read_image(tmp_path / "clear.png")
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(InputError, match="unknown image mode 'F'"):
        read_image(tmp_path / "float.tif")
    path = grey_png(tmp_path / "labels.png", LABELS)
    with pytest.raises(InputError, match="'pixel_um' is missing"):
        place({"kind": "image", "file": str(path), "label_mapping": MAPPING})
    unknown = rf"'255' \({(LABELS == 255).sum()} pixels\); mapped are '0', '7', '9'"
    with pytest.raises(InputError, match=unknown):
        from_image(path, mapping={key: value for key, value in MAPPING.items() if key != "255"})


# --- cell tables ------------------------------------------------------------------------------------------

CELLS = {"x": [5.0, 70.0, 30.0, 30.0], "y": [5.0, 25.0, 45.0, 25.0], "z": [5.0, 5.0, 45.0, 25.0]}
PHENOTYPES = ["tum", "cd8", "tum", ""]


def h5ad(path, obs=(), spatial=None, categorical=True):
    """Write the parts of an AnnData file that are read, as its on-disk format describes them."""
    with h5py.File(path, "w") as file:
        group = file.create_group("obs")
        group.attrs.update(
            {"encoding-type": "dataframe", "_index": "cell", "column-order": [*obs, "cell_type"]}
        )
        group["cell"] = [f"c{i}" for i in range(4)]
        for name in obs:
            group[name] = CELLS[name[0]]
        if categorical:
            column = group.create_group("cell_type")
            column.attrs["encoding-type"] = "categorical"
            column["categories"] = ["cd8", "tum"]
            column["codes"] = np.array([1, 0, 1, -1], np.int8)
        else:
            group["cell_type"] = PHENOTYPES
        if spatial:
            file.create_group("obsm")["spatial"] = np.array([CELLS[key] for key in spatial]).T
    return path


@pytest.mark.parametrize("categorical", [True, False])
@pytest.mark.parametrize(
    ("obs", "spatial", "used", "unit"),
    [
        (("x_um", "y_um"), None, {"x": "x_um", "y": "y_um"}, "um"),
        (("x", "y", "z"), None, {"x": "x", "y": "y", "z": "z"}, "um (assumed)"),
        ((), "xy", {"x": "obsm spatial 0", "y": "obsm spatial 1"}, "um (assumed)"),
        ((), "xyz", {"x": "obsm spatial 0", "y": "obsm spatial 1", "z": "obsm spatial 2"}, "um (assumed)"),
    ],
)
def test_anndata_files(tmp_path, obs, spatial, used, unit, categorical):
    table = t.read_cell_table(h5ad(tmp_path / "a.h5ad", obs, spatial, categorical))
    assert table.x_um.tolist() == CELLS["x"]
    assert table.y_um.tolist() == CELLS["y"]
    assert (table.z_um.tolist() if "z" in used else table.z_um) == (CELLS["z"] if "z" in used else None)
    assert table.phenotype == ("tum", "cd8", "tum", "(none)")
    assert table.provenance["columns"] == used | {"phenotype": "cell_type"}
    assert table.provenance["unit"] == unit


def test_text_and_anndata_give_the_same_tissue(tmp_path):
    rows = zip(*CELLS.values(), PHENOTYPES, strict=True)
    text = tmp_path / "a.csv"
    text.write_text("x,y,z,cell_type\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    binary = h5ad(tmp_path / "a.h5ad", ("x", "y", "z"))
    tissue = {"kind": "table", "table_mapping": {"tum": "A", "cd8": "T"}, "table_fill": "none"}
    for lattice in ((8, 9), (5, 8, 9)):
        one, two = (place(tissue | {"file": str(path)}, lattice) for path in (text, binary))
        assert np.array_equal(one.occupant, two.occupant)
        assert number(one)[1:] == [2, 0, 1]
    named = tissue | {"file": str(text), "table_columns": {"x": "z", "y": "y", "phenotype": "cell_type"}}
    swapped = place(named, (8, 9))
    # z of the first three cells, 0, 0 and 2 sites from the least: core of 3 x 3 in the middle of 8 x 9
    assert np.argwhere(swapped.occupant).tolist() == [[0, 2, 3], [0, 4, 5], [1, 3, 3]]


def test_a_3d_lattice_needs_a_3d_table(tmp_path):
    flat = h5ad(tmp_path / "a.h5ad", ("x", "y"))
    for fill in ("none", "drawn"):
        tissue = {"kind": "table", "file": str(flat), "table_mapping": {"tum": "A"}, "table_fill": fill}
        with pytest.raises(InputError, match="the cell table is 2-D and the lattice 3-D"):
            place(tissue, (8, 8, 9))


def test_drawn_tissue_around_a_3d_table(tmp_path):
    path = h5ad(tmp_path / "a.h5ad", ("x", "y", "z"))
    tissue = {
        "kind": "table", "file": str(path), "table_mapping": {"tum": "A", "cd8": "T"}, "table_fill": "drawn",
        "occupancy": 0.3, "pattern": "scattered", "composition": {"B": 1.0},
    }  # fmt: skip
    placement = place(tissue, (9, 10, 11))
    assert placement.region_names == ("core", "surround")
    assert number(placement)[A] == 2
    assert not (placement.occupant[0][placement.region == 0] == B).any()


def test_wrong_anndata_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such AnnData file"):
        t.read_cell_table(tmp_path / "none.h5ad")
    (tmp_path / "text.h5ad").write_text("x,y\n")
    with pytest.raises(InputError, match="not a readable AnnData file"):
        t.read_cell_table(tmp_path / "text.h5ad")
    with pytest.raises(InputError, match=r"x_um or x, or give obsm\['spatial'\] .* \(found: cell_type\)"):
        t.read_cell_table(h5ad(tmp_path / "a.h5ad"))
    with h5py.File(tmp_path / "b.h5ad", "w") as file:
        obs = file.create_group("obs")
        obs["x_um"], obs["y_um"] = [1.0], [1.0]
    with pytest.raises(InputError, match="no column for phenotype"):
        t.read_cell_table(tmp_path / "b.h5ad")
    path = h5ad(tmp_path / "c.h5ad", ("x", "y"))
    with h5py.File(path, "a") as file:
        file["obs/x"][1] = np.nan
    with pytest.raises(InputError, match="cell 2: x is 'nan', not a finite number"):
        t.read_cell_table(path)
    with pytest.raises(InputError, match="unknown column 'w'"):
        t.read_cell_table(path, {"w": "x"})


# --- tiles ------------------------------------------------------------------------------------------------

SMALL = "slide,row,col,cls,pmax\nb,5,7,TUM,90\nb,5,8,STR,80\na,0,0,TUM,9\nb,6,8,ADI,70\n"


def test_tiles_of_a_slide(tmp_path):
    path = tmp_path / "tiles.csv"
    path.write_text(SMALL)
    tissue = {
        "kind": "tiles", "file": str(path), "slide": "b", "tile_um": 40.0,
        "tile_classes": {"TUM": {"A": 2500.0}, "STR": {"B": 1250.0, "T": 625.0}, "ADI": "ignore"},
    }  # fmt: skip
    placement = place(tissue, (4, 4))
    # a tile is 2 x 2 sites of 4e-4 mm2: full, half full, a quarter full
    assert number(placement)[1:] == [4, 2, 1]
    assert (placement.occupant[0][:2, :2] == A).all()
    assert (placement.occupant[:, :2, 2:] > 0).sum() == 3
    window = place(tissue | {"tile_corner": [5, 8]}, (2, 2))
    assert number(window)[1:] == [0, 2, 1]


@pytest.mark.parametrize(
    ("text", "slide", "words"),
    [
        (SMALL, None, r"several slides, a \(1 tiles\), b \(3 tiles\); choose one with tissue.slide"),
        (SMALL, "c", "unknown slide 'c'"),
        ("row,col\n1,2\n", None, "no column 'cls'"),
        ("row,col,cls\n", None, "the map of tiles has a header but no tiles"),
        ("row,col,cls\n1,x,TUM\n", None, "line 2: col is 'x', not a whole number"),
        ("row,col,cls\n1\n", None, "line 2: 1 values in 3 columns"),
    ],
)
def test_wrong_tile_maps_are_refused(tmp_path, text, slide, words):
    path = tmp_path / "tiles.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_tiles(path, slide)


def test_the_real_slide_is_drawn_where_its_tiles_are():
    path = beside(f"data/{TILES}")
    densities = {
        "TUM": {"A": 2000.0},
        "STR": {"B": 1000.0, "T": 200.0},
        "LYM": {"T": 2400.0},
        "MUS": {"B": 400.0},
    }
    classes = densities | dict.fromkeys(("NORM", "DEB", "MUC", "ADI"), "ignore")
    tissue = {"kind": "tiles", "file": str(path), "slide": "CRC02", "tile_classes": classes}
    placement = place(tissue, (780, 960))
    with path.open() as file:
        tiles = [row for row in csv.DictReader(file) if row["slide"] == "CRC02"]
    number_of = collections.Counter(tile["cls"] for tile in tiles)
    for name, targets in densities.items():
        entry = placement.report["regions"][name]
        # sites of 20 um approximate tiles of 112 um: 5.6 of them along a side, so a tile more or less at the rim
        assert entry["area_mm2"] == pytest.approx(number_of[name] * 0.112**2, rel=0.03)
        for cell, density in targets.items():
            assert entry["placed"][cell] == round(density * entry["area_mm2"])
    # every tumour tile that lies inside holds tumour at its density, within 6 SD of a binomial draw
    top, left = (780 - 768) // 2, (960 - 958) // 2  # rows 2 to 138, columns 0 to 170: 767.2 x 957.6 sites
    found = []
    for tile in tiles:
        if tile["cls"] == "TUM":
            y, x = (int(tile[key]) - first for key, first in (("row", 2), ("col", 0)))
            rows, columns = (
                slice(round(5.6 * v + o), round(5.6 * (v + 1) + o)) for v, o in ((y, top), (x, left))
            )
            found.append((placement.occupant[0][rows, columns] == A).mean())
    assert np.mean(found) == pytest.approx(2000 * 4e-4, rel=0.01)
    assert min(found) > 0.8 - 6 * np.sqrt(0.16 / 25)
