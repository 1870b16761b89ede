"""List what the library holds, and describe a model, scenario or study in words."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ...abm import vocabulary as v
from ...abm.compile.model_file import LIBRARY as MODELS
from ...abm.compile.model_file import as_list, library_models, read_toml
from ...abm.compile.rules import Words, inherited, split_behaviour
from ...abm.compile.toml_text import is_file
from ...abm.errors import InputError, unknown_word
from ...abm.model import Model, load_model
from ...abm.ode_model import Parameter
from ...ode_coupling.immune.qcic.model import qcic
from ...ode_coupling.pk.drug_file import LIBRARY as PK_LIBRARY
from ...ode_coupling.pk.drug_file import library_drugs, load_drug
from ..files.scenario import LIBRARY, Scenario, library_scenarios, load_scenario
from ..files.study import Study, library_studies, load_study
from ..files.systemic import body_model
from ..patients.sample import library_populations, load_population
from ..simulate.model import scenario_model
from ..treatment.companions import body_model_of, companion_lines
from ..treatment.observe import blocks
from .body_listing import body_lines, columns, population_lines
from .pk import describe_drug

MOST_VALUES = 8  # of a sweep that are written out


def catalogue() -> dict[str, list[tuple[str, str]]]:
    """Return (name, title) of everything in the library folders, by kind.

    Raises
    ------
    InputError
        A library file cannot be read.
    """
    return {
        "scenarios": _titles(LIBRARY, library_scenarios()),
        "studies": _titles(LIBRARY, library_studies()),
        "models": _titles(MODELS, library_models()),
        "drugs": _titles(MODELS / "drugs"),
        "populations": _titles(LIBRARY / "populations"),
        "drugs with kinetics": _titles(PK_LIBRARY),
        "bodies": [(qcic().name, "quantitative cancer-immunity cycle of metastatic colorectal cancer")],
    }


def _titles(folder: Path, names: Iterable[str] | None = None) -> list[tuple[str, str]]:
    paths = sorted(folder.glob("*.toml")) if names is None else [folder / f"{name}.toml" for name in names]
    return [(path.stem, _title(path)) for path in paths]


def _title(path: Path) -> str:
    """Return the title of a file, or the first sentence of the comment it opens with."""
    tables, text = read_toml(path)
    for table in tables.values():
        if isinstance(table, dict) and isinstance(table.get("title"), str):
            return table["title"]
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    return " ".join(lines).split(". ")[0].rstrip(".")


def describe_text(name: str, assumed: bool) -> str:
    """Return a description of a model, scenario or study for people to read.

    Parameters
    ----------
    name : str
        Library name of a model, scenario, study, population, body or drug with kinetics, or path of a TOML file or
        of an SBML file (.xml, .sbml).
    assumed : bool
        Only the parameters whose source is ``assumed``, with their number.

    Raises
    ------
    InputError
        There is no such thing, or it is wrong.
    """
    if Path(name).suffix in (".xml", ".sbml"):
        from ...ode_coupling.sbml import read_sbml

        return "\n".join(body_lines(read_sbml(name)))
    kind = _kind(name)
    if kind == "study":
        study = load_study(name)
        return "\n".join([*_study(study), "", describe_text(study.arms[0], assumed)])
    if kind == "model":
        model = load_model(name)
        return "\n".join(_assumed(model) if assumed else _model(model))
    if kind == "body":
        return "\n".join(body_lines(qcic()))
    if kind == "drug":
        return describe_drug(load_drug(name))
    if kind == "population":
        return "\n".join(population_lines(load_population(name)))
    scenario = load_scenario(name)
    model = scenario_model(scenario)
    if assumed:
        return "\n".join(_assumed(model))
    tables = scenario.tables
    body = ["", *body_lines(body_model_of(tables, body_model(tables)))] if "body" in tables else []
    return "\n".join([*_scenario(scenario), "", *_model(model), *body])


def _study(study: Study) -> Iterator[str]:
    """Yield what a study runs."""
    yield f"study {study.name}: {study.title}"
    seeds = f", {study.replicates} seeds each" if study.replicates > 1 else ""
    yield f"{study.patients} patients an arm{seeds}, seed {study.seed}"
    yield from (f"arm {arm}" for arm in study.arms)
    yield from (f"set {setting}" for setting in study.settings)
    points = [dict(point) for point in study.points]
    for name in points[0]:
        values = list(dict.fromkeys(point[name] for point in points))
        yield f"sweep {name}: {', '.join(values) if len(values) <= MOST_VALUES else _range(values)}"
    runs = len(study.arms) * study.patients * max(1, study.replicates) * len(points)
    yield f"{runs:,} runs" + (f" ({len(points):,} points of the sweeps)" if len(points) > 1 else "")


def _range(values: Sequence[str]) -> str:
    """Return how many values there are, and the lowest and highest (first and last of those that are no numbers)."""
    numbers = {}
    for value in values:
        head = re.match(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", value)
        numbers[value] = float(head[0]) if head else math.nan
    ordered = values if any(map(math.isnan, numbers.values())) else sorted(values, key=numbers.__getitem__)
    return f"{len(values)} values, {ordered[0]} to {ordered[-1]}"


def _kind(name: str) -> str:
    by_kind = {
        "scenario": library_scenarios(),
        "study": library_studies(),
        "model": library_models(),
        "population": library_populations(),
        "drug": library_drugs(),
        "body": [qcic().name],
    }
    for kind, names in by_kind.items():
        if name in names:
            return kind
    path = Path(name)
    if path.suffix == ".toml" and is_file(path):
        tables, _ = read_toml(path)
        for kind in by_kind:
            if kind in tables:
                return kind
        sections = "[scenario], [study], [model], [population] or [drug]"
        raise InputError(f"{name}: only a file with a {sections} table can be described")
    choices = [word for names in by_kind.values() for word in names]
    raise unknown_word("name", name, choices, "describe (a library name or a .toml file)", "list")


def _scenario(scenario: Scenario) -> Iterator[str]:
    head = scenario.tables["scenario"]
    yield f"scenario {head['name']}: {head['title']}"
    for section, table in scenario.tables.items():
        if section in ("regimen", "companion", "coupling", "parameters"):
            continue
        for block in blocks(table):
            yield ""
            yield f"[{section}]"
            yield from (f"  {key} = {_plain(value)}" for key, value in block.items())
    yield ""
    if "body" in scenario.tables:
        yield "regimen"
        yield from (f"  {_regimen(regimen)}" for regimen in scenario.tables.get("regimen", []))
        if not scenario.tables.get("regimen"):
            yield "  none: untreated"
        yield from (f"companion {line}" for line in companion_lines(scenario.tables))
    else:
        yield "a tissue alone: no body, no patient"
    for name, entry in scenario.tables.get("parameters", {}).items():
        yield f"parameter {name} = {entry['value']:g} {entry.get('unit', '')} ({entry['source']})"
    for name, (value, unit) in scenario.user_parameters.items():
        yield f"parameter {name} = {value:g} {unit or ''} (user)"


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key}: {_plain(part)}" for key, part in value.items()) + " }"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _regimen(regimen: dict) -> str:
    """Return a regimen in words."""
    if "order" in regimen:
        first = regimen.get("first_day", 0)
        return f"{regimen['drug']}: {regimen['order']}, from day {first:g} ({regimen['source']})"
    amount, length = regimen["amount"], regimen["infusion_days"]
    cycles = f"{regimen['cycles']} cycles" if "cycles" in regimen else "until the end of the run"
    way = f"as {length:g}-d infusions" if length else "as boluses"
    return (
        f"{amount:g} dose units of {regimen['drug']} on days {day_ranges(regimen['days'])} "
        f"of {regimen['cycle_days']:g}, {cycles}, {way}, from day {regimen['first_day']:g} "
        f"({regimen['source']})"
    )


def day_ranges(days: Iterable[float]) -> str:
    """Return days with runs joined: 1, 2, 3, 8 becomes ``1-3, 8``."""
    runs: list[list[float]] = []
    for day in sorted(days):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(f"{run[0]:g}-{run[-1]:g}" if len(run) > 1 else f"{run[0]:g}" for run in runs)


def _model(model: Model) -> Iterator[str]:
    head = model.spec.model
    yield f"model {model.name}: {head['title']}"
    if "reference" in head:
        yield f"reference {head['reference']}"
    yield f"layers {', '.join(model.layers)}; sites of {model.site_um:g} um; steps of {model.dt_h:g} h"
    yield f"update by {head['update']}, neighbourhood {head['neighbourhood']}, boundary {head['boundary']}"
    yield from _section("cell types")
    yield from columns(
        [("name", "display", "layer", "group", "colour")]
        + [(t.name, t.display, t.layer, t.group, t.colour) for t in model.types]
    )
    if model.fields:
        yield from _section("fields")
        yield from columns([FIELD_HEADER, *_fields(model)])
    if model.signals:
        yield from _section("body signals")
        spec = {entry["name"]: entry for entry in model.spec.sections["body_signal"]}
        yield from columns(
            [("name", "unit", "default", "description")]
            + [(s.name, s.unit, f"{s.default:g}", spec[s.name].get("description", "")) for s in model.signals]
        )
    if model.attributes:
        yield from _section("attributes")
        yield from (f"  {line}" for line in attribute_sentences(model))
    yield from _section("behaviours and rules")
    yield from (f"  {line}" for line in rule_sentences(model))
    yield from _section("parameters")
    yield from columns([PARAMETER_HEADER, *map(_row, model.parameters)])


FIELD_HEADER = ("name", "unit", "diffusivity (um^2/h)", "decay (1/h)", "decay length (um)", "solver")
PARAMETER_HEADER = ("name", "value", "unit", "source", "description")


def _fields(model: Model) -> Iterator[tuple[str, ...]]:
    """Yield a row a field; the decay length sqrt(D/k) leaves uptake by cells out."""
    for info, entry in zip(model.fields, model.spec.sections["field"], strict=True):
        diffusivity = model.scope.number(entry["diffusivity"], "um^2/h", entry["where"])
        decay = model.scope.number(entry["decay"], "1/h", entry["where"])
        length = f"{(diffusivity / decay) ** 0.5:.3g}" if decay > 0 else "infinite"
        yield info.name, info.unit, f"{diffusivity:.4g}", f"{decay:.4g}", length, entry["solver"]


def rule_sentences(model: Model) -> Iterator[str]:
    """Yield every behaviour and rule of every cell type as a sentence, in the units of a model file."""
    behaviours = inherited(model.spec, "behaviour", "do")
    rules = inherited(model.spec, "rule", "behaviour")
    for info in model.types:
        for entry in behaviours[info.name]:
            base = _base_rate(model, entry)
            yield f"{info.name}: {entry['do']} at {base}{_details(model, entry)}"
            for rule in rules[info.name]:
                if rule["behaviour"] == entry["do"]:
                    yield f"  In {info.name}, {_rule(model, rule, base)}"


def attribute_sentences(model: Model) -> Iterator[str]:
    """Yield every attribute of a cell and what changes it as a sentence."""
    for entry in model.spec.sections["attribute"]:
        carriers, kind = ", ".join(as_list(entry["cell"])), entry.get("kind", "count")
        start = _number(model, entry["initial"], entry["unit"], entry["where"])
        about = f" ({entry['description']})" if "description" in entry else ""
        yield f"{entry['name']}, a {kind} of {carriers}, starts at {start}{about}"
        for change in model.spec.sections["change"]:
            if change["attribute"] == entry["name"]:
                what = "is set to" if "set" in change else "changes by"
                by = _number(
                    model, change["set" if "set" in change else "add"], entry["unit"], change["where"]
                )
                end = f"; at 0: {change['at_zero']}" if "at_zero" in change else ""
                yield f"  on {change['on']} it {what} {by}{end}"


def _base_rate(model: Model, entry: dict[str, Any]) -> str:
    verb, target = split_behaviour(entry["do"], entry["where"])
    if verb == v.ADMIT or verb in v.PROBABILITIES_OF_DIVISION:
        unit = "1"
    elif verb == v.SECRETE:
        unit = f"{next(f.unit for f in model.fields if f.name == target)}/h"
    else:
        unit = "1/h" if verb in (v.MIGRATE, v.TAKE_UP) else "1/d"
    return _number(model, entry["rate"], unit, entry["where"])


def _number(model: Model, expression: str, unit: str, where: str) -> str:
    return f"{model.scope.number(expression, unit, where):.4g} {unit}".removesuffix(" 1")


def _details(model: Model, entry: dict[str, Any]) -> str:
    where, text = entry["where"], ""
    if entry["do"].startswith("kill"):
        text += " per contact"
    if split_behaviour(entry["do"], where)[0] in v.PROBABILITIES_OF_DIVISION:
        text += " of its divisions"
    if "target" in entry:
        text += f", into a {entry['target']}"
    if "leaves" in entry:
        text += f", leaving {entry['leaves']}"
    if "rings" in entry:
        text += f", daughter up to {_number(model, entry['rings'], '1', where)} sites away"
    if "below_zero" in entry:
        text += f", '{entry['below_zero']}' where rules turn the rate negative"
    for way in ("up", "down"):
        if way in entry:
            share = _number(model, entry.get("bias", "0"), "1", where)
            text += f", share {share} of hops {way} {entry[way]}"
    if "persistence" in entry:
        text += f", keeping its direction for {_number(model, entry['persistence'], 'h', where)}"
    return text


def _rule(model: Model, rule: dict[str, Any], base: str) -> str:
    where, signals = rule["where"], as_list(rule["signal"])
    words = Words(
        model.scope,
        model.types,
        model.fields,
        model.signals,
        model.densities,
        model.attributes,
        model.tables.carries,
        model.site_um,
        model.dt_h,
    )
    unit = "*".join(u for *_, u in (words.sense(s, where) for s in signals) if u != "1") or "1"
    half = _number(model, rule["half"], unit, where)
    power = _number(model, rule.get("power", "1"), "1", where)
    fold = _number(model, rule.get("fold", "0"), "1", where)
    response = rule.get("response", "hill")
    shape = {
        "hill": f"half at {half}, Hill power {power}",
        "linear": f"in proportion to the signal, in full at {half}",
        "exponential": f"as 1 - exp(-signal/scale), scale {half}",
        "step": f"at once where the signal reaches {half}",
    }[response]
    span = f"from 0 towards {base}" if rule["effect"] == "drives" else f"from {base} towards {fold} x"
    return f"{' x '.join(signals)} {rule['effect']} {rule['behaviour']} {span}, {shape}"


def _assumed(model: Model) -> Iterator[str]:
    rows = [parameter for parameter in model.parameters if parameter.source.startswith("assumed")]
    yield f"{len(rows)} of {len(model.parameters)} parameters of {model.name} are assumed"
    yield from columns([PARAMETER_HEADER, *map(_row, rows)])


def _row(parameter: Parameter) -> tuple[str, ...]:
    return (
        parameter.name,
        f"{parameter.value:g}",
        parameter.unit,
        parameter.source,
        parameter.description,
    )


def _section(title: str) -> Iterator[str]:
    yield ""
    yield title
