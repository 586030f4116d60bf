"""A Cox model handed to lifelines."""

import numpy as np
import pytest

from outcomes.errors import ModelError
from outcomes.models import CoxModel, as_lifelines

PAIR = ["kps", "neurologic_deficit"]


@pytest.mark.parametrize("options", [{}, {"penalizer": 0.1}, {"robust": True}, {"strata": None}])
def test_lifelines_has_the_same_estimates(cohort, options):
    model = CoxModel(covariates=PAIR, **options).fit(cohort)
    other = as_lifelines(model, cohort)
    summary = model.summary_
    np.testing.assert_allclose(other.params_, summary["log_hr"], rtol=1e-9)
    np.testing.assert_allclose(other.standard_errors_, summary["se"], rtol=1e-7)
    assert list(other.params_.index) == PAIR


def test_what_lifelines_does_not_have_is_refused(cohort):
    model = CoxModel(covariates=PAIR, ties="breslow").fit(cohort)
    with pytest.raises(ModelError, match="Efron's ties"):
        as_lifelines(model, cohort)
    model = CoxModel(covariates=PAIR).fit(cohort)
    with pytest.raises(ModelError, match="the cohort that the model was fitted to"):
        as_lifelines(model, cohort[:-1])
    with pytest.raises(ModelError, match="event 2: no fit"):
        as_lifelines(model, cohort, event=2)
