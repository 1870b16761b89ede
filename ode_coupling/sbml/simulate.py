"""Run an SBML file by itself, in its own unit of time."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ...abm.errors import InputError, unknown_word
from ..system import BodyError
from .engine import RTOL, Engine
from .read import checked

AMOUNT, CONCENTRATION, SYMBOL = "amount", "concentration", "symbol"


def simulate(
    path: str | Path, times: Sequence[float], outputs: Mapping[str, str] | Sequence[str], rtol: float = RTOL
) -> np.ndarray:
    """Return what a model shows at given times, shape (times, outputs).

    Parameters
    ----------
    path : str or Path
    times : sequence of float
        Ascending, from 0 on, in the file's unit of time.
    outputs : mapping of str to str, or sequence of str
        Identifier -> ``amount``, ``concentration`` or ``symbol`` (the value that formulae see, which a sequence
        means).
    rtol : float
        Relative tolerance, 1e-9 at most.

    Raises
    ------
    InputError
        The extra is missing, the file is refused, a name is unknown, or the times do not ascend.
    BodyError
        The equations cannot be carried on; the message names the time.
    """
    times = [float(time) for time in times]
    if not all(a <= b for a, b in zip([0.0, *times], times, strict=False)):
        raise InputError(f"{path}: times must ascend from 0 on")
    runnable, _ = checked(path, finite=False)
    contents = runnable.contents
    asked = dict(outputs) if isinstance(outputs, Mapping) else dict.fromkeys(outputs, SYMBOL)
    engine = Engine(runnable)
    known = {*contents.species, *contents.compartments, *contents.quantities, *contents.reactions}
    known |= contents.references.keys()
    for name in asked:
        if name not in known:
            raise unknown_word("identifier", name, known, f"{path}")
    selections = [_selection(engine, name, kind) for name, kind in asked.items()]
    rows, now = [], 0.0
    engine.begin()
    for time in times:
        try:
            if time > now:
                engine.run(now, time, rtol)
        except RuntimeError as error:
            raise BodyError(f"{path}: cannot be integrated from {now:g} to {time:g}: {error}") from None
        now = time
        rows.append([engine.rr.getValue(s) for s in selections])
    return np.array(rows, dtype=np.float64).reshape(len(times), len(asked))


def _selection(engine: Engine, name: str, kind: str) -> str:
    if kind not in (AMOUNT, CONCENTRATION, SYMBOL):
        raise unknown_word("kind of output", kind, (AMOUNT, CONCENTRATION, SYMBOL), f"output {name}")
    if name in engine.contents.species and kind == CONCENTRATION:
        return f"[{name}]"
    return engine.symbol(name) if kind == SYMBOL else name
