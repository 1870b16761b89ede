"""Discrimination, group tests, effects within patients and sensitivity, on plain arrays."""
