"""What decides a run, whatever its files are called and wherever they lie: the content of its key.

A key of a scenario that names a file has a line in ``inputs.FILES`` and in ``CONTENT``, and so is part of the key of
a run; a test changes one number in a file of every kind.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ...abm.compile.model_file import ModelSpec, find_file, read_toml
from ...ode_coupling.immune.qcic import tables as qcic_tables
from ...ode_coupling.pk.drug_file import LIBRARY as DRUGS
from ...ode_coupling.pk.drug_file import library_drugs
from ..files.inputs import FILES, beside
from ..files.scenario import Scenario
from ..patients.population import POPULATIONS, library_populations, load_population
from ..store.file import opened, read_array
from ..tissue.density import DENSITY_TABLE
from ..tissue.image import file_digest
from ..treatment.companions import drug_source
from ..treatment.observe import blocks

# What a run file says of its making and not of its tissue, and names of files in it.
_VOLATILE = {"created", "wall_seconds", "versions", "source_hash", "scenario_text"}


Known = dict[tuple[str, str], str]  # contents of files that one call has read already


def resolved(
    scenario: Scenario, seed: int, tissue_file: Path | None = None, known: Known | None = None
) -> dict[str, Any]:
    """Return all that decides the result, as plain JSON-able tables: what the run key is hashed from.

    Parameters
    ----------
    scenario : Scenario
    seed : int
    tissue_file : Path, optional
        Cell table that replaces the tissue of the scenario.
    known : dict, optional
        Filled with the contents of files, for further scenarios of the same call.

    Raises
    ------
    InputError
        A file that the scenario names is missing or wrong.
    """
    tables = {section: _without_files(section, entry) for section, entry in scenario.tables.items()}
    given = {"given": file_digest(tissue_file, "cell table")} if tissue_file else {}
    return {
        "scenario": plain(tables),
        "user_parameters": {k: list(v) for k, v in sorted(scenario.user_parameters.items())},
        "model": _hash(model_content(scenario.model_spec)),
        "seed": seed,
        "files": dict(_contents(scenario.tables, {} if known is None else known)) | given,
    }


def _without_files(section: str, entry: Any) -> Any:
    keys = FILES.get(section, ())
    if isinstance(entry, list):
        return [_without_files(section, part) for part in entry]
    return {key: value for key, value in entry.items() if key not in keys} if keys else entry


def _contents(tables: Mapping[str, Any], known: Known) -> Iterable[tuple[str, str]]:
    for section, content in CONTENT.items():
        for number, entry in enumerate(blocks(tables.get(section, []))):
            mark = section, repr([entry.get(key) for key in (*FILES[section], "drug", "kind", "immune")])
            if mark not in known:
                known[mark] = content(entry)
            yield f"{section} {number}", known[mark]


def model_content(spec: ModelSpec) -> dict[str, Any]:
    """Return what a model and its parts say, without remarks and names of files."""
    head = {key: value for key, value in spec.model.items() if key != "include"}
    sections = {
        section: [{key: value for key, value in entry.items() if key != "where"} for entry in entries]
        for section, entries in spec.sections.items()
    }
    return {"model": head, "parameters": spec.parameters, **sections}


def _tissue(table: Mapping[str, Any]) -> str:
    """Return the content of the file of a tissue, and of the published densities where tissue is drawn by them."""
    drawn = [_of_files(DENSITY_TABLE)] if table.get("immune") else []
    if "file" not in table:
        return _hash(drawn)
    path = Path(table["file"])
    return _hash(
        [run_content(path) if table.get("kind") == "snapshot" else file_digest(path, "file"), *drawn]
    )


def _patient(table: Mapping[str, Any]) -> str:
    return _hash(population_content(str(table["population"])) if "population" in table else [])


def _companion(table: Mapping[str, Any]) -> str:
    return _hash([drug_content(drug_source(table))])


def _body(table: Mapping[str, Any]) -> str:
    """Return the content of a body model's file, or of the tables of the model of that name."""
    path = Path(table["model"])
    return (
        file_digest(path, "body model")
        if path.suffix
        else _of_files(*sorted(qcic_tables.FOLDER.glob("*.csv")))
    )


CONTENT: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "tissue": _tissue, "patient": _patient, "companion": _companion, "body": _body,
}  # fmt: skip


def drug_content(name_or_path: str) -> str:
    """Return a hash of what the file of a drug says.

    Raises
    ------
    InputError
        There is no such drug, or its file is no TOML.
    """
    return _hash(read_toml(find_file(name_or_path, DRUGS, library_drugs(), "drug"))[0])


def population_content(name_or_path: str) -> list[str]:
    """Return all that a population says, what the one says that its patients were picked from, and its drugs.

    Raises
    ------
    InputError
        See ``load_population``.
    """
    path = find_file(name_or_path, POPULATIONS, library_populations(), "population").resolve()
    population = load_population(path)
    kinetics = tuple(replace(k, drug=drug_content(k.drug)) for k in population.kinetics)
    chosen = population.selection
    of = beside(chosen.of, path.parent) if chosen else None
    named = replace(chosen, of="") if chosen else None
    content = [repr(replace(population, kinetics=kinetics, selection=named))]
    return content + (population_content(of) if of else [])


def run_content(path: Path) -> str:
    """Return a hash of every number and word in a run file, without when and how fast it was made.

    Raises
    ------
    InputError
        See ``open_run``.
    """
    total = hashlib.sha256()
    with opened(path) as file:
        for name in sorted(file.attrs.keys() - _VOLATILE):
            total.update(f"{name}={file.attrs[name]!r}\n".encode())
        found: list[h5py.Dataset] = []
        file.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
        for item in sorted(found, key=lambda item: str(item.name)):
            if str(item.name).startswith("/checkpoint/_"):  # wall times
                continue
            words = item.dtype.kind == "O"
            values = item.asstr()[()] if words else read_array(item.parent, item.name)
            total.update(f"{item.name}|{item.dtype.str}|{item.shape}\n".encode())
            total.update(repr(np.asarray(values).tolist()).encode() if words else values.tobytes())
    return total.hexdigest()


def _of_files(*paths: Path) -> str:
    return _hash([file_digest(path, "table") for path in paths])


def _hash(value: Any) -> str:
    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def plain(value: Any) -> Any:
    """Return a copy in which 3.0 reads 3, so that one setting has one key however it was written."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
