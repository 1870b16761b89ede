"""Pharmacokinetic models, one file a structural model."""
