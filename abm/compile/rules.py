"""Turn behaviours and rules from words into rows of numbers."""

import math
from typing import Any

import numpy as np

from .. import vocabulary as v
from ..errors import InputError, unknown_word
from ..lattice import MOST_RINGS, offsets
from ..snapshot import CellTypeInfo
from ..tables import CHANGE, MOST_EVENTS_A_STEP, MOST_PROBABILITY, RULE, SLOT, TYPE, record
from .attributes import check_changes, compile_changes
from .events import TO_BODY, Events
from .model_file import ModelSpec, as_list, expand_groups
from .words import Words, one_of, split_behaviour

MOST_HOPS_A_STEP = (
    1_000.0  # each is made: 15 um a hop and an hour a step, ten times the speed of the fastest cells
)
_SHORT = sorted(2**a * 5**b for a in range(30) for b in range(13))  # divisors that leave a short decimal


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
            hidden = {*declared[name], f"become {name}", f"beget {name}"}  # no type becomes itself
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


_CLOCKS = (
    v.FATE,
    (v.KILL,),
    (v.MIGRATE,),
    (v.SECRETE, v.TAKE_UP),
    (v.ADMIT,),
    v.PROBABILITIES_OF_DIVISION,
)


def compile_behaviours(
    spec: ModelSpec, words: Words
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, Events]:
    """Compile behaviours and rules of every type into slots, ordered by type and clock.

    Returns the types, the slots, the events of kills by victim, the rules, the changes and all events.

    Raises
    ------
    InputError
    """
    behaviours, rules_of = inherited(spec, "behaviour", "do"), inherited(spec, "rule", "behaviour")
    slot_rows: list[tuple] = []
    rule_rows: list[tuple] = []
    change_rows: list[tuple] = []
    events = Events(words.types)
    first = np.zeros((len(_CLOCKS), len(words.types) + 1), np.int32)
    last = np.zeros_like(first)
    busiest = (0.0, "")
    _check_rule_targets(spec, behaviours, rules_of)
    check_changes(spec, behaviours)
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
                rule_rows += [_compile_rule(rule, info, words) for rule in mine]
                row = _compile_slot(entry, info, verb, target, words, events, (start, len(rule_rows)))
                start_of_changes = len(change_rows)
                change_rows += compile_changes(entry, info, spec, words, events)
                own = rule_rows[start:]
                slot_rows.append(
                    (*row[:8], start_of_changes, len(change_rows), *row[8:-1], _pulsed(own, words), row[-1])
                )
                expected += row[0] * most_factor(own, row[9] >= 0, spec, words) * words.dt_h
            last[clock, info.id] = len(slot_rows)
            counted = clock < 2 or (clock == 2 and spec.model["update"] != v.UPDATES[v.RATES])
            if counted and expected > busiest[0]:
                busiest = (expected, info.name)
            if clock == 2 and last[clock, info.id] - first[clock, info.id] > 1:
                raise InputError(f"{info.name}: only one migrate behaviour a type, two are declared")
            if clock == 2 and expected > MOST_HOPS_A_STEP and not words.draft:
                raise InputError(
                    f"{info.name}: {expected:.3g} hops a step of {words.dt_h:g} h are too many to make one by one (at "
                    f"most {MOST_HOPS_A_STEP:g}); take a shorter step, or let [model] stirred mix the layer"
                )
    if not words.draft:
        check_step(*busiest, words.dt_h, spec.model["update"])
        _check_division(slot_rows, rule_rows, first, last, spec, words)
    layer = [0] + [spec.model["layers"].index(info.layer) for info in words.types]
    ranges = [(*first_last,) for first_last in np.stack([first, last], axis=1).reshape(-1, len(layer)).T]
    types = record([(at, *ends) for at, ends in zip(layer, ranges, strict=True)], TYPE)
    victims = np.array([row[-1] for row in slot_rows], np.int32).reshape(-1, len(layer))
    slots = record([row[:-1] for row in slot_rows], SLOT)
    return types, slots, victims, record(rule_rows, RULE), record(change_rows, CHANGE), events


def check_step(expected: float, name: str, dt_h: float, update: str) -> None:
    """Refuse a step with too many events, and name one that divides it (so that intervals stay multiples).

    Raises
    ------
    InputError
    """
    most = MOST_EVENTS_A_STEP if update == v.UPDATES[v.RATES] else MOST_PROBABILITY
    if expected <= most * (1 + 1e-9):
        return
    parts = next((n for n in _SHORT if expected / n <= most), _SHORT[-1])
    raise InputError(
        f"{name}: {expected:.3g} events a step of {dt_h:g} h are too many for one clock "
        f"(at most {most:g} with update = '{update}'); a time step of {dt_h / parts:.12g} h would do"
    )


def _pulsed(rules: list[tuple], words: Words) -> int:
    """Return 1 if a rule senses a body signal that comes in pulses."""
    sensed = [(rule[5 + 2 * k], rule[6 + 2 * k]) for rule in rules for k in range(2)]
    return int(any(sense == v.BODY and words.signals[subject].pulse for sense, subject in sensed))


