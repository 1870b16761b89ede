"""What a clinic finds in a run: sizes at visits with error, new lesions, and a criterion applied to them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...abm.errors import InputError, unknown_word
from ...abm.measures.irecist import assess_irecist
from ...abm.measures.recist import CONFIRM_DAYS, MINIMUM_SD_DAYS, assess_recist11, measured_mm
from ...abm.measures.response import ASSESSED, WEEK_8_DAYS, Assessment, assess_qcic_tri
from ...abm.measures.volume import sphere_diameter_mm, sphere_volume_cm3
from ...abm.snapshot import RunRecord
from ..luck import NEW_LESION, SCAN, exponentials, keys_of, normals
from ..series import end_day, followed

MOST_VISITS = 10_000  # of one run
MOST_NEW = 8  # new lesions drawn for one patient; the first decides, the second confirms


@dataclass(frozen=True)
class Clinic:
    """How a run is assessed.

    Attributes
    ----------
    criterion : str
        qcic_tri, recist11 or irecist.
    every_days, first_day : float
        Days between visits; the first visit after the baseline, ``every_days`` if 0.
    error_cv : float
        Coefficient of variation of a measured diameter (log-normal, mean 1, drawn for every lesion and visit,
        the baseline too); 0.05 to 0.1 in practice, 0 for none.
    lesions : int
        Equal target lesions, 1 to 5, among which the volume of the run is shared out.
    immune : bool
        Count the immune cells in the imaged volume: needed for pseudo-progression.
    gone_below_mm : float
        Lesions of at most this diameter are said to have disappeared.
    new_lesions_per_day : float
        Hazard of a new lesion, 1/d, at the baseline volume; recist11 and irecist. 0 for none.
    new_lesions_power : float
        The hazard goes with (V / V0) to this power.
    new_lesions_source : str
        Source of the hazard; needed with it.
    confirm_days, minimum_sd_days : float
        As for ``assess_recist11``.
    seed : int
        Of errors and new lesions; a patient has the same in every arm.
    """

    criterion: str = "qcic_tri"
    every_days: float = WEEK_8_DAYS
    first_day: float = 0.0
    error_cv: float = 0.0
    lesions: int = 1
    immune: bool = False
    gone_below_mm: float = 0.0
    new_lesions_per_day: float = 0.0
    new_lesions_power: float = 0.0
    new_lesions_source: str = ""
    confirm_days: float = CONFIRM_DAYS
    minimum_sd_days: float = MINIMUM_SD_DAYS
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises
        ------
        InputError
        """
        if self.criterion not in ASSESSED:
            raise unknown_word("criterion", self.criterion, ASSESSED, "assessment")
        if not 0.0 < self.every_days < math.inf:
            raise InputError(f"assessment: every_days must be above 0, got {self.every_days:g}")
        for key in ("first_day", "error_cv", "gone_below_mm", "new_lesions_per_day", "minimum_sd_days"):
            if not 0.0 <= getattr(self, key) < math.inf:
                raise InputError(f"assessment: {key} must be 0 or more, got {getattr(self, key):g}")
        for key, most in (("error_cv", 1.0), ("new_lesions_power", 10.0)):
            if not 0.0 <= getattr(self, key) <= most:
                raise InputError(f"assessment: {key} must be 0 to {most:g}, got {getattr(self, key):g}")
        if not 1 <= self.lesions <= 5:
            raise InputError(f"assessment: lesions must be 1 to 5 (RECIST 1.1), got {self.lesions}")
        if self.new_lesions_per_day and self.criterion == "qcic_tri":
            raise InputError(
                "assessment: qcic_tri knows no new lesions; choose recist11 or irecist, or leave out "
                "new_lesions_per_day"
            )
        if self.new_lesions_per_day and not self.new_lesions_source:
            raise InputError(
                "assessment: new_lesions_per_day needs new_lesions_source (a DOI, fitted, assumed)"
            )

    @property
    def unit(self) -> str:
        """Return the unit of what the criterion reads."""
        return "cm3" if self.criterion == "qcic_tri" else "mm"


def visit_days(record: RunRecord, clinic: Clinic) -> np.ndarray:
    """Return the days of the visits that a patient lived to and a run reached, the baseline first."""
    first, last = clinic.first_day or clinic.every_days, followed(record) + 1e-9
    span = (last - first) / clinic.every_days
    if span > MOST_VISITS:
        raise InputError(
            f"assessment: visits every {clinic.every_days:g} days are {span:.3g} in a run of {end_day(record):g} days, "
            f"of at most {MOST_VISITS}; choose a longer interval"
        )
    more = math.floor(span) + 1 if last >= first else 0
    return np.concatenate([[0.0], first + clinic.every_days * np.arange(more)])


