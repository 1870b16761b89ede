"""The command line's table: columns, numbers, patients, and what is refused."""

import csv
import sys

import numpy as np
import pytest

from oncolattice.ode_coupling.dosing import cycle_doses
from oncolattice.ode_coupling.pk import library_drugs, sample_patients, simulate_pk
from oncolattice.scenarios.command import cli

ORDER = "240 mg iv over 60 min q2w x 13"


@pytest.fixture
def pk(monkeypatch, capfd):
    def call(*words):
        monkeypatch.setattr(sys, "argv", ["oncolattice", "pk", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        return code, *capfd.readouterr()

    return call


def read(path):
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], np.array(rows[1:], dtype=float)


def test_the_table_holds_amounts_and_concentrations(pk, tmp_path):
    out = tmp_path / "pk.csv"
    code, said, _ = pk("nivolumab", "--regimen", ORDER, "--days", 182, "--out", out)
    assert (code, said.strip()) == (0, str(out))
    header, rows = read(out)
    assert header == ["time_days", "central_mg", "peripheral_mg", "eliminated_mg", "concentration_mg_per_L"]
    assert rows[:, 0].tolist() == list(range(183))
    np.testing.assert_allclose(rows[-1, 1:4].sum(), 13 * 240.0, rtol=1e-9)
    doses = cycle_doses("nivolumab", 240.0, (1,), 14.0, 13, 1 / 24, first_day=0.0)
    expected = simulate_pk("nivolumab", doses, rows[:, 0])["concentration_mg_per_L"]
    np.testing.assert_allclose(rows[:, 4], expected, rtol=1e-8)


def test_covariates_patients_and_doses_by_weight(pk, tmp_path):
    out = tmp_path / "pk.csv"
    words = [
        "--days",
        3,
        "--every",
        0.5,
        "--covariate",
        "weight=100",
        "--covariate",
        "sex=male",
        "--out",
        out,
    ]
    assert pk("nivolumab", "--regimen", "3 mg/kg iv q2w", *words, "--patients", 3, "--seed", 4)[0] == 0
    header, rows = read(out)
    assert header[:2] == ["patient", "time_days"]
    assert rows[:, 0].tolist() == [1] * 7 + [2] * 7 + [3] * 7
    doses = cycle_doses("nivolumab", 300.0, (1,), 14.0, 1, 0.0, first_day=0.0)
    for number, eta in enumerate(sample_patients("nivolumab", 3, 4), start=1):
        block = rows[rows[:, 0] == number]
        expected = simulate_pk("nivolumab", doses, block[:, 1], {"weight": 100.0, "sex": "male"}, eta)
        np.testing.assert_allclose(block[:, -1], expected["concentration_mg_per_L"], rtol=1e-8)


def test_a_covariate_is_converted_to_the_unit_of_the_drug(pk, tmp_path):
    tables = []
    for weight in ("100", "100kg", "1e5 g"):
        out = tmp_path / "pk.csv"
        words = ["--regimen", "3 mg/kg iv q2w", "--covariate", f"weight={weight}", "--days", 14, "--out", out]
        assert pk("nivolumab", *words)[0] == 0
        tables.append(read(out)[1])
    assert tables[0].tolist() == tables[1].tolist()
    np.testing.assert_allclose(tables[2], tables[0], rtol=1e-9)


def test_doses_by_surface_and_by_mouth(pk, tmp_path):
    out = tmp_path / "pk.csv"
    code, *_ = pk(
        "oxaliplatin",
        "--regimen",
        "85 mg/m2 iv over 2 h q2w",
        "--weight",
        80,
        "--height",
        180,
        "--days",
        1,
        "--out",
        out,
    )
    assert code == 0
    header, rows = read(out)
    assert "deep_mg" in header
    assert rows[-1, 1:5].sum() == pytest.approx(85.0 * 2.0, rel=1e-9)  # Mosteller: sqrt(80 x 180/3600) = 2 m2
    assert (
        pk("abiraterone", "--regimen", "1000 mg po daily", "--days", 2, "--every", 0.5, "--out", out)[0] == 0
    )
    assert read(out)[0][1:3] == ["depot_mg", "central_mg"]


def test_drugs_are_listed_and_described(pk):
    code, said, _ = pk()
    assert code == 0
    assert [line.split()[0] for line in said.strip().splitlines()] == library_drugs()
    code, said, _ = pk("oxaliplatin")
    assert code == 0
    assert "10.1007/s00280-025-04808-2" in said
    assert "deep_volume" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nivolumub", "--regimen", ORDER], "unknown drug 'nivolumub'; did you mean 'nivolumab'"),
        (["nivolumab", "--regimen", "240 mg iv over 60 mn q2w x 13"], "unknown unit of time 'mn'"),
        (["nivolumab", "--regimen", "240 mg po q2w"], "unknown route 'po'"),
        (["nivolumab", "--regimen", ORDER, "--covariate", "wieght=70"], "did you mean 'weight'"),
        (["nivolumab", "--regimen", ORDER, "--covariate", "weight"], "NAME=VALUE"),
        (["nivolumab", "--regimen", ORDER, "--covariate", "sex=f"], "unknown sex 'f'"),
        (["nivolumab", "--regimen", ORDER, "--every", "0"], "--every must be above 0"),
        (["nivolumab", "--regimen", ORDER, "--days", "nan"], "--every must be above 0"),
        (["nivolumab", "--regimen", ORDER, "--days", "1e15"], "at most 36,500"),
        (["nivolumab", "--regimen", ORDER, "--every", "1e-12"], "at most 1,000,000"),
        (["nivolumab", "--regimen", ORDER, "--patients", "1000000000"], "at most 1,000,000"),
        (["nivolumab", "--regimen", "1e8 cells iv once"], "nivolumab is dosed in mg"),
        (["nivolumab", "--regimen", "240 units iv once"], "nivolumab is dosed in mg"),
        (["car_t", "--regimen", "240 mg iv once"], "is dosed in cells"),
        (["nivolumab", "--regimen", ORDER, "--covariate", "weight=70cm"], "weight: wrong dimension"),
        (["nivolumab", "--regimen", ORDER, "--out", "/"], "is a folder"),
        (["nivolumab", "--regimen", ORDER, "--out", ""], "is a folder"),
        (["nivolumab", "--regimen", ORDER, "--out", "x" * 300], "300 bytes is too long"),
        (["nivolumab", "--regimen", ORDER, "--days", "1", "--out", "/nowhere/pk.csv"], "cannot be written"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(pk, monkeypatch, tmp_path, words, says):
    monkeypatch.chdir(tmp_path)
    code, said, told = pk(*words)
    assert code == 2
    assert said == ""
    assert says in told
    assert "Traceback" not in told
    assert not list(tmp_path.iterdir())
