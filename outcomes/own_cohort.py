"""The comparison for a cohort of one's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from outcomes import files, provenance
from outcomes.comparison import (
    DEFAULT_ADJUSTMENT,
    Comparison,
    DoseResponse,
    Options,
    compare,
    dose_response,
    save_comparisons,
)
from outcomes.comparison.splitting import Split
from outcomes.endpoints import LOCAL_CONTROL, OVERALL_SURVIVAL
from outcomes.errors import CohortError, Violation
from outcomes.reports import StudyResults, page_data, render_page
from outcomes.schema import Cohort, validate_cohort

COMPARED = (OVERALL_SURVIVAL, LOCAL_CONTROL)


def usable_endpoints(
    cohort: pd.DataFrame, wanted: Sequence[str] | None, *, source: str
) -> tuple[str, ...]:
    """Return the endpoints to compare: those wanted, or those whose columns are there.

    Raises
    ------
    CohortError
        If a wanted endpoint's column is missing or incomplete, or there is no endpoint at all.
    """
    present = tuple(e.name for e in COMPARED if set(e.columns) <= set(cohort.columns))
    chosen = tuple(wanted) if wanted else present
    if not chosen:
        violations = tuple(
            Violation(column, None, None, f"needed for {OVERALL_SURVIVAL.name}")
            for column in OVERALL_SURVIVAL.columns
        )
        raise CohortError(violations, source)
    validate_cohort(cohort, endpoints=chosen, source=source)
    return chosen


def compare_cohort(
    cohort: Cohort,
    *,
    endpoints: Sequence[str],
    treatment: str,
    horizons: Sequence[float],
    covariates: Sequence[str] | None,
    source: str,
    options: Options | None = None,
    split_by: Split | None = None,
) -> StudyResults:
    """Compare the arms of a cohort and return what the report shows.

    Parameters
    ----------
    cohort
        Validated patients. Simulated ones are called so; no truth is shown.
    endpoints
        Names of endpoints.
    treatment
        Column of two values.
    horizons
        Months since surgery.
    covariates
        Adjusting columns; by default the usual ones the cohort has.
    source
        What the page calls the cohort.
    options, split_by
        As `compare`.

    Raises
    ------
    CohortError
        If the cohort cannot be split into two arms by the treatment.
    """
    comparisons: Mapping[str, Comparison] = {
        name: compare(
            cohort,
            endpoint=name,
            treatment=treatment,
            horizons=tuple(horizons),
            covariates=covariates,
            options=options,
            split_by=split_by,
        )
        for name in endpoints
    }
    origin: dict[str, Any] = {
        **provenance.collect().to_dict(),
        **cohort.provenance,
        "source": source,
    }
    return StudyResults(
        cohort=cohort,
        provenance=origin,
        synthetic=bool(cohort.provenance.get("synthetic", False)),
        comparisons=comparisons,
    )


def write_comparison(results: StudyResults, folder: Path) -> None:
    """Write a comparison into a folder.

    The page ``comparison.html``, the numbers as `save_comparisons` writes them, and everything
    the page shows, ``page.json``.
    """
    page = render_page("comparison", results)
    save_comparisons(results.comparisons.values(), folder)
    files.write_json(folder / "page.json", page_data("comparison", results))
    files.write_text(folder / "comparison.html", page)


def write_dose_responses(
    cohort: Cohort,
    folder: Path,
    *,
    endpoints: Sequence[str],
    column: str,
    horizons: Sequence[float],
    reference: float,
    covariates: Sequence[str] | None,
    bootstraps: int,
    seed: int,
    jobs: int,
) -> tuple[DoseResponse, ...]:
    """Return the risks by dose, and write ``dose-response.csv`` and ``dose-response.json``.

    Parameters
    ----------
    cohort, endpoints, horizons
        As `compare_cohort`.
    folder
        Where to.
    column, reference
        The dose and the value that others are compared with.
    covariates
        Adjusting columns; by default those of `DEFAULT_ADJUSTMENT` that vary.
    bootstraps, seed, jobs
        As `dose_response`.
    """
    if covariates is None:
        present = [name for name in DEFAULT_ADJUSTMENT if name in cohort.columns]
        complete = cohort[present].dropna(axis="columns")
        varies = (complete != complete.iloc[0]).any()
        covariates = [name for name in present if name in complete and bool(varies[name])]
    found = tuple(
        dose_response(
            cohort,
            column,
            endpoint=endpoint,
            horizon=float(horizon),
            reference=reference,
            covariates=covariates,
            bootstraps=bootstraps,
            seed=seed,
            jobs=jobs,
        )
        for endpoint in endpoints
        for horizon in horizons
    )
    table = pd.concat([one.to_frame() for one in found])
    files.write_json(folder / "dose-response.json", table.to_dict("records"))
    files.write_text(folder / "dose-response.csv", table.to_csv(index=False, lineterminator="\n"))
    return found
