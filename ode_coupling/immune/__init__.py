"""Systemic-immune models, one file or folder a model."""
