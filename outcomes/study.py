"""The main job: from the published figures to the reports."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from outcomes import files, provenance
from outcomes.comparison import (
    COMPARISON_FILES,
    GRACE_MONTHS,
    LANDMARK_MONTHS,
    Comparison,
    compare,
    save_comparisons,
)
from outcomes.endpoints import LOCAL_CONTROL, OVERALL_SURVIVAL, Endpoint
from outcomes.evidence import Evidence, evidence_hash, load_evidence
from outcomes.evidence import to_dict as evidence_to_dict
from outcomes.models import (
    CoxModel,
    ForestModel,
    ModelComparison,
    calculator_data,
    compare_models,
    partial_dependence,
    permutation_importance,
    save_model,
)
from outcomes.models.contrasts import regimen_effects
from outcomes.reports import ModelResult, StudyResults, page_data, write_report
from outcomes.schema import Cohort, write_cohort
from outcomes.synthetic import (
    Calibration,
    calibrate,
    shipped_calibration,
    simulate,
    simulate_pooled,
    treatment_truth,
    true_risk,
)

DEFAULT_PATIENTS = 2_000
# Of how many patients the predictions are averaged while one feature is set, and at which month.
DEPENDENCE_PATIENTS = 300
DEPENDENCE_MONTH = 12.0
DEPENDENCE_VALUES = {
    "kps": tuple(range(40, 101, 10)),
    "separation_mm": tuple(0.5 * k for k in range(2, 13)),
}
HORIZONS = (3.0, 6.0, 12.0, 24.0)
COMPARED_STUDY = "liu-2020"
COMPARED_HORIZONS = (12.0, 24.0)
ENDPOINTS = (OVERALL_SURVIVAL, LOCAL_CONTROL)
KINDS = ("cox", "forest")

Model = CoxModel | ForestModel
Progress = Callable[[str], None]

FILES = (
    ("cohort.parquet", "the training cohort: operated patients of the five series"),
    ("comparison-cohort.parquet", "the cohort of the comparison: Liu's series"),
    ("evidence.json", "the published figures and the assumptions"),
    ("calibration.json", "published and achieved figures, and the parameters"),
    ("metrics.json", "performance of every model, out of sample and against the truth"),
    ("model-comparison.json", "the models and no model side by side, with paired differences"),
    *COMPARISON_FILES,
    ("provenance.json", "seed, versions, hash of the evidence"),
    ("pages/", "everything the pages show: sentences, tables, coordinates of the charts"),
    ("models/", "the fitted models, for the command outcomes predict"),
)


@dataclass(frozen=True, eq=False)
class _Fitted:
    """A fitted model and what the reports show of it."""

    model: Model
    shown: ModelResult


def run(
    out: str | Path,
    *,
    n: int = DEFAULT_PATIENTS,
    seed: int = 0,
    replace: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Calibrate, simulate, fit, evaluate, compare and report.

    Parameters
    ----------
    out
        Folder to make; it appears once everything is in it.
    n
        Patients of the training cohort, and of the cohort of the comparison.
    seed
        Seed; the same seed and versions give the same bytes.
    replace
        Whether an existing folder may be replaced.
    progress
        Called with a few words before each step.

    Returns
    -------
    Path
        The first page.

    Raises
    ------
    OutcomesError
        If the folder cannot be made or n is too small.
    """
    report = progress or (lambda _: None)
    with files.new_folder(out, replace=replace) as folder:
        evidence = load_evidence()
        report("Calibrating to the published figures")
        calibration = with_shipped(calibrate(evidence))
        report("Drawing the cohorts")
        seeds = np.random.SeedSequence(seed).generate_state(3).tolist()
        pooled_seed, compared_seed, unseen_seed = seeds
        cohort = simulate_pooled(n, pooled_seed, calibration=calibration)
        unseen = simulate_pooled(n, unseen_seed, calibration=calibration)
        compared = simulate(COMPARED_STUDY, n, compared_seed, calibration=calibration)
        fitted = {
            (endpoint.name, kind): fit_model(
                cohort, unseen, endpoint, kind, seed=seed, progress=report
            )
            for endpoint in ENDPOINTS
            for kind in KINDS
        }
        models = {
            endpoint.name: evaluate_models(
                cohort, endpoint, seed=seed, calibration=calibration, progress=report
            )
            for endpoint in ENDPOINTS
        }
        report("Comparing surgery alone with surgery + SBRT")
        comparisons = {
            endpoint.name: compare(
                compared,
                endpoint=endpoint,
                horizons=COMPARED_HORIZONS,
                truth=treatment_truth(
                    calibration,
                    COMPARED_STUDY,
                    endpoint,
                    COMPARED_HORIZONS,
                    landmark=LANDMARK_MONTHS,
                    grace=GRACE_MONTHS,
                ),
            )
            for endpoint in ENDPOINTS
        }
        report("Writing the reports")
        origin = provenance.collect(
            seed=seed,
            evidence_hash=evidence_hash(evidence),
            command=f"outcomes run --n {n} --seed {seed}",
        ).to_dict()
        origin["patients"] = n
        _write_data(
            folder / "data",
            evidence,
            calibration,
            cohort,
            compared,
            fitted,
            models,
            comparisons,
            origin,
        )
        results = StudyResults(
            cohort=cohort,
            provenance=origin,
            evidence=evidence,
            calibration=calibration,
            comparison_cohort=compared,
            comparison_note=(
                f"{n:,} synthetic patients in the design of Liu 2020: SBRT by choice, more often "
                "in fitter patients, and only for those alive two to four weeks after surgery"
            ),
            models={key: one.shown for key, one in fitted.items()},
            evaluations=tuple(
                models[endpoint.name].evaluations[kind] for endpoint in ENDPOINTS for kind in KINDS
            ),
            model_comparisons=models,
            comparisons=comparisons,
            calculator={
                endpoint.name: calculator_data(
                    _cox(fitted[endpoint.name, "cox"].model), seed=seed, cohort=cohort
                )
                for endpoint in ENDPOINTS
            },
            dependence={
                endpoint.name: dependence_curves(
                    {kind: fitted[endpoint.name, kind].model for kind in KINDS},
                    unseen,
                    endpoint,
                    calibration,
                )
                for endpoint in ENDPOINTS
            },
            files=FILES,
        )
        for page in write_report(results, folder):
            numbers = page_data(page.stem, results)
            files.write_json(folder / "data" / "pages" / f"{page.stem}.json", numbers)
    return Path(out) / "index.html"


