"""Cell tables, published immune densities and their draws, and the tissue of a scenario."""

import collections
import csv
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from shared import beside

from oncolattice.abm.errors import InputError
from oncolattice.abm.snapshot import CellTypeInfo
from oncolattice.scenarios.tissue import place as t

LAYERS = ("tissue", "immune")
TYPES = tuple(
    CellTypeInfo(i, name, name, layer, name, "#000000")
    for i, (name, layer) in enumerate(
        [("A", "tissue"), ("B", "tissue"), ("S", "tissue"), ("V", "tissue"),
         ("T", "immune"), ("H", "immune"), ("R", "immune")], start=1,
    )
)  # fmt: skip
MODEL = SimpleNamespace(site_um=15.0, layers=LAYERS, spec=SimpleNamespace(model={"dimensions": 2}))
IMMUNE = {"T": "CD8", "H": "helper", "R": "FOXP3"}


def written(folder, text, encoding="utf-8"):
    path = folder / "cells.csv"
    path.write_bytes(text.encode(encoding))
    return path


# --- cell tables ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("x_um,y_um,phenotype\n1,2,a\n3.5,4e1,b\n", "um"),
        ("\ufeffid;cell_type;X_um;Y_um\r\n7;a;1;2\r\n8;b;3.5;40\r\n\r\n", "um"),
        ("Cell Type\tx\ty\na\t1\t2\n b \t3.5\t40", "um (assumed)"),
        ("Centroid X \u00b5m,Centroid Y \u00b5m,Classification,x_px\n1,2,a,0\n3.5,40,b,0\n", "um"),
        ('phenotype,x,y,x_um,y_um\n"a",9,9,1,2\n"b",9,9,3.5,40\n', "um"),
    ],
)
def test_common_tables_are_understood(tmp_path, text, unit):
    table = t.read_cell_table(written(tmp_path, text))
    assert table.x_um.tolist() == [1.0, 3.5]
    assert table.y_um.tolist() == [2.0, 40.0]
    assert table.phenotype == ("a", "b")
    assert table.provenance["rows"] == 2
    assert table.provenance["unit"] == unit


def test_columns_can_be_named_and_provenance_is_kept(tmp_path):
    path = written(tmp_path, 'east,north,what,x,y\n1,2,"a, b",0,0\n3,4,,0,0\n')
    table = t.read_cell_table(path, {"x": "east", "y": "north", "phenotype": "what"})
    assert table.x_um.tolist() == [1.0, 3.0]
    assert table.phenotype == ("a, b", "(none)")
    assert table.provenance["columns"] == {"x": "east", "y": "north", "phenotype": "what"}
    assert table.provenance["file"] == "cells.csv"
    # from the sha256sum command
    assert table.provenance["sha256"] == "071c628e86efbe5af980669761549e50a486922da48e44c82464a8c3734b10d3"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the cell table is empty"),
        ("\n \n", "the cell table is empty"),
        ("x,y,phenotype\n", "a header but no cells"),
        ("x,phenotype\n1,a\n", r"no column for y in um.*y_um or .*found: x, phenotype"),
        ("x_px,y_px,phenotype\n1,2,a\n", "pixels need tissue.pixel_um"),
        ("x,y,kind\n1,2,a\n", r"no column for phenotype; name one .*found: x, y, kind"),
        ("x,y,phenotype\n1,2,a\none,2,a\n", "line 3: x is 'one', not a finite number"),
        ("x,y,phenotype\n1,,a\n", "line 2: y is ''"),
        ("x,y,phenotype\n1,nan,a\n", "line 2: y is 'nan'"),
        ("x,y,phenotype\n1,inf,a\n", "line 2: y is 'inf'"),
        ("x,y,phenotype\n1,2\n", "line 2: 2 values in 3 columns"),
    ],
)
def test_bad_tables_are_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        t.read_cell_table(written(tmp_path, text))


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such cell table"):
        t.read_cell_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="a folder, not a cell table"):
        t.read_cell_table(tmp_path)
    with pytest.raises(InputError, match="save the cells as CSV in UTF-8"):
        t.read_cell_table(written(tmp_path, "x,y,ph\u00e9notype\n", "latin-1"))
    path = written(tmp_path, "x,y,phenotype\n1,2,a\n")
    with pytest.raises(InputError, match=r"unknown column 'X_um'.*phenotype, x, y"):
        t.read_cell_table(path, {"x": "X_um"})


