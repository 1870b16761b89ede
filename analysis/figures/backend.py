"""Imports Matplotlib before any figure does, so that the MPLBACKEND of a notebook's kernel cannot stop it.

A command that is started from a notebook inherits the name of a backend that it may not have, and Matplotlib then
refuses to be imported. Figures here are drawn to files by Agg; the setting stays for whoever shows figures beside them.
"""

import importlib
import os
import sys
from contextlib import suppress

if "matplotlib" not in sys.modules:
    wanted = os.environ.pop("MPLBACKEND", None)
    matplotlib = importlib.import_module("matplotlib")
    if wanted is not None:
        os.environ["MPLBACKEND"] = wanted
    if wanted:
        with suppress(ValueError):  # a backend that is not installed here
            matplotlib.rcParams["backend"] = wanted
