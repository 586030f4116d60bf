"""The columns of a cohort: one row a patient (or, with `lesion`, a lesion)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["text", "number", "integer", "boolean", "category"]
Group = Literal[
    "identity",
    "patient",
    "disease",
    "surgery",
    "recovery",
    "radiotherapy",
    "outcome",
    "function",
]


@dataclass(frozen=True)
class Column:
    """What one column may hold.

    Attributes
    ----------
    name
        Name in a cohort.
    kind
        ``text``, ``number``, ``integer``, ``boolean`` or ``category`` (text out of `categories`).
    meaning
        What it is, in one sentence.
    group
        Where it belongs.
    unit
        Unit of a number; "" where it has none.
    low, high
        Smallest and largest number.
    step
        The numbers allowed are `low`, `low` + `step`, …; None for any.
    categories
        The texts allowed, in their order where they have one.
    codes
        Meaning of each number of a coded column.
    """

    name: str
    kind: Kind
    meaning: str
    group: Group
    unit: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    categories: tuple[str, ...] = ()
    codes: Mapping[int, str] | None = None

    @property
    def allowed(self) -> str:
        """What the column may hold, in words."""
        if self.kind == "category":
            return ", ".join(self.categories)
        if self.codes is not None:
            return ", ".join(f"{code} ({text})" for code, text in self.codes.items())
        if self.kind == "boolean":
            return "true, false"
        if self.kind == "text":
            return "text"
        noun = "whole number" if self.kind == "integer" else "number"
        words = [f"a {noun}"]
        if self.low is not None and self.high is not None:
            words.append(f"from {self.low:g} to {self.high:g}")
        elif self.low is not None:
            words.append(f"of at least {self.low:g}")
        if self.step is not None:
            words.append(f"in steps of {self.step:g}")
        if self.unit:
            words.append(f"({self.unit})")
        return " ".join(words)


DAYS_PER_MONTH = 30.4375
"""Days of a month: a twelfth of 365.25."""
SEPARATION_THRESHOLD_MM = 3.0
"""Distance between residual tumour and cord below which local control is worse."""
TUMORS = (
    "lung",
    "breast",
    "prostate",
    "kidney",
    "thyroid",
    "gastrointestinal",
    "sarcoma",
    "melanoma",
    "hematologic",
)
"""The primary tumours that have a name; any further one is ``other``."""

# Wide limits, meant to catch a wrong unit (days for months) or a slip, not a rare patient.
LONGEST_FOLLOW_UP = 600
LONGEST_WAIT = 60

_CENSORED = "censored"


def _months(name: str, meaning: str, high: float = LONGEST_FOLLOW_UP) -> Column:
    return Column(name, "number", meaning, "outcome", unit="months since surgery", low=0, high=high)


def _event(name: str, meaning: str, *events: str) -> Column:
    codes = MappingProxyType(dict(enumerate((_CENSORED, *events))))
    return Column(name, "integer", meaning, "outcome", low=0, high=len(events), codes=codes)


_FRANKEL = ("A", "B", "C", "D", "E")

_TABLE = (
    Column("study", "text", "Series the patient belongs to", "identity"),
    Column("study_arm", "text", "Arm of the study that the patient is counted in", "identity"),
    Column("patient_id", "text", "Identifier, unique within the study", "identity"),
    Column("lesion", "integer", "Number of the patient's treated lesion", "identity", low=1),
    Column("age", "number", "Age at surgery", "patient", unit="years", low=0, high=120),
    Column("sex", "category", "Sex", "patient", categories=("female", "male")),
    Column(
        "kps",
        "integer",
        "Karnofsky performance score before surgery",
        "patient",
        unit="points",
        low=10,
        high=100,
        step=10,
    ),
    Column(
        "primary_tumor",
        "category",
        "Primary tumour",
        "disease",
        categories=(*TUMORS, "other"),
    ),
    Column("radiosensitive", "boolean", "Tumour sensitive to conventional radiotherapy", "disease"),
    Column(
        "escc_grade",
        "category",
        "Grade of epidural spinal cord compression before surgery",
        "disease",
        categories=("0", "1a", "1b", "1c", "2", "3"),
    ),
    Column("mechanical_instability", "boolean", "Mechanical instability of the spine", "disease"),
    Column("progressive_systemic_disease", "boolean", "Progressive systemic disease", "disease"),
    Column("visceral_metastases", "boolean", "Visceral metastases", "disease"),
    Column("embolization", "boolean", "Embolization of the tumour before surgery", "surgery"),
    Column(
        "procedure",
        "category",
        "Operation; none is SBRT alone",
        "surgery",
        categories=("separation", "piecemeal_spondylectomy", "none"),
    ),
    Column(
        "approach", "category", "Approach", "surgery", categories=("open", "minimally_invasive")
    ),
    Column(
        "resection",
        "category",
        "Resection of the ventral dural mass",
        "surgery",
        categories=("moderate", "aggressive"),
    ),
    Column("chest_wall_resection", "boolean", "Resection of the chest wall", "surgery"),
    Column(
        "construct_levels",
        "integer",
        "Contiguous spinal levels that the construct spans; 0 without one",
        "surgery",
        unit="levels",
        low=0,
        high=30,
    ),
    Column(
        "separation_mm",
        "number",
        "Smallest distance between residual tumour and spinal cord after surgery; "
        "missing exactly when procedure is none",
        "surgery",
        unit="mm",
        low=0,
        high=50,
    ),
    Column(
        "blood_loss_ml",
        "number",
        "Blood loss during the operation",
        "surgery",
        unit="mL",
        low=0,
        high=30_000,
    ),
    Column(
        "operation_hours",
        "number",
        "Duration of the operation",
        "surgery",
        unit="hours",
        low=0,
        high=48,
    ),
    Column("complication", "boolean", "Postoperative complication", "surgery"),
    Column("wound_infection", "boolean", "Complication: wound infection", "recovery"),
    Column("deep_infection", "boolean", "Complication: deep infection", "recovery"),
    Column(
        "cerebrospinal_fluid_leak",
        "boolean",
        "Complication: leak of cerebrospinal fluid",
        "recovery",
    ),
    Column(
        "bed_rest_days",
        "number",
        "Bed rest after the operation",
        "recovery",
        unit="days",
        low=0,
        high=1_000,
    ),
    Column(
        "hospital_stay_days",
        "number",
        "Stay in hospital after the operation",
        "recovery",
        unit="days",
        low=0,
        high=1_000,
    ),
    Column("sbrt", "boolean", "Stereotactic body radiotherapy", "radiotherapy"),
    Column(
        "dose_regimen",
        "category",
        "SBRT dose: 24 Gy in 1 fraction, 24-30 Gy in 3, 18-36 Gy in 5-6; "
        "none exactly when sbrt is false",
        "radiotherapy",
        categories=("none", "single_24", "hypofractionated_high", "hypofractionated_low"),
    ),
    Column(
        "sbrt_start_months",
        "number",
        "Start of SBRT; missing without SBRT",
        "radiotherapy",
        unit="months since surgery",
        low=0,
        high=LONGEST_WAIT,
    ),
    Column("systemic_therapy_after", "boolean", "Systemic therapy afterwards", "radiotherapy"),
    _months("os_months", "Time to death or to the end of follow-up"),
    _event("death", "Whether the patient was seen to die", "death"),
    _months("lp_months", "Time to local progression, to death without it, or to the last image"),
    _event(
        "lp_event",
        "What ended the wait for local progression",
        "local progression",
        "death without local progression",
    ),
    _months("hardware_months", "Time to hardware failure, to death without it, or to censoring"),
    _event(
        "hardware_event",
        "What ended the wait for hardware failure",
        "hardware failure",
        "death without hardware failure",
    ),
    Column(
        "hardware_reoperation",
        "boolean",
        "Operated again for hardware failure; false without failure",
        "outcome",
    ),
    _months("fracture_months", "Time to vertebral fracture, to death without it, or to censoring"),
    _event(
        "fracture_event",
        "What ended the wait for vertebral fracture",
        "vertebral fracture",
        "death without vertebral fracture",
    ),
    Column("radiation_myelopathy", "boolean", "Damage of the spinal cord by radiation", "outcome"),
    Column("esophagitis", "boolean", "Oesophagitis after radiotherapy", "outcome"),
    Column(
        "frankel",
        "category",
        "Frankel grade before surgery",
        "function",
        categories=_FRANKEL,
    ),
    Column(
        "neurologic_deficit",
        "boolean",
        "Neurological deficit before surgery: Frankel A-D",
        "function",
    ),
    Column(
        "frankel_after", "category", "Frankel grade after surgery", "function", categories=_FRANKEL
    ),
    Column(
        "muscle_strength_change",
        "category",
        "Change of muscle strength after surgery; missing where not reported, "
        "as without a deficit before or after",
        "function",
        categories=("decreased", "unchanged", "recovered"),
    ),
    Column(
        "kps_after",
        "integer",
        "Karnofsky performance score after treatment",
        "function",
        unit="points",
        low=0,
        high=100,
        step=10,
    ),
    Column(
        "vas_before",
        "number",
        "Pain before surgery, visual analogue scale",
        "function",
        unit="points",
        low=0,
        high=10,
    ),
    Column(
        "vas_after",
        "number",
        "Pain after surgery (after SBRT where that is the only treatment), visual analogue scale",
        "function",
        unit="points",
        low=0,
        high=10,
    ),
    Column(
        "vas_after_sbrt",
        "number",
        "Pain after SBRT, visual analogue scale; missing without SBRT",
        "function",
        unit="points",
        low=0,
        high=10,
    ),
    Column("pain_relief", "boolean", "Relief of pain by the last score", "function"),
)

COLUMNS: Mapping[str, Column] = MappingProxyType({column.name: column for column in _TABLE})
"""Every column the schema knows, by name, in the order of a written cohort."""

BEFORE_TREATMENT = ("frankel", "neurologic_deficit", "vas_before")
RESULTS = frozenset(
    name
    for name, column in COLUMNS.items()
    if column.group in ("outcome", "recovery", "function") and name not in BEFORE_TREATMENT
)
"""Columns that tell how a patient fared: neither a treatment nor a covariate."""