def test_mapping_from_the_command_line():
    table = {"table_mapping": {"a": "A", "dirt": "ignore"}}
    before = table["table_mapping"]
    t.apply_mapping(table, ["a=ignore", "PD-1+ = hi=T", "tum = A:0.25, B:.75"])
    assert table["table_mapping"] == {
        "a": "ignore", "dirt": "ignore", "PD-1+ = hi": "T", "tum": {"A": 0.25, "B": 0.75},
    }  # fmt: skip
    assert before == {"a": "A", "dirt": "ignore"}
    bare = {}
    t.apply_mapping(bare, [])
    assert bare == {}
    for wrong in ("a", "a=", "=A", "a=A:x", "a=A:.5,B"):
        with pytest.raises(InputError, match="write PHENOTYPE=TYPE"):
            t.apply_mapping({}, [wrong])


# --- published densities ----------------------------------------------------------------------------------


def kather():
    found = collections.defaultdict(list)
    with beside("data/crc_immune_density_kather2018.csv").open() as file:
        for row in csv.DictReader(file):
            key = row["lesion"], row["marker"], row["region"]
            found[key].append((float(row["pos_per_mm2"]), float(row["area_um2"]) * 1e-6))
    return found


def test_the_density_table_is_computed_from_the_published_data():
    raw, table = kather(), t.density_table()
    direct = {key: row for key, row in table.items() if key[1] != "helper"}
    assert len(direct) == 18
    for key, row in direct.items():
        density, area = np.array(raw[key]).T
        positive = np.where(density > 0, density, 0.5 / area)
        logs = np.sort(np.log(positive))
        assert row["n"] == density.size
        assert row["zeros"] == (density == 0).sum()
        assert (row["lowest"], row["highest"]) == pytest.approx((positive.min(), positive.max()), rel=1e-5)
        quartiles = [np.quantile(density, q) for q in (0.25, 0.5, 0.75)]
        assert [row["q25"], row["median"], row["q75"]] == pytest.approx(quartiles, rel=1e-5)
        assert row["mean_ln"] == pytest.approx(logs.sum() / logs.size, rel=1e-5)
        spread = np.sqrt(((logs - logs.mean()) ** 2).sum() / (logs.size - 1))
        assert row["sd_ln"] == pytest.approx(spread, rel=1e-5)
        assert row["source"] == "10.7554/eLife.36967"


@pytest.mark.parametrize("lesion", ["primary", "metastasis"])
def test_helper_cells_are_what_cd3_has_beyond_cd8_and_foxp3(lesion):
    table = t.density_table()
    median = {(m, r): row["median"] for (les, m, r), row in table.items() if les == lesion}
    left = {r: median["CD3", r] - median["CD8", r] - median["FOXP3", r] for (m, r) in median if m == "CD3"}
    assert left["TU_CORE"] < 0 < left["MARG_500_IN"]  # why the core needs a rule of its own
    left["TU_CORE"] = median["CD8", "TU_CORE"] * left["MARG_500_IN"] / median["CD8", "MARG_500_IN"]
    for region, value in left.items():
        helper, cd3 = table[lesion, "helper", region], table[lesion, "CD3", region]
        assert helper["median"] == pytest.approx(value, rel=1e-4)
        assert helper["sd_ln"] == cd3["sd_ln"]
        assert helper["mean_ln"] - cd3["mean_ln"] == pytest.approx(np.log(value / cd3["median"]), abs=1e-4)
        assert helper["highest"] / cd3["highest"] == pytest.approx(value / cd3["median"], rel=1e-4)
        assert helper["source"].startswith("derived")


