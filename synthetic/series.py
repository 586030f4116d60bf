"""The designs of the five survival series: arms, treatment, follow-up, and what is unknown."""

import math
from dataclasses import dataclass
from typing import Literal, TypedDict

from outcomes.errors import CalibrationError
from outcomes.evidence import Evidence
from outcomes.synthetic.parameters import SHARED, FreeParameter, Scale

REGIMENS = ("single_24", "hypofractionated_high", "hypofractionated_low")
HORIZON_MONTHS = 60.0


@dataclass(frozen=True)
class Arm:
    """A published arm or subgroup of a series.

    Attributes
    ----------
    name
        Name in the registry; "" where the series has one arm.
    size
        Published number of patients (or lesions).
    regimens
        Share of each dose regimen, in the order of `REGIMENS`; all zero without SBRT.
    procedure
        ``separation`` or ``none`` (SBRT alone).
    resection
        Share of aggressive resections.
    own_progression, own_kps, own_separation
        Whether the arm has its own progression hazard, Karnofsky tilt, share below 3 mm.
    """

    name: str
    size: int
    regimens: tuple[float, float, float]
    procedure: Literal["separation", "none"] = "separation"
    resection: float = 0.3
    own_progression: bool = False
    own_kps: bool = False
    own_separation: bool = False

    @property
    def suffix(self) -> str:
        """Ending of the names of the arm's own parameters."""
        return f"/{self.name}" if self.name else ""


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
        it starts. Otherwise the series holds only patients who received SBRT.
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
    """

    study: str
    arms: tuple[Arm, ...]
    sbrt_start: tuple[float, float]
    follow_up: Literal["weibull", "beta", "uniform"]
    follow_up_range: tuple[float, float]
    female: float
    age_mean: float
    age_sd: float
    selected: bool = False
    second_lesions: float = 0.0
    hardware: bool = False

    @property
    def size(self) -> int:
        """Published number of patients (or lesions) in all arms."""
        return sum(arm.size for arm in self.arms)

    def parameters(self, evidence: Evidence) -> tuple[FreeParameter, ...]:
        """Return the parameters of this series alone."""
        names = ["death_scale", "death_shape", "progression_median", "progression_sigma"]
        if not any(arm.own_progression for arm in self.arms):
            names.append("progression_total")
        for arm in self.arms:
            names += [f"progression_total{arm.suffix}"] * arm.own_progression
            names += [f"kps_tilt{arm.suffix}"] * arm.own_kps
            names += [f"share_below_3mm{arm.suffix}"] * arm.own_separation
        if self.selected:
            names += ["selection_intercept", "selection_slope"]
        if self.follow_up == "weibull":
            names += ["follow_up_scale", "follow_up_shape"]
        elif self.follow_up == "beta":
            names += ["follow_up_mean", "follow_up_concentration"]
        if self.hardware:
            names += ["hardware_12m", "hardware_shape"]
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
        "hardware_12m": (0.02, 1.5, "log", "", "cumulative hazard of hardware failure, 12 months"),
        "hardware_shape": (0.9, 0.5, "log", "", "Weibull shape of hardware failure"),
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


def survival_series(evidence: Evidence) -> tuple[Series, ...]:
    """Return the five series with figures on survival or local control."""
    builders = (_laufer, _liu, _gong, _bate, _amankulor)
    return tuple(build(evidence) for build in builders)


def _laufer(evidence: Evidence) -> Series:
    pure = {"single_24": (1.0, 0.0, 0.0), "hypofractionated_high": (0.0, 1.0, 0.0)}
    return Series(
        study="laufer-2013",
        arms=tuple(
            Arm(
                name,
                _size(evidence, f"laufer-2013/dose_regimen/{name}"),
                pure.get(name, (0.0, 0.0, 1.0)),
            )
            for name in REGIMENS
        ),
        follow_up="weibull",
        follow_up_range=(0.0, _range(evidence, "laufer-2013/time_of_progression_range")[1]),
        **_usual(evidence),
    )


def _liu(evidence: Evidence) -> Series:
    treated = _size(evidence, "liu-2020/patients/sbrt")
    return Series(
        study="liu-2020",
        arms=(
            Arm("alone", _size(evidence, "liu-2020/patients/alone"), (0.0, 0.0, 0.0)),
            Arm("sbrt", treated, _assumed_mix(evidence, "liu")),
        ),
        follow_up="beta",
        follow_up_range=_range(evidence, "liu-2020/follow_up_range"),
        selected=True,
        **_usual(evidence, "_liu"),
    )


def _gong(evidence: Evidence) -> Series:
    high = evidence["share_hypofractionated_high_gong"]
    return Series(
        study="gong-2021",
        arms=tuple(
            Arm(
                name,
                _size(evidence, f"gong-2021/patients/{name}"),
                (0.0, high, 1 - high),
                resection=float(name == "aggressive"),
                own_kps=True,
                own_separation=True,
            )
            for name in ("aggressive", "moderate")
        ),
        follow_up="uniform",
        follow_up_range=_assumed_follow_up(evidence, "gong"),
        **_usual(evidence),
    )


def _bate(evidence: Evidence) -> Series:
    alone = _size(evidence, "bate-2015/lesions/sbrt_alone")
    operated = _size(evidence, "bate-2015/lesions/surgery_sbrt")
    mix = _assumed_mix(evidence, "bate")
    return Series(
        study="bate-2015",
        arms=(
            Arm("sbrt_alone", alone, mix, procedure="none", own_progression=True),
            Arm("surgery_sbrt", operated, mix, own_progression=True),
        ),
        follow_up="weibull",
        follow_up_range=(0.0, HORIZON_MONTHS),
        second_lesions=(alone + operated) / _patients(evidence, "bate-2015") - 1,
        **_usual(evidence),
    )


def _amankulor(evidence: Evidence) -> Series:
    size = _patients(evidence, "amankulor-2014")
    return Series(
        study="amankulor-2014",
        arms=(Arm("", size, _assumed_mix(evidence, "amankulor")),),
        follow_up="uniform",
        follow_up_range=_assumed_follow_up(evidence, "amankulor"),
        hardware=True,
        **_usual(evidence),
    )


class _Usual(TypedDict):
    """What series share unless they print their own."""

    sbrt_start: tuple[float, float]
    female: float
    age_mean: float
    age_sd: float


def _usual(evidence: Evidence, suffix: str = "") -> _Usual:
    return {
        "sbrt_start": _range(evidence, "laufer-2013/sbrt_start"),
        "female": evidence[f"share_female{suffix}"],
        "age_mean": evidence[f"age_mean{suffix}"],
        "age_sd": evidence[f"age_sd{suffix}"],
    }


def _size(evidence: Evidence, figure_id: str) -> int:
    value = evidence.figure(figure_id).value
    if value is None:
        raise CalibrationError(f"{figure_id}: a number of patients is needed")
    return round(value)


def _assumed_follow_up(evidence: Evidence, series: str) -> tuple[float, float]:
    return evidence[f"follow_up_first_{series}"], evidence[f"follow_up_last_{series}"]


def _patients(evidence: Evidence, study: str) -> int:
    count = evidence.study(study).n
    if count is None:
        raise CalibrationError(f"{study}: the number of patients n is needed")
    return count


def _range(evidence: Evidence, figure_id: str) -> tuple[float, float]:
    figure = evidence.figure(figure_id)
    if figure.low is None or figure.high is None:
        raise CalibrationError(f"{figure_id}: low and high are needed")
    return figure.low, figure.high


def _assumed_mix(evidence: Evidence, series: str) -> tuple[float, float, float]:
    single = evidence[f"share_single_24_{series}"]
    high = evidence[f"share_hypofractionated_high_{series}"]
    return single, high, 1 - single - high