def with_shipped(calibration: Calibration) -> Calibration:
    """Return a fresh calibration with the ensemble and verification that come with the package.

    They take minutes to compute. For other evidence than the shipped one they would say nothing;
    the calibration is then returned as it is. A shipped file that was solved for earlier evidence
    is read without them.
    """
    shipped = shipped_calibration()
    if evidence_hash(shipped.evidence) != evidence_hash(calibration.evidence):
        return calibration
    return dataclasses.replace(
        calibration, ensemble=shipped.ensemble, verification=shipped.verification
    )


def _cox(model: Model) -> CoxModel:
    if not isinstance(model, CoxModel):
        raise TypeError(f"a Cox model is needed, not {type(model).__name__}")
    return model


def make_model(endpoint: Endpoint, kind: str, seed: int) -> Model:
    """Return an unfitted model of a kind, ``cox`` or ``forest``."""
    if kind == "cox":
        return CoxModel(endpoint=endpoint.name)
    # Half of the features at each split: with their square root the predictions vary too little
    # (calibration slope 1.3 to 1.5 over fresh cohorts, against 1.0 to 1.1).
    return ForestModel(endpoint=endpoint.name, max_features=0.5, random_state=seed, n_jobs=2)


def fit_model(
    cohort: pd.DataFrame,
    unseen: pd.DataFrame,
    endpoint: Endpoint,
    kind: str,
    *,
    seed: int,
    progress: Progress,
) -> _Fitted:
    """Fit a model to the whole cohort.

    Permutation importance is taken from `unseen` patients of the same population.
    """
    name = {"cox": "Cox model", "forest": "forest"}[kind]
    progress(f"Fitting: {name}, {endpoint.title.lower()}")
    model = make_model(endpoint, kind, seed).fit(cohort)
    codes = cohort[endpoint.event_column]
    is_cox = isinstance(model, CoxModel)
    shown = ModelResult(
        endpoint=endpoint.name,
        kind="cox" if is_cox else "forest",
        n=len(cohort),
        events=int((codes == 1).sum()),
        series="the average of the five series, weighted by their size",
        coefficients=model.summary_ if is_cox else None,
        regimens=regimen_effects(model) if is_cox else None,
        proportional_hazards=model.proportional_hazards_test() if is_cox else None,
        importance=permutation_importance(model, unseen, random_state=seed).to_frame(),
    )
    return _Fitted(model, shown)


