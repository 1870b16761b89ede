"""Placement: exact numbers, textures with known laws, spacing, real cells against a slow oracle."""

import numpy as np
import pytest
from scipy import stats

from oncolattice.abm.errors import InputError
from oncolattice.abm.placement import place_drawn, place_table
from oncolattice.abm.placement.luck import exact_numbers, generator
from oncolattice.abm.placement.settle import settle
from oncolattice.abm.placement.spacing import spaced_sites
from oncolattice.abm.placement.texture import texture
from oncolattice.abm.snapshot import CellTypeInfo

LAYERS = ("tissue", "immune")
TYPES = tuple(
    CellTypeInfo(i, name, name, layer, name, "#000000")
    for i, (name, layer) in enumerate(
        [
            ("A", "tissue"),
            ("B", "tissue"),
            ("S", "tissue"),
            ("V", "tissue"),
            ("T", "immune"),
            ("R", "immune"),
        ],
        start=1,
    )
)
A, B, S, V, T, R = range(1, 7)
RULES = {
    "occupancy": 0.2,
    "pattern": "glands",
    "scale_um": 60.0,
    "composition": {"A": 0.25, "B": 0.75},
    "stroma": {"type": "S", "fraction": 0.12},
    "vessels": {"type": "V", "per_mm2": 80.0},
    "margin_um": 300.0,
    "immune": {"T": {"core": 100.0, "margin": 300.0}, "R": {"core": 20.0, "margin": 30.0}},
}


def drawn(seed=1, shape=(128, 128), **changes):
    return place_drawn(shape, 15.0, TYPES, LAYERS, RULES | changes, seed)


def tumour(placement):
    return np.isin(placement.occupant[0], (A, B))


@pytest.mark.parametrize("pattern", ["glands", "nests", "scattered", "disc"])
@pytest.mark.parametrize("occupancy", [0.0, 0.013, 0.2, 0.5, 0.84])
def test_numbers_of_tumour_cells_are_exact(pattern, occupancy):
    tissue = place_drawn(
        (61, 83), 15.0, TYPES, LAYERS,
        {"occupancy": occupancy, "pattern": pattern, "composition": {"A": 0.25, "B": 0.75}}, 7,
    )  # fmt: skip
    wanted = round(occupancy * 61 * 83)
    found = np.bincount(tissue.occupant.reshape(-1), minlength=7)
    assert found[A] + found[B] == wanted
    assert abs(found[A] - wanted / 4) <= 0.5
    assert found[S:].sum() == 0
    assert tissue.report["placed"]["A"] == found[A]


def test_numbers_of_256_by_256_counted_by_hand():
    tissue = drawn(shape=(256, 256))
    # .2 x 65,536 = 13,107.2; a quarter of 13,107 is 3,276.75; .12 x 65,536 = 7,864.3;
    # 80 per mm2 x 65,536 x 225e-6 mm2 = 1,179.6; the margin is 20 of 256 columns: 1.152 and 13.594 mm2
    assert tissue.report["placed"] == {
        "A": 3277,
        "B": 9830,
        "S": 7864,
        "V": 1180,
        "T": 346 + 1359,
        "R": 35 + 272,
    }
    assert tissue.report["regions"]["margin"]["placed"]["T"] == 346
    assert tissue.region_names == ("core", "margin")
    assert np.array_equal(np.flatnonzero(tissue.region[0]), np.arange(20))


def test_largest_remainder():
    assert exact_numbers(10, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}) == {"a": 4, "b": 3, "c": 3}
    assert exact_numbers(7, {"a": 0.5, "b": 0.3, "c": 0.2}) == {"a": 4, "b": 2, "c": 1}
    assert exact_numbers(0, {"a": 1.0}) == {"a": 0}


