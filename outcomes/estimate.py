"""A number with its interval."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A point estimate with the limits of its 95 % interval; NaN where they do not exist."""

    value: float
    lower: float = float("nan")
    upper: float = float("nan")

    def to_dict(self) -> dict[str, float | None]:
        """Return plain data; a number that does not exist becomes None."""
        return {
            name: None if math.isnan(number) else number
            for name, number in (
                ("value", self.value),
                ("lower", self.lower),
                ("upper", self.upper),
            )
        }