def most_factor(rules: list[tuple], signed: bool, spec: ModelSpec, words: Words) -> float:
    """Return the highest factor on a base rate that rules can make, as far as it is known before a run.

    What is below 0 counts by its size where the rate is ``signed``, as that of a division with below_zero, else as 0.

    Linear responses rise with their signal: contacts, crowding and the default level of a body signal say how far.
    Those to fields, densities and attributes count as 1, as every other response does, and are watched in the run.
    """
    up = other = 1.0
    for half, _, fold, effect, response, *sensed in rules:
        highest = 1.0
        if response == v.LINEAR:
            ends = [_highest(sensed[0], sensed[1], spec, words), _highest(sensed[2], sensed[3], spec, words)]
            highest = math.prod(ends) / half if math.isfinite(sum(ends)) else 1.0
        if effect == v.INCREASES:
            up += max(0.0, (fold - 1.0) * highest)
        elif effect == v.DECREASES:
            reached = 1.0 - (1.0 - fold) * highest
            other *= max(1.0, abs(reached) if signed else reached)
        else:
            other *= max(1.0, highest)
    return up * other


def _highest(sense: int, subject: int, spec: ModelSpec, words: Words) -> float:
    """Return the size that a signal can have as far as a model file says, infinite where it does not."""
    if sense == v.BODY:
        return abs(words.signals[subject].default)
    if sense == v.CONTACT:
        ends = offsets(spec.model["dimensions"], v.NEIGHBOURHOODS.index(spec.model["neighbourhood"]))[1]
        return float((ends[1] + 1) * len(spec.model["layers"]) - 1)
    return 1.0 if sense in (v.CROWDING, v.NO_SIGNAL) else math.inf


def _check_division(
    slot_rows: list[tuple],
    rule_rows: list[tuple],
    first: np.ndarray,
    last: np.ndarray,
    spec: ModelSpec,
    words: Words,
) -> None:
    """Refuse probabilities of a division's outcomes that sum to more than 1."""
    for info in words.types:
        for verb in v.PROBABILITIES_OF_DIVISION:
            rows = slot_rows[first[-1, info.id] : last[-1, info.id]]
            total = sum(
                row[0] * most_factor(rule_rows[row[6] : row[7]], False, spec, words)
                for row in rows
                if row[4] == verb
            )
            if total > 1 + 1e-12:
                word = next(w for w, code in v.VERBS.items() if code == verb)
                raise InputError(f"{info.name}: the probabilities of '{word}' reach {total:g}; at most 1")


def _check_rule_targets(spec: ModelSpec, behaviours: dict, rules_of: dict) -> None:
    for name, rules in rules_of.items():
        known = {entry["do"] for entry in behaviours[name]}
        for rule in rules:
            if rule["behaviour"] not in known:
                raise unknown_word(f"behaviour of {name}", rule["behaviour"], known, rule["where"])


_ONLY_FOR = {
    "rings": (v.DIVIDE,),
    "target": (v.DIVIDE,),
    "below_zero": (v.DIVIDE,),
    "up": (v.MIGRATE,),
    "down": (v.MIGRATE,),
    "bias": (v.MIGRATE,),
    "persistence": (v.MIGRATE,),
    "leaves": (v.DIE, v.KILL, v.DIE_DIVIDING),
}


def _compile_slot(
    entry: dict[str, Any], info: CellTypeInfo, verb: int, target: str, words: Words,
    events: Events, rules: tuple,
) -> tuple:  # fmt: skip
    where = entry["where"]
    for key, owners in _ONLY_FOR.items():
        if key in entry and verb not in owners:
            raise InputError(f"{where}: '{key}' has no meaning for '{entry['do']}'; take it out")
    subject, unit = _object_of(entry, info, verb, target, words)
    base = words.scope.positive(entry["rate"], unit, f"{where} rate")
    event, below, blocked, victims = -1, -1, -1, [-1] * (len(words.types) + 1)
    leaves, own = _remains(entry, info, verb, subject, words), info.id
    match verb:
        case v.KILL:
            for victim in words.types:
                if words.sets[subject][victim.id]:
                    victims[victim.id] = events.row(f"killed by {info.name}", victim.id, leaves, where)
        case v.DIVIDE:
            event = events.row(entry["do"], 0, own, where, who=own)
        case v.BECOME | v.BEGET:  # a begotten daughter counts as a division of the mother, too
            event = events.row(entry["do"], own, subject, where)
        case v.LEAVE:
            event = events.row(entry["do"], own, TO_BODY, where)
        case v.DIE | v.DIE_DIVIDING:
            event = events.row(entry["do"], own, leaves, where)
    if "below_zero" in entry:
        if split_behaviour(entry["below_zero"], where)[0] != v.DIE:
            raise InputError(f"{where}: below_zero reads 'die <cause>', got '{entry['below_zero']}'")
        below = events.row(entry["below_zero"], own, 0, where)
    if verb == v.DIVIDE:
        blocked = events.row("division blocked", 0, 0, where, who=own)
    to, rings = _division(entry, words)
    bias, slope, persistence, climbs = _direction(entry, words)
    return (
        base, bias, slope, persistence, verb, subject, *rules,
        event, below, blocked, rings, to, leaves, climbs, victims,
    )  # fmt: skip