def test_texture_has_the_covariance_of_a_smoothed_field():
    """White noise smoothed by a Gaussian of SD s correlates as exp(-d^2 / 4 s^2) at distance d."""
    sigma, sums = 5.0, {0: [], 3: [], 6: [], 10: [], 20: []}
    for seed in range(20):
        field = texture((300, 200), sigma, generator(seed, "test"))
        for lag, values in sums.items():
            values.append(np.mean(field[lag:] * field[: 300 - lag]))
            values.append(np.mean(field[:, lag:] * field[:, : 200 - lag]))
    for lag, values in sums.items():
        # some 240 independent patches a field: a mean of 20 has an SE near .01; bound 4 to 5 SE
        assert np.mean(values) == pytest.approx(np.exp(-((lag / sigma) ** 2) / 4), abs=0.045)


def pair_ratio(mask):
    """Return horizontal pairs of occupied neighbours over their expectation for cells drawn at random."""
    n, size = int(mask.sum()), mask.size
    pairs = mask.shape[0] * (mask.shape[1] - 1)
    return (mask[:, 1:] & mask[:, :-1]).sum() / (pairs * n * (n - 1) / size / (size - 1))


def test_scattered_cells_are_uncorrelated_and_glands_are_not():
    ratios = np.array([pair_ratio(tumour(drawn(seed, pattern="scattered"))) for seed in range(40)])
    # mean of 40 against 1: |z| < 5 fails by chance once in 1.7 million
    assert abs(ratios.mean() - 1) < 5 * ratios.std(ddof=1) / np.sqrt(40)
    assert ratios.std(ddof=1) < 0.05
    assert pair_ratio(tumour(drawn())) > 2.5


def test_glands_keep_room_to_grow():
    tissue = drawn(shape=(256, 256))
    assert tissue.report["tumour"]["fill_of_glands"] == pytest.approx(0.8, abs=1e-3)
    assert tissue.report["tumour"]["gland_share"] == pytest.approx(0.25, abs=1e-3)
    # a site of a gland sees its neighbours filled to about .8, far above the .2 of the whole lattice
    mask = tumour(tissue)
    neighbours = mask[:-2, 1:-1] + mask[2:, 1:-1].astype(int) + mask[1:-1, :-2] + mask[1:-1, 2:]
    assert 0.65 < neighbours[mask[1:-1, 1:-1]].mean() / 4 < 0.8


def test_disc_is_compact():
    mask = tumour(drawn(pattern="disc", shape=(64, 80)))
    y, x = np.mgrid[:64, :80]
    distance = np.hypot(y - 31.5, x - 39.5)
    assert distance[mask].max() <= distance[~mask].min() + 1e-9


def closest(points):
    distance = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1))
    np.fill_diagonal(distance, np.inf)
    return distance.min()


def test_vessels_keep_apart_and_out_of_glands():
    tissue = drawn()
    points = np.argwhere(tissue.occupant[0] == V) * 15.0
    spacing = tissue.report["vessels"]["least_distance_um"]
    assert len(points) == round(80 * 128 * 128 * 225e-6)
    assert spacing == pytest.approx(0.6e3 / np.sqrt(80), rel=1e-2)
    assert closest(points) >= spacing
    assert tissue.report["vessels"]["inside_glands"] == 0


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3, 0.9, 1.0])
def test_spaced_sites_reach_their_number_at_any_density(share):
    free = np.random.default_rng(3).random((40, 50)) < 0.7
    number = int(share * free.sum())
    sites, spacing = spaced_sites(free, np.zeros_like(free), number, 5)
    assert sites.sum() == number
    assert not (sites & ~free).any()
    assert closest(np.argwhere(sites)) >= spacing
    # .6 / sqrt(density), shrunk by fifths until it is below one site
    shrunk = np.log(spacing / (0.6 * np.sqrt(free.size / number))) / np.log(0.8) if spacing else 0.0
    assert shrunk == pytest.approx(round(shrunk), abs=1e-9)


