"""What an unmeasured confounder of given strength would make of an estimate.

Quantitative bias analysis on the scale of risk ratios: the observed ratio is the true one times
a bias factor. Limits are moved by the same factor as the estimate, so they hold for a confounder
known to be that strong. A hazard ratio is converted first (`to_risk_ratio`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from outcomes.arrays import FloatArray
from outcomes.causal.ratio_scale import Measure, RiskRatio, to_risk_ratio
from outcomes.errors import OutcomesError

# Differences of prevalences and of ratios below this are none.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class BiasGrid:
    """An estimate corrected for unmeasured confounders of many strengths.

    Attributes
    ----------
    observed
        The estimate and its interval as risk ratios.
    association
        What says how the confounder goes with treatment: ``"prevalence_difference"`` or
        ``"treatment_ratio"``.
    treatment_association
        Its values, shape (n_x,).
    outcome_ratio
        Risk ratios of the outcome with against without the confounder, shape (n_y,).
    bias_factor
        Observed over corrected ratio, shape (n_y, n_x).
    estimate, lower, upper
        Corrected risk ratio and limits, shape (n_y, n_x); no limits where none were observed.
    estimate_vanishes
        The outcome ratio at which no effect remains, for each value of the association, shape
        (n_x,); below 1 for a confounder that lowers the risk, NaN where none could explain the
        estimate.
    limit_reaches_null
        The same for the limit nearer to no effect; 1 where the interval holds no effect anyway.
    """

    observed: RiskRatio
    association: Literal["prevalence_difference", "treatment_ratio"]
    treatment_association: FloatArray
    outcome_ratio: FloatArray
    bias_factor: FloatArray
    estimate: FloatArray
    lower: FloatArray | None
    upper: FloatArray | None
    estimate_vanishes: FloatArray
    limit_reaches_null: FloatArray | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; a number that does not exist becomes None."""
        observed = self.observed
        return {
            "measure": observed.measure,
            "risk_ratio": observed.value,
            "risk_ratio_lower": observed.lower,
            "risk_ratio_upper": observed.upper,
            "association": self.association,
            **{
                name: _plain(getattr(self, name))
                for name in (
                    "treatment_association",
                    "outcome_ratio",
                    "bias_factor",
                    "estimate",
                    "lower",
                    "upper",
                    "estimate_vanishes",
                    "limit_reaches_null",
                )
            },
        }


def bias_factor(
    prevalence_treated: npt.ArrayLike,
    prevalence_control: npt.ArrayLike,
    outcome_ratio: npt.ArrayLike,
) -> FloatArray:
    """Return the bias factor of a binary confounder, (1 + p1 (RR - 1)) / (1 + p0 (RR - 1)).

    Schlesselman, Am J Epidemiol 1978;108:3; Lash, Fox & Fink, Applying Quantitative Bias Analysis
    to Epidemiologic Data, 2009, chapter 5. The confounder multiplies the risk alike in both arms,
    and its prevalences are those among patients who are alike in what was measured.

    Parameters
    ----------
    prevalence_treated, prevalence_control
        Shares of patients who have the confounder, of shapes that broadcast.
    outcome_ratio
        Risk ratios of the outcome with against without it.

    Raises
    ------
    OutcomesError
        If a prevalence is outside 0 to 1, or a ratio not positive and finite.
    """
    treated = _prevalences(prevalence_treated, "prevalence_treated")
    control = _prevalences(prevalence_control, "prevalence_control")
    excess = _ratios(outcome_ratio, "outcome_ratio", least=0) - 1
    return np.asarray((1 + treated * excess) / (1 + control * excess))


def bounding_factor(treatment_ratio: npt.ArrayLike, outcome_ratio: npt.ArrayLike) -> FloatArray:
    """Return the most that confounding of given strength can bias a risk ratio.

    RR_EU RR_UD / (RR_EU + RR_UD - 1), for one or many confounders of any kind (Ding &
    VanderWeele, Epidemiology 2016;27:368).

    Parameters
    ----------
    treatment_ratio
        RR_EU: the largest ratio between the arms of the share who have any one level of the
        confounder, at least 1.
    outcome_ratio
        RR_UD: the largest ratio of the risk between any two of its levels in either arm, at
        least 1.

    Raises
    ------
    OutcomesError
        If a ratio is below 1, infinite or missing.
    """
    treatment = _ratios(treatment_ratio, "treatment_ratio", least=1)
    outcome = _ratios(outcome_ratio, "outcome_ratio", least=1)
    return np.asarray(treatment * outcome / (treatment + outcome - 1))


