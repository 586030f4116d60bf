"""Sample sizes in closed form: events for a hazard ratio, patients for a difference.

The formulas a planner would use; `outcomes.power.simulated` holds simulation against them.
"""

import math

from scipy.special import ndtr, ndtri

from outcomes.errors import OutcomesError


def events_needed(
    hazard_ratio: float, power: float, *, share: float = 0.5, alpha: float = 0.05
) -> float:
    """Return the events that a log-rank test needs, not rounded.

    (z_{1 - alpha/2} + z_power)² / (p (1 - p) log² HR), p being the treated share.

    Parameters
    ----------
    hazard_ratio
        Under the alternative; positive and not 1.
    power
        Wanted power, above alpha and below 1.
    share
        Share of the patients who are treated.
    alpha
        Two-sided level.

    Raises
    ------
    OutcomesError
        If a number is not allowed.

    References
    ----------
    Schoenfeld, Biometrics 1983; 39: 499-503, equation 1.
    """
    effect = _log_ratio(hazard_ratio)
    check_share(share)
    if effect == 0:
        raise OutcomesError("hazard ratio: found 1; allowed: another, since no number shows it")
    return float(quantiles(power, alpha) ** 2 / (share * (1 - share) * effect**2))


def power_of_events(
    events: float, hazard_ratio: float, *, share: float = 0.5, alpha: float = 0.05
) -> float:
    """Return the power of a log-rank test with so many events, both tails counted.

    The drift of the statistic is sqrt(events p (1 - p)) |log HR| (Schoenfeld 1983).
    """
    check_share(share)
    check_level(alpha)
    if not (math.isfinite(events) and events >= 0):
        raise OutcomesError(f"events: found {events:g}; allowed: a number of at least 0")
    drift = math.sqrt(events * share * (1 - share)) * abs(_log_ratio(hazard_ratio))
    z = float(ndtri(1 - alpha / 2))
    return float(ndtr(drift - z) + ndtr(-drift - z))


def detectable_hazard_ratio(
    events: float, power: float, *, share: float = 0.5, alpha: float = 0.05
) -> float:
    """Return the hazard ratio below 1 that so many events show with the wanted power."""
    check_share(share)
    if not (math.isfinite(events) and events > 0):
        raise OutcomesError(f"events: found {events:g}; allowed: a number above 0")
    return math.exp(-quantiles(power, alpha) / math.sqrt(events * share * (1 - share)))


def patients_needed(events: float, event_probability: float) -> int:
    """Return the patients among whom so many events are expected, rounded up.

    Parameters
    ----------
    events
        Events needed.
    event_probability
        Probability that a patient's event is seen, over both arms.
    """
    if not 0 < event_probability <= 1:
        raise OutcomesError(
            f"event probability: found {event_probability:g}; allowed: above 0 and at most 1"
        )
    return _up(events / event_probability)


def patients_for_risks(
    risk_treated: float,
    risk_control: float,
    power: float,
    *,
    share: float = 0.5,
    alpha: float = 0.05,
) -> int:
    """Return the patients that show a difference of two risks, all followed to the horizon.

    (z_{1 - alpha/2} + z_power)² (r1 (1 - r1) / p + r0 (1 - r0) / (1 - p)) / (r1 - r0)², the Wald
    test with unpooled variance (Fleiss, Levin & Paik 2003, chapter 4).

    Raises
    ------
    OutcomesError
        If a risk is not between 0 and 1, or both are the same.
    """
    for risk in (risk_treated, risk_control):
        if not 0 <= risk <= 1:
            raise OutcomesError(f"risk: found {risk:g}; allowed: 0 to 1")
    check_share(share)
    variance = risk_treated * (1 - risk_treated) / share
    variance += risk_control * (1 - risk_control) / (1 - share)
    return patients_for_difference(
        risk_treated - risk_control, math.sqrt(variance), power, alpha=alpha
    )


def patients_for_difference(
    difference: float, spread: float, power: float, *, alpha: float = 0.05
) -> int:
    """Return the patients that show a difference whose standard error is spread / sqrt(n).

    Parameters
    ----------
    difference
        Of risks or restricted means, treated minus control; not 0.
    spread
        Standard error of its estimate times the root of the number of patients; it may hold
        whatever censoring the design has.
    """
    if not (math.isfinite(difference) and difference):
        raise OutcomesError(f"difference: found {difference:g}; allowed: a number other than 0")
    return _up((quantiles(power, alpha) * spread / difference) ** 2)


def quantiles(power: float, alpha: float) -> float:
    """Return z_{1 - alpha/2} + z_power."""
    check_level(alpha)
    if not alpha < power < 1:
        raise OutcomesError(f"power: found {power:g}; allowed: above alpha ({alpha:g}), below 1")
    return float(ndtri(1 - alpha / 2) + ndtri(power))


def check_level(alpha: float) -> None:
    """Refuse a level that is not between 0 and 1."""
    if not 0 < alpha < 1:
        raise OutcomesError(f"alpha: found {alpha:g}; allowed: between 0 and 1")


def check_share(share: float) -> None:
    """Refuse a treated share that leaves an arm empty."""
    if not 0 < share < 1:
        raise OutcomesError(f"treated share: found {share:g}; allowed: between 0 and 1")


def _log_ratio(hazard_ratio: float) -> float:
    if not (math.isfinite(hazard_ratio) and hazard_ratio > 0):
        raise OutcomesError(f"hazard ratio: found {hazard_ratio:g}; allowed: a number above 0")
    return math.log(hazard_ratio)


def _up(patients: float) -> int:
    # What rounding adds to a whole number is no further patient.
    return math.ceil(patients * (1 - 1e-12))
