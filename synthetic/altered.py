"""A calibration with another truth: what SBRT does, who gets it, and when."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.optimize import brentq

from outcomes.errors import OutcomesError
from outcomes.synthetic.calibration import Calibration
from outcomes.synthetic.case_mix import prognostic_cells
from outcomes.synthetic.effects import selection_probability
from outcomes.synthetic.parameters import SHARED
from outcomes.synthetic.ranges import with_assumptions
from outcomes.synthetic.series import HORIZON_MONTHS, REGIMENS, Series


def with_truth(
    calibration: Calibration,
    study: str,
    *,
    death: float | None = None,
    progression: float = 1.0,
    selection: float = 1.0,
    sbrt_start: tuple[float, float] | None = None,
) -> Calibration:
    """Return a calibration under which one series has another truth.

    Nothing is solved anew. Patients without SBRT fare as they were calibrated to, and as large a
    share of all patients is meant for SBRT. Targets and ensemble, which no longer hold, are left
    out. Use it for this series alone: effects on progression are shared by all.

    Parameters
    ----------
    calibration
        Parameters.
    study
        A series that treated by choice.
    death
        Hazard ratio of death from the start of SBRT on; None for the assumed one.
    progression
        Share of the log hazard ratio of local progression against no SBRT that is kept, of every
        regimen: 1 for all of it, 0 for none, more than 1 for a stronger one.
    selection
        Factor of the slope of the log odds of SBRT on prognosis: 0 for SBRT by chance.
    sbrt_start
        First and last month of SBRT; None for the series' own.

    Raises
    ------
    OutcomesError
        If the series did not treat by choice, or a number is not allowed.
    """
    series = calibration.series_of(study)
    if not series.selected:
        raise OutcomesError(f"{study}: everyone had SBRT; allowed: a series with both arms")
    if death is not None and not 0 < death < np.inf:
        raise OutcomesError(f"death: found {death:g}; allowed: a hazard ratio above 0")
    for name, factor in (("progression", progression), ("selection", selection)):
        if not 0 <= factor < np.inf:
            raise OutcomesError(f"{name}: found {factor:g}; allowed: a factor of at least 0")
    changed = {
        **_progression(calibration, series, progression),
        **_selection(calibration, series, selection),
    }
    evidence = calibration.evidence
    if death is not None:
        evidence = with_assumptions(evidence, {"death_hr_sbrt": death})
    if sbrt_start is not None:
        first, last = sbrt_start
        if not 0 <= first < last <= HORIZON_MONTHS:
            raise OutcomesError(
                f"sbrt_start: found {first:g} to {last:g}; allowed: months from 0 to "
                f"{HORIZON_MONTHS:g}, the first before the last"
            )
        designs = (
            replace(design, sbrt_start_first=float(first), sbrt_start_last=float(last))
            if design.id == study
            else design
            for design in evidence.designs
        )
        evidence = replace(evidence, designs=tuple(designs))
    return replace(
        calibration,
        parameters=tuple(
            replace(parameter, value=changed.get(parameter.key, parameter.value))
            for parameter in calibration.parameters
        ),
        evidence=evidence,
        targets=(),
        decomposition=(),
        ensemble=None,
        verification=None,
    )


def _progression(calibration: Calibration, series: Series, kept: float) -> Mapping[str, float]:
    """Return the effects on progression, and the baseline that leaves the untreated as they are.

    Effects are hazard ratios against low-dose SBRT, whose own against none must change as well.
    """
    shared, own = calibration.values(SHARED), calibration.values(series.study)
    without = shared["progression_hr_no_sbrt"]
    names = [f"progression_hr_{name}" for name in ("no_sbrt", *REGIMENS)]
    effects = {f"{SHARED}/{name}": shared[name] ** kept for name in names if name in shared}
    totals = {
        f"{series.study}/{name}": value * without ** (1 - kept)
        for name, value in own.items()
        if name.split("/")[0] == "progression_total"
    }
    return {**effects, **totals}


def _selection(calibration: Calibration, series: Series, factor: float) -> Mapping[str, float]:
    """Return another slope, and the intercept that leaves as many patients meant for SBRT."""
    own = calibration.values(series.study)
    prognosis = prognostic_cells(series.arms[1].mix, calibration.effects.death)
    weights, scores = prognosis.probabilities(0.0), prognosis.scores.ravel()
    slope = factor * own["selection_slope"]

    def share(intercept: float, slope: float) -> float:
        values = {"selection_intercept": intercept, "selection_slope": slope}
        return float(weights @ selection_probability(values, scores))

    wanted = share(own["selection_intercept"], own["selection_slope"])
    reach = 50.0 + abs(slope) * float(np.abs(scores).max())
    intercept = own["selection_intercept"]
    if factor != 1:
        intercept = float(brentq(lambda start: share(start, slope) - wanted, -reach, reach))
    return {
        f"{series.study}/selection_intercept": intercept,
        f"{series.study}/selection_slope": slope,
    }
