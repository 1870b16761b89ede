"""Open an SBML file as an XML tree, before any engine sees it."""

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from ...abm.errors import InputError
from .flatten import flattened

MOST_BYTES, MOST_DEPTH, MOST_TERMS = 50_000_000, 1_000, 2_000  # an engine that recurses has a stack of 8 MB
LEVELS = {(1, 1), (1, 2), *((2, version) for version in range(1, 6)), (3, 1), (3, 2)}
MATHML = "http://www.w3.org/1998/Math/MathML"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'  # libSBML insists on it
_COMP = "{http://www.sbml.org/sbml/level3/version1/comp/version1}"
_DECLARED = re.compile(r"^\s*<\?xml[^>]*\?>\s*")
_CORE = re.compile(r"http://www\.sbml\.org/sbml/level(\d)(/version(\d)(/core)?)?$")
_PACKAGE = re.compile(r"\{http://www\.sbml\.org/sbml/level3/version\d/(\w+)/version\d\}required$")


@dataclass(frozen=True)
class Document:
    """An SBML file as read: its text, its <model> without namespaces and packages, its namespace, level and version."""

    path: Path
    text: str
    model: ElementTree.Element
    namespace: str
    level: int
    version: int


def open_document(path: Path) -> Document:
    """Return the tree of an SBML file; tags carry no namespace.

    Raises
    ------
    InputError
        The file cannot be read, is not XML or not SBML, declares entities, nests too deep, or needs a package.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; give an SBML file (.xml)")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path}: has more than {MOST_BYTES:,} bytes; an SBML model may have as many")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check path and permissions") from None
    return _parsed(data, path)


def _parsed(data: bytes, path: Path, flat: bool = False) -> Document:
    root = _tree(data, path)
    space, _, name = root.tag.rpartition("}")
    found = _CORE.match(space.lstrip("{"))
    if name != "sbml" or not found:
        raise InputError(
            f"{path}: is no SBML: its first element is <{name[:40]}>; give a file that holds <sbml>"
        )
    level, version = _number(root.get("level")), _number(root.get("version"))
    if (level, version) not in LEVELS or int(found[1]) != level:
        raise InputError(
            f"{path}: SBML Level {root.get('level')} Version {root.get('version')} is not known; write it as "
            "Level 1, 2 or 3 (Version 1 or 2)"
        )
    for key, value in root.attrib.items():
        package = _PACKAGE.match(key)
        if (
            package
            and package[1] == "comp"
            and not flat
            and next(root.iter(_COMP + "submodel"), None) is not None
        ):
            if next(root.iter(_COMP + "externalModelDefinition"), None) is not None:
                raise InputError(f"{path}: a submodel lies in another file; put its definition into this one")
            return _parsed(flattened(_text_of(data, root), path).encode(), path, flat=True)
        if package and value in ("true", "1") and package[1] not in ("layout", "comp"):
            raise InputError(
                f"{path}: needs the SBML package '{package[1]}', which is not read; flatten the model"
            )
    text = _text_of(data, root)
    spaces = (space, "{" + MATHML)
    for element in root.iter():
        if element.tag.rpartition("}")[0] in spaces:
            foreign = [e for e in element if e.tag.rpartition("}")[0] not in spaces]
            for child in foreign if not element.tag.endswith(("}annotation", "}notes")) else ():
                element.remove(child)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    model = root.find("model")
    if model is None:
        raise InputError(f"{path}: holds no SBML model; add <model>")
    return Document(path, text, model, space.lstrip("{"), level, version)


def _text_of(data: bytes, root: ElementTree.Element) -> str:
    """Return the text of a document in Unicode, behind the one declaration that libSBML takes."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ElementTree.tostring(root, encoding="unicode")
    return DECLARATION + _DECLARED.sub("", text)


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() and len(text) < 3 else -1


def _tree(data: bytes, path: Path) -> ElementTree.Element:
    """Parse; refuse entities, and what a recursive reader would not survive."""
    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    counts: list[int] = []

    def name(text: str) -> str:
        return "{" + text if "}" in text else text

    def start(tag: str, attributes: dict[str, str]) -> None:
        if len(counts) >= MOST_DEPTH:
            raise InputError(f"{path}: nests more than {MOST_DEPTH:,} deep; write its formulae flatter")
        if counts:
            counts[-1] += 1
            if counts[-1] > MOST_TERMS + 1 and stack[-1] in ("apply", "piecewise"):
                raise InputError(
                    f"{path}: a formula has more than {MOST_TERMS:,} terms side by side; split it over several rules"
                )
        counts.append(0)
        stack.append(tag.rpartition("}")[2])
        builder.start(name(tag), {name(key): value for key, value in attributes.items()})

    def end(tag: str) -> None:
        counts.pop()
        stack.pop()
        builder.end(name(tag))

    def entity(*_: object) -> None:
        raise InputError(f"{path}: declares an entity or a document type, which no SBML needs; remove it")

    stack: list[str] = []
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = parser.StartDoctypeDeclHandler = entity
    try:
        parser.Parse(data, True)
        return builder.close()
    except InputError:
        raise
    except (expat.ExpatError, LookupError, ValueError, AssertionError) as error:
        raise InputError(f"{path}: is not XML ({error}); give an SBML file") from None
