"""Let an SBML file be compiled beside this process first: a formula can take libRoadRunner down."""

import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from ...abm.errors import InputError
from .document import Document

SECONDS = 60.0
MOST_WORDS = 1000
SEPARATOR = "\0"
_PROBE = Path(__file__).with_name("probe.py")


def refuse_deadly(document: Document, runnable: str) -> None:
    """Refuse a file that libRoadRunner rejects, dies of, or does not come back from.

    Parameters
    ----------
    document : Document
    runnable : str
        The model that the engine will run.

    Raises
    ------
    InputError
    """
    if problem := _problem(document.text, runnable):
        raise InputError(f"{document.path}: {problem}")


@lru_cache(maxsize=64)
def _problem(text: str, runnable: str) -> str:
    words = [sys.executable, "-I", str(_PROBE)]
    try:
        done = subprocess.run(
            words, input=text + SEPARATOR + runnable, capture_output=True, encoding="utf-8", timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"libRoadRunner does not compile it in {SECONDS:.0f} s; write its formulae simpler"
    if done.returncode == 0:
        return ""
    if done.returncode == 3:
        return done.stdout.strip()[:MOST_WORDS]
    return "libRoadRunner dies of it; write its formulae flatter and shorter"