def test_stroma_avoids_tumour():
    tissue = drawn(shape=(256, 256))
    mask, layer = tumour(tissue), tissue.occupant[0]
    wide = np.pad(mask, 1)
    near = sum(wide[1 + j : 257 + j, 1 + i : 257 + i].astype(int) for j in (-1, 0, 1) for i in (-1, 0, 1)) > 0
    background = near[(layer == 0) | (layer == S)].mean()
    assert near[layer == S].mean() < 0.5 * background


def test_immune_cells_are_uniform_within_their_region():
    tissue = drawn(shape=(256, 256), margin_um=0.0, immune={"T": {"core": 300.0}})
    blocks = (tissue.occupant[1] == T).reshape(8, 32, 8, 32).sum(axis=(1, 3)).reshape(-1)
    # chi-square of 64 blocks, two-sided at a false-alarm rate of 1e-6
    p = stats.chisquare(blocks).pvalue
    assert 5e-7 < p < 1 - 5e-7
    assert tissue.region_names == ("core",)


def test_few_immune_cells_are_raised_in_proportion():
    sparse = {"T": {"core": 1.0, "margin": 3.0}}
    tissue = drawn(immune=sparse, least_immune=80)
    found = [tissue.report["regions"][name]["placed"]["T"] for name in ("core", "margin")]
    # 108 columns at 1 and 20 columns at 3: shares 108 to 60 of 80
    assert found == [51, 29]
    assert tissue.report["immune"]["T"]["raised_to_least"]
    nothing = {"T": {"core": 0.0, "margin": 0.0}}
    assert drawn(immune=nothing, least_immune=12).report["placed"]["T"] == 12
    assert drawn(immune=nothing).report["placed"]["T"] == 0


def test_luck_is_reproducible_and_options_are_independent():
    base = drawn()
    assert np.array_equal(base.occupant, drawn().occupant)
    assert not np.array_equal(tumour(base), tumour(drawn(seed=2)))
    other = drawn(vessels={"type": "V", "per_mm2": 20.0}, stroma={"type": "S", "fraction": 0.3})
    assert np.array_equal(tumour(base), tumour(other))
    assert np.array_equal(base.occupant[1], other.occupant[1])
    more = drawn(immune=RULES["immune"] | {"R": {"core": 200.0, "margin": 5.0}})
    assert np.array_equal(base.occupant[0], more.occupant[0])
    assert np.array_equal(base.occupant[1] == T, more.occupant[1] == T)
    # every type has luck of its own: R stays where it is but for the few sites that T now holds
    crowded = drawn(immune=RULES["immune"] | {"T": {"core": 400.0, "margin": 300.0}})
    kept = (base.occupant[1] == R) & (crowded.occupant[1] != T)
    assert (crowded.occupant[1] == R)[kept].all()
    assert kept.sum() > 0.7 * (base.occupant[1] == R).sum()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pattern": "gland"}, "did you mean 'glands'"),
        ({"ocupancy": 0.2}, "did you mean 'occupancy'"),
        ({"occupancy": 1.2}, "'occupancy' must be a number, 0 to 1"),
        ({"occupancy": float("nan")}, "'occupancy' must be a number"),
        ({"composition": {"A": 0.25, "B": 0.65}}, "add up to 0.9"),
        ({"composition": {"A": 0.25, "C": 0.75}}, "unknown cell type 'C'"),
        ({"composition": {"A": 0.25, "T": 0.75}}, "several layers"),
        ({"composition": {}}, "write cell types and shares"),
        ({"scale_um": 0}, "'scale_um' must be"),
        ({"margin_um": 1920.0}, "leaves no core"),
        ({"vessels": {"type": "V"}}, "must be { type, per_mm2 }"),
        ({"vessels": {"type": "V", "per_mm2": 1e5}}, "lower 'per_mm2'"),
        ({"stroma": {"type": "S", "fraction": 0.9}}, "lower 'fraction'"),
        ({"immune": {"T": {"core": 10.0}}}, "no density for region 'margin'"),
        ({"immune": {"T": {"core": 10.0, "edge": 1.0}}}, "unknown region 'edge'"),
        ({"immune": {"T": {"core": 1e5, "margin": 1.0}}}, "do not fit"),
    ],
)
def test_wrong_rules_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        drawn(**changes)


