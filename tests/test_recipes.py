"""Every recipe of docs/rules.md compiles on top of its base model, and a day of it runs."""

import pathlib
import re

import numpy as np
import pytest
from tiny import tissue_of

from oncolattice.abm.model import load_model

PAGE = (pathlib.Path(__file__).resolve().parents[1] / "docs" / "rules.md").read_text(encoding="utf-8")
BASE = re.findall(r"<!-- base -->\n```toml\n(.*?)```", PAGE, re.DOTALL)[0]
RECIPES = dict(
    re.findall(r"## ([^\n]+)\n(?:(?!\n## ).)*?<!-- recipe -->\n```toml\n(.*?)```", PAGE, re.DOTALL)
)


def start(model) -> np.ndarray:
    """Return an occupancy with every type of the model somewhere."""
    rng = np.random.default_rng(1)
    occupant = np.zeros((2, 40, 40), np.uint8)
    for layer, name in enumerate(model.layers):
        ids = [info.id for info in model.types if info.layer == name]
        occupant[layer] = rng.choice([0, *ids], p=[0.5, *[0.5 / len(ids)] * len(ids)], size=(40, 40))
    return occupant


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_compiles_and_runs_a_day(title, tmp_path):
    (tmp_path / "recipe.toml").write_text(RECIPES[title])
    head = 'boundary = "no-flux"'
    path = tmp_path / "model.toml"
    path.write_text(BASE.replace(head, f'{head}\ninclude = ["recipe.toml"]'))
    model = load_model(str(path))
    tissue = tissue_of(model, start(model))
    tissue.advance(24)
    new = [name for name in model.events if name not in ("tumour: divide", "tumour: division blocked")]
    happened = {name for name, n in zip(model.events, tissue.state.events, strict=True) if n}
    verbs = ("die ", "die_dividing", "beget", "become", "killed")
    rare = {"progenitor: become senescent"}  # nine divisions take longer than a day
    expected = {name for name in new if name.split(": ")[1].startswith(verbs)} - rare
    if "killer: become exhausted" in expected:
        expected.remove("killer: become exhausted")  # five engagements of six hours
    assert {name for name in expected if "tumour: killed" in name} <= happened
    assert happened & expected, f"none of {sorted(expected)} happened"


def test_the_page_has_all_recipes():
    assert len(RECIPES) == len(re.findall("<!-- recipe -->", PAGE)) == 7
