"""How the models page names and draws models and events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from outcomes.endpoints import get_endpoint
from outcomes.reports.charts import Style
from outcomes.reports.content import Legend
from outcomes.reports.names import readable
from outcomes.reports.wording import sentence_case

if TYPE_CHECKING:
    from outcomes.models.evaluation import Evaluation

STYLES: dict[str, Style] = {"cox": "ink", "forest": "hollow"}
EVENTS = {"overall-survival": "death", "local-control": "local progression"}


def style_of(model: str) -> Style:
    """Return how a kind of model is drawn."""
    return STYLES.get(model, "ink")


def event_name(endpoint: str) -> str:
    """Return the event of an endpoint as readers know it."""
    return EVENTS.get(endpoint, get_endpoint(endpoint).events[1])


def happened(endpoint: str) -> str:
    """Return what patients with the event did, as it follows "have"."""
    return "died" if endpoint == "overall-survival" else f"had {event_name(endpoint)}"


def legend(
    evaluations: list[Evaluation], mark: Literal["line", "point"] = "point"
) -> tuple[Legend, ...]:
    """Return an entry for each model."""
    return tuple(
        Legend(sentence_case(readable(item.model)), style_of(item.model), mark)
        for item in evaluations
    )
