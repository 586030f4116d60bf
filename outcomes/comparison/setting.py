"""The question of a comparison: a cohort split into two arms."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.comparison.arm import Arm, make_arm
from outcomes.comparison.contrast import Contrast
from outcomes.comparison.options import Options
from outcomes.comparison.result import Rung
from outcomes.comparison.splitting import Split
from outcomes.comparison.treatment import Arms, read_treatment
from outcomes.endpoints import OVERALL_SURVIVAL, Endpoint
from outcomes.errors import CohortError, NotEstimableError, OutcomesError, Violation
from outcomes.schema import RESULTS, count_patients, one_row_per_patient, patient_numbers

# A landmark analysis speaks of those without an event at the landmark, and hazard ratios do not
# collapse: without covariates they are nearer to 1.
OWN_TRUTH: Mapping[tuple[str, str], str] = {
    ("cox-unadjusted", "hazard_ratio"): "cox-unadjusted",
    ("iptw", "hazard_ratio"): "cox-unadjusted",
    ("time-dependent", "hazard_ratio"): "time-dependent",
    ("landmark", "risk_difference"): "landmark",
    ("landmark", "hazard_ratio"): "landmark",
}
"""Where a method's own truth stands, by method and estimand."""
OWN_TRUTHS: Mapping[str, str] = {
    "landmark-adjusted": "landmark",
    "clone-censor-weight": "clone-censor-weight",
}
"""Methods all of whose estimands have a truth of their own."""
REGIMEN, SBRT_START = "dose_regimen", "sbrt_start_months"
PARTS_OF_SBRT = ("sbrt", REGIMEN, SBRT_START, "study_arm")
"""Columns that tell whether or how SBRT was given; none of them can be held fixed."""
FEW_PATIENTS = 10
"""Fewer patients under observation than this at a horizon are said so."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What every method of comparison is given.

    Attributes
    ----------
    cohort
        The rows compared, a patient or a lesion each, in order of the arrays below.
    endpoint, treatment, horizons
        The endpoint, the treatment column, and months since surgery.
    covariates
        Adjusting covariates the user asks for; None for the default.
    time, codes, treated
        Months since surgery, event code and arm of each row, shape (n,).
    labels
        Names of the treated and the control arm.
    arms
        The treated and the control arm.
    truth
        Known true values by ``estimand`` or ``estimand@horizon``.
    notes
        Who was left out, and whether series are pooled.
    options
        What is chosen of the adjusted methods.
    """

    cohort: pd.DataFrame
    endpoint: Endpoint
    treatment: str
    horizons: tuple[float, ...]
    covariates: tuple[str, ...] | None
    time: FloatArray
    codes: IntArray
    treated: BoolArray
    labels: tuple[str, str]
    arms: tuple[Arm, Arm]
    truth: Mapping[str, float]
    notes: tuple[str, ...]
    options: Options = field(default_factory=Options)

    @property
    def strata(self) -> str | None:
        """The column whose levels have baseline hazards of their own, if there are several."""
        return "study" if self._levels("study") > 1 else None

    def stratum(self, rows: BoolArray) -> IntArray:
        """Return the number of each row's series among some rows, from 0; all 0 without series."""
        if self.strata is None:
            return np.zeros(int(rows.sum()), dtype=np.int64)
        codes = pd.factorize(self.cohort.loc[rows, self.strata], sort=True)[0]
        return np.asarray(codes, dtype=np.int64)

    @cached_property
    def cluster(self) -> IntArray:
        """Number of each row's patient within the study, from 0; without an identifier its own."""
        return patient_numbers(self.cohort)

    @cached_property
    def repeated(self) -> bool:
        """Whether some patient has several rows."""
        return int(self.cluster.max(initial=-1)) + 1 < self.cluster.size

    @cached_property
    def spans_arms(self) -> bool:
        """Whether some patient has rows in both arms."""
        treated, control = self.cluster[self.treated], self.cluster[~self.treated]
        return bool(np.intersect1d(treated, control).size)

    def counted(self, rows: BoolArray) -> str:
        """Return how many some rows are, such as ``60 lesions of 48 patients``."""
        return count_patients(self.cohort.loc[rows])

    @property
    def start_column(self) -> str | None:
        """The column that tells when treatment began; None without one.

        A regimen of SBRT against none begins with SBRT.
        """
        own = f"{self.treatment}_start_months"
        if own in self.cohort.columns:
            return own
        if self.treatment == REGIMEN and SBRT_START in self.cohort.columns:
            begun = self.cohort[SBRT_START].notna().to_numpy()
            return None if begun[~self.treated].any() else SBRT_START
        return None

    @property
    def start(self) -> FloatArray:
        """Month at which treatment began: infinite in control patients, NaN where unknown."""
        months = np.full(self.time.size, np.nan)
        if self.start_column is not None:
            months = self.cohort[self.start_column].to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(self.treated, months, np.inf)

    @property
    def starts_later(self) -> bool:
        """Whether treatment is known to have begun after month 0 in anyone."""
        start = self.start
        return bool((start[np.isfinite(start)] > 0).any())

    def require_start(self) -> None:
        """Raise NotEstimableError where nothing tells when treatment began."""
        if self.start_column is None:
            raise NotEstimableError(
                f"there is no column {self.treatment}_start_months: when treatment began is "
                "unknown (0 for one given at surgery)"
            )

    def subset(self, rows: BoolArray, treated: BoolArray) -> "Setting":
        """Return the setting of some of the rows, with a new reading of their arm.

        Both arrays have the shape (n,) of the present rows.
        """
        time, codes, arm = self.time[rows], self.codes[rows], treated[rows]
        return replace(
            self,
            cohort=self.cohort.loc[rows],
            time=time,
            codes=codes,
            treated=arm,
            arms=split(self.endpoint, self.labels, time, codes, arm, self.cluster[rows]),
        )

    def rung(
        self,
        method: str,
        estimand: str,
        horizon: float | None,
        estimate: Callable[[], Contrast],
        note: str = "",
    ) -> Rung:
        """Return a rung; one that is not estimable keeps its place and says why."""
        truth = self._truth(method, estimand, horizon)
        try:
            contrast = estimate()
        except NotEstimableError as error:
            reason = f"not estimable because {error}"
            return Rung(
                method, estimand, self.endpoint.name, horizon, None, None, None, None, truth, reason
            )
        return Rung(
            method=method,
            estimand=estimand,
            endpoint=self.endpoint.name,
            horizon_months=horizon,
            value=contrast.value,
            lower=contrast.lower,
            upper=contrast.upper,
            p=contrast.p,
            truth=truth,
            note="; ".join(text for text in (note, contrast.note) if text),
        )

    def rungs(
        self,
        method: str,
        estimates: Mapping[str, Callable[[float], Contrast]],
        note: str = "",
        analysed: BoolArray | None = None,
    ) -> Iterator[Rung]:
        """Yield a rung for each horizon and estimand; an estimate is a function of the horizon.

        `analysed` are the rows that the estimates rest on, by default all.
        """
        rest_on = self if analysed is None else self.subset(analysed, self.treated)
        for horizon in self.horizons:
            said = "; ".join(text for text in (note, rest_on._few_left(horizon)) if text)
            for estimand, estimate in estimates.items():
                yield self.rung(method, estimand, horizon, partial(estimate, horizon), said)

    def require_follow_up(self, horizon: float) -> None:
        """Raise NotEstimableError where an arm's follow-up ends before a horizon."""
        for arm in self.arms:
            arm.require_follow_up(horizon)

    def _few_left(self, horizon: float) -> str:
        """Return a warning where an arm is all but unobserved at a horizon."""
        left = [arm.at_risk(horizon) for arm in self.arms]
        if min(left) >= FEW_PATIENTS:
            return ""
        return f"few left under observation: {left[0]} treated and {left[1]} control patients"

    def _truth(self, method: str, estimand: str, horizon: float | None) -> float | None:
        """Return the known true value; ratios follow from the true risks.

        A method that estimates something of its own is held against its own truth or none.
        """
        suffix = "" if horizon is None else f"@{horizon:g}"
        own = OWN_TRUTH.get((method, estimand), OWN_TRUTHS.get(method))
        prefix = "" if own is None else f"{own}:"

        def known(name: str) -> float | None:
            value = self.truth.get(f"{prefix}{name}{suffix}")
            return None if value is None else float(value)

        value = known(estimand)
        if value is None and estimand == "risk_ratio":
            treated, control = known("risk_treated"), known("risk_control")
            return treated / control if treated is not None and control else None
        if value is None and estimand == "number_needed_to_treat":
            change = known("risk_difference")
            return -1 / change if change else None
        return value

    def _levels(self, column: str) -> int:
        return int(self.cohort[column].nunique()) if column in self.cohort.columns else 0


