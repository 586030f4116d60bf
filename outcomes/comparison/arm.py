"""One arm of a comparison: its patients, curves and estimates at a horizon."""

from dataclasses import dataclass, replace

import numpy as np

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.comparison.contrast import FEWEST_PATIENTS, ArmEstimate, Scale
from outcomes.comparison.result import ArmCurve
from outcomes.comparison.spread import incidence_errors, time_lost_error
from outcomes.curves.aalen_johansen import AalenJohansen, aalen_johansen
from outcomes.curves.kaplan_meier import KaplanMeier, kaplan_meier
from outcomes.curves.restricted_mean import (
    restricted_mean_survival_time,
    restricted_mean_time_lost,
)
from outcomes.endpoints import Endpoint
from outcomes.errors import NotEstimableError
from outcomes.schema import patients_in_words

# The error of a million patients is a thousand times as large; less than this is rounding.
LEAST_ERROR = 1e-7


@dataclass(frozen=True, eq=False)
class Arm:
    """The patients of one arm; one may have several rows, all errors then count patients.

    Attributes
    ----------
    name
        ``"treated"`` or ``"control"``.
    label
        Name shown to readers.
    time, codes
        Months since surgery and event code of the endpoint, shape (n,).
    survival
        Kaplan-Meier of the event of interest, any other event being censored; None if empty.
    incidence
        Aalen-Johansen with the competing events; None without such events or if empty.
    cluster
        Number of each row's patient, from 0, shape (n,); None where each has one row.
    """

    name: str
    label: str
    time: FloatArray
    codes: IntArray
    survival: KaplanMeier | None
    incidence: AalenJohansen | None
    cluster: IntArray | None = None

    @property
    def n(self) -> int:
        """Number of rows: patients, or lesions where some have several."""
        return int(self.time.size)

    @property
    def patients(self) -> int:
        """Number of patients."""
        return self.n if self.cluster is None else int(self.cluster.max()) + 1

    @property
    def events(self) -> int:
        """Number of events of interest."""
        return int((self.codes == 1).sum())

    def at_risk(self, month: float) -> int:
        """Return the number of patients still under observation without an event."""
        present = self.time >= month
        if self.cluster is None:
            return int(present.sum())
        return int(np.unique(self.cluster[present]).size)

    def risk(self, horizon: float) -> ArmEstimate:
        """Return the probability of the event of interest by a horizon.

        Raises
        ------
        NotEstimableError
            If the arm is empty or its follow-up ends before the horizon.
        """
        if self.incidence is None:
            return self.naive_risk(horizon)
        self._require(self.incidence.event_free.end, horizon)
        return self._estimate(
            float(self.incidence.incidence_at(1, horizon)),
            float(self.incidence.standard_error_at(1, horizon)),
            horizon,
            "risk",
        )

    def require_follow_up(self, horizon: float) -> None:
        """Raise NotEstimableError if the arm is empty or its follow-up ends before a horizon."""
        curve = self._curve().survival if self.incidence is None else self.incidence.event_free
        self._require(curve.end, horizon)

    def naive_risk(self, horizon: float) -> ArmEstimate:
        """Return 1 - Kaplan-Meier at a horizon: the risk only where no event competes."""
        curve = self._curve()
        self._require(curve.survival.end, horizon)
        return self._estimate(
            1 - float(curve.survival_at(horizon)),
            float(curve.standard_error_at(horizon)),
            horizon,
            "survival",
        )

    def restricted_mean(self, horizon: float) -> ArmEstimate:
        """Return mean survival, or with competing events mean time lost, within a horizon.

        Raises
        ------
        NotEstimableError
            If the arm is empty or its follow-up ends before the horizon.
        """
        curve = self._curve()
        if self.incidence is None:
            self._require(curve.survival.end, horizon)
            mean = restricted_mean_survival_time(curve, horizon)
        else:
            self._require(self.incidence.event_free.end, horizon)
            mean = restricted_mean_time_lost(self.incidence, 1, horizon)
        error = mean.standard_error
        if self.cluster is not None:
            # Mean survival moves by as much as the mean time lost, the other way.
            error = time_lost_error(self.time, self.codes, self.cluster, horizon)
        return replace(self._estimate(mean.value, error, horizon), bounds=(0.0, horizon))

    def curve(self, risk_months: tuple[float, ...], *, naive: bool = False) -> ArmCurve:
        """Return the curve for a chart; `naive` gives 1 - Kaplan-Meier."""
        if self.survival is None:
            empty = np.empty(0)
            return ArmCurve(
                arm=self.name,
                label=self.label,
                n=0,
                patients=0,
                events=0,
                months=empty,
                estimate=empty,
                lower=empty,
                upper=empty,
                median=None,
                risk_months=risk_months,
                at_risk=(0,) * len(risk_months),
                censored_months=empty,
            )
        start, median = 0.0, None
        if self.incidence is not None and not naive:
            table = self.incidence.table
            estimate = self.incidence.incidence[1].values
            lower, upper = self.incidence.interval(1)
            lower, upper = np.nan_to_num(lower, nan=0.0), np.nan_to_num(upper, nan=1.0)
        else:
            table = self.survival.table
            estimate = self.survival.survival.values
            lower, upper = _close_band(*self.survival.interval())
            if naive:
                estimate, lower, upper = 1 - estimate, 1 - upper, 1 - lower
            else:
                start, median = 1.0, self.survival.median()
        keep = table.events[:, 0] > 0
        keep[-1] = True
        # A curve starts at month 0 unless an event happened on that very day.
        first = np.full(int(table.times[keep][0] > 0), start)
        return ArmCurve(
            arm=self.name,
            label=self.label,
            n=self.n,
            patients=self.patients,
            events=self.events,
            months=np.concatenate((0 * first, table.times[keep])),
            estimate=np.concatenate((first, estimate[keep])),
            lower=np.concatenate((first, lower[keep])),
            upper=np.concatenate((first, upper[keep])),
            median=median,
            risk_months=risk_months,
            at_risk=tuple(table.at_risk_at(risk_months).tolist()),
            censored_months=table.times[table.censored > 0],
        )

    def _curve(self) -> KaplanMeier:
        if self.survival is None:
            raise NotEstimableError(f"the arm '{self.label}' has no patient")
        return self.survival

    def _require(self, end: float, horizon: float) -> None:
        if horizon > end:
            raise NotEstimableError(
                f"follow-up of the arm '{self.label}' ends at month {end:.4g}, "
                f"before month {horizon:g}"
            )

    def _estimate(
        self, value: float, error: float, horizon: float, scale: Scale = "plain"
    ) -> ArmEstimate:
        """Return an estimate, without error where no event, or only events, leave none."""
        if self.cluster is not None and self.patients < FEWEST_PATIENTS:
            reason = f"the arm '{self.label}' has {patients_in_words(self.n, self.patients)} alone"
            return ArmEstimate(value, None, reason=reason)
        if error > LEAST_ERROR:
            return ArmEstimate(value, error, scale=scale)
        if not ((self.codes == 1) & (self.time <= horizon)).any():
            what = "no event has happened"
        else:
            what = "nobody is left" if self.cluster is None else "nobody fared unlike the others"
        reason = f"{what} in the arm '{self.label}' by month {horizon:g}"
        return ArmEstimate(value, None, reason=reason)


