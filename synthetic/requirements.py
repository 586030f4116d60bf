"""What the calibration needs of a registry, checked before anything is solved."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches

from outcomes.errors import CalibrationError, OutcomesError
from outcomes.evidence import Design, DesignArm, Evidence, Figure
from outcomes.evidence.design import KPS_RANGE, LAST_MONTH, SHARES
from outcomes.synthetic.estimands import is_covered, is_solved
from outcomes.synthetic.fractures import CLASSES, COUNTS, TIME
from outcomes.synthetic.hardware import EARLY_DAYS
from outcomes.synthetic.quantities import (
    ASIDE,
    SCORES,
    at_a_month,
    find_quantity,
    is_solved_for,
    quantity_names,
)
from outcomes.synthetic.series import Series, series_of

# Figures on the hardware failures of a study, and so none without them.
OF_HARDWARE = ("hardware_failure", "hardware_failure_after_3m", "hardware_reoperation", EARLY_DAYS)
DENOMINATOR = "the number of patients (or lesions) it rests on"
# Means on the visual analogue scale; at its very ends everybody would have one score.
PAIN = ("vas_before", "vas_after", "vas_after_sbrt")
HIGHEST_MEAN = 9.99
# What a number of a design may be, however it is named: above the first, up to the last.
LIMITS: Mapping[str, tuple[float, float]] = {
    "size": (0, math.inf),
    "patients": (0, math.inf),
    "age_mean": (17, 95),
    "age_sd": (0, 40),
    "kps_mean": KPS_RANGE,
    # Scores come in steps of 10; nearer together they leave levels that nobody has.
    "kps_sd": (2, 40),
    "overall_survival_median": (0, LAST_MONTH),
    "vas_before_mean": (0, HIGHEST_MEAN),
    "vas_before_sd": (0, 5),
    "vas_after_mean": (0, HIGHEST_MEAN),
    "vas_after_sd": (0, 5),
}


def check_requirements(evidence: Evidence) -> None:
    """Check that every figure to fit can be solved for, and every design simulated.

    Raises
    ------
    CalibrationError
        With everything that is wrong, a line each.
    """
    found = list(dict.fromkeys(_faults(evidence)))
    if found:
        raise CalibrationError("\n".join(found))


def prior_driven(evidence: Evidence, study: str) -> tuple[str, ...]:
    """Return of which of survival, local progression and follow-up a study's figures are silent."""
    printed = [f.quantity for f in evidence.of_study(study) if f.role == "fit" and is_covered(f)]
    spoken = {word for name in printed if is_solved_for(name) for word in _spoken_of(name)}
    return tuple(w for w in ("survival", "local progression", "follow-up") if w not in spoken)


def _spoken_of(quantity: str) -> tuple[str, ...]:
    if quantity in ASIDE:
        return ("follow-up",) if quantity.startswith("follow_up") else ()
    horizon = at_a_month(quantity)
    name = quantity if horizon is None else horizon[0]
    if name.startswith("overall_survival"):
        return ("survival",)
    if name in ("deaths", "survivors"):
        return ("survival", "follow-up")
    if name.startswith("follow_up_"):
        return ("follow-up", "survival")
    if name.endswith("without_progression"):
        return ("survival", "local progression", "follow-up")
    return ("local progression",)


def _faults(evidence: Evidence) -> Iterator[str]:
    arms = {design.id: [arm.name for arm in design.arms] for design in evidence.designs}
    for figure in evidence.figures:
        if figure.role in ("fit", "check") and figure.value is not None:
            yield from _figure_faults(figure, arms.get(figure.study))
    for design in evidence.designs:
        numbers = list(_number_faults(design, evidence))
        yield from numbers
        if not numbers:
            yield from _design_faults(design, evidence)


def _line(table: str, name: str, key: str, found: object, allowed: str) -> str:
    return f"{table} {name!r}, {key}: found {found!r}; allowed: {allowed}"


def _figure_faults(figure: Figure, arms: Iterable[str] | None) -> Iterator[str]:
    """Yield what keeps a figure from being computed in a series.

    Parameters
    ----------
    figure
        A figure with a number.
    arms
        Names of the arms of its study's design; None where it has no design.
    """

    def fault(key: str, found: object, allowed: str) -> str:
        return _line("figure", figure.id, key, found, allowed)

    quantity = find_quantity(figure.quantity)
    if quantity is None:
        near = get_close_matches(figure.quantity, quantity_names(), n=1)
        hint = f" (is {near[0]} meant?)" if near else ""
        allowed = f"{', '.join(quantity_names())}; or the role context, to tell it only"
        yield fault("quantity", figure.quantity, f"{allowed}{hint}")
        return
    if figure.estimand not in quantity.estimands:
        yield fault("estimand", figure.estimand, f"{_either(quantity.estimands)} of this quantity")
    elif figure.unit not in (units := quantity.estimands[figure.estimand]):
        yield fault("unit", figure.unit, f"{_either(units)} of this quantity")
    if figure.n is None and not quantity.silent:
        yield fault("n", None, DENOMINATOR)
    if figure.unit == "months" and not 0 < (figure.value or 0) <= LAST_MONTH:
        yield fault("value", figure.value, f"above 0, up to the {LAST_MONTH} months simulated")
    if figure.quantity in SCORES and figure.quantity != "vas_decrease":
        high = HIGHEST_MEAN if figure.quantity in PAIN else math.inf
        if not 0 < (figure.value or 0) <= high:
            limit = "" if high == math.inf else f", up to {high:g}"
            yield fault("value", figure.value, f"a mean above 0{limit}")
        if figure.sd == 0:
            yield fault("sd", figure.sd, "a number above 0, or no key")
    horizon = at_a_month(figure.quantity)
    if horizon is not None:
        if figure.at_month != horizon[1]:
            yield fault("at_month", figure.at_month, f"{horizon[1]:g}, the month of the quantity")
        if not 0 < horizon[1] <= LAST_MONTH:
            yield fault("quantity", figure.quantity, f"a month above 0, up to {LAST_MONTH}")
    if arms is None:
        if figure.role == "fit":
            yield fault("id", figure.id, f"a figure of a study with a [design], {figure.study}")
    elif figure.quantity == EARLY_DAYS:
        if figure.arm not in quantity.arms:
            yield fault("arm", figure.arm, _either(quantity.arms))
    elif figure.arm and figure.arm not in (*arms, *quantity.arms):
        yield fault("arm", figure.arm, f"{_either(arms)}, the arms of the design")


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)


