"""Series drawn from a consistent world: the audit finds nothing that chance does not allow."""

from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.evidence import ESTIMANDS, Evidence, Figure, Finding, Study, audit

STUDY = "own-2024"


def printed(value: float, digits: int) -> float:
    return float(f"{value:.{digits}f}")


def figure(name: str, estimand: str, value: float | None = None, **more: object) -> Figure:
    """Return a figure of the series as the registry would hold it."""
    arm = str(more.pop("arm", ""))
    unit = str(more.pop("unit", "months"))
    return Figure(
        id=f"{STUDY}/{name}" + (f"/{arm}" if arm else ""),
        study=STUDY,
        quantity=name,
        estimand=estimand,  # type: ignore[arg-type]
        role="check",
        source=str(more.pop("source", f"Table of {name}")),
        value=value,
        unit=unit,
        arm=arm,
        **more,  # type: ignore[arg-type]
    )


def survival_curve(months: np.ndarray, died: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    times = np.unique(months[died])
    at_risk = (months[:, None] >= times).sum(axis=0)
    deaths = (months[died][:, None] == times).sum(axis=0)
    return times, np.cumprod(1 - deaths / at_risk)


def counted(name: str, count: int, n: int, **more: object) -> Figure:
    return figure(
        name, "crude_proportion", printed(100 * count / n, 1), n=n, unit="percent", **more
    )


def series(seed: int, follow_up_of_all: bool) -> Evidence:
    """Draw two arms and print what a paper prints of them."""
    rng = np.random.default_rng(seed)
    sizes = {"first": int(rng.integers(12, 120)), "second": int(rng.integers(12, 120))}
    n = sum(sizes.values())
    shape, first, last = rng.uniform(0.7, 2.0), rng.uniform(0, 12), rng.uniform(18, 60)
    figures = [figure("patients", "count", n, n=n, unit="patients")]
    groups = {}
    for arm, size in sizes.items():
        scale = rng.uniform(5, 40) / np.log(2) ** (1 / shape)
        death = scale * rng.weibull(shape, size)
        end = first + (last - first) * rng.beta(*rng.uniform(0.5, 3, 2), size)
        groups[arm] = (np.minimum(death, end), death <= end, rng.random(size) < 0.2)
        figures.append(figure("patients", "count", size, n=n, arm=arm, unit="patients"))
        figures += list(of_arm(arm, *groups[arm], rng))
    months, died, relapsed = (np.concatenate(parts) for parts in zip(*groups.values(), strict=True))
    figures += list(of_all(months, died, relapsed, follow_up_of_all))
    less, more = sorted(printed(x, 1) for x in rng.uniform(100, 900, 2))
    words = f"less blood loss ({less} mL vs {more} mL), longer stay ({more} vs {less} days)"
    figures.append(figure("words", "sign", n=n, unit="", statement=words))
    study = Study(STUDY, "Own 2024", "Drawn", "None", n=n)
    return Evidence(studies=(study,), figures=tuple(figures), assumptions=())


def one_year(months: np.ndarray, died: np.ndarray, **more: object) -> Iterator[Figure]:
    times, alive = survival_curve(months, died)
    if times.size and times[0] < 12 < months.max():
        share = printed(100 * alive[times <= 12][-1], 1)
        yield figure(
            "overall_survival_12m",
            "kaplan_meier",
            share,
            n=months.size,
            at_month=12.0,
            unit="percent",
            **more,
        )


def of_arm(
    arm: str, months: np.ndarray, died: np.ndarray, relapsed: np.ndarray, rng: np.random.Generator
) -> Iterator[Figure]:
    n = months.size
    yield counted("relapse", int(relapsed.sum()), n, arm=arm)
    times, alive = survival_curve(months, died)
    if alive.size and alive[-1] <= 0.5:
        median = printed(times[np.argmax(alive <= 0.5)], 1)
        yield figure("overall_survival_median", "kaplan_meier_median", median, n=n, arm=arm)
    yield from one_year(months, died, arm=arm)
    pain = rng.integers(0, 11, n)
    yield figure(
        "pain",
        "mean_sd",
        printed(pain.mean(), 2),
        sd=printed(pain.std(ddof=1), 2),
        low=float(pain.min()),
        high=float(pain.max()),
        n=n,
        arm=arm,
        unit="points",
    )


def of_all(
    months: np.ndarray, died: np.ndarray, relapsed: np.ndarray, follow_up_of_all: bool
) -> Iterator[Figure]:
    n = months.size
    yield counted("relapse", int(relapsed.sum()), n)
    yield from one_year(months, died)
    deaths = int(died.sum())
    yield figure("deaths", "count", deaths, n=n, unit="patients", part_of=STUDY)
    yield figure("survivors", "count", n - deaths, n=n, unit="patients", part_of=STUDY)
    followed = months if follow_up_of_all else months[~died]
    if followed.size > 1:
        yield figure(
            "follow_up",
            "mean_among_observed",
            printed(followed.mean(), 1),
            sd=printed(followed.std(ddof=1), 1),
            low=printed(followed.min(), 1),
            high=printed(followed.max(), 1),
            n=n if follow_up_of_all else followed.size,
        )
    if 5 < deaths < n - 5:
        whole = f"{STUDY}/observed_mean"
        yield figure("observed_mean", "mean_among_observed", printed(months.mean(), 1), n=n)
        for name, chosen in (("time_of_death", died), ("follow_up_alive", ~died)):
            yield figure(
                name,
                "median_among_observed",
                printed(float(np.median(months[chosen])), 1),
                n=int(chosen.sum()),
                part_of=whole,
            )


def alarms(evidence: Evidence) -> list[Finding]:
    return [finding for finding in audit(evidence) if finding.severity != "reading"]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.booleans())
def test_no_false_alarm_on_drawn_series(seed: int, follow_up_of_all: bool) -> None:
    assert alarms(series(seed, follow_up_of_all)) == []


NAMES = ("patients", "deaths", "overall_survival_median", "follow_up_mean", "time_of_death", "vas")
NUMBERS = st.none() | st.sampled_from([0.0, 1.0, 9.0, 12.5, 47.0, 99.9, 100.0])


@st.composite
def strange_figures(draw: st.DrawFn) -> Figure:
    low, high = sorted(draw(st.tuples(st.sampled_from([0.0, 9.0]), st.sampled_from([0.0, 47.0]))))
    estimand = draw(st.sampled_from(ESTIMANDS))
    value = draw(NUMBERS)
    return figure(
        draw(st.sampled_from(NAMES)),
        estimand,
        value if value is None or estimand != "count" else float(int(value)),
        arm=draw(st.sampled_from(["", "a", "b"])),
        unit=draw(st.sampled_from(["percent", "months", "points", "patients"])),
        n=draw(st.sampled_from([None, 1, 2, 60])),
        sd=draw(NUMBERS),
        low=low,
        high=high,
        at_month=draw(st.sampled_from([None, 0.0, 12.0])),
        part_of=draw(st.sampled_from(["", STUDY, f"{STUDY}/follow_up_mean", f"{STUDY}/patients"])),
        statement=draw(st.sampled_from(["", "12 (50%)", "less (5% vs 3%)"])),
    )


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(strange_figures(), max_size=8, unique_by=lambda figure: figure.id))
def test_whatever_is_printed_the_audit_ends(figures: list[Figure]) -> None:
    study = Study(STUDY, "Own 2024", "Drawn", "None", n=60)
    for finding in audit(Evidence((study,), tuple(figures), ())):
        assert finding.statement.endswith(".")
        assert "nan" not in finding.statement
        assert set(finding.figures) <= {figure.id for figure in figures}
