"""Compile an SBML file in a process of its own: it is read from standard input, after it, behind a
zero byte, the model that will be run; what is wrong is printed.

Exit code 0 where libRoadRunner compiled and evaluated the model, 3 where it said why not.
"""

import math
import sys
from contextlib import suppress

import roadrunner


def probe(text: str, runnable: str) -> str:
    """Return what is wrong with a file, nothing where the engine takes it."""
    roadrunner.Logger.disableLogging()
    checks = roadrunner.VALIDATE_GENERAL | roadrunner.VALIDATE_IDENTIFIER | roadrunner.VALIDATE_MATHML
    checks |= roadrunner.VALIDATE_OVERDETERMINED
    if said := roadrunner.validateSBML(text, checks):
        return f"not valid SBML, {said}"
    try:
        rr = roadrunner.RoadRunner(runnable)
        rr.integrator.restart(0.0)
        for name in rr.model.getReactionIds():
            rr.getValue(name)
        if not all(math.isfinite(value) for value in rr.model.getFloatingSpeciesAmounts()):
            return "a species has no finite value at time 0; give it one"
        with suppress(RuntimeError):  # a model that only CVODE dislikes is told when it is run
            rr.oneStep(0.0, 1e-9)
    except RuntimeError as error:
        return f"libRoadRunner cannot compile it ({error})"
    return ""


if __name__ == "__main__":
    wrong = " ".join(probe(*sys.stdin.read().split("\0")).split())
    print(wrong)
    sys.exit(3 if wrong else 0)
