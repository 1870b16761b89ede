"""Published immune densities, and the densities drawn for one patient."""

import csv
import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

from ...abm.errors import InputError, unknown_word
from ...abm.placement.checks import check_number
from ...abm.placement.luck import generator
from ..files.scenario import LIBRARY

DENSITY_TABLE = LIBRARY / "data" / "crc_density_kather2018.csv"
DENSITY_SOURCE = "10.7554/eLife.36967"
# Region of the lattice -> region of the published table: centre, and the inner 500 um of the invasive margin.
_REGIONS = {"core": "TU_CORE", "margin": "MARG_500_IN"}


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


def draw_densities(tissue: Mapping[str, Any], seed: int, number: int = 1) -> dict[str, dict[str, float]]:
    """Draw the immune densities of one patient.

    Log-normal with the published mean and SD of the logarithm, truncated to the observed range. Core and
    margin of a patient share one quantile; markers are independent of one another (in the source,
    logarithms of two markers correlate by .3 to .7).

    Parameters
    ----------
    tissue : mapping
        ``immune`` (cell type = marker, or a table { core, margin } of cells per mm2, which are not drawn) and
        ``immune_lesion`` (metastasis if absent).
    seed : int
        Of the population.
    number : int
        Which patient of it: element ``number`` of a random stream keyed by (seed, marker).

    Returns
    -------
    dict of str to dict of str to float
        Cell type -> region (core, margin) -> cells per mm2.

    Raises
    ------
    InputError
        Unknown lesion or marker, or a table that lacks a region or holds what is no density.
    """
    table = density_table()
    lesion = tissue.get("immune_lesion", "metastasis")
    lesions, markers = ({key[i] for key in table} for i in (0, 1))
    if lesion not in lesions:
        raise unknown_word("lesion", str(lesion), lesions, "[tissue] immune_lesion")
    drawn: dict[str, dict[str, float]] = {}
    for name, marker in tissue.get("immune", {}).items():
        if isinstance(marker, Mapping):
            drawn[name] = _given(marker, f"[tissue] immune {name}")
            continue
        if marker not in markers:
            raise unknown_word("marker", str(marker), markers, f"[tissue] immune {name}")
        quantile = float(generator(seed, f"density {marker}").random(number)[-1])
        drawn[name] = {
            region: _truncated_lognormal(table[lesion, marker, published], quantile)
            for region, published in _REGIONS.items()
        }
    return drawn


def _given(densities: Mapping[str, Any], where: str) -> dict[str, float]:
    """Return the densities of a table { core, margin }, cells per mm2."""
    for region in densities:
        if region not in _REGIONS:
            raise unknown_word("region", str(region), _REGIONS, where)
    for region in _REGIONS:
        if region not in densities:
            raise InputError(
                f"{where}: '{region}' is missing; give cells per mm2 in {' and '.join(_REGIONS)}"
            )
        check_number(densities[region], where, region, 0.0)
    return {region: float(densities[region]) for region in _REGIONS}


def _truncated_lognormal(row: Mapping[str, Any], quantile: float) -> float:
    law = NormalDist(row["mean_ln"], row["sd_ln"])
    low, high = law.cdf(math.log(row["lowest"])), law.cdf(math.log(row["highest"]))
    value = math.exp(law.inv_cdf(low + quantile * (high - low)))
    return min(max(value, row["lowest"]), row["highest"])
