"""The documented file that a study of one's own begins with."""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from textwrap import fill

from outcomes.evidence import ESTIMANDS, ROLES, UNITS, Assumption, Design, DesignArm, load_evidence
from outcomes.evidence.design import APPROACHES, ARMS_DIFFER_BY, FOLLOW_UPS, PROCEDURES, SBRT
from outcomes.synthetic.quantities import (
    AROUND_TREATMENT,
    AT_A_MONTH,
    AT_THE_END,
    Quantity,
)

WIDTH = 98

TEMPLATE = """\
# Published figures of a study of your own, for the command `outcomes`.
#
#     outcomes evidence --evidence mine.toml --study invented-2024    what was read
#     outcomes evidence --evidence mine.toml --audit                  what contradicts each other
#     outcomes calibrate --evidence mine.toml --out mine.json         parameters that meet them
#     outcomes simulate --evidence mine.toml --calibration mine.json --study invented-2024 \\
#         -n 1000 --out cohort.csv                                    patients that report them
#
# The study below is invented; the file works as it stands. It is laid over the figures that come
# with the package: both are solved together, and share the effects of dose, SBRT and separation.
# A row with an id of theirs replaces that row. Months are counted from surgery.

# ---- The study ----------------------------------------------------------------------------------
[study]
id = "invented-2024"                    # begins every id below; no slash
title = "Invented 2024"                 # how readers see it
n = 60                                  # patients; leave it out where it is not printed
design = "Surgery followed by SBRT in two dose regimens; one series"
citation = "Nobody A. An invented series. 2024."

# ---- The figures, one [[figure]] each -----------------------------------------------------------
# id        study/quantity, and /arm behind it where the figure belongs to an arm
# arm       that arm, named as in [[arm]] below; left out for the whole study
# estimand  how it was measured; it decides as much as the number does:
@estimands@
#           crude_proportion and count are out of all who entered, however long they were followed;
#           median_among_observed and mean_among_observed are of those seen to have the event;
#           kaplan_meier_median is read off a curve
# role      @roles@
#           fit: to be met; check: compared afterwards; null: an absence of effect;
#           context: told only
# value     the number as printed
# unit      @units@
# n         the denominator, which every figure of the roles fit and check needs but means and
#           standard deviations around treatment
# count     the numerator of a percentage, where printed
# at_month  the month that the name of the quantity ends with
# source    where it stands
# Where needed: sd, low, high (standard deviation, range), tolerance (largest deviation that counts
# as met), statement (the words), note, reading (how words open to doubt were read), tension (why
# it cannot be met), part_of (the figure or study whose parts, exclusive and complete, this one and
# others are), same_as (the figure that this prints again).
#
# The quantities that the calibration solves for, with the estimands and units each may have:
@solved@
#
# Those that follow from the figures without being solved for:
@around@
#
# Others can be told with the role context.

[[figure]]
id = "invented-2024/overall_survival_12m"
estimand = "kaplan_meier"
role = "fit"
value = 60
unit = "percent"
n = 60
at_month = 12
source = "Results, paragraph 1"

[[figure]]
id = "invented-2024/overall_survival_median"
estimand = "kaplan_meier_median"
role = "fit"
value = 16
unit = "months"
n = 60
source = "Results, paragraph 1"

[[figure]]
id = "invented-2024/local_progression_12m"
estimand = "cumulative_incidence"
role = "fit"
value = 15
unit = "percent"
n = 60
at_month = 12
source = "Results, paragraph 2"

# Printed by arm, too; as a check, since Laufer 2013 settles the effect of the dose already.
[[figure]]
id = "invented-2024/local_progression_12m/single"
arm = "single"
estimand = "cumulative_incidence"
role = "check"
value = 8
unit = "percent"
n = 25
at_month = 12
source = "Results, paragraph 2"

[[figure]]
id = "invented-2024/local_progression_crude"
estimand = "crude_proportion"
role = "fit"
value = 16.7
count = 10
unit = "percent"
n = 60
source = "Table 2"

[[figure]]
id = "invented-2024/follow_up_median"
estimand = "median_among_observed"
role = "fit"
value = 9.5
unit = "months"
n = 60
source = "Results, paragraph 1"
reading = "Read as the time to death or last visit of all patients."

[[figure]]
id = "invented-2024/complication"
estimand = "count"
role = "fit"
value = 6
unit = "patients"
n = 60
source = "Table 3"

# ---- How the study was made ---------------------------------------------------------------------
# follow_up       shape of its distribution: @follow_ups@
#                 weibull (from month 0) and beta (between its ends) are fitted to the figures,
#                 uniform is assumed
# arms_differ_by  @arms_differ_by@
#                 nothing: in nothing that matters to progression and death; regimen: in the dose
#                 alone; progression: each arm has its own hazard of local progression; case_mix:
#                 in Karnofsky score and separation; choice: the first arm got no SBRT, the second
#                 did, by choice (fitter patients more often, and only who lived until it)
# borrows         a study whose hazards are taken, for one that prints neither survival nor local
#                 control; arms_differ_by is then nothing or regimen, follow_up uniform
#
# A number may be given as such, or as the id of an assumption, of a figure or of an external
# figure. An end of follow-up or of the start of SBRT that names a figure with low and high takes
# these. Keys left out stand for patients as assumed elsewhere:
@design@
[design]
id = "invented-2024"
arms_differ_by = "regimen"
follow_up = "weibull"
follow_up_first = 0
follow_up_last = 48
sbrt_start_first = 0.5
sbrt_start_last = 1
female = 0.45
age_mean = 61
neurologic_deficit = "share_neurologic_deficit_invented"

# ---- Its arms: at least one, all patients in one or another -------------------------------------
# id        study/arm
# size      patients (or lesions, with patients in [design])
# sbrt      @sbrt@
# procedure @procedures@
# approach  @approaches@
# single_24, hypofractionated_high
#           shares of the dose regimens among those with SBRT: one fraction of 24 Gy, 24-30 Gy in 3;
#           the rest got 18-36 Gy in 5-6
# Keys left out:
@arm@
[[arm]]
id = "invented-2024/single"
size = 25
single_24 = 1

[[arm]]
id = "invented-2024/fractionated"
size = 35

# ---- What the study does not print, and you assume ----------------------------------------------
# Every key is needed: @assumption@.
# The uncertainty analysis (outcomes calibrate --draws) varies it between low and high.
[[assumption]]
id = "share_neurologic_deficit_invented"
value = 0.4
low = 0.25
high = 0.55
unit = "share"
meaning = "Share of the invented series with a neurologic deficit"
source = "A guess: the series does not say"
"""


