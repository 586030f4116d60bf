"""What goes with an endpoint in the Cox model, and what predictions rest on."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import pandas as pd

from outcomes.endpoints import get_endpoint
from outcomes.reports.charts import Bar, BarChart, ForestChart, ForestRow
from outcomes.reports.content import (
    Block,
    CollapsedTable,
    Column,
    Figure,
    Paragraph,
    Section,
    Table,
)
from outcomes.reports.names import readable, term_name
from outcomes.reports.results import ModelResult, StudyResults
from outcomes.reports.summary_common import as_float
from outcomes.reports.summary_features import HEADINGS, column_of, features, known_before
from outcomes.reports.summary_support import sbrt_support, support_sentence
from outcomes.reports.wording import (
    count,
    known,
    limits,
    number,
    p_value,
    sentence_case,
    sentence_list,
)

# A year or a point is too small a step to read; the models' coefficients are per unit.
STEPS = {"kps": (10, "per 10 points"), "age": (10, "per 10 years")}


def effects_section(results: StudyResults, endpoint: str) -> Section | None:
    """Return the hazard ratios of an endpoint; None without a Cox model."""
    model = results.models.get((endpoint, "cox"))
    if model is None or model.coefficients is None:
        return None
    event = get_endpoint(endpoint).events[1]
    table = _one_reference(model, model.coefficients)
    own = table[table["event"] == event]
    rows = _grouped(own)
    competing = table[table["event"] != event]
    support = _sbrt_words(results, own)
    blocks: list[Block] = [
        Figure(
            id=f"effects-{endpoint}",
            chart=ForestChart(
                rows=rows,
                x_title=f"Hazard ratio for {event}",
                reference=1.0,
                log=True,
                hints=("lower risk", "higher risk"),
                text_titles=("HR (95% CI)", "p"),
            ),
            label=f"Hazard ratios for {event} with 95% confidence intervals.",
            caption=f"Cox model of {event}: hazard ratios with 95% CI, each adjusted for the "
            f"others, {count(model.n, 'patient')}, {count(model.events, 'event')}. "
            "They are associations, not effects: who has a feature differs in other ways, too. "
            "Each row compares with patients without the feature"
            + (", each SBRT regimen with no SBRT. " if model.regimens is not None else ". ")
            + "Baseline risks are kept apart by series.",
            table=_effect_table(f"Hazard ratios for {event}", own),
        )
    ]
    if support:
        blocks.append(Paragraph(support))
    if not competing.empty:
        other = str(competing["event"].iloc[0])
        blocks.append(
            CollapsedTable(
                f"Hazard ratios for the competing event, {other}",
                _effect_table(f"Hazard ratios for {other}", competing),
            )
        )
    blocks += _proportional(model, event)
    return Section(
        id=f"effects-{endpoint}-section",
        title=f"What goes with {event}",
        finding=_effect_finding(own, event, results.cohort),
        blocks=tuple(blocks),
    )


def _one_reference(model: ModelResult, table: pd.DataFrame) -> pd.DataFrame:
    """Return the labelled coefficients, with every regimen against no SBRT where that is known."""
    labelled = table.assign(label=_labels(table))
    if model.regimens is None or model.regimens.empty:
        return labelled
    columns = labelled["covariate"].astype(str)
    replaced = (columns == "sbrt") | columns.str.startswith("dose_regimen=")
    regimens = model.regimens.assign(
        label=[
            f"SBRT {readable(str(term).partition('=')[2]).replace(', ', ' of ')} against none"
            for term in model.regimens["covariate"]
        ]
    )
    shared = [name for name in labelled.columns if name in regimens.columns]
    return pd.concat([labelled.loc[~replaced, shared], regimens[shared]], ignore_index=True)


def _grouped(table: pd.DataFrame) -> tuple[ForestRow, ...]:
    """Return the rows under headings that say when a feature is known, if more than one is due."""
    records = table.to_dict("records")
    groups = {
        when: tuple(
            _effect_row(row)
            for row in records
            if known_before(column_of(str(row["covariate"]))) is when
        )
        for when in HEADINGS
    }
    filled = {when: rows for when, rows in groups.items() if rows}
    if len(filled) < 2:
        return tuple(row for rows in filled.values() for row in rows)
    return tuple(
        row
        for when, rows in filled.items()
        for row in (ForestRow(HEADINGS[when].upper(), None, None, None, ()), *rows)
    )


def _labels(table: pd.DataFrame) -> list[str]:
    """Return the names of the terms of a design."""
    terms = [str(term) for term in table["covariate"]]
    given = table["label"] if "label" in table.columns else table["covariate"].map(str)
    return [
        term_name(term, str(label) or readable(term), terms)
        for term, label in zip(terms, given, strict=True)
    ]


def _sbrt_words(results: StudyResults, table: pd.DataFrame) -> str:
    """Return what the row of SBRT means and what it rests on; empty without such a row."""
    if not {"sbrt", "dose_regimen"} & {column_of(str(term)) for term in table["covariate"]}:
        return ""
    text = support_sentence(sbrt_support(results))
    if results.comparisons and results.calibration is not None:
        text += (
            " It is neither the direct effect assumed on the calibration page nor the whole effect "
            "in the series of the comparison page."
        )
    return text.strip()


def _effect_row(row: Mapping[Hashable, object]) -> ForestRow:
    step, words = STEPS.get(str(row["covariate"]), (1, ""))
    value, lower, upper = (as_float(row[name]) ** step for name in ("hr", "lower", "upper"))
    label = sentence_case(str(row["label"]))
    return ForestRow(
        label=f"{label}, {words}" if words else label,
        value=value,
        lower=lower,
        upper=upper,
        texts=(f"{number(value, 2)} ({limits(lower, upper, 2)})", p_value(as_float(row["p"]))),
    )


def _effect_table(title: str, table: pd.DataFrame) -> Table:
    rows = tuple(
        (row.label, *row.texts) for row in (_effect_row(r) for r in table.to_dict("records"))
    )
    return Table(
        title,
        (Column("Feature"), Column("HR (95% CI)", numeric=True), Column("p", numeric=True)),
        rows,
        fitted=True,
        stacked=True,
    )


def _effect_finding(table: pd.DataFrame, event: str, cohort: pd.DataFrame) -> str:
    records = table.to_dict("records")
    worse = [_raised(row, cohort) for row in records if as_float(row["lower"]) > 1]
    better = [_raised(row, cohort) for row in records if as_float(row["upper"]) < 1]
    parts = []
    if worse:
        parts.append(f"a higher risk of {event} goes with {sentence_list(tuple(worse))}")
    if better:
        parts.append(f"a lower one with {sentence_list(tuple(better))}")
    if not parts:
        return f"No feature stands out clearly from chance for {event} in these patients."
    if not worse:
        parts = [f"a lower risk of {event} goes with {sentence_list(tuple(better))}"]
    return (
        f"{sentence_case('; '.join(parts))}. The other features may go either way. This is "
        "association, not effect."
    )


def _raised(row: Mapping[Hashable, object], cohort: pd.DataFrame) -> str:
    """Return the name of a factor; of a number, that its higher values are meant."""
    name, label = str(row["covariate"]), str(row["label"])
    if name not in cohort.columns or not pd.api.types.is_numeric_dtype(cohort[name]):
        return label
    if pd.api.types.is_bool_dtype(cohort[name]) or cohort[name].nunique() < 3:
        return label
    return f"a higher {label}"


def _proportional(model: ModelResult, event: str) -> list[Block]:
    test = model.proportional_hazards
    if test is None or test.empty:
        return []
    own = test[test["event"] == event] if "event" in test.columns else test
    labels: dict[str, str] = {}
    if model.coefficients is not None:
        terms = model.coefficients
        labels = dict(zip(terms["covariate"].astype(str), _labels(terms), strict=True))
    rows = tuple(
        (
            sentence_case(labels.get(str(row["covariate"]), readable(str(row["covariate"])))),
            number(as_float(row.get("statistic")), 2),
            p_value(as_float(row["p"])),
        )
        for row in own.to_dict("records")
    )
    low = sum(as_float(row["p"]) < 0.05 for row in own.to_dict("records"))
    verdict = (
        "no factor speaks against it"
        if not low
        else f"{count(low, 'factor')} of {len(rows)} {'speaks' if low == 1 else 'speak'} against "
        "it (p below 0.05; one in twenty would by chance)"
    )
    return [
        CollapsedTable(
            f"Do the hazard ratios stay the same over time? {sentence_case(verdict)}",
            Table(
                "Test of proportional hazards (Grambsch and Therneau)",
                (Column("Feature"), Column("Statistic", numeric=True), Column("p", numeric=True)),
                rows,
                fitted=True,
                stacked=True,
            ),
        )
    ]


def importance_section(results: StudyResults, endpoint: str) -> Section | None:
    """Return what the predictions of an endpoint rest on; None where it was not computed."""
    models = [
        model
        for (name, _), model in results.models.items()
        if name == endpoint and model.importance is not None and not model.importance.empty
    ]
    if not models:
        return None
    blocks: list[Block] = []
    firsts = []
    for model in models:
        importance = model.importance
        if importance is None:
            continue
        records = importance.to_dict("records")
        for row in records:
            row["label"] = _shuffled(str(row["covariate"]), str(row["label"]), results)
        firsts.append(str(records[0]["label"]))
        bars = tuple(
            Bar(
                sentence_case(str(row["label"])),
                max(as_float(row["importance"]), 0.0),
                number(as_float(row["importance"]), 3) if _beyond_noise(row) else "within noise",
            )
            for row in records
        )
        name = readable(model.kind)
        blocks.append(
            Figure(
                id=f"importance-{endpoint}-{model.kind}",
                chart=BarChart(bars, "Loss of C-index"),
                label=f"Permutation importance in the {name}.",
                caption=f"{sentence_case(name)}: how much the C-index falls when one feature is "
                "shuffled among the patients. “Within noise”: the fall is no larger than repeated "
                "shuffling alone makes it; one below 0 is drawn as 0. SBRT and its dose regimen "
                "are coded together and shuffled together.",
                table=Table(
                    "Loss of C-index when a feature is shuffled",
                    (
                        Column("Feature"),
                        Column("Loss of C-index", numeric=True),
                        Column("Standard deviation over shuffles", numeric=True),
                    ),
                    tuple(
                        (
                            bar.label,
                            number(as_float(row["importance"]), 3),
                            number(as_float(row.get("sd")), 3),
                        )
                        for bar, row in zip(bars, records, strict=True)
                    ),
                ),
            )
        )
    leaders = tuple(dict.fromkeys(first for first in firsts))
    return Section(
        id=f"importance-{endpoint}",
        title=f"{get_endpoint(endpoint).title}: what the predictions rest on",
        finding=f"The predictions rest most on {sentence_list(leaders)}. This says what the models "
        "use, not what causes the outcome.",
        blocks=tuple(blocks),
    )


def _beyond_noise(row: Mapping[Hashable, object]) -> bool:
    """Whether a loss is above 0 by more than the shuffles vary; where that is unknown, above 0."""
    lower = as_float(row.get("lower"))
    return (lower if known(lower) else as_float(row["importance"])) > 0


def _shuffled(name: str, label: str, results: StudyResults) -> str:
    """Return the name of what was shuffled: with SBRT its dose regimen."""
    if name == "sbrt" and "dose_regimen" in features(results):
        return "SBRT and dose regimen"
    return term_name(name, label)
