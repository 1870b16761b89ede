"""A mean field in words: the equations as a person would write them, with the numbers behind the names."""

import re

from .. import vocabulary as v
from . import rhs as columns
from .program import Behaviour, Writer, sites_in_reach

WIDTH = 100  # a longer equation has one term a line


def equation_lines(writer: Writer) -> list[str]:
    """Return one line for each state, then what its symbols mean, then every number with unit and source."""
    cells = writer.classes.rows
    flows: list[list[str]] = [[] for _ in cells]
    by_slot = {b.slot: b for mine in writer.behaviours.values() for b in mine}
    slots = list(writer.slots)
    for term in writer.terms:
        kind, c = int(term[columns.KIND]), int(term[columns.CLASS])
        if kind >= columns.GIVE:
            continue
        behaviour = by_slot[slots[int(term[columns.SLOT])]]
        if kind == columns.SPLIT:
            _division(
                writer, term, behaviour, [by_slot[slots[m[0]]] for m in _modifiers(writer, term)], flows
            )
        elif kind == columns.LOSE:
            text = f"{rate_text(writer, behaviour)} {cells[c].name}"
            _put(flows, {c: -1}, text)
            _put(flows, {int(term[columns.MOTHER]): 1}, text)
        else:
            _killing(writer, term, behaviour, flows)
    lines = []
    for cell, parts in zip(cells, flows, strict=True):
        head = f"d/dt {cell.name} =" if "[" in cell.name else f"d{cell.name}/dt ="
        parts = [parts[0].removeprefix("+ "), *parts[1:]] if parts else ["0"]
        lines += (
            [f"{head} {' '.join(parts)}"]
            if sum(map(len, parts)) < WIDTH
            else [head, *(f"    {x}" for x in parts)]
        )
    for layer, name in enumerate(writer.model.layers):
        here = [c.name for c in cells if _layer(writer, c.type) == layer]
        symbol = crowd(writer, layer)
        if len(here) > 1 and any(symbol in line for line in lines):
            lines.append(f"{symbol} = {' + '.join(here)}  (occupied fraction of layer {name})")
    lines += _meanings(writer, "\n".join(lines))
    return [*lines, *_numbers(writer, "\n".join(lines))]


def _modifiers(writer: Writer, term: list[float]) -> list[tuple[int, int, int]]:
    return writer.modifiers[int(term[columns.MODIFIER_FIRST]) : int(term[columns.MODIFIER_LAST])]


def _layer(writer: Writer, type_name: str) -> int:
    return int(writer.model.tables.types[writer.model.type_id(type_name)]["layer"])


def crowd(writer: Writer, layer: int) -> str:
    """Return the symbol of the occupied fraction of a layer: the one state it has, else N."""
    here = [cell.name for cell in writer.classes.rows if _layer(writer, cell.type) == layer]
    if len(here) == 1:
        return here[0]
    return "N" if len(writer.model.layers) == 1 else f"N_{writer.model.layers[layer]}"


def wrapped(expression: str) -> str:
    """Return an expression in brackets unless it is a single name or number."""
    return expression if expression.replace(".", "").replace("_", "").isalnum() else f"({expression})"


def rate_text(writer: Writer, behaviour: Behaviour, loose: bool = False) -> str:
    """Return the rate of a behaviour with its rules; one that depends on single neighbours stands in < >."""
    base = behaviour.entry["rate"].strip()
    up, factors, local = [], [], False
    table = writer.model.tables
    given = table.slots[behaviour.slot]
    for k, words in enumerate(behaviour.rules):
        row = table.rules[given["rule_first"] + k]
        local = local or any(row[f"sense{i}"] in (v.CONTACT, v.CROWDING) for i in ("", "2"))
        signals = words["signal"] if isinstance(words["signal"], list) else [words["signal"]]
        sensed = " * ".join(signals)
        response = words.get("response", "hill")
        shape = sensed if words["half"] == "1" else f"{sensed} / {wrapped(words['half'])}"
        if response == "hill":
            power = words.get("power", "1")
            h = f"hill({shape})" if power == "1" else f"hill({shape}; {power})"
        else:
            h = f"({shape})" if response == "linear" else f"{response}({shape})"
        fold = words.get("fold", "0")
        if row["effect"] == v.INCREASES:
            up.append(f"{_beyond(fold, '1 + ', '{} - 1')} {h}")
        elif row["effect"] == v.DECREASES:
            factors.append(
                f"(1 - {h})" if row["fold"] == 0.0 else f"(1 - {_beyond(fold, '1 - ', '1 - {}')} {h})"
            )
        else:
            factors.append(h)
    parts = ([wrapped(base)] if base != "1" or not (up or factors) else []) + factors
    if up:
        parts.insert(1, f"(1 + {' + '.join(up)})")
    text = " ".join(parts)
    return f"<{text}>" if local and not loose else text