# --- tables of real cells ---------------------------------------------------------------------------------


def crowded(n=400, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 300, n), rng.uniform(0, 225, n)
    x[:6], y[:6] = (0, 300, 0, 300, 150, 150), (0, 0, 225, 225, 112, 112)  # fixes the box; two coincide
    names = rng.choice(["tum", "vas", "cd8", "dirt", "odd"], n, p=[0.4, 0.2, 0.2, 0.1, 0.1])
    return x, y, names


MAPPING = {"tum": {"A": 0.25, "B": 0.75}, "vas": "V", "cd8": "T", "dirt": "ignore", "gone": "R"}


def tabled(cells, shape=None, mapping=MAPPING, seed=1, **more):
    return place_table(shape, 15.0, TYPES, LAYERS, *cells, mapping, seed, **more)


def slow_settle(x, y, kind, shape, reach):
    """Do what ``settle`` says, one cell and one site at a time."""
    cells = range(len(x))
    own = [(min(int(y[i]), shape[0] - 1), min(int(x[i]), shape[1] - 1)) for i in cells]
    taken = {}
    for i in cells:
        rank = (np.hypot(x[i] - own[i][1] - 0.5, y[i] - own[i][0] - 0.5), y[i], x[i], kind[i])
        if own[i] not in taken or rank < taken[own[i]][0]:
            taken[own[i]] = (rank, i)
    site = {i: s for s, (_, i) in taken.items()}
    for i in sorted((i for i in cells if i not in site), key=lambda i: (y[i], x[i], kind[i])):
        options = [
            (np.hypot(c + 0.5 - x[i], r + 0.5 - y[i]), r, c)
            for r in range(shape[0])
            for c in range(shape[1])
            if (r, c) not in taken
        ]
        if options and min(options)[0] <= reach:
            site[i] = min(options)[1:]
            taken[site[i]] = None
    return [site[i][0] * shape[1] + site[i][1] if i in site else -1 for i in cells]


