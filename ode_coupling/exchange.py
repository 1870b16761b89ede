"""A drug crosses the vessel wall: what tissue takes is what blood loses, in the same step.

Within a step the level in blood changes by the exchange. With L the mean level over the step, L0 that at its
beginning and L1 that at its end, L = (1 - theta) L0 + theta L1, and L1 = L0 - gain (returned + taken L), because
a field answers linearly. theta = 1/2 is of second order; where tissue could take more than all that blood holds
(z = gain taken > 1), theta = 1 - 1/(2 z): L1 then keeps a positive part of L0 however large z is, and nothing is
clipped.
"""

import numpy as np

from ..abm.advance import Tissue
from ..abm.errors import InputError, unknown_word
from ..abm.fields.update import ACCOUNT
from ..abm.tables import STATS
from ..abm.vocabulary import TRANSIENT
from .ports import Flux
from .system import Body

MG_PER_NM_UM3 = 1e-21  # of a molar mass of 1 g/mol: 1 nM um^3 = 1e-24 mol
UM3_PER_L = 1e15
NM_PER_MG_PER_L = 1e6  # of a molar mass of 1 g/mol
SECRETED, TAKEN_UP, DECAYED, BOUNDARY = (
    ACCOUNT.index(name) for name in ("secreted", "taken up", "decayed", "through the boundary")
)


class Exchange:
    """One drug, one field, one body state; a `Blood` for the field.

    Parameters
    ----------
    flux : Flux
    tissue : Tissue
        Its field is from now on exchanged with this body.
    body : Body
        Its state of the drug is debited and credited.
    lesion_L : float
        Volume of the lesion, for a flux that does not say its scale.

    Attributes
    ----------
    amount_per_unit : float
        Amount, in the unit of the body state, in one nM at one site.
    crossed : float
        Net amount that has gone into the tissue.
    stiffest : float
        Largest share of blood's drug that tissue could have taken in a step (z); above 1 steps are of first order.

    Raises
    ------
    InputError
        The field is unknown, not in nM, not stepped in time at every step from a declared start, or scaled.
    """

    def __init__(self, flux: Flux, tissue: Tissue, body: Body, lesion_L: float):
        self.flux, self._tissue, self._body = flux, tissue, body
        self._field = _checked_field(flux.field, tissue)
        self._state = body.model.index("states", flux.state)
        molar, site_um3 = flux.molar_mass_g_per_mol, tissue.model.site_um**3
        scale = flux.scale or lesion_L * UM3_PER_L / (tissue.state.region.size * site_um3)
        self.amount_per_unit = molar * MG_PER_NM_UM3 * site_um3 * scale / flux.mg
        self._level_per_amount = flux.partition * flux.mg * NM_PER_MG_PER_L / (flux.volume_L * molar)
        self._gain = self._level_per_amount * self.amount_per_unit
        self.crossed, self.stiffest = 0.0, 0.0
        self._last = tissue.state.field_account[self._field].copy()
        tissue.blood[self._field] = self
        if flux.one_way:
            tissue.notes.append(
                f"field '{flux.field}': one-way (dirichlet) coupling creates drug: tissue takes what blood does not "
                "lose, and the ledger shows it; exchange = 'exchanged' conserves it"
            )

    def settle(self, returned: float, taken: float) -> float:
        """Debit blood by what vessels deliver in this step; return the mean level over it (see `Blood`)."""
        level = float(self._body.y[self._state]) * self._level_per_amount
        if self.flux.one_way:
            self.crossed += self.amount_per_unit * (returned + level * taken)
            return level
        stiffness = self._gain * taken
        theta = 0.5 if stiffness <= 1.0 else 1.0 - 0.5 / stiffness
        mean = (level - theta * self._gain * returned) / (1.0 + theta * stiffness)
        amount = self.amount_per_unit * (returned + mean * taken)
        self._body.y[self._state] -= amount
        self.crossed += amount
        self.stiffest = max(self.stiffest, stiffness)
        return mean

    def held(self) -> float:
        """Return the amount in the tissue, in the unit of the body state and at the lesion's scale."""
        state = self._tissue.state
        mean = state.stats[self._field].view(STATS)["mean"][0]
        return float(mean) * state.region.size * self.amount_per_unit

    def sources(self) -> tuple[float, float]:
        """Return the net and the gross amount that the tissue itself has made or removed since the last call.

        Secretion, uptake by cells, decay and flow through the outer faces, as the field solver's account has them.
        """
        now = self._tissue.state.field_account[self._field]
        part = self.amount_per_unit * (now - self._last)
        self._last[:] = now
        gained, through, lost = part[SECRETED], part[BOUNDARY], part[TAKEN_UP] + part[DECAYED]
        return float(gained + through - lost), float(gained + abs(through) + lost)

    def to_arrays(self) -> np.ndarray:
        """Return what changes besides field and body."""
        return np.array([self.crossed, self.stiffest])

    def restore(self, values: np.ndarray) -> None:
        """Take over what ``to_arrays`` returned, with the tissue's state already in place."""
        self.crossed, self.stiffest = (float(value) for value in values)
        self._last[:] = self._tissue.state.field_account[self._field]


def _checked_field(name: str, tissue: Tissue) -> int:
    """Return the position of a field that can be exchanged."""
    model = tissue.model
    names = [info.name for info in model.fields]
    if name not in names:
        raise unknown_word("field", name, names, "coupling")
    i = names.index(name)
    row, entry = model.tables.fields[i], model.spec.sections["field"][i]
    unmet = {
        f"unit 'nM', it has '{model.fields[i].unit}'": model.fields[i].unit == "nM",
        "a vessel_type": row["vessels"] >= 0,
        "solver = 'transient'": row["transient"] == TRANSIENT,
        "an 'initial' level": "initial" in entry,
        "an update_interval of one time_step": row["every"] == 1,
        "neither scale nor normalise": row["scale"] < 0 and not row["normalise"],
    }
    for need, met in unmet.items():
        if not met:
            raise InputError(
                f"coupling: field '{name}' is exchanged with blood, which needs {need}; "
                "a normalised pattern is coupled by exchange = 'pattern'"
            )
    return i