def _number_faults(design: Design, evidence: Evidence) -> Iterator[str]:
    """Yield the numbers of a design that are impossible, those of named rows included."""
    rows: list[tuple[str, Design | DesignArm]] = [("design", design)]
    rows += [("arm", arm) for arm in design.arms]
    for table, row in rows:
        for field in fields(row):
            given = getattr(row, field.name)
            if "float" not in str(field.type) or given is None or _is_end(field.name):
                continue
            try:
                value = evidence.number(given)
            except OutcomesError:
                yield _line(table, row.id, field.name, given, "the id of a row with a value")
                continue
            words = f"{given}, {value:g}" if isinstance(given, str) else value
            if field.name in SHARES:
                if not 0 <= value <= 1:
                    yield _line(table, row.id, field.name, words, "a share of 0 to 1")
            elif not LIMITS[field.name][0] < value <= LIMITS[field.name][1]:
                low, high = LIMITS[field.name]
                limit = "" if high == math.inf else f", up to {high:g}"
                yield _line(table, row.id, field.name, words, f"a number above {low:g}{limit}")


def _is_end(name: str) -> bool:
    return name.endswith(("_first", "_last"))


def _series_faults(figure: Figure, series: Series, evidence: Evidence) -> Iterator[str]:
    """Yield what keeps a series from reporting a figure."""
    last = series.follow_up_range[1]
    beyond = f"up to the last month of follow-up, {last:g} (follow_up_last)"
    if figure.unit == "months" and last < (figure.value or 0) <= LAST_MONTH:
        yield _line("figure", figure.id, "value", figure.value, beyond)
    if last < (figure.at_month or 0) <= LAST_MONTH:
        yield _line("figure", figure.id, "at_month", figure.at_month, beyond)
    if figure.quantity in OF_HARDWARE and not series.hardware:
        allowed = "a quantity of a study with a figure hardware_failure of the role fit"
        yield _line("figure", figure.id, "quantity", figure.quantity, allowed)
    of_fractures = figure.quantity == TIME
    # An arm of the design may have the name of a class.
    of_fractures |= figure.quantity in COUNTS and figure.arm in CLASSES
    if of_fractures and not any(map(_counts_fractures, evidence.of_study(series.study))):
        allowed = f"a figure of a study that prints {_either(COUNTS)} (role fit) above 0"
        yield _line("figure", figure.id, "id", figure.id, allowed)


def _counts_fractures(figure: Figure) -> bool:
    counted = figure.quantity in COUNTS and figure.arm not in CLASSES and figure.role == "fit"
    return counted and bool(figure.value)


def _design_faults(design: Design, evidence: Evidence) -> Iterator[str]:
    """Yield what is wrong with a design whose numbers are possible each by itself."""
    try:
        series = series_of(design, evidence)
    except OutcomesError as error:
        yield f"design {error}"
        return
    low, high = series.follow_up_range
    if series.sbrt_start[1] >= high and any(arm.treated for arm in series.arms):
        allowed = f"before the last month of follow-up, {high:g}"
        yield _line("design", design.id, "sbrt_start_last", series.sbrt_start[1], allowed)
    if low == high and design.follow_up != "weibull":
        yield _line("design", design.id, "follow_up_last", high, "a month after the first")
    for figure in evidence.of_study(design.id):
        if is_covered(figure):
            yield from _series_faults(figure, series, evidence)
    printed = [f for f in evidence.of_study(design.id) if f.role == "fit"]
    spoken = [f.quantity for f in printed if is_solved(f, series)]
    if design.borrows and spoken:
        allowed = f"no key, since the study prints {spoken[0]} and is solved for itself"
        yield _line("design", design.id, "borrows", design.borrows, allowed)
    if design.overall_survival_median is not None:
        own = [name for name in spoken if name.startswith("overall_survival")]
        if own:
            allowed = f"no key, since the study prints {own[0]}"
            found = design.overall_survival_median
            yield _line("design", design.id, "overall_survival_median", found, allowed)
    size = evidence.study(design.id).n
    if design.patients is None and size is not None and series.size > size:
        allowed = f"arms of {size} patients in all, as the study has (lesions: give patients)"
        yield _line("design", design.id, "arms", series.size, allowed)
