"""Neutrophils beside a body: what its drugs do to the marrow, step by step."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...abm.errors import unknown_word
from ...abm.model import Model
from ...ode_coupling.system import Body
from ...ode_coupling.toxicity.friberg import ANC, friberg

GRADE_3, GRADE_4 = 1.0e9, 0.5e9  # cells/L, below: CTCAE, neutrophil count decreased
_OPTIONS = ("transit_time_h", "feedback", "baseline_cells_per_L")


class Marrow:
    """The neutrophil model of Friberg 2002 (10.1200/JCO.2002.02.140) under the drug level of a body.

    Nothing comes back to the body, so it follows the body step by step: the drug effect of a step is the mean of
    those at its ends. It is slope x C + most x C / (half + C) of the concentration C.

    Parameters
    ----------
    table : mapping
        [toxicity].
    model : Model
        Tissue model, whose parameters the factor may name.
    body : Body

    Raises
    ------
    InputError
        The body has no state or output of that name, or a number is out of bounds.
    """

    def __init__(self, table: Mapping[str, Any], model: Model, body: Body):
        source = body.model.states, body.model.outputs
        names = [variable.name for part in source for variable in part]
        self._name = table["concentration"]
        if self._name not in names:
            raise unknown_word("state or output of the body", self._name, names, "[toxicity] concentration")
        self._factor = 1.0
        if "factor" in table:
            self._factor = model.scope.number(table["factor"], table.get("unit", "1"), "[toxicity] factor")
        self._is_state = any(state.name == self._name for state in body.model.states)
        self._slope, self._most = table.get("slope", 0.0), table.get("most", 0.0)
        self._half = table.get("half", 1.0)
        options = {key: table[key] for key in _OPTIONS if key in table}
        self._own = Body(friberg(**options, source=table["source"] if options else "10.1200/JCO.2002.02.140"))
        self._effect = self._effect_of(body)
        self._lowest, self._days = self.count(), np.zeros(2)

    def _effect_of(self, body: Body) -> float:
        found = body.get(self._name) if self._is_state else body.output(self._name)
        level = found * self._factor
        return self._slope * level + self._most * level / (self._half + level)

    def advance(self, body: Body) -> None:
        """Follow the body to its present time."""
        effect, days = self._effect_of(body), body.t - self._own.t
        self._own.set_input("drug_effect", 0.5 * (self._effect + effect))
        self._own.advance_to(body.t)
        self._effect = effect
        count = self.count()
        self._lowest = min(self._lowest, count)
        self._days += [days * (count < grade) for grade in (GRADE_3, GRADE_4)]

    def count(self) -> float:
        """Return the absolute neutrophil count, cells/L."""
        return self._own.output(ANC.name)

    def outcome(self) -> dict[str, float]:
        """Return the lowest count (cells/L), and the days below the bounds of grades 3 and 4."""
        below_3, below_4 = self._days.tolist()
        return {"anc_lowest": self._lowest, "grade_3_days": below_3, "grade_4_days": below_4}

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return everything that changes as named arrays, exact."""
        own = {f"marrow_{key}": value for key, value in self._own.state().items()}
        return own | {"marrow_seen": np.array([self._effect, self._lowest, *self._days])}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over what ``to_arrays`` returned."""
        head = "marrow_"
        self._own.restore({k.removeprefix(head): v for k, v in arrays.items() if k.startswith(head)})
        self._effect, self._lowest, *days = arrays["marrow_seen"].tolist()
        self._days[:] = days