def test_the_medians_that_calibration_used():
    """About 30 CTL and 11 Treg per mm2 in the core of metastases."""
    table = t.density_table()
    assert table["metastasis", "CD8", "TU_CORE"]["median"] == pytest.approx(30, abs=0.5)
    assert table["metastasis", "FOXP3", "TU_CORE"]["median"] == pytest.approx(11, abs=0.5)


def truncated(row):
    low, high = ((np.log(row[key]) - row["mean_ln"]) / row["sd_ln"] for key in ("lowest", "highest"))
    return stats.truncnorm(low, high, loc=row["mean_ln"], scale=row["sd_ln"])


@pytest.mark.parametrize(
    "by",
    [lambda many: [(2025, 1 + k) for k in many], lambda many: [(k, 1) for k in many]],
    ids=["number", "seed"],
)
@pytest.mark.parametrize("lesion", ["primary", "metastasis"])
def test_drawn_densities_follow_the_truncated_law(lesion, by):
    table = t.density_table()
    tissue = {"immune": IMMUNE, "immune_lesion": lesion}
    patients = [t.draw_densities(tissue, *patient) for patient in by(range(1500))]
    for name, marker in IMMUNE.items():
        ranks = []
        for region, published in (("core", "TU_CORE"), ("margin", "MARG_500_IN")):
            row = table[lesion, marker, published]
            values = np.array([patient[name][region] for patient in patients])
            assert row["lowest"] <= values.min() < values.max() <= row["highest"]
            law = truncated(row)
            # six tests a lesion share a false-alarm rate of 1e-6
            assert stats.kstest(np.log(values), law.cdf).pvalue > 1e-6 / 6
            ranks.append(law.cdf(np.log(values)))
        assert ranks[0] == pytest.approx(ranks[1], abs=1e-9)
    by_marker = np.array([[patient[name]["core"] for name in IMMUNE] for patient in patients])
    correlation = stats.spearmanr(by_marker).statistic[np.triu_indices(3, 1)]
    assert np.abs(correlation).max() < 6 / np.sqrt(1500)


def test_a_draw_depends_on_seed_and_marker_alone():
    one = t.draw_densities({"immune": IMMUNE}, 5)
    assert one == t.draw_densities({"immune": IMMUNE, "immune_lesion": "metastasis"}, 5)
    assert t.draw_densities({"immune": {"anything": "CD8"}}, 5) == {"anything": one["T"]}
    assert t.draw_densities({"immune": IMMUNE}, 6) != one
    assert t.draw_densities({}, 5) == {}


def test_wrong_markers_and_lesions_are_refused():
    with pytest.raises(InputError, match=r"unknown marker 'CD9'.*CD8"):
        t.draw_densities({"immune": {"T": "CD9"}}, 1)
    with pytest.raises(InputError, match="unknown lesion 'metastases'; did you mean 'metastasis'"):
        t.draw_densities({"immune": IMMUNE, "immune_lesion": "metastases"}, 1)


# --- the tissue of a scenario -----------------------------------------------------------------------------

SCENARIO = {
    "lattice": {"rows": 64, "columns": 96},
    "tissue": {
        "occupancy": 0.2, "pattern": "glands", "composition": {"A": 0.25, "B": 0.75}, "margin_um": 300,
        "stroma": {"type": "S", "fraction": 0.12}, "vessels": {"type": "V", "per_mm2": 80},
        "immune": IMMUNE, "immune_lesion": "metastasis", "least_immune": 5, "table_fill": "mirror",
        "table_mapping": {
            "tumor cells": {"A": 0.25, "B": 0.75}, "CD8+ T cells": "T", "CD4+ T cells CD45RO+": "H",
            "Tregs": "R", "vasculature": "V", "stroma": "S", "smooth muscle": "S",
        },
    },
}  # fmt: skip


def test_drawn_tissue_holds_the_drawn_densities():
    densities = t.draw_densities(SCENARIO["tissue"], 3)
    placement = t.place_scenario(SCENARIO, TYPES, MODEL, densities, 3)
    area = {"core": 64 * 76 * 225e-6, "margin": 64 * 20 * 225e-6}
    for name in IMMUNE:
        wanted = {region: round(densities[name][region] * area[region]) for region in area}
        found = {region: placement.report["regions"][region]["placed"][name] for region in area}
        if sum(wanted.values()) >= 5:
            assert found == wanted
        else:
            assert sum(found.values()) == 5
    assert placement.report["immune_densities"]["source"] == "10.7554/eLife.36967"


