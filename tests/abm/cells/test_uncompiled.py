"""Compiled equals uncompiled: the same Python run by the interpreter gives the same bits.

A second interpreter runs small models with compilation switched off; a difference would be one of integer
width, sign, rounding or of reading beyond an array, which the interpreter refuses and machine code does not.
"""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from engine_cases import busy_model, busy_start, events_of
from tiny import tissue_of

from oncolattice.abm.vocabulary import UPDATES

HERE = pathlib.Path(__file__).resolve().parent
HELPERS = HERE.parents[1] / "helpers"
CASES = [
    (shape, update, boundary)
    for shape, boundary in (((12, 14), "no-flux"), ((5, 6, 7), "periodic"))
    for update in UPDATES
]
STEPS = 4
PROGRAM = """
import sys
import warnings
import numpy as np
sys.path.insert(0, sys.argv[1])
import test_uncompiled as here  # this file, for its cases
warnings.simplefilter("ignore", RuntimeWarning)  # hashes wrap around, of which NumPy warns and machine code does not
arrays = {}
for number, case in enumerate(here.CASES):
    for name, value in here.outcome(*case).items():
        arrays[f"{number}_{name}"] = value
np.savez(sys.argv[2], **arrays)
"""


def outcome(shape: tuple[int, ...], update: str, boundary: str) -> dict[str, np.ndarray]:
    """Return the state after a few steps with arrivals."""
    model = busy_model(update, dimensions=len(shape), boundary=boundary)
    tissue = tissue_of(model, busy_start(shape), seed=5)
    tissue.step({3: 4})
    tissue.advance(STEPS - 1)
    return tissue.state.to_arrays()


@pytest.fixture(scope="module")
def uncompiled(tmp_path_factory) -> dict[str, np.ndarray]:
    file = tmp_path_factory.mktemp("uncompiled") / "states.npz"
    environment = os.environ | {
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONPATH": os.pathsep.join([str(HELPERS), str(HERE), os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(HERE), str(file)],
        env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(np.load(file))


@pytest.mark.parametrize("number", range(len(CASES)))
def test_the_interpreter_gives_the_same_bits(number, uncompiled):
    compiled = outcome(*CASES[number])
    assert len(compiled) == sum(name.startswith(f"{number}_") for name in uncompiled) > 0
    for name, value in compiled.items():
        slow = uncompiled[f"{number}_{name}"]
        assert slow.dtype == value.dtype, name
        assert np.array_equal(slow, value), name


def test_the_models_do_something():
    for shape, update, boundary in CASES:
        model = busy_model(update, dimensions=len(shape), boundary=boundary)
        tissue = tissue_of(model, busy_start(shape), seed=5)
        tissue.advance(STEPS)
        assert sum(events_of(tissue).values()) > 3
