"""Uncertainty of a forest's predictions.

Another training cohort would have given other trees. The infinitesimal jackknife of a bagged
prediction (Wager, Hastie and Efron, J Mach Learn Res 2014;15:1625-1651) is

    V = sum over patients i of Cov_b(N_bi, t_b)^2

with N_bi how often tree b drew patient i and t_b what it predicts, less its Monte Carlo bias, which
comes of a tree's product with itself. So only products of different trees b and c are counted: V is
how much more alike two trees predict the more patients they have in common. With G_bc the sum over
the patients of the product of their centred counts and t centred, V is (size^2 / n) times the slope
of t_b t_c by G_bc, whether trees are drawn on their own or from half-samples.

For one prediction V is far too noisy unless there are more trees than patients. The ratio of V to
the variance v between trees, however, hardly differs between patients and months, whereas v is
known well. So the ratio is learned once, over many training patients and months at a time, which
takes most of the noise away, and each prediction has the variance

    (ratio + its Monte Carlo error) v + v / (B - 1)

where the last term is what a larger forest would still change. The error is added to be on the
safe side: few trees give wide intervals, and more trees narrow them.

The causes of one endpoint have forests of their own. Their errors are taken to be independent, as
the martingales of different causes are (Andersen et al., Statistical Models Based on Counting
Processes, 1993, section IV.1).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from outcomes.arrays import FloatArray, IntArray
from outcomes.models.draws import Draws
from outcomes.models.trees import Trees

_PATIENTS = 400
_MONTHS = 8
_COUNTS = 20_000_000
# Rows times grid months held at once, and the step of the numerical derivative.
_CELLS = 2_000_000
_STEP = 1e-4

Risk = Callable[[Sequence[Sequence[FloatArray]]], FloatArray]


@dataclass(frozen=True)
class Spread:
    """How much of the variance between trees is uncertainty of the forest.

    Attributes
    ----------
    ratio
        Variance of the forest over training cohorts, as a share of the variance between trees.
    error
        Monte Carlo standard error of the ratio; it falls as 1 / number of trees.
    n_trees
        Trees of the forest.
    """

    ratio: float
    error: float
    n_trees: int

    @property
    def factor(self) -> float:
        """Variance of a prediction as a share of the variance between trees."""
        return max(self.ratio, 0.0) + self.error + 1.0 / (self.n_trees - 1)


def learn_spread(trees: Trees, draws: Draws, bins: IntArray) -> Spread:
    """Learn the ratio from training patients.

    Parameters
    ----------
    trees, draws
        The trees and their samples.
    bins
        Binned features of the training patients, shape (n, n_features).
    """
    n_trees = len(trees.roots)
    if n_trees < 2:
        return Spread(np.nan, np.nan, n_trees)
    rows = np.unique(np.linspace(0, len(bins) - 1, _PATIENTS).astype(np.int64))
    n_grid = trees.hazard.shape[1]
    columns = np.unique(np.linspace(n_grid // 8, n_grid - 1, _MONTHS).astype(np.int64))
    leaves = trees.leaves(bins[rows])
    # The similarity of the trees' deviations, each prediction counting as much as another.
    shape = np.zeros((n_trees, n_trees))
    counted = 0
    for column in columns:
        values = trees.hazard[:, column].astype(np.float64)[leaves]
        deviation = values - values.mean(axis=1, keepdims=True)
        size = np.sqrt((deviation**2).mean(axis=1))
        varied = size > 1e-9
        scaled = deviation[varied] / size[varied, None]
        shape += scaled.T @ scaled
        counted += int(varied.sum())
    if not counted:
        return Spread(0.0, 0.0, n_trees)
    shape /= counted
    common = _common_draws(draws)
    np.fill_diagonal(common, 0.0)
    scale = draws.size**2 / draws.n / float((common**2).sum())
    ratio = scale * float((common * shape).sum())
    np.fill_diagonal(shape, 0.0)
    noise = float((shape**2).sum()) / (n_trees * (n_trees - 1))
    # Each pair of trees stands in both sums twice.
    error = scale * float(np.sqrt(2 * noise * (common**2).sum()))
    return Spread(ratio, error, n_trees)


def _common_draws(draws: Draws) -> FloatArray:
    """Return N N', the patients' centred counts of each pair of trees multiplied and summed."""
    n_trees = len(draws.seeds)
    counts = np.empty((n_trees, draws.n), dtype=np.uint8)
    for tree in range(n_trees):
        counts[tree] = np.minimum(draws.counts(tree), 255)
    total = np.zeros((n_trees, n_trees))
    width = max(1, _COUNTS // n_trees)
    for start in range(0, draws.n, width):
        part = counts[:, start : start + width].astype(np.float32)
        part -= np.float32(draws.size / draws.n)
        total += part @ part.T
    return total


def risk_error(
    forests: Sequence[Trees],
    spreads: Sequence[Spread],
    bins: Sequence[IntArray],
    risk_of: Risk,
    n_months: int,
) -> tuple[FloatArray, FloatArray]:
    """Return predicted risks and their standard errors, each of shape (n, n_months).

    What each tree contributes to a risk is a numerical derivative: the risk is taken again with
    the hazard of its cause moved a little towards the tree's.

    Parameters
    ----------
    forests, spreads
        Trees and spread of each cause.
    bins
        Binned features of the patients in each series of interest.
    risk_of
        Takes hazards by cause and series, each of shape (rows, n_grid), and returns the risk of
        event 1, shape (rows, n_months).
    n_months
        Months the risk is asked for.
    """
    n, n_trees = len(bins[0]), len(forests[0].roots)
    risk, variance = np.empty((n, n_months)), np.zeros((n, n_months))
    width = max(1, _CELLS // (n_trees * forests[0].hazard.shape[1] * len(bins) * len(forests)))
    for start in range(0, n, width):
        part = slice(start, start + width)
        leaves = [[trees.leaves(b[part]) for b in bins] for trees in forests]
        means = [
            [trees.mean_hazard(leaf) for leaf in by_series]
            for trees, by_series in zip(forests, leaves, strict=True)
        ]
        risk[part] = risk_of(means)
        repeated = [[np.repeat(mean, n_trees, axis=0) for mean in m] for m in means]
        for cause, (trees, spread) in enumerate(zip(forests, spreads, strict=True)):
            moved = list(repeated)
            moved[cause] = [
                mean + _STEP * (trees.hazard[leaf.ravel()] - mean)
                for mean, leaf in zip(repeated[cause], leaves[cause], strict=True)
            ]
            shift = risk_of(moved).reshape(-1, n_trees, n_months) - risk[part][:, None]
            between = ((shift / _STEP) ** 2).mean(axis=1)
            variance[part] += spread.factor * between
    return risk, np.sqrt(variance)
