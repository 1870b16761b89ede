"""What a report is made from: runs, their outcomes, and what stands beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...abm.snapshot import RunRecord
from ..outcomes.assessment import Clinic
from ..outcomes.death import LAWS, coupled
from ..outcomes.study_table import OVERALL, times_of
from ..series import Row

MOST_DRAWN = 40  # runs an arm in figures that draw every series of a run


@dataclass(frozen=True)
class Beside:
    """A table that a study puts beside its own results.

    Attributes
    ----------
    name : str
        Of its CSV file.
    heading, words : str
        Of its section; what the reader must know.
    rows : list of dict
        With the same keys, which are the columns.
    """

    name: str
    heading: str
    words: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Study:
    """Everything that a report is made of.

    Attributes
    ----------
    records : list of RunRecord
        Runs read in full; all of them, or examples of a study whose other runs are rows alone.
    rows : list of dict
        Rows of outcomes of all runs.
    clinic : Clinic
    law : str
        Law of death.
    ode_only : mapping or None
        arm -> {"tri_week8": array, "label": str}.
    failures : list of dict
        Rows of failures.csv.
    sensitivity : list of dict
        Rows for the tornado: parameter, value, and perhaps low, high, method, outcome.
    calibration : list of str
        Sentences about what the population was fitted to.
    tables : list of Beside
        Further tables, each a section of its own.
    """

    records: Sequence[RunRecord]
    rows: Sequence[Row]
    clinic: Clinic = field(default_factory=Clinic)
    law: str = "log volume"
    ode_only: Mapping[str, Mapping[str, Any]] | None = None
    failures: Sequence[Row] = ()
    sensitivity: Sequence[Row] = ()
    calibration: Sequence[str] = ()
    tables: Sequence["Beside"] = ()

    @property
    def complete(self) -> bool:
        """Return whether every row has its run."""
        return len(self.records) == len(self.rows)

    @property
    def expects_deaths(self) -> bool:
        """Return whether every run has a death drawn by one law of all arms, and a course from which to expect it."""
        drawn = times_of(self.rows, OVERALL) is not None
        return self.complete and self.with_body and self.law in LAWS and drawn

    @property
    def with_body(self) -> bool:
        """Return whether any run is coupled to a body."""
        return any(coupled(record) for record in self.records)
