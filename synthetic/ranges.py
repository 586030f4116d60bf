"""Draws of the assumptions from their ranges."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import betaincinv

from outcomes.errors import CalibrationError
from outcomes.evidence import Assumption, Evidence
from outcomes.schema import TUMORS
from outcomes.synthetic.series import SHARED_EFFECTS, all_series

ATTEMPTS = 100
# These are centres of priors, which vary as priors do.
PRIOR_CENTRES = frozenset(f"local_progression_hr_{name}" for name in SHARED_EFFECTS)


def varied(evidence: Evidence) -> tuple[Assumption, ...]:
    """Return the assumptions that vary on their own."""
    return tuple(a for a in evidence.assumptions if a.low < a.high and a.id not in PRIOR_CENTRES)


def quantile(assumption: Assumption, probability: float) -> float:
    """Return a quantile of an assumption.

    The distribution is the PERT distribution (Malcolm et al., Oper Res 1959;7:646): a beta over the
    range with its mode at the value; for hazard ratios on the log scale.
    """
    is_ratio = assumption.unit == "hazard ratio"
    low, mode, high = (
        float(np.log(x)) if is_ratio else x
        for x in (assumption.low, assumption.value, assumption.high)
    )
    a, b = 1 + 4 * (mode - low) / (high - low), 1 + 4 * (high - mode) / (high - low)
    found = low + (high - low) * float(betaincinv(a, b, probability))
    return float(np.exp(found)) if is_ratio else found


def with_assumptions(evidence: Evidence, values: Mapping[str, float]) -> Evidence:
    """Return the registry with other values of some assumptions."""
    for name in values:
        evidence.assumption(name)
    return replace(
        evidence,
        assumptions=tuple(
            replace(a, value=values[a.id]) if a.id in values else a for a in evidence.assumptions
        ),
    )


def draw_assumptions(
    evidence: Evidence, generator: np.random.Generator
) -> tuple[dict[str, float], Evidence]:
    """Draw every assumption from its range, independently.

    Sets that cannot be true together (shares that add up to more than 1) are drawn again.

    Returns
    -------
    values, evidence
        The values drawn, by identifier, and the registry that holds them.

    Raises
    ------
    CalibrationError
        If no set of a hundred can be true.
    """
    assumptions = varied(evidence)
    for _ in range(ATTEMPTS):
        uniform = generator.random(len(assumptions))
        values = {a.id: quantile(a, u) for a, u in zip(assumptions, uniform, strict=True)}
        drawn = with_assumptions(evidence, values)
        if _is_possible(drawn):
            return values, drawn
    raise CalibrationError("the ranges of the assumptions leave no set that can be true together")


def _is_possible(evidence: Evidence) -> bool:
    shares: Sequence[float] = [evidence[f"share_tumor_{name}"] for name in TUMORS]
    if sum(shares) >= 1:
        return False
    try:
        all_series(evidence)
    except CalibrationError:
        return False
    return True
