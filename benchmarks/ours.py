"""The work as this package does it: each function prepares data and returns what is timed.

What is timed returns its results, or a function that works them out afterwards.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import SEED, make_patients
from outcomes.cox import fit_cox, fit_fine_gray, fit_prepared, prepare_cox
from outcomes.curves import aalen_johansen

Result = dict[str, float]
Work = Callable[[], Result | Callable[[], Result]]
BOOTSTRAPS = 200
MONTHS = (6.0, 12.0, 24.0)
ENDPOINTS = ("overall-survival", "local-control")


def cox(n: int, round_to: float | None = None) -> Work:
    """Fit a Cox model to continuous times."""
    patients = make_patients(n, round_to=round_to)
    event = patients.code > 0

    def run() -> Result:
        fit = fit_cox(patients.covariates, patients.time, event)
        return {"coefficient": float(fit.coefficients[0]), "se": float(fit.standard_errors[0])}

    return run


def cox_rounded(n: int) -> Work:
    """Fit a Cox model to times rounded to a tenth of a month."""
    return cox(n, 0.1)


def cox_bootstrap(n: int) -> Work:
    """Fit 200 bootstrap samples, sorted once and weighted by how often each patient is drawn."""
    patients = make_patients(n)
    generator = np.random.default_rng(1)

    def run() -> Result:
        data = prepare_cox(patients.covariates, patients.time, patients.code > 0)
        first = fit_prepared(data).coefficients
        found = []
        for _ in range(BOOTSTRAPS):
            drawn = np.bincount(generator.integers(0, n, n), minlength=n).astype(np.float64)
            fit = fit_prepared(data, weights=drawn, initial=first)
            found.append(fit.coefficients[0])
        return {"bootstrap_se": float(np.std(found, ddof=1))}

    return run


def forest(n: int) -> Work:
    """Grow a forest of 100 trees; scores on 2,000 new patients, and the size of its file."""
    import sksurv.ensemble  # noqa: F401 - what is timed does not include its import

    from outcomes.models import ForestModel, save_model

    train, test = forest_split(n)
    names = [name for name in train.columns if name.startswith("x")]
    model = ForestModel(covariates=names, n_estimators=100, random_state=1, n_jobs=1)

    def run() -> Callable[[], Result]:
        model.fit(train)

        def results() -> Result:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "forest"
                save_model(model, path)
                megabytes = os.path.getsize(path) / 1e6
            months = np.linspace(2, 25, 24)
            return {"file_mb": megabytes} | forest_scores(
                train, test, model.predict(test), model.predict_survival(test, months), months
            )

        return results

    return run


def forest_split(n: int) -> tuple[Any, Any]:
    """Return training and test patients, with the columns of overall survival."""
    table = make_patients(n + 2000).table
    table = table.rename(columns={"time": "os_months", "event": "death"}).drop(columns="code")
    return table.iloc[:n].reset_index(drop=True), table.iloc[n:].reset_index(drop=True)


def forest_scores(train: Any, test: Any, risk: Any, survival: Any, months: Any) -> Result:
    """Return concordance and integrated Brier score as scikit-survival has them."""
    from sksurv.metrics import concordance_index_censored, integrated_brier_score
    from sksurv.util import Surv

    seen, new = (
        Surv.from_arrays(part["death"].to_numpy() == 1, part["os_months"].to_numpy())
        for part in (train, test)
    )
    c = concordance_index_censored(new["event"], new["time"], risk)[0]
    return {"c": float(c), "ibs": float(integrated_brier_score(seen, new, survival, months))}


def harrell(n: int) -> Work:
    """Count concordant pairs, with the standard error."""
    from outcomes.models.concordance import harrell_concordance

    patients = make_patients(n)
    event = (patients.code > 0).astype(np.int64)
    score = patients.covariates @ np.linspace(1, 0, patients.covariates.shape[1])

    def run() -> Result:
        found = harrell_concordance(patients.time, event, score)
        return {"c": found.value, "se": found.standard_error}

    return run


def uno(n: int) -> Work:
    """Weigh concordant pairs for censoring, with the standard error, up to month 20."""
    from outcomes.models.concordance import uno_concordance

    patients = make_patients(n)
    event = (patients.code > 0).astype(np.int64)
    score = patients.covariates @ np.linspace(1, 0, patients.covariates.shape[1])

    def run() -> Result:
        found = uno_concordance(patients.time, event, score, horizon=20.0)
        return {"c": found.value}

    return run


def ladder(n: int, methods: tuple[str, ...] | None = None) -> Work:
    """Compare both endpoints of a simulated registry by every method, 200 bootstraps."""
    from outcomes.comparison import Options, compare

    cohort = registry(n)
    options = Options(bootstraps=BOOTSTRAPS, methods=methods)

    def run() -> Result:
        found = {}
        for endpoint in ENDPOINTS:
            comparison = compare(cohort, endpoint=endpoint, horizons=MONTHS[1:], options=options)
            found[endpoint] = next(
                rung.value
                for rung in comparison.rungs
                if (rung.method, rung.estimand) == ("iptw", "risk_difference")
                and rung.horizon_months == MONTHS[1]
                and rung.value is not None
            )
        return found

    return run


def weighting(n: int) -> Work:
    """Compare both endpoints by inverse probability weights alone, 200 bootstraps."""
    return ladder(n, ("iptw",))


def registry(n: int) -> Any:
    """Return a simulated registry of patients who were chosen for SBRT or not."""
    from outcomes.synthetic import simulate

    return simulate("liu-2020", n, np.random.default_rng(SEED))


def incidence(n: int) -> Work:
    """Estimate cumulative incidences with intervals at every event time."""
    patients = make_patients(n)

    def run() -> Result:
        curve = aalen_johansen(patients.time, patients.code, causes=(1, 2))
        lower, _ = curve.interval(1)
        return {"at_12": float(curve.incidence_at(1, [12.0])[0]), "lower": float(lower[-1])}

    return run


def fine_gray(n: int) -> Work:
    """Fit a Fine-Gray model, with its sandwich covariance."""
    patients = make_patients(n)

    def run() -> Result:
        fit = fit_fine_gray(patients.covariates, patients.time, patients.code)
        return {"coefficient": float(fit.coefficients[0]), "se": float(fit.standard_errors[0])}

    return run