@pytest.mark.parametrize("reach", [1.0, 1.7, 3.0])
@pytest.mark.parametrize("n", [0, 1, 60, 150, 200])
def test_settling_equals_a_slow_oracle(n, reach):
    rng = np.random.default_rng(n)
    x, y, kind = rng.uniform(0, 14, n), rng.uniform(0, 11, n), rng.choice(["a", "b"], n)
    x[: n // 3] = np.floor(x[: n // 3]) + 0.5  # equal distances, ties
    y[: n // 4] = np.floor(y[: n // 4]) + 0.5
    site, moved = settle(x, y, kind, (11, 14), reach)
    assert site.tolist() == slow_settle(x, y, kind, (11, 14), reach)
    held = site[site >= 0]
    assert len(set(held.tolist())) == held.size
    assert (moved <= reach).all()


def test_three_cells_by_hand():
    x, y = np.array([1.0, 7.0, 44.0]), np.array([1.0, 8.0, 8.0])
    tissue = tabled((x, y, ["tum", "tum", "cd8"]), mapping={"tum": "A", "cd8": "T"})
    # the box starts at (1, 1): in sites (0, 0), (.4, .47) and (2.87, .47). The second is nearer to the centre
    # of site 0; the first goes right, .5 down and 1.5 along: hypot(1.5, .5) sites
    assert tissue.occupant.tolist() == [[[A, A, 0]], [[0, 0, T]]]
    assert tissue.report["collisions"]["moved"] == 1
    assert tissue.report["collisions"]["max_moved_um"] == pytest.approx(15 * np.hypot(1.5, 0.5))


def test_every_row_is_accounted_for():
    x, y, names = crowded()
    report = tabled((x, y, names), max_sites=1.0).report
    rows = {str(name): int((names == name).sum()) for name in np.unique(names)}
    for name, entry in report["phenotypes"].items():
        assert entry["cells"] == rows.get(name, 0) == entry["placed"] + entry["lost"]
    assert report["collisions"]["lost"] > 0
    assert report["unmapped"] == {"odd": rows["odd"]}
    assert report["ignored"] == {"dirt": rows["dirt"]}
    assert report["absent"] == ["gone"]
    placed = report["placed"]
    assert placed["A"] + placed["B"] == report["phenotypes"]["tum"]["placed"]
    assert abs(placed["A"] - (placed["A"] + placed["B"]) / 4) <= 0.5
    assert placed["T"] == report["phenotypes"]["cd8"]["placed"]


def test_the_order_of_rows_does_not_matter():
    x, y, names = crowded()
    first = tabled((x, y, names), shape=(40, 50))
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(x.size)
        again = tabled((x[order], y[order], names[order]), shape=(40, 50))
        assert np.array_equal(first.occupant, again.occupant)
        assert first.report == again.report
    assert not np.array_equal(first.occupant, tabled((x, y, names), shape=(40, 50), seed=2).occupant)


def test_mirror_repeats_the_core_folded_at_its_edges():
    core = tabled(crowded()).occupant
    whole = tabled(crowded(), shape=(70, 101), fill="mirror")
    (top, left), (ny, nx) = whole.report["core"]["corner"], whole.report["core"]["sites"]
    for row in range(70):
        for column in range(101):
            j, i = (row - top) % (2 * ny), (column - left) % (2 * nx)
            j, i = min(j, 2 * ny - 1 - j), min(i, 2 * nx - 1 - i)
            assert whole.occupant[:, row, column].tolist() == core[:, j, i].tolist()
    assert (whole.region == 0).sum() == core[0].size
    assert whole.region_names == ("core", "surround")


def test_density_fill_and_empty_surround():
    core = tabled(crowded())
    assert core.region_names == ("core",)
    empty = tabled(crowded(), shape=(60, 60), fill="none")
    filled = tabled(crowded(), shape=(60, 60), fill="density")
    assert empty.report["placed"] == core.report["placed"]
    for tissue in (empty, filled):
        assert np.array_equal(tissue.occupant[:, tissue.region == 0], core.occupant.reshape(2, -1))
    ratio = (3600 - core.region.size) / core.region.size
    for name, number in core.report["placed"].items():
        assert filled.report["regions"]["surround"]["placed"][name] == round(number * ratio)


def test_missing_cells_are_added_and_reported():
    tissue = tabled(crowded(), least={"R": 9, "T": 1})
    assert tissue.report["added_to_least"] == {"R": 9}
    assert tissue.report["placed"]["R"] == 9


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mapping": {"cd4": "T"}}, r"no phenotype .* is mapped.*--map.*tum \(\d+\), "),
        ({"mapping": {"tum": "AA"}}, "unknown cell type 'AA'.*'A'.*ignore"),
        ({"mapping": {"tum": {"A": 0.5, "B": 0.4}}}, "add up to 0.9"),
        ({"mapping": {"tum": {"A": 0.5, "T": 0.5}}}, "several layers"),
        ({"fill": "mirrored"}, "did you mean 'mirror'"),
        ({"shape": (16, 16)}, "raise lattice.rows"),
        ({"max_sites": 0.0}, "'max_sites' must be"),
    ],
)
def test_wrong_tables_are_refused(change, words):
    with pytest.raises(InputError, match=words):
        tabled(crowded(), **change)


@pytest.mark.parametrize("cells", [([], [], []), ([1.0], [np.nan], ["tum"]), ([1.0, 2.0], [1.0], ["tum"])])
def test_tables_without_positions_are_refused(cells):
    with pytest.raises(InputError, match="at least one cell"):
        tabled(cells)
