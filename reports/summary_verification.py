"""Whether the calibration holds: published figures and nulls in many cohorts of published size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from outcomes.reports.charts import Histogram
from outcomes.reports.content import (
    Block,
    Caveat,
    Column,
    DistributionRow,
    DistributionTable,
    Paragraph,
    Section,
    Table,
)
from outcomes.reports.names import plain_terms, readable
from outcomes.reports.parameter_names import lower_first
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_targets import (
    digits_of,
    inside_words,
    is_taken_over,
    published_cell,
    target_label,
)
from outcomes.reports.wording import count, known, number, percent, sentence_case, sentence_list

if TYPE_CHECKING:
    from outcomes.synthetic.calibration import Calibration
    from outcomes.synthetic.verification import FigureDistribution, NullRejection, Verification

LEVEL = 0.05
# How far from it a share of rejections may lie, in points, and in standard errors of few tests.
LIMIT = 1.4
STANDARD_ERRORS = 4.0
NOT_DRAWN = (
    "Not computed for this calibration. The command outcomes calibrate --cohorts 1000 draws that "
    "many cohorts of each study at its published size and shows where the published figures lie "
    "among them."
)


def verification_sections(results: StudyResults, calibration: Calibration) -> tuple[Section, ...]:
    """Return the distributions of the figures and the nulls, or how to get them."""
    title = "Does it hold in studies of the published size?"
    verification = calibration.verification
    if verification is None:
        return (Section("verification", title, NOT_DRAWN, ()),)
    sections = [
        Section(
            "verification",
            title,
            _finding(calibration, verification),
            _blocks(results, calibration, verification),
        )
    ]
    if verification.nulls:
        sections.append(_nulls(results, verification))
    return tuple(sections)


def held_sentence(verification: Verification) -> str:
    """Return how many fitted figures lie in the central 95 % of the cohorts."""
    fitted = [figure for figure in verification.figures if figure.role == "fit"]
    inside = sum(figure.inside for figure in fitted)
    return (
        f"In {verification.cohorts:,} cohorts of each study at its published size, {inside} of "
        f"{len(fitted)} fitted numbers lie in the central 95% of what such a study would report"
    )


def unexplained(verification: Verification) -> tuple[FigureDistribution, ...]:
    """Return the fitted figures outside that no contradiction explains: defects of the model."""
    return tuple(
        figure
        for figure in verification.figures
        if figure.role == "fit" and not figure.inside and not figure.tension
    )


def _finding(calibration: Calibration, verification: Verification) -> str:
    taken = _taken_over(calibration)
    outside = [figure for figure in verification.figures if not figure.inside]
    fitted = [figure for figure in outside if figure.role == "fit"]
    words = f"{held_sentence(verification)}."
    if fitted:
        without = len(unexplained(verification))
        words += (
            f" {count(len(fitted), 'fitted number lies', 'fitted numbers lie')} outside, "
            f"{without or 'none'} of them without a contradiction among the publications to "
            "explain it."
        )
    compared = [
        figure for figure in verification.figures if figure.role != "fit" and figure.id not in taken
    ]
    if compared:
        beyond = sum(not figure.inside for figure in compared)
        words += (
            f" Of {count(len(compared), 'figure that was', 'figures that were')} only compared, "
            f"{beyond} "
            f"{'lies' if beyond == 1 else 'lie'} outside."
        )
    return words


def _taken_over(calibration: Calibration) -> frozenset[str]:
    """Return the figures only compared that the simulation takes over, so that they cannot fail."""
    return frozenset(target.id for target in calibration.targets if is_taken_over(target))


def _blocks(
    results: StudyResults, calibration: Calibration, verification: Verification
) -> tuple[Block, ...]:
    bounds = len(calibration.fitted) - sum(one.role == "fit" for one in verification.figures)
    blocks: list[Block] = [
        Paragraph(
            "Each row shows what the cohorts report for one figure: grey bars count the cohorts, "
            "the light ground spans their central 95%, and the line with its head is the published "
            "value. With few patients such a span is wide; that is chance, not the model. "
            "A cohort has as many patients as the study had, but arms of random size: the arm is "
            "drawn for each patient."
            + (
                f" {count(bounds, 'more fitted number')} of {len(calibration.fitted)} "
                f"{'is a limit' if bounds == 1 else 'are limits'} that a design sets and no "
                "patient need reach."
                if bounds > 0
                else ""
            )
        )
    ]
    defects = unexplained(verification)
    if defects:
        names = tuple(
            f"{results.study_title(one.study)}, {_label(results, one)}" for one in defects
        )
        blocks.append(
            Caveat(f"A defect of the model, explained by no contradiction: {'; '.join(names)}.")
        )
    outside = _outside(results, verification)
    if outside is not None:
        blocks.append(outside)
    by_study: dict[str, list[FigureDistribution]] = {}
    for figure in verification.figures:
        by_study.setdefault(figure.study, []).append(figure)
    # One study is open, so that readers see what stands behind the other lines.
    blocks += [
        _study(results, calibration, verification, study, figures, opened=position == 0)
        for position, (study, figures) in enumerate(by_study.items())
    ]
    return tuple(blocks)


def _study(
    results: StudyResults,
    calibration: Calibration,
    verification: Verification,
    study: str,
    figures: list[FigureDistribution],
    *,
    opened: bool,
) -> DistributionTable:
    title = results.study_title(study)
    taken = _taken_over(calibration)
    inside = sum(figure.inside for figure in figures)
    return DistributionTable(
        summary=f"{title}: {inside} of {count(len(figures), 'figure')} inside",
        caption=f"{title} repeated {verification.cohorts:,} times at its published size",
        titles=("Figure", "Published", "Central 95%", "Distribution"),
        rows=tuple(
            _row(results, verification, figure, taken=figure.id in taken) for figure in figures
        ),
        opened=opened,
    )


def _row(
    results: StudyResults,
    verification: Verification,
    figure: FigureDistribution,
    *,
    taken: bool,
) -> DistributionRow:
    label = _label(results, figure)
    notes = []
    if figure.role != "fit":
        notes.append("taken over" if taken else "only compared")
    if figure.defined < verification.cohorts:
        notes.append(f"{figure.defined:,} of {verification.cohorts:,} cohorts can report it")
    if known(figure.upper) and _never(figure):
        notes.append(f"not reached in {_never(figure):,}")
    fixed = figure.lower == figure.upper
    verdict = inside_words(figure)
    if not figure.inside:
        verdict += ", explained above" if figure.tension else ", unexplained"
    published = _published(results, figure)
    return DistributionRow(
        label=f"{label}\n{sentence_case('; '.join(notes))}" if notes else label,
        published=published,
        central=_central(figure) + ("" if fixed else f"\nmedian {_end(figure, figure.median)}"),
        histogram=Histogram(
            figure.span,
            figure.counts,
            figure.lower if known(figure.lower) else None,
            figure.upper if known(figure.upper) else None,
            figure.published,
            f"Histogram from {_end(figure, figure.span[0])} to {_end(figure, figure.span[1])}: "
            f"the published {published} lies {'inside' if figure.inside else 'outside'} the "
            "central 95%.",
        ),
        verdict=verdict,
        inside=figure.inside,
    )


def _label(results: StudyResults, figure: FigureDistribution) -> str:
    return target_label(results, figure.study, figure.id)


def _published(results: StudyResults, figure: FigureDistribution) -> str:
    return published_cell(results, figure.study, figure.id, figure.published, figure.unit)


def _end(figure: FigureDistribution, value: float) -> str:
    return number(value, digits_of(figure.unit, value)) if known(value) else "not reached"


def _central(figure: FigureDistribution) -> str:
    lower, upper = _end(figure, figure.lower), _end(figure, figure.upper)
    if figure.lower == figure.upper:
        return f"always {lower}"
    words = f"{lower} to {upper}"
    if known(figure.upper):
        return words
    return f"{words} (never in {percent(_never(figure) / figure.defined)} of the cohorts)"


def _never(figure: FigureDistribution) -> int:
    """Return in how many cohorts a median is never reached: the histogram counts the finite."""
    return figure.defined - sum(figure.counts)


def _outside(results: StudyResults, verification: Verification) -> Table | None:
    figures = [figure for figure in verification.figures if not figure.inside]
    if not figures:
        return None
    return Table(
        f"The published figures outside the central 95% ({len(figures)}), and why",
        (Column("Figure"), Column("Why")),
        tuple(
            (
                f"{results.study_title(figure.study)}: {lower_first(_label(results, figure))}\n"
                f"Published {_published(results, figure)}, central 95% "
                f"{_central(figure)}, "
                f"{'fitted' if figure.role == 'fit' else 'only compared'}",
                plain_terms(
                    figure.tension or "No contradiction explains it: a defect of the model."
                ),
            )
            for figure in figures
        ),
        fitted=True,
        stacked=True,
    )


def band(tests: int) -> float:
    """Return how far from 5 % a share of so many tests may lie, in points.

    The limit that was set; of few tests as far as chance may carry it, four standard errors.
    """
    error = math.sqrt(LEVEL * (1 - LEVEL) / tests)
    return max(LIMIT, round(100 * STANDARD_ERRORS * error, 1))


def _nulls(results: StudyResults, verification: Verification) -> Section:
    tested = [null for null in verification.nulls if null.tests]
    kept = sum(_is_kept(null) for null in tested)
    size = sentence_list(tuple(dict.fromkeys(f"{null.patients:,}" for null in tested)))
    return Section(
        id="nulls",
        title="Do tests find effects that are not there?",
        finding=f"{_rates(tested)} {'All' if kept == len(tested) else f'{kept} of'} {len(tested)} "
        f"lie within ±\N{NO-BREAK SPACE}{_bands(tested)} points, the limit set for it. Where a "
        f"publication found no effect, the simulation has none; a test in cohorts of {size} "
        "patients must then find one by chance alone in 5 of 100.",
        blocks=(
            Table(
                "How often a Cox score test rejects each published absence of an effect",
                (
                    Column("Factor and endpoint"),
                    Column("p < 0.05", numeric=True),
                    Column("Verdict"),
                    Column("Model"),
                ),
                tuple(_null_row(results, null) for null in verification.nulls),
                fitted=True,
                stacked=True,
                note="The limit is four standard errors of 4,000 tests. A little more than 5% is "
                "expected: the test takes a chi-squared distribution, and where few patients have "
                "the event that holds only roughly.",
            ),
        ),
    )


def _rates(tested: list[NullRejection]) -> str:
    """Return the rates in one sentence; nothing where nothing was tested."""
    rates = [null.rejected for null in tested if null.rejected is not None]
    if not rates:
        return ""
    mean = sum(rates) / len(rates)
    # Within the limit on average: of many rates one may still lie outside.
    words = "About as often as they should" if 100 * abs(mean - LEVEL) <= LIMIT else "Too often"
    if 100 * (LEVEL - mean) > LIMIT:
        words = "Less often than they should"
    return (
        f"{words}: {number(100 * min(rates))} to {percent(max(rates), 1)}, mean "
        f"{percent(mean, 1)} ({percent(LEVEL)} expected)."
    )


def _bands(tested: list[NullRejection]) -> str:
    return sentence_list(tuple(dict.fromkeys(number(band(null.tests)) for null in tested)))


def _is_kept(null: NullRejection) -> bool:
    if null.rejected is None:
        return False
    return round(100 * abs(null.rejected - LEVEL), 6) <= band(null.tests)


def _null_row(results: StudyResults, null: NullRejection) -> tuple[str, ...]:
    source = null.id.partition("/")[0]
    verdict = "no test could be done"
    if null.tests:
        verdict = "within the band" if _is_kept(null) else "outside the band"
    adjusted = sentence_list(tuple(readable(name) for name in null.adjusted))
    where = results.study_title(source)
    if null.study != source:
        where += f", in cohorts of {results.study_title(null.study)}"
    return (
        f"{sentence_case(readable(null.covariate))}\n{readable(null.endpoint)}; {where}",
        f"{percent(null.rejected, 1)}\nof {null.tests:,}",
        verdict,
        f"adjusted for {adjusted}" if adjusted else "unadjusted",
    )
