"""What a model file holds of a Cox model.

The baseline hazards are given in steps of at least five events at times that are no patient's own,
so that no patient can be read from the file (see `outcomes.models.coarsening`).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from outcomes.models.coarse_files import coarse_difference, read_difference
from outcomes.models.coarsening import coarsen_fit
from outcomes.models.cox import CoxModel
from outcomes.models.proportional_hazards import Baseline, CauseFit

_CAUSE_ARRAYS = ("coefficients", "covariance", "center", "p_values")
_BASELINE_ARRAYS = ("times", "increments", "deaths", "means")
# Of a robust fit only.
_ROBUST_ARRAYS = ("robust_variances", "robust_covariances")


def cox_arrays(model: CoxModel) -> dict[str, Any]:
    """Return the arrays of a fitted model, by name."""
    arrays: dict[str, Any] = {}
    for code, fit in model.fits_.items():
        for name in _CAUSE_ARRAYS:
            arrays[f"cause.{code}.{name}"] = getattr(fit, name).astype("<f8")
        coarse = coarsen_fit(fit, model.series_).baselines
        for position, baseline in enumerate(coarse):
            for name in _BASELINE_ARRAYS + _ROBUST_ARRAYS:
                values = getattr(baseline, name)
                if values is not None:
                    arrays[f"cause.{code}.{position}.{name}"] = values.astype("<f8")
    return arrays


def cox_manifest(model: CoxModel) -> dict[str, Any]:
    """Return what the manifest holds beside the arrays."""
    difference = model.coarse_difference_
    if difference is None:
        coarse = {code: coarsen_fit(fit, model.series_) for code, fit in model.fits_.items()}
        difference = coarse_difference(model, coarse, model._training)
    return {
        "coarse_difference": difference,
        "log_likelihood": {
            str(code): None if math.isnan(fit.log_likelihood) else fit.log_likelihood
            for code, fit in model.fits_.items()
        },
        "notes": {str(code): fit.note for code, fit in model.fits_.items()},
        "confined": list(model.confined_),
        "proportional_hazards_test": [
            {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
            for row in model.proportional_hazards_test().to_dict("records")
        ],
    }


def restore_cox(model: CoxModel, manifest: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Give a model what its file holds.

    Raises
    ------
    ValueError, KeyError
        If that is no sound model.
    """
    model.confined_ = tuple(map(str, manifest["confined"]))
    model.coarse_difference_ = read_difference(manifest["coarse_difference"])
    model._test = pd.DataFrame(
        manifest["proportional_hazards_test"], columns=["event", "covariate", "statistic", "p"]
    ).astype({"statistic": float, "p": float})
    model.fits_, model._engine = {}, {}
    p = len(model.design_.terms)
    changing = model.changing_columns() if model.time_dependent else None
    for code in model.causes:
        baselines = []
        for position in range(len(model.series_.names)):
            prefix = f"cause.{code}.{position}."
            stored = {name: arrays[prefix + name] for name in _BASELINE_ARRAYS}
            stored |= {n: arrays[prefix + n] for n in _ROBUST_ARRAYS if prefix + n in arrays}
            baselines.append(_checked_baseline(Baseline(**stored, straight=True), p))
        coefficients, covariance, center, p_values = (
            arrays[f"cause.{code}.{name}"] for name in _CAUSE_ARRAYS
        )
        if coefficients.shape != (p,) or covariance.shape != (p, p) or center.shape != (p,):
            raise ValueError("coefficients and design do not fit")
        if p_values.shape != (p,) or (np.diag(covariance) < 0).any():
            raise ValueError("errors and tests of the coefficients are not sound")
        likelihood = manifest["log_likelihood"][str(code)]
        model.fits_[code] = CauseFit(
            coefficients,
            covariance,
            center,
            tuple(baselines),
            p_values,
            math.nan if likelihood is None else float(likelihood),
            str(manifest["notes"][str(code)]),
            changing,
        )


def _checked_baseline(baseline: Baseline, p: int) -> Baseline:
    n = len(baseline.times)
    shapes = (baseline.increments.shape, baseline.deaths.shape, baseline.means.shape)
    if (
        shapes != ((n,), (n,), (n, p))
        or (np.diff(baseline.times, prepend=0.0) <= 0).any()
        or (baseline.increments < 0).any()
        or (baseline.deaths <= 0).any()
        or baseline.variances.shape != (n,)
        or baseline.covariances.shape != (n, p)
    ):
        raise ValueError("a baseline is not sound")
    return baseline
