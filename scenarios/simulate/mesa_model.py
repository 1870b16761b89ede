"""A Mesa shell: a scenario as a ``mesa.Model`` without Agent objects.

Import this module only where Mesa is wanted; the engine does not need it.
"""

from collections.abc import Sequence

import mesa

from ...abm.errors import InputError
from ..files.scenario import load_scenario
from .run import Run


class TumourModel(mesa.Model):
    """A scenario that Mesa's tools (DataCollector, batch_run, SolaraViz) can drive.

    Parameters
    ----------
    scenario : str
        Library name or path.
    seed : int
        Seed of placement and luck.
    settings : sequence of str
        ``key=value[unit]``.
    hours : int
        Simulated hours a ``step``.

    Raises
    ------
    InputError
    """

    def __init__(
        self,
        scenario: str = "mcrc_placebo",
        seed: int = 1,
        settings: Sequence[str] = (),
        hours: int = 24,
        rng=None,
    ):
        super().__init__(rng=seed if rng is None else rng)
        self.run = Run(load_scenario(scenario, settings), seed)
        self.run.open()
        self.hours = hours
        self._steps = round(hours / self.run.simulation.model.dt_h)
        if self._steps < 1:
            raise InputError(f"hours must be at least one time step of the engine, got {hours:g}")
        types = self.run.simulation.model.types
        reporters = {info.name: self._reporter(info.id) for info in types}
        reporters["day"] = lambda model: model.day
        reporters["tumour_volume_cm3"] = lambda model: model.run.recorder.volume_cm3()
        self.datacollector = mesa.DataCollector(model_reporters=reporters)
        self.datacollector.collect(self)

    @staticmethod
    def _reporter(type_id: int):
        def count(model: "TumourModel") -> int:
            return int((model.occupant == type_id).sum())

        return count

    @property
    def occupant(self):
        """Return the cell-type ids, shape (layer, y, x)."""
        return self.run.simulation.tissue.state.occupant

    @property
    def day(self) -> float:
        """Return the simulated time in days."""
        return self.run.progress().day

    def step(self) -> None:
        """Advance by ``hours`` and collect."""
        self.run.advance(self._steps)
        self.datacollector.collect(self)
        self.running = self.day < self.run.progress().end_day
