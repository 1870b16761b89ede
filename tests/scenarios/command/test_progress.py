"""Names on the terminal are text: neither markup nor escapes."""

from types import SimpleNamespace

import pytest

from oncolattice.scenarios.command.progress import follow


def going(name, group):
    """A run of one step of a scenario and a group of cells so called."""
    simulation = SimpleNamespace(
        scenario=SimpleNamespace(name=name),
        seed=1,
        model=SimpleNamespace(types=[SimpleNamespace(name="T", group=group)]),
    )
    step = SimpleNamespace(day=1.0, end_day=1.0, counts={"T": 5})
    return SimpleNamespace(
        simulation=simulation, progress=lambda: step, steps=lambda: iter([step]), wall={"simulate": 1.0}
    )


@pytest.mark.parametrize("name", ["[/red]", "[bold]x[/bold]", "\x1b[31mred", "50 % $x$"])
def test_a_bar_shows_names_as_they_are(name, capfd, monkeypatch):
    for variable, value in (("FORCE_COLOR", "1"), ("NO_COLOR", "1"), ("TERM", "xterm"), ("COLUMNS", "250")):
        monkeypatch.setenv(variable, value)
    assert follow(going(name, name))
    shown = capfd.readouterr().err
    assert "\x1b[31m" not in shown
    assert name.replace("\x1b", "\\x1b") in shown.replace("\n", "")
