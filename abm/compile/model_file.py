"""Read a model file: TOML with includes, checked word by word against the vocabulary."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError, shortened, unknown_word
from ..vocabulary import MEASURES, MODEL_KEYS, SOURCE_WORDS
from .keys import check_keys as check_keys
from .keys import table_of, tables_of
from .toml_text import is_file
from .toml_text import read_toml as read_toml

LIBRARY = Path(__file__).parent.parent / "models"
LIST_SECTIONS = ("cell_type", "attribute", "field", "body_signal", "density", "behaviour", "change", "rule")
_DOI = re.compile(r"10\.\d{4,9}/\S+$")
_PMID = re.compile(r"PMID \d+$")
_CODE = re.compile(r"code [\w.-]+/[\w.-]+@[0-9a-f]{6,40}( .+)?$")


@dataclass
class ModelSpec:
    """A model as written: sections of plain tables, each entry with the place it stands in.

    Attributes
    ----------
    model : dict
        The ``[model]`` table.
    parameters : dict of str to dict
    sections : dict of str to list of dict
        Entries of every section of ``LIST_SECTIONS``; the key ``where``
        of every entry names file, section and entry for messages.
    text : str
        All files verbatim, in the order of reading.
    """

    model: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    sections: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {s: [] for s in LIST_SECTIONS})
    text: str = ""


def library_models() -> list[str]:
    """Return the names of the models that ship with the package."""
    return sorted(path.stem for path in LIBRARY.glob("*.toml"))


def find_model(name_or_path: str, beside: Path | None = None) -> Path:
    """Return the file of a library model or of a path (also tried beside the file that names it).

    Raises
    ------
    InputError
        There is no such model.
    """
    return find_file(name_or_path, LIBRARY, library_models(), "model", beside)


def find_file(
    name_or_path: str, library: Path, names: list[str], kind: str, beside: Path | None = None
) -> Path:
    """Return the TOML file that a path or a library name stands for.

    Raises
    ------
    InputError
        There is no such file.
    """
    candidates = [Path(name_or_path), library / f"{name_or_path}.toml", library / name_or_path]
    if beside is not None:
        candidates.insert(0, beside / name_or_path)
    for path in candidates:
        if path.suffix == ".toml" and is_file(path):
            return path
    raise unknown_word(kind, str(name_or_path), names, f"{kind} (a library name or a .toml file)")


def read_model(name_or_path: str, beside: Path | None = None) -> ModelSpec:
    """Return the checked specification of a model, its included files merged by addition.

    Raises
    ------
    InputError
        Unknown section, key or word; a name declared twice; a parameter without unit or source.
    """
    spec = ModelSpec()
    _merge(find_model(name_or_path, beside), spec)
    if not spec.model:
        raise InputError(f"{name_or_path}: a model file needs a [model] table; see docs/format.md")
    return spec


def add_part(spec: ModelSpec, name_or_path: str, beside: Path | None = None) -> None:
    """Add the checked content of a file that models include to a model.

    Raises
    ------
    InputError
        As ``read_model``.
    """
    _merge(find_model(name_or_path, beside), spec)


def read_part(path: Path) -> ModelSpec:
    """Return the checked specification of a file that models include; it needs no [model] table.

    Raises
    ------
    InputError
        As ``read_model``.
    """
    spec = ModelSpec()
    _merge(path, spec)
    return spec


def _merge(path: Path, spec: ModelSpec, above: tuple[Path, ...] = ()) -> None:
    path = path.resolve()
    if path in above:
        circle = " -> ".join(p.name for p in (*above[above.index(path) :], path))
        raise InputError(f"{path}: includes itself ({circle}); remove one of these includes")
    tables, text = read_toml(path)
    spec.text += f"# --- {path.name}\n{text}\n"
    known = ("model", "parameters", *LIST_SECTIONS)
    for section in tables:
        if section not in known:
            raise unknown_word("section", section, known, path.name)
    includes = tables["model"].get("include", []) if isinstance(tables.get("model"), dict) else []
    if "model" in tables and not (spec.model and tables["model"].keys() == {"include"}):
        where = f"{path.name} [model]"
        check_entry(tables["model"], "model", where)
        if spec.model:
            raise InputError(
                f"{where}: only one file may hold a [model] table, and it is not this included one, whose [model] "
                "may hold 'include' alone"
            )
        spec.model = tables["model"]
        _check_texts(tables["model"], ("layers",), where)
    _check_texts({"include": includes}, ("include",), f"{path.name} [model]")
    for name, entry in table_of(tables, "parameters", path.name).items():
        where = f"{path.name} [parameters] {name}"
        if name in spec.parameters:
            raise InputError(f"{where}: declared twice; override with --set or in the scenario instead")
        check_parameter(entry, where)
        spec.parameters[name] = entry
    for section in LIST_SECTIONS:
        entries = tables_of(tables, section, path.name)
        if not all(isinstance(entry, dict) for entry in entries):
            raise InputError(f"{path.name} [{section}]: write [[{section}]], one block an entry")
        for number, entry in enumerate(entries, start=1):
            label = (
                entry.get("name")
                or f"{entry.get('cell', '?')}: {entry.get('do') or entry.get('behaviour') or entry.get('on', '?')}"
            )
            where = f"{path.name} [[{section}]] {number} ({label})"
            check_entry(entry, section, where)
            spec.sections[section].append(entry | {"where": where})
    for include in includes:
        _merge(find_model(include, path.parent), spec, (*above, path))


def check_parameter(entry: Any, where: str) -> None:
    """Check that a parameter has one of value, expr and measured, a unit and, unless derived, a source.

    Raises
    ------
    InputError
    """
    if not isinstance(entry, dict):
        raise InputError(
            f"{where}: a parameter is {{ value, unit, source }}, not a bare {type(entry).__name__}"
        )
    check_entry(entry, "parameter", where)
    given = ("value" in entry) + ("expr" in entry)
    if "measured" in entry and entry["measured"].partition(" ")[0] not in MEASURES:
        raise unknown_word("measure", entry["measured"], MEASURES, where)
    if given != 1 and not ("measured" in entry and given == 0):
        raise InputError(f"{where}: give either value or expr")
    if len(entry.get("range", (0, 0))) != 2:
        raise InputError(f"{where}: 'range' must be [lowest, highest], got {entry['range']!r}")
    computed = "derived" if "expr" in entry else "measured" if "measured" in entry else None
    source = entry.get("source", computed)
    if source is None:
        raise InputError(f"{where}: source missing; give a DOI, PMID, code reference, 'fitted' or 'assumed'")
    check_source(source, where)


def check_source(source: str, where: str) -> None:
    """Check that a source is a DOI, a PMID, a code reference or one of the words; a remark may follow.

    Raises
    ------
    InputError
    """
    head = source.split(" (")[0].split(";")[0]
    if head not in SOURCE_WORDS and not any(p.match(head) for p in (_DOI, _PMID, _CODE)):
        raise InputError(
            f"{where}: source '{shortened(source)}' is none of DOI (10.xxxx/...), PMID nnn, "
            f"code owner/name@commit, {', '.join(SOURCE_WORDS)}"
        )


def check_entry(entry: Any, section: str, where: str) -> None:
    """Check keys and kinds of one table against the vocabulary.

    Raises
    ------
    InputError
    """
    check_keys(entry, MODEL_KEYS[section], where)


def _check_texts(entry: dict[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in keys:
        words = entry.get(key, [])
        if (
            not isinstance(words, list)
            or not all(isinstance(w, str) for w in words)
            or len({*words}) < len(words)
        ):
            raise InputError(f"{where}: '{key}' must be a list of different names, got {words!r}")


def as_list(value: str | list[str]) -> list[str]:
    """Return one word or several as a list."""
    return [value] if isinstance(value, str) else list(value)


def expand_groups(words: str | list[str], types: list[dict[str, Any]], where: str) -> Iterator[str]:
    """Yield the type names that words (type or group names) stand for, in the order of declaration."""
    group: dict[str, str | None] = {}
    for entry in types:  # a type that is like another one is in its group, too
        group[entry["name"]] = entry.get("group", group.get(entry.get("like", "")))
    known, wanted = {*group, *filter(None, group.values())}, as_list(words)
    for word in wanted:
        if word not in known:
            raise unknown_word("cell type or group", word, known, where)
    for name in group:
        if name in wanted or group[name] in wanted:
            yield name