def evidence_template() -> str:
    """Return a TOML file of an invented study that explains every key and every allowed word."""
    texts = {
        "estimands": _words(ESTIMANDS, "#           "),
        "roles": ", ".join(ROLES),
        "units": _words([unit for unit in UNITS if unit], "#           ").removeprefix(
            "#           "
        ),
        "solved": "\n".join(
            [_quantity(f"{name}_<k>m", quantity) for name, quantity in AT_A_MONTH.items()]
            + [_quantity(name, quantity) for name, quantity in AT_THE_END.items()]
        ),
        "around": "\n".join(_quantity(name, one) for name, one in AROUND_TREATMENT.items()),
        "follow_ups": ", ".join(FOLLOW_UPS),
        "arms_differ_by": ", ".join(ARMS_DIFFER_BY),
        "design": _defaults(Design),
        "sbrt": ", ".join(SBRT),
        "procedures": ", ".join(PROCEDURES),
        "approaches": ", ".join(APPROACHES),
        "arm": _defaults(DesignArm),
        "assumption": ", ".join(field.name for field in fields(Assumption)),
    }
    return _filled(TEMPLATE, texts)


def _filled(text: str, texts: Mapping[str, str]) -> str:
    for name, words in texts.items():
        text = text.replace(f"@{name}@", words)
    return text


def _words(words: Iterable[str], indent: str) -> str:
    return _wrapped(", ".join(words), indent, indent)


def _quantity(name: str, quantity: Quantity) -> str:
    kinds = [f"{kind} ({' or '.join(units)})" for kind, units in quantity.estimands.items()]
    return "\n".join(
        [
            _wrapped(f"{name}: {quantity.meaning}", "#   ", "#       "),
            _wrapped(", ".join(kinds), "#       ", "#       "),
        ]
    )


def _wrapped(text: str, first: str, other: str) -> str:
    return fill(text, WIDTH, initial_indent=first, subsequent_indent=other)


def _defaults(kind: type[Design | DesignArm]) -> str:
    """Return a comment with the keys of a table that have a default, and what it is."""
    evidence = load_evidence()
    named = {one.id: one.value for one in evidence.assumptions}
    lines = []
    for field in fields(kind):
        if field.default is MISSING or field.name == "arms":
            continue
        shown = "none" if field.default in (None, "") else str(field.default)
        if shown in named:
            shown = f"{shown}, {named[shown]:g}"
        lines.append(f"#   {field.name}: {shown}")
    return "\n".join(lines)
