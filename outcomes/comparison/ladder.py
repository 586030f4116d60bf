"""The adjusted methods: every way to make two arms of different patients comparable."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from outcomes.arrays import BoolArray, FloatArray
from outcomes.causal.estimators import ESTIMATORS, NEEDS_START, Choices, Estimator, values_of
from outcomes.causal.functionals import Functionals
from outcomes.causal.hazard_ratio import HAZARD_RATIOS
from outcomes.causal.jackknife import jackknife, jackknife_variance
from outcomes.causal.marginal import Marginal
from outcomes.causal.subjects import Subjects
from outcomes.comparison.contrast import FEWEST_PATIENTS, Contrast, ratio_of_log
from outcomes.comparison.forest import TREES_PER_REPLICATE, forest_values
from outcomes.comparison.marginal import marginal_rungs
from outcomes.comparison.options import FOREST, Options
from outcomes.comparison.result import Rung
from outcomes.comparison.setting import Setting
from outcomes.comparison.subjects import Adjusted, make_subjects
from outcomes.endpoints import Endpoint
from outcomes.errors import NotEstimableError
from outcomes.parallel import replicate, spawn_seeds

Result = TypeVar("Result")

LEAST_REPLICATES = 0.8
"""Share of bootstrap samples that must give an estimate for its spread to be one."""
MANY_UNKNOWN = 0.1
"""Share of the treated whose start is unknown from which on that is a worry."""
ARM_OF_FEW = 0.25
"""Share of the number that makes a cohort small which makes an arm so."""
CANNOT_SPARE = "without some of the few patients there is no estimate"
TOO_FEW = f"there are fewer than {FEWEST_PATIENTS} patients"
RATIO = ":hazard_ratio"


def adjusted_ladder(setting: Setting) -> Iterator[Rung]:
    """Give the risks of both arms in all patients by every adjusted method, then hazard ratios.

    Competing events compete in all of them. Intervals come from influence functions, of few
    patients from the jackknife, or from the bootstrap where the setting asks for it.
    """
    source = once(lambda: make_subjects(setting))
    functionals = Functionals(np.array(setting.horizons))
    bootstrap = once(lambda: _bootstrap(source().subjects, setting, functionals))
    left_out = once(lambda: _jackknife(source().subjects, setting.options, functionals))
    for method in setting.options.wanted:
        estimate = once(
            partial(_estimate, method, setting, source, functionals, bootstrap, left_out)
        )
        note = _note(source, setting, method, estimate, bootstrap)
        yield from marginal_rungs(setting, method, estimate, note, _rows(source))
        if method in HAZARD_RATIOS:
            ratio = partial(_hazard_ratio, method, setting, source, left_out)
            yield setting.rung(method, "hazard_ratio", None, ratio, note)


def once(function: Callable[[], Result]) -> Callable[[], Result]:
    """Return the function, which is called once and then gives the same again.

    That it is not estimable is kept as well.
    """
    kept: list[Result | NotEstimableError] = []

    def kept_or_called() -> Result:
        if not kept:
            try:
                kept.append(function())
            except NotEstimableError as error:
                kept.append(error)
        if isinstance(kept[0], NotEstimableError):
            raise kept[0]
        return kept[0]

    return kept_or_called


def _estimate(
    method: str,
    setting: Setting,
    source: Callable[[], Adjusted],
    functionals: Functionals,
    bootstrap: Callable[[], Mapping[str, FloatArray]],
    left_out: Callable[[], Mapping[str, FloatArray]],
) -> Marginal:
    subjects, options = source().subjects, setting.options
    if method in NEEDS_START:
        setting.require_start()
    if method == FOREST:
        values = forest_values(subjects, setting.endpoint, functionals, seed=options.seed)
        estimate = Marginal.without_covariance(functionals, values, "it takes bootstrap samples")
    else:
        estimate = ESTIMATORS[method](subjects, functionals, options.choices)
    if _clusters(subjects) < FEWEST_PATIENTS:
        return Marginal.without_covariance(functionals, estimate.values, TOO_FEW)
    samples = options.samples(method)
    if not samples:
        if estimate.reason or not _is_small(subjects, options):
            return estimate
        without = left_out().get(method)
        if without is None:
            return Marginal.without_covariance(functionals, estimate.values, CANNOT_SPARE)
        return Marginal.of_jackknife(functionals, estimate.values, without)
    replicates = bootstrap().get(method)
    found = 0 if replicates is None else len(replicates)
    if replicates is None or found < LEAST_REPLICATES * samples:
        reason = f"only {found} of {samples} bootstrap samples gave an estimate"
        return Marginal.without_covariance(functionals, estimate.values, reason)
    return Marginal.of_replicates(functionals, estimate.values, replicates)


def _is_small(subjects: Subjects, options: Options) -> bool:
    """Return whether there are few patients, or few in an arm."""
    arms = (subjects.cluster[subjects.treated == arm] for arm in (True, False))
    fewest = min(np.unique(one).size for one in arms)
    few = options.jackknife_below
    return _clusters(subjects) < few or fewest < ARM_OF_FEW * few


def _clusters(subjects: Subjects) -> int:
    return np.unique(subjects.cluster).size


def _jackknife(
    subjects: Subjects, options: Options, functionals: Functionals
) -> dict[str, FloatArray]:
    """Return the estimates without each group of patients, by method, and hazard ratios."""
    choices = replace(options.choices, covariance=False)

    def values(method: str, some: Subjects) -> FloatArray:
        return ESTIMATORS[method](some, functionals, choices).values

    def log_ratio(method: str, some: Subjects) -> FloatArray:
        return np.array(HAZARD_RATIOS[method](some, choices).value)

    methods = _quick(options.wanted)
    ratios = {name + RATIO: partial(log_ratio, name) for name in methods if name in HAZARD_RATIOS}
    estimates = {name: partial(values, name) for name in methods} | ratios
    return jackknife(estimates, subjects, options.seed)


def _quick(methods: Iterable[str]) -> dict[str, Estimator]:
    """Return the estimators but the forest."""
    return {name: ESTIMATORS[name] for name in methods if name != FOREST}


def _note(
    source: Callable[[], Adjusted],
    setting: Setting,
    method: str,
    estimate: Callable[[], Marginal],
    bootstrap: Callable[[], Mapping[str, FloatArray]],
) -> str:
    """Return how a method must be read; "" where it cannot be had."""
    try:
        adjusted = source()
    except NotEstimableError:
        return ""
    subjects, options = adjusted.subjects, setting.options
    notes = [adjusted.note]
    if method in NEEDS_START:
        notes += _of_start(method, subjects, options.choices)
    elif setting.starts_later:
        notes.append("not corrected for the time lived until treatment")
    if _has_interval(estimate):
        notes += _of_interval(method, subjects, options, bootstrap)
    if method == "iptw" and options.choices.truncate is not None:
        notes.append(
            f"weights cut at {100 * options.choices.truncate:g} % at either end, which brings "
            "some of the confounding back"
        )
    return "; ".join(notes)


def _rows(source: Callable[[], Adjusted]) -> BoolArray | None:
    """Return the rows that the adjusted methods rest on; None where there are none."""
    try:
        return source().rows
    except NotEstimableError:
        return None


def _has_interval(estimate: Callable[[], Marginal]) -> bool:
    try:
        return not estimate().reason
    except NotEstimableError:
        return False


def _of_interval(
    method: str,
    subjects: Subjects,
    options: Options,
    bootstrap: Callable[[], Mapping[str, FloatArray]],
) -> list[str]:
    """Return what is to be said of where an interval is from."""
    samples = options.samples(method)
    if not samples:
        few = _is_small(subjects, options)
        return ["few patients: interval by the jackknife"] if few and method != FOREST else []
    notes = [] if options.bootstraps else [f"interval from {samples} bootstrap samples"]
    without = samples - len(bootstrap()[method])
    if without:
        notes.append(f"{without} of {samples} bootstrap samples gave no estimate")
    return notes


def _of_start(method: str, subjects: Subjects, choices: Choices) -> list[str]:
    """Return what is to be said of when treatment began."""
    notes = []
    unknown, treated = int(np.isnan(subjects.start).sum()), int(subjects.treated.sum())
    if unknown:
        text = f"{unknown} of {treated} treated at an unknown time, for whom the others stand"
        if unknown > MANY_UNKNOWN * treated:
            text += ": wrong unless it is by chance that their start is unknown"
        notes.append(text)
    if method == "clone-censor-weight":
        first, last = choices.grace
        early, late = (
            int(rule.sum())
            for rule in (
                (subjects.start < first) & (subjects.start < subjects.time),
                (subjects.start > last) & np.isfinite(subjects.start),
            )
        )
        if early or late:
            notes.append(
                f"{early} treated before and {late} after the grace period follow neither strategy"
            )
    return notes


@dataclass(frozen=True)
class _Replicate:
    """The estimates from one bootstrap sample; picklable."""

    subjects: Subjects
    endpoint: Endpoint
    functionals: Functionals
    options: Options
    methods: tuple[str, ...]

    def __call__(self, seed: np.random.SeedSequence) -> dict[str, FloatArray]:
        generator = np.random.default_rng(seed)
        drawn = self.subjects.resampled(generator)
        choices = self.options.choices
        found = values_of(_quick(self.methods), drawn, self.functionals, choices)
        if FOREST not in self.methods:
            return found
        try:
            found[FOREST] = forest_values(
                drawn,
                self.endpoint,
                self.functionals,
                trees=TREES_PER_REPLICATE,
                seed=int(generator.integers(2**31)),
            )
        except NotEstimableError:
            return found
        return found


def _bootstrap(
    subjects: Subjects, setting: Setting, functionals: Functionals
) -> dict[str, FloatArray]:
    """Return the replicates, shape (n_replicates, 2, n_functionals), of the methods that need them.

    Either all do, or only the forest.
    """
    options = setting.options
    methods = tuple(name for name in options.wanted if options.samples(name))
    task = _Replicate(subjects, setting.endpoint, functionals, options, methods)
    seeds = spawn_seeds(options.seed, max(map(options.samples, methods)))
    results = replicate(task, seeds, jobs=options.jobs)
    return {
        name: np.array(found)
        for name in methods
        if len(found := [one[name] for one in results if name in one]) > 1
    }


def _hazard_ratio(
    method: str,
    setting: Setting,
    source: Callable[[], Adjusted],
    left_out: Callable[[], Mapping[str, FloatArray]],
) -> Contrast:
    """Return the hazard ratio of a method; in few patients its error is the jackknife's."""
    subjects, options = source().subjects, setting.options
    if method in NEEDS_START:
        setting.require_start()
    found = HAZARD_RATIOS[method](subjects, options.choices)
    error = found.standard_error
    small = _is_small(subjects, options)
    if _clusters(subjects) < FEWEST_PATIENTS:
        return Contrast(math.exp(found.value), note=f"no interval because {TOO_FEW}")
    if small:
        without = left_out().get(method + RATIO)
        if without is None:
            return Contrast(math.exp(found.value), note=f"no interval because {CANNOT_SPARE}")
        error = math.sqrt(float(jackknife_variance(without)))
    note = "few patients: interval by the jackknife" if options.bootstraps and small else ""
    return ratio_of_log(found.value, error, note)
