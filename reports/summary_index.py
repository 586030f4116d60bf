"""The overview: what was done, what came out, where to read on."""

from __future__ import annotations

from outcomes import noms
from outcomes.reports.content import (
    Block,
    Bullets,
    Column,
    KeyNumber,
    Links,
    Page,
    Section,
    Table,
)
from outcomes.reports.names import readable
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_arms import (
    STYLES,
    arm_label,
    arms,
    icon_row,
)
from outcomes.reports.summary_calibration import solved_sentence
from outcomes.reports.summary_common import TITLES, make_page, page_names, patient_words
from outcomes.reports.summary_ladder import verdicts
from outcomes.reports.summary_tensions import how_many
from outcomes.reports.summary_uncertainty import effect_range
from outcomes.reports.summary_verification import held_sentence
from outcomes.reports.wording import (
    INTERVAL_MEANING,
    as_sentence,
    interval,
    known,
    months,
    number,
    of_100,
    with_limits,
)

LINES = {
    "evidence": "Every published number, every assumption, and where publications contradict "
    "each other.",
    "calibration": "Published against achieved, figure by figure, how sure it is, and what is "
    "behind 38 against 21 months.",
    "cohort": "Who the patients are, how long they were observed, what happened to them.",
    "models": "What goes with death and local progression, and how good the predictions are.",
    "comparison": "Surgery alone against surgery with SBRT: absolute risks, curves, every method.",
    "calculator": "The predicted course of one patient, computed in the browser.",
}


DRAWN = (
    "How many synthetic patients are drawn is a choice: with more, every interval is narrower. "
    "It does not say how sure the publications are, which rest on far fewer (Calibration shows it)."
)


def summarise(results: StudyResults) -> Page:
    """Return the overview."""
    return make_page(
        "index",
        results,
        title="Outcomes after separation surgery for spinal metastases",
        question=(
            "This page answers: what was done, and what came out about survival and local "
            "control after separation surgery, alone or with stereotactic body radiotherapy (SBRT)?"
        ),
        keys=_keys(results),
        sections=(
            _findings(results),
            _pages(results),
            _steps(results),
            _reading(results),
            _limits(results),
            _noms(),
            _files(results),
        ),
    )


def _keys(results: StudyResults) -> tuple[KeyNumber, ...]:
    keys = []
    comparison = results.comparisons.get("overall-survival")
    if comparison is not None:
        for curve, style in zip(arms(comparison), STYLES, strict=True):
            median = curve.median
            value = (
                months(median.value)
                if median is not None and known(median.value)
                else "not reached"
            )
            limit = interval(median) if median is not None else ""
            keys.append(
                KeyNumber(
                    f"Median survival, {_small(arm_label(curve))}",
                    value,
                    f"{limit or 'upper limit not reached'}; n = {curve.n:,}; not adjusted",
                    style,
                )
            )
    keys += [
        KeyNumber(
            "Prediction of survival, Cox model",
            f"C-index {number(evaluation.c_index.value, 2)}",
            f"{interval(evaluation.c_index, 2)}; 0.5 is guessing",
        )
        for evaluation in results.evaluations
        if evaluation.endpoint == "overall-survival" and evaluation.model == "cox"
    ]
    if results.calibration is not None:
        fitted = results.calibration.fitted
        met = sum(bool(target.within) for target in fitted)
        keys.append(
            KeyNumber(
                "Published figures met",
                f"{met} of {len(fitted)}",
                "by the model behind the patients, in expectation",
            )
        )
    if not keys:
        keys.append(KeyNumber("Patients", f"{len(results.cohort):,}", ""))
    return tuple(keys)


def _small(label: str) -> str:
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def _steps(results: StudyResults) -> Section:
    n = patient_words(results.cohort)
    steps: tuple[str, ...]
    if results.synthetic:
        steps = (
            "Published figures were collected with how each was measured, and every magnitude the "
            "publications lack was written down as an assumption with a range.",
            "A model of each patient’s course (death, local progression, end of follow-up) was "
            "solved so that studies repeated on it would report the published figures.",
            f"{n} were drawn from it, and two kinds of model, Cox regression and random survival "
            "forest, learned to predict survival and local control from them.",
            "Surgery alone and surgery with SBRT were compared by several methods, each beside "
            "the true effect, which is known because the patients are synthetic.",
        )
    else:
        done = [f"The cohort of {n} was checked against the schema."]
        if results.models:
            done.append("Models learned to predict the outcomes from the patients’ features.")
        if results.evaluations:
            done.append("Their predictions were tested on patients they had not seen.")
        if results.comparisons:
            done.append(
                "Two groups were compared by several methods, from the plain comparison to "
                "adjusted ones."
            )
        steps = tuple(done)
    return Section("steps", "What was done", "", (Bullets(steps, numbered=True),))


