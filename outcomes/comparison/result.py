"""What a comparison of two arms returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pandas as pd

from outcomes.arrays import FloatArray
from outcomes.estimate import Estimate

if TYPE_CHECKING:
    from outcomes.comparison.robustness import Robustness
    from outcomes.comparison.target_trial import TargetTrial


@dataclass(frozen=True)
class Rung:
    """One estimate of the treatment effect: a rung of the ladder from crude to adjusted.

    Attributes
    ----------
    method
        How it was estimated, e.g. ``"crude"``, ``"cox-adjusted"``, ``"landmark"``.
    estimand
        What was estimated, e.g. ``"risk_difference"``. Risks are those of the endpoint's event
        by the horizon; differences are treated minus control, ratios treated over control.
    endpoint
        Name of the endpoint.
    horizon_months
        Months since surgery; None for a quantity without horizon.
    value
        The estimate; for a test, its statistic. None if it is not estimable.
    lower, upper
        Limits of the 95 % interval; None where there is none.
    p
        p value of no effect; None where there is none.
    truth
        The known true value in simulated data; None where it is unknown.
    note
        Why the estimate is missing or how it must be read; "" if it speaks for itself.
    """

    method: str
    estimand: str
    endpoint: str
    horizon_months: float | None
    value: float | None
    lower: float | None
    upper: float | None
    p: float | None
    truth: float | None
    note: str


@dataclass(frozen=True, eq=False)
class ArmCurve:
    """The curve of one arm, as steps from month 0 to the end of its follow-up.

    Attributes
    ----------
    arm
        ``"treated"`` or ``"control"``.
    label
        Name shown to readers.
    n, patients, events
        Rows, which are lesions where a patient has several; patients; and events of interest.
    months, estimate
        Start of each step and its value: survival for an endpoint without competing events,
        else the cumulative incidence of the event of interest. The last month is that of the
        last observation. Empty for an arm without patients.
    lower, upper
        Limits of the 95 % interval of each step, whose errors count patients. Where a survival
        curve has reached 0 and has no interval, 0 and the upper limit before it.
    median
        Median survival in months; None with competing events and for an empty arm.
    risk_months, at_risk
        Months of the risk table and the rows at risk just before them.
    censored_months
        Distinct months at which a patient was censored.
    """

    arm: str
    label: str
    n: int
    patients: int
    events: int
    months: FloatArray
    estimate: FloatArray
    lower: FloatArray
    upper: FloatArray
    median: Estimate | None
    risk_months: tuple[float, ...]
    at_risk: tuple[int, ...]
    censored_months: FloatArray


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two arms and every estimate of the difference between them.

    Attributes
    ----------
    endpoint, treatment
        Names of the endpoint and of the treatment column.
    horizons
        Months since surgery.
    arms
        Curves of the treated and the control arm.
    inflated
        With competing events, 1 - Kaplan-Meier of both arms: what comes of treating a competing
        event as censoring. Shown for its inflation, never as the result.
    rungs
        The estimates.
    notes
        What must be known of the comparison as a whole.
    target_trials
        The trial that each method imitates.
    robustness
        What the adjusted estimates rest on; None where it was not looked at.
    complete
        Rows of the treated and the control arm with every adjusting covariate; None where nothing
        can be adjusted for.
    """

    endpoint: str
    treatment: str
    horizons: tuple[float, ...]
    arms: tuple[ArmCurve, ArmCurve]
    inflated: tuple[ArmCurve, ArmCurve] | None
    rungs: tuple[Rung, ...]
    notes: tuple[str, ...]
    target_trials: tuple[TargetTrial, ...] = ()
    robustness: Robustness | None = None
    complete: tuple[int, int] | None = None

    def to_records(self) -> list[dict[str, str | float | None]]:
        """Return the estimates as plain data, the rows of ``comparison.json``."""
        return [asdict(rung) for rung in self.rungs]

    def to_frame(self) -> pd.DataFrame:
        """Return the estimates as a table, one row each."""
        return pd.DataFrame(self.to_records(), columns=list(Rung.__dataclass_fields__))