def imaged_volume_cm3(record: RunRecord, immune: bool = False) -> np.ndarray:
    """Return the volume that a scan shows at every record, shape (time,).

    With ``immune`` the cells of the immune group add to it as much as tumour cells of their number do, each
    weighted by the body cells that it stands for.
    """
    volume = np.asarray(record.tumour_volume_cm3, dtype=float)
    if not immune:
        return volume
    tumour, other = (_body_cells(record, group) for group in ("tumour", "immune"))
    return volume * (1.0 + np.divide(other, tumour, out=np.zeros(len(volume)), where=tumour > 0.0))


def _body_cells(record: RunRecord, group: str) -> np.ndarray:
    chosen = [(k, t) for k, t in enumerate(record.types) if t.group == group]
    columns = [record.count[:, k] * record.weights.get(t.name, 1.0) for k, t in chosen]
    return np.sum(columns, axis=0, dtype=float) if columns else np.zeros(len(record.time_days))


def assess(records: Sequence[RunRecord], clinic: Clinic | None = None) -> list[Assessment | None]:
    """Return the assessment of every run; None for one whose volume is zero at the baseline.

    Parameters
    ----------
    records : list of RunRecord
    clinic : Clinic, optional
        ``qcic_tri`` every eight weeks without error if absent.
    """
    clinic = clinic or Clinic()
    keys = keys_of(records, clinic.seed)
    return [_assess_one(record, clinic, keys[k : k + 1]) for k, record in enumerate(records)]


def _assess_one(record: RunRecord, clinic: Clinic, key: np.ndarray) -> Assessment | None:
    days = visit_days(record, clinic)
    true = np.interp(days, record.time_days, imaged_volume_cm3(record, clinic.immune))
    if not true[0] > 0.0:
        return None
    diameter = scanned_mm(true, days, clinic, key)
    if clinic.criterion == "qcic_tri":
        if not clinic.error_cv:
            return assess_qcic_tri(days, true)
        return assess_qcic_tri(days, np.asarray(sphere_volume_cm3(diameter)).sum(axis=1))
    sld = measured_mm(diameter, clinic.gone_below_mm).sum(axis=1)
    if not sld[0] > 0.0:
        return None
    new = new_lesions(record, days, clinic, key)
    if clinic.criterion == "recist11":
        return assess_recist11(
            days, sld, new, confirm_days=clinic.confirm_days, minimum_sd_days=clinic.minimum_sd_days
        )
    return assess_irecist(days, sld, new, minimum_sd_days=clinic.minimum_sd_days)


def scanned_mm(volume_cm3: np.ndarray, days: np.ndarray, clinic: Clinic, key: np.ndarray) -> np.ndarray:
    """Return the diameters that are measured at the visits, shape (visits, lesions), mm.

    Errors belong to patient, day (to 0.01 d) and lesion.
    """
    each = np.asarray(sphere_diameter_mm(np.asarray(volume_cm3) / clinic.lesions))
    diameter = np.repeat(each[:, np.newaxis], clinic.lesions, axis=1)
    if not clinic.error_cv:
        return diameter
    spread = math.sqrt(math.log1p(clinic.error_cv**2))
    numbers = np.rint(100.0 * days).astype(np.int64)[:, np.newaxis] * 8 + np.arange(clinic.lesions)
    z = normals(key, SCAN, numbers.ravel()).reshape(numbers.shape)
    return diameter * np.exp(spread * z - 0.5 * spread**2)


def new_lesions(record: RunRecord, days: np.ndarray, clinic: Clinic, key: np.ndarray) -> np.ndarray:
    """Return how many new lesions there are at each visit: arrivals at the integrated hazard, shape (visits,)."""
    if not clinic.new_lesions_per_day:
        return np.zeros(days.size, dtype=int)
    volume = np.asarray(record.tumour_volume_cm3, dtype=float)
    hazard = clinic.new_lesions_per_day * (volume / volume[0]) ** clinic.new_lesions_power
    time = np.asarray(record.time_days, dtype=float)
    total = np.concatenate([[0.0], np.cumsum(0.5 * (hazard[1:] + hazard[:-1]) * np.diff(time))])
    arrivals = np.cumsum(exponentials(key, NEW_LESION, np.arange(MOST_NEW))[0])
    return np.searchsorted(arrivals, np.interp(days, time, total), side="right")
