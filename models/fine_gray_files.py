"""What a model file holds of a Fine-Gray model.

As of a Cox model, the baselines are given in steps of at least five events at times that are no
patient's own, so that no patient can be read from the file (see `outcomes.models.coarsening`).
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from outcomes.arrays import FloatArray
from outcomes.cox.subdistribution_fit import FineGrayFit, SubdistributionBaseline
from outcomes.models.coarse_files import coarse_difference, read_difference
from outcomes.models.coarsening import FEWEST_EVENTS, MOST_STEPS, group_events, round_digits
from outcomes.models.fine_gray import FineGrayModel
from outcomes.models.series import SeriesSet

_ARRAYS = ("coefficients", "covariance", "information", "center")
_BASELINE_ARRAYS = ("times", "events", "hazard", "moments", "variance", "covariance")
_NUMBERS = (
    "log_likelihood",
    "log_likelihood_null",
    "score_statistic",
    "n",
    "n_events",
    "n_competing",
    "iterations",
)
_PER_MONTH = 10
_DIGITS, _DIGITS_OF_FEW = 4, 2


def coarsen_subdistribution(
    baseline: SubdistributionBaseline, end: float
) -> SubdistributionBaseline:
    """Return a baseline in at most `MOST_STEPS` straight lines of at least five events each.

    At the end of each line the running sums are the exact ones to four digits. A series with
    fewer events gets one line from 0 to its end, with the hazard to two digits.
    """
    if baseline.straight or not len(baseline.times):
        return replace(baseline, straight=True)
    end = max(end, 1 / _PER_MONTH)
    total = float(baseline.events.sum())
    if total < FEWEST_EVENTS:
        return SubdistributionBaseline(
            times=np.array([end]),
            events=np.array([total]),
            hazard=round_digits(baseline.hazard[-1:], _DIGITS_OF_FEW),
            moments=np.zeros_like(baseline.moments[-1:]),
            variance=round_digits(baseline.variance[-1:], _DIGITS_OF_FEW),
            covariance=np.zeros_like(baseline.covariance[-1:]),
            straight=True,
        )
    # Moved up, so that a line holds exactly the events until its end.
    tenths = np.maximum(np.ceil(np.round(baseline.times * _PER_MONTH, 6)), 1)
    moved = np.minimum(tenths / _PER_MONTH, end)
    _, first = np.unique(moved, return_index=True)
    counts = np.add.reduceat(baseline.events, first)
    starts = first[group_events(counts, max(FEWEST_EVENTS, int(np.ceil(total / MOST_STEPS))))]
    last = np.append(starts[1:], len(moved)) - 1
    return SubdistributionBaseline(
        times=moved[last],
        events=np.add.reduceat(baseline.events, starts),
        hazard=round_digits(baseline.hazard[last], _DIGITS),
        moments=round_digits(baseline.moments[last], _DIGITS),
        variance=round_digits(baseline.variance[last], _DIGITS),
        covariance=round_digits(baseline.covariance[last], _DIGITS),
        straight=True,
    )


def _coarsen_fit(fit: FineGrayFit, series: SeriesSet) -> FineGrayFit:
    pairs = zip(fit.baselines, series.ends, strict=True)
    return replace(fit, baselines=tuple(coarsen_subdistribution(b, end) for b, end in pairs))


def fine_gray_arrays(model: FineGrayModel) -> dict[str, Any]:
    """Return the arrays of a fitted model, by name."""
    arrays: dict[str, Any] = {}
    for code, fit in model.fits_.items():
        for name in _ARRAYS:
            arrays[f"cause.{code}.{name}"] = getattr(fit, name).astype("<f8")
        for position, baseline in enumerate(_coarsen_fit(fit, model.series_).baselines):
            for name in _BASELINE_ARRAYS:
                arrays[f"cause.{code}.{position}.{name}"] = getattr(baseline, name).astype("<f8")
    return arrays


def fine_gray_manifest(model: FineGrayModel) -> dict[str, Any]:
    """Return what the manifest holds beside the arrays."""
    difference = model.coarse_difference_
    if difference is None:
        coarse = {code: _coarsen_fit(fit, model.series_) for code, fit in model.fits_.items()}
        difference = coarse_difference(model, coarse, model._training[0])
    return {
        "coarse_difference": difference,
        "fits": {
            str(code): {name: _known(getattr(fit, name)) for name in _NUMBERS}
            for code, fit in model.fits_.items()
        },
        "proportional_hazards_test": [
            {name: _known(value) for name, value in row.items()}
            for row in model.proportional_hazards_test().to_dict("records")
        ],
    }


def _known(value: Any) -> Any:
    """Return a value, None for NaN, which JSON has not."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def restore_fine_gray(
    model: FineGrayModel, manifest: Mapping[str, Any], arrays: Mapping[str, Any]
) -> None:
    """Give a model what its file holds.

    Raises
    ------
    ValueError, KeyError
        If that is no sound model.
    """
    model.coarse_difference_ = read_difference(manifest["coarse_difference"])
    model._test = pd.DataFrame(
        manifest["proportional_hazards_test"], columns=["event", "covariate", "statistic", "p"]
    )
    expected = len(model.causes) * (len(_ARRAYS) + len(_BASELINE_ARRAYS) * len(model.series_.names))
    if len(arrays) != expected:
        raise ValueError("baselines and series do not fit")
    model.fits_ = {
        code: _restore_fit(
            model.design_.names,
            model.series_,
            manifest["fits"][str(code)],
            {name: a for name, a in arrays.items() if name.startswith(f"cause.{code}.")},
            f"cause.{code}.",
        )
        for code in model.causes
    }


