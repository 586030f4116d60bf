"""What a study itself prints about a quantity, as shares of its arms."""

from collections.abc import Mapping

from outcomes.errors import CalibrationError
from outcomes.evidence import Evidence, Figure


def printed(evidence: Evidence, study: str, quantity: str, arm: str = "") -> Figure | None:
    """Return the fit figure of a study on a quantity in an arm; None where it prints none."""
    for figure in evidence.of_study(study):
        if (figure.quantity, figure.arm, figure.role) == (quantity, arm, "fit"):
            return figure
    return None


def printed_for(evidence: Evidence, study: str, quantity: str, arm: str) -> Figure | None:
    """Return the fit figure on a quantity in an arm, else the one on the whole study."""
    own = printed(evidence, study, quantity, arm)
    return printed(evidence, study, quantity) if own is None else own


def printed_share(figure: Figure) -> float:
    """Return a printed count or percentage as a share; a percentage with a count is the count's.

    Raises
    ------
    CalibrationError
        If it has neither a count with its n nor a value.
    """
    count = figure.value if figure.estimand == "count" else figure.count
    if count is not None and figure.n:
        return count / figure.n
    if figure.value is None or figure.unit != "percent":
        raise CalibrationError(f"{figure.id}: a percentage, or a count with its n, is needed")
    return figure.value / 100


def shares_by_arm(
    evidence: Evidence, study: str, quantity: str, weights: Mapping[str, float]
) -> dict[str, float]:
    """Return the printed share in each arm; arms about which the study is silent are left out.

    What the whole study has beyond the arms that print their own is shared evenly by the others.

    Parameters
    ----------
    weights
        Patients (or lesions) of each arm.
    """
    found = {}
    for arm in weights:
        own = printed(evidence, study, quantity, arm)
        if own is not None:
            found[arm] = printed_share(own)
    whole = printed(evidence, study, quantity)
    silent = [arm for arm in weights if arm not in found]
    if whole is None or not silent:
        return found
    counted = sum(share * weights[arm] for arm, share in found.items())
    left = printed_share(whole) * sum(weights.values()) - counted
    share = min(max(left / sum(weights[arm] for arm in silent), 0.0), 1.0)
    return {**found, **dict.fromkeys(silent, share)}
