"""The true effect of SBRT in a series that chose whom to treat."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from outcomes.arrays import FloatArray
from outcomes.endpoints import LOCAL_CONTROL, OVERALL_SURVIVAL, Endpoint, get_endpoint
from outcomes.errors import OutcomesError
from outcomes.synthetic.calibration import Calibration
from outcomes.synthetic.case_mix import prognostic_cells
from outcomes.synthetic.cells import sbrt_start_nodes
from outcomes.synthetic.effects import selection_probability, series_follow_up
from outcomes.synthetic.population import (
    ArmExpectation,
    CellExpectation,
    strategy_arms,
    strategy_cells,
    time_grid,
)
from outcomes.synthetic.series import Series

# What integration leaves of a difference that is none.
ROUNDING = 1e-12


def treatment_truth(
    calibration: Calibration,
    study: str,
    endpoint: str | Endpoint,
    horizons: Sequence[float],
    *,
    landmark: float | None = None,
    grace: tuple[float, float] | None = None,
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
    landmark
        Month of a landmark analysis, whose own truth is added.
    grace
        First and last month in which SBRT is to begin in a clone-censor-weight analysis, whose
        own truth is added (none where the series never begins in them): who has not begun by its
        end fares from then on as those alike who have.

    Returns
    -------
    dict
        ``risk_treated@12``, ``risk_control@12``, ``risk_difference@12``, ``risk_ratio@12``,
        ``number_needed_to_treat@12`` (left out where there is no difference); for overall survival
        ``restricted_mean_treated@12``, ``…_control@12``, ``…_difference@12`` (months alive), for
        local control ``restricted_mean_time_lost_…`` (months lost to progression);
        ``hazard_ratio``, the limit of a Cox model stratified on prognosis in a randomised trial
        with this follow-up, and ``cox-unadjusted:hazard_ratio``, that of one without covariates;
        ``time-dependent:hazard_ratio``, that of SBRT from its start on; with a grace period all of
        these under ``clone-censor-weight:``; with a landmark ``landmark:hazard_ratio`` and, at
        horizons after it, risks and means under ``landmark:``, all among those without an event at
        it.

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
    values, effects = calibration.values(study), calibration.effects
    months = [*horizons, *([] if landmark is None else [landmark]), *(grace or ())]
    grid = np.unique(np.concatenate([time_grid(series), np.asarray(months, dtype=np.float64)]))
    arms = strategy_arms(series, values, effects, grid, who="everyone")
    control, treated = (_risk(arms[arm.name], wanted) for arm in series.arms)
    found: dict[str, float] = {}
    for horizon in horizons:
        found |= _at_horizon(grid, treated, control, float(horizon), wanted)
    trial = _Trial.of(calibration, series, wanted, grid)
    found["hazard_ratio"] = trial.hazard_ratio()
    found["cox-unadjusted:hazard_ratio"] = trial.pooled().hazard_ratio()
    found["time-dependent:hazard_ratio"] = _as_it_comes(
        calibration, series, wanted, grid
    ).hazard_ratio()
    if grace is not None:
        own = _cloned(calibration, series, wanted, grid, grace, horizons)
        found |= {f"clone-censor-weight:{name}": value for name, value in own.items()}
    if landmark is not None:
        found["landmark:hazard_ratio"] = trial.since(landmark).hazard_ratio()
        since = [
            _since(
                _risk(arms[arm.name], wanted), _event_free(arms[arm.name], wanted), grid, landmark
            )
            for arm in series.arms
        ]
        for horizon in horizons:
            if horizon > landmark:
                later = _at_horizon(grid, since[1], since[0], float(horizon), wanted)
                found |= {f"landmark:{name}": value for name, value in later.items()}
    return found


def _cloned(
    calibration: Calibration,
    series: Series,
    endpoint: Endpoint,
    grid: FloatArray,
    grace: tuple[float, float],
    horizons: Sequence[float],
) -> dict[str, float]:
    """Return the truth of clones, who fare from the end of grace on as those who began in it.

    Until then whoever was chosen begins as usual. Nothing where nobody begins in the period.
    """
    first, last = series.sbrt_start
    begin, end = max(first, grace[0]), min(last, grace[1])
    if not begin < end:
        return {}
    values, effects = calibration.values(series.study), calibration.effects
    begun_within = replace(series, sbrt_start=(begin, end))
    control, inside = strategy_cells(begun_within, values, effects, grid)
    prognosis = prognostic_cells(series.arms[1].mix, effects.death)
    chosen = selection_probability(values, prognosis.scores.ravel())
    chosen = np.repeat(chosen, control.weights.size // chosen.size)[:, None] / (last - first)
    # Copies of those who begin before the period leave then; the others of a cell stand for them.
    share = chosen * (end - begin) / (1 - chosen * (begin - first))
    at = int(np.searchsorted(grid, grace[1]))

    def followed(name: str) -> tuple[FloatArray, FloatArray]:
        """Return shares by cell: of all until the end of grace, and of those who begin in it."""
        never, begun = getattr(control, name), getattr(inside, name)
        return never + share * (begun - never), begun

    def from_then_on(later: FloatArray, until_then: FloatArray) -> FloatArray:
        return np.where(np.arange(grid.size) > at, later, until_then)

    def staying(name: str) -> tuple[FloatArray, FloatArray]:
        """Return the share in a state, and what one of those who began counts for."""
        mixed, begun = followed(name)
        scale = mixed[:, [at]] / begun[:, [at]]
        return from_then_on(begun * scale, mixed), scale

    alive, _ = staying("alive")
    event_free, scale = staying("event_free")
    mixed, begun = followed("progressed")
    progressed = from_then_on(mixed[:, [at]] + scale * (begun - begun[:, [at]]), mixed)
    treated = CellExpectation(control.weights, alive, event_free, progressed)
    trial = _Trial.of_cells([control, treated], calibration, series, endpoint, grid)
    found = {"hazard_ratio": trial.pooled().hazard_ratio()}
    treated_risk, control_risk = (_average_risk(cells, endpoint) for cells in (treated, control))
    for horizon in horizons:
        found |= _at_horizon(grid, treated_risk, control_risk, float(horizon), endpoint)
    return found


def _average_risk(cells: CellExpectation, endpoint: Endpoint) -> FloatArray:
    happened = 1 - cells.alive if endpoint is OVERALL_SURVIVAL else cells.progressed
    return np.asarray(cells.weights @ happened / cells.weights.sum())


def _as_it_comes(
    calibration: Calibration, series: Series, endpoint: Endpoint, grid: FloatArray
) -> "_Trial":
    """Return the trial in which a treated patient counts as control until SBRT begins."""
    parts = []
    values = calibration.values(series.study)
    for start, weight in zip(*sbrt_start_nodes(series), strict=True):
        one = replace(series, sbrt_start=(start, start))
        cells = strategy_cells(one, values, calibration.effects, grid)
        trial = _Trial.of_cells(cells, calibration, series, endpoint, grid)
        begun = trial.months >= start
        parts.append(
            replace(
                trial,
                at_risk=(
                    weight * (trial.at_risk[0] + trial.at_risk[1] * ~begun),
                    weight * trial.at_risk[1] * begun,
                ),
                events=(
                    weight * (trial.events[0] + trial.events[1] * ~begun),
                    weight * trial.events[1] * begun,
                ),
            )
        )
    return replace(
        parts[0],
        at_risk=(_sum([p.at_risk[0] for p in parts]), _sum([p.at_risk[1] for p in parts])),
        events=(_sum([p.events[0] for p in parts]), _sum([p.events[1] for p in parts])),
    )


def _sum(arrays: list[FloatArray]) -> FloatArray:
    return np.asarray(np.sum(arrays, axis=0))


def _risk(arm: ArmExpectation, endpoint: Endpoint) -> FloatArray:
    return 1 - arm.alive if endpoint is OVERALL_SURVIVAL else arm.progressed


def _since(risk: FloatArray, free: FloatArray, grid: FloatArray, month: float) -> FloatArray:
    """Return the risk of those without an event at a month; 0 up to it."""
    at = int(np.searchsorted(grid, month))
    return np.where(grid > month, (risk - risk[at]) / free[at], 0.0)


def _event_free(arm: ArmExpectation | CellExpectation, endpoint: Endpoint) -> FloatArray:
    return arm.alive if endpoint is OVERALL_SURVIVAL else arm.event_free


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
        f"{mean}_treated": areas["treated"],
        f"{mean}_control": areas["control"],
        f"{mean}_difference": areas["treated"] - areas["control"],
    }
    if abs(difference) > ROUNDING:
        found["number_needed_to_treat"] = -1 / difference
    return {f"{name}@{horizon:g}": value for name, value in found.items()}


def _arms(treated: FloatArray, control: FloatArray) -> tuple[tuple[str, FloatArray], ...]:
    return ("treated", treated), ("control", control)


@dataclass(frozen=True, eq=False)
class _Trial:
    """A randomised trial in expectation, one to one: who is at risk and who has the event.

    Arrays by prognostic stratum and interval; control first, then treated.
    """

    months: FloatArray
    at_risk: tuple[FloatArray, FloatArray]
    events: tuple[FloatArray, FloatArray]

    @classmethod
    def of(
        cls, calibration: Calibration, series: Series, endpoint: Endpoint, grid: FloatArray
    ) -> "_Trial":
        """Return the trial of a series' patients with its follow-up."""
        values = calibration.values(series.study)
        arms = strategy_cells(series, values, calibration.effects, grid)
        return cls.of_cells(arms, calibration, series, endpoint, grid)

    @classmethod
    def of_cells(
        cls,
        arms: Sequence[CellExpectation],
        calibration: Calibration,
        series: Series,
        endpoint: Endpoint,
        grid: FloatArray,
    ) -> "_Trial":
        """Return the trial of the control and the treated arm, by cell."""
        middle = (grid[1:] + grid[:-1]) / 2
        values = calibration.values(series.study)
        followed = 1 - series_follow_up(series, values).below(middle)[0]
        at_risk, events = [], []
        for cells in arms:
            weights = cells.weights[:, None] * followed
            free = _event_free(cells, endpoint)
            happened = 1 - cells.alive if endpoint is OVERALL_SURVIVAL else cells.progressed
            at_risk.append(weights * (free[:, 1:] + free[:, :-1]) / 2)
            events.append(weights * np.diff(happened, axis=1))
        return cls(grid[:-1], (at_risk[0], at_risk[1]), (events[0], events[1]))

    def pooled(self) -> "_Trial":
        """Return the trial without strata."""
        return self._map(lambda array: array.sum(axis=0, keepdims=True))

    def since(self, month: float) -> "_Trial":
        """Return the trial from a month on."""
        later = self.months >= month
        return replace(self._map(lambda array: array[:, later]), months=self.months[later])

    def _map(self, change: Callable[[FloatArray], FloatArray]) -> "_Trial":
        control, treated = self.at_risk
        control_events, treated_events = self.events
        return replace(
            self,
            at_risk=(change(control), change(treated)),
            events=(change(control_events), change(treated_events)),
        )

    def hazard_ratio(self) -> float:
        """Return what stratified Cox regression estimates in the limit.

        Hazards are not proportional (SBRT starts weeks after surgery and acts on death also
        through local progression), so there is no single true hazard ratio; this is the root of
        the limiting partial score (Struthers & Kalbfleisch, Biometrika 1986;73:363).
        """
        control, treated = self.at_risk
        control_events, treated_events = self.events

        def score(log_ratio: float) -> float:
            relative = treated * np.exp(log_ratio)
            share = relative / np.maximum(relative + control, 1e-300)
            return float(np.sum(treated_events - (treated_events + control_events) * share))

        return float(np.exp(brentq(score, -8.0, 8.0)))
