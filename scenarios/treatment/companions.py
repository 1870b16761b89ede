"""The companions of a scenario: drugs of the PK library that keep their own kinetics beside the body model."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...abm.errors import InputError, unknown_word
from ...abm.model import Model
from ...abm.ode_model import OdeModel
from ...ode_coupling.companions import BodyWithCompanions
from ...ode_coupling.dosing import Dose
from ...ode_coupling.joint import Drive, Joint
from ...ode_coupling.pk import pk_model
from ...ode_coupling.pk.drug_file import load_drug
from ...ode_coupling.pk.patients import sample_patients
from ...ode_coupling.pk.simulate import checked_doses
from ...ode_coupling.system import Body

PATIENTS = ("typical", "vary")
LEVEL = "concentration_nM"  # output of every PK model

COMPANION_KEYS: dict[str, tuple[str, bool, str]] = {
    "drug": ("text", True, "drug of the PK library: dosed in mg by [[regimen]]; its columns are <drug>.<name>"),
    "file": ("text", False, "file of the drug, in place of the library's; filled in where drug is a path"),
    "covariates": ("table", False, "covariate = value, by the drug's population model; its typical patient if absent"),
    "patients": ("text", False, "typical if absent, or vary: patient k has the k-th random effects of its model"),
    "drives": ("text", False, "input of the body model that its occupancy of a receptor sets"),
    "half": ("expression", False, "drives: plasma level (nM) at which half of the receptor is occupied"),
}  # fmt: skip


def companion_models(
    tables: Mapping[str, Any], doses: Sequence[Dose] = ()
) -> dict[str, tuple[OdeModel, dict[str, float]]]:
    """Return the PK model and parameter values of every companion, by drug.

    Parameters
    ----------
    tables : mapping
        Of the scenario.
    doses : sequence of Dose
        Where the time on treatment counts from.

    Raises
    ------
    InputError
        Unknown drug or covariate, a drug named twice, ``drives`` without ``half``, or patients that vary without a
        population.
    """
    found: dict[str, tuple[OdeModel, dict[str, float]]] = {}
    for entry in tables.get("companion", []):
        drug = entry["drug"]
        if drug in found:
            raise InputError(f"[[companion]] {drug}: named twice; one companion a drug")
        if ("drives" in entry) != ("half" in entry):
            raise InputError(f"[[companion]] {drug}: 'drives' and 'half' belong together; give both or none")
        starts = [dose.time_days for dose in doses if dose.drug == drug]
        if "file" in entry and (name := load_drug(entry["file"]).name) != drug:
            raise InputError(f"[[companion]] {drug}: its file is of the drug '{name}'; give them one name")
        found[drug] = pk_model(
            drug_source(entry),
            entry.get("covariates"),
            _effects(entry, tables),
            treatment_start=min(starts, default=0.0),
        )
    return found


def _effects(entry: Mapping[str, Any], tables: Mapping[str, Any]) -> dict[str, float]:
    """Return the random effects of the scenario's patient; none for a typical one."""
    drug, word = entry["drug"], entry.get("patients", PATIENTS[0])
    if word not in PATIENTS:
        raise unknown_word("word", word, PATIENTS, f"[[companion]] {drug} patients")
    if word == PATIENTS[0]:
        return {}
    patient = tables.get("patient", {})
    if "population" not in patient:
        raise InputError(
            f"[[companion]] {drug}: patients vary with their number in a population; set patient.population"
        )
    if not load_drug(drug_source(entry)).random_effects:
        raise InputError(
            f"[[companion]] {drug}: its population model has no random effects, so that no patient varies"
        )
    number = patient.get("number", 1)
    return sample_patients(drug_source(entry), number, patient.get("population_seed", 1))[number - 1]


def body_model_of(tables: Mapping[str, Any], systemic: OdeModel) -> OdeModel:
    """Return the body model of a scenario with the names that its companions add.

    Raises
    ------
    InputError
    """
    companions = companion_models(tables)
    if not companions:
        return systemic
    drives = [Drive(_level(e), e["drives"]) for e in tables["companion"] if "drives" in e]
    return Joint({"": systemic} | {drug: model for drug, (model, _) in companions.items()}, drives).model


def systemic_doses(tables: Mapping[str, Any], doses: Sequence[Dose]) -> list[Dose]:
    """Return the doses that go to the body model itself, not to a companion.

    Raises
    ------
    InputError
        As ``companion_models``: a wrong companion is named before its doses look for another taker.
    """
    drugs = companion_models(tables, doses)
    return [dose for dose in doses if dose.drug not in drugs]


def with_companions(body: Body, tables: Mapping[str, Any], doses: Sequence[Dose], model: Model) -> Body:
    """Return a body with the companions of a scenario, or the body itself where there are none.

    Parameters
    ----------
    body : Body
        The systemic model at time 0, which is taken over.
    tables : mapping
        Of the scenario.
    doses : sequence of Dose
        All doses of the scenario; those of companions go to them.
    model : Model
        The tissue model, whose parameters ``half`` may name.

    Raises
    ------
    InputError
    """
    found = companion_models(tables, doses)
    if not found:
        return body
    companions = {}
    for drug, (ode, values) in found.items():
        own = checked_doses([d for d in doses if d.drug == drug], ode, drug, values.get("lag", 0.0))
        companions[drug] = Body(ode, {}, own, rtol=body.rtol, atol=1e-9, start_days=body.t)
    drives = [
        Drive(
            _level(entry),
            entry["drives"],
            model.scope.positive(entry["half"], "nM", f"[[companion]] {entry['drug']} half", zero=False),
        )
        for entry in tables["companion"]
        if "drives" in entry
    ]
    return BodyWithCompanions(body, companions, drives)


def companion_lines(tables: Mapping[str, Any]) -> list[str]:
    """Return one sentence a companion, for people to read."""
    lines = []
    for entry in tables.get("companion", []):
        given = entry.get("covariates", {}).items()
        patient = ", ".join(f"{k} {v}" if isinstance(v, str) else f"{k} {v:g}" for k, v in given)
        if entry.get("patients") == PATIENTS[1]:
            patient = ", ".join(filter(None, (patient, "random effects of the patient")))
        line = f"{entry['drug']} with kinetics of its own ({patient or 'typical patient'})"
        if "drives" in entry:
            line += f"; sets {entry['drives']} to C/(C + {entry['half']})"
        lines.append(line)
    return lines


def _level(entry: Mapping[str, Any]) -> str:
    return f"{entry['drug']}.{LEVEL}"


def drug_source(entry: Mapping[str, Any]) -> str:
    """Return the file, or else the library name, of the drug of a [[companion]]."""
    return str(entry.get("file", entry["drug"]))
