"""Turn behaviours, rules, fields and density signals from words into rows of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from . import vocabulary as v
from .errors import InputError, unknown_word
from .model_file import ModelSpec, as_list, expand_groups
from .parameters import Scope
from .quantities import in_unit, quantity
from .snapshot import CellTypeInfo
from .tables import DENSITY_ROW, FIELD_ROW, RULE, SLOT, TYPE, record

# A step is refused when a cell would expect more than this many events of one clock in it.
MOST_EVENTS_A_STEP = 0.25
_SHORT = sorted(2**a * 5**b for a in range(30) for b in range(13))  # divisors that leave a short decimal


class _Named(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def unit(self) -> str: ...


@dataclass
class Words:
    """What the words of one model file mean; ``sets`` grows as groups are used."""

    scope: Scope
    types: tuple[CellTypeInfo, ...]
    fields: Sequence[_Named]
    signals: Sequence[_Named]
    densities: Sequence[_Named]
    site_um: float
    dt_h: float
    sets: list[list[int]] = field(default_factory=list)

    def index(self, kind: str, name: str, items: Sequence[Any], where: str) -> int:
        """Return the position of a name among items."""
        names = [item.name for item in items]
        if name not in names:
            raise unknown_word(kind, name, names, where)
        return names.index(name)

    def members(self, word: str, where: str) -> list[int]:
        """Return the 0/1 membership row of a type or group."""
        row = [0] + [int(word in (info.name, info.group)) for info in self.types]
        if not any(row):
            choices = {info.name for info in self.types} | {info.group for info in self.types}
            raise unknown_word("cell type or group", word, choices, where)
        return row

    def set_of(self, word: str, where: str) -> int:
        """Return the number of the set of a type or group, made at first use."""
        row = self.members(word, where)
        if row not in self.sets:
            self.sets.append(row)
        return self.sets.index(row)

    def steps(self, expression: str, where: str) -> int:
        """Return a time as a whole number of steps."""
        hours = self.scope.positive(expression, "h", where, zero=False)
        steps = round(hours / self.dt_h)
        if steps < 1 or abs(steps * self.dt_h - hours) > 1e-9 * hours:
            raise InputError(f"{where}: {hours:g} h is not a multiple of the time step of {self.dt_h:g} h")
        return steps

    def body_signal(self, entry: dict[str, Any], key: str, unit: str) -> int:
        """Return the position of the body signal that a field names, -1 if none; its unit must be this."""
        if key not in entry:
            return -1
        where = f"{entry['where']} {key}"
        index = self.index("body signal", entry[key], self.signals, where)
        given = self.signals[index].unit
        if abs(in_unit(quantity(1.0, given), unit, where) - 1.0) > 1e-9:
            raise InputError(f"{where}: '{entry[key]}' is in {given}, and {unit} is needed here")
        return index

    def sense(self, text: str, where: str) -> tuple[int, int, str]:
        """Return (sense, subject, unit) of one signal."""
        verb, _, name = text.partition(" ")
        if verb not in v.SENSES:
            raise unknown_word("signal", verb, v.SENSES, where)
        code = v.SENSES[verb]
        if code == v.CROWDING:
            if name:
                raise InputError(f"{where}: 'crowding' takes no object, got '{text}'")
            return code, 0, "1"
        if code == v.CONTACT:
            return code, self.set_of(name, where), "1"
        kind, items = {
            v.FIELD: ("field", self.fields),
            v.RELATIVE_FIELD: ("field", self.fields),
            v.BODY: ("body signal", self.signals),
            v.DENSITY: ("density", self.densities),
        }[code]
        index = self.index(kind, name, items, where)
        return code, index, "1" if code == v.RELATIVE_FIELD else items[index].unit


def split_behaviour(text: str, where: str) -> tuple[int, str]:
    """Return (verb, object) of a behaviour such as ``die apoptosis``."""
    verb, _, target = text.partition(" ")
    if verb not in v.VERBS:
        raise unknown_word("behaviour", verb, v.VERBS, where)
    if (verb in v.VERB_OBJECT) != bool(target):
        need = f"needs a {v.VERB_OBJECT[verb]}" if verb in v.VERB_OBJECT else "takes no object"
        raise InputError(f"{where}: '{verb}' {need}, got '{text}'")
    return v.VERBS[verb], target


def _one_of(choices: Sequence[str], word: str, kind: str, where: str) -> int:
    if word not in choices:
        raise unknown_word(kind, word, choices, where)
    return choices.index(word)


def compile_fields(spec: ModelSpec, words: Words) -> np.ndarray:
    """Compile the fields.

    Raises
    ------
    InputError
    """
    rows: list[tuple] = []
    names = [entry["name"] for entry in spec.sections["field"]]
    for entry in spec.sections["field"]:
        where, unit = entry["where"], entry["unit"]
        if names.count(entry["name"]) > 1:
            raise InputError(f"{where}: field '{entry['name']}' is declared twice")
        vessel = 0
        if "vessel_type" in entry:
            vessel = 1 + words.index("cell type", entry["vessel_type"], words.types, f"{where} vessel_type")
        for key in ("vessel_exchange", "vessel_level"):
            if (key in entry) != (vessel > 0):
                raise InputError(f"{where}: vessel_type, vessel_exchange and vessel_level belong together")
        scale_unit = unit if entry.get("normalise") == "tissue mean" else "1"
        signal = [
            words.body_signal(entry, "scale", scale_unit),
            words.body_signal(entry, "background_signal", f"{unit}/h"),
        ]

        def number(key: str, key_unit: str, entry: dict = entry, where: str = where) -> float:
            if key not in entry:
                return 0.0
            zero = key not in ("diffusivity", "tolerance")
            return words.scope.positive(entry[key], key_unit, f"{where} {key}", zero=zero)

        rows.append(
            (
                number("diffusivity", "um^2/h") / words.site_um**2,
                number("decay", "1/h"),
                number("tolerance", "1"),
                number("initial", unit),
                number("background", f"{unit}/h"),
                number("vessel_exchange", "1/h"),
                number("vessel_level", unit),
                words.steps(entry["update_interval"], f"{where} update_interval"),
                _one_of(v.FIELD_SOLVERS, entry["solver"], "solver", where),
                vessel,
                _one_of(v.NORMALISATIONS, entry.get("normalise", "none"), "normalise", where),
                *signal,
            )
        )
    return record(rows, FIELD_ROW)


def compile_densities(spec: ModelSpec, words: Words) -> tuple[np.ndarray, np.ndarray]:
    """Compile the density signals.

    Raises
    ------
    InputError
    """
    rows, weights = [], []
    names = [entry["name"] for entry in spec.sections["density"]]
    for entry in spec.sections["density"]:
        where = entry["where"]
        if names.count(entry["name"]) > 1:
            raise InputError(f"{where}: density '{entry['name']}' is declared twice")
        um = words.scope.positive(entry["radius"], "um", f"{where} radius", zero=False)
        row = [0.0] * (len(words.types) + 1)
        for word, expression in entry["weights"].items():
            if not isinstance(expression, str):
                raise InputError(f"{where}: weights.{word} must be text (an expression), got {expression!r}")
            weight = words.scope.positive(expression, entry["unit"], f"{where} weights.{word}")
            for name in expand_groups(word, spec.sections["cell_type"], where):
                row[1 + words.index("cell type", name, words.types, where)] = weight
        weights.append(row)
        over = entry.get("normalise_over")
        rows.append(
            (
                words.steps(entry["update_interval"], f"{where} update_interval"),
                max(1, round(um / words.site_um)),
                -1 if over is None else words.set_of(over, where),
            )
        )
    return record(rows, DENSITY_ROW), np.array(weights, float).reshape(-1, len(words.types) + 1)


def inherited(spec: ModelSpec, section: str, key: str) -> dict[str, list[dict[str, Any]]]:
    """Return per type the behaviours or rules it has, own ones first, then those of the type it is like.

    A behaviour declared for the type itself hides the inherited one; a rule is inherited when its
    behaviour is.
    """
    types = spec.sections["cell_type"]
    own: dict[str, list[dict[str, Any]]] = {entry["name"]: [] for entry in types}
    for entry in spec.sections[section]:
        for name in expand_groups(entry["cell"], types, entry["where"]):
            own[name].append(entry)
    declared = {name: set(_declared(spec, name)) for name in own}
    for entry in types:
        base = entry.get("like")
        if base:
            name = entry["name"]
            mine = {id(e) for e in own[name]}
            hidden = {*declared[name], f"become {name}"}  # no type becomes itself
            own[name] += [e for e in own[base] if e[key] not in hidden and id(e) not in mine]
    return own


def _declared(spec: ModelSpec, name: str) -> list[str]:
    types, found = spec.sections["cell_type"], []
    for entry in spec.sections["behaviour"]:
        if name in expand_groups(entry["cell"], types, entry["where"]):
            if entry["do"] in found:
                raise InputError(f"{entry['where']}: '{entry['do']}' is declared twice for {name}")
            found.append(entry["do"])
    return found


_CLOCKS = (v.FATE, (v.KILL,), (v.MIGRATE,), (v.SECRETE, v.TAKE_UP), (v.ADMIT,))


def compile_behaviours(
    spec: ModelSpec, words: Words
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    """Compile behaviours and rules of every type into slots, ordered by type and clock.

    Returns the types, the slots, the events of kills by victim, the rules and the names of all events.

    Raises
    ------
    InputError
    """
    behaviours, rules_of = inherited(spec, "behaviour", "do"), inherited(spec, "rule", "behaviour")
    slot_rows: list[tuple] = []
    rule_rows: list[tuple] = []
    events: list[str] = []
    first = np.zeros((len(_CLOCKS), len(words.types) + 1), np.int32)
    last = np.zeros_like(first)
    busiest = (0.0, "")
    _check_rule_targets(spec, behaviours, rules_of)
    for info in words.types:
        for clock, verbs in enumerate(_CLOCKS):
            first[clock, info.id] = len(slot_rows)
            expected = 0.0
            for entry in behaviours[info.name]:
                verb, target = split_behaviour(entry["do"], entry["where"])
                if verb not in verbs:
                    continue
                mine = [rule for rule in rules_of[info.name] if rule["behaviour"] == entry["do"]]
                start = len(rule_rows)
                rule_rows += [_compile_rule(rule, words) for rule in mine]
                row = _compile_slot(entry, info, verb, target, words, events, (start, len(rule_rows)))
                slot_rows.append(row)
                folds = [r[2] for r in rule_rows[start:] if r[3] == v.INCREASES and r[2] > 1]
                expected += row[0] * (1 + sum(fold - 1 for fold in folds)) * words.dt_h
            last[clock, info.id] = len(slot_rows)
            if clock < 2 and expected > busiest[0]:
                busiest = (expected, info.name)
            if clock == 2 and last[clock, info.id] - first[clock, info.id] > 1:
                raise InputError(f"{info.name}: only one migrate behaviour a type, two are declared")
    _check_step(*busiest, words.dt_h)
    layer = [0] + [spec.model["layers"].index(info.layer) for info in words.types]
    ranges = [(*first_last,) for first_last in np.stack([first, last], axis=1).reshape(-1, len(layer)).T]
    types = record([(at, *ends) for at, ends in zip(layer, ranges, strict=True)], TYPE)
    victims = np.array([row[-1] for row in slot_rows], np.int32).reshape(-1, len(layer))
    slots = record([row[:-1] for row in slot_rows], SLOT)
    return types, slots, victims, record(rule_rows, RULE), tuple(events)


def _check_step(expected: float, name: str, dt_h: float) -> None:
    """Refuse a step with too many events, and name one that divides it (so that intervals stay multiples)."""
    if expected <= MOST_EVENTS_A_STEP * (1 + 1e-9):
        return
    parts = next((n for n in _SHORT if expected / n <= MOST_EVENTS_A_STEP), _SHORT[-1])
    raise InputError(
        f"{name}: {expected:.3g} events a step of {dt_h:g} h are too many for one clock "
        f"(at most {MOST_EVENTS_A_STEP}); a time step of {dt_h / parts:.12g} h would do"
    )


def _check_rule_targets(spec: ModelSpec, behaviours: dict, rules_of: dict) -> None:
    for name, rules in rules_of.items():
        known = {entry["do"] for entry in behaviours[name]}
        for rule in rules:
            if rule["behaviour"] not in known:
                raise unknown_word(f"behaviour of {name}", rule["behaviour"], known, rule["where"])


def _compile_slot(
    entry: dict[str, Any], info: CellTypeInfo, verb: int, target: str, words: Words,
    events: list[str], rules: tuple,
) -> tuple:  # fmt: skip
    where, unit, subject = entry["where"], "1/h", 0
    for key, owner in (("rings", v.DIVIDE), ("below_zero", v.DIVIDE), ("up", v.MIGRATE), ("bias", v.MIGRATE)):
        if key in entry and verb != owner:
            raise InputError(f"{where}: '{key}' has no meaning for '{entry['do']}'; take it out")
    event, below, blocked, victims = len(events), -1, -1, [-1] * (len(words.types) + 1)
    if verb in (v.SECRETE, v.TAKE_UP):
        subject = words.index("field", target, words.fields, where)
        unit = f"{words.fields[subject].unit}/h" if verb == v.SECRETE else "1/h"
    elif verb in (v.BECOME, v.ADMIT):
        subject = 1 + words.index("cell type", target, words.types, where)
        unit = "1" if verb == v.ADMIT else unit
        if verb == v.BECOME and target == info.name:
            raise InputError(f"{where}: {info.name} cannot become itself")
        if verb == v.BECOME and words.types[subject - 1].layer != info.layer:
            raise InputError(f"{where}: {info.name} cannot become {target}, which sits on another layer")
    elif verb == v.KILL:
        subject = words.set_of(target, where)
    base = words.scope.positive(entry["rate"], unit, f"{where} rate")
    if verb == v.KILL:
        event = -1
        members = words.sets[subject]
        for victim in words.types:
            if members[victim.id]:
                victims[victim.id] = len(events)
                events.append(f"{victim.name}: killed by {info.name}")
    elif verb in v.FATE:
        events.append(f"{info.name}: {entry['do']}")
    else:
        event = -1
    if "below_zero" in entry:
        if split_behaviour(entry["below_zero"], where)[0] != v.DIE:
            raise InputError(f"{where}: below_zero reads 'die <cause>', got '{entry['below_zero']}'")
        below = len(events)
        events.append(f"{info.name}: {entry['below_zero']}")
    if verb == v.DIVIDE:
        blocked = len(events)
        events.append(f"{info.name}: division blocked")
    rings = round(words.scope.positive(entry.get("rings", "1"), "1", f"{where} rings", zero=False))
    if not 1 <= rings <= 4:
        raise InputError(f"{where}: rings must be 1 to 4 (a quarter of a block of rows), got {rings}")
    up = words.index("field", entry["up"], words.fields, where) if "up" in entry else -1
    bias = words.scope.positive(entry.get("bias", "0"), "1", f"{where} bias")
    if bias > 1:
        raise InputError(f"{where}: bias is the share of hops that climb, 0 to 1, got {bias:g}")
    return base, bias, verb, subject, *rules, event, below, blocked, rings, up, victims


def _compile_rule(rule: dict[str, Any], words: Words) -> tuple:
    where = rule["where"]
    signals = as_list(rule["signal"])
    if len(signals) not in (1, 2):
        raise InputError(f"{where}: a rule senses one signal or the product of two, got {len(signals)}")
    sensed = [words.sense(signal, where) for signal in signals]
    unit = "*".join(u for *_, u in sensed if u != "1") or "1"
    if len(sensed) == 1:
        sensed.append((v.NO_SIGNAL, 0, "1"))
    for key, choices in (("effect", v.EFFECTS), ("response", v.RESPONSES)):
        word = rule.get(key, "hill")
        if word not in choices:
            raise unknown_word(key, word, choices, where)
    if rule["effect"] == "increases" and "fold" not in rule:
        raise InputError(
            f"{where}: 'fold' is missing: an increase needs the rate at full effect over the base"
        )
    return (
        words.scope.positive(rule["half"], unit, f"{where} half", zero=False),
        words.scope.positive(rule.get("power", "1"), "1", f"{where} power", zero=False),
        words.scope.positive(rule.get("fold", "0"), "1", f"{where} fold"),
        v.EFFECTS[rule["effect"]],
        v.RESPONSES[rule.get("response", "hill")],
        *sensed[0][:2],
        *sensed[1][:2],
    )
