"""One set of an ensemble as the truth of a simulation."""

from dataclasses import replace

import numpy as np

from outcomes.errors import CalibrationError
from outcomes.synthetic.calibration import Calibration
from outcomes.synthetic.ensemble import Ensemble
from outcomes.synthetic.ranges import with_assumptions

OWN_STREAM = 1


def with_member(calibration: Calibration, index: int) -> Calibration:
    """Return the calibration whose truth is one set of its ensemble.

    Raises
    ------
    CalibrationError
        If the calibration has no ensemble, or the ensemble no such set.
    """
    ensemble = _ensemble_with(calibration, index)
    assumptions = {key: values[index] for key, values in ensemble.assumptions.items()}
    return replace(
        calibration,
        evidence=with_assumptions(calibration.evidence, assumptions),
        ensemble=None,
        verification=None,
        parameters=tuple(
            replace(parameter, value=ensemble.parameters[parameter.key][index])
            for parameter in calibration.parameters
        ),
    )


def draw_truth(calibration: Calibration, seed: int) -> tuple[Calibration, int]:
    """Return the calibration with one set of its ensemble, drawn by the seed, and its number."""
    size = calibration.ensemble.size if calibration.ensemble is not None else 0
    # A stream of its own, so that the choice tells nothing of the patients drawn from the seed.
    index = int(np.random.default_rng([seed, OWN_STREAM]).integers(size)) if size else 0
    return with_member(calibration, index), index


def member_provenance(calibration: Calibration, index: int) -> dict[str, int]:
    """Return which set of which ensemble a truth is.

    Raises
    ------
    CalibrationError
        If the calibration has no ensemble, or the ensemble no such set.
    """
    ensemble = _ensemble_with(calibration, index)
    return {
        "ensemble_member": index,
        "ensemble_seed": ensemble.seed,
        "ensemble_size": ensemble.size,
    }


def _ensemble_with(calibration: Calibration, index: int) -> Ensemble:
    ensemble = calibration.ensemble
    if ensemble is None:
        raise CalibrationError("the calibration holds no ensemble; allowed: one made with --draws")
    if not 0 <= index < ensemble.size:
        raise CalibrationError(f"ensemble: found set {index}; allowed: 0 to {ensemble.size - 1}")
    return ensemble
