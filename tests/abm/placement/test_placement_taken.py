"""Tissue taken from images, tile maps, tables in 3-D and earlier runs."""

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.abm.placement import place_earlier, place_labels, place_table, place_tiles
from oncolattice.abm.placement.settle import settle
from oncolattice.abm.snapshot import CellTypeInfo

LAYERS = ("tissue", "immune")


def infos(*names):
    layer = {"T": "immune", "R": "immune"}
    return tuple(
        CellTypeInfo(i, name, name, layer.get(name, "tissue"), name, "#000000")
        for i, name in enumerate(names, start=1)
    )


TYPES = infos("A", "B", "S", "V", "T", "R")
A, B, S, V, T, R = range(1, 7)
PLACE = 15.0, TYPES, LAYERS

# --- images -----------------------------------------------------------------------------------------------

LABELS = {"0": "ignore", "1": "A", "2": "B", "3": "T"}


def picture(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 4, shape)


def labelled(labels, shape=None, pixel=15.0, mapping=LABELS, seed=1):
    names = [str(code) for code in range(4)]
    shape = labels.shape if shape is None else shape
    return place_labels(shape, *PLACE, labels, names, [pixel] * labels.ndim, mapping, seed)


@pytest.mark.parametrize("shape", [(31, 47), (5, 9, 7)])
def test_an_image_at_the_pitch_of_the_lattice_is_the_tissue(shape):
    labels = picture(shape)
    tissue = labelled(labels)
    assert np.array_equal(tissue.occupant[0], np.where(labels < 3, labels, 0))
    assert np.array_equal(tissue.occupant[1], np.where(labels == 3, T, 0))
    assert tissue.report["labels"]["3"] == {"pixels": (labels == 3).sum(), "sites": (labels == 3).sum()}


@pytest.mark.parametrize("shape", [(6, 9), (4, 5, 3)])
def test_nearest_neighbour_resampling(shape):
    """Pixels of three sites are repeated; of three pixels a site shows the middle one."""
    labels = picture(shape)
    large = labels
    for axis in range(labels.ndim):
        large = np.repeat(large, 3, axis)
    wanted = labelled(large)
    coarse = labelled(labels, large.shape, pixel=45.0)
    assert np.array_equal(coarse.occupant, wanted.occupant)
    fine = picture(tuple(3 * n for n in shape), seed=1)
    middle = labelled(fine[(slice(1, None, 3),) * labels.ndim])
    assert np.array_equal(labelled(fine, shape, pixel=5.0).occupant, middle.occupant)


def test_a_small_image_lies_in_the_middle():
    labels = picture((10, 12))
    tissue = labelled(labels, (20, 30))
    assert np.array_equal(tissue.occupant[:, 5:15, 9:21], labelled(labels).occupant)
    assert not tissue.occupant[:, tissue.region == 1].any()
    assert (tissue.region == 0).sum() == 120


def test_a_composition_is_exact_over_its_label():
    labels = picture((40, 50))
    mixed = LABELS | {"1": {"A": 0.25, "S": 0.75}}
    tissue, sites = labelled(labels, mapping=mixed), int((labels == 1).sum())
    counts = np.bincount(tissue.occupant[0][labels == 1], minlength=7)
    assert counts[A] + counts[S] == sites
    assert abs(counts[A] - sites / 4) <= 0.5
    assert np.array_equal(tissue.occupant[0] == B, labels == 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"mapping": {"1": "A", "2": "B"}},
            r"labels without a cell type: '\d' \(\d+ pixels\), '\d' \(\d+ pixels\); mapped are '1', '2'",
        ),
        ({"mapping": LABELS | {"1": "C"}}, "mapping of label '1': unknown cell type 'C'"),
        ({"shape": (10, 47)}, "the image covers 31 rows x 47 columns of 15 um, the lattice has 10 x 47"),
        ({"shape": (4, 31, 47)}, "the image is 2-D and the lattice 3-D"),
        ({"pixel": 0.0}, "'pixel_um' must be"),
    ],
)
def test_wrong_images_are_refused(change, words):
    with pytest.raises(InputError, match=words):
        labelled(picture((31, 47)), **change)


