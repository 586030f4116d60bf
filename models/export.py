"""What a web page needs to predict for a patient without this package.

The data are plain numbers: the coding of the inputs, the coefficients, the baseline hazards of
each series month by month, and draws of both for the interval. The baselines are the coarse ones
of a model file (see `outcomes.models.coarsening`), so a page gives back no patient.
`evaluate_calculator` is the reference for the page's script, which has to give the same numbers.

A prediction is made in these steps, for the estimates and for every draw alike:

1. design: each term's value from the inputs (see `Term.kind` in `outcomes.models.design`);
2. for each cause, relative hazard = exp(sum of coefficient * (value - center));
3. in each series, cumulative hazards = relative hazard * baseline; node by node, the event-free
   probability falls by exp(-(h1 + h2)), and the loss is shared between the causes as h1 : h2;
4. the average over the series, continued past a series' end by those that go on (see
   `outcomes.models.series`); or one series up to its end;
5. limits: the standard deviation of log(-log(1 - risk)) over the draws, times 1.96, around the
   estimate on that scale; but never narrower than the limits of the few events that the estimate
   rests on, with one event more in the upper one (see `event_limits`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from outcomes.arrays import FloatArray
from outcomes.endpoints import get_endpoint
from outcomes.errors import ModelError
from outcomes.models.coarsening import coarsen_fit
from outcomes.models.columns import Covariate, label_of
from outcomes.models.competing import cumulative_incidences
from outcomes.models.cox import CoxModel
from outcomes.models.cox_interval import draw_parameters
from outcomes.models.design import Design
from outcomes.models.few_events import one_more, wider_limits
from outcomes.models.inputs import read_response
from outcomes.models.series import SeriesSet, average_incidences

MONTHS = tuple(range(37))
FEWEST_AT_RISK = 10
_DIGITS = 6


def calculator_data(
    model: CoxModel,
    months: Sequence[float] = MONTHS,
    n_draws: int = 100,
    seed: int = 0,
    cohort: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Return everything a page needs to compute a patient's curve and its interval.

    Parameters
    ----------
    model
        A fitted Cox model.
    months
        Increasing months from 0; those beyond what any series supports are left out.
    n_draws
        Draws of the parameters for the interval.
    seed
        Seed of the draws.
    cohort
        The training patients: a series is then shown for as long as enough of them were followed
        (see `supported_until`).

    Returns
    -------
    dict of plain data for JSON
        ``endpoint``, ``title``, ``complement_title``, ``notes``;
        ``months``: the months of the curve; ``nodes``: these and the series' ends, at which the
        baselines are given; ``fewest_at_risk``: patients that a month shown needs;
        ``inputs``: name, label, kind (``number``, ``boolean`` or ``choice``), min, max, step,
        choices, default; ``requires`` names the boolean input without which a choice is "none",
        ``fixed`` is the only value the model knows;
        ``terms``: name, label, covariate, kind, level, center, scale;
        ``series``: name, weight, end (the last index of ``nodes`` it reaches), until (the last
        month it is shown for: see `supported_until`), one_more (what one event more would add to
        its cumulative hazard of the event of interest, at the baseline);
        ``causes``: event, title, coefficients, center, and baselines (by series, the cumulative
        hazard by node);
        ``draws``: for each draw and cause, coefficients and baselines.

    Raises
    ------
    ModelError
        If the model is no fitted Cox model, has curved or multiplied columns or SBRT as it comes,
        or the months are not usable.
    """
    if not isinstance(model, CoxModel) or not hasattr(model, "fits_"):
        raise ModelError("the calculator needs a fitted CoxModel")
    other = [term.name for term in model.design_.terms if term.kind in ("curve", "product")]
    if other or model.time_dependent:
        raise ModelError(
            f"the calculator has no {', '.join(other) or 'SBRT as it comes'}; allowed: a model "
            "without splines, interactions and time_dependent"
        )
    grid = np.asarray(months, dtype=np.float64)
    if grid.ndim != 1 or not len(grid) or grid[0] != 0 or (np.diff(grid) <= 0).any():
        raise ModelError("months: allowed are increasing months from 0")
    until = supported_until(model, cohort)
    shown = grid[grid <= max(until)]
    ends_at = np.asarray(model.series_.ends)
    grid = np.union1d(shown, ends_at[ends_at <= shown[-1]])
    endpoint = get_endpoint(model.endpoint)
    positions = range(len(model.series_.names))
    fits = [coarsen_fit(fit, model.series_) for fit in model.fits_.values()]
    draws = draw_parameters(fits, positions, n_draws, np.random.default_rng(seed))
    ends = [int(np.flatnonzero(grid <= end)[-1]) for end in model.series_.ends]
    return {
        "endpoint": endpoint.name,
        "title": endpoint.title,
        "complement_title": endpoint.complement_title,
        "notes": list(model.notes_),
        "months": shown.tolist(),
        "nodes": grid.tolist(),
        "fewest_at_risk": FEWEST_AT_RISK,
        "inputs": _inputs(model.design_),
        "terms": [
            {
                "name": term.name,
                "label": term.label,
                "covariate": term.covariate,
                "kind": term.kind,
                "level": term.level,
                "center": term.center,
                "scale": term.scale,
            }
            for term in model.design_.terms
        ],
        "series": [
            {
                "name": name,
                "weight": _round(float(weight)),
                "end": ends[p],
                "until": until[p],
                "one_more": _round(one_more(b.times, b.increments, b.deaths)),
            }
            for p, (name, weight, b) in enumerate(
                zip(model.series_.names, model.series_.weights, fits[0].baselines, strict=True)
            )
        ],
        "causes": [
            {
                "event": code,
                "title": endpoint.events[code],
                "coefficients": _rounded(fit.coefficients),
                "center": _rounded(fit.center),
                "baselines": [
                    _rounded(baseline.cumulative(grid[: ends[p] + 1]))
                    for p, baseline in enumerate(fit.baselines)
                ],
            }
            for code, fit in zip(model.fits_, fits, strict=True)
        ],
        "draws": [
            [
                {
                    "coefficients": _rounded(beta),
                    "baselines": [
                        _rounded(fit.baselines[p].cumulative(grid[: ends[p] + 1], steps[p]))
                        for p in positions
                    ],
                }
                for fit, (beta, steps) in zip(fits, draw, strict=True)
            ]
            for draw in draws
        ],
    }


