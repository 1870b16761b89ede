"""A stand-in for what a run advances, so that decisions can be followed by hand."""

from types import SimpleNamespace

import numpy as np

from oncolattice.scenarios.treatment.trial import Trial


class Scene:
    """Notes what tissue and body are told, and shows what a test writes into it."""

    def __init__(self, seed=1):
        self.told, self.given_doses = [], []
        self.tissue, self.state = self, SimpleNamespace(seed=seed)
        self.volume, self.levels = 0.0, {}

    def set_body(self, signals):
        self.told += signals.values()

    def set_dose(self, drug, factor):
        self.given_doses.append((drug, factor))

    def given(self, drug):
        return 30.0, 40.0

    def volume_cm3(self):
        return self.volume

    def level(self, name):
        return self.levels[name]

    def level_unit(self, name):
        return "cells/L"


def follow(model, tables, numbers, scene=None):
    """Return a trial that saw a number of cells a day, in two types, and all levels in force after each day."""
    scene = scene or Scene()
    trial, doses, step = Trial(tables, model, scene), [], 0
    a_day = round(24 / model.dt_h)
    for day, number in enumerate(numbers):
        while step <= a_day * day:
            trial.attend(step, np.array([number - number // 3, number // 3]))
            step = trial.next(step)
        doses.append(trial.levels[0] if len(trial.levels) == 1 else tuple(trial.levels))
        if trial.ended:
            break
    return trial, doses
