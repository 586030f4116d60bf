"""Synthetic cohorts calibrated to published figures."""