def make_setting(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    treatment: str,
    horizons: Sequence[float],
    covariates: Sequence[str] | None,
    truth: Mapping[str, float] | None,
    options: Options | None = None,
    split_by: Split | None = None,
) -> Setting:
    """Split a cohort into two arms.

    `split_by` tells how a treatment column of more than two values makes two arms.

    Raises
    ------
    CohortError
        If a column is missing, the treatment does not have two values, or the treatment or a
        covariate tells how a patient fared.
    NotEstimableError
        If no patient is left.
    OutcomesError
        If a time, event code or horizon is not allowed.
    """
    months = tuple(dict.fromkeys(float(horizon) for horizon in horizons))
    for horizon in months:
        if not (np.isfinite(horizon) and horizon > 0):
            raise OutcomesError(f"a horizon is a positive number of months; found {horizon:g}")
    _check_columns(cohort, endpoint, treatment, covariates or ())
    everyone = pd.DataFrame(cohort).reset_index(drop=True)
    response = endpoint.response(everyone)
    repeated = ""
    if endpoint == OVERALL_SURVIVAL:
        everyone, repeated = one_row_per_patient(everyone)
    frame, notes = _eligible(everyone, treatment, split_by)
    if frame.empty:
        raise NotEstimableError("no patient is left to compare")
    column = frame[treatment]
    arms = read_treatment(column) if split_by is None else Arms(*split_by.read(column))
    patients = patient_numbers(frame)
    several = ""
    if int(patients.max()) + 1 < patients.size:
        several = f"{count_patients(frame)}: intervals and tests count patients"
    response = response[frame.index.to_numpy()]
    time = response["time"].astype(np.float64)
    codes = response["event"].astype(np.int64)
    return Setting(
        cohort=frame,
        endpoint=endpoint,
        treatment=treatment,
        horizons=months,
        covariates=None if covariates is None else tuple(covariates),
        time=time,
        codes=codes,
        treated=arms.treated,
        labels=arms.labels,
        arms=split(endpoint, arms.labels, time, codes, arms.treated, patients),
        truth=truth or {},
        notes=tuple(note for note in (repeated, several, arms.note, *notes) if note),
        options=Options() if options is None else options,
    )