def evaluate_calculator(
    data: Mapping[str, Any],
    patient: Mapping[str, Any],
    series: str | None = None,
    level: float = 0.95,
) -> dict[str, list[float]]:
    """Return a patient's curve and limits as the page computes them.

    Parameters
    ----------
    data
        As `calculator_data` returns.
    patient
        A value for each input, by name.
    series
        Name of a series, or None for the average.
    level
        Coverage of the limits.

    Returns
    -------
    dict
        ``months``; ``survival`` (probability that the event of interest has not happened),
        ``lower`` and ``upper``; ``competing`` (probability that a competing event came first).
    """
    names = [item["name"] for item in data["series"]]
    if series is not None and series not in names:
        raise ModelError(f"unknown series {series!r}; allowed: {', '.join(names)}")
    complete = _complete(data, patient)
    values = np.array([_term_value(term, complete) for term in data["terms"]])
    estimates = [
        {"coefficients": cause["coefficients"], "baselines": cause["baselines"]}
        for cause in data["causes"]
    ]
    risk, *competing = _risks(data, estimates, values, series)
    drawn = np.array([_risks(data, draw, values, series)[0] for draw in data["draws"]])
    with np.errstate(divide="ignore"):
        scale = np.log(-np.log1p(-np.minimum(drawn, 1 - 1e-16)))
    known = np.isfinite(scale).all(axis=0)
    error = np.where(known, np.where(known, scale, 0.0).std(axis=0, ddof=1), 0.0)
    averaged = [item for item in data["series"] if series in (None, item["name"])]
    added = _relative(data, estimates, values)[0] * max(
        item["one_more"] * (1.0 if series else item["weight"]) for item in averaged
    )
    months = np.asarray(data["nodes"])[: len(risk)]
    lower, upper = wider_limits(risk, error, added * (months > 0), float(ndtri(0.5 + level / 2)))
    shown = np.isin(months, data["months"]) & (months <= max(item["until"] for item in averaged))
    return {
        "months": months[shown].tolist(),
        "survival": (1.0 - risk)[shown].tolist(),
        "lower": lower[shown].tolist(),
        "upper": upper[shown].tolist(),
        "competing": sum(competing, np.zeros(len(risk)))[shown].tolist(),
    }


def supported_until(model: CoxModel, cohort: pd.DataFrame | None) -> list[int]:
    """Return, by series, the last whole month at which enough of its patients were followed.

    At least `FEWEST_AT_RISK` of the cohort without any event (of a smaller series: one); without
    a cohort, the end of follow-up.
    """
    ends = [int(end + 1e-9) for end in model.series_.ends]
    if cohort is None:
        return ends
    time, _ = read_response(get_endpoint(model.endpoint), cohort)
    if len(model.series_.names) == 1:
        groups = np.full(len(time), model.series_.names[0], dtype=object)
    else:
        groups = cohort[str(model.strata)].astype(str).to_numpy(dtype=object)
    until = []
    for name, end in zip(model.series_.names, ends, strict=True):
        own = np.sort(time[groups == name])
        last = own[-FEWEST_AT_RISK] if len(own) >= FEWEST_AT_RISK else own.max(initial=0.0)
        until.append(min(int(last + 1e-9), end))
    return until


