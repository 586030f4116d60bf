import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.synthetic.quadrature import gauss_nodes, uniform_nodes


def test_two_nodes_of_a_fair_coin_are_the_coin():
    nodes, weights = gauss_nodes(np.array([0.0, 1.0]), np.array([0.5, 0.5]), 2)
    assert nodes == pytest.approx([0, 1])
    assert weights == pytest.approx([0.5, 0.5])


def test_a_measure_of_one_atom_keeps_its_place():
    nodes, weights = gauss_nodes(np.array([3.0, 3.0]), np.array([0.4, 0.6]), 4)
    assert nodes @ weights == pytest.approx(3.0)
    assert weights.sum() == pytest.approx(1.0)


@settings(max_examples=50, deadline=None)
@given(
    atoms=st.lists(st.floats(-2, 2), min_size=5, max_size=30),
    data=st.data(),
)
def test_gauss_nodes_keep_the_moments(atoms, data):
    masses = np.array(
        data.draw(st.lists(st.floats(0.05, 1), min_size=len(atoms), max_size=len(atoms)))
    )
    masses /= masses.sum()
    points = np.array(atoms)
    nodes, weights = gauss_nodes(points, masses, 4)
    for power in range(8):
        assert weights @ nodes**power == pytest.approx(masses @ points**power, rel=1e-6, abs=1e-6)


def test_uniform_nodes_integrate_cubics():
    nodes, weights = uniform_nodes(1.0, 3.0, 2)
    assert weights @ nodes**3 == pytest.approx((3**4 - 1) / 4 / 2)


def test_nodes_replace_every_combination_of_binary_factors():
    effects = np.array([0.55, 0.56, -0.51, -0.16, 0.34])
    shares = np.array([0.5, 0.4, 0.6, 0.25, 0.12])
    atoms = [np.dot(c, effects) for c in itertools.product((0, 1), repeat=5)]
    masses = [np.prod(np.where(c, shares, 1 - shares)) for c in itertools.product((0, 1), repeat=5)]
    nodes, weights = gauss_nodes(np.array(atoms), np.array(masses), 4)
    for hazard in (0.1, 0.5, 1.0, 3.0):
        exact = np.dot(masses, np.exp(-hazard * np.exp(atoms)))
        assert weights @ np.exp(-hazard * np.exp(nodes)) == pytest.approx(exact, abs=2e-5)
