"""The methods paragraph of a report: model, population, treatment, assessment, calibration and limits."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...abm.snapshot import RunRecord
from ..outcomes.assessment import Clinic
from ..outcomes.death import coupled
from ..series import Row, end_day
from .page import paragraph
from .response import clinic_words

LIMITS = (
    "Limits. A lattice is a small piece of one lesion: it does not sample metastases, and a response of a patient is "
    "that of this piece. The number of virtual patients is chosen, so p-values and confidence limits describe the "
    "precision of the computation, not evidence about patients; effects are to be read with the uncertainty of the "
    "parameters, which these intervals leave out. What was used to calibrate cannot count as a prediction."
)


def methods(
    records: Sequence[RunRecord],
    rows: Sequence[Row],
    clinic: Clinic,
    law: str,
    failures: int = 0,
    calibration: Sequence[str] = (),
) -> str:
    """Return the methods of a study in paragraphs that can be copied.

    Parameters
    ----------
    records : list of RunRecord
        Runs read in full: model, population and versions come from them; may be empty.
    rows : list of dict
        Rows of outcomes of all runs.
    clinic : Clinic
    law : str
        Law of death.
    failures : int
        Runs that failed.
    calibration : list of str
        Sentences about what the population was fitted to, which the runs do not say themselves.
    """
    parts = [_design(rows, failures)]
    if records:
        parts += [_model(records), _body(records), _sizes(records)]
    parts += [clinic_words(clinic) + _death(rows, law), _calibration(records, calibration), LIMITS]
    return "".join(paragraph(part.strip()) for part in parts if part)


def _design(rows: Sequence[Row], failures: int) -> str:
    arms = list(dict.fromkeys(str(row["arm"]) for row in rows))
    patients = len({(row["patient"], row["seed"]) for row in rows})
    crossed = all(
        len({str(r["arm"]) for r in rows if (r["patient"], r["seed"]) == who}) == len(arms)
        for who in [(row["patient"], row["seed"]) for row in rows[:20]]
    )
    words = f"Design. {len(rows)} runs in {_count(len(arms), 'arm')} ({', '.join(arms)}), {_count(patients, 'patient')}"
    if len(arms) > 1:
        words += (
            ", every patient and seed in every arm, so that arms share patients and luck"
            if crossed
            else "; arms do not share all patients"
        )
    lost = f"; {_count(failures, 'run')} failed and {'is' if failures == 1 else 'are'} left out."
    return words + (lost if failures else ".")


def _model(records: Sequence[RunRecord]) -> str:
    texts = [_table(r, "scenario") for r in records]
    models = _unique(str(t.get("model", "")) for t in texts)
    lattices = _unique(_lattice(_table(r, "lattice")) for r in records)
    days = sorted({f"{end_day(r):g}" for r in records}, key=float)
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    types = _unique(t.display for r in records for t in r.types)
    return (
        f"Model. Agent-based model {', '.join(models) or 'of unknown name'} on a lattice"
        f"{' of ' + ', '.join(lattices) + ' sites' if lattices else ''}, followed for {span} days; cell types: "
        f"{', '.join(types)}. {_versions(records)}"
    )


def _lattice(table: Mapping[str, Any]) -> str:
    numbers = [str(table[key]) for key in ("planes", "rows", "columns") if key in table]
    return " x ".join(numbers)


def _body(records: Sequence[RunRecord]) -> str:
    with_body = [r for r in records if coupled(r)]
    if not with_body:
        return "The tissue stands alone: no body, no circulating cells and no pharmacokinetics."
    bodies = _unique(
        f"{_table(r, 'body').get('model', 'unknown')}, variant {_table(r, 'body').get('variant', 'unknown')}"
        for r in with_body
    )
    populations = _unique(str(_table(r, "patient").get("population", "")) for r in with_body)
    drugs = _unique(drug for r in with_body for _, drug, _ in r.doses)
    words = f"Body. The lattice is coupled to a body model ({'; '.join(bodies)}). "
    words += (
        f"Virtual patients are drawn from the population {', '.join(p for p in populations if p)}. "
        if any(populations)
        else "All runs have the published patient. "
    )
    return words + (f"Drugs given: {', '.join(drugs)}." if drugs else "No drug was given.")


def _sizes(records: Sequence[RunRecord]) -> str:
    rules = _unique(volume_rule(r) for r in records)
    return f"Size. Tumour volume from lattice counts by the rule {', '.join(repr(rule) for rule in rules)}."


def volume_rule(record: RunRecord) -> str:
    """Return the rule by which the volume of a run was counted, one of ``abm.volume.RULES``."""
    if coupled(record):
        return "weighted count"
    return "3-D direct" if "planes" in _table(record, "lattice") else "sphere equivalent"


def _death(rows: Sequence[Row], law: str) -> str:
    if not any(row.get("death_law") for row in rows):
        return "Deaths were not drawn."
    kind = "fitted to each arm" if law == "fit" else "one for all arms"
    return f"Deaths are drawn by the law '{law}', {kind}."


def _calibration(records: Sequence[RunRecord], more: Sequence[str]) -> str:
    if not records and not more:
        return ""
    fitted = _unique(
        str(p["name"]) for r in records for p in r.parameters if str(p["source"]).startswith("fitted")
    )
    shown = ", ".join(fitted[:12]) + (" and others" if len(fitted) > 12 else "")
    words = f"Parameters with source 'fitted': {shown or 'none'}. " + " ".join(more)
    return f"Calibration. {words.strip()} All sources are in the table of parameters."


def _versions(records: Sequence[RunRecord]) -> str:
    found = _unique(
        f"oncolattice {v['oncolattice']}"
        for r in records
        if (v := r.attributes.get("versions", {})).get("oncolattice")
    )
    return f"Software: {', '.join(found)}." if found else ""


def _table(record: RunRecord, section: str) -> Mapping[str, Any]:
    text = record.attributes.get("scenario_text", {})
    found = text.get(section, {}) if isinstance(text, Mapping) else {}
    return found if isinstance(found, Mapping) else {}


def _unique(words) -> list[str]:
    return [word for word in dict.fromkeys(words) if word]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
