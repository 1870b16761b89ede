"""Time of death from a tumour's course: chance a day made a hazard, integrated, and met by -ln U.

QCIC gives a chance of death without saying over what time (10.1038/s41540-025-00513-1); it is read here as
the chance a DAY, P, and turned into the hazard -ln(1 - P) per day. The time of death is when the integral of
the hazard reaches -ln U, so its law does not depend on how often the course is recorded.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...abm.errors import InputError, unknown_word
from ...abm.snapshot import Columns, RunRecord
from ..luck import DEATH, exponentials, keys_of
from ..series import DEATH_DAY, daily, run_name
from ..survival import Times


@dataclass(frozen=True)
class DeathLaw:
    """Chance of death a day: logistic((burden - mu) / sigma).

    Attributes
    ----------
    name : str
    burden : str
        "log volume": ln(V / V0). "carrying capacity": chi = X_j / K_j of the tumour cell type j with the most
        cells, X_j its weighted amount over V_C and K_j the patient's own.
    mu, sigma : float
        1 and 1.
    source : str
    fit_arm : str
        Arm to whose survival alone it was fitted; empty for a law of all arms.
    note : str
        What it was fitted to, and what to beware of.
    """

    name: str
    burden: str
    mu: float
    sigma: float
    source: str
    fit_arm: str = ""
    note: str = ""

    @property
    def label(self) -> str:
        """Return the name as tables show it: a law of one arm is called a fit."""
        return f"fit ({self.fit_arm})" if self.fit_arm else self.name

    def hazard(self, burden: np.ndarray) -> np.ndarray:
        """Return the hazard, 1/d: -ln(1 - P) = ln(1 + exp(z)); NaN stays, minus infinity is no hazard."""
        return np.logaddexp(0.0, (np.asarray(burden, dtype=float) - self.mu) / self.sigma)


LAWS: dict[str, DeathLaw] = {
    "log volume": DeathLaw(
        "log volume", "log volume", 1.60, 0.195, "fitted",
        note="fitted to ODE-only patients of the persister variant, all arms together",
    ),
    "carrying capacity": DeathLaw(
        "carrying capacity", "carrying capacity", 0.4561, 0.0446, "fitted",
        note="fitted to the published survival of the untreated arm alone. Persister cells have the smallest K_j, "
        "so the burden that this law reads rises under chemotherapy, and it makes treated patients die earlier",
    ),
}  # fmt: skip
# Least squares of expected survival to the published curve of one arm each: they carry the benefit of the arm
# in themselves, so no hazard ratio may be claimed from them.
FITS: dict[str, DeathLaw] = {
    arm: DeathLaw("fit", "carrying capacity", mu, sigma, "fitted", arm)
    for arm, mu, sigma in (
        ("placebo", 0.4561, 0.0446),
        ("TAS-102", 2.6465, 0.37),
        ("TAS-102 + bevacizumab", 2.0894, 0.2586),
    )
}
CHOICES = (*LAWS, "fit")


def law_of(name: str, arm: str) -> DeathLaw:
    """Return the law of death of an arm: one for all arms, or with ``fit`` that of the arm.

    Raises
    ------
    InputError
        For an unknown name, or an arm without a fit.
    """
    if name not in CHOICES:
        raise unknown_word("law of death", name, CHOICES, "overall survival")
    if name != "fit":
        return LAWS[name]
    if arm not in FITS:
        raise InputError(
            f"overall survival: 'fit' has a law for {', '.join(FITS)}, none for arm '{arm}'; "
            f"choose {' or '.join(repr(n) for n in LAWS)}, one law for all arms"
        )
    return FITS[arm]


def largest_over_capacity(amounts: np.ndarray, capacities: np.ndarray) -> np.ndarray:
    """Return chi = X_j / K_j of the type with the most cells at each time, shape (time,).

    Parameters
    ----------
    amounts : ndarray, shape (time, types)
        cells/L.
    capacities : ndarray, shape (types,)
        The patient's own K_j, cells/L.
    """
    amounts = np.asarray(amounts, dtype=float)
    largest = amounts.argmax(axis=1)
    return amounts[np.arange(len(amounts)), largest] / np.asarray(capacities, dtype=float)[largest]


def coupled(record: RunRecord) -> bool:
    """Return whether a run has a body: the laws are those of patients, not of a tissue alone."""
    return bool(record.body or record.weights)


def burden_of(record: RunRecord, kind: str) -> np.ndarray | None:
    """Return the burden that a law reads at every record; None for a run that does not have it."""
    if not coupled(record):
        return None
    if kind == "log volume":
        volume = np.asarray(record.tumour_volume_cm3, dtype=float)
        if not volume[0] > 0.0:
            return None
        with np.errstate(divide="ignore"):
            return np.log(volume / volume[0])
    body = {str(p["name"]): float(p["value"]) for p in record.parameters if p["owner"] == "body"}
    names = _coupled_tumour(record)
    if not names or "V_C" not in body or not all(capacity in body for _, capacity in names):
        return None
    columns = [record.counts_of(kind) * record.weights.get(kind, math.nan) for kind, _ in names]
    return largest_over_capacity(
        np.stack(columns, axis=1) / body["V_C"], np.array([body[capacity] for _, capacity in names])
    )


def _coupled_tumour(record: RunRecord) -> list[tuple[str, str]]:
    """Return the tumour types of a coupled run with the names of their carrying capacities: X1_C has K1."""
    text = record.attributes.get("scenario_text", {})
    cells = text.get("coupling", {}).get("cells", []) if isinstance(text, Mapping) else []
    tumour = {info.name for info in record.types if info.group == "tumour"}
    pairs = [(c["type"], str(c.get("tissue", ""))) for c in cells if c["type"] in tumour]
    return [(kind, "K" + state[1:-2]) for kind, state in pairs if state[:1] == "X" and state.endswith("_C")]


def integrated_hazard(time_days: np.ndarray, hazard: np.ndarray) -> np.ndarray:
    """Return the integral of the hazard up to each record by the trapezoidal rule, shape (time,)."""
    time, hazard = np.asarray(time_days, dtype=float), np.asarray(hazard, dtype=float)
    return np.concatenate([[0.0], np.cumsum(0.5 * (hazard[1:] + hazard[:-1]) * np.diff(time))])


def time_of_death(time_days: np.ndarray, integral: np.ndarray, threshold: float) -> tuple[float, bool]:
    """Return when the integrated hazard reaches a threshold, or the end of the run, and whether it did."""
    if not integral[-1] >= threshold:  # also where it is NaN
        return float(time_days[-1]), False
    return float(np.interp(threshold, integral, time_days)), True


def hazard_of(record: RunRecord, law: DeathLaw) -> tuple[np.ndarray, np.ndarray] | None:
    """Return days and the hazard integrated up to them; None for a run that lacks what the law reads.

    One record a day enters, so that a run that is read thinned has the same death as in full; it ends before the
    first burden that is not a number.
    """
    burden = burden_of(record, law.burden)
    if burden is None:
        return None
    keep = daily(record)
    known = np.cumsum(np.isnan(burden[keep]) | np.isposinf(burden[keep])) == 0
    days = np.asarray(record.time_days, dtype=float)[keep][known]
    return (days, integrated_hazard(days, law.hazard(burden[keep][known]))) if days.size else None


def deaths(records: Sequence[RunRecord], law: str = "log volume", seed: int = 0) -> Times | None:
    """Draw one time of death a run; a run that ends before is censored there.

    Luck belongs to patient and seed: with one law for all arms, a patient whose tumour is smaller throughout
    never dies earlier.

    Parameters
    ----------
    records : list of RunRecord
    law : str
        One of ``CHOICES``.
    seed : int

    Returns
    -------
    Times or None
        None if a run lacks what the law reads.

    Raises
    ------
    InputError
        As ``law_of``; for a volume that is infinite or negative.
    """
    _refuse_impossible(records)
    thresholds = exponentials(keys_of(records, seed), DEATH, np.arange(1))[:, 0]
    found = []
    for record, threshold in zip(records, thresholds, strict=True):
        chosen = law_of(law, record.arm)
        course = hazard_of(record, chosen)
        if course is None:
            return None
        found.append(time_of_death(*course, float(threshold)))
    return Times(np.array([t for t, _ in found]), np.array([e for _, e in found], dtype=bool))


def until_death(records: Sequence[RunRecord], dead: Times | None) -> list[RunRecord]:
    """Return runs as a clinic sees them: with the day of death, and no snapshot, dose or visit after it.

    Parameters
    ----------
    records : list of RunRecord
    dead : Times or None
        As ``deaths`` draws them; None leaves the runs as they are.
    """
    if dead is None:
        return list(records)
    return [
        replace(
            record,
            snapshots=tuple(s for s in record.snapshots if s.time_days <= day),
            doses=[dose for dose in record.doses if dose[0] <= day],
            more=record.more
            | {k: _until(record.more[k], day) for k in ("control", "visit") if k in record.more},
            attributes=record.attributes | {DEATH_DAY: float(day)},
        )
        if died
        else record
        for record, day, died in zip(records, dead.time, dead.observed, strict=True)
    ]


def _until(columns: Columns, day: float) -> Columns:
    kept = columns.time_days <= day
    return replace(
        columns, time_days=columns.time_days[kept], values={k: v[kept] for k, v in columns.values.items()}
    )


def _refuse_impossible(records: Sequence[RunRecord]) -> None:
    for record in records:
        volume = np.asarray(record.tumour_volume_cm3, dtype=float)
        wrong = np.isinf(volume) | (volume < 0.0)
        if wrong.any():
            day, value = record.time_days[wrong][0], volume[wrong][0]
            raise InputError(
                f"run {run_name(record)}: its tumour volume is {value:g} cm3 on day {day:g}, which no tumour has; "
                "check the file with oncolattice check, and leave it out or run it again"
            )
