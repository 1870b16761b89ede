"""Compile the kernels once before many processes need them: two halves, side by side."""

from concurrent.futures import Executor

import numpy as np

from ...abm.kernel_cache import PACKAGE, kernel_folder


def compile_fields(model_name: str) -> None:
    """Compile and cache the kernels of fields, densities and entry points."""
    _tissue(model_name, step=0)


def compile_cells_and_body(model_name: str) -> None:
    """Compile and cache the kernels of decisions, migration and arrivals, and those of the body."""
    from ...ode_coupling.immune.qcic.model import qcic
    from ...ode_coupling.system import Body

    # at step 1 no field is due, so that this half leaves them to the other
    tissue = _tissue(model_name, step=1)
    tissue.step({info.id: 1 for info in tissue.model.types})
    body = Body(qcic())
    body.advance_to(0.01)
    body.outputs()


def _tissue(model_name: str, step: int):
    from ...abm.advance import Tissue
    from ...abm.model import load_model
    from ...abm.placement import Placement
    from ...abm.state import first_state

    model = load_model(model_name)
    occupant = np.zeros((len(model.layers), 32, 32), np.uint8)
    for info in model.types:
        occupant[model.layers.index(info.layer), :, info.id] = info.id
    state = first_state(model, Placement(occupant, np.zeros((32, 32), np.uint8), ("core",)), 1)
    state.step = step
    return Tissue(model, state)


def compiled() -> bool:
    """Return whether the cache holds kernels of these sources."""
    return any(kernel_folder(PACKAGE / "abm" / "advance.py").glob("*.nbi"))


def warm_up_with(executor: Executor, name: str, settings: tuple[str, ...], seed: int) -> None:
    """Let one worker compile by running a seed of a scenario without a body, unless the cache is warm.

    What fails here is told when the seed is run again.
    """
    from ..simulate.replicate import run_seeds

    if not compiled():
        executor.submit(run_seeds, name, settings, [seed]).exception()


def warm_up(model_name: str, executor: Executor) -> None:
    """Compile all kernels on an executor; with a warm cache this takes a second.

    What fails here is told when a run fails of it.

    Parameters
    ----------
    model_name : str
        Any model: compiled kernels do not depend on it.
    executor : Executor
    """
    for job in [executor.submit(work, model_name) for work in (compile_fields, compile_cells_and_body)]:
        job.exception()
