"""The NOMS decision framework and the rules around it, as the source paper gives them.

Neurologic, oncologic, mechanical and systemic considerations lead to a treatment. Li et al.,
Technol Cancer Res Treat 2022;21:1-7, who follow Laufer et al., Oncologist 2013;18:744-751. The
rules describe a publication; they are no advice for a patient.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from outcomes.errors import OutcomesError

Treatment = Literal[
    "conventional_radiotherapy", "sbrt", "separation_surgery_and_sbrt", "radiotherapy"
]
Consideration = Literal["neurologic", "oncologic", "mechanical", "systemic"]

LOW_GRADES = ("0", "1a", "1b", "1c")
HIGH_GRADES = ("2", "3")
ESCC_GRADES = LOW_GRADES + HIGH_GRADES

TITLES: dict[Treatment, str] = {
    "conventional_radiotherapy": "Conventional radiotherapy",
    "sbrt": "Stereotactic body radiotherapy (SBRT)",
    "separation_surgery_and_sbrt": "Separation surgery followed by SBRT",
    "radiotherapy": "Radiotherapy without surgery",
}

FRAMEWORK = "Li 2022, Indication, paragraph 3"
INSTABILITY = "Li 2022, Indication, paragraph 2"
GUIDELINE = "Li 2022, Indication, paragraph 1"
OPERATION = "Li 2022, Procedure, step 1"


@dataclass(frozen=True)
class Step:
    """One consideration: what was found, what follows, why, and where it is published."""

    consideration: Consideration
    finding: str
    decision: str
    reason: str
    source: str


@dataclass(frozen=True)
class Advice:
    """A rule that goes with a decision, and where it is published."""

    text: str
    source: str


@dataclass(frozen=True)
class Decision:
    """What the framework recommends.

    Attributes
    ----------
    treatment
        Identifier of the treatment; `title` in words.
    stabilization
        Whether the spine is to be stabilized in addition.
    steps
        The four considerations, in the order of the acronym.
    advice
        Rules for carrying the decision out.
    """

    treatment: Treatment
    stabilization: bool
    steps: tuple[Step, ...]
    advice: tuple[Advice, ...]

    @property
    def title(self) -> str:
        """The treatment in words."""
        return TITLES[self.treatment] + (" with stabilization" if self.stabilization else "")

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as plain data, ready for JSON."""
        return {"title": self.title, **asdict(self)}


def decide(*, radiosensitive: bool, escc_grade: str, unstable: bool, operable: bool) -> Decision:
    """Return the treatment that NOMS recommends, with the reason for each step.

    Parameters
    ----------
    radiosensitive
        Whether the tumour responds to conventional radiotherapy.
    escc_grade
        Grade of epidural spinal cord compression: 0, 1a, 1b, 1c (low), 2 or 3 (high). The paper
        says nothing of grade 0; it is read as low.
    unstable
        Whether the spine is mechanically unstable.
    operable
        Whether the patient can tolerate surgery.

    Returns
    -------
    Decision
        Instability asks for stabilization whatever the rest, also where a patient cannot
        tolerate surgery: a brace or a percutaneous technique then. A patient who cannot
        tolerate surgery and needs none keeps the radiotherapy of the tumour and the grade.

    Raises
    ------
    OutcomesError
        If the grade is unknown, or a finding is neither True nor False.
    """
    if escc_grade not in ESCC_GRADES:
        raise OutcomesError(
            f"escc_grade: found {escc_grade!r}; allowed: {', '.join(map(repr, ESCC_GRADES))}"
        )
    findings = {"radiosensitive": radiosensitive, "unstable": unstable, "operable": operable}
    for name, found in findings.items():
        if not isinstance(found, bool):
            raise OutcomesError(f"{name}: found {found!r}; allowed: True, False")

    high = escc_grade in HIGH_GRADES
    needs_surgery = high and not radiosensitive
    treatment: Treatment
    if radiosensitive:
        treatment = "conventional_radiotherapy"
    elif not high:
        treatment = "sbrt"
    else:
        treatment = "separation_surgery_and_sbrt" if operable else "radiotherapy"
    steps = (
        _neurologic(escc_grade, high=high, radiosensitive=radiosensitive),
        _oncologic(high=high, radiosensitive=radiosensitive),
        _mechanical(unstable=unstable, operable=operable),
        _systemic(operable=operable, needs_surgery=needs_surgery),
    )
    return Decision(treatment, unstable, steps, _advice(treatment))


def _neurologic(grade: str, *, high: bool, radiosensitive: bool) -> Step:
    if radiosensitive:
        reason = "The grade does not decide where the tumour is radiosensitive"
    elif high:
        reason = "The cord must be freed before an ablative dose can be given safely"
    else:
        reason = "There is room for the dose to fall before it reaches the cord"
    return Step(
        "neurologic",
        f"ESCC grade {grade}, {'high' if high else 'low'}",
        "decompression comes into question" if high else "no decompression",
        reason,
        FRAMEWORK,
    )