def test_unknown_labels_come_with_their_numbers():
    labels = np.repeat(np.arange(4), [5, 3, 2, 10]).reshape(4, 5)
    with pytest.raises(
        InputError, match=r"'3' \(10 pixels\), '0' \(5 pixels\), '2' \(2 pixels\); mapped are '1';"
    ):
        labelled(labels, mapping={"1": "A"})


# --- tiles ------------------------------------------------------------------------------------------------

CLASSES = {"TUM": {"A": 2000.0, "T": 500.0}, "STR": {"S": 1000.0}, "DEB": "ignore"}


def tiled(shape, rows, columns, classes, tile=30.0, mapping=CLASSES, **more):
    return place_tiles(shape, *PLACE, np.array(rows), np.array(columns), classes, tile, mapping, 1, **more)


def test_tiles_by_hand():
    full = {"TUM": {"A": 1e6 / 225}, "STR": {"S": 1e6 / 225}, "DEB": "ignore"}
    tissue = tiled((4, 6), [7, 7, 8, 8], [3, 5, 3, 4], ["TUM", "STR", "DEB", "STR"], mapping=full)
    assert tissue.occupant[0].tolist() == [[A, A, 0, 0, S, S]] * 2 + [[0, 0, S, S, 0, 0]] * 2
    assert tissue.region_names == ("STR", "TUM", "outside")
    assert tissue.region.tolist() == [[1, 1, 2, 2, 0, 0]] * 2 + [[2, 2, 0, 0, 2, 2]] * 2
    window = tiled(
        (2, 4), [7, 7, 8, 8], [3, 5, 3, 4], ["TUM", "STR", "DEB", "STR"], mapping=full, corner=[8, 3]
    )
    assert window.occupant[0].tolist() == [[0, 0, S, S]] * 2


