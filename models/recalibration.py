"""Calibration of predicted risks at one month, by regression of pseudo-values.

The pseudo-values of the risk are regressed on the predictions with a complementary log-log link,
log(-log(1 - F)) = a + b log(-log(1 - predicted)), by least squares, as van Geloven et al. (BMJ
2022;377:e069249) do for competing risks; it holds without them too. The slope is b (1 is right;
below 1 the predictions are too extreme). Calibration in the large is a with b held at 1 (0 is
right; above 0 the risks are too low).
"""

import numpy as np

from outcomes.arrays import FloatArray


def calibration_slope(pseudo: FloatArray, predicted: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the calibration slope for each column of patient weights, shape (n_columns,).

    NaN where the predictions do not vary or the regression has no solution.
    """
    x = log_log(predicted)
    if np.ptp(x) < 1e-9:
        return np.full(weights.shape[1], np.nan)
    return _solve(pseudo, x, weights, slope=True)


def calibration_in_the_large(
    pseudo: FloatArray, predicted: FloatArray, weights: FloatArray
) -> FloatArray:
    """Return the calibration in the large for each column of patient weights."""
    return _solve(pseudo, log_log(predicted), weights, slope=False)


def log_log(risk: FloatArray) -> FloatArray:
    """Return log(-log(1 - risk)), with risks held from 1e-6 to 1 - 1e-6."""
    return np.asarray(np.log(-np.log1p(-np.clip(risk, 1e-6, 1 - 1e-6))))


def _solve(pseudo: FloatArray, x: FloatArray, weights: FloatArray, slope: bool) -> FloatArray:
    """Solve the weighted least squares by damped Gauss-Newton, all columns at once."""
    center = x.mean()
    shifted = x - center
    b = np.ones(weights.shape[1])
    # Start from the intercept's level: the predictions as they are.
    a = np.full(weights.shape[1], center)
    change = np.full(weights.shape[1], np.inf)
    for _ in range(30):
        eta = np.clip(a[None, :] + b[None, :] * shifted[:, None], -30.0, 3.0)
        hazard = np.exp(eta)
        survival = np.exp(-hazard)
        gradient = hazard * survival
        residual = pseudo[:, None] - (1.0 - survival)
        wg = weights * gradient
        u0, h00 = (wg * residual).sum(axis=0), (wg * gradient).sum(axis=0)
        if slope:
            u1 = shifted @ (wg * residual)
            h01, h11 = shifted @ (wg * gradient), shifted**2 @ (wg * gradient)
            determinant = np.maximum(h00 * h11 - h01**2, 1e-300)
            step_a = (h11 * u0 - h01 * u1) / determinant
            step_b = (h00 * u1 - h01 * u0) / determinant
        else:
            step_a = u0 / np.maximum(h00, 1e-300)
            step_b = np.zeros_like(b)
        size = np.maximum(np.abs(step_a), np.abs(step_b))
        damping = np.minimum(1.0, 1.0 / np.maximum(size, 1e-300))
        a, b = a + damping * step_a, b + damping * step_b
        change = size
        if (change < 1e-8).all():
            break
    solution = b if slope else a - center
    return np.asarray(np.where(np.isfinite(solution) & (change < 1e-4), solution, np.nan))
