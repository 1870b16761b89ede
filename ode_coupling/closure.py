"""Whether the body states that are named for a drug hold all of it that is given."""

import numpy as np

from ..abm.errors import InputError, unknown_word
from .ports import DrugAccount
from .system import DOSE_RATE, Body

ROUND_OFF = 1e-9  # of the sum of all changes, which are of one size


def check_account(account: DrugAccount, body: Body) -> None:
    """Refuse a drug account that could not close, whatever is given.

    Together its states gain what a dose brings and nothing else: that is asked of the equations themselves, at a point
    where every state holds something.

    Raises
    ------
    InputError
        The body has no such drug or state; a state that the drug passes through is missing, or one is not its own.
    """
    model, where = body.model, f"[coupling] drugs: the states named for '{account.drug}'"
    entries = [v.name.removeprefix(DOSE_RATE) for v in model.inputs if v.name.startswith(DOSE_RATE)]
    own = [name for name in entries if name == account.drug or name.startswith(f"{account.drug}_")]
    if not own:
        raise unknown_word("drug", account.drug, entries, "[coupling] drugs")
    named = [model.index("states", state) for state in account.states]
    if len(set(named)) < len(named):
        raise InputError(f"{where} are not all different; name each once")
    resting = _change(body, {})
    scale = max(float(np.abs(resting[named]).sum()), np.finfo(float).tiny)
    lost = -float(resting[named].sum())
    if abs(lost) > ROUND_OFF * scale:
        missing = [
            s.name for k, s in enumerate(model.states)
            if k not in named and abs(resting[k] - lost) <= ROUND_OFF * scale
        ]  # fmt: skip
        cure = (
            f"add '{missing[0]}'"
            if len(missing) == 1
            else "name each one it passes through, the eliminated too"
        )
        raise InputError(
            f"{where} do not hold all of it, or more than it, so that its books cannot close; {cure}"
        )
    for name in own:
        gain = float((_change(body, {DOSE_RATE + name: 1.0}) - resting)[named].sum())
        if abs(gain - 1.0) > 1e-6:
            raise InputError(
                f"{where} get {gain:g} of a dose of 1 ({name}), so that its books cannot close; "
                "name each state that it passes through"
            )


def _change(body: Body, inputs: dict[str, float]) -> np.ndarray:
    """Return the change of all states with some inputs set, where no state is empty."""
    model, y = body.model, np.where(body.model.initial > 0.0, body.model.initial, 1.0)
    u, dy = np.zeros(len(model.inputs)), np.zeros(len(model.states))
    for name, value in inputs.items():
        u[model.index("inputs", name)] = value
    model.rhs(body.t, y, body.p, u, dy)
    return dy
