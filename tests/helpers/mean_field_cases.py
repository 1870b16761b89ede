"""Small models for the tests of the mean field."""

from pathlib import Path

from oncolattice.abm.model import Model, load_model

EMPTY, ABORT = "random empty neighbour", "random neighbour, abort if occupied"


def write_model(path: Path, types: str, blocks: str, numbers: str = "", **head: str | int) -> Model:
    """Compile a model from its blocks, types as in "tumour@tissue CTL@immune", steps of 0.1 h by default."""
    head = {"dimensions": 2, "neighbourhood": "von Neumann", "boundary": "periodic", "update": "rates"} | head
    step = head.pop("time_step_h", 0.1)
    words = [word.split("@") for word in types.split()]
    lines = [f"{key} = {value if isinstance(value, int) else repr(value)}\n" for key, value in head.items()]
    cells = "".join(
        block("cell_type", name=name, display=name, layer=layer, colour="#111111") for name, layer in words
    )
    path.write_text(
        f"[model]\nname = 'm'\ntitle = 'm'\nlayers = {sorted({layer for _, layer in words})}\nsite = 'site'\n"
        "time_step = 'time_step'\n" + "".join(lines) + "[parameters]\n"
        'site = { value = 20, unit = "um", source = "assumed" }\n'
        f'time_step = {{ value = {step}, unit = "h", source = "assumed" }}\n'
        'one = { value = 1, unit = "1/d", source = "assumed" }\n' + numbers + cells + blocks
    )
    return load_model(str(path))


def block(section: str, /, **entries: str | list[str]) -> str:
    """Return one [[section]] block."""
    return f"[[{section}]]\n" + "".join(f"{key} = {value!r}\n" for key, value in entries.items())


def does(cell: str, do: str, rate: str, **more: str) -> str:
    """Return a behaviour."""
    return block("behaviour", cell=cell, do=do, rate=rate, **more)


def senses(cell: str, behaviour: str, signal: str, effect: str, half: str, **more: str) -> str:
    """Return a rule."""
    return block("rule", cell=cell, behaviour=behaviour, signal=signal, effect=effect, half=half, **more)


HIERARCHY = (
    does("stem", "divide", "0.2*one")
    + does("stem", "beget progenitor", "0.95")
    + does("progenitor", "divide", "0.5*one")
    + does("senescent", "die age", "one")
    + block("attribute", name="divisions_left", cell="progenitor", kind="count", unit="1", initial="9")
    + block("change", attribute="divisions_left", on="divide", add="-1", at_zero="become senescent")
)
