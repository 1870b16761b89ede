"""The command: a complete table or none, and one clear sentence for every wrong patient file."""

import csv
import json
import re

import pytest
from typer.testing import CliRunner

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.immune.qcic.model import qcic
from oncolattice.ode_coupling.immune.qcic.tables import sampled_names
from oncolattice.scenarios.command.body import body, read_patient
from oncolattice.scenarios.command.cli import app

VALUES = {q.name: q.value for q in qcic().parameters}
PATIENT = {name: VALUES[name] for name in sampled_names()}


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def rows(path):
    with open(path, newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_command_line_writes_all_states_at_the_times_asked_for(tmp_path):
    out, patient = tmp_path / "new" / "traj.csv", write(tmp_path / "p.json", PATIENT)
    call = ["body", "qcic", "--arm", "tas102", "--patient", str(patient), "--days", "10", "--every", "4"]
    result = CliRunner().invoke(app, [*call, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert result.output.strip() == str(out)
    written = rows(out)
    assert [float(row["time_days"]) for row in written] == [0.0, 4.0, 8.0, 10.0]
    assert list(written[0])[1:] == [state.name for state in qcic().states][:57]
    assert float(written[0]["X2_C"]) == 3e8
    assert [path.name for path in out.parent.iterdir()] == ["traj.csv"]


def test_a_full_set_of_values_and_a_described_one_are_the_same_patient(tmp_path):
    described = {"arm": "placebo", "vp": 1, "vp_parameters": PATIENT, "source": "anything"}
    assert read_patient(write(tmp_path / "a.json", described)) == PATIENT
    assert read_patient(write(tmp_path / "b.json", VALUES)) == VALUES


def test_the_patients_own_amounts_are_given(tmp_path):
    patient = write(tmp_path / "p.json", PATIENT | {"k_in_Chem": 9.5})
    out = tmp_path / "traj.csv"
    body("qcic", out, "tas102", patient, days=1.1, every=1.1)
    usual = tmp_path / "usual.csv"
    body("qcic", usual, "tas102", days=1.1, every=1.1)
    assert float(rows(out)[-1]["Chem_C"]) == pytest.approx(float(rows(usual)[-1]["Chem_C"]) / 10, rel=1e-9)


def test_a_blow_up_names_state_time_and_parameters_and_writes_nothing(tmp_path):
    patient = write(tmp_path / "p.json", PATIENT | {"K1": 0.0})
    with pytest.raises(
        InputError, match=r"p\.json: qcic: state X1_C .* at day 0 .*K1 = 0.*nothing was written"
    ):
        body("qcic", tmp_path / "traj.csv", patient=patient)
    assert [path.name for path in tmp_path.iterdir()] == ["p.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PATIENT | {"beta_x1": 0.1}, "unknown parameter 'beta_x1'; did you mean 'beta_X1'"),
        (
            {k: v for k, v in PATIENT.items() if k not in ("K2", "phi_L")},
            "2 of the 21 .* are missing: phi_L, K2",
        ),
        (PATIENT | {"K2": -1.0}, "'K2' must be a finite number from 0 on, not -1.0"),
        (PATIENT | {"K2": "3e9"}, "'K2' must be a finite number from 0 on, not \"3e9\""),
        (PATIENT | {"K2": None}, "'K2' must be a finite number from 0 on, not null"),
        (PATIENT | {"K2": True}, "'K2' must be a finite number from 0 on, not true"),
        (PATIENT | {"K2": float("inf")}, "'K2' must be a finite number from 0 on, not Infinity"),
        (PATIENT | {"K2": float("nan")}, "'K2' must be a finite number from 0 on, not NaN"),
        (PATIENT | {"K2": 10**400}, "'K2' must be a finite number from 0 on"),
        ('{"K2": 1, "K2": 2}', "'K2' occurs twice"),
        ("[1, 2]", "must hold one JSON object"),
        ('{"vp_parameters": 3}', "must hold one JSON object"),
        ("{", "is no JSON file"),
        ("[" * 100_000, "is no JSON file"),
    ],
)
def test_a_wrong_patient_file_is_one_clear_sentence(tmp_path, content, message):
    with pytest.raises(InputError, match=r"p\.json: .*" + message):
        read_patient(write(tmp_path / "p.json", content))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "qsp"}, "unknown body model 'qsp'"),
        ({"arm": "tas_102"}, "did you mean 'tas102'"),
        ({"schedule": "weekly"}, "unknown schedule 'weekly'"),
        ({"variant": "conservativ"}, "did you mean 'conservative'"),
        ({"rtol": 0.1}, "--rtol must lie in"),
        ({"days": -1.0}, "--days must be 0 to 36,500"),
        ({"days": float("nan")}, "--days must be 0 to 36,500"),
        ({"every": 0.0}, "--every above 0"),
        ({"every": 1e-9}, "rows at most"),
        ({"patient": "absent.json"}, "absent.json: cannot be read"),
    ],
)
def test_a_wrong_option_is_one_clear_sentence_and_writes_nothing(tmp_path, options, message):
    chosen = {"model": "qcic", "out": tmp_path / "traj.csv"} | options
    if "patient" in chosen:
        chosen["patient"] = tmp_path / chosen["patient"]
    with pytest.raises(InputError, match=re.escape(message)):
        body(**chosen)
    assert not any(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written(tmp_path):
    blocked = write(tmp_path / "file", "")
    with pytest.raises(InputError, match="cannot be written"):
        body("qcic", blocked / "traj.csv", days=1.0)
