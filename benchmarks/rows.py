"""What is compared, at which sizes, and how much faster it has to be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """Another package's way to the same work.

    Attributes
    ----------
    name
        As the table calls it.
    work
        Function of `benchmarks.peers`, or work of `peers.R` where `in_r`.
    in_r
        Whether it runs in R.
    at_least
        How many times as long it must take at the row's main size; None for no demand.
    largest
        Largest size it is run at; slower ones only with ``--full`` beyond it.
    agrees
        Results that must be equal, with the largest difference allowed.
    """

    name: str
    work: str
    in_r: bool = False
    at_least: float | None = None
    largest: int = 1_000_000
    agrees: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    title
        The work.
    work
        Function of `benchmarks.ours`.
    main
        Size at which the ratios are demanded.
    sizes
        Sizes at which ours is timed, for its growth.
    peers
        Others.
    megabytes
        Largest peak memory allowed, by size.
    """

    title: str
    work: str
    main: int
    sizes: tuple[int, ...]
    peers: tuple[Peer, ...]
    megabytes: tuple[tuple[int, float], ...] = ()


SAME_FIT = (("coefficient", 1e-6), ("se", 1e-6))
# lifelines moves tied times of the competing risks a little.
SAME_RISK = (("overall-survival", 1e-6), ("local-control", 1e-3))

ROWS = (
    Row(
        "Cox fit, 12 covariates, continuous times",
        "cox",
        100_000,
        (1_000, 10_000, 100_000, 1_000_000),
        (
            Peer("lifelines CoxPHFitter", "lifelines_cox", False, 40, 100_000, SAME_FIT),
            Peer("scikit-survival CoxPHSurvivalAnalysis", "sksurv_cox", False, None, 100_000),
            Peer("R coxph", "coxph", True, 4, 1_000_000, SAME_FIT),
            Peer("R coxph.fit", "coxph_fit", True, 0.5, 1_000_000, SAME_FIT),
        ),
        ((1_000_000, 1_024),),
    ),
    Row(
        "Cox fit, times rounded to 0.1 month",
        "cox_rounded",
        100_000,
        (1_000, 10_000, 100_000, 1_000_000),
        (Peer("lifelines CoxPHFitter", "lifelines_cox_rounded", False, None, 100_000, SAME_FIT),),
    ),
    Row(
        "200 bootstraps of Cox, n = 500",
        "cox_bootstrap",
        500,
        (500, 1_000, 2_000, 4_000),
        (
            Peer("lifelines CoxPHFitter", "lifelines_bootstrap", False, 60, 500),
            Peer("R coxph", "coxph_bootstrap", True, 5, 2_000),
        ),
    ),
    Row(
        "Forest of 100 trees",
        "forest",
        10_000,
        (1_000, 10_000, 100_000),
        (
            Peer("scikit-survival as it comes", "sksurv_forest", False, 50, 2_000),
            Peer("R ranger, the same binned input", "ranger", True, 1, 10_000),
        ),
    ),
    Row(
        "Forest of 100 trees, a large cohort",
        "forest",
        100_000,
        (50_000, 100_000),
        (Peer("R ranger, the same binned input", "ranger", True, 8, 50_000),),
    ),
    Row(
        "Weighted comparison, both endpoints, 200 bootstraps",
        "weighting",
        2_000,
        (500, 1_000, 2_000, 4_000),
        (Peer("scikit-learn and lifelines", "lifelines_weighting", False, 2, 2_000, SAME_RISK),),
    ),
    Row(
        "The ladder of all methods, both endpoints, 200 bootstraps",
        "ladder",
        2_000,
        (500, 2_000),
        (
            Peer(
                "one of its seven methods (weights), scikit-learn and lifelines",
                "lifelines_weighting",
                at_least=0.08,
                largest=2_000,
            ),
        ),
    ),
    Row(
        "Harrell's C with standard error",
        "harrell",
        100_000,
        (1_000, 10_000, 100_000, 1_000_000),
        (
            Peer("scikit-survival", "sksurv_harrell", False, 50, 10_000, (("c", 1e-7),)),
            Peer("R concordance", "concordance", True, 1, 100_000, (("c", 1e-7), ("se", 1e-6))),
        ),
    ),
    Row(
        "Uno's C with standard error",
        "uno",
        100_000,
        (1_000, 10_000, 100_000, 1_000_000),
        (
            Peer("scikit-survival", "sksurv_uno", False, 50, 10_000, (("c", 1e-6),)),
            Peer("R concordance", "concordance_uno", True, 1, 100_000, (("c", 1e-3),)),
        ),
    ),
    Row(
        "Aalen-Johansen with intervals",
        "incidence",
        100_000,
        (1_000, 10_000, 100_000, 1_000_000),
        (
            Peer("R survfit", "survfit_aj", True, 5, 10_000, (("at_12", 1e-7),)),
            Peer("lifelines AalenJohansenFitter", "lifelines_incidence", False, None, 10_000),
        ),
        ((1_000_000, 2_048),),
    ),
    Row(
        "Fine-Gray",
        "fine_gray",
        10_000,
        (1_000, 10_000, 100_000),
        (Peer("R cmprsk crr", "crr", True, 50, 2_000, SAME_FIT),),
    ),
)
