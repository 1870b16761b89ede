"""A scenario file names how a drug crosses: the library's pattern becomes an exchange by amounts."""

import pathlib

import numpy as np
import pytest

from oncolattice.abm.compile.model_file import find_model
from oncolattice.abm.errors import InputError
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.run import Run

PATTERN = 'normalise = "tissue mean"\nscale = "trifluridine"\n'
EXCHANGE = """
[scenario]
extends = "mcrc_tas102"
name = "exchanged"
model = "{model}"
duration_days = 3

[lattice]
rows = 48
columns = 48

[coupling]
splitting = "lie"
antigen_buffer_days = 0.25
antigen_output = "TA_C"
antigen_turnover = "d_TA"
drugs = [
  {{ drug = "TAS102", states = ["Chem_C", "Chem_P", "Chem_eliminated"], {flux} }},
  {{ drug = "bevacizumab", states = ["Targ_C", "Targ_P", "Targ_eliminated"] }},
]
"""
FLUX = 'exchange = "exchanged", field = "trifluridine", central = "Chem_C", volume = "V_trifluridine"'
MASS = ', molar_mass = "MW_trifluridine"'


def scenario(folder: pathlib.Path, flux: str = FLUX + MASS) -> pathlib.Path:
    """Write model and scenario; return the scenario's path."""
    library = pathlib.Path(find_model("mcrc"))
    drug = (library.parent / "drugs" / "trifluridine.toml").read_text(encoding="utf-8")
    assert PATTERN in drug
    drug = drug.replace(PATTERN, 'initial = "0*one_nM"\n').replace('"quasi-steady"', '"transient"')
    (folder / "trifluridine.toml").write_text(drug.replace('"drug_interval"', '"time_step"'))
    text = library.read_text(encoding="utf-8").replace('"drugs/trifluridine.toml"', '"trifluridine.toml"')
    (folder / "mcrc_exchanged.toml").write_text(text)
    (folder / "drugs").mkdir(exist_ok=True)
    for path in (library.parent / "drugs").glob("*.toml"):
        (folder / "drugs" / path.name).write_text(path.read_text(encoding="utf-8"))
    path = folder / "exchanged.toml"
    path.write_text(EXCHANGE.format(model=(folder / "mcrc_exchanged.toml").as_posix(), flux=flux))
    return path


def test_a_patient_with_an_exchanged_drug_keeps_the_books(tmp_path):
    run = Run(load_scenario(str(scenario(tmp_path))), 1)
    coupled = run.simulation.coupled
    assert coupled.ports.splitting == "lie"
    assert coupled.buffer == pytest.approx(0.25 * coupled.ports.release_at_start)
    assert coupled.ports.release_at_start > 0.0
    for _ in run.steps():
        pass
    assert coupled.ledger.worst.max() <= 1e-10
    exchange = coupled.lesions[0].exchanges[0]
    # 0.8 L of lesion for 21 L of plasma: tissue has taken up its share of what was given, and no more
    given = coupled.body.dosed["TAS102"]
    assert 0.001 * given < exchange.crossed < given
    field = coupled.tissue.state.fields[[f.name for f in run.simulation.model.fields].index("trifluridine")]
    assert field.min() >= 0.0
    assert np.ptp(field) > 0.0


@pytest.mark.parametrize(
    ("flux", "message"),
    [
        ('exchange = "exchange"', "did you mean 'exchanged'"),
        (FLUX, "needs 'molar_mass'"),
        ('field = "trifluridine"', "'field' has a meaning for"),
        (
            'exchange = "exchanged", field = "trifluridin", central = "Chem_C", volume = "V_B"' + MASS,
            "did you",
        ),
        ('exchange = "dirichlet", field = "VEGF", central = "Chem_C", volume = "V_B"' + MASS, "which needs"),
    ],
)
def test_a_way_that_is_half_described_is_refused(tmp_path, flux, message):
    with pytest.raises(InputError, match=message):
        Run(load_scenario(str(scenario(tmp_path, flux))), 1)


def test_a_signal_in_another_unit_than_the_body_supplies_is_refused(tmp_path):
    path = scenario(tmp_path)
    path.write_text(path.read_text() + 'signals = [{ signal = "NK", body = "I2_C" }]\n')
    with pytest.raises(InputError, match="'NK' is in cells/L, but I2_C in pg/L"):
        Run(load_scenario(str(path)), 1)
