"""The designs of the series: arms, treatment, follow-up, and what is unknown."""

import math
from dataclasses import dataclass
from functools import lru_cache

from outcomes.errors import CalibrationError
from outcomes.evidence import Design, DesignArm, Evidence
from outcomes.evidence.design import LAST_MONTH
from outcomes.synthetic.case_mix import BINARY_FACTORS, CaseMix
from outcomes.synthetic.parameters import SHARED, FreeParameter, Scale
from outcomes.synthetic.published import printed_for, printed_share

REGIMENS = ("single_24", "hypofractionated_high", "hypofractionated_low")
HORIZON_MONTHS = float(LAST_MONTH)
COMPLICATION_KINDS = ("wound_infection", "deep_infection", "cerebrospinal_fluid_leak")


@dataclass(frozen=True)
class Arm:
    """A published arm or subgroup of a series.

    Attributes
    ----------
    name
        Name in the registry.
    size
        Published number of patients (or lesions).
    regimens
        Share of each dose regimen, in the order of `REGIMENS`; all zero without SBRT.
    mix
        Marginals of the prognostic factors.
    share_below_3mm
        Share with a separation below 3 mm, where it is not solved for.
    procedure, approach
        As in a cohort; the approach ``mixed`` takes the assumed share.
    resection
        Share of aggressive resections.
    own_progression, own_case_mix
        Whether the arm has its own progression hazard; its own Karnofsky tilt and share below 3 mm.
    """

    name: str
    size: float
    regimens: tuple[float, float, float]
    mix: CaseMix
    share_below_3mm: float
    procedure: str = "separation"
    approach: str = "mixed"
    resection: float = 0.3
    own_progression: bool = False
    own_case_mix: bool = False

    @property
    def treated(self) -> bool:
        """Whether the arm got SBRT."""
        return sum(self.regimens) > 0

    @property
    def suffix(self) -> str:
        """Ending of the names of the arm's own parameters."""
        return f"/{self.name}"


@dataclass(frozen=True)
class Series:
    """A series as the calibration sees it.

    Attributes
    ----------
    study
        Identifier.
    arms
        Its arms. With `selected`, the first gets no SBRT and the second SBRT.
    selected
        Whether SBRT was given by choice: fitter patients more often, and only to those alive when
        it starts. Otherwise an arm with SBRT holds only patients who received it.
    sbrt_start
        Earliest and latest month of SBRT after surgery.
    follow_up
        Shape of the follow-up distribution; ``weibull`` and ``beta`` are fitted, ``uniform`` is
        assumed.
    follow_up_range
        First and last month of follow-up.
    second_lesions
        Share of patients with two treated lesions.
    hardware
        Whether hardware failure is among the figures.
    female, age_mean, age_sd
        Share of women; age in years.
    borrows
        Series whose parameters this one takes; "" for its own.
    """

    study: str
    arms: tuple[Arm, ...]
    sbrt_start: tuple[float, float]
    follow_up: str
    follow_up_range: tuple[float, float]
    female: float
    age_mean: float
    age_sd: float
    selected: bool = False
    second_lesions: float = 0.0
    hardware: bool = False
    borrows: str = ""

    @property
    def size(self) -> int:
        """Published number of patients (or lesions) in all arms."""
        return round(sum(arm.size for arm in self.arms))

    def parameters(self, evidence: Evidence) -> tuple[FreeParameter, ...]:
        """Return the parameters of this series alone."""
        if self.borrows:
            return ()
        names = ["death_scale", "death_shape", "progression_median", "progression_sigma"]
        if not any(arm.own_progression for arm in self.arms):
            names.append("progression_total")
        for arm in self.arms:
            names += [f"progression_total{arm.suffix}"] * arm.own_progression
            names += [f"kps_tilt{arm.suffix}"] * arm.own_case_mix
            names += [f"share_below_3mm{arm.suffix}"] * arm.own_case_mix
        if self.selected:
            names += ["selection_intercept", "selection_slope"]
        if self.follow_up == "weibull":
            names += ["follow_up_scale", "follow_up_shape"]
        elif self.follow_up == "beta":
            names += ["follow_up_mean", "follow_up_concentration"]
        if self.hardware:
            names += ["hardware_early", "hardware_late"]
        return tuple(
            FreeParameter(self.study, name, *_priors(evidence)[name.split("/")[0]])
            for name in names
        )


