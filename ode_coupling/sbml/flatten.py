"""Submodels (SBML Level 3 package comp) written out, by libSBML in a process of its own.

libSBML: Bornstein et al. 2008 (10.1093/bioinformatics/btn051).
"""

import subprocess
import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from ...abm.errors import InputError

SECONDS = 60.0
MOST_WORDS = 500
_PROGRAM = """
import sys
import libsbml

document = libsbml.readSBMLFromString(sys.stdin.read())
wanted = libsbml.ConversionProperties()
for word, value in (("flatten comp", True), ("leavePorts", False), ("abortIfUnflattenable", "all")):
    wanted.addOption(word, value)
if document.convert(wanted) == libsbml.LIBSBML_OPERATION_SUCCESS:
    sys.stdout.write(libsbml.writeSBMLToString(document))
else:
    log = document.getErrorLog()
    errors = [log.getError(i) for i in range(log.getNumErrors())]
    print(" ".join(e.getMessage() for e in errors if e.getSeverity() >= libsbml.LIBSBML_SEV_ERROR))
    sys.exit(3)
"""


def flattened(text: str, path: Path) -> str:
    """Return the text of a model without submodels, of the same meaning.

    Raises
    ------
    InputError
        libSBML is not installed or cannot do it; its words say why.
    """
    if find_spec("libsbml") is None:
        raise InputError(
            f'{path}: has submodels, which need libSBML; install the extra: pip install "oncolattice[sbml]"'
        )
    code, told = _run(text)
    if code == 0:
        return told
    reason = " ".join(told.split())[:MOST_WORDS] if code == 3 else ""
    raise InputError(
        f"{path}: its submodels cannot be written out ({reason or 'libSBML dies of it'}); flatten the model by hand"
    )


@lru_cache(maxsize=16)
def _run(text: str) -> tuple[int, str]:
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _PROGRAM],
            input=text,
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return 1, ""
    return done.returncode, done.stdout