def _oncologic(*, high: bool, radiosensitive: bool) -> Step:
    if radiosensitive:
        return Step(
            "oncologic",
            "radiosensitive tumour",
            "conventional radiotherapy",
            "Conventional radiotherapy is recommended for any ESCC grade",
            FRAMEWORK,
        )
    if high:
        return Step(
            "oncologic",
            "radioresistant tumour",
            "separation surgery and SBRT",
            "Recommended for a radioresistant tumour with high-grade ESCC",
            FRAMEWORK,
        )
    return Step(
        "oncologic",
        "radioresistant tumour",
        "SBRT",
        "Recommended for a radioresistant tumour with low-grade ESCC",
        FRAMEWORK,
    )


def _mechanical(*, unstable: bool, operable: bool) -> Step:
    if not unstable:
        return Step(
            "mechanical",
            "stable spine",
            "no stabilization",
            "Only instability asks for stabilization",
            FRAMEWORK,
        )
    if operable:
        return Step(
            "mechanical",
            "unstable spine",
            "stabilization in addition",
            "Instability is a consideration of its own, whatever the rest",
            FRAMEWORK,
        )
    return Step(
        "mechanical",
        "unstable spine",
        "stabilization in addition, without open surgery",
        "Instability is a consideration of its own; a brace, percutaneous vertebroplasty or "
        "percutaneous pedicle screws are the ways that spare an open operation",
        INSTABILITY,
    )


def _systemic(*, operable: bool, needs_surgery: bool) -> Step:
    if operable:
        return Step(
            "systemic",
            "can tolerate surgery",
            "the decision stands",
            "Systemic disease and comorbidities allow what the other steps ask for",
            FRAMEWORK,
        )
    return Step(
        "systemic",
        "cannot tolerate surgery",
        "radiotherapy instead of surgery" if needs_surgery else "the decision stands",
        "Radiotherapy is recommended where the systemic condition does not allow surgery"
        if needs_surgery
        else "The treatment is radiotherapy in any case",
        FRAMEWORK,
    )


def _advice(treatment: Treatment) -> tuple[Advice, ...]:
    urgent = (
        Advice(
            "Treatment within 24 hours; high-dose steroids within 12 hours of diagnosis, weaned "
            "over 5-7 days after radiotherapy or surgery",
            "Li 2022, Introduction, paragraph 2",
        ),
        Advice(
            "Chemosensitive disease (such as Ewing's sarcoma) is under discussion: chemotherapy "
            "may serve",
            FRAMEWORK,
        ),
    )
    if treatment != "separation_surgery_and_sbrt":
        return urgent
    return (
        *urgent,
        Advice(
            "Circumferential decompression, and at least 3 mm between residual tumour and cord",
            f"{OPERATION}; Clinical Outcomes, paragraph 3",
        ),
        Advice("SBRT 2-4 weeks after surgery", "Li 2022, Procedure, step 2"),
        Advice(
            "Planning on CT of the spinal canal where the hardware disturbs MRI",
            "Li 2022, Procedure, paragraph 3",
        ),
    )


def by_life_expectancy(months: float) -> Advice:
    """Return what guidelines on conventional surgical techniques say of a life expectancy.

    Parameters
    ----------
    months
        Expected survival in months, at least 0.

    Raises
    ------
    OutcomesError
        If `months` is no number of at least 0.
    """
    if not months >= 0:
        raise OutcomesError(f"months: found {months!r}; allowed: a number of at least 0")
    if months < 6:
        return Advice("Conservative management", GUIDELINE)
    if months <= 12:
        return Advice("Limited palliative surgery", GUIDELINE)
    return Advice("No limit is set on surgery", GUIDELINE)


def by_vertebral_resection(percent: float) -> Advice:
    """Return the reconstruction that goes with a resection of the vertebral body.

    Parameters
    ----------
    percent
        Share of the vertebral body resected, 0-100. The paper leaves 50 % itself open.

    Raises
    ------
    OutcomesError
        If `percent` is outside 0-100.
    """
    if not 0 <= percent <= 100:
        raise OutcomesError(f"percent: found {percent!r}; allowed: a number from 0 to 100")
    if percent < 50:
        return Advice("Posterior reconstruction alone", OPERATION)
    if percent > 50:
        return Advice(
            "Anterior column reconstruction may be needed: allograft, a titanium mesh with "
            "allograft, or bone cement, through the posterior approach",
            OPERATION,
        )
    return Advice("Not stated for exactly half of the vertebral body", OPERATION)