def _beyond(fold: str, opening: str, form: str) -> str:
    """Return the distance of a fold from 1, without the 1 where the fold is written as a distance from it."""
    rest = fold.removeprefix(opening)
    return rest if rest != fold and rest.isidentifier() else f"({form.format(wrapped(fold))})"


def _put(flows: list[list[str]], net: dict[int, int], text: str) -> None:
    """Add a flow to the equations of the classes it changes, -1 being nowhere."""
    for c, number in net.items():
        if c >= 0 and number:
            size = "" if abs(number) == 1 else f"{abs(number)} "
            flows[c].append(f"{'+' if number > 0 else '-'} {size}{text}")


def _net(*steps: tuple[int, int]) -> dict[int, int]:
    net: dict[int, int] = {}
    for c, number in steps:
        net[c] = net.get(c, 0) + number
    return net


def _division(
    writer: Writer, term: list[float], behaviour: Behaviour, changing: list[Behaviour], flows: list[list[str]]
) -> None:
    c, layer = int(term[columns.CLASS]), int(term[columns.LAYER])
    symbol = crowd(writer, layer)
    reach = 1 if term[columns.SEEKS] else int(term[columns.REACH])
    room = f"(1 - {symbol})" if reach == 1 else f"(1 - {symbol}^{reach})"
    local = any(rate_text(writer, b) != rate_text(writer, b, loose=True) for b in (behaviour, *changing))
    rate = rate_text(writer, behaviour, loose=True)
    name = writer.classes.rows[c].name
    mother, daughter = int(term[columns.MOTHER]), int(term[columns.DAUGHTER])

    def flow(*shares: str) -> str:
        inner = " ".join((rate, *shares))
        if local:  # whether a neighbour is free belongs to the same average
            return f"<{inner} {room}> {name}"
        return " ".join((rate, name, room, *shares))

    dying = [rate_text(writer, b, loose=True) for b in changing if b.verb == v.DIE_DIVIDING]
    other = [rate_text(writer, b, loose=True) for b in changing if b.verb == v.BEGET]
    survives = [f"(1 - {' - '.join(dying)})"] if dying else []
    rows = _modifiers(writer, term)
    same = [f"(1 - {' - '.join(other)})"] if other else []
    _put(flows, _net((c, -1), (mother, 1), (daughter, 1)), flow(*survives, *same))
    for row, modifier in zip(rows, changing, strict=True):
        share = rate_text(writer, modifier, loose=True)
        if modifier.verb == v.DIE_DIVIDING:
            _put(flows, _net((c, -1), (int(row[2]), 1)), flow(share))
        else:
            _put(flows, _net((c, -1), (mother, 1), (int(row[2]), 1)), flow(*survives, share))


def _killing(writer: Writer, term: list[float], behaviour: Behaviour, flows: list[list[str]]) -> None:
    table, cells = writer.model.tables, writer.classes.rows
    killer = int(term[columns.CLASS])
    for victim, cell in enumerate(cells):
        t = writer.model.type_id(cell.type)
        if not table.sets[int(term[columns.SET])][t]:
            continue
        sites = sites_in_reach(writer.model, 1) + (_layer(writer, cell.type) != int(term[columns.LAYER]))
        text = f"{sites} {rate_text(writer, behaviour)} {cells[killer].name} {cell.name}"
        remains = writer.remains[int(term[columns.LEFT]), victim]
        _put(flows, _net((victim, -1), (remains, 1)), text)
        _put(flows, _net((killer, -1), (int(term[columns.MOTHER]), 1)), text)


