"""How a study was made: its arms, who got SBRT, how long patients were followed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# A number, or the identifier of the assumption, external or figure that holds it.
Quantity = float | str

ARMS_DIFFER_BY = ("nothing", "regimen", "progression", "case_mix", "choice")
FOLLOW_UPS = ("weibull", "beta", "uniform")
PROCEDURES = ("separation", "piecemeal_spondylectomy", "none")
APPROACHES = ("mixed", "open", "minimally_invasive")
SBRT = ("all", "none")
# The months that are simulated, and the Karnofsky scores of cohorts.
LAST_MONTH = 60
KPS_RANGE = (40, 100)

Fault = Callable[[str, object, str], Exception]


@dataclass(frozen=True)
class DesignArm:
    """An arm of a study.

    Attributes
    ----------
    id
        ``study/arm``; the figures of the arm carry the same arm.
    size
        Published number of patients (or lesions).
    sbrt
        ``all`` or ``none`` of the arm; where the arms differ by choice, ``none`` in the first.
    single_24, hypofractionated_high
        Shares of the dose regimens among those with SBRT; the rest is low-dose hypofractionated.
    procedure, approach
        As in a cohort; ``mixed`` approaches take the assumed share.
    aggressive_resection
        Share of aggressive resections.
    """

    id: str
    size: Quantity
    sbrt: str = "all"
    single_24: Quantity = 0.0
    hypofractionated_high: Quantity = 0.0
    procedure: str = "separation"
    approach: str = "mixed"
    aggressive_resection: Quantity = "share_aggressive_resection"

    @property
    def name(self) -> str:
        """Name of the arm within its study."""
        return self.id.partition("/")[2]


@dataclass(frozen=True)
class Design:
    """How a study was made, as far as a synthetic series needs to know it.

    Attributes
    ----------
    id
        Identifier of the study.
    follow_up
        Shape of the distribution of follow-up: ``weibull`` and ``beta`` are fitted to the figures,
        ``uniform`` is assumed.
    follow_up_first, follow_up_last
        First and last month of follow-up; an identifier of a figure means the ends of its range.
    arms_differ_by
        ``nothing`` that matters to progression and death; ``regimen``: the dose of SBRT alone;
        ``progression``: each arm has its own hazard of local progression; ``case_mix``: Karnofsky
        score and separation; ``choice``: the first arm got no SBRT and the second SBRT, by choice.
    sbrt_start_first, sbrt_start_last
        Earliest and latest month of SBRT.
    patients
        Number of patients where the arms count lesions.
    female, age_mean, age_sd, kps_mean, kps_sd
        Share of women; age in years; Karnofsky score.
    neurologic_deficit, progressive_systemic_disease, visceral_metastases, \
    systemic_therapy_after, embolization, complication
        Shares of patients. Complications that the study prints take precedence.
    separation_below_3mm
        Share of patients with a separation below 3 mm, where arms do not differ by it.
    vas_before_mean, vas_before_sd
        Pain before treatment on the visual analogue scale.
    vas_after_mean, vas_after_sd
        The same after surgery, where it is known but not among the figures.
    overall_survival_median
        Assumed median survival in months of a study that prints no survival.
    borrows
        Study whose hazards are taken by a study that prints neither survival nor local control.
    """

    id: str
    follow_up: str
    follow_up_first: Quantity
    follow_up_last: Quantity
    arms_differ_by: str = "nothing"
    sbrt_start_first: Quantity = "laufer-2013/sbrt_start"
    sbrt_start_last: Quantity = "laufer-2013/sbrt_start"
    patients: Quantity | None = None
    female: Quantity = "share_female"
    age_mean: Quantity = "age_mean"
    age_sd: Quantity = "age_sd"
    kps_mean: Quantity = "kps_mean"
    kps_sd: Quantity = "kps_sd"
    neurologic_deficit: Quantity = "share_neurologic_deficit"
    progressive_systemic_disease: Quantity = "share_progressive_systemic_disease"
    visceral_metastases: Quantity = "share_visceral_metastases"
    systemic_therapy_after: Quantity = "share_systemic_therapy_after"
    embolization: Quantity = "share_embolization"
    complication: Quantity = "share_complication"
    separation_below_3mm: Quantity = "share_separation_below_3mm"
    vas_before_mean: Quantity = "vas_before_mean"
    vas_before_sd: Quantity = "vas_before_sd"
    vas_after_mean: Quantity | None = None
    vas_after_sd: Quantity = "vas_after_sd"
    overall_survival_median: Quantity | None = None
    borrows: str = ""
    arms: tuple[DesignArm, ...] = ()


SHARES = (
    "single_24",
    "hypofractionated_high",
    "aggressive_resection",
    "female",
    "neurologic_deficit",
    "progressive_systemic_disease",
    "visceral_metastases",
    "systemic_therapy_after",
    "embolization",
    "complication",
    "separation_below_3mm",
)


def check_arm(cells: Mapping[str, Any], fault: Fault) -> None:
    """Check an arm: its identifier, its words, its numbers."""
    study, _, name = cells["id"].partition("/")
    if not study or not name or "/" in name:
        raise fault("id", cells["id"], "study/arm")
    for key, allowed in (("procedure", PROCEDURES), ("approach", APPROACHES), ("sbrt", SBRT)):
        _check_word(cells, key, allowed, fault)
    _check_shares(cells, fault)
    _check_above(cells, "size", 0, fault)
    for key in ("single_24", "hypofractionated_high"):
        if cells.get("sbrt") == "none" and cells.get(key, 0) != 0:
            raise fault(key, cells[key], "0 in an arm with sbrt none")
    shares = [cells.get(key, 0) for key in ("single_24", "hypofractionated_high")]
    if not any(isinstance(share, str) for share in shares) and sum(shares) > 1:
        raise fault("hypofractionated_high", shares[1], "a share that leaves single_24 its own")


def check_design(cells: Mapping[str, Any], fault: Fault) -> None:
    """Check a design: its words, its numbers."""
    _check_word(cells, "follow_up", FOLLOW_UPS, fault)
    _check_word(cells, "arms_differ_by", ARMS_DIFFER_BY, fault)
    _check_shares(cells, fault)
    for key in (
        "patients",
        "age_mean",
        "age_sd",
        "kps_mean",
        "kps_sd",
        "vas_before_mean",
        "vas_before_sd",
        "vas_after_mean",
        "vas_after_sd",
        "overall_survival_median",
    ):
        _check_above(cells, key, 0, fault)
    for key, low, high in (("age_mean", 18, 95), ("kps_mean", *KPS_RANGE)):
        _check_within(cells, key, low, high, fault)
    for what in ("follow_up", "sbrt_start"):
        first, last = cells.get(f"{what}_first"), cells.get(f"{what}_last")
        if isinstance(first, int | float) and isinstance(last, int | float):
            if first < 0:
                raise fault(f"{what}_first", first, "a month of at least 0")
            if first >= last:
                raise fault(f"{what}_last", last, f"a month after {what}_first, {first}")
        for end in ("first", "last"):
            _check_within(cells, f"{what}_{end}", 0, LAST_MONTH, fault)
    if cells.get("follow_up") == "weibull" and cells.get("follow_up_first", 0) != 0:
        raise fault("follow_up_first", cells["follow_up_first"], "0, where weibull begins")


def check_arms(
    study: str, cells: Mapping[str, Any], arms: Sequence[Mapping[str, Any]], fault: Fault
) -> None:
    """Check that the arms of a design are as `arms_differ_by` says.

    Parameters
    ----------
    study
        Identifier of the study.
    cells
        The design as read.
    arms
        Its arms as read, in their order.
    fault
        Makes the error to raise.
    """
    differ = cells.get("arms_differ_by", "nothing")
    treated = [arm.get("sbrt", "all") for arm in arms]
    if not arms:
        raise fault("id", study, f"at least one arm: [[arm]] with the id {study}/...")
    if differ == "choice" and treated != ["none", "all"]:
        raise fault(
            "arms_differ_by", differ, "two arms, the first with sbrt none, the second with sbrt all"
        )
    if differ in ("regimen", "progression", "case_mix") and len(arms) < 2:
        raise fault("arms_differ_by", differ, "at least two arms, or nothing")


def check_borrows(cells: Mapping[str, Any], lender: Mapping[str, Any] | None, fault: Fault) -> None:
    """Check that a study takes its hazards from one that has hazards of its own to give.

    Parameters
    ----------
    cells
        The design as read.
    lender
        The design that it borrows from; None where there is none.
    fault
        Makes the error to raise.
    """
    name = cells["borrows"]
    if name == cells["id"]:
        raise fault("borrows", name, "another study")
    if lender is None or lender.get("borrows"):
        raise fault("borrows", name, "a study with a design that borrows from none")
    if lender.get("arms_differ_by") == "progression":
        raise fault("borrows", name, "a study whose arms do not differ by progression")
    if cells.get("arms_differ_by", "nothing") not in ("nothing", "regimen"):
        raise fault("arms_differ_by", cells["arms_differ_by"], "nothing or regimen beside borrows")
    if cells.get("follow_up") not in ("uniform", lender.get("follow_up")):
        raise fault("follow_up", cells["follow_up"], f"uniform, or as {name} has it")


def _check_word(cells: Mapping[str, Any], key: str, allowed: tuple[str, ...], fault: Fault) -> None:
    if key in cells and cells[key] not in allowed:
        raise fault(key, cells[key], ", ".join(allowed))


def _check_shares(cells: Mapping[str, Any], fault: Fault) -> None:
    for key in SHARES:
        value = cells.get(key)
        if isinstance(value, int | float) and not 0 <= value <= 1:
            raise fault(key, value, "a share of 0 to 1")


def _check_within(
    cells: Mapping[str, Any], key: str, low: float, high: float, fault: Fault
) -> None:
    value = cells.get(key)
    if isinstance(value, int | float) and not low <= value <= high:
        raise fault(key, value, f"{low:g} to {high:g}")


def _check_above(cells: Mapping[str, Any], key: str, low: float, fault: Fault) -> None:
    value = cells.get(key)
    if isinstance(value, int | float) and value <= low:
        raise fault(key, value, f"a number above {low:g}")
