"""The exceptions this package raises on purpose.

Each message says what is wrong, where, and what is allowed. The command line turns every one
of them into exit status 3 and a single message, never a traceback.
"""

from dataclasses import dataclass


class OutcomesError(ValueError):
    """Base of the package's own errors; a `ValueError`, as scikit-learn users expect."""


class EvidenceError(OutcomesError):
    """A file of published figures or assumptions is wrong."""


class CalibrationError(OutcomesError):
    """The figures of a study cannot be turned into parameters."""


class ModelError(OutcomesError):
    """A model cannot be fitted to, or asked about, these data."""


class ModelFileError(OutcomesError):
    """A stored model is damaged, altered, or of a newer format."""


class NotEstimableError(OutcomesError):
    """The quantity cannot be estimated from these data; the message says why."""


class ParallelError(OutcomesError):
    """Replicate work cannot be spread over workers as asked."""


@dataclass(frozen=True)
class Violation:
    """One cell, row or column of a cohort that breaks the schema.

    Attributes
    ----------
    column
        Name of the column.
    row
        Position of the row, counted from 1 without the header; None for the whole column.
    value
        The offending value as text; None where a column is missing.
    allowed
        What would be accepted.
    """

    column: str
    row: int | None
    value: str | None
    allowed: str

    def __str__(self) -> str:
        where = f"column {self.column}" if self.row is None else f"row {self.row}, {self.column}"
        found = "missing" if self.value is None else f"found {self.value!r}"
        return f"{where}: {found}; allowed: {self.allowed}"


class CohortError(OutcomesError):
    """A cohort breaks the schema; all breaches are reported, not only the first.

    Attributes
    ----------
    violations
        The breaches, by row; of a rule broken in very many rows only the first ones.
    source
        What the table is called.
    total
        Number of all breaches, listed or not.
    """

    def __init__(
        self, violations: tuple[Violation, ...], source: str = "cohort", total: int | None = None
    ) -> None:
        self.violations = violations
        self.source = source
        self.total = len(violations) if total is None else total
        listed = f", {len(violations)} listed" if len(violations) < self.total else ""
        lines = "\n".join(f"  {violation}" for violation in violations)
        super().__init__(
            f"{source}: {self.total} violation{'s' * (self.total != 1)}{listed}\n{lines}"
        )

    def __reduce__(self) -> tuple[type["CohortError"], tuple[tuple[Violation, ...], str, int]]:
        return type(self), (self.violations, self.source, self.total)
