"""Describe what a body holds: states, outputs, inputs and parameters of its ODE; a drug; a population."""

from collections.abc import Iterator, Sequence

from ...abm.ode_model import OdeModel, Parameter, Variable
from ..patients.laws import Population


def body_lines(model: OdeModel) -> Iterator[str]:
    """Yield the names that a body knows, with start or value, unit and meaning."""
    yield f"body {model.name}; time in {model.time_unit}"
    yield from (f"note: {note}" for note in model.notes.split("; ") if note)
    starts = [f"{value:g}" for value in model.initial]
    values = [f"{parameter.value:g}" for parameter in model.parameters]
    parts: tuple[tuple[str, str, Sequence[Variable | Parameter], list[str]], ...] = (
        ("states", "start", model.states, starts),
        ("outputs", "", model.outputs, [""] * len(model.outputs)),
        ("inputs", "", model.inputs, [""] * len(model.inputs)),
        ("parameters", "value", model.parameters, values),
    )
    for title, number, items, numbers in parts:
        if items:
            yield ""
            yield f"body {title}"
            rows = [(i.name, n, i.unit, i.description) for i, n in zip(items, numbers, strict=True)]
            yield from columns([("name", number, "unit", "description"), *rows])


def population_lines(population: Population) -> Iterator[str]:
    """Yield the laws of a population."""
    yield f"population {population.name}: {population.title} ({population.source})"
    if chosen := population.selection:
        yield f"{len(chosen.numbers)} patients picked of {chosen.size} of {chosen.of}, seed {chosen.seed}"
    for title, laws in (("body", population.laws), ("tissue", population.tissue)):
        if laws:
            yield ""
            yield f"parameters of the {title} that vary"
            rows = [(w.name, w.kind, f"{w.range[0]:g}", f"{w.range[1]:g}", w.unit, w.source) for w in laws]
            yield from columns([("name", "law", "lowest", "highest", "unit", "source"), *rows])
    for kinetic in population.kinetics:
        yield f"{kinetic.name}: {kinetic.typical:g} {kinetic.unit}, varies with {kinetic.drug} ({kinetic.source})"


def columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows with their columns aligned."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        yield ("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
