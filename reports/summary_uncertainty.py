"""How sure the calibration is: every derived quantity with its interval and where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.reports.charts import IntervalChart, IntervalRow, Style
from outcomes.reports.content import (
    Block,
    Caveat,
    CollapsedText,
    Column,
    Figure,
    Legend,
    Paragraph,
    Section,
    Subheading,
    Table,
)
from outcomes.reports.names import plain_terms, readable
from outcomes.reports.parameter_names import sources_words
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_adjusted import ASSUMED_RATIO
from outcomes.reports.wording import count, known, number, sentence_case, sentence_list

if TYPE_CHECKING:
    from outcomes.synthetic.calibration import Calibration
    from outcomes.synthetic.ensemble import Ensemble, Quantity

AXES = {
    "percent": "Percent of patients",
    "points": "Percentage points",
    "months": "Months",
    "hazard ratio": "Hazard ratio",
}
SUFFIXES = {"percent": "%", "points": " points", "months": " months"}
# Rough standard deviations between the calibrated value and the median that are worth a word.
PULLED = 0.3
PULLS = "the assumption outweighs the data"
ASSUMED = "The effect of SBRT is an assumption"
METHOD = (
    "The method is randomised maximum likelihood: the ensemble of solutions stands for what is "
    "left open."
)
# Beyond this many months an interval ends in an arrow.
LAST_MONTH = 60.0
EFFECT = "sbrt_effect/"
TREATMENTS: dict[Style, str] = {
    "treated": "surgery + SBRT",
    "control": "surgery alone",
    "hollow": "SBRT without surgery",
}
LABELS = {
    "sbrt_effect/median_survival": "Effect of SBRT on median survival",
    "sbrt_effect/restricted_mean_24m": "Effect of SBRT on months lived within 24 months",
    "sbrt_effect/overall_survival_24m": "Effect of SBRT on survival at 24 months (more is better)",
    "sbrt_effect/local_progression_12m": (
        "Effect of SBRT on local progression at 12 months (less is better)"
    ),
    "crude_difference": "Crude difference of the medians",
    "selection": "Of it, selection of the patients",
    "immortal_time": "Of it, immortal time",
}
NOT_DRAWN = (
    "Not computed for this calibration. The command outcomes calibrate --draws 200 solves it again "
    "for other draws of the figures and of the assumptions, and gives every derived quantity an "
    "interval."
)


def uncertainty_section(results: StudyResults, calibration: Calibration) -> Section:
    """Return the derived quantities with their intervals, or how to get them."""
    title = "How sure are these numbers?"
    ensemble = calibration.ensemble
    if ensemble is None:
        return Section("uncertainty", title, NOT_DRAWN, ())
    blocks: list[Block] = [Paragraph(words) for words in _meaning(ensemble)]
    if effect_range(calibration):
        low, high = _assumed_range(calibration)
        blocks.insert(
            0,
            Caveat(
                f"{ASSUMED}. Its hazard ratio of death was varied between {low} and {high} and "
                "nowhere else: the interval shows what that range leaves open, not what patients "
                "would gain."
            ),
        )
    blocks.append(CollapsedText("The method by its name", METHOD))
    heading = ""
    for name, members in _families(ensemble).items():
        if heading != _title(name[0], members):
            heading = _title(name[0], members)
            blocks.append(Subheading(heading))
        blocks.append(_figure(results, calibration, name, members))
    table = _effect_table(results, ensemble)
    if table is not None:
        blocks.append(table)
    return Section("uncertainty", title, _finding(calibration, ensemble), tuple(blocks))


def effect_range(calibration: Calibration) -> str:
    """Return what is left open about the effect of SBRT, as what it is: the assumption's."""
    found = _effect_on_survival(calibration)
    if found is None or not known(found.median):
        return ""
    low, high = _assumed_range(calibration)
    no_harm = calibration.evidence.assumption(ASSUMED_RATIO).high <= 1
    words = (
        f"If the hazard ratio of death under SBRT lies between {low} and {high} (assumed"
        f"{'; harm was not considered' if no_harm else ''}), median survival with SBRT would be "
        f"{'longer' if found.median > 0 else 'shorter'} by {number(abs(found.median), 0)} months "
        f"(95 of 100 solutions: {interval_words(found, 0)})."
    )
    if found.lower > 0:
        words += " That this excludes 0 follows from the assumption; it is not evidence of benefit."
    return words


def _effect_on_survival(calibration: Calibration) -> Quantity | None:
    ensemble = calibration.ensemble
    quantities = () if ensemble is None else ensemble.quantities
    return next((one for one in quantities if one.id.endswith(f"/{EFFECT}median_survival")), None)


def _assumed_range(calibration: Calibration) -> tuple[str, str]:
    """Return the ends of the assumed hazard ratio of death under SBRT."""
    assumed = calibration.evidence.assumption(ASSUMED_RATIO)
    return number(assumed.low, 2), number(assumed.high, 2)