def dependence_curves(
    models: Mapping[str, Model],
    unseen: pd.DataFrame,
    endpoint: Endpoint,
    calibration: Calibration,
) -> pd.DataFrame:
    """Return the mean prediction, and the mean truth, by the value of one feature.

    Each patient is predicted in the own series. Columns: covariate, value, month, patients, model
    (``truth`` for the truth), survival (probability that the event has not happened).
    """
    table = unseen[unseen["separation_mm"].notna()]
    table = table[:: max(1, len(table) // DEPENDENCE_PATIENTS)].reset_index(drop=True)
    series = table["study"].astype(str).tolist()
    month = [DEPENDENCE_MONTH]
    rows = []
    for covariate, values in DEPENDENCE_VALUES.items():
        curves = {
            kind: partial_dependence(
                model, table, covariate, month, values=values, series=series
            ).survival[:, 0]
            for kind, model in models.items()
        }
        curves["truth"] = np.array(
            [
                1.0 - true_risk(table.assign(**{covariate: v}), endpoint, month, calibration).mean()
                for v in values
            ]
        )
        rows += [
            {
                "covariate": covariate,
                "value": float(value),
                "month": DEPENDENCE_MONTH,
                "patients": len(table),
                "model": name,
                "survival": float(survival),
            }
            for name, curve in curves.items()
            for value, survival in zip(values, curve, strict=True)
        ]
    return pd.DataFrame(rows)


def evaluate_models(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    *,
    seed: int,
    calibration: Calibration,
    progress: Progress,
) -> ModelComparison:
    """Cross-validate the models of an endpoint, and the null model, on the same folds."""
    progress(f"Evaluating the models: {endpoint.title.lower()}")
    return compare_models(
        {kind: make_model(endpoint, kind, seed) for kind in KINDS},
        cohort,
        horizons=HORIZONS,
        truth=true_risk(cohort, endpoint, HORIZONS, calibration),
        random_state=seed,
    )


def _write_data(
    folder: Path,
    evidence: Evidence,
    calibration: Calibration,
    cohort: Cohort,
    compared: Cohort,
    fitted: Mapping[tuple[str, str], _Fitted],
    evaluated: Mapping[str, ModelComparison],
    comparisons: Mapping[str, Comparison],
    origin: Mapping[str, Any],
) -> None:
    models = folder / "models"
    models.mkdir(parents=True)
    write_cohort(cohort, folder / "cohort.parquet")
    write_cohort(compared, folder / "comparison-cohort.parquet")
    files.write_json(folder / "evidence.json", evidence_to_dict(evidence))
    files.write_json(folder / "calibration.json", calibration.to_dict())
    for (endpoint, kind), one in fitted.items():
        save_model(one.model, models / f"{endpoint}-{kind}.model", origin)
    metrics = {
        endpoint: {kind: result.evaluations[kind].to_dict() for kind in KINDS}
        for endpoint, result in evaluated.items()
    }
    files.write_json(folder / "metrics.json", metrics)
    side_by_side = {
        endpoint: {
            "table": _records(result.table),
            "differences": _records(result.differences),
        }
        for endpoint, result in evaluated.items()
    }
    files.write_json(folder / "model-comparison.json", side_by_side)
    save_comparisons(comparisons.values(), folder)
    files.write_json(folder / "provenance.json", origin)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as plain data; a number that does not exist is None."""
    return [
        {str(key): None if pd.isna(value) else value for key, value in row.items()}
        for row in table.to_dict("records")
    ]
