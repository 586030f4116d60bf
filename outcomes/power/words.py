"""A power study in plain text: a table and a few sentences."""

import math

from outcomes.endpoints import OVERALL_SURVIVAL
from outcomes.estimate import Estimate
from outcomes.power.analysis import ADJUSTED, COX, MEANS, RANK_TEST, RISKS
from outcomes.power.design import TrialDesign
from outcomes.power.needed import Needed
from outcomes.power.published import Detectable, PublishedPower
from outcomes.power.rates import Rate
from outcomes.power.study import PowerStudy

GAP = "  "


def method_title(method: str, design: TrialDesign) -> str:
    """Return what a method is called for a reader."""
    survival = design.response == OVERALL_SURVIVAL
    return {
        RANK_TEST: "log-rank" if survival else "Gray",
        COX: "Cox",
        ADJUSTED: "Cox, adjusted",
        RISKS: f"risk at {design.horizon:g} months",
        MEANS: f"{'mean survival' if survival else 'time lost'} to {design.horizon:g}",
    }[method]


def power_table(study: PowerStudy) -> str:
    """Return power by number of patients, the patients needed, and the study's own power."""
    design = study.design
    methods = list(study.sizes[0].formula)
    titles = [method_title(method, design) for method in methods]
    heading = ["patients", "events", *titles, "formula", "without effect"]
    rows = [
        [
            f"{size.power.patients:,}",
            f"{size.power.events:.0f}",
            *(_percent(size.power.methods[method].rejects) for method in methods),
            f"{100 * size.formula[RANK_TEST]:.1f} %",
            _percent(size.null.methods[RANK_TEST].rejects),
        ]
        for size in study.sizes
    ]
    needs = [
        [
            method_title(one.method, design),
            f"{100 * one.power:g} %",
            _interval(one.patients) + " *" * one.extrapolated,
            _whole(one.events),
            _whole(one.formula_patients),
            _whole(one.formula_events),
        ]
        for one in study.needed
    ]
    second = ["method", "power", "patients", "events", "patients by formula", "events by formula"]
    lines = [
        f"Share of {study.trials:,} simulated trials that reject no effect (± Monte Carlo error)",
        *_aligned([heading, *rows]),
        f"formula, without effect: of the {titles[0]} test",
        "",
        "Patients needed (95 % interval of the Monte Carlo error)",
        *_aligned([second, *needs]),
    ]
    if any(one.extrapolated for one in study.needed):
        lines.append("* beyond the sizes simulated")
    if study.published is not None:
        lines += ["", *_published_table(design, study.published)]
    return "\n".join(lines)


def _published_table(design: TrialDesign, published: PublishedPower) -> list[str]:
    """Return what the published study could have shown, by effect."""
    survival = design.response == OVERALL_SURVIVAL
    methods = list(published.at_assumed.formula)
    heading = [
        "hazard ratio of death" if survival else "share of the effect",
        "in all",
        *(method_title(method, design) for method in methods),
        "formula",
    ]
    rows = [
        [
            f"{one.effect:g}",
            f"{one.hazard_ratio:.2f}",
            *(_percent(one.power.methods[method].rejects) for method in methods),
            f"{100 * one.formula[RANK_TEST]:.1f} %",
        ]
        for one in published.trial
    ]
    title = (
        f"The {published.patients} patients of {design.study}, {published.treated} with SBRT, had "
        "it been given by chance"
    )
    return [title, *_aligned([heading, *rows])]


def power_words(study: PowerStudy) -> tuple[str, ...]:
    """Return the findings, a sentence or a few each: patients needed, then the study itself."""
    words = [_needed_words(study)]
    if study.design.kind == "registry":
        words.append(_registry_words(study))
    if study.published is not None:
        words.append(published_words(study.design, study.published))
    return tuple(words)


def _needed_words(study: PowerStudy) -> str:
    design = study.design
    if not design.has_effect:
        return "SBRT does nothing here, so that no number of patients shows it."
    method = RANK_TEST if design.kind == "trial" else ADJUSTED
    one = study.needs(method, 0.8)
    test = f"the {method_title(method, design)} test"
    name = test if method == RANK_TEST else "the Cox model adjusted for prognosis"
    what = f"To show {_effect(design)} ({study.truth.hazard_ratio(COX):.2f} in all) with 80 % power"
    if math.isnan(one.patients.value):
        return f"{what}, how many {name} needs cannot be said: {one.note}.{_by_formula(one)}"
    return (
        f"{what}, {name} needs {_interval(one.patients)} patients and {one.events:.0f} "
        f"events.{_by_formula(one)}"
    )


