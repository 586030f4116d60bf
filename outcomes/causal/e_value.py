"""E-values: how strong an unmeasured confounder must be to explain an effect away.

VanderWeele & Ding, Ann Intern Med 2017;167:268. A confounder associated with both the treatment
and the outcome by a risk ratio of the E-value each, beyond the measured covariates, could do it;
one that is weaker in both could not.
"""

import math
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from outcomes.causal.ratio_scale import Measure, to_risk_ratio
from outcomes.curves.intervals import normal_quantile
from outcomes.errors import NotEstimableError, OutcomesError


@dataclass(frozen=True)
class EValue:
    """E-values of an estimate and of its interval.

    Attributes
    ----------
    estimate
        E-value of the estimate, at least 1.
    limit
        E-value of the limit nearer to no effect: 1 where the interval holds no effect, None
        where there is no interval.
    risk_ratio, risk_ratio_limit
        The estimate and that limit as risk ratios: what the E-values were computed from.
    measure
        What was given: one of `Measure`, or ``"risk_difference"``.
    """

    estimate: float
    limit: float | None
    risk_ratio: float
    risk_ratio_limit: float | None
    measure: str

    def to_dict(self) -> dict[str, float | str | None]:
        """Return plain data."""
        return asdict(self)


def e_value(
    value: float,
    lower: float | None = None,
    upper: float | None = None,
    *,
    measure: Measure = "risk_ratio",
) -> EValue:
    """Return the E-values of a risk ratio or hazard ratio.

    Parameters
    ----------
    value, lower, upper
        The estimate, treated over control, and the limits of its interval.
    measure
        Which ratio it is, see `to_risk_ratio`.

    Raises
    ------
    OutcomesError
        If the ratio or its limits are impossible.
    NotEstimableError
        If the ratio is 0 or infinite.
    """
    ratio = to_risk_ratio(value, lower, upper, measure=measure)
    limit = ratio.nearer_limit
    return EValue(
        risk_ratio_e_value(ratio.value),
        None if limit is None else risk_ratio_e_value(limit),
        ratio.value,
        limit,
        measure,
    )


def risk_ratio_e_value(risk_ratio: float) -> float:
    """Return the E-value of one risk ratio, RR + sqrt(RR (RR - 1)); below 1 that of 1 / RR.

    Raises
    ------
    OutcomesError
        If the ratio is not positive and finite.
    """
    if not 0 < risk_ratio < math.inf:
        raise OutcomesError(f"risk ratio: found {risk_ratio:g}; allowed: above 0, finite")
    ratio = max(risk_ratio, 1 / risk_ratio)
    return ratio + math.sqrt(ratio * (ratio - 1))


def risk_difference_e_value(
    risk_treated: float,
    risk_control: float,
    covariance: npt.ArrayLike | None = None,
    *,
    arm_sizes: tuple[int, int] | None = None,
    level: float = 0.95,
) -> EValue:
    """Return the E-values of a risk difference, through the risks of both arms.

    Confounding with the bounding factor B explains the difference away where B is the ratio of
    the higher to the lower risk. It moves the interval to 0 where
    (p1 - B p0) (f + (1 - f) / B), the smallest difference that such confounding leaves in the
    population, has a Wald limit of 0; p1 is the higher risk, f the share of its arm (Ding &
    VanderWeele, Epidemiology 2016;27:368, p. 376). The paper's risks are of independent arms;
    here their covariance, which standardised risks have, counts as well.

    Parameters
    ----------
    risk_treated, risk_control
        Risks of the event by the horizon, adjusted for what was measured.
    covariance
        Their covariance matrix, treated first, shape (2, 2); None gives no E-value of the limit.
        Where the Wald interval of the difference holds 0, that E-value is 1.
    arm_sizes
        Patients treated and control, for the uncertainty of f; None takes f as known, and then
        it does not matter.
    level
        Confidence level of the interval.

    Raises
    ------
    OutcomesError
        If a risk is outside 0 to 1, an arm has no patient, or the matrix is no covariance.
    NotEstimableError
        If one of the risks is 0 and the other is not, or the covariance is missing (NaN).
    """
    risks = np.array([risk_treated, risk_control], dtype=np.float64)
    if not ((risks >= 0) & (risks <= 1)).all():
        raise OutcomesError(
            f"risks: found {risk_treated:g} and {risk_control:g}; allowed: between 0 and 1"
        )
    if arm_sizes is not None and min(arm_sizes) < 1:
        raise OutcomesError(f"arm_sizes: found {arm_sizes}; allowed: at least 1 patient in each")
    if risks[0] == risks[1]:
        one = None if covariance is None else 1.0
        return EValue(1.0, one, 1.0, one, "risk_difference")
    if not risks.all():
        raise NotEstimableError("the risk of an arm is 0: no finite confounding explains that")
    higher, lower = (0, 1) if risks[0] > risks[1] else (1, 0)
    strongest = float(risks[higher] / risks[lower])
    factor = None
    if covariance is not None:
        order = np.ix_([higher, lower], [higher, lower])
        sizes = None if arm_sizes is None else (arm_sizes[higher], arm_sizes[lower])
        factor = _factor_of_limit(
            float(risks[higher]),
            float(risks[lower]),
            _checked_covariance(covariance)[order],
            sizes,
            normal_quantile(level),
        )
    sign = 1 if higher == 0 else -1
    return EValue(
        risk_ratio_e_value(strongest),
        None if factor is None else risk_ratio_e_value(factor),
        strongest**sign,
        None if factor is None else factor**sign,
        "risk_difference",
    )


def _checked_covariance(covariance: npt.ArrayLike) -> npt.NDArray[np.float64]:
    matrix = np.asarray(covariance, dtype=np.float64)
    if matrix.shape != (2, 2):
        raise OutcomesError(f"covariance: found shape {matrix.shape}; allowed: (2, 2)")
    if np.isnan(matrix).any():
        raise NotEstimableError("the risks have no standard error")
    if matrix[0, 1] != matrix[1, 0] or np.linalg.eigvalsh(matrix)[0] < -1e-12 * matrix.max():
        raise OutcomesError("covariance: found a matrix that is no covariance of two risks")
    return matrix


def _factor_of_limit(
    higher: float,
    lower: float,
    covariance: npt.NDArray[np.float64],
    sizes: tuple[int, int] | None,
    z: float,
) -> float:
    """Return the bounding factor at which the interval of the difference reaches 0."""

    def limit(factor: float) -> float:
        """Return the lower Wald limit, divided by f + (1 - f) / B, which is positive."""
        left = higher - factor * lower
        contrast = np.array([1.0, -factor])
        variance = float(contrast @ covariance @ contrast)
        if sizes is not None:
            n = sum(sizes)
            share = sizes[0] / n
            slope = left * (factor - 1) / (factor * share + 1 - share)
            variance += slope**2 * share * (1 - share) / n
        return left - z * math.sqrt(max(variance, 0.0))

    if limit(1.0) <= 0:
        return 1.0
    strongest = higher / lower
    return strongest if limit(strongest) >= 0 else float(brentq(limit, 1.0, strongest, xtol=1e-12))
