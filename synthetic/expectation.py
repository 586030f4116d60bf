"""What a calibrated series shows in expectation, made once."""

from functools import lru_cache

from outcomes.evidence import Evidence
from outcomes.synthetic.calibration import Calibration, Parameter
from outcomes.synthetic.series_expectation import SeriesExpectation, expect_series


def expectation_of(calibration: Calibration, study: str) -> SeriesExpectation:
    """Return the expectation of a calibrated series, its own or with borrowed parameters."""
    return _expectation(study, calibration.parameters, calibration.evidence)


@lru_cache(maxsize=64)
def _expectation(
    study: str, parameters: tuple[Parameter, ...], evidence: Evidence
) -> SeriesExpectation:
    bare = Calibration((), parameters, (), True, (), evidence)
    series = bare.series_of(study)
    return expect_series(series, bare.values(study), bare.effects, evidence)
