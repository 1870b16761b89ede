"""oncolattice: agent-based spatial tumour-immune simulation with ODE coupling."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# The public face, imported on first use: `import oncolattice` itself stays instant.
_PUBLIC = {
    "load_model": "abm.model",
    "load_scenario": "scenarios.files.scenario",
    "run": "scenarios.simulate.run",
    "open_run": "scenarios.store",
}
__all__ = ["__version__", "load_model", "load_scenario", "open_run", "run"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(
        f"module 'oncolattice' has no attribute {name!r}; public names: {', '.join(__all__)}"
    )
