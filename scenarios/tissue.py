"""Tissue of a scenario: real cell tables, published immune densities, and the placement of either."""

import csv
import hashlib
import io
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from ..abm.errors import InputError, unknown_word
from ..abm.model import Model
from ..abm.placement import Placement, place_drawn, place_table
from ..abm.placement_rules import IGNORE, generator
from ..abm.snapshot import CellTypeInfo
from .scenario import LIBRARY

DENSITY_TABLE = LIBRARY / "data" / "crc_density_kather2018.csv"
DENSITY_SOURCE = "10.7554/eLife.36967"
# Region of the lattice -> region of the published table: centre, and the inner 500 um of the invasive margin.
_REGIONS = {"core": "TU_CORE", "margin": "MARG_500_IN"}
# What is looked for where no columns are named: normalised header names, best first.
_KNOWN_NAMES = {
    "x": ("x_um", "centroid_x_um", "x_centroid_um", "x", "x_centroid", "centroid_x", "pos_x", "x_position"),
    "y": ("y_um", "centroid_y_um", "y_centroid_um", "y", "y_centroid", "centroid_y", "pos_y", "y_position"),
    "phenotype": (
        *("phenotype", "cell_type", "celltype", "cell_phenotype", "cell_class"),
        *("classification", "class", "annotation"),
    ),
}


@dataclass(frozen=True)
class CellTable:
    """Cells of a real tissue.

    Attributes
    ----------
    x_um, y_um : ndarray of float64, shape (cell,)
    phenotype : tuple of str, length cell
    provenance : dict
        ``file`` (name), ``sha256``, ``rows``, ``columns`` (what was read as x, y and phenotype) and ``unit``
        ("um", or "um (assumed)" where the column name does not say so).
    """

    x_um: np.ndarray
    y_um: np.ndarray
    phenotype: tuple[str, ...]
    provenance: dict[str, Any]


def read_cell_table(path: str | Path, columns: Mapping[str, str] | None = None) -> CellTable:
    """Return the cells of a delimited text file (comma, semicolon or tab).

    Parameters
    ----------
    path : str or Path
    columns : mapping, optional
        Header names of ``x``, ``y`` (um) and ``phenotype``; common names are found without.

    Raises
    ------
    InputError
        File missing, unreadable or empty, column missing, coordinate that is no finite number.
    """
    path = Path(path)
    rows = _rows(path)
    if not rows:
        raise InputError(f"{path}: the cell table is empty; it needs a header and one row a cell")
    (_, header), *body = rows
    wanted = {key: _column(key, header, columns or {}, path) for key in _KNOWN_NAMES}
    if not body:
        raise InputError(f"{path}: the cell table has a header but no cells; give one row a cell")
    for line, row in body:
        if len(row) != len(header):
            raise InputError(f"{path} line {line}: {len(row)} values in {len(header)} columns; mend the row")
    where = {key: header.index(name) for key, name in wanted.items()}
    x, y = (
        np.array([_coordinate(row[where[key]], wanted[key], f"{path} line {line}") for line, row in body])
        for key in ("x", "y")
    )
    in_um = all(_normal(wanted[key]).endswith("_um") for key in ("x", "y"))
    provenance = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "rows": len(body),
        "columns": wanted,
        "unit": "um" if in_um else "um (assumed)",
    }
    phenotypes = tuple(row[where["phenotype"]].strip() or "(none)" for _, row in body)
    return CellTable(x, y, phenotypes, provenance)


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, each with the number of its line."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such cell table; check the path")
    try:
        text = path.read_text(encoding="utf-8-sig")
        first = text.lstrip().partition("\n")[0]
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
        return [(reader.line_num, [v.strip() for v in row]) for row in reader if any(v.strip() for v in row)]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check permissions") from None
    except (UnicodeDecodeError, csv.Error):
        raise InputError(f"{path}: not a text table; save the cells as CSV in UTF-8") from None


