"""The trial that each method of comparison imitates, and which biases it deals with."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from outcomes.comparison.adjustment import make_adjustment
from outcomes.comparison.setting import Setting
from outcomes.endpoints import OVERALL_SURVIVAL
from outcomes.errors import NotEstimableError
from outcomes.schema import DAYS_PER_MONTH

Handled = Literal["yes", "no", "hazard ratio only", "not present"]
"""Whether a method deals with a bias; a hazard ratio may be adjusted where a risk is not."""


@dataclass(frozen=True)
class TargetTrial:
    """The trial that a method imitates.

    Attributes
    ----------
    endpoint, method
        Names.
    eligibility
        Who takes part.
    strategy_treated, strategy_control
        What is compared.
    time_zero
        From when on patients are followed.
    grace_period
        Within what time treatment may begin.
    outcome
        What is counted.
    estimand
        What the method estimates.
    assumptions
        What must hold for it to be an effect of the treatment.
    selection, immortal_time, competing_events
        Whether it deals with the choice of patients for treatment by what was measured, with
        the time a patient had to live until treatment, and with events after which the one of
        interest cannot happen.
    """

    endpoint: str
    method: str
    eligibility: str
    strategy_treated: str
    strategy_control: str
    time_zero: str
    grace_period: str
    outcome: str
    estimand: str
    assumptions: tuple[str, ...]
    selection: Handled
    immortal_time: Handled
    competing_events: Handled

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


@dataclass(frozen=True)
class _Kind:
    """What a method does, whatever the cohort.

    Attributes
    ----------
    clock
        ``"arm"``: by arm from surgery on; ``"landmark"``; ``"start"``: treated from the start of
        treatment on; ``"grace"``: to begin within a grace period.
    estimand
        What it estimates.
    assumptions
        Beyond those that follow from the rest.
    selection
        See `TargetTrial`.
    competing
        Whether other events compete.
    """

    clock: Literal["arm", "landmark", "start", "grace"]
    estimand: str
    assumptions: tuple[str, ...]
    selection: Handled
    competing: Handled = "yes"


_AS_TREATED = "risks of those who were treated and of those who were not"
_EVERYONE = "average effect in all patients: risks had all been treated, and had none been"
_LOT = "patients were treated as if by lot"
_RATIO = "the hazards of the arms stay in proportion"
_OUTCOME_MODEL = "the Cox models of the events hold, with effects in proportion"
_PROPENSITY = "the model of who is treated holds"
_MEASURED = "everything that drove both treatment and outcome was measured"
_CHANCE = "patients of every kind could have come into either arm"
_FOLLOWED = "who leaves follow-up does not differ from who stays"
_NO_WAIT = "the time until treatment begins is too short to matter"
_AT_SURGERY = "treatment begins at surgery"
_START_BY_CHANCE = "it is by chance of whom the start of treatment is unknown"

_KINDS: dict[str, _Kind] = {
    "crude": _Kind("arm", _AS_TREATED, (_LOT,), "no"),
    "stratified": _Kind("arm", "whether the curves differ within a series", (_LOT,), "no"),
    "1 - Kaplan-Meier": _Kind(
        "arm", "risks if nobody died before progression", (_LOT, "no event competes"), "no", "no"
    ),
    "cox-unadjusted": _Kind(
        "arm", "hazard ratio of those treated and those not", (_LOT, _RATIO), "no"
    ),
    "cox-adjusted": _Kind(
        "arm", "hazard ratio between patients alike in the covariates", (_RATIO,), "yes"
    ),
    "landmark": _Kind(
        "landmark",
        "risks of those event-free at the landmark by what had begun; hazard ratio between those "
        "alike",
        ("for risks: treatment as if by lot", _RATIO),
        "hazard ratio only",
    ),
    "g-formula-cox": _Kind("arm", _EVERYONE, (_OUTCOME_MODEL,), "yes"),
    "g-formula-forest": _Kind(
        "arm", _EVERYONE, ("the forest follows the risks closely enough",), "yes"
    ),
    "iptw": _Kind("arm", _EVERYONE, (_PROPENSITY,), "yes"),
    "doubly-robust": _Kind(
        "arm", _EVERYONE, ("the Cox models or the model of who is treated hold",), "yes"
    ),
    "landmark-adjusted": _Kind(
        "landmark",
        "average effect in all who are event-free at the landmark",
        (_OUTCOME_MODEL,),
        "yes",
    ),
    "time-dependent": _Kind(
        "start",
        "average effect in all patients: risks had treatment begun in the usual month, and never",
        (_OUTCOME_MODEL, "treatment acts alike whenever it begins"),
        "yes",
    ),
    "clone-censor-weight": _Kind(
        "grace",
        "average effect in all patients: risks had treatment begun within the grace period (who "
        "has not begun by its end counted as those alike who have), and never",
        ("the models of when treatment begins hold",),
        "yes",
    ),
}


def target_trials(setting: Setting) -> tuple[TargetTrial, ...]:
    """Return the trial that each method imitates, in the order of the ladder.

    Parameters
    ----------
    setting
        The question.
    """
    competing = setting.endpoint.has_competing_events
    methods = [
        "crude",
        *(["stratified"] if setting.strata is not None else []),
        *(["1 - Kaplan-Meier"] if competing else []),
        "cox-unadjusted",
        "cox-adjusted",
        "landmark",
        *setting.options.wanted,
    ]
    return tuple(_trial(setting, method, _KINDS[method]) for method in methods)


def _trial(setting: Setting, method: str, kind: _Kind) -> TargetTrial:
    choices = setting.options.choices
    landmark = f"week {_weeks(choices.landmark)}"
    grace = f"weeks {_weeks(choices.grace[0])} to {_weeks(choices.grace[1])}"
    treated, control = setting.labels
    waits = setting.treatment == "sbrt" or setting.start_column is not None
    strategies = {
        "arm": (f"{treated}, whenever it began" if waits else treated, control),
        "landmark": (f"{treated}, begun by {landmark}", f"not begun by {landmark}"),
        "start": (f"{treated}, from its start on", f"{control}, and until treatment begins"),
        "grace": (f"{treated}, begun in {grace}", f"{control}, at no time treated"),
    }[kind.clock]
    adjusted = kind.selection == "yes"
    assumptions = [*kind.assumptions, _FOLLOWED]
    if kind.selection != "no":
        assumptions = [_MEASURED, _CHANCE, *assumptions]
    if kind.clock == "arm":
        assumptions.append(_NO_WAIT if waits else _AT_SURGERY)
    elif np.isnan(setting.start).any():
        assumptions.append(_START_BY_CHANCE)
    competing: Handled = kind.competing if setting.endpoint.has_competing_events else "not present"
    return TargetTrial(
        endpoint=setting.endpoint.name,
        method=method,
        eligibility=_eligibility(setting, adjusted=adjusted, clock=kind.clock, landmark=landmark),
        strategy_treated=strategies[0],
        strategy_control=strategies[1],
        time_zero=f"{landmark} after surgery" if kind.clock == "landmark" else "surgery",
        grace_period={
            "landmark": f"until {landmark}, before time zero",
            "grace": f"{grace} after surgery",
        }.get(kind.clock, "none"),
        outcome=_outcome(setting),
        estimand=kind.estimand,
        assumptions=tuple(assumptions),
        selection=kind.selection,
        immortal_time="no" if kind.clock == "arm" else "yes",
        competing_events=competing,
    )


def _eligibility(setting: Setting, *, adjusted: bool, clock: str, landmark: str) -> str:
    """Return who takes part, and how many they are."""
    rows = np.ones(setting.time.size, dtype=np.bool_)
    words = [f"patients whose {setting.treatment} is known"]
    if setting.treatment == "sbrt":
        words = ["operated patients"]
    if adjusted:
        try:
            rows &= make_adjustment(setting).complete
        except NotEstimableError as error:
            return f"{words[0]} with every covariate; {error}"
        words.append("every covariate known")
    if clock != "arm":
        if setting.start_column is None:
            column = f"{setting.treatment}_start_months"
            return f"{words[0]} whose start of treatment is known; there is no column {column}"
        known = ~np.isnan(setting.start)
        rows &= known
        words.append("start of treatment known")
        if adjusted and not known.all():
            words[-1] += " (standing for those treated of whom it is not)"
    if clock == "landmark":
        rows &= setting.time > setting.options.choices.landmark
        words.append(f"under observation without an event at {landmark}")
    size = setting.counted(rows) if setting.repeated else f"n = {int(rows.sum()):,}"
    return f"{', '.join(words)} ({size})"


def _outcome(setting: Setting) -> str:
    """Return what is counted, and by when."""
    events = setting.endpoint.events
    what = "death from any cause" if setting.endpoint == OVERALL_SURVIVAL else str(events[1])
    if setting.endpoint.has_competing_events:
        others = ", ".join(events[code] for code in setting.endpoint.competing_codes)
        what += f" (competing: {others})"
    months = " and ".join(f"{horizon:g}" for horizon in setting.horizons)
    return f"{what}, by {months} months after surgery"


def _weeks(months: float) -> str:
    return f"{months * DAYS_PER_MONTH / 7:.3g}"