def _relative(
    data: Mapping[str, Any], parameters: Sequence[Mapping[str, Any]], values: FloatArray
) -> list[float]:
    """Return the relative hazard of each cause."""
    return [
        float(np.exp(np.dot(part["coefficients"], values - np.asarray(cause["center"]))))
        for part, cause in zip(parameters, data["causes"], strict=True)
    ]


def _risks(
    data: Mapping[str, Any],
    parameters: Sequence[Mapping[str, Any]],
    values: FloatArray,
    series: str | None,
) -> FloatArray:
    """Return the incidence of each cause by node, shape (n_causes, n_nodes)."""
    months = np.asarray(data["nodes"])
    relative = _relative(data, parameters, values)
    curves = []
    for position, item in enumerate(data["series"]):
        grid = months[: item["end"] + 1]
        hazards = [
            scale * np.asarray(part["baselines"][position])[None, :]
            for scale, part in zip(relative, parameters, strict=True)
        ]
        curve = cumulative_incidences(hazards, grid, np.minimum(months, grid[-1]))
        if item["name"] == series:
            return np.asarray(curve[:, 0, : len(grid)])
        curves.append(curve)
    weights = tuple(item["weight"] for item in data["series"])
    ends = tuple(float(months[item["end"]]) for item in data["series"])
    averaged = average_incidences(curves, months, SeriesSet(("",) * len(ends), weights, ends))
    return np.asarray(averaged[:, 0])


def _term_value(term: Mapping[str, Any], patient: Mapping[str, Any]) -> float:
    if term["kind"] == "absent":
        return 0.0
    value = patient[term["covariate"]]
    if term["kind"] == "number":
        return float((value - term["center"]) / term["scale"])
    if term["kind"] == "below":
        return float(value < term["center"])
    if term["kind"] == "level":
        return float(value == term["level"])
    return float(value)


def _inputs(design: Design) -> list[dict[str, Any]]:
    """Describe the inputs; the calculator is for patients who have a separation procedure."""
    inputs = [_input(covariate) for covariate in design.covariates]
    treated = any(item["name"] == "sbrt" for item in inputs)
    for item in inputs:
        if item["name"] == "sbrt" and design.fixed_sbrt is not None:
            item["fixed"] = design.fixed_sbrt
        if item["name"] == "dose_regimen" and treated:
            item["choices"] = [c for c in item["choices"] if c["value"] != "none"]
            item["requires"] = "sbrt"
    return inputs


def _input(covariate: Covariate) -> dict[str, Any]:
    item: dict[str, Any] = {"name": covariate.name, "label": covariate.label}
    if covariate.kind == "boolean":
        return {**item, "kind": "boolean", "default": covariate.most_frequent == "true"}
    if covariate.kind == "category":
        choices = [{"value": level, "label": label_of(level)} for level in covariate.levels]
        return {**item, "kind": "choice", "choices": choices, "default": covariate.most_frequent}
    step = {"kps": 10.0, "separation_mm": 0.5}.get(covariate.name)
    if step is None:
        step = float(10.0 ** np.floor(np.log10(max(covariate.high - covariate.low, 1e-9) / 20)))
    low = float(np.floor(covariate.low / step) * step)
    high = float(np.ceil(covariate.high / step) * step)
    default = low + round((covariate.typical - low) / step) * step
    return {
        **item,
        "kind": "number",
        "min": _round(low),
        "max": _round(high),
        "step": _round(step),
        "default": _round(default),
    }


def _rounded(values: FloatArray) -> list[float]:
    return [_round(float(value)) for value in values]


def _round(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def patient_frame(data: Mapping[str, Any], patient: Mapping[str, Any]) -> pd.DataFrame:
    """Return a calculator's patient as a one-row table that the model itself can predict."""
    return pd.DataFrame([_complete(data, patient)])


def _complete(data: Mapping[str, Any], patient: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value for every input; a choice that requires another input is else "none"."""
    values = {}
    for item in data["inputs"]:
        applies = "requires" not in item or patient[item["requires"]]
        values[item["name"]] = patient[item["name"]] if applies else "none"
    return values