def prior_pulls(quantity: Quantity) -> bool:
    """Whether the calibrated value stands well away from the median of the ensemble.

    Solved for the figures as published, a parameter with few patients behind it stays near the
    mode of its prior; the ensemble moves it about. A quarter of the interval is a rough standard
    deviation; where the interval has no upper end, half of its lower half is.
    """
    if not (known(quantity.value) and known(quantity.median) and known(quantity.lower)):
        return False
    spread = (quantity.median - quantity.lower) / 2
    if known(quantity.upper):
        spread = (quantity.upper - quantity.lower) / 4
    return abs(quantity.value - quantity.median) > PULLED * spread


def interval_words(quantity: Quantity, digits: int = 1) -> str:
    """Return the 95 % interval of a quantity; an end that is not reached is no limit."""
    return f"{number(quantity.lower, digits)} to {_end(quantity.upper, digits)}"


def _finding(calibration: Calibration, ensemble: Ensemble) -> str:
    effect = effect_range(calibration)
    if effect:
        return " ".join((effect, *_without_benefit(calibration), *_crude(ensemble)))
    widest = max(
        (q for q in ensemble.quantities if q.unit == "percent"),
        key=lambda q: q.upper - q.lower,
        default=None,
    )
    if widest is None:
        return "The intervals below say how much the figures leave open."
    return (
        f"The least certain risk is the {plain_terms(widest.meaning)}: the figures fit anything "
        f"from {number(widest.lower, 0)} to {number(widest.upper, 0)} of 100 patients."
    )


def _without_benefit(calibration: Calibration) -> tuple[str, ...]:
    """Return why months remain where SBRT does not act on death itself."""
    return tuple(
        f"Even a ratio of {number(row.hazard_ratio, 2)} leaves {number(row.causal)} months: SBRT "
        "also prevents local progression, which raises the risk of death."
        for row in calibration.decomposition
        if row.hazard_ratio == 1 and row.causal > 0
    )


def _crude(ensemble: Ensemble) -> tuple[str, ...]:
    return tuple(
        f"The crude difference itself, published as {number(one.value, 0)} months, may be anything "
        f"from {interval_words(one, 0)}: it rests on few patients."
        for one in ensemble.quantities
        if one.id.endswith("/crude_difference")
    )


def _meaning(ensemble: Ensemble) -> tuple[str, ...]:
    return (
        f"The model was solved {ensemble.size:,} times. Each time the published figures were "
        "replaced by what chance might have given instead in as few patients, and the assumptions "
        "and priors (what is taken as plausible before any figure is seen) by other values of "
        "their ranges. The number to read is the median of the solutions, with the 95% interval "
        "that holds the middle 95 of 100 of them; unlike the confidence interval of one study it "
        "takes in the assumptions.",
        "The calibrated value beside it is what reproduces the published figures exactly. Where it "
        f"stands more than {PULLED:g} standard deviations (taken as a quarter of the interval) "
        f"from the median, the row says that {PULLS}: few patients stand against a prior.",
        "The command outcomes simulate reproduces the published figures: it draws patients under "
        "the calibrated values. With --drawn-truth it draws the truth from the solutions.",
    )


def _families(ensemble: Ensemble) -> dict[tuple[str, str], list[Quantity]]:
    """Return the quantities that share a chart: of all arms, or of one unit, by kind and unit."""
    families: dict[tuple[str, str], list[Quantity]] = {}
    for quantity in ensemble.quantities:
        _, _, rest = quantity.id.partition("/")
        kind, slash, _ = rest.partition("/")
        whole = rest.startswith(EFFECT) or not slash
        name = "" if whole else kind
        families.setdefault((name, quantity.unit), []).append(quantity)
    return families


def _title(kind: str, members: list[Quantity]) -> str:
    """Return what a family is about: the same in all arms, or the effect of SBRT."""
    return sentence_case(plain_terms(members[0].meaning)) if kind else "Effect of SBRT"


def _label(quantity: Quantity) -> str:
    rest = quantity.id.partition("/")[2]
    return LABELS.get(rest) or sentence_case(plain_terms(quantity.meaning))


def _arm(quantity: Quantity) -> str:
    return quantity.id.split("/")[2]


def _style(calibration: Calibration, quantity: Quantity) -> Style:
    """Return the treatment of an arm as its style."""
    for series in calibration.series:
        for arm in series.arms:
            if (series.study, arm.name) == (quantity.study, _arm(quantity)):
                if arm.procedure == "none":
                    return "hollow"
                return "treated" if sum(arm.regimens) > 0 else "control"
    return "hollow"


