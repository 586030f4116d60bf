"""The endpoints: which columns hold time and event, and which events compete.

The clock of every endpoint counts months since surgery. A response is the structured array that
scikit-survival takes, with the fields ``event`` and ``time``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from outcomes.arrays import StructuredArray
from outcomes.errors import OutcomesError


@dataclass(frozen=True)
class Endpoint:
    """A time-to-event endpoint.

    Attributes
    ----------
    name
        Identifier used by the command line and in files.
    title
        Name shown to readers.
    time_column, event_column
        Columns of the cohort; the time is in months since surgery.
    events
        Meaning of each event code; 0 is censored and 1 the event of interest.
    complement_title
        Name of the probability that the event of interest has not happened.
    """

    name: str
    title: str
    time_column: str
    event_column: str
    events: Mapping[int, str]
    complement_title: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "events", MappingProxyType(dict(self.events)))

    def __hash__(self) -> int:
        return hash((self.name, self.columns, tuple(sorted(self.events.items()))))

    def __reduce__(self) -> tuple[type["Endpoint"], tuple[str | dict[int, str], ...]]:
        # A mapping proxy can be neither pickled nor copied.
        return type(self), (
            self.name,
            self.title,
            self.time_column,
            self.event_column,
            dict(self.events),
            self.complement_title,
        )

    @property
    def columns(self) -> tuple[str, str]:
        """Time and event column."""
        return self.time_column, self.event_column

    @property
    def competing_codes(self) -> tuple[int, ...]:
        """Event codes that compete with the event of interest."""
        return tuple(code for code in sorted(self.events) if code > 1)

    @property
    def has_competing_events(self) -> bool:
        """Whether another event can prevent the event of interest."""
        return bool(self.competing_codes)

    def response(self, cohort: pd.DataFrame) -> StructuredArray:
        """Return the structured response of a cohort.

        Parameters
        ----------
        cohort
            Table with the endpoint's two columns.

        Returns
        -------
        structured array, shape (n_patients,)
            ``event`` is boolean without competing events and an integer code with them;
            ``time`` is in months.

        Raises
        ------
        OutcomesError
            If a column is missing, a time is negative or not finite, or a code is unknown.
        """
        absent = [column for column in self.columns if column not in cohort.columns]
        if absent:
            raise OutcomesError(
                f"{self.name} needs the columns {', '.join(self.columns)}; "
                f"missing: {', '.join(absent)}"
            )
        return self.make_response(
            cohort[self.time_column].to_numpy(), cohort[self.event_column].to_numpy()
        )

    def make_response(self, time: object, event: object) -> StructuredArray:
        """Return the structured response made of two sequences, checked as in `response`."""
        try:
            times = np.asarray(time, dtype=np.float64)
            codes = np.asarray(event, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise OutcomesError(
                f"{self.name}: {self.time_column} and {self.event_column}: {error}; allowed: "
                "numbers"
            ) from None
        if times.ndim != 1 or times.shape != codes.shape:
            raise OutcomesError(
                f"{self.name}: time and event must be two sequences of one length; "
                f"found shapes {times.shape} and {codes.shape}"
            )
        if not (np.isfinite(times).all() and (times >= 0).all()):
            row = int(np.flatnonzero(~(np.isfinite(times) & (times >= 0)))[0])
            raise OutcomesError(
                f"{self.name}: row {row + 1}, {self.time_column}: found {times[row]}; "
                "allowed: months since surgery, finite and at least 0"
            )
        known = np.isin(codes, list(self.events))
        if not known.all():
            row = int(np.flatnonzero(~known)[0])
            raise OutcomesError(
                f"{self.name}: row {row + 1}, {self.event_column}: found {codes[row]:g}; "
                f"allowed: {', '.join(f'{code} ({text})' for code, text in self.events.items())}"
            )
        event_type = np.dtype(np.int8) if self.has_competing_events else np.dtype(np.bool_)
        response = np.empty(len(times), dtype=[("event", event_type), ("time", np.float64)])
        response["event"] = codes.astype(event_type)
        response["time"] = times
        return response


OVERALL_SURVIVAL = Endpoint(
    name="overall-survival",
    title="Overall survival",
    time_column="os_months",
    event_column="death",
    events={0: "censored", 1: "death"},
    complement_title="Alive",
)

LOCAL_CONTROL = Endpoint(
    name="local-control",
    title="Local control",
    time_column="lp_months",
    event_column="lp_event",
    events={0: "censored", 1: "local progression", 2: "death without local progression"},
    complement_title="Without local progression",
)

HARDWARE_FAILURE = Endpoint(
    name="hardware-failure",
    title="Hardware failure",
    time_column="hardware_months",
    event_column="hardware_event",
    events={0: "censored", 1: "hardware failure", 2: "death without hardware failure"},
    complement_title="Without hardware failure",
)

ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {endpoint.name: endpoint for endpoint in (OVERALL_SURVIVAL, LOCAL_CONTROL, HARDWARE_FAILURE)}
)


def get_endpoint(endpoint: str | Endpoint) -> Endpoint:
    """Return an endpoint by its name; an endpoint is returned as it is."""
    if isinstance(endpoint, Endpoint):
        return endpoint
    try:
        return ENDPOINTS[endpoint]
    except (KeyError, TypeError):
        raise OutcomesError(
            f"unknown endpoint {endpoint!r}; allowed: {', '.join(ENDPOINTS)}"
        ) from None