def _restore_fit(
    names: tuple[str, ...],
    series: SeriesSet,
    numbers: Mapping[str, Any],
    arrays: Mapping[str, Any],
    prefix: str,
) -> FineGrayFit:
    p = len(names)
    parts: dict[str, FloatArray] = {name: arrays[prefix + name] for name in _ARRAYS}
    shapes = {name: part.shape for name, part in parts.items()}
    if shapes != dict(zip(_ARRAYS, ((p,), (p, p), (p, p), (p,)), strict=True)):
        raise ValueError("coefficients and design do not fit")
    if (np.diag(parts["covariance"]) < 0).any():
        raise ValueError("errors of the coefficients are not sound")
    baselines = []
    for position in range(len(series.names)):
        stored = {name: arrays[f"{prefix}{position}.{name}"] for name in _BASELINE_ARRAYS}
        n = len(stored["times"])
        wide = {"moments", "covariance"}
        if any(a.shape != ((n, p) if k in wide else (n,)) for k, a in stored.items()):
            raise ValueError("a baseline is not sound")
        if any((np.diff(stored[k], prepend=0.0) < 0).any() for k in ("times", "hazard")) or (
            (stored["variance"] < 0).any() or (np.diff(stored["times"]) <= 0).any()
        ):
            raise ValueError("a baseline is not sound")
        baselines.append(SubdistributionBaseline(**stored, straight=True))
    return FineGrayFit(
        names=names,
        coefficients=parts["coefficients"],
        covariance=parts["covariance"],
        information=parts["information"],
        center=parts["center"],
        baselines=tuple(baselines),
        strata=tuple(range(len(series.names))),
        log_likelihood=float(numbers["log_likelihood"]),
        log_likelihood_null=float(numbers["log_likelihood_null"]),
        score_statistic=_number(numbers["score_statistic"]),
        n=int(numbers["n"]),
        n_events=int(numbers["n_events"]),
        n_competing=int(numbers["n_competing"]),
        iterations=int(numbers["iterations"]),
        residual_times=np.empty(0),
        residuals=np.empty((0, p)),
    )
