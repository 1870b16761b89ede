"""Volumes, response criteria and pair correlations, which tissue, body and analysis share."""