def test_the_real_core_is_placed_and_every_cell_accounted_for():
    table = t.read_cell_table(beside("data/crc_codex_schurch2020_reg009A.csv"))
    placement = t.place_scenario(SCENARIO, TYPES, MODEL, {}, 1, table)
    report = placement.report
    with beside("data/crc_codex_schurch2020_reg009A.csv").open() as file:
        rows = collections.Counter(row["cell_type"] for row in csv.DictReader(file))
    assert sum(rows.values()) == 2434
    mapped = SCENARIO["tissue"]["table_mapping"]
    assert report["unmapped"] == {name: n for name, n in rows.items() if name not in mapped}
    assert {name: entry["cells"] for name, entry in report["phenotypes"].items()} == {
        n: rows[n] for n in mapped
    }
    core = report["regions"]["core"]["placed"]
    lost = {name: entry["lost"] for name, entry in report["phenotypes"].items()}
    assert core["A"] + core["B"] == 147 - lost["tumor cells"]
    assert (core["T"], core["H"], core["R"]) == (196, 306, 35)  # the immune layer has room for all
    assert sum(lost.values()) == report["collisions"]["lost"] < 0.02 * report["collisions"]["cells"]
    assert report["collisions"]["max_moved_um"] <= 45.0
    assert report["table"]["sha256"] == table.provenance["sha256"]


def test_the_placed_core_lies_where_the_real_one_does():
    """The density of a type over blocks of 90 um correlates with that of the raw positions."""
    table = t.read_cell_table(beside("data/crc_codex_schurch2020_reg009A.csv"))
    placement = t.place_scenario(SCENARIO, TYPES, MODEL, {}, 1, table)
    (top, left), (ny, nx) = (placement.report["core"][key] for key in ("corner", "sites"))
    core = placement.occupant[:, top : top + ny, left : left + nx]
    edges = np.arange(0, ny + 6, 6) * 15.0, np.arange(0, nx + 6, 6) * 15.0
    for phenotype, layer, ids, least in (("tumor cells", 0, (1, 2), 0.95), ("CD8+ T cells", 1, (5,), 0.97)):
        raw = np.array([name == phenotype for name in table.phenotype])
        y, x = (v[raw] - v.min() for v in (table.y_um, table.x_um))
        real = np.histogram2d(y, x, edges)[0]
        rows, columns = np.nonzero(np.isin(core[layer], ids))
        placed = np.histogram2d(rows * 15 + 7.5, columns * 15 + 7.5, edges)[0]
        assert np.corrcoef(real.reshape(-1), placed.reshape(-1))[0, 1] > least
        assert np.corrcoef(real.reshape(-1), placed[::-1].reshape(-1))[0, 1] < 0.8


def test_a_core_sits_unchanged_in_the_middle_of_drawn_tissue():
    """Every site of the core is the core's, every other the surround's; regions and report say so."""
    rng = np.random.default_rng(1)
    core = SimpleNamespace(
        occupant=rng.integers(0, 5, (2, 5, 7)).astype(np.uint8),
        region=np.zeros((5, 7), np.uint8),
        report={"kind": "table"},
    )
    around = SimpleNamespace(
        occupant=np.full((2, 20, 31), 9, np.uint8),
        region=np.zeros((20, 31), np.uint8),
        report={"kind": "drawn"},
    )
    placed = t.inset(core, around)
    (y, x), inside = placed.report["core"]["corner"], placed.region == 0
    assert np.array_equal(placed.occupant[:, y : y + 5, x : x + 7], core.occupant)
    assert inside.sum() == 35
    assert np.all(placed.occupant[:, ~inside] == 9)
    assert placed.region_names == ("core", "surround")
    assert placed.report["surround"] == {"kind": "drawn"}
    with pytest.raises(InputError, match=r"raise lattice\.rows"):
        t.inset(around, core)