def _priors(evidence: Evidence) -> dict[str, tuple[float, float, Scale, str, str]]:
    """Return centre, standard deviation, scale, unit and meaning of each kind of parameter.

    The priors are weak: they only settle what the figures leave open, and `identified` in the
    result says where they do.
    """
    return {
        "death_scale": (15, 1.5, "log", "months", "Weibull scale of death at KPS 70"),
        "death_shape": (1.1, 0.2, "log", "", "Weibull shape of death"),
        "progression_total": (0.3, 1.5, "log", "", "limit of the progression hazard"),
        "progression_median": (5, 1.0, "log", "months", "median time of the progression hazard"),
        "progression_sigma": (0.9, 0.5, "log", "", "log-scale spread of the progression hazard"),
        "kps_tilt": (0, 0.25, "identity", "per 10 points", "shift of the case mix by KPS"),
        "share_below_3mm": (
            evidence["share_separation_below_3mm"],
            1.0,
            "logit",
            "",
            "share below 3 mm",
        ),
        "selection_intercept": (-1.1, 2.0, "identity", "log odds", "SBRT at KPS 70"),
        "selection_slope": (0.5, 1.0, "identity", "log odds", "SBRT per unit of fitness"),
        "follow_up_scale": (25, 1.5, "log", "months", "Weibull scale of follow-up"),
        "follow_up_shape": (1.0, 0.5, "log", "", "Weibull shape of follow-up"),
        "follow_up_mean": (0.4, 1.5, "logit", "", "mean follow-up within its range"),
        "follow_up_concentration": (0.5, 1.5, "log", "", "concentration of follow-up"),
        "hardware_early": (0.004, 1.5, "log", "", "cumulative hazard of early hardware failure"),
        "hardware_late": (0.001, 1.5, "log", "per month", "late hazard of hardware failure"),
    }


SHARED_EFFECTS = {
    "no_sbrt": "no SBRT against low-dose hypofractionated",
    "single_24": "single fraction of 24 Gy against low-dose hypofractionated",
    "hypofractionated_high": "high-dose against low-dose hypofractionated",
    "below_3mm": "separation below 3 mm against 3 mm or more",
}


def shared_parameters(evidence: Evidence) -> tuple[FreeParameter, ...]:
    """Return the effects on local progression that all series share, with their priors.

    A prior's standard deviation is that of a lognormal whose central 95 % is the assumed range.
    """
    found = []
    for name, meaning in SHARED_EFFECTS.items():
        assumed = evidence.assumption(f"local_progression_hr_{name}")
        spread = math.log(assumed.high / assumed.low) / (2 * 1.96)
        found.append(
            FreeParameter(
                SHARED,
                f"progression_hr_{name}",
                assumed.value,
                spread,
                "log",
                "hazard ratio",
                meaning,
            )
        )
    return tuple(found)


@lru_cache(maxsize=64)
def all_series(evidence: Evidence) -> tuple[Series, ...]:
    """Return every series of the registry that has a design."""
    return tuple(series_of(design, evidence) for design in evidence.designs)


def solved_series(evidence: Evidence) -> tuple[Series, ...]:
    """Return the series that have parameters of their own: they print survival or local control."""
    return tuple(series for series in all_series(evidence) if not series.borrows)