def make_arm(
    name: str,
    label: str,
    endpoint: Endpoint,
    time: FloatArray,
    codes: IntArray,
    patient: IntArray | None = None,
) -> Arm:
    """Return an arm with its curves.

    `patient` tells the rows of one patient, shape (n,); by default each has one row.
    """
    if not time.size:
        return Arm(name, label, time, codes, None, None)
    survival, incidence = kaplan_meier(time, codes == 1), None
    if endpoint.has_competing_events:
        causes = (1, *endpoint.competing_codes)
        incidence = aalen_johansen(time, codes, causes=causes)
    cluster = None if patient is None else np.unique(patient, return_inverse=True)[1]
    if cluster is None or int(cluster.max()) + 1 == time.size:
        return Arm(name, label, time, codes, survival, incidence)
    alone = _errors(time, (codes == 1).astype(np.int64), cluster)
    alone[survival.survival.values <= 0] = np.nan
    survival = replace(survival, standard_error=alone)
    if incidence is not None:
        errors = {**incidence.standard_error, 1: _errors(time, codes, cluster)}
        incidence = replace(incidence, standard_error=errors)
    return Arm(name, label, time, codes, survival, incidence, cluster)


def _errors(time: FloatArray, codes: IntArray, cluster: IntArray) -> FloatArray:
    """Return standard errors of an incidence over time; NaN where there is but one patient."""
    if cluster.max() == 0:
        return np.full(np.unique(time).size, np.nan)
    return incidence_errors(time, codes, cluster)


def _close_band(lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return limits in which a curve that has reached 0 keeps the upper limit before it."""
    gone = np.isnan(lower)
    before = upper[~gone]
    last = before[-1] if before.size else 1.0
    return np.where(gone, 0.0, lower), np.where(gone, last, upper)


def check_arms(labels: tuple[str, str], treated: BoolArray, event: BoolArray | None = None) -> None:
    """Refuse to compare arms of which one is empty or, given the events, has none.

    Parameters
    ----------
    labels
        Names of the treated and the control arm.
    treated, event
        Who is treated and who had the event, shape (n,).

    Raises
    ------
    NotEstimableError
        Naming the arm.
    """
    members = (treated, ~treated)
    for label, member in zip(labels, members, strict=True):
        if not member.any():
            raise NotEstimableError(f"the arm '{label}' has no patient")
    if event is None:
        return
    if not event.any():
        raise NotEstimableError("nobody has had the event")
    for label, member in zip(labels, members, strict=True):
        if not event[member].any():
            raise NotEstimableError(f"the arm '{label}' has no event")
