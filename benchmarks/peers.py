"""The same work as other Python packages do it; see `benchmarks.ours` for the form."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.data import make_patients
from benchmarks.ours import (
    BOOTSTRAPS,
    ENDPOINTS,
    MONTHS,
    Result,
    Work,
    forest_scores,
    forest_split,
    registry,
)
from outcomes.arrays import FloatArray, IntArray


def lifelines_cox(n: int, round_to: float | None = None) -> Work:
    """CoxPHFitter."""
    from lifelines import CoxPHFitter

    table = make_patients(n, round_to=round_to).table.drop(columns="code")

    def run() -> Result:
        fit = CoxPHFitter().fit(table, "time", "event")
        return {
            "coefficient": float(fit.params_.iloc[0]),
            "se": float(fit.standard_errors_.iloc[0]),
        }

    return run


def lifelines_cox_rounded(n: int) -> Work:
    """CoxPHFitter on rounded times."""
    return lifelines_cox(n, 0.1)


def lifelines_bootstrap(n: int) -> Work:
    """CoxPHFitter on 200 samples drawn with replacement."""
    from lifelines import CoxPHFitter

    table = make_patients(n).table.drop(columns="code")
    generator = np.random.default_rng(1)

    def run() -> Result:
        found = []
        for _ in range(BOOTSTRAPS):
            sample = table.iloc[generator.integers(0, n, n)]
            found.append(CoxPHFitter().fit(sample, "time", "event").params_.iloc[0])
        return {"bootstrap_se": float(np.std(found, ddof=1))}

    return run


def lifelines_weighting(n: int) -> Work:
    """LogisticRegression and weighted curves on all patients and 200 samples, both endpoints.

    The covariates are the columns that our own weights rest on.
    """
    from lifelines import AalenJohansenFitter, KaplanMeierFitter
    from sklearn.linear_model import LogisticRegression

    from outcomes.causal.subjects import Subjects
    from outcomes.comparison.setting import make_setting
    from outcomes.comparison.subjects import make_subjects
    from outcomes.endpoints import get_endpoint

    def arrays(endpoint: str) -> Subjects:
        asked = (get_endpoint(endpoint), "sbrt", MONTHS[1:], None, None)
        return make_subjects(make_setting(registry(n), *asked)).subjects

    given = {endpoint: arrays(endpoint) for endpoint in ENDPOINTS}
    generator = np.random.default_rng(1)

    def risks(time: FloatArray, codes: IntArray, weights: FloatArray) -> FloatArray:
        if (codes > 1).any():
            fit = AalenJohansenFitter(calculate_variance=False).fit(time, codes, 1, weights=weights)
            return np.asarray(fit.predict(MONTHS[1:]))
        return 1 - np.asarray(
            KaplanMeierFitter().fit(time, codes, weights=weights).predict(MONTHS[1:])
        )

    def differences(patients: Subjects, rows: IntArray) -> FloatArray:
        treated, columns = patients.treated[rows], patients.columns[rows]
        columns = (columns - columns.mean(axis=0)) / columns.std(axis=0)
        model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1_000).fit(columns, treated)
        chance = model.predict_proba(columns)[:, 1]
        arms = [
            risks(patients.time[rows[arm]], patients.codes[rows[arm]], 1 / likely[arm])
            for arm, likely in ((treated, chance), (~treated, 1 - chance))
        ]
        return arms[0] - arms[1]

    def run() -> Result:
        found = {}
        for endpoint, patients in given.items():
            everyone = np.arange(patients.n)
            samples = (generator.integers(0, patients.n, patients.n) for _ in range(BOOTSTRAPS))
            np.std([differences(patients, rows) for rows in samples], axis=0, ddof=1)
            found[endpoint] = float(differences(patients, everyone)[0])
        return found

    return run


def sksurv_cox(n: int) -> Work:
    """CoxPHSurvivalAnalysis, Efron's ties."""
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.util import Surv

    patients = make_patients(n)
    response = Surv.from_arrays(patients.code > 0, patients.time)

    def run() -> Result:
        fit = CoxPHSurvivalAnalysis(ties="efron").fit(patients.covariates, response)
        return {"coefficient": float(fit.coef_[0])}

    return run


def sksurv_forest(n: int) -> Work:
    """RandomSurvivalForest as it comes, leaves of 15."""
    from sksurv.ensemble import RandomSurvivalForest
    from sksurv.util import Surv

    train, test = forest_split(n)
    names = [name for name in train.columns if name.startswith("x")]
    response = Surv.from_dataframe("death", "os_months", train.assign(death=train["death"] == 1))
    forest = RandomSurvivalForest(n_estimators=100, min_samples_leaf=15, random_state=1, n_jobs=1)

    def run() -> Callable[[], Result]:
        forest.fit(train[names].to_numpy(), response)

        def results() -> Result:
            months = np.linspace(2, 25, 24)
            x, rows = test[names].to_numpy(), []
            for start in range(0, len(x), 100):
                curves = forest.predict_survival_function(x[start : start + 100])
                rows.append(np.array([curve(months) for curve in curves]))
            risk = np.concatenate(
                [forest.predict(x[start : start + 100]) for start in range(0, len(x), 100)]
            )
            return forest_scores(train, test, risk, np.concatenate(rows), months)

        return results

    return run


def sksurv_harrell(n: int) -> Work:
    """concordance_index_censored."""
    from sksurv.metrics import concordance_index_censored

    patients = make_patients(n)
    score = patients.covariates @ np.linspace(1, 0, patients.covariates.shape[1])

    def run() -> Result:
        found = concordance_index_censored(patients.code > 0, patients.time, score)
        return {"c": float(found[0])}

    return run


def sksurv_uno(n: int) -> Work:
    """concordance_index_ipcw."""
    from sksurv.metrics import concordance_index_ipcw
    from sksurv.util import Surv

    patients = make_patients(n)
    response = Surv.from_arrays(patients.code > 0, patients.time)
    score = patients.covariates @ np.linspace(1, 0, patients.covariates.shape[1])

    def run() -> Result:
        found = concordance_index_ipcw(response, response, score, tau=20.0)
        return {"c": float(found[0])}

    return run


def lifelines_incidence(n: int) -> Work:
    """AalenJohansenFitter with variances."""
    from lifelines import AalenJohansenFitter

    patients = make_patients(n)

    def run() -> Result:
        fit = AalenJohansenFitter(calculate_variance=True).fit(
            pd.Series(patients.time), pd.Series(patients.code), event_of_interest=1
        )
        return {"at_12": float(fit.predict(12.0))}

    return run