def bias_by_prevalence(
    value: float,
    lower: float | None = None,
    upper: float | None = None,
    *,
    prevalence_control: float,
    prevalence_differences: npt.ArrayLike,
    outcome_ratios: npt.ArrayLike,
    measure: Measure = "risk_ratio",
) -> BiasGrid:
    """Correct an estimate for a binary confounder, see `bias_factor`.

    Parameters
    ----------
    value, lower, upper
        The estimate, treated over control, and the limits of its interval.
    prevalence_control
        Share of the control patients who have the confounder.
    prevalence_differences
        Share of the treated minus that of the control patients, shape (n_x,).
    outcome_ratios
        Risk ratios of the outcome with against without the confounder, shape (n_y,).
    measure
        Which ratio the estimate is, see `to_risk_ratio`.

    Raises
    ------
    OutcomesError
        If the estimate is impossible, a prevalence outside 0 to 1, or a ratio not positive.
    NotEstimableError
        If the estimate is 0 or infinite.
    """
    observed = to_risk_ratio(value, lower, upper, measure=measure)
    control = float(_prevalences(prevalence_control, "prevalence_control"))
    differences = np.atleast_1d(np.asarray(prevalence_differences, dtype=np.float64))
    # A difference such as 0.7 - 0.3 may leave the range by rounding alone.
    treated = control + differences
    treated = np.where(
        np.abs(treated - np.clip(treated, 0, 1)) < _ROUNDING, treated.clip(0, 1), treated
    )
    ratios = np.atleast_1d(_ratios(outcome_ratios, "outcome_ratios", least=0))
    factors = bias_factor(treated, control, ratios[:, None])

    def contour(ratio: float) -> FloatArray:
        """Return the outcome ratio whose bias factor is `ratio`."""
        if ratio == 1:
            return np.ones(treated.size)
        room = treated - ratio * control
        excess = np.divide(
            ratio - 1, room, out=np.full(room.shape, np.nan), where=abs(room) > _ROUNDING
        )
        return np.where(excess > -1, 1 + excess, np.nan)

    return _grid(observed, "prevalence_difference", differences, ratios, factors, contour)


def bias_bound(
    value: float,
    lower: float | None = None,
    upper: float | None = None,
    *,
    treatment_ratios: npt.ArrayLike,
    outcome_ratios: npt.ArrayLike,
    measure: Measure = "risk_ratio",
) -> BiasGrid:
    """Correct an estimate by the most that confounding can do, see `bounding_factor`.

    The estimate is moved towards and past no effect: a ratio below 1 is multiplied by the
    bounding factor, another is divided by it. Where both ratios are the same, they reach no
    effect at the E-value.

    Parameters
    ----------
    value, lower, upper
        The estimate, treated over control, and the limits of its interval.
    treatment_ratios
        RR_EU, shape (n_x,), each at least 1.
    outcome_ratios
        RR_UD, shape (n_y,), each at least 1.
    measure
        Which ratio the estimate is, see `to_risk_ratio`.

    Raises
    ------
    OutcomesError
        If the estimate is impossible or a ratio below 1.
    NotEstimableError
        If the estimate is 0 or infinite.
    """
    observed = to_risk_ratio(value, lower, upper, measure=measure)
    treatment = np.atleast_1d(_ratios(treatment_ratios, "treatment_ratios", least=1))
    outcome = np.atleast_1d(_ratios(outcome_ratios, "outcome_ratios", least=1))
    bound = bounding_factor(treatment, outcome[:, None])
    factors = bound if observed.value >= 1 else 1 / bound

    def contour(ratio: float) -> FloatArray:
        """Return the outcome ratio whose bounding factor is `ratio`, or 1 / `ratio` below 1."""
        needed = max(ratio, 1 / ratio)
        if needed == 1:
            return np.ones(treatment.size)
        room = treatment - needed
        ratios = np.divide(
            needed * (treatment - 1), room, out=np.full(room.shape, np.nan), where=room > _ROUNDING
        )
        return np.asarray(ratios)

    return _grid(observed, "treatment_ratio", treatment, outcome, factors, contour)


def _grid(
    observed: RiskRatio,
    association: Literal["prevalence_difference", "treatment_ratio"],
    treatment_association: FloatArray,
    outcome_ratio: FloatArray,
    factors: FloatArray,
    contour: Callable[[float], FloatArray],
) -> BiasGrid:
    limit = observed.nearer_limit
    return BiasGrid(
        observed=observed,
        association=association,
        treatment_association=treatment_association,
        outcome_ratio=outcome_ratio,
        bias_factor=factors,
        estimate=observed.value / factors,
        lower=None if observed.lower is None else observed.lower / factors,
        upper=None if observed.upper is None else observed.upper / factors,
        estimate_vanishes=contour(observed.value),
        limit_reaches_null=None if limit is None else contour(limit),
    )


def _prevalences(values: npt.ArrayLike, name: str) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    bad = array[~((array >= 0) & (array <= 1))]
    if bad.size:
        raise OutcomesError(f"{name}: found {bad[0]:g}; allowed: between 0 and 1")
    return array


def _ratios(values: npt.ArrayLike, name: str, *, least: int) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    enough = array >= least if least else array > 0
    bad = array[~(enough & np.isfinite(array))]
    if bad.size:
        allowed = f"at least {least}" if least else "above 0"
        raise OutcomesError(f"{name}: found {bad[0]:g}; allowed: {allowed}, finite")
    return array


def _plain(values: FloatArray | None) -> Any:
    if values is None:
        return None
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    return plain.tolist()
