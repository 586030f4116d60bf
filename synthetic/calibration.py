"""The result of a calibration."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from outcomes.errors import CalibrationError
from outcomes.evidence import Evidence, evidence_hash
from outcomes.synthetic.effects import Effects
from outcomes.synthetic.ensemble import Ensemble
from outcomes.synthetic.parameters import SHARED, FreeParameter
from outcomes.synthetic.ranges import varied
from outcomes.synthetic.records import (
    check_keys,
    read_list,
    read_numbers,
    read_object,
    read_record,
    read_records,
    refusal,
)
from outcomes.synthetic.series import Series, all_series, shared_parameters
from outcomes.synthetic.verification import Verification

FORMAT = 2
UNREADABLE = "not a readable calibration; allowed: the JSON that `outcomes calibrate` writes"
# Further from its prior, in standard deviations of it, no parameter means anything: the shipped
# ones lie within 5.
FARTHEST = 10.0
# An ensemble is stored with six digits.
ROUNDING = 1e-5


@dataclass(frozen=True)
class Target:
    """A published figure beside what the calibrated series would report.

    Attributes
    ----------
    id, study, quantity, role, unit, n
        As in the registry.
    published, achieved
        In `unit`; for a sign or a null, the log hazard ratio in the truth is `achieved`.
    standard_error
        Sampling standard error of the published figure, in `unit`.
    z
        (achieved - published) / standard_error.
    within
        Whether the figure is met; None where no tolerance applies.
    tension
        Why the figure cannot be met.
    statement
        The published words where there is no number.
    """

    id: str
    study: str
    quantity: str
    role: str
    published: float | None
    achieved: float | None
    unit: str
    n: int | None
    standard_error: float | None
    z: float | None
    within: bool | None
    tension: str | None
    statement: str


@dataclass(frozen=True)
class Parameter:
    """A calibrated parameter.

    Attributes
    ----------
    study
        Series, or ``shared``.
    name, unit, meaning
        What it is.
    value
        On the natural scale.
    prior, prior_sd
        Prior centre on the natural scale, and standard deviation on the scale solved on.
    identified
        Share of the prior variance that the figures remove, between 0 (the value is the prior's:
        an assumption) and 1 (the value is the figures').
    """

    study: str
    name: str
    value: float
    unit: str
    meaning: str
    prior: float
    prior_sd: float
    identified: float

    @property
    def key(self) -> str:
        """Unique name."""
        return f"{self.study}/{self.name}"


@dataclass(frozen=True)
class Decomposition:
    """A crude difference of medians taken apart under one causal hazard ratio.

    Attributes
    ----------
    study
        Series with SBRT by choice.
    hazard_ratio
        Assumed causal hazard ratio of death under SBRT.
    crude
        Difference of the published medians, months.
    causal
        Difference of medians if everyone were assigned SBRT or no one: the effect.
    selection
        What is added because the arms hold different patients.
    immortal_time
        What is added because patients count as treated only once SBRT starts.
    kps_difference
        Difference of the arms' mean Karnofsky scores.
    score_difference
        Difference of the arms' mean prognostic log hazard ratio of death (treated minus alone).
    standardised_difference
        How much better the prognosis of the treated is: minus `score_difference`, in standard
        deviations of the score over all patients.
    odds_ratio_per_sd
        Odds of getting SBRT for a patient whose prognosis is one standard deviation better: how
        strong the selection is.
    """

    study: str
    hazard_ratio: float
    crude: float
    causal: float
    selection: float
    immortal_time: float
    kps_difference: float
    score_difference: float
    standardised_difference: float
    odds_ratio_per_sd: float


@dataclass(frozen=True)
class Calibration:
    """Parameters that make synthetic series report the published figures.

    Attributes
    ----------
    targets
        Every figure the model speaks of, published and achieved.
    parameters
        Solved parameters, with how far the figures identify each.
    singular_values
        Of the figures' Jacobian in units of their standard errors and the priors', descending.
    converged
        Whether the least-squares search met its tolerance.
    decomposition
        The crude difference of medians of each series with SBRT by choice, taken apart.
    evidence
        The registry it was solved for.
    apart
        Studies whose figures cannot be met together with the others', solved by themselves.
    ensemble
        Parameter sets for other draws of figures and assumptions; None where none were drawn.
    verification
        Whether it holds in cohorts of the published size; None where none were drawn.
    """

    targets: tuple[Target, ...]
    parameters: tuple[Parameter, ...]
    singular_values: tuple[float, ...]
    converged: bool
    decomposition: tuple[Decomposition, ...]
    evidence: Evidence
    apart: tuple[str, ...] = ()
    ensemble: Ensemble | None = None
    verification: Verification | None = None

    def values(self, study: str) -> dict[str, float]:
        """Return the natural values of a series' parameters, its own or borrowed, by name."""
        if study != SHARED:
            study = self.series_of(study).borrows or study
        return {p.name: p.value for p in self.parameters if p.study == study}

    def decomposition_of(self, study: str) -> tuple[Decomposition, ...]:
        """Return the crude difference of one series taken apart."""
        return tuple(row for row in self.decomposition if row.study == study)

    @property
    def fitted(self) -> tuple[Target, ...]:
        """The published numbers that the parameters were solved for."""
        return tuple(t for t in self.targets if t.role == "fit" and t.published is not None)

    @property
    def effects(self) -> Effects:
        """The shared effects."""
        return Effects.from_values(self.evidence, self.values(SHARED))

    @property
    def series(self) -> tuple[Series, ...]:
        """Designs of the series, those that borrow their parameters included."""
        known = {parameter.study for parameter in self.parameters}
        return tuple(s for s in all_series(self.evidence) if (s.borrows or s.study) in known)

    def series_of(self, study: str) -> Series:
        """Return the design of a calibrated series."""
        for series in self.series:
            if series.study == study:
                return series
        allowed = ", ".join(series.study for series in self.series)
        raise CalibrationError(f"study {study!r} is not calibrated; allowed: {allowed}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "format": FORMAT,
            "evidence_hash": evidence_hash(self.evidence),
            "targets": [asdict(target) for target in self.targets],
            "parameters": {parameter.key: asdict(parameter) for parameter in self.parameters},
            "singular_values": list(self.singular_values),
            "decomposition": [asdict(row) for row in self.decomposition],
            "converged": self.converged,
            "apart": list(self.apart),
            "ensemble": self.ensemble and self.ensemble.to_dict(),
            "verification": self.verification and self.verification.to_dict(),
        }


def read_calibration(path: str | Path, evidence: Evidence) -> Calibration:
    """Read a calibration written as JSON.

    Raises
    ------
    CalibrationError
        If the file is missing, no calibration, of another format or for other evidence, or if a
        parameter is missing, no number, or absurdly far from its prior.
    """
    data = _read_json(path)
    if data.get("evidence_hash", "") != evidence_hash(evidence) and data.get("format") == FORMAT:
        raise CalibrationError(
            f"{path}: was solved for other figures or assumptions; allowed: the evidence it was "
            "made with"
        )
    return calibration_of(data, evidence, str(path))


def read_shipped(path: str | Path, evidence: Evidence) -> Calibration:
    """Read the calibration that comes with the package, as its evidence does.

    Where it was solved for earlier figures, its ensemble and verification are left out: they say
    nothing of these.
    """
    data = _read_json(path)
    if data.get("evidence_hash") != evidence_hash(evidence):
        data |= {"ensemble": None, "verification": None}
    return calibration_of(data, evidence, str(path))


def _read_json(path: str | Path) -> dict[str, Any]:
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CalibrationError(f"{path}: {UNREADABLE} ({error})") from error
    if not isinstance(data, dict):
        raise CalibrationError(f"{path}: {UNREADABLE}")
    return data


def calibration_of(data: Mapping[str, Any], evidence: Evidence, source: str) -> Calibration:
    """Return the calibration of plain data, as `Calibration.to_dict` gives them.

    Raises
    ------
    CalibrationError
        If the data are no calibration, of another format, or hold a value that cannot be.
    """
    try:
        if data["format"] != FORMAT:
            raise CalibrationError(f"format {data['format']!r:.60}; allowed: {FORMAT}")
        ensemble, verification = data["ensemble"], data["verification"]
        calibration = Calibration(
            targets=read_records(Target, data["targets"], "targets"),
            parameters=_parameters(data["parameters"]),
            singular_values=read_numbers(data["singular_values"], "singular_values"),
            converged=_is_true(data["converged"], "converged"),
            decomposition=read_records(
                Decomposition, data["decomposition"], "decomposition", undefined=True
            ),
            evidence=evidence,
            apart=_names(data["apart"], "apart"),
            ensemble=None if ensemble is None else Ensemble.from_dict(ensemble),
            verification=None if verification is None else Verification.from_dict(verification),
        )
        _check_parameters(calibration)
        if calibration.ensemble is not None:
            _check_ensemble(calibration.ensemble, calibration)
    except CalibrationError as error:
        raise CalibrationError(f"{source}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise CalibrationError(f"{source}: {UNREADABLE} ({error})") from error
    return calibration


def _parameters(data: object) -> tuple[Parameter, ...]:
    found = []
    for key, row in read_object(data, "parameters").items():
        parameter = read_record(Parameter, row, f"parameter {key}")
        if parameter.key != key:
            raise refusal(f"parameter {key}", parameter.key, "study and name as in its key")
        found.append(parameter)
    return tuple(found)


def _is_true(data: object, where: str) -> bool:
    if not isinstance(data, bool):
        raise refusal(where, data, "true or false")
    return data


def _names(data: object, where: str) -> tuple[str, ...]:
    names = read_list(data, where)
    for name in names:
        if not isinstance(name, str):
            raise refusal(where, name, "names of studies")
    return tuple(names)


def _free_parameters(calibration: Calibration) -> dict[str, FreeParameter]:
    """Return what a calibration of these series solves for, by key."""
    evidence = calibration.evidence
    own = tuple(free for series in calibration.series for free in series.parameters(evidence))
    return {free.key: free for free in (*shared_parameters(evidence), *own)}


def _check_parameters(calibration: Calibration) -> None:
    """Refuse a calibration that lacks a parameter of its series, or has an impossible one."""
    found = {parameter.key: parameter.value for parameter in calibration.parameters}
    free = _free_parameters(calibration)
    for key in free:
        if key not in found:
            raise CalibrationError(f"parameter {key}: missing; allowed: a number")
    for key, value in found.items():
        if key not in free:
            raise CalibrationError(f"parameter {key}: unknown; allowed: {', '.join(free)}")
        _check_value(free[key], value, f"parameter {key}")


def _check_ensemble(ensemble: Ensemble, calibration: Calibration) -> None:
    """Refuse an ensemble with other or impossible parameters or assumptions."""
    free = _free_parameters(calibration)
    check_keys(ensemble.parameters, list(free), "ensemble, parameters")
    for key, column in ensemble.parameters.items():
        for value in column:
            _check_value(free[key], value, f"ensemble, parameters, {key}")
    drawn = {assumption.id: assumption for assumption in varied(calibration.evidence)}
    check_keys(ensemble.assumptions, list(drawn), "ensemble, assumptions")
    for key, column in ensemble.assumptions.items():
        low, high = drawn[key].low, drawn[key].high
        slack = ROUNDING * max(abs(low), abs(high))
        for value in column:
            if not low - slack <= value <= high + slack:
                raise refusal(f"ensemble, assumptions, {key}", value, f"{low:g} to {high:g}")


def _check_value(free: FreeParameter, value: float, where: str) -> None:
    if not _is_possible(free, value):
        allowed = f"a number within {FARTHEST:g} prior standard deviations of {free.prior:g}"
        raise refusal(where, value, allowed)


def _is_possible(free: FreeParameter, value: float) -> bool:
    low, high = {"log": (0.0, math.inf), "logit": (0.0, 1.0), "identity": (-math.inf, math.inf)}[
        free.scale
    ]
    if not low < value < high:
        return False
    return abs(free.to_solved(float(value)) - free.prior_solved) <= FARTHEST * free.prior_sd