def _check_columns(
    cohort: pd.DataFrame, endpoint: Endpoint, treatment: str, covariates: Sequence[str]
) -> None:
    """Refuse a cohort without the columns needed, and results in the place of causes."""
    violations = [
        Violation(column, None, None, f"needed to compare {endpoint.name} by {treatment}")
        for column in (*endpoint.columns, treatment)
        if column not in cohort.columns
    ]
    violations += [
        Violation(column, None, f"an outcome, used as {use}", "what was known before it")
        for use, columns in (("treatment", (treatment,)), ("covariate", covariates))
        for column in columns
        if column in RESULTS
    ]
    if treatment in PARTS_OF_SBRT:
        violations += [
            Violation(name, None, "a part of the treatment, used as covariate", "other columns")
            for name in covariates
            if name in PARTS_OF_SBRT
        ]
    started = f"{treatment}_start_months"
    if started in cohort.columns:
        violations += _wrong_starts(cohort[started])
    if violations:
        raise CohortError(tuple(violations))


def _wrong_starts(column: pd.Series) -> list[Violation]:
    name = str(column.name)
    if not pd.api.types.is_numeric_dtype(column):
        return [Violation(name, None, "text", "months since surgery")]
    if (column < 0).any():
        return [Violation(name, None, f"{column.min():g}", "months since surgery, 0 or more")]
    return []


def split(
    endpoint: Endpoint,
    labels: tuple[str, str],
    time: FloatArray,
    codes: IntArray,
    treated: BoolArray,
    patients: IntArray,
) -> tuple[Arm, Arm]:
    """Return the treated and the control arm; `patients` tells the rows of one patient."""

    def arm(name: str, label: str, rows: BoolArray) -> Arm:
        return make_arm(name, label, endpoint, time[rows], codes[rows], patients[rows])

    return arm("treated", labels[0], treated), arm("control", labels[1], ~treated)


def _eligible(
    frame: pd.DataFrame, treatment: str, split_by: Split | None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the patients who can be compared, and notes on who they are."""
    notes: list[str] = []
    if "study" in frame.columns and len(frame["study"].dropna().unique()) > 1:
        nowhere = frame["study"].isna()
        if nowhere.any():
            notes.append(f"{count_patients(frame[nowhere])} of an unknown study are left out")
            frame = frame.loc[~nowhere]
    known = frame[treatment].notna()
    if not known.all():
        missing = count_patients(frame[~known])
        notes.append(f"{missing} without a value of {treatment} are left out")
        frame = frame.loc[known]
    if split_by is not None:
        kept = split_by.keeps(frame[treatment])
        if not kept.all():
            others = count_patients(frame[~kept])
            notes.append(f"{others} with other values of {treatment} are left out")
            frame = frame.loc[kept]
    if treatment == "sbrt" and "procedure" in frame.columns:
        # The question is what SBRT adds to surgery.
        unoperated = frame["procedure"] == "none"
        if unoperated.any():
            notes.append(f"{count_patients(frame[unoperated])} without surgery are left out")
            frame = frame.loc[~unoperated]
    series = frame["study"].nunique() if "study" in frame.columns else 0
    if series > 1:
        notes.append(f"{series} series are pooled; a crude estimate mixes their patients")
    return frame, tuple(notes)
