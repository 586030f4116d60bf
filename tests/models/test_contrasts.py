"""Each dose regimen against no SBRT."""

import numpy as np
import pytest

from outcomes.models import CoxModel
from outcomes.models.contrasts import regimen_effects


@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
def test_a_model_coded_against_no_sbrt_finds_the_same(cohort, endpoint):
    model = CoxModel(endpoint).fit(cohort)
    found = regimen_effects(model)
    # The same model without `sbrt`: every regimen is then a level beside "none".
    others = [c.name for c in model.design_.covariates if c.name not in ("sbrt", "dose_regimen")]
    flags = {level: cohort["dose_regimen"] == level for level in set(cohort["dose_regimen"])}
    coded = cohort.assign(**{f"flag_{k}": v for k, v in flags.items() if k != "none"})
    plain = CoxModel(
        endpoint, covariates=[*others, *(f"flag_{k}" for k in flags if k != "none")]
    ).fit(coded)
    expected = plain.summary_.set_index(["event", "covariate"])
    for row in found.to_dict("records"):
        other = expected.loc[(row["event"], f"flag_{row['covariate'].partition('=')[2]}")]
        for name in ("hr", "lower", "upper", "p"):
            np.testing.assert_allclose(row[name], other[name], rtol=1e-5, atol=1e-8)
    assert len(found) == 3 * len(model.fits_)


def test_without_nested_regimens_there_is_none(cohort):
    assert regimen_effects(CoxModel(covariates=["kps", "sbrt"]).fit(cohort)) is None
