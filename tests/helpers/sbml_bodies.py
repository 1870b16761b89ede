"""The body of docs/examples/sbml_body, written for the tests in whatever units."""

import pathlib
from dataclasses import dataclass

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples" / "sbml_body"
MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'


@dataclass(frozen=True)
class Written:
    """In what a file counts: hours a unit of time, litres of volume, grams of drug; amounts or densities."""

    hours: float = 24.0
    litres: float = 1.0
    grams: float = 1e-3
    cells: float = 1.0
    cell_amounts: bool = False
    drug_amounts: bool = True


def body_xml(written: Written, homing: float = 0.01, supply: float = 2e6, exit_rate: float = 0.2) -> str:
    """Return the SBML of the example; rates in 1/d, ``supply`` in cells a litre and day."""
    w, day = written, 24.0 / written.hours
    size = {"blood": 5 / w.litres, "plasma": 3 / w.litres, "lesion": 0.01 / w.litres}
    cells = {"T_blood": ("blood", 1e8), "T_lesion": ("lesion", 8e6), "tumour": ("lesion", 8e7)}

    def one(name: str) -> str:
        """A cell species as an amount, for the laws."""
        return (
            f"<ci>{name}</ci>" if w.cell_amounts else _times(f"<ci>{name}</ci>", f"<ci>{cells[name][0]}</ci>")
        )

    def drug(name: str) -> str:
        return f"<ci>{name}</ci>" if w.drug_amounts else _times(f"<ci>{name}</ci>", "<ci>plasma</ci>")

    species = [
        _species(name, room, number / w.cells / (1 if w.cell_amounts else size[room]), "cell", w.cell_amounts)
        for name, (room, number) in cells.items()
    ] + [
        _species(name, "plasma", 0.0, "mass", w.drug_amounts) for name in ("central", "peripheral", "cleared")
    ]
    rates = {"loss": 0.02, "homing": homing, "leaving": exit_rate, "dying": 0.1, "growth": 0.02}
    rates |= {"k12": 0.2, "k21": 0.25, "k10": 0.08}
    laws = [
        ("birth", "", "T_blood", "<ci>supply</ci>"),
        ("death", "T_blood", "", _times("<ci>loss</ci>", one("T_blood"))),
        ("entry", "T_blood", "T_lesion", _times("<ci>homing</ci>", one("T_blood"))),
        ("exit", "T_lesion", "T_blood", _times("<ci>leaving</ci>", one("T_lesion"))),
        ("turnover", "T_lesion", "", _times("<ci>dying</ci>", one("T_lesion"))),
        ("division", "", "tumour", _times("<ci>growth</ci>", one("tumour"))),
        ("outward", "central", "peripheral", _times("<ci>k12</ci>", drug("central"))),
        ("inward", "peripheral", "central", _times("<ci>k21</ci>", drug("peripheral"))),
        ("clearance", "central", "cleared", _times("<ci>k10</ci>", drug("central"))),
    ]
    units = [
        _unit("time", "second", 3600 * w.hours), _unit("per_time", "second", 3600 * w.hours, -1),
        _unit("space", "litre", w.litres), _unit("mass", "gram", w.grams), _unit("cell", "item", w.cells),
    ]  # fmt: skip
    values = {name: rate / day for name, rate in rates.items()}
    units_of = dict.fromkeys(values, 'units="per_time"') | {"supply": ""}
    values["supply"] = supply * 5 / w.cells / day
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" '
        'version="1"><model id="written" timeUnits="time" substanceUnits="cell" volumeUnits="space" extentUnits="cell">'
        f"<listOfUnitDefinitions>{''.join(units)}</listOfUnitDefinitions><listOfCompartments>"
        + "".join(
            f'<compartment id="{name}" spatialDimensions="3" size="{value!r}" units="space" constant="true"/>'
            for name, value in size.items()
        )
        + f"</listOfCompartments><listOfSpecies>{''.join(species)}</listOfSpecies><listOfParameters>"
        + "".join(
            f'<parameter id="{name}" value="{value!r}" {units_of[name]} constant="true"/>'
            for name, value in values.items()
        )
        + "</listOfParameters><listOfReactions>"
        + "".join(_reaction(*law) for law in laws)
        + "</listOfReactions></model></sbml>"
    )


def write_example(folder: pathlib.Path, xml: str | None = None, *changes: tuple[str, str]) -> pathlib.Path:
    """Copy the example into a folder, its body and words of its scenario replaced; return the scenario's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tissue.toml", "immune.toml", "immune.xml"):
        (folder / name).write_text((EXAMPLE / name).read_text(encoding="utf-8"), encoding="utf-8")
    if xml is not None:
        (folder / "immune.xml").write_text(xml, encoding="utf-8")
    path = folder / "immune.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


def _times(*parts: str) -> str:
    return f"<apply><times/>{''.join(parts)}</apply>"


def _unit(name: str, kind: str, multiplier: float, exponent: int = 1) -> str:
    return (
        f'<unitDefinition id="{name}"><listOfUnits><unit kind="{kind}" exponent="{exponent}" scale="0" '
        f'multiplier="{multiplier!r}"/></listOfUnits></unitDefinition>'
    )


def _species(name: str, room: str, start: float, unit: str, amount: bool) -> str:
    kind = "Amount" if amount else "Concentration"
    return (
        f'<species id="{name}" compartment="{room}" initial{kind}="{start!r}" '
        f'substanceUnits="{unit}" hasOnlySubstanceUnits="{str(amount).lower()}" boundaryCondition="false" '
        'constant="false"/>'
    )


def _reaction(name: str, source: str, target: str, law: str) -> str:
    def side(kind: str, what: str) -> str:
        inner = f'<speciesReference species="{what}" stoichiometry="1" constant="true"/>'
        return f"<listOf{kind}>{inner}</listOf{kind}>" if what else ""

    return (
        f'<reaction id="{name}" reversible="false" fast="false">{side("Reactants", source)}{side("Products", target)}'
        f"<kineticLaw><math {MATH}>{law}</math></kineticLaw></reaction>"
    )
