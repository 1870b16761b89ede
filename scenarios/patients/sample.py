"""Virtual patients: parameters of body and tissue drawn from a population, by a named design."""

import math

import numpy as np

from ...abm.errors import InputError, unknown_word
from ...abm.placement.luck import generator
from .laws import DESIGNS as DESIGNS
from .laws import Kinetic as Kinetic
from .laws import Law as Law
from .laws import Population as Population
from .laws import Selection as Selection
from .population import POPULATIONS as POPULATIONS
from .population import library_populations as library_populations
from .population import load_population as load_population


def sample(population: Population, n: int, seed: int, design: str = "iid") -> list[dict[str, float]]:
    """Return the body parameters of the first n patients.

    A value is the quantile of the parameter's law at a share of patients that the design gives.

    * ``iid``: element i of a random stream keyed by (seed, name). Patient i is the same whatever n and
      whatever else varies, and has the same rank in every population that is drawn with the same seed.
    * ``latin hypercube``: each n-th of every law holds one patient (10.1080/00401706.1979.10489755). Patient i
      depends on n; not on what else varies.
    * ``sobol``: scrambled Sobol points (10.1006/jcom.1998.0487). Patient i is the same whatever n; he depends
      on which parameters vary, in the order of their names.

    Random effects of drugs are normal and independent of the design: patient i is that of ``sample_patients``.

    Parameters
    ----------
    population : Population
        Of a selection, the first n patients that were picked.
    n : int
        Number of patients.
    seed : int
    design : str
        One of ``DESIGNS``; a selection has its own.

    Returns
    -------
    list of dict of str to float
        Values in the unit of each law.

    Raises
    ------
    InputError
        If n is negative or more than were picked, for an unknown design, or for another seed or design than
        those of a selection.
    """
    return _rows(population, n, seed, design, tissue=False)


def sample_tissue(population: Population, n: int, seed: int, design: str = "iid") -> list[dict[str, float]]:
    """Return the tissue parameters of the first n patients; see ``sample``. Empty without laws of tissue."""
    return _rows(population, n, seed, design, tissue=True)


def _rows(population: Population, n: int, seed: int, design: str, tissue: bool) -> list[dict[str, float]]:
    if n < 0:
        raise InputError(f"the number of patients must be 0 or more, got {n}")
    picked = np.arange(n)
    chosen = population.selection
    if chosen:
        if n > len(chosen.numbers):
            raise InputError(
                f"population {population.name} holds {len(chosen.numbers)} picked patients, not {n}"
            )
        if (seed, design) not in ((chosen.seed, "iid"), (chosen.seed, chosen.design)):
            raise InputError(
                f"population {population.name} was picked from a sample of seed {chosen.seed} ({chosen.design}), "
                f"not seed {seed} ({design}); set population_seed to {chosen.seed}, or draw from '{chosen.of}'"
            )
        picked, n, design = np.array(chosen.numbers[:n], np.int64) - 1, chosen.size, chosen.design
    columns = _columns(population, n, seed, design, tissue, picked)
    return [{name: float(column[i]) for name, column in columns.items()} for i in range(len(picked))]


def _columns(
    population: Population, n: int, seed: int, design: str, tissue: bool, picked: np.ndarray
) -> dict[str, np.ndarray]:
    """Return every parameter of the patients picked from a sample of n, in the order of the laws."""
    if design not in DESIGNS:
        raise unknown_word("design", design, DESIGNS, "virtual patients")
    laws = population.tissue if tissue else population.laws
    everything = sorted(law.name for law in (*population.laws, *population.tissue))
    shares = _sobol(everything, n, seed) if design == "sobol" else {}
    columns = {}
    for law in laws:
        if design == "iid":
            share = generator(seed, f"patient {law.name}").random(n)
        elif design == "latin hypercube":
            rng = generator(seed, f"latin hypercube {n} {law.name}")
            share = (rng.permutation(n) + rng.random(n)) / max(n, 1)
        else:
            share = shares[law.name]
        columns[law.name] = law.quantile(share[picked])
    return columns if tissue else columns | _kinetics(population, n, seed, picked)


def _sobol(names: list[str], n: int, seed: int) -> dict[str, np.ndarray]:
    """Return n scrambled Sobol points, one coordinate a name."""
    from scipy.stats import qmc

    scramble = int(generator(seed, "sobol patients").integers(2**63))
    # a power of two, so that SciPy has nothing to warn of; the first n are the same whatever the power
    points = qmc.Sobol(max(len(names), 1), rng=scramble).random_base2(math.ceil(math.log2(max(n, 1))))
    return {name: points[:n, k] for k, name in enumerate(names)}


def _kinetics(population: Population, n: int, seed: int, picked: np.ndarray) -> dict[str, np.ndarray]:
    """Return the rates of drugs of the patients picked from a sample of n."""
    if not population.kinetics:
        return {}
    from ...ode_coupling.pk.patients import sample_patients

    effects = {drug: sample_patients(drug, n, seed) for drug in {k.drug for k in population.kinetics}}
    return {
        k.name: k.typical
        * np.exp(
            np.array(
                [sum(power * effects[k.drug][i][word] for word, power in k.powers.items()) for i in picked]
            ).reshape(len(picked))
        )
        for k in population.kinetics
    }