def _findings(results: StudyResults) -> Section | None:
    items: list[str] = []
    blocks: list[Block] = []
    row = icon_row(results)
    if row is not None:
        blocks.append(row)
    items += verdicts(results)
    for evaluation in results.evaluations:
        event = "die" if evaluation.endpoint == "overall-survival" else "progress"
        items.append(
            f"The {readable(evaluation.model)} ranks pairs of patients rightly by who will {event} "
            f"earlier in {of_100(evaluation.c_index.value)} of 100 pairs "
            f"(C-index {with_limits(evaluation.c_index)})."
        )
    if results.calibration is not None:
        fitted = results.calibration.fitted
        met = sum(bool(target.within) for target in fitted)
        items += [
            f"Repeated without end on patients of this kind, the studies would report {met} of "
            f"{len(fitted)} published figures within the tolerance. "
            f"{solved_sentence(results.calibration)}",
            f"The publications hold {how_many(results)}, listed under Evidence.",
        ]
        if results.calibration.verification is not None:
            items.append(f"{held_sentence(results.calibration.verification)}.")
        items.append(effect_range(results.calibration))
    if any(items):
        blocks.append(Bullets(tuple(filter(None, items))))
    if not blocks:
        return None
    return Section(
        "findings",
        "Key findings",
        as_sentence(results.comparison_note or "Absolute numbers first"),
        tuple(blocks),
    )


def _pages(results: StudyResults) -> Section | None:
    names = [name for name in page_names(results) if name != "index"]
    return Section(
        "pages",
        "The pages",
        "Each stands alone and works without a network.",
        (Links(tuple((f"{name}.html", TITLES[name], LINES[name]) for name in names)),),
    )


def _files(results: StudyResults) -> Section | None:
    if not results.files:
        return None
    return Section(
        "files",
        "The numbers as files",
        "Every number on these pages, and the fitted models, beside this file.",
        (Links(tuple((f"data/{name}", name, as_sentence(line)) for name, line in results.files)),),
    )


def _reading(results: StudyResults) -> Section:
    size = () if not results.synthetic else (DRAWN,)
    return Section(
        "reading",
        "How to read the numbers",
        "",
        (
            Bullets(
                (
                    "Time counts from surgery, in months.",
                    "Local progression: the tumour grows again at the operated site. A patient who "
                    "dies cannot have it any more, so its risk is a cumulative incidence with "
                    "death "
                    "competing.",
                    "Median survival: the time by which half of the patients have died.",
                    INTERVAL_MEANING,
                    *size,
                    "Blue solid is surgery alone, orange dashed surgery with SBRT, on every page."
                    if all(one.treatment == "sbrt" for one in results.comparisons.values())
                    else "Blue solid is the control group, orange dashed the treated one, on every "
                    "page.",
                )
            ),
        ),
    )


def _limits(results: StudyResults) -> Section:
    items = [
        "No medical device: no number here may guide the treatment of a patient.",
        "Differences between treatments come from comparisons without randomisation.",
    ]
    if results.synthetic:
        items.insert(
            1,
            "No evidence about real patients beyond the publications: a synthetic cohort cannot "
            "know "
            "more than what it was calibrated to and what was assumed.",
        )
    return Section("limits", "What this is not", "", (Bullets(tuple(items)),))


def _noms() -> Section:
    """Summarise the decision framework by asking it."""
    situations = (
        ("Radiosensitive tumour, any compression", True, "3", True),
        ("Radioresistant, low-grade compression (ESCC 0–1)", False, "1b", True),
        ("Radioresistant, high-grade compression (ESCC 2–3)", False, "3", True),
        ("Radioresistant, high-grade, cannot tolerate surgery", False, "3", False),
    )
    rows = tuple(
        (
            title,
            noms.decide(
                radiosensitive=sensitive, escc_grade=grade, unstable=False, operable=operable
            ).title,
        )
        for title, sensitive, grade, operable in situations
    )
    return Section(
        "noms",
        "NOMS: when separation surgery is considered",
        "Neurologic, oncologic, mechanical and systemic considerations lead to a treatment. An "
        "unstable spine is stabilised in addition, whatever the rest. The grade (ESCC) says how "
        "far "
        "the tumour presses on the spinal cord, from 0 to 3.",
        (
            Table(
                "The framework in short (Li 2022; Laufer 2013)",
                (Column("Situation"), Column("Treatment")),
                rows,
            ),
        ),
    )
