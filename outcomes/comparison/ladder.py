"""The adjusted methods: every way to make two arms of different patients comparable."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.causal.cloning import clone_hazard_ratio
from outcomes.causal.estimators import (
    ESTIMATORS,
    NEEDS_START,
    known_start,
    make_clones,
    values_of,
)
from outcomes.causal.functionals import Functionals
from outcomes.causal.jackknife import jackknife
from outcomes.causal.marginal import Marginal
from outcomes.causal.outcome_model import fit_outcome_model
from outcomes.causal.propensity import fit_propensity, treatment_weights
from outcomes.causal.subjects import Subjects
from outcomes.causal.time_dependent import rows_from_start
from outcomes.comparison.contrast import Z95, Contrast, two_sided_p
from outcomes.comparison.forest import TREES_PER_REPLICATE, forest_values
from outcomes.comparison.marginal import marginal_rungs
from outcomes.comparison.options import FOREST, Options
from outcomes.comparison.result import Rung
from outcomes.comparison.setting import Setting
from outcomes.comparison.subjects import Adjusted, make_subjects
from outcomes.cox import CoxFit, fit_cox, with_robust_covariance
from outcomes.endpoints import Endpoint
from outcomes.errors import NotEstimableError
from outcomes.parallel import replicate, spawn_seeds

Result = TypeVar("Result")

LEAST_REPLICATES = 0.8
"""Share of bootstrap samples that must give an estimate for its spread to be one."""


def adjusted_ladder(setting: Setting) -> Iterator[Rung]:
    """Give the risks of both arms in all patients by every adjusted method, then hazard ratios.

    Competing events compete in all of them. Intervals come from influence functions, of few
    patients from the jackknife, or from the bootstrap where the setting asks for it.
    """
    source = once(lambda: make_subjects(setting))
    functionals = Functionals(np.array(setting.horizons))
    bootstrap = once(lambda: _bootstrap(source().subjects, setting, functionals))
    left_out = once(lambda: _jackknife(source().subjects, setting.options, functionals))
    hazard_ratios = _hazard_ratios(setting, source)
    for method in setting.options.wanted:
        estimate = once(
            partial(_estimate, method, setting, source, functionals, bootstrap, left_out)
        )
        note = _note(source, setting, method)
        yield from marginal_rungs(setting, method, estimate, note)
        if method in hazard_ratios:
            yield setting.rung(method, "hazard_ratio", None, hazard_ratios[method], note)


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
        estimate = Marginal.without_covariance(functionals, values, "it takes the bootstrap")
    else:
        estimate = ESTIMATORS[method](subjects, functionals, options.choices)
    if not options.bootstraps:
        if estimate.reason or not _is_small(subjects, options):
            return estimate
        without = left_out().get(method)
        if without is None:
            reason = "without some of the few patients there is no estimate"
            return Marginal.without_covariance(functionals, estimate.values, reason)
        return Marginal.of_jackknife(functionals, estimate.values, without)
    replicates = bootstrap().get(method)
    if replicates is None or len(replicates) < LEAST_REPLICATES * options.bootstraps:
        reason = "too few bootstrap samples gave an estimate"
        return Marginal.without_covariance(functionals, estimate.values, reason)
    return Marginal.of_replicates(functionals, estimate.values, replicates)


def _is_small(subjects: Subjects, options: Options) -> bool:
    return np.unique(subjects.cluster).size < options.jackknife_below


def _jackknife(
    subjects: Subjects, options: Options, functionals: Functionals
) -> dict[str, FloatArray]:
    """Return the estimates without each group of patients, by method."""
    wanted = {name: ESTIMATORS[name] for name in options.wanted if name != FOREST}
    return jackknife(wanted, subjects, functionals, options.choices, options.seed)


def _note(source: Callable[[], Adjusted], setting: Setting, method: str) -> str:
    """Return how a method must be read; "" where it cannot be had."""
    try:
        adjusted = source()
    except NotEstimableError:
        return ""
    notes = [adjusted.note]
    unknown = int(np.isnan(adjusted.subjects.start).sum())
    if method in NEEDS_START and unknown:
        notes.append(f"{unknown} treated at an unknown time left out")
    if method not in NEEDS_START and setting.starts_later:
        notes.append("not corrected for the time lived until treatment")
    options = setting.options
    if method != FOREST and not options.bootstraps and _is_small(adjusted.subjects, options):
        notes.append("few patients: interval by the jackknife")
    if method == "iptw" and options.choices.truncate is not None:
        notes.append(f"weights cut at {100 * options.choices.truncate:g} % at either end")
    return "; ".join(notes)


@dataclass(frozen=True)
class _Replicate:
    """The estimates from one bootstrap sample; picklable."""

    subjects: Subjects
    endpoint: Endpoint
    functionals: Functionals
    options: Options

    def __call__(self, seed: np.random.SeedSequence) -> dict[str, FloatArray]:
        generator = np.random.default_rng(seed)
        drawn = self.subjects.resampled(generator)
        wanted = {name: ESTIMATORS[name] for name in self.options.wanted if name != FOREST}
        found = values_of(wanted, drawn, self.functionals, self.options.choices)
        if FOREST not in self.options.wanted:
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
    """Return the replicates of every method, shape (n_replicates, 2, n_functionals) each."""
    options = setting.options
    task = _Replicate(subjects, setting.endpoint, functionals, options)
    seeds = spawn_seeds(options.seed, options.bootstraps)
    results = replicate(task, seeds, jobs=options.jobs)
    return {
        name: np.array(found)
        for name in options.wanted
        if len(found := [one[name] for one in results if name in one]) > 1
    }


def _hazard_ratios(
    setting: Setting, source: Callable[[], Adjusted]
) -> dict[str, Callable[[], Contrast]]:
    """Return what gives the hazard ratio of a method."""

    def weighted() -> CoxFit:
        subjects = source().subjects
        weights = treatment_weights(
            subjects, fit_propensity(subjects), truncate=setting.options.choices.truncate
        )
        return with_robust_covariance(
            fit_cox(
                subjects.treated[:, None].astype(np.float64),
                subjects.time,
                subjects.codes == 1,
                weights=weights,
                strata=subjects.stratum,
                names=["treatment"],
                robust=False,
            ),
            subjects.cluster,
        )

    def as_it_comes() -> CoxFit:
        setting.require_start()
        known = known_start(source().subjects)
        rows = rows_from_start(known, known.start)
        fit = fit_outcome_model(known, rows).causes[0].fit
        return with_robust_covariance(fit, known.cluster[rows.patient])

    def cloned() -> CoxFit:
        setting.require_start()
        known = known_start(source().subjects)
        return clone_hazard_ratio(known, make_clones(known, setting.options.choices))

    found = {"iptw": weighted, "time-dependent": as_it_comes, "clone-censor-weight": cloned}
    return {name: partial(_ratio, fit) for name, fit in found.items()}


def _ratio(fit: Callable[[], CoxFit]) -> Contrast:
    """Return the hazard ratio of the last coefficient."""
    found = fit()
    log_ratio, error = float(found.coefficients[-1]), float(found.standard_errors[-1])
    return Contrast(
        value=math.exp(log_ratio),
        lower=math.exp(log_ratio - Z95 * error),
        upper=math.exp(log_ratio + Z95 * error),
        p=two_sided_p(log_ratio / error),
    )
