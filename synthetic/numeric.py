"""The published figures as single numbers, each beside what the simulation gives for it."""

from dataclasses import replace

from outcomes.evidence import Evidence, Figure
from outcomes.synthetic.estimands import RANGE_ENDS, is_covered
from outcomes.synthetic.perioperative import SPREADS

# Ends of what the design allows, which no patient need reach.
DESIGNED = tuple(
    f"{name}_{end}" for name in ("sbrt_start", "follow_up_range") for end in RANGE_ENDS
)


def numeric_figures(study: str, evidence: Evidence) -> tuple[Figure, ...]:
    """Return a study's figures that the simulation speaks of, each a single number.

    A range becomes its two ends, and a mean with a standard deviation these two; all keep what
    else stands in the registry.
    """
    found: list[Figure] = []
    for figure in evidence.of_study(study):
        if figure.role not in ("fit", "check"):
            continue
        if figure.estimand == "range":
            ends = zip(RANGE_ENDS, (figure.low, figure.high), strict=True)
            found += [_derived(figure, end, value) for end, value in ends]
        else:
            found.append(figure)
            if figure.sd is not None and figure.quantity in SPREADS:
                found.append(_derived(figure, "sd", figure.sd))
    return tuple(figure for figure in found if is_covered(figure))


def observable_figures(study: str, evidence: Evidence) -> tuple[Figure, ...]:
    """Return those of them that patients show: not what the design allows at most."""
    return tuple(f for f in numeric_figures(study, evidence) if f.quantity not in DESIGNED)


def _derived(figure: Figure, ending: str, value: float | None) -> Figure:
    """Return one number of a figure that holds several."""
    quantity = f"{figure.quantity}_{ending}"
    arm = f"/{figure.arm}" if figure.arm else ""
    return replace(
        figure, id=f"{figure.study}/{quantity}{arm}", quantity=quantity, value=value, sd=None
    )