def _normal(name: str) -> str:
    plain = name.lower().replace("\u00b5", "u").replace("\u03bc", "u")
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def _column(key: str, header: list[str], columns: Mapping[str, str], path: Path) -> str:
    if key in columns:
        if columns[key] not in header:
            raise unknown_word("column", columns[key], header, f"{path} ({key})")
        return columns[key]
    by_name = {_normal(name): name for name in reversed(header)}
    for name in _KNOWN_NAMES[key]:
        if name in by_name:
            return by_name[name]
    unit = "" if key == "phenotype" else " in um (pixels must be converted)"
    raise InputError(
        f"{path}: no column for {key}{unit}; name one of them {' or '.join(_KNOWN_NAMES[key][:2])} "
        f"(found: {', '.join(header)})"
    )


def _coordinate(text: str, column: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: {column} is '{text}', not a finite number; mend or remove the row")
    return value


def apply_mapping(tissue: dict[str, Any], mapping: Iterable[str]) -> None:
    """Add ``PHENOTYPE=TYPE`` entries to the ``table_mapping`` of a [tissue] table, in place.

    TYPE is a cell type, ``ignore``, or a composition such as ``A:0.25,B:0.75``; the last ``=`` divides.

    Raises
    ------
    InputError
        An entry is not of this form.
    """
    entries = dict(tissue.get("table_mapping", {}))
    for entry in mapping:
        phenotype, equals, target = (part.strip() for part in entry.rpartition("="))
        parts = [part.split(":") for part in target.split(",")]
        try:
            shares = None if ":" not in target else {name.strip(): float(share) for name, share in parts}
            if not (equals and phenotype and target) or not all(map(math.isfinite, (shares or {}).values())):
                raise ValueError
        except ValueError:
            raise InputError(
                f"--map '{entry}': write PHENOTYPE=TYPE, where TYPE may be {IGNORE} or A:0.25,B:0.75"
            ) from None
        entries[phenotype] = target if shares is None else shares
    if entries:
        tissue["table_mapping"] = entries


def density_table() -> dict[tuple[str, str, str], dict[str, Any]]:
    """Return published immune densities of colorectal cancers by (lesion, marker, region).

    Numbers are cells per mm2: ``n``, ``zeros``, ``lowest``, ``q25``, ``median``, ``q75``, ``highest``,
    and ``mean_ln``, ``sd_ln`` of the natural logarithm. A count of zero enters range and logarithm as half
    a cell on the area measured. Source: Kather 2018, 10.7554/eLife.36967 (computed from its table).

    The marker ``helper`` is derived: the law of CD3, scaled so that its median is the median of CD3 less
    those of CD8 and FOXP3. In TU_CORE that difference is negative, so there the ratio of helper to CD8 in
    MARG_500_IN is applied to the median of CD8.
    """
    text = ("lesion", "marker", "region", "unit", "source")
    with DENSITY_TABLE.open(encoding="utf-8", newline="") as file:
        return {
            (row["lesion"], row["marker"], row["region"]): {
                key: value if key in text else float(value) for key, value in row.items()
            }
            for row in csv.DictReader(file)
        }


def draw_densities(tissue: Mapping[str, Any], seed: int) -> dict[str, dict[str, float]]:
    """Draw the immune densities of one patient.

    Log-normal with the published mean and SD of the logarithm, truncated to the observed range. Core and
    margin of a patient share one quantile; markers are independent of one another (in the source,
    logarithms of two markers correlate by .3 to .7).

    Parameters
    ----------
    tissue : mapping
        ``immune`` (cell type = marker) and ``immune_lesion`` (metastasis if absent).
    seed : int

    Returns
    -------
    dict of str to dict of str to float
        Cell type -> region (core, margin) -> cells per mm2.

    Raises
    ------
    InputError
        Unknown lesion or marker.
    """
    table = density_table()
    lesion = tissue.get("immune_lesion", "metastasis")
    lesions, markers = ({key[i] for key in table} for i in (0, 1))
    if lesion not in lesions:
        raise unknown_word("lesion", str(lesion), lesions, "[tissue] immune_lesion")
    drawn: dict[str, dict[str, float]] = {}
    for name, marker in tissue.get("immune", {}).items():
        if marker not in markers:
            raise unknown_word("marker", str(marker), markers, f"[tissue] immune {name}")
        quantile = float(generator(seed, f"density {marker}").random())
        drawn[name] = {
            region: _truncated_lognormal(table[lesion, marker, published], quantile)
            for region, published in _REGIONS.items()
        }
    return drawn


def _truncated_lognormal(row: Mapping[str, Any], quantile: float) -> float:
    law = NormalDist(row["mean_ln"], row["sd_ln"])
    low, high = law.cdf(math.log(row["lowest"])), law.cdf(math.log(row["highest"]))
    value = math.exp(law.inv_cdf(low + quantile * (high - low)))
    return min(max(value, row["lowest"]), row["highest"])


def place_scenario(
    tables: Mapping[str, Any],
    types: tuple[CellTypeInfo, ...],
    model: Model,
    densities: Mapping[str, Mapping[str, float]],
    seed: int,
    table: CellTable | None = None,
) -> Placement:
    """Place the tissue of a scenario: a cell table if there is one, drawn tissue otherwise.

    Parameters
    ----------
    tables : mapping
        Sections [lattice] and [tissue] of the scenario.
    types : tuple of CellTypeInfo
    model : Model
        Gives pitch and layers.
    densities : mapping
        As ``draw_densities`` returns them.
    seed : int
    table : CellTable, optional

    Raises
    ------
    InputError
    """
    tissue, lattice = tables["tissue"], tables["lattice"]
    shape = lattice["rows"], lattice["columns"]
    if table is None:
        return _draw(tissue, shape, types, model, densities, seed)
    fill = tissue.get("table_fill", "drawn")
    own = fill == "drawn"
    core = place_table(
        None if own else shape,
        model.site_um,
        types,
        model.layers,
        table.x_um,
        table.y_um,
        table.phenotype,
        tissue.get("table_mapping", {}),
        seed,
        fill="none" if own else fill,
        provenance=table.provenance,
        least={} if own else dict.fromkeys(tissue.get("immune", {}), tissue.get("least_immune", 0)),
    )
    if not own:
        return core
    return inset(core, _draw(tissue | {"margin_um": 0}, shape, types, model, densities, seed))


def inset(core: Placement, surround: Placement) -> Placement:
    """Return a placement with the core in the middle of a surround; what the surround held there is gone.

    Raises
    ------
    InputError
        The core is larger than the surround.
    """
    size, whole = core.region.shape, surround.region.shape
    if size[0] > whole[0] or size[1] > whole[1]:
        raise InputError(
            f"the cell table covers {size[0]} rows x {size[1]} columns, the lattice has {whole[0]} x "
            f"{whole[1]}; raise lattice.rows and lattice.columns"
        )
    corner = (whole[0] - size[0]) // 2, (whole[1] - size[1]) // 2
    rows, columns = (slice(c, c + n) for c, n in zip(corner, size, strict=True))
    occupant, region = surround.occupant.copy(), np.ones(whole, np.uint8)
    occupant[:, rows, columns] = core.occupant
    region[rows, columns] = 0
    place = {"corner": list(corner), "sites": list(size), "fill": "drawn"}
    report = core.report | {"core": place, "surround": surround.report}
    return Placement(occupant, region, ("core", "surround"), report)


def _draw(
    tissue: Mapping[str, Any],
    shape: tuple[int, int],
    types: tuple[CellTypeInfo, ...],
    model: Model,
    densities: Mapping[str, Mapping[str, float]],
    seed: int,
) -> Placement:
    others = ("immune_lesion", "table_mapping", "table_fill")
    rules = {key: value for key, value in tissue.items() if key not in others} | {"immune": densities}
    placement = place_drawn(shape, model.site_um, types, model.layers, rules, seed)
    placement.report["immune_densities"] = {
        "source": DENSITY_SOURCE,
        "lesion": tissue.get("immune_lesion", "metastasis"),
        "markers": dict(tissue.get("immune", {})),
        "rule": "truncated log-normal; core and margin share one quantile, markers are independent",
    }
    return placement