def _remains(entry: dict[str, Any], info: CellTypeInfo, verb: int, subject: int, words: Words) -> int:
    """Return the type that a death leaves in its site, 0 for none."""
    where = entry["where"]
    if "leaves" not in entry:
        return 0
    leaves = 1 + words.index("cell type", entry["leaves"], words.types, f"{where} leaves")
    gone = [t for t in words.types if words.sets[subject][t.id]] if verb == v.KILL else [info]
    if any(t.layer != words.types[leaves - 1].layer or t.id == leaves for t in gone):
        raise InputError(f"{where}: '{entry['leaves']}' must be another type of the same layer")
    return leaves


def _object_of(
    entry: dict[str, Any], info: CellTypeInfo, verb: int, target: str, words: Words
) -> tuple[int, str]:
    """Return what a behaviour acts on, and the unit of its rate."""
    where = entry["where"]
    if verb in (v.SECRETE, v.TAKE_UP):
        subject = words.index("field", target, words.fields, where)
        return subject, f"{words.fields[subject].unit}/h" if verb == v.SECRETE else "1/h"
    if verb in (v.BECOME, v.ADMIT, v.BEGET):
        subject = 1 + words.index("cell type", target, words.types, where)
        other = words.types[subject - 1]
        if verb != v.ADMIT and other.name == info.name:
            raise InputError(f"{where}: {info.name} cannot {entry['do']}, which it is already")
        if verb != v.ADMIT and other.layer != info.layer:
            raise InputError(f"{where}: {info.name} cannot {entry['do']}, which sits on another layer")
        return subject, "1/h" if verb == v.BECOME else "1"
    if verb == v.KILL:
        return words.set_of(target, where), "1/h"
    return 0, "1" if verb == v.DIE_DIVIDING else "1/h"


def _division(entry: dict[str, Any], words: Words) -> tuple[int, int]:
    """Return the rule by which a daughter finds a site, and how far it may look."""
    where = entry["where"]
    to = one_of(v.TARGETS, entry.get("target", v.TARGETS[v.EMPTY_NEIGHBOUR]), "target", where)
    if to == v.ANY_NEIGHBOUR and "rings" in entry:
        raise InputError(f"{where}: 'rings' belongs to target = '{v.TARGETS[v.EMPTY_NEIGHBOUR]}' only")
    rings = round(words.scope.positive(entry.get("rings", "1"), "1", f"{where} rings", zero=False))
    if not 1 <= rings <= MOST_RINGS:
        raise InputError(
            f"{where}: rings must be 1 to {MOST_RINGS} (a quarter of a block of rows), got {rings}"
        )
    return to, rings


def _direction(entry: dict[str, Any], words: Words) -> tuple[float, float, float, int]:
    """Return bias, slope, persistence and field of a migration."""
    where = entry["where"]
    if "up" in entry and "down" in entry:
        raise InputError(f"{where}: give either up or down, not both")
    field = entry.get("up", entry.get("down"))
    climbs = -1 if field is None else words.index("field", field, words.fields, where)
    bias = words.scope.positive(entry.get("bias", "0"), "1", f"{where} bias")
    if bias > 1:
        raise InputError(f"{where}: bias is the share of hops that climb, 0 to 1, got {bias:g}")
    if bias > 0 and climbs < 0:
        raise InputError(f"{where}: bias needs a field to climb: up or down")
    persistence = 0.0
    if "persistence" in entry:
        persistence = words.scope.positive(entry["persistence"], "h", f"{where} persistence", zero=False)
    return bias, -1.0 if "down" in entry else 1.0, persistence, climbs


def _compile_rule(rule: dict[str, Any], info: CellTypeInfo, words: Words) -> tuple:
    where = rule["where"]
    signals = as_list(rule["signal"])
    if len(signals) not in (1, 2):
        raise InputError(f"{where}: a rule senses one signal or the product of two, got {len(signals)}")
    sensed = [words.sense(signal, where) for signal in signals]
    for sense, subject, _ in sensed:
        if sense == v.OWN and not words.carries[info.id, subject]["carried"]:
            raise InputError(f"{where}: {info.name} does not carry '{words.attributes[subject].name}'")
    unit = "*".join(u for *_, u in sensed if u != "1") or "1"
    if len(sensed) == 1:
        sensed.append((v.NO_SIGNAL, 0, "1"))
    if rule.get("response") == "linear" and any(sense == v.OWN for sense, *_ in sensed):
        raise InputError(f"{where}: a linear response to an attribute has no upper bound; use hill or step")
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
