"""Small models and lattices for tests."""

import pathlib
import re
import tempfile
from collections.abc import Mapping

import numpy as np

from oncolattice.abm.advance import Tissue
from oncolattice.abm.model import Model, load_model
from oncolattice.abm.placement import Placement
from oncolattice.abm.state import State, first_state

HEAD = """
[model]
name = "tiny"
title = "tiny"
dimensions = 2
layers = ["tissue", "immune"]
site = "site"
time_step = "time_step"
update = "rates"
neighbourhood = "moore"
boundary = "no-flux"

[parameters]
site = { value = 15, unit = "um", source = "assumed" }
time_step = { value = 1, unit = "h", source = "assumed" }
zero = { value = 0, unit = "1/h", source = "assumed" }
"""

CELLS = """
[[cell_type]]
name = "A"
display = "A"
layer = "tissue"
group = "tumour"
colour = "#111111"

[[cell_type]]
name = "B"
like = "A"
display = "B"

[[cell_type]]
name = "T"
display = "T"
layer = "immune"
colour = "#222222"

[[cell_type]]
name = "V"
display = "V"
layer = "tissue"
colour = "#333333"
"""


def parameters(**values: tuple[float, str]) -> str:
    """Return parameter lines, all of source 'assumed'."""
    return "".join(
        f'{name} = {{ value = {value!r}, unit = "{unit}", source = "assumed" }}\n'
        for name, (value, unit) in values.items()
    )


def behaviour(cell: str, do: str, rate: str, **more: str) -> str:
    """Return a [[behaviour]] block."""
    extra = "".join(f'\n{key} = "{value}"' for key, value in more.items())
    return f'\n[[behaviour]]\ncell = "{cell}"\ndo = "{do}"\nrate = "{rate}"{extra}\n'


def rule(cell: str, behaviour: str, signal: str, effect: str, half: str, **more: str) -> str:
    """Return a [[rule]] block."""
    extra = "".join(f'\n{key} = "{value}"' for key, value in more.items())
    return (
        f'\n[[rule]]\ncell = "{cell}"\nbehaviour = "{behaviour}"\nsignal = "{signal}"\neffect = "{effect}"'
        f'\nhalf = "{half}"{extra}\n'
    )


def attribute(name: str, cell: str, initial: str, **more: str) -> str:
    """Return an [[attribute]] block, a count unless said otherwise."""
    words = {"unit": "1"} | more
    extra = "".join(f'\n{key} = "{value}"' for key, value in words.items())
    return f'\n[[attribute]]\nname = "{name}"\ncell = "{cell}"\ninitial = "{initial}"{extra}\n'


def change(attribute: str, on: str, **more: str) -> str:
    """Return a [[change]] block."""
    extra = "".join(f'\n{key} = "{value}"' for key, value in more.items())
    return f'\n[[change]]\nattribute = "{attribute}"\non = "{on}"{extra}\n'


def tiny_model(numbers: str, blocks: str, **head: str | int | Mapping[str, object]) -> Model:
    """Compile the head (words replaced, tables added), some parameters, the test cell types and blocks."""
    text = HEAD
    for key, value in head.items():
        if isinstance(value, Mapping):
            word = "{ " + ", ".join(f"{k} = {v}" for k, v in value.items()) + " }"
            text = text.replace("[model]\n", f"[model]\n{key} = {word}\n")
            continue
        word = str(value) if isinstance(value, int) else f'"{value}"'
        text = re.sub(rf"^{key} = .*$", f"{key} = {word}", text, flags=re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "tiny.toml"
        path.write_text(text + numbers + CELLS + blocks)
        return load_model(str(path))


def placed(occupant: np.ndarray) -> Placement:
    """Return a placement of an occupancy map, shape (2, *shape)."""
    return Placement(
        occupant=occupant.astype(np.uint8),
        region=np.zeros(occupant.shape[1:], np.uint8),
        region_names=("core",),
        report={},
    )


def tissue_of(model: Model, occupant: np.ndarray, seed: int = 1, threads: int = 1) -> Tissue:
    """Return a tissue that starts with this occupancy."""
    return Tissue(model, first_state(model, placed(occupant), seed), threads)


def scattered(shape: tuple[int, ...], share: float, type_id: int, layer: int, seed: int = 0) -> np.ndarray:
    """Return an occupancy (2, *shape) with a share of one layer's sites filled at random."""
    occupant = np.zeros((2, *shape), np.uint8)
    rng = np.random.default_rng(seed)
    occupant[layer][rng.random(shape) < share] = type_id
    return occupant


def same_state(a: State, b: State) -> bool:
    """Return whether two states are equal to the last bit."""
    x, y = a.to_arrays(), b.to_arrays()
    return all(np.array_equal(x[key], y[key]) for key in x)