def series_of(design: Design, evidence: Evidence) -> Series:
    """Return a series of a design, its names replaced by numbers.

    Raises
    ------
    CalibrationError
        If a number is impossible: a share above 1, a month that ends before it begins.
    """
    study = design.id
    follow_up = _ends(design, "follow_up", evidence)
    if design.follow_up == "beta" and follow_up[0] >= follow_up[1]:
        raise CalibrationError(f"{study}: beta follow-up needs a last month after the first")
    arms = tuple(_arm(design, arm, evidence) for arm in design.arms)
    if design.arms_differ_by == "choice" and [arm.treated for arm in arms] != [False, True]:
        raise CalibrationError(
            f"{study}: arms_differ_by: found choice; allowed: two arms, the first with sbrt none, "
            "the second with sbrt all"
        )
    second = 0.0
    if design.patients is not None:
        patients = evidence.number(design.patients)
        second = sum(arm.size for arm in arms) / patients - 1
        if not 0 <= second <= 1:
            raise CalibrationError(
                f"{study}: patients: found {patients:g}; allowed: half the lesions to all of them"
            )
    return Series(
        study=study,
        arms=arms,
        sbrt_start=_ends(design, "sbrt_start", evidence),
        follow_up=design.follow_up,
        follow_up_range=follow_up,
        female=_share(design, "female", evidence),
        age_mean=evidence.number(design.age_mean),
        age_sd=evidence.number(design.age_sd),
        selected=design.arms_differ_by == "choice",
        second_lesions=second,
        hardware=any(
            figure.quantity == "hardware_failure" and figure.role == "fit"
            for figure in evidence.of_study(study)
        ),
        borrows=design.borrows,
    )


def _arm(design: Design, arm: DesignArm, evidence: Evidence) -> Arm:
    single = _share(arm, "single_24", evidence)
    high = _share(arm, "hypofractionated_high", evidence)
    if single + high > 1 + 1e-9:
        raise CalibrationError(f"{arm.id}: shares of the dose regimens: found more than 1 in all")
    mix = CaseMix(
        kps_mean=evidence.number(design.kps_mean),
        kps_sd=evidence.number(design.kps_sd),
        neurologic_deficit=_share(design, "neurologic_deficit", evidence),
        **{factor: _share(design, factor, evidence) for factor in BINARY_FACTORS[:-1]},
        complication=complication_share(design, arm.name, evidence),
    )
    size = evidence.number(arm.size)
    if size <= 0:
        raise CalibrationError(f"{arm.id}: size: found {size:g}; allowed: a number above 0")
    return Arm(
        name=arm.name,
        size=size,
        regimens=(single, high, max(1 - single - high, 0.0)) if arm.sbrt == "all" else (0, 0, 0),
        mix=mix,
        share_below_3mm=(
            0.0 if arm.procedure == "none" else _share(design, "separation_below_3mm", evidence)
        ),
        procedure=arm.procedure,
        approach=arm.approach,
        resection=_share(arm, "aggressive_resection", evidence),
        own_progression=design.arms_differ_by == "progression",
        own_case_mix=design.arms_differ_by == "case_mix",
    )


def complication_share(design: Design, arm: str, evidence: Evidence) -> float:
    """Return the share of an arm with a complication.

    From the study's own figure on complications, for the arm or for all; else from its counts by
    kind; else as assumed.
    """
    own = printed_for(evidence, design.id, "complication", arm)
    if own is not None:
        return printed_share(own)
    kinds = [printed_for(evidence, design.id, kind, arm) for kind in COMPLICATION_KINDS]
    if any(kinds):
        return min(sum(printed_share(figure) for figure in kinds if figure is not None), 1.0)
    return _share(design, "complication", evidence)


def _share(row: Design | DesignArm, name: str, evidence: Evidence) -> float:
    value = evidence.number(getattr(row, name))
    if not 0 <= value <= 1:
        raise CalibrationError(f"{row.id}: {name}: found {value:g}; allowed: a share of 0 to 1")
    return value


def _ends(design: Design, name: str, evidence: Evidence) -> tuple[float, float]:
    """Return the first and the last month of a range; a named figure stands for its ends."""
    ends = []
    for side in ("first", "last"):
        quantity = getattr(design, f"{name}_{side}")
        ends.append(_end(quantity, side, evidence))
    first, last = ends
    if not 0 <= first <= last <= HORIZON_MONTHS:
        raise CalibrationError(
            f"{design.id}: {name}: found {first:g} to {last:g} months; allowed: 0 to "
            f"{HORIZON_MONTHS:g}, the first not after the last"
        )
    return first, last


def _end(quantity: float | str, side: str, evidence: Evidence) -> float:
    for figure in evidence.figures:
        end = figure.low if side == "first" else figure.high
        if figure.id == quantity and end is not None:
            return end
    return evidence.number(quantity)
