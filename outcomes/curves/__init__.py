"""Survival curves and the tests that compare them."""
