"""What a study prints of survival and follow-up."""

from dataclasses import dataclass

from outcomes.evidence.figure import Evidence, Figure
from outcomes.evidence.printed import listed

AVERAGES = ("mean_sd", "mean_among_observed")


@dataclass(frozen=True)
class Survival:
    """The median survivals of a study's groups and its follow-up, in months.

    Attributes
    ----------
    medians
        Figures of the median survivals.
    average, span
        Figures of the mean follow-up with its standard deviation, and of its range.
    """

    medians: tuple[Figure, ...] = ()
    average: Figure | None = None
    span: Figure | None = None

    @property
    def mean(self) -> float | None:
        """Mean follow-up."""
        return None if self.average is None else self.average.value

    @property
    def sd(self) -> float | None:
        """Standard deviation of the follow-up."""
        return None if self.average is None else self.average.sd

    @property
    def low(self) -> float | None:
        """Shortest follow-up."""
        return None if self.span is None else self.span.low

    @property
    def high(self) -> float | None:
        """Longest follow-up."""
        return None if self.span is None else self.span.high

    @property
    def ids(self) -> tuple[str, ...]:
        """Identifiers of the figures."""
        figures = (*self.medians, self.average, self.span)
        return tuple(dict.fromkeys(figure.id for figure in figures if figure is not None))

    @property
    def words(self) -> str:
        """The medians and the follow-up in words."""
        told = listed(f"{m.value:g} months ({m.n} patients)" for m in self.medians)
        plural = "survivals" if len(self.medians) > 1 else "survival"
        return f"Median {plural} of {told} with {self.low:g}-{self.high:g} months of follow-up"


def follow_up_of(
    evidence: Evidence, study: str, arm: str, medians: tuple[Figure, ...] = ()
) -> Survival:
    """Return what a study prints of the follow-up of an arm, else of all its patients."""
    figures = [
        figure
        for figure in evidence.of_study(study)
        if figure.quantity.startswith("follow_up")
        and figure.arm in (arm, "")
        and figure.unit == "months"
        and not figure.same_as
    ]
    figures.sort(key=lambda figure: figure.arm != arm)
    averages = [f for f in figures if f.estimand in AVERAGES and f.sd is not None]
    spans = [f for f in figures if f.low is not None and f.high is not None]
    return Survival(medians, averages[0] if averages else None, spans[0] if spans else None)


def survival_of(evidence: Evidence, study: str, arm: str, n: int) -> Survival | None:
    """Return what a study prints of the survival of `n` patients; None without medians.

    The medians are those of groups that together are the n patients, else that of all.
    """
    medians = [
        figure
        for figure in evidence.of_study(study)
        if figure.estimand == "kaplan_meier_median"
        and figure.quantity.startswith("overall_survival")
        and figure.value
        and figure.n
        and not figure.same_as
    ]
    own = tuple(f for f in medians if f.arm == arm and f.n == n)
    groups = tuple(f for f in medians if f.arm and not arm)
    if groups and sum(f.n or 0 for f in groups) == n:
        own = groups
    return follow_up_of(evidence, study, arm, own) if own else None
