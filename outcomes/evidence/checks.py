"""What a row of the registry must satisfy beyond the types of its values."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from outcomes.evidence.figure import ESTIMANDS, ROLES

# Makes the error from the key, the value found and what is allowed.
Fault = Callable[[str, object, str], Exception]

PERCENTAGES = (
    "crude_proportion",
    "cumulative_incidence",
    "kaplan_meier",
    "kaplan_meier_complement",
)
AT_A_HORIZON = ("cumulative_incidence", "kaplan_meier", "kaplan_meier_complement")
WITHOUT_VALUE = ("sign", "null", "rule", "range")


def check_study(values: Mapping[str, Any], fault: Fault) -> None:
    """Check a study: an identifier that can begin a figure's, at least one patient."""
    if "/" in values["id"]:
        raise fault("id", values["id"], "an id without a slash")
    if values.get("n") == 0:
        raise fault("n", 0, "a whole number of at least 1")


def check_assumption(values: Mapping[str, Any], fault: Fault) -> None:
    """Check an assumption: low <= value <= high, in the limits of its unit."""
    value, low, high = values["value"], values["low"], values["high"]
    if low > high:
        raise fault("low", low, f"at most high, {high}")
    if not low <= value <= high:
        raise fault("value", value, f"{low} to {high}, the plausible range")
    if values["unit"] == "share" and not (low >= 0 and high <= 1):
        raise fault("low" if low < 0 else "high", low if low < 0 else high, "a share of 0 to 1")
    if values["unit"] == "hazard ratio" and low <= 0:
        raise fault("low", low, "a hazard ratio above 0")


def check_figure(values: Mapping[str, Any], fault: Fault) -> None:
    """Check one published figure.

    Parameters
    ----------
    values
        The row as read; the number of decimals of ``value`` is the number printed.
    fault
        Makes the error to raise.
    """
    for key, allowed in (("role", ROLES), ("estimand", ESTIMANDS)):
        if values[key] not in allowed:
            raise fault(key, values[key], ", ".join(allowed))
    _check_role(values, fault)
    _check_unit(values, fault)
    _check_numbers(values, fault)
    _check_count(values, fault)


def _check_role(values: Mapping[str, Any], fault: Fault) -> None:
    role, estimand = values["role"], values["estimand"]
    for name in ("null", "rule"):
        if (role == name) != (estimand == name):
            raise fault("role", role, f"{name} with the estimand {name} and with no other")
    if role in ("fit", "check") and estimand not in WITHOUT_VALUE and "value" not in values:
        raise fault("value", None, f"a number, which the role {role} needs")
    if estimand == "range":
        for key in ("low", "high"):
            if key not in values:
                raise fault(key, None, "a number, which a range needs")


def _check_unit(values: Mapping[str, Any], fault: Fault) -> None:
    estimand, unit = values["estimand"], values.get("unit", "")
    if estimand in PERCENTAGES and unit != "percent":
        raise fault("unit", unit, f"percent for the estimand {estimand}")
    if estimand == "count" and unit not in ("patients", "lesions"):
        raise fault("unit", unit, "patients or lesions for the estimand count")
    if "value" in values and unit == "":
        raise fault("unit", unit, "the unit of the value")
    if estimand in AT_A_HORIZON and "at_month" not in values:
        raise fault("at_month", None, f"the horizon in months for the estimand {estimand}")


def _check_numbers(values: Mapping[str, Any], fault: Fault) -> None:
    for key in ("value", "low", "high", "sd", "at_month", "tolerance"):
        number = values.get(key)
        if number is None:
            continue
        if number < 0:
            raise fault(key, number, "a number of at least 0")
        if key in ("value", "low", "high") and values.get("unit") == "percent" and number > 100:
            raise fault(key, number, "0 to 100 percent")
    if values.get("n") == 0:
        raise fault("n", 0, "a whole number of at least 1")
    low, high = values.get("low"), values.get("high")
    if low is not None and high is not None and low > high:
        raise fault("low", low, f"at most high, {high}")


def _check_count(values: Mapping[str, Any], fault: Fault) -> None:
    value, n, count = values.get("value"), values.get("n"), values.get("count")
    if values["estimand"] == "count" and value is not None:
        if value != int(value):
            raise fault("value", value, "a whole number for the estimand count")
        if count is not None and count != value:
            raise fault("count", count, f"the value, {value}")
        count = int(value)
    if count is None or n is None:
        return
    if count > n:
        raise fault("value" if "count" not in values else "count", count, f"at most n, {n}")
    if values.get("unit") == "percent" and value is not None:
        share = 100 * count / n
        decimals = len(repr(value).partition(".")[2])
        # Half a unit of the last printed digit, and a little for the binary representation.
        if abs(share - value) > 0.5 * 10**-decimals + 1e-9:
            raise fault("value", value, f"{share:.{decimals}f}, which is {count} of {n}")


def check_links(
    values: Mapping[str, Any], figures: Collection[str], studies: Collection[str], fault: Fault
) -> None:
    """Check the identifiers by which a figure or an external names another figure.

    Parameters
    ----------
    values
        The row as read.
    figures, studies
        Identifiers of the registry.
    fault
        Makes the error to raise.
    """
    own = values["id"]
    for key, also, allowed in (
        ("same_as", (), "the id of another figure"),
        ("part_of", studies, "the id of another figure, or of the study"),
    ):
        name = values.get(key)
        if name and (name == own or (name not in figures and name not in also)):
            raise fault(key, name, allowed)
        if name and name.partition("/")[0] != own.partition("/")[0]:
            raise fault(key, name, f"an id of {own.partition('/')[0]}")
    for key in ("figure", "complement_of"):
        name = values.get(key)
        if name and (name.partition("/")[0] not in studies or not name.partition("/")[2]):
            raise fault(key, name, f"study/quantity; the studies are {', '.join(studies)}")
