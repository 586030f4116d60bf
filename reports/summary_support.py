"""Which series show what SBRT does: those with patients of both kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import has_columns
from outcomes.reports.wording import count, sentence_list

ALL = "the cohort"


@dataclass(frozen=True)
class Support:
    """Patients of one series with and without SBRT."""

    title: str
    treated: int
    untreated: int

    @property
    def shows_effect(self) -> bool:
        """Whether patients with and without SBRT stand beside each other."""
        return bool(self.treated and self.untreated)

    def number(self, *, sbrt: bool) -> int:
        """Return the patients with, or without, SBRT."""
        return self.treated if sbrt else self.untreated


def sbrt_support(results: StudyResults) -> dict[str, Support]:
    """Return the patients with and without SBRT by series; empty without the column."""
    cohort = results.cohort
    if not has_columns(cohort, "sbrt"):
        return {}
    known = cohort[cohort["sbrt"].notna()]
    sbrt = known["sbrt"].astype(bool)
    if "study" not in cohort.columns:
        return {"": Support(ALL, int(sbrt.sum()), int((~sbrt).sum()))}
    return {
        str(study): Support(results.study_title(str(study)), int(own.sum()), int((~own).sum()))
        for study, own in sbrt.groupby(known["study"], sort=False, observed=True)
    }


def support_sentence(support: Mapping[str, Support]) -> str:
    """Return what the effect of SBRT rests on; empty where nobody or everybody had it."""
    showing = [one for one in support.values() if one.shows_effect]
    if not showing:
        return ""
    if len(showing) == 1:
        (one,) = showing
        text = (
            f"The effect of SBRT rests on {one.title} alone: {one.treated:,} with and "
            f"{one.untreated:,} without."
        )
    else:
        parts = tuple(
            f"{one.title} ({one.treated:,} with, {one.untreated:,} without)" for one in showing
        )
        text = f"The effect of SBRT rests on {sentence_list(parts)}."
    others = len(support) - len(showing)
    if others:
        words = "series has" if others == 1 else "series have"
        text += f" The other {'' if others == 1 else f'{others} '}{words} no such contrast."
    return text


def choice_help(support: Mapping[str, Support]) -> str:
    """Return which patients had no SBRT, for the line below its switch."""
    without = tuple(one for one in support.values() if one.untreated)
    if not without:
        return ""
    if len(without) == len(support):
        return f"{sum(one.untreated for one in without):,} of these patients went without."
    parts = tuple(f"{one.untreated:,} of {one.title}" for one in without)
    return f"Only {sentence_list(parts)} went without."


def extrapolations(support: Mapping[str, Support]) -> dict[str, dict[str, str]]:
    """Return the warnings of the calculator, by SBRT (``true``, ``false``) and chosen series.

    The empty name stands for the average of all series. Where a series holds patients of the
    kind asked for, there is no entry.
    """
    warnings: dict[str, dict[str, str]] = {"true": {}, "false": {}}
    for sbrt, words in ((True, "had SBRT"), (False, "went without SBRT")):
        having = [one for one in support.values() if one.number(sbrt=sbrt)]
        lacking = {name: one for name, one in support.items() if not one.number(sbrt=sbrt)}
        if not having or not lacking:
            continue
        source = sentence_list(
            tuple(f"{count(one.number(sbrt=sbrt), 'patient')} of {one.title}" for one in having)
        )
        own = warnings["true" if sbrt else "false"]
        for name in lacking:
            own[name] = f"No patient of this series {words}: extrapolated from {source}."
        own[""] = (
            f"No patient of {len(lacking)} of the {len(support)} series averaged {words}: "
            f"extrapolated from {source}."
        )
    return warnings
