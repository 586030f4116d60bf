"""The true effect of SBRT in a series that chose whom to treat."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import brentq

from outcomes.arrays import FloatArray
from outcomes.endpoints import LOCAL_CONTROL, OVERALL_SURVIVAL, Endpoint, get_endpoint
from outcomes.errors import OutcomesError
from outcomes.synthetic.calibration import Calibration
from outcomes.synthetic.follow_up import FollowUp
from outcomes.synthetic.population import (
    ArmExpectation,
    series_follow_up,
    strategy_arms,
    strategy_cells,
    time_grid,
)
from outcomes.synthetic.series import Series


def treatment_truth(
    calibration: Calibration,
    study: str,
    endpoint: str | Endpoint,
    horizons: Sequence[float],
) -> dict[str, float]:
    """Return the true contrasts of SBRT against surgery alone in the patients of a series.

    Both strategies are assigned at surgery to everyone: SBRT in the series' usual weeks if alive
    then, or never. Differences are treated minus control; risk is death, or local progression
    with death competing, by the horizon.

    Parameters
    ----------
    calibration
        Parameters.
    study
        A series that treated by choice.
    endpoint
        Overall survival or local control.
    horizons
        Months since surgery.

    Returns
    -------
    dict
        ``risk_treated@12``, ``risk_control@12``, ``risk_difference@12``, ``risk_ratio@12``,
        ``number_needed_to_treat@12``; for overall survival ``restricted_mean_treated@12``,
        ``…_control@12``, ``…_difference@12`` (months alive), for local control
        ``restricted_mean_time_lost_…`` (months lost to progression); and ``hazard_ratio``, the
        limit of a Cox model stratified on prognosis in a randomised trial with this follow-up.

    Raises
    ------
    OutcomesError
        If the series gave SBRT to all, or for another endpoint.
    """
    wanted = get_endpoint(endpoint)
    series = calibration.series_of(study)
    if not series.selected:
        raise OutcomesError(f"{study}: everyone had SBRT; allowed: a series with both arms")
    if wanted not in (OVERALL_SURVIVAL, LOCAL_CONTROL):
        raise OutcomesError(f"no truth for {wanted.name}; allowed: overall-survival, local-control")
    values, effects, evidence = calibration.values(study), calibration.effects, calibration.evidence
    grid = np.unique(np.concatenate([time_grid(series), np.asarray(horizons, dtype=np.float64)]))
    arms = strategy_arms(series, values, effects, evidence, grid, who="everyone")
    control, treated = (_risk(arms[arm.name], wanted) for arm in series.arms)
    found: dict[str, float] = {}
    for horizon in horizons:
        found |= _at_horizon(grid, treated, control, float(horizon), wanted)
    found["hazard_ratio"] = randomised_hazard_ratio(calibration, series, wanted, grid)
    return found


def _risk(arm: ArmExpectation, endpoint: Endpoint) -> FloatArray:
    return 1 - arm.alive if endpoint is OVERALL_SURVIVAL else arm.progressed


def _at_horizon(
    grid: FloatArray,
    treated: FloatArray,
    control: FloatArray,
    horizon: float,
    endpoint: Endpoint,
) -> Mapping[str, float]:
    inside = grid <= horizon
    risks = {name: float(curve[inside][-1]) for name, curve in _arms(treated, control)}
    areas = {
        name: float(np.trapezoid(curve[inside], grid[inside]))
        for name, curve in _arms(treated, control)
    }
    mean = "restricted_mean_time_lost"
    if endpoint is OVERALL_SURVIVAL:
        mean, areas = "restricted_mean", {name: horizon - area for name, area in areas.items()}
    difference = risks["treated"] - risks["control"]
    found = {
        "risk_treated": risks["treated"],
        "risk_control": risks["control"],
        "risk_difference": difference,
        "risk_ratio": risks["treated"] / risks["control"],
        "number_needed_to_treat": -1 / difference,
        f"{mean}_treated": areas["treated"],
        f"{mean}_control": areas["control"],
        f"{mean}_difference": areas["treated"] - areas["control"],
    }
    return {f"{name}@{horizon:g}": value for name, value in found.items()}


def _arms(treated: FloatArray, control: FloatArray) -> tuple[tuple[str, FloatArray], ...]:
    return ("treated", treated), ("control", control)


def randomised_hazard_ratio(
    calibration: Calibration, series: Series, endpoint: Endpoint, grid: FloatArray
) -> float:
    """Return what Cox regression stratified on prognosis estimates in a randomised trial.

    Hazards are not proportional (SBRT starts weeks after surgery and acts on death also through
    local progression), so there is no single true hazard ratio; this is the root of the limiting
    partial score (Struthers & Kalbfleisch, Biometrika 1986;73:363) with one to one allocation.
    """
    values = calibration.values(series.study)
    followed = _followed(series_follow_up(series, values), grid)
    strategies = strategy_cells(series, values, calibration.effects, calibration.evidence, grid)
    risk_sets, events = [], []
    for cells in strategies:
        at_risk = cells.alive if endpoint is OVERALL_SURVIVAL else cells.event_free
        happened = 1 - cells.alive if endpoint is OVERALL_SURVIVAL else cells.progressed
        risk_sets.append((at_risk[:, 1:] + at_risk[:, :-1]) / 2 * followed)
        events.append(np.diff(happened, axis=1) * followed)
    (control_at_risk, treated_at_risk), (control_events, treated_events) = risk_sets, events
    every = strategies[0].weights[:, None]

    def score(log_ratio: float) -> float:
        relative = treated_at_risk * np.exp(log_ratio)
        share = relative / np.maximum(relative + control_at_risk, 1e-300)
        return float(np.sum(every * (treated_events - (treated_events + control_events) * share)))

    return float(np.exp(brentq(score, -8.0, 8.0)))


def _followed(follow_up: FollowUp, grid: FloatArray) -> FloatArray:
    middle = (grid[1:] + grid[:-1]) / 2
    return np.asarray(1 - follow_up.below(middle)[0])