def test_densities_are_exact_over_the_tiles_of_a_class():
    rng = np.random.default_rng(0)
    rows, columns = (v.reshape(-1) for v in np.mgrid[:12, :15])
    classes = rng.choice(["TUM", "STR", "DEB"], rows.size)
    tissue = tiled((96, 120), rows, columns, list(classes), tile=112.0, mapping=CLASSES)
    # the site under whose centre a tile lies, one by one
    seen = np.array(
        [
            [classes[int((y + 0.5) * 15 / 112) * 15 + int((x + 0.5) * 15 / 112)]
             if (y + 0.5) * 15 < 12 * 112 and (x + 0.5) * 15 < 15 * 112 else "" for x in range(120)]
            for y in range(96)
        ]
    )  # fmt: skip
    start = [-(-n * 112 // 15) for n in (12, 15)]
    assert [(96 - start[0]) // 2, (120 - start[1]) // 2] == [3, 4]
    seen = np.roll(seen, (3, 4), axis=(0, 1))
    for name, targets in CLASSES.items():
        area = (seen == name).sum() * 225e-6
        found = {k: int((tissue.occupant[i][seen == name] == k).sum()) for i, k in ((0, A), (0, S), (1, T))}
        wanted = {"A": A, "S": S, "T": T}
        expected = dict.fromkeys((A, S, T), 0)
        if targets != "ignore":
            expected |= {wanted[cell]: round(value * area) for cell, value in targets.items()}
        assert found == expected
    assert not tissue.occupant[:, ~np.isin(seen, ["TUM", "STR"])].any()


def test_the_order_of_tiles_does_not_matter():
    rows, columns = (v.reshape(-1) for v in np.mgrid[:5, :6])
    classes = np.random.default_rng(1).choice(["TUM", "STR", "DEB"], 30)
    order = np.random.default_rng(2).permutation(30)
    first = tiled((20, 20), rows, columns, list(classes))
    again = tiled((20, 20), rows[order], columns[order], list(classes[order]))
    assert np.array_equal(first.occupant, again.occupant)
    assert first.report == again.report


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mapping": {"TUM": {"A": 1.0}}}, r"classes without an entry: STR \(1\) tiles; mapped are TUM"),
        ({"mapping": CLASSES | {"TUM": {"C": 1.0}}}, "tile_classes TUM: unknown cell type 'C'"),
        ({"mapping": CLASSES | {"TUM": {"A": -1.0}}}, "'A' must be a number, 0 to"),
        ({"mapping": CLASSES | {"TUM": "A"}}, "write cell types and cells per mm2"),
        (
            {"mapping": CLASSES | {"TUM": {"A": 5600.0}}},
            r"A: 5 cells do not fit on 4 free sites \(tiles of class TUM\)",
        ),
        ({"shape": (2, 2)}, "covers 1 x 2 tiles of 30 um, 2 x 4 sites of 15 um; the lattice has 2 x 2"),
        ({"shape": (3, 8, 8)}, "tissue tiles are 2-D and the lattice 3-D"),
        ({"columns": [0, 0]}, "two tiles in one place"),
        ({"corner": [50, 50]}, r"no tile lies on the lattice.*rows 0 to 0 and columns 0 to 1"),
        ({"tile": 10.0}, "'tile_um' must be a number, 15 to"),
    ],
)
def test_wrong_tiles_are_refused(change, words):
    usual = {"shape": (8, 8), "rows": [0, 0], "columns": [0, 1], "classes": ["TUM", "STR"]}
    with pytest.raises(InputError, match=words):
        tiled(**(usual | change))


# --- cell tables in 3-D -----------------------------------------------------------------------------------


def test_settling_in_3d_equals_a_slow_oracle():
    rng = np.random.default_rng(4)
    x, y, z, kind = *(rng.uniform(0, n, 130) for n in (6, 5, 4)), rng.choice(["a", "b"], 130)
    x[:60], y[:50], z[:40] = (np.floor(v) + 0.5 for v in (x[:60], y[:50], z[:40]))
    site, moved = settle(x, y, kind, (4, 5, 6), 1.8, z)
    own = [tuple(int(v[i]) for v in (z, y, x)) for i in range(130)]

    def far(i, place):
        return np.sqrt(sum((p + 0.5 - v[i]) ** 2 for p, v in zip(place, (z, y, x), strict=True)))

    order = sorted(range(130), key=lambda i: (round(far(i, own[i]), 12), z[i], y[i], x[i], kind[i]))
    taken = {}
    for i in order:
        taken.setdefault(own[i], i)
    won = {i: place for place, i in taken.items()}
    for i in sorted((i for i in range(130) if i not in won), key=lambda i: (z[i], y[i], x[i], kind[i])):
        free = [p for p in np.ndindex(4, 5, 6) if p not in taken]
        nearest = min(free, key=lambda p: (round(far(i, p), 12), p), default=None)
        if nearest is not None and far(i, nearest) <= 1.8:
            taken[nearest], won[i] = i, nearest
    assert site.tolist() == [
        int(np.ravel_multi_index(won[i], (4, 5, 6))) if i in won else -1 for i in range(130)
    ]
    assert (moved <= 1.8).all()


def test_a_table_in_3d_by_hand_and_its_order():
    x, y, z = np.array([[1.0, 31, 16, 16], [1, 1, 20, 20], [2, 2, 2, 40]])
    names, mapping = np.array(["a", "t", "a", "a"]), {"a": "A", "t": "T"}
    tissue = place_table(None, *PLACE, x, y, names, mapping, 1, z_um=z)
    # in sites: (z, y, x) = (0, 0, 0), (0, 0, 2), (0, 1.27, 1), (2.53, 1.27, 1)
    assert tissue.occupant.shape == (2, 3, 2, 3)
    assert np.argwhere(tissue.occupant).tolist() == [[0, 0, 0, 0], [0, 0, 1, 1], [0, 2, 1, 1], [1, 0, 0, 2]]
    order = np.array([2, 0, 3, 1])
    for fill in ("mirror", "density", "none"):
        one, two = (
            place_table((6, 7, 8), *PLACE, x[o], y[o], names[o], mapping, 1, fill=fill, z_um=z[o])
            for o in (np.arange(4), order)
        )
        assert np.array_equal(one.occupant, two.occupant)
        assert np.array_equal(one.occupant[:, one.region == 0], tissue.occupant.reshape(2, -1))


def test_tables_and_lattices_of_other_dimensions_are_refused():
    x, names = np.array([1.0, 2.0]), ["a", "a"]
    with pytest.raises(InputError, match=r"the cell table is 2-D and the lattice 3-D.*a column for z"):
        place_table((9, 9, 9), *PLACE, x, x, names, {"a": "A"}, 1)
    with pytest.raises(InputError, match=r"the cell table is 3-D and the lattice 2-D.*no column for z"):
        place_table((9, 9), *PLACE, x, x, names, {"a": "A"}, 1, z_um=x)


# --- earlier runs -----------------------------------------------------------------------------------------


def before(shape=(6, 7), seed=0):
    """Return an earlier tissue whose types have other numbers."""
    rng = np.random.default_rng(seed)
    return {
        "occupant": {
            "tissue": rng.integers(0, 3, shape).astype(np.uint8),  # V, A
            "immune": 3 * rng.integers(0, 2, shape).astype(np.uint8),  # T
        },
        "earlier_types": (
            *infos("V", "A", "T"),
            CellTypeInfo(9, "gone", "gone", "tissue", "gone", "#000000"),
        ),
        "earlier_um": 15.0,
        "region": rng.integers(0, 2, shape).astype(np.uint8),
        "region_names": ("core", "margin"),
    }


@pytest.mark.parametrize("shape", [(6, 7), (3, 4, 5)])
def test_an_earlier_tissue_is_taken_over_cell_by_cell(shape):
    old = before(shape)
    uid = {layer: np.full(shape, 2**64 - 1 - i, np.uint64) for i, layer in enumerate(old["occupant"])}
    clock = {"immune": np.random.default_rng(1).random(shape, dtype=np.float32)}
    oxygen = np.random.default_rng(2).random(shape)
    tissue = place_earlier(
        shape, *PLACE, **old, uid=uid, attributes={"clock": clock}, fields={"oxygen": oxygen}
    )
    assert np.array_equal(tissue.occupant[0], np.array([0, V, A])[old["occupant"]["tissue"]])
    assert np.array_equal(tissue.occupant[1] == T, old["occupant"]["immune"] == 3)
    assert np.array_equal(tissue.region, old["region"])
    assert tissue.uid.dtype == np.uint64
    assert [int(u.min()) for u in tissue.uid] == [2**64 - 1, 2**64 - 2]
    assert tissue.attributes["clock"].dtype == np.float32
    assert np.array_equal(tissue.attributes["clock"], [np.zeros(shape), clock["immune"]])
    assert np.array_equal(tissue.fields["oxygen"], oxygen)
    assert place_earlier(shape, *PLACE, **old).uid is None


def test_what_does_not_fit_an_earlier_run_is_refused():
    with pytest.raises(InputError, match="has 6 x 7 sites of 15 um, the lattice 7 x 7 of 15 um"):
        place_earlier((7, 7), *PLACE, **before())
    with pytest.raises(InputError, match="set lattice and pitch"):
        place_earlier((6, 7), *PLACE, **(before() | {"earlier_um": 20.0}))
    old = before()
    old["occupant"]["tissue"][0, :3] = 9
    with pytest.raises(InputError, match="cells that the model does not know: 3 gone"):
        place_earlier((6, 7), *PLACE, **old)