def _by_formula(one: Needed) -> str:
    if one.formula_patients is None or one.formula_events is None:
        return ""
    text = (
        f" Schoenfeld's formula gives {one.formula_patients:,} and {one.formula_events:.0f} "
        "from the hazard ratio in all"
    )
    if one.assumed_patients is not None:
        text += f", {one.assumed_patients:,} from that of SBRT alone"
    return f"{text}."


def _registry_words(study: PowerStudy) -> str:
    null = study.sizes[-1].null
    return (
        f"Where SBRT does nothing, a registry of {null.patients:,} rejects that in "
        f"{_share(null.methods[RANK_TEST].rejects)} of cases by the "
        f"{method_title(RANK_TEST, study.design)} test and in "
        f"{_share(null.methods[ADJUSTED].rejects)} by the adjusted model with SBRT as "
        "time-dependent: what the first rejects beyond the level is selection and immortal time, "
        "not power."
    )


def published_words(design: TrialDesign, published: PublishedPower) -> str:
    """Return what a published study could have shown."""
    own = published.at_assumed
    found = own.power.methods[RANK_TEST]
    test = method_title(RANK_TEST, design)
    text = (
        f"{design.study} itself: {published.patients} patients, of whom {published.treated} had "
        f"SBRT, and about {own.power.events:.0f} events. Had chance decided who got it, the {test} "
        "test would have "
    )
    text += f"shown {_effect(design)}" if design.has_effect else "rejected no effect"
    if design.has_effect:
        text += f" ({own.hazard_ratio:.2f} in all)"
    lower, upper = 100 * found.rejects.lower, 100 * found.rejects.upper
    text += f" in {_share(found.rejects)} of such trials ({lower:.0f}-{upper:.0f} %)"
    exaggerated = own.power.methods[COX].estimate_if_significant
    if design.has_effect and not math.isnan(exaggerated):
        text += f", and those would report {math.exp(exaggerated):.2f} in the median"
    crude, null = (
        _share(point.methods[RANK_TEST].rejects)
        for point in (published.registry, published.registry_null)
    )
    smallest = next(one for one in published.detectable if one.method == RANK_TEST)
    by_choice = f"With SBRT by choice, analysed as received, it rejects no effect in {crude}"
    if design.has_effect:
        by_choice += f", and in {null} where SBRT does nothing"
    return f"{text}. {_detectable(design, smallest)} {by_choice}."


def _detectable(design: TrialDesign, one: Detectable) -> str:
    if one.most < one.power:
        return f"No effect is shown in {100 * one.power:g} % of trials: {one.note}."
    if math.isnan(one.effect.value):
        return f"Which effect {100 * one.power:g} % of trials show cannot be said: {one.note}."
    survival = design.response == OVERALL_SURVIVAL
    kind = "a hazard ratio of death of" if survival else "a share of the effect on progression of"
    value, lower, upper = one.effect.value, one.effect.lower, one.effect.upper
    text = (
        f"{100 * one.power:g} % of trials show {kind} {value:.2f} ({lower:.2f}-{upper:.2f}), "
        f"{one.hazard_ratio:.2f} in all"
    )
    if not math.isnan(one.risk_difference):
        text += (
            f", a risk difference of {100 * one.risk_difference:+.0f} points at "
            f"{design.horizon:g} months"
        )
    return f"{text}."


def _effect(design: TrialDesign) -> str:
    if design.response == OVERALL_SURVIVAL:
        return f"a hazard ratio of death of {design.death_hazard_ratio:g} under SBRT"
    if design.progression_effect == 1:
        return "the calibrated effect of SBRT on local progression"
    return f"{design.progression_effect:g} times the calibrated effect on local progression"


def _share(share: Rate) -> str:
    return f"{100 * share.value:.0f} %"


def _percent(share: Rate) -> str:
    return f"{100 * share.value:.1f} ± {100 * share.monte_carlo_error:.1f} %"


def _interval(number: Estimate) -> str:
    if math.isnan(number.value):
        return "–"
    return f"{number.value:,.0f} ({number.lower:,.0f}-{number.upper:,.0f})"


def _whole(number: float | None) -> str:
    return "–" if number is None or math.isnan(number) else f"{number:,.0f}"


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        GAP.join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    ]