def _meanings(writer: Writer, text: str) -> list[str]:
    """Return what the words in the equations mean: responses, averages, densities, fields, body signals."""
    model, lines = writer.model, []
    if "hill(" in text:
        lines.append("hill(x; n) = x^n / (1 + x^n), n = 1 if not given")
    if "exponential(" in text:
        lines.append("exponential(x) = 1 - exp(-x)")
    if "step(" in text:
        lines.append("step(x) = 1 from x = 1 on, else 0")
    if "<" in text:
        lines.append("<...> = mean over all neighbourhoods of independent sites")
    if any(term[columns.BELOW] >= 0 for term in writer.terms):
        lines.append("a division rate that rules turn negative is a death rate, without the factor for room")
    for k, density in enumerate(model.densities):
        if f"density {density.name}" in text:
            weights = model.tables.density_weight[k]
            crowd_text = " + ".join(f"{weights[i.id]:g} {i.name}" for i in model.types if weights[i.id])
            normaliser = int(model.tables.densities[k]["normaliser"])
            normal = ""
            if normaliser >= 0:
                members = [i.name for i in model.types if model.tables.sets[normaliser][i.id]]
                normal = f" / ({' + '.join(members)} at time 0)"
            lines.append(f"density {density.name} = ({crowd_text}){normal}  ({density.unit})")
    sensed = [
        e["name"]
        for e in model.spec.sections["field"]
        if re.search(rf"\bfield {re.escape(e['name'])}\b", text)
    ]
    lines += [_field_text(writer, name) for name in sensed]
    lines += [
        f"body {s.name} = {s.default:g} {s.unit}  (default)"
        for s in model.signals
        if f"body {s.name}" in text
    ]
    return lines


def _field_text(writer: Writer, name: str) -> str:
    """Return what a field is in the mean field."""
    model = writer.model
    k = [info.name for info in model.fields].index(name)
    entry, row = model.spec.sections["field"][k], model.tables.fields[k]
    scale = f" * body {entry['scale']}" if "scale" in entry else ""
    if row["normalise"]:
        return f"field {name} = {scale.removeprefix(' * ') or '1'}"
    if row["boundary"] == v.FIXED:
        return f"field {name} = {entry['boundary_level']}{scale}"
    source = [entry[key] if key == "background" else f"body {entry[key]}"
              for key in ("background", "background_signal") if key in entry]  # fmt: skip
    sink = [entry["decay"]] if "decay" in entry else []
    if "vessel_type" in entry:
        source.append(
            f"{wrapped(entry['vessel_exchange'])} {wrapped(entry['vessel_level'])} {entry['vessel_type']}"
        )
        sink.append(f"{wrapped(entry['vessel_exchange'])} {entry['vessel_type']}")
    for mine in writer.behaviours.values():
        for b in mine:
            if b.verb in (v.SECRETE, v.TAKE_UP) and int(model.tables.slots[b.slot]["object"]) == k:
                (source if b.verb == v.SECRETE else sink).append(f"{rate_text(writer, b)} {b.type}")
    return f"field {name} = ({' + '.join(source) or '0'}) / ({' + '.join(sink)}){scale}"


def _numbers(writer: Writer, text: str) -> list[str]:
    """Return a line for every parameter that a text names."""
    known = {parameter.name: parameter for parameter in writer.model.parameters}
    lines = []
    for word in dict.fromkeys(re.findall(r"[^\W\d]\w*", text)):
        if word in known:
            row = known[word]
            unit = "" if row.unit == "1" else f" {row.unit}"
            remark = f"  {row.description}" if row.description else ""
            lines.append(f"{word} = {row.value:g}{unit}  [{row.source}]{remark}")
    return lines
