"""Quadrature rules."""

from functools import lru_cache

import numpy as np

from outcomes.arrays import FloatArray


def gauss_nodes(atoms: FloatArray, masses: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Return Gauss nodes and weights of a discrete measure.

    Lanczos iteration with reorthogonalisation gives the Jacobi matrix of the measure; its
    eigenvalues are the nodes (Golub & Welsch, Math Comp 1969;23:221).

    Parameters
    ----------
    atoms, masses
        Points of the measure and their masses (summing to 1), shape (n_atoms,).
    count
        Number of nodes wanted; padded with nodes of weight 0 where the measure has fewer atoms.

    Returns
    -------
    nodes, weights
        Arrays of shape (count,).
    """
    centre = float(atoms @ masses)
    basis = [np.sqrt(masses)]
    diagonal: list[float] = []
    off_diagonal: list[float] = []
    for _ in range(count):
        vector = (atoms - centre) * basis[-1]
        diagonal.append(float(vector @ basis[-1]))
        for other in (*basis, *basis):
            vector = vector - (vector @ other) * other
        norm = float(np.linalg.norm(vector))
        if norm < 1e-10 or len(diagonal) == count:
            break
        off_diagonal.append(norm)
        basis.append(vector / norm)
    jacobi = np.diag(diagonal) + np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1)
    eigenvalues, eigenvectors = np.linalg.eigh(jacobi)
    padding = count - len(eigenvalues)
    nodes = np.concatenate([eigenvalues + centre, np.full(padding, centre)])
    weights = np.concatenate([eigenvectors[0] ** 2, np.zeros(padding)])
    return nodes, weights


@lru_cache(maxsize=64)
def uniform_nodes(low: float, high: float, count: int) -> tuple[FloatArray, FloatArray]:
    """Return Gauss-Legendre nodes and weights (summing to 1) of the uniform distribution."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return low + (high - low) * (nodes + 1) / 2, weights / 2
