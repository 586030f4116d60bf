"""The trial that each method imitates, and which biases it deals with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.endpoints import get_endpoint
from outcomes.reports.content import Block, CollapsedTable, Column, Section, Table
from outcomes.reports.names import readable, readable_text
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_methods import METHODS
from outcomes.reports.wording import as_sentence, sentence_case

if TYPE_CHECKING:
    from outcomes.comparison import Comparison, TargetTrial

# What each method does, beneath its name.
DOES = {
    "crude": "the groups as they stand",
    "stratified": "the groups as they stand, in each series by itself",
    "1 - Kaplan-Meier": "the dead counted as if they could still have it",
    "cox-unadjusted": "how fast the event comes, as the groups stand",
    "cox-adjusted": "how fast the event comes in patients with the same features",
    "landmark": "from a fixed week on, by what had begun until then",
    "g-formula-cox": "a model predicts everyone’s risk with and without treatment",
    "g-formula-forest": "a forest predicts everyone’s risk with and without treatment",
    "iptw": "patients are weighted so that the groups look alike",
    "doubly-robust": "prediction and weights together: one of them has to be right",
    "landmark-adjusted": "a landmark, and everyone’s risk predicted from there on",
    "time-dependent": "a patient counts as treated only once treatment has begun",
    "clone-censor-weight": "everyone is put into both strategies, and followed in each while true "
    "to it",
}
HANDLED = {
    "yes": "✓ dealt with",
    "no": "✗ left in",
    "hazard ratio only": "✓ hazard ratio\n✗ left in risks",
    "not present": "none here",
}


def trial_section(results: StudyResults) -> Section | None:
    """Show which bias each method deals with, and the trial it imitates."""
    comparisons = [one for one in results.comparisons.values() if one.target_trials]
    if not comparisons:
        return None
    trials: dict[str, TargetTrial] = {}
    for comparison in reversed(comparisons):
        trials |= {trial.method: trial for trial in comparison.target_trials}
    # The endpoint with competing events has every method in its order.
    fullest = max(comparisons, key=lambda one: len(one.target_trials))
    order = [trial.method for trial in fullest.target_trials]
    competing = {
        trial.method: trial.competing_events
        for comparison in comparisons
        for trial in comparison.target_trials
        if trial.competing_events != "not present"
    }
    rows = tuple(
        (
            f"{_name(method)}\n{DOES[method]}" if method in DOES else _name(method),
            HANDLED[trials[method].selection],
            HANDLED[trials[method].immortal_time],
            HANDLED[competing.get(method, "not present")],
        )
        for method in order
    )
    matrix = Table(
        "Which bias each method deals with",
        (
            Column("Method"),
            Column("Choice of patients", numeric=True),
            Column("Immortal time", numeric=True),
            Column("Competing events", numeric=True),
        ),
        rows,
        note=(
            "Choice of patients: fitter patients are treated more often; it is dealt with only as "
            "far as the features that were measured tell. Immortal time: who is "
            "treated has lived until treatment began. Competing events: the dead can have no "
            "progression any more."
        ),
        fitted=True,
        stacked=True,
    )
    blocks: list[Block] = [matrix]
    blocks += [_trial_table(comparison) for comparison in comparisons]
    return Section(
        id="target-trials",
        title="The trial behind each method",
        finding=(
            "Every method imitates a trial that was never done. It answers the question of that "
            "trial, and deals with a bias only where the trial would."
        ),
        blocks=tuple(blocks),
    )


def _trial_table(comparison: Comparison) -> CollapsedTable:
    title = get_endpoint(comparison.endpoint).title
    trials = comparison.target_trials
    return CollapsedTable(
        f"{title}: eligibility, strategies, time zero, grace period and assumptions",
        Table(
            f"{title}: the target trial of each method. Counted: {trials[0].outcome}.",
            (
                Column("Method"),
                Column("Who, from when"),
                Column("What is compared"),
                Column("What is estimated"),
                Column("What must hold"),
            ),
            tuple(
                (
                    _name(trial.method),
                    f"{_words(trial.eligibility)}\nfrom {trial.time_zero}; grace period: "
                    f"{trial.grace_period}",
                    f"{_words(trial.strategy_treated)}\nagainst: {trial.strategy_control}",
                    _words(trial.estimand),
                    as_sentence("; ".join(trial.assumptions)),
                )
                for trial in trials
            ),
            fitted=True,
            stacked=True,
        ),
    )


def _name(method: str) -> str:
    return METHODS.get(method, readable(method))


def _words(text: str) -> str:
    return sentence_case(readable_text(text))
