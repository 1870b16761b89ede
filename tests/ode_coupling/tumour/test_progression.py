"""Times to progression of the two-type tumour: 36 published integers, roots in continuous time, closed forms."""

import math

import pytest

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.tumour.catalogue import tumour_model
from oncolattice.ode_coupling.tumour.progression import adaptive, always, never, time_to_progression

# 10.1158/0008-5472.CAN-20-0806: starting size -> per resistant share: days continuous, days adaptive, cycles
SHARES = (0.1, 0.01, 0.001)
PUBLISHED = {
    0.25: ((106, 106, 0), (207, 210, 1), (296, 315, 2)),
    0.35: ((120, 120, 0), (224, 235, 1), (314, 350, 2)),
    0.45: ((139, 139, 0), (246, 266, 1), (335, 394, 2)),
    0.55: ((166, 166, 0), (273, 309, 1), (361, 452, 2)),
    0.65: ((206, 206, 0), (310, 371, 1), (397, 535, 2)),
    0.75: ((278, 278, 0), (369, 473, 1), (452, 663, 2)),
}


def strobl(size, share, **parameters):
    start = {"sensitive": size * (1 - share), "resistant": size * share}
    return tumour_model("lotka_volterra", parameters, start)


@pytest.mark.parametrize("size", PUBLISHED)
def test_published_times_to_progression(size):
    for share, (continuous, intermittent, cycles) in zip(SHARES, PUBLISHED[size], strict=True):
        model = strobl(size, share)
        mtd, at50 = time_to_progression(model), time_to_progression(model, adaptive())
        assert (mtd.visit_days, mtd.cycles) == (continuous, 0)
        assert (at50.visit_days, at50.cycles) == (intermittent, cycles)
        assert continuous - 1 < mtd.time_days <= continuous
        assert mtd.treated_days == continuous
        # the rule treats on a smaller share of the days, unless it never came to a pause
        assert (at50.treated_days < at50.visit_days) == (cycles > 0)


def test_published_times_with_turnover_and_without():
    """Half full, 1 % resistant: 258 and 285 d; with turnover 0.3: 397 and 591 d (10.1038/s43856-022-00110-x)."""
    for turnover, days in ((0.0, (258, 285)), (0.3, (397, 591))):
        model = strobl(0.5, 0.01, turnover=turnover)
        found = tuple(time_to_progression(model, rule).visit_days for rule in (always, adaptive()))
        assert found == days


@pytest.mark.parametrize(
    ("size", "share", "root"), [(0.25, 0.1, 105.45), (0.25, 0.01, 206.63), (0.75, 0.001, 451.60)]
)
def test_roots_in_continuous_time(size, share, root):
    found = time_to_progression(strobl(size, share)).time_days
    assert found == pytest.approx(root, abs=0.005)
    # the crossing does not depend on the visits that find it
    assert time_to_progression(strobl(size, share), every_days=7.0).time_days == pytest.approx(
        found, abs=1e-6
    )


def test_exponential_tumour_crosses_when_the_logarithm_says():
    model = tumour_model("exponential", {"r": 0.03, "d": 0.01})
    found = time_to_progression(model, never, above=2.0)
    assert found.time_days == pytest.approx(math.log(2.0) / 0.02, abs=1e-6)
    assert found.visit_days == math.ceil(math.log(2.0) / 0.02)
    assert found.treated_days == 0.0


def test_a_controlled_tumour_does_not_progress():
    found = time_to_progression(tumour_model("log_kill"), always, until_days=400.0)
    assert found.time_days == found.visit_days == math.inf
    assert found.treated_days == 400.0


def test_adaptive_abiraterone_holds_the_resistant_type_down():
    """T- cells fill 90 % of their capacity later under AT50 by PSA than under continuous treatment."""
    model = tumour_model("three_types")
    found = [
        time_to_progression(
            model, rule, 9e3, every_days=28.0, until_days=20000.0, observe="T_minus", source="PSA"
        )
        for rule in (always, adaptive())
    ]
    assert found[0].cycles == 0 < found[1].cycles
    assert found[0].time_days < found[1].time_days


def test_bad_input():
    model = tumour_model("exponential")
    with pytest.raises(InputError, match="every_days"):
        time_to_progression(model, every_days=0.0)
    with pytest.raises(InputError, match="off_below"):
        adaptive(1.0, 0.5)
    with pytest.raises(InputError, match="no tumour"):
        time_to_progression(tumour_model("exponential", None, {"tumour": 0.0}))
