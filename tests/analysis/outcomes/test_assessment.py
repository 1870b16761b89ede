"""What a clinic finds: schedule, errors, new lesions and immune cells, against closed forms."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

from oncolattice.abm.cells.draws import mix as engine_mix
from oncolattice.abm.errors import InputError
from oncolattice.analysis.luck import keys_of, mix, normals, uniforms
from oncolattice.analysis.outcomes.assessment import (
    Clinic,
    assess,
    imaged_volume_cm3,
    new_lesions,
    scanned_mm,
    visit_days,
)
from oncolattice.analysis.outcomes.table import outcome, outcome_rows
from oncolattice.tests.helpers.synthetic import START_CM3, run

START_MM = 10.0 * (6.0 * START_CM3 / math.pi) ** (1 / 3)  # 16.2 mm


def bare(slope=0.004, days=336.0, patient="p001", **given):
    return replace(run(days=days, slope=slope, step=1.0, sites=8, snapshot_days=(), **given), patient=patient)


def alone(record):
    """The same run without a body: nobody dies of it."""
    return replace(record, body={}, weights={})


def test_the_hash_is_the_engines():
    for z in (0, 1, 2**40 + 17, 2**64 - 1):
        assert int(mix(np.array([z], dtype=np.uint64))[0]) == int(engine_mix(np.uint64(z)))


def test_draws_are_uniform_and_normal_and_depend_on_what_they_should():
    # 20,000 draws each; false alarm 1e-6
    keys = np.arange(2000, dtype=np.uint64)
    flat, bell = uniforms(keys, 7, np.arange(10)), normals(keys, 7, np.arange(10))
    assert kstest(flat.ravel(), "uniform").pvalue > 1e-6
    assert kstest(bell.ravel(), "norm").pvalue > 1e-6
    assert abs(np.corrcoef(bell[:, 0], bell[:, 1])[0, 1]) < 5 / math.sqrt(2000)
    assert not np.isin(uniforms(keys, 8, np.arange(10)), flat).any()
    assert np.array_equal(uniforms(keys[5:6], 7, np.arange(3, 4)), flat[5:6, 3:4])


def test_keys_belong_to_patient_and_seed():
    a, b, c = bare(), replace(bare(), arm="TAS-102"), replace(bare(), seed=2)
    keys = keys_of([a, b, c])
    assert keys[0] == keys[1] != keys[2]


def test_schedule():
    record = bare(days=120.0)
    assert visit_days(record, Clinic()).tolist() == [0, 56, 112]
    assert visit_days(record, Clinic(every_days=42.0, first_day=28.0)).tolist() == [0, 28, 70, 112]
    assert visit_days(bare(days=20.0), Clinic()).tolist() == [0]


@pytest.mark.parametrize(
    ("criterion", "day"),
    [
        # V = V0 exp(.004 t): +20 % on day 45.6
        ("qcic_tri", 56.0),
        # +20 % of 16.2 mm is 3.2 mm, so 5 mm decide: d grows by .308 on day ln(1.3084^3) / .004 = 201.6
        ("recist11", 224.0),
    ],
)
def test_criteria_of_one_growing_lesion(criterion, day):
    (found,) = assess([bare()], Clinic(criterion))
    assert (found.progressed, found.first_with, found.last_without) == (True, day, day - 56.0)


def test_the_absolute_growth_matters_less_with_more_lesions():
    # 5 lesions share V0: sum 5 (V0 / 5)^(1/3) = 2.92 x 16.2 = 47.4 mm; now 20 % (9.5 mm) decides, day 136.7
    (found,) = assess([bare()], Clinic("recist11", lesions=5))
    assert found.size[0] == pytest.approx(5 * START_MM / 5 ** (1 / 3), rel=1e-9)
    assert found.first_with == 168.0


def test_a_small_lesion_is_read_as_5_mm():
    (found,) = assess([bare(slope=-0.05)], Clinic("recist11"))
    assert found.size[-1] == 5.0
    assert found.best == "PR"
    (gone,) = assess([bare(slope=-0.05)], Clinic("recist11", gone_below_mm=2.0))
    assert gone.size[-1] == 0.0
    assert gone.best == "CR"


def test_errors_are_right_on_average_and_have_their_cv():
    # 4,000 patients, 8 %: mean within 4.5 standard errors, CV within 6 % of itself (false alarm below 1e-5)
    keys, clinic = np.arange(4000, dtype=np.uint64), Clinic(error_cv=0.08)
    found = np.array(
        [scanned_mm(np.array([1.0]), np.array([56.0]), clinic, keys[k : k + 1])[0, 0] for k in range(4000)]
    )
    true = 10.0 * (6.0 / math.pi) ** (1 / 3)
    assert abs(found.mean() / true - 1.0) < 4.5 * 0.08 / math.sqrt(4000)
    assert found.std(ddof=1) / found.mean() == pytest.approx(0.08, rel=0.06)


def test_an_error_belongs_to_patient_and_day_not_to_arm_or_schedule():
    dense, sparse = Clinic("recist11", 28.0, error_cv=0.1), Clinic("recist11", 56.0, error_cv=0.1)
    (a,), (b,) = assess([bare(0.0)], dense), assess([replace(bare(0.0), arm="TAS-102")], sparse)
    assert a.size[:5:2].tolist() == b.size[:3].tolist()
    assert len(set(a.size.tolist())) == a.size.size


def test_new_lesions_come_at_their_hazard():
    # .01 a day: 57.1 % of 3,000 patients have one by day 84; |z| < 4.5
    clinic = Clinic("recist11", new_lesions_per_day=0.01, new_lesions_source="assumed")
    record, days = bare(0.0), np.array([0.0, 84.0])
    number = np.array(
        [new_lesions(record, days, clinic, np.array([k], dtype=np.uint64)) for k in range(3000)]
    )
    assert (number[:, 0] == 0).all()
    chance = -math.expm1(-0.84)
    assert abs((number[:, 1] > 0).sum() - 3000 * chance) < 4.5 * math.sqrt(3000 * chance * (1 - chance))


def test_the_hazard_of_new_lesions_may_follow_the_volume():
    clinic = Clinic("recist11", new_lesions_per_day=0.01, new_lesions_power=1.0, new_lesions_source="assumed")
    record, days = bare(0.01), np.array([0.0, 84.0])
    number = np.array(
        [new_lesions(record, days, clinic, np.array([k], dtype=np.uint64))[1] for k in range(3000)]
    )
    chance = -math.expm1(-math.expm1(0.84))  # the integral of .01 exp(.01 t)
    assert abs((number > 0).sum() - 3000 * chance) < 4.5 * math.sqrt(3000 * chance * (1 - chance))


def test_immune_influx_is_pseudo_progression():
    # as many immune as tumour cells of the body on day 56: the imaged volume doubles, then they leave
    record = bare(-0.002, days=168.0)
    tumour, ctl = record.counts_of("tumour"), record.count.copy()
    ctl[:, 5:] = 0
    ctl[56:84, 5] = tumour[56:84]
    record = replace(record, count=ctl, weights=dict.fromkeys((t.name for t in record.types), 100.0))
    assert imaged_volume_cm3(record, True)[60] == pytest.approx(2 * record.tumour_volume_cm3[60], rel=1e-12)
    clinic = Clinic("irecist", immune=True, lesions=3)
    assert assess([record], clinic)[0].responses == ("iUPD", "iSD", "iSD")
    assert assess([record], replace(clinic, immune=False))[0].responses == ("iSD", "iSD", "iSD")
    assert assess([record], replace(clinic, criterion="recist11"))[0].responses == ("PD",)


def test_a_row_by_recist_says_so_and_keeps_the_interval():
    row = outcome(alone(bare()), Clinic("recist11"))
    assert (row["criterion"], row["best_response"]) == ("recist11", "SD")
    assert (row["ttp_after_days"], row["ttp_by_days"], row["ttp_days"], row["ttp_event"]) == (
        168,
        224,
        224,
        1,
    )
    assert row["class_week8"] == "PD"  # of volume, which is another criterion with a name of its own
    assert row["sld_start_mm"] == pytest.approx(START_MM, rel=1e-9)


def test_response_lasts_from_its_first_visit_to_progression():
    record = bare()
    shape = np.interp(record.time_days, [0, 50, 170, 336], [1.0, 0.3, 0.3, 3.0])
    row = outcome(replace(record, tumour_volume_cm3=START_CM3 * shape), Clinic("recist11"))
    # 10.85 mm, .669 of the baseline, from day 56; 15.85 mm is V / V0 = .937, on day 170 + .637 x 166 / 2.7 = 209
    assert (row["best_response"], row["response_days"], row["dor_days"], row["dor_event"]) == (
        "PR",
        56,
        168,
        1,
    )
    assert row["depth"] == pytest.approx(0.3 ** (1 / 3) - 1, rel=1e-9)
    assert row["ets_week8"] == 1.0


def test_progression_free_survival_ends_with_death_too():
    # TRI .9 within 56 d never seen at a visit, but ln(V/V0) reaches 1.6, where half die in a day
    row = outcome(bare(slope=0.04, days=55.0))
    assert (row["ttp_event"], row["pfs_event"], row["os_event"]) == (0, 1, 1)
    assert row["pfs_days"] == row["os_days"]
    assert 30.0 < row["os_days"] < 50.0


def test_more_visits_than_a_patient_can_have_are_refused():
    with pytest.raises(InputError, match=r"visits every 1e-09 days are 3.36e\+11 in a run of 336 days"):
        assess([bare()], Clinic(every_days=1e-9))
    assert visit_days(bare(), Clinic(every_days=0.5)).size == 673


def test_growth_of_a_row_is_a_third_of_that_of_the_volume():
    rows = outcome_rows([bare(0.006, patient=f"p{k}") for k in range(3)])
    assert [row["growth_per_day"] for row in rows] == pytest.approx([0.002] * 3, rel=0.01)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"criterion": "recist"}, "unknown criterion 'recist'; did you mean 'irecist'"),
        ({"every_days": 0.0}, "every_days must be above 0"),
        ({"error_cv": -0.1}, "error_cv must be 0 or more"),
        ({"error_cv": 1e200}, "error_cv must be 0 to 1"),
        ({"every_days": math.inf}, "every_days must be above 0"),
        ({"first_day": math.nan}, "first_day must be 0 or more"),
        ({"new_lesions_power": -1.0}, "new_lesions_power must be 0 to 10"),
        ({"lesions": 6}, "lesions must be 1 to 5"),
        ({"new_lesions_per_day": 0.01, "new_lesions_source": "assumed"}, "qcic_tri knows no new lesions"),
        ({"criterion": "recist11", "new_lesions_per_day": 0.01}, "needs new_lesions_source"),
    ],
)
def test_a_clinic_that_cannot_be_is_refused(given, words):
    with pytest.raises(InputError, match=words):
        Clinic(**given)
