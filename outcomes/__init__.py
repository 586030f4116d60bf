"""Survival and outcomes modelling in spinal metastasis surgery."""
