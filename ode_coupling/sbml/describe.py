"""An ODE model in words: states, inputs, outputs and parameters with their units."""

from collections.abc import Iterator, Sequence

from ...abm.ode_model import OdeModel, Parameter, Variable


def describe_ode(model: OdeModel) -> str:
    """Return the tables of an ODE model as text for people to read."""
    lines = [f"ODE model {model.name}; time in {model.time_unit}"]
    lines += [f"note: {note}" for note in model.notes.split("; ") if note]
    starts = [f"{value:g}" for value in model.initial]
    tables: tuple[tuple[str, Sequence[Variable | Parameter], list[str]], ...] = (
        ("states", model.states, starts),
        ("inputs", model.inputs, [""] * len(model.inputs)),
        ("outputs", model.outputs, [""] * len(model.outputs)),
        ("parameters", model.parameters, [f"{p.value:g}" for p in model.parameters]),
    )
    for title, items, numbers in tables:
        if items:
            head = (
                "name",
                "start" if title == "states" else "value" if title == "parameters" else "",
                "unit",
                "",
            )
            rows = [(i.name, n, i.unit, i.description) for i, n in zip(items, numbers, strict=True)]
            lines += ["", title, *_columns([head, *rows])]
    return "\n".join(lines)


def _columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows with their columns aligned."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        yield ("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