def _figure(
    results: StudyResults,
    calibration: Calibration,
    name: tuple[str, str],
    members: list[Quantity],
) -> Figure:
    kind, unit = name
    axis = AXES.get(unit, sentence_case(unit))
    title = _title(kind, members)
    by_arm = bool(kind)
    rows = tuple(
        IntervalRow(
            sentence_case(readable(_arm(one))) if by_arm else _label(one),
            results.study_title(one.study),
            one.median if known(one.median) else None,
            one.lower if known(one.lower) else None,
            one.upper if known(one.upper) else None,
            _style(calibration, one) if by_arm else "ink",
            one.value if known(one.value) else None,
        )
        for one in members
    )
    last = LAST_MONTH if unit == "months" else None
    cut = last is not None and any(row.upper is None or row.upper > last for row in rows)
    notes = [f"An arrow: the interval goes on beyond {last:g} months."] if cut and last else []
    if not by_arm:
        low, high = _assumed_range(calibration)
        notes.append(f"{ASSUMED}: its hazard ratio of death was varied between {low} and {high}.")
    notes += _inflated(results, calibration, members)
    words = f"{title}, {'by series and arm' if by_arm else axis.lower()}"
    return Figure(
        id=f"uncertainty-{(kind or 'effect').replace('_', '-')}-{unit.replace(' ', '-')}",
        chart=IntervalChart(
            rows,
            axis,
            x_max=last,
            reference=None if by_arm else 0.0,
        ),
        label=f"{words}: medians of the solutions with 95% intervals, and calibrated values.",
        caption=" ".join(
            (
                f"{words}: median and 95% interval of the solutions; the short upright line is the "
                "calibrated value.",
                *notes,
            )
        ),
        table=_table(results, words, members, by_arm=by_arm),
        legend=tuple(
            Legend(treatment, style, "point")
            for style, treatment in TREATMENTS.items()
            if by_arm and any(row.style == style for row in rows)
        ),
    )


def _inflated(
    results: StudyResults, calibration: Calibration, members: list[Quantity]
) -> list[str]:
    """Return which figures of these were published by an estimator that gives larger risks."""
    by_id = {target.id: target for target in calibration.targets}
    found: dict[str, list[str]] = {}
    for figure in calibration.evidence.figures:
        target = by_id.get(figure.id)
        if figure.estimand != "kaplan_meier_complement" or target is None:
            continue
        for one in members:
            if one.id == figure.id and known(target.achieved):
                found.setdefault(one.study, []).append(
                    f"{number(target.achieved)}% where this figure has {number(one.value)}%"
                    + (f" ({readable(figure.arm)})" if figure.arm else "")
                )
    return [
        f"{results.study_title(study)} reports 1 − Kaplan–Meier, which treats the dead as if they "
        f"could still progress and so gives more: {sentence_list(tuple(pairs))}, both calibrated."
        for study, pairs in found.items()
    ]


def _table(results: StudyResults, caption: str, members: list[Quantity], *, by_arm: bool) -> Table:
    return Table(
        f"{caption}, and where the uncertainty comes from",
        (
            Column("Series and arm" if by_arm else "Quantity"),
            Column("Median, 95% interval", numeric=True),
            Column("Calibrated", numeric=True),
            Column("Sources"),
        ),
        tuple(
            (
                f"{results.study_title(one.study)}\n{readable(_arm(one))}"
                if by_arm
                else f"{_label(one)}\n{sentence_case(plain_terms(one.meaning))}, "
                f"{results.study_title(one.study)}",
                _median_cell(one),
                _calibrated_cell(one),
                sentence_case(sources_words(results, one.sources)),
            )
            for one in members
        ),
        fitted=True,
        stacked=True,
    )


def _effect_table(results: StudyResults, ensemble: Ensemble) -> Table | None:
    """Return what the uncertainty about the effect of SBRT rests on."""
    members = [one for one in ensemble.quantities if f"/{EFFECT}" in one.id]
    if not members:
        return None
    return Table(
        "Where the uncertainty about the effect of SBRT comes from, as shares of the variance",
        (
            Column("Quantity"),
            Column("Median, 95% interval", numeric=True),
            Column("Calibrated", numeric=True),
            Column("Sources"),
        ),
        tuple(
            (
                f"{_label(one)}\n{results.study_title(one.study)}",
                _median_cell(one),
                _calibrated_cell(one),
                sentence_case(sources_words(results, one.sources)),
            )
            for one in members
        ),
        fitted=True,
        stacked=True,
        note=f"{count(len(ensemble.quantities), 'quantity', 'quantities')} have an interval; the "
        "sources of the others stand in the numbers behind each figure. The shares hold for small "
        "changes, one source at a time.",
    )


def _end(value: float, digits: int) -> str:
    return number(value, digits) if known(value) else "no limit"


def _median_cell(quantity: Quantity) -> str:
    middle = _with_unit(quantity.median, quantity.unit) if known(quantity.median) else "not reached"
    return f"{middle}\n{interval_words(quantity)}"


def _calibrated_cell(quantity: Quantity) -> str:
    return number(quantity.value) + (
        "\n" + PULLS.replace(" out", "\nout") if prior_pulls(quantity) else ""
    )


def _with_unit(value: float, unit: str) -> str:
    return f"{number(value)}{SUFFIXES.get(unit, '')}"
