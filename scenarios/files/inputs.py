"""The files that a scenario names: found beside the file that names them, and called by where they lie."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...abm.compile.model_file import find_file
from ...ode_coupling.pk.drug_file import LIBRARY as DRUGS
from ...ode_coupling.pk.drug_file import library_drugs, load_drug
from ..treatment.observe import blocks

# section -> keys whose value may be the path of a file
FILES: dict[str, tuple[str, ...]] = {
    "scenario": ("model", "include"),
    "tissue": ("file",),
    "patient": ("population",),
    "body": ("model",),
    "companion": ("file",),
}


def settle(tables: dict[str, Any], folder: Path) -> None:
    """Write the path of every file that a scenario names, and the name of every drug that it names by a file.

    What lies neither beside the scenario nor where the command is called stays a name of the library.

    Parameters
    ----------
    tables : dict
        As one file has them; changed in place.
    folder : Path
        Where this file lies.

    Raises
    ------
    InputError
        A drug file that is wrong.
    """
    for section in ("companion", "regimen"):
        for entry in _tables(tables, section):
            if isinstance(entry.get("drug"), str) and entry["drug"].endswith(".toml"):
                path = find_file(entry["drug"], DRUGS, library_drugs(), "drug", folder)
                entry["drug"] = load_drug(path).name
                if section == "companion":
                    entry["file"] = os.path.abspath(path)
    for section, keys in FILES.items():
        for entry in _tables(tables, section):
            for key in entry.keys() & {*keys}:
                value = entry[key]
                found = [beside(word, folder) for word in (value if isinstance(value, list) else [value])]
                entry[key] = found if isinstance(value, list) else found[0]


def settle_setting(setting: str, folder: Path) -> str:
    """Return a ``key=value`` with the path of the file that it names, if it names one."""
    name, equals, value = setting.partition("=")
    key = name.strip().rpartition(".")[2]
    return (
        f"{name}{equals}{beside(value.strip(), folder)}"
        if any(key in keys for keys in FILES.values())
        else setting
    )


def beside(name: Any, folder: Path) -> Any:
    """Return the path of a file that lies in a folder or where the command is called; else the name as it is."""
    if isinstance(name, str) and Path(name).suffix:
        for path in (folder / name, Path(name)):
            if path.is_file():
                return os.path.abspath(path)
    return name


def _tables(tables: Mapping[str, Any], section: str) -> list[dict[str, Any]]:
    return [entry for entry in blocks(tables.get(section, [])) if isinstance(entry, dict)]
